"""A history as the kernel wants it: plain columns, cut into chunks of whole people.

Nothing is copied that Arrow can lend: day columns and dictionary codes are read in place, chunk
by chunk, so memory stays bounded by the chunk and not by the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.errors import InputError
from riskflag.signals.kernel import visible_births
from riskflag.signals.layout import UNKNOWN_DAY, Contacts, Int32s, Ints, Versions

DAYS = ("occurred_day", "known_day", "superseded_day")


class Columns:
    """The contact columns that a plan needs, and where each person's contacts lie.

    Takes the `contacts` and `persons` tables of a history, sorted by person (contacts also by
    `occurred_day`).
    """

    def __init__(self, contacts: pa.Table, words: Sequence[str], numbers: Sequence[str]) -> None:
        missing = sorted({"person_id", *DAYS, *words, *numbers} - set(contacts.column_names))
        if missing:
            raise InputError(
                f"The history's contacts have no column {missing[0]}; load the history with it."
            )
        self._days = [_whole(contacts[name]) for name in DAYS]
        self._words = [_dictionary(contacts[name]) for name in words]
        self._numbers = [_whole(contacts[name]) for name in numbers]
        self.words = tuple(words)
        self.numbers = tuple(numbers)
        self.dictionaries = [column.dictionary.to_pylist() for column in self._words]
        self.people = People(contacts["person_id"])

    def chunk(self, start: int, stop: int) -> Contacts:
        """The contacts from `start` up to but without `stop`."""
        length = stop - start
        codes = np.empty((len(self._words), length), np.int32)
        for place, words in enumerate(self._words):
            codes[place] = _codes(words.indices.slice(start, length))
        numbers = np.empty((len(self._numbers), length), np.float64)
        for place, column in enumerate(self._numbers):
            numbers[place] = column.slice(start, length).to_numpy(zero_copy_only=False)
        occurred, known, superseded = (
            column.slice(start, length).to_numpy() for column in self._days
        )
        return Contacts(occurred, known, superseded, codes, numbers, np.empty(length, np.int32))


class Births:
    """When each person was born, as known at a date."""

    def __init__(self, persons: pa.Table) -> None:
        self._people = People(persons["person_id"])
        days = [_days(persons[name]) for name in ("known_day", "superseded_day", "birth_day")]
        self._versions = Versions(self._people.starts, *days)

    def at(self, person_ids: pa.Array, as_of: Ints) -> Ints:
        """Day of birth [n] as visible at each as-of day, UNKNOWN_DAY where there is none."""
        return visible_births(self._people.places(person_ids), as_of, self._versions)


class People:
    """The different people of a sorted column, and where the rows of each begin and end."""

    def __init__(self, person_ids: pa.ChunkedArray) -> None:
        column = _dictionary(person_ids)
        codes = _codes(column.indices)
        new = np.flatnonzero(codes[1:] != codes[:-1]) + 1
        first = [0] if len(codes) else []
        #: Where each person's rows begin, and the end: [people + 1].
        self.starts = np.concatenate([first, new, [len(codes)]]).astype(np.int64)
        met = codes[self.starts[:-1]]
        # The place of each entry of the dictionary among the people; the last is for no entry.
        self._places = np.full(len(column.dictionary) + 1, -1, np.int64)
        self._places[met] = np.arange(len(met))
        self._names = column.dictionary
        if np.count_nonzero(self._places >= 0) != len(met) or (met < 0).any():
            raise InputError("The history is not sorted by person; load it with riskflag.history.")

    def places(self, wanted: pa.Array) -> Ints:
        """Where each wanted person is among the people, -1 for nowhere."""
        code = pc.index_in(wanted, value_set=self._names.cast(pa.string())).fill_null(-1)
        return np.asarray(self._places[code.to_numpy(zero_copy_only=False)], np.int64)


def _whole(column: pa.ChunkedArray) -> Any:
    """One array without chunks; lent, not copied, where the column has a single chunk."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.chunks else pa.array([], column.type)


def _dictionary(column: pa.ChunkedArray) -> Any:
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    return _whole(column if column.num_chunks == 1 else column.unify_dictionaries())


def _codes(indices: pa.Array) -> Int32s:
    full = indices.fill_null(-1) if indices.null_count else indices
    return np.asarray(full.to_numpy(zero_copy_only=False), np.int32)


def _days(column: pa.ChunkedArray) -> Ints:
    full = _whole(column).cast(pa.int64()).fill_null(UNKNOWN_DAY)
    return np.asarray(full.to_numpy(zero_copy_only=False), np.int64)
