"""The bad-file corpus: 66 faults, five places each, with the one verdict each must get."""

from __future__ import annotations

import logging
import os
import warnings

import pytest

from riskflag.history.files import csv_reader, parquet_reader, workbook, xml_reader
from tests.bad_files import cases_deliveries, cases_kinds, cases_text, cases_values, running
from tests.bad_files.running import check
from tests.bad_files.world import BUILDERS, POSITIONS


@pytest.fixture
def told(capfd, caplog, recwarn):
    """Everything said since it was last asked: standard output and error, logs and warnings."""
    caplog.set_level(logging.NOTSET)

    def everything():
        printed = capfd.readouterr()
        warned = [str(warning.message) for warning in recwarn.list]
        return "\n".join([printed.out, printed.err, caplog.text, *warned])

    return everything


MODULES = (cases_text, cases_values, cases_deliveries, cases_kinds)
NAMES = sorted(BUILDERS)


def test_the_corpus_is_whole():
    """66 cases, numbered without a gap, at five places each."""
    assert [f"B{number:02d}" for number in range(1, 67)] == NAMES
    assert len(NAMES) * len(POSITIONS) == 330


@pytest.mark.parametrize("position", range(len(POSITIONS)), ids=POSITIONS)
@pytest.mark.parametrize("name", NAMES)
def test_a_bad_file_gets_its_verdict_and_nothing_of_it_is_repeated(
    name, position, tmp_path, told, monkeypatch
):
    """Report, history, quarantined lines and people are as the case says; no value leaks, also
    into what is logged, warned of or written to standard error."""
    if position % 2 and name != "B25":  # in small parts, so that faults stand on their edges too
        monkeypatch.setattr(csv_reader, "CHUNK_BYTES", 300)
        monkeypatch.setattr(csv_reader, "PART_ROWS", 5)
        monkeypatch.setattr(parquet_reader, "PART_ROWS", 5)
        monkeypatch.setattr(workbook, "OBJECT_ROWS", 5)
        monkeypatch.setattr(xml_reader, "OBJECT_ROWS", 5)
    check(BUILDERS[name][2](position), tmp_path, told)


@pytest.mark.parametrize(
    "say",
    [
        lambda value: os.write(2, value.encode()),
        lambda value: print(value),
        lambda value: logging.getLogger("any").debug("row %s", value),
        lambda value: warnings.warn(value, stacklevel=2),
    ],
    ids=["standard error", "standard output", "a log", "a warning"],
)
def test_a_value_of_the_data_is_seen_wherever_it_is_repeated(say, tmp_path, told, monkeypatch):
    """Negative control: one value, said by the load in one of these ways, fails the case."""
    case = BUILDERS["B30"][2](2)
    real = running.ingest

    def telling(*args, **named):
        say(max(running.canaries(case), key=len))
        return real(*args, **named)

    monkeypatch.setattr(running, "ingest", telling)
    with pytest.raises(AssertionError, match="a value from the data is repeated"):
        check(case, tmp_path, told)
