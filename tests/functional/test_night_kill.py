"""A night ended by force at each durable step: readers see a whole publication, nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

#: Ends the night at its k-th durable step, for k = 1, 2, ... until a night comes through, each
#: time in a process of its own on a copy of the same workspace, then runs it again.
DRIVER = r"""
import json, os, shutil, signal, sys
from pathlib import Path

from riskflag.signals.build import compute
from riskflag.casework import publishing
from riskflag.casework.reviews import reviews_of
from riskflag.casework.store import open_store
from riskflag.nightly import folder, run, steps
from riskflag.nightly.verify import verify
from riskflag.workspace import Workspace
from tests import night_world as world
from tests.functional.test_night_kill import memory_load

root, second = Path(sys.argv[1]), world.AS_OF + world.dt.timedelta(days=7)
run.load = memory_load
# Compiled once, before the forks.
compute(world.some_history(), ["C-ED"], as_of=second)


def in_child(work):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        try:
            os.write(writer, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(pid, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return killed, json.loads(told) if told else None


def pages(published, target):
    (target / "pages").mkdir()
    for flag in published.flags:
        (target / "pages" / f"{flag['flag_id']}.html").write_text(flag["level"])


def whole_run(place, stop_at=None):
    def work():
        seen = []

        def reached(step):
            seen.append(step)
            if len(seen) == stop_at:
                os.kill(os.getpid(), signal.SIGKILL)

        steps.reached = reached
        result = run.run_night(Workspace.open(place), second, write_pages=pages)
        return {"code": result.exit_code, "steps": seen, "folder": result.folder.name}

    return in_child(work)


def seen_by_readers(place):
    def work():
        workspace = Workspace.open(place)
        store = open_store(workspace)
        current = publishing.current(store)
        reviews = [r.decision for r in reviews_of(store, "F-2026-000001")]
        flags = publishing.state(store, second + world.dt.timedelta(days=1)).open_flags
        store.close()
        where = workspace.publications / current.folder
        return {
            "as_of": current.as_of.isoformat(),
            "faults": folder.faults(where, current.manifest_hash),
            "content": current.content_hash,
            "manifest": current.manifest_hash,
            "reviews": reviews,
            "open": sorted(flag.flag_id for flag in flags),
            "verify": list(verify(workspace).faults),
        }

    return in_child(work)[1]


def start():
    from riskflag.casework.reviews import NewReview, record_review

    workspace = world.workspace(root / "start", with_bundle=False)
    run.run_night(workspace, world.AS_OF, write_pages=pages)
    store = open_store(workspace)
    opened = world.dt.datetime(2026, 3, 10, 9, 0, tzinfo=world.dt.UTC)
    record_review(
        store, NewReview("F-2026-000001", "w", "worker", "nothing_further", "Seen.", "no", opened)
    )
    store.close()


in_child(start)
shutil.copytree(root / "start", root / "plain")
_, plain = whole_run(root / "plain")
told = {"plain": plain, "expected": seen_by_readers(root / "plain"), "kills": []}
for stop_at in range(1, len(plain["steps"]) + 1):
    place = root / f"kill-{stop_at}"
    shutil.copytree(root / "start", place)
    killed, _ = whole_run(place, stop_at)
    between = seen_by_readers(place)
    _, again = whole_run(place)
    left = [p.name for p in (place / "publications").iterdir() if p.name.startswith(".")]
    told["kills"].append({
        "step": plain["steps"][stop_at - 1], "killed": killed, "between": between,
        "again": again, "after": seen_by_readers(place), "left": left,
    })
    shutil.rmtree(place)
print(json.dumps(told))
"""


def memory_load(workspace, as_of, *, rules_only=False, how=None, progress=None):
    """The night's inputs with a history in memory."""
    from riskflag.nightly.inputs import Inputs
    from riskflag.scoring.rulebook import Rulebook
    from riskflag.signals.catalogue import load_catalogue
    from tests import night_world as world

    catalogue = load_catalogue(workspace.features_dir)
    rulebook = Rulebook.load(catalogue.rulebook_path, catalogue)
    extra = [world.contact("C-QUIET", "missing.episode", days, known=1) for days in (3, 4, 5)]
    history = world.some_history(extra)
    return Inputs(as_of, history, catalogue, rulebook, None, workspace.config)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the driver saw."""
    root = tmp_path_factory.mktemp("kill")
    run = subprocess.run(
        [sys.executable, "-c", DRIVER, str(root)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout.splitlines()[-1])


def test_there_are_steps_and_each_was_ended_by_force(told):
    """The loop met files, folders, the store's transaction, the anchor and the pointer."""
    assert all(kill["killed"] for kill in told["kills"])
    steps = {kill["step"] for kill in told["kills"]}
    assert len(told["kills"]) >= 14
    assert {"folder: renamed", "store: flags", "store: committed", "anchor"} <= steps


def test_readers_see_one_whole_publication_in_between(told):
    """Yesterday's or today's, every file as its manifest says, never a mixture."""
    for kill in told["kills"]:
        between = kill["between"]
        assert between["faults"] == [], kill["step"]
        today = between["content"] == told["expected"]["content"]
        assert today == (between["as_of"] == told["expected"]["as_of"])
        committed = told["plain"]["steps"].index("store: committed")
        assert today == (told["plain"]["steps"].index(kill["step"]) >= committed)


def test_running_again_gives_what_an_undisturbed_night_gives(told):
    """The same flags and manifest; exit 0 before the commit, 3 after it; no leftovers."""
    assert told["plain"]["code"] == 0
    for kill in told["kills"]:
        committed = kill["between"]["content"] == told["expected"]["content"]
        assert kill["again"]["code"] == (3 if committed else 0), kill["step"]
        assert kill["after"] == told["expected"], kill["step"]
        assert kill["left"] == [], kill["step"]


def test_no_decision_is_lost_and_no_flag_is_doubled(told):
    """The review made before is there after every kill and every further run."""
    assert told["expected"]["reviews"] == ["nothing_further"]
    assert len(told["expected"]["open"]) == len(set(told["expected"]["open"])) > 0
    for kill in told["kills"]:
        assert kill["between"]["reviews"] == ["nothing_further"]
        assert kill["after"]["open"] == told["expected"]["open"]


def test_the_audit_chain_and_all_hashes_hold_after_every_second_run(told):
    """`riskflag verify` finds nothing."""
    assert told["expected"]["verify"] == []
    assert all(kill["after"]["verify"] == [] for kill in told["kills"])
