"""`riskflag identity` as a data steward meets it, from two agencies' files to one history."""

from __future__ import annotations

import datetime as dt
import json
import shutil

import pytest

from riskflag.cli import run
from riskflag.clock import today
from riskflag.errors import LockedError
from riskflag.history.linkage import steward
from riskflag.history.linkage.people import People
from riskflag.history.store.parquet_store import HistoryStore
from tests.functional.family_context import LANDED, agree, load, rows
from tests.shared_data import shared_data


@pytest.fixture(scope="module")
def sample():
    return shared_data("sf-family-context-sample")


@pytest.fixture(scope="module")
def loaded(sample, tmp_path_factory):
    """Both agencies in a history, linked by the command."""
    workspace = load(tmp_path_factory.mktemp("sf") / "w", sample)
    assert identity(workspace, "link") == 0
    return workspace


@pytest.fixture
def workspace(loaded, tmp_path):
    """A private copy of the linked workspace."""
    shutil.copytree(loaded.root, tmp_path / "w")
    return type(loaded)(tmp_path / "w")


def identity(workspace, *words):
    return run(["identity", *words, "--workspace", str(workspace.root)])


def history(workspace):
    return HistoryStore(workspace.history).load()


def same_person(workspace, day):
    """Which social care id each school's record is at `day`, by the school's own id."""
    store = HistoryStore(workspace.history)
    own = {
        row["person_id"]: row["value"]
        for row in store.read("identifier").to_pylist()
        if row["person_id"].startswith("rf-")
    }
    seen = history(workspace)
    number = (day - dt.date(1970, 1, 1)).days
    keys = {}
    for row in store.read("contact").to_pylist():
        keys[row["contact_key"]] = own.get(row["person_id"])
    return {
        keys[row["contact_key"]]: row["person_id"]
        for row in seen.contacts.to_pylist()
        if keys[row["contact_key"]] and row["known_day"] < number <= row["superseded_day"]
    }


def test_two_agencies_without_a_shared_id_become_one_history(loaded, sample):
    """Of 500 and 500 at least 481 are one; none without two of name, family name and birth."""
    tomorrow = today() + dt.timedelta(days=1)
    before = same_person(loaded, LANDED + dt.timedelta(days=1))
    after = same_person(loaded, tomorrow)
    assert all(person.startswith("rf-") for person in before.values())
    linked = {own: who for own, who in after.items() if not who.startswith("rf-")}
    social = {row["Cms Id"]: row for row in rows(sample, "csc")}
    school = {row["Cms Id"]: row for row in rows(sample, "education")}
    whole = {
        own
        for own in linked
        if agree(social[linked[own]], school[own], "First Name", "Last Name", "Date Of Birth")
    }
    assert len(school) == 500
    assert len(linked) >= 481
    assert len(whole) >= 481
    for own in set(linked) - whole:  # a slip in one of the three
        pair = social[linked[own]], school[own]
        same = [agree(*pair, name) for name in ("First Name", "Last Name", "Date Of Birth")]
        assert sum(same) == 2
        assert agree(*pair, "Address")


def test_each_linked_child_counts_once_from_the_day_after(loaded):
    tomorrow = today() + dt.timedelta(days=1)
    seen = history(loaded)
    assert len(seen.children(LANDED + dt.timedelta(days=1))) == 1_000
    both = [
        row["person_id"]
        for row in seen.contacts.to_pylist()
        if row["superseded_day"] >= (tomorrow - dt.date(1970, 1, 1)).days
    ]
    assert len(both) - len(set(both)) >= 481


def waiting(workspace, capsys):
    capsys.readouterr()
    assert identity(workspace, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    return [line.split()[0] for line in lines if "for a steward" in line]


def test_the_queue_shows_no_name_until_a_steward_asks_for_one_pair(workspace, sample, capsys):
    items = waiting(workspace, capsys)
    assert len(items) >= 5
    identity(workspace, "list")
    listed = capsys.readouterr().out
    names = {row["First Name"] for row in rows(sample, "csc")}
    assert not [name for name in names if f" {name} " in listed]
    assert identity(workspace, "show", items[0], "--by", "steward 1") == 0
    shown = capsys.readouterr().out
    assert sum(f"given name {name}," in shown for name in names) >= 1
    assert "school_ref" in shown
    assert run(["verify", "--workspace", str(workspace.root)]) == 0
    assert "2 audit entries" in capsys.readouterr().out


def test_a_stewards_yes_is_kept_with_who_and_why_and_counts_from_the_next_day(workspace, capsys):
    [item, *_] = waiting(workspace, capsys)
    before = same_person(workspace, today())
    words = ("decide", item, "same", "--by", "steward 1", "--reason", "The school rang back")
    assert identity(workspace, *words) == 0
    assert "linked" in capsys.readouterr().out
    [row] = [r for r in HistoryStore(workspace.history).read("match").to_pylist() if r["reason"]]
    assert (row["decided_by"], row["decision"], row["version"]) == ("steward 1", "linked", 2)
    assert row["known_on"] == today()
    assert same_person(workspace, today()) == before
    after = same_person(workspace, today() + dt.timedelta(days=1))
    assert row["person_id"] in after.values()
    assert item not in waiting(workspace, capsys)


def test_a_stewards_no_is_final_for_the_machine(workspace, capsys):
    [item, *_] = waiting(workspace, capsys)
    words = ("decide", item, "different", "--by", "steward 1", "--reason", "Two cousins")
    assert identity(workspace, *words) == 0
    assert identity(workspace, "link") == 0
    assert item not in waiting(workspace, capsys)
    store = HistoryStore(workspace.history)
    last = [r for r in store.read("match").to_pylist() if r["match_key"].startswith(item)][-1]
    assert last["decision"] == "kept_apart"


def test_a_link_that_was_wrong_is_undone_and_the_days_between_stay_as_they_were(workspace):
    store = HistoryStore(workspace.history)
    row = next(r for r in store.read("match").to_pylist() if r["decision"] == "auto_linked")
    both = (row["person_id"], row["other_id"])
    before = same_person(workspace, today())
    tomorrow = today() + dt.timedelta(days=1)
    linked = same_person(workspace, tomorrow)
    assert row["other_id"] not in linked.values()
    assert identity(workspace, "unmerge", *both, "--reason", "Twins", "--by", "steward 1") == 0
    assert same_person(workspace, today()) == before
    assert row["other_id"] in same_person(workspace, tomorrow).values()
    assert identity(workspace, "merge", *both, "--reason", "One after all", "--by", "s") == 0
    assert same_person(workspace, tomorrow) == linked


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("merge", "nobody", "none"), 30, "holds no person"),
        (("decide", "ffffffffffff", "same"), 30, "There is no pair"),
        (("decide", "ffffffffffff", "perhaps"), 40, "same or different"),
        (("link", "--on", "2022-10-01"), 40, "cannot be known earlier"),
        (("link", "--on", "2999-01-01"), 40, "lies ahead"),
        (("link", "--first-load"), 40, "before anything was linked"),
    ],
)
def test_a_mistake_is_one_sentence(workspace, capsys, words, code, said):
    assert identity(workspace, *words) == code
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) == 1


def test_a_decision_without_a_reason_is_refused(workspace, capsys):
    [item, *_] = waiting(workspace, capsys)
    assert identity(workspace, "decide", item, "same") == 40
    assert "--reason" in capsys.readouterr().err


def test_a_decision_cannot_be_dated_before_a_published_night(workspace, capsys):
    night = workspace.publications / "2999-05-01-0123456789ab"
    night.mkdir(parents=True)
    assert identity(workspace, "link") == 40
    assert "publication" in capsys.readouterr().err
    night.rename(workspace.publications / f"{today()}-0123456789ab")
    assert identity(workspace, "link") == 0


def test_the_report_is_the_same_as_json(workspace, capsys):
    capsys.readouterr()
    assert identity(workspace, "link", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["records"] == 1_000
    assert (report["linked"], report["waiting"]) == (0, 0)


@pytest.mark.parametrize("at", ["__post_init__", "record"], ids=["reads", "writes"])
def test_of_two_stewards_who_decide_at_once_the_second_sees_what_the_first_said(
    workspace, capsys, monkeypatch, at
):
    """While one reads or writes the other is turned away; then the answer that stands is told."""
    item = waiting(workspace, capsys)[0]
    owner = People if at == "__post_init__" else steward
    real, told = getattr(owner, at), []

    def interrupted(*args, **named):
        done = real(*args, **named)
        if not told:
            told.append(None)
            told[0] = identity(workspace, "decide", item, "same", "--by", "second", "--reason", "B")
        return done

    monkeypatch.setattr(owner, at, interrupted)
    first = ("decide", item, "different", "--by", "first", "--reason", "A")
    assert identity(workspace, *first) == 0
    assert told == [LockedError.exit_code]
    assert "Another run is working" in capsys.readouterr().err
    assert identity(workspace, "decide", item, "same", "--by", "second", "--reason", "B") == 30
    assert "kept the two apart" in capsys.readouterr().err
    rows_of = HistoryStore(workspace.history).read("match").to_pylist()
    said = [r["decided_by"] for r in rows_of if r["match_key"].startswith(item)]
    assert said == ["riskflag", "first"]
