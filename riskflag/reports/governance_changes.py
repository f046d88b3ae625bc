"""The change log between two bundles: what is new in the model, and what that did."""

from __future__ import annotations

from collections.abc import Mapping

from riskflag.reports.documents import Document, Table, section
from riskflag.reports.governance_words import FIGURES, NOT_KNOWN, figure, interval, percent
from riskflag.training.judging.gates import Gate
from riskflag.training.promotion.governance import Evidence

#: A signal whose share of the scores moved by less than this is not told.
MOVED = 0.005
MOST = 20
NOTHING = (("nothing", "", ""),)


def changes(before: Evidence, after: Evidence) -> Document:
    """What differs between two bundles, the older one first."""
    same = before.about["history"] == after.about["history"]
    warning = (
        "Both learnt from the same data, so figures can be compared."
        if same
        else "They learnt from different data and were judged on different months or records: a "
        "difference of the figures is not only one of the models."
    )
    return Document(
        "changes",
        "Change log",
        f"From {before.id} to {after.id}.",
        (
            section("What it is", _identity(before, after)),
            section("Signals", _signals(before, after), _shares(before, after)),
            section("Figures", warning, _figures(before, after)),
            section("Gates", _gates(before, after)),
        ),
    )


def _identity(before: Evidence, after: Evidence) -> Table:
    def facts(one: Evidence) -> dict[str, str]:
        about = one.about
        return {
            "experiment": f"{about['experiment']}, config {about['config'][:12]}",
            "question": about["question"],
            "learnt from": about["windows"]["train"],
            "judged on": about["windows"]["test"],
            "data": f"history {about['history'][:12]}, cut {about['cut']}",
            "catalogue": about["catalogue"][:12],
            "version of riskflag": str(about["code"]),
            "signals": str(len(one.inputs)),
            "trees": str(one.performance["learnt_from"]["trees"]),
            "line (probability)": figure(one.thresholds["probability"]),
        }

    return _different("Facts", facts(before), facts(after), keep_same=True)


def _different(
    caption: str, before: Mapping[str, str], after: Mapping[str, str], *, keep_same: bool = False
) -> Table:
    names = [*before, *(name for name in after if name not in before)]
    rows = tuple(
        (name, before.get(name, "none"), after.get(name, "none"))
        for name in names
        if keep_same or before.get(name) != after.get(name)
    )
    return Table(caption, ("what", "before", "after"), rows or NOTHING)


def _signals(before: Evidence, after: Evidence) -> Table:
    def told(one: Evidence) -> dict[str, str]:
        return {
            signal["name"]: f"{signal['direction']}, {signal['fingerprint'][:12]}"
            for signal in one.inputs
        }

    return _different("Signals that came, went or are defined otherwise", told(before), told(after))


def _shares(before: Evidence, after: Evidence) -> Table:
    old, new = before.shares, after.shares
    moved = {name: new.get(name, 0.0) - old.get(name, 0.0) for name in {*old, *new}}
    ranked = sorted(moved, key=lambda name: (-abs(moved[name]), name))
    rows = tuple(
        (name, percent(old.get(name, 0.0)), percent(new.get(name, 0.0)))
        for name in ranked[:MOST]
        if abs(moved[name]) >= MOVED
    )
    heads = ("signal", "before", "after")
    return Table("Shares of the scores that moved most", heads, rows or NOTHING)


def _figures(before: Evidence, after: Evidence) -> Table:
    def told(one: Evidence) -> dict[str, str]:
        result = one.result
        model = {heading: interval(result["scorers"]["model"][key]) for key, heading in FIGURES}
        calibration = result["calibration"]
        return {
            **model,
            "calibration slope": interval(calibration["slope"]),
            "foretold over observed": interval(calibration["expected_over_observed"]),
            "children with the outcome": f"{result['children_with_outcome']:,}",
            "base rate": percent(result["base_rate"]),
        }

    return _different("On each one's own test months", told(before), told(after), keep_same=True)


def _verdict(gate: Gate) -> str:
    """The verdict and what was measured, which may begin with the verdict itself."""
    told = gate.measured
    return told if told.startswith(gate.verdict) else f"{gate.verdict}: {told}"


def _gates(before: Evidence, after: Evidence) -> Table:
    def told(one: Evidence) -> dict[str, str]:
        return {gate.name: f"{gate.verdict}: {gate.measured}" for gate in one.gates}

    old, new = told(before), told(after)
    rows = tuple(
        (name, old.get(name, NOT_KNOWN), new.get(name, NOT_KNOWN))
        for name in [*new, *(one for one in old if one not in new)]
        if old.get(name) != new.get(name)
    )
    heads = ("gate", "before", "after")
    return Table("Gates that measured something else", heads, rows or NOTHING)
