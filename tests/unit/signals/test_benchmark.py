"""The benchmark compares results before it prints a time."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import signals as bench
from benchmarks.made_up import Size, history

SIZE = Size(300, 6_000)


def test_both_sides_give_the_same_values():
    """Kernel and hand-written SQL agree on every value of the benchmark's signals."""
    known = history(SIZE)
    people = [f"child-{number:08d}" for number in range(SIZE.children)]
    fast, slow = bench.kernel(known, people, 1, 1), bench.duck(known, SIZE.children, 1, 1)

    assert fast.values.shape == (300, 146)
    assert (fast.values > 0).mean() > 0.2
    np.testing.assert_array_equal(fast.values, slow.values)
    fast.values[7, 7] += 1
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(fast.values, slow.values)
    page = bench.report(SIZE, 1, fast, slow)
    assert "times as fast" in page
    assert "146 signals of 300 children" in page
