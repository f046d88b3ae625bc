"""Twins whose names are a letter apart, where each of two agencies holds one of them."""

from __future__ import annotations

import pytest

from riskflag.history.linkage.decide import DOUBTS
from riskflag.history.linkage.model import load_weights
from riskflag.history.store.matches import AUTO, WAITING
from tests.unit.history.two_feeds import decided, identifier, pupil, run, someone, stored

#: For each family: the twin the register holds and the one the school holds.
TWINS = {
    "Abara": ("Amy", "Ami"),
    "Brennan": ("Jon", "Joan"),
    "Costa": ("Sara", "Sarah"),
    "Dhillon": ("Aadi", "Aadil"),
    "Eze": ("Ella", "Ellie"),
    "Farouk": ("Hasan", "Hassan"),
}
#: Where the school's twin is written down otherwise in something else as well.
ELSEWHERE = {"Garcia": "", "Hughes": "9 Elm Rd,B1 1AA"}
BORN_PAST_MIDNIGHT, CROSSWISE = "Ibrahim", "Jones"
#: One number in both feeds, and a letter: a slip of the pen. The others have a number each, or one
#: that too many share.
NUMBERED, NUMBERS = "Kowalski", ("9434765919", "9434765870")
TWO_NUMBERS, PLACEHOLDER = "Lewis", "Murphy"

OTHERS = (BORN_PAST_MIDNIGHT, CROSSWISE, TWO_NUMBERS, PLACEHOLDER)


@pytest.fixture(scope="module")
def decisions(tmp_path_factory):
    """What one run decides on every family; each has a birth date and a home of its own."""
    rows, held = [], []
    for at, family in enumerate([*TWINS, *ELSEWHERE, BORN_PAST_MIDNIGHT, CROSSWISE, NUMBERED]):
        rows += twins(at, family, *TWINS.get(family, ("Amy", "Ami")))
    rows += twins(31, TWO_NUMBERS, "Amy", "Ami") + twins(32, PLACEHOLDER, "Amy", "Ami")
    shared = ["4010232137"] * 2
    for at in range(6):
        rows.append(someone(f"X{at}", "ABCDEF"[at] * 3, "UVWXYZ"[at] * 4, f"199{at}-07-09"))
        held.append(identifier(f"X{at}", "nhs", shared[0], check_ok=True))
    said = ((NUMBERED, NUMBERS[:1] * 2), (TWO_NUMBERS, NUMBERS), (PLACEHOLDER, shared))
    for family, numbers in said:
        for name, number in zip((f"C-{family}", f"rf-{family}"), numbers, strict=True):
            held.append(identifier(name, "nhs", number, check_ok=True))
    store = stored(tmp_path_factory.mktemp("twins"), rows, identifiers=held)
    run(store)
    return {own.removeprefix("C-"): row for (own, _), row in decided(store).items()}


def twins(at, family, first, second):
    birth, home = f"20{at:02d}-03-05", f"{at} {family} Lane,BS{at} 2AB"
    names = (family, second) if family == CROSSWISE else (second, family)
    later = f"20{at:02d}-03-06" if family == BORN_PAST_MIDNIGHT else birth
    return [
        someone(f"C-{family}", first, family, birth, where=home),
        pupil(family, *names, later, where=ELSEWHERE.get(family, home)),
    ]


@pytest.mark.parametrize("family", [*TWINS, *ELSEWHERE, *OTHERS])
def test_twins_a_letter_apart_are_never_one_child_without_a_person(decisions, family):
    assert decisions[family]["decision"] == WAITING


def test_most_of_them_are_so_alike_that_the_probability_alone_would_have_linked_them(decisions):
    """Negative control: it is the doubt that keeps them apart."""
    likely = [f for f in TWINS if decisions[f]["probability"] >= load_weights().link_from]
    assert likely == list(TWINS)


def test_the_steward_is_told_why(decisions):
    assert [DOUBTS[name] for name in decisions["Abara"]["doubts"].split()] == [
        "the given names differ by a letter or so, as those of twins may"
    ]


def test_one_number_in_both_feeds_makes_a_letter_a_slip_of_the_pen(decisions):
    assert decisions[NUMBERED]["decision"] == AUTO
