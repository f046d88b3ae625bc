"""What a run of an honest model found: every check that the gates of promotion read, all well."""

from __future__ import annotations

import copy
from typing import Any


def check(name: str, part: str, value: float | None = None, **more: Any) -> dict[str, Any]:
    """A check in which nothing was found."""
    figure = {"value": value, "low": value, "high": value}
    told = {"name": name, "part": part, "sentence": f"{name}: nothing was found.", "table": []}
    return {**told, "verdict": "fine", "figure": figure, **more}


_CHANGE = {"value": -0.02, "low": -0.03, "high": -0.01}
_KEPT = [
    {"feed": feed, "signals": 3, "auroc_change": _CHANGE, "found_kept": kept}
    for feed, kept in (("ed", 0.9), ("police", 0.8))
]
_CHECKS = [
    check("time_shifted_auroc", "honesty", -0.02),
    check("base_rate_by_month", "honesty"),
    check("outcomes_after_our_own_flag", "honesty"),
    check("score_explained_by_contact", "honesty", 0.4),
    check("feed_outage", "honesty", -0.05, table=_KEPT),
    check("missed_cases_by_sex", "fairness", 0.02),
    check("false_alarms_by_sex", "fairness", 0.01),
    check("level_by_sex", "fairness", 0.05),
    check("proxies_of_sex", "fairness", 0.6),
]


def sound() -> dict[str, Any]:
    """The parts of a result that `riskflag.training.checks.leaks` and the checks fill."""
    leaks = {
        "suspects": [],
        "auroc": 0.75,
        "auroc_earlier": 0.73,
        "auroc_later": {"28": 0.78, "56": 0.8},
        "gain_by_day_it_happened": 0.01,
    }
    return copy.deepcopy({"leaks": leaks, "checks": _CHECKS})
