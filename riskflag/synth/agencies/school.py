"""Schools: absence, suspensions, bullying, concerns, moves; education at home or missing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from riskflag import clock
from riskflag.synth import text
from riskflag.synth.draws import Array, Columns, chance, choose, choose_by_row, take
from riskflag.synth.extract import Correction, Extract
from riskflag.synth.identity import Identity
from riskflag.synth.scene import Scene

SCHOOL_AGES = (5.0, 16.8)
DATE = "%Y-%b-%d 00:00:00"
ABSENCE_CODES = ("I", "C", "O", "Y7", "M")
SUSPENSION_REASONS = ("PP", "PA", "VP", "VA", "OW", "BU", "DA", "DM", "TH", "DB", "MT")
BULLYING_TYPES = ("physical", "verbal", "social", "electronic", "indirect", "written", "other")
CONCERNS = ("neglect", "injury", "behaviour", "disclosure", "attendance", "wellbeing", "other")


def _in_term(days: Array) -> Array:
    """Whether schools are open: not in August, the turn of the year, Easter weeks or weekends."""
    texts = clock.EPOCH.toordinal()
    weekday = (days + 3) % 7
    year_day = (days + texts) % 365.25
    closed = (year_day > 207) & (year_day < 245)
    closed |= (year_day > 355) | (year_day < 5) | ((year_day > 92) & (year_day < 105))
    return (weekday < 5) & ~closed


def _reporting(scene: Scene, ids: Identity) -> Array:
    """How readily each child's school writes things down: float [children, 1]."""
    schools = int(ids.school.max()) + 1
    diligence = np.exp(0.35 * scene.rng("school diligence").standard_normal(schools))
    home = scene.people.children.household
    return (diligence[ids.school] * scene.people.households.reporting[home])[:, None]


def absences(scene: Scene) -> Columns:
    """Weeks with sessions missed: plus sessions and code (index into ABSENCE_CODES)."""
    kids, rng = scene.people.children, scene.rng("absence kind")
    rate = 3.0 * (kids.truant * np.where(kids.ill, 2.2, 1.0))[:, None]
    rate = rate * (
        1 + 0.5 * scene.x("neglect") + 0.7 * scene.x("distress") + 0.6 * scene.x("bullying")
    )
    rate = rate * (1 + 0.9 * scene.x("exploitation") + 0.2 * scene.x("substance"))
    events = scene.for_children("absence", rate, SCHOOL_AGES)
    events = take(events, _in_term(events["day"]))
    events["day"] = events["day"] - (events["day"] + 3) % 7
    events = take(events, scene.lives_here(events))
    n = len(events["day"])
    trouble = scene.at("neglect", events) + scene.at("exploitation", events)
    trouble = trouble + 0.6 * scene.at("distress", events)
    weights = np.stack(
        [
            np.full(n, 0.58),
            np.full(n, 0.1),
            0.16 + 0.6 * trouble,
            np.full(n, 0.01),
            np.full(n, 0.15),
        ],
        1,
    )
    sessions = np.clip(
        2 * (1 + rng.geometric(np.clip(0.62 - 0.22 * trouble, 0.2, 1), n)) - 2, 1, 10
    )
    return events | {"sessions": sessions, "code": choose_by_row(rng, weights)}


def suspensions(scene: Scene) -> Columns:
    """Suspensions and exclusions: plus reason, sessions, permanent."""
    kids, rng = scene.people.children, scene.rng("suspension kind")
    rate = np.where(scene.age < 11, 0.012, 0.09) * kids.conduct[:, None]
    rate = rate * (
        1 + 5 * scene.x("exploitation") + 1.2 * scene.x("neglect") + 1.2 * scene.x("distress")
    )
    events = scene.for_children("suspension", rate, SCHOOL_AGES)
    events = take(events, _in_term(events["day"]))
    n = len(events["day"])
    reason = choose(rng, [0.14, 0.07, 0.07, 0.17, 0.04, 0.03, 0.05, 0.03, 0.01, 0.37, 0.02], n)
    permanent = chance(rng, 0.012, n)
    sessions = np.where(permanent, 0, 1 + rng.geometric(0.25, n))
    return events | {"reason": reason, "permanent": permanent, "sessions": sessions}


def bullying(scene: Scene, ids: Identity) -> Columns:
    """Bullying reports: plus role (1 displaying), type, acted (days to action or -1)."""
    kids, rng = scene.people.children, scene.rng("bullying kind")
    report = _reporting(scene, ids)
    hurt = scene.for_children("bullied", (0.02 + 1.6 * scene.x("bullying")) * report, SCHOOL_AGES)
    shown = 0.02 * kids.conduct[:, None] * (1 + 3 * scene.x("exploitation") + scene.x("neglect"))
    show = scene.for_children("bullies", shown * report, SCHOOL_AGES)
    parts = [
        hurt | {"role": np.zeros(len(hurt["day"]), int)},
        show | {"role": np.ones(len(show["day"]), int)},
    ]
    events = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    n = len(events["day"])
    care = scene.rng("school action").beta(4, 2, int(ids.school.max()) + 1)
    acts = chance(rng, care[ids.school[events["child"]]], n)
    return events | {
        "type": choose(rng, [0.25, 0.35, 0.15, 0.15, 0.05, 0.02, 0.03], n),
        "acted": np.where(acts, rng.integers(1, 15, n), -1),
    }


def concerns(scene: Scene, ids: Identity) -> Columns:
    """Entries in the school's safeguarding log: plus category, voice (child's words written)."""
    rng = scene.rng("concern kind")
    rate = 0.07 + 2.1 * scene.x("neglect") + 0.8 * scene.x("domestic_abuse")
    rate += 1.5 * scene.x("distress") + 1.9 * scene.x("abuse") + 1.6 * scene.x("exploitation")
    rate += 0.5 * scene.x("substance")
    rate += 0.06 * scene.people.children.conduct[:, None]
    events = scene.for_children("concern", rate * _reporting(scene, ids), (4.5, 17.5))
    events = take(events, (events["day"] + 3) % 7 < 5)
    n = len(events["day"])
    at = {name: scene.at(name, events) for name in ("neglect", "abuse", "exploitation", "distress")}
    weights = np.stack(
        [
            0.04 + 0.8 * at["neglect"],
            0.04 + 0.5 * at["abuse"],
            0.25 + 0.5 * at["exploitation"],
            0.03 + 0.5 * at["abuse"] + 0.2 * scene.at("domestic_abuse", events),
            0.15 + 0.4 * at["neglect"] + 0.3 * at["exploitation"],
            0.25 + 0.8 * at["distress"],
            np.full(n, 0.2),
        ],
        1,
    )
    category = choose_by_row(rng, weights)
    return events | {"category": category, "voice": chance(rng, 0.25 + 0.5 * (category == 3), n)}


def moves(scene: Scene) -> Columns:
    """Joining and leaving schools other than at the usual age, home and missing education."""
    rng = scene.rng("school move kind")
    rate = (
        0.04
        + 0.3 * scene.x("strain")
        + 0.15 * scene.x("domestic_abuse")
        + 0.2 * scene.x("exploitation")
    )
    events = scene.for_children("school move", rate, (5.0, 16.0))
    n = len(events["day"])
    trouble = scene.at("neglect", events) + scene.at("exploitation", events)
    weights = np.stack([np.full(n, 0.82), np.full(n, 0.08), 0.05 + 0.3 * trouble], 1)
    return events | {"kind": choose_by_row(rng, weights)}


def write(scene: Scene, ids: Identity, events: dict[str, Columns]) -> list[Extract]:
    """All files of schools and the authority's education service."""
    return [
        _write_absences(scene, ids, events["absence"]),
        _write_suspensions(scene, ids, events["suspension"]),
        _write_bullying(scene, ids, events["bullying"]),
        _write_concerns(scene, ids, events["concern"]),
        _write_moves(scene, ids, events["school_move"]),
    ]


def _write_absences(scene: Scene, ids: Identity, events: Columns) -> Extract:
    rng = scene.rng("absence file")
    n = len(events["day"])
    recorded = events["day"] + 7 + rng.integers(0, 3, n) + 14 * chance(rng, 0.03, n)
    upn, errors = ids.write("school_absence", "upn", events["child"])
    table = pa.table(
        {
            "absenceid": text.numbered("AB", np.arange(n), 9),
            "upn": upn,
            "weekstart": text.day(events["day"], DATE),
            "attendancereason": text.coded(ABSENCE_CODES, events["code"]),
            "sessions": text.number(events["sessions"]),
            "shared": text.day(recorded, DATE),
        }
    )
    correction = Correction("attendancereason", ("N", "O"))
    return Extract(
        "school_absence",
        table,
        events["day"],
        recorded,
        key="absenceid",
        correction=correction,
        errors=errors,
        stamps=("shared",),
    )


def _write_suspensions(scene: Scene, ids: Identity, events: Columns) -> Extract:
    rng = scene.rng("suspension file")
    n = len(events["day"])
    recorded = events["day"] + rng.integers(1, 20, n)
    upn, errors = ids.write("school_exclusions", "upn", events["child"])
    lunch = chance(rng, 0.03, n) & ~events["permanent"]
    table = pa.table(
        {
            "termlyexclusionid": text.numbered("EX", np.arange(n), 8),
            "upn": upn,
            "category": text.coded(
                ["SUSP", "PERM", "LNCH"], np.where(lunch, 2, events["permanent"])
            ),
            "startdate": text.day(events["day"], DATE),
            "sessions": text.number(events["sessions"]),
            "reason1": text.coded(SUSPENSION_REASONS, events["reason"]),
            "shared": text.day(recorded, DATE),
        }
    )
    return Extract(
        "school_exclusions",
        table,
        events["day"],
        recorded,
        key="termlyexclusionid",
        errors=errors,
        correction=Correction("reason1", SUSPENSION_REASONS[:3]),
        stamps=("shared",),
    )


def _write_bullying(scene: Scene, ids: Identity, events: Columns) -> Extract:
    rng = scene.rng("bullying file")
    acted = take(events, events["acted"] >= 0)
    acted = acted | {"day": acted["day"] + acted["acted"]}
    acted = take(acted, scene.lives_here(acted))
    reports, actions = len(events["day"]), len(acted["day"])
    days = np.concatenate([events["day"], acted["day"]])
    n = reports + actions
    recorded = days + rng.integers(0, 6, n)
    upn, errors = ids.write(
        "school_bullying", "upn", np.concatenate([events["child"], acted["child"]])
    )
    blank = np.full(actions, -1)
    table = pa.table(
        {
            "IncidentID": text.numbered("BI", np.arange(n), 8),
            "UPN": upn,
            "EntryType": text.coded(["Concern raised", "Action"], (np.arange(n) >= reports) * 1),
            "IncidentDate": text.day(days, "%d/%m/%Y"),
            "Role": text.coded(
                ["Experiencing", "Displaying"], np.concatenate([events["role"], blank])
            ),
            "BullyingType": text.coded(
                [kind.capitalize() for kind in BULLYING_TYPES],
                np.concatenate([events["type"], blank]),
            ),
            "DateAdded": text.day(recorded, "%d/%m/%Y"),
        }
    )
    return Extract(
        "school_bullying",
        table,
        days,
        recorded,
        key="IncidentID",
        errors=errors,
        stamps=("DateAdded",),
    )


def _write_concerns(scene: Scene, ids: Identity, events: Columns) -> Extract:
    rng = scene.rng("concern file")
    n = len(events["day"])
    recorded = events["day"] + rng.integers(0, 5, n)
    upn, errors = ids.write("school_concerns", "upn", events["child"])
    labels = ("Neglect", "Injury", "Behaviour", "Disclosure", "Attendance", "Wellbeing", "Other")
    table = pa.table(
        {
            "EntryID": text.numbered("CP", np.arange(n), 8),
            "UPN": upn,
            "IncidentDate": text.day(events["day"], "%d/%m/%Y"),
            "Category": text.coded(labels, events["category"]),
            "ChildsWords": text.yes_no(events["voice"]),
            "DateAdded": text.day(recorded, "%d/%m/%Y"),
        }
    )
    return Extract(
        "school_concerns",
        table,
        events["day"],
        recorded,
        key="EntryID",
        errors=errors,
        correction=Correction("Category", ("Other",)),
        stamps=("DateAdded",),
    )


def _write_moves(scene: Scene, ids: Identity, events: Columns) -> Extract:
    rng = scene.rng("school move file")
    n = len(events["day"])
    recorded = events["day"] + rng.integers(3, 30, n)
    upn, errors = ids.write("school_moves", "upn", events["child"])
    schools = int(ids.school.max()) + 1
    table = pa.table(
        {
            "movementid": text.numbered("MV", np.arange(n), 8),
            "upn": upn,
            "movement": text.coded(["JOIN", "EHE", "CME"], events["kind"]),
            "date": text.day(events["day"], DATE),
            "estab": text.numbered("", 2000 + rng.integers(0, schools, n), 4),
            "shared": text.day(recorded, DATE),
        }
    )
    return Extract(
        "school_moves",
        table,
        events["day"],
        recorded,
        key="movementid",
        errors=errors,
        stamps=("shared",),
    )
