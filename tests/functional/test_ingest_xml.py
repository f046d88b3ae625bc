"""XML returns, loaded with source declarations only: exact counts, every row of the file told."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections import Counter
from xml.etree import ElementTree

import pytest

from riskflag.errors import ConfigError
from riskflag.history.declared.shipped import copy_shipped
from riskflag.history.loading.ingest import ingest
from riskflag.history.schema import CONTACT, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.workspace import Workspace
from tests.cin_census import YEARS, census
from tests.shared_data import shared_data

LANDED = dt.date(2026, 6, 1)
SMALL = """<Message><Header><Source><LEA>201</LEA></Source></Header><Children>
<Child><ChildIdentifiers><LAchildID>c1</LAchildID><PersonBirthDate>2015-03-27</PersonBirthDate>
<Sex>F</Sex></ChildIdentifiers>
<CINdetails><CINreferralDate>2025-04-02</CINreferralDate><ReferralSource>6</ReferralSource>
<PrimaryNeedCode>N1</PrimaryNeedCode><Assessments>
<AssessmentActualStartDate>2025-04-03</AssessmentActualStartDate>
<AssessmentAuthorisationDate>2025-05-01</AssessmentAuthorisationDate>
<FactorsIdentifiedAtAssessment><AssessmentFactors>3B</AssessmentFactors>
<AssessmentFactors>21</AssessmentFactors><AssessmentFactors>16A</AssessmentFactors>
</FactorsIdentifiedAtAssessment></Assessments><Assessments>
<AssessmentActualStartDate>2025-09-03</AssessmentActualStartDate></Assessments>
<ReferralNFA>false</ReferralNFA></CINdetails></Child></Children></Message>"""


def landed(folder, family, *paths, **texts):
    """A workspace with a family of shipped sources and files that landed on one day."""
    workspace = Workspace.create(folder / "w", "Test")
    copy_shipped(family, workspace.sources_dir)
    landing = workspace.landing / LANDED.isoformat()
    landing.mkdir()
    for path in paths:
        shutil.copy(path, landing)
    for name, text in texts.items():
        (landing / f"{name}.xml").write_text(text)
    return workspace


def contacts(workspace):
    return conform(HistoryStore(workspace.history).read("contact"), CONTACT).to_pylist()


def rows_of(report):
    return {file.source: file.rows for file in report.files}


def test_the_large_census_gives_every_child_and_referral(tmp_path):
    path = shared_data("d2i-cin-fake") / "fake_CIN_data.xml"
    workspace = landed(tmp_path, "cin_census", path)
    report = ingest(workspace)
    assert report.unclaimed == ()
    assert all(file.status == "loaded" and file.balanced for file in report.files)
    assert sum(file.quarantined for file in report.files) == 0
    assert rows_of(report)["cin_census_children"] == 332
    assert rows_of(report)["cin_census_referrals"] == 402
    assert report.unmapped == ()
    rows = contacts(workspace)
    referrals = [row for row in rows if row["type"] == "care.referral"]
    root = ElementTree.parse(path).getroot()
    said = Counter(
        (child.findtext("ChildIdentifiers/LAchildID"), case.findtext("CINreferralDate"))
        for child in root.iter("Child")
        for case in child.iter("CINdetails")
    )
    assert said == Counter((r["person_id"], r["occurred_on"].isoformat()) for r in referrals)
    assert len({row["person_id"] for row in referrals}) == 332
    lines = path.read_text().splitlines()
    assert all("<CINdetails>" in lines[row["source_line"] - 1] for row in referrals)
    closed = len(re.findall("<CINclosureDate>", path.read_text()))
    assert sum(not row["open_ended"] for row in referrals) == closed == 252
    assert Counter(row["type"] for row in rows)["care.icpc"] == 350


SHAPES = ("CIN2rows", "CIN_Census_2021", "CIN_Census_2024", "CIN_Census_2026")


@pytest.mark.parametrize("name", [*SHAPES, "CIN_header_issues_100", "CIN_la_issues_2887Q"])
def test_every_shape_of_the_census_loads(tmp_path, name):
    path = shared_data("d2i-cin-fake") / f"{name}.xml"
    workspace = landed(tmp_path, "cin_census", path)
    report = ingest(workspace)
    assert all(file.status == "loaded" and file.balanced for file in report.files)
    assert sum(file.quarantined for file in report.files) == 0
    text = path.read_text()
    kinds = Counter(row["type"] for row in contacts(workspace))
    assert kinds["care.referral"] == text.count("<CINdetails>")
    assert kinds["care.s47"] == text.count("<Section47>") == kinds["care.cin_plan"] == 1
    assert kinds["care.factor"] == text.count("<AssessmentFactors>")
    assert kinds["care.assessment"] == text.count("<AssessmentAuthorisationDate>")
    assert kinds["care.icpc"] == text.count("<DateOfInitialCPC>")
    duplicates = sum(file.duplicate for file in report.files)
    plans = kinds["care.cp_plan"] + kinds["care.review"] + duplicates
    assert plans == text.count("<CPPstartDate>") + text.count("<CPPreviewDate>")


@pytest.mark.parametrize("year", YEARS)
def test_the_census_of_every_year_loads_whole(tmp_path, year):
    """Whatever element the year calls it by: the same facts, no code unmapped, no row refused."""
    workspace = landed(tmp_path, "cin_census", CIN=census(year))
    report = ingest(workspace)
    assert all(file.status == "loaded" and file.balanced for file in report.files)
    assert report.unmapped == ()
    assert sum(file.quarantined for file in report.files) == 0
    kinds = Counter(row["type"] for row in contacts(workspace))
    assert kinds == {
        "care.referral": 3,
        "care.assessment": 3,
        "care.factor": 9 if year < 2022 else 12,
        "care.s47": 3,
        "care.icpc": 3,
        "care.cp_plan": 3,
        "care.review": 3,
        **({"care.cin_plan": 3} if year > 2021 else {}),
        **({"care.pre_proceedings": 3} if year > 2025 else {}),
    }
    people = HistoryStore(workspace.history).read("person").to_pylist()
    assert {(p["person_id"], p["sex"], p["birth_precision"]) for p in people} == {
        ("c1", "female", "day"),
        ("c2", "male", "day"),
        ("c3", "female", "month"),
    }
    outcomes = {(r["person_id"], r["outcome"]) for r in contacts(workspace) if r["category"]}
    assert ("c2", "nfa") in outcomes


def test_a_case_says_what_it_says(tmp_path):
    """Codes through the maps, factors from the authorisation, code 21 and open assessments none."""
    workspace = landed(tmp_path, "cin_census", CIN=SMALL)
    report = ingest(workspace)
    assert all(file.balanced and file.quarantined == 0 for file in report.files)
    said = {
        (row["type"], row["occurred_on"].isoformat(), row["category"], row["role"], row["outcome"])
        for row in contacts(workspace)
    }
    assert said == {
        ("care.referral", "2025-04-02", "abuse_or_neglect", "police", None),
        ("care.assessment", "2025-05-01", None, None, None),
        ("care.factor", "2025-05-01", "domestic_abuse", None, None),
        ("care.factor", "2025-05-01", "neglect", None, None),
    }
    [person] = HistoryStore(workspace.history).read("person").to_pylist()
    assert (person["person_id"], person["sex"]) == ("c1", "female")


def test_a_census_that_cannot_be_taken_is_held_in_one_sentence(tmp_path):
    workspace = landed(tmp_path, "cin_census", CIN=SMALL[:400], CIN2="<Other/>")
    report = ingest(workspace)
    reasons = {(file.name.split("/")[1], file.reason) for file in report.files}
    assert reasons == {("CIN.xml", "damaged"), ("CIN2.xml", "other_root")}
    assert all(file.message.count(".") <= 3 and "\n" not in file.message for file in report.files)
    assert contacts(workspace) == []


def test_sources_that_read_the_same_part_of_a_file_are_told(tmp_path):
    workspace = landed(tmp_path, "cin_census", CIN=SMALL)
    text = (workspace.sources_dir / "cin_census_s47.toml").read_text()
    twin = text.replace('name = "cin_census_s47"', 'name = "twin"')
    (workspace.sources_dir / "twin.toml").write_text(twin)
    with pytest.raises(ConfigError, match=r"both take CIN\.xml"):
        ingest(workspace)


@pytest.mark.parametrize(
    ("old", "new"), [('"CINPlanEndDate"', '"CINPlan EndDate"'), ('"../../Ch', '"../../../../../Ch')]
)
def test_a_column_that_is_no_path_is_told_with_its_file(tmp_path, old, new):
    workspace = landed(tmp_path, "cin_census", CIN=SMALL)
    path = workspace.sources_dir / "cin_census_cin_plans.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ConfigError, match=r"cin_plans\.toml line [0-9]+: files\."):
        ingest(workspace)


def test_the_looked_after_return_as_xml_says_what_its_elements_say(tmp_path):
    path = shared_data("d2i-903-fake") / "fake_903.xml"
    workspace = landed(tmp_path, "ssda903xml", path)
    report = ingest(workspace)
    assert all(file.balanced and file.quarantined == 0 for file in report.files)
    assert rows_of(report) == {
        "ssda903xml_episodes": 459,
        "ssda903xml_header": 253,
        "ssda903xml_missing": 6,
        "ssda903xml_reviews": 1206,
        "ssda903xml_adoption": 3,
        "ssda903xml_previous_permanence": 253,
    }
    reasons = Counter(re.findall(r"<RNE>(\w)<", path.read_text()))
    kinds = Counter(row["type"] for row in contacts(workspace))
    assert kinds["care.placement"] == 459 - reasons["L"]
    assert kinds["care.looked_after"] == reasons["S"]
    assert kinds["missing.episode"] == 6
    assert kinds["care.review"] == 1206


def test_the_next_census_keeps_closed_cases_and_withdraws_an_open_one_that_is_gone(tmp_path):
    """The same file again says nothing new; then the next year's has neither of two cases."""
    case = "<CINdetails><CINreferralDate>{}</CINreferralDate>{}{}</CINdetails>"
    closed = case.format("2024-05-01", "<CINclosureDate>2024-06-01</CINclosureDate>", "")
    conference = "<DateOfInitialCPC>2024-08-01</DateOfInitialCPC>"
    still_open = case.format("2024-07-01", "", conference)
    first = SMALL.replace("<CINdetails>", f"{closed}{still_open}<CINdetails>", 1)
    workspace = landed(tmp_path, "cin_census", CIN=first)
    for days, text in ((30, first), (365, SMALL)):
        folder = workspace.landing / (LANDED + dt.timedelta(days)).isoformat()
        folder.mkdir()
        (folder / "CIN.xml").write_text(text)
    ingest(workspace, landed=LANDED + dt.timedelta(366))
    rows = contacts(workspace)
    gone = {(r["type"], r["occurred_on"].isoformat()) for r in rows if r["op"] == "retract"}
    assert gone == {("care.referral", "2024-07-01"), ("care.icpc", "2024-08-01")}
    assert {row["version"] for row in rows if row["op"] == "assert"} == {1}
    assert "2024-05-01" in {row["occurred_on"].isoformat() for row in rows}
