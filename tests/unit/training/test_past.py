"""Training reads a history in parts of people as it reads the whole: nothing differs by a bit."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riskflag.clock import date_of
from riskflag.history.store.stored_view import Shelves, StoredView, split
from riskflag.history.store.view import History
from riskflag.signals import compute, load_catalogue
from riskflag.training.checks.apart import resting_on_assumed
from riskflag.training.checks.groups import groups_of
from riskflag.training.checks.leaks import as_it_happened, late_share
from riskflag.training.checks.masking import by_feed
from riskflag.training.data import past
from riskflag.training.data.experiment import ExperimentConfig
from riskflag.training.data.prepare import Prepared, Window, prepare
from riskflag.training.data.rows import Past
from riskflag.training.judging.rules_alone import rules_alone, rules_for
from riskflag.training.model.learn import learn
from tests.factories import history_of

START = dt.date(2023, 1, 1)
CONFIG = ExperimentConfig.model_validate(
    {
        "question": "Will a section 47 enquiry begin within 90 days?",
        "outcome": {"types": ["care.s47"], "horizon_days": 90},
        "windows": {"train_months": 10, "calibration_months": 4, "test_months": 4},
        "model": {"max_trees": 6, "min_rows_in_leaf": 20, "max_rows": 1000, "learning_rate": 0.3},
    }
)
#: People of one part.
PEOPLE = 60


def made_up(before: dt.date = dt.date.max) -> History:
    """Children with mothers and brothers or sisters, of whom some records come late.

    What had been delivered `before` a day; of relatives and births everything is known.
    """
    rng = np.random.default_rng(5)
    contacts, people, related = [], [], []
    for number in range(3 * PEOPLE):
        child = f"c{number:03d}"
        sex = ("female", "male")[number % 2]
        people.append({"person_id": child, "birth_on": "2014-02-03", "sex": sex})
        related.append({"person_id": child, "related_id": f"m{number // 2:03d}", "kind": "mother"})
        if number % 7 == 0:
            other = f"c{(number + PEOPLE + 1) % (3 * PEOPLE):03d}"
            related.append({"person_id": child, "related_id": other, "kind": "sibling"})
        frailty = rng.gamma(0.6, 1.6)
        for kind, rate in (("ed.attendance", 3 * frailty), ("missing.episode", frailty)):
            for day in rng.integers(0, 1090, rng.poisson(rate)):
                contacts.append(row(child, kind, int(day), int(rng.integers(0, 30))))
        for day in rng.integers(0, 1090, rng.poisson(0.8 * frailty)):
            contacts.append(row(child, "care.s47", int(day), 1))
    for number in range(0, 3 * PEOPLE // 2, 2):
        contacts.append(row(f"m{number:03d}", "police.da_incident", 300 + number, 3))
    return history_of([one for one in contacts if one["known_on"] < before], people, related)


def row(person: str, kind: str, day: int, later: int) -> dict[str, Any]:
    occurred = START + dt.timedelta(days=day)
    basis = "assumed_lag" if day % 3 == 0 else "landed"
    known = occurred + dt.timedelta(days=later)
    return {
        "person_id": person, "type": kind, "occurred_on": occurred, "known_on": known,
        "known_basis": basis,
    }  # fmt: skip


def in_parts(history: History, folder: Path, people: int = PEOPLE) -> Shelves:
    for number, part in enumerate(split(history, people)):
        StoredView.write(folder / f"{number:04d}", [part])
    return Shelves(folder)


@pytest.fixture(scope="module")
def whole() -> History:
    return made_up()


@pytest.fixture(scope="module")
def parts(whole: History, tmp_path_factory: pytest.TempPathFactory) -> Shelves:
    found = in_parts(whole, tmp_path_factory.mktemp("parts"))
    assert len(found) >= 4
    return found


@pytest.fixture(scope="module")
def both(whole: History, parts: Shelves) -> tuple[Prepared, Prepared]:
    catalogue = load_catalogue()
    return prepare(whole, CONFIG, catalogue), prepare(parts, CONFIG, catalogue)


def test_the_training_table_is_the_same_to_the_bit(both: tuple[Prepared, Prepared]) -> None:
    one, many = both
    assert one.train_rows == many.train_rows > len(one.train.rows)
    assert (one.train_outcomes, one.split) == (many.train_outcomes, many.split)
    assert one.train_outcomes == one.train.labels.happened.sum() > 20
    for name in ("train", "calibration", "test"):
        first, second = getattr(one, name), getattr(many, name)
        assert same(first, second), name
        assert np.isfinite(first.values[:]).any()
    assert one.families is not None
    assert many.families is not None
    assert (one.families == many.families).all()
    assert len(set(one.families.tolist())) < len(one.people.ids)


def same(one: Window, other: Window) -> bool:
    pairs = (
        (one.rows.person, other.rows.person),
        (one.rows.as_of, other.rows.as_of),
        (one.labels.day, other.labels.day),
        (one.weights, other.weights),
        (np.asarray(one.values[:]), np.asarray(other.values[:])),
    )
    return all(first.tobytes() == second.tobytes() for first, second in pairs)


def test_the_model_is_the_same_to_the_byte_in_parts_and_on_two_threads(
    both: tuple[Prepared, Prepared],
) -> None:
    told = {
        learn(ready, CONFIG.model, capacity=20.0, threads=threads).model.text
        for threads, ready in enumerate(both, start=1)
    }
    assert len(told) == 1


def test_every_row_learnt_from_and_judged_by_is_what_that_night_could_see(
    both: tuple[Prepared, Prepared],
) -> None:
    """No value of the training table rests on a record that was delivered after its night.

    Every row of every window is told again from what had been delivered when its night began, as
    the night tells it. Negative control: with the day a thing happened for the day it was known,
    values differ.
    """
    ready = both[1]
    signals, ids = ready.inputs.signals, np.asarray(ready.people.ids, dtype=object)
    rows = told = 0
    for window in (ready.train, ready.calibration, ready.test):
        for day in np.unique(window.rows.as_of):
            at = np.flatnonzero(window.rows.as_of == day)
            people, night = ids[window.rows.person[at]].tolist(), date_of(int(day))
            delivered = compute(made_up(night), people, as_of=night, signals=signals).masked()
            assert delivered.tobytes() == window.values[at].tobytes()
            rows += len(at)
            told += int(np.isfinite(delivered[:, 0]).sum())
    assert rows == len(ready.train.rows) + len(ready.calibration.rows) + len(ready.test.rows)
    assert told > 1000
    naive = past.signal_values(made_up(), ready.test.rows, signals, seen=as_it_happened)
    assert not np.array_equal(naive, ready.test.values[:], equal_nan=True)


def test_every_other_look_at_the_history_is_the_same_in_parts(
    whole: History, parts: Shelves, both: tuple[Prepared, Prepared]
) -> None:
    ready, catalogue = both[0], load_catalogue()
    rows, signals = ready.test.rows, ready.inputs.signals

    def looks(history: Past) -> list[object]:
        naive = past.signal_values(history, rows, signals, seen=as_it_happened)
        rulebook = rules_for(history, catalogue)
        assert rulebook is not None
        rules = rules_alone(history, rows, rulebook)
        assert rules.any()
        return [
            naive.tobytes(),
            rules.tobytes(),
            past.digest(history),
            past.last_known(history),
            late_share(history, rows),
            by_feed(history, signals),
            resting_on_assumed(history, ready, rows).tobytes(),
            [(one.kind, one.names, one.code.tobytes()) for one in groups_of(history, rows)],
        ]

    for one, other in zip(looks(whole), looks(parts), strict=True):
        assert one == other


def test_the_digest_tells_one_history_from_another(whole: History, tmp_path: Path) -> None:
    """A record less, or one that was known a day later, is another history."""
    first = past.digest(whole)
    less = whole.contacts.slice(1)
    later = whole.contacts.set_column(
        whole.contacts.schema.get_field_index("superseded_day"),
        "superseded_day",
        whole.contacts["known_day"],
    )
    for contacts in (less, later):
        other = History(contacts, whole.persons, whole.relationships, whole.coverage)
        assert past.digest(other) != first
    assert past.digest(in_parts(whole, tmp_path, 7)) == first


def test_stopping_in_the_middle_leaves_no_part_working(parts: Shelves) -> None:
    """Whoever stops after the first block has all of the memory back, and no thread runs on."""
    import threading

    ready = prepare(parts, CONFIG, load_catalogue())
    before = threading.active_count()
    blocks = past.signal_blocks(parts, ready.test.rows, ready.inputs.signals, len)
    next(blocks)
    blocks.close()
    assert threading.active_count() == before
