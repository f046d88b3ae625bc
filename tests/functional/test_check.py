"""`riskflag check`: planted faults are found, a clean history has none, and nobody is in it."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest

from riskflag.cli import run
from riskflag.errors import InputError
from riskflag.history.checks.model import TO_DO, Limits, Suppression, load_limits
from riskflag.history.hashing import digests
from riskflag.reports.check_page import TITLES
from riskflag.workspace import Workspace
from tests.functional.browser import browser, opened
from tests.functional.check_world import AS_OF, Parts, checked
from tests.functional.test_pages_in_browser import violations
from tests.unit.history.two_feeds import identifier

LAST = dt.date(2024, 6, 1)


def found(report):
    return {(one.code, one.source, one.type) for one in report.findings}


def test_a_clean_history_gives_no_finding(tmp_path):
    """Negative control of every check: nothing is said where nothing is wrong."""
    report = checked(Parts().written(tmp_path / "w"))
    assert report.findings == ()
    assert len(report.figures["volumes"]) == 3
    assert sum(len(rows) for rows in report.figures.values()) > 12


def recent(parts, kind="ed.attendance"):
    return [row for row in parts.of(kind) if row["known_on"] >= LAST]


def fewer(parts):
    gone = recent(parts)[::3] + recent(parts)[1::3]
    parts.contacts = [row for row in parts.contacts if row not in gone]


def silent(parts):
    parts.contacts = [row for row in parts.contacts if row not in recent(parts)]


def more(parts):
    rows = recent(parts)
    for copy in range(2):
        parts.contacts += [{**row, "contact_key": f"x{copy}{row['contact_key']}"} for row in rows]


def other_values(parts):
    for row in parts.of("ed.attendance"):
        if row["known_on"] >= dt.date(2024, 5, 1):
            row["category"] = "self_harm"


def unknown_values(parts):
    for row in parts.of("ed.attendance")[::2]:
        if row["known_on"] >= dt.date(2024, 5, 1):
            row["category"] = None


def marked(mark):
    def plant(parts):
        for row in parts.of("ed.attendance")[::15]:
            row["issues"] = mark

    return plant


def nobodys(parts):
    for row in parts.of("ed.attendance")[::5]:
        row["person_id"] = None


def failing(parts):
    for row in parts.identifiers[::10]:
        row["check_ok"] = False


def shared(parts):
    parts.identifiers += [identifier(f"C{n:03d}", "nhs", f"N{n + 1}") for n in range(0, 40, 4)]


def unborn(parts):
    for row in parts.of("ed.attendance")[::20]:
        row["occurred_on"] = dt.date(2005, 1, 1)


def dead(parts):
    for row in parts.people[::4]:
        row["death_on"] = dt.date(2022, 6, 1)


def lost(parts):
    for row in parts.coverage:
        row["complete_to"] = row["received_on"] = "2024-05-01"


def held(parts):
    parts.coverage += [
        {**row, "status": "held", "received_on": "2024-06-30", "complete_to": "2024-06-30"}
        for row in parts.coverage[:1]
    ]
    parts.coverage[0] |= {"complete_to": "2024-06-28", "received_on": "2024-06-28"}


def late(parts):
    for row in parts.of("ed.attendance")[::6]:
        row["occurred_on"] = row["known_on"] - dt.timedelta(days=200)


def slower(parts):
    for row in parts.of("ed.attendance")[::2]:
        if row["known_on"] >= dt.date(2024, 5, 2):
            row["occurred_on"] = row["known_on"] - dt.timedelta(days=40)


def backdated(parts):
    for row in parts.of("ed.attendance"):
        row["occurred_on"] = row["known_on"]


def rewritten(parts):
    """Earlier attendances of a child written anew some days after its first enquiry."""
    first = {}
    for row in parts.of("care.s47"):
        first.setdefault(row["person_id"], row["occurred_on"])
    rows = [
        row
        for row in parts.of("ed.attendance")
        if row["known_on"] < first.get(row["person_id"], dt.date.min)
    ]
    assert len(rows) > 100
    parts.contacts += [
        {**row, "version": 2, "known_on": first[row["person_id"]] + dt.timedelta(days=5)}
        for row in rows
    ]


def another_rate(parts):
    days = [dt.date(2024, 6, n) for n in range(1, 29)]
    parts.contacts += [
        {
            "contact_key": f"n{n}",
            "person_id": f"C{n:03d}",
            "type": "care.s47",
            "occurred_on": days[n % 28],
            "known_on": days[n % 28],
            "known_basis": "assumed_lag",
            "source": "other",
        }
        for n in range(120)
    ]


def load(**change):
    def plant(parts):
        parts.loads["files"][0] |= change

    return plant


PLANTED = {
    "volume_low": (fewer, "ed", "ed.attendance"),
    "silent_month": (silent, "ed", "ed.attendance"),
    "volume_high": (more, "ed", "ed.attendance"),
    "values_moved": (other_values, "ed", "ed.attendance"),
    "turned_unknown": (unknown_values, "ed", "ed.attendance"),
    "unmapped": (marked("unmapped_code"), "ed", ""),
    "check_digit": (marked("id_check_failed"), "ed", ""),
    "without_person": (nobodys, "ed", ""),
    "reused": (shared, "", ""),
    "before_birth": (unborn, "ed", "ed.attendance"),
    "after_death": (dead, "ed", "ed.attendance"),
    "feed_lost": (lost, "ed", ""),
    "feed_held": (held, "ed", ""),
    "late": (late, "ed", ""),
    "slower": (slower, "ed", ""),
    "known_is_occurred": (backdated, "ed", ""),
    "changed_after_outcome": (rewritten, "ed", "ed.attendance"),
    "rate_changed": (another_rate, "", "care.s47"),
    "quarantined": (load(quarantined=200), "ed", ""),
    "duplicates": (load(duplicate=2000), "ed", ""),
    "held": (load(status="held"), "ed", ""),
}


@pytest.mark.parametrize("code", PLANTED)
def test_a_planted_fault_is_found_where_it_is_and_says_what_to_do(tmp_path, code):
    plant, source, kind = PLANTED[code]
    parts = Parts()
    plant(parts)
    report = checked(parts.written(tmp_path / "w"))
    assert (code, source, kind) in found(report)
    one = next(f for f in report.findings if f.code == code)
    assert one.to_do.endswith(".")
    assert one.what.endswith(".")


def test_wrong_check_digits_among_the_identifiers_themselves_are_found(tmp_path):
    parts = Parts()
    failing(parts)
    assert ("check_digit", "", "") in found(checked(parts.written(tmp_path / "w")))


def test_every_kind_of_finding_is_planted_once_and_has_a_title():
    assert PLANTED.keys() == TO_DO.keys() == TITLES.keys()


def test_a_feed_that_repeats_rows_by_design_is_not_blamed_for_it(tmp_path):
    parts = Parts()
    load(duplicate=2000)(parts)
    workspace = parts.written(tmp_path / "w")
    source = workspace.sources_dir / "ed.toml"
    source.write_text(source.read_text().replace('"delta"', '"full"'))
    assert checked(workspace).findings == ()


def test_summer_holidays_are_no_finding_when_last_summer_was_the_same(tmp_path):
    parts = Parts()
    quiet = [row for row in parts.of("ed.attendance") if row["known_on"].month == 6]
    parts.contacts = [row for row in parts.contacts if row not in quiet]
    codes = {one.code for one in checked(parts.written(tmp_path / "w")).findings}
    assert not codes & {"silent_month", "volume_low", "volume_high"}


def test_two_runs_give_the_same_bytes_and_what_is_known_later_changes_nothing(tmp_path):
    one, other = Parts(), Parts()
    other.contacts += [
        {**row, "contact_key": f"z{row['contact_key']}", "known_on": AS_OF}
        for row in other.contacts[:50]
    ]
    other.contacts.reverse()
    texts = [
        checked(p.written(tmp_path / str(n))).to_json() for n, p in enumerate((one, one, other))
    ]
    assert texts[0] == texts[1] == texts[2]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """A workspace with several faults, checked by the command."""
    parts = Parts()
    for plant in (fewer, unborn, shared, backdated, nobodys):
        plant(parts)
    workspace = parts.written(tmp_path_factory.mktemp("check") / "w")
    assert run(["check", "--workspace", str(workspace.root)]) == 10
    return workspace


def written(workspace, suffix):
    return workspace.reports / f"check-{AS_OF}.{suffix}"


def test_nothing_personal_is_in_the_page_or_the_json(faulty):
    for suffix in ("html", "json"):
        text = written(faulty, suffix).read_text()
        assert "ed.attendance" in text
        for canary in ("Canary", "Quilltail", "C001", "rf-"):
            assert canary not in text
        assert not re.search(r"\bN\d+\b|\bk\d+\b", text)


def test_no_count_is_shown_that_few_people_stand_behind(faulty):
    report = json.loads(written(faulty, "json").read_text())
    counts = []

    def walk(value, name=""):
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, key)
        elif isinstance(value, list):
            for inner in value:
                walk(inner, name)
        elif isinstance(value, int) and name in COUNTS:
            counts.append(value)

    walk(report["figures"])
    assert len(counts) > 60
    assert not [value for value in counts if value and (value < 10 or value % 5)]


COUNTS = {
    "counts",
    "contacts",
    "without_person",
    "unmapped",
    "check_failed",
    "before_birth",
    "after_death",
    "identifiers",
    "failed",
    "shared",
    "rows",
    "duplicate",
    "quarantined",
}


def test_suppression_shows_nought_and_enough_and_nothing_between():
    hidden = Suppression(Limits())
    assert [hidden.count(n) for n in (0, 1, 9, 10, 12, 13, 101)] == [0, None, None, 10, 10, 15, 100]
    assert hidden.share(3, 1000) is None
    assert hidden.share(30, 1000) == 3.0


def test_the_page_says_each_finding_and_what_to_do_about_it(faulty):
    page = written(faulty, "html").read_text()
    report = json.loads(written(faulty, "json").read_text())
    assert len(report["findings"]) >= 4
    for one in report["findings"]:
        assert one["what"].replace("'", "&#39;") in page
        assert TITLES[one["code"]] in page


@pytest.fixture(scope="module")
def running():
    with browser() as started:
        yield started


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_core_finds_no_violation_and_nothing_is_fetched(running, faulty, width):
    file = written(faulty, "html")
    with opened(running, file, width=width) as page:
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert violations(page) == []
        assert page.asked == [file.as_uri()]
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_command_ends_with_0_and_says_so_when_there_is_nothing_to_look_at(tmp_path, capsys):
    workspace = Parts().written(tmp_path / "w")
    out = tmp_path / "out"
    assert run(["check", "--workspace", str(workspace.root), "--out", str(out)]) == 0
    assert "No findings" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == [
        f"check-{AS_OF}.html",
        f"check-{AS_OF}.json",
    ]
    words = ["check", "--workspace", str(workspace.root), "--json", "--as-of", "2024-07-02"]
    assert run(words) == 0
    assert json.loads(capsys.readouterr().out)["as_of"] == "2024-07-02"


def test_limits_are_settings_and_a_mistake_in_them_names_its_line(tmp_path, capsys):
    workspace = Parts().written(tmp_path / "w")
    path = workspace.root / "check.toml"
    path.write_text("duplicates = 0.0005\n")
    assert {one.code for one in checked(workspace).findings} == {"duplicates"}
    path.write_text("# limits\nsmallest_shown = 1\n")
    assert run(["check", "--workspace", str(workspace.root)]) == 40
    assert "check.toml line 2" in capsys.readouterr().err


def test_an_empty_workspace_is_told_to_load_first(tmp_path):
    workspace = Workspace.create(tmp_path / "w", "Test")
    with pytest.raises(InputError, match="riskflag ingest"):
        checked(workspace)
    assert load_limits(workspace.root) == Limits()


def test_people_who_are_one_are_counted_as_one(tmp_path):
    """An identifier that two joined ids hold is not shared by two people."""
    parts = Parts()
    shared(parts)
    pairs = [(f"C{n:03d}", f"C{n + 1:03d}") for n in range(0, 40, 4)]
    parts.matches = [
        {"person_id": a, "other_id": b, "known_on": "2024-01-01", "match_key": key}
        for (a, b), key in zip(pairs, digests_of(pairs), strict=True)
    ]
    assert "reused" not in {one.code for one in checked(parts.written(tmp_path / "w")).findings}


def digests_of(pairs):
    import pyarrow as pa

    return digests(pa.array(["|".join(pair) for pair in pairs])).to_pylist()
