"""Files that somebody else published, by the real commands: nothing dropped, every line found."""

from __future__ import annotations

import collections
import csv
import datetime as dt
import html
import json
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from riskflag.cli import run
from riskflag.history.schema import CONTACT, conform
from riskflag.history.store.parquet_store import HistoryStore
from tests.shared_data import shared_data

LANDED = "2024-01-02"
NIGHTS = ("2020-01-01", "2023-01-01")
#: Every table with a date: its person column, the column of the day and that of the end.
NI_EVENTS = {
    "dental.csv": ("id_hcn", "AcceptanceDate"),
    "niraes.csv": ("id_hcn", "arrive_niraes"),
    "pas.csv": ("id_hcn", "X03ADMIT_DATE"),
    "soscare-care.csv": ("id_hcn", "DATE_OPENED"),
    "soscare-need.csv": ("id_hcn", "DATE_INIT_ASSESS"),
    "soscare-prot.csv": ("id_hcn", "date_regd"),
    "soscare-refer.csv": ("id_hcn", "date_referred"),
    "symphony.csv": ("id_hcn", "arrive_symp"),
}
NI_FILES = {
    **dict.fromkeys(NI_EVENTS, 20_000),
    "gp.csv": 20_000,
    **{
        f"nimats-{part}.csv": 15_000
        for part in ("bfeed", "delivery", "infant", "obst", "parenting", "postnatal", "refer")
    },
}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as lines:
        return list(csv.DictReader(lines))


def british(day: str) -> dt.date:
    """A day as the 903 files write it."""
    return dt.date(*map(int, reversed(day.split("/"))))


def load(folder: Path, source: str, files: dict[str, Path]) -> Path:
    """A new workspace with the shipped sources and the files delivered, loaded by the commands."""
    assert run(["init", str(folder), "--authority", "Public example", "--source", source]) == 0
    landing = folder / "landing" / LANDED
    landing.mkdir(parents=True)
    for name, path in files.items():
        shutil.copyfile(path, landing / name)
    assert run(["ingest", "--workspace", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def ni_data() -> Path:
    return shared_data("ssni-linked-admin-example")


@pytest.fixture(scope="module")
def ni(ni_data, tmp_path_factory) -> Path:
    """The Northern Ireland set loaded, and scored for two nights."""
    files = {name: ni_data / name for name in NI_FILES}
    place = load(tmp_path_factory.mktemp("ni") / "w", "ni", files)
    for night in NIGHTS:
        assert run(["score", "--as-of", night, "--workspace", str(place)]) in (0, 10)
    return place


@pytest.fixture(scope="module")
def ni_contacts(ni) -> pa.Table:
    return conform(HistoryStore(ni / "history").read("contact"), CONTACT)


@pytest.fixture(scope="module")
def ni_rows(ni_data) -> dict[str, list[dict[str, str]]]:
    return {name: rows_of(ni_data / name) for name in NI_EVENTS}


def report(place: Path) -> dict:
    [path] = (place / "reports").glob("*.json")
    return json.loads(path.read_text())


def published(place: Path, night: str) -> tuple[Path, list[dict]]:
    [folder] = (place / "publications").glob(f"{night}-*")
    return folder, json.loads((folder / "flags.json").read_text())


def test_every_row_of_every_file_is_accounted_for(ni, ni_data):
    """Rows of the report = rows of the file, all accepted: nothing is dropped in silence."""
    told = {Path(file["name"]).name: file for file in report(ni)["files"]}
    assert told.keys() == NI_FILES.keys()
    assert {path.name for path in ni_data.glob("*.csv")} == NI_FILES.keys()
    for name, rows in NI_FILES.items():
        assert told[name]["rows"] == rows == len(rows_of(ni_data / name))
        parts = ("accepted", "duplicate", "superseded", "quarantined")
        assert sum(told[name][part] for part in parts) == rows
        assert told[name]["quarantined"] == 0
        assert told[name]["contacts"] == (rows if name in NI_EVENTS else 0)


def test_the_history_holds_each_event_once(ni_contacts, ni_rows):
    """160,000 contacts of 24,967 people: the same file, line, person and day as in the files."""
    assert ni_contacts.num_rows == 160_000
    assert len(pc.unique(ni_contacts["person_id"])) == 24_967
    listed = ni_contacts.select(["source_file", "source_line", "person_id", "occurred_on"])
    held = {
        (Path(row["source_file"]).name, row["source_line"], row["person_id"], row["occurred_on"])
        for row in listed.to_pylist()
    }
    theirs = {
        (name, line, row[NI_EVENTS[name][0]], dt.date.fromisoformat(row[NI_EVENTS[name][1]]))
        for name, rows in ni_rows.items()
        for line, row in enumerate(rows, start=2)
    }
    assert len(theirs) == 160_000
    assert held == theirs


def test_mothers_are_linked_by_the_maternity_key(ni, ni_data):
    """15,000 infants with their mothers, exactly as in the maternity tables."""
    held = HistoryStore(ni / "history").read("relationship")
    ours = set(zip(held["person_id"].to_pylist(), held["related_id"].to_pylist(), strict=True))
    rows = rows_of(ni_data / "nimats-infant.csv")
    assert ours == {(row["id_hcn_i"], row["id_hcn_m"]) for row in rows}
    assert len(ours) == 15_000


@pytest.mark.parametrize("night", NIGHTS)
def test_every_evidence_row_is_found_in_its_file(ni, ni_rows, night):
    """File, line, person and day on the flag are those of the line in the agency's file."""
    _, flags = published(ni, night)
    looked_up = 0
    for flag in flags:
        shown = {contact["contact_key"]: contact for contact in flag["contacts"]}
        for reason in flag["reasons"]:
            assert reason["contact_keys"] or reason["rests_on_absence"]
            assert shown.keys() >= set(reason["contact_keys"])
        for contact in shown.values():
            assert (ni / "landing" / contact["file"]).is_file()
            file = Path(contact["file"]).name
            person, day = NI_EVENTS[file]
            row = ni_rows[file][contact["line"] - 2]
            if contact["link"] == "self":
                assert row[person] == flag["person_id"]
            assert row[day] == contact["occurred_on"] < night
            assert contact["known_on"] < night
            looked_up += 1
    assert len(flags) > 50
    assert looked_up >= len(flags)


@pytest.mark.parametrize("night", NIGHTS)
def test_every_flag_has_a_page_that_names_its_lines(ni, night):
    """The printed page carries each record's day, file and line; the worklist each flag."""
    folder, flags = published(ni, night)
    worklist = (folder / "worklist.html").read_text()
    assert {path.stem for path in (folder / "flags").glob("*.html")} == {
        flag["flag_id"] for flag in flags
    }
    for flag in flags:
        assert flag["flag_id"] in worklist
        text = (folder / "flags" / f"{flag['flag_id']}.html").read_text()
        assert "<script" not in text
        words = html.unescape(re.sub(r"<[^>]+>", " ", text))
        words = " ".join(words.split())
        for contact in flag["contacts"]:
            assert contact["file"] in words
            assert re.search(rf"\b(line|row) {contact['line']:,}?\b|\b{contact['line']}\b", words)


def test_the_flags_of_a_night_match_a_count_made_from_the_files(ni, ni_rows):
    """A rule's number is recounted from the agencies' files alone, without riskflag."""
    night = dt.date(2023, 1, 1)
    _, flags = published(ni, "2023-01-01")
    recounted = 0
    plans = collections.Counter(
        row["id_hcn"]
        for row in ni_rows["soscare-prot.csv"]
        if dt.date.fromisoformat(row["date_regd"]) + dt.timedelta(days=7) < night
    )
    for flag in flags:
        for reason in flag["reasons"]:
            conditions = reason["rule"]["conditions"] if reason["rule"] else []
            for condition in conditions:
                if condition["signal"] == "protection_plans_ever":
                    assert condition["value"] == plans[flag["person_id"]]
                    recounted += 1
    assert recounted > 20


def test_verify_and_reproduce_hold_on_the_public_set(ni):
    """The night of a real set can be made again, byte for byte."""
    _, flags = published(ni, "2023-01-01")
    assert run(["verify", "--workspace", str(ni)]) == 0
    assert run(["reproduce", flags[0]["flag_id"], "--workspace", str(ni)]) == 0


@pytest.fixture(scope="module")
def looked_after(tmp_path_factory) -> Path:
    data = shared_data("d2i-903-fake")
    names = ("header", "episodes", "missing", "reviews")
    files = {f"{name}.csv": data / f"{name}.csv" for name in names}
    return load(tmp_path_factory.mktemp("903") / "w", "ssda903", files)


def test_the_903_episodes_are_the_lines_of_the_files(looked_after):
    """Missing and placement episodes: the child and the days of every line, none left out."""
    data = shared_data("d2i-903-fake")
    told = {Path(file["name"]).name: file for file in report(looked_after)["files"]}
    contacts = HistoryStore(looked_after / "history").read("contact").to_pylist()
    for name, start in (("missing.csv", "MIS_START"), ("episodes.csv", "DECOM")):
        rows = rows_of(data / name)
        file = told[name]
        parts = (file["accepted"], file["duplicate"], file["superseded"], file["quarantined"])
        assert file["rows"] == len(rows) == sum(parts)
        held = collections.Counter(
            (c["person_id"], c["occurred_on"])
            for c in contacts
            if c["source_line"] and Path(c["source_file"]).name == name and c["version"] == 1
        )
        theirs = {(row["CHILD"], british(row[start])) for row in rows}
        assert held.keys() == theirs
        lines = {c["source_line"]: c for c in contacts if Path(c["source_file"]).name == name}
        assert len(lines) == file["accepted"] > 40
        for line, contact in lines.items():
            row = rows[line - 2]
            assert contact["person_id"] == row["CHILD"]
            assert contact["occurred_on"].strftime("%d/%m/%Y") == row[start]
