"""The bad-file corpus: 66 faults, five places each, with the one verdict each must get."""

from __future__ import annotations

import pytest

from riskflag.history import csv_reader, delivery
from tests.bad_files import cases_deliveries, cases_kinds, cases_text, cases_values
from tests.bad_files.running import check
from tests.bad_files.world import BUILDERS, POSITIONS

MODULES = (cases_text, cases_values, cases_deliveries, cases_kinds)
NAMES = sorted(BUILDERS)


def test_the_corpus_is_whole():
    """66 cases, numbered without a gap, at five places each."""
    assert [f"B{number:02d}" for number in range(1, 67)] == NAMES
    assert len(NAMES) * len(POSITIONS) == 330


@pytest.mark.parametrize("position", range(len(POSITIONS)), ids=POSITIONS)
@pytest.mark.parametrize("name", NAMES)
def test_a_bad_file_gets_its_verdict_and_nothing_of_it_is_repeated(
    name, position, tmp_path, capsys, monkeypatch
):
    """Report, history, quarantined lines and people are as the case says; no value leaks."""
    if position % 2 and name != "B25":  # in small parts, so that faults stand on their edges too
        monkeypatch.setattr(csv_reader, "CHUNK_BYTES", 300)
        monkeypatch.setattr(delivery, "PART_ROWS", 5)
    check(BUILDERS[name][2](position), tmp_path, capsys)
