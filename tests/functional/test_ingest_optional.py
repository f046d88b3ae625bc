"""Columns a file may leave out, code lists a source adds to, and what records do not say."""

from __future__ import annotations

import pyarrow.compute as pc
import pytest

from riskflag.errors import ConfigError
from riskflag.history.declared.source_load import load_source
from tests.functional.test_ingest_declarations import CONTACT_ENTRY, HEAD, SECOND, world

OPTIONAL = '[files]\noptional = ["why", "end", "id"]'
SAYS = """ended = { column = "end" }

[contact.attributes]
category = { column = "why", map = "dfe_attendance" }

[maps.dfe_attendance]
"LOCAL" = "illness"
"""


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A source whose category, end and record number may be left out of a file."""
    head = HEAD.replace("[files]", OPTIONAL)
    monkeypatch.setattr("tests.functional.test_ingest_declarations.HEAD", head)
    return world(tmp_path, CONTACT_ENTRY, SAYS)


def says(made):
    coverage = made.history().coverage
    latest = coverage.filter(
        pc.equal(coverage.column("received_on"), pc.max(coverage.column("received_on")))
    )
    return set(latest.column("says").to_pylist()[0].split())


def test_a_list_is_read_with_what_the_source_adds_to_it(made):
    """Published codes, the sender's own, one that neither holds, and a blank."""
    report = made.load(
        "id,p,day,why,end\n1,a,2024-01-02,G,2024-01-03\n2,a,2024-01-02,LOCAL,\n"
        "3,a,2024-01-02,QQ,\n4,a,2024-01-02,,\n"
    )
    assert made.rows("category", "open_ended", "issues") == [
        ("unauthorised", False, ""),
        ("illness", True, ""),
        (None, True, "unmapped_code"),
        (None, True, ""),
    ]
    [unsaid] = report.unsaid
    assert (unsaid.type, unsaid.attribute, unsaid.contacts, unsaid.of) == (
        "school.absence",
        "category",
        2,
        4,
    )
    assert says(made) == {"category", "ended"}


def test_a_column_that_is_not_there_is_unknown_and_not_no(made):
    """No category is said, nothing is called open, and each row is a record of its own."""
    report = made.load("p,day\na,2024-01-02\na,2024-01-02\nb,2024-01-03\n")
    assert [file.accepted for file in report.files] == [3]
    assert made.rows("category", "open_ended") == [(None, False)] * 3
    assert says(made) == set()
    assert report.unsaid == ()
    made.load("id,p,day,why,end\n9,c,2024-01-05,I,\n", SECOND)
    assert says(made) == {"category", "ended"}


def test_a_needed_column_that_is_not_there_holds_the_file(made):
    report = made.load("id,p,why\n1,a,G\n")
    assert [(f.status, f.reason) for f in report.files] == [("held", "missing_column")]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('optional = ["why", "end", "id"]', 'optional = ["other"]', "optional column other"),
        ('pattern = "*.csv"', 'format = "database"', "needs a database table"),
        ('pattern = "*.csv"', "", "name a file pattern"),
        ("[delivery]", '[database]\ntable = "t"\norder = []\n[delivery]', "at least 1 item"),
        (
            "[delivery]",
            '[database]\ntable = "t"\norder = "id"\nconnection = "c"\n[delivery]',
            "connection belongs to format database",
        ),
        (
            "[delivery]",
            '[database]\ntable = "t"\norder = "id"\nschema = "a; b"\n[delivery]',
            "match pattern",
        ),
        ('map = "dfe_attendance"', 'map = "dfe_no_such"', "no such map or code list"),
        ('"LOCAL" = "illness"', '"LOCAL" = "ill"', "must be one of"),
    ],
)
def test_mistakes_in_the_new_parts_are_told_with_file_and_line(tmp_path, old, new, words):
    text = HEAD.replace("[files]", OPTIONAL) + CONTACT_ENTRY + SAYS
    assert old in text
    path = tmp_path / "s.toml"
    path.write_text(text)
    load_source(path)
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError, match=rf"s\.toml line [0-9]+: .*{words}"):
        load_source(path)
