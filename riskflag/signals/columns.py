"""A history as the kernel wants it: plain columns, cut into chunks of whole people.

Nothing is copied that Arrow can lend: day columns and dictionary codes are read in place, chunk
by chunk, so memory stays bounded by the chunk and not by the history.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.errors import InputError
from riskflag.signals.asked import Asked
from riskflag.signals.kernel import visible_births
from riskflag.signals.layout import (
    STILL_OPEN,
    UNKNOWN_DAY,
    Bytes,
    Contacts,
    Floats,
    Int32s,
    Ints,
    Versions,
)
from riskflag.signals.people import People, codes_of, encoded, whole

ENDS = ("ended_day", "open_ended")
DAYS = ("occurred_day", "known_day", "superseded_day")


class Room(threading.local):
    """A thread's arrays for one chunk, used again for the next: fresh memory is slow memory."""

    def __init__(self) -> None:
        self._held: dict[str, Any] = {}

    def array(self, name: str, rows: int, length: int, kind: type[np.generic]) -> Any:
        """An array [rows, length] that holds anything."""
        held = self._held.get(name)
        if held is None or len(held) < rows * length:
            held = self._held[name] = np.empty(rows * length, kind)
        return held[: rows * length].reshape(rows, length)


class Columns:
    """The contact columns that a plan needs, and where each person's contacts lie.

    Takes the `contacts` of a history, sorted by person and `occurred_day`, and whose they are.
    """

    def __init__(
        self,
        contacts: pa.Table,
        people: People,
        words: Sequence[str],
        numbers: Sequence[str],
        *,
        ends: bool = False,
    ) -> None:
        needed = {*DAYS, *words, *numbers, *(ENDS if ends else ())}
        missing = sorted(needed - set(contacts.column_names))
        if missing:
            raise InputError(
                f"The history's contacts have no column {missing[0]}; load the history with it."
            )
        self._days = [whole(contacts[name]) for name in DAYS]
        self._words = [encoded(contacts[name]) for name in words]
        self._numbers = [whole(contacts[name]).cast(pa.float64()) for name in numbers]
        self._ends = [whole(contacts[name]) for name in ENDS] if ends else []
        self.words = tuple(words)
        self.numbers = tuple(numbers)
        self.dictionaries = [column.dictionary.to_pylist() for column in self._words]
        #: Whether a word was not recorded somewhere.
        self.unrecorded = [column.null_count > 0 for column in self._words]
        self.people = people

    def coding(self) -> Hashable:
        """What a program depends on: the words in the order of their codes."""
        return tuple(map(tuple, self.dictionaries)), tuple(self.unrecorded)

    def chunk(self, start: int, stop: int, room: Room) -> Contacts:
        """The contacts from `start` up to but without `stop`, where need be copied into `room`."""
        length = stop - start
        codes = room.array("codes", len(self._words), length, np.int32)
        for place, words in enumerate(self._words):
            codes[place] = codes_of(words.indices.slice(start, length))
        given = [_given(column.slice(start, length)) for column in self._numbers]
        numbers = room.array("numbers", max(len(self._numbers), 1), length, np.int64)
        occurred, known, superseded = (
            column.slice(start, length).to_numpy() for column in self._days
        )
        classes = room.array("classes", 1, length, np.int32)[0]
        lent = occurred, known, superseded, codes, *_side_by_side(given, room)
        return Contacts(*lent, numbers, classes, self._ended(start, length))

    def _ended(self, start: int, length: int) -> Int32s:
        if not self._ends:
            return np.empty(0, np.int32)
        ended, still_open = (column.slice(start, length) for column in self._ends)
        unsaid = pc.if_else(still_open.fill_null(False), STILL_OPEN, UNKNOWN_DAY)
        days = pc.coalesce(ended.cast(pa.int32()), unsaid.cast(pa.int32()))
        return np.asarray(days.to_numpy(zero_copy_only=False), np.int32)


def _given(column: pa.DoubleArray) -> tuple[Floats, Bytes]:
    """Numbers as they lie in memory, and 0 where one is not recorded."""
    flags, values = column.buffers()
    first, stop = column.offset, column.offset + len(column)
    if values is None:
        return np.zeros(len(column)), np.zeros(len(column), np.uint8)
    numbers = np.frombuffer(values, np.float64)[first:stop]
    if flags is None:
        return numbers, np.ones(len(column), np.uint8)
    bits = np.frombuffer(flags, np.uint8)[first // 8 : stop // 8 + 1]
    recorded = np.unpackbits(bits, bitorder="little")
    return numbers, recorded[first % 8 : first % 8 + len(column)]


def _side_by_side(columns: Sequence[tuple[Floats, Bytes]], room: Room) -> tuple[Floats, Bytes]:
    """Columns as the rows of one array each; a single column is lent, not copied."""
    if len(columns) == 1:
        numbers, recorded = columns[0][0][None], columns[0][1][None]
    else:
        length = len(columns[0][0]) if columns else 0
        numbers = room.array("given", len(columns), length, np.float64)
        recorded = room.array("recorded", len(columns), length, np.uint8)
        for place, column in enumerate(columns):
            numbers[place], recorded[place] = column
    # To compiled code what may be written to is another kind of array.
    for each in (numbers, recorded):
        each.setflags(write=False)
    return numbers, recorded


class Births:
    """When each person was born, as known at a date."""

    def __init__(self, persons: pa.Table) -> None:
        self._people = People.of(persons["person_id"])
        days = [_days(persons[name]) for name in ("known_day", "superseded_day", "birth_day")]
        self._versions = Versions(self._people.starts, *days)

    def at(self, asked: Asked) -> Ints:
        """Day of birth [n] as visible to each row, UNKNOWN_DAY where there is none."""
        found = np.full(len(asked.as_of), UNKNOWN_DAY, np.int64)
        place = self._people.places(asked.person_ids)[asked.who]
        visible_births(place, asked.as_of, self._versions, found)
        return found


def _days(column: pa.ChunkedArray) -> Ints:
    full = whole(column).cast(pa.int64()).fill_null(UNKNOWN_DAY)
    return np.asarray(full.to_numpy(zero_copy_only=False), np.int64)
