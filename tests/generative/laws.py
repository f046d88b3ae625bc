"""What must hold of anything that computes signals, as checks that can be turned on mutants.

A *subject* computes declarations on a world for all of its rows. Each check raises AssertionError
when the subject breaks its law.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable

import pandas as pd
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from riskflag import clock
from riskflag.signals import Signal, build, contacts, count
from tests.conftest import PROFILE, SEED
from tests.generative.worlds import (
    AS_OFS,
    World,
    all_rows,
    declarations,
    same_bytes,
    signal,
    worlds,
)

Subject = Callable[[World, tuple[Signal, ...], pd.DataFrame], pd.DataFrame]
Check = Callable[[Subject, int], None]
LONG = PROFILE == "long"
ROWS = all_rows()
DECLARATIONS = declarations()


def kernel(world: World, declared: tuple[Signal, ...], rows: pd.DataFrame) -> pd.DataFrame:
    return build(world.history, rows, declared)


def by_night(world: World, declared: tuple[Signal, ...], rows: pd.DataFrame) -> pd.DataFrame:
    """The kernel asked for one as-of date after another, as a night does."""
    parts = [build(world.history, one, declared) for _, one in rows.groupby("as_of", sort=False)]
    return pd.concat(parts).loc[rows.index]


def reference(world: World, declared: tuple[Signal, ...], rows: pd.DataFrame) -> pd.DataFrame:
    return build(world.history, rows, declared, engine="reference")


def run(
    law: Callable[..., None],
    cases: int,
    *strategies: st.SearchStrategy,
    shrink: bool = False,
    part: int = 0,
) -> None:
    """Run a law on generated cases: always the same in `make test`, fresh ones in `test-long`.

    Parts of a law that is run in parts get cases of their own.
    """
    chosen = settings(
        max_examples=cases,
        derandomize=not LONG,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
    )
    test = chosen(given(*strategies)(law))
    with warnings.catch_warnings():
        # What fails before it has been made smaller may take some pages to show.
        warnings.filterwarnings("ignore", "Generating overly large repr")
        (seed(int(SEED) + part)(test) if LONG else test)()


def equals_reference(
    subject: Subject, cases: int, declared_by: st.SearchStrategy = DECLARATIONS, *, part: int = 0
) -> Counter:
    """Every value is, to the last bit, what the plain reference engine says."""
    met: Counter = Counter()

    def law(world: World, declared: tuple[Signal, ...]) -> None:
        expected = reference(world, declared, ROWS)
        found = subject(world, declared, ROWS)
        assert same_bytes(found, expected), "differs from the reference engine"
        note(met, world, declared, expected)

    run(law, cases, worlds(), declared_by, shrink=subject is kernel, part=part)
    return met


def note(met: Counter, world: World, declared: tuple[Signal, ...], found: pd.DataFrame) -> None:
    """Count what the generator reached, so that a suite that reaches nothing cannot pass."""
    met["cases"] += 1
    met["values"] += found.size
    met["undefined"] += int(found.isna().to_numpy().sum())
    met["other than nothing"] += int((found.fillna(0).abs() > 0).to_numpy().sum())
    met["links"] += int((pd.Series(world.history.contacts["link"].to_pylist()) != "self").sum())
    for one in declared:
        names = sorted(operations(one.of))
        met.update(names)
        met.update((a, b) for a in names for b in names if a < b)


def operations(of: object) -> set[str]:
    """The operations in an expression, by name."""
    parts = [getattr(of, part) for part in ("a", "b") if hasattr(of, part)]
    own = getattr(of, "op", type(of).__name__.lower())
    return {own}.union(*map(operations, parts))


def future_changes_nothing(subject: Subject, cases: int) -> Counter:
    """Law 2: without all that became known on or after the as-of date, the bytes are the same."""
    met: Counter = Counter()

    def law(world: World, declared: tuple[Signal, ...], as_of: int) -> None:
        rows = ROWS[ROWS["as_of"] == clock.date_of(as_of)]
        past = world.as_known_before(as_of)
        assert same_bytes(subject(world, declared, rows), subject(past, declared, rows))
        met["cases"] += 1
        met["with a future"] += past != world

    run(law, cases, worlds(), declarations(), st.sampled_from(AS_OFS))
    return met


def an_end_to_come_changes_nothing(subject: Subject, cases: int) -> Counter:
    """An end on or after the as-of date is as good as no end: the contact is open."""
    met: Counter = Counter()

    def law(world: World, declared: tuple[Signal, ...], as_of: int) -> None:
        rows = ROWS[ROWS["as_of"] == clock.date_of(as_of)]
        still_open = world.with_ends_before(as_of)
        assert same_bytes(subject(world, declared, rows), subject(still_open, declared, rows))
        met["cases"] += 1
        met["with an end to come"] += still_open != world

    run(law, cases, worlds(), declarations(), st.sampled_from(AS_OFS))
    return met


def row_order_changes_nothing(subject: Subject, cases: int) -> Counter:
    """Rows in any order, and rows given twice, get the values they get in order and alone."""
    met: Counter = Counter()

    def law(world: World, declared: tuple[Signal, ...], picks: list[int]) -> None:
        whole = subject(world, declared, ROWS)
        found = subject(world, declared, ROWS.iloc[picks])
        assert list(found.index) == picks
        assert same_bytes(found, whole.iloc[picks])
        met["cases"] += 1
        met["twice"] += len(set(picks)) < len(picks)

    orders = st.lists(st.sampled_from(range(len(ROWS))), min_size=2, max_size=40)
    run(law, cases, worlds(), declarations(), orders)
    return met


def stands_at_the_edges(subject: Subject, cases: int) -> None:
    """The boundary table, worked out by hand."""
    from tests.unit.signals.boundaries import TABLE, as_world

    for line in TABLE:
        world, rows = as_world(line)
        declared = (signal(0, count(contacts("ed.attendance"), line.days, line.ending)),)
        assert subject(world, declared, rows).iloc[0, 0] == line.counts, line


CHECKS: dict[str, Check] = {
    "reference": equals_reference,
    "future": future_changes_nothing,
    "ends": an_end_to_come_changes_nothing,
    "order": row_order_changes_nothing,
    "edges": stands_at_the_edges,
}
