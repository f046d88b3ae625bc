"""One run of the linkage: shared identifiers first, then Splink, then what follows for families."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from riskflag.history.arrays import isin, one
from riskflag.history.linkage.compare import RECORD, compare
from riskflag.history.linkage.decide import decide, decide_within
from riskflag.history.linkage.family import derived_relationships
from riskflag.history.linkage.model import LinkageModel
from riskflag.history.linkage.people import Decision, People, append, first_known, in_order
from riskflag.history.loading.addresses import plain_name
from riskflag.history.loading.identity import claims, holdings, one_by_one, temporary
from riskflag.history.store.matches import APART, AUTO, BY_STEWARD, IN_FORCE, MADE, NOT, WAITING
from riskflag.history.store.parquet_store import HistoryStore

#: An identifier that more people than this share is a placeholder: it joins nobody.
MOST_HOLDERS = 5
#: All sources that name people by a shared identifier count as one feed of the comparison.
KNOWN = "known"


@dataclass(frozen=True)
class LinkReport:
    """What one run did, in counts only."""

    day: str
    model: str
    records: int
    linked: int
    waiting: int
    not_linked: int
    doubts: Mapping[str, int]
    placeholders: int
    relationships: int
    withdrawn: int
    dry_run: bool = False


@dataclass(frozen=True)
class How:
    """How a run goes.

    `first_load`: links count as known from the days both records were, marked as assumed.
    `exact_only`: Splink is not used. `dry_run`: nothing is written. `at` is the moment as text,
    for the record only.
    """

    at: str
    first_load: bool = False
    exact_only: bool = False
    dry_run: bool = False


@dataclass
class _Run:
    people: People
    model: LinkageModel
    made: dict[tuple[str, str], Decision] = field(default_factory=dict)
    by_identifier: set[tuple[str, str]] = field(default_factory=set)
    placeholders: int = 0


def link(store: HistoryStore, model: LinkageModel, day: dt.date, how: How) -> LinkReport:
    """Decide on every pair that is not settled, and append what is new, known on `day`.

    A second run on the same history adds nothing. Raises ConfigError when records need comparing
    and the extra `link` is not installed.
    """
    run = _Run(People(store), model)
    _exact(run)
    compared = 0 if how.exact_only else _probable(run)
    decisions = _dated(run, how.first_load)
    relations = derived_relationships(run.people, day, decisions, first_load=how.first_load)
    if not how.dry_run:
        append(store, day, decisions, relations, at=how.at)
    report = _report(run, decisions, relations, day, compared)
    return replace(report, dry_run=how.dry_run)


def _report(
    run: _Run, decisions: list[Decision], relations: pa.Table, day: dt.date, compared: int
) -> LinkReport:
    count = Counter(one.decision for one in decisions)
    doubts = Counter(name for one in decisions for name in one.doubts.split())
    said = int(isin(relations.column("op"), ["assert"]).sum())
    return LinkReport(
        day=day.isoformat(),
        model=run.model.fingerprint,
        records=compared,
        linked=count[AUTO],
        waiting=count[WAITING],
        not_linked=count[NOT],
        doubts=dict(sorted(doubts.items())),
        placeholders=run.placeholders,
        relationships=said,
        withdrawn=relations.num_rows - said,
    )


def _exact(run: _Run) -> None:
    """Pairs of people who hold one identifier at one time."""
    table = claims(run.people.identifiers, {}, resolving=False)
    table = table.filter(pa.array(~temporary(table)))
    holders: dict[tuple[str, bool], list[str]] = {}
    for row in _shared(table).to_pylist():
        key = (row["name"], row["check_ok"] is not False)
        holders.setdefault(key, []).append(row["person_id"])
    seen = run.by_identifier
    for (_, sound), names in sorted(holders.items()):
        roots = sorted({run.people.root(name) for name in names})
        if len(roots) > MOST_HOLDERS:
            run.placeholders += 1
            continue
        for left, right in combinations(roots, 2):
            if (left, right) not in seen:
                seen.add((left, right))
                _add(run, _by_identifier(run, left, right, sound))
    for left, right in _named_later(run):
        stays, other = run.people.stays(left, right)
        _add(run, Decision(stays, other, AUTO, "identifier", model=run.model.fingerprint))


def _shared(table: pa.Table) -> pa.Table:
    """The claims to identifiers that two people hold and whose days do not part them."""
    pairs = table.group_by(["name", "person_id"]).aggregate([]).group_by("name")
    often = pairs.aggregate([("person_id", "count")])
    several = often.filter(pc.greater(often.column("person_id_count"), 1)).column("name")
    found = table.filter(pa.array(isin(table.column("name"), one(several))))
    apart = one_after_another(found)
    return found.filter(pa.array(~isin(found.column("name"), pa.array(apart, pa.string()))))


def one_after_another(table: pa.Table) -> list[str]:
    """The identifiers in `claims` that several people held, but never two at one time."""
    return sorted(name for name, some in holdings(table).items() if one_by_one(some))


def _by_identifier(run: _Run, left: str, right: str, sound: bool) -> Decision:
    """Linked when names and births agree as well; else for a steward."""
    stays, other = run.people.stays(left, right)
    agree = sound and _agree(run.people.rows_of(left), run.people.rows_of(right))
    return Decision(
        stays,
        other,
        AUTO if agree else WAITING,
        "identifier",
        doubts="" if agree else "names_of_one",
        model=run.model.fingerprint,
    )


def _agree(left: Iterable[Mapping[str, Any]], right: Iterable[Mapping[str, Any]]) -> bool:
    """Whether both sides say given name, family name and birth day, and say the same."""
    sides = [{_who(row) for row in rows} for rows in (left, right)]
    full = [{who for who in side if all(who)} for side in sides]
    return bool(full[0] & full[1])


def _who(row: Mapping[str, Any]) -> tuple[Any, ...]:
    exact = row["birth_on"] if row["birth_precision"] == "day" else None
    return plain_name(row["given_name"]), plain_name(row["family_name"]), exact


def _named_later(run: _Run) -> list[tuple[str, str]]:
    """Made ids whose agency's id another source has since given to a person it names."""
    table = run.people.identifiers
    table = table.filter(table.column("check_ok").is_null())
    name = pc.binary_join_element_wise(
        one(table.column("scheme")), one(table.column("value")), "\x1f"
    )
    person = one(table.column("person_id"))
    made = pc.fill_null(pc.starts_with(person, MADE), False)
    own = dict(zip(name.filter(made).to_pylist(), person.filter(made).to_pylist(), strict=True))
    named = pc.and_(pc.invert(made), pc.is_in(name, value_set=pa.array(list(own), pa.string())))
    pairs = zip(name.filter(named).to_pylist(), person.filter(named).to_pylist(), strict=True)
    roots = ((run.people.root(own[text]), run.people.root(who)) for text, who in pairs if who)
    return sorted({in_order(a, b) for a, b in roots if a != b})


def _add(run: _Run, decision: Decision) -> None:
    """Keep a decision that says something new; a steward's word stands."""
    before = run.people.decisions.get(decision.pair)
    if before is not None:
        settled = before["decision"] in (*BY_STEWARD, *IN_FORCE)
        same = all(before[n] == getattr(decision, n) for n in ("decision", "probability"))
        if settled or same:
            return
    run.made[decision.pair] = decision


def _probable(run: _Run) -> int:
    """Compare the records that no identifier joins; how many records there were."""
    records, owner, feeds = comparable(run.people)
    across, within = by_feeds(compare(records, run.model).pairs, records)
    one_of_each = _OneOfEachFeed(run, feeds)
    decided = decide(_of_people(across, owner, run), run.model, feeds).to_pylist()
    decided = _with_repeats(decided, _of_people(within, owner, run), run)
    for row in sorted(decided, key=lambda r: (-r["probability"], r["left"], r["right"])):
        decision = one_of_each.decision(row)
        if decision.decision == AUTO or decision.pair not in run.by_identifier:
            _add(run, decision)
    return len(records)


def by_feeds(pairs: pa.Table, records: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The pairs of records of two feeds, and those of one."""
    names, feeds = one(records.column("record")), one(records.column("feed"))
    left, right = (
        feeds.take(pc.index_in(one(pairs.column(side)), value_set=names))
        for side in ("left", "right")
    )
    same = pc.equal(left, right)
    return pairs.filter(pc.invert(same)), pairs.filter(same)


def _with_repeats(
    decided: list[dict[str, Any]], within: pa.Table, run: _Run
) -> list[dict[str, Any]]:
    """Decisions with those on people whom one feed may hold twice; one for each pair of people.

    What two feeds say of a pair goes first. Of the many pairs of one feed only those a steward has
    to see, or had to see before, are kept.
    """
    found = {(row["left"], row["right"]): row for row in decided}
    for row in decide_within(within, run.model).to_pylist():
        pair = row["left"], row["right"]
        other = found.get(pair)
        asked = row["decision"] == WAITING or (other is None and pair in run.people.decisions)
        if asked and (other is None or other["decision"] == NOT):
            found[pair] = row
    return list(found.values())


def comparable(people: People) -> tuple[pa.Table, dict[str, str], dict[str, str]]:
    """Records to compare (schema RECORD), whose each is now, and the feed of each person."""
    numbers = _nhs_numbers(people)
    rows, owner = [], {}
    feeds: dict[str, str] = {}
    for row in people.persons.to_pylist():
        root = people.root(row["person_id"])
        own = row["person_id"].startswith(MADE)
        feed = row["source"] if own else KNOWN
        if feeds.get(root) != KNOWN:
            feeds[root] = feed
        if row["given_name"] is None and row["family_name"] is None:
            continue
        owner[row["person_key"]] = root
        rows.append(_record(row, feed, numbers.get(row["person_id"])))
    return pa.Table.from_pylist(rows, schema=RECORD), owner, feeds


def _record(row: Mapping[str, Any], feed: str, number: str | None) -> dict[str, Any]:
    exact = row["birth_on"] is not None and row["birth_precision"] == "day"
    return {
        "record": row["person_key"],
        "feed": feed,
        "given_name": plain_name(row["given_name"]),
        "family_name": plain_name(row["family_name"]),
        "birth": row["birth_on"].isoformat() if exact else None,
        "sex": row["sex"] if row["sex"] in ("female", "male") else None,
        "postcode": row["postcode"],
        "address": row["address_key"],
        "identifier": number,
    }


def _nhs_numbers(people: People) -> dict[str, str]:
    """An NHS number that passes its check, for each person id that holds just one.

    One that too many people hold says nothing.
    """
    table = claims(people.identifiers, {}, resolving=False)
    sound = isin(table.column("scheme"), ["nhs"])
    table = table.filter(pc.and_(pa.array(sound), pc.fill_null(table.column("check_ok"), False)))
    found: dict[str, set[str]] = {}
    for row in table.select(["person_id", "value"]).to_pylist():
        found.setdefault(row["person_id"], set()).add(row["value"])
    holders = Counter(
        value for value, _ in {(v, people.root(n)) for n, some in found.items() for v in some}
    )
    alone = {name: min(values) for name, values in found.items() if len(values) == 1}
    return {name: value for name, value in alone.items() if holders[value] <= MOST_HOLDERS}


def _of_people(pairs: pa.Table, owner: Mapping[str, str], run: _Run) -> pa.Table:
    """The likeliest pair of records for each pair of people that is still open."""
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for row in pairs.to_pylist():
        left, right = in_order(owner[row["left"]], owner[row["right"]])
        before = run.people.decisions.get((left, right))
        if left == right or (before is not None and before["decision"] == APART):
            continue
        mine = best.get((left, right))
        if mine is None or row["probability"] > mine["probability"]:
            best[left, right] = row | {"left": left, "right": right}
    rows = [best[pair] for pair in sorted(best)]
    return pa.Table.from_pylist(rows, schema=pairs.schema)


class _OneOfEachFeed:
    """Keeps a person from being joined, step by step, to two records of one feed."""

    def __init__(self, run: _Run, feeds: Mapping[str, str]) -> None:
        self.run = run
        self.group: dict[str, str] = {}
        self.feeds: dict[str, set[str]] = {}
        for name in run.people.rows:
            root = run.people.root(name)
            made = name.startswith(MADE)
            some = {row["source"] for row in run.people.rows[name]} if made else {KNOWN}
            self.feeds.setdefault(root, set()).update(some)
        for root, feed in feeds.items():
            self.feeds.setdefault(root, {feed})
        for decision in run.made.values():
            if decision.decision == AUTO:
                self._join(*decision.pair)

    def decision(self, row: Mapping[str, Any]) -> Decision:
        stays, other = self.run.people.stays(row["left"], row["right"])
        made = Decision(
            stays,
            other,
            row["decision"],
            "splink",
            row["probability"],
            row["doubts"],
            self.run.model.fingerprint,
        )
        if made.decision != AUTO:
            return made
        left, right = self._top(row["left"]), self._top(row["right"])
        if left != right and self.feeds[left] & self.feeds[right]:
            return replace(made, decision=WAITING, doubts="taken")
        self._join(left, right)
        return made

    def _top(self, name: str) -> str:
        while name in self.group:
            name = self.group[name]
        return name

    def _join(self, left: str, right: str) -> None:
        left, right = self._top(left), self._top(right)
        if left != right:
            self.group[right] = left
            self.feeds[left] = self.feeds.get(left, set()) | self.feeds.get(right, set())


def _dated(run: _Run, first_load: bool) -> list[Decision]:
    """With `first_load`: known from the day both sides were, as far as anyone can say."""
    if not first_load:
        return list(run.made.values())
    return [
        replace(
            one_of,
            known_on=max(
                first_known(run.people.rows_of(one_of.person_id)),
                first_known(run.people.rows_of(one_of.other_id)),
            ),
            known_basis="assumed_lag",
        )
        for one_of in run.made.values()
    ]
