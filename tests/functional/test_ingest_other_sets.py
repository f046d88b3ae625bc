"""Published sets of other shapes: loaded with source files and a vocabulary, no line of Python."""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from riskflag.history.loading.ingest import ingest
from riskflag.history.schema import CONTACT, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.workspace import Workspace
from tests.shared_data import shared_data

DECLARED = Path(__file__).resolve().parents[1] / "public_sources"
LANDED = dt.date(2022, 10, 16)


def workspace_for(folder, name, day=LANDED):
    workspace = Workspace.create(folder / "w", "Test")
    shutil.copytree(DECLARED / name / "sources", workspace.sources_dir, dirs_exist_ok=True)
    shutil.copy(DECLARED / name / "vocabulary.toml", workspace.root)
    landing = workspace.landing / day.isoformat()
    landing.mkdir()
    return workspace, landing


def contacts(workspace):
    return conform(HistoryStore(workspace.history).read("contact"), CONTACT)


def test_two_agencies_without_a_shared_identifier_load_whole_and_wait_to_be_linked(tmp_path):
    data = shared_data("sf-family-context-sample")
    workspace, landing = workspace_for(tmp_path, "family_context")
    for name in ("csc.csv", "education.csv"):
        shutil.copy(data / name, landing)
    report = ingest(workspace)
    told = {f.source: (f.rows, f.accepted, f.quarantined, f.contacts) for f in report.files}
    assert told == {"family_csc": (500, 500, 0, 500), "family_education": (500, 500, 0, 500)}
    assert report.unmapped == ()
    assert (report.unlinked, report.issues["person_not_resolved"]) == (500, 500)
    found = contacts(workspace)
    linked = Counter(
        zip(
            found.column("source").to_pylist(),
            found.column("person_id").is_valid().to_pylist(),
            strict=True,
        )
    )
    assert linked == {("family_csc", True): 500, ("family_education", False): 500}
    people = HistoryStore(workspace.history).read("person")
    assert people.num_rows == 500
    assert set(people.column("sex").to_pylist()) == {"male", "female", None}


def students(folder, count=None):
    """A workspace with the first `count` events (None: all) and what the file says of them."""
    data = shared_data("oulad")
    workspace, landing = workspace_for(folder, "oulad", dt.date(2016, 1, 1))
    events = pq.read_table(data / "events.parquet").slice(0, count)
    cohort = pq.read_table(data / "cohort.parquet")
    if count is not None:
        mine = pc.is_in(cohort.column("enrolment_id").cast("int32"), events.column("enrolment_id"))
        cohort = cohort.filter(mine)
    pq.write_table(events, landing / "events.parquet")
    pq.write_table(cohort, landing / "cohort.parquet")
    return workspace, events, cohort


def brought_along(cohort):
    """What the rows of week 2 tell of each student."""
    first = cohort.filter(pc.equal(cohort.column("week"), 2))
    known = pc.sum(pc.is_valid(first.column("imd_band")).cast("int64")).as_py()
    every = ("course.education", "course.earlier_attempts", "course.credits")
    return {**dict.fromkeys(every, first.num_rows), "course.home_area": known}


def check_students(workspace, events, cohort):
    """Every event is a record of its enrolment, known when the file says."""
    report = ingest(workspace)
    told = {f.source: (f.rows, f.accepted, f.quarantined) for f in report.files}
    assert told == {
        "oulad_events": (events.num_rows, events.num_rows, 0),
        "oulad_cohort": (cohort.num_rows, cohort.num_rows, 0),
    }
    assert report.unmapped == ()
    assert (report.unlinked, report.unclaimed) == (0, ())
    found = contacts(workspace)
    kinds = Counter(found.column("type").cast("string").to_pylist())
    said = Counter(events.column("event_type").cast("string").to_pylist())
    having = {
        f"course.submission_{name}": pc.sum(pc.is_valid(events.column(column)).cast("int64"))
        for name, column in (("delay", "days_late"), ("weight", "weight"))
    }
    assert (
        kinds
        == Counter(
            {
                "course.registered": said["registered"],
                "course.unregistered": said["unregistered"],
                "course.submission": said["submission"],
                **{kind: count.as_py() for kind, count in having.items()},
                "course.missed_deadline": said["missed_deadline"],
                "course.clicks": said["pre_course_clicks"],
                "course.result": said["result"],
                **brought_along(cohort),
            }
        )
        - Counter()
    )
    by_record = {}
    of_events = found.filter(pc.equal(found.column("source").cast("string"), "oulad_events"))
    wanted = ["record_id", "person_id", "occurred_on", "known_on"]
    for row in of_events.select(wanted).to_pylist():
        by_record[row.pop("record_id")] = row
    columns = ["event_id", "enrolment_id", "event_time", "known_time"]
    for row in events.select(columns).slice(0, 2_000).to_pylist():
        assert by_record[str(row["event_id"])] == {
            "person_id": str(row["enrolment_id"]),
            "occurred_on": row["event_time"].date(),
            "known_on": max(row["known_time"], row["event_time"]).date(),
        }


def test_students_records_load_with_the_days_they_could_be_known(tmp_path):
    check_students(*students(tmp_path, 20_000))


@pytest.mark.long
def test_all_students_records_load(tmp_path):
    workspace, events, cohort = students(tmp_path)
    check_students(workspace, events, cohort)
    assert (events.num_rows, cohort.num_rows) == (371_868, 195_457)
    own = contacts(workspace)
    assert pc.count_distinct(own.column("person_id").cast("string")).as_py() == 32_593
