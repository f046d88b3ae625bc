"""How sure a flag is, as its page tells it."""

from __future__ import annotations

from riskflag.reports import view
from tests.unit.reports.flags import examples

FLAGS = examples()


def test_how_steady_the_patterns_are_is_told_in_a_word_and_in_counts():
    """High or mixed, of so many further models; nothing where it is not known."""
    told = [" ".join(view(flag).often) for flag in FLAGS]
    steady = "How steady the model's patterns are: high. Of five further models"
    assert steady in told[1]
    assert "five had the same main pattern for this child." in told[1]
    assert "patterns are: mixed." in told[3]
    assert "three had the same main pattern" in told[3]
    assert "steady" not in told[0] + told[2]
    assert "steady" not in " ".join(view({**FLAGS[1], "stability": None}).often)
