"""A history loaded in bulk, and the same records delivered night by night: the same signals."""

from __future__ import annotations

import datetime as dt
import random

import numpy as np
import pytest

from riskflag.clock import NEVER
from riskflag.signals import compute, load_catalogue
from tests.functional.test_ingest import FIRST, HEADER, NHS, Borough, row

SIGNALS = load_catalogue().signals
#: Days that the source declares to pass from a record's being written to its delivery.
LAG = 2
WRITTEN = 'recorded = { column = "written" }\n'


def records(nights: int, *, late: bool) -> list[dict]:
    """Attendances of four children, each written down on its day, or up to three weeks later."""
    chance, found = random.Random(f"bulk {nights} {late}"), []
    for number in range(3 * nights):
        day = FIRST + dt.timedelta(days=chance.randrange(-40, nights))
        written = day + dt.timedelta(days=chance.choice((0, 0, 1, 7, 21)) if late else 0)
        changed = {"nhs": NHS[chance.randrange(4)], "code": chance.choice("12"), "site": "AB"[late]}
        stated = {"day": f"{day:%d/%m/%Y}", "written": f"{written:%d/%m/%Y}"}
        found.append({**row(number, **changed), **stated, "lands": written + dt.timedelta(LAG)})
    return found


def borough(folder, *, says_written: bool) -> Borough:
    """A workspace with a source of attendances, delivered as they come, and who the children are.

    Who the children are came first, so that both know it from the same day.
    """
    made = Borough(folder, scope="delta")
    place = made.workspace.sources_dir / "ed.toml"
    text = place.read_text()
    if says_written:
        text = text.replace("[contact.attributes]", f"{WRITTEN}\n[contact.attributes]")
    place.write_text(text)
    made.add_spine(FIRST - dt.timedelta(days=60), ["anna", "ben", "cara", "dan"])
    made.load()
    return made


def loaded(tmp_path, given: list[dict], nights: int, *, says_written: bool = True):
    """The history of a bulk load after the last night, and that of nightly deliveries."""
    header = [*HEADER, "written"]
    bulk = borough(tmp_path / "bulk", says_written=says_written)
    nightly = borough(tmp_path / "nightly", says_written=says_written)
    bulk.deliver(FIRST + dt.timedelta(days=nights + 60), given, header=header)
    bulk.load()
    # What there was before the first night comes with it.
    first = FIRST - dt.timedelta(days=50)
    for day in sorted({first, *(one["lands"] for one in given)}):
        rows = [one for one in given if one["lands"] == day]
        if rows:
            nightly.deliver(day, rows, header=header)
    nightly.load()
    return bulk.history(), nightly.history()


def different(one, other, nights: int) -> tuple[int, int]:
    """How many child-nights differ in any signal, of how many; both know the same children."""
    differ = total = 0
    for night in range(nights):
        day = FIRST + dt.timedelta(days=night)
        people = one.children(day)
        assert people == other.children(day)
        first, second = (
            compute(history, people, as_of=day, signals=SIGNALS).values for history in (one, other)
        )
        same = (first == second) | (np.isnan(first) & np.isnan(second))
        differ += int((~same.all(axis=1)).sum())
        total += len(people)
    return differ, total


def check(tmp_path, nights: int) -> None:
    given = records(nights, late=True)
    bulk, nightly = loaded(tmp_path, given, nights)
    assert bulk.contacts.num_rows == nightly.contacts.num_rows >= len(given)
    assert set(bulk.contacts["known_basis"].to_pylist()) == {"recorded"}
    assert "landed" in nightly.contacts["known_basis"].to_pylist()
    assert set(bulk.contacts["superseded_day"].to_pylist()) == {NEVER}
    differ, total = different(bulk, nightly, nights)
    assert total >= 4 * nights
    assert differ == 0


def test_a_bulk_load_gives_the_signals_of_nightly_deliveries(tmp_path):
    """Where a source says when a record was written, no night's signals differ, late ones too."""
    check(tmp_path, 6)


@pytest.mark.long
def test_a_bulk_load_gives_the_signals_of_a_year_of_nightly_deliveries(tmp_path):
    """The same of 365 nights: no signal of a training row could not have existed that night."""
    check(tmp_path, 365)


def test_a_bulk_load_that_guesses_when_records_came_is_told_from_one_that_knows(tmp_path):
    """Negative control: late records that do not say so differ, and are marked as assumed."""
    bulk, nightly = loaded(tmp_path, records(6, late=True), 6, says_written=False)
    assert set(bulk.contacts["known_basis"].to_pylist()) == {"assumed_lag"}
    differ, total = different(bulk, nightly, 6)
    assert 0 < differ <= total
