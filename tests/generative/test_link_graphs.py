"""Who is one person, on graphs of decisions: against a plain walk, and ids that stay what they are.

The graphs are walked by hand here, edge after edge, without the code under test.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable, Mapping

import pyarrow as pa
import pytest

from riskflag.clock import NEVER, day_number
from riskflag.history.store.matches import IN_FORCE, MADE, everyone_ever, joins, roots_on
from tests.factories import match_rows

FIRST = dt.date(2024, 1, 1)
DAYS = range(8)
DECISIONS = ("linked", "linked", "auto_linked", "auto_linked", "kept_apart", "for_a_steward")
Roots = Callable[[pa.Table, int], Mapping[str, str]]


def on(day: int) -> dt.date:
    return FIRST + dt.timedelta(days=day)


def graph(chance: random.Random) -> list[dict]:
    """Decisions on pairs of a few ids, some of them made ones; a pair may be decided again."""
    ids = [f"{chance.choice(('', '', MADE))}p{number:02d}" for number in range(3, 12)]
    rows = []
    for _ in range(chance.randrange(1, 12)):
        stays, other = chance.sample(ids, 2)
        if any({stays, other} == {row["person_id"], row["other_id"]} for row in rows):
            continue
        for day in sorted(chance.sample(DAYS, chance.choice((1, 1, 2, 3)))):
            decision = chance.choice(DECISIONS)
            said = {"person_id": stays, "other_id": other, "decision": decision}
            rows.append({**said, "known_on": on(day)})
    return rows


def in_force(rows: list[dict], day: dt.date) -> list[tuple[str, str]]:
    """The pairs that are one person by their last decision known by the end of a day."""
    last = {(r["person_id"], r["other_id"]): r["decision"] for r in rows if r["known_on"] <= day}
    return [pair for pair, decision in last.items() if decision in IN_FORCE]


def components(pairs: list[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """For each id of these pairs all that can be walked to from it."""
    beside: dict[str, set[str]] = {}
    for one, other in pairs:
        beside.setdefault(one, set()).add(other)
        beside.setdefault(other, set()).add(one)
    found = {}
    for start in beside:
        met, ahead = {start}, [start]
        while ahead:
            ahead = [near for name in ahead for near in beside[name] if near not in met]
            met.update(ahead)
        found[start] = frozenset(met)
    return found


def check(rows: list[dict], chance: random.Random, roots: Roots, met: Counter) -> None:
    """All that must hold of one graph on each of its days."""
    table, before = match_rows(rows), {}
    shuffled = table.take(pa.array(chance.sample(range(table.num_rows), table.num_rows)))
    pieces = joins(table).roots
    for day in DAYS:
        number, walked = day_number(on(day)), components(in_force(rows, on(day)))
        found = roots(table, number)
        assert roots(shuffled, number) == found, "the order of rows matters"
        assert set(found) == set(walked), "somebody is drawn in, or left out"
        for name, members in walked.items():
            assert found[name] in members, "the id of a person is not one of theirs"
            assert {found[other] for other in members} == {found[name]}, "one person, two ids"
        told = zip(pieces.base.to_pylist(), pieces.root.to_pylist(), strict=True)
        spans = zip(told, pieces.begin.tolist(), pieces.end.tolist(), strict=True)
        morning = {pair for pair, begin, end in spans if begin < number + 1 <= end}
        held = {name: root for name, root in morning if name in found or root != name}
        assert held == dict(found), "the intervals say otherwise than the day"
        decided = {name for r in rows if r["known_on"] == on(day) for name in _pair(r)}
        for name, root in before.items():
            # A name changes only where a decision, which is a row with its day, touched the person.
            if found.get(name, name) != root:
                assert decided & (walked.get(name, frozenset([name])) | {root}), "renamed unsaid"
                met["renamed"] += 1
        _joined_by_a_smaller_id(rows, on(day), roots, met)
        before = dict(found)
        met["people"] += len(set(walked.values()))
        met["chains"] += any(len(members) > 2 for members in walked.values())
    ever = components(
        [_pair(row) for row in rows if row["decision"] in IN_FORCE and _holds(row, rows)]
    )
    for name in {name for row in rows for name in _pair(row)}:
        assert everyone_ever(table, [name]) == sorted(ever.get(name, {name}))
    met["graphs"] += 1


def _pair(row: dict) -> tuple[str, str]:
    return row["person_id"], row["other_id"]


def _holds(row: dict, rows: list[dict]) -> bool:
    """Whether a decision is the last of its day on its pair."""
    same = [r for r in rows if _pair(r) == _pair(row) and r["known_on"] == row["known_on"]]
    return same[-1] is row


def _joined_by_a_smaller_id(rows: list[dict], day: dt.date, roots: Roots, met: Counter) -> None:
    """A record that joins a person later keeps the person's id, however small its own is."""
    found = roots(match_rows(rows), day_number(day))
    for root in sorted(set(found.values()))[:1]:
        more = {"person_id": root, "other_id": "a", "decision": "linked", "known_on": day}
        joined = roots(match_rows([*rows, more]), day_number(day))
        assert joined == {**found, "a": root}, "a smaller id took the person over"
        met["joined"] += 1


def check_graphs(many: int, roots: Roots = roots_on) -> Counter:
    met: Counter = Counter()
    for number in range(many):
        chance = random.Random(f"graph {number}")
        rows = graph(chance)
        check(rows, chance, roots, met)
    return met


def test_people_are_what_can_be_walked_to_and_keep_their_ids():
    """On forty graphs of links and un-links, day by day."""
    met = check_graphs(40)
    assert met["graphs"] == 40
    assert min(met["renamed"], met["joined"], met["chains"]) > 40


@pytest.mark.long
def test_people_of_a_thousand_graphs_are_what_can_be_walked_to_and_keep_their_ids():
    """The same on a thousand graphs."""
    assert check_graphs(1_000)["graphs"] == 1_000


def _smallest(table: pa.Table, day: int) -> dict[str, str]:
    groups: dict[str, set[str]] = {}
    for name, root in roots_on(table, day).items():
        groups.setdefault(root, set()).add(name)
    return {name: min(names) for names in groups.values() for name in names}


def _never_parted(table: pa.Table, day: int) -> Mapping[str, str]:
    chosen = [row["decision"] in IN_FORCE for row in table.to_pylist()]
    return roots_on(table.filter(pa.array(chosen)), day)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (_smallest, "a smaller id took the person over"),
        (_never_parted, "drawn in"),
        (lambda table, day: roots_on(table.slice(0, 1), day), "order|left out"),
        (lambda table, day: roots_on(table, NEVER - 1), "drawn in|intervals"),
    ],
)
def test_the_graphs_would_show_it(fault, said):
    """Negative control: the smallest id for the one that stays, forgotten un-links, lost rows."""
    with pytest.raises(AssertionError, match=said):
        check_graphs(40, fault)
