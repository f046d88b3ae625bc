"""Whose identifier it is: days count where they decide, and a claim of two is nobody's."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from riskflag.history.loading.identity import Identities
from riskflag.history.schema import IDENTIFIER
from tests.unit.history.two_feeds import identifier

UPN, TEMPORARY = "B801200005001", "B80120000500A"


def whose(held, scheme, value, day=None, roots=None):
    """The person, and whether the identifier is disputed."""
    table = pa.Table.from_pylist(held, schema=IDENTIFIER)
    row = {"subject_scheme": [scheme], "subject_value": [value], "occurred_on": [day]}
    found, disputed = Identities.of(table, roots).resolve(
        pa.table(row), day=None if day is None else "occurred_on"
    )
    return found[0].as_py(), bool(disputed[0])


def test_one_person_holds_an_identifier_on_any_day():
    held = [identifier("C1", "upn", UPN, valid_from=dt.date(2020, 1, 1))]
    for day in (None, dt.date(2010, 1, 1), dt.date(2024, 1, 1)):
        assert whose(held, "upn", UPN, day) == ("C1", False)


HANDED_ON = [
    identifier("C1", "upn", UPN, valid_to=dt.date(2020, 7, 31)),
    identifier("C2", "upn", UPN, valid_from=dt.date(2020, 9, 1)),
]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (dt.date(2020, 7, 31), ("C1", False)),
        (dt.date(2020, 8, 15), (None, True)),
        (dt.date(2020, 9, 1), ("C2", False)),
        (None, (None, True)),
    ],
)
def test_an_identifier_that_was_handed_on_is_whose_it_was_that_day(day, expected):
    for held in (HANDED_ON, HANDED_ON[::-1]):
        assert whose(held, "upn", UPN, day) == expected


def test_an_identifier_two_people_hold_at_one_time_is_nobodys_until_they_are_one():
    held = [identifier("C1", "nhs", "9434765919"), identifier("C2", "nhs", "9434765919")]
    assert whose(held, "nhs", "9434765919", dt.date(2024, 1, 1)) == (None, True)
    roots = {"C1": "C1", "C2": "C1"}
    assert whose(held, "nhs", "9434765919", dt.date(2024, 1, 1), roots) == ("C1", False)


def test_a_temporary_pupil_number_is_the_pupils_only_while_it_was_valid():
    held = [identifier("C1", "upn", TEMPORARY, valid_to=dt.date(2021, 7, 31))]
    assert whose(held, "upn", TEMPORARY, dt.date(2021, 7, 1)) == ("C1", False)
    assert whose(held, "upn", TEMPORARY, dt.date(2022, 7, 1)) == (None, True)
    assert whose([identifier("C1", "upn", TEMPORARY)], "upn", TEMPORARY) == ("C1", False)


def test_a_person_a_source_names_goes_before_a_made_id():
    held = [
        identifier("rf-1", "school_ref", "7", source="school"),
        identifier("C1", "school_ref", "7"),
    ]
    assert whose(held, "school_ref", "7") == ("C1", False)
