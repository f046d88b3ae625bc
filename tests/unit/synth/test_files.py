"""The files of a synthetic borough: their columns, identifiers, deliveries, and repeatability."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from riskflag import clock
from riskflag.errors import ConfigError
from riskflag.synth import SOURCES, generate
from riskflag.synth.text import UPN_LETTERS
from tests.boroughs import UNTIL, bulk

#: The columns of the published schemas that a file must have, by file.
COLUMNS = {
    "ssd_person": "pers_legacy_id pers_person_id pers_upn pers_forename pers_surname pers_sex "
    "pers_gender pers_ethnicity pers_dob pers_single_unique_id pers_upn_unknown pers_send_flag "
    "pers_expected_dob pers_death_date pers_is_mother pers_nationality",
    "ssd_contacts": "cont_contact_id cont_person_id cont_contact_date cont_contact_source_code "
    "cont_contact_source_desc cont_contact_outcome_json",
    "ssd_cin_episodes": "cine_referral_id cine_person_id cine_referral_date "
    "cine_cin_primary_need_code cine_referral_source_code cine_referral_source_desc "
    "cine_referral_outcome_json cine_referral_nfa cine_close_reason cine_close_date "
    "cine_referral_team cine_referral_worker_id",
    "ssd_missing": "miss_table_id miss_person_id miss_missing_episode_start_date "
    "miss_missing_episode_type miss_missing_episode_end_date miss_missing_rhi_offered "
    "miss_missing_rhi_accepted",
    "ecds": "UrgentAndEmergencyCareActivityIdentifier NHSNumber "
    "UrgentAndEmergencyCareAttendanceCategory UrgentAndEmergencyCareActivityStartDateAndTime "
    "ChiefComplaint_SnomedCt UrgentAndEmergencyCareDischargeStatus_SnomedCt "
    "SafeguardingConcern_SnomedCt",
}


def read(path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def digest(folder) -> str:
    """One hash over the names and bytes of every file of a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert files
    named = [
        (str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in files
    ]
    return hashlib.sha256(repr(named).encode()).hexdigest()


def test_every_file_of_a_borough_has_a_shipped_source(borough):
    """A borough writes exactly the files that the named sources read."""
    names = {path.stem for path in bulk(borough).iterdir()}
    assert names == set(SOURCES) == set(borough.sources)


@pytest.mark.parametrize("name", COLUMNS)
def test_files_carry_the_columns_of_the_published_schemas(borough, name):
    """A file has the real column names of its agency."""
    rows = read(bulk(borough) / f"{name}.csv")
    assert rows
    assert set(COLUMNS[name].split()) <= set(rows[0])


def test_the_same_seed_gives_the_same_bytes_in_another_process(tmp_path):
    """Neither the hash seed nor the number of threads changes a byte."""
    code = (
        "import datetime as dt, pathlib, sys; import pyarrow\n"
        "from riskflag.synth import generate\n"
        "pyarrow.set_cpu_count(int(sys.argv[2]))\n"
        "out, until = pathlib.Path(sys.argv[1]), dt.date(2026, 3, 31)\n"
        "generate(out, children=300, seed=9, until=until, years=2)\n"
    )
    digests = []
    for number, (threads, salt) in enumerate([("1", "0"), ("3", "77")]):
        out = tmp_path / str(number)
        environment = os.environ | {"PYTHONHASHSEED": salt}
        subprocess.run([sys.executable, "-c", code, str(out), threads], check=True, env=environment)
        digests.append(digest(out))
    assert digests[0] == digests[1]


def test_another_seed_gives_another_borough(tmp_path):
    """The seed decides everything."""
    for seed in (1, 2):
        generate(tmp_path / str(seed), children=60, seed=seed, until=UNTIL, years=1)
    assert digest(tmp_path / "1" / "landing") != digest(tmp_path / "2" / "landing")


def nhs_check_holds(number: str) -> bool:
    total = sum(
        int(digit) * weight for digit, weight in zip(number, range(10, 1, -1), strict=False)
    )
    return len(number) == 10 and int(number[9]) == (11 - total % 11) % 11


def upn_check_holds(upn: str) -> bool:
    total = sum(int(digit) * weight for weight, digit in enumerate(upn[1:], start=2))
    return len(upn) == 13 and upn[0] == UPN_LETTERS[total % 23]


def test_identifiers_are_valid_and_from_the_range_for_tests(borough):
    """NHS numbers start with 999 and check; pupil numbers check; nobody shares one."""
    rows = read(bulk(borough) / "ssd_person.csv")
    people = list({row["pers_person_id"]: row for row in rows}.values())
    numbers = [row["pers_single_unique_id"] for row in people]
    pupils = [row["pers_upn"] for row in people if row["pers_upn"]]
    assert len(set(numbers)) == len(numbers) > 1000
    assert all(number.startswith("999") and nhs_check_holds(number) for number in numbers)
    assert len(set(pupils)) == len(pupils) > 500
    assert all(upn_check_holds(upn) for upn in pupils)
    assert nhs_check_holds("9434765919")
    assert upn_check_holds("B801200005001")


def test_wrong_identifiers_are_as_many_as_the_truth_says(borough):
    """Mistyped numbers fail their check, and every one of them is in the truth."""
    errors = pq.read_table(borough.truth / "record_errors.parquet").to_pylist()
    mistyped = {e["record_id"] for e in errors if e["error"] == "identifier mistyped"}
    failing = {
        row["UrgentAndEmergencyCareActivityIdentifier"]
        for day in borough.landing.iterdir()
        for row in read(day / "ecds.csv")
        if row["NHSNumber"] and not nhs_check_holds(row["NHSNumber"])
    }
    assert failing
    assert failing <= mistyped


def test_names_cannot_be_taken_for_real_ones(borough):
    """Every name is a number and a word."""
    people = read(bulk(borough) / "ssd_person.csv")
    assert all(row["pers_forename"].split(" ")[1] in ("Child", "Adult") for row in people)
    assert all(row["pers_surname"].endswith(" Family") for row in people)


def test_one_feed_skips_a_week_and_sends_its_rows_the_week_after(borough):
    """Five deliveries; the appointments of the third come with the fourth."""
    days = sorted(borough.landing.iterdir())
    ends = [clock.day_number(UNTIL) - before for before in (28, 21, 14, 7, 0)]
    assert [clock.day_number(clock.parse_day(day.name)) for day in days] == ends
    there = [(day / "community_health.csv").exists() for day in days]
    assert there == [True, True, False, True, True]
    after = [row["RecordedDate"] for row in read(days[3] / "community_health.csv")]
    assert min(after) <= days[2].name


def test_no_file_knows_the_future(borough):
    """Nothing in a delivery was recorded after its day, and ends are blank until they come."""
    for day in borough.landing.iterdir():
        assert all(row["RecordedDate"] <= day.name for row in _rows(day, "community_health"))
        assert all(row["cine_close_date"] <= day.name for row in _rows(day, "ssd_cin_episodes"))


def _rows(day, name: str) -> list[dict[str, str]]:
    path = day / f"{name}.csv"
    return read(path) if path.exists() else []


def test_rows_are_corrected_withdrawn_and_sent_twice(large):
    """Between deliveries rows change, vanish and come again, as the truth lists."""
    kinds = pq.read_table(large.truth / "record_errors.parquet")["error"].to_pylist()
    assert {"corrected", "withdrawn", "sent twice"} <= set(kinds)
    first, second = (read(day / "ecds.csv") for day in sorted(large.landing.iterdir())[:2])
    key, status = (
        "UrgentAndEmergencyCareActivityIdentifier",
        "UrgentAndEmergencyCareDischargeStatus_SnomedCt",
    )
    before = {row[key]: row[status] for row in first}
    now = {row[key]: row[status] for row in second}
    assert any(before[name] != now[name] for name in before.keys() & now.keys())


def test_a_borough_does_not_replace_somebody_elses_folder(tmp_path):
    """A folder with anything else in it is refused in one sentence."""
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not a borough"):
        generate(tmp_path, children=50, seed=1, until=UNTIL)
    assert (tmp_path / "letter.txt").exists()


@pytest.mark.parametrize(("children", "years"), [(3, 5), (10**6, 5), (100, 0)])
def test_impossible_sizes_are_refused(tmp_path, children, years):
    """Too small, too large, no time."""
    with pytest.raises(ConfigError):
        generate(tmp_path / "out", children=children, seed=1, until=UNTIL, years=years)
