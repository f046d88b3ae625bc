"""Annex A workbooks, both years' headings, loaded with source declarations only."""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter

import pytest

from riskflag.errors import ConfigError
from riskflag.history.declared.shipped import copy_shipped
from riskflag.history.loading.ingest import ingest
from riskflag.history.schema import CONTACT, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.workspace import Workspace
from tests.shared_data import shared_data

KINDS = {
    "care.contact": 5,
    "early_help.episode": 5,
    "care.referral": 6,
    "care.assessment": 5,
    "care.s47": 5,
    "care.icpc": 3,
    "care.cp_plan": 6,  # of 7: one begins 339 days before its child was born
    "care.cin_plan": 5,
    # Of 5, 5, 5, 10 and 26: one child is said to have been looked after before being born.
    "care.looked_after": 4,
    "care.placement": 4,
    "care.review": 4,
    "care.visit": 9,
    "care.permanence": 21,
}
BEFORE_BIRTH = {
    f"annex_a_{name}": {"before_birth": 1} for name in ("adoption", "looked_after", "plans")
}
ODD = {"before_birth": 1, "person_not_resolved": 5}


def workspace_of(folder, *paths):
    workspace = Workspace.create(folder / "w", "Test")
    copy_shipped("annex_a", workspace.sources_dir)
    for number, path in enumerate(paths):
        landing = workspace.landing / dt.date(2021, 4, 1 + number).isoformat()
        landing.mkdir()
        shutil.copy(path, landing)
    return workspace


def contacts(workspace):
    return conform(HistoryStore(workspace.history).read("contact"), CONTACT).to_pylist()


def persons(workspace):
    return HistoryStore(workspace.history).read("person").to_pylist()


@pytest.mark.parametrize("name", ["Annex_A.xlsx", "Annex_A_2024_Jan.xlsx"])
def test_both_workbooks_give_every_row_of_eleven_lists(tmp_path, name):
    workspace = workspace_of(tmp_path, shared_data("liia-annexa-sample") / name)
    report = ingest(workspace)
    assert all(file.status == "loaded" and file.balanced for file in report.files)
    odd = {file.source: file.reasons for file in report.files if file.quarantined}
    assert odd == BEFORE_BIRTH
    assert (report.unmapped, report.issues) == ((), ODD)
    rows = contacts(workspace)
    assert Counter(row["type"] for row in rows) == KINDS
    said = {(row["type"], row["person_id"]): row for row in rows}
    contact = said["care.contact", "9212044"]
    assert (contact["occurred_on"], contact["category"]) == (dt.date(2020, 9, 16), "police")
    assert contact["source_line"] == 2
    assert said["care.referral", "4653765"]["role"] == "health"
    help_ = said["early_help.episode", "612306"]
    assert (help_["occurred_on"], help_["ended_on"]) == (
        dt.date(2020, 9, 16),
        dt.date(2020, 9, 30),
    )
    assert said["care.assessment", "10692868"]["seen"] == "yes"
    assert {row["outcome"] for row in rows if row["type"] == "care.icpc"} == {"plan"}
    plan = said["care.cp_plan", "5358472"]
    assert (plan["category"], plan["open_ended"]) == ("physical", True)
    people = {row["person_id"]: row for row in persons(workspace)}
    assert people["9212044"]["sex"] == "female"
    assert people["9212044"]["ethnicity"] == "WBRI"


def test_the_next_workbook_adds_nothing_that_is_the_same(tmp_path):
    data = shared_data("liia-annexa-sample")
    names = ("Annex_A.xlsx", "Annex_A_2024_Jan.xlsx")
    workspace = workspace_of(tmp_path, *(data / name for name in names))
    report = ingest(workspace)
    assert report.withdrawn == 0
    assert Counter(row["type"] for row in contacts(workspace)) == KINDS


def test_a_file_that_only_claims_to_be_a_workbook_is_held_for_every_list(tmp_path):
    path = tmp_path / "Annex_A.xlsx"
    path.write_text("Child Unique ID,Gender\n1,F\n")
    report = ingest(workspace_of(tmp_path, path))
    assert {(file.status, file.reason) for file in report.files} == {("held", "damaged")}
    assert len(report.files) == 11


def test_a_map_key_that_is_no_pattern_is_told_with_its_file(tmp_path):
    path = tmp_path / "Annex_A.xlsx"
    path.write_text("x")
    workspace = workspace_of(tmp_path, path)
    source = workspace.sources_dir / "annex_a_s47.toml"
    source.write_text(source.read_text() + "'~(' = \"plan\"\n")
    with pytest.raises(ConfigError, match=r"annex_a_s47\.toml line [0-9]+: maps\.plan"):
        ingest(workspace)
