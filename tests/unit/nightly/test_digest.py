"""The digest of what was visible: every visible change moves it, nothing later does."""

from __future__ import annotations

import datetime as dt

import pytest

from riskflag.nightly.digest import visible_digest
from tests import night_world as world

AS_OF = world.AS_OF


def digest(*extra, **more) -> str:
    return visible_digest(world.some_history(extra, **more), AS_OF)


def test_rows_in_another_order_have_the_same_digest():
    """Neither order nor dictionaries nor chunks count."""
    turned = world.history(
        reversed(world.some_contacts()),
        persons=reversed(world.some_people()),
        relationships=[world.mother("C-HOME", "ADULT")],
    )
    assert visible_digest(turned, AS_OF) == digest()


SEEN = {
    "a contact": [world.contact("C-QUIET", "ed.attendance", 9)],
    "an attribute": [
        world.contact("C-ED", "ed.attendance", 5, known=1, version=2, outcome="died")
    ],
    "a retraction": [world.contact("C-ED", "ed.attendance", 5, known=1, version=2, op="retract")],
    "a number": [world.contact("C-ED", "ed.attendance", 5, known=1, version=2, quantity=2.0)],
    "a moment": [
        world.contact(
            "C-ED", "ed.attendance", 5, known=1, version=2,
            occurred_at=dt.datetime(2026, 3, 5, 2, 41),  # noqa: DTZ001
        )
    ],
    "a line number": [
        world.contact("C-ED", "ed.attendance", 5, known=1, version=2, source_line=99, agency="ed")
    ],
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(SEEN))
def test_each_visible_change_changes_the_digest(what):
    """Whatever a page could show is in the run key."""
    assert digest(*SEEN[what]) != digest()


def test_words_that_only_later_contacts_use_do_not_count():
    """A value nobody could have seen leaves no trace, in whatever number such values come."""
    later = [
        world.contact("C-ED", "ed.attendance", -n, known=-n, outcome=f"word {n}", n=n)
        for n in range(40)
    ]
    for some in (later[:1], later[:4], later):
        assert digest(*some) == digest()


def test_null_and_empty_are_different():
    """Unknown is not an empty text."""
    empty = world.contact("C-Q", "ed.attendance", 9, outcome="")
    missing = world.contact("C-Q", "ed.attendance", 9, outcome=None)
    assert digest(empty) != digest(missing)


def test_a_feed_s_state_counts_and_a_later_delivery_does_not():
    """The night knows the deliveries that had come."""
    day = dt.timedelta(days=1)
    fresh = world.feed("ed", ["ed.attendance"], AS_OF - day, AS_OF - day)
    later = world.feed("ed", ["ed.attendance"], AS_OF + day, AS_OF + day)
    assert digest(coverage=fresh) != digest()
    assert digest(coverage=[*fresh, *later]) == digest(coverage=fresh)
