"""Police: notices (domestic abuse, concern, exploitation), missing reports, crime, custody, stops.

One domestic abuse incident makes a notice for every child of the household, a contact with
social care and sometimes an adult conference; they carry the same incident reference.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from riskflag.synth import text
from riskflag.synth.draws import Array, Columns, chance, choose, choose_by_row, take
from riskflag.synth.extract import Correction, Extract
from riskflag.synth.identity import Identity
from riskflag.synth.scene import Scene

STAMP = "%d/%m/%Y"
GRADES = ("Green", "Amber", "Red")
NOTICES = ("Domestic abuse", "Child concern", "Exploitation")


def _grade(rng: np.random.Generator, severity: Array, base: tuple[float, float, float]) -> Array:
    """Low, medium or high: higher grades for more severe trouble."""
    weights = np.stack(
        [base[0] * (1 - 0.7 * severity), base[1] + 0 * severity, base[2] + severity * 0.5], 1
    )
    return choose_by_row(rng, weights)


def domestic_abuse(scene: Scene) -> Columns:
    """Notices per child of each incident: plus household, incident, grade, present, voice."""
    homes, rng = scene.people.households, scene.rng("da kind")
    rate = 0.018 + 1.6 * scene.h("domestic_abuse") + 0.25 * scene.h("substance")
    incidents = scene.for_households("da incident", rate * homes.reporting[:, None])
    severity = scene.home_at("domestic_abuse", incidents)
    incidents["grade"] = _grade(rng, severity, (0.62, 0.3, 0.06))
    incidents["draw"] = rng.random(len(severity))
    events = scene.spread(incidents)
    n = len(events["day"])
    return events | {"present": chance(rng, 0.55, n), "voice": chance(rng, 0.2, n)}


def child_notices(scene: Scene) -> Columns:
    """Notices about one child: plus kind (1 concern, 2 exploitation), grade, voice."""
    rng = scene.rng("notice kind")
    home = scene.people.children.household
    reporting = scene.people.households.reporting[home][:, None]
    rate = (
        0.02
        + 0.4 * scene.x("neglect")
        + 0.35 * scene.x("substance")
        + 0.5 * scene.x("exploitation")
    )
    rate += (
        0.25 * scene.x("parent_mental_health") + 0.25 * scene.x("distress") + 0.3 * scene.x("abuse")
    )
    worry = scene.for_children("police concern", rate * reporting)
    used = scene.for_children(
        "exploited", (0.003 + 0.9 * scene.x("exploitation") ** 1.5) * reporting, (10, 18)
    )
    parts = [
        worry | {"kind": np.full(len(worry["day"]), 1)},
        used | {"kind": np.full(len(used["day"]), 2)},
    ]
    events = {
        name: np.concatenate([part[name] for part in parts]) for name in worry | {"kind": None}
    }
    severity = np.maximum(scene.at("neglect", events), scene.at("exploitation", events))
    n = len(severity)
    return events | {
        "grade": _grade(rng, severity, (0.55, 0.35, 0.1)),
        "voice": chance(rng, 0.25, n),
    }


def missing_reports(scene: Scene) -> Columns:
    """Reports of a missing child: plus hours until found, grade, place."""
    rng = scene.rng("missing kind")
    home = scene.people.children.household
    rate = 0.012 + 2.4 * scene.x("exploitation") ** 1.5 + 0.5 * scene.x("distress") ** 2
    rate = rate + 0.12 * scene.x("neglect")
    rate = rate * scene.people.households.reporting[home][:, None] ** 0.5
    events = scene.for_children("missing", rate, (9.0, 18.0))
    severity = scene.at("exploitation", events)
    n = len(severity)
    return events | {
        "hours": np.ceil(rng.lognormal(1.8 + 0.9 * severity, 1.1)).clip(1, 700).astype(np.int64),
        "grade": choose_by_row(
            rng,
            np.stack(
                [np.full(n, 0.15), np.full(n, 0.25), 0.45 + 0 * severity, 0.1 + 0.5 * severity], 1
            ),
        ),
        "place": choose(rng, [0.78, 0.08, 0.1, 0.04], n),
    }


def crimes(scene: Scene) -> Columns:
    """Crime reports, arrests and stops: kind is victim, witness, suspect, arrest, stop."""
    age, conduct = scene.age, scene.people.children.conduct[:, None]
    exploited = scene.x("exploitation")
    over_ten = age >= 10
    rates = (
        0.012 + 0.2 * scene.x("abuse") + 0.3 * exploited,
        0.006 + 0.1 * scene.x("domestic_abuse"),
        over_ten * (0.012 * conduct + 0.5 * exploited),
        over_ten * (0.004 * conduct + 0.4 * exploited),
        over_ten * (0.01 * conduct + 0.25 * exploited),
    )
    parts = []
    for kind, rate in enumerate(rates):
        drawn = scene.for_children(
            f"crime {kind}", np.asarray(rate), (10.0 if kind > 1 else 0.0, 18.0)
        )
        parts.append(drawn | {"kind": np.full(len(drawn["day"]), kind)})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _shared(scene: Scene, name: str, days: Array, grades: Array) -> Array:
    """The day a notice reaches the authority: next morning, or days later for low grades."""
    rng = scene.rng(f"{name} sharing")
    slow = chance(rng, np.where(grades == 0, 0.25, 0.05), len(days))
    return days + 1 + rng.integers(0, 2, len(days)) + slow * rng.integers(3, 21, len(days))


def write_notices(scene: Scene, ids: Identity, abuse: Columns, child: Columns) -> Extract:
    """Public protection notices; green domestic abuse notices are shared only in part."""
    rng = scene.rng("notice file")
    shared = (abuse["grade"] > 0) | (abuse["draw"] < 0.7)
    abuse = take(abuse, shared)
    n, m = len(abuse["day"]), len(child["day"])
    join = {
        name: np.concatenate([abuse[name], child[name]])
        for name in ("child", "day", "minute", "grade", "voice")
    }
    kind = np.concatenate([np.zeros(n, int), child["kind"]])
    incident = np.concatenate([abuse["incident"], 10**7 + np.arange(m)])
    present = np.concatenate([abuse["present"] * 1, np.full(m, -1)])
    recorded = _shared(scene, "notice", join["day"], join["grade"])
    reference, errors = ids.write("police_notices", "police_ref", join["child"])
    table = pa.table(
        {
            "NoticeRef": text.numbered("PPN", np.arange(n + m), 9),
            "IncidentRef": text.numbered("INC", incident, 9),
            "NominalRef": reference,
            "NoticeCategory": text.coded(NOTICES, kind),
            "IncidentDateTime": text.moment(join["day"], join["minute"], STAMP, " "),
            "Grade": text.coded(GRADES, join["grade"]),
            "ChildPresent": text.coded(["N", "Y"], present),
            "VoiceOfChildRecorded": text.yes_no(join["voice"]),
            "OfficerId": text.numbered("OF", rng.integers(0, 800, n + m), 4),
            "SharedDateTime": text.moment(recorded, rng.integers(420, 700, n + m), STAMP, " "),
        }
    )
    return Extract(
        "police_notices",
        table,
        join["day"],
        recorded,
        key="NoticeRef",
        errors=errors,
        correction=Correction("Grade", GRADES[:2]),
        stamps=("SharedDateTime",),
    )


def write_missing(scene: Scene, ids: Identity, events: Columns) -> Extract:
    """Missing person reports, with the grade at closing."""
    n = len(events["day"])
    found = events["day"] + (events["minute"] // 60 + events["hours"]) // 24
    recorded = np.maximum(_shared(scene, "missing", events["day"], events["grade"]), found)
    reference, errors = ids.write("police_missing", "police_ref", events["child"])
    table = pa.table(
        {
            "MissingRef": text.numbered("MP", np.arange(n), 8),
            "NominalRef": reference,
            "LastSeenDateTime": text.moment(events["day"], events["minute"], STAMP, " "),
            "FoundDateTime": text.moment(
                found, events["minute"] + 60 * events["hours"], STAMP, " "
            ),
            "MissingFrom": text.coded(["Home", "Care", "School", "Hospital"], events["place"]),
            "RiskGrade": text.coded(["No apparent", "Low", "Medium", "High"], events["grade"]),
            "SharedDateTime": text.moment(recorded, events["minute"], STAMP, " "),
        }
    )
    return Extract(
        "police_missing",
        table,
        events["day"],
        recorded,
        key="MissingRef",
        errors=errors,
        correction=Correction("RiskGrade", ("Medium",)),
        stamps=("SharedDateTime",),
    )


def write_crimes(scene: Scene, ids: Identity, events: Columns) -> Extract:
    """Crime reports, custody records and stops that name a child."""
    rng = scene.rng("crime file")
    n = len(events["day"])
    recorded = events["day"] + rng.integers(1, 25, n)
    reference, errors = ids.write("police_crime", "police_ref", events["child"])
    labels = ("Victim", "Witness", "Suspect", "Custody", "Stop")
    table = pa.table(
        {
            "RecordRef": text.numbered("CR", np.arange(n), 9),
            "NominalRef": reference,
            "RecordType": text.coded(labels, events["kind"]),
            "RecordDateTime": text.moment(events["day"], events["minute"], STAMP, " "),
            "SharedDateTime": text.moment(recorded, events["minute"], STAMP, " "),
        }
    )
    return Extract(
        "police_crime",
        table,
        events["day"],
        recorded,
        key="RecordRef",
        errors=errors,
        stamps=("SharedDateTime",),
    )
