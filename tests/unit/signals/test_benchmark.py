"""The benchmark compares results before it prints a time."""

from __future__ import annotations

import pytest

from benchmarks import sides
from benchmarks import signals as bench
from benchmarks.made_up import Size, history
from benchmarks.page import write_section
from benchmarks.sides import SIDES, Sink
from riskflag.history.store.stored_view import StoredView, split


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    known = history(Size(300, 6_000))
    return StoredView.write(tmp_path_factory.mktemp("bench") / "view", split(known, 120))


def answer(side, view):
    sink = Sink(check=True)
    SIDES[side](view, 1)(sink)
    return sink.rows, sink.fingerprint


@pytest.fixture
def few_dates(monkeypatch):
    """Four of the 24 dates, half a year apart."""
    monkeypatch.setattr(sides, "GRID", sides.GRID[::6])
    days = list(sides.DAYS)
    sides.DAYS[:] = days[::6]
    yield
    sides.DAYS[:] = days


@pytest.mark.parametrize("shape", bench.SHAPES)
@pytest.mark.usefixtures("few_dates")
def test_every_side_gives_the_same_values(shape, view):
    """riskflag, SQL, Polars and pandas agree on every value of the benchmark's signals."""
    pytest.importorskip("polars", reason="the extra 'bench' is not installed")
    answers = {side: answer(side, view) for side in bench.SHAPES[shape]}

    assert len(set(answers.values())) == 1, answers
    assert answers[bench.SHAPES[shape][0]][0] >= 280


def test_one_wrong_number_changes_the_fingerprint(view):
    """Negative control: a value that is off by one is another answer."""
    right, wrong = Sink(check=True), Sink(check=True)
    SIDES["riskflag"](view, 1)(right)
    take = wrong.take

    def off_by_one(people, day, values):
        values[0, 0] += 1
        take(people, day, values)

    wrong.take = off_by_one
    SIDES["riskflag"](view, 1)(wrong)

    assert right.rows == wrong.rows
    assert right.fingerprint != wrong.fingerprint


def test_sides_that_disagree_get_no_time(view, monkeypatch):
    """Nothing is measured once two answers differ."""
    told = []

    def run(view, side, threads, options):
        told.append(options)
        return {"rows": len(side), "fingerprint": 0}

    monkeypatch.setattr(bench, "_run", run)
    with pytest.raises(bench.DisagreementError):
        bench.compare(view, ("riskflag", "Polars"), threads=1, repeats=1, write=False)
    assert told == [["--check"], ["--check"]]


def test_a_section_takes_the_place_of_the_one_before(tmp_path):
    """Each benchmark writes its own section and leaves the others alone."""
    page = tmp_path / "page.md"
    for title, body in (("A", "first text"), ("B", "second"), ("A", "third")):
        write_section(title, body, page)

    text = page.read_text()
    assert "first text" not in text
    assert text.index("third") < text.index("second")
    assert text.count("\n## ") == 2
