"""An unknown file: what it could be, what is missing, a source to start from; never a value."""

from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskflag.cli import run
from riskflag.history.declared.shipped import SHIPPED_SOURCES
from riskflag.history.declared.source_load import load_source, load_sources
from riskflag.history.files.recognise import propose
from riskflag.workspace import Workspace
from tests.made_up_rows import made_up
from tests.shared_data import shared_data

SOURCES = load_sources(SHIPPED_SOURCES)
TABLES = [source for source in SOURCES if source.files.format == "csv"]
NAMES = ("Maisie", "Example", "Ruby Rosewood")


def as_csv(rows, rename=lambda name: name, delimiter=","):
    stream = io.StringIO()
    columns = list(rows[0])
    writer = csv.writer(stream, delimiter=delimiter)
    writer.writerow([rename(name) for name in columns])
    writer.writerows([row[name] for name in columns] for row in rows)
    return stream.getvalue().encode()


@pytest.mark.parametrize("source", TABLES, ids=lambda source: source.name)
def test_a_file_with_a_sources_columns_is_recognised_whatever_its_name(source):
    """Among the best for every shipped table, and with every column said to be there."""
    columns = sorted(source.columns())
    rows = [{name: row[name] for name in columns} for row in made_up(source, 30)]
    proposal = propose(as_csv(rows), "export.csv", SOURCES)
    likeness = {one.source: one for one in proposal.likenesses}
    alike = {s.name for s in TABLES if s.columns() == source.columns()} | {source.name}
    assert alike & set(likeness)
    first = proposal.likenesses[0]
    assert first.share == 1.0
    assert first.found >= len(columns) - len(source.files.optional)


def plans():
    source = next(source for source in SOURCES if source.name == "ssd_cp_plans")
    columns = sorted(source.columns())
    return [{name: row[name] for name in columns} for row in made_up(source, 20)]


def test_what_is_missing_what_is_written_otherwise_and_what_nobody_reads_is_said():
    rows = [{**row, "Team Notes": "Ruby Rosewood is well"} for row in plans()]
    for row in rows:
        del row["cppl_cp_plan_initial_category"]
    data = as_csv(rows, lambda name: name.replace("_", " ").upper(), ";")
    proposal = propose(data, "plans.csv", SOURCES)
    text = " ".join(proposal.says)
    assert proposal.likenesses[0].source == "ssd_cp_plans"
    assert "looks like ssd_cp_plans: 4 of 5 columns; missing cppl_cp_plan_initial_category" in text
    assert "CPPL PERSON ID for cppl_person_id" in text
    assert "columns nobody reads: TEAM NOTES" in text
    assert "Dates look like yyyy-mm-dd" in text
    assert "with ; between fields" in text
    assert "riskflag sources --add ssd_cp_plans" in text
    assert not any(name in text for name in NAMES)


def test_parquet_is_recognised_by_its_columns():
    table = pa.table({name: [row[name] for row in plans()] for name in plans()[0]})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    proposal = propose(sink.getvalue(), "x.bin", SOURCES)
    assert (proposal.form, proposal.likenesses[0].source) == ("parquet", "ssd_cp_plans")


def test_an_xml_return_is_recognised_by_its_elements():
    text = (
        "<Message><Children><Child><ChildIdentifiers><LAchildID>c1</LAchildID></ChildIdentifiers>"
        "<CINdetails><CINreferralDate>2025-04-02</CINreferralDate></CINdetails></Child></Children>"
        "</Message>"
    )
    proposal = propose(text.encode(), "return.xml", SOURCES)
    told = {one.source: one for one in proposal.likenesses}
    assert proposal.form == "xml"
    assert "cin_census_cp_plans" not in told
    assert "c1" not in " ".join(proposal.says)
    refused = propose(b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "x.xml", SOURCES)
    assert "document type" in " ".join(refused.says)


@pytest.mark.parametrize(
    ("folder", "name", "source", "form"),
    [
        ("d2i-903-fake", "missing.csv", "ssda903_missing", "csv"),
        ("d2i-cs-demand-sample", "2018-episodes.csv", "ssda903_episodes", "csv"),
        ("d2i-cin-fake", "CIN_Census_2026.xml", "cin_census_referrals", "xml"),
        ("d2i-903-fake", "fake_903.xml", "ssda903xml_episodes", "xml"),
        ("liia-annexa-sample", "Annex_A.xlsx", "annex_a_contacts", "xlsx"),
        ("ssni-linked-admin-example", "pas.csv", "ni_pas", "csv"),
    ],
)
def test_published_files_are_recognised(folder, name, source, form):
    data = (shared_data(folder) / name).read_bytes()
    proposal = propose(data, "unknown", SOURCES)
    assert proposal.form == form
    assert source in {one.source for one in proposal.likenesses if one.share == 1.0}


@pytest.mark.parametrize(
    "data",
    [
        b"Maisie,Example,14/05/2011,F\nRuby,Rosewood,01/02/2012,F\n",
        b"Maisie,Example,9434765919\nRuby,Rosewood,9990000018\n",
        b"Maisie,Example\nRuby,Rosewood\n",
        b"Ruby,Rosewood,1\nMaisie,Ruby,2\n",
        b"A1,Maisie,,Example\nA2,Ruby,14/05/2011,Rosewood\n",
    ],
)
def test_a_first_line_of_data_is_never_shown(data, tmp_path, capsys):
    """Without a header, names of people would stand where names of columns do."""
    folder = tmp_path / "w"
    assert run(["init", str(folder)]) == 0
    (folder / "landing" / "list.csv").write_bytes(data)
    assert run(["ingest", "--workspace", str(folder), "--dry-run"]) == 0
    assert run(["ingest", "--workspace", str(folder), "--dry-run", "--json"]) == 0
    shown = capsys.readouterr()
    assert "may be data" in " ".join(shown.out.split())
    for word in ("Maisie", "Example", "Ruby", "Rosewood", "9434765919", "14/05/2011"):
        assert word not in shown.out + shown.err
    command = ["ingest", "--workspace", str(folder), "--dry-run", "--write-source", "my_list"]
    assert run(command) == 40
    assert list((folder / "sources").iterdir()) == []


def test_what_is_neither_table_nor_xml_nor_workbook_is_told():
    for data in (b"", b"just words", b"\x00\x01\x02\x03" * 50, b"PAR1 not so"):
        proposal = propose(data, "x.bin", SOURCES)
        assert proposal.likenesses == ()
        assert "nobody can tell" in proposal.says[0]
    broken = propose(b"PK\x03\x04 not a workbook", "x.xlsx", SOURCES)
    assert "cannot be read as an Excel workbook" in broken.says[0]


LIST = (
    "Case No,Child Ref,Date of Birth,Went Missing,Found,Area\n"
    "M1,C7,14/05/2011,02/01/2026,03/01/2026,North\n"
    "M2,C7,14/05/2011,20/01/2026,,North\n"
)


@pytest.fixture
def unknown(tmp_path):
    """A new workspace with one file that nobody takes."""
    folder = tmp_path / "w"
    assert run(["init", str(folder)]) == 0
    (folder / "landing" / "missing-2026-03.csv").write_text(LIST)
    return folder


def test_a_source_written_from_a_file_loads_that_file(unknown, capsys):
    """From unknown to loaded without an editor: guesses are marked, nothing is in the history."""
    command = ["ingest", "--workspace", str(unknown), "--dry-run"]
    assert run([*command, "--write-source", "missing_list"]) == 0
    assert "missing_list.toml" in capsys.readouterr().out.replace("\n", "")
    assert not (unknown / "history").exists()
    path = unknown / "sources" / "missing_list.toml"
    assert "CHECK" in path.read_text()
    assert not any(value in path.read_text() for value in ("14/05/2011", "C7", "M1", "North"))
    source = load_source(path)
    [entry] = source.contact
    assert (entry.type, entry.record_id, entry.subject.column, entry.occurred.column) == (
        "missing.episode",
        ["Case No"],
        "Child Ref",
        "Went Missing",
    )
    assert entry.ended.column == "Found"
    assert source.files.pattern == ["missing-*.csv"]
    assert source.person[0].birth.column == "Date of Birth"
    capsys.readouterr()
    assert run(["ingest", "--workspace", str(unknown), "--json"]) == 0
    [file] = json.loads(capsys.readouterr().out)["files"]
    assert (file["rows"], file["accepted"], file["contacts"]) == (2, 2, 2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--write-source", "my_list"], "goes with --dry-run"),
        (["--dry-run", "--write-source", "My List"], "small letters"),
        (["--dry-run", "--write-source", "taken"], "there already"),
    ],
)
def test_a_source_is_not_written_over_or_blindly(unknown, capsys, arguments, words):
    (unknown / "sources" / "taken.toml").write_text(
        (SHIPPED_SOURCES / "generic.toml").read_text().replace('"generic"', '"taken"')
    )
    assert run(["ingest", "--workspace", str(unknown), *arguments]) == 40
    assert words in " ".join(capsys.readouterr().err.split())


def test_of_two_unknown_files_none_is_chosen(unknown, capsys):
    (unknown / "landing" / "other.csv").write_text("a,b\n1,2\n")
    command = ["ingest", "--workspace", str(unknown), "--dry-run", "--write-source", "x"]
    assert run(command) == 40
    assert "2 files that no source takes" in " ".join(capsys.readouterr().err.split())


def test_a_file_that_is_held_for_its_columns_gets_a_proposal_too(tmp_path):
    workspace = Workspace.create(tmp_path / "w", "Test")
    text = (SHIPPED_SOURCES / "ssda903_reviews.toml").read_text().replace("reviews.csv", "*.csv")
    (workspace.sources_dir / "ssda903_reviews.toml").write_text(text)
    (workspace.landing / "m.csv").write_text(
        "CHILD,DOB,MISSING,MIS_START,MIS_END\nc,01/01/2015,M,01/02/2024,\n"
    )
    from riskflag.history.loading.ingest import ingest

    report = ingest(workspace, dry_run=True)
    assert [file.reason for file in report.files] == ["missing_column"]
    assert report.proposals[0].likenesses[0].source == "ssda903_missing"
