"""Windows in time: learn on earlier months, calibrate on later ones, judge on later ones still.

Between two windows lies a gap of the whole horizon, so no outcome that a later window is judged by
lies within the period whose outcomes an earlier window learnt from.
"""

from __future__ import annotations

from dataclasses import dataclass

from riskflag.clock import date_of
from riskflag.errors import InputError
from riskflag.training.data.cohort import month_starts
from riskflag.training.data.experiment import ExperimentConfig
from riskflag.training.data.outcome import matured


@dataclass(frozen=True)
class Split:
    """Monthly as-of dates (day numbers, rising) of each window.

    `fitting` and `stopping` are parts of `train` with a gap between them: they only decide how
    many trees are grown; the model itself learns from all of `train`.
    """

    train: tuple[int, ...]
    calibration: tuple[int, ...]
    test: tuple[int, ...]
    fitting: tuple[int, ...]
    stopping: tuple[int, ...]
    cut: int

    def all(self) -> tuple[int, ...]:
        """Every as-of date that is used."""
        return (*self.train, *self.calibration, *self.test)

    def told(self) -> dict[str, str]:
        """Each window as a period in words, for parameters and reports."""
        windows = {"train": self.train, "calibration": self.calibration, "test": self.test}
        return {name: period(days) for name, days in windows.items()}


def period(days: tuple[int, ...]) -> str:
    """The months that a window of as-of dates spans, in words."""
    first, last = (date_of(day).strftime("%B %Y") for day in (days[0], days[-1]))
    return first if first == last else f"{first} to {last}"


def split(config: ExperimentConfig, *, first: int, cut: int) -> Split:
    """Cut the months from day `first` to the cut into windows, counted back from the end.

    Raises InputError, saying how many months there are, when they do not suffice.
    """
    horizon, settle = config.outcome.horizon_days, config.outcome.settle_days
    months = [
        day
        for day in month_starts(first, cut)
        if matured(day, horizon=horizon, settle=settle, cut=cut)
    ]
    windows = config.windows
    test = months[-windows.test_months :]
    calibration = _before(months, test, horizon)[-windows.calibration_months :]
    train = _before(months, calibration, horizon)[-windows.train_months :]
    stopping = train[-min(windows.stopping_months, max(len(train) // 4, 1)) :]
    fitting = _before(train, stopping, horizon)
    if not train:
        raise InputError(
            f"There are {len(months)} months whose outcome is known, too few to learn, calibrate "
            "and check apart; bring more history or shorten the windows or the horizon."
        )
    return Split(
        tuple(train), tuple(calibration), tuple(test), tuple(fitting), tuple(stopping), cut
    )


def _before(months: list[int], later: list[int], horizon: int) -> list[int]:
    """The months whose whole horizon is over when the later window begins."""
    return [day for day in months if later and day + horizon <= later[0]]
