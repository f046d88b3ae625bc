"""Contacts of other people that reach a child through a dated relationship."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

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
from riskflag.history.versions import asserted, superseded_days

_EARLIEST, _LATEST = -NEVER, NEVER


def relationship_view(raw: pa.Table) -> pa.Table:
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
    return in_order_of(view, view.column_names)


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
