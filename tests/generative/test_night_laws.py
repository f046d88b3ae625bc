"""Laws over made-up worlds, through the whole of a night: later knowledge, silence, order."""

from __future__ import annotations

import datetime as dt

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from riskflag.casework.publishing import OpenFlag, PublicationRecord, State
from riskflag.nightly.build import Built, build
from riskflag.nightly.folder import flags_bytes
from riskflag.nightly.inputs import Inputs
from riskflag.nightly.joined import reason_ids, rules_of
from riskflag.scoring.flags import RANK
from riskflag.scoring.rulebook import Rulebook
from riskflag.settings import Settings
from riskflag.signals.catalogue import load_catalogue
from tests import night_world as world

AS_OF = world.AS_OF
NOTHING = State(None, (), (), 0, 0)
CHILDREN = ("C-1", "C-2", "C-3", "C-4")
TYPES = {
    "ed": "ed.attendance",
    "missing": "missing.episode",
    "police": "police.da_incident",
    "bullying": "school.bullying",
    "action": "school.bullying_action",
    "visit": "care.visit",
}
WHOM = {"police.da_incident": ("ADULT",)}
MORE = {"school.bullying": {"role": "experiencing"}, "care.visit": {"seen_alone": "yes"}}


@pytest.fixture(scope="module")
def declared(tmp_path_factory):
    """The signals and rules of the test authority."""
    folder = tmp_path_factory.mktemp("features")
    world.write_features(folder)
    catalogue = load_catalogue(folder)
    return catalogue, Rulebook.load(catalogue.rulebook_path, catalogue)


@st.composite
def contacts(draw, earliest, latest):
    """A contact of any kind, known between `earliest` and `latest` days before the as-of day."""
    kind = draw(st.sampled_from(sorted(TYPES.values())))
    known = draw(st.integers(latest, earliest))
    occurred = known + draw(st.integers(0, 60))
    person = draw(st.sampled_from(WHOM.get(kind, CHILDREN)))
    number = draw(st.integers(0, 10**6))
    return world.contact(person, kind, occurred, known=known, n=number, **MORE.get(kind, {}))


def several(one, least, most):
    """Different contacts: no history holds the same version of a contact twice."""
    return st.lists(one, min_size=least, max_size=most, unique_by=lambda row: row["contact_key"])


#: Known before the day: between one and 400 days ago.
SEEN = several(contacts(400, 1), 4, 40)
#: Known on the day or in the 30 days after it.
UNSEEN = several(contacts(0, -30), 1, 12)
PEOPLE = [*(world.person(name) for name in CHILDREN)]
ADULT = world.person("ADULT", dt.date(1990, 1, 1), kind="adult")
LINKS = [world.mother(child, "ADULT") for child in CHILDREN[:2]]


def feeds(received: dict[str, dt.date]) -> list[dict]:
    """Coverage of each source up to the day of its last delivery."""
    return [
        row
        for source, day in sorted(received.items())
        for row in world.feed(source, [TYPES[source]], day - dt.timedelta(days=1), day)
    ]


class HeldFlags(dict[str, dict]):
    """Flags of the night before by their id, as they are."""

    cut_down = dict.get


def night(declared, as_of, rows, *, state=NOTHING, previous=(), coverage=()) -> Built:
    catalogue, rulebook = declared
    history = world.history(rows, persons=[*PEOPLE, ADULT], relationships=LINKS, coverage=coverage)
    chosen = Settings(authority="Test Borough")
    before = HeldFlags((flag["flag_id"], flag) for flag in previous)
    return build(Inputs(as_of, history, catalogue, rulebook, None, chosen), state, lambda: before)


def retracted(row: dict, days: int) -> dict:
    known = AS_OF + dt.timedelta(days=days)
    return row | {"version": 2, "op": "retract", "known_on": known}


@given(seen=SEEN, unseen=UNSEEN, taken_back=st.sets(st.integers(0, 39)), data=st.data())
def test_nothing_known_on_or_after_the_day_changes_a_byte_of_the_flags(
    declared, seen, unseen, taken_back, data
):
    """Law 2: contacts and retractions known from the day on leave the night as it is."""
    later = [
        retracted(seen[i], data.draw(st.integers(0, 30)))
        for i in sorted(taken_back)
        if i < len(seen)
    ]
    keys = {row["contact_key"] for row in seen}
    unseen = [row for row in unseen if row["contact_key"] not in keys]
    plain = night(declared, AS_OF, seen)
    more = night(declared, AS_OF, [*seen, *unseen, *later])
    assert flags_bytes(more.flags) == flags_bytes(plain.flags)


def test_the_made_up_worlds_do_flag_children(declared):
    """The laws are not held by worlds in which nothing happens."""
    flagged: list[int] = []

    @settings(max_examples=60, database=None)
    @given(seen=SEEN)
    def count(seen):
        flagged.append(len(night(declared, AS_OF, seen).flags))

    count()
    assert sum(number > 0 for number in flagged) >= 20


def after(built: Built, as_of: dt.date) -> State:
    """The store as it stands after a first night."""
    record = PublicationRecord("key", as_of, 1, "folder", "content", "manifest", 0)
    flags = tuple(
        OpenFlag(row.flag_id, row.person_id, row.first_raised, row.last_matched, "rule", as_of)
        for row in built.rows
    )
    return State(record, flags, (), len(flags), 0)


@given(
    seen=SEEN,
    lost=st.sets(st.sampled_from(sorted(TYPES))),
    days=st.integers(1, 400),
)
def test_silence_closes_lowers_and_hides_nothing(declared, seen, lost, days):
    """Law 5: whatever feeds stop, and however time goes by, each open flag is there, as high."""
    first_day, later = AS_OF, AS_OF + dt.timedelta(days=days)
    coverage = feeds(dict.fromkeys(TYPES, first_day - dt.timedelta(days=1)))
    first = night(declared, first_day, seen, coverage=coverage)
    kept = feeds({s: later - dt.timedelta(days=1) for s in TYPES if s not in lost})
    second = night(
        declared, later, seen, state=after(first, first_day), previous=first.flags,
        coverage=[*coverage, *kept],
    )  # fmt: skip
    found = {flag["flag_id"]: flag for flag in second.flags}
    for flag in first.flags:
        again = found[flag["flag_id"]]
        assert RANK[again["level"]] <= RANK[flag["level"]]
        told = reason_ids([*again["reasons"], *again["earlier_reasons"]])
        assert reason_ids(flag["reasons"]) <= told
        if not lost and again["standing"] != "present":
            assert again["standing"] in ("no_longer_present", "outside_group")


@given(seen=SEEN, source=st.sampled_from(sorted(TYPES)))
def test_a_missing_feed_flags_nobody_by_its_silence_and_is_told_on_every_flag(
    declared, seen, source
):
    """Law 6: unknown is not no. A rule on an absence does not hold when its feed is lost."""
    day = AS_OF - dt.timedelta(days=1)
    old = AS_OF - dt.timedelta(days=200)
    coverage = feeds({s: old if s == source else day for s in TYPES})
    built = night(declared, AS_OF, seen, coverage=coverage)
    for flag in built.flags:
        assert [feed["source"] for feed in flag["not_seen"]] == [source]
        rules = {rule["id"] for r in flag["reasons"] for rule in rules_of(r)}
        assert source != "action" or "bullying_unanswered" not in rules


def test_the_order_of_rows_is_not_in_the_flags(declared):
    """Law 3 over made-up worlds."""

    @settings(max_examples=25, database=None)
    @given(seen=SEEN, data=st.data())
    def check(seen, data):
        shuffled = data.draw(st.permutations(seen))
        plain, other = night(declared, AS_OF, seen), night(declared, AS_OF, shuffled)
        assert flags_bytes(plain.flags) == flags_bytes(other.flags)

    check()
