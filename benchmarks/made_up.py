"""A made-up history of any size, straight as the tables a history holds in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from riskflag import clock
from riskflag.history.arrays import encode
from riskflag.history.schema import ATTRIBUTES
from riskflag.history.store.view import History

AS_OF = dt.date(2026, 1, 1)
YEARS = 5
KNOWN_LATE = 0.4
REPLACED = 0.05
#: Types with a quantity come first.
MEASURED = ("school.absence", "school.suspension", "hospital.admission", "dental.treatment")
TYPES = (
    *MEASURED,
    "ed.attendance",
    "missing.episode",
    "police.da_incident",
    "police.child_concern",
    "care.contact",
    "care.visit",
    "health.appointment",
    "school.bullying",
)


@dataclass(frozen=True)
class Size:
    """How much to make up."""

    children: int
    contacts: int
    seed: int = 20260101


SIZES = {
    "S": Size(20_000, 400_000),
    "M": Size(200_000, 5_000_000),
    "L": Size(1_000_000, 30_000_000),
}
#: Children in a part of a stored view, at least and at most, and how many parts are aimed at
#: between: some for each core, so that none of them idles while the last parts are worked on.
SMALLEST, LARGEST, PARTS = 1_250, 20_000, 32


def parts(size: Size) -> Iterator[History]:
    """The same kind of history, a part of the children at a time, so that any size can be made."""
    step = min(max(-(-size.children // PARTS), SMALLEST), LARGEST)
    for first in range(0, size.children, step):
        children = min(step, size.children - first)
        contacts = size.contacts * children // size.children
        yield history(Size(children, contacts, size.seed + first), first)


def history(size: Size, first: int = 0) -> History:
    """Contacts of twelve types over five years; few children have many, most have few.

    40% are known 1 to 120 days after they occurred and 5% are replaced by a later version. Children
    are numbered from `first`.
    """
    make = np.random.default_rng(size.seed)
    end = clock.day_number(AS_OF) + 30
    person = _heavy_tailed(make, size)
    occurred = make.integers(end - YEARS * 365, end, size.contacts).astype(np.int32)
    order = np.lexsort((occurred, person))
    person, occurred = person[order], occurred[order]
    late = make.random(size.contacts) < KNOWN_LATE
    known = occurred + np.where(late, make.integers(1, 121, size.contacts), 0)
    replaced = make.random(size.contacts) < REPLACED
    until = np.where(replaced, known + make.integers(1, 400, size.contacts), clock.NEVER)
    kind = make.choice(len(TYPES), size.contacts, p=_shares()).astype(np.int32)
    quantity = make.integers(1, 20, size.contacts).astype(np.float64)
    without = (kind >= len(MEASURED)) | (make.random(size.contacts) < 0.1)
    names = pa.array([f"child-{first + number:08d}" for number in range(size.children)])
    nothing = pa.DictionaryArray.from_arrays(
        pa.nulls(size.contacts, pa.int32()), pa.array([], pa.string())
    )
    contacts = {
        "person_id": _encoded(person, names),
        "type": _encoded(kind, pa.array(TYPES)),
        "agency": _encoded(kind % 4, pa.array(["school", "hospital", "police", "social_care"])),
        "link": _encoded(np.zeros(size.contacts, np.int32), pa.array(["self"])),
        "occurred_day": pa.array(occurred),
        "known_day": pa.array(known.astype(np.int32)),
        "superseded_day": pa.array(until.astype(np.int32)),
        **dict.fromkeys(ATTRIBUTES, nothing),
        "quantity": pa.array(quantity, mask=without),
    }
    empty = History.of(pa.table({}))
    return History(pa.table(contacts), empty.persons, empty.relationships, empty.coverage)


def _heavy_tailed(make: np.random.Generator, size: Size) -> np.ndarray:
    """Whose each contact is: a child's share follows a lognormal law."""
    weight = make.lognormal(0.0, 1.2, size.children)
    return make.choice(size.children, size.contacts, p=weight / weight.sum()).astype(np.int32)


def _shares() -> np.ndarray:
    share: np.ndarray = 1 / np.arange(2, len(TYPES) + 2)
    return np.asarray(share / share.sum())


def _encoded(codes: np.ndarray, names: pa.Array) -> pa.DictionaryArray:
    """As a history's own texts are: only what occurs, in order."""
    return encode(pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), names))
