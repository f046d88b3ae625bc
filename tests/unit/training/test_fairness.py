"""Fairness: a planted gap and a planted proxy are found, small groups are never told."""

from __future__ import annotations

import dataclasses
import functools
import json

import numpy as np
import pytest

from riskflag.errors import ConfigError
from riskflag.signals import contacts, count
from riskflag.training.checks import fairness, group_lines, proxies
from riskflag.training.checks.fairness import RATES, SMALL, Frame, by_fairlearn
from riskflag.training.checks.groups import Groups, groups_of
from riskflag.training.checks.hearing import Hearing
from riskflag.training.data.inputs import Inputs, choose_inputs
from riskflag.training.data.rows import Rows
from riskflag.training.figures.checks import FAULT, FINE, LOOK, NOT_KNOWN, Check, recorded
from riskflag.training.record.fair_words import fairness_page
from tests.factories import history_of
from tests.made_up_training import SMALL as CONFIG
from tests.made_up_training import learnt, prepared, signal

CHILDREN = 1500


@functools.cache
def court() -> Hearing:
    line = learnt().thresholds["probability"]
    config = CONFIG.model_copy(
        update={"evaluation": CONFIG.evaluation.model_copy(update={"bootstrap": 60})}
    )
    return Hearing(history_of(), prepared(), learnt().model, config, 200.0, line)


def halves(seed: int) -> Groups:
    """Children in two groups by lot."""
    side = np.random.default_rng(seed).random(CHILDREN) < 0.4
    return Groups.of("side", np.where(side, "left", "right").astype(object)[court().rows.person])


def test_rates_are_fairlearns_and_those_counted_with_weights_of_one() -> None:
    frame = Frame(court(), halves(0))
    ours, theirs = frame.rates(np.ones(len(court().rows))), by_fairlearn(frame)
    for rate in RATES:
        assert ours[rate] == pytest.approx(theirs[rate]), rate
    assert 0 < ours["missed"][0] < 1


def test_a_planted_gap_in_missed_cases_is_found_and_named() -> None:
    """In one group a part of the outcomes is of children whom nothing told apart."""
    planted = halves(1)
    left = planted.code == planted.names.index("left")
    hidden = left & (np.random.default_rng(5).random(len(left)) < 0.12)
    test = prepared().test
    happened = test.labels.happened | hidden
    labels = dataclasses.replace(test.labels, happened=happened)
    ready = dataclasses.replace(prepared(), test=dataclasses.replace(test, labels=labels))
    found = fairness.of_kind(Frame(dataclasses.replace(court(), prepared=ready), planted))
    missed, _, level = found
    assert missed.name == "missed_cases_by_side"
    assert [missed.verdict, level.verdict] == [LOOK, LOOK]
    told = {row["group"]: row["missed"]["value"] for row in missed.table}
    assert told["left"] > told["right"] + 0.05
    assert "; clear" in missed.sentence


def test_groups_by_lot_rarely_raise_an_alarm() -> None:
    """Of 90 checks at most two."""
    alarms = [
        one.name
        for seed in range(30)
        for one in fairness.gap_checks(Frame(court(), halves(seed)))
        if one.verdict != FINE
    ]
    assert len(alarms) <= 2


def test_small_groups_of_whom_all_or_none_are_missed_by_chance_are_not_accused() -> None:
    """Ten groups by lot, of a handful of outcomes each, drawn eight times."""
    for seed in range(8):
        lot = np.random.default_rng(seed).integers(0, 10, CHILDREN)
        group = np.array([f"g{number}" for number in range(10)], dtype=object)[lot]
        frame = Frame(court(), Groups.of("lot", group[court().rows.person]))
        missed = fairness.gap_checks(frame)[0]
        assert missed.name == "missed_cases_by_lot"
        assert missed.verdict == FINE


def test_a_group_of_nine_is_told_with_the_next_and_nothing_rests_on_fewer_than_ten() -> None:
    names = np.array(["few"] * 9 + ["some"] * 30 + ["many"] * (CHILDREN - 39), dtype=object)
    frame = Frame(court(), Groups.of("side", names[court().rows.person])).shown()
    assert frame.groups.names == ("many", SMALL)
    assert frame.children.tolist() == [CHILDREN - 39, 39]
    found = fairness.of_kind(frame)
    assert "few" not in [row["group"] for row in found[0].table]
    ten = np.array(["ten"] * 10 + ["many"] * (CHILDREN - 10), dtype=object)
    frame = Frame(court(), Groups.of("side", ten[court().rows.person])).shown()
    assert "ten" in frame.groups.names
    row = next(r for r in fairness.of_kind(frame)[0].table if r["group"] == "ten")
    assert frame.enough["missed"].tolist() == [True, False]
    assert row["missed"] == {"value": None, "low": None, "high": None}
    assert row["share_of_list"] is None


def test_one_group_alone_is_not_known_rather_than_fine() -> None:
    names = np.array(["ten"] * 10 + ["many"] * (CHILDREN - 10), dtype=object)
    found = fairness.of_kind(Frame(court(), Groups.of("side", names[court().rows.person])))
    assert found[0].verdict == NOT_KNOWN
    assert fairness.checks(court(), ())[0].verdict == NOT_KNOWN


def asked(planted: float | None, seed: int = 3) -> Check:
    """One row per child; with `planted`, one signal is the group with so much noise on it."""
    at = proxies.one_row_each(court())
    side = halves(seed)
    values = court().values(at)
    if planted is not None:
        noise = np.random.default_rng(seed).normal(size=len(at)) * planted
        values[:, 2] = side.code[at] + noise
    groups = Groups("side", side.names, side.code[at])
    return proxies.of_kind(proxies.Asked(values, court().family[at], groups, court().model.names))


def test_a_planted_proxy_is_found_and_named() -> None:
    found = asked(0.3)
    assert found.verdict == FAULT
    assert "days_since_visit stands for" in found.sentence
    weaker = asked(0.7)
    assert weaker.verdict == LOOK
    assert weaker.table[0]["signals"][0]["signal"] == "days_since_visit"


def test_inputs_that_tell_nothing_of_a_group_raise_no_alarm() -> None:
    for seed in (3, 4, 5):
        found = asked(None, seed)
        assert found.verdict == FINE
        assert found.figure["value"] == pytest.approx(0.5, abs=0.08)


def test_lines_by_group_cost_what_is_counted_by_hand() -> None:
    """Two outcomes of each group: at the places 1 and 2 of its own ranking, and at 2 and 4."""
    scores = np.array([9.0, 8, 7, 6, 9, 8, 7, 6])
    labels = np.array([1.0, 1, 0, 0, 0, 1, 0, 1])
    lines = group_lines.Lines.of(scores, labels, np.repeat([0, 1], 4), 2)
    assert lines.lengths(0.5).tolist() == [1, 2]
    assert lines.lengths(1.0).tolist() == [2, 4]
    assert [lines.equal_share(n) for n in (2, 3, 5, 6)] == [0.0, 0.5, 0.5, 1.0]


def test_equal_lines_keep_the_capacity_and_the_cost_is_told_for_every_group() -> None:
    found = group_lines.of_kind(Frame(court(), halves(6)))
    before = sum(row["listed_a_month"] for row in found.table)
    after = sum(row["with_lines_by_group"] for row in found.table)
    assert 0.9 * before <= after <= before + 1e-9
    assert len({round(row["found_then"], 9) for row in found.table}) == 1


def test_groups_are_those_recorded_by_the_day_of_the_row() -> None:
    people = [
        {"person_id": "a", "birth_on": "2015-01-01", "known_on": "2020-01-01"},
        {"person_id": "a", "sex": "female", "ethnicity": "MWBC", "known_on": "2024-03-01",
         "version": 2},
        {"person_id": "b", "sex": "male", "ethnicity": "WBRI", "known_on": "2020-01-01"},
    ]  # fmt: skip
    days = [int(np.datetime64(d, "D").astype(np.int64)) for d in ("2024-03-01", "2024-03-02")]
    rows = Rows(("a", "b"), np.array([0, 0, 1]), np.array([days[0], days[1], days[0]]))
    found = {
        one.kind: [one.names[i] for i in one.code]
        for one in groups_of(history_of((), people), rows)
    }
    assert found["sex"] == ["not recorded", "female", "male"]
    assert found["ethnicity"] == ["not recorded", "Mixed", "White"]
    assert found["age"] == ["5 to 10", "5 to 10", "not recorded"]
    assert found["sex and ethnicity"][1] == "female, Mixed"


def test_a_protected_characteristic_is_refused_as_an_input_in_one_sentence() -> None:
    planted = signal("visits_sex_f", count(contacts("ed.attendance"), 90), "none", "health", "ed")
    honest = prepared().inputs.signals
    kept = choose_inputs((*honest, planted), ())
    assert kept.signals == honest
    assert ("visits_sex_f", "selects by a protected characteristic (sex)") in kept.excluded
    with pytest.raises(ConfigError, match=r"visits_sex_f selects by a protected .*Leave it out\."):
        Inputs((*honest, planted), ())


def test_the_page_is_in_words_and_names_no_child() -> None:
    checks = recorded(
        [
            *fairness.of_kind(Frame(court(), halves(7))),
            dataclasses.replace(asked(0.3), name="proxies_of_side"),
            group_lines.of_kind(Frame(court(), halves(7))),
        ]
    )
    page = fairness_page("Fairness of <made up>", checks)
    for words in ("Missed, of 100", "By side", "What stands for a group", "days_since_visit"):
        assert words in page
    assert "<made up>" not in page
    assert "<script" not in page
    told = page + json.dumps(checks, allow_nan=False)
    assert not any(one in told for one in court().rows.ids[:50])


def test_ages_are_told_from_the_youngest_on_and_what_is_not_recorded_last() -> None:
    ages = ["under 1", "1 to 4", "5 to 10", "11 to 15", "16 and 17", "not recorded"]
    texts = np.array(ages[::-1], dtype=object)
    groups = Groups.of("age", texts)
    assert list(groups.names) == ages
    assert [groups.names[code] for code in groups.code] == texts.tolist()
