"""Work shared out among copies of the process: the same results, the same faults, nothing left."""

from __future__ import annotations

import gc
import os
import signal
import threading
from pathlib import Path

import pytest

from riskflag.nightly import shares
from riskflag.nightly.shares import MANY, beside, in_shares, processes_for, seldom_tidied


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_results_come_in_their_order_however_the_work_is_shared(processes):
    """Also results of a MiB, and all are counted."""
    told = []
    found = in_shares(lambda n: bytes([n + 1]) * 2**n, 21, processes=processes, done=told.append)
    assert list(found) == [bytes([n + 1]) * 2**n for n in range(21)]
    assert told[-1] == 21


def test_copies_do_the_work():
    """With several processes no result is made in this one."""
    found = list(in_shares(lambda n: str(os.getpid()).encode(), 6, processes=2))
    assert len(set(found)) == 2
    assert str(os.getpid()).encode() not in found


def test_what_a_copy_does_not_give_back_is_worked_out_here():
    """A copy that is ended in the middle, as by want of memory, changes nothing."""
    here = os.getpid()

    def work(number: int) -> bytes:
        if number == 3 and os.getpid() != here:
            os._exit(9)
        return str(number).encode()

    assert list(in_shares(work, 8, processes=2)) == [str(n).encode() for n in range(8)]


def test_a_copy_that_stands_still_is_ended_and_its_work_done_here(monkeypatch):
    """A night never waits for ever."""
    monkeypatch.setattr(shares, "PATIENCE", 0.2)
    here = os.getpid()

    def work(number: int) -> bytes:
        if number == 3 and os.getpid() != here:
            signal.pause()
        return str(number).encode()

    assert list(in_shares(work, 8, processes=2)) == [str(n).encode() for n in range(8)]


def test_a_fault_shows_as_it_would_without_copies():
    """The same exception, and no process stays behind."""

    def work(number: int) -> bytes:
        if number == 4:
            raise MemoryError(f"number {number}")
        return b"."

    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    before = children.read_text()
    with pytest.raises(MemoryError, match="number 4"):
        list(in_shares(work, 8, processes=3))
    assert children.read_text() == before


@pytest.mark.parametrize("processes", [1, 2])
def test_work_beside_is_done_once_by_a_copy_or_when_it_is_asked_for(processes, tmp_path):
    """With several processes another one does it, while this one goes on."""

    def work() -> bytes:
        with (tmp_path / "done").open("a") as file:
            file.write(".")
        return str(os.getpid()).encode()

    with beside(work, processes=processes) as given:
        assert (given() == str(os.getpid()).encode()) == (processes == 1)
    assert (tmp_path / "done").read_text() == "."


def test_work_beside_that_a_copy_could_not_do_is_done_here():
    """What it raises shows as it would without copies, and no process stays behind."""

    def work() -> bytes:
        raise MemoryError("no room")

    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    before = children.read_text()
    with pytest.raises(MemoryError, match="no room"), beside(work, processes=2) as given:
        given()
    assert children.read_text() == before


def test_garbage_is_looked_for_seldom_only_meanwhile():
    """What was set before is set again."""
    before = gc.get_threshold()
    with seldom_tidied():
        assert gc.get_threshold()[0] > before[0]
    assert gc.get_threshold() == before


def test_few_pieces_of_work_are_not_shared_out():
    """Copying the process would take longer."""
    assert processes_for(MANY - 1, 4) == 1
    assert processes_for(MANY, 4) == 4
