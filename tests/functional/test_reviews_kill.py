"""A process that is killed while it saves reviews: what it acknowledged is there, whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from riskflag.casework import audit
from riskflag.casework.store import faults_of, open_store
from riskflag.casework.tables import Audit, Review, Verdict
from riskflag.workspace import Workspace
from tests import casework_world as world

KILLS = 100
ROOT = Path(__file__).resolve().parents[2]

#: Forks a saver for each line on its input, so that a hundred of them start in no time. A saver
#: saves reviews without end and says the number of each after it was recorded.
NURSERY = """
import os, sys
from pathlib import Path
from riskflag.casework.reviews import ReasonVerdict, record_review
from riskflag.casework.store import open_store
from riskflag.workspace import Workspace
from tests import casework_world as world

place = Workspace.open(Path(sys.argv[1]))

def saver():
    store = open_store(place)
    verdict = (ReasonVerdict("rule:repeat_ed", "wrong", "duplicate", "twice"),)
    while True:
        done = record_review(store, world.review("unsure", verdicts=verdict))
        os.write(1, f"{done}\\n".encode())

for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        saver()
    os.write(1, f"pid {child}\\n".encode())
    os.waitpid(child, 0)
    os.write(1, b"dead\\n")
"""


def test_a_hundred_kills_in_the_middle_of_saving_lose_no_acknowledged_review(tmp_path):
    """Each review that was acknowledged is there with its verdict and audit entry; none is half."""
    world.opened(tmp_path / "w").close()
    acknowledged: list[str] = []
    draw = random.Random(7)
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY, str(tmp_path / "w")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    ) as nursery:
        for _ in range(KILLS):
            acknowledged += _one_life(nursery, draw.randint(1, 3), spin=draw.randint(0, 120_000))
    assert len(acknowledged) >= KILLS
    _everything_is_whole(Workspace.open(tmp_path / "w"), acknowledged)


def _one_life(nursery: subprocess.Popen, reviews: int, *, spin: int) -> list[str]:
    """Start a saver, kill it some way into the review after so many; what it acknowledged."""
    nursery.stdin.write("go\n")
    nursery.stdin.flush()
    child, said = 0, []
    for line in iter(nursery.stdout.readline, ""):
        word = line.strip()
        if word.startswith("pid "):
            child = int(word.removeprefix("pid "))
        elif word == "dead":
            return said
        else:
            said.append(word)
        if child and len(said) >= reviews:
            for _ in range(spin):  # the next review is now somewhere on its way
                pass
            os.kill(child, signal.SIGKILL)
            child = 0
    raise AssertionError("the nursery ended before its children")


def _everything_is_whole(place: Workspace, acknowledged: list[str]) -> None:
    store = open_store(place)
    assert faults_of(store) == []
    with store.reading() as session:
        kept = list(session.scalars(sa.select(Review.review_id).order_by(Review.number)))
        verdicts = list(session.scalars(sa.select(Verdict.review_id)))
        entries = session.scalar(sa.select(sa.func.count()).where(Audit.action == "review"))
        numbers = list(session.scalars(sa.select(Review.number).order_by(Review.number)))
        assert audit.first_bad(session) is None
    store.close()
    assert set(acknowledged) <= set(kept)
    assert len(set(acknowledged)) == len(acknowledged)
    assert sorted(verdicts) == sorted(kept)
    assert entries == len(kept)
    assert numbers == list(range(1, len(kept) + 1))
    # A review may be recorded and its acknowledgement cut off; there is one such at most a kill.
    assert len(kept) <= len(acknowledged) + KILLS
