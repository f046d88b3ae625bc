"""A feed whose ids nobody else knows, delivered again and again: ids stay, links hold."""

from __future__ import annotations

import datetime as dt

import pytest

from riskflag.cli import run
from riskflag.history.loading.ingest import ingest
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.workspace import Workspace

REGISTER = """name = "register"
title = "Register"
agency = "social_care"

[files]
pattern = "register*.csv"

[[person]]
id = { column = "id" }
kind = "child"
birth = { column = "born" }
given_name = { column = "given" }
family_name = { column = "family" }
address = ["house", "street"]
postcode = { column = "postcode" }
family = { column = "household" }
"""
SCHOOL = """name = "school"
title = "School roll and concerns"
agency = "school"

[files]
pattern = "school*.csv"

[[person]]
id = { column = "pupil", scheme = "school_ref" }
linkage = true
birth = { column = "born" }
given_name = { column = "given" }
family_name = { column = "family" }
address = ["house", "street"]
postcode = { column = "postcode" }

[[contact]]
type = "school.concern"
record_id = ["concern"]
subject = { column = "pupil", scheme = "school_ref" }
occurred = { column = "day" }
when = { column = "concern", present = true }
"""
HOME = "12,Mill Lane,BS1 2AB"
CHILDREN = f"""id,born,given,family,house,street,postcode,household
C1,2014-03-05,Anna,Okafor,{HOME},F7
C2,2016-08-01,Ada,Okafor,{HOME},F7
"""
PUPILS = f"""pupil,born,given,family,house,street,postcode,concern,day
77,2014-03-05,ANNA,Okafor,{HOME},k1,2024-05-02
88,2012-02-02,Ben,Lowe,4,Hill Rd,M1 1AA,k2,2024-05-03
"""
LATER = PUPILS + f"77,2014-03-05,ANNA,Okafor,{HOME},k3,2024-06-03\n"


@pytest.fixture
def workspace(tmp_path):
    made = Workspace.create(tmp_path / "w", "Test")
    for name, text in (("register", REGISTER), ("school", SCHOOL)):
        (made.sources_dir / f"{name}.toml").write_text(text)
    land(made, "2024-05-10", register=CHILDREN, school=PUPILS)
    return made


def land(workspace, day, **files):
    folder = workspace.landing / day
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    report = ingest(workspace)
    assert all(file.balanced and file.quarantined == 0 for file in report.files)
    return report


def history(workspace):
    return HistoryStore(workspace.history).load()


def link(workspace, *words):
    assert run(["identity", "link", "--workspace", str(workspace.root), *words]) == 0


def concerns(workspace, as_of):
    number = (dt.date.fromisoformat(as_of) - dt.date(1970, 1, 1)).days
    return {
        row["record_id"]: row["person_id"]
        for row in history(workspace).contacts.to_pylist()
        if row["link"] == "self" and row["known_day"] < number <= row["superseded_day"]
    }


def test_a_child_of_such_a_feed_is_somebody_from_the_first_day(workspace):
    seen = history(workspace)
    children = seen.children(dt.date(2024, 5, 11))
    assert len(children) == 4
    assert len([name for name in children if name.startswith("rf-")]) == 2
    assert seen.unlinked == 0


def test_a_record_that_comes_after_the_link_is_the_linked_childs(workspace):
    link(workspace, "--on", "2024-05-20")
    land(workspace, "2024-06-10", school=LATER)
    before, after = concerns(workspace, "2024-05-20"), concerns(workspace, "2024-06-11")
    assert before["k1"].startswith("rf-")
    assert (after["k1"], after["k3"]) == ("C1", "C1")
    assert after["k2"] == before["k2"]
    assert after["k2"].startswith("rf-")


def test_delivering_again_and_more_people_change_no_id(workspace):
    link(workspace, "--on", "2024-05-20")
    first = concerns(workspace, "2024-05-21")
    others = "".join(
        f"{n},2010-01-{n % 27 + 2:02d},G{n},F{n},{n},Long Rd,ZZ9 {n % 10}ZZ,,\n"
        for n in range(100, 400)
    )
    land(workspace, "2024-06-10", school=PUPILS.replace("\n88", "\n88") + others)
    link(workspace, "--on", "2024-06-11")
    assert concerns(workspace, "2024-06-12") == first
    ids = HistoryStore(workspace.history).read("identifier").column("person_id").to_pylist()
    assert len(ids) == len(set(ids)) == 302


def test_a_pupil_entered_twice_is_one_once_a_steward_says_so_and_stays_so(workspace, capsys):
    """Asked, not linked; later records of both numbers are the one's; undone, each has its own."""
    again = PUPILS + "99,2012-02-02,Ben,Lowe,7,Dock Rd,M9 9AA,k8,2024-06-01\n"
    land(workspace, "2024-06-10", school=again)
    link(workspace, "--on", "2024-06-10")
    capsys.readouterr()
    assert run(["identity", "list", "--workspace", str(workspace.root)]) == 0
    [line] = [one for one in capsys.readouterr().out.splitlines() if "one feed" in one]
    item = line.split()[0]
    steward = ("--by", "steward 1", "--workspace", str(workspace.root))
    said = ("--reason", "Entered twice", "--on", "2024-06-12", *steward)
    assert run(["identity", "decide", item, "same", *said]) == 0
    more = again + "99,2012-02-02,Ben,Lowe,7,Dock Rd,M9 9AA,k9,2024-07-01\n"
    land(workspace, "2024-07-10", school=more)
    before, after, now = (concerns(workspace, f"2024-{d}") for d in ("06-12", "06-13", "07-11"))
    assert before["k2"] != before["k8"]
    assert after["k2"] == after["k8"] == now["k2"] == now["k8"] == now["k9"]
    both = (before["k2"], before["k8"], "--reason", "Cousins", "--on", "2024-07-20")
    assert run(["identity", "unmerge", *both, *steward]) == 0
    parted = concerns(workspace, "2024-07-21")
    assert parted == before | {"k9": before["k8"]}
    assert (concerns(workspace, "2024-06-13"), concerns(workspace, "2024-07-11")) == (after, now)


def test_one_family_number_makes_brothers_and_sisters_with_a_day(workspace):
    link(workspace, "--on", "2024-05-20")
    rows = HistoryStore(workspace.history).read("relationship").to_pylist()
    pairs = {(r["person_id"], r["related_id"], r["kind"], r["known_on"].isoformat()) for r in rows}
    assert pairs == {
        ("C1", "C2", "sibling", "2024-05-20"),
        ("C2", "C1", "sibling", "2024-05-20"),
    }
    assert concerns_of_others(workspace, "2024-05-21") == {("C2", "k1")}


def concerns_of_others(workspace, as_of):
    number = (dt.date.fromisoformat(as_of) - dt.date(1970, 1, 1)).days
    return {
        (row["person_id"], row["record_id"])
        for row in history(workspace).contacts.to_pylist()
        if row["link"] == "sibling" and row["known_day"] < number <= row["superseded_day"]
    }


def test_no_address_can_be_read_in_the_history(workspace):
    [file] = (workspace.history / "person").iterdir()
    rows = HistoryStore(workspace.history).read("person").to_pylist()
    assert all(row["address_key"] for row in rows)
    assert b"Mill" not in file.read_bytes()
    assert "mill" not in " ".join(row["address_key"] for row in rows)


def test_linkage_needs_a_scheme_of_its_own(workspace, capsys):
    path = workspace.sources_dir / "school.toml"
    path.write_text(SCHOOL.replace(', scheme = "school_ref"', "", 1))
    assert run(["ingest", "--workspace", str(workspace.root)]) == 40
    assert "linkage needs an id with a scheme of its own" in capsys.readouterr().err
