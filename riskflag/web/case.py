"""One flag as the review pages hold it: its published page, its reasons, and its standing now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskflag.nightly.published import published_flag
from riskflag.reports.brief import Brief, brief
from riskflag.web import desk
from riskflag.web.answers import reasons_of
from riskflag.web.forms_review import Reason


@dataclass(frozen=True)
class Case:
    """A flag that is being reviewed: its JSON, what its page says, and its reasons in order."""

    flag_id: str
    flag: Mapping[str, Any]
    page: Brief
    reasons: tuple[Reason, ...]

    @property
    def url(self) -> str:
        """Where the flag's own page is."""
        return f"/flag/{self.flag_id}"

    @property
    def level(self) -> str:
        """How pressing the flag is."""
        return str(self.flag["level"])


def case_of(flag_id: str) -> Case:
    """A flag for the steps of a review; whoever shows it records the look first (law 10)."""
    flag = published_flag(desk.workspace(), desk.store(), flag_id)
    page = brief(flag)
    return Case(flag_id, flag, page, reasons_of(flag, page))
