"""Loading files: every row accounted for, versions by delivery, nothing half-done."""

from __future__ import annotations

import csv
import datetime as dt
import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskflag.clock import day_number, visible
from riskflag.errors import ConfigError, InputError, LockedError
from riskflag.history.loading.ingest import ingest
from riskflag.history.schema import CONTACT, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.workspace import Workspace

SOURCE = """name = "{name}"
title = "Attendances"
agency = "ed"

[files]
pattern = "{name}*.csv"
date_format = "%d/%m/%Y"

[delivery]
scope = "{scope}"
{window}
assumed_lag_days = 2

[[contact]]
type = "ed.attendance"
record_id = [{key}]
subject = {{ column = "nhs", scheme = "nhs" }}
occurred = {{ column = "day" }}
when = {{ column = "kind", is_not = ["planned"] }}

[contact.attributes]
category = {{ column = "code", map = "complaint" }}
organisation = {{ column = "site" }}

[maps.complaint]
"1" = "injury"
"2" = "illness"
"9" = ""
"""
SPINE = """name = "spine"
title = "Identifiers"
agency = "social_care"

[files]
pattern = "spine*.csv"

[[identifier]]
person = { column = "person" }
scheme = "nhs"
value = { column = "nhs" }

[[person]]
id = { column = "person" }
birth = { column = "born" }

[[relationship]]
kind = "mother"
person = { column = "person" }
related = { column = "mother_nhs", scheme = "nhs" }
"""
NHS = [
    "9434765919",
    "9990000018",
    "9990000026",
    "9990000034",
    "9990000042",
    "9990000050",
]
HEADER = ["id", "nhs", "day", "kind", "code", "site"]
FIRST, SECOND, THIRD = dt.date(2024, 3, 1), dt.date(2024, 3, 8), dt.date(2024, 3, 15)


def row(number, **changed):
    said = {
        "id": f"r{number}",
        "nhs": NHS[number % len(NHS)],
        "day": f"{number % 28 + 1:02d}/02/2024",
        "kind": "walk-in",
        "code": "1",
        "site": "A",
    }
    return {**said, **changed}


class Borough:
    """A workspace with one attendance source and, when asked, the identity spine."""

    def __init__(self, folder, scope="full", key='"id"', window="", name="ed"):
        self.workspace = Workspace.create(folder, "Test")
        text = SOURCE.format(name=name, scope=scope, key=key, window=window)
        (self.workspace.sources_dir / f"{name}.toml").write_text(text)

    def add_spine(self, day, people):
        (self.workspace.sources_dir / "spine.toml").write_text(SPINE)
        lines = [f"{p},{NHS[n]},2015-01-01,{NHS[-1]}" for n, p in enumerate(people)]
        lines.append(f"mum,{NHS[-1]},,")
        text = "\n".join(["person,nhs,born,mother_nhs", *lines]) + "\n"
        self.put(day, "spine.csv", text)

    def put(self, day, name, text):
        folder = self.workspace.landing / day.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

    def deliver(self, day, rows, name="ed.csv", header=HEADER):
        lines = [",".join(header), *(",".join(r[c] for c in header) for r in rows)]
        self.put(day, name, "\n".join(lines) + "\n")

    def load(self, **options):
        report = ingest(Workspace(self.workspace.root), **options)
        for file in report.files:
            assert file.balanced, file
        return report

    def raw(self):
        return conform(HistoryStore(self.workspace.history).read("contact"), CONTACT).to_pylist()

    def history(self):
        return HistoryStore(self.workspace.history).load()

    def known(self, as_of):
        """record -> category of what is visible, linked or not."""
        found = {}
        for item in sorted(self.raw(), key=lambda r: r["version"]):
            if item["known_on"] < as_of:
                found[item["record_id"]] = item
        return {key: item["category"] for key, item in found.items() if item["op"] == "assert"}


@pytest.fixture
def borough(tmp_path):
    return Borough(tmp_path / "w")


def counts(report, place=0):
    file = report.files[place]
    return (file.rows, file.accepted, file.duplicate, file.superseded, file.quarantined)


def test_a_first_load_is_known_after_the_declared_lag_and_later_ones_when_they_land(borough):
    borough.deliver(FIRST, [row(1), row(27)])
    borough.deliver(SECOND, [row(1), row(27), row(3)])
    borough.load()
    rows = {item["record_id"]: item for item in borough.raw()}
    assert (rows["r1"]["known_on"], rows["r1"]["known_basis"]) == (
        dt.date(2024, 2, 4),
        "assumed_lag",
    )
    assert rows["r27"]["known_on"] == FIRST, "never later than it landed"
    assert (rows["r3"]["known_on"], rows["r3"]["known_basis"]) == (SECOND, "landed")


def test_a_full_delivery_adds_corrects_and_withdraws_from_its_landing_day(borough):
    borough.deliver(FIRST, [row(1), row(2), row(3)])
    borough.deliver(SECOND, [row(1), row(2, code="2"), row(4)])
    report = borough.load()
    assert counts(report, 1) == (3, 2, 1, 0, 0)
    assert (report.new_versions, report.withdrawn) == (5, 1)
    night = SECOND + dt.timedelta(1)
    assert borough.known(SECOND) == {"r1": "injury", "r2": "injury", "r3": "injury"}
    assert borough.known(night) == {"r1": "injury", "r2": "illness", "r4": "injury"}
    borough.deliver(THIRD, [row(1), row(2, code="2"), row(3), row(4)])
    borough.load()
    assert set(borough.known(THIRD)) == {"r1", "r2", "r4"}
    assert set(borough.known(THIRD + dt.timedelta(1))) == {"r1", "r2", "r3", "r4"}


def test_a_delta_withdraws_nothing(tmp_path):
    borough = Borough(tmp_path / "w", scope="delta")
    borough.deliver(FIRST, [row(1), row(2)])
    borough.deliver(SECOND, [row(3)])
    assert borough.load().withdrawn == 0
    assert set(borough.known(THIRD)) == {"r1", "r2", "r3"}


def test_a_window_withdraws_only_what_it_reaches(tmp_path):
    borough = Borough(tmp_path / "w", scope="window", window="window_days = 14")
    old, recent = row(1, day="01/02/2024"), row(2, day="28/02/2024")
    borough.deliver(FIRST, [old, recent, row(3, day="27/02/2024")])
    borough.deliver(SECOND, [row(3, day="27/02/2024")])
    assert borough.load().withdrawn == 1
    assert set(borough.known(THIRD)) == {"r1", "r3"}


@pytest.mark.parametrize(("scope", "later"), [("full", "loaded"), ("delta", "known")])
def test_the_same_bytes_again_add_nothing(tmp_path, scope, later):
    """On a later day an unchanged full extract is news of the feed, never of the contacts."""
    borough = Borough(tmp_path / "w", scope=scope)
    borough.deliver(FIRST, [row(1), row(2)])
    borough.load()
    before = borough.raw()
    borough.deliver(FIRST, [row(1), row(2)], name="ed_again.csv")
    borough.deliver(SECOND, [row(1), row(2)], name="ed_again.csv")
    report = borough.load()
    assert [file.status for file in report.files] == ["known", "known", later]
    assert report.files[-1].accepted == 0
    assert borough.raw() == before


def test_an_old_extract_that_comes_again_is_no_news(borough):
    borough.deliver(FIRST, [row(1)])
    borough.deliver(SECOND, [row(1), row(2)])
    borough.load()
    borough.deliver(THIRD, [row(1)])
    report = borough.load()
    assert report.files[-1].status == "known"
    assert set(borough.known(dt.date(2024, 4, 1))) == {"r1", "r2"}


@pytest.mark.parametrize("key", ['"id"', ""])
def test_the_same_rows_in_another_order_are_all_duplicates(tmp_path, key):
    borough = Borough(tmp_path / "w", key=key)
    rows = [row(1), row(2), row(2, id="r5"), row(3)]
    borough.deliver(FIRST, rows)
    borough.load()
    before = borough.raw()
    borough.deliver(SECOND, rows[::-1], name="ed_turned.csv")
    report = borough.load()
    assert counts(report, 1) == (4, 0, 4, 0, 0)
    assert borough.raw() == before


def test_records_without_a_number_are_told_apart_and_none_is_lost(tmp_path):
    borough = Borough(tmp_path / "w", key="")
    borough.deliver(FIRST, [row(1), row(1), row(1), row(2)])
    report = borough.load()
    assert counts(report) == (4, 4, 0, 0, 0)
    assert len({item["contact_key"] for item in borough.raw()}) == 4


def test_every_fault_has_its_reason_and_line_and_the_value_stays_in_quarantine(borough):
    secret = "31/02/2024"
    rows = [
        row(1),
        row(2, day=secret),
        row(3, day=""),
        row(4, day="31/12/9999"),
        row(5, id=""),
        row(6),
        row(6, code="2"),
        row(7, kind="planned"),
        row(8),
        row(8),
    ]
    borough.deliver(FIRST, rows)
    path = borough.workspace.landing / FIRST.isoformat() / "ed.csv"
    path.write_text(path.read_text() + "short,row\n")
    report = borough.load()
    assert counts(report) == (11, 3, 1, 0, 7)
    assert report.files[0].reasons == {
        "bad_date": 1,
        "no_date": 1,
        "date_out_of_range": 1,
        "no_record_id": 1,
        "conflicting_rows": 2,
        "field_count": 1,
    }
    assert report.files[0].not_selected == 1
    (kept,) = (borough.workspace.quarantine).rglob("*.csv")
    with kept.open(newline="") as stream:
        quarantined = list(csv.DictReader(stream))
    assert {(item["reason"], item["line"]) for item in quarantined} == {
        ("bad_date", "3"),
        ("no_date", "4"),
        ("date_out_of_range", "5"),
        ("no_record_id", "6"),
        ("conflicting_rows", "7"),
        ("conflicting_rows", "8"),
        ("field_count", "12"),
    }
    assert secret in kept.read_text()
    assert secret not in report.to_json()


def test_quarantined_rows_withdraw_nothing(borough):
    borough.deliver(FIRST, [row(1), row(2)])
    borough.deliver(SECOND, [row(1), row(2, day="99/02/2024")])
    assert borough.load().withdrawn == 0
    assert set(borough.known(THIRD)) == {"r1", "r2"}
    borough.deliver(THIRD, [row(1)])
    path = borough.workspace.landing / THIRD.isoformat() / "ed.csv"
    path.write_text(path.read_text() + "broken\n")
    assert borough.load().withdrawn == 0


def test_unmapped_codes_are_counted_and_the_contact_is_kept(borough):
    rows = [row(1, code="7"), row(2, code="7"), row(3, code="9"), row(4), row(5, code="7")]
    borough.deliver(FIRST, [*rows, row(6, code="8")])
    report = borough.load()
    assert [(u.source, u.column, u.code, u.rows) for u in report.unmapped] == [
        ("ed", "code", "(other text)", 1),
        ("ed", "code", "7", 3),
    ]
    assert sorted((r["record_id"], r["category"], r["issues"]) for r in borough.raw()) == [
        ("r1", None, "unmapped_code"),
        ("r2", None, "unmapped_code"),
        ("r3", None, ""),
        ("r4", "injury", ""),
        ("r5", None, "unmapped_code"),
        ("r6", None, "unmapped_code"),
    ]


def test_a_wrong_check_digit_is_a_mark_and_nothing_more(borough):
    borough.deliver(FIRST, [row(1, nhs="9434765918"), row(2, nhs=""), row(3)])
    borough.load()
    assert [item["issues"] for item in sorted(borough.raw(), key=lambda r: r["record_id"])] == [
        "id_check_failed",
        "no_identifier",
        "",
    ]


def test_a_dry_run_reports_the_same_and_writes_nothing(borough):
    borough.deliver(FIRST, [row(1), row(2, day="x")])
    borough.deliver(SECOND, [row(1), row(3)])
    before = set(borough.workspace.root.rglob("*"))
    dry = borough.load(dry_run=True)
    assert set(borough.workspace.root.rglob("*")) == before
    wet = borough.load()
    assert dry.files == wet.files
    assert dry.new_versions == wet.new_versions
    assert (dry.dry_run, wet.dry_run) == (True, False)


def test_a_contact_is_linked_from_the_day_its_identifier_arrives(borough):
    borough.deliver(FIRST, [row(0), row(1)])
    assert borough.load().unlinked == 2
    assert borough.history().contacts.num_rows == 0
    borough.add_spine(SECOND, ["a", "b"])
    report = borough.load()
    assert (report.linked_later, report.unlinked) == (2, 0)
    contacts = borough.history().contacts.to_pylist()
    assert [(c["person_id"], c["known_day"]) for c in contacts] == [
        ("a", day_number(SECOND)),
        ("b", day_number(SECOND)),
    ]
    borough.deliver(THIRD, [row(0), row(1, code="2")])
    report = borough.load()
    assert counts(report, -1)[1:3] == (1, 1)


def test_a_first_load_with_its_identifiers_is_linked_at_once_and_reaches_the_child(borough):
    borough.add_spine(FIRST, ["a", "b"])
    borough.deliver(FIRST, [row(0), row(5)])
    report = borough.load()
    assert (report.unlinked, report.relationships) == (0, 2)
    found = {(c["person_id"], c["link"]) for c in borough.history().contacts.to_pylist()}
    assert found == {("a", "self"), ("mum", "self"), ("a", "mother"), ("b", "mother")}


def test_an_identifier_that_two_people_claim_links_nobody(borough):
    borough.add_spine(FIRST, ["a", "b"])
    path = borough.workspace.landing / FIRST.isoformat() / "spine.csv"
    path.write_text(path.read_text() + f"other,{NHS[0]},2014-01-01,\n")
    borough.deliver(FIRST, [row(0), row(1)])
    borough.load()
    marks = {item["person_id"]: item["issues"] for item in borough.raw()}
    assert marks == {None: "ambiguous_identifier", "b": ""}


def test_a_delivery_that_arrives_after_a_newer_one_changes_nothing_known(borough):
    borough.deliver(SECOND, [row(1, code="2"), row(2)])
    borough.load()
    borough.deliver(FIRST, [row(1, code="1"), row(3)])
    report = borough.load()
    assert counts(report, 0) == (2, 1, 0, 1, 0)
    late = next(item for item in borough.raw() if item["record_id"] == "r3")
    assert late["known_on"] >= SECOND
    assert borough.known(THIRD)["r1"] == "illness"


def test_a_delivery_of_half_the_usual_size_is_held(borough):
    rows = [row(number) for number in range(100)]
    borough.deliver(FIRST, rows)
    borough.load()
    borough.deliver(SECOND, rows[:40])
    report = borough.load()
    assert (report.files[-1].status, report.files[-1].reason) == ("held", "volume")
    assert report.all_rejected
    assert len(borough.known(THIRD)) == 100
    (feed,) = borough.history().feeds(SECOND + dt.timedelta(1))
    assert feed.state in ("HELD", "LOST")


def test_a_refused_file_is_told_and_the_others_are_taken(borough):
    borough.deliver(FIRST, [row(1)])
    borough.put(FIRST, "ed_bad.csv", "id,nhs\n1,2\n")
    borough.put(FIRST, "notes.txt", "x")
    report = borough.load()
    assert [(f.name, f.status, f.reason) for f in report.files] == [
        ("2024-03-01/ed.csv", "loaded", ""),
        ("2024-03-01/ed_bad.csv", "held", "missing_column"),
    ]
    assert report.unclaimed == ("2024-03-01/notes.txt",)
    assert not report.all_rejected


def test_a_file_that_is_not_what_its_sender_described_is_refused(borough):
    borough.deliver(FIRST, [row(1)])
    borough.put(FIRST, "ed.csv.sha256", "0" * 64 + "  ed.csv\n")
    report = borough.load()
    assert report.files[0].reason == "sidecar"
    assert borough.raw() == []


def test_parquet_and_csv_give_the_same_history(tmp_path):
    rows = [row(number) for number in range(20)]
    one = Borough(tmp_path / "one")
    one.deliver(FIRST, rows)
    one.load()
    two = Borough(tmp_path / "two")
    declared = two.workspace.sources_dir / "ed.toml"
    declared.write_text(
        declared.read_text().replace('"ed*.csv"', '"ed*.parquet"\nformat = "parquet"')
    )
    folder = two.workspace.landing / FIRST.isoformat()
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "ed.parquet")
    two.load()
    content = [
        [{k: v for k, v in r.items() if k not in LINEAGE} for r in b.raw()] for b in (one, two)
    ]
    assert content[0] == content[1]


LINEAGE = {"source_file", "source_line", "batch_id"}


def test_mistakes_are_one_sentence(tmp_path, borough):
    with pytest.raises(InputError, match="is empty"):
        borough.load()
    (borough.workspace.sources_dir / "copy.toml").write_text(
        SOURCE.format(name="ed", scope="full", key='"id"', window="").replace(
            'name = "ed"', 'name = "copy"'
        )
    )
    borough.deliver(FIRST, [row(1)])
    with pytest.raises(ConfigError, match="both take"):
        borough.load()
    empty = Workspace.create(tmp_path / "empty", "Test")
    with pytest.raises(ConfigError, match="declares no source"):
        ingest(empty)


def test_one_load_at_a_time(borough):
    borough.deliver(FIRST, [row(1)])
    with borough.workspace.lock(), pytest.raises(LockedError):
        borough.load()


@pytest.mark.parametrize("stop_at", [1, 3, 5, 8])
def test_stopping_a_load_leaves_complete_days_only(tmp_path, stop_at):
    borough = Borough(tmp_path / "w")
    borough.deliver(FIRST, [row(1), row(2, day="x")])
    borough.load()
    before = {p: p.read_bytes() for p in borough.workspace.root.rglob("*") if p.is_file()}
    borough.deliver(SECOND, [row(1), row(2, day="y"), row(3)])
    calls = iter(range(1000))

    def stop(label, done, total):
        if next(calls) == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        borough.load(progress=stop)
    landed = borough.workspace.landing
    after = {
        p: p.read_bytes()
        for p in borough.workspace.root.rglob("*")
        if p.is_file() and landed not in p.parents
    }
    assert after == {p: data for p, data in before.items() if landed not in p.parents}
    assert borough.load().new_versions == 1


def test_the_report_is_kept_and_reads_back(borough):
    borough.deliver(FIRST, [row(1), row(2)])
    report = borough.load()
    (path,) = borough.workspace.reports.iterdir()
    assert json.loads(path.read_text()) == json.loads(report.to_json())
    assert report.lateness[0].longest == 2
    assert (report.files[0].rows, report.files[0].accepted) == (2, 2)


CELL = st.sampled_from(
    ["", "1", "2", "7", "x", "05/02/2024", "30/02/2024", NHS[0], 'q"q', "planned"]
)
LINES = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["k1", "k2", "k3", "k4", ""]),
            st.sampled_from(NHS[:2]),
            st.sampled_from(["05/02/2024", "06/02/2024", "30/02/2024", ""]),
            st.sampled_from(["walk-in", "planned"]),
            st.sampled_from(["1", "2", "7"]),
            st.just("A"),
        ),
        st.lists(CELL, min_size=1, max_size=8).map(tuple),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(LINES, LINES, st.sampled_from(["full", "delta"]), st.sampled_from(['"id"', ""]))
def test_every_row_is_accounted_for_and_a_second_load_is_idle(
    tmp_path_factory, first, second, scope, key
):
    """Law 1 on any rows, and loading again changes nothing."""
    borough = Borough(tmp_path_factory.mktemp("b") / "w", scope=scope, key=key)
    for day, lines in ((FIRST, first), (SECOND, second)):
        text = "\n".join([",".join(HEADER), *(",".join(line) for line in lines)]) + "\n"
        borough.put(day, "ed.csv", text)
    report = borough.load()
    read = [
        (file, lines)
        for file, lines in zip(report.files, (first, second), strict=True)
        if file.status == "loaded"
    ]
    for file, lines in read:
        assert file.rows == sum(any(cell for cell in line) or len(line) > 1 for line in lines)
        assert sum(file.reasons.values()) == file.quarantined
    before = borough.raw()
    assert borough.load().new_versions == 0
    assert borough.raw() == before


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_shuffled_rows_give_the_same_history_and_later_deliveries_never_change_a_past_day(
    tmp_path_factory, seed
):
    """Law 2 and Law 3 through the whole load."""
    chance = random.Random(seed)
    days = [FIRST, SECOND, THIRD]
    deliveries = [
        [row(n, code=chance.choice("12")) for n in range(12) if chance.random() < 0.7] or [row(1)]
        for _ in days
    ]
    digests, nights = [], []
    for turned in (False, True):
        borough = Borough(tmp_path_factory.mktemp("b") / "w")
        borough.add_spine(FIRST, ["a", "b", "c"])
        for day, rows in zip(days, deliveries, strict=True):
            mixed = list(rows)
            if turned:
                chance.shuffle(mixed)
            borough.deliver(day, mixed)
            borough.load()
            nights.append(_visible(borough.history(), SECOND))
        digests.append(borough.history().digest())
    assert digests[0] == digests[1]
    assert all(night == nights[0] for night in nights), "as known on the second landing day"


def _visible(history, as_of):
    return [
        (c["person_id"], c["record_id"], c["version"], c["category"])
        for c in history.contacts.to_pylist()
        if visible(c["known_day"], c["superseded_day"], day_number(as_of))
    ]
