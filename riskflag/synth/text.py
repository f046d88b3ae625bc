"""Numbers to text, a whole column at a time: dates, times, identifiers, codes.

Text comes from lookup tables where the values repeat (days, minutes), so that millions of rows
cost a few array look-ups.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.clock import day_number
from riskflag.errors import ConfigError
from riskflag.synth.draws import Array

#: A day that is not there is written as nothing.
NO_DAY = -(10**6)
_FIRST, _LAST = day_number(dt.date(1930, 1, 1)), day_number(dt.date(2080, 1, 1))
UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


@lru_cache(maxsize=4)
def _days(pattern: str) -> pa.Array:
    days = pa.array(np.arange(_FIRST, _LAST), pa.int32()).cast(pa.date32())
    return pc.strftime(days, format=pattern)


@lru_cache(maxsize=2)
def _minutes(pattern: str) -> pa.Array:
    return pa.array([pattern.format(h=m // 60, m=m % 60) for m in range(1440)])


def day(days: Array, pattern: str = "%Y-%m-%d") -> pa.Array:
    """Dates as text; days before 1930 (NO_DAY) become null."""
    days = np.asarray(days, dtype=np.int64)
    return _days(pattern).take(pa.array(days - _FIRST, mask=(days < _FIRST) | (days >= _LAST)))


def moment(days: Array, minutes: Array, pattern: str = "%Y-%m-%d", between: str = "T") -> pa.Array:
    """Dates and minutes of the day as text with seconds."""
    clocked = _minutes("{h:02d}:{m:02d}:00").take(pa.array(np.asarray(minutes) % 1440))
    return pc.binary_join_element_wise(day(days, pattern), clocked, between)


def numbered(prefix: str, numbers: Array, width: int) -> pa.Array:
    """Identifiers such as C000123; negative numbers become null."""
    numbers = np.asarray(numbers, dtype=np.int64)
    digits = pc.utf8_lpad(pa.array(numbers, mask=numbers < 0).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def number(numbers: Array) -> pa.Array:
    """Whole numbers as text; negative numbers become null."""
    numbers = np.asarray(numbers, dtype=np.int64)
    return pa.array(numbers, mask=numbers < 0).cast(pa.string())


def coded(codes: Sequence[str | None], index: Array) -> pa.Array:
    """Codes by index; negative indexes become null."""
    index = np.asarray(index, dtype=np.int64)
    return pa.array(list(codes), pa.string()).take(pa.array(index, mask=index < 0))


def yes_no(flags: Array, codes: tuple[str, str] = ("N", "Y")) -> pa.Array:
    """Y and N."""
    return coded(codes, np.asarray(flags).astype(np.int64))


def constant(value: str | None, size: int) -> pa.Array:
    """The same text in every row."""
    return pa.repeat(pa.scalar(value, pa.string()), size)


def flags_json(keys: Sequence[str], chosen: Array) -> pa.Array:
    """The outcome columns of the Standard Safeguarding Dataset: all keys, one of them Y."""
    texts = []
    for yes in range(-1, len(keys)):
        pairs = [f'"{key}":"{"Y" if i == yes else "N"}"' for i, key in enumerate(keys)]
        texts.append("{" + ",".join(pairs) + "}")
    return pa.array(texts).take(pa.array(np.asarray(chosen, dtype=np.int64) + 1))


def nhs_numbers(rng: np.random.Generator, size: int) -> Array:
    """Distinct valid NHS numbers from the range reserved for tests (999 000 0000 and up)."""
    digits = np.arange(10**6)
    total = 9 * (10 + 9 + 8) + sum((digits // 10 ** (5 - i)) % 10 * (7 - i) for i in range(6))
    check = (11 - total % 11) % 11
    valid = digits[check < 10]
    if size > len(valid):
        raise ConfigError(
            "The range of test NHS numbers is used up; ask for at most 400000 children."
        )
    chosen = rng.permutation(valid)[:size]
    numbers: Array = 999 * 10**7 + chosen * 10 + check[chosen]
    return numbers


def upn(school: Array, year: Array, serial: Array) -> pa.Array:
    """Unique pupil numbers with their check letter: LA 999, school, year, serial."""
    digits = 999 * 10**9 + school * 10**5 + year * 10**3 + serial
    total = sum((digits // 10 ** (11 - i)) % 10 * (i + 2) for i in range(12))
    letter = coded(list(UPN_LETTERS), total % 23)
    return pc.binary_join_element_wise(letter, numbered("", digits, 12), "")
