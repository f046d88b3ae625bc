"""What each part of a source declaration makes of a row."""

from __future__ import annotations

import datetime as dt

import pytest

from riskflag.clock import date_of
from riskflag.history.loading.ingest import ingest
from riskflag.history.schema import CONTACT, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.workspace import Workspace

HEAD = """name = "s"
title = "S"
agency = "school"

[files]
pattern = "*.csv"

[delivery]
scope = "delta"
assumed_lag_days = 3

"""
FIRST, SECOND = dt.date(2024, 3, 1), dt.date(2024, 3, 8)


class World:
    def __init__(self, folder, body):
        self.workspace = Workspace.create(folder, "Test")
        (self.workspace.sources_dir / "s.toml").write_text(HEAD + body)

    def load(self, text, day=FIRST):
        folder = self.workspace.landing / day.isoformat()
        folder.mkdir()
        (folder / "f.csv").write_text(text)
        report = ingest(self.workspace)
        assert all(file.balanced for file in report.files)
        return report

    def rows(self, *names):
        table = conform(HistoryStore(self.workspace.history).read("contact"), CONTACT)
        rows = sorted(table.to_pylist(), key=lambda r: (r["record_id"], r["type"], r["version"]))
        return [tuple(row[name] for name in names) for row in rows]

    def history(self):
        return HistoryStore(self.workspace.history).load()


CONTACT_ENTRY = """[[contact]]
type = "school.absence"
record_id = ["id"]
subject = { column = "p" }
occurred = { column = "day" }
"""


def world(tmp_path, *parts):
    return World(tmp_path / "w", "\n".join(parts))


def test_recorded_gives_the_known_day_of_a_first_load_only(tmp_path):
    made = world(tmp_path, CONTACT_ENTRY, 'recorded = { column = "seen" }')
    made.load("id,p,day,seen\n1,a,2024-01-02,2024-01-20\n2,a,2024-01-02,\n")
    made.load("id,p,day,seen\n3,a,2024-01-02,2024-01-20\n", SECOND)
    assert made.rows("known_on", "known_basis") == [
        (dt.date(2024, 1, 23), "recorded"),
        (dt.date(2024, 1, 5), "assumed_lag"),
        (SECOND, "landed"),
    ]


def test_of_several_rows_for_one_record_the_latest_update_counts(tmp_path):
    made = world(
        tmp_path,
        CONTACT_ENTRY,
        'updated = { column = "at", format = "%Y-%m-%d %H:%M" }',
        "[contact.attributes]",
        'quantity = { column = "n", number = true }',
    )
    report = made.load(
        "id,p,day,at,n\n1,a,2024-01-02,2024-01-03 10:00,2\n1,a,2024-01-02,2024-01-03 09:00,1\n"
        "1,a,2024-01-02,2024-01-03 10:00,2\n"
    )
    file = report.files[0]
    assert (file.accepted, file.superseded, file.duplicate) == (1, 1, 1)
    assert made.rows("quantity") == [(2.0,)]


def test_a_withdrawing_row_takes_its_record_back(tmp_path):
    made = world(tmp_path, CONTACT_ENTRY, 'withdrawn = { column = "op", is = ["delete"] }')
    made.load("id,p,day,op\n1,a,2024-01-02,\n2,a,2024-01-02,\n")
    report = made.load("id,p,day,op\n1,a,2024-01-02,delete\n3,a,2024-01-02,delete\n", SECOND)
    assert (report.withdrawn, report.files[-1].accepted, report.files[-1].duplicate) == (1, 1, 1)
    assert made.rows("record_id", "version", "op") == [
        ("1", 1, "assert"),
        ("1", 2, "retract"),
        ("2", 1, "assert"),
    ]


def test_a_mapped_type_makes_the_contact_leaves_out_or_quarantines(tmp_path):
    made = world(
        tmp_path,
        CONTACT_ENTRY.replace('"school.absence"', '{ column = "kind", map = "kinds" }'),
        '[maps.kinds]\nA = "school.absence"\nS = "school.suspension"\nX = ""',
    )
    report = made.load(
        "id,p,day,kind\n1,a,2024-01-02,A\n2,a,2024-01-02,S\n3,a,2024-01-02,X\n4,a,2024-01-02,?\n"
    )
    assert made.rows("type") == [("school.absence",), ("school.suspension",)]
    assert report.files[0].reasons == {"unmapped_type": 1}
    assert report.files[0].accepted == 3


@pytest.mark.parametrize("text", ["1,234", "0,75", "inf", "nan", "1e999", "4.5E+09", "１２", "−1"])
def test_a_number_that_is_not_plain_is_quarantined(tmp_path, text):
    made = world(
        tmp_path,
        CONTACT_ENTRY,
        "[contact.attributes]",
        'quantity = { column = "n", number = true }',
    )
    report = made.load(f'id,p,day,n\n1,a,2024-01-02,"{text}"\n2,a,2024-01-02,0.5\n')
    assert report.files[0].reasons == {"bad_number": 1}
    assert made.rows("quantity") == [(0.5,)]


def test_one_row_may_make_several_contacts_of_one_type(tmp_path):
    made = world(
        tmp_path,
        CONTACT_ENTRY,
        'when = { column = "am", present = true }',
        CONTACT_ENTRY,
        'when = { column = "pm", is_not = ["", "no"] }',
    )
    made.load("id,p,day,am,pm\n1,a,2024-01-02,x,y\n2,a,2024-01-02,,no\n")
    assert made.rows("record_id", "type") == [("1", "school.absence")] * 2
    assert len(set(made.rows("contact_key"))) == 2


def test_ends_times_and_open_ends(tmp_path):
    made = world(
        tmp_path,
        CONTACT_ENTRY.replace(
            '{ column = "day" }', '{ column = "day", format = "%d/%m/%Y %H:%M" }'
        ),
        'ended = { column = "end" }',
    )
    made.load(
        "id,p,day,end\n1,a,02/01/2024 13:05,2024-01-04\n2,a,02/01/2024 00:00,\n"
        "3,a,02/01/2024 13:05,2024-01-01\n4,a,02/01/2024 13:05,9999-12-31\n5,a,02/04/2024 09:00,\n"
    )
    assert made.rows("open_ended", "duration_days", "issues") == [
        (False, 2.0, ""),
        (True, None, ""),
        (False, None, "end_before_start"),
        (True, None, ""),
        (True, None, "future"),
    ]
    times = [at for (at,) in made.rows("occurred_at")]
    assert times[:2] == [dt.datetime.fromisoformat("2024-01-02T13:05"), None]


PERSON = """[[person]]
id = { column = "p" }
kind = { column = "k", map = "kinds" }
birth = { year = "y", month = "m" }
expected_birth = { column = "due" }
sex = { column = "s", map = "sexes" }

[maps.kinds]
C = "child"
P = "adult"

[maps.sexes]
"1" = "male"
"2" = "female"
"""


def test_what_is_said_of_a_person_with_its_precision(tmp_path):
    made = world(tmp_path, PERSON)
    report = made.load(
        "p,k,y,m,due,s\na,C,2015,6,,1\nb,C,2016,,,2\nc,P,,,,9\nd,C,,,2024-06-01,\n"
        "e,C,2015,6,,1\ne,C,2015,7,,1\n,C,2015,6,,1\n"
    )
    assert report.files[0].accepted == 7
    assert report.issues == {"person_conflict": 1}
    said = {
        row["person_id"]: (
            row["birth_day"] and date_of(row["birth_day"]),
            row["birth_precision"],
            row["kind"],
            row["sex"],
        )
        for row in made.history().persons.to_pylist()
    }
    assert said == {
        "a": (dt.date(2015, 6, 15), "month", "child", "male"),
        "b": (dt.date(2016, 7, 1), "year", "child", "female"),
        "c": (None, "unknown", "adult", None),
        "d": (dt.date(2024, 6, 1), "month", "child", None),
        "e": (None, "unknown", "child", "male"),
    }
    assert [(u.column, u.code) for u in report.unmapped] == [("s", "(other text)")]
    assert made.history().children(dt.date(2024, 3, 9)) == ["a", "b", "d", "e"]


def test_a_relationship_with_an_end_is_corrected_by_a_later_delivery(tmp_path):
    made = world(
        tmp_path,
        '[[relationship]]\nkind = "household_adult"\nperson = { column = "p" }',
        'related = { column = "q" }\nfrom = { column = "a" }\nto = { column = "b" }',
    )
    made.load("p,q,a,b\nchild,adult,2024-01-01,\n")
    report = made.load("p,q,a,b\nchild,adult,2024-01-01,2024-02-01\n", SECOND)
    assert report.relationships == 1
    rows = sorted(made.history().relationships.to_pylist(), key=lambda row: row["known_day"])
    assert [(row["valid_to_day"] and date_of(row["valid_to_day"])) for row in rows] == [
        None,
        dt.date(2024, 2, 1),
    ]
    assert date_of(rows[0]["superseded_day"]) == SECOND == date_of(rows[1]["known_day"])


def test_codes_that_do_not_look_like_codes_are_not_repeated(tmp_path):
    made = world(
        tmp_path,
        CONTACT_ENTRY,
        "[contact.attributes]",
        'category = { column = "c", map = "cs" }',
        '[maps.cs]\nA = "illness"',
    )
    rows = "".join(f"{n},a,2024-01-02,ZZ9\n" for n in range(2, 5))
    report = made.load("id,p,day,c\n1,a,2024-01-02,Maisie Example\n" + rows)
    assert [(u.code, u.rows) for u in report.unmapped] == [("(other text)", 1), ("ZZ9", 3)]
    assert "Maisie" not in report.to_json()
