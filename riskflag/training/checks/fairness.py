"""Is the list as good for one group as for another? Errors, level and length of the list by group.

Rates are fairlearn's MetricFrame; intervals are drawn by family. A group of fewer than ten children
is told together with the next smallest, and a rate that rests on fewer than ten is not told at all.
With many groups some differ by chance, so a gap counts as clear only beyond what the largest of so
many chance gaps would reach.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.casework.small_numbers import FEWEST, hidden
from riskflag.training.checks.groups import AGE, SMALL, Groups
from riskflag.training.checks.hearing import Hearing
from riskflag.training.data.rows import Ints
from riskflag.training.figures.checks import FAIRNESS, FINE, LOOK, NOT_KNOWN, Check
from riskflag.training.figures.intervals import Figure, span, with_interval

Floats = NDArray[np.float64]

#: A clear gap smaller than this is told but needs no look: missed cases as a share of 1, false
#: alarms (rare everywhere) and the level as a factor.
GAP, FACTOR = 0.05, 1.25
FACTORS = ("false_alarms", "foretold_over_observed")
RATES = ("list_rate", "missed", "false_alarms", "precision", "foretold_over_observed")
#: The rates of which a check is made, in words, and the kind of gap: taken away or divided.
ASKED = {
    "missed": "missed cases",
    "false_alarms": "false alarms",
    "foretold_over_observed": "level of the probabilities",
}


@dataclass(frozen=True)
class Frame:
    """The listed rows, labels and probabilities of some groups, small ones told together."""

    hearing: Hearing
    groups: Groups

    @cached_property
    def children(self) -> Ints:
        """Children of each group."""
        pairs = np.unique(np.column_stack([self.groups.code, self.hearing.rows.person]), axis=0)
        return np.bincount(pairs[:, 0], minlength=len(self.groups.names))

    def shown(self) -> Frame:
        """The same with groups of fewer than FEWEST children told together."""
        small = hidden(self.children.tolist(), parts_of_a_whole=True)
        if not small:
            return self
        texts = np.array(self.groups.names, dtype=object)
        texts[sorted(small)] = SMALL
        return Frame(self.hearing, Groups.of(self.groups.kind, texts[self.groups.code]))

    def rates(self, weights: Floats) -> dict[str, Floats]:
        """Each of RATES for every group (float64 [groups]), NaN where it rests on nothing."""
        return _rates(self._sums(weights))

    def gaps(self, weights: Floats) -> dict[str, Floats]:
        """Each group's rate less that of all others; of FACTORS the logarithm of their ratio."""
        mine = self._sums(weights)
        rest = {key: one.sum() - one for key, one in mine.items()}
        ours, theirs = _rates(mine), _rates(rest)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = {name: np.log(ours[name]) - np.log(theirs[name]) for name in FACTORS}
        return {"missed": ours["missed"] - theirs["missed"], **ratios}

    def _sums(self, weights: Floats) -> dict[str, Floats]:
        hearing, size = self.hearing, len(self.groups.names)
        listed, labels = hearing.listed.astype(np.float64), hearing.labels
        columns = {
            "rows": np.ones(len(labels)),
            "listed": listed,
            "came": labels,
            "found": listed * labels,
            "foretold": hearing.probability,
        }
        return {
            key: np.bincount(self.groups.code, weights * column, size).astype(np.float64)
            for key, column in columns.items()
        }

    @cached_property
    def enough(self) -> dict[str, NDArray[np.bool_]]:
        """Whether each rate of each group rests on at least FEWEST children."""
        hearing = self.hearing
        came = self._with_outcome
        listed = self._children_where(hearing.listed)
        everybody = self.children >= FEWEST
        return {
            "list_rate": everybody,
            "missed": came >= FEWEST,
            "false_alarms": everybody,
            "precision": listed >= FEWEST,
            "foretold_over_observed": came >= FEWEST,
        }

    def least_spread(self, rate: str) -> Floats:
        """What a share of so few children varies by at least, were all groups served alike.

        Where by chance all or none of a few are missed, draws of them do not differ, and a
        difference to the others would look certain.
        """
        if rate in FACTORS:
            return np.zeros(len(self.groups.names))
        hearing = self.hearing
        missed = float(np.mean(~hearing.listed[hearing.labels > 0]))
        n = np.maximum(self._with_outcome, 1)
        return np.asarray(np.sqrt(missed * (1 - missed) / n), dtype=np.float64)

    def comparable(self, rate: str) -> NDArray[np.bool_]:
        """Whether each group's rate rests on enough to be compared: a ratio needs false alarms."""
        if rate != "false_alarms":
            return self.enough[rate]
        false = self.hearing.listed & (self.hearing.labels == 0)
        return self._children_where(false) >= FEWEST

    @cached_property
    def _with_outcome(self) -> Ints:
        return self._children_where(self.hearing.labels > 0)

    def _children_where(self, chosen: NDArray[np.bool_]) -> Ints:
        at = np.flatnonzero(chosen)
        pairs = np.unique(
            np.column_stack([self.groups.code[at], self.hearing.rows.person[at]]), axis=0
        )
        return np.bincount(pairs[:, 0].astype(np.int64), minlength=len(self.groups.names))


def _rates(sums: Mapping[str, Floats]) -> dict[str, Floats]:
    def share(top: Floats, below: Floats) -> Floats:
        return np.asarray(np.divide(top, below, np.full(len(top), np.nan), where=below > 0))

    missed, false = sums["came"] - sums["found"], sums["listed"] - sums["found"]
    return {
        "list_rate": share(sums["listed"], sums["rows"]),
        "missed": share(missed, sums["came"]),
        "false_alarms": share(false, sums["rows"] - sums["came"]),
        "precision": share(sums["found"], sums["listed"]),
        "foretold_over_observed": share(sums["foretold"], sums["came"]),
    }


def by_fairlearn(frame: Frame) -> dict[str, Floats]:
    """The same rates by fairlearn's MetricFrame, without weights: what the report's values are."""
    from fairlearn.metrics import (
        MetricFrame,
        false_negative_rate,
        false_positive_rate,
        selection_rate,
    )
    from sklearn.metrics import precision_score

    def precision(came: Floats, listed: Floats) -> float:
        return float(precision_score(came, listed, zero_division=np.nan))

    hearing = frame.hearing
    told = MetricFrame(
        metrics={
            "list_rate": selection_rate,
            "missed": false_negative_rate,
            "false_alarms": false_positive_rate,
            "precision": precision,
        },
        y_true=hearing.labels.astype(int),
        y_pred=hearing.listed.astype(int),
        sensitive_features=frame.groups.code,
    )
    level = MetricFrame(
        metrics=lambda came, foretold: foretold.sum() / came.sum() if came.sum() else np.nan,
        y_true=hearing.labels,
        y_pred=hearing.probability,
        sensitive_features=frame.groups.code,
    )
    columns = {name: told.by_group[name].to_numpy(dtype=np.float64) for name in RATES[:-1]}
    return {**columns, RATES[-1]: level.by_group.to_numpy(dtype=np.float64)}


def checks(hearing: Hearing, groups: tuple[Groups, ...]) -> list[Check]:
    """For every kind of group one check of each rate in ASKED; the first has the whole table."""
    if not groups:
        told = "The person records tell no groups apart, so fairness between them is not known."
        return [Check("groups", FAIRNESS, told, NOT_KNOWN)]
    found = []
    for number, kind in enumerate(groups):
        hearing.progress("errors by group", number, len(groups))
        found += of_kind(Frame(hearing, kind).shown())
    return found


def of_kind(frame: Frame) -> list[Check]:
    """The checks of one kind of group, the first with the table of all its rates."""
    first, *others = gap_checks(frame)
    drawn = _drawn(frame, frame.rates)
    table = _table(frame, by_fairlearn(frame), drawn)
    return [dataclasses.replace(first, table=table), *others]


def gap_checks(frame: Frame) -> list[Check]:
    """For each rate in ASKED the gap that stands out most."""
    gaps = frame.gaps(np.ones(len(frame.hearing.rows)))
    drawn = _drawn(frame, frame.gaps)
    return [_check(frame, rate, gaps[rate], drawn[rate]) for rate in ASKED]


def _drawn(frame: Frame, figures: Callable[[Floats], dict[str, Floats]]) -> dict[str, Floats]:
    """Figures of every draw by name (float64 [draws, groups])."""
    each = [figures(weights) for weights in frame.hearing.draws()]
    return {name: np.array([one[name] for one in each]) for name in each[0]}


def _table(
    frame: Frame, values: Mapping[str, Floats], drawn: Mapping[str, Floats]
) -> list[dict[str, Any]]:
    names, everybody = frame.groups.names, frame.children.sum()
    lists = np.bincount(frame.groups.code, frame.hearing.listed, minlength=len(names))
    told = []
    for place, name in enumerate(names):
        row: dict[str, Any] = {
            "group": name,
            "children": _rounded(int(frame.children[place])),
            "share_of_children": float(frame.children[place] / everybody),
            "share_of_list": float(lists[place] / max(lists.sum(), 1))
            if frame.enough["precision"][place]
            else None,
        }
        for rate in RATES:
            enough = bool(frame.enough[rate][place])
            value = float(values[rate][place]) if enough else float("nan")
            row[rate] = with_interval(value, drawn[rate][:, place].tolist() if enough else [])
        told.append(row)
    return told


def _rounded(children: int) -> int | None:
    return children if children >= FEWEST else None


def _check(frame: Frame, rate: str, gaps: Floats, drawn: Floats) -> Check:
    """The widest gap of a rate between a group and all others, and whether it is clear."""
    kind = frame.groups.kind
    name = f"{ASKED[rate].split(' of ')[0].replace(' ', '_')}_by_{frame.groups.slug}"
    told = frame.comparable(rate) & np.isfinite(gaps)
    if told.sum() < 2:
        lacking = f"By {kind}, {ASKED[rate]}: too few children in all groups but one to tell."
        return Check(name, FAIRNESS, lacking, NOT_KNOWN)
    spread = np.ma.masked_invalid(drawn).std(axis=0).filled(0.0)
    spread = np.maximum(spread, frame.least_spread(rate))
    score = np.where(told & (spread > 0), np.abs(gaps) / np.where(spread > 0, spread, 1), -1.0)
    place = int(np.argmax(score))
    figure = with_interval(float(gaps[place]), drawn[:, place].tolist())
    clear = score[place] > _beyond_chance(int(told.sum()))
    wide = abs(gaps[place]) > (np.log(FACTOR) if rate in FACTORS else GAP)
    sentence = _sentence(kind, frame.groups.names[place], rate, figure, clear=bool(clear))
    if (kind, rate) == (AGE, "false_alarms"):
        because = f"{sentence} The outcome itself differs by age, and age is an input on purpose."
        return Check(name, FAIRNESS, because, FINE, figure)
    return Check(name, FAIRNESS, sentence, LOOK if clear and wide else FINE, figure)


def _beyond_chance(groups: int) -> float:
    """How many standard deviations the largest chance gap of so many groups rarely exceeds.

    Each group is asked about by every rate in ASKED.
    """
    from scipy.stats import norm

    return float(norm.ppf(1 - 0.01 / (groups * len(ASKED))))


def _sentence(kind: str, group: str, rate: str, figure: Figure, *, clear: bool) -> str:
    if rate in FACTORS:
        factors = {key: None if v is None else float(np.exp(v)) for key, v in figure.items()}
        of = "as many as" if rate == "false_alarms" else "the level of"
        gap = f"{span(factors)} times {of} the others"
    else:
        gap = f"{span(figure, 0, by=100, sign=True)} in 100 against the others"
    what = "foretold against what came" if rate.startswith("foretold") else ASKED[rate]
    certain = "clear" if clear else "no clearer than chance among so many groups"
    return f"By {kind}, {what}: the group that stands out most is {group}, {gap}; {certain}."
