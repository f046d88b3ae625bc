"""Families: who is drawn together in a bootstrap, because what happens to one tells of another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from riskflag.training.data.rows import Ints, Past

#: Relationships that make two people one family.
KIN = frozenset({"mother", "parent", "sibling"})


def families(history: Past, ids: Sequence[str]) -> Ints:
    """The family of each person of `ids` as a number (int64 [n]); alone, a family of one.

    Whoever is linked as mother, parent or sibling at any time is of one family, and so are their
    links in turn. Intervals need whom to draw together, not what was known when.
    """
    place = {person: position for position, person in enumerate(ids)}
    head = list(range(len(ids)))
    table = history.relationships
    outside: dict[str, int] = {}
    for child, other, kind in zip(
        table["person_id"].to_pylist(),
        table["related_id"].to_pylist(),
        table["kind"].to_pylist(),
        strict=True,
    ):
        if kind not in KIN or child not in place:
            continue
        # A mother is often not among the children asked about: the first child stands for her.
        first = place.get(other, outside.setdefault(other, place[child]))
        a, b = _head(head, place[child]), _head(head, first)
        head[max(a, b)] = min(a, b)
    return np.array([_head(head, position) for position in range(len(ids))], dtype=np.int64)


def grouped(ids: Sequence[str], persons: Sequence[str], groups: Sequence[str]) -> Ints:
    """The family of each of `ids` by a table's own column; who is not in it is alone."""
    named = dict(zip(persons, groups, strict=True))
    number = {group: place for place, group in enumerate(sorted(set(groups)))}
    alone = len(number)
    return np.array(
        [number[named[one]] if one in named else alone + place for place, one in enumerate(ids)],
        dtype=np.int64,
    )


def _head(head: list[int], place: int) -> int:
    while head[place] != place:
        head[place] = head[head[place]]
        place = head[place]
    return place
