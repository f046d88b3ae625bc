"""Contacts of other people that reach a child through a dated relationship."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.clock import NEVER
from riskflag.history.arrays import (
    Ints,
    day_numbers,
    encode,
    group_starts,
    in_order_of,
    numbers,
    one,
    ranks,
    spans,
)
from riskflag.history.store.matches import Pieces, spread
from riskflag.history.store.versions import asserted, superseded_days

_EARLIEST, _LATEST = -NEVER, NEVER
#: A person related to a child in two ways reaches the child by the first of these.
CLOSEST_FIRST = ("mother", "parent", "carer", "sibling", "household_adult")

Interval = tuple[int, int]


def relationship_view(raw: pa.Table, roots: Pieces | None = None) -> pa.Table:
    """Resolved relationships as intervals of validity and of knowledge, in canonical order."""
    superseded = superseded_days(raw, "relationship_key")
    known = numbers(raw.column("known_on"), NEVER)
    linked = np.asarray(one(raw.column("person_id")).is_valid())
    linked &= np.asarray(one(raw.column("related_id")).is_valid())
    rows = np.flatnonzero(asserted(raw) & linked & (known < superseded))
    part = raw.take(pa.array(rows))
    view = pa.table(
        {
            "person_id": encode(part.column("person_id")),
            "related_id": encode(part.column("related_id")),
            "kind": encode(part.column("kind")),
            "valid_from_day": day_numbers(part.column("valid_from")),
            "valid_to_day": day_numbers(part.column("valid_to")),
            "known_day": day_numbers(part.column("known_on")),
            "superseded_day": pa.array(superseded[rows], pa.int32()),
            "source": encode(part.column("source")),
        }
    )
    view = _between_people(view, roots) if roots else view
    return in_order_of(_closest_only(view), view.column_names)


def _between_people(view: pa.Table, roots: Pieces) -> pa.Table:
    """The relationships between whoever the two ids were on each day; nobody is their own."""
    for name in ("person_id", "related_id"):
        view = spread(view, (name,), roots)
    two = pc.not_equal(
        *(one(view.column(name)).cast(pa.string()) for name in ("person_id", "related_id"))
    )
    view = view.filter(two).unify_dictionaries().combine_chunks()
    for name in ("person_id", "related_id", "kind", "source"):
        place = view.schema.get_field_index(name)
        view = view.set_column(place, name, encode(view.column(name)))
    return view


def _closest_only(view: pa.Table) -> pa.Table:
    """Cut from a wider relationship the days on which a closer one to the same person was known.

    A mother who is also an adult of the household is one person: her contacts count once. Where
    the closer relationship was valid for a shorter time than the wider one, both stay.
    """
    pairs: dict[tuple[str, str], list[int]] = {}
    names = zip(
        *(view.column(name).to_pylist() for name in ("person_id", "related_id")), strict=True
    )
    for row, pair in enumerate(names):
        pairs.setdefault(pair, []).append(row)
    several = [rows for rows in pairs.values() if len(rows) > 1]
    if not several:
        return view
    pieces = {row: pieces for rows in several for row, pieces in _pieces(view, rows)}
    known, superseded = numbers(view.column("known_day"), NEVER), view.column("superseded_day")
    kept = [
        (row, *interval)
        for row, whole in enumerate(zip(known.tolist(), superseded.to_pylist(), strict=True))
        for interval in pieces.get(row, [whole])
    ]
    rows, begins, ends = (list(column) for column in zip(*kept, strict=True))
    cut = view.take(pa.array(rows))
    for name, days in (("known_day", begins), ("superseded_day", ends)):
        cut = cut.set_column(cut.schema.get_field_index(name), name, pa.array(days, pa.int32()))
    return cut


def _pieces(view: pa.Table, rows: list[int]) -> list[tuple[int, list[Interval]]]:
    """What is left of each relationship of one pair of people, the closest taken first."""
    facts = view.take(pa.array(rows)).to_pylist()
    found: list[tuple[int, list[Interval]]] = []
    for row, fact in zip(rows, facts, strict=True):
        left = [(fact["known_day"], fact["superseded_day"])]
        for other in facts:
            if _closer(other["kind"], fact["kind"]) and _covers(other, fact):
                taken = (other["known_day"], other["superseded_day"])
                left = [piece for whole in left for piece in _without(whole, taken)]
        found.append((row, left))
    return found


def _closer(kind: str, than: str) -> bool:
    return CLOSEST_FIRST.index(kind) < CLOSEST_FIRST.index(than)


def _covers(closer: dict[str, Any], wider: dict[str, Any]) -> bool:
    """Whether the closer relationship was valid on every day the wider one was."""
    begins = closer["valid_from_day"] is None or (
        wider["valid_from_day"] is not None and closer["valid_from_day"] <= wider["valid_from_day"]
    )
    ends = closer["valid_to_day"] is None or (
        wider["valid_to_day"] is not None and closer["valid_to_day"] >= wider["valid_to_day"]
    )
    return begins and ends


def _without(whole: Interval, taken: Interval) -> list[Interval]:
    """What is left of the days (begin, end] when others are taken out of them."""
    parts = [(whole[0], min(whole[1], taken[0])), (max(whole[0], taken[1]), whole[1])]
    return [(begin, end) for begin, end in parts if begin < end]


def linked_contacts(own: pa.Table, person: Ints, relationships: pa.Table) -> pa.Table:
    """The rows of `own` as they reach each child through `relationships`.

    `own` is sorted by person; `person` are its person codes and `relationships` carries the
    columns `child_code` and `related_code` in the same codes. A linked row is known when both the
    contact and the link are, holds while both do, and counts only if it occurred while the
    relationship was valid.
    """
    child = numbers(relationships.column("child_code"), -1)
    related = numbers(relationships.column("related_code"), -1)
    rows, link = spans(
        np.searchsorted(person, related, "left"), np.searchsorted(person, related, "right")
    )
    occurred = numbers(own.column("occurred_day"), 0)[rows]
    begins = numbers(relationships.column("valid_from_day"), _EARLIEST)[link]
    ends = numbers(relationships.column("valid_to_day"), _LATEST)[link]
    known = np.maximum(
        numbers(own.column("known_day"), NEVER)[rows],
        numbers(relationships.column("known_day"), NEVER)[link],
    )
    superseded = np.minimum(
        numbers(own.column("superseded_day"), NEVER)[rows],
        numbers(relationships.column("superseded_day"), NEVER)[link],
    )
    keep = (occurred >= begins) & (occurred <= ends) & (known < superseded)
    keep &= child[link] != person[rows]
    rows, link, known, superseded = rows[keep], link[keep], known[keep], superseded[keep]
    kind = one(relationships.column("kind")).take(pa.array(link))
    order, known = _without_overlap(rows, child[link], ranks(kind), known, superseded)
    table = own.take(pa.array(rows[order]))
    columns = {
        "known_day": pa.array(known, pa.int32()),
        "superseded_day": pa.array(superseded[order], pa.int32()),
        "link": kind.take(pa.array(order)),
    }
    for name, column in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table.append_column("child_code", pa.array(child[link][order], pa.int64()))


def _without_overlap(
    rows: Ints, child: Ints, kind: Ints, known: Ints, superseded: Ints
) -> tuple[Ints, Ints]:
    """Rows to keep and their known days, so that no night sees one contact twice.

    Two sources may both say who the mother is: the contact then reaches the child once, from the
    day the first of them was known, without a gap or an overlap.
    """
    order = np.lexsort((superseded, known, kind, child, rows))
    begins, ends = known[order].copy(), superseded[order]
    same = ~group_starts(rows[order], child[order], kind[order])
    if same.any():
        group = np.cumsum(~same)
        reach = np.maximum.accumulate(group * (4 * NEVER) + ends) - group * (4 * NEVER)
        begins[1:] = np.where(same[1:], np.maximum(begins[1:], reach[:-1]), begins[1:])
    keep = begins < ends
    return order[keep], begins[keep]
