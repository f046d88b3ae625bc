"""Deliveries again, late, corrected and in any mixture: the history is that of single delivery."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import random
import subprocess
import sys

import pytest

from riskflag.history.loading.ingest import ingest
from riskflag.history.schema import CONTACT, IDENTIFIER, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.history.store.view import History
from riskflag.workspace import Workspace

MONDAY = dt.date(2026, 3, 2)
WEEK = [MONDAY + dt.timedelta(days=number) for number in range(7)]
SOURCE = """name = "{scope}"
title = "Placements"
agency = "social_care"

[files]
pattern = "{scope}*.csv"

[delivery]
scope = "{scope}"
{more}

[[contact]]
type = "care.placement"
record_id = ["ref"]
subject = {{ column = "nhs", scheme = "nhs" }}
occurred = {{ column = "from" }}
ended = {{ column = "to" }}
withdrawn = {{ column = "change", is = ["delete"] }}

[contact.attributes]
organisation = {{ column = "home" }}

[[identifier]]
person = {{ column = "child" }}
scheme = "nhs"
value = {{ column = "nhs" }}

[[person]]
id = {{ column = "child" }}
family_name = {{ column = "name" }}
"""
SCOPES = {"full": "", "window": "window_days = 60", "in_year_or_open": "", "delta": ""}
HEADER = "ref,child,nhs,name,from,to,home,change"
SEEDS = 40


def a_file(chance, scope, number):
    """What one extract holds: some records, some of them changed, ended or (delta) deleted."""
    lines = [HEADER]
    for ref in range(8):
        if chance.random() < 0.75:
            began = dt.date(2026, 1, 1) + dt.timedelta(days=ref * 7)
            ended = began + dt.timedelta(days=20) if chance.random() < 0.5 else ""
            change = "delete" if scope == "delta" and chance.random() < 0.15 else "new"
            cells = (f"r{ref}", f"c{ref % 4}", f"n{ref % 4}", f"Name{ref % 4}", began, ended)
            lines.append(",".join(map(str, (*cells, chance.choice("AB"), change))))
    return "\n".join([*lines, f"x{number},c9,n9,Nine,2026-02-01,,A,new"]) + "\n"


def a_week(chance):
    """For each day the files (name, text); the same week without what had come before."""
    storm = {day: [] for day in WEEK}
    single = {day: [] for day in WEEK}
    for scope in SCOPES:
        days = chance.sample(WEEK, 3)
        for number, first in enumerate(days):
            text = a_file(chance, scope, number)
            single[first].append((f"{scope}-{number}.csv", text))
            storm[first].append((f"{scope}-{number}.csv", text))
            later = [day for day in WEEK if day >= first]
            for again in range(chance.randrange(5)):
                storm[chance.choice(later)].append((f"{scope}-{number}-again{again}.csv", text))
    return storm, single


def workspace(folder, week, chance):
    """The week delivered, loaded every evening or only now and then."""
    made = Workspace.create(folder, "Test")
    for scope, more in SCOPES.items():
        (made.sources_dir / f"{scope}.toml").write_text(SOURCE.format(scope=scope, more=more))
    for day, files in week.items():
        landing = made.landing / day.isoformat()
        landing.mkdir()
        for name, text in chance.sample(files, len(files)):
            (landing / name).write_text(text)
        if (chance.random() < 0.6 or day == WEEK[-1]) and any(made.landing.glob("*/*")):
            for file in ingest(Workspace(made.root), landed=day).files:
                assert file.balanced
    return made


def said(made):
    """A hash of all that is said of contacts and people; nothing of how the files came."""
    store = HistoryStore(made.history)
    tables = [store.read(name) for name in ("contact", "person", "relationship")]
    digest = History.of(*tables).digest()
    drop = {"source_file", "source_line", "batch_id"}
    rows = [
        sorted(
            str({k: v for k, v in row.items() if k not in drop})
            for row in conform(store.read(name), schema).to_pylist()
        )
        for name, schema in (("contact", CONTACT), ("identifier", IDENTIFIER))
    ]
    return digest, hashlib.sha256(str(rows).encode()).hexdigest()


def storm_equals_single(folder, seed):
    storm, single = a_week(random.Random(seed))
    assert sum(map(len, storm.values())) > sum(map(len, single.values()))
    once = workspace(folder / "once", single, random.Random(seed + 1))
    often = workspace(folder / "often", storm, random.Random(seed + 2))
    assert said(often) == said(once), f"seed {seed}"
    return said(once)


@pytest.mark.parametrize("seed", range(6))
def test_a_storm_of_deliveries_leaves_the_history_of_single_delivery(tmp_path, seed):
    """Each file one to five times over a week, in every scope: equal but for coverage."""
    storm_equals_single(tmp_path, seed)


@pytest.mark.long
def test_forty_storms_leave_the_history_of_single_delivery(tmp_path):
    hashes = {storm_equals_single(tmp_path / str(seed), seed) for seed in range(SEEDS)}
    assert len(hashes) == SEEDS, "every week was another one"


def test_the_comparison_sees_a_single_changed_record(tmp_path):
    """Negative control: one cell of one file in the week, and the hashes differ."""
    _, single = a_week(random.Random(3))
    once = workspace(tmp_path / "once", single, random.Random(4))
    day = next(day for day in WEEK if single[day])
    name, text = single[day][0]
    single[day][0] = (name, text.replace("Nine", "Ten"))
    other = workspace(tmp_path / "other", single, random.Random(4))
    assert said(other) != said(once)


#: Ends a load by force before its k-th durable step, k = 1, 2, ... until one comes through, each
#: time in a process of its own, and loads again.
DRIVER = """
import os, signal, sys
from pathlib import Path
from riskflag.history.store.parquet_store import HistoryStore
from tests.functional import test_delivery_storm as storm

root, stride, steps = Path(sys.argv[1]), int(sys.argv[2]), 0

def counted(real, stop_at):
    def step(*args, **named):
        global steps
        steps += 1
        if steps == stop_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **named)
    return step

def load(made, stop_at):
    for owner, names in ((os, ("fsync", "replace")), (Path, ("replace", "mkdir", "unlink"))):
        for name in names:
            setattr(owner, name, counted(getattr(owner, name), stop_at))
    storm.ingest(storm.Workspace(made.root), landed=storm.WEEK[6])

def in_child(work):
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL

def again(made, whole):
    HistoryStore(made.history).verify()
    storm.ingest(storm.Workspace(made.root), landed=storm.WEEK[6])
    assert storm.said(made) == whole
    assert HistoryStore(made.history).verify() > 0

made = storm.two_days(root / "whole")
storm.ingest(storm.Workspace(made.root), landed=storm.WEEK[6])
whole, killed = storm.said(made), 0
while True:
    made = storm.two_days(root / f"killed{killed}")
    if not in_child(lambda: load(made, 1 + killed * stride)):
        break
    killed += 1
    again(made, whole)
print(killed)
"""


def two_days(folder):
    made = Workspace.create(folder, "Test")
    (made.sources_dir / "full.toml").write_text(SOURCE.format(scope="full", more=""))
    chance = random.Random(5)
    for day in WEEK[:2]:
        landing = made.landing / day.isoformat()
        landing.mkdir()
        broken = "bad,row\n" if day == WEEK[1] else ""
        (landing / "full.csv").write_text(a_file(chance, "full", 1) + broken)
    return made


@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.long)])
def test_a_load_ended_by_force_at_any_durable_step_is_made_good_by_the_next(tmp_path, stride):
    """SIGKILL before a sync, rename, new folder or removal; then the same history."""
    run = subprocess.run(
        [sys.executable, "-c", DRIVER, str(tmp_path), str(stride)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert int(run.stdout) * stride > 20, "the steps were found and killed at"
