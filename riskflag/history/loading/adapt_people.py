"""From the rows of a file to persons, identifiers and relationships."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.clock import NEVER
from riskflag.history.arrays import (
    Ints,
    constant,
    decoded,
    group_starts,
    numbers,
    one,
    ranks,
    take,
)
from riskflag.history.declared.check_digits import failed_check
from riskflag.history.declared.dates import OK, Days
from riskflag.history.declared.source import (
    Birth,
    Day,
    IdentifierEntry,
    PersonEntry,
    RelationshipEntry,
)
from riskflag.history.files.sheet import Sheet
from riskflag.history.hashing import digests, joined
from riskflag.history.loading.adapt import Landing, day_column, lineage, mark_mangled
from riskflag.history.loading.addresses import address_key, plain_postcode
from riskflag.history.loading.text_forms import match_form
from riskflag.history.store.persons import ALWAYS

PERSON_CONTENT = (
    "birth_on",
    "birth_precision",
    "death_on",
    "sex",
    "ethnicity",
    "disability",
    "kind",
    "given_name",
    "family_name",
)
#: Where and with whom a person lives, as far as it helps to tell whose record it is.
PERSON_PLACE = ("postcode", "address_key", "family_key")
_MIDDLE_DAY, _MIDDLE_MONTH = 15, 7


def adapt_persons(sheet: Sheet, landing: Landing) -> list[pa.Table]:
    """What each row says about a person: columns of PERSON, subject_scheme, subject_value, row."""
    return [_person(sheet, landing, entry) for entry in sheet.source.person]


def _person(sheet: Sheet, landing: Landing, entry: PersonEntry) -> pa.Table:
    rows = _with_value(sheet, sheet.choose(entry.when), entry.id.column)
    subject = sheet.text(entry.id.column, rows)
    birth, precision = _birth(sheet, rows, entry)
    death = sheet.days(entry.death, rows) if entry.death is not None else None
    kind = entry.kind
    columns = {
        "subject_scheme": constant(entry.id.scheme, len(rows)),
        "subject_value": subject,
        "birth_on": birth,
        "birth_precision": precision,
        "death_on": pa.nulls(len(rows), pa.date32()) if death is None else day_column(death),
        "kind": _text(sheet, kind, rows),
    }
    for name in ("sex", "ethnicity", "disability", "given_name", "family_name"):
        columns[name] = _text(sheet, getattr(entry, name), rows)
    columns |= _place(sheet, rows, entry)
    columns["linkage"] = pa.repeat(entry.linkage, len(rows))
    columns["row"] = pa.array(rows, pa.int64())
    columns |= _static_known(sheet, landing, rows, entry.recorded, birth)
    columns |= lineage(sheet, landing, rows)
    return pa.table(columns)


def _place(sheet: Sheet, rows: Ints, entry: PersonEntry) -> dict[str, pa.Array]:
    """The postcode, and the words of the address and the family's number as hashes."""
    nothing = pa.nulls(len(rows), pa.string())
    place = {"postcode": nothing, "address_key": nothing, "family_key": nothing}
    if entry.postcode is not None:
        codes = _text(sheet, entry.postcode, rows).to_pylist()
        place["postcode"] = pa.array([plain_postcode(code) for code in codes], pa.string())
    if entry.address:
        parts = [sheet.text(name, rows).to_pylist() for name in entry.address]
        keys = [address_key(words) for words in zip(*parts, strict=True)]
        place["address_key"] = pa.array(keys, pa.string())
    if entry.family is not None:
        place["family_key"] = _family(sheet, rows, entry)
    return place


def _family(sheet: Sheet, rows: Ints, entry: PersonEntry) -> pa.Array:
    """The agency's number of the family, hashed: equal within one source only."""
    number = _text(sheet, entry.family, rows)
    source = pa.scalar(sheet.source.name, pa.string())
    return pc.if_else(number.is_valid(), digests(joined([source, number])), None)


def _text(sheet: Sheet, origin: object, rows: Ints) -> pa.Array:
    if origin is None:
        return pa.nulls(len(rows), pa.string())
    return decoded(sheet.value(origin, rows)[0])  # type: ignore[arg-type]


def _with_value(sheet: Sheet, rows: Ints, *columns: str) -> Ints:
    """The rows in which every one of these columns is filled."""
    for column in columns:
        rows = rows[np.asarray(sheet.text(column, rows).is_valid())]
    return rows


def _birth(sheet: Sheet, rows: Ints, entry: PersonEntry) -> tuple[pa.Array, pa.Array]:
    """Birth (or expected birth) date and how exactly it is known."""
    size = len(rows)
    birth, exact = pa.nulls(size, pa.date32()), pa.nulls(size, pa.string())
    if entry.birth is not None and entry.birth.column is not None:
        day = sheet.days(Day(column=entry.birth.column, format=entry.birth.format), rows)
        birth = day_column(day)
        exact = pc.if_else(birth.is_valid(), "day", None)
    elif entry.birth is not None:
        birth, exact = _birth_from_parts(sheet, rows, entry.birth)
    if entry.expected_birth is not None:
        expected = day_column(sheet.days(entry.expected_birth, rows))
        exact = pc.if_else(pc.and_(birth.is_null(), expected.is_valid()), "month", exact)
        birth = pc.coalesce(birth, expected)
    return birth, pc.fill_null(exact.cast(pa.string()), "unknown")


def _birth_from_parts(sheet: Sheet, rows: Ints, birth: Birth) -> tuple[pa.Array, pa.Array]:
    """The middle of the month or of the year in which someone was born.

    The middle is at most half the interval away from the true day, in either direction.
    """
    assert birth.year is not None
    year = pc.fill_null(sheet.number(birth.year, rows), 0).to_numpy().astype(np.int64)
    month = np.zeros(len(rows), np.int64)
    if birth.month is not None:
        month = pc.fill_null(sheet.number(birth.month, rows), 0).to_numpy().astype(np.int64)
    known = (year > 1900) & (year < 2200)
    to_month = known & (month >= 1) & (month <= 12)
    first = ((np.where(known, year, 1970) - 1970) * 12).astype(np.int64)
    first += np.where(to_month, month, _MIDDLE_MONTH) - 1
    day = first.astype("M8[M]").astype("M8[D]").astype(np.int64)
    day += np.where(to_month, _MIDDLE_DAY - 1, 0)
    precision = np.where(to_month, "month", np.where(known, "year", "unknown"))
    date = pa.array(day.astype(np.int32), mask=~known).cast(pa.date32())
    return date, pa.array(precision.tolist(), pa.string())


def _static_known(
    sheet: Sheet, landing: Landing, rows: Ints, recorded: Day | None, since: pa.Array
) -> dict[str, pa.Array]:
    """When a fact about people was known: landed; in a first load recorded, else since + lag.

    An undated fact of a first load is taken to have been known all along (ALWAYS).
    """
    size = len(rows)
    if not landing.first_load:
        known = np.full(size, landing.day)
        basis = constant("landed", size)
    else:
        lag = sheet.source.delivery.assumed_lag_days
        start = numbers(since, NEVER)
        known = np.where(start == NEVER, ALWAYS, start + lag)
        written: Days | None = sheet.days(recorded, rows) if recorded is not None else None
        stated = np.zeros(size, np.bool_) if written is None else written.state == OK
        if written is not None:
            known = np.where(stated, written.day + lag, known)
        names = pa.array(["assumed_lag", "recorded"])
        basis = pa.DictionaryArray.from_arrays(stated.astype(np.int32), names)
    known = np.minimum(known, landing.day).astype(np.int32)
    return {"known_on": pa.array(known).cast(pa.date32()), "known_basis": basis}


def adapt_identifiers(sheet: Sheet, landing: Landing) -> list[pa.Table]:
    """What each row says about whose an identifier is: IDENTIFIER columns plus row."""
    return [_identifier(sheet, landing, entry) for entry in sheet.source.identifier]


def _identifier(sheet: Sheet, landing: Landing, entry: IdentifierEntry) -> pa.Table:
    filled = [entry.person.column, *([entry.value.column] if entry.value.column else [])]
    rows = _with_value(sheet, sheet.choose(entry.when), *filled)
    value = decoded(sheet.value(entry.value, rows)[0])
    mark_mangled(sheet, value, rows, entry.value.column or "")
    scheme = decoded(sheet.value(entry.scheme, rows)[0])
    kept = np.asarray(pc.and_(value.is_valid(), scheme.is_valid()))
    rows, value, scheme = rows[kept], value.filter(pa.array(kept)), scheme.filter(pa.array(kept))
    begins, ends = _interval(sheet, rows, entry.from_, entry.to)
    columns = {
        "subject_scheme": pa.repeat(pa.scalar(entry.person.scheme, pa.string()), len(rows)),
        "subject_value": sheet.text(entry.person.column, rows),
        "scheme": scheme,
        "value": value,
        "valid_from": begins,
        "valid_to": ends,
        "check_ok": _checks(value, scheme),
        "row": pa.array(rows, pa.int64()),
    }
    columns |= _static_known(sheet, landing, rows, entry.recorded, begins)
    columns |= lineage(sheet, landing, rows)
    return pa.table(columns)


def _checks(values: pa.Array, schemes: pa.Array) -> pa.Array:
    """Whether the check digit is right; null for schemes that have none."""
    failed = np.zeros(len(values), np.bool_)
    checked = np.zeros(len(values), np.bool_)
    for scheme in ("nhs", "upn", "uln"):
        here = np.asarray(pc.equal(schemes, scheme))
        checked |= here
        failed |= here & failed_check(values, scheme)
    return pa.array(~failed, mask=~checked)


def _interval(
    sheet: Sheet, rows: Ints, begins: Day | None, ends: Day | None
) -> tuple[pa.Array, pa.Array]:
    nothing = pa.nulls(len(rows), pa.date32())
    return (
        nothing if begins is None else day_column(sheet.days(begins, rows)),
        nothing if ends is None else day_column(sheet.days(ends, rows)),
    )


def adapt_relationships(sheet: Sheet, landing: Landing, file_number: int) -> list[pa.Table]:
    """What each row says about two people: RELATIONSHIP columns plus those `compare` works with."""
    return [
        _relationship(sheet, landing, entry, file_number) for entry in sheet.source.relationship
    ]


def _relationship(
    sheet: Sheet, landing: Landing, entry: RelationshipEntry, file_number: int
) -> pa.Table:
    rows = _with_value(sheet, sheet.choose(entry.when), entry.person.column, entry.related.column)
    kind = decoded(sheet.value(entry.kind, rows)[0])
    kept = np.asarray(kind.is_valid())
    rows, kind = rows[kept], kind.filter(pa.array(kept))
    begins, ends = _interval(sheet, rows, entry.from_, entry.to)
    size = len(rows)
    columns = {
        "kind": kind,
        "valid_from": begins,
        "valid_to": ends,
        "subject_scheme": pa.repeat(pa.scalar(entry.person.scheme, pa.string()), size),
        "subject_value": sheet.text(entry.person.column, rows),
        "related_scheme": pa.repeat(pa.scalar(entry.related.scheme, pa.string()), size),
        "related_value": sheet.text(entry.related.column, rows),
    }
    record = [sheet.text(name, rows) for name in entry.record_id]
    head = pa.scalar(sheet.source.name, pa.string())
    who = [columns[name] for name in _RELATED]
    named = record or [begins]
    columns["relationship_key"] = digests(joined([head, kind, *who, *named]))
    columns["record_id"] = columns["relationship_key"]
    columns["row_hash"] = digests(joined([kind, *who, begins, ends]))
    columns["row"] = pa.array(rows, pa.int64())
    columns["file"] = pa.repeat(pa.scalar(file_number, pa.int64()), size)
    columns["updated"] = pa.repeat(pa.scalar(0, pa.int64()), size)
    columns["withdrawn"] = pa.repeat(False, size)
    columns |= _static_known(sheet, landing, rows, entry.recorded, begins)
    columns |= lineage(sheet, landing, rows)
    return pa.table(columns)


_RELATED = ("subject_scheme", "subject_value", "related_scheme", "related_value")


def merged_persons(table: pa.Table) -> pa.Table:
    """One row per person of a delivery: what its rows agree on.

    A field on which rows differ is unknown, and the person carries the issue `conflict`: nobody
    guesses a birth date. The result is the same for any order of rows. Adds person_key, row_hash.
    """
    head = [table.column(name) for name in ("source", "subject_scheme", "subject_value")]
    keys = digests(joined(head))
    order, starts = _grouped(keys, table)
    columns: dict[str, pa.Array] = {"person_key": keys.take(pa.array(order[starts]))}
    differs = np.zeros(len(starts), np.bool_)
    first = take(table, order[starts])
    for name in PERSON_CONTENT:
        column, mixed = _agreed(one(table.column(name)), order, starts)
        columns[name] = column
        differs |= mixed
    for name in PERSON_PLACE:
        columns[name], _ = _agreed(one(table.column(name)), order, starts)
    columns["birth_precision"] = pc.if_else(
        columns["birth_on"].is_valid(), columns["birth_precision"], "unknown"
    )
    columns["issues"] = pa.array(["", "conflict"]).take(pa.array(differs.astype(np.int8)))
    known = np.minimum.reduceat(numbers(table.column("known_on"), NEVER)[order], starts)
    columns["known_on"] = pa.array(known.astype(np.int32)).cast(pa.date32())
    for name in ("subject_scheme", "subject_value", "known_basis", "source", "linkage"):
        columns[name] = one(first.column(name))
    for name in ("source_file", "source_line", "batch_id"):
        columns[name] = one(first.column(name))
    columns["record_id"] = columns["person_key"]
    columns["row_hash"] = digests(_said(columns))
    return pa.table(columns)


def _said(columns: dict[str, pa.Array]) -> pa.Array:
    """All that was said of each person as one text; where nobody states a place it adds nothing."""
    said = joined([columns[name] for name in PERSON_CONTENT])
    place = [columns[name] for name in PERSON_PLACE]
    stated = pc.coalesce(*place).is_valid()
    return pc.if_else(stated, joined([said, *place]), said)


def person_keys(table: pa.Table) -> pa.Array:
    """The person key of each row of an adapted person table."""
    return digests(
        joined([table.column(name) for name in ("source", "subject_scheme", "subject_value")])
    )


def _grouped(keys: pa.Array, table: pa.Table) -> tuple[Ints, Ints]:
    """Row order by key, known day, file and line, and where each key's rows begin."""
    rank = ranks(keys)
    order = np.lexsort(
        (
            numbers(table.column("source_line"), 0),
            ranks(table.column("source_file")),
            numbers(table.column("known_on"), 0),
            rank,
        )
    )
    return order, np.flatnonzero(group_starts(rank[order]))


def _agreed(column: pa.Array, order: Ints, starts: Ints) -> tuple[pa.Array, np.ndarray]:
    """The one value stated in each group (null: none or several), and where there are several."""
    text = pa.types.is_string(column.type)
    value = ranks(match_form(column)) if text else numbers(column, -NEVER)
    missing = np.asarray(column.is_null())
    if text and column.null_count < len(column):
        missing |= np.asarray(pc.fill_null(pc.equal(column, "unknown"), True))
    low = np.minimum.reduceat(np.where(missing, 2**40, value)[order], starts)
    high = np.maximum.reduceat(np.where(missing, -(2**40), value)[order], starts)
    mixed = low < high
    pick = np.full(len(starts), -1, np.int64)
    stated = np.flatnonzero(~missing[order])
    if len(stated):
        at = np.searchsorted(stated, starts)
        inside = at < len(stated)
        group_end = np.append(starts[1:], len(order))
        chosen = stated[np.minimum(at, len(stated) - 1)]
        inside &= chosen < group_end
        pick = np.where(inside & ~mixed, order[chosen], -1)
    return column.take(pa.array(pick, mask=pick < 0)), mixed


def identifier_keys(table: pa.Table) -> pa.Array:
    """The identifier key of each row of an adapted identifier table."""
    names = ("source", "subject_scheme", "subject_value", "scheme", "value")
    return digests(joined([table.column(name) for name in names]))


def identifiers_with_keys(table: pa.Table) -> pa.Table:
    """One row per identifier and person of a delivery, with identifier_key and row_hash."""
    key = identifier_keys(table)
    order, starts = _grouped(key, table)
    rows = take(table, order[starts])
    last = numbers(table.column("valid_to"), NEVER)[order]
    ends = np.maximum.reduceat(last, starts)
    until = pa.array(ends.astype(np.int32), mask=ends == NEVER).cast(pa.date32())
    rows = rows.set_column(rows.schema.get_field_index("valid_to"), "valid_to", until)
    rows = rows.append_column("identifier_key", key.take(pa.array(order[starts])))
    rows = rows.append_column("record_id", rows.column("identifier_key"))
    content = [rows.column(name) for name in ("scheme", "value", "valid_from", "valid_to")]
    return rows.append_column("row_hash", digests(joined(content)))
