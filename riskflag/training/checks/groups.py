"""To which groups each row's child belonged, as recorded by that day: to judge, never to learn.

Read from the person records, never from signals. What no source had said by the as-of date is "not
recorded": a group of its own, because those of whom least is known may be served worst.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riskflag.casework.groups import NOT_RECORDED, main_group
from riskflag.training.data.cohort import UNKNOWN_BIRTH
from riskflag.training.data.reference import AGE_BANDS
from riskflag.training.data.rows import Ints, Past, Rows, integers

Texts = NDArray[np.object_]

SEX, ETHNICITY, DISABILITY, AGE = "sex", "ethnicity", "disability", "age"
#: Groups too small to be told apart.
SMALL = "smaller groups together"
#: The codes as recorded: main groups can hide that one people among them is served worse.
DETAIL = "ethnicity code"
#: Intersections that are told besides the kinds alone.
TOGETHER = ((SEX, ETHNICITY),)
#: Wide enough to put a person and a day into one number without overlap.
_DAYS, _SHIFT = 8_000_000, 3_000_000


@dataclass(frozen=True)
class Groups:
    """One kind of group: the names of its groups and which of them each row is in (int64 [n])."""

    kind: str
    names: tuple[str, ...]
    code: Ints

    @property
    def slug(self) -> str:
        """The kind as a part of a name."""
        return self.kind.replace(" ", "_")

    @classmethod
    def of(cls, kind: str, texts: Texts) -> Groups:
        """Number the groups: ages from the youngest on, others by name, the rest last."""
        names, code = np.unique(texts.astype(str), return_inverse=True)
        order = sorted(range(len(names)), key=lambda place: _standing(str(names[place])))
        return cls(kind, tuple(names[order].tolist()), np.argsort(order)[code].astype(np.int64))


def _standing(name: str) -> tuple[bool, int, str]:
    ages = [words for _, _, words in AGE_BANDS]
    return name in (NOT_RECORDED, SMALL), ages.index(name) if name in ages else 0, name


def groups_of(history: Past, rows: Rows) -> tuple[Groups, ...]:
    """Every kind of group that the records tell apart, and the intersections, for these rows."""
    version = versions_at(history, rows)
    codes = _texts(history, "ethnicity", version)
    texts = {
        SEX: _texts(history, "sex", version),
        ETHNICITY: _main_groups(codes),
        **({} if set(codes) == set(_main_groups(codes)) else {DETAIL: codes}),
        DISABILITY: _texts(history, "disability", version),
        AGE: _ages(history, rows, version),
    }
    told = {kind: one for kind, one in texts.items() if len(set(one.tolist())) > 1}
    found = [Groups.of(kind, one) for kind, one in told.items()]
    for first, second in TOGETHER:
        if first in told and second in told:
            both = told[first].astype(str).astype(object) + ", " + told[second].astype(object)
            found.append(Groups.of(f"{first} and {second}", both))
    return tuple(found)


def versions_at(history: Past, rows: Rows) -> Ints:
    """The place in `history.persons` of what was known of each row's child that day, -1 without."""
    table = history.persons
    person = pc.index_in(table["person_id"].cast(pa.string()), pa.array(rows.ids, pa.string()))
    place = integers(person, missing=-1)
    keys = place * _DAYS + integers(table["known_day"]) + _SHIFT
    order = np.argsort(keys, kind="stable")
    wanted = rows.person * _DAYS + rows.as_of + _SHIFT
    at = np.searchsorted(keys[order], wanted, side="left") - 1
    found = order[np.maximum(at, 0)] if len(order) else np.zeros(len(rows), dtype=np.int64)
    good = (at >= 0) & (place[found] == rows.person) if len(order) else at >= 0
    return np.where(good, found, -1)


def _texts(history: Past, column: str, version: Ints) -> Texts:
    texts = np.array([*history.persons[column].cast(pa.string()).to_pylist(), None], dtype=object)[
        version
    ]
    return np.where(texts == None, NOT_RECORDED, texts)  # noqa: E711


def _main_groups(texts: Texts) -> Texts:
    known = {text: main_group(None if text == NOT_RECORDED else text) for text in set(texts)}
    return np.array([known[text] for text in texts], dtype=object)


def _ages(history: Past, rows: Rows, version: Ints) -> Texts:
    births = integers(history.persons["birth_day"], missing=UNKNOWN_BIRTH)
    birth = np.append(births, UNKNOWN_BIRTH)[version]
    years = (rows.as_of - birth) / 365.25
    names = np.full(len(rows), NOT_RECORDED, dtype=object)
    for low, high, words in AGE_BANDS:
        names[(birth != UNKNOWN_BIRTH) & (years >= low) & (years < high)] = words
    return names
