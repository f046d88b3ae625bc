"""What a sender says about a file must hold: one changed byte is enough to refuse it."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import random
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskflag.history.loading.ingest import ingest
from riskflag.workspace import Workspace

DAY = dt.date(2026, 3, 2)
HEADER = ("ref", "child", "from", "home")
ROWS = [(f"r{n}", f"c{n}", f"2026-01-{n % 28 + 1:02d}", "AB"[n % 2]) for n in range(40)]
SOURCE = """name = "care"
title = "Placements"
agency = "social_care"

[files]
pattern = "care*"
format = "{kind}"
{files}

[delivery]
{delivery}

[[contact]]
type = "care.placement"
record_id = ["ref"]
subject = {{ column = "child" }}
occurred = {{ column = "from" }}

[contact.attributes]
organisation = {{ column = "home" }}
"""
DECLARED = {"csv": "", "parquet": "", "xml": 'rows = "all/row"', "xlsx": 'sheet = "list"'}


def csv_file():
    return "\n".join(",".join(row) for row in (HEADER, *ROWS)).encode() + b"\n"


def parquet_file():
    sink = io.BytesIO()
    columns = zip(*ROWS, strict=True)
    table = pa.table({name: list(column) for name, column in zip(HEADER, columns, strict=True)})
    pq.write_table(table, sink, compression="none")
    return sink.getvalue()


def xml_file():
    rows = [
        "<row>" + "".join(f"<{n}>{v}</{n}>" for n, v in zip(HEADER, row, strict=True)) + "</row>"
        for row in ROWS
    ]
    return f"<all>{''.join(rows)}</all>".encode()


def xlsx_file():
    rows = "".join(
        f'<row r="{number}">'
        + "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in row)
        + "</row>"
        for number, row in enumerate((HEADER, *ROWS), start=1)
    )
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "xl/worksheets/s.xml", f"<worksheet><sheetData>{rows}</sheetData></worksheet>"
        )
        archive.writestr(
            "xl/workbook.xml",
            '<workbook><sheets><sheet name="list" sheetId="1" id="r1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships><Relationship Id="r1" Target="worksheets/s.xml"/></Relationships>',
        )
    return sink.getvalue()


MADE = {"csv": csv_file, "parquet": parquet_file, "xml": xml_file, "xlsx": xlsx_file}


@pytest.fixture
def place(tmp_path):
    """Makes a workspace for one kind of file and gives its landing day's folder."""

    def make(kind="csv", delivery=""):
        made = Workspace.create(tmp_path / kind, "Test")
        text = SOURCE.format(kind=kind, files=DECLARED[kind], delivery=delivery)
        (made.sources_dir / "care.toml").write_text(text)
        folder = made.landing / DAY.isoformat()
        folder.mkdir()
        return made, folder

    return make


def tried(made):
    (file,) = ingest(Workspace(made.root), landed=DAY, dry_run=True).files
    assert file.balanced
    return file


def mutated(data, chance):
    """One byte changed, left out or put in."""
    at, way = chance.randrange(len(data)), chance.randrange(3)
    byte = bytes([chance.randrange(256)])
    if way == 0:
        return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
    return data[:at] + data[at + 1 :] if way == 1 else data[:at] + byte + data[at:]


def all_refused(make, kind, count, seed):
    made, folder = make(kind)
    data, chance = MADE[kind](), random.Random(seed)
    (folder / "care.x").write_bytes(data)
    (folder / "care.x.sha256").write_text(f"{hashlib.sha256(data).hexdigest()}  care.x\n")
    assert (tried(made).status, tried(made).rows) == ("loaded", len(ROWS)), "sound as it is"
    for _ in range(count):
        (folder / "care.x").write_bytes(mutated(data, chance))
        assert tried(made).reason == "sidecar"


@pytest.mark.parametrize("kind", MADE)
def test_every_changed_byte_is_refused_where_the_sender_gave_a_checksum(place, kind):
    """60 changes of each of four kinds of file: all 240 refused (2,500 of each in the long run)."""
    all_refused(place, kind, 60, f"sidecar {kind}")


@pytest.mark.long
@pytest.mark.parametrize("kind", MADE)
def test_ten_thousand_changed_bytes_are_refused(place, kind):
    all_refused(place, kind, 2_500, f"sidecar long {kind}")


@pytest.mark.parametrize("kind", MADE)
def test_without_a_checksum_a_changed_byte_never_breaks_the_load(place, kind):
    """Every row stays accounted for, or the file is refused for a reason of its own."""
    made, folder = place(kind)
    data, chance = MADE[kind](), random.Random(f"bare {kind}")
    statuses = set()
    for _ in range(60):
        (folder / "care.x").write_bytes(mutated(data, chance))
        file = tried(made)
        assert (file.status == "held") == bool(file.reason)
        statuses.add(file.status)
    assert "held" in statuses or kind == "csv"


LISTS = {
    "SHA256SUMS": lambda data: f"{hashlib.sha256(data).hexdigest()} *care.csv\n",
    "manifest.json": lambda data: json.dumps(
        {"files": [{"name": "care.csv", "bytes": len(data), "rows": len(ROWS)}]}
    ),
    "care.csv.manifest.json": lambda data: json.dumps({"sha256": hashlib.sha256(data).hexdigest()}),
    "care.csv.sha256": lambda data: hashlib.sha256(data).hexdigest().upper(),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_checksum_may_stand_beside_the_file_or_in_the_list_of_a_delivery(place, name):
    made, folder = place()
    data = csv_file()
    (folder / "care.csv").write_bytes(data)
    (folder / name).write_text(LISTS[name](data))
    assert tried(made).status == "loaded"
    (folder / "care.csv").write_bytes(data + b"r99,c99,2026-01-01,A\n")
    assert tried(made).reason in ("sidecar", "sidecar_rows")


def test_a_source_may_ask_for_a_checksum_always(place):
    made, folder = place(delivery='sidecar = "required"')
    (folder / "care.csv").write_bytes(csv_file())
    assert tried(made).reason == "no_sidecar"
    (folder / "care.csv.sha256").write_text(hashlib.sha256(csv_file()).hexdigest())
    assert tried(made).status == "loaded"


def test_a_file_that_the_list_names_and_nobody_sent_holds_the_delivery_open(place):
    """Half a delivery is told, and withdraws nothing."""
    made, folder = place()
    (folder / "care.csv").write_bytes(csv_file())
    names = [{"name": "care.csv", "rows": len(ROWS)}, {"name": "care-2.csv", "rows": 5}]
    (folder / "manifest.json").write_text(json.dumps({"files": names}))
    report = ingest(Workspace(made.root), landed=DAY, dry_run=True)
    assert [(file.status, file.reason) for file in report.files] == [
        ("loaded", ""),
        ("held", "incomplete"),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("care.csv.sha256", ""),
        ("care.csv.sha256", "abc  care.csv"),
        ("care.csv.sha256", f"{'0' * 64}  other.csv"),
        ("care.csv.manifest.json", "[1]"),
        ("care.csv.manifest.json", "{}"),
        ("care.csv.manifest.json", '{"bytes": "12"}'),
        ("SHA256SUMS", f"{'0' * 64}  ../care.csv"),
        ("manifest.json", '{"files": []}'),
        ("manifest.json", '{"files": [{"name": "a/b", "rows": 1}]}'),
        ("manifest.json", '{"files": [{"name": "care.csv"}]}'),
    ],
)
def test_a_checksum_file_that_cannot_be_read_is_no_reason_to_trust(place, name, text):
    made, folder = place()
    (folder / "care.csv").write_bytes(csv_file())
    (folder / name).write_text(text)
    assert tried(made).reason == "sidecar"
