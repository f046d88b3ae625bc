"""The shipped sources read a borough completely: nothing unmapped, nothing refused."""

from __future__ import annotations

import shutil

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from riskflag.history.declared.shipped import copy_shipped
from riskflag.history.loading.ingest import ingest
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.synth import SOURCES
from riskflag.workspace import Workspace


@pytest.fixture(scope="module")
def loaded(borough, tmp_path_factory):
    """The borough's files ingested by the shipped sources: (workspace, load report)."""
    workspace = Workspace.create(tmp_path_factory.mktemp("borough-ws") / "w", "Synthetic Borough")
    for name in SOURCES:
        copy_shipped(name, workspace.sources_dir)
    shutil.copytree(borough.landing, workspace.landing, dirs_exist_ok=True)
    return workspace, ingest(workspace)


def test_every_row_is_accounted_for_and_none_refused(loaded):
    """No file is held or unclaimed, no row is quarantined, no code is unmapped."""
    _, report = loaded
    read = [file for file in report.files if file.status == "loaded"]
    assert len(read) > 100
    assert all(file.status in ("loaded", "known") for file in report.files)
    assert report.unclaimed == ()
    assert report.unmapped == ()
    for file in read:
        assert file.quarantined == 0
        assert file.balanced


def test_contacts_that_find_nobody_are_those_with_planned_identifier_errors(loaded, borough):
    """A contact without a person had a missing, wrong or unmatched identifier."""
    workspace, report = loaded
    errors = pq.read_table(borough.truth / "record_errors.parquet")
    planned = errors.filter(pc.starts_with(errors["error"], "identifier")).num_rows
    assert report.unlinked > 0
    loose_share = report.unlinked / report.new_versions
    assert loose_share < 0.04
    assert planned > 0.3 * report.unlinked
    history = HistoryStore(workspace.history).load()
    assert history.contacts.num_rows > 10_000


def test_linked_people_reach_the_child(loaded):
    """A mother's and a sibling's contacts are seen from the child."""
    workspace, _ = loaded
    links = set(HistoryStore(workspace.history).load().contacts["link"].unique().to_pylist())
    assert {"self", "mother", "sibling", "household_adult"} <= links
