"""What a flag's page says about how far its records reach: people who may be one person."""

from __future__ import annotations

import pytest

from riskflag.nightly.caveats import Situation, caveats

PLAIN = {"contacts": (), "begins": {}, "linked": True, "with_bundle": True, "undecided": 0}


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (0, None),
        (1, "1 other person number may be this child, and nobody has decided yet."),
        (3, "3 other person numbers may be this child, and nobody has decided yet."),
    ],
)
def test_people_who_may_be_the_same_child_are_told_as_not_seen(others, said):
    """Their records do not show, and the page says that nobody has decided."""
    told = caveats(Situation(**PLAIN, doubtful=others))
    assert (told == []) == (said is None)
    assert said is None or told[0].startswith(said)
