"""Records that are often called signs of risk may be the trace of harm; the page says which."""

from __future__ import annotations

import copy

import pytest

from riskflag.reports import render_flag, view
from tests.unit.reports.flags import examples

FLAGS = examples()


@pytest.mark.parametrize(
    ("kind", "attributes", "told"),
    [
        ("ed.attendance", {"category": "illness"}, False),
        ("ed.attendance", {"category": "assault"}, True),
        ("police.da_incident", {}, True),
        ("school.bullying", {"role": "displaying"}, False),
        ("school.bullying", {"role": "experiencing"}, True),
        ("care.factor", {"category": "low_income"}, False),
        ("care.factor", {"category": "neglect"}, True),
        ("health.appointment", {"outcome": "not_brought"}, False),
    ],
)
def test_records_that_may_be_the_trace_of_harm_itself_are_said_to_be(kind, attributes, told):
    """Not only a sign of risk: a pattern that rests on one says so, and no other does."""
    flag = copy.deepcopy(FLAGS[1])
    reason = flag["reasons"][0]
    for contact in flag["contacts"]:
        contact.update(type="care.contact", attributes=dict.fromkeys(contact["attributes"]))
    first = next(c for c in flag["contacts"] if c["contact_key"] == reason["contact_keys"][0])
    first.update(type=kind, attributes={**first["attributes"], **attributes})
    cards = view(flag).patterns
    assert bool(cards[0].harm) is told
    text = render_flag(view(flag))
    assert ("may tell of harm that has already happened" in text) is told
