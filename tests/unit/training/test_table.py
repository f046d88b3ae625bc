"""A labelled table as the outcome: what is read, what counts, and what is refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskflag.clock import date_of, day_number
from riskflag.errors import ConfigError, InputError
from riskflag.signals import Catalogue, Signal, contacts, count
from riskflag.training.data.experiment import Experiment, ExperimentConfig
from riskflag.training.data.prepare import Prepared
from riskflag.training.data.prepare_table import prepare_table
from riskflag.training.data.table import read_labels
from tests.factories import history_of

CANARY = "ZQSECRET"
TABLE = pd.DataFrame(
    {
        "who": ["p1", "p2", "p3", "p1"],
        "on": ["2024-01-01", "2024-01-01", "2024-01-01", "2025-01-01"],
        "bad": [1, 0, 1, 0],
        "until": ["2024-06-30", "2024-06-30", "2025-02-01", "2025-06-30"],
        "enrolled": [True, True, False, True],
        "course": ["A", "A", "B", "A"],
    }
)
COLUMNS = {"person": "who", "as_of": "on", "label": "bad", "label_end": "until"}


def config(**cohort: object) -> ExperimentConfig:
    return ExperimentConfig.model_validate(
        {
            "question": "Will it go badly?",
            "outcome": {"table": "labels.csv", "columns": COLUMNS},
            "cohort": {"where": cohort},
            "windows": {"test_from": "2025-01-01", "calibration_share": 0.3},
            "model": {"max_trees": 20, "min_rows_in_leaf": 5},
        }
    )


def written(folder: Path, table: pd.DataFrame, name: str = "labels.csv") -> Path:
    path = folder / name
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path)
    return path


@pytest.mark.parametrize("name", ["labels.csv", "labels.parquet"])
def test_people_days_and_labels_are_read_alike_from_csv_and_parquet(
    tmp_path: Path, name: str
) -> None:
    table = TABLE.assign(on=pd.to_datetime(TABLE.on)) if name.endswith("parquet") else TABLE
    labels = read_labels(written(tmp_path, table, name), config())
    assert labels.person == ("p1", "p2", "p3", "p1")
    assert labels.label.tolist() == [True, False, True, False]
    assert date_of(int(labels.as_of[3])) == dt.date(2025, 1, 1)


def test_only_the_rows_that_the_cohort_asks_for_are_read(tmp_path: Path) -> None:
    labels = read_labels(written(tmp_path, TABLE), config(enrolled=True, course="A"))
    assert labels.number.tolist() == [1, 2, 4]


@pytest.mark.parametrize(
    ("column", "row", "value", "words"),
    [
        ("who", 2, None, "row 2, column who: this is empty"),
        ("on", 3, CANARY, "row 3, column on: this is not a date"),
        ("bad", 1, CANARY, "row 1, column bad: this is neither yes (1) nor no (0)"),
        ("until", 2, "2023-01-01", "row 2, column until: the end is before the as-of date"),
        ("who", 2, "p1", "row 2, column who: this person, date and row key stood"),
    ],
)
def test_a_bad_value_is_told_with_file_row_and_column_but_not_itself(
    tmp_path: Path, column: str, row: int, value: object, words: str
) -> None:
    table = TABLE.astype({column: object})
    table.loc[row - 1, column] = value
    with pytest.raises(InputError) as told:
        read_labels(written(tmp_path, table), config())
    assert f"labels.csv {words}" in str(told.value)
    assert CANARY not in str(told.value)


def test_the_row_of_a_filtered_table_is_the_row_of_the_file(tmp_path: Path) -> None:
    table = TABLE.astype({"bad": object})
    table.loc[3, "bad"] = "perhaps"
    with pytest.raises(InputError, match="row 4, column bad"):
        read_labels(written(tmp_path, table), config(enrolled=True))


def test_a_row_key_lets_one_person_have_several_rows_on_a_day(tmp_path: Path) -> None:
    table = TABLE.assign(who="p1", on="2024-01-01")
    known = config().model_dump()
    known["outcome"] = {"table": "labels.csv", "columns": {**COLUMNS, "row_key": ["until", "bad"]}}
    path = written(tmp_path, table)
    assert len(read_labels(path, ExperimentConfig.model_validate(known))) == 4
    with pytest.raises(InputError, match="stood in an earlier row"):
        read_labels(path, config())


@pytest.mark.parametrize(
    ("where", "words"),
    [({"nowhere": 1}, "has no column nowhere; it has who"), ({"course": "Z"}, "no row is left")],
)
def test_a_filter_that_cannot_be_right_is_refused(
    tmp_path: Path, where: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        read_labels(written(tmp_path, TABLE), config(**where))


def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not there; check `table`"):
        read_labels(tmp_path / "labels.csv", config())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[outcome]\ntable = 'a.csv'\n", "test_from"),
        ("[outcome]\ntable = 'a.csv'\nhorizon_days = 90\n", "horizon_days"),
        ("[cohort]\nwhere = { week = 8 }\n", "labelled table"),
        ("[outcome]\ncolumns = { person = 'who' }\n", "add table"),
        ("[cohort]\nalso_learn_where = { week = 8 }\n", "leave also_learn_where out"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "config.toml").write_text(f"question = 'Why?'\n{text}")
    with pytest.raises(ConfigError, match=words):
        Experiment.read(tmp_path)


def made_up(people: int = 120) -> pd.DataFrame:
    """Everybody in January 2023, some of whose labels end late, and again in January 2025."""
    rng = np.random.default_rng(1)
    rows = []
    for number in range(people):
        late = number % 4 == 0
        for year, until in ((2023, "2025-03-01" if late else "2023-06-30"), (2025, "2025-06-30")):
            rows.append((f"p{number:03d}", f"{year}-01-01", int(rng.random() < 0.4), until))
    table = pd.DataFrame(rows, columns=["who", "on", "bad", "until"])
    return table.assign(student=[f"s{int(who[1:]) // 3}" for who in table.who])


def prepared_from(folder: Path, table: pd.DataFrame, **cohort: object) -> Prepared:
    people = [{"person_id": f"p{n:03d}", "birth_on": "2014-02-03"} for n in range(120)]
    visits = [
        {"person_id": f"p{n:03d}", "type": "ed.attendance", "occurred_on": "2022-12-01"}
        for n in range(0, 120, 2)
    ]
    visited = Signal(
        "visits_ever", count(contacts("ed.attendance"), None), question="How many?",
        rationale="A test.", source="A test.", direction="raises", theme="health", agency="ed",
    )  # fmt: skip
    known = config().model_dump(exclude_unset=True)
    known["outcome"] = {"table": "labels.csv", "columns": {**COLUMNS, "family": "student"}}
    known["cohort"] = cohort
    written(folder, table)
    return prepare_table(
        history_of(visits, people),
        ExperimentConfig.model_validate(known),
        Catalogue((visited,), "f" * 64, folder / "none.toml"),
        folder,
    )


def test_a_label_that_ended_after_the_first_test_date_teaches_nothing(tmp_path: Path) -> None:
    prepared = prepared_from(tmp_path, made_up())
    late = {f"p{n:03d}" for n in range(0, 120, 4)}
    learnt = {prepared.train.rows.ids[p] for p in prepared.train.rows.person}
    calibrated = {prepared.train.rows.ids[p] for p in prepared.calibration.rows.person}
    assert len(learnt | calibrated) == 90
    assert not late & (learnt | calibrated)
    assert set(prepared.test.rows.as_of.tolist()) == {day_number(dt.date(2025, 1, 1))}
    assert len(prepared.test.rows) == 120


def test_a_family_is_never_on_both_sides_of_the_calibration(tmp_path: Path) -> None:
    prepared = prepared_from(tmp_path, made_up())
    assert prepared.families is not None
    sides = [
        {int(prepared.families[p]) for p in window.rows.person}
        for window in (prepared.train, prepared.calibration)
    ]
    assert sides[0]
    assert sides[1]
    assert not sides[0] & sides[1]
    assert len(np.unique(prepared.test_families)) == 40


def test_a_person_who_is_not_in_the_history_is_told_by_row(tmp_path: Path) -> None:
    table = made_up()
    table.loc[6, "who"] = CANARY
    with pytest.raises(InputError) as told:
        prepared_from(tmp_path, table)
    assert "labels.csv row 7: this person is not in the history (1 such rows)" in str(told.value)
    assert CANARY not in str(told.value)


BOTH_WEEKS = {"where": {"week": 8}, "also_learn_where": {"week": 12}}


def with_more_weeks(people: int = 120) -> pd.DataFrame:
    """The same, with rows of a later week of each year that are not asked about."""
    asked = made_up(people).assign(week=8)
    later = asked.assign(week=12, on=asked.on.str.replace("-01-01", "-01-29"))
    return pd.concat([asked, later], ignore_index=True)


def test_rows_that_are_only_learnt_from_judge_calibrate_and_stop_nothing(tmp_path: Path) -> None:
    prepared = prepared_from(tmp_path, with_more_weeks(), where={"week": 8})
    more = prepared_from(tmp_path, with_more_weeks(), **BOTH_WEEKS)
    january = {day_number(dt.date(2023, 1, 1))}
    assert set(prepared.train.rows.as_of.tolist()) == january
    assert set(more.train.rows.as_of.tolist()) == january | {day_number(dt.date(2023, 1, 29))}
    assert len(more.train.rows) == 2 * len(prepared.train.rows)
    for window in (more.calibration.rows, more.train.rows.take(more.stopping)):
        assert set(window.as_of.tolist()) == january
    assert set(more.test.rows.as_of.tolist()) == {day_number(dt.date(2025, 1, 1))}
    assert len(more.learnt_alike.rows) == len(prepared.train.rows)


def test_the_time_to_a_label_that_is_told_is_that_of_the_rows_asked_about(tmp_path: Path) -> None:
    """Rows of an earlier week that are only learnt from have longer to go."""
    later = prepared_from(tmp_path, with_more_weeks(), where={"week": 12})
    both = {"where": {"week": 12}, "also_learn_where": {"week": 8}}
    assert prepared_from(tmp_path, with_more_weeks(), **both).horizon == later.horizon
    assert prepared_from(tmp_path, with_more_weeks(), **BOTH_WEEKS).horizon == later.horizon + 28


def test_the_number_of_trees_is_not_found_on_labels_that_were_grown_on(tmp_path: Path) -> None:
    """Of those whose label finds it no other week counts; with earlier ends they do."""
    more = prepared_from(tmp_path, with_more_weeks(), **BOTH_WEEKS)
    assert more.asked is not None
    assert more.fitting.any()
    assert not (more.fitting & ~more.asked).any()
    table = with_more_weeks()
    first = table.who < "p060"
    table.loc[first & (table["until"] == "2023-06-30"), "until"] = "2023-05-31"
    early = table.loc[first & table.on.str.startswith("2023")]
    table.loc[early.index, "on"] = early.on.str.replace("2023-01-0", "2022-12-0")
    more = prepared_from(tmp_path, table, **BOTH_WEEKS)
    assert more.asked is not None
    assert (more.fitting & ~more.asked).any()
