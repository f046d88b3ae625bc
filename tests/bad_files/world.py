"""What every case of the corpus is built from: one sound list of 24 records, and verdicts."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

DAY, NEXT, THIRD = dt.date(2026, 3, 2), dt.date(2026, 3, 9), dt.date(2026, 3, 16)
#: Where the fault stands in a file of 24 rows.
POSITIONS = ("first", "second", "middle", "last but one", "last")
SIZE = 24
_PLACES = (0, 1, SIZE // 2, SIZE - 2, SIZE - 1)

SOURCE = """name = "{name}"
title = "Missing episodes"
agency = "social_care"

[files]
pattern = "{pattern}"
date_format = "%d/%m/%Y"
{files}

[delivery]
scope = "{scope}"
{delivery}

[[contact]]
type = {{ column = "Kind", map = "kinds" }}
record_id = ["Ref"]
subject = {{ column = "NHS", scheme = "nhs" }}
occurred = {{ column = "Went"{occurred} }}
ended = {{ column = "Back" }}
{contact}

[contact.attributes]
offered = {{ column = "Interview", map = "yes_no" }}
quantity = {{ column = "Sessions", number = true }}

[[identifier]]
person = {{ column = "Child" }}
scheme = "nhs"
value = {{ column = "NHS" }}

[[person]]
id = {{ column = "Child" }}
kind = "child"
birth = {{ column = "DOB" }}
family_name = {{ column = "Surname" }}
given_name = {{ column = "Forename" }}

[maps.kinds]
"M" = "missing.episode"
"S" = "school.suspension"
"""
HEADER = (
    "Ref",
    "Child",
    "NHS",
    "Surname",
    "Forename",
    "DOB",
    "Went",
    "Back",
    "Kind",
    "Interview",
    "Sessions",
    "Note",
)
#: Columns whose values name or describe somebody: none may be repeated outside the quarantine.
PERSONAL = ("Ref", "Child", "NHS", "Surname", "Forename", "DOB", "Note")
Row = dict[str, str]
Content = bytes | Callable[[Path], None]


def nhs(number: int) -> str:
    """A made-up NHS number with a right check digit."""
    for body in range(900_000_000 + number * 40, 900_000_000 + number * 40 + 40):
        digits = [int(figure) for figure in str(body)]
        check = 11 - sum(d * w for d, w in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            return f"{body}{0 if check == 11 else check}"
    raise AssertionError


def check_digit_right(number: str) -> bool:
    """Whether an NHS number's last digit follows from the others (weights 10 to 2, modulus 11)."""
    digits = [int(figure) for figure in number]
    weights = range(10, 1, -1)
    check = 11 - sum(d * w for d, w in zip(digits[:9], weights, strict=True)) % 11
    return len(set(digits)) > 1 and check % 11 == digits[9] and check != 10


def sound_row(number: int, **changed: str) -> Row:
    """Record `number`, as an agency would write it."""
    day = number % 12 + 1
    said = {
        "Ref": f"QXREF{number:03d}",
        "Child": f"QXCHILD{number:03d}",
        "NHS": nhs(number),
        "Surname": f"Qxsurname{number:03d}",
        "Forename": f"Qxforename{number:03d}",
        "DOB": f"{number % 27 + 1:02d}/11/2012",
        "Went": f"{day:02d}/01/2026",
        "Back": f"{day + 1:02d}/01/2026",
        "Kind": "MS"[number % 2],
        "Interview": "YN"[number % 2],
        "Sessions": str(number % 5),
        "Note": f"Qxnote{number:03d}",
    }
    return {**said, **changed}


def sound_rows(size: int = SIZE) -> list[Row]:
    return [sound_row(number) for number in range(size)]


def place(position: int) -> int:
    return _PLACES[position]


def changed(position: int, **values: str) -> list[Row]:
    """The sound list with one record changed."""
    rows = sound_rows()
    rows[place(position)] |= values
    return rows


def without(rows: Sequence[Row], *places: int) -> list[Row]:
    return [row for number, row in enumerate(rows) if number not in places]


def text(
    rows: Sequence[Mapping[str, str]],
    header: Sequence[str] = HEADER,
    *,
    delimiter: str = ",",
    newline: str = "\n",
    quote_all: bool = False,
) -> str:
    stream = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=newline, quoting=quoting)
    writer.writerow(header)
    writer.writerows([row[name] for name in header] for row in rows)
    return stream.getvalue()


def data(rows: Sequence[Mapping[str, str]], **options: object) -> bytes:
    return text(rows, **options).encode()


def source(
    name: str = "list",
    pattern: str = "list*.csv",
    *,
    scope: str = "delta",
    files: str = "",
    delivery: str = "",
    contact: str = "",
    occurred: str = "",
) -> str:
    return SOURCE.format(
        name=name,
        pattern=pattern,
        scope=scope,
        files=files,
        delivery=delivery,
        contact=contact,
        occurred=occurred,
    )


@dataclass(frozen=True)
class Told:
    """What the load report must say of one file, exactly."""

    status: str
    reason: str = ""
    rows: int = 0
    accepted: int = 0
    duplicate: int = 0
    superseded: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One bad file with what must come of it.

    `deliveries` holds for each landing day the files by name; `told` what the report says of each;
    `truth` the rows that are in the history afterwards (None: judged by `also` alone); `lines` the
    quarantined lines; `marks` the issues of records by number; `unseen` further texts that may
    appear nowhere but in the quarantine.
    """

    deliveries: Mapping[dt.date, Mapping[str, Content]]
    told: Mapping[str, Told]
    truth: Sequence[Row] | None = ()
    sources: Mapping[str, str] = field(default_factory=lambda: {"list": source()})
    lines: Mapping[str, Sequence[int]] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    unseen: Sequence[str] = ()
    also: Callable[[Path], None] | None = None


Builder = Callable[[int], Case]
BUILDERS: dict[str, tuple[str, str, Builder]] = {}


def case(name: str, verdict: str, title: str) -> Callable[[Builder], Builder]:
    """Register a case: its number in the corpus, its verdict in a word, what is in the file."""

    def note(builder: Builder) -> Builder:
        assert name not in BUILDERS, name
        BUILDERS[name] = (verdict, title, builder)
        return builder

    return note


def one_file(content: Content, told: Told, truth: Sequence[Row] = (), **more: object) -> Case:
    """A single delivery of a single file."""
    return Case({DAY: {"list.csv": content}}, {"list.csv": told}, truth, **more)


def held(reason: str) -> Told:
    return Told("held", reason)


def loaded(rows: int = SIZE, **more: object) -> Told:
    """All rows accepted, but for those quarantined for `reasons`."""
    faulty = sum(more.get("reasons", {}).values())
    return Told("loaded", rows=rows, accepted=rows - faulty, **more)


def quarantined(position: int, reason: str, **values: str) -> Case:
    """The sound list in which one record is at fault."""
    rows, at = changed(position, **values), place(position)
    return one_file(
        data(rows),
        loaded(reasons={reason: 1}),
        without(rows, at),
        lines={"list.csv": [at + 2]},
        unseen=list(values.values()),
    )


def accepted(position: int, **values: str) -> Case:
    """The sound list in which one record looks odd and is right."""
    rows = changed(position, **values)
    return one_file(data(rows), loaded(), rows, unseen=list(values.values()))
