"""B57 to B63: files that are none, archives, Parquet and workbooks that are not what they say."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import socket
import struct
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.bad_files.world import (
    DAY,
    HEADER,
    Case,
    case,
    data,
    held,
    place,
    sound_rows,
    source,
)

PARQUET = {"list": source(pattern="list.parquet", files='format = "parquet"')}
XLSX = {"list": source(pattern="list.xlsx", files='format = "xlsx"\nsheet = "list"')}


def _link(path):
    outside = path.parents[2] / "outside.csv"
    outside.write_bytes(data(sound_rows()))
    path.symlink_to(outside)


def _folder(path):
    path.mkdir()
    (path / "list.csv").write_bytes(data(sound_rows()))


def _socket(path):
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(path.name)
    finally:
        os.chdir(here)


@case("B57", "held: not_a_file", "A link, a pipe, a socket, a folder, a list that names ../")
def b57(position):
    if position == 4:
        said = f"{'0' * 64}  ../../riskflag.toml\n".encode()
        files = {"list.csv": data(sound_rows()), "SHA256SUMS": said}
        return Case({DAY: files}, {"list.csv": held("sidecar")}, [])
    make = (_link, os.mkfifo, _socket, _folder)[position]
    return Case({DAY: {"list.csv": make}}, {"list.csv": held("not_a_file")}, [])


PARTS = {
    "xl__workbook__xml": "xl/workbook.xml",
    "xl___rels__workbook.xml.rels": "xl/_rels/workbook.xml.rels",
}


def _zip(**parts):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(
                PARTS.get(name, name.replace("__", "/")),
                content,
            )
    return packed.getvalue()


def _lying_zip():
    """A part whose size, where the archive lists it, is a thousandth of what it unpacks to."""
    raw = bytearray(_zip(xl__workbook__xml=b" " * (1 << 24)))
    at = raw.rindex(b"PK\x01\x02")
    struct.pack_into("<I", raw, at + 24, 1 << 14)
    return bytes(raw)


@case("B58", "held before it is unpacked", "Archives that swell, lead out, nest or lie")
def b58(position):
    if position == 0:
        bomb = gzip.compress(b"Ref," + b"0" * (1 << 24))
        return Case({DAY: {"list.csv": bomb}}, {"list.csv": held("not_text")}, [])
    content, reason = (
        (_zip(**{"xl__workbook.xml": b"\0" * (1 << 26)}), "odd_archive"),
        (_zip(**{"..__..__list.csv": b"x"}), "odd_archive"),
        (_zip(**{"inner.zip": _zip(**{"inner.zip": b"x"})}), "no_sheet"),
        (_lying_zip(), "damaged"),
    )[position - 1]
    return Case({DAY: {"list.xlsx": content}}, {"list.xlsx": held(reason)}, [], XLSX)


def parquet(rows, *, checksums=False, **columns):
    table = pa.table({name: [row[name] for row in rows] for name in HEADER})
    for name, values in columns.items():
        table = table.set_column(HEADER.index(name), name, values)
    sink = io.BytesIO()
    pq.write_table(table, sink, write_page_checksum=checksums, compression="none")
    return sink.getvalue()


@case("B59", "held: sidecar or damaged", "Parquet with one bit changed")
def b59(position):
    whole = bytearray(parquet(sound_rows(), checksums=True))
    spot = whole.index(b"Qxsurname") + 9 * place(position)
    sha256 = hashlib.sha256(whole).hexdigest()
    whole[spot] ^= 1 << position
    files = {"list.parquet": bytes(whole)}
    if position % 2 == 0:
        files["list.parquet.sha256"] = f"{sha256}\n".encode()
    reason = "damaged" if position % 2 else "sidecar"
    return Case({DAY: files}, {"list.parquet": held(reason)}, [], PARQUET)


@case("B60", "held", "Parquet that is cut, overflows, or has numbers for identifiers")
def b60(position):
    rows = sound_rows()
    whole = parquet(rows)
    far = pa.array([300_000 * 31_556_952_000] * len(rows), pa.timestamp("ms"))
    numbers = pa.array([int(row["NHS"]) for row in rows])
    content, reason = (
        (whole[:-9], "damaged"),
        (whole[: len(whole) // 2], "damaged"),
        (parquet(rows, Went=far), "column_type"),
        (parquet(rows, NHS=numbers), "column_type"),
        (parquet(rows, NHS=numbers.cast(pa.float64())), "column_type"),
    )[position]
    return Case({DAY: {"list.parquet": content}}, {"list.parquet": held(reason)}, [], PARQUET)


MARKER = Path("/tmp/riskflag-marker-of-a-pickle-that-ran")


class _Runs:
    def __reduce__(self):
        return (Path.touch, (MARKER,))


@case("B61", "held: column_type, and nothing ran", "Parquet with a type that unpickles itself")
def b61(position):
    rows = sound_rows()
    column = ("Ref", "Surname", "Went", "Sessions", "Kind")[position]
    fields = []
    for name in HEADER:
        metadata = None
        if name == column:
            metadata = {
                b"ARROW:extension:name": b"arrow.py_extension_type",
                b"ARROW:extension:metadata": pickle.dumps(_Runs()),
            }
        fields.append(pa.field(name, pa.string(), metadata=metadata))
    table = pa.Table.from_arrays(
        [pa.array([row[name] for row in rows]) for name in HEADER], schema=pa.schema(fields)
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    MARKER.unlink(missing_ok=True)

    def nothing_ran(root):
        assert not MARKER.exists()

    return Case(
        {DAY: {"list.parquet": sink.getvalue()}},
        {"list.parquet": held("column_type")},
        [],
        PARQUET,
        also=nothing_ran,
    )


def workbook(*sheets):
    """A workbook with one sound list in each of these sheets; all but the first are hidden."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows = [HEADER, *([row[name] for name in HEADER] for row in sound_rows())]
    cells = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in row) + "</row>"
        for row in rows
    ).replace("<row>", "<row r='{}'>")
    numbered = cells
    for number in range(1, len(rows) + 1):
        numbered = numbered.replace("<row r='{}'>", f'<row r="{number}">', 1)
    parts, listed, related = {}, "", ""
    for number, name in enumerate(sheets, start=1):
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{main}"><sheetData>{numbered}</sheetData></worksheet>'
        )
        hidden = ' state="hidden"' if number > 1 else ""
        listed += f'<sheet name="{name}" sheetId="{number}" id="r{number}"{hidden}/>'
        related += f'<Relationship Id="r{number}" Target="worksheets/sheet{number}.xml"/>'
    parts["xl/workbook.xml"] = f'<workbook xmlns="{main}"><sheets>{listed}</sheets></workbook>'
    parts["xl/_rels/workbook.xml.rels"] = f"<Relationships>{related}</Relationships>"
    return _zip(**{name.replace("/", "__"): text for name, text in parts.items()})


@case("B62", "held", "A workbook called .csv, a hidden twin sheet, an old workbook")
def b62(position):
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    name, content, reason, sources = (
        ("list.csv", workbook("list"), "not_text", None),
        ("list.csv", old, "not_text", None),
        ("list.xlsx", old, "damaged", XLSX),
        ("list.xlsx", workbook("list", "LIST"), "two_sheets", XLSX),
        ("list.xlsx", data(sound_rows()), "damaged", XLSX),
    )[position]
    more = {} if sources is None else {"sources": sources}
    return Case({DAY: {name: content}}, {name: held(reason)}, [], **more)


@case("B63", "held", "An extract whose types changed, and one without keys")
def b63(position):
    rows = sound_rows()
    size = len(rows)
    days = [20260100 + number + 1 for number in range(size)]
    content, reason = (
        (parquet(rows, Went=pa.array(days)), "bad_date"),
        (parquet(rows, Went=pa.array([True] * size)), "bad_date"),
        (parquet(rows, Ref=pa.nulls(size, pa.string())), "no_record_id"),
        (parquet(rows, Kind=pa.array([["M"]] * size)), "column_type"),
        (parquet(rows, Surname=pa.array([b"\xff"] * size, pa.binary())), "column_type"),
    )[position]
    return Case({DAY: {"list.parquet": content}}, {"list.parquet": held(reason)}, [], PARQUET)
