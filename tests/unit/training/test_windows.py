"""Windows in time never overlap in what they learn from or are judged by."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from riskflag.clock import date_of, day_number
from riskflag.errors import InputError
from riskflag.training.data.cohort import month_starts
from riskflag.training.data.experiment import ExperimentConfig
from riskflag.training.data.split import period, split


def config(**windows: int) -> ExperimentConfig:
    outcome = {key: windows.pop(key) for key in ("horizon_days", "settle_days") if key in windows}
    return ExperimentConfig.model_validate(
        {"question": "?", "outcome": outcome, "windows": windows}
    )


FIRST = day_number(dt.date(2019, 3, 15))


@given(
    st.integers(200, 4000), st.integers(7, 400), st.integers(0, 90),
    st.integers(1, 40), st.integers(1, 12), st.integers(1, 12),
)  # fmt: skip
def test_no_label_window_reaches_into_a_later_window(
    days: int, horizon: int, settle: int, train: int, calibration: int, test: int
) -> None:
    """Between the last as-of of a window and the first of the next lies at least the horizon."""
    chosen = config(
        horizon_days=horizon, settle_days=settle, train_months=train,
        calibration_months=calibration, test_months=test,
    )  # fmt: skip
    cut = FIRST + days
    try:
        found = split(chosen, first=FIRST, cut=cut)
    except InputError:
        assume(False)
    assert found.train[-1] + horizon <= found.calibration[0]
    assert found.calibration[-1] + horizon <= found.test[0]
    assert found.test[-1] + horizon + settle <= cut
    assert not found.fitting or found.fitting[-1] + horizon <= found.stopping[0]
    assert set(found.stopping) <= set(found.train)
    assert (len(found.train), len(found.calibration), len(found.test)) <= (train, calibration, test)
    assert list(found.all()) == sorted(set(found.all()))


def test_five_years_give_every_window_its_months() -> None:
    found = split(config(), first=FIRST, cut=FIRST + 1826)
    assert (len(found.calibration), len(found.test)) == (6, 6)
    assert len(found.train) >= 24
    assert found.told()["test"] == "March 2023 to August 2023"


def test_too_little_history_is_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="too few to learn, calibrate and check apart"):
        split(config(), first=FIRST, cut=FIRST + 500)


def test_month_starts_are_the_first_days_of_months() -> None:
    starts = month_starts(FIRST, FIRST + 366)
    assert [date_of(day) for day in starts[:2]] == [dt.date(2019, 4, 1), dt.date(2019, 5, 1)]
    assert len(starts) == 12
    assert all(date_of(day).day == 1 for day in starts)
    assert period((starts[0],)) == "April 2019"
