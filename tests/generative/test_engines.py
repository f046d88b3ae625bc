"""The kernel against the reference engine, and the laws on generated histories."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import strategies as st

from riskflag import clock
from riskflag.signals import build, count, days_since_last, load_catalogue
from riskflag.signals.expression import OPERATIONS
from riskflag.signals.fast import Kernel
from riskflag.signals.plan import plan
from tests.generative import laws
from tests.generative.worlds import (
    AS_OFS,
    HANDFULS,
    declarations,
    same_bytes,
    selections,
    signal,
    worlds,
)

#: `make test-long` runs the oracle in parts, so that workers share it: more than 50,000 cases. In a
#: short run Hypothesis spends little on a case; in one of thousands it remembers all it has drawn.
PARTS = range(100 if laws.LONG else 1)
CASES = 520
FEWER = 2_000 if laws.LONG else 80
SUBJECTS = [laws.kernel, laws.by_night, laws.reference]
#: What brings two parts of a declaration together.
JOINED = ("difference", "ratio")
EVERY_OPERATION = {*OPERATIONS, *JOINED, "scaled", "age"}


def kernel_both_ways(world, declared, rows):
    """All dates of a child at once, as training asks; and one date alone, as a night does."""
    at_once = laws.kernel(world, declared, rows)
    night = rows["as_of"] == clock.date_of(AS_OFS[len(world.contacts) % len(AS_OFS)])
    alone = laws.kernel(world, declared, rows[night])
    assert same_bytes(alone, at_once[night]), "the shapes of work differ"
    return at_once


@pytest.mark.parametrize("part", PARTS)
def test_the_kernel_equals_the_reference_engine(part):
    """The kernel gives the reference engine's bytes, in every operation and pair of operations."""
    met = laws.equals_reference(kernel_both_ways, CASES, part=part)

    assert met["cases"] >= CASES
    assert met["values"] > 80 * CASES
    assert min(met["undefined"], met["other than nothing"], met["links"]) > CASES
    # Hypothesis prefers some pairs to others by far: here each has its turn, in some part.
    turns = [HANDFULS[part % len(HANDFULS)]] if laws.LONG else HANDFULS
    for handful in turns:
        met += laws.equals_reference(kernel_both_ways, 4, declarations(handful), part=part)
    assert {name for name in met if name in EVERY_OPERATION} == EVERY_OPERATION
    owed = {tuple(sorted(pair)) for handful in turns for pair in handful}
    owed |= {tuple(sorted((one, two))) for one in JOINED for two in EVERY_OPERATION - {one}}
    assert owed - set(met) == set()


def test_every_pair_of_operations_has_its_turn_in_some_part():
    """No pair is left out by the handfuls, and in `make test-long` no handful by the parts."""
    turns = {tuple(sorted(pair)) for handful in HANDFULS for pair in handful}
    turns |= {tuple(sorted((one, two))) for one in JOINED for two in EVERY_OPERATION - {one}}
    assert turns == {(a, b) for a in EVERY_OPERATION for b in EVERY_OPERATION if a < b}
    assert not laws.LONG or len(PARTS) >= len(HANDFULS)
    assert not laws.LONG or len(PARTS) * CASES >= 50_000


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda one: one.__name__)
def test_what_becomes_known_later_changes_no_byte(subject):
    """Nothing first known on or after the as-of date changes any signal (law 2)."""
    met = laws.future_changes_nothing(subject, FEWER)

    assert met["cases"] >= FEWER
    assert met["with a future"] > FEWER / 2


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda one: one.__name__)
def test_an_end_to_come_is_as_good_as_none(subject):
    """A bulk load that says how an interval will end changes no signal at a date before that."""
    met = laws.an_end_to_come_changes_nothing(subject, FEWER)

    assert met["cases"] >= FEWER
    assert met["with an end to come"] > FEWER / 2


def test_no_shipped_signal_can_see_the_future():
    """Law 2 for every signal of the catalogue; both engines agree on every one of them."""
    shipped = load_catalogue().signals
    met = []

    def law(world, as_of):
        rows = laws.ROWS[laws.ROWS["as_of"] == clock.date_of(as_of)]
        whole = laws.kernel(world, shipped, rows)
        assert same_bytes(whole, laws.kernel(world.as_known_before(as_of), shipped, rows))
        assert same_bytes(whole, laws.reference(world, shipped, rows))
        met.append(whole.shape[1])

    laws.run(law, FEWER // 2, worlds(), st.sampled_from(AS_OFS))

    assert len(met) >= FEWER // 2
    assert min(met) >= 80


def test_the_order_of_rows_changes_no_byte():
    """Rows may come in any order and repeatedly, with several dates for one child."""
    met = laws.row_order_changes_nothing(laws.kernel, FEWER)

    assert met["cases"] >= FEWER
    assert met["twice"] > FEWER / 4


def test_threads_and_chunks_change_no_byte():
    """One thread or four, whole or cut into single rows: the same bytes."""
    met = []

    def law(world, declared):
        whole = build(world.history, laws.ROWS, declared, engine=Kernel(threads=1))
        for engine in (Kernel(threads=4, chunk=1), Kernel(threads=2, chunk=7)):
            assert same_bytes(build(world.history, laws.ROWS, declared, engine=engine), whole)
        met.append(plan(declared).registers)

    laws.run(law, FEWER, worlds(), declarations())

    assert len(met) >= FEWER
    assert max(met) > 8


def test_a_child_asked_about_on_more_dates_than_a_word_has_bits():
    """A list of 150 dates, some twice and in any order, gives what each date gives alone."""
    met = []
    days = [AS_OFS[0] + (7 * step) % 131 for step in range(150)]
    dates = [clock.date_of(day) for day in days]

    def law(world, declared):
        rows = pd.DataFrame({"person_id": "anna", "as_of": dates})
        found = build(world.history, rows, declared)
        assert same_bytes(
            found,
            laws.by_night(world, declared, rows.drop_duplicates()).iloc[
                [dates.index(day) for day in dates]
            ],
        )
        met.append(found.nunique().sum())

    laws.run(law, FEWER // 12, worlds(), declarations())

    assert len(met) >= FEWER // 12
    assert max(met) > 20


def test_as_the_date_moves_on_counts_of_all_history_never_fall():
    """Without new facts, counts over all history never fall and days since rise day by day."""
    met = []

    def law(world, selection):
        ever, last = signal(0, count(selection, None)), signal(1, days_since_last(selection))
        days = [world.quiet_from() + dt.timedelta(days=night) for night in range(4)]
        rows = pd.DataFrame({"person_id": "anna", "as_of": days})
        found = build(world.history, rows, (ever, last))
        assert found["s0"].is_monotonic_increasing
        assert set(found["s1"].diff().dropna()) <= {1.0}
        met.append(found["s0"].iloc[-1])

    laws.run(law, FEWER, worlds(), selections())

    assert sum(value > 0 for value in met) > FEWER / 10
