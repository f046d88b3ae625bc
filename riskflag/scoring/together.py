"""Contributions of many rows at once: rows that go the same way through a tree are worked out once.

LightGBM works out each row on its own, in two milliseconds. What a leaf adds to each signal depends
on nothing but which splits on the way to it a row would have taken, and of ten thousand rows most
share that with hundreds of others. The steps are those of LightGBM's own `TreeSHAP`, in its order,
so that every bit is the same; its names are kept here.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from riskflag.signals.compiler import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: So many rows are taken at a time: what is added up for them stays near a processor.
AT_ONCE = 2_000
#: Bits of a split's `decision_type`: the side of what is missing, and that NaN is missing.
DEFAULT_LEFT, NAN_IS_MISSING = 2, 8


class Forest(NamedTuple):
    """All trees of a model: a tree's splits and leaves begin where `splits` and `leaves` say.

    Fields as in the model's text; a child below zero is a leaf.
    """

    splits: Ints
    leaves: Ints
    split_feature: Ints
    threshold: Floats
    decision_type: Ints
    left_child: Ints
    right_child: Ints
    internal_count: Ints
    leaf_value: Floats
    leaf_count: Ints
    depth: int


class _Work(NamedTuple):
    """Some rows, what is added up for them (`phi`), and one thread's working memory.

    `order` puts rows that go the same way side by side. `feature`, `zero`, `one` and `weight` are
    the ways at each depth; `steps` and `fractions` what is still to be visited.
    """

    matrix: Floats
    phi: Floats
    order: Ints

    feature: Ints
    zero: Floats
    one: Floats
    weight: Floats
    steps: Ints
    fractions: Floats


def read_forest(text: str) -> Forest:
    """The trees of a model's text, which was checked before (riskflag.scoring.model_text).

    A tree that is one leaf adds nothing to any signal and is left out.
    """
    blocks = text.partition("\nend of trees")[0].split("\nTree=")[1:]
    trees = [dict(line.split("=", 1) for line in one.split("\n") if "=" in line) for one in blocks]
    trees = [one for one in trees if int(one["num_leaves"]) > 1]
    sizes = np.array([int(one["num_leaves"]) for one in trees], np.int64)

    def numbers(name: str, kind: type) -> NDArray[np.generic]:
        return np.array([kind(word) for one in trees for word in one[name].split(" ")])

    def wholes(name: str) -> Ints:
        return numbers(name, int).astype(np.int64)

    def floats(name: str) -> Floats:
        return numbers(name, float).astype(np.float64)

    splits, leaves = _starts(sizes - 1), _starts(sizes)
    left, right = wholes("left_child"), wholes("right_child")
    return Forest(
        splits,
        leaves,
        wholes("split_feature"),
        floats("threshold"),
        wholes("decision_type"),
        left,
        right,
        wholes("internal_count"),
        floats("leaf_value"),
        wholes("leaf_count"),
        _depth(splits, left, right),
    )


def contributions(forest: Forest, matrix: Floats, *, threads: int = 1) -> Floats:
    """What each column added to each row's raw score, float64 [n, k]."""
    found = np.zeros(matrix.shape)

    def work(first: int) -> None:
        some = slice(first, first + AT_ONCE)
        _all_trees(forest, _work(matrix[some], found[some], forest.depth))

    blocks = range(0, len(matrix), AT_ONCE)
    if len(blocks) < 2 or threads < 2:
        list(map(work, blocks))
        return found
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, blocks))
    return found


def _starts(sizes: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _depth(splits: Ints, left: Ints, right: Ints) -> int:
    """The most splits on the way to any leaf."""
    deep = np.ones(len(left), np.int64)
    for first, last in zip(splits[:-1].tolist(), splits[1:].tolist(), strict=True):
        for node in range(first, last):  # a later split has a higher number
            for child in (left[node], right[node]):
                if child >= 0:
                    deep[first + child] = deep[node] + 1
    return int(deep.max(initial=1))


def _work(matrix: Floats, phi: Floats, depth: int) -> _Work:
    ways, most = (depth + 1, depth + 2), 4 * (depth + 2)
    return _Work(
        matrix,
        phi,
        np.arange(len(matrix)),
        np.empty(ways, np.int64),
        np.empty(ways),
        np.empty(ways),
        np.empty(ways),
        np.empty((most, 6), np.int64),
        np.empty((most, 2)),
    )


@compiled
def _all_trees(forest: Forest, work: _Work) -> None:
    for tree in range(len(forest.splits) - 1):
        _one_tree(forest, tree, work)


@compiled
def _one_tree(forest: Forest, tree: int, work: _Work) -> None:
    """Add what one tree gives; each row meets the leaves in the order in which it would alone."""
    splits, leaves = forest.splits[tree], forest.leaves[tree]
    steps, fractions = work.steps, work.fractions
    _push(work, 0, (0, 0, 0, -1, 0, len(work.order)), 1.0, 1.0)
    size = 1
    while size:
        size -= 1
        node, level, depth, feature, first, last = steps[size]
        _extend(work, level, depth, feature, fractions[size])
        if node < 0:
            value = forest.leaf_value[leaves + ~node]
            _at_leaf(work, level, depth, value, (first, last))
            continue
        split = splits + node
        left, right = forest.left_child[split], forest.right_child[split]
        feature, whole = forest.split_feature[split], forest.internal_count[split]
        middle = _parted(forest, split, work, first, last)
        zero, one, depth = _undone(work, level, depth, feature)
        to_left = _count(forest, tree, left) / whole * zero
        to_right = _count(forest, tree, right) / whole * zero
        # The last put here is visited first: the way a row goes, then the way it does not go.
        if middle < last:
            step = (left, level + 1, depth + 1, feature, middle, last)
            size = _push(work, size, step, to_left, 0.0)
        if first < middle:
            step = (right, level + 1, depth + 1, feature, first, middle)
            size = _push(work, size, step, to_right, 0.0)
        if middle < last:
            step = (right, level + 1, depth + 1, feature, middle, last)
            size = _push(work, size, step, to_right, one)
        if first < middle:
            step = (left, level + 1, depth + 1, feature, first, middle)
            size = _push(work, size, step, to_left, one)


@compiled
def _push(
    work: _Work, size: int, step: tuple[int, int, int, int, int, int], zero: float, one: float
) -> int:
    for place in range(6):
        work.steps[size, place] = step[place]
    work.fractions[size, 0] = zero
    work.fractions[size, 1] = one
    return size + 1


@compiled
def _count(forest: Forest, tree: int, node: int) -> int:
    if node < 0:
        return int(forest.leaf_count[forest.leaves[tree] + ~node])
    return int(forest.internal_count[forest.splits[tree] + node])


@compiled
def _parted(forest: Forest, split: int, work: _Work, first: int, last: int) -> int:
    """Put the rows that go left before those that go right; where these begin."""
    matrix, rows = work.matrix, work.order
    feature, threshold = forest.split_feature[split], forest.threshold[split]
    kind = forest.decision_type[split]
    while first < last:
        value = matrix[rows[first], feature]
        if not np.isnan(value):
            left = value <= threshold
        elif kind & NAN_IS_MISSING:
            left = bool(kind & DEFAULT_LEFT)
        else:
            left = threshold >= 0.0
        if left:
            first += 1
        else:
            last -= 1
            rows[first], rows[last] = rows[last], rows[first]
    return first


@compiled
def _extend(work: _Work, level: int, depth: int, feature: int, fractions: Floats) -> None:
    """`ExtendPath`, of a copy of the way that led here."""
    zero, one = fractions
    weight = work.weight[level]
    for i in range(depth):
        work.feature[level, i] = work.feature[level - 1, i]
        work.zero[level, i] = work.zero[level - 1, i]
        work.one[level, i] = work.one[level - 1, i]
        weight[i] = work.weight[level - 1, i]
    work.feature[level, depth] = feature
    work.zero[level, depth] = zero
    work.one[level, depth] = one
    weight[depth] = 1.0 if depth == 0 else 0.0
    for i in range(depth - 1, -1, -1):
        weight[i + 1] += one * weight[i] * (i + 1) / float(depth + 1)
        weight[i] = zero * weight[i] * (depth - i) / float(depth + 1)


@compiled
def _undone(work: _Work, level: int, depth: int, feature: int) -> tuple[float, float, int]:
    """`UnwindPath` when the signal was split on before: its fractions, and the depth without it."""
    place = 0
    while place <= depth and work.feature[level, place] != feature:
        place += 1
    if place > depth:
        return 1.0, 1.0, depth
    zero, one, weight = work.zero[level, place], work.one[level, place], work.weight[level]
    portion = weight[depth]
    for i in range(depth - 1, -1, -1):
        if one != 0:
            before = weight[i]
            weight[i] = portion * (depth + 1) / ((i + 1) * one)
            portion = before - weight[i] * zero * (depth - i) / float(depth + 1)
        else:
            weight[i] = (weight[i] * (depth + 1)) / (zero * (depth - i))
    for i in range(place, depth):
        work.feature[level, i] = work.feature[level, i + 1]
        work.zero[level, i] = work.zero[level, i + 1]
        work.one[level, i] = work.one[level, i + 1]
    return zero, one, depth - 1


@compiled
def _at_leaf(work: _Work, level: int, depth: int, value: float, group: tuple[int, int]) -> None:
    """`UnwoundPathSum` of each signal on the way, added to all rows that come here like this."""
    weight = work.weight[level]
    for place in range(1, depth + 1):
        zero, one = work.zero[level, place], work.one[level, place]
        portion, total = weight[depth], 0.0
        for i in range(depth - 1, -1, -1):
            if one != 0:
                part = portion * (depth + 1) / ((i + 1) * one)
                total += part
                portion = weight[i] - part * zero * ((depth - i) / float(depth + 1))
            else:
                total += (weight[i] / zero) / ((depth - i) / float(depth + 1))
        added = total * (one - zero) * value
        feature = work.feature[level, place]
        for number in range(group[0], group[1]):
            work.phi[work.order[number], feature] += added
