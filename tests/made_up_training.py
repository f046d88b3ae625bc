"""Made-up training data: matrices with a known law, in the shape that training prepares."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from riskflag.clock import NEVER, day_number, parse_day
from riskflag.signals import Signal, age, contacts, count, days_since_last
from riskflag.training.data.cohort import People, month_starts
from riskflag.training.data.experiment import ExperimentConfig
from riskflag.training.data.inputs import choose_inputs
from riskflag.training.data.outage import Outages
from riskflag.training.data.outcome import Labels
from riskflag.training.data.prepare import Prepared, Window
from riskflag.training.data.rows import Contacts, Rows
from riskflag.training.data.split import Split
from riskflag.training.model.learn import Learnt, learn

SMALL = ExperimentConfig.model_validate(
    {
        "question": "Will this made-up child need help?",
        "model": {"max_trees": 60, "min_rows_in_leaf": 40, "patience": 10, "learning_rate": 0.1},
        "evaluation": {"bootstrap": 20, "capacity_per_week": 10},
    }
)


def signal(name: str, of: object, direction: str, theme: str, agency: str) -> Signal:
    return Signal(
        name=name,
        of=of,  # type: ignore[arg-type]
        question=f"What is {name}?",
        rationale="A test needs it.",
        source="Made up.",
        direction=direction,  # type: ignore[arg-type]
        theme=theme,
        agency=agency,
    )


@functools.cache
def signals() -> tuple[Signal, ...]:
    visits, support = contacts("care.visit"), contacts("early_help.support")
    ever = count(contacts("missing.report"), None)
    return (
        signal("attendances_90d", count(contacts("ed.attendance"), 90), "raises", "health", "ed"),
        signal("missing_ever", ever, "raises", "missing", "police"),
        signal("days_since_visit", days_since_last(visits), "none", "care", "social_care"),
        signal("support_365d", count(support, 365), "lowers", "early_help", "early_help"),
        signal("age_years", age(), "none", "context", "several"),
        signal(
            "enquiries_ever", count(contacts("care.s47"), None), "raises", "care", "social_care"
        ),
    )


def window(as_ofs: tuple[int, ...], children: int, seed: int) -> Window:
    """Rows whose chance of the outcome rises with the first two signals and falls with support."""
    rng = np.random.default_rng(seed)
    ids = tuple(f"P{number:05d}" for number in range(children))
    person = np.tile(np.arange(children), len(as_ofs))
    as_of = np.repeat(np.array(as_ofs, dtype=np.int64), children)
    n = len(person)
    frailty = np.tile(rng.normal(0, 0.7, children), len(as_ofs))
    values = np.column_stack(
        [
            rng.poisson(np.exp(frailty - 0.5)),
            rng.poisson(np.exp(frailty - 1.0)),
            np.where(rng.random(n) < 0.5, np.inf, rng.integers(1, 400, n)),
            rng.poisson(0.3, n),
            np.tile(rng.integers(0, 17, children), len(as_ofs)),
        ]
    ).astype(float)
    values[rng.random(n) < 0.05, 1] = np.nan
    chance = 1 / (1 + np.exp(4.2 - 0.9 * values[:, 0] - 0.6 * frailty + 0.8 * values[:, 3]))
    happened = rng.random(n) < chance
    labels = Labels(happened, np.where(happened, as_of + 30, NEVER))
    return Window(Rows(ids, person, as_of), labels, np.ones(n), values)


@functools.cache
def prepared(children: int = 1500) -> Prepared:
    """Eight training months, two to calibrate and two to test."""
    months = month_starts(*(day_number(parse_day(d)) for d in ("2022-01-01", "2025-01-01")))
    windows = Split(
        tuple(months[:8]), tuple(months[14:16]), tuple(months[22:24]), tuple(months[:2]),
        tuple(months[6:8]), months[30],
    )  # fmt: skip
    train = window(windows.train, children, 1)
    rng = np.random.default_rng(9)
    whose = rng.integers(0, children, 5 * children)
    days = rng.integers(months[0] - 300, months[24], 5 * children)
    ids = train.rows.ids
    births = np.full(children, day_number(parse_day("2015-06-01")))
    never, here = np.full(children, NEVER), np.arange(children)
    return Prepared(
        windows,
        choose_inputs(signals(), SMALL.outcome.types),
        train,
        window(windows.calibration, children, 2),
        window(windows.test, children, 3),
        People(ids, here, births, never, births, never, np.ones(children, dtype=bool), births),
        Contacts(whose, days, days + 1, np.full_like(days, NEVER), np.full_like(days, NEVER)),
        len(train.rows),
        int(train.labels.happened.sum()),
        ends_known=train.rows.as_of + 180,
    )


@functools.cache
def learnt() -> Learnt:
    return learn(prepared(), SMALL.model, capacity=43.0)


def blank_agencies(
    values: np.ndarray, agencies: Sequence[frozenset[str]], *, share: float, seed: int
) -> int:
    """Make outages in all of `values`, in place; how many rows lost something."""
    outages = Outages.drawn(len(values), agencies, share=share, seed=seed)
    outages.blank(values, np.arange(len(values)))
    return outages.struck
