"""How steady an explanation is: counted from the refits, and with each feed hidden in turn."""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import replace

import pytest

from riskflag.nightly.assess import assess
from riskflag.nightly.inputs import Inputs
from riskflag.nightly.run import run_night
from riskflag.nightly.stability import main_theme, steadiness
from riskflag.scoring.bundle import load_current
from riskflag.scoring.rulebook import Rulebook
from riskflag.signals import compute
from riskflag.signals.catalogue import load_catalogue
from tests import night_world as world
from tests import tiny_bundle


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return world.workspace(tmp_path_factory.mktemp("steady") / "w")


def more_children():
    """Two more children whom the model raises, one by attendances and one by missing episodes."""
    rows = [world.contact("C-QUIET", "ed.attendance", d, agency="ed") for d in (9, 10, 11, 12)]
    rows += [world.contact("C-HOME", "missing.episode", d) for d in (30, 31, 32, 33, 34)]
    return rows


@pytest.fixture(scope="module")
def inputs(place):
    fresh = world.AS_OF - dt.timedelta(days=1)
    types = {
        "ed": ["ed.attendance"],
        "care": ["missing.episode", "care.visit", "care.contact"],
        "school": ["school.bullying", "school.bullying_action"],
        "police": ["police.da_incident"],
    }
    coverage = [r for s, t in types.items() for r in world.feed(s, t, fresh, fresh)]
    catalogue = load_catalogue(place.features_dir)
    rulebook = Rulebook.load(catalogue.rulebook_path, catalogue)
    history = world.some_history(more_children(), coverage=coverage)
    bundle = load_current(place.bundles)
    return Inputs(world.AS_OF, history, catalogue, rulebook, bundle, place.config)


def state():
    from riskflag.casework.publishing import State

    return State(None, (), (), 0, 0)


def test_the_count_is_that_of_the_refits_own_main_themes(inputs):
    """Each refit explains the child anew; as many agree as the flag says."""
    assessment = assess(inputs, state())
    drafts = assessment.combined.drafts
    told = steadiness(inputs, assessment.table, drafts)
    raised = [draft for draft in drafts if draft.model and draft.model.raises]
    assert set(told) == {draft.person_id for draft in raised}
    assert len(told) >= 2
    for draft in raised:
        one, model = told[draft.person_id], draft.model
        agree = 0
        for refit in inputs.bundle.refits:
            values = assessment.values[[draft.row]]
            parts = refit.contributions(values, assessment.table.names).row(0)
            sums = {}
            for name, amount in parts.items():
                sums[inputs.bundle.themes[name]] = sums.get(inputs.bundle.themes[name], 0) + amount
            agree += max(sums, key=sums.get) == one["main_theme"]
        assert one["same_main_theme"] == agree
        assert one["refits"] == 2
        same = all(feed["main_theme"] == one["main_theme"] for feed in one["feeds"])
        assert one["word"] == ("high" if agree == 2 and same else "mixed")
        total = math.fsum(theme["contribution"] for theme in one["themes"])
        assert abs(model.base + total - model.raw) < 1e-9


def without_ed(inputs, people):
    """The signals of some children when the feed of emergency departments is lost."""
    coverage = [
        row if row["source"] != "ed" else {**row, "tolerance_days": 0}
        for row in inputs.history.coverage.to_pylist()
    ]
    history = world.some_history(more_children(), coverage=coverage)
    return compute(history, people, as_of=world.AS_OF, signals=inputs.catalogue.signals)


def test_which_themes_stay_reasons_is_counted_for_refits_and_hidden_feeds(inputs):
    """Each theme's own count, made again from what each refit and each lost feed explain."""
    assessment = assess(inputs, state())
    told = steadiness(inputs, assessment.table, assessment.combined.drafts)
    names, themes, vanished = assessment.table.names, inputs.bundle.themes, 0

    def reasons_of(model, values):
        totals = {}
        for name, amount in model.contributions(values, names).row(0).items():
            totals[themes[name]] = totals.get(themes[name], 0.0) + amount
        push = sum(total for total in totals.values() if total > 0)
        return {theme for theme, total in totals.items() if total > 0 and total / push >= 0.08}

    again = without_ed(inputs, sorted(told))
    rows = {person: row for row, person in enumerate(again.person_ids)}
    for person, one in told.items():
        row = [assessment.row_of[person]]
        refits = [reasons_of(model, assessment.values[row]) for model in inputs.bundle.refits]
        hidden = reasons_of(inputs.bundle.model, again.masked()[[rows[person]]])
        for theme in one["themes"]:
            assert theme["kept"] == sum(theme["theme"] in found for found in refits)
            gone = "ed" in {feed["source"] for feed in theme["without"]}
            assert gone == (theme["theme"] not in hidden)
            vanished += gone and theme["theme"] in reasons_of(
                inputs.bundle.model, assessment.values[row]
            )
    assert vanished, "no reason vanishes with a feed, so nothing was tried"


def test_hiding_a_feed_is_what_losing_it_would_do(inputs):
    """The score without a feed is the night's own score with that feed lost."""
    assessment = assess(inputs, state())
    told = steadiness(inputs, assessment.table, assessment.combined.drafts)
    again = without_ed(inputs, sorted(told))
    line = inputs.bundle.thresholds["raw"]
    raw = dict(
        zip(again.person_ids, inputs.bundle.model.raw(again.masked(), again.names), strict=True)
    )
    checked = 0
    for person, one in told.items():
        (feed,) = [feed for feed in one["feeds"] if feed["source"] == "ed"]
        assert feed["raises"] == bool(raw[person] >= line)
        checked += 1
    assert checked >= 2
    assert not all(f["raises"] for one in told.values() for f in one["feeds"])


def test_it_changes_nothing_else(inputs, place, monkeypatch):
    """A night with refits and one without give the same flags but for this one entry."""
    flags = []
    for refits in (2, 0):
        root = place.root.parent / f"night{refits}"
        other = world.workspace(root, with_bundle=False)
        other.bundles.mkdir()
        prints = {s.name: s.fingerprint for s in load_catalogue(other.features_dir).signals}
        options = {"names": world.NAMES, "themes": world.THEMES, "fingerprints": prints}
        path = tiny_bundle.write(other.bundles, **options, refits=refits)
        from riskflag.scoring.bundle import make_current

        make_current(other.bundles, path)
        bundle = load_current(other.bundles)
        monkeypatch.setattr(
            "riskflag.nightly.run.load", lambda *_, b=bundle, **__: replace(inputs, bundle=b)
        )
        result = run_night(other, world.AS_OF)
        told = json.loads((result.folder / "flags.json").read_text())
        flags.append({flag["person_id"]: flag for flag in told})
    with_them, without = flags
    assert any(flag["stability"] for flag in with_them.values())
    assert not any(flag["stability"] for flag in without.values())
    for person, flag in with_them.items():
        for name in ("reasons", "lowering", "level", "contacts"):
            assert flag[name] == without[person][name]
        if flag["model"]:
            same = {k: v for k, v in flag["model"].items() if k != "bundle"}
            assert same == {k: v for k, v in without[person]["model"].items() if k != "bundle"}


def test_of_equal_themes_the_first_by_name_is_main():
    assert main_theme({"b": 1.0, "a": 1.0, "c": 0.5}) == "a"
    assert main_theme({"a": -1.0}) is None
    assert main_theme({}) is None
