"""`riskflag ingest` and `riskflag sources` as a person meets them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from riskflag.cli import run
from riskflag.history.declared.code_lists import code_list_names
from riskflag.history.declared.shipped import SHIPPED_SOURCES
from riskflag.history.declared.source_check import contact_types
from riskflag.history.declared.source_load import load_sources
from riskflag.history.files.sheet import REASONS
from riskflag.history.loading.quarantine import SAID

SOURCE = """name = "ed"
title = "Attendances"
agency = "ed"

[files]
pattern = "ed*.csv"

[[contact]]
type = "ed.attendance"
record_id = ["id"]
subject = { column = "person" }
occurred = { column = "day" }
"""


@pytest.fixture
def workspace(tmp_path):
    folder = tmp_path / "w"
    assert run(["init", str(folder)]) == 0
    (folder / "sources" / "ed.toml").write_text(SOURCE)
    (folder / "landing" / "ed.csv").write_text("id,person,day\n1,p1,2024-01-02\n2,p2,x\n")
    return folder


def test_a_dry_run_then_a_load_then_nothing_to_do(workspace, capsys):
    assert run(["ingest", "--workspace", str(workspace), "--dry-run"]) == 0
    assert "nothing was written" in capsys.readouterr().out
    assert not (workspace / "history").exists()
    assert run(["ingest", "--workspace", str(workspace)]) == 0
    assert "1 contact versions added" in capsys.readouterr().out
    assert run(["ingest", "--workspace", str(workspace), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["status"] == "known"


def test_each_kind_of_rejected_row_is_told_with_its_first_line_and_column(workspace, capsys):
    """In a dry run too, which keeps no rows to look at; never with what the rows hold."""
    text = "id,person,day\n1,p1,2024-01-02\n2,p2,secret\n3,p3,hidden\n4,p4\n5,p5,\n"
    (workspace / "landing" / "ed.csv").write_text(text)
    assert run(["ingest", "--workspace", str(workspace), "--dry-run"]) == 0
    told = capsys.readouterr().out
    for sentence in (
        "ed.csv line 3, column day: a day is not written as the source declares "
        "(bad_date 2, this is the first).",
        "ed.csv line 5: it has another number of fields than the header (field_count 1).",
        "ed.csv line 6, column day: it does not say on which day it happened (no_date 1).",
        "Have rows corrected where they come from",
    ):
        assert sentence in told
    assert "secret" not in told
    assert "hidden" not in told


def test_records_that_do_not_say_what_their_source_declares_are_told(workspace, capsys):
    """A blank outcome is unknown, not "nothing came of it": whoever loads it hears how often."""
    grade = '[contact.attributes]\noutcome = { column = "triage" }\n'
    (workspace / "sources" / "ed.toml").write_text(SOURCE + grade)
    text = "id,person,day,triage\n1,p1,2024-01-02,\n2,p2,2024-01-03,admitted\n"
    (workspace / "landing" / "ed.csv").write_text(text)
    assert run(["ingest", "--workspace", str(workspace)]) == 0
    assert re.search(r"ed\s+ed\.attendance\s+outcome\s+1\s+2\b", capsys.readouterr().out)


def test_every_reason_for_which_a_row_is_rejected_is_told_in_words():
    """Those of the reference page, all and no other."""
    page = Path("docs/reference/source-format.md").read_text(encoding="utf-8")
    listed = page.split("**Reasons a row is quarantined**: ")[1].split("They are kept in")[0]
    assert set(re.findall(r"`([a-z_]+)`", listed)) == set(SAID)
    assert set(REASONS[1:]) < set(SAID)


def test_what_a_load_keeps_of_people_is_readable_by_its_owner_only(workspace):
    """History, rejected rows, reports and deliveries, whatever the user's own setting is."""
    before = os.umask(0o022)
    try:
        assert run(["ingest", "--workspace", str(workspace)]) == 0
    finally:
        os.umask(before)
    kept = [workspace / name for name in ("history", "quarantine", "reports")]
    assert all(list(folder.iterdir()) for folder in kept)
    assert [folder.name for folder in kept if folder.stat().st_mode & 0o077] == []


def test_a_new_workspace_lets_nobody_else_read_what_is_delivered_into_it(tmp_path):
    before = os.umask(0o022)
    try:
        assert run(["init", str(tmp_path / "new")]) == 0
    finally:
        os.umask(before)
    assert (tmp_path / "new" / "landing").stat().st_mode & 0o077 == 0


def test_when_no_file_can_be_taken_it_says_so_and_exits_30(workspace, capsys):
    (workspace / "landing" / "ed.csv").write_text("a;b\n1;2\n")
    assert run(["ingest", "--workspace", str(workspace)]) == 30
    shown = capsys.readouterr()
    assert "no column day" in shown.out.replace("\n", " ")
    assert "No file could be taken" in shown.err


def test_a_mistake_in_a_source_is_one_sentence_with_its_line_and_exit_40(workspace, capsys):
    (workspace / "sources" / "ed.toml").write_text(SOURCE.replace("ed.attendance", "ed.visit"))
    assert run(["ingest", "--workspace", str(workspace)]) == 40
    assert "ed.toml line 9" in capsys.readouterr().err
    assert not (workspace / "history").exists()


def test_a_wrong_day_is_refused(workspace, capsys):
    assert run(["ingest", "--workspace", str(workspace), "--landed", "1/2/2024"]) == 40
    assert "landing day" in capsys.readouterr().err


def test_every_shipped_source_explains_itself(capsys):
    """Title, file, what a row becomes and its columns; a name nobody has is told."""
    listed = load_sources(SHIPPED_SOURCES)
    assert run(["sources", *(source.name for source in listed)]) == 0
    texts = re.split(r"\n(?=[a-z])", capsys.readouterr().out)
    assert len(texts) == len(listed) > 100
    for source, told in zip(listed, texts, strict=True):
        assert told.startswith(f"{source.name}: {source.title}\n")
        for entry in source.contact:
            assert all(name in told for name in contact_types(source, entry))
        assert all(column in told for column in source.columns())
        assert " ".join(source.notes.split()) in told
    assert run(["sources", "cin_census"]) == 0
    assert capsys.readouterr().out.count("\ncin_census_") == 8
    assert run(["sources", "no_such"]) == 40
    assert "no_such" in capsys.readouterr().err


def test_sources_are_listed_and_added(workspace, capsys):
    assert run(["sources"]) == 0
    assert "ssda903_missing" in capsys.readouterr().out
    assert run(["sources", "--workspace", str(workspace), "--add", "ssda903_missing"]) == 0
    assert (workspace / "sources" / "ssda903_missing.toml").is_file()
    assert run(["sources", "--add", "ssda903_missing"]) == 40
    assert run(["sources", "--workspace", str(workspace), "--add", "no_such"]) == 40


def test_the_page_of_sources_is_the_one_the_command_writes(capsys):
    """The catalogue in the documentation, every source and code list in it, is never stale."""
    assert run(["sources", "--markdown"]) == 0
    written = capsys.readouterr().out
    page = Path(__file__).resolve().parents[2] / "docs" / "reference" / "sources.md"
    assert page.read_text(encoding="utf-8") == written
    assert all(f"`{source.name}`" in written for source in load_sources(SHIPPED_SOURCES))
    assert all(f"`{name}`" in written for name in code_list_names())
