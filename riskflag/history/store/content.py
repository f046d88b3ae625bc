"""What the rows of a table say, as numbers that add up to the same in any order and any parts.

Each row is two 64-bit numbers made of its cells, and a set of rows is their number and the sums of
both (modulo 2^64). So a history of any size has one digest however it is cut up, and the digest of
what was visible on a day is a sum over the rows visible on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskflag.history.arrays import codes, one
from riskflag.history.hashing import digests, key_pairs

Words = npt.NDArray[np.uint64]

#: The two numbers of a row as columns of a stored table.
CONTENT = ("content_a", "content_b")
#: A column of digests, which need not be hashed again.
KEY = "contact_key"
#: Says when a later version came, which nobody could know before it did.
LATER = "superseded_day"


@dataclass(frozen=True)
class Content:
    """A set of rows: how many, and the two sums."""

    rows: int = 0
    a: int = 0
    b: int = 0

    def __add__(self, other: Content) -> Content:
        return Content(
            self.rows + other.rows, (self.a + other.a) % 2**64, (self.b + other.b) % 2**64
        )

    @classmethod
    def of(cls, first: Words, second: Words) -> Content:
        """The set of rows with these numbers."""
        return cls(len(first), *(int(each.sum(dtype=np.uint64)) for each in (first, second)))


def row_numbers(table: pa.Table, leave_out: Sequence[str] = (LATER, *CONTENT)) -> list[Words]:
    """The two numbers of each row, uint64 [n] each; a missing column counts like an empty one."""
    sums = [np.zeros(table.num_rows, np.uint64) for _ in CONTENT]
    for name in sorted(set(table.column_names) - set(leave_out)):
        array = one(table.column(name))
        if array.null_count == len(array):
            continue
        words, nothing = _words(array, digest=name == KEY)
        for place, total in enumerate(sums):
            salt = hashlib.blake2b(f"{place} {name}".encode(), digest_size=8).digest()
            cells = mixed(words + np.frombuffer(salt, np.uint64)[0])
            cells[nothing] = 0
            sums[place] = total + (cells[codes(array)] if _is_coded(array) else cells)
    return [mixed(total) for total in sums]


def with_content(table: pa.Table) -> pa.Table:
    """The table with the two numbers of each row as columns CONTENT."""
    for name, words in zip(CONTENT, row_numbers(table), strict=True):
        table = table.append_column(name, pa.array(words))
    return table


def without_content(table: pa.Table) -> pa.Table:
    """The table without those columns."""
    return table.drop_columns([name for name in CONTENT if name in table.column_names])


def _words(array: Any, *, digest: bool) -> tuple[Words, Any]:
    """A number for each cell, or each value of a dictionary with one more; and which are empty."""
    if _is_coded(array):
        return np.append(_texts(array.dictionary), np.uint64(0)), [-1]
    nothing = np.asarray(array.is_null())
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        texts = array.fill_null("")
        found = key_pairs(texts) if digest else None
        return (_texts(texts) if found is None else found[0] ^ found[1]), nothing
    return _plain(array), nothing


def _is_coded(array: Any) -> bool:
    return bool(pa.types.is_dictionary(array.type))


def _texts(texts: pa.Array) -> Words:
    if not len(texts):
        return np.zeros(0, np.uint64)
    pairs = key_pairs(digests(texts.cast(pa.string())))
    assert pairs is not None
    return pairs[0]


def _plain(array: pa.Array) -> Words:
    """Whole numbers, days, moments and truth values as they are; others by their bits."""
    if pa.types.is_floating(array.type):
        return np.asarray(array.fill_null(0.0).to_numpy(zero_copy_only=False), "<f8").view("<u8")
    if pa.types.is_temporal(array.type):
        array = array.cast(pa.int32() if array.type.bit_width == 32 else pa.int64())
    whole = array.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return np.asarray(whole, "<i8").view("<u8")


def mixed(words: Words) -> Words:
    """Every bit of the result depends on every bit of a word (SplitMix64's last step)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(words ^ (words >> np.uint64(31)))
