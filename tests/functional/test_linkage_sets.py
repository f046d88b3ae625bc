"""Linkage on sets whose truth others published: the figures docs/reference/identity.md gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.linkage import (
    evaluate,
    evaluate_within,
    fake_1000,
    febrl_3,
    febrl_4,
    one_register,
    row_of,
    sets,
    twins,
)
from riskflag.history.linkage.model import load_weights
from tests.shared_data import shared_data

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "identity.md"


@pytest.fixture(scope="module")
def data():
    return shared_data("splink-linkage")


def test_febrl_4_is_linked_with_hardly_an_error_and_most_of_it_without_a_person(data):
    """With its number as one of the things compared: what the issue of every register asks for."""
    reached = evaluate(febrl_4(data, numbered=True))
    assert reached.records == 10_000
    assert reached.linked.precision >= 0.99
    assert reached.linked.recall >= 0.90
    assert reached.with_steward >= 0.99


def test_without_any_number_the_rest_goes_to_a_steward_and_nothing_wrong_is_linked(data):
    """The threshold alone would reach 0.93; the doubts keep every twin-like pair for a person, who
    sees the rest: a name that is a letter apart is one of them.
    """
    reached = evaluate(febrl_4(data, numbered=False))
    assert reached.linked.precision >= 0.999
    assert reached.linked.recall >= 0.64
    assert reached.threshold.recall >= 0.90
    assert reached.with_steward >= 0.97


@pytest.mark.parametrize("make", [lambda d: febrl_3(d, numbered=False), fake_1000])
def test_harder_sets_lose_recall_and_never_precision(data, make):
    assert evaluate(make(data)).linked.precision >= 0.995


def test_no_twin_is_ever_linked_to_the_other_and_the_same_child_still_is():
    """The threshold alone would take hundreds of twins for one child."""
    reached = evaluate(twins())
    assert reached.true_pairs == 750
    assert reached.linked.precision == 1.0
    assert reached.linked.recall == 1.0
    assert reached.threshold.precision < 0.6


def test_the_figures_see_wrong_links(data):
    """Negative control: records given to the wrong people are not called right."""
    one = febrl_4(data, numbered=True)
    names = sorted(one.truth)
    moved = dict(zip(names, (one.truth[n] for n in names[7:] + names[:7]), strict=True))
    wrong = type(one)(one.name, one.records, moved)
    assert evaluate(wrong).linked.precision < 0.5


@pytest.mark.long
def test_every_figure_on_the_page_is_the_one_reached(data):
    text = PAGE.read_text(encoding="utf-8")
    for make in sets(data.parent):
        assert row_of(evaluate(make())) in text
    assert evaluate_within(one_register()) in " ".join(text.split())
    assert load_weights().fingerprint in text
