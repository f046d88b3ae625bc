"""Declarations: what can be said, and what is refused in plain words."""

from __future__ import annotations

import dataclasses

import pytest

from riskflag.errors import ConfigError
from riskflag.signals import (
    Signal,
    age,
    busiest,
    change,
    contacts,
    count,
    days_since_first,
    days_since_last,
    definition,
    difference,
    distinct,
    exists,
    highest,
    last_value,
    longest_gap,
    lowest,
    mean,
    over_windows,
    ratio,
    scaled,
    sequence,
    total,
    unanswered,
)
from riskflag.signals.expression import Age, Aggregate, Selection, Within

ATTENDANCES = contacts("ed.attendance")
SAID = {
    "question": "How many?",
    "rationale": "Because.",
    "source": "A source.",
    "direction": "raises",
    "theme": "health",
    "agency": "ed",
}

ASKED = {**SAID, "question": "How many attendances {window}?"}


def signal(name="attendances_90d", of=None, **said):
    return Signal(name, count(ATTENDANCES, 90) if of is None else of, **{**SAID, **said})


def test_a_declaration_is_a_value():
    """Equal declarations are equal, hash alike and cannot be changed."""
    assert count(contacts("ed.attendance"), 90) == count(ATTENDANCES)
    assert len({count(ATTENDANCES), count(ATTENDANCES, 90), count(ATTENDANCES, 91)}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        signal().name = "other"


def test_a_star_selects_all_types_of_a_group():
    """`care.*` stands for every care type, `*` for every type."""
    assert "care.referral" in contacts("care.*").types
    assert set(contacts("care.*").types) < set(contacts("*").types)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: contacts(), "at least one contact type"),
        (lambda: contacts("ed.attendence"), "Did you mean ed.attendance"),
        (lambda: contacts("ed.attendance", "ed.attendance"), "twice"),
        (lambda: contacts("ed.attendance", link="uncle"), "household_adult"),
        (lambda: contacts("ed.attendance", link=()), "at least one link"),
        (lambda: contacts("ed.attendance", colour="red"), "attribute of ed.attendance"),
        (lambda: contacts("ed.attendance", category="injurry"), "Did you mean injury"),
        (lambda: contacts("ed.attendance", category=()), "no value"),
        (lambda: contacts("ed.attendance", organisation=3), "words in quotes"),
        (lambda: contacts("ed.attendance", agency="eds"), "not a value of 'agency'"),
        (lambda: count("ed.attendance"), "needs a selection first"),
        (lambda: count(ATTENDANCES, 0), "whole number of days from 1"),
        (lambda: count(ATTENDANCES, 90.0), "whole number of days"),
        (lambda: count(ATTENDANCES, True), "whole number of days"),
        (lambda: count(ATTENDANCES, 40_000), "days=None"),
        (lambda: count(ATTENDANCES, 90, ending=-1), "gap before the as-of date"),
        (lambda: total(ATTENDANCES, "quantity"), "have no quantity"),
        (lambda: mean(ATTENDANCES, "cost"), "not a number"),
        (lambda: distinct(ATTENDANCES, "grade"), "attribute of ed.attendance"),
        (lambda: distinct(ATTENDANCES, "person_id"), "column to tell apart"),
        (lambda: Aggregate("count", ATTENDANCES, 90, 0, "category"), "takes no attribute"),
        (lambda: Aggregate("days_since_last", ATTENDANCES, 90), "takes no window"),
        (lambda: Aggregate("open_now", ATTENDANCES, 90), "takes no window"),
        (lambda: Aggregate("busiest", ATTENDANCES, 90), r"use busiest\(\.\.\.\)"),
        (lambda: Within("count", ATTENDANCES, 90, within=3), r"use count\(\.\.\.\)"),
        (lambda: last_value(ATTENDANCES, "cost"), "not a number"),
        (lambda: busiest(ATTENDANCES, 0), "days within must be a whole number"),
        (lambda: busiest(ATTENDANCES, 31, 30), "'within' is longer"),
        (lambda: sequence(ATTENDANCES, None, 7), "two selections"),
        (lambda: unanswered("ed.attendance", ATTENDANCES, 7), "needs a selection first"),
        (lambda: longest_gap(ATTENDANCES, 0), "whole number of days from 1"),
        (lambda: difference(1, count(ATTENDANCES)), "made of other signals' values"),
        (lambda: ratio(count(ATTENDANCES), None), "made of other signals' values"),
        (lambda: scaled(count(ATTENDANCES), 0), "other than 0"),
        (lambda: scaled(count(ATTENDANCES), float("nan")), "other than 0"),
        (lambda: age("weeks"), "years, months, days"),
        (lambda: signal(name="ED attendances"), "snake case|small letters"),
        (lambda: signal(of=3), "must be a value such as"),
        (lambda: signal(question=" "), "question is empty"),
        (lambda: signal(question="How many"), "question mark"),
        (lambda: signal(rationale=""), "rationale is empty"),
        (lambda: signal(direction="up"), "raises, lowers, none"),
        (lambda: signal(theme="misc"), "not a theme"),
        (lambda: signal(agency="nhs"), "several"),
        (lambda: signal(protective=True), "protective"),
        (lambda: signal(name="attendances_30d"), "no such window"),
        (lambda: signal(name="attendances_ever"), "no such window"),
        (lambda: over_windows("a", (), of=count, **ASKED), "one window"),
    ],
)
def test_what_cannot_be_is_refused_in_plain_words(wrong, words):
    """An impossible declaration is a ConfigError that names the mistake and the good ones."""
    with pytest.raises(ConfigError, match=words):
        wrong()


def test_an_error_names_the_signal():
    """The reader of an error learns which signal it is about."""
    with pytest.raises(ConfigError, match="Signal 'attendances_90d'"):
        signal(theme="misc")


def test_over_windows_names_and_asks_for_each_window():
    """One declaration makes a signal per window, each with its name and question."""
    made = over_windows("attendances", of=lambda days: count(ATTENDANCES, days), **ASKED)

    assert [one.name for one in made] == [
        "attendances_90d",
        "attendances_365d",
        "attendances_ever",
    ]
    assert made[0].question == "How many attendances in the last 90 days?"
    assert made[2].question == "How many attendances at any time in the records?"
    with pytest.raises(ConfigError, match=r"put \{window\}"):
        over_windows("attendances", of=lambda days: count(ATTENDANCES, days), **SAID)


def test_a_name_may_end_in_how_far_back_it_reaches():
    """A window that ends 15 days ago and is 75 long reaches 90 days back."""
    assert signal(name="attendances_15_to_90d", of=count(ATTENDANCES, 75, ending=15))


def test_change_is_composed_from_the_others():
    """Change is the recent count less what the child's own past would give."""
    of = change(ATTENDANCES, 90, 360)

    assert of.a == count(ATTENDANCES, 90)
    assert of.b == scaled(count(ATTENDANCES, 360, ending=90), 0.25)


MOVEMENTS = [
    (count(ATTENDANCES), "up"),
    (exists(ATTENDANCES), "up"),
    (distinct(ATTENDANCES, "organisation"), "up"),
    (total(contacts("school.absence"), "quantity"), "up"),
    (highest(contacts("school.absence"), "quantity"), "up"),
    (lowest(contacts("school.absence"), "quantity"), "down"),
    (days_since_last(ATTENDANCES), "down"),
    (days_since_first(ATTENDANCES), "mixed"),
    (mean(contacts("school.absence"), "quantity"), "mixed"),
    (scaled(count(ATTENDANCES), -1), "down"),
    (scaled(count(ATTENDANCES), 2), "up"),
    (change(ATTENDANCES), "mixed"),
    (difference(count(ATTENDANCES), days_since_last(ATTENDANCES)), "up"),
    (difference(count(ATTENDANCES), age()), "up"),
    (difference(age(), count(ATTENDANCES)), "down"),
    (ratio(count(ATTENDANCES), age()), "mixed"),
    (age(), "mixed"),
]


@pytest.mark.parametrize(("of", "way"), MOVEMENTS)
def test_how_more_contacts_could_move_a_value(of, way):
    """Rules under missing feeds rest on which way the missing contacts could move a value."""
    assert signal(name="s", of=of).rises_with_contacts == way


def test_definition_in_plain_words():
    """The definition says what, whose, which and when, enough to compute it by hand."""
    injuries = contacts("ed.attendance", category=("injury", "assault"))

    assert definition(signal(of=count(injuries, 90))) == (
        "the number of the child's own contacts of type ed.attendance with category injury or"
        " assault in the 90 days before the as-of date"
    )
    crises = contacts("adult.mental_health_crisis", link=("mother", "household_adult"))
    assert definition(signal(name="s", of=exists(crises, 30, ending=7))) == (
        "1 if there are any contacts of type adult.mental_health_crisis of the child's mother or"
        " household adult in the 30 days that end 7 days before the as-of date, else 0"
    )
    assert definition(signal(name="s", of=age("months"))) == (
        "the child's age in completed months at the as-of date"
    )
    for of, _ in MOVEMENTS:
        assert "None" not in definition(signal(name="s", of=of))


def test_the_fingerprint_covers_all_that_is_declared():
    """Changing anything in a declaration changes its fingerprint; nothing else does."""
    changed = [
        signal(),
        signal(of=count(ATTENDANCES, 90, ending=1)),
        signal(question="Why?"),
        signal(source="Another."),
        signal(direction="none"),
        signal(theme="context"),
        signal(unit="visits"),
        signal(direction="lowers", protective=True),
    ]

    assert len({one.fingerprint for one in changed}) == len(changed)
    assert signal().fingerprint == signal().fingerprint
    assert len(signal().fingerprint) == 64


def test_a_signal_names_the_types_it_needs():
    """Every contact type in any part is needed; age needs none."""
    both = difference(count(ATTENDANCES), count(contacts("missing.episode")))

    assert signal(name="s", of=both).types == {"ed.attendance", "missing.episode"}
    assert signal(name="s", of=Age()).types == frozenset()
    assert Selection(("ed.attendance",)).links == ("self",)
