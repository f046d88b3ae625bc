"""Over 1,000 flags of a borough: numbers, reasons, words and bytes, as in test_flag_numbers.py.

Eight nights of a borough of 4,000 children with a capacity that lets every child over the model's
threshold through. Repeat with `pytest -m long tests/functional/test_flag_numbers_many.py`.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest

from riskflag.workspace import Workspace
from tests.functional import flag_checks as checks

pytestmark = pytest.mark.long

DAYS = (*(dt.date(2025, month, 1) for month in range(6, 13)), dt.date(2026, 4, 1))
CAPACITY = 1_000


@pytest.fixture(scope="module")
def of(tmp_path_factory):
    """The flags of eight nights."""
    folder = tmp_path_factory.mktemp("many") / "demo"
    made = [sys.executable, "-m", "riskflag", "demo", "--children", "4000", "--out", str(folder)]
    subprocess.run(made, check=True, capture_output=True)
    found = checks.nights(Workspace.open(folder / "workspace"), DAYS, capacity=CAPACITY)
    assert len(found.flags) >= 1_000
    print(f"{len(found.flags)} flags")
    return found


def test_every_number_of_a_thousand_flags_is_that_of_the_contacts_they_list(of):
    """Counted again by the reference engine; the page made of the recount is the page."""
    wrong, tally = checks.numbers_differ(of)
    assert wrong == []
    assert tally["values"] > 20_000
    print(dict(tally))


def test_the_numbers_read_off_a_thousand_flags_are_those_of_the_contacts(of):
    """The sentences parsed again."""
    wrong, read = checks.sentences_differ(of)
    assert wrong == []
    assert read > 8_000


def test_every_reason_of_a_thousand_flags_leads_to_its_records(of):
    """And no two to the same."""
    assert checks.unresolved(of) == []


def test_no_banned_word_and_no_long_sentence_on_a_thousand_flags(of):
    """None."""
    assert checks.bad_words(of) == []


def test_a_thousand_pages_are_the_same_bytes_in_two_processes(of, tmp_path):
    """Whatever the hash seed."""
    first = checks.pages_in_another_process(of.flags, tmp_path, "1")
    assert first == checks.pages_in_another_process(of.flags, tmp_path, "4711")
    assert len(set(first)) == len(of.flags)
