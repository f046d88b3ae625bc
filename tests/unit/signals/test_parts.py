"""A view in files, part by part, against the same history in one piece."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from benchmarks.made_up import AS_OF as MADE_UP
from benchmarks.made_up import Size
from benchmarks.made_up import history as made_up
from riskflag.clock import day_number
from riskflag.errors import IntegrityError
from riskflag.history.store.stored_view import StoredView, split
from riskflag.progress import silent
from riskflag.signals import (
    age,
    compute,
    contacts,
    count,
    distinct,
    last_value,
    longest_gap,
    total,
)
from riskflag.signals import parts as parts_module
from riskflag.signals.asked import every_day
from riskflag.signals.fast import Kernel, Planned, Reused
from riskflag.signals.parts import compute_parts, grid_parts
from tests.factories import history_of
from tests.unit.signals.test_build import signal

AS_OF = dt.date(2026, 3, 1)
SIGNALS = (
    signal("visits", count(contacts("ed.attendance"), 90)),
    signal("visits_of_the_mother", count(contacts("ed.attendance", link="mother"), None)),
    signal("days_absent", last_value(contacts("school.absence"), "quantity")),
    signal("years", age("years")),
)


def history():
    """Seven people: a mother known only by a visit and a relationship among them."""
    people = ["anna", "ben", "carla", "dan", "eva", "fay"]
    visits = [
        {"person_id": name, "type": "ed.attendance", "occurred_on": f"2026-02-{day:02d}"}
        for day, name in enumerate([*people, "mother", "mother"], start=1)
    ]
    absent = {"type": "school.absence", "occurred_on": "2026-02-03", "quantity": 2}
    born = [{"person_id": name, "birth_on": "2015-05-05"} for name in people]
    related = [{"person_id": "anna", "related_id": "mother", "kind": "mother"}]
    return history_of([*visits, {"person_id": "dan", **absent}], born, related)


@pytest.fixture
def view(tmp_path):
    return StoredView.write(tmp_path / "view", split(history(), 2))


@pytest.mark.parametrize("threads", [1, 4])
def test_parts_together_are_the_whole(view, threads):
    """Children, their order and every value are those of the history in one piece."""
    known = history()
    whole = compute(known, known.children(AS_OF), as_of=AS_OF, signals=SIGNALS)

    parts = list(compute_parts(view, as_of=AS_OF, signals=SIGNALS, threads=threads))

    assert len(parts) == len(view) == 4
    assert [name for part in parts for name in part.person_ids] == list(whole.person_ids)
    assert "mother" not in whole.person_ids
    values = np.concatenate([part.values for part in parts])
    assert values.tobytes() == whole.values.tobytes()
    assert np.nansum(values) > 0


def test_progress_tells_of_every_part(view):
    """The bar moves on with each part and ends full."""
    told = []

    def progress(what, done, total):
        told.append((done, total))

    list(compute_parts(view, as_of=AS_OF, signals=SIGNALS, threads=2, progress=progress))

    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_who_stops_early_leaves_no_work_behind(view, monkeypatch):
    """After the first part nobody reads the last one: no more is begun than is soon taken."""
    read = []
    part = StoredView.part
    monkeypatch.setattr(
        StoredView,
        "part",
        lambda self, number, columns: read.append(number) or part(self, number, columns),
    )
    parts = compute_parts(view, as_of=AS_OF, signals=SIGNALS, threads=1)
    next(parts)
    parts.close()

    assert read in ([0], [0, 1])


@pytest.mark.parametrize("name", ["contacts", "persons", "relationships", "coverage"])
def test_a_damaged_file_is_refused_in_one_sentence(view, name):
    """A file that is cut short is never read as if it were whole."""
    path = view.folder / f"{name}.parquet"
    path.write_bytes(path.read_bytes()[:-9])

    with pytest.raises(IntegrityError, match="missing or damaged"):
        list(compute_parts(StoredView(view.folder), as_of=AS_OF, signals=SIGNALS))


def test_a_grid_is_its_nights_side_by_side(view):
    """Each date of a grid has the children and the values of a night of its own."""
    as_ofs = [AS_OF - dt.timedelta(days=28), AS_OF, AS_OF + dt.timedelta(days=5000)]
    nights = [list(compute_parts(view, as_of=day, signals=SIGNALS)) for day in as_ofs]

    grids = list(
        grid_parts(view, lambda grid: grid, as_ofs=as_ofs, signals=SIGNALS, engine=Kernel(2))
    )

    for place, night in enumerate(nights):
        found = {
            name: grid.values[row, place].tobytes()
            for grid in grids
            for row, name in enumerate(grid.people.to_pylist())
            if grid.child[row, place]
        }
        expected = {
            name: part.values[row].tobytes()
            for part in night
            for row, name in enumerate(part.person_ids)
        }
        assert found == expected
    assert [sum(len(part.person_ids) for part in night) for night in nights] == [6, 6, 0]
    assert all(grid.complete.shape == (3, len(SIGNALS)) for grid in grids)


def test_a_grid_is_worked_out_where_it_is_to_lie(view, tmp_path):
    """Values go to the room that is given, here a mapped file, and are those of any other room."""
    mapped = np.memmap(tmp_path / "values", np.float64, "w+", shape=(6, len(SIGNALS)))
    pieces = iter(mapped.reshape(-1, 1, len(SIGNALS)))
    engine = Kernel(2, room=lambda rows, columns: next(pieces).reshape(rows, columns))
    kept = {"as_ofs": [AS_OF], "signals": SIGNALS}

    elsewhere = [grid.values for grid in grid_parts(view, lambda grid: grid, **kept)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts_module, "BLOCK", 1)
        in_place = list(grid_parts(view, lambda grid: grid.values, engine=engine, **kept))

    assert all(np.shares_memory(values, mapped) for values in in_place)
    assert np.concatenate(in_place).tobytes() == np.concatenate(elsewhere).tobytes()


@pytest.mark.parametrize("dates", [1, 3])
@pytest.mark.parametrize("children", [1, 65])
def test_no_block_remembers_the_one_before(dates, children):
    """Blocks of any size give the whole's bytes, also if other signals are asked for between."""
    known = made_up(Size(500, 20_000))
    asked = every_day(known.children(MADE_UP), np.arange(dates) * -40 + day_number(MADE_UP))
    absences = contacts("school.absence")
    signals = (
        signal("reported", distinct(absences, "type", 90)),
        signal("days_missed", total(absences, "quantity", None)),
        signal("days_apart", longest_gap(absences, 90)),
        *SIGNALS,
    )
    whole = Kernel(1).values(known, signals, asked, silent)

    found = []
    for block in Kernel(1, chunk=9_000).blocks(known, signals, asked, children * dates):
        Kernel(1).values(known, SIGNALS, asked, silent)
        found.append(block.copy())

    assert len(found) == -(-len(whole) // (children * dates)) > 5
    assert np.concatenate(found).tobytes() == whole.tobytes()


def test_a_grid_is_worked_out_in_small_blocks(view, monkeypatch):
    """However long the grid, a block holds no more rows than the limit, and at least one child."""
    monkeypatch.setattr(parts_module, "BLOCK", 1)

    people = list(grid_parts(view, lambda grid: grid.people, as_ofs=[AS_OF], signals=SIGNALS))

    names = [["anna"], ["ben"], ["carla"], ["dan"], ["eva"], ["fay"]]
    assert [one.to_pylist() for one in people] == names


def test_signals_bound_anew_to_other_words_are_those_bound_for_the_first_time():
    """A program made over for another history equals one made from nothing, also of many words."""
    asked = (*SIGNALS, signal("places", distinct(contacts("ed.attendance"), "outcome", 90)))
    visits = [
        {"person_id": "anna", "type": "ed.attendance", "occurred_on": f"2026-02-{day:02d}"}
        for day in (3, 5, 9)
    ]
    other = history_of(
        [dict(visit, outcome=word) for visit, word in zip(visits, "abc", strict=True)]
    )
    work = Planned(asked)
    first = work.program(work.columns(history()))
    again, anew = work.program(work.columns(other)), Planned(asked).program(work.columns(other))
    assert first.counts.marks[-1] != again.counts.marks[-1] == 3
    for made, expected in zip(again, anew, strict=True):
        for one, two in zip([*made], [*expected], strict=True):
            np.testing.assert_array_equal(one, two)


def test_room_is_used_again_only_when_nobody_holds_any_of_it():
    """A view of a few values keeps all of them from being written over."""
    room = Reused()
    first = room(30, 4)
    first[:] = 7.0
    some = first[3:5, 1]
    place = first.ctypes.data
    del first
    other = room(30, 4)
    other[:] = 9.0
    assert some.tolist() == [7.0, 7.0]
    assert other.ctypes.data != place
    del some
    again = room(20, 4)
    assert again.ctypes.data == place
    assert room(300, 4).shape == (300, 4)
