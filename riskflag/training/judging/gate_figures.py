"""The gates that read a run's figures: is it better than what anybody could do, and is it honest?

What a run did not measure does not hold: such a gate says so and what to do. Where too few outcomes
came to decide, the experiment says whether it holds (`undecided_holds`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from riskflag.training.data.experiment import ExperimentConfig, PromotionConfig
from riskflag.training.data.outcome import matured
from riskflag.training.data.prepare import Prepared
from riskflag.training.judging.gates import Gate

RULES = "rules alone"
CONTACTS = ("number of contacts", "contacts in the last year")
#: The gates of this file, by what they are called wherever they are told.
OVER_RULES, OVER_CONTACTS = "better than the rules alone", "better than counting contacts"
ENOUGH = "enough outcomes to judge by"
SANE = "probabilities are sane"
TIME = "every outcome had its time"
APART = "no window saw the outcomes of a later one"
NOTHING_KNOWS = "nothing knows the outcome"
MONTHS = "every month has its outcomes"
OWN_FLAGS = "our own flags did not make the outcome"
CONTENT = "content, not amount of contact"
OUTAGE = "no feed is all it rests on"
MISSED = "no group is missed more"
LISTED = "no group is listed for less"
LEVEL = "the level is right in every group"
PROXIES = "no input stands for a protected group"
GATES = frozenset(
    {
        ENOUGH,
        OVER_RULES,
        OVER_CONTACTS,
        SANE,
        TIME,
        APART,
        NOTHING_KNOWS,
        MONTHS,
        OWN_FLAGS,
        CONTENT,
    }
    | {OUTAGE, MISSED, LISTED, LEVEL, PROXIES}
)
#: Those that a person may take upon themselves, with a reason: what is fair and what is enough is
#: theirs to weigh. What is a fault of the model, the data or the record is not.
SIGNABLE = frozenset({CONTENT, OUTAGE, MISSED, LISTED, LEVEL, PROXIES})
FAULT, LOOK, NOT_KNOWN = "fault", "look", "not known"
NOT_MEASURED = "not measured; train the run again with this version"

Figure = Mapping[str, float | None]


def of_figures(result: Mapping[str, Any], limits: PromotionConfig) -> tuple[Gate, ...]:
    """Every gate that a run's result decides."""
    read = _Reading(result, limits)
    return (
        read.enough(),
        read.better(OVER_RULES, (RULES,)),
        read.better(OVER_CONTACTS, CONTACTS),
        read.calibrated(),
        read.outcomes_had_time(),
        read.windows_apart(),
        read.knows_nothing(),
        *read.of_checks(),
    )


def timing(prepared: Prepared, config: ExperimentConfig) -> dict[str, Any]:
    """What the gates on time read: whether outcomes were over, and the days between windows."""
    split, test = prepared.split, prepared.test
    if config.outcome.table is not None:
        # Labels say when they ended; those of the other windows must have, before the first test.
        ends = max(int(w.labels.day.max()) for w in (prepared.train, prepared.calibration))
        return {"over": True, "days_apart": int(test.rows.as_of.min()) - ends}
    horizon, settle = config.outcome.horizon_days, config.outcome.settle_days
    last = split.test[-1]
    apart = min(
        split.calibration[0] - split.train[-1] - horizon,
        split.test[0] - split.calibration[-1] - horizon,
    )
    over = matured(last, horizon=horizon, settle=settle, cut=split.cut)
    return {"over": bool(over), "days_apart": apart, "days_to_cut": split.cut - last}


@dataclass(frozen=True)
class _Reading:
    """A run's result and the limits it is held to."""

    result: Mapping[str, Any]
    limits: PromotionConfig

    @property
    def decided(self) -> bool:
        """Whether enough children had the outcome to decide anything by it."""
        return bool(self.result["children_with_outcome"] >= self.limits.fewest_outcomes)

    def enough(self) -> Gate:
        children, asked = self.result["children_with_outcome"], self.limits.fewest_outcomes
        told = f"{children} children had the outcome"
        if not self.decided and self.limits.undecided_holds:
            told = f"undecided: {told}, and the experiment accepts it"
        passed = self.decided or self.limits.undecided_holds
        return Gate(ENOUGH, passed, told, f"at least {asked} children")

    def better(self, name: str, baselines: tuple[str, ...]) -> Gate:
        """More of the list has the outcome than of a list as long by any of the baselines."""
        asked = "more found at capacity, interval above zero"
        known = [one for one in baselines if one in self.result["gain_over"]]
        if len(known) < len(baselines):
            return Gate(
                name, False, f"not measured; there is no list by {baselines[0]} here", asked
            )
        gains = {one: self.result["gain_over"][one]["precision_at_capacity"] for one in known}
        least, gain = min(gains.items(), key=lambda item: _or(item[1]["low"], -1.0))
        told = f"precision {_signed(gain['value'])} {_between(gain)} against {least}"
        if self.decided:
            return Gate(name, _or(gain["low"], -1.0) > 0, told, asked)
        passed = self.limits.undecided_holds and _or(gain["high"], -1.0) >= 0
        return Gate(name, passed, f"undecided: {told}", asked)

    def calibrated(self) -> Gate:
        slope = self.result["calibration"]["slope"]
        level = self.result["calibration"]["expected_over_observed"]
        wanted, around = self.limits.slope_within, self.limits.level_within
        passed = _reaches(slope, wanted) and _reaches(level, around)
        told = (
            f"slope {_number(slope['value'])} {_between(slope)}, "
            f"foretold/observed {_number(level['value'])} {_between(level)}"
        )
        asked = f"slope in {_span(wanted)}, foretold/observed in {_span(around)}"
        if not self.decided:
            passed, told = self.limits.undecided_holds, f"undecided: {told}"
        return Gate(SANE, passed, told, asked)

    def outcomes_had_time(self) -> Gate:
        name, asked = TIME, "horizon and settling over before the cut"
        told = self.result.get("timing")
        if told is None:
            return Gate(name, False, NOT_MEASURED, asked)
        days = told.get("days_to_cut")
        words = "every label says when it ended" if days is None else f"{days} days before the cut"
        return Gate(name, told["over"], f"last test date: {words}", asked)

    def windows_apart(self) -> Gate:
        name, asked = APART, "a whole horizon between windows"
        told = self.result.get("timing")
        if told is None:
            return Gate(name, False, NOT_MEASURED, asked)
        days = told["days_apart"]
        return Gate(name, days >= 0, f"{days} days to spare", asked)

    def knows_nothing(self) -> Gate:
        """No signal, and not the model, tells what records of those days could not tell."""
        name, asked = NOTHING_KNOWS, "no suspect signal, no figure from later records"
        leaks = self.result.get("leaks")
        if leaks is None:
            return Gate(name, False, NOT_MEASURED, asked)
        suspects = [one["signal"] for one in leaks["suspects"]]
        shifted = self._check("time_shifted_auroc")
        if shifted is not None and shifted["verdict"] == FAULT:
            return Gate(name, False, str(shifted["sentence"]), asked)
        told = f"suspect signals: {', '.join(suspects) or 'none'}"
        return self._unless_few(Gate(name, not suspects, told, asked))

    def of_checks(self) -> Iterator[Gate]:
        """The gates that rest on the checks of the run."""
        yield self._no_fault(MONTHS, ("base_rate_by_month",))
        yield self._no_look(OWN_FLAGS, "outcomes_after_our_own_flag")
        yield self._content()
        yield self._outage()
        yield self._groups(MISSED, "missed_cases_by_", self.limits.widest_gap)
        level = math.log(self.limits.widest_level)
        yield self._groups(LISTED, "false_alarms_by_", level)
        yield self._groups(LEVEL, "level_by_", level)
        yield self._proxies()

    def _no_fault(self, name: str, checks: tuple[str, ...]) -> Gate:
        asked, found = "no fault", [self._check(one) for one in checks]
        known = [one for one in found if one is not None]
        if len(known) < len(checks):
            return Gate(name, False, NOT_MEASURED, asked)
        bad = [one for one in known if one["verdict"] == FAULT]
        told = (bad or known)[0]
        return Gate(name, not bad and self._told(told), _said(told), asked)

    def _no_look(self, name: str, check: str) -> Gate:
        found, asked = self._check(check), "nothing to look at"
        if found is None:
            return Gate(name, False, NOT_MEASURED, asked)
        passed = found["verdict"] not in (FAULT, LOOK) and self._told(found)
        return Gate(name, passed, _said(found), asked)

    def _content(self) -> Gate:
        name, most = CONTENT, self.limits.explained_by_contact
        found, asked = self._check("score_explained_by_contact"), f"at most {most:.0%} of the score"
        if found is None:
            return Gate(name, False, NOT_MEASURED, asked)
        value = found["figure"]["value"]
        if value is None:
            return Gate(name, self.limits.undecided_holds, f"undecided: {found['sentence']}", asked)
        return Gate(name, value <= most, f"{value:.0%} is explained by amount of contact", asked)

    def _outage(self) -> Gate:
        name, least = OUTAGE, self.limits.kept_without_a_feed
        found, asked = self._check("feed_outage"), f"{least:.0%} still found without any one feed"
        if found is None:
            return Gate(name, False, NOT_MEASURED, asked)
        kept = {r["feed"]: r["found_kept"] for r in found["table"] if r["found_kept"] is not None}
        if not kept:
            return Gate(name, self.limits.undecided_holds, f"undecided: {found['sentence']}", asked)
        worst = min(kept, key=lambda feed: (kept[feed], feed))
        told = f"{kept[worst]:.0%} still found without {worst}"
        return self._unless_few(Gate(name, kept[worst] >= least, told, asked))

    def _groups(self, name: str, begins: str, limit: float) -> Gate:
        """A gap that is clear and wider than agreed; told of the widest of all kinds of group."""
        shown = (
            f"by less than a factor {math.exp(limit):.2f}"
            if begins != "missed_cases_by_"
            else (f"by less than {limit * 100:.0f} in 100")
        )
        asked = f"no clear gap between groups, {shown}"
        found = [one for one in self._checks if one["name"].startswith(begins)]
        if not found and self._check("groups") is None:
            return Gate(name, False, NOT_MEASURED, asked)
        known = [one for one in found if one["verdict"] != NOT_KNOWN]
        if not known:
            told = "no group is large enough, or none is recorded, to tell"
            return Gate(name, self.limits.undecided_holds, f"undecided: {told}", asked)
        wide = [
            one
            for one in known
            if one["verdict"] != "fine" and abs(_or(one["figure"]["value"], 0.0)) > limit
        ]
        worst = max(wide or known, key=lambda one: abs(_or(one["figure"]["value"], 0.0)))
        return self._unless_few(Gate(name, not wide, str(worst["sentence"]), asked))

    def _proxies(self) -> Gate:
        name, most = PROXIES, self.limits.strongest_proxy
        asked = f"AUROC of any group below {most:g}, no signal alone"
        found = [one for one in self._checks if one["name"].startswith("proxies_of_")]
        if not found and self._check("groups") is None:
            return Gate(name, False, NOT_MEASURED, asked)
        known = [one for one in found if one["verdict"] != NOT_KNOWN]
        if not known:
            told = "no group is large enough, or none is recorded, to tell"
            return Gate(name, self.limits.undecided_holds, f"undecided: {told}", asked)
        worst = max(
            known, key=lambda one: (one["verdict"] == FAULT, _or(one["figure"]["low"], 0.0))
        )
        low = _or(worst["figure"]["low"], 0.0)
        return Gate(name, worst["verdict"] != FAULT and low < most, str(worst["sentence"]), asked)

    def _unless_few(self, gate: Gate) -> Gate:
        """The gate, or undecided where it does not hold by outcomes too few to decide."""
        if gate.passed or self.decided or not self.limits.undecided_holds:
            return gate
        return replace(gate, passed=True, measured=f"undecided: {gate.measured}")

    @property
    def _checks(self) -> list[Mapping[str, Any]]:
        return list(self.result.get("checks", ()))

    def _check(self, name: str) -> Mapping[str, Any] | None:
        return next((one for one in self._checks if one["name"] == name), None)

    def _told(self, check: Mapping[str, Any]) -> bool:
        """Whether the check could tell; one that could not holds where the experiment says so."""
        return check["verdict"] != NOT_KNOWN or self.limits.undecided_holds


def _said(check: Mapping[str, Any]) -> str:
    begins = "undecided: " if check["verdict"] == NOT_KNOWN else ""
    return f"{begins}{check['sentence']}"


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _reaches(figure: Figure, within: tuple[float, float]) -> bool:
    low, high = figure["low"], figure["high"]
    return low is not None and high is not None and low <= within[1] and high >= within[0]


def _span(within: tuple[float, float]) -> str:
    return f"{within[0]:g} to {within[1]:g}"


def _between(figure: Figure) -> str:
    return f"({_number(figure['low'])} to {_number(figure['high'])})"


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return "not known" if value is None else f"{value:+.3f}"
