"""How much memory training takes: measured on a process of its own, and told as a line."""

from __future__ import annotations

import pytest

from benchmarks import train

GIB = 2**30


def figures(peak, rows=480_000):
    told = {"seconds": 1.0, "processor": 1.0, "signals": 197, "outcomes": 9, "rows_used": 8}
    return {**told, "rows": rows, "peak": peak * GIB}


def test_the_memory_of_a_million_children_is_told_by_the_line_through_two_sizes():
    """Between 20,000 and 200,000 children it rises by 0.9 GiB: by four more to a million."""
    told = train.report({"S": figures(1.0), "M": figures(1.9)}, 0.0)
    assert "a million would take 5.9 GiB" in told
    assert "One size tells no slope" in train.report({"S": figures(1.0)}, 0.0)
    measured = train.report({"M": figures(1.9), "L": figures(6.0)}, 0.0)
    assert "A million children took 6.00 GiB; 8 GiB were allowed." in measured


@pytest.mark.long
def test_twenty_thousand_children_are_learnt_from_in_two_gib_and_a_half(tmp_path):
    """24 as-of dates to learn from, six to calibrate, six to judge, and half a GiB for parts."""
    found = train.measured(tmp_path / "S", "S")
    assert found["rows"] > 400_000
    assert found["rows_used"] > 200_000
    assert (tmp_path / "S" / "work" / "view-for-training").is_dir()
    # Half a GiB is what Python and its libraries take before anything is learnt.
    assert found["peak"] < 2.5 * GIB
