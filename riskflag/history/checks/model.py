"""What a data check finds, in counts only: thresholds, findings and the figures behind them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from riskflag.toml_lines import read_toml

Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=1)]


class Limits(BaseModel):
    """When a figure becomes a finding: a workspace's check.toml, or these defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Counts below this are not shown, and the others only to the nearest `round_to`.
    smallest_shown: Annotated[int, Field(ge=5)] = 10
    round_to: Annotated[int, Field(ge=1, le=100)] = 5
    #: Volumes: months that are compared, what they are compared with, and how far they may lie.
    recent_months: Annotated[int, Field(ge=1, le=12)] = 2
    usual_months: Annotated[int, Field(ge=3, le=60)] = 12
    low_share: Share = 0.5
    high_share: Annotated[float, Field(ge=1)] = 2.0
    least_usual: Annotated[int, Field(ge=1)] = 30
    #: A month differs only if chance would hardly do it: so many roots of the usual number away.
    chance: Annotated[float, Field(ge=1)] = 5.0
    #: Values of an attribute: how much of the distribution may move, and how much turn unknown.
    moved: Share = 0.25
    turned_unknown: Share = 0.2
    least_values: Annotated[int, Field(ge=20)] = 200
    unmapped: Share = 0.01
    quarantined: Share = 0.01
    duplicates: Share = 0.25
    without_person: Share = 0.1
    check_digit: Share = 0.02
    reused: Share = 0.005
    #: Contacts more than so many days before birth or after death, as a share of a source's.
    before_birth_days: Days = 300
    after_death_days: Days = 90
    impossible: Share = 0.001
    #: Nine in ten contacts should be known within so many days, and as fast as they were.
    late_days: Days = 90
    slower: Annotated[float, Field(ge=1)] = 2.0
    slower_days: Days = 14
    #: Leaks: rows that need to be there, days after an outcome, and how many times as many changes.
    least_rows: Annotated[int, Field(ge=20)] = 50
    after_outcome_days: Days = 14
    after_outcome_times: Annotated[float, Field(ge=1.5)] = 3.0
    #: Whose monthly rate is followed, and the contacts that a model may be trained to anticipate.
    outcomes: tuple[str, ...] = ("care.s47", "care.cp_plan", "care.looked_after")
    #: A month's rate of an outcome against the usual one.
    rate_times: Annotated[float, Field(ge=1.2)] = 2.5


def load_limits(folder: Path) -> Limits:
    """The limits of a workspace: check.toml where there is one; ConfigError for a mistake."""
    path = folder / "check.toml"
    return read_toml(path, Limits) if path.is_file() else Limits()


def too_many(part: float, whole: float, limit: float) -> bool:
    """Whether a share lies above its limit by more than chance would do in so small a number."""
    expected = limit * whole
    return part >= 3 and part > expected + 2 * expected**0.5


#: What to do about each kind of finding.
TO_DO = {
    "volume_low": "Ask the sender whether a file, a team or a code is missing before you train "
    "on these months.",
    "volume_high": "Look for a file that came twice under other keys, or a code that now means "
    "more than it did.",
    "silent_month": "Ask the sender for the missing month; until it is here, treat its counts as "
    "unknown, not as zero.",
    "values_moved": "Compare the code list in the source's declaration with the sender's newest.",
    "turned_unknown": "Ask whether the column is still filled; add new codes to the map.",
    "unmapped": "Add the codes to the source's maps; `riskflag ingest --dry-run` lists them.",
    "quarantined": "Read the reasons in the load report and the rows in quarantine/, and ask the "
    "sender to correct them.",
    "held": "Read why in the load report; ask the sender for the file again.",
    "duplicates": "Ask whether the extract is meant to repeat rows; if so, this costs only time.",
    "without_person": "See which identifier is missing or unknown; a register that names it may "
    "not have been loaded.",
    "check_digit": "Ask the sender where the identifier is typed; the records are kept, but may "
    "be another child's.",
    "reused": "Settle the pairs in `riskflag identity list`; a placeholder number should be "
    "declared in null_values.",
    "before_birth": "Check birth dates and the date column of this source; such contacts may "
    "belong to another person.",
    "after_death": "Check the date of death and whose record it is before anyone is contacted.",
    "feed_lost": "Signals of this feed are unknown now; chase the delivery.",
    "feed_held": "The newest delivery was refused; read why in the load report.",
    "late": "Score and train knowing it: what is younger than this is mostly not here yet.",
    "slower": "Ask what changed at the sender; recent windows count less than they seem to.",
    "known_is_occurred": "Find the real day of recording: as it stands a model can learn from "
    "records before anyone could have read them.",
    "changed_after_outcome": "Keep these attributes out of training or train on versions known "
    "before: they are written with the outcome in mind.",
    "rate_changed": "Find out whether practice, recording or the definition changed before you "
    "train across these months.",
}


@dataclass(frozen=True)
class Finding:
    """Something an analyst should look at, and what to do about it."""

    code: str
    source: str
    type: str
    what: str

    @property
    def to_do(self) -> str:
        """The next step."""
        return TO_DO[self.code]


@dataclass(frozen=True)
class CheckReport:
    """Everything a check found. `figures` holds tables (lists of rows) by name, in counts that
    are rounded and suppressed already: nothing in it can be told of one person.
    """

    authority: str
    as_of: str
    limits: Mapping[str, Any]
    findings: tuple[Finding, ...]
    figures: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)

    def to_json(self) -> str:
        """The report as JSON: the same bytes for the same history and limits."""
        whole = {
            **asdict(self),
            "findings": [{**asdict(one), "to_do": one.to_do} for one in self.findings],
        }
        return json.dumps(whole, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


class Suppression:
    """Counts that may be shown: None below the smallest, others to the nearest multiple."""

    def __init__(self, limits: Limits) -> None:
        self.smallest, self.step = limits.smallest_shown, limits.round_to

    def count(self, number: float | None) -> int | None:
        """A count as it may be shown; 0 stays 0."""
        if number is None:
            return None
        if number == 0:
            return 0
        if number < self.smallest:
            return None
        return int(self.step * round(number / self.step))

    def words(self, number: float) -> str:
        """A count in a sentence."""
        shown = self.count(number)
        if shown is None:
            return f"fewer than {self.smallest}"
        return f"about {shown:,}" if self.step > 1 and shown else f"{shown:,}"

    def share(self, part: float, whole: float) -> float | None:
        """A share in whole percent, None where too few stand behind it."""
        if whole < self.smallest or 0 < part < self.smallest:
            return None
        return round(100 * part / whole, 1)
