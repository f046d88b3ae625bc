"""From the rows of a file to contacts, as the source declares it, a column at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.history.arrays import Ints, Mask, constant, decoded, one
from riskflag.history.declared.check_digits import failed_check
from riskflag.history.declared.dates import OK, Days
from riskflag.history.declared.source import ContactEntry, Day
from riskflag.history.declared.source_check import contact_types
from riskflag.history.files.sheet import Sheet
from riskflag.history.hashing import digests, digests_of, joined
from riskflag.history.schema import ATTRIBUTES, CONTACT, Vocabulary

#: The quality marks a contact may carry, in the order they are written.
ISSUES = (
    "end_before_start",
    "future",
    "unmapped_code",
    "id_check_failed",
    "no_identifier",
    "ambiguous_identifier",
    "before_birth",
)
#: An event further ahead of its landing than this is a slip of the pen, not a plan.
FARTHEST_AHEAD_DAYS = 3653
#: A child has contacts before birth (an unborn child's plan), but not longer before.
UNBORN_DAYS = 280
#: How a spreadsheet writes a long number: the digits behind it are lost.
_MANGLED = r"^[0-9][.][0-9]+[Ee][+][0-9]{1,3}$"
#: What a candidate carries besides its schema's columns: the file and row it came from, what
#: decides between two rows of one record, and whether the row takes its record back.
WORKING = ("row", "file", "updated", "withdrawn", "keyless")
#: What tells, of a candidate contact, which of several counts and whether it is known already.
COMPARED = frozenset(
    {
        "contact_key",
        "row_hash",
        "record_id",
        "subject_scheme",
        "subject_value",
        "occurred_on",
        "source",
        "type",
        *WORKING,
        "position",
    }
)


@dataclass(frozen=True)
class Landing:
    """One delivery: the day number it landed, whether it is the source's first, its batch."""

    day: int
    first_load: bool
    batch_id: str
    vocabulary: Vocabulary


def adapt_contacts(sheet: Sheet, landing: Landing, file_number: int) -> list[pa.Table]:
    """Candidate contacts of a file, one table per contact entry (CONTACT plus WORKING columns).

    Rows at fault are marked in the sheet; their candidates are made all the same, so that what
    they would have named is known not to be gone.
    """
    tables = []
    seen: dict[str, int] = {}
    for entry in sheet.source.contact:
        name = entry.type if isinstance(entry.type, str) else f"mapped:{entry.type.column}"
        position = seen[name] = seen.get(name, -1) + 1
        tables.append(_ContactTable(sheet, landing, entry, position).build(file_number))
    return tables


class _ContactTable:
    """The work on one contact entry of one file."""

    def __init__(self, sheet: Sheet, landing: Landing, entry: ContactEntry, position: int) -> None:
        self.sheet, self.landing, self.entry, self.position = sheet, landing, entry, position
        self.record_id = [name for name in entry.record_id if name not in sheet.raw.absent]
        self.rows = sheet.choose(entry.when)
        self.types = self._types()
        self.issues: dict[str, Mask] = {}

    def _types(self) -> pa.Array:
        """The contact type of each row; rows whose type is mapped to "" are left out."""
        origin = self.entry.type
        types, unknown = self.sheet.value(origin, self.rows)
        if isinstance(origin, str) or origin.column is None:
            return types
        blank = self.sheet.text(origin.column, self.rows).is_null()
        self.sheet.mark(self.rows[unknown | np.asarray(blank)], "unmapped_type", origin.column)
        kept = np.asarray(types.is_valid())
        if kept.all():
            return types
        self.rows = self.rows[kept]
        return types.filter(pa.array(kept))

    def build(self, file_number: int) -> pa.Table:
        sheet, entry, rows = self.sheet, self.entry, self.rows
        occurred = sheet.days(entry.occurred, rows, required=True)
        columns = {
            "type": self.types,
            "agency": self._agency(),
            "occurred_on": day_column(occurred),
            "occurred_at": _instants(occurred),
            **self._ended(occurred),
            **self._attributes(),
            **self._subject(),
        }
        self._doubt_days(occurred)
        columns |= known_columns(sheet, self.landing, rows, entry.recorded, occurred)
        late = np.asarray(occurred.day > self.landing.day) & (occurred.state == OK)
        self.issues["future"] = late
        columns["issues"] = issue_text(self.issues, len(rows))
        said = [columns.get(name, _NOTHING) for name in _CONTENT]
        columns["row_hash"] = digests_of(said)
        columns |= self._record(columns)
        columns |= self._working(file_number)
        columns |= lineage(sheet, self.landing, rows)
        return pa.table({name: columns[name] for name in _COLUMNS if name in columns})

    def _doubt_days(self, occurred: Days) -> None:
        """Quarantine what cannot have happened then; mark what came before its child's birth."""
        sheet, rows, known = self.sheet, self.rows, occurred.state == OK
        ahead = known & (occurred.day > self.landing.day + FARTHEST_AHEAD_DAYS)
        sheet.mark(rows[ahead], "date_out_of_range", self.entry.occurred.column)
        if self.entry.recorded is not None:
            written = sheet.days(self.entry.recorded, rows)
            stated = known & (written.state == OK)
            before = stated & (written.day < occurred.day)
            sheet.mark(rows[before], "after_recorded", self.entry.occurred.column)
            sheet.warn(rows[stated & (written.day > self.landing.day)], "recorded_ahead")
        born = sheet.births(self.entry.subject, rows)
        if born is not None:
            early = np.where(known & (born.state == OK), born.day - occurred.day, 0)
            sheet.mark(rows[early > UNBORN_DAYS], "before_birth", self.entry.occurred.column)
            self.issues["before_birth"] = (early > 0) & (early <= UNBORN_DAYS)

    def _agency(self) -> pa.Array:
        if self.entry.agency is None:
            return constant(self.sheet.source.agency, len(self.rows))
        found, _ = self.sheet.value(self.entry.agency, self.rows)
        return decoded(found).fill_null(self.sheet.source.agency)

    def _ended(self, occurred: Days) -> dict[str, pa.Array]:
        """End, open mark and duration; an end before the start is kept but never measured."""
        size = len(self.rows)
        if self.entry.ended is None or self.entry.ended.column in self.sheet.raw.absent:
            return {
                "ended_on": pa.nulls(size, pa.date32()),
                "open_ended": pa.repeat(False, size),
                "duration_days": pa.nulls(size, pa.float64()),
            }
        ended = self.sheet.days(self.entry.ended, self.rows)
        stated = ended.state == OK
        length = (ended.day - occurred.day).astype(np.float64)
        self.issues["end_before_start"] = stated & (length < 0)
        return {
            "ended_on": day_column(ended),
            "open_ended": pa.array(~stated),
            "duration_days": pa.array(length, mask=~stated | (length < 0)),
        }

    def _attributes(self) -> dict[str, pa.Array]:
        size = len(self.rows)
        columns: dict[str, pa.Array] = {}
        kinds = contact_types(self.sheet.source, self.entry)
        missed = np.zeros(size, np.bool_)
        for name, origin in self.entry.attributes.items():
            if origin.number and origin.column is not None:
                columns[name] = self.sheet.number(origin.column, self.rows)
                continue
            allowed = self.landing.vocabulary.values(kinds, name)
            columns[name], unmapped = self.sheet.value(origin, self.rows, allowed)
            missed |= unmapped
        self.issues["unmapped_code"] = missed
        return columns

    def _subject(self) -> dict[str, pa.Array]:
        subject = self.entry.subject
        value = self.sheet.text(subject.column, self.rows)
        self.issues["id_check_failed"] = failed_check(value, subject.scheme)
        self.issues["no_identifier"] = np.asarray(value.is_null())
        mark_mangled(self.sheet, value, self.rows, subject.column)
        scheme = constant(subject.scheme, len(self.rows))
        return {"subject_scheme": scheme, "subject_value": value}

    def _record(self, columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
        """The record's own name, or the hash of what it says when it has none."""
        if not self.record_id:
            return {"record_id": columns["row_hash"], "contact_key": columns["row_hash"]}
        parts = [self.sheet.text(name, self.rows) for name in self.record_id]
        blank = np.logical_and.reduce([np.asarray(part.is_null()) for part in parts])
        self.sheet.mark(self.rows[blank], "no_record_id", self.record_id[0])
        record = pc.binary_join_element_wise(
            *parts, "|", null_handling="replace", null_replacement=""
        )
        return {"record_id": record, "contact_key": contact_keys(self, columns, record)}

    def _working(self, file_number: int) -> dict[str, pa.Array]:
        size = len(self.rows)
        updated = np.zeros(size, np.int64)
        if self.entry.updated is not None:
            found = self.sheet.days(self.entry.updated, self.rows)
            updated = np.where(found.state == OK, found.instant, -1)
        withdrawn = np.zeros(size, np.bool_)
        for number, item in enumerate(self.entry.withdrawn):
            passed = self.sheet.passes(item, self.rows)
            withdrawn = passed if number == 0 else withdrawn & passed
        return {
            "row": pa.array(self.rows, pa.int64()),
            "file": pa.repeat(pa.scalar(file_number, pa.int64()), size),
            "updated": pa.array(updated, pa.int64()),
            "withdrawn": pa.array(withdrawn),
            "keyless": pa.repeat(pa.scalar(not self.record_id), size),
            "position": pa.repeat(pa.scalar(self.position, pa.int64()), size),
        }


def mark_mangled(sheet: Sheet, values: pa.Array, rows: Ints, column: str) -> None:
    """Quarantine rows whose identifier a spreadsheet has cut down to 4.50558E+09."""
    if not pc.any(pc.match_substring(values, "+")).as_py():
        return
    found = pc.fill_null(pc.match_substring_regex(values, _MANGLED), False)
    sheet.mark(rows[np.asarray(found)], "mangled_identifier", column)


def contact_keys(work: _ContactTable, columns: dict[str, pa.Array], record: pa.Array) -> pa.Array:
    """The key of each contact: source, place among its type's entries, type, subject, record."""
    head = pa.scalar(f"{work.sheet.source.name}\x1f{work.position}", pa.string())
    subject = (columns["subject_scheme"], columns["subject_value"])
    return digests_of([head, columns["type"], *subject, record])


def day_column(days: Days) -> pa.Array:
    """Parsed days as dates, null where there is none."""
    return pa.array(days.day, pa.int32(), mask=days.state != OK).cast(pa.date32())


def _instants(days: Days) -> pa.Array:
    """The local time of day for display; a midnight is a date without a time."""
    plain = (days.instant % 86_400_000_000) == 0
    if not days.timed:
        plain = np.ones(len(plain), np.bool_)
    masked = plain | (days.state != OK)
    return pa.array(days.instant, pa.int64(), mask=masked).cast(pa.timestamp("us"))


def known_columns(
    sheet: Sheet, landing: Landing, rows: Ints, recorded: Day | None, occurred: Days
) -> dict[str, pa.Array]:
    """`known_on` and `known_basis` (DESIGN 2): the landing day, or the first load's assumption."""
    size = len(rows)
    written = sheet.days(recorded, rows) if recorded is not None else None
    if not landing.first_load:
        return {
            "known_on": pa.array(np.full(size, landing.day, np.int32)).cast(pa.date32()),
            "known_basis": constant("landed", size),
        }
    lag = sheet.source.delivery.assumed_lag_days
    known = np.where(occurred.state == OK, occurred.day + lag, landing.day)
    basis = np.zeros(size, np.int32)
    if written is not None:
        stated = written.state == OK
        known = np.where(stated, written.day + lag, known)
        basis[stated] = 1
    names = pa.DictionaryArray.from_arrays(basis, pa.array(["assumed_lag", "recorded"]))
    known = np.minimum(known, landing.day).astype(np.int32)
    return {"known_on": pa.array(known).cast(pa.date32()), "known_basis": names}


def issue_text(issues: dict[str, Mask], size: int) -> pa.Array:
    """The quality marks of each row as one text, in the order of ISSUES."""
    code = np.zeros(size, np.int64)
    for place, name in enumerate(ISSUES):
        if name in issues:
            code |= issues[name].astype(np.int64) << place
    texts = [
        " ".join(name for place, name in enumerate(ISSUES) if number >> place & 1)
        for number in range(1 << len(ISSUES))
    ]
    used, at = np.unique(code, return_inverse=True)
    names = pa.array([texts[number] for number in used.tolist()], pa.string())
    return pa.DictionaryArray.from_arrays(at.astype(np.int32), names)


def lineage(sheet: Sheet, landing: Landing, rows: Ints) -> dict[str, pa.Array]:
    """Source, file, line and batch of each row."""
    size = len(rows)
    return {
        "source": constant(sheet.source.name, size),
        "source_file": constant(sheet.raw.name, size),
        "source_line": pa.array(sheet.raw.lines[rows], pa.int32()),
        "batch_id": constant(landing.batch_id, size),
    }


_NOTHING = pa.scalar(None, pa.string())
_CONTENT = (
    "subject_scheme",
    "subject_value",
    "type",
    "agency",
    "occurred_on",
    "occurred_at",
    "ended_on",
    "open_ended",
    *ATTRIBUTES,
    "quantity",
    "duration_days",
)
_COLUMNS = (*CONTACT.names, *WORKING, "position")


def named_apart(table: pa.Table) -> pa.Table:
    """Give contacts without a record id their own: what they say and their number among equals.

    The number makes rows that say exactly the same separate contacts, whatever order they come in.
    """
    keyless = np.flatnonzero(np.asarray(one(table.column("keyless"))))
    if len(keyless) == 0:
        return table
    part = table.take(pa.array(keyless))
    hashes = one(part.column("row_hash"))
    place = part.column("position").to_numpy()
    _, group = np.unique(
        hashes.dictionary_encode().indices.to_numpy() * 64 + place, return_inverse=True
    )
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    first = np.searchsorted(ordered, ordered, "left")
    number = np.empty(len(group), np.int64)
    number[order] = np.arange(len(group)) - first + 1
    record = joined_number(hashes, number)
    head = joined([part.column("source"), part.column("position").cast(pa.string())])
    subject = [part.column(name) for name in ("type", "subject_scheme", "subject_value")]
    keys = digests(joined([head, *subject, record]))
    return _replaced(table, keyless, {"record_id": record, "contact_key": keys})


def joined_number(hashes: pa.Array, number: Ints) -> pa.Array:
    """`hash-number`, shortened: the name of a record that has none."""
    short = pc.utf8_slice_codeunits(hashes, 0, 16)
    return pc.binary_join_element_wise(short, pa.array(number).cast(pa.string()), "-")


def _replaced(table: pa.Table, rows: Ints, columns: dict[str, pa.Array]) -> pa.Table:
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        if len(rows) == table.num_rows:
            table = table.set_column(place, name, values)
            continue
        mask = np.zeros(table.num_rows, np.bool_)
        mask[rows] = True
        column = one(table.column(name))
        table = table.set_column(place, name, pc.replace_with_mask(column, pa.array(mask), values))
    return table
