"""What a line of its own for every group would cost: whom the list would gain and lose.

One line for all lists whoever scores highest. Lines by group could make the share of missed cases
equal. Told is what that would mean at the same capacity, and how much more capacity it would take
to miss no group more often than the one that is missed least today. It is arithmetic, not advice:
in the United Kingdom a line of its own for a protected group needs a lawyer's opinion first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.training.checks.fairness import Frame
from riskflag.training.checks.groups import Groups
from riskflag.training.checks.hearing import Hearing
from riskflag.training.figures.checks import FAIRNESS, NOT_KNOWN, Check

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Lines:
    """How long each group's list must be to find a share of its outcomes, all months together.

    `ends[g][i]` is the place in the group's own ranking of its outcome number i + 1.
    """

    ends: tuple[NDArray[np.int64], ...]

    @classmethod
    def of(cls, scores: Floats, labels: Floats, code: NDArray[np.int64], groups: int) -> Lines:
        """Rank each group by itself."""
        ends = []
        for group in range(groups):
            at = np.flatnonzero(code == group)
            order = at[np.argsort(-scores[at], kind="stable")]
            ends.append(np.flatnonzero(labels[order] > 0) + 1)
        return cls(tuple(ends))

    def lengths(self, share: float) -> NDArray[np.int64]:
        """The list of each group that finds this share of its outcomes."""
        return np.array(
            [
                one[min(int(np.ceil(share * len(one))), len(one)) - 1]
                if len(one) and share > 0
                else 0
                for one in self.ends
            ],
            dtype=np.int64,
        )

    def equal_share(self, capacity: int) -> float:
        """The largest share found in every group alike with lists of `capacity` rows in all."""
        shares = np.unique(
            np.concatenate([np.arange(len(one) + 1) / max(len(one), 1) for one in self.ends])
        )
        low, high = 0, len(shares) - 1
        while low < high:
            middle = (low + high + 1) // 2
            if self.lengths(float(shares[middle])).sum() <= capacity:
                low = middle
            else:
                high = middle - 1
        return float(shares[low])


def checks(hearing: Hearing, groups: tuple[Groups, ...]) -> list[Check]:
    """One check for every kind of group but the intersections."""
    return [of_kind(Frame(hearing, kind).shown()) for kind in groups if " and " not in kind.kind]


def of_kind(frame: Frame) -> Check:
    """The cost of lines by group, for one kind; nothing is judged here, so it is never "look"."""
    hearing, groups = frame.hearing, frame.groups
    name = f"cost_of_lines_by_{groups.slug}"
    told = frame.enough["missed"]
    if told.sum() < 2:
        lacking = (
            f"Lines by {groups.kind}: too few outcomes in all groups but one to tell the cost."
        )
        return Check(name, FAIRNESS, lacking, NOT_KNOWN)
    shown = told[groups.code]
    code, labels = groups.code[shown], hearing.labels[shown]
    listed = hearing.listed[shown]
    lines = Lines.of(hearing.raw[shown], labels, code, len(groups.names))
    now = np.bincount(code, listed, minlength=len(groups.names))
    found = np.bincount(code, listed * labels, minlength=len(groups.names))
    came = np.bincount(code, labels, minlength=len(groups.names))
    months = len(hearing.months)
    scale = hearing.capacity / max(hearing.a_month, 1e-9) / months
    share = lines.equal_share(int(now.sum()))
    equal = lines.lengths(share)
    best = float(np.max(found[told] / came[told]))
    more = float((lines.lengths(best).sum() - now.sum()) * scale)
    lost = float((found.sum() - share * came.sum()) * scale)
    table: list[dict[str, Any]] = [
        {
            "group": groups.names[place],
            "listed_a_month": float(now[place] * scale),
            "with_lines_by_group": float(equal[place] * scale),
            "found_now": float(found[place] / came[place]),
            "found_then": share,
        }
        for place in np.flatnonzero(told)
    ]
    return Check(name, FAIRNESS, _sentence(groups.kind, table, lost, more), table=table)


def _sentence(kind: str, table: list[dict[str, Any]], lost: float, more: float) -> str:
    gains = sorted(table, key=lambda row: row["listed_a_month"] - row["with_lines_by_group"])
    top, end = gains[0], gains[-1]
    moved = [row["with_lines_by_group"] - row["listed_a_month"] for row in (top, end)]
    if max(moved) < 0.5:
        return f"Lines by {kind} at the same capacity would move fewer than one child a month."
    return (
        f"Lines by {kind} that miss every group equally often would, at the same capacity, list "
        f"{moved[0]:.0f} more children a month of {top['group']} and {-moved[1]:.0f} fewer of "
        f"{end['group']}, and find {abs(lost):.1f} {'fewer' if lost >= 0 else 'more'} outcomes a "
        f"month. To miss no group more often than the one missed least today takes {more:.0f} more "
        "places a month."
    )
