"""What a review shows of a flag is what the flag's own page says."""

from __future__ import annotations

from dataclasses import fields

import pytest

from riskflag.reports import view
from riskflag.reports.brief import brief
from tests.unit.reports.flags import examples, long_flag

FLAGS = [*examples(), long_flag(60), long_flag(12, reasons=3, in_pattern=9)]


@pytest.mark.parametrize("flag", FLAGS)
def test_every_part_is_that_of_the_page(flag):
    """Patterns and records have the same names, numbers and places."""
    short, page = brief(flag), view(flag)
    assert len(fields(short)) == 8
    for field in fields(short):
        if field.name != "records":
            assert getattr(short, field.name) == getattr(page, field.name), field.name
    assert short.records.listed == page.records.listed
    assert short.records.by_key == page.records.by_key
