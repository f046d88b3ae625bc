"""The text of a LightGBM model, walked by hand: a second opinion on every score.

Only what our models use is understood: numeric splits, unknown as NaN, no linear leaves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

CATEGORICAL, DEFAULT_LEFT, NAN_IS_MISSING = 1, 2, 8


@dataclass(frozen=True)
class Tree:
    feature: list[int]
    threshold: list[float]
    kind: list[int]
    left: list[int]
    right: list[int]
    value: list[float]

    def leaf(self, row: list[float]) -> int:
        node = 0 if self.feature else -1
        while node >= 0:
            node = self.left[node] if self._goes_left(node, row) else self.right[node]
        return ~node

    def _goes_left(self, node: int, row: list[float]) -> bool:
        value, kind = row[self.feature[node]], self.kind[node]
        assert not kind & CATEGORICAL
        if math.isnan(value):
            if kind & NAN_IS_MISSING:
                return bool(kind & DEFAULT_LEFT)
            value = 0.0
        return value <= self.threshold[node]


def trees(text: str) -> list[Tree]:
    """Every tree of a model's text."""
    blocks = text.split("\nend of trees", maxsplit=1)[0].split("\nTree=")[1:]
    return [_tree(block) for block in blocks]


def _tree(block: str) -> Tree:
    entries = dict(line.split("=", 1) for line in block.splitlines()[1:] if "=" in line)

    def numbers(name: str) -> list[float]:
        return [float(part) for part in entries.get(name, "").split()]

    def whole(name: str) -> list[int]:
        return [int(part) for part in entries.get(name, "").split()]

    assert entries.get("is_linear", "0") == "0"
    return Tree(
        whole("split_feature"),
        numbers("threshold"),
        whole("decision_type"),
        whole("left_child"),
        whole("right_child"),
        numbers("leaf_value"),
    )


def raw(forest: list[Tree], row: list[float]) -> float:
    """The raw score of one row."""
    return math.fsum(tree.value[tree.leaf(row)] for tree in forest)
