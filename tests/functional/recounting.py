"""Counting a flag again from the contacts it lists, with the plain reference engine.

Nothing of the night's own numbers is used: each value comes from the listed contacts alone, the
statements and the opening from those values, and the page from all of them.
"""

from __future__ import annotations

import copy
import datetime as dt
import math
from collections import Counter
from typing import Any

from riskflag.clock import NEVER, day_number
from riskflag.nightly.joined import rules_of
from riskflag.scoring.reasons import state_of, strength_of
from riskflag.signals.expression import Age
from riskflag.signals.reference import value

Flag = dict[str, Any]

#: After these no absence may only mean that a child left; kinds of which a run may end.
OFF_ROLL = (
    *("school.home_educated", "school.missing_education", "school.move"),
    "school.permanent_exclusion",
)
EVENTS = (
    *("ed.attendance", "missing.episode", "missing.report", "police.child_concern"),
    *("police.da_incident", "police.exploitation", "school.bullying", "school.concern"),
    "school.suspension",
)


class Recount:
    """One flag counted again; `tally` says how many numbers of which kind were compared."""

    def __init__(self, flag: Flag, catalogue, rulebook) -> None:
        self.flag, self.catalogue, self.rulebook = flag, catalogue, rulebook
        self.day = day_number(dt.date.fromisoformat(flag["as_of"]))
        self.contacts = {c["contact_key"]: as_contact(c) for c in flag["contacts"]}
        self.tally: Counter[str] = Counter()

    def again(self) -> Flag:
        """The flag with every number on it made anew from the listed contacts."""
        made = copy.deepcopy(self.flag)
        for reason in made["reasons"]:
            self._reason(reason)
        for block in made["lowering"]:
            for signal in block["signals"]:
                self._signal(signal, signal["name"])
        made["improvement"] = self._improvement(made)
        made["why"] = self._why(made)
        made["voice"] = self._voice()
        self._shares(made)
        return made

    def _reason(self, reason: Flag) -> None:
        keys: set[str] = set()
        for rule in rules_of(reason):
            values = {}
            for condition in rule["conditions"]:
                values[condition["signal"]] = self._signal(condition, condition["signal"])
                if condition["speaks_for_rule"]:
                    keys |= set(condition["contact_keys"])
            rule["statement"] = self._statement(rule, values)
        for signal in (reason["model"] or {"signals": ()})["signals"]:
            self._signal(signal, signal["name"])
            keys |= set(signal["contact_keys"])
        reason["contact_keys"] = sorted(keys)
        reason["rests_on_absence"] = not keys
        reason["agencies"] = sorted({self.contacts[key]["agency"] for key in keys})
        self.tally["reasons"] += 1

    def _signal(self, told: Flag, name: str) -> float:
        """The value of a signal from the contacts listed behind it, put in place of what is told.

        What the night could not know because a feed was missing stays unknown.
        """
        found = value(
            self.catalogue.by_name[name].of,
            [self.contacts[key] for key in told["contact_keys"]],
            self.day,
            None,
        )
        if isinstance(self.catalogue.by_name[name].of, Age):
            found = float(self.flag["child"][f"age_{told['unit']}"])
        if told["state"] == "not_known":
            self.tally["not known"] += 1
            return math.nan
        told["value"] = found if math.isfinite(found) else None
        told["state"] = state_of(found)
        self.tally["values"] += 1
        return found

    def _statement(self, rule: Flag, values: dict[str, float]) -> str:
        """The statement from the recounted values; unknown where a feed was missing."""
        self.tally["statements"] += 1
        declared = self.rulebook.by_id[rule["id"]]
        whole = declared.text(values)
        # A feed that was not there is told in the statement; which one is not in the flag.
        partial = [name for name in values if declared.text(values, {name}) == rule["statement"]]
        return declared.text(values, partial[:1]) if partial else whole

    def _why(self, made: Flag) -> Flag:
        reasons = made["reasons"] or made["earlier_reasons"]
        keys = {key for reason in reasons for key in reason["contact_keys"]}
        found = [c for c in made["contacts"] if c["contact_key"] in keys and not c["withdrawn"]]
        days = [contact["occurred_on"] for contact in found]
        self.tally["openings"] += 1
        return {
            "contacts": len(found),
            "agencies": sorted({contact["agency"] for contact in found}),
            "from": min(days, default=None),
            "to": max(days, default=None),
        }

    def _improvement(self, made: Flag) -> list[Flag]:
        """Each improvement from the child's own listed records of that kind, up to its day.

        To which day a feed is complete is not in the flag; the other numbers are made anew. Where
        every feed was there to the last day, also what should have been told and was not.
        """
        told = [(one["kind"], one["type"], one["to"]) for one in made["improvement"]]
        assert all(to < made["as_of"] for _, _, to in told)
        self.tally["improvements"] += len(told)
        off_roll = any(self._own(name) for name in OFF_ROLL)
        if not off_roll and all(feed["state"] == "NEVER" for feed in made["not_seen"]):
            self.tally["improvements looked for"] += 1
            told += [one for one in self._due(made) if one not in told]
        return [one for one in (self._better(*each) for each in told) if one]

    def _due(self, made: Flag) -> list[tuple[str, str, str]]:
        """What may be told when every feed is complete to the day before."""
        last = (dt.date.fromisoformat(made["as_of"]) - dt.timedelta(days=1)).isoformat()
        reasons = made["reasons"] or made["earlier_reasons"]
        behind = {key for reason in reasons for key in reason["contact_keys"]}
        found = [
            ("run_over", name, last)
            for name in EVENTS
            if any(contact["contact_key"] in behind for contact in self._own(name))
        ]
        if 5 <= (made["child"]["age_years"] or 0) <= 15:
            found.append(("fewer_absences", "school.absence", last))
        return found

    def _own(self, name: str) -> list[Flag]:
        return [
            c
            for c in self.flag["contacts"]
            if c["type"] == name and c["link"] == "self" and not c["withdrawn"]
        ]

    def _better(self, kind: str, name: str, to: str) -> Flag | None:
        """One improvement counted by hand from the dates in the flag; None when there is none."""

        def ago(contact: Flag) -> int:
            return (dt.date.fromisoformat(to) - dt.date.fromisoformat(contact["occurred_on"])).days

        own = sorted(self._own(name), key=lambda c: c["occurred_on"])
        told: Flag = {"kind": kind, "type": name, "to": to}
        if kind == "fewer_absences":
            own = [c for c in own if 0 <= ago(c) < 180]
            told["before"] = sum(c["quantity"] for c in own if ago(c) >= 90)
            told["since"] = sum(c["quantity"] for c in own if ago(c) < 90)
            told["days"] = 90
            if told["before"] < 10 or 2 * told["since"] > told["before"]:
                return None
        elif kind == "run_over":
            told["days"] = ago(own[-1])
            own = [c for c in own if ago(c) - told["days"] < 365]
            if len(own) < 3 or not 90 <= told["days"] < 365:
                return None
        else:
            assert all(c["ended_on"] for c in own)
            own = [c for c in own if c["ended_on"] == to]
        return {**told, "contact_keys": sorted(c["contact_key"] for c in own)}

    def _voice(self) -> Flag:
        own = [c for c in self.flag["contacts"] if c["link"] == "self"]
        heard = [
            c for c in own if c["type"] == "care.child_voice" or c["attributes"]["voice"] == "yes"
        ]
        latest = max((contact["occurred_on"] for contact in heard), default=None)
        return {"contact_keys": [c["contact_key"] for c in heard], "latest": latest}

    def _shares(self, made: Flag) -> None:
        """The strength of each theme from the contributions of its signals."""
        totals: Counter[str] = Counter()
        for part in (made["model"] or {"contributions": ()})["contributions"]:
            totals[part["theme"]] += part["contribution"]
        push = sum(total for total in totals.values() if total > 0)
        for reason in made["reasons"]:
            model = reason["model"]
            if model is None:
                continue
            share = sum(totals[t] for t in (model["theme"], *model["also_themes"])) / push
            assert abs(share - model["share"]) < 1e-9
            model["strength"] = strength_of(share)
            self.tally["strengths"] += 1


def as_contact(told: Flag) -> Flag:
    """A listed contact as the reference engine takes one."""
    day = day_number(dt.date.fromisoformat(told["occurred_on"]))
    ended = told["ended_on"]
    return {
        **told["attributes"],
        "agency": told["agency"],
        "type": told["type"],
        "link": told["link"],
        "occurred_day": day,
        "known_day": day_number(dt.date.fromisoformat(told["known_on"])),
        "superseded_day": NEVER,
        "ended_day": None if ended is None else day_number(dt.date.fromisoformat(ended)),
        "open_ended": ended is None,
        "quantity": told["quantity"],
        "duration_days": None
        if ended is None
        else float(day_number(dt.date.fromisoformat(ended)) - day),
    }
