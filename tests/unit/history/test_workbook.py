"""The workbook reader: cells as text, columns by heading, and archives that are traps refused."""

from __future__ import annotations

import io
import warnings
import zipfile
from xml.sax.saxutils import escape

import pytest
from pydantic import ValidationError

from riskflag.history.declared.source_files import Files
from riskflag.history.files.delivered import RejectedError
from riskflag.history.files.readers import read_rows

STYLES = """<styleSheet xmlns="urn:s"><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy;@"/>
<numFmt numFmtId="165" formatCode="0.0&quot;days&quot;"/></numFmts><cellStyleXfs>
<xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>
<xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>"""
SHARED = """<sst xmlns="urn:s"><si><t>Date of </t></si><si><r>
<t xml:space="preserve">Child ID</t></r>
<r><t xml:space="preserve">enti</t></r><r><t>fier</t></r></si><si><t>one &amp; two</t></si></sst>"""
RELS = """<Relationships xmlns="urn:r"><Relationship Id="r1" Target="worksheets/sheet1.xml"/>
<Relationship Id="r2" Target="/xl/worksheets/sheet2.xml"/></Relationships>"""
BOOK = """<workbook xmlns="urn:s" xmlns:r="urn:r"><workbookPr {}/><sheets>
<sheet name="Notes" sheetId="1" r:id="r1"/><sheet name="List 1 " sheetId="2" r:id="r2"/>
</sheets></workbook>"""
PLAIN = '<worksheet xmlns="urn:s"><sheetData/></worksheet>'


def cell(where, value, kind="", style=""):
    kind = kind and f' t="{kind}"'
    style = style and f' s="{style}"'
    return f'<c r="{where}"{kind}{style}><v>{escape(str(value))}</v></c>'


def typed(where, text):
    return f'<c r="{where}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def sheet(*rows):
    body = "".join(f'<row r="{number}">{"".join(cells)}</row>' for number, cells in rows)
    return f'<worksheet xmlns="urn:s"><sheetData>{body}</sheetData></worksheet>'


def book(content, about="", **others):
    """A workbook whose List 1 is `content`; other parts by path."""
    packed = io.BytesIO()
    parts = {
        "xl/workbook.xml": BOOK.format(about),
        "xl/_rels/workbook.xml.rels": RELS,
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": SHARED,
        "xl/worksheets/sheet1.xml": PLAIN,
        "xl/worksheets/sheet2.xml": content,
    }
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (parts | others).items():
            archive.writestr(name, text)
    return packed.getvalue()


HEADERS = {"id": "child id.*", "day": "date of (?:contact|referral)"}


def read(data, needed=("id", "day"), **declared):
    said = {"sheet": "list 1", "headers": HEADERS, "date_format": "%d/%m/%Y"} | declared
    files = Files.model_validate({"pattern": "x.xlsx", "format": "xlsx", **said})
    return read_rows(data, "x.xlsx", files, frozenset(needed))


def refused(data, **declared):
    with pytest.raises(RejectedError) as caught:
        read(data, **declared)
    assert "x.xlsx" in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value.reason


HEAD = (3, [cell("B3", 1, "s"), typed("D3", " Date  of CONTACT ")])
GOOD = sheet(
    (1, [typed("A1", "Return of everything")]),
    HEAD,
    (4, [cell("B4", 1234567), cell("D4", 45292, style="1")]),
    (5, [cell("B5", 2, "s"), typed("D5", "02/01/2024")]),
    (6, [cell("B6", "", "s"), cell("D6", "", style="1")]),
    (9, [cell("B9", "12.50"), cell("D9", 45293.75, style="2")]),
)


def test_cells_become_text_and_blank_rows_are_no_rows():
    raw = read(book(GOOD))
    assert [(row["id"], row["day"]) for row in raw.table.to_pylist()] == [
        ("1234567", "01/01/2024"),
        ("one & two", "02/01/2024"),
        ("12.50", "02/01/2024"),
    ]
    assert raw.lines.tolist() == [4, 5, 9]


@pytest.mark.parametrize(
    ("kind", "style", "value", "text"),
    [
        ("", "", "7.0", "7"),
        ("", "", "1E+3", "1000"),
        ("n", "3", "45292", "45292"),
        ("b", "", "1", "true"),
        ("e", "", "#N/A", "#N/A"),
        ("str", "", "=SUM(A1)", "=SUM(A1)"),
        ("", "1", "59", "28/02/1900"),
        ("", "1", "61", "01/03/1900"),
        ("", "1", "99999999999", "99999999999.0"),
    ],
)
def test_what_each_kind_of_cell_says(kind, style, value, text):
    content = sheet(HEAD, (4, [cell("B4", "x", "str"), cell("D4", value, kind, style)]))
    assert read(book(content)).table.column("day").to_pylist() == [text]


def test_a_workbook_that_counts_from_1904():
    content = sheet(HEAD, (4, [cell("B4", 1), cell("D4", 0, style="1")]))
    assert read(book(content, 'date1904="1"')).table.column("day").to_pylist() == ["01/01/1904"]


def test_cells_without_an_address_follow_one_another():
    content = sheet(
        (1, ["<c t='str'><v>Child id</v></c>", "<c t='str'><v>Date of referral</v></c>"]),
        (2, ["<c><v>5</v></c>", "<c t='str'><v>03/02/2024</v></c>"]),
    )
    [row] = read(book(content)).table.to_pylist()
    assert row == {"day": "03/02/2024", "id": "5"}


def test_a_column_without_a_pattern_is_found_by_its_own_name():
    raw = read(book(GOOD), needed=("Date of Contact",), headers={})
    assert raw.rows == 3


@pytest.mark.parametrize(
    ("content", "declared", "reason"),
    [
        (GOOD, {"sheet": "list 2"}, "no_sheet"),
        (GOOD, {"sheet": ".*"}, "two_sheets"),
        (GOOD, {"headers": {**HEADERS, "id": "upn"}}, "missing_column"),
        (PLAIN, {}, "no_header"),
        (sheet(HEAD), {}, "empty"),
        (sheet((3, [typed("A3", "child id"), *HEAD[1]])), {}, "duplicate_column"),
        (GOOD[:200], {}, "damaged"),
        ('<!DOCTYPE w [<!ENTITY a "b">]>' + GOOD, {}, "doctype"),
        (sheet(HEAD, (4, [cell("B4", 99, "s")])), {}, "damaged"),
        (sheet(HEAD, (4, [cell("B4", "x", "n")])), {}, "damaged"),
        (sheet(HEAD, (4, [cell("B4", "nan")])), {}, None),
    ],
)
def test_what_cannot_be_read_is_refused(content, declared, reason):
    if reason is None:
        assert read(book(content), **declared).rows == 1
    else:
        assert refused(book(content), **declared) == reason


@pytest.mark.parametrize("name", ["../../etc/cron.d/x", "/etc/passwd", "xl\\..\\..\\x", "C:/x"])
def test_a_part_whose_name_leads_out_of_the_archive_is_refused(name):
    assert refused(book(GOOD, **{name: "x"})) == "odd_archive"


def test_a_part_that_unpacks_to_far_more_than_was_packed_is_refused():
    assert refused(book(GOOD, **{"xl/media/x": "0" * (1 << 22)})) == "odd_archive"


def test_two_parts_of_one_name_are_refused():
    packed = io.BytesIO(book(GOOD))
    with warnings.catch_warnings(), zipfile.ZipFile(packed, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    assert refused(packed.getvalue()) == "odd_archive"


def test_what_is_no_workbook_is_refused_and_a_cut_one_too():
    whole = book(GOOD)
    for data in (b"", b"a,b\n1,2\n", whole[: len(whole) // 2], whole[:-30]):
        assert refused(data) == "damaged"


def test_any_changed_byte_is_refused_or_changes_nothing_unseen():
    """Every part carries a checksum: no flipped byte gives other rows."""
    whole, good = book(GOOD), read(book(GOOD)).table
    outcomes = set()
    for place in range(0, len(whole), 7):
        broken = bytearray(whole)
        broken[place] ^= 0x21
        try:
            same = read(bytes(broken)).table.equals(good)
        except RejectedError:
            outcomes.add("refused")
            continue
        assert same, place
        outcomes.add("same")
    assert "refused" in outcomes


def test_sheet_and_headers_belong_to_workbooks():
    wrong = (
        {"format": "xlsx"},
        {"sheet": "x"},
        {"format": "xml", "rows": "a", "headers": {"a": "b"}},
        {"format": "xlsx", "sheet": "("},
        {"format": "xlsx", "sheet": "x", "headers": {"a": "("}},
    )
    for declared in wrong:
        with pytest.raises(ValidationError):
            Files.model_validate({"pattern": "x", **declared})
