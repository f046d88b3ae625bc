"""Long lists come in pages: every row once, whatever page is asked for."""

from __future__ import annotations

import pytest

from riskflag.web.paging import SIZE, part_of


@pytest.mark.parametrize("many", [0, 1, SIZE, SIZE + 1, 3 * SIZE])
def test_every_row_is_on_exactly_one_page(many):
    """The pages together are the list, in its order, and none is longer than a page."""
    rows = list(range(many))
    last = part_of(rows, None).last
    parts = [part_of(rows, str(number)) for number in range(1, last + 1)]
    assert [row for part in parts for row in part.rows] == rows
    assert all(len(part.rows) <= SIZE for part in parts)
    assert all(part.total == many for part in parts)


@pytest.mark.parametrize("asked", [None, "", "0", "-1", "x", "99999999999999999999", "²"])
def test_nonsense_is_the_nearest_page_there_is(asked):
    """No number, or one that no page has, is answered with a page and no error."""
    assert 1 <= part_of(list(range(60)), asked).number <= 3
