"""Three terms of the public school census sample, loaded with source declarations only."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
from collections import Counter

import pyarrow.compute as pc
import pytest

from riskflag.history.declared.shipped import copy_shipped
from riskflag.history.loading.ingest import ingest
from riskflag.history.schema import CONTACT, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.workspace import Workspace
from tests.shared_data import shared_data

TERMS = {
    "2024_autumn": dt.date(2025, 1, 31),
    "2025_spring": dt.date(2025, 5, 31),
    "2025_summer": dt.date(2025, 8, 15),
}


@pytest.fixture(scope="module")
def census(tmp_path_factory):
    """The folder of the files, the workspace they were loaded into, and the load report."""
    data = shared_data("liia-school-census-sample")
    workspace = Workspace.create(tmp_path_factory.mktemp("census") / "w", "Test")
    copy_shipped("school_census", workspace.sources_dir)
    for term, day in TERMS.items():
        landing = workspace.landing / day.isoformat()
        landing.mkdir()
        for path in data.glob(f"{term}_*.csv"):
            shutil.copy(path, landing)
    return data, workspace, ingest(workspace)


def exclusions(data):
    """Every exclusion row of the files: pupil, category, first reason."""
    for path in sorted(data.glob("*termlyexclusions*.csv")):
        with path.open(newline="") as stream:
            for row in csv.DictReader(stream):
                yield next(iter(row.values())), row["category"], row["reason1"]


def test_every_dated_exclusion_becomes_one_contact_of_its_pupil(census):
    data, workspace, report = census
    rows = conform(HistoryStore(workspace.history).read("contact"), CONTACT)
    per_pupil = Counter(rows.column("person_id").to_pylist())
    assert rows.num_rows == 32_656
    assert len(per_pupil) == 4_798
    assert max(per_pupil.values()) == 34
    assert per_pupil == Counter(pupil for pupil, _, _ in exclusions(data))
    categories = Counter(category for _, category, _ in exclusions(data))
    assert Counter(rows.column("type").to_pylist()) == {
        "school.permanent_exclusion": categories["PERM"],
        "school.suspension": categories["FIXD"] + categories["LNCH"] + categories["SUSP"],
    }
    bullied = rows.filter(pc.equal(rows.column("category").cast("string"), "bullying_displayed"))
    assert bullied.num_rows == sum(reason == "BU" for _, _, reason in exclusions(data)) > 1_000
    assert report.unmapped == ()
    assert set(report.issues) <= {"person_conflict"}
    assert all(file.balanced and file.quarantined == 0 for file in report.files)


def test_sums_of_a_term_are_named_as_unclaimed_and_make_no_contact(census):
    """What no source takes is said, not passed over."""
    _, _, report = census
    assert {name.split("/")[1].split("_", 2)[2] for name in report.unclaimed} >= {
        "termlysessiondetailsonroll.csv",
        "summerhalfterm2sessiondetailsonroll.csv",
    }
    assert {file.name.split("_")[-1] for file in report.files} == {
        "pupilonroll.csv",
        "pupilnolongeronroll.csv",
        "termlyexclusionsonroll.csv",
        "termlyexclusionsoffroll.csv",
    }


def test_every_pupil_is_a_child_with_a_pupil_number(census):
    data, workspace, _ = census
    said = {}
    for path in data.glob("*pupil*roll.csv"):
        with path.open(newline="") as stream:
            said |= {row["upn"]: next(iter(row.values())) for row in csv.DictReader(stream)}
    identifiers = HistoryStore(workspace.history).read("identifier").to_pylist()
    assert {(row["value"], row["person_id"]) for row in identifiers} == set(said.items())
    assert len(said) == 9_938
    children = HistoryStore(workspace.history).load().children(dt.date(2025, 8, 31))
    assert set(said.values()) == set(children)


def test_the_same_terms_again_say_nothing_new(census):
    _, workspace, _ = census
    report = ingest(workspace)
    assert (report.batches, report.new_versions) == ((), 0)
