"""Reading declared date formats, a whole column at a time, with nothing guessed.

A format uses the strptime directives %Y %m %b %d; a two-digit year (%y) does not say which
century, so it is taken only where its source declares that. %H %M %S %f and %z may follow. A day
and month must be written with the digits declared (`%d` takes one or two digits, as agencies write
both). A time without an offset is London's, also where the format has %z; a time that London's
clocks skipped is no time, one that they showed twice is taken as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.clock import EPOCH

#: Days outside these years are not believed: they are a system's way of saying "no date".
FIRST_YEAR, LAST_YEAR = 1901, 2199
#: From this year on summer time begins on the last Sunday of March at one.
_RULE_SINCE = 1981
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_DIRECTIVES = {
    "Y": r"(?P<Y>[0-9]{4})",
    "y": r"(?P<y>[0-9]{2})",
    "m": r"(?P<m>[0-9]{1,2})",
    "d": r"(?P<d>[0-9]{1,2})",
    "b": r"(?P<b>[A-Za-z]{3})",
    "H": r"(?P<H>[0-9]{1,2})",
    "M": r"(?P<M>[0-9]{2})",
    "S": r"(?P<S>[0-9]{2})",
    "f": r"(?P<f>[0-9]{1,6})",
    "z": r"(?P<z>Z|[+-][0-9]{2}:?[0-9]{2})?",
}

OK, BLANK, BAD, OUT_OF_RANGE = 0, 1, 2, 3


@dataclass(frozen=True)
class Days:
    """A parsed date column: day numbers, microseconds since 1970 (local), and what each cell was.

    `state` is OK, BLANK, BAD (not in the declared format or no such day) or OUT_OF_RANGE (outside
    1901 to 2199); `day` and `instant` mean something only where it is OK. `timed` says whether
    the format carries a time of day.
    """

    day: npt.NDArray[np.int32]
    instant: npt.NDArray[np.int64]
    state: npt.NDArray[np.int8]
    timed: bool


def check_format(text: str, *, two_digit_years: bool = False) -> str:
    """The format itself, or ValueError when it cannot be read or does not give a whole day."""
    used = re.findall(r"%(.)", text)
    known = set(_DIRECTIVES) if two_digit_years else set(_DIRECTIVES) - {"y"}
    unknown = [letter for letter in used if letter not in known]
    if unknown:
        raise ValueError(
            f"%{unknown[0]} is not a date directive; use %Y %m %b %d %H %M %S %f and %z "
            "(%y only where two_digit_years_to says which century)"
        )
    whole = ("Y" in used) != ("y" in used) and "d" in used and ("m" in used or "b" in used)
    if not whole or len(used) != len(set(used)):
        raise ValueError("a date format names year, month and day once each, as %d/%m/%Y does")
    return text


def _pattern(text: str) -> str:
    parts = re.split(r"(%.)", text)
    return "^" + "".join(_piece(part) for part in parts) + "$"


def _piece(part: str) -> str:
    if len(part) == 2 and part[0] == "%":
        return _DIRECTIVES[part[1]]
    return re.sub(r"([^A-Za-z0-9 ])", r"\\\1", part)


def parse_days(column: pa.ChunkedArray, text_format: str, twenties_to: int | None = None) -> Days:
    """Parse a column of text, dates or timestamps; null and "" are BLANK.

    A two-digit year up to `twenties_to` is of this century, a higher one of the last.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not pa.types.is_string(array.type):
        return _from_typed(array)
    encoded = array.dictionary_encode()
    if len(encoded.dictionary) * 2 < len(array):
        unique = _parse_text(encoded.dictionary, text_format, twenties_to)
        return _taken(unique, encoded.indices)
    return _parse_text(array, text_format, twenties_to)


def other_order(text_format: str) -> str | None:
    """The format with day and month changed round, None when they cannot be taken for another."""
    if "%m" not in text_format:
        return None
    return text_format.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m")


def _taken(unique: Days, indices: pa.Array) -> Days:
    """The parse of the distinct values, spread over the rows."""
    missing = np.asarray(indices.is_null())
    places = indices.fill_null(0).to_numpy(zero_copy_only=False)
    if len(unique.day) == 0:
        empty = np.zeros(len(places), np.int64)
        return Days(empty.astype(np.int32), empty, np.full(len(places), BLANK, np.int8), False)
    state = unique.state[places]
    state[missing] = BLANK
    return Days(unique.day[places], unique.instant[places], state, unique.timed)


def _from_typed(array: pa.Array) -> Days:
    missing = np.asarray(array.is_null())
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        array = pc.local_timestamp(array.cast(pa.timestamp("us", tz="Europe/London")))
    timed = pa.types.is_timestamp(array.type)
    instant = array.cast(pa.timestamp("us"), safe=False).cast(pa.int64()).fill_null(0).to_numpy()
    day = np.floor_divide(instant, 86_400_000_000).astype(np.int32)
    state = np.where(missing, BLANK, OK).astype(np.int8)
    years = day.astype("M8[D]").astype("M8[Y]").astype(np.int64) + 1970
    state[(state == OK) & ((years < FIRST_YEAR) | (years > LAST_YEAR))] = OUT_OF_RANGE
    return Days(day, instant, state, timed)


def _parse_text(array: pa.Array, text_format: str, twenties_to: int | None) -> Days:
    blank = np.asarray(pc.fill_null(pc.equal(array, ""), True))
    fields = pc.extract_regex(array, pattern=_pattern(text_format))
    matched = np.asarray(fields.is_valid()) & ~blank
    parts = {field.name: _part(fields, field.name) for field in fields.type if field.name != "z"}
    if "y" in parts:
        parts["Y"] = parts["y"] + np.where(parts["y"] <= (twenties_to or 0), 2000, 1900)
    day, sound = _calendar(parts)
    instant = day.astype(np.int64) * 86_400_000_000 + _time_of_day(parts)
    local = np.ones(len(array), np.bool_)
    if "z" in {field.name for field in fields.type}:
        zone = pc.fill_null(pc.struct_field(fields, "z"), "")
        local = np.asarray(pc.equal(zone, ""))
        instant = np.where(local, instant, _to_london(instant, zone))
        day = np.floor_divide(instant, 86_400_000_000).astype(np.int32)
    if "H" in parts:
        sound &= ~(local & _skipped(parts))
    state = np.full(len(array), BAD, np.int8)
    state[blank] = BLANK
    state[matched & sound] = OK
    unbelievable = (parts["Y"] < FIRST_YEAR) | (parts["Y"] > LAST_YEAR)
    state[matched & sound & unbelievable] = OUT_OF_RANGE
    return Days(day, instant, state, "H" in parts)


def _part(fields: pa.StructArray, name: str) -> npt.NDArray[np.int64]:
    """One extracted field as whole numbers; cells that did not match give 0."""
    text = pc.fill_null(pc.struct_field(fields, name), "")
    if name == "b":
        place = pc.index_in(pc.utf8_lower(text), value_set=pa.array(_MONTHS))
        return np.asarray(place.fill_null(-1).to_numpy() + 1, np.int64)
    if name == "f":
        text = pc.utf8_rpad(text, 6, "0")
    digits = pc.if_else(pc.equal(text, ""), "0", text)
    return np.asarray(digits.cast(pa.int64()).to_numpy(), np.int64)


def _calendar(
    parts: dict[str, npt.NDArray[np.int64]],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Day numbers, and whether such a day and time exist (31 April and 25:00 do not)."""
    year, month, day = parts["Y"], parts.get("m", parts.get("b")), parts["d"]
    assert month is not None
    safe_month = np.clip(month, 1, 12)
    first = ((year - EPOCH.year) * 12 + safe_month - 1).astype("M8[M]")
    length = ((first + 1).astype("M8[D]") - first.astype("M8[D]")).astype(np.int64)
    sound = (month >= 1) & (month <= 12) & (day >= 1) & (day <= length)
    for name, most in (("H", 23), ("M", 59), ("S", 59)):
        if name in parts:
            sound &= parts[name] <= most
    number = first.astype("M8[D]").astype(np.int64) + day - 1
    return number.astype(np.int32), sound


def _skipped(parts: dict[str, npt.NDArray[np.int64]]) -> npt.NDArray[np.bool_]:
    """Times of the hour that London's clocks skip: from one to two on the last Sunday of March."""
    latest = (parts["Y"] - EPOCH.year) * 12 + 2
    last = (latest.astype("M8[M]") + 1).astype("M8[D]").astype(np.int64) - 1
    sunday = last - (last + 4) % 7
    here = (parts["Y"] >= _RULE_SINCE) & (parts["m" if "m" in parts else "b"] == 3)
    first = latest.astype("M8[M]").astype("M8[D]").astype(np.int64)
    return np.asarray(here & (parts["H"] == 1) & (first + parts["d"] - 1 == sunday))


def _time_of_day(parts: dict[str, npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    zero = np.zeros(len(parts["Y"]), np.int64)
    seconds = parts.get("H", zero) * 3600 + parts.get("M", zero) * 60 + parts.get("S", zero)
    return seconds * 1_000_000 + parts.get("f", zero)


def _to_london(instant: npt.NDArray[np.int64], zone: pa.Array) -> npt.NDArray[np.int64]:
    """Local London microseconds of instants written with their offset."""
    text = pc.fill_null(pc.replace_substring(zone, ":", ""), "Z")
    text = pc.if_else(pc.is_in(text, value_set=pa.array(["Z", ""])), "+0000", text)
    hours = pc.utf8_slice_codeunits(text, 1, 3).cast(pa.int64()).to_numpy()
    minutes = pc.utf8_slice_codeunits(text, 3, 5).cast(pa.int64()).to_numpy()
    sign = np.where(np.asarray(pc.starts_with(text, "-")), -1, 1)
    utc = instant - sign * (hours * 60 + minutes) * 60_000_000
    stamped = pa.array(utc).cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))
    local = pc.local_timestamp(stamped.cast(pa.timestamp("us", tz="Europe/London")))
    return np.asarray(local.cast(pa.int64()).to_numpy(), np.int64)
