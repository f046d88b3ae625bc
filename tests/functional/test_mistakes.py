"""What a user gets wrong: one plain sentence, the right exit code, and nothing half-written."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from riskflag.cli import run
from riskflag.workspace import Workspace
from tests import night_world as world

FIRST = world.AS_OF.isoformat()
LATER = "2026-03-17"
CANARY = "Zebedee-9434765919"

SOURCE = """name = "ed"
title = "Attendances"
agency = "ed"

[files]
pattern = "ed*.csv"
date_format = "%d/%m/%Y"

[delivery]
scope = "full"

[[contact]]
type = "ed.attendance"
record_id = ["id"]
subject = { column = "child" }
occurred = { column = "day" }

[contact.attributes]
category = { column = "code", map = "complaint" }

[maps.complaint]
"1" = "injury"
"""
GOOD = f"id,child,day,code\n1,{CANARY},03/02/2026,1\n2,{CANARY},04/02/2026,1\n"


@dataclass(frozen=True)
class Said:
    """What one command left behind: its exit code and the two streams."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A workspace with history, model and one published night; copied for every test."""
    place = world.workspace(tmp_path_factory.mktemp("made") / "w")
    world.store_history(place, "one", world.some_contacts())
    assert run(["score", "--as-of", FIRST, "--workspace", str(place.root)]) == 0
    return place


@pytest.fixture
def place(made, tmp_path, monkeypatch):
    """A private copy of the workspace; the current folder is beside it."""
    shutil.copytree(made.root, tmp_path / "w")
    monkeypatch.chdir(tmp_path)
    return Workspace(tmp_path / "w")


@pytest.fixture
def loading(tmp_path, monkeypatch):
    """A workspace with one source and a good file, nothing loaded yet."""
    new = Workspace.create(tmp_path / "w", "Test Borough")
    (new.sources_dir / "ed.toml").write_text(SOURCE)
    (new.landing / "2026-02-10").mkdir()
    deliver(new, GOOD)
    monkeypatch.chdir(tmp_path)
    return new


@pytest.fixture
def riskflag(capfd):
    """Run one command in workspace w and return what it left behind."""

    def command(*words: str) -> Said:
        capfd.readouterr()
        code = run([*words, "--workspace", "w"])
        return Said(code, *capfd.readouterr())

    return command


def deliver(place: Workspace, content: str | bytes, name: str = "ed_1.csv") -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    (place.landing / "2026-02-10" / name).write_bytes(raw)


def tree(folder: Path) -> dict[str, str]:
    """Every file of a folder with its hash; the lock file and interpreter caches are no content."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != ".lock"]
    found = {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in files
        if "__pycache__" not in p.parts
    }
    assert found, "an empty folder would always look unchanged"
    return found


def refused(said: Said, code: int, *words: str) -> None:
    """The mistake got one plain sentence that holds `words`, no traceback, no value, and `code`."""
    print(said.err, said.code)
    assert said.code == code, said.err
    assert said.err.startswith("riskflag: "), said.err
    assert said.err.rstrip().endswith((".", "?", ".)")), said.err
    assert said.err.count("\n") == 1, said.err
    for never in ("Traceback", "defect in riskflag", CANARY, "Zebedee"):
        assert never not in said.err + said.out
    for word in words:
        assert re.search(word, said.err), f"{word!r} is not in {said.err!r}"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path.name} does not hold {old!r}"
    path.write_text(text.replace(old, new, 1))


def flip(path: Path, place: int | None = None) -> None:
    """Turn one bit in the middle of a file."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 if place is None else place] ^= 1
    path.chmod(0o600)
    path.write_bytes(bytes(raw))


# -- declarations ------------------------------------------------------------------------------

CONFIG = [
    ("wrong type", "capacity_per_week = 15", 'capacity_per_week = "many"', ["line 3"]),
    ("below the least", "capacity_per_week = 15", "capacity_per_week = 0", ["line 3"]),
    ("unknown key", "capacity_per_week", "capacity_per_month", ["line 3", "capacity_per_month"]),
    ("broken TOML", 'authority = "', 'authority = "" "', ["line 1"]),
    ("no authority", 'authority = "Test Borough"\n', "", ["authority"]),
]


@pytest.mark.parametrize(
    ("old", "new", "words"), [c[1:] for c in CONFIG], ids=[c[0] for c in CONFIG]
)
@pytest.mark.parametrize("command", ["ingest", "score", "verify", "signals", "rules", "compare"])
def test_a_wrong_workspace_config_names_file_and_line(place, riskflag, command, old, new, words):
    """riskflag.toml is checked before anything is done, by every command."""
    edit(place.config_path, old, new)
    before = tree(place.root)
    refused(riskflag(command), 40, r"riskflag\.toml", *words)
    assert tree(place.root) == before


@pytest.mark.parametrize(
    "words",
    [
        ["ingest"],
        ["score"],
        ["verify"],
        ["explain", "F-2026-000001"],
        ["reproduce", "F-2026-000001"],
        ["train", "borough"],
        ["promote"],
        ["compare"],
        ["sources"],
        ["signals"],
        ["rules"],
    ],
    ids=lambda words: words[0],
)
def test_no_workspace_says_how_to_make_one(tmp_path, monkeypatch, riskflag, words):
    """Every command that needs a workspace names the missing file and the next step."""
    (tmp_path / "w").mkdir()
    monkeypatch.chdir(tmp_path)
    refused(riskflag(*words), 40, "not a workspace", "riskflag init")
    assert list((tmp_path / "w").iterdir()) == []


SOURCES = [
    ("unknown contact type", '"ed.attendance"', '"ed.atendance"', ["line 13"]),
    ("unknown attribute", "category = ", "kategory = ", ["line 18", "kategory"]),
    ("unknown attribute value", '= "injury"', '= "injuries"', ["line 19", "injury"]),
    ("missing key", 'agency = "ed"\n', "", ["agency"]),
    ("missing map", 'map = "complaint"', 'map = "complaints"', ["line 19"]),
    ("unknown scope", '"full"', '"everything"', ["line 10"]),
    ("unknown key", "[delivery]", "[delivery]\nfreshdays = 2", ["line 10|line 11", "freshdays"]),
    ("broken TOML", "[files]", "[files", ["line 5"]),
    ("unknown date word", "%d/%m/%Y", "%d/%m/%Q", ["line 7"]),
    ("unknown agency", 'agency = "ed"', 'agency = "edd"', ["line 3"]),
    ("unknown encoding", "[files]", '[files]\nencoding = "klingon"', ["line 6"]),
]


@pytest.mark.parametrize(
    ("old", "new", "words"), [c[1:] for c in SOURCES], ids=[c[0] for c in SOURCES]
)
def test_a_wrong_source_names_file_and_line(loading, riskflag, old, new, words):
    """A source with a mistake stops the load before a row is read."""
    edit(loading.sources_dir / "ed.toml", old, new)
    before = tree(loading.root)
    for command in (["ingest"], ["ingest", "--dry-run"], ["sources"]):
        refused(riskflag(*command), 40, r"ed\.toml", *words)
    assert tree(loading.root) == before


def test_two_sources_that_take_the_same_file_are_told(loading, riskflag):
    """A file is one source's; the sentence names both or the file."""
    (loading.sources_dir / "ed2.toml").write_text(SOURCE.replace('name = "ed"', 'name = "ed2"'))
    before = tree(loading.root)
    refused(riskflag("ingest"), 40, "ed2?")
    assert tree(loading.root) == before


def test_no_source_at_all_is_told(loading, riskflag):
    """Files without a source that takes them are not loaded and not passed over in silence."""
    (loading.sources_dir / "ed.toml").unlink()
    refused(riskflag("ingest"), 40, "source")
    assert not loading.history.exists()


def test_an_unknown_shipped_source_leaves_no_workspace_behind(tmp_path, monkeypatch, capfd):
    """`init` with a wrong source can simply be typed again."""
    monkeypatch.chdir(tmp_path)
    code = run(["init", "w", "--source", "ssdd"])
    refused(Said(code, *capfd.readouterr()), 40, "ssdd", "riskflag sources")
    assert not (tmp_path / "w").exists()
    assert run(["init", "w", "--source", "ssd"]) == 0


def test_a_second_init_keeps_the_first(loading, capfd):
    """An existing workspace is never made anew."""
    before = tree(loading.root)
    code = run(["init", "w"])
    refused(Said(code, *capfd.readouterr()), 40, "already a workspace")
    assert tree(loading.root) == before


RULES = [
    ("unknown level", 'level = "urgent"', 'level = "red"', []),
    ("unknown signal", '"ed_attendances_90d"', '"ed_attendances_91d"', ["ed_attendances_91d"]),
    ("missing key", 'source = "Tests"\n', "", ["source"]),
    ("broken TOML", "[[rule]]", "[[rule", ["line"]),
    ("unknown key", "version = 1\nstate", "version = 1\ncolour = 1\nstate", ["colour"]),
    ("no number", "at_least = 3", 'at_least = "three"', []),
    ("twice the same id", 'id = "repeat_missing"', 'id = "repeat_ed"', ["repeat_ed"]),
    ("unknown placeholder", "{value:ed_attendances_90d}", "{value:nothing}", ["nothing"]),
]


@pytest.mark.parametrize(("old", "new", "words"), [c[1:] for c in RULES], ids=[c[0] for c in RULES])
def test_a_wrong_rulebook_is_refused_whole(place, riskflag, old, new, words):
    """The night does not run on half a rulebook."""
    path = place.root / "features" / "rulebook.toml"
    if "version = 1\nstate" in old:
        old, new = "statement =", "colour = 1\nstatement ="
    edit(path, old, new)
    before = tree(place.root)
    for command in (["score", "--as-of", LATER], ["rules"]):
        refused(riskflag(*command), 40, r"rulebook\.toml", r"line \d+", *words)
    assert tree(place.root) == before


SIGNALS = [
    ("syntax error", "SIGNALS = (", "SIGNALS = ((", ["line"]),
    ("import that fails", "SIGNALS = (", "import nosuchmodule\nSIGNALS = (", ["line 5"]),
    ("name that is not there", "ALIKE = {", "ALIKE = {**NOTHING, ", []),
    ("unknown contact type", '"missing.episode"', '"missing.epsode"', []),
    ("duplicate name", '"bullying_365d"', '"missing_episodes_365d"', ["missing_episodes_365d"]),
    ("unknown attribute value", 'seen_alone="yes"', 'seen_alone="maybe"', []),
    ("no SIGNALS", "SIGNALS = (", "SIGNAL = (", ["SIGNALS"]),
    ("no question", '"How many emergency attendances in the last 90 days?"', '""', ["question"]),
    ("days below one", 'contacts("ed.attendance"), 90', 'contacts("ed.attendance"), 0', []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "words"), [c[1:] for c in SIGNALS], ids=[c[0] for c in SIGNALS]
)
def test_a_wrong_signal_file_is_named(place, riskflag, old, new, words):
    """A mistake in features/*.py is the analyst's to put right: the file is named, no traceback."""
    edit(place.root / "features" / "signals.py", old, new)
    before = tree(place.root)
    for command in (["score", "--as-of", LATER], ["signals"]):
        refused(riskflag(*command), 40, r"signals\.py", *words)
    assert tree(place.root) == before


def test_a_features_folder_that_is_not_there_is_named(place, riskflag):
    """A wrong features_dir does not silently fall back to the shipped signals."""
    shutil.rmtree(place.root / "features")
    before = tree(place.root)
    refused(riskflag("score", "--as-of", LATER), 40, "features")
    assert tree(place.root) == before


def test_a_missing_or_wrong_experiment_is_named(place, riskflag):
    """Training says which experiment it could not find or read."""
    before = tree(place.root)
    refused(riskflag("train", "boroughh"), 40, "borough")
    refused(riskflag("train", "borough", "--truth", "nowhere"), 40, "--truth")
    assert tree(place.root) == before
    folder = place.root.parent / "mine"
    folder.mkdir()
    (folder / "config.toml").write_text('question = "?"\n[outcome]\nhorizon = 180\n')
    refused(riskflag("train", str(folder)), 40, r"config\.toml", "line 3")
    (folder / "config.toml").write_text("question = \n")
    refused(riskflag("train", str(folder)), 40, r"config\.toml", "line 1")
    assert tree(place.root) == before


def test_training_on_too_little_history_is_told(place, riskflag):
    """Six children are no training set, and the sentence says so."""
    said = riskflag("train", "borough")
    refused(said, said.code if said.code in (30, 40) else 40)
    refused(riskflag("promote"), 40, "riskflag train|no run|No run")


# -- files -------------------------------------------------------------------------------------


def test_an_empty_landing_folder_is_told(loading, riskflag):
    """Nothing to load is not a success."""
    shutil.rmtree(loading.landing)
    loading.landing.mkdir()
    before = tree(loading.root)
    refused(riskflag("ingest"), 30, "landing")
    assert tree(loading.root) == before


BAD_FILES = [
    ("missing column", GOOD.replace("day", "date").encode(), "day"),
    (
        "duplicated header",
        GOOD.replace("id,child", "child,child").encode(),
        "two columns of one name",
    ),
    ("utf-16", GOOD.encode("utf-16"), "utf-8|encoding"),
    ("cp1252", GOOD.replace("Zebedee", "Zébédee").encode("cp1252"), "utf-8|encoding"),
    ("no rows", b"id,child,day,code\n", "no row|without rows|empty"),
    ("no bytes", b"", "empty|no header|header"),
    ("not a table", b"\x89PNG\r\n\x1a\n\x00\x00", ""),
]


@pytest.mark.parametrize(
    ("content", "word"), [c[1:] for c in BAD_FILES], ids=[c[0] for c in BAD_FILES]
)
def test_a_file_that_cannot_be_read_as_declared_is_held(loading, riskflag, content, word):
    """The report names file and column; the history gets no row of it; the code is 30."""
    deliver(loading, content)
    said = riskflag("ingest")
    refused(said, 30)
    print(said.out)
    told = " ".join(said.out.split())
    assert "ed_1.csv" in told
    assert "Held" in told
    assert re.search(word, told), told
    contacts = loading.history / "contact"
    assert not contacts.exists() or not list(contacts.rglob("*.parquet"))


def test_all_rows_bad_ends_with_a_sentence_and_a_quarantine(loading, riskflag):
    """A file whose every row is refused is not a success either."""
    deliver(loading, GOOD.replace("03/02/2026", "2026-02-03").replace("04/02/2026", "later"))
    said = riskflag("ingest")
    refused(said, 30)
    print(said.out)
    assert "bad_date 2" in " ".join(said.out.split())


def test_a_dry_run_writes_nothing_whatever_it_finds(loading, riskflag):
    """Good, bad and unreadable files: the workspace stays as it was."""
    deliver(loading, GOOD.replace("04/02", "44/02"), "ed_2.csv")
    deliver(loading, b"\xff\xfe\x00", "ed_3.csv")
    before = tree(loading.root)
    assert riskflag("ingest", "--dry-run").code == 0
    assert tree(loading.root) == before


# -- days and flags ----------------------------------------------------------------------------


@pytest.mark.parametrize("day", ["01/04/2026", "2026-02-30", "tomorrow", "", CANARY])
def test_a_wrong_day_is_refused(place, riskflag, day):
    """The sentence says how a day is written and never repeats what was typed."""
    before = tree(place.root)
    refused(riskflag("score", "--as-of", day), 40, "year-month-day")
    refused(riskflag("ingest", "--landed", day or "x"), 40, "year-month-day")
    assert tree(place.root) == before


def test_a_day_before_the_current_publication_is_refused(place, riskflag):
    """Readers never go back to an older night."""
    before = tree(place.root)
    refused(riskflag("score", "--as-of", "2026-03-01"), 40, "2026-03-10")
    assert tree(place.root) == before


def test_a_day_before_all_records_has_nothing_to_score(loading, riskflag):
    """No child known is not an empty list of flags."""
    assert riskflag("ingest").code == 0
    before = {k: v for k, v in tree(loading.root).items() if not k.startswith("store")}
    refused(riskflag("score", "--as-of", "1999-01-01"), 30)
    after = {k: v for k, v in tree(loading.root).items() if not k.startswith("store")}
    assert after == before


def test_scoring_an_empty_history_is_told(tmp_path, monkeypatch, riskflag):
    """A fresh workspace has nothing to score yet."""
    Workspace.create(tmp_path / "w", "Test")
    monkeypatch.chdir(tmp_path)
    refused(riskflag("score", "--as-of", FIRST), 30, "ingest")


@pytest.mark.parametrize("command", ["explain", "reproduce"])
@pytest.mark.parametrize("flag", ["F-2026-999999", "nonsense", "../../etc/passwd"])
def test_an_unknown_flag_is_told(place, riskflag, command, flag):
    """No page is written for a flag that is not there."""
    before = tree(place.root.parent)
    said = riskflag(command, flag)
    refused(said, said.code if said.code in (30, 40) else 40)
    assert tree(place.root.parent) == before


def test_a_page_is_not_written_where_it_cannot_be(place, riskflag):
    """`--out` into a folder that is not there."""
    refused(riskflag("explain", "F-2026-000001", "--out", "nowhere/flag.html"), 50, "nowhere")


# -- damage ------------------------------------------------------------------------------------


def bundle_file(place: Workspace, name: str) -> Path:
    found = [p for p in place.bundles.rglob(name) if p.is_file()]
    assert found, f"the bundle has no {name}"
    return found[0]


def cut(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def unlink(path: Path) -> None:
    path.unlink()


def put_beside(path: Path) -> None:
    (path.parent / "extra.py").write_text("raise SystemExit\n")


DAMAGE = [
    ("model cut short", "model.txt", cut),
    ("model altered", "model.txt", flip),
    ("model gone", "model.txt", unlink),
    ("manifest cut short", "manifest.json", cut),
    ("manifest gone", "manifest.json", unlink),
    ("a file too many", "model.txt", put_beside),
]


@pytest.mark.parametrize(("name", "harm"), [d[1:] for d in DAMAGE], ids=[d[0] for d in DAMAGE])
def test_a_damaged_bundle_stops_the_night(
    place, riskflag, name: str, harm: Callable[[Path], None]
) -> None:
    """The model is read only when every byte of its folder is as promoted."""
    harm(bundle_file(place, name))
    before = tree(place.root)
    refused(riskflag("score", "--as-of", LATER), 40, "bundle")
    assert tree(place.root) == before
    assert riskflag("score", "--as-of", LATER, "--rules-only").code == 0


@pytest.mark.parametrize("name", ["flags.json", "manifest.json", "state.json", "worklist.html"])
@pytest.mark.parametrize("harm", [flip, cut, unlink])
def test_a_tampered_publication_is_found(place, riskflag, name, harm):
    """`verify` names the file; the flag is not explained or made again from an altered one."""
    folder = place.publications / (place.publications / "CURRENT").read_text().strip()
    harm(folder / name)
    said = riskflag("verify")
    assert said.code == 40
    assert Path(name).name in said.err
    assert "Traceback" not in said.err
    assert "defect" not in said.err
    if name in {"flags.json", "state.json", "manifest.json"}:
        refused(riskflag("reproduce", "F-2026-000001"), 40)
    if name == "flags.json":
        refused(riskflag("explain", "F-2026-000001"), 40)
        assert not Path("F-2026-000001.html").exists()


def test_a_publication_that_names_no_folder_is_found(place, riskflag):
    """CURRENT is a note for people; damage there does not go unnoticed."""
    (place.publications / "CURRENT").write_text("2099-01-01-000000000000\n")
    said = riskflag("verify")
    assert said.code == 40
    assert "CURRENT" in said.err


@pytest.mark.parametrize("kind", ["contact", "person", "relationship"])
@pytest.mark.parametrize("harm", [flip, cut, unlink])
def test_a_damaged_history_stops_the_night(place, riskflag, kind, harm):
    """Not one record less or other is scored in silence."""
    files = sorted((place.history / kind).rglob("*.parquet"))
    assert files
    harm(files[0])
    before = tree(place.root)
    said = riskflag("score", "--as-of", LATER)
    refused(said, said.code if said.code in (40, 50) else 40, "histor|parquet")
    assert tree(place.root) == before
    assert riskflag("verify").code == 40


def test_a_damaged_ledger_of_the_history_stops_the_night(place, riskflag):
    """The list of complete batches is guarded like the batches."""
    ledger = place.history / "batches.jsonl"
    ledger.write_text(ledger.read_text()[:40] + "\n")
    before = tree(place.root)
    refused(riskflag("score", "--as-of", LATER), 40, "batches")
    assert tree(place.root) == before


def test_a_newer_store_is_left_alone(place, riskflag):
    """An older riskflag does not touch a newer database."""
    import sqlite3

    with sqlite3.connect(place.root / "store.db") as store:
        store.execute("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    before = tree(place.root)
    refused(riskflag("score", "--as-of", LATER), 40, "newer")
    assert tree(place.root) == before


def test_a_store_that_is_no_database_is_told(place, riskflag):
    """A damaged store stops the night with a sentence."""
    cut(place.root / "store.db")
    flip(place.root / "store.db", 3)
    before = tree(place.root)
    for words in (["score", "--as-of", LATER], ["explain", "F-2026-000001"]):
        said = riskflag(*words)
        refused(said, said.code if said.code in (40, 50) else 40, "store|database")
    said = riskflag("verify")
    assert said.code in (40, 50)
    assert "defect" not in said.err
    assert tree(place.root) == before


def test_a_store_without_its_key_is_told(place, riskflag):
    """The key belongs to the audit chain."""
    (place.root / "store.key").unlink()
    before = tree(place.root)
    refused(riskflag("score", "--as-of", LATER), 40, "store.key")
    assert tree(place.root) == before


# -- the host ----------------------------------------------------------------------------------


def test_a_locked_workspace_is_told(place, riskflag):
    """Two runs do not work in one workspace."""
    before = tree(place.root)
    with place.lock():
        refused(riskflag("score", "--as-of", LATER), 60, "Another run")
        refused(riskflag("ingest"), 60, "Another run")
        refused(riskflag("promote"), 60, "Another run")
    assert tree(place.root) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_workspace_is_told(place, riskflag):
    """Permissions are said in words."""
    place.root.chmod(0o500)
    try:
        refused(riskflag("score", "--as-of", LATER), 50, "permission")
    finally:
        place.root.chmod(0o700)


def test_a_publications_folder_that_is_a_file_is_told(place, riskflag):
    """Whatever the disk refuses is code 50 and a sentence; works for root too."""
    shutil.rmtree(place.publications)
    place.publications.write_text("")
    said = riskflag("score", "--as-of", LATER)
    refused(said, 50, "publication")


def test_a_workspace_where_a_file_is_expected_is_told(tmp_path, monkeypatch, riskflag, capfd):
    """A file named as workspace, and a workspace to be made where a file is."""
    (tmp_path / "w").write_text("")
    monkeypatch.chdir(tmp_path)
    refused(riskflag("score"), 40, "not a workspace")
    code = run(["init", "w"])
    said = Said(code, *capfd.readouterr())
    refused(said, 50, "not a directory")


# -- usage -------------------------------------------------------------------------------------

USAGE = [
    ["scor"],
    ["--nothing"],
    ["score", "--nothing"],
    ["score", "extra"],
    ["score", "--as-of"],
    ["explain"],
    ["reproduce"],
    ["train"],
    ["synth"],
    ["synth", "--out", "x", "--children", "many"],
    ["demo", "--children", "3"],
    ["signals", "no_such_signal"],
    ["signals", "--theme", "weather"],
    ["rules", "no_such_rule"],
    ["rules", "--rulebook", "nowhere.toml"],
    ["sources", "--add", "ssd"],
    ["synth", "--out", "x", "--children", "-5"],
    ["synth", "--out", "x", "--children", "10", "--years", "0"],
    ["synth", "--out", "x", "--children", "10", "--until", "soon"],
]


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_a_usage_mistake_is_one_sentence(tmp_path, monkeypatch, capfd, words):
    """Unknown commands, options and values end with code 40 and leave nothing behind."""
    monkeypatch.chdir(tmp_path)
    code = run(words)
    refused(Said(code, *capfd.readouterr()), 40)
    assert list(tmp_path.iterdir()) == []
