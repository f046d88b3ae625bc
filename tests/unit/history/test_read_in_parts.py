"""Parquet, XML and workbooks are read part by part, and say what they said when read at once."""

from __future__ import annotations

import io
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskflag.history.declared.source_files import Files
from riskflag.history.files import parquet_reader, raw_file, workbook, xml_reader
from riskflag.history.files.delivered import FileContent, RejectedError
from riskflag.history.files.raw_file import What
from riskflag.history.files.readers import parts_of, read_rows, text_size
from tests.unit.history.test_workbook import book, sheet, typed

COUNT = 3_000
COLUMNS = frozenset({"ref", "note"})
ROWS = [(f"r{at:05}", "" if at % 7 == 0 else f"note {at * 7919 % 9973}") for at in range(COUNT)]
SAID = {
    "parquet": {},
    "xml": {"rows": "all/row"},
    "xlsx": {"sheet": "list 1"},
}


def as_parquet(rows=ROWS):
    made = io.BytesIO()
    ref, note = ([row[place] for row in rows] for place in (0, 1))
    options = {"row_group_size": 70, "compression": "none", "use_dictionary": False}
    table = pa.table({"note": note, "more": note, "ref": ref})
    pq.write_table(table, made, write_page_checksum=True, **options)
    return made.getvalue()


def as_xml(rows=ROWS):
    body = "\n".join(f"<row><ref>{ref}</ref><note>{note}</note></row>" for ref, note in rows)
    return f"<all>{body}</all>".encode()


def as_xlsx(rows=ROWS):
    lines = enumerate([("ref", "note"), *rows], start=2)
    cells = [(n, [typed(f"C{n}", a), typed(f"D{n}", b)]) for n, (a, b) in lines]
    return book(sheet(*cells))


MADE = {"parquet": as_parquet, "xml": as_xml, "xlsx": as_xlsx}


def about(form):
    kind = {} if form == "parquet" else {"format": form}
    files = Files.model_validate({"pattern": f"x.{form}", **kind, **SAID[form]})
    return What(f"x.{form}", files, COLUMNS)


@pytest.fixture
def small(monkeypatch):
    """Parts of a hundred rows, pieces of a few bytes."""
    monkeypatch.setattr(parquet_reader, "PART_ROWS", 100)
    for module in (xml_reader, workbook):
        monkeypatch.setattr(module, "OBJECT_ROWS", 100)
    monkeypatch.setattr(xml_reader, "_CHUNK", 500)
    monkeypatch.setattr(workbook, "_PIECE", 500)
    assert raw_file.PART_ROWS > COUNT


@pytest.mark.parametrize("form", MADE)
def test_a_file_read_in_parts_says_what_it_says_when_read_at_once(form, tmp_path, request):
    data, what = MADE[form](), about(form)
    whole = read_rows(data, what.name, what.files, COLUMNS)
    request.getfixturevalue("small")
    (tmp_path / "x").write_bytes(data)
    parts = [read() for read in parts_of(FileContent.at(tmp_path / "x"), what)]
    assert len(parts) > 10
    assert max(part.rows for part in parts) <= 210
    assert [line for part in parts for line in part.lines.tolist()] == whole.lines.tolist()
    together = pa.concat_tables([part.table for part in parts])
    assert together.to_pylist() == whole.table.to_pylist()
    assert together.select(["ref", "note"]).to_pylist() == [
        {"ref": ref, "note": note} for ref, note in ROWS
    ]


def damaged(form):
    """A file in which something late is wrong."""
    data = MADE[form]()
    if form == "xlsx":
        packed, shown = zipfile.ZipFile(io.BytesIO(data)), "xl/worksheets/sheet2.xml"
        return book(packed.read(shown).decode().replace("r02990", "r02990</is>"))
    place = data.rindex(b"r02990")
    return data[:place] + (b"<" if form == "xml" else b"q") + data[place + 1 :]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("form", MADE)
def test_what_is_read_first_does_not_wait_for_the_end_and_a_fault_there_costs_the_file(form):
    reads = parts_of(FileContent.of(damaged(form)), about(form))
    assert next(reads)().table.column("ref")[0].as_py() == "r00000"
    with pytest.raises(RejectedError) as caught:
        list(reads)
    assert caught.value.reason == "damaged"


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("form", ["parquet", "xlsx"])
def test_a_file_that_changes_while_it_is_read_is_refused(form, tmp_path):
    path = tmp_path / f"x.{form}"
    path.write_bytes(MADE[form]())
    reads = parts_of(FileContent.at(path), about(form))
    next(reads)
    with path.open("ab") as more:
        more.write(b" ")
    with pytest.raises(RejectedError) as caught:
        list(reads)
    assert caught.value.reason == "changed"


@pytest.mark.parametrize("form", MADE)
def test_a_file_without_rows_has_one_part_without_rows(form):
    [read] = parts_of(FileContent.of(MADE[form]([])), about(form))
    assert read().rows == 0
    assert set(read().table.column_names) == COLUMNS


def test_rows_of_a_sheet_out_of_their_order_are_damage_to_us_as_to_excel():
    content = sheet((1, [typed("A1", "ref"), typed("B1", "note")]), (3, [typed("A3", "a")]))
    turned = content.replace("</sheetData>", '<row r="2"><c r="A2"><v>1</v></c></row></sheetData>')
    for body, rows in ((content, 1), (turned, None)):
        reads = parts_of(FileContent.of(book(body)), about("xlsx"))
        if rows is None:
            with pytest.raises(RejectedError, match="cannot be read as an Excel workbook"):
                list(reads)
        else:
            assert sum(read().rows for read in reads) == rows


def test_a_parquet_file_counts_as_large_as_its_rows_are_however_well_they_are_packed():
    same = pa.table({"ref": ["r"] * 100_000, "note": ["n"] * 100_000})
    packed = io.BytesIO()
    pq.write_table(same, packed)
    content = FileContent.of(packed.getvalue())
    assert content.size < 10_000
    assert text_size(content, about("parquet")) > 1_000_000
    broken = FileContent.of(packed.getvalue()[:-9])
    assert text_size(broken, about("parquet")) == broken.size
    assert text_size(content, about("xml")) == content.size
