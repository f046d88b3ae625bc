"""A back-test: what a changed rulebook would have done, without hindsight and without anybody."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riskflag.cli import run
from riskflag.errors import ConfigError, InputError
from riskflag.history.schema import CONTACT, COVERAGE, PERSON, RELATIONSHIP, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.nightly import backtest_outcomes
from riskflag.nightly.backtest import NEW, OLD, Asked, back_test, changes, nights, replay
from riskflag.nightly.backtest_outcomes import Course, groups
from riskflag.nightly.lookback_replay import replay as replay_one
from riskflag.reports.backtest import FEWER, backtest_page, document, sentences
from riskflag.reports.documents import as_markdown
from riskflag.scoring.rulebook import Rulebook
from riskflag.signals import load_catalogue
from riskflag.training.data.experiment import OutcomeConfig
from riskflag.workspace import Workspace
from tests import night_world as world
from tests.functional.browser import browser, opened
from tests.functional.test_pages_in_browser import violations

LAST = world.AS_OF
#: Two attendances are enough, and a home's notices no longer bring a child.
CHANGED = tuple(
    (*rule[:-1], rule[-1].replace("at_least = 3", "at_least = 2"))
    if rule[0] == "repeat_ed"
    else rule
    for rule in world.RULES
    if rule[0] != "home_notices"
)
OUTCOME = OutcomeConfig(types=("care.s47",), horizon_days=60, not_while=())


def later(row: dict[str, Any], days: int) -> dict[str, Any]:
    return {**row, "known_on": LAST + dt.timedelta(days=days)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Six children with a pattern each; C-ED and C-MODEL come to harm four days ago."""
    root = tmp_path_factory.mktemp("backtest")
    made = world.workspace(root / "w", with_bundle=False)
    world.write_features(root / "changed", CHANGED)
    rows = [*world.some_contacts(), world.contact("C-ED", "care.s47", 4)]
    rows += [world.contact("C-MODEL", "care.s47", 4)]
    tables = {
        "contact": conform(world._table(rows), CONTACT),
        "person": conform(world._table(world.some_people()), PERSON),
        "relationship": conform(world._table([world.mother("C-HOME", "ADULT")]), RELATIONSHIP),
        "coverage": conform(None, COVERAGE),
    }
    HistoryStore(made.history).append_batch("b0", LAST.isoformat(), tables)
    return made


def changed(place: Workspace) -> Path:
    return place.root.parent / "changed" / "rulebook.toml"


@pytest.fixture(scope="module")
def told(place: Workspace) -> dict[str, Any]:
    return back_test(place, Asked(changed(place), nights=70, last=LAST, outcome=OUTCOME))


def bytes_of(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_the_counts_are_those_of_the_drawn_children(told: dict[str, Any]) -> None:
    """C-MODEL is gained, C-HOME lost, C-ED comes earlier, and one more outcome is reached."""
    found = told["children"]
    assert (found[OLD], found[NEW], found["both"]) == (4, 4, 3)
    assert (found["gained"], found["lost"], found["later"]) == (1, 1, 0)
    # Third attendance known 4 days ago, second 29: old from 3 days ago, new from 28.
    assert (found["earlier"], found["earlier_days"]) == (1, 25.0)
    assert told["gained_by"] == [{"rule": "repeat_ed", "title": "Rule repeat_ed", "children": 1}]
    assert [row["rule"] for row in told["lost_by"]] == ["home_notices"]
    assert {row["rule"]: row["change"] for row in told["rules"]} == {
        "repeat_ed": "changed",
        "home_notices": "gone",
    }
    asked = {row["rule"]: (row[OLD], row[NEW]) for row in told["rules"]}
    assert [words[-13:] for words in asked["repeat_ed"]] == ["is at least 3", "is at least 2"]
    assert asked["home_notices"][0]
    assert asked["home_notices"][1] == ""
    came = told["outcomes"]
    assert (came["children"], came[OLD], came[NEW]) == (2, 0, 2)
    assert (came["only_new"], came["only_old"]) == (2, 0)
    assert came["groups"], "told by group, but of two children no number"
    assert {row[key] for row in came["groups"] for key in ("children", OLD)} <= {0, None}
    assert told["nights"] == 70
    assert sum(week["nights"] for week in told["weeks"]) == 70
    assert sum(week["first_new"] for week in told["weeks"]) == found[NEW]


def test_each_night_is_the_one_a_look_back_tells(place: Workspace) -> None:
    """Every child on every night: the same rules say yes as in the replay of that one child."""
    history = HistoryStore(place.history).load()
    catalogue = load_catalogue(place.features_dir, place.vocabulary)
    books = {
        OLD: Rulebook.load(catalogue.rulebook_path, catalogue),
        NEW: Rulebook.load(changed(place), catalogue),
    }
    days = nights(history, Asked(changed(place), nights=70, last=LAST))
    ids, sides = replay(history, books, days, catalogue=catalogue, from_level="soon")
    compared = 0
    for key, book in books.items():
        brings = [n for n, rule in enumerate(book.rules) if rule.level != "routine"]
        for person in [one["person_id"] for one in world.some_people()]:
            alone = replay_one(
                history, person, days, catalogue=catalogue, rulebook=book, bundle=None
            )
            said = np.any([alone.fired(rule) for rule in brings], axis=0)
            assert said.tolist() == sides[key].on[ids.index(person)].tolist(), (key, person)
            compared += int(said.sum())
    assert compared > 50


def test_what_became_known_later_moves_no_earlier_night(
    place: Workspace, tmp_path: Path, told: dict[str, Any]
) -> None:
    """More attendances of a quiet child, landed after the last night, change nothing at all."""
    import shutil

    root = tmp_path / "again"
    shutil.copytree(place.root, root)
    again = Workspace.open(root)
    late = [later(world.contact("C-QUIET", "ed.attendance", d, agency="ed"), 3) for d in (5, 6, 7)]
    part = {"contact": conform(world._table(late), CONTACT)}
    HistoryStore(again.history).append_batch("b1", (LAST + dt.timedelta(days=3)).isoformat(), part)
    asked = Asked(changed(place), nights=70, last=LAST, outcome=OUTCOME)
    assert back_test(again, asked) == told
    seen = back_test(again, Asked(changed(place), nights=70, last=LAST + dt.timedelta(days=9)))
    assert seen["children"] != told["children"], "the negative control: known, it counts"


def test_the_command_prints_and_writes_counts_and_changes_nothing(
    place: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Page, data and sentences; no child is named anywhere and the workspace is as it was."""
    folder = place.root / "experiments" / "mine"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(
        'question = "Harm?"\n[outcome]\ntypes = ["care.s47"]\nhorizon_days = 60\n'
    )
    before = bytes_of(place.root)
    words = ["backtest", str(changed(place)), "--nights", "70", "--to", LAST.isoformat()]
    more = ["--experiment", "mine", "--out", str(tmp_path / "out"), "--workspace", str(place.root)]
    assert run([*words, *more]) == 0
    assert bytes_of(place.root) == before
    said = capsys.readouterr().out
    assert "4 children would be brought, now 4: 3 by both, 1 gained, 1 lost." in said
    assert "Gained by repeat_ed: 1" in said
    files = sorted((tmp_path / "out").iterdir())
    assert [path.suffix for path in files] == [".html", ".json"]
    everything = said + "".join(path.read_text() for path in files)
    for person in world.some_people():
        assert person["person_id"] not in everything
    assert json.loads(files[1].read_text())["children"]["gained"] == 1


def test_the_page_and_the_text_say_what_was_found(told: dict[str, Any], tmp_path: Path) -> None:
    """The same sentences on the page, in Markdown and on the console; axe-core finds nothing."""
    page, text = backtest_page(told), as_markdown(document(told))
    for sentence in sentences(told):
        assert sentence in page
        assert sentence in text
    assert "| Rule repeat_ed | repeat_ed | 1 |" in text
    assert FEWER in page
    file = tmp_path / "page.html"
    file.write_text(page)
    with browser() as running, opened(running, file, width=320) as shown:
        assert violations(shown) == []
        assert shown.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ((30, 40), (30, 40), ((30, 30), (40, 40))),
        ((30, 4), (30, 4), ((None, None), (None, None))),
        ((30, 40), (33, 40), ((30, None), (40, None))),
        ((30, 40), (33, 45), ((30, None), (40, None))),
        ((30, 40), (30, 55), ((30, 30), (40, 55))),
    ],
)
def test_small_groups_and_small_changes_of_a_group_are_not_told(
    monkeypatch: pytest.MonkeyPatch,
    before: tuple[int, int],
    after: tuple[int, int],
    shown: tuple[tuple[int | None, int | None], ...],
) -> None:
    """Ten or more in a group, and ten or more that differ; the total cannot give the rest away."""
    most = tuple(max(pair) for pair in zip(before, after, strict=True))
    sex = ["female"] * most[0] + ["male"] * most[1]
    ids = tuple(f"P{n:03d}" for n in range(len(sex)))
    both = [*range(before[0]), *range(most[0], most[0] + before[1])]
    then = [*range(after[0]), *range(most[0], most[0] + after[1])]
    known = {one: {"age": "1 to 4", "sex": sex[n], "ethnicity": "x"} for n, one in enumerate(ids)}
    monkeypatch.setattr(backtest_outcomes, "groups_of", lambda *_: known)
    first = {OLD: dict.fromkeys(both, 700_000), NEW: dict.fromkeys(then, 700_000)}
    course = Course(None, ids, np.array([700_000]), first)  # type: ignore[arg-type]
    rows = {row["group"]: (row[OLD], row[NEW]) for row in groups(Path(), course)}
    assert (rows["female"], rows["male"]) == shown


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ((10, 20), (20, 20), ((30, 10, 20), (40, 20, 20))),
        ((12, 20), (15, 20), None),
        ((10, 4), (20, 4), None),
        ((25, 20), (25, 20), None),
    ],
    ids=["whole", "few more", "few reached", "few missed"],
)
def test_outcomes_reached_and_missed_are_told_by_group_unless_any_are_few(
    monkeypatch: pytest.MonkeyPatch,
    old: tuple[int, int],
    new: tuple[int, int],
    told: tuple[tuple[int, int, int], ...] | None,
) -> None:
    """30 girls and 40 boys had it; of two groups both are hidden where either would tell few."""
    sex = ["female"] * 30 + ["male"] * 40
    ids = tuple(f"P{n:03d}" for n in range(len(sex)))
    known = {one: {"age": "1 to 4", "sex": sex[n], "ethnicity": "x"} for n, one in enumerate(ids)}
    monkeypatch.setattr(backtest_outcomes, "groups_of", lambda *_: known)
    reached = {
        side: dict.fromkeys([*range(girls), *range(30, 30 + boys)], 1)
        for side, (girls, boys) in ((OLD, old), (NEW, new))
    }
    course = Course(None, ids, np.array([700_000]), {})  # type: ignore[arg-type]
    came = dict.fromkeys(range(70), 700_000)
    rows = {r["group"]: r for r in backtest_outcomes.outcome_groups(Path(), course, came, reached)}
    shown = [tuple(rows[one][key] for key in ("children", OLD, NEW)) for one in ("female", "male")]
    assert shown == ([(None, None, None)] * 2 if told is None else list(told))


def test_ages_are_told_from_the_youngest_on(monkeypatch: pytest.MonkeyPatch) -> None:
    ages = ("16 and 17", "10 to 15", "5 to 9", "not recorded", "under 1", "not yet born", "1 to 4")
    ids = tuple(f"P{n:03d}" for n in range(len(ages)))
    known = {one: {"age": age} for one, age in zip(ids, ages, strict=True)}
    monkeypatch.setattr(backtest_outcomes, "groups_of", lambda *_: known)
    first = dict.fromkeys(range(len(ages)), 700_000)
    course = Course(None, ids, np.array([700_000]), {OLD: first, NEW: first})  # type: ignore[arg-type]
    told = [row["group"] for row in groups(Path(), course) if row["kind"] == "age"]
    assert told == [
        "not yet born", "under 1", "1 to 4", "5 to 9", "10 to 15", "16 and 17", "not recorded",
    ]  # fmt: skip


def test_a_rule_that_only_reads_otherwise_is_told_as_reworded(place: Workspace) -> None:
    catalogue = load_catalogue(place.features_dir, place.vocabulary)
    present = Rulebook.load(catalogue.rulebook_path, catalogue)
    other = present.rules[0].model_copy(update={"title": "Another name"})
    again = dataclasses.replace(present, rules=(other, *present.rules[1:]))
    assert [row["change"] for row in changes(present, again)] == ["reworded"]
    assert changes(present, present) == []


def test_a_question_that_cannot_be_answered_says_what_to_do(
    place: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="--nights"):
        Asked(changed(place), nights=0)
    table = OutcomeConfig(table="labels.csv", types=())
    with pytest.raises(ConfigError, match="outcome is a table"):
        Asked(changed(place), outcome=table)
    bad = tmp_path / "bad.toml"
    bad.write_text(changed(place).read_text().replace("at_least = 2", "at_leest = 2"))
    with pytest.raises(ConfigError, match=r"bad\.toml"):
        back_test(place, Asked(bad))
    long_ago = Asked(changed(place), nights=2, last=dt.date(1990, 1, 1))
    with pytest.raises(InputError, match="--to"):
        back_test(place, long_ago)
