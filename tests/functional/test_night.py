"""The whole night on a small authority: what it publishes, and what it must never do."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import json
from typing import ClassVar

import pytest

from riskflag.casework import publishing
from riskflag.casework.reviews import NewReview, record_review
from riskflag.casework.store import open_store
from riskflag.errors import (
    ConfigError,
    HeldError,
    InputError,
    IntegrityError,
    LockedError,
    StorageError,
)
from riskflag.nightly import run as run_module
from riskflag.nightly.inputs import Inputs
from riskflag.nightly.reproduce import published_flag, reproduce
from riskflag.nightly.run import run_night
from riskflag.nightly.verify import verify
from riskflag.scoring.bundle import load_current
from riskflag.scoring.rulebook import Rulebook
from riskflag.signals.catalogue import load_catalogue
from tests import night_world as world

AS_OF = world.AS_OF
WEEK = dt.timedelta(days=7)


class Night:
    """A workspace whose history is in memory; the trial of one and the same bundle is made once."""

    bundles: ClassVar[dict] = {}

    def __init__(self, root, monkeypatch, **options):
        self.workspace = world.workspace(root, **options)
        self.history = world.some_history()
        monkeypatch.setattr("riskflag.nightly.run.load", self.load)
        monkeypatch.setattr("riskflag.nightly.reproduce.load", self.load)

    def load(self, workspace, as_of, *, rules_only=False, how=None, progress=None):
        catalogue = load_catalogue(workspace.features_dir)
        rulebook = Rulebook.load(catalogue.rulebook_path, catalogue)
        bundle = None if rules_only else self.bundle()
        return Inputs(as_of, self.history, catalogue, rulebook, bundle, workspace.config)

    def bundle(self):
        pointer = self.workspace.bundles / "CURRENT.json"
        if not pointer.exists():
            return None
        known = pointer.read_bytes()
        if known not in self.bundles:
            self.bundles[known] = load_current(self.workspace.bundles)
        return self.bundles[known]

    def run(self, as_of=AS_OF, **options):
        return run_night(self.workspace, as_of, **options)

    def flags(self, result):
        listed = json.loads((result.folder / "flags.json").read_text())
        return {flag["person_id"]: flag for flag in listed}

    def review(self, flag_id, decision="nothing_further"):
        store = open_store(self.workspace)
        opened = dt.datetime(2026, 3, 10, 9, 0, tzinfo=dt.UTC)
        try:
            return record_review(
                store, NewReview(flag_id, "w", "worker", decision, "Seen.", "no", opened)
            )
        finally:
            store.close()


@pytest.fixture
def night(tmp_path, monkeypatch):
    return Night(tmp_path / "w", monkeypatch, with_bundle=False)


@pytest.fixture
def scored(tmp_path, monkeypatch):
    return Night(tmp_path / "w", monkeypatch)


def digest_of(folder):
    """Every file below a folder with its bytes hashed; the lock file holds nothing."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def reason_ids(flag, field="reasons"):
    return [reason["reason_id"] for reason in flag[field]]


def test_a_night_publishes_each_pattern_with_its_contacts(scored):
    """Five children with patterns become five flags; the quiet child does not."""
    result = scored.run()
    flags = scored.flags(result)
    assert result.exit_code == 0
    assert set(flags) == {"C-ED", "C-MISS", "C-HOME", "C-BULLY", "C-MODEL"}
    assert flags["C-ED"]["level"] == "urgent"
    assert flags["C-ED"]["why"]["contacts"] == 3
    assert flags["C-MODEL"]["raised_by"] == "model"
    assert flags["C-MODEL"]["level"] == "routine"
    shown = {c["contact_key"]: c for c in flags["C-HOME"]["contacts"]}
    linked = [shown[key] for key in flags["C-HOME"]["reasons"][0]["contact_keys"]]
    assert [c["link"] for c in linked] == ["mother", "mother"]
    assert flags["C-MISS"]["voice"]["latest"] == "2026-02-18"


def test_the_page_writer_is_told_the_capacity_the_team_set(tmp_path, monkeypatch):
    """What the configuration says is what the worklist can print."""
    told = []
    night = Night(tmp_path / "w", monkeypatch, capacity=7, with_bundle=False)
    night.run(write_pages=lambda published, folder: told.append(published))
    assert [(one.authority, one.capacity_per_week) for one in told] == [("Test Borough", 7)]


def test_every_reason_names_contacts_that_are_on_the_page_with_file_and_line(scored):
    """Law 9: no reason without the contacts behind it, or the word that it rests on an absence."""
    checked = 0
    for flag in scored.flags(scored.run()).values():
        shown = {c["contact_key"]: c for c in flag["contacts"]}
        for reason in flag["reasons"]:
            assert reason["contact_keys"] or reason["rests_on_absence"]
            for key in reason["contact_keys"]:
                assert shown[key]["in_pattern"]
                assert shown[key]["file"]
                assert shown[key]["line"] > 0
                checked += 1
    assert checked >= 12


def test_every_number_is_the_one_its_contacts_give(scored):
    """A count on the page is the number of contacts listed behind it."""
    checked = 0
    for flag in scored.flags(scored.run()).values():
        for reason in flag["reasons"]:
            parts = (reason["rule"] or {}).get("conditions", [])
            parts = parts + (reason["model"] or {}).get("signals", [])
            for part in parts:
                if part["unit"] == "contacts":
                    assert part["value"] == len(part["contact_keys"])
                    checked += 1
    assert checked >= 8


def test_a_model_and_a_rule_on_the_same_contacts_are_one_reason(scored):
    """The child reads one reason, marked as coming from both."""
    flag = scored.flags(scored.run())["C-MODEL"]
    joined = [reason for reason in flag["reasons"] if reason["source"] == "both"]
    assert [reason["rule"]["id"] for reason in joined] == ["one_missing"]
    assert joined[0]["model"]["theme"] == "missing"


def test_every_contribution_carries_its_theme_and_its_question(scored):
    """Who reads the flag years later needs no catalogue; the sum is still the raw score."""
    model = scored.flags(scored.run())["C-MODEL"]["model"]
    parts = {part["name"]: part for part in model["contributions"]}
    assert {name: part["theme"] for name, part in parts.items()} == world.THEMES
    asked = parts["missing_episodes_365d"]["question"]
    assert asked == "How many missing episodes in the last 365 days?"
    total = model["base"] + sum(part["contribution"] for part in parts.values())
    assert total == pytest.approx(model["raw"], abs=1e-9)


def test_two_rules_on_the_same_contacts_are_one_reason_until_one_of_them_goes(night):
    """Both are named, counted and kept; when only one holds on, the other is an earlier reason."""
    first = night.run()
    flag = night.flags(first)["C-MISS"]
    assert reason_ids(flag) == ["rule:repeat_missing"]
    assert [rule["id"] for rule in flag["reasons"][0]["also"]] == ["one_missing"]
    assert flag["level"] == "soon"
    told = first.manifest["rules"]
    assert (told["repeat_missing"]["flags"], told["one_missing"]["flags"]) == (1, 1)
    later = night.flags(night.run(AS_OF + 12 * WEEK))["C-MISS"]
    assert reason_ids(later) == ["rule:one_missing"]
    assert reason_ids(later, "earlier_reasons") == ["rule:repeat_missing"]
    assert later["earlier_reasons"][0]["standing"] == "no_longer_present"


def test_brothers_and_sisters_flagged_on_one_night_name_each_other(night):
    """Both ways, by number, though an agency told the link of one only; others are not named."""
    night.history = world.history(
        world.some_contacts(),
        persons=world.some_people(),
        relationships=[
            world.sibling("C-ED", "C-MISS"),
            world.sibling("C-ED", "C-QUIET"),
            world.sibling("C-ED", "C-BULLY", known_on=AS_OF),
            world.sibling("C-MISS", "C-HOME") | {"valid_to": AS_OF - dt.timedelta(days=30)},
        ],
    )
    told = {person: flag["siblings"] for person, flag in night.flags(night.run()).items()}
    assert told == {"C-ED": ["C-MISS"], "C-MISS": ["C-ED"], "C-BULLY": []}


def test_without_a_model_the_rules_flag_and_the_page_says_so(scored):
    """Rules only: the same rule flags, no score, and a sentence about it."""
    result = scored.run(rules_only=True)
    flags = scored.flags(result)
    assert set(flags) == {"C-ED", "C-MISS", "C-HOME", "C-BULLY"}
    assert all(flag["model"] is None for flag in flags.values())
    assert all("No model was in use" in flag["caveats"][-1] for flag in flags.values())
    assert result.manifest["parts"]["bundle"] is None


def test_running_again_changes_no_byte(scored):
    """Exit 3, and every file of the workspace is as it was."""
    first = scored.run()
    before = digest_of(scored.workspace.root)
    assert len(before) > 8
    for _ in range(3):
        again = scored.run()
        assert again.exit_code == 3
        assert again.folder == first.folder
    assert digest_of(scored.workspace.root) == before


def test_the_same_night_elsewhere_gives_the_same_bytes(tmp_path, monkeypatch):
    """Two workspaces, rows in another order: the same flags, state and manifest."""
    results = []
    for number in (1, 2):
        one = Night(tmp_path / str(number), monkeypatch)
        if number == 2:
            one.history = world.history(
                reversed(world.some_contacts()),
                persons=reversed(world.some_people()),
                relationships=[world.mother("C-HOME", "ADULT")],
            )
        results.append(digest_of(one.run().folder))
    kept = {f"{name}.parquet" for name in ("records", "people", "links", "feeds")}
    assert results[0].keys() == {"flags.json", "state.json", "manifest.json"} | kept
    assert results[0] == results[1]


LATER = {
    "a contact that occurred long before": [
        world.contact("C-QUIET", "ed.attendance", days, known=0) for days in (5, 6, 7)
    ],
    "a correction that moves a contact": [
        world.contact("C-ED", "ed.attendance", 5, known=0, version=2, outcome="died")
    ],
    "a retraction": [
        world.contact("C-MISS", "missing.episode", 9, known=0, version=2, op="retract")
    ],
    "contacts of the next days": [
        world.contact("C-ED", "ed.attendance", -days, known=-days) for days in (0, 1, 2)
    ],
    "a child nobody knew": [
        world.contact("C-NEW", "ed.attendance", days, known=0) for days in (1, 2, 3)
    ],
}


@pytest.mark.parametrize("what", sorted(LATER))
def test_nothing_known_on_or_after_the_day_changes_a_byte(tmp_path, monkeypatch, what):
    """Law 2 through the whole night: same run key, same flags, same manifest."""
    plain = Night(tmp_path / "plain", monkeypatch)
    expected = digest_of(plain.run().folder)
    later = Night(tmp_path / "later", monkeypatch)
    later.history = world.some_history(LATER[what])
    assert later.history.contacts.num_rows >= plain.history.contacts.num_rows - 1
    assert digest_of(later.run().folder) == expected


def test_a_link_or_a_feed_known_later_changes_nothing(tmp_path, monkeypatch):
    """Who belongs to whom, and which deliveries came, count as of the day too."""
    plain = Night(tmp_path / "plain", monkeypatch)
    expected = digest_of(plain.run().folder)
    later = Night(tmp_path / "later", monkeypatch)
    later.history = world.history(
        world.some_contacts(),
        persons=[*world.some_people(), world.person("C-NEW", known_on=AS_OF)],
        relationships=[
            world.mother("C-HOME", "ADULT"),
            world.mother("C-ED", "ADULT", known_on=AS_OF),
        ],
    )
    assert digest_of(later.run().folder) == expected


def test_what_was_known_the_day_before_does_change_the_night(tmp_path, monkeypatch):
    """Negative control: the comparison above can fail."""
    plain = Night(tmp_path / "plain", monkeypatch)
    expected = digest_of(plain.run().folder)
    other = Night(tmp_path / "other", monkeypatch)
    other.history = world.some_history(
        [world.contact("C-QUIET", "ed.attendance", days, known=1) for days in (5, 6, 7)]
    )
    assert digest_of(other.run().folder) != expected


def test_a_lost_core_feed_holds_the_night_and_the_previous_stays(night):
    """Exit 20; nothing new; yesterday's publication is current."""
    first = night.run()
    night.history = world.some_history(
        coverage=world.feed("ssd", ["care.referral"], AS_OF - 30 * WEEK, AS_OF - 30 * WEEK)
    )
    with pytest.raises(HeldError, match="ssd is lost") as held:
        night.run(AS_OF + WEEK)
    assert held.value.exit_code == 20
    store = open_store(night.workspace)
    assert publishing.current(store).folder == first.folder.name
    store.close()
    assert not list(night.workspace.publications.glob(".staging*"))


def test_another_lost_feed_publishes_with_exit_10_and_closes_nothing(night):
    """The flag whose feed is gone stays open, at its level, marked as not re-assessed."""
    night.history = world.some_history(
        coverage=world.feed("ed", ["ed.attendance"], AS_OF, AS_OF - dt.timedelta(days=1))
    )
    night.run()
    night.history = world.some_history(
        coverage=world.feed("ed", ["ed.attendance"], AS_OF, AS_OF - dt.timedelta(days=1))
    )
    later = AS_OF + 12 * WEEK
    result = night.run(later)
    flag = night.flags(result)["C-ED"]
    assert result.exit_code == 10
    assert (flag["status"], flag["standing"]) == ("continuing", "not_reassessed")
    assert flag["level"] == "urgent"
    assert reason_ids(flag, "earlier_reasons") == ["rule:repeat_ed"]
    assert flag["not_seen"][0]["source"] == "ed"


def test_an_agency_without_any_feed_is_told_on_every_flag_and_is_not_a_bad_night(night):
    """Exit 0: nothing is late. But what nobody delivers is said, not left out."""
    types = ["ed.attendance", "missing.episode", "care.visit", "police.da_incident"]
    day = AS_OF - dt.timedelta(days=1)
    night.history = world.some_history(coverage=world.feed("all", types, day, day))
    result = night.run()
    assert result.exit_code == 0
    assert result.manifest["never_delivered"] == ["school.bullying", "school.bullying_action"]
    flags = night.flags(result)
    assert set(flags) == {"C-ED", "C-MISS", "C-HOME"}
    for flag in flags.values():
        assert [(one["agency"], one["state"]) for one in flag["not_seen"]] == [("school", "NEVER")]


def test_a_pattern_that_is_gone_stays_before_a_person_until_a_review(night):
    """All feeds there, no rule holds any more: open, and said to be no longer present."""
    first = night.flags(night.run())["C-ED"]
    result = night.run(AS_OF + 12 * WEEK)
    flag = night.flags(result)["C-ED"]
    assert result.exit_code == 0
    assert (flag["flag_id"], flag["first_raised"]) == (first["flag_id"], AS_OF.isoformat())
    assert (flag["standing"], flag["level"]) == ("no_longer_present", "urgent")
    assert flag["reasons"] == []
    assert flag["earlier_reasons"][0]["last_matched"] == AS_OF.isoformat()
    night.review(flag["flag_id"])
    assert "C-ED" not in night.flags(night.run(AS_OF + 13 * WEEK))


def test_a_withdrawn_record_is_shown_as_withdrawn_while_its_flag_is_open(night):
    """What an agency takes back is not silently gone from the page."""
    night.run()
    night.history = world.some_history(
        [
            world.contact("C-BULLY", "school.bullying", 70, known=-1, version=2, op="retract"),
            world.contact("C-BULLY", "gp.registration", 90),
        ]
    )
    flag = night.flags(night.run(AS_OF + WEEK))["C-BULLY"]
    gone = [contact for contact in flag["contacts"] if contact["withdrawn"]]
    assert [contact["type"] for contact in gone] == ["school.bullying"]
    assert "withdrawn" in flag["caveats"][0]


def test_a_flag_that_goes_on_says_what_is_new(night):
    """New are the contacts known since the last publication this flag was in."""
    night.run()
    night.history = world.some_history([world.contact("C-ED", "ed.attendance", -2, known=-3)])
    flag = night.flags(night.run(AS_OF + WEEK))["C-ED"]
    assert flag["previous_as_of"] == AS_OF.isoformat()
    new = [contact["occurred_on"] for contact in flag["contacts"] if contact["new"]]
    assert new == [(AS_OF + dt.timedelta(days=2)).isoformat()]


def test_a_reviewed_child_is_quiet_until_something_new(night):
    """No repeat of what a person has just looked at; a new record brings the child back."""
    first = night.flags(night.run())["C-ED"]
    night.review(first["flag_id"])
    quiet = night.run(AS_OF + dt.timedelta(days=1))
    assert "C-ED" not in night.flags(quiet)
    assert quiet.manifest["counts"]["quiet_after_review"] == 1
    night.history = world.some_history([world.contact("C-ED", "ed.attendance", -2, known=-2)])
    again = night.flags(night.run(AS_OF + dt.timedelta(days=3)))["C-ED"]
    assert again["flag_id"] != first["flag_id"]
    assert again["status"] == "new"


def test_unsure_keeps_the_flag_open(night):
    """A person who cannot decide ends nothing."""
    first = night.flags(night.run())["C-ED"]
    night.review(first["flag_id"], "unsure")
    again = night.flags(night.run(AS_OF + dt.timedelta(days=1)))["C-ED"]
    assert again["flag_id"] == first["flag_id"]


def test_the_week_s_capacity_counts_over_nights(tmp_path, monkeypatch):
    """The model raises at most so many in seven days; whom it leaves out is counted."""
    night = Night(tmp_path / "w", monkeypatch, capacity=2)
    extra = [
        world.contact(f"M-{i}", kind, days, n=i)
        for i in range(5)
        for kind, days in (("ed.attendance", 20), ("ed.attendance", 22), ("missing.episode", 90),
                           ("missing.episode", 95))
    ]  # fmt: skip
    night.history = world.some_history(extra)
    first = night.run()
    assert first.manifest["counts"]["by_origin"]["model"] == 2
    assert first.manifest["counts"]["left_out_for_capacity"] == 4
    second = night.run(AS_OF + dt.timedelta(days=1))
    assert second.manifest["counts"]["by_origin"]["model"] == 2
    third = night.run(AS_OF + WEEK)
    assert third.manifest["counts"]["by_origin"]["model"] == 4


def test_a_corrected_rulebook_on_the_same_day_is_a_new_generation(night):
    """The day is published again, the flags keep their numbers, both publications are whole."""
    first = night.flags(night.run())
    world.write_features(night.workspace.root / "features", world.RULES[:2])
    again = night.run()
    flags = night.flags(again)
    assert again.exit_code == 0
    assert {p: f["flag_id"] for p, f in flags.items()} == {
        p: f["flag_id"] for p, f in first.items()
    }
    assert flags["C-BULLY"]["standing"] == "rule_withdrawn"
    assert all(flag["status"] == "new" for flag in flags.values())
    assert verify(night.workspace).faults == ()


def test_a_day_before_the_current_one_is_refused(night):
    """Going back would lose what was raised since."""
    night.run()
    with pytest.raises(ConfigError, match="a later day"):
        night.run(AS_OF - WEEK)


def test_nobody_to_assess_is_an_error_and_leaves_nothing(night):
    """Exit 30 before anybody is known."""
    with pytest.raises(InputError, match="No child is known") as refused:
        night.run(dt.date(1990, 1, 1))
    assert refused.value.exit_code == 30
    assert not night.workspace.publications.exists()


def test_a_second_run_at_the_same_time_is_told_to_wait(night):
    """Exit 60."""
    with night.workspace.lock(), pytest.raises(LockedError) as refused:
        night.run()
    assert refused.value.exit_code == 60


def test_a_damaged_bundle_stops_the_night_before_anything_is_written(scored):
    """Exit 40; no publication, not even a half one."""
    model = next(scored.workspace.bundles.glob("tiny-*/model.txt"))
    model.write_bytes(model.read_bytes()[:-20])
    scored.bundles = {}
    with pytest.raises(IntegrityError) as refused:
        scored.run()
    assert refused.value.exit_code == 40
    assert not scored.workspace.publications.exists()


def test_an_altered_previous_publication_stops_the_night(night):
    """Tonight does not build on flags somebody changed."""
    first = night.run()
    flags = first.folder / "flags.json"
    flags.write_text(flags.read_text().replace('"urgent"', '"routine"'))
    with pytest.raises(IntegrityError, match="not the one that was published"):
        night.run(AS_OF + WEEK)
    assert any("flags.json" in fault for fault in verify(night.workspace).faults)


def test_a_flag_is_reproduced_byte_for_byte(scored):
    """From the history and the manifest, also after later nights, records and reviews."""
    scored.run()
    scored.run(AS_OF + WEEK)
    scored.review("F-2026-000001", "unsure")
    scored.history = world.some_history([world.contact("C-ED", "ed.attendance", -20, known=-20)])
    for flag_id in ("F-2026-000001", "F-2026-000005"):
        result = reproduce(scored.workspace, published_flag(scored.workspace, flag_id))
        assert result.same_flag
        assert result.same_publication


def test_a_night_that_cannot_be_made_again_names_what_differs(scored):
    """A changed rulebook is named."""
    scored.run()
    found = published_flag(scored.workspace, "F-2026-000001")
    world.write_features(scored.workspace.root / "features", world.RULES[:2])
    with pytest.raises(IntegrityError, match="the rulebook"):
        reproduce(scored.workspace, found)


def test_verify_finds_nothing_after_ordinary_nights(scored):
    """No false alarm."""
    scored.run()
    scored.run(AS_OF + WEEK)
    found = verify(scored.workspace)
    assert (found.faults, found.publications, found.anchors) == ((), 2, 2)


@pytest.mark.parametrize("name", ["flags.json", "state.json", "manifest.json"])
def test_verify_names_a_changed_file(night, name):
    """One byte is enough."""
    folder = night.run().folder
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(bytes(data))
    assert any(name in fault for fault in verify(night.workspace).faults)


def test_the_publication_is_for_its_owner_only(night):
    """Children's records are not for others on the machine."""
    folder = night.run().folder
    assert folder.stat().st_mode & 0o077 == 0
    assert folder.parent.stat().st_mode & 0o077 == 0


def test_no_disk_space_is_exit_50_and_leaves_the_previous(night, monkeypatch):
    """The n-th write fails, for every n: nothing half-written is ever current."""
    night.run()
    failed = 0
    for n in range(1, 12):
        calls = iter(range(1, 100))

        def full(step, n=n, calls=calls):
            if step.startswith("folder") and next(calls) == n:
                raise OSError(28, "No space left on device")

        monkeypatch.setattr(run_module.steps, "reached", full)
        with contextlib.suppress(StorageError):
            night.run(AS_OF + n * WEEK)
            failed -= 1
        failed += 1
        monkeypatch.setattr(run_module.steps, "reached", lambda step: None)
        assert [f for f in verify(night.workspace).faults if "CURRENT" not in f] == []
    assert failed >= 6


def test_the_state_file_reads_back_as_it_was(night):
    """What the night took from the store is all in its publication."""
    from riskflag.nightly import state_file

    night.run()
    night.review("F-2026-000001")
    store = open_store(night.workspace)
    state = publishing.state(store, AS_OF + WEEK)
    store.close()
    assert len(state.closed_flags) == 1
    assert len(state.open_flags) == 3
    again = state_file.from_json(json.loads(json.dumps(state_file.to_json(state))))
    assert dataclasses.asdict(again) == dataclasses.asdict(state)
