"""Check digits, against numbers published as valid."""

from __future__ import annotations

import pyarrow as pa
import pytest

from riskflag.history.declared.check_digits import failed_check


@pytest.mark.parametrize(
    ("scheme", "number"), [("nhs", "9434765919"), ("upn", "B801200005001"), ("uln", "9276308686")]
)
def test_published_numbers_pass_and_any_changed_digit_fails(scheme, number):
    assert failed_check(pa.array([number]), scheme).tolist() == [False]
    for place in range(1, len(number)):
        digit = str((int(number[place]) + 1) % 10)
        changed = number[:place] + digit + number[place + 1 :]
        assert failed_check(pa.array([changed]), scheme).tolist() == [True], changed


def test_malformed_numbers_fail_and_blank_or_unchecked_ones_do_not():
    values = pa.array(["0000000000", "943476591", "94347659190", "abc", None])
    assert failed_check(values, "nhs").tolist() == [True, True, True, True, False]
    assert failed_check(values, "police_ref").tolist() == [False] * 5


def test_a_temporary_pupil_number_may_end_in_a_letter():
    body = "80120000500A"
    letters = "ABCDEFGHJKLMNPQRTUVWXYZ"
    passing = [first for first in letters if not failed_check(pa.array([first + body]), "upn")[0]]
    assert len(passing) == 1
