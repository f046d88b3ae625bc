"""The checks of a run as one plain record, for people, for gates and for other programs.

`report/checks.json` of a run and `result["checks"]` hold the same list. Each check is an
object with

- `name`: stable, lower case with underscores, so that a gate can ask for it;
- `part`: "evaluation", "honesty" or "fairness";
- `figure`: `{"value", "low", "high"}` with the 95% interval by family, each null where not known;
- `verdict`: one of VERDICTS;
- `sentence`: what was found, in plain words;
- `table`: rows of plain values behind it (a list of objects with the same keys), often empty.

A verdict of "fault" says that the figures of the run cannot be trusted as they stand, "look" that a
person has to look before the model is used, "fine" that nothing was found, "not known" that there
was too little to tell (never the same as fine).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from riskflag.training.figures.intervals import Figure

FORMAT = 1
NAME = re.compile(r"[a-z][a-z0-9_]*")
FINE, LOOK, FAULT, NOT_KNOWN = VERDICTS = ("fine", "look", "fault", "not known")
EVALUATION, HONESTY, FAIRNESS = PARTS = ("evaluation", "honesty", "fairness")
NO_FIGURE: Figure = {"value": None, "low": None, "high": None}


@dataclass(frozen=True)
class Check:
    """One check that was made, with its finding; see the module for what each field holds."""

    name: str
    part: str
    sentence: str
    verdict: str = FINE
    figure: Figure = field(default_factory=lambda: dict(NO_FIGURE))
    table: Sequence[Mapping[str, Any]] = ()

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS or self.part not in PARTS:
            raise ValueError(f"{self.name}: no such verdict or part")
        if not NAME.fullmatch(self.name):
            raise ValueError(f"{self.name}: not a stable name")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**dataclasses.asdict(self), "table": [dict(row) for row in self.table]}


def recorded(checks: Iterable[Check]) -> list[dict[str, Any]]:
    """The checks as `result["checks"]` holds them; raises ValueError when two share a name."""
    told = [check.to_dict() for check in checks]
    names = [one["name"] for one in told]
    if len(set(names)) < len(names):
        raise ValueError("two checks share a name")
    return told


def find(result: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The check of that name in a run's result, or None when it was not made."""
    return next((one for one in result.get("checks", ()) if one["name"] == name), None)


def as_json(result: Mapping[str, Any]) -> dict[str, Any]:
    """What `report/checks.json` holds."""
    return {"format": FORMAT, "checks": list(result.get("checks", ()))}
