"""The look-back equals what the nights stored, and never uses what was not known by the day."""

from __future__ import annotations

import datetime as dt
import json
import random
import shutil
from dataclasses import replace

import pytest

from riskflag.casework import publishing
from riskflag.casework.past import Past
from riskflag.casework.reviews import NewReview, record_review
from riskflag.casework.store import open_store
from riskflag.errors import ConfigError, InputError, IntegrityError
from riskflag.history.schema import CONTACT, COVERAGE, PERSON, RELATIONSHIP, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.history.store.view import History
from riskflag.nightly import aside, chronologies, near
from riskflag.nightly.lookback import course, look_back, look_back_as_published
from riskflag.nightly.lookback_material import Asked, material_of
from riskflag.nightly.run import run_night
from riskflag.reports.lint import banned_words, long_sentences, visible_text
from riskflag.reports.lookback import lookback_page
from riskflag.reports.render import render_lookback
from riskflag.workspace import Workspace
from tests import night_world as world

AS_OF = world.AS_OF
NIGHTS = [AS_OF + dt.timedelta(days=n) for n in (0, 1, 2, 5, 9, 30)]
CHILDREN = ("C-ED", "C-MISS", "C-HOME", "C-BULLY", "C-MODEL", "C-QUIET")


def later(row: dict, days: int) -> dict:
    """The row as a delivery that landed so many days after the first night holds it."""
    return {**row, "known_on": AS_OF + dt.timedelta(days=days)}


def corrected(row: dict, known: int, **change) -> dict:
    return {**later(row, known), "version": row["version"] + 1, **change}


def deliveries() -> list[tuple[int, list[dict]]]:
    """What lands after the first night: late arrivals, a correction, a withdrawal, a move."""
    first = world.some_contacts()
    by = {(r["person_id"], r["type"], (AS_OF - r["occurred_on"]).days): r for r in first}
    late = [later(world.contact("C-QUIET", "missing.episode", d), 0) for d in (40, 41, 42)]
    late += [later(world.contact("C-MODEL", "ed.attendance", 12, agency="ed"), 0)]
    wrong = [corrected(by["C-ED", "ed.attendance", 5], 1, occurred_on=AS_OF - dt.timedelta(400))]
    wrong += [corrected(by["C-MISS", "missing.episode", 9], 1, op="retract")]
    moved = [corrected(by["ADULT", "police.da_incident", 15], 3, person_id="STRANGER")]
    answered = [later(world.contact("C-BULLY", "school.bullying_action", 2), 3)]
    answered += [later(world.contact("C-MISS", "care.visit", -2, voice="yes"), 5)]
    return [(0, late), (1, wrong), (3, moved + answered)]


def coverage() -> list[dict]:
    """A feed that is fresh on the first nights, then late, then lost."""
    complete, received = AS_OF - dt.timedelta(days=2), AS_OF - dt.timedelta(days=1)
    kinds = {
        "ed": ["ed.attendance"],
        "police": ["police.da_incident"],
        "care": ["missing.episode", "care.visit", "care.contact", "care.cp_plan"],
        "school": ["school.bullying", "school.bullying_action", "gp.registration"],
    }
    rows = [
        r for source, types in kinds.items() for r in world.feed(source, types, complete, received)
    ]
    tolerant = [{**row, "tolerance_days": 60} for row in rows if row["source"] != "ed"]
    return [row for row in rows if row["source"] == "ed"] + tolerant


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """Six published nights of a small authority, with deliveries between them, and a review."""
    place = world.workspace(tmp_path_factory.mktemp("nights") / "w")
    history = HistoryStore(place.history)
    people = [
        *world.some_people(),
        world.person("STRANGER", dt.date(1980, 1, 1), kind="adult"),
        # Told of long after her first contacts, when she was known as somebody's mother only.
        world.person("C-MUM", known_on=AS_OF - dt.timedelta(days=50)),
    ]
    links = [
        world.mother("C-HOME", "ADULT"),
        world.mother("C-QUIET", "C-MUM", AS_OF - dt.timedelta(days=150)),
    ]
    contacts = [
        *world.some_contacts(),
        *(world.contact("C-MUM", "ed.attendance", d, agency="ed") for d in (5, 30, 60, 200, 1000)),
    ]
    tables = {
        "contact": conform(world._table(contacts), CONTACT),
        "person": conform(world._table(people), PERSON),
        "relationship": conform(world._table(links), RELATIONSHIP),
        "coverage": conform(world._table(coverage()), COVERAGE),
    }
    history.append_batch("b0", AS_OF.isoformat(), tables)
    coming = deliveries()
    stored: dict[dt.date, dict[str, dict]] = {}
    for night in NIGHTS:
        while coming and AS_OF + dt.timedelta(days=coming[0][0]) < night:
            days, rows = coming.pop(0)
            part = {"contact": conform(world._table(rows), CONTACT)}
            history.append_batch(f"b{days + 1}", night.isoformat(), part)
        result = run_night(place, night)
        flags = json.loads((result.folder / "flags.json").read_text())
        stored[night] = {flag["person_id"]: flag for flag in flags}
        if night == NIGHTS[2]:
            store = open_store(place)
            opened = dt.datetime(2026, 3, 12, 9, 0, tzinfo=dt.UTC)
            flag_id = stored[night]["C-BULLY"]["flag_id"]
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("riskflag.casework.reviews.moment", lambda at=opened: at)
                record_review(
                    store, NewReview(flag_id, "w", "caseworker", "refer", "Seen.", "no", opened)
                )
            store.close()
    assert not coming, "a delivery never landed"
    return place, stored


@pytest.mark.parametrize(("first", "last"), [(None, None), (NIGHTS[1], NIGHTS[3])])
def test_what_a_night_kept_of_a_flagged_child_tells_what_the_history_tells(
    nights, monkeypatch, first, last
):
    """To the byte, after corrections, withdrawals and a move, and without reading the history."""
    _, stored = nights
    # Whether C-MUM was a child before anybody said so, a publication alone cannot tell.
    flagged = sorted(stored[NIGHTS[-1]].keys() - {"C-MUM"})
    monkeypatch.setattr(aside, "history_of", lambda *_, **__: None)
    kept, whole = both_ways(nights, monkeypatch, [Asked(who, first, last) for who in flagged])
    assert kept == whole
    assert len(flagged) >= 4
    assert any('"corrected"' in one or '"withdrawn"' in one for one in whole)


#: Days after the last night too, whole or in part.
RANGES = [(None, None), (None, 1), (None, 400), (5, 60), (1, 1)]


@pytest.mark.parametrize(("first", "last"), RANGES)
def test_closed_flags_and_days_after_the_last_night_need_not_the_whole_history(
    nights, monkeypatch, first, last
):
    """To the byte what the whole history tells, of all who ever had a flag, open or closed."""
    _, stored = nights
    ever = sorted({person for flags in stored.values() for person in flags})
    assert set(ever) > set(stored[NIGHTS[-1]]), "no flag was closed"
    assert "C-MUM" in ever
    days = [None if n is None else NIGHTS[-1] + dt.timedelta(days=n) for n in (first, last)]
    kept, whole = both_ways(nights, monkeypatch, [Asked(who, *days) for who in ever])
    assert kept == whole
    assert len(set(whole)) == len(ever)


def both_ways(nights, monkeypatch, asked: list[Asked]) -> tuple[list[str], list[str]]:
    """What was kept tells, with no way to read everybody's history; and what that history tells."""
    place, _ = nights
    store = open_store(place)
    whole = [json.dumps(look_back(place, store, one, whole=True)) for one in asked]
    with monkeypatch.context() as patch:
        patch.setattr(HistoryStore, "around", lambda *_: pytest.fail("the history was read"))
        kept = [json.dumps(look_back_as_published(place, store, one)) for one in asked]
    store.close()
    return kept, whole


def test_what_is_kept_beside_is_not_used_for_what_it_cannot_know(nights, monkeypatch, tmp_path):
    """Who never had a flag, a damaged file, and later days once the history has changed."""
    old, stored = nights
    shutil.copytree(old.root, tmp_path / "w")
    place = Workspace.open(tmp_path / "w")
    store, read = open_store(place), []
    monkeypatch.setattr(
        HistoryStore,
        "around",
        lambda self, one, real=HistoryStore.around: read.append(one) or real(self, one),
    )
    ever = {person for flags in stored.values() for person in flags}
    never = "ADULT"
    assert never not in ever
    closed = sorted(ever - set(stored[NIGHTS[-1]]))[0]
    after = NIGHTS[-1] + dt.timedelta(days=2)
    assert look_back_as_published(place, store, Asked(never))["records"]
    assert read == [never]
    rows = [later(world.contact(closed, "ed.attendance", -31, agency="ed"), 31)]
    part = {"contact": conform(world._table(rows), CONTACT)}
    HistoryStore(place.history).append_batch("b99", after.isoformat(), part)
    known = [
        len(look_back_as_published(place, store, Asked(closed, last=last))["records"])
        for last in (None, after)
    ]
    assert known[1] == known[0] + 1
    assert read == [never, closed]
    assert look_back(place, store, Asked(closed))["records"]
    assert read == [never, closed, closed]
    for file in (place.work / "flagged").glob("*/records.parquet"):
        file.write_bytes(b"PAR1")
    assert len(look_back_as_published(place, store, Asked(closed))["records"]) == known[0]
    assert read == [never, closed, closed, closed]
    store.close()


def test_what_is_kept_beside_is_for_its_owner_alone_and_of_the_last_nights(nights):
    """Nobody else's files can read it, no other person is in it, and older ones are gone."""
    place, _ = nights
    home = place.work / "flagged"
    folders = [path for path in home.iterdir() if path.is_dir()]
    assert len(folders) == 2
    for path in (home, *folders):
        assert path.stat().st_mode & 0o077 == 0
    files = [file for path in folders for file in path.glob("*.parquet")]
    assert len(files) == 10
    assert not any(b"ADULT" in file.read_bytes() for file in files)
    people = chronologies.everybody(folders[0] / near.PEOPLE)
    names = {*people["given_name"].to_pylist(), *people["family_name"].to_pylist()} - {None}
    assert {len(name) for name in names} == {1}


def test_what_is_kept_names_nobody_and_is_checked(nights, tmp_path):
    """No name but its first letter, no other person; and a changed file is refused."""
    place, _ = nights
    store = open_store(place)
    record = publishing.current(store)
    store.close()
    people = chronologies.everybody(place.publications / record.folder / near.PEOPLE)
    names = {*people["given_name"].to_pylist(), *people["family_name"].to_pylist()} - {None}
    assert {len(name) for name in names} == {1}
    copy = tmp_path / "publications"
    shutil.copytree(place.publications, copy)
    for file in (near.PEOPLE, near.LINKS, "records.parquet"):
        assert b"ADULT" not in (copy / record.folder / file).read_bytes()
    (copy / record.folder / near.LINKS).write_bytes(b"PAR1")
    with pytest.raises(IntegrityError):
        near.kept_history(copy, record, "C-ED", 0)


def rules_of(flag: dict | None) -> set[str]:
    found = set()
    for reason in (flag or {"reasons": ()})["reasons"]:
        found |= {rule["id"] for rule in [reason["rule"], *reason["also"]] if rule}
    return found


def holds(spells: list[dict], day: str) -> bool:
    return any(spell["from"] <= day <= spell["to"] for spell in spells)


def test_on_every_published_night_the_replay_says_what_was_stored(nights):
    """Rules, themes and the model: as stored on each night, whatever was delivered since."""
    place, stored = nights
    store = open_store(place)
    compared = changed = 0
    for person in CHILDREN:
        told = look_back(place, store, Asked(person, first=NIGHTS[0], last=NIGHTS[-1]))
        before = None
        for night in NIGHTS:
            day, flag = night.isoformat(), stored[night].get(person)
            fired = {r["id"] for r in told["rules"] if holds(r["spells"], day)}
            brings = {r["id"] for r in told["rules"] if r["level"] != "routine"} & fired
            assert brings <= rules_of(flag), (person, day)
            if flag is not None and flag["reasons"]:
                assert rules_of(flag) == fired, (person, day)
                model = flag["model"]
                assert bool(model and model["raises"]) == holds(told["model"]["spells"], day)
                themes = {r["model"]["theme"] for r in flag["reasons"] if r["model"]}
                assert themes == {
                    t["theme"] for t in told["model"]["themes"] if holds(t["spells"], day)
                }
                compared += 1
            changed += before is not None and before != fired
            before = fired
    store.close()
    assert compared > 12, "almost nothing was compared"
    assert changed > 3, "no delivery changed anything, so hindsight could not have shown"


def test_a_statement_and_its_contacts_are_those_of_the_first_night(nights):
    """What a rule said when it began is what the flag of that night said."""
    place, stored = nights
    flag = stored[NIGHTS[0]]["C-ED"]
    told = look_back(place, None, Asked("C-ED", first=NIGHTS[0], last=NIGHTS[-1]))
    rule = next(rule for rule in told["rules"] if rule["id"] == "repeat_ed")
    reason = next(r for r in flag["reasons"] if r["rule"] and r["rule"]["id"] == "repeat_ed")
    assert rule["spells"][0]["statement"] == reason["rule"]["statement"]
    assert rule["spells"][0]["contact_keys"] == reason["contact_keys"]


def test_hindsight_would_show(nights):
    """Control: with the later deliveries known all along, the stored nights are not met."""
    place, stored = nights
    history = HistoryStore(place.history)
    told = look_back(place, None, Asked("C-QUIET", first=NIGHTS[0], last=NIGHTS[-1]))
    assert not holds(spells_of(told, "repeat_missing"), NIGHTS[0].isoformat())
    assert holds(spells_of(told, "repeat_missing"), NIGHTS[1].isoformat())
    raw = history.read("contact").to_pylist()
    early = [{**row, "known_on": row["occurred_on"]} for row in raw if row["op"] == "assert"]
    known = world.history(early, persons=world.some_people())
    asked = Asked("C-QUIET", first=NIGHTS[0], last=NIGHTS[-1])
    leaky = course(known, material_of(place, asked), asked, Past())
    assert holds(spells_of(leaky, "repeat_missing"), NIGHTS[0].isoformat())
    assert "C-QUIET" not in stored[NIGHTS[0]]


def spells_of(told: dict, rule: str) -> list[dict]:
    return next((r["spells"] for r in told["rules"] if r["id"] == rule), [])


def test_it_says_what_changed_what_came_late_and_what_was_decided(nights):
    """Corrections, withdrawals, a lost feed, silences, flags and decisions are all told."""
    place, _ = nights
    store = open_store(place)
    told = {person: look_back(place, store, Asked(person, last=NIGHTS[-1])) for person in CHILDREN}
    store.close()
    kinds = {
        person: {change["kind"] for step in course["steps"] for change in step["changes"]}
        for person, course in told.items()
    }
    assert {"corrected", "rule_on", "rule_off", "undecided_on", "feed_off"} <= kinds["C-ED"]
    assert {"withdrawn", "record", "silence"} <= kinds["C-MISS"]
    assert {"flag", "review", "closed"} <= kinds["C-BULLY"]
    assert {"withdrawn", "rule_off"} <= kinds["C-HOME"]
    quiet = {line["agency"]: line for line in told["C-QUIET"]["agencies"]}["several"]
    assert (quiet["late"], quiet["longest"]) == (3, 42)
    ed = [feed for feed in told["C-ED"]["feeds"] if feed["source"] == "ed"]
    assert [feed["state"] for feed in ed] == ["LOST", "STALE", "LOST"]
    assert ed[-1]["to_end"]
    text = " ".join(visible_text(render_lookback(lookback_page(told["C-BULLY"]))))
    assert "On 12 March 2026 a person decided: Refer" in text


def test_the_words_are_plain_and_every_number_of_a_record_is_on_the_page(nights):
    """No banned word, no sentence over 25 words of ours, and each reference has its record."""
    place, _ = nights
    for person in CHILDREN:
        html = render_lookback(lookback_page(look_back(place, None, Asked(person))))
        blocks = visible_text(html)
        assert banned_words(" ".join(blocks)) == []
        assert [
            s for s in long_sentences(blocks) if "drawn" not in s and ": first on" not in s
        ] == []
        for part in html.split('href="#r')[1:]:
            assert f'id="r{part.split(chr(34))[0]}"' in html
        assert "<script" not in html


def test_folding_leaves_nothing_of_a_long_course_out(nights):
    """Each day and each record of the replay stands on the page once, folded or not."""
    place, _ = nights
    for person in CHILDREN:
        page = lookback_page(look_back(place, None, Asked(person)))
        html = render_lookback(page)
        assert html.count('<tr id="r') == len(page.records)
        assert html.count('<details class="fold"') == len(page.months) + len(page.years) > 0
        for step in page.steps:
            assert f'<tr><th scope="row">{step.date}</th><td><ul>' in html


def test_what_cannot_be_looked_back_at_is_told_in_one_sentence(nights):
    """A stranger, days in the wrong order, an unknown bundle, a century."""
    place, _ = nights
    with pytest.raises(InputError, match="Nothing was known of this person"):
        look_back(place, None, Asked("NOBODY"))
    with pytest.raises(ConfigError, match="ends before it begins"):
        Asked("C-ED", first=AS_OF, last=AS_OF - dt.timedelta(days=1))
    with pytest.raises(ConfigError, match="no such bundle"):
        look_back(place, None, Asked("C-ED", bundle="../other"))
    with pytest.raises(ConfigError, match="at most 19 years"):
        look_back(place, None, Asked("C-ED", first=dt.date(1990, 1, 1), last=AS_OF))


def test_another_rulebook_can_be_tried_and_is_named(nights, tmp_path):
    """With a rule that asks for one attendance, the replay says so and whose rules they are."""
    place, _ = nights
    rules = [("one_ed", "soon", "health", "Attended {value:ed_attendances_90d} times.",
              '{ signal = "ed_attendances_90d", at_least = 1 }')]  # fmt: skip
    world.write_features(tmp_path / "f", rules)
    told = look_back(
        place, None, Asked("C-ED", rulebook=tmp_path / "f/rulebook.toml", rules_only=True)
    )
    assert {rule["id"] for rule in told["rules"]} == {"one_ed"}
    assert told["versions"]["rulebook_is"] == "named"
    assert told["model"] is None
    assert "No model took part" in " ".join(lookback_page(told).limits)


# ---------------------------------------------------------------- nothing in it is later knowledge


def known_before(rows: list[dict], day: dt.date, name: str = "known_on") -> list[dict]:
    return [row for row in rows if row[name] < day]


def made_up(seed: int) -> dict[str, list[dict]]:
    """A child's random records: late, corrected, withdrawn, of the mother, with ends to come."""
    draw = random.Random(seed)
    kinds = ("ed.attendance", "missing.episode", "care.visit", "school.bullying", "care.cp_plan")
    rows = []
    for n in range(draw.randint(3, 14)):
        who = draw.choice(["C-ONE", "C-ONE", "C-ONE", "MUM"])
        type_ = "police.da_incident" if who == "MUM" else draw.choice(kinds)
        ago = draw.randint(-20, 120)
        row = world.contact(who, type_, ago, known=ago - draw.choice([0, 1, 3, 20]), n=n)
        row |= {"seen_alone": draw.choice([None, "yes"]), "voice": draw.choice([None, "yes"])}
        row |= {"role": "experiencing"}
        if type_ == "care.cp_plan":
            row |= {"ended_on": row["occurred_on"] + dt.timedelta(days=draw.randint(0, 60))}
        rows.append(row)
        for version in range(2, draw.randint(1, 3) + 1):
            held = rows[-1]
            wait = dt.timedelta(days=draw.choice([0, 1, 10, 40]))
            op = draw.choice(["assert", "assert", "retract"])
            rows.append(
                {**held, "version": version, "op": op, "known_on": held["known_on"] + wait}
                | {"occurred_on": held["occurred_on"] - dt.timedelta(days=draw.choice([0, 50]))}
            )
            if op == "retract":
                break
    born = world.person("C-ONE", dt.date(2008, draw.randint(1, 12), 3), known_on=AS_OF - 200 * DAY)
    adult = world.person("MUM", dt.date(1980, 1, 1), kind="adult")
    link = world.mother("C-ONE", "MUM", AS_OF - draw.randint(0, 90) * DAY)
    feeds = world.feed("ed", ["ed.attendance"], AS_OF - 60 * DAY, AS_OF - 59 * DAY)
    feeds += world.feed("ed", ["ed.attendance"], AS_OF - 10 * DAY, AS_OF - 9 * DAY)
    return {"contacts": rows, "persons": [born, adult], "relationships": [link], "coverage": feeds}


DAY = dt.timedelta(days=1)


def as_of_then(parts: dict[str, list[dict]], day: dt.date) -> History:
    """What anybody could have loaded on that day."""
    return world.history(
        known_before(parts["contacts"], day),
        persons=known_before(parts["persons"], day),
        relationships=known_before(parts["relationships"], day),
        coverage=known_before(parts["coverage"], day, "received_on"),
    )


@pytest.mark.parametrize("seed", range(40))
def test_nothing_in_it_became_known_on_a_later_day(nights, seed):
    """A look-back up to a day is byte for byte that of a history that ends on that day."""
    place, _ = nights
    parts = made_up(seed)
    whole = world.history(**parts)
    for back in (45, 12, 0):
        asked = Asked("C-ONE", first=AS_OF - 70 * DAY, last=AS_OF - back * DAY)
        material = material_of(place, replace(asked))
        then = course(as_of_then(parts, asked.last), material, asked, Past())
        now = course(whole, material, asked, Past())
        assert json.dumps(now, sort_keys=True) == json.dumps(then, sort_keys=True)


def test_the_check_above_would_find_later_knowledge(nights):
    """Control: with every version known when it occurred, most of the same cases differ."""
    place, _ = nights
    differ = 0
    for seed in range(20):
        parts = made_up(seed)
        early = [{**r, "known_on": min(r["known_on"], r["occurred_on"])} for r in parts["contacts"]]
        asked = Asked("C-ONE", first=AS_OF - 70 * DAY, last=AS_OF - 12 * DAY)
        material = material_of(place, asked)
        leaky = course(world.history(**{**parts, "contacts": early}), material, asked, Past())
        fair = course(world.history(**parts), material, asked, Past())
        differ += json.dumps(leaky, sort_keys=True) != json.dumps(fair, sort_keys=True)
    assert differ >= 15
