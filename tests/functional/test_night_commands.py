"""The night's commands as an operator types them, on a workspace with a stored history."""

from __future__ import annotations

import json
import re

import pytest
import typer

from riskflag.casework import audit
from riskflag.casework.store import open_store
from riskflag.cli import explain, reproduce, score, verify
from riskflag.errors import ConfigError, InputError, IntegrityError, RiskflagError
from tests import night_world as world

FIRST = world.AS_OF.isoformat()


def stored(tmp_path, monkeypatch, *, with_bundle):
    """A workspace with two batches of history; the current folder is beside it."""
    workspace = world.workspace(tmp_path / "w", with_bundle=with_bundle)
    contacts = world.some_contacts()
    world.store_history(workspace, "one", contacts[:5])
    world.store_history(workspace, "two", contacts[5:])
    monkeypatch.chdir(tmp_path)
    return workspace


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A workspace without a model."""
    return stored(tmp_path, monkeypatch, with_bundle=False)


@pytest.fixture
def scored(tmp_path, monkeypatch):
    """A workspace with a model."""
    return stored(tmp_path, monkeypatch, with_bundle=True)


def riskflag(*words: str) -> int:
    """Run one command of the night; the exit code it ends with."""
    app = typer.Typer()
    for command in (score, explain, reproduce, verify):
        command.register(app)
    result = typer.main.get_command(app).main(
        [*words, "--workspace", "w"], prog_name="riskflag", standalone_mode=False
    )
    return result if isinstance(result, int) else 0


def current(place):
    return place.publications / (place.publications / "CURRENT").read_text().strip()


def test_a_night_tells_its_counts_the_worklist_and_what_to_do_next(scored, capsys):
    """From the stored history to pages, with a summary that leads on."""
    assert riskflag("score", "--as-of", FIRST) == 0
    told = capsys.readouterr().out
    assert "6 children assessed for 2026-03-10: 5 flags (5 new" in told
    assert "riskflag explain F-2026-000001 --workspace w" in told
    path = re.search(r"Read: (\S+worklist\.html)", told)[1]
    assert "F-2026-000001" in (scored.root.parent / path).read_text()
    for number in range(1, 6):
        assert (current(scored) / "flags" / f"F-2026-{number:06d}.html").is_file()
    assert (current(scored) / "manifest.json").is_file()


def test_the_same_night_twice_ends_with_code_3(place, capsys):
    """Nothing to do, and it says so."""
    riskflag("score", "--as-of", FIRST)
    assert riskflag("score", "--as-of", FIRST) == 3
    assert "nothing was changed" in capsys.readouterr().out


def test_a_night_without_pages_or_model_says_so(scored, capsys):
    """Both options do what they say."""
    assert riskflag("score", "--as-of", FIRST, "--no-pages", "--rules-only") == 0
    told = capsys.readouterr().out
    assert "No model was used" in told
    assert {path.name for path in current(scored).iterdir()} == {
        "flags.json",
        "manifest.json",
        "feeds.parquet",
        "links.parquet",
        "people.parquet",
        "records.parquet",
        "state.json",
    }


def test_pages_are_the_same_bytes_in_another_workspace(scored, tmp_path):
    """Law 3 to the last page, whether written with the flags or from the published ones."""
    riskflag("score", "--as-of", FIRST)
    from riskflag.nightly.run import run_night
    from riskflag.reports.publish import write_pages

    here = json.loads((current(scored) / "manifest.json").read_text())["files"]
    assert len(here) >= 9
    afterwards = lambda published, folder: write_pages(published, folder)  # noqa: E731
    for name, writer in (("other", write_pages), ("third", afterwards)):
        place = world.workspace(tmp_path / name)
        world.store_history(place, "one", world.some_contacts())
        result = run_night(place, world.AS_OF, write_pages=writer)
        assert here == result.manifest["files"]


def test_explain_writes_the_page_and_records_the_look_first(place, capsys):
    """Law 10: the look is in the chain before the page is there."""
    riskflag("score", "--as-of", FIRST)
    assert riskflag("explain", "F-2026-000001", "--out", "one.html") == 0
    assert (place.root.parent / "one.html").stat().st_mode & 0o077 == 0
    page = (place.root.parent / "one.html").read_text()
    assert "F-2026-000001" in page
    assert "<script src" not in page
    store = open_store(place)
    with store.reading() as session:
        assert audit.head(session).seq == 2
    store.close()


def test_a_look_that_cannot_be_recorded_is_not_shown(place, monkeypatch):
    """No audit entry, no page."""
    riskflag("score", "--as-of", FIRST)

    def fails(*arguments, **named):
        raise OSError("read-only")

    monkeypatch.setattr(audit, "record", fails)
    with pytest.raises(OSError, match="read-only"):
        riskflag("explain", "F-2026-000001", "--out", "one.html")
    assert not (place.root.parent / "one.html").exists()


def test_the_analyst_s_report_is_apart(scored):
    """Contributions are for analysts, in a file of their own."""
    riskflag("score", "--as-of", FIRST)
    assert riskflag("explain", "F-2026-000001", "--analyst", "--out", "shap.html") == 0
    assert "ed_attendances_90d" in (scored.root.parent / "shap.html").read_text()


def test_reproduce_compares_every_byte(place, capsys):
    """Also after more contacts have come and another night was published."""
    riskflag("score", "--as-of", FIRST)
    later = [world.contact("C-QUIET", "ed.attendance", days, known=-1) for days in (1, 2, 3)]
    world.store_history(place, "three", later)
    assert riskflag("reproduce", "F-2026-000001") == 0
    assert "the same, byte for byte" in capsys.readouterr().out


def test_later_contacts_do_not_make_another_night(place):
    """Known on or after the day: the night is still the one that was published."""
    riskflag("score", "--as-of", FIRST)
    later = [world.contact("C-QUIET", "ed.attendance", days, known=0) for days in (1, 2, 3)]
    world.store_history(place, "three", later)
    assert riskflag("score", "--as-of", FIRST) == 3
    assert riskflag("score", "--as-of", "2026-03-11") == 0


def test_verify_is_quiet_when_all_is_well_and_names_what_is_not(place, capsys):
    """Code 40 and the file, when one byte differs."""
    riskflag("score", "--as-of", FIRST)
    assert riskflag("verify") == 0
    assert "1 publications, 1 audit entries, 1 anchors" in capsys.readouterr().out
    page = current(place) / "flags" / "F-2026-000001.html"
    page.write_text(page.read_text() + " ")
    with pytest.raises(IntegrityError) as found:
        riskflag("verify")
    assert found.value.exit_code == 40
    assert "flags/F-2026-000001.html" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (("score", "--as-of", "10/03/2026"), ConfigError, "not a date"),
        (("score", "--as-of", "2010-01-01"), InputError, "No child is known"),
        (("explain", "F-2026-999999"), InputError, "no flag with this number"),
        (("reproduce", "../../etc"), InputError, "no flag with this number"),
    ],
)
def test_mistakes_are_one_plain_sentence(place, words, error, says):
    """With what to do next, and never a value from the data."""
    if words[0] != "score":
        riskflag("score", "--as-of", FIRST)
    with pytest.raises(RiskflagError, match=says) as told:
        riskflag(*words)
    assert isinstance(told.value, error)
    assert "\n" not in str(told.value)


def test_verify_reads_the_history_too(place, capsys):
    """A flipped byte in the stored history is found before a night builds on it."""
    riskflag("score", "--as-of", FIRST)
    stored = next((place.history / "contact").rglob("*.parquet"))
    data = bytearray(stored.read_bytes())
    data[len(data) // 2] ^= 1
    stored.write_bytes(bytes(data))
    with pytest.raises(IntegrityError):
        riskflag("verify")
    assert stored.name in capsys.readouterr().err
    with pytest.raises(IntegrityError):
        riskflag("score", "--as-of", "2026-03-11")


def test_commands_that_read_need_a_night_first(place):
    """A new workspace is told what comes first."""
    with pytest.raises(ConfigError, match="riskflag score"):
        riskflag("verify")


def test_a_paused_night_says_so_plainly(place, capsys):
    """What the operator reads at two in the morning: paused, and how many children wait for it."""
    from riskflag.casework import pause
    from riskflag.casework.users import User

    store = open_store(place)
    pause.pause(store, User("owner 1", "owner", "Board"), "One rule raises too much.")
    store.close()
    assert riskflag("score", "--as-of", FIRST) == 0
    told = capsys.readouterr().out
    assert "riskflag is PAUSED: no new flag was raised, and 4 children" in told
    assert "0 flags" in told
