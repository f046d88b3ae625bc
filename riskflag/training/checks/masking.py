"""What the list loses when signals fall silent: by agency, by theme, and feed by feed.

Nothing is trained again: the same model is asked with the signals made unknown, as they would be
at night. That tells what the model as it is rests on; a model trained without an agency could make
up part of the loss from the others.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riskflag.history.store.stored_view import view_of
from riskflag.history.threads import cores, in_turn
from riskflag.signals import Signal
from riskflag.training.checks.hearing import Hearing
from riskflag.training.data.inputs import agencies_of
from riskflag.training.data.narrow import in_blocks
from riskflag.training.data.rows import Past
from riskflag.training.figures.checks import FINE, HONESTY, LOOK, NOT_KNOWN, Check
from riskflag.training.figures.intervals import span
from riskflag.training.figures.metrics import Ranking

Floats = NDArray[np.float64]
Columns = dict[str, tuple[int, ...]]

#: A single agency without which more than this share of the found outcomes is lost is looked at.
HALF = 0.5
MOST_ROWS = 60_000
#: The change of a figure when no score changes.
NOTHING = {"value": 0.0, "low": 0.0, "high": 0.0}
WAYS = {
    "ablation_by_agency": "agency",
    "ablation_by_theme": "theme",
    "feed_outage": "feed",
}


def by_agency(signals: Sequence[Signal]) -> Columns:
    """The columns that need each agency."""
    return _grouped([agencies_of(signal) for signal in signals])


def by_theme(signals: Sequence[Signal]) -> Columns:
    """The columns of each theme."""
    return _grouped([frozenset({signal.theme}) for signal in signals])


def by_feed(history: Past, signals: Sequence[Signal]) -> Columns:
    """The columns that become unknown without each feed; none where other feeds send the same.

    A feed is a source, or the agency where a contact does not say its source.
    """
    view = view_of(history)
    sent: dict[str, set[str]] = {}

    def of_part(number: int) -> list[dict[str, str]]:
        contacts = view.part(number, ("person_id", "source", "agency", "type")).contacts
        source = pc.coalesce(contacts["source"].cast("string"), contacts["agency"].cast("string"))
        table = pa.table({"feed": source, "type": contacts["type"].cast("string")})
        found: list[dict[str, str]] = table.group_by(["feed", "type"]).aggregate([]).to_pylist()
        return found

    for pairs in in_turn(of_part, len(view), threads=cores()):
        for pair in pairs:
            sent.setdefault(pair["feed"], set()).add(pair["type"])
    found = {}
    for feed in sorted(sent):
        others = set().union(*(types for name, types in sent.items() if name != feed))
        lost = sent[feed] - others
        found[feed] = tuple(i for i, one in enumerate(signals) if not lost.isdisjoint(one.types))
    return found


def _grouped(groups: Sequence[frozenset[str]]) -> Columns:
    names = sorted(frozenset().union(*groups))
    return {name: tuple(i for i, mine in enumerate(groups) if name in mine) for name in names}


def checks(hearing: Hearing) -> list[Check]:
    """One check for each way to hide signals."""
    # Each thing that is hidden scores every row again: fewer rows tell enough.
    hearing = dataclasses.replace(hearing, most_rows=MOST_ROWS)
    signals = hearing.prepared.inputs.signals
    ways = (by_agency(signals), by_theme(signals), by_feed(hearing.history, signals))
    return [without(hearing, name, columns) for name, columns in zip(WAYS, ways, strict=True)]


def without(hearing: Hearing, name: str, columns: Mapping[str, tuple[int, ...]]) -> Check:
    """The same model without each group of columns: what AUROC and list lose, the largest first."""
    what = WAYS[name]
    if not hearing.enough or not columns:
        told = f"By {what}: too few children had the outcome to tell what the list rests on."
        return Check(name, HONESTY, told, NOT_KNOWN)
    if len(columns) == 1:
        told = f"By {what}: every signal needs the one {what} there is, so nothing can be hidden."
        return Check(name, HONESTY, told)
    used = hearing.model.booster.feature_importance() > 0
    others = {}
    for number, (group, places) in enumerate(columns.items()):
        hearing.progress(f"hiding each {what}", number, len(columns))
        if used[list(places)].any():
            others[group] = _scores(hearing, places)
    if not others:
        told = f"By {what}: the model uses none of the signals that any {what} gives."
        return Check(name, HONESTY, told)
    gaps = hearing.differences(others)
    base = _found(hearing, hearing.raw)
    table: list[dict[str, Any]] = [
        {
            what: group,
            "signals": len(columns[group]),
            "auroc_change": gaps[group]["auroc"],
            "recall_change": gaps[group]["recall"],
            "list_kept": _kept(hearing, others[group]),
            "found_kept": _found(hearing, others[group]) / base if base else None,
        }
        for group in others
    ]
    table.sort(key=lambda row: (row["auroc_change"]["value"], row[what]))
    still = [
        {
            what: group,
            "signals": len(places),
            **{key: dict(NOTHING) for key in ("auroc_change", "recall_change")},
            "list_kept": 1.0,
            "found_kept": 1.0 if base else None,
        }
        for group, places in columns.items()
        if group not in others
    ]
    return _finding(name, what, table, still)


def _finding(
    name: str, what: str, table: list[dict[str, Any]], still: list[dict[str, Any]]
) -> Check:
    """What is lost without those of `table`, the worst first; without those of `still` nothing."""
    worst = table[0]
    change, kept = worst["auroc_change"], worst["found_kept"]
    heavy = [row for row in table if row["found_kept"] is not None and row["found_kept"] < HALF]
    verdict = LOOK if heavy else FINE
    told = (
        f"With one {what} hidden at a time (the same model, its signals unknown), the most is lost "
        f"without {worst[what]}: AUROC {span(change, 3, sign=True)}"
    )
    share = "" if kept is None else f", {kept:.0%} as many outcomes found at capacity"
    more = (
        f" Without {', '.join(str(row[what]) for row in heavy)} less than half would be found."
        if heavy
        else ""
    )
    rest = f" Without the others ({len(still)}), one at a time, no score changes." if still else ""
    return Check(name, HONESTY, f"{told}{share}.{more}{rest}", verdict, change, [*table, *still])


def _scores(hearing: Hearing, columns: tuple[int, ...]) -> Floats:
    def without(values: Floats) -> Floats:
        values = values.copy()
        values[:, np.array(columns, dtype=np.intp)] = np.nan
        return hearing.model.raw(values, hearing.model.names)

    return in_blocks(without, hearing.prepared.test.values, hearing.chosen)


def _found(hearing: Hearing, scores: Floats) -> float:
    """Outcomes on the lists that these scores would make."""
    return sum(
        Ranking(scores[at], hearing.labels[at]).found_in_top(hearing.a_month)
        for at in hearing.months
    )


def _kept(hearing: Hearing, scores: Floats) -> float:
    """Which share of the model's list these scores would list too."""
    listed = hearing.listed.astype(np.float64)
    both = sum(
        Ranking(scores[at], listed[at]).found_in_top(listed[at].sum()) for at in hearing.months
    )
    return both / float(listed.sum())
