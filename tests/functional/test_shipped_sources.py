"""Every shipped source reads rows of its shape; what it does not know it counts and keeps."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter

import pytest

from riskflag.history.declared.code_lists import CODE_LISTS, code_list, code_list_names
from riskflag.history.declared.code_maps import ANY, PATTERN, expression, translated
from riskflag.history.declared.shipped import SHIPPED_SOURCES
from riskflag.history.declared.source import Value
from riskflag.history.declared.source_files import check_pattern
from riskflag.history.declared.source_load import load_sources
from riskflag.history.declared.source_text import used_lists
from riskflag.history.loading.ingest import ingest
from riskflag.history.schema import CONTACT, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.workspace import Workspace
from tests.made_up_rows import made_up

SOURCES = load_sources(SHIPPED_SOURCES)
#: Those of the Northern Irish example share a file's name with others and have a test of theirs.
TABLES = [s for s in SOURCES if s.files.format == "csv" and not s.name.startswith("ni_")]
LANDED = dt.date(2024, 6, 1)
ROWS = 40


def workspace_with(folder, rows):
    """A workspace with every shipped table, and a file of these rows for each."""
    workspace = Workspace.create(folder / "w", "Test")
    landing = workspace.landing / LANDED.isoformat()
    landing.mkdir()
    for source in TABLES:
        (workspace.sources_dir / f"{source.name}.toml").write_bytes(
            (SHIPPED_SOURCES / f"{source.name}.toml").read_bytes()
        )
        name = source.files.pattern[0].replace("*", "1-")
        path = landing / name
        with path.open("w", newline="", encoding=source.files.encoding) as stream:
            columns = sorted(source.columns())
            writer = csv.DictWriter(stream, columns, delimiter=source.files.delimiter)
            writer.writeheader()
            writer.writerows({name: row[name] for name in columns} for row in rows[source.name])
    return workspace


def test_every_shipped_table_takes_its_file_and_every_row_of_it(tmp_path):
    """Side by side in one workspace: no two want one file, nothing is refused or unmapped."""
    rows = {source.name: made_up(source, ROWS) for source in TABLES}
    report = ingest(workspace_with(tmp_path, rows))
    told = {file.source: file for file in report.files}
    assert set(told) == {source.name for source in TABLES}
    assert len(told) > 80
    assert report.unclaimed == ()
    assert {(item.source, item.column) for item in report.unmapped} <= shared_columns()
    for file in told.values():
        assert (file.status, file.message, file.reasons) == ("loaded", "", {}), file.source
        assert file.rows == file.accepted + file.duplicate + file.superseded == ROWS, file.source
    for source in TABLES:
        if source.contact:
            assert told[source.name].contacts > 0, source.name


def shared_columns():
    """Columns that rows of different kinds read by different maps: made-up codes may not fit."""
    found = Counter(
        (source.name, column)
        for source in TABLES
        for column, _ in {
            (origin.column, origin.map) for e in source.contact for origin in e.attributes.values()
        }
    )
    return {key for key, maps in found.items() if maps > 1}


def mapped(source):
    """The columns of attributes whose map does not take any code."""
    found = {
        origin.column
        for entry in source.contact
        for origin in entry.attributes.values()
        if origin.map and ANY not in source.map_named(origin.map)
    }
    kinds = {e.type.column for e in source.contact if isinstance(e.type, Value)}
    filters = {f.column for e in source.contact for f in (*e.when, *e.withdrawn)}
    return found - kinds - filters


def test_a_code_that_no_map_holds_is_counted_and_its_record_kept(tmp_path):
    rows = {source.name: made_up(source, ROWS) for source in TABLES}
    for source in TABLES:
        for row in rows[source.name]:
            row.update(dict.fromkeys(mapped(source), "ZZ98"))
    report = ingest(workspace_with(tmp_path, rows))
    unmapped = {(item.source, item.column): item for item in report.unmapped}
    told = {file.source: file for file in report.files}
    checked = 0
    for source in TABLES:
        assert told[source.name].quarantined == 0, source.name
        for column in mapped(source):
            only = len(source.contact) == 1 and told[source.name].contacts
            if only or (source.name, column) in unmapped:
                assert unmapped[source.name, column].code == "ZZ98"
                checked += 1
    assert checked > 40
    assert report.issues["unmapped_code"] > 1000
    unsaid = {(item.source, item.attribute): item for item in report.unsaid}
    need = unsaid["ssd_cin_episodes", "category"]
    assert need.contacts == need.of == ROWS


@pytest.mark.parametrize("name", code_list_names())
def test_a_code_list_says_where_it_was_read_and_is_used(name):
    """Title, standard, version and place on each; patterns are sound; some source reads by it."""
    found = code_list(name)
    assert min(map(len, (found.standard, found.version, found.read))) > 5
    assert all(
        check_pattern(expression(code) or "") == (expression(code) or "") for code in found.codes
    )
    assert all(entry.means.strip() for entry in found.codes.values())
    assert any(name in used_lists(source) for source in SOURCES)


def test_a_list_that_is_not_there_and_a_source_of_a_family_without_standard():
    """Negative control of the check above, and what every source of a standard must say."""
    assert code_list("no_such") is None
    assert code_list("../sources/ecds") is None
    assert CODE_LISTS.is_dir()
    for source in SOURCES:
        assert source.family, source.name
        if source.standard is not None:
            assert source.standard.read, source.name


def words(name, *codes):
    import pyarrow as pa

    return translated(pa.array(codes), code_list(name).targets)


def test_the_register_of_august_2024_counts_four_codes_as_unauthorised():
    lists = [code_list(name).codes for name in ("dfe_attendance", "dfe_attendance_session")]
    for codes in lists:
        said = {code for code, entry in codes.items() if entry.is_ == "unauthorised"}
        assert said == {"G", "N", "O", "U"}
    every = set("/\\LKVPWBDCMSXTRIEQGNOUZ#") | {"C1", "C2", "J1", *(f"Y{n}" for n in range(1, 8))}
    assert every <= set(lists[1])
    assert {code for code, entry in lists[1].items() if not entry.is_} == set("/\\LKVPWBDZ#")


def test_a_mark_that_is_corrected_to_present_takes_the_absence_back(tmp_path):
    workspace = Workspace.create(tmp_path / "w", "Test")
    source = "school_attendance_daily.toml"
    (workspace.sources_dir / source).write_bytes((SHIPPED_SOURCES / source).read_bytes())
    head = "UPN,Date,Session,Mark\n"
    days = {
        "2026-03-03": "u1,02/03/2026,AM,N\nu1,02/03/2026,PM,\\\nu2,02/03/2026,AM,O\n"
        "u3,02/03/2026,AM,?\n",
        "2026-03-05": "u1,02/03/2026,AM,/\nu2,02/03/2026,AM,I\n",
    }
    for day, rows in days.items():
        folder = workspace.landing / day
        folder.mkdir()
        (folder / f"attendance_daily_{day}.csv").write_text(head + rows)
    report = ingest(workspace)
    assert all(file.balanced and not file.quarantined for file in report.files)
    rows = conform(HistoryStore(workspace.history).read("contact"), CONTACT).to_pylist()
    said = [(r["subject_value"], r["version"], r["op"], r["category"]) for r in rows]
    assert Counter(said) == Counter(
        [
            ("u1", 1, "assert", "unauthorised"),
            ("u1", 2, "retract", None),
            ("u2", 1, "assert", "unauthorised"),
            ("u2", 2, "assert", "illness"),
            ("u3", 1, "assert", None),
        ]
    )


def test_outcome_flags_are_read_whatever_their_spacing_and_an_unknown_flag_is_not_swallowed():
    yes = '{"NFA_FLAG": "N", "NEW_REFERRAL_FLAG":"Y"}'
    both = '{"NFA_FLAG":"Y","CP_ENQUIRY_FLAG":"Y"}'
    none = '{"NFA_FLAG":"N", "ADVICE_FLAG":null, "MISSING_FLAG":"0"}'
    unknown = '{"NFA_FLAG":"N","SOMETHING_NEW_FLAG":"Y"}'
    assert words("ssd_contact_outcome", yes, both, none, unknown) == [
        "referral",
        "enquiry",
        "",
        None,
    ]
    said = '{"NFA_FLAG":"N","TOTAL_NO_OF_OUTCOMES":"0","COMMENTS":"seen by ""x"""}'
    assert words("ssd_assessment_outcome", said.replace('""x""', "x")) == [""]


def test_codes_that_changed_over_the_years_are_all_read():
    assert words("dfe_sex", "1", "2", "M", "F", "U") == ["male", "female", "male", "female", ""]
    assert words("dfe_assessment_factor", "18A", "18B", "19C", "24A", "21")[-1] == ""
    assert words("ecds_chief_complaint", "272022009", "366979004") == ["mental_health"] * 2
    assert words("dfe_abuse_category", "NEG", "Neglect", "Multiple: neglect and emotional") == [
        "neglect",
        "neglect",
        "multiple",
    ]
    assert words("nhs_attended", "2", "3", "4") == [
        "cancelled_by_family",
        "not_brought",
        "cancelled_by_provider",
    ]
    assert not any(code.startswith(PATTERN) for code in code_list("dfe_referral_source").codes)
