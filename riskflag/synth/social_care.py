"""Children's social care, step by step: contact, referral, assessment, enquiry, plan, care.

Unlike other agencies, what social care does depends on what it did before (a case that is open gets
no new referral, a child on a plan is watched more closely), so time is walked through in steps, all
children at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from riskflag.progress import Progress, silent
from riskflag.synth.approach import GROUPS, SOURCES
from riskflag.synth.draws import Array, Columns, chance, choose, take
from riskflag.synth.people import FAR
from riskflag.synth.period import STEP, YEAR
from riskflag.synth.risk import INCLUDED
from riskflag.synth.scene import Scene

#: How likely a contact of middling severity from each group becomes a referral.
CONVERSION = {
    "police": 0.029,
    "schools": 0.168,
    "education services": 0.212,
    "health": 0.071,
    "housing": 0.071,
    "local authority services": 0.098,
    "individuals": 0.059,
    "other legal agency": 0.202,
    "other": 0.117,
    "anonymous": 0.068,
    "unknown": 0.109,
}
#: Who raises what leads to an enquiry about a child not yet open to social care.
ALARM = {
    "police": 0.40,
    "schools": 0.22,
    "health": 0.2,
    "local authority services": 0.1,
    "individuals": 0.08,
}
#: The hazard while a case is open, on a protection plan, in care, as multiples of the hazard else.
MULTIPLIER = np.asarray([1.0, 1.7, 0.3, 0.06])
NFA_AT_REFERRAL = 0.09
DIRECT_CARE = 1.0
# outcomes of a contact
TO_REFERRAL, EXISTING, NFA, ADVICE, OTHER, ENQUIRY = range(6)


@dataclass
class Ledger:
    """Everything social care wrote, as lists of column tables appended step by step."""

    parts: dict[str, list[Columns]] = field(default_factory=dict)
    referrals: int = 0

    def write(self, name: str, rows: Columns) -> None:
        self.parts.setdefault(name, []).append(rows)

    def table(self, name: str) -> Columns:
        parts = self.parts[name]
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


@dataclass
class State:
    """Where every child stands: day numbers until which something lasts, and the open referral."""

    open_until: Array
    plan_until: Array
    care_until: Array
    referral: Array
    recent: Array  # contacts of the last year, fading

    @classmethod
    def of(cls, n: int) -> State:
        nothing = np.zeros(n, np.int64)
        return cls(nothing, nothing.copy(), nothing.copy(), np.full(n, -1), np.zeros(n))

    def status(self, child: Array, day: Array) -> Array:
        """0 not known, 1 open, 2 on a plan, 3 in care (index into MULTIPLIER)."""
        status = (self.open_until[child] > day).astype(np.int64)
        status = np.where(self.plan_until[child] > day, 2, status)
        return np.where(self.care_until[child] > day, 3, status)


def serve(scene: Scene, contacts: Columns, progress: Progress = silent) -> dict[str, Columns]:
    """Walk through time; returns contacts, referrals, enquiries, conferences, plans, care."""
    services = _Services(scene)
    edges = np.searchsorted(contacts["step"], np.arange(scene.calendar.steps + 1))
    for step in range(scene.calendar.steps):
        services.receive(take(contacts, np.arange(edges[step], edges[step + 1])))
        services.enquire(step)
        services.take_into_care(step)
        services.state.recent *= 0.93
        progress("social care", step + 1, scene.calendar.steps)
    return services.tables()


class _Services:
    """One authority's social care while it works."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.rng = scene.rng("social care")
        self.state = State.of(scene.people.children.n)
        self.ledger = Ledger()
        self.closing: list[tuple[Array, Array]] = []
        group_of = {code: group for group, codes in GROUPS.items() for code in codes}
        self.conversion = np.asarray([CONVERSION[group_of[code]] for code in SOURCES])

    # -- contacts and referrals

    def receive(self, contacts: Columns) -> None:
        """Decide every contact of one step; the first that convinces opens a case."""
        child, day, state = contacts["child"], contacts["day"], self.state
        severity = contacts["severity"]
        often = 1 + 1.2 * np.log1p(state.recent[child])
        often *= 0.5 + 1.1 * self.trouble(child, contacts["step"])
        convinces = self.conversion[contacts["source"]] * (0.5 + severity) * often
        wins = (contacts["draw"] < convinces) & (state.open_until[child] <= day)
        first = np.full(len(state.recent), FAR)
        np.minimum.at(first, child[wins], day[wins])
        rows = np.flatnonzero(wins & (day == first[child]))
        rows = rows[np.unique(child[rows], return_index=True)[1]]
        known = (state.open_until[child] > day) | (day >= first[child])
        plain = choose(self.rng, [0.62, 0.26, 0.12], len(child)) + NFA
        outcome = np.where(known, EXISTING, plain)
        outcome[rows] = TO_REFERRAL
        self.ledger.write("contacts", contacts | {"outcome": outcome})
        np.add.at(state.recent, child, 1)
        self.refer(take(contacts, rows))

    def refer(self, contacts: Columns) -> None:
        """Open a case for each contact: decide how far it goes and when it closes."""
        rng, n, child = self.rng, len(contacts["day"]), contacts["child"]
        day = contacts["day"] + choose(rng, [0.7, 0.25, 0.05], n)
        trouble = self.trouble(child, contacts["step"])
        nfa = chance(rng, NFA_AT_REFERRAL, n)
        assessed = ~nfa & chance(rng, 0.93, n)
        start = day + 1 + choose(rng, [0.4, 0.3, 0.15, 0.1, 0.05], n)
        done = start + np.clip(rng.gamma(5, 8.5, n), 5, 110).astype(np.int64)
        enough = 1 / (1 + np.exp(1.15 - 2.1 * trouble))
        needed = assessed & chance(rng, 0.27 + 0.5 * enough, n)
        planned = needed & chance(rng, 0.4 + 0.3 * enough, n)
        plan_end = done + (20 + rng.gamma(2.2, 75, n)).astype(np.int64)
        closes = np.where(
            nfa, day + 2, np.where(assessed, done + 3, day + 20 + rng.integers(0, 40, n))
        )
        closes = np.where(needed & ~planned, done + 20 + rng.integers(0, 40, n), closes)
        closes = np.where(planned, plan_end, closes)
        self.open_case(
            contacts,
            day,
            closes,
            nfa=nfa,
            assessed=assessed,
            start=start,
            done=done,
            assessed_nfa=assessed & ~needed,
            cin_plan=planned,
            strategy=np.zeros(n, bool),
        )

    def open_case(self, contacts: Columns, day: Array, closes: Array, **more: Array) -> None:
        child, n = contacts["child"], len(day)
        numbers = self.ledger.referrals + np.arange(n)
        self.ledger.referrals += n
        self.state.referral[child] = numbers
        self.state.open_until[child] = closes
        columns = {name: contacts[name] for name in ("child", "step", "source")}
        self.ledger.write("referrals", columns | {"referral": numbers, "day": day} | more)
        self.closing.append((numbers, closes))

    def extend(self, child: Array, until: Array) -> None:
        """Keep the open case of each child open at least until a day."""
        self.state.open_until[child] = np.maximum(self.state.open_until[child], until)
        self.closing.append((self.state.referral[child], self.state.open_until[child]))

    def trouble(self, child: Array, step: Array) -> Array:
        """How much is wrong, 0..1 and a little more, as a good assessment would find it."""
        events = {"child": child, "step": step}
        total = sum(
            self.scene.at(name, events)
            for name in ("neglect", "domestic_abuse", "abuse", "exploitation")
        )
        rest = sum(
            self.scene.at(name, events)
            for name in ("substance", "distress", "parent_mental_health")
        )
        return np.asarray(total + 0.5 * rest)

    # -- enquiries, conferences, plans

    def incidents(self, step: int) -> Columns:
        """Harm that comes to light in this step, one row per child at most."""
        risk, rng, most = self.scene.risk, self.rng, MULTIPLIER.max()
        house = np.flatnonzero(
            chance(rng, 1 - np.exp(-risk.household[:, step] * STEP * most), len(risk.household))
        )
        day = self.scene.calendar.begins(step, self.scene.people.households.phase[house])
        shared = {"household": house, "step": np.full(len(house), step)}
        shared["day"] = day + rng.integers(0, STEP, len(house))
        together = self.scene.spread(shared)
        together = take(together, chance(rng, INCLUDED, len(together["day"])))
        alone = np.flatnonzero(
            chance(rng, 1 - np.exp(-risk.child[:, step] * STEP * most), len(risk.child))
        )
        day = self.scene.calendar.begins(step, self.scene.people.phase[alone])
        own = {
            "child": alone,
            "step": np.full(len(alone), step),
            "day": day + rng.integers(0, STEP, len(alone)),
        }
        own = take(own, self.scene.lives_here(own))
        parts = [
            {name: part[name] for name in ("child", "step", "day")} for part in (together, own)
        ]
        both = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        both["own"] = np.arange(len(both["day"])) >= len(together["day"])
        return take(both, np.unique(both["child"], return_index=True)[1])

    def enquire(self, step: int) -> None:
        """Section 47 enquiries of one step and what follows from them."""
        rng, state = self.rng, self.state
        found = self.incidents(step)
        status = state.status(found["child"], found["day"])
        found = take(found, chance(rng, MULTIPLIER[status] / MULTIPLIER.max(), len(status)))
        child, day = found["child"], found["day"]
        fresh = state.open_until[child] <= day
        self.raise_alarm(take(found, fresh))
        n = len(child)
        day = day + choose(rng, [0.5, 0.3, 0.2], n)
        trouble = self.trouble(child, found["step"])
        status = state.status(child, day)
        conference = (status < 2) & chance(rng, np.clip(0.11 + 0.135 * trouble, 0, 0.8), n)
        ends = day + 8 + rng.integers(0, 9, n)
        outcome = np.where(conference, 1, np.where(chance(rng, 0.45, n), 0, 2))
        self.extend(child, ends + np.where(outcome == 0, 5, 45))
        enquiry = found | {"day": day, "ends": ends, "outcome": outcome}
        enquiry |= {"referral": state.referral[child], "contact_source": np.where(fresh, 1, 0)}
        self.ledger.write("enquiries", enquiry)
        self.confer(take(enquiry, conference))
        removed = (status != 3) & chance(rng, 0.045, n)
        self.place(take(enquiry, removed), "enquiry")

    def raise_alarm(self, found: Columns) -> None:
        """A contact and a referral for children who were not open when harm came to light."""
        rng, n = self.rng, len(found["day"])
        groups = list(ALARM)
        chosen = choose(rng, [ALARM[group] for group in groups], n)
        first = np.asarray([SOURCES.index(GROUPS[group][0]) for group in groups])
        size = np.asarray([len(GROUPS[group]) for group in groups])
        contacts = {name: found[name] for name in ("child", "day", "step")}
        contacts |= {
            "source": first[chosen] + rng.integers(0, 100, n) % size[chosen],
            "severity": np.ones(n),
            "draw": np.zeros(n),
            "incident": np.full(n, -1),
            "missing": np.zeros(n, bool),
        }
        self.ledger.write("contacts", contacts | {"outcome": np.full(n, ENQUIRY)})
        np.add.at(self.state.recent, found["child"], 1)
        done = found["day"] + np.clip(rng.gamma(5, 8, n), 7, 100).astype(np.int64)
        nothing = np.zeros(n, bool)
        planned = chance(rng, 0.45, n)
        closes = done + np.where(planned, 30 + rng.gamma(2.2, 70, n).astype(np.int64), 10)
        more = {"nfa": nothing, "assessed": ~nothing, "start": found["day"], "done": done}
        more |= {
            "assessed_nfa": ~planned & chance(rng, 0.4, n),
            "cin_plan": planned,
            "strategy": ~nothing,
        }
        self.open_case(contacts, found["day"], closes, **more)

    def confer(self, enquiry: Columns) -> None:
        """Initial conferences, and the protection plans most of them start."""
        rng, n, child = self.rng, len(enquiry["day"]), enquiry["child"]
        target = enquiry["day"] + 21
        day = enquiry["day"] + np.where(
            chance(rng, 0.8, n), rng.integers(15, 22, n), rng.integers(8, 45, n)
        )
        planned = chance(rng, 0.86, n) & (self.state.care_until[child] <= day)
        length = np.clip(rng.gamma(2.4, 130, n), 60, 1100).astype(np.int64)
        ends = np.minimum(day + length, self.scene.eighteenth[child])
        planned &= ends > day + 30
        columns = {name: enquiry[name] for name in ("child", "step", "referral")}
        rows = columns | {
            "day": day,
            "target": target,
            "planned": planned,
            "enquiry_day": enquiry["day"],
        }
        self.ledger.write("conferences", rows)
        kept = take(rows | {"ends": ends}, planned)
        self.ledger.write("plans", kept)
        self.state.plan_until[kept["child"]] = kept["ends"]
        self.extend(kept["child"], kept["ends"] + 60)
        leaving = take(kept, chance(rng, 0.12, len(kept["day"])))
        wait = (leaving["ends"] - leaving["day"]) * rng.random(len(leaving["day"]))
        self.place(leaving | {"day": leaving["day"] + wait.astype(np.int64)}, "plan")

    # -- care

    def take_into_care(self, step: int) -> None:
        """Coming into care without an enquiry before: breakdown at home, disability, arrival."""
        scene, rng = self.scene, self.rng
        risk = scene.risk.care[:, step] * STEP * DIRECT_CARE
        child = np.flatnonzero(chance(rng, 1 - np.exp(-risk), len(risk)))
        day = scene.calendar.begins(step, scene.people.phase[child]) + rng.integers(
            0, STEP, len(child)
        )
        rows = {"child": child, "step": np.full(len(child), step), "day": day}
        rows = take(rows, scene.lives_here(rows) & (self.state.care_until[child] <= day))
        self.raise_alarm(take(rows, self.state.open_until[rows["child"]] <= rows["day"]))
        self.place(rows, "direct")

    def place(self, rows: Columns, cause: str) -> None:
        """Children begin to be looked after."""
        rng, n, child = self.rng, len(rows["day"]), rows["child"]
        rows = take(
            rows, self.scene.lives_here(rows) & (self.state.care_until[child] <= rows["day"])
        )
        n, child = len(rows["day"]), rows["child"]
        short = chance(rng, 0.28, n)
        length = np.where(short, rng.integers(7, 120, n), 120 + rng.exponential(800, n)).astype(
            np.int64
        )
        ends = np.minimum(rows["day"] + length, self.scene.eighteenth[child])
        self.state.care_until[child] = ends
        self.extend(child, ends + 30)
        causes = ("enquiry", "plan", "direct")
        columns = {name: rows[name] for name in ("child", "step", "day")}
        columns |= {"ends": ends, "cause": np.full(n, causes.index(cause))}
        self.ledger.write("care", columns | {"referral": self.state.referral[child]})

    def tables(self) -> dict[str, Columns]:
        """Everything written, with the day each referral closed at last."""
        names = ("contacts", "referrals", "enquiries", "conferences", "plans", "care")
        tables = {name: self.ledger.table(name) for name in names}
        closes = np.zeros(self.ledger.referrals, np.int64)
        for numbers, days in self.closing:
            np.maximum.at(closes, numbers[numbers >= 0], days[numbers >= 0])
        eighteenth = self.scene.eighteenth[tables["referrals"]["child"]]
        closes = closes[tables["referrals"]["referral"]]
        tables["referrals"]["closes"] = np.minimum(
            closes, np.maximum(eighteenth, tables["referrals"]["day"])
        )
        return tables


__all__ = ["MULTIPLIER", "YEAR", "serve"]
