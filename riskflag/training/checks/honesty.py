"""Every check of a run, in one list: evaluation, honesty, fairness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.training.checks import (
    apart,
    base_rates,
    fairness,
    group_lines,
    masking,
    net_benefit,
    own_flags,
    proxies,
    surveillance,
)
from riskflag.training.checks.groups import groups_of
from riskflag.training.checks.hearing import Hearing
from riskflag.training.checks.leaks import EARLIER, LATER
from riskflag.training.figures.checks import (
    EVALUATION,
    FAULT,
    FINE,
    HONESTY,
    LOOK,
    NOT_KNOWN,
    Check,
    recorded,
)
from riskflag.training.figures.intervals import Figure, span
from riskflag.training.judging.evaluate import MODEL

Floats = NDArray[np.float64]

#: What wrongly using the day things happened may seem to gain before the second clock matters.
GAIN = 0.02
#: A calibration slope within these is as asked of a later window.
SLOPE = (0.9, 1.1)


def all_checks(
    hearing: Hearing,
    result: Mapping[str, Any],
    scores: Mapping[str, Floats],
    reviews: own_flags.Reviewed,
) -> list[dict[str, Any]]:
    """What `result["checks"]` holds. `scores` are the ways to choose, of all test rows."""
    outcome = hearing.config.outcome
    types = () if outcome.table is not None else outcome.types
    others = {name: one for name, one in scores.items() if name != MODEL}
    groups = groups_of(hearing.history, hearing.rows)
    return recorded(
        [
            calibration(result["calibration"]),
            net_benefit.check(hearing, others),
            *warning(result.get("weekly")),
            *(Check(**one) for one in (result.get("weekly") or {}).get("checks", ())),
            apart.check(hearing),
            *leaks(result.get("leaks")),
            *base_rates.checks(hearing.history, hearing.prepared, types, outcome.settle_days),
            own_flags.check(hearing, reviews),
            *surveillance.checks(hearing),
            *masking.checks(hearing),
            *fairness.checks(hearing, groups),
            *proxies.checks(hearing, groups),
            *group_lines.checks(hearing, groups),
        ]
    )


def calibration(figures: Mapping[str, Any]) -> Check:
    """Slope and intercept on the test window, which lies after the one calibrated on."""
    slope, level = figures["slope"], figures["intercept"]
    table = [{"figure": "slope", **slope}, {"figure": "intercept", **level}]
    told = (
        f"On the later test months the calibration slope is {span(slope)} (1 is right) and the "
        f"intercept {span(level, sign=True)} (0 is right)."
    )
    good = SLOPE[0] <= (slope["value"] or 0.0) <= SLOPE[1]
    return Check("calibration_slope", EVALUATION, told, FINE if good else LOOK, slope, table)


def warning(weekly: Mapping[str, Any] | None) -> list[Check]:
    """Days of warning, and days gained over current practice: median and quartiles."""
    if weekly is None:
        return []
    mine = weekly["lists"][MODEL]
    parts = {
        "quarter": mine["days_of_warning_quarter"],
        "median": mine["days_of_warning"],
        "three_quarters": mine["days_of_warning_three_quarters"],
    }
    from_listing = _days("days_of_warning", parts, "from being listed to the outcome")
    ahead = "by which the model's list was ahead of current practice's"
    return [from_listing, _days("days_gained_over_practice", weekly["days_gained"], ahead)]


def _days(name: str, parts: Mapping[str, Figure], what: str) -> Check:
    middle = parts["median"]
    if middle["value"] is None:
        told = f"Days {what}: nobody on the list had the outcome."
        return Check(name, EVALUATION, told, NOT_KNOWN)
    quarter, late = parts["quarter"]["value"], parts["three_quarters"]["value"]
    told = (
        f"Days {what}: median {span(middle, 0)}, half of the children between {quarter:.0f} and "
        f"{late:.0f}."
    )
    table = [{"quartile": key, **one} for key, one in parts.items()]
    return Check(name, EVALUATION, told, FINE if middle["value"] > 0 else LOOK, middle, table)


def leaks(found: Mapping[str, Any] | None) -> list[Check]:
    """The leak check's three questions as checks."""
    if found is None:
        return []
    best = found["alone"][0]
    suspects = found["suspects"]
    alone = (
        f"The best signal alone, {best['signal']}, has AUROC {best['auroc']:.3f}; "
        + (
            "suspect: " + "; ".join(f"{one['signal']} ({one['why']})" for one in suspects)
            if suspects
            else "none looks as if it knew the outcome"
        )
        + "."
    )
    later = [found["auroc_later"][str(days)] for days in LATER]
    shifted = (
        f"AUROC {found['auroc']:.3f}; with the records of {-EARLIER} days earlier "
        f"{found['auroc_earlier']:.3f}, of {LATER[0]} and {LATER[1]} days later {later[0]:.3f} and "
        f"{later[1]:.3f}. From {found['fault_from']:.2f} on it would be a fault."
    )
    gain = found["gain_by_day_it_happened"]
    audit = (
        f"{found['known_later_than_happened']:.0%} of the contacts became known after the day they "
        f"happened; wrongly using that day would seem to gain {gain:+.3f} AUROC."
    )
    return [
        Check(
            "single_signal_auroc",
            HONESTY,
            alone,
            FAULT if suspects else FINE,
            _only(best["auroc"]),
            found["alone"],
        ),
        Check(
            "time_shifted_auroc",
            HONESTY,
            shifted,
            FAULT if found["auroc"] > later[0] + GAIN else FINE,
            _only(found["auroc_earlier"] - found["auroc"]),
        ),
        Check("known_on_audit", HONESTY, audit, LOOK if gain > GAIN else FINE, _only(gain)),
    ]


def _only(value: float) -> Figure:
    return {"value": float(value), "low": None, "high": None}
