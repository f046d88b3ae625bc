"""Scope in_year_or_open: a closed row may leave the file, an open one that is gone is withdrawn."""

from __future__ import annotations

import datetime as dt

from riskflag.history.loading.ingest import ingest
from riskflag.history.schema import CONTACT, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.workspace import Workspace

SOURCE = """
name = "care"
title = "Care"
agency = "social_care"

[files]
pattern = "care.csv"

[delivery]
scope = "in_year_or_open"

[[contact]]
type = "care.placement"
record_id = ["id"]
subject = { column = "child" }
occurred = { column = "from" }
ended = { column = "to" }

[[contact]]
type = "care.looked_after"
record_id = ["id"]
subject = { column = "child" }
occurred = { column = "from" }
"""
FIRST = "id,child,from,to\n1,a,2024-01-01,\n2,b,2024-01-01,2024-02-01\n3,c,2024-01-01,\n"


def contacts(workspace):
    table = conform(HistoryStore(workspace.history).read("contact"), CONTACT)
    return {(row["person_id"], row["type"], row["version"]): row["op"] for row in table.to_pylist()}


def delivered(tmp_path, *texts):
    """A workspace that got these files one day after another, and the last report."""
    workspace = Workspace.create(tmp_path / "w", "Test")
    (workspace.sources_dir / "care.toml").write_text(SOURCE)
    for number, text in enumerate(texts):
        folder = workspace.landing / (dt.date(2024, 4, 1) + dt.timedelta(number)).isoformat()
        folder.mkdir()
        (folder / "care.csv").write_text(text)
    return workspace, ingest(workspace)


def test_all_that_an_open_row_made_is_withdrawn_and_a_closed_row_is_kept(tmp_path):
    second = "id,child,from,to\n3,c,2024-01-01,2024-03-31\n"
    workspace, _ = delivered(tmp_path, FIRST, second)
    assert contacts(workspace) == {
        ("a", "care.placement", 1): "assert",
        ("a", "care.placement", 2): "retract",
        ("a", "care.looked_after", 1): "assert",
        ("a", "care.looked_after", 2): "retract",
        ("b", "care.placement", 1): "assert",
        ("b", "care.looked_after", 1): "assert",
        ("c", "care.placement", 1): "assert",
        ("c", "care.placement", 2): "assert",
        ("c", "care.looked_after", 1): "assert",
    }


def test_a_row_that_comes_back_is_asserted_again(tmp_path):
    second = "id,child,from,to\n3,c,2024-01-01,\n"
    workspace, report = delivered(tmp_path, FIRST, second, FIRST + "4,d,2024-03-01,\n")
    assert contacts(workspace)["a", "care.placement", 3] == "assert"
    assert all(file.balanced for file in report.files)


def test_a_delivery_with_a_row_that_cannot_be_read_withdraws_nothing(tmp_path):
    second = "id,child,from,to\n3,c,2024-01-01,2024-03-31\n4,d\n"
    workspace, report = delivered(tmp_path, FIRST, second)
    assert "retract" not in contacts(workspace).values()
    assert report.notes
