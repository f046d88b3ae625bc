"""Files that others published, loaded with source declarations only: exact counts, nothing lost."""

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

LANDED = dt.date(2024, 3, 31)
YEARS = (2017, 2018, 2019, 2020, 2021)
EVENT_FILES = {
    "niraes.csv": "ed.attendance",
    "symphony.csv": "ed.attendance",
    "pas.csv": "hospital.admission",
    "dental.csv": "dental.treatment",
    "soscare-refer.csv": "care.referral",
    "soscare-need.csv": "care.assessment",
    "soscare-prot.csv": "care.cp_plan",
    "soscare-care.csv": "care.looked_after",
}


def loaded(folder, data, family):
    workspace = Workspace.create(folder, "Test")
    copy_shipped(family, workspace.sources_dir)
    landing = workspace.landing / LANDED.isoformat()
    landing.mkdir()
    for path in data.glob("*.csv"):
        shutil.copy(path, landing)
    return workspace, ingest(workspace)


@pytest.fixture(scope="module")
def northern_ireland(tmp_path_factory):
    data = shared_data("ssni-linked-admin-example")
    folder = tmp_path_factory.mktemp("ni") / "w"
    return (data, *loaded(folder, data, "ni"))


def test_northern_ireland_loads_whole_and_the_counts_are_those_of_the_files(northern_ireland):
    data, workspace, report = northern_ireland
    history = HistoryStore(workspace.history).load()
    own = once(history.contacts.filter(pc.equal(history.contacts.column("link"), "self")))
    assert own.num_rows == 160_000
    assert pc.count_distinct(own.column("person_id").cast("string")).as_py() == 24_967
    assert report.unclaimed == ()
    assert all(file.balanced and file.quarantined == 0 for file in report.files)
    per_file = Counter(own.column("source_file").to_pylist())
    assert per_file == {f"{LANDED}/{name}": 20_000 for name in EVENT_FILES}
    assert {(f.rows, f.accepted) for f in report.files if f.contacts} == {(20_000, 20_000)}
    assert report.issues["end_before_start"] == _ends_before_start(data)
    assert set(own.column("known_basis").to_pylist()) == {"assumed_lag"}


def once(contacts):
    """One row per contact: what a first load brought with its end stands as open, then as ended."""
    last = {key: row for row, key in enumerate(contacts.column("contact_key").to_pylist())}
    return contacts.take(sorted(last.values()))


def _ends_before_start(data):
    pairs = {
        "niraes.csv": ("arrive_niraes", "dept_nirases"),
        "symphony.csv": ("arrive_symp", "dept_symp"),
        "soscare-refer.csv": ("date_referred", "date_closed"),
        "soscare-prot.csv": ("date_regd", "date_removed"),
        "dental.csv": ("AcceptanceDate", "CompletionDate"),
    }
    total = 0
    for name, (begins, ends) in pairs.items():
        with (data / name).open(newline="") as stream:
            total += sum(row[ends] < row[begins] for row in csv.DictReader(stream))
    return total


def test_every_northern_ireland_contact_is_found_in_its_file_by_line(northern_ireland):
    data, workspace, _ = northern_ireland
    columns = ["source_file", "source_line", "person_id", "occurred_on", "type"]
    table = conform(HistoryStore(workspace.history).read("contact", columns=columns), CONTACT)
    days = {"niraes.csv": 1, "soscare-prot.csv": 1, "pas.csv": 1, "soscare-care.csv": 4}
    for name, place in days.items():
        lines = (data / name).read_text().splitlines()
        rows = table.filter(pc.equal(table.column("source_file"), f"{LANDED}/{name}")).to_pylist()
        assert len(rows) == 20_000
        for row in rows:
            cells = lines[row["source_line"] - 1].split(",")
            assert (cells[0], cells[place]) == (row["person_id"], row["occurred_on"].isoformat())
            assert row["type"] == EVENT_FILES[name]


def test_northern_irish_mothers_are_adults_whose_contacts_reach_their_children(northern_ireland):
    data, workspace, report = northern_ireland
    history = HistoryStore(workspace.history).load()
    assert report.relationships == 15_000
    children = history.children(dt.date(2020, 1, 1))
    assert len(children) > 10_000
    assert all(name.endswith("c") for name in children)
    links = Counter(history.contacts.column("link").to_pylist())
    assert links["mother"] > 50_000
    assert set(links) == {"self", "mother"}
    with (data / "gp.csv").open(newline="") as stream:
        said = {}
        for row in csv.DictReader(stream):
            said.setdefault(row["id_hcn"], set()).add((row["dob_yr"], row["dob_mn"]))
    conflicts = {name for name, births in said.items() if len(births) > 1}
    births = dict(
        zip(
            history.persons.column("person_id").to_pylist(),
            history.persons.column("birth_day").to_pylist(),
            strict=True,
        )
    )
    assert all(births[name] is None for name in conflicts)
    assert all(births[name] is not None for name in set(said) - conflicts)
    assert report.issues["person_conflict"] == len(conflicts)


def test_the_looked_after_return_loads_with_every_row_accounted_for(tmp_path):
    data = shared_data("d2i-903-fake")
    workspace, report = loaded(tmp_path / "w", data, "ssda903")
    files = {file.name.split("/")[1]: file for file in report.files}
    assert {name: file.rows for name, file in files.items()} == {
        "header.csv": 2_675,
        "episodes.csv": 5_050,
        "missing.csv": 43,
        "reviews.csv": 12_582,
        "oc2.csv": 2_675,
        "oc3.csv": 53,
        "ad1.csv": lines(data / "ad1.csv"),
        "placed_for_adoption.csv": lines(data / "placed_for_adoption.csv"),
        "previous_permanence.csv": lines(data / "previous_permanence.csv"),
        "uasc.csv": 132,
        "sw_episodes.csv": 1,
        "DoLo.csv": 1,
    }
    assert all(file.balanced and file.quarantined == 0 for file in files.values())
    errors = "placed_for_adoption_errors.csv"
    assert [name.split("/")[1] for name in report.unclaimed] == [errors]
    history = HistoryStore(workspace.history).load()
    contacts = once(history.contacts)
    types = Counter(contacts.column("type").to_pylist())
    with (data / "episodes.csv").open(newline="") as stream:
        reasons = Counter(row["RNE"] for row in csv.DictReader(stream))
    assert types["care.looked_after"] == reasons["S"]
    assert types["care.legal_change"] == reasons["L"] + reasons["B"] + reasons["U"]
    assert types["care.placement"] == 5_050 - reasons["L"]
    assert types["missing.episode"] == 43
    missing = contacts.filter(pc.equal(contacts.column("type").cast("string"), "missing.episode"))
    assert Counter(missing.column("category").to_pylist()) == {
        "away_without_authorisation": 24,
        "missing": 19,
    }
    identifiers = HistoryStore(workspace.history).read("identifier")
    assert identifiers.num_rows == 2_675
    assert pc.sum(identifiers.column("check_ok").cast("int64")).as_py() == 107


def lines(path):
    with path.open(newline="") as stream:
        return sum(1 for _ in csv.DictReader(stream))


def episodes(path):
    with path.open(newline="") as stream:
        rows = csv.DictReader(stream)
        return {"|".join((r["CHILD"], r["DECOM"], r["RNE"])): r["DEC"] for r in rows}


@pytest.fixture(scope="module")
def five_years(tmp_path_factory):
    """The five yearly returns loaded in order: the files' folder, contacts, and the report."""
    data = shared_data("d2i-cs-demand-sample")
    workspace = Workspace.create(tmp_path_factory.mktemp("five") / "w", "Test")
    copy_shipped("ssda903", workspace.sources_dir)
    for year in YEARS:
        folder = workspace.landing / returned(year).isoformat()
        folder.mkdir()
        for name in ("header", "episodes", "missing", "reviews"):
            shutil.copy(data / f"{year}-{name}.csv", folder / f"{name}.csv")
    report = ingest(workspace)
    rows = conform(HistoryStore(workspace.history).read("contact"), CONTACT).to_pylist()
    return data, [row for row in rows if row["source"] == "ssda903_episodes"], report


def returned(year):
    return dt.date(year + 1, 4, 1)


def replayed(rows, day):
    """Record and end of every episode as known on a day."""
    last = {}
    for row in sorted(rows, key=lambda row: row["version"]):
        if row["known_on"] <= day and row["type"] != "care.looked_after":
            last[row["record_id"], row["type"]] = row
    return {
        row["record_id"]: row["ended_on"].strftime("%d/%m/%Y") if row["ended_on"] else ""
        for row in last.values()
        if row["op"] == "assert"
    }


def test_the_second_yearly_return_adds_corrects_keeps_and_withdraws(five_years):
    """A closed episode leaves the next return; only one that was still open has really gone."""
    data, rows, _ = five_years
    second = [row for row in rows if row["known_on"] == returned(2018)]
    by_kind = {
        kind: {row["record_id"] for row in second if is_of(row)}
        for kind, is_of in {
            "changed": lambda row: row["op"] == "assert" and row["version"] > 1,
            "new": lambda row: row["op"] == "assert" and row["version"] == 1,
            "gone": lambda row: row["op"] == "retract",
        }.items()
    }
    assert {kind: len(records) for kind, records in by_kind.items()} == {
        "changed": 346,
        "new": 628,
        "gone": 88,
    }
    first, then = episodes(data / "2017-episodes.csv"), replayed(rows, returned(2018))
    kept = {record for record in first if record in then} - by_kind["changed"]
    assert len(kept) == 1_026
    assert all(first[record] and first[record] == then[record] for record in kept)
    withdrawn = [row for row in second if row["op"] == "retract"]
    types = {"care.placement", "care.looked_after"}
    assert types <= {row["type"] for row in withdrawn}, "all that an open row made goes with it"


def test_every_year_loads_and_what_was_known_before_stays_as_it_was(five_years):
    """Sets that shrink from year to year are not held, and no later return rewrites an earlier."""
    data, rows, report = five_years
    assert {file.status for file in report.files} == {"loaded"}
    assert all(file.balanced and file.quarantined == 0 for file in report.files)
    assert replayed(rows, returned(2017)) == episodes(data / "2017-episodes.csv")
    for year in YEARS[1:]:
        said, known = episodes(data / f"{year}-episodes.csv"), replayed(rows, returned(year))
        before = replayed(rows, returned(year - 1))
        kept = {record: end for record, end in before.items() if end and record not in said}
        assert known == kept | said
        assert kept
