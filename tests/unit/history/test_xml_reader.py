"""The XML reader: rows by path, values from around the row, and nothing unsafe is expanded."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from riskflag.history.declared.source_files import Files
from riskflag.history.declared.xml_path import ColumnPath, column_paths
from riskflag.history.files.delivered import RejectedError
from riskflag.history.files.raw_file import LONGEST_FIELD
from riskflag.history.files.readers import read_rows

DOCUMENT = """<?xml version="1.0"?>
<R>
  <Case ref="7">
    <Id>c1</Id>
    <Visit><Day>2024-01-02</Day><Code>A</Code><Code>B</Code></Visit>
    <Visit>
      <Day> 2024-01-03 </Day></Visit>
    <Late>yes</Late>
  </Case>
  <Case><Other>c2</Other><Visit/></Case>
</R>
"""
NEEDED = ("../Id|../Other", "../@ref", "../Late", "Day", "Code", ".")


def read(data, needed=NEEDED, rows="R/Case/Visit", **declared):
    data = data if isinstance(data, bytes) else data.encode()
    files = Files.model_validate(
        {"pattern": "x.xml", "format": "xml", "rows": rows, "may_be_empty": True, **declared}
    )
    return read_rows(data, "x.xml", files, frozenset(needed))


def refused(data, **declared):
    with pytest.raises(RejectedError) as caught:
        read(data, **declared)
    assert str(caught.value).startswith("x.xml ")
    assert str(caught.value).count("\n") == 0
    return caught.value.reason


def test_a_row_sees_itself_its_parents_and_what_follows_it():
    raw = read(DOCUMENT)
    assert [tuple(row[name] for name in NEEDED) for row in raw.table.to_pylist()] == [
        ("c1", "7", "yes", "2024-01-02", "A B", ""),
        ("c1", "7", "yes", "2024-01-03", "", ""),
        ("c2", "", "", "", "", ""),
    ]
    assert raw.lines.tolist() == [5, 6, 10]


def test_rows_may_be_the_values_themselves():
    raw = read(DOCUMENT, needed=(".", "../Day"), rows="R/Case/Visit/Code")
    assert [(row["."], row["../Day"]) for row in raw.table.to_pylist()] == [
        ("A", "2024-01-02"),
        ("B", "2024-01-02"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "cp1252"])
def test_the_encoding_is_the_one_the_document_names(encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?><R><Case><Id>Zoë</Id></Case></R>'
    raw = read(text.encode(encoding), needed=("Id",), rows="R/Case")
    assert raw.table.column("Id").to_pylist() == ["Zoë"]


def test_namespaces_are_no_part_of_a_name():
    raw = read(
        '<R xmlns="urn:x" xmlns:y="urn:y"><y:Case><Id>1</Id></y:Case></R>', ("Id",), "R/Case"
    )
    assert raw.table.column("Id").to_pylist() == ["1"]


def test_the_size_of_the_pieces_makes_no_difference(monkeypatch):
    whole = read(DOCUMENT)
    monkeypatch.setattr("riskflag.history.files.xml_reader._CHUNK", 1)
    pieces = read(DOCUMENT)
    assert pieces.table.equals(whole.table)
    assert pieces.lines.tolist() == whole.lines.tolist()


LAUGHS = '<!DOCTYPE R [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><R><Case>&b;</Case></R>'
OUTSIDE = '<!DOCTYPE R [<!ENTITY a SYSTEM "file:///etc/passwd">]><R><Case>&a;</Case></R>'
UNSAFE = {
    "entities that grow": (LAUGHS, "doctype"),
    "a file from outside": (OUTSIDE, "doctype"),
    "a definition from outside": ('<!DOCTYPE R SYSTEM "http://x/y.dtd"><R/>', "doctype"),
    "an entity nobody declared": ("<R><Case>&a;</Case></R>", "damaged"),
    "cut off": (DOCUMENT[:120], "damaged"),
    "empty": ("", "damaged"),
    "not XML": ("a,b\n1,2\n", "damaged"),
    "bytes that are not its encoding": (b"<R><Case>\xff</Case></R>", "damaged"),
    "an encoding nobody knows": ('<?xml version="1.0" encoding="x9"?><R/>', "damaged"),
    "another return": ("<S><Case/></S>", "other_root"),
    "nested without end": ("<R>" * 100 + "</R>" * 100, "too_large"),
}


@pytest.mark.parametrize(("data", "reason"), UNSAFE.values(), ids=UNSAFE)
def test_what_is_unsafe_or_damaged_is_refused_in_one_sentence(data, reason):
    assert refused(data) == reason


def test_no_rows_is_a_fault_unless_declared():
    assert refused("<R/>", may_be_empty=False) == "empty"
    assert read("<R/>").rows == 0


def test_an_over_long_text_costs_its_row_and_no_memory():
    raw = read(
        f"<R><Case><Id>{'x' * (LONGEST_FIELD * 4)}</Id></Case><Case><Id>1</Id></Case></R>",
        ("Id",),
        "R/Case",
    )
    assert raw.table.column("Id").to_pylist() == ["1"]
    assert [row.reason for row in raw.bad] == ["field_too_long"]


def test_too_much_below_one_element_is_refused(monkeypatch):
    monkeypatch.setattr("riskflag.history.files.xml_reader._MOST_ELEMENTS", 5)
    assert read("<R>" + "<Case><Id/></Case>" * 20 + "</R>", ("Id",), "R/Case").rows == 20
    assert refused("<R><Case>" + "<Visit/>" * 20 + "</Case></R>") == "too_large"


def test_paths():
    assert column_paths("../../A/B|.|@c") == (
        ColumnPath(2, ("A", "B")),
        ColumnPath(0, ()),
        ColumnPath(0, ("@c",)),
    )
    for wrong in ("", "/A", "A/", "A//B", "A/..", "A b", "*", "A|", "A[1]"):
        with pytest.raises(ValueError, match="not a path"):
            column_paths(wrong)


def test_rows_belong_to_xml():
    for declared in ({"format": "xml"}, {"rows": "A/B"}, {"format": "xml", "rows": "A//B"}):
        with pytest.raises(ValidationError):
            Files.model_validate({"pattern": "x", **declared})
