"""What each signal of the catalogue comes to on small drawn histories."""

from __future__ import annotations

import math

import pytest

from riskflag.signals import compute, load_catalogue
from tests.spec import signal_cases_a, signal_cases_b, signal_cases_c
from tests.spec.drawn import AS_OF, CHILD, contacts_of, history

CASES = (*signal_cases_a.CASES, *signal_cases_b.CASES, *signal_cases_c.CASES)
CATALOGUE = load_catalogue()


def values(case, engine="reference"):
    wanted = [CATALOGUE.by_name[name] for name in case.expected]
    past = history(case.table, born=case.born)
    table = compute(past, [CHILD], as_of=AS_OF, signals=wanted, engine=engine)
    return dict(zip(table.names, table.values[0].tolist(), strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.claim)
def test_the_signals_of_a_drawn_history_are_as_stated(case):
    """Every number that a case states is the number the signal comes to."""
    assert values(case) == pytest.approx(dict(case.expected), rel=1e-12, nan_ok=True)


def test_the_fast_engine_says_the_same_of_every_drawn_history():
    """The kernel and the plain engine agree on the manual's own examples, to the last bit."""
    for case in CASES:
        plain, fast = values(case), values(case, engine="kernel")
        assert repr(fast) == repr(plain), case.claim


def test_every_signal_of_the_catalogue_has_an_example_in_which_it_says_something():
    """No signal is in the catalogue without a drawn history that moves it."""
    moved = {
        name
        for case in CASES
        for name, value in case.expected.items()
        if math.isfinite(value) and value != 0
    }

    assert set(CATALOGUE.names) - moved == set()
    assert moved


@pytest.mark.parametrize(
    "case", [case for case in CASES if contacts_of(case.table)], ids=lambda case: case.claim
)
def test_nothing_first_known_on_the_day_changes_a_drawn_history(case):
    """Negative control: the same contacts, first known on the as-of date, come to nothing."""
    late = "\n".join(f"{line} known=0" for line in case.table.splitlines() if line.strip())
    wanted = [CATALOGUE.by_name[name] for name in case.expected if not name.startswith("age")]
    table = compute(history(late), [CHILD], as_of=AS_OF, signals=wanted, engine="reference")
    empty = compute(history(""), [CHILD], as_of=AS_OF, signals=wanted, engine="reference")

    assert table.values[0].tolist() == pytest.approx(empty.values[0].tolist(), nan_ok=True)
