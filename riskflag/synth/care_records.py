"""What social workers write while a case is open: factors, visits, reviews, workers, placements.

All of it follows from the tables of `social_care.serve`; nothing here changes them.
"""

from __future__ import annotations

import numpy as np

from riskflag.synth.draws import Array, Columns, chance, choose, ranges, take
from riskflag.synth.people import FAR
from riskflag.synth.scene import Scene

#: Factors at the end of assessment: code, share of assessments at no trouble, and what raises it.
FACTORS: tuple[tuple[str, float, tuple[tuple[str, float], ...]], ...] = (
    ("1A", 0.015, (("exploitation", 0.10),)),
    ("1B", 0.06, (("substance", 0.45),)),
    ("2A", 0.03, (("exploitation", 0.30),)),
    ("2B", 0.057, (("substance", 0.46),)),
    ("3A", 0.05, (("exploitation", 0.20),)),
    ("3B", 0.095, (("domestic_abuse", 0.70),)),
    ("4A", 0.115, (("distress", 0.75),)),
    ("4B", 0.19, (("parent_mental_health", 0.65),)),
    ("5A", 0.07, ()),
    ("6A", 0.05, ()),
    ("7A", 0.04, ()),
    ("10A", 0.012, (("exploitation", 0.45),)),
    ("11A", 0.017, (("exploitation", 0.30),)),
    ("13A", 0.008, (("exploitation", 0.25),)),
    ("14A", 0.06, (("exploitation", 0.30),)),
    ("15A", 0.028, (("distress", 0.30),)),
    ("16A", 0.03, (("neglect", 0.50),)),
    ("17A", 0.058, (("domestic_abuse", 0.25), ("neglect", 0.2))),
    ("18C", 0.08, (("abuse", 0.45),)),
    ("19C", 0.02, (("abuse", 0.20),)),
    ("20", 0.10, ()),
    ("24A", 0.015, (("exploitation", 0.40),)),
)
FIRST_AGE = {
    "1A": 10,
    "2A": 10,
    "4A": 6,
    "10A": 8,
    "11A": 10,
    "13A": 10,
    "15A": 9,
    "24A": 10,
    "7A": 7,
    "14A": 8,
}
CATEGORIES = (
    "Neglect",
    "Emotional abuse",
    "Physical abuse",
    "Sexual abuse",
    "Multiple: neglect and emotional abuse",
)
WORKER_TITLES = (
    "Newly Qualified Social Worker (ASYE)",
    "Social Worker",
    "Senior Social Worker",
    "Agency Social Worker",
)
#: Locality teams; each has the wards that share its remainder.
TEAMS = ("Team North", "Team East", "Team South", "Team West")
PLACEMENTS = ("U4", "U1", "K2", "H5", "P1", "K1")
REASONS = (None, "ALLEG", "STAND", "CREQB", "CHILD", "PLACE", "OTHER")
EVERY = {"cin": 30, "cp": 14, "cla": 42}


def records(scene: Scene, care: dict[str, Columns], missing: Columns) -> dict[str, Columns]:
    """All further records by name."""
    placements = _placements(scene, care["care"])
    visits = _visits(scene, care)
    return {
        "assessments": _assessments(scene, care["referrals"]),
        "visits": visits,
        "plan_reviews": _reviews(scene, care["plans"], "plan reviews"),
        "care_reviews": _reviews(scene, care["care"], "care reviews"),
        "workers": _workers(scene, care["referrals"]),
        "placements": placements,
        "carer_reviews": _carer_reviews(scene, placements),
        "missing_episodes": _missing(scene, care, missing),
    } | {"categories": {"category": _categories(scene, care["plans"])}}


def _repeat(
    rng: np.random.Generator, starts: Array, ends: Array, every: float
) -> tuple[Array, Array, Array]:
    """Dates from start to end about `every` days: (row, day, order within row)."""
    count = np.maximum(0, (ends - starts) / every).astype(np.int64)
    rows, order = ranges(np.zeros(len(starts), np.int64), count)
    jitter = rng.integers(0, max(2, int(every * 0.6)), len(rows))
    return rows, starts[rows] + (order * every).astype(np.int64) + jitter, order


def _assessments(scene: Scene, referrals: Columns) -> Columns:
    """Assessments: child, referral, start, done, nfa, strategy, planned, seen, factors [n, k]."""
    rng = scene.rng("assessments")
    rows = take(referrals, referrals["assessed"])
    n = len(rows["day"])
    age = (rows["done"] - scene.people.children.born[rows["child"]]) / 365.25
    events = {"child": rows["child"], "step": rows["step"]}
    chosen = np.zeros((n, len(FACTORS)), bool)
    for k, (code, base, raised) in enumerate(FACTORS):
        share = base + sum(weight * scene.at(name, events) for name, weight in raised)
        chosen[:, k] = chance(rng, np.clip(share, 0, 0.95), n) & (age >= FIRST_AGE.get(code, -1))
    return {
        "child": rows["child"],
        "referral": rows["referral"],
        "day": rows["start"],
        "done": rows["done"],
        "nfa": rows["assessed_nfa"],
        "strategy": rows["strategy"],
        "seen": chance(rng, 0.93, n),
        "factors": chosen,
    }


def _visits(scene: Scene, care: dict[str, Columns]) -> Columns:
    """Visits: child, day, kind (0 CIN 1 CP 2 CLA), source row, seen, alone, voice, bedroom."""
    rng = scene.rng("visits")
    referrals = take(care["referrals"], care["referrals"]["assessed"])
    spans = (
        (
            referrals["child"],
            referrals["start"],
            np.minimum(referrals["closes"], referrals["start"] + 700),
            "cin",
        ),
        (care["plans"]["child"], care["plans"]["day"], care["plans"]["ends"], "cp"),
        (care["care"]["child"], care["care"]["day"], care["care"]["ends"], "cla"),
    )
    parts = []
    for kind, (child, start, end, name) in enumerate(spans):
        rows, day, _ = _repeat(rng, start + 3, np.minimum(end, scene.calendar.end), EVERY[name])
        parts.append(
            {"child": child[rows], "day": day, "row": rows, "kind": np.full(len(rows), kind)}
        )
    visits = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    visits = take(visits, scene.lives_here(visits))
    n = len(visits["day"])
    engagement = scene.people.households.engagement[
        scene.people.children.household[visits["child"]]
    ]
    seen = chance(rng, 1 / (1 + np.exp(-2.2 - 0.6 * engagement)), n)
    old = (visits["day"] - scene.people.children.born[visits["child"]]) > 3 * 365
    alone = seen & chance(rng, np.where(old, 0.6, 0.05), n)
    return visits | {
        "seen": seen,
        "alone": alone,
        "voice": chance(rng, np.where(alone, 0.4, np.where(seen & old, 0.15, 0)), n),
        "bedroom": seen & chance(rng, 0.5, n),
    }


def _reviews(scene: Scene, spans: Columns, name: str) -> Columns:
    """Reviews: child, row, due, day, outcome (0 on time 1 overdue 2 cancelled), voice."""
    rng = scene.rng(name)
    end = np.minimum(spans["ends"], scene.calendar.end)
    count = np.maximum(0, 1 + (end - spans["day"] - 90) // 182)
    rows, order = ranges(np.zeros(len(count), np.int64), count)
    due = spans["day"][rows] + 90 + order * 182
    outcome = choose(rng, [0.88, 0.09, 0.03], len(rows))
    late = np.where(outcome == 1, rng.integers(5, 60, len(rows)), -rng.integers(0, 8, len(rows)))
    reviews = {"child": spans["child"][rows], "row": rows, "due": due, "day": due + late}
    reviews |= {"outcome": outcome, "voice": chance(rng, 0.55, len(rows))}
    return take(reviews, (reviews["day"] <= end[rows]) & (due <= end[rows]))


def _workers(scene: Scene, referrals: Columns) -> Columns:
    """Allocations: child, referral, day, ends, title, professional, team, first."""
    rng = scene.rng("workers")
    rows = take(referrals, ~referrals["nfa"])
    end = np.minimum(rows["closes"], scene.calendar.end + 1)
    count = 1 + np.maximum(0, (end - rows["day"] - 45) // 260)
    count += chance(rng, 0.35, len(count)) & (end - rows["day"] > 120)
    of, order = ranges(np.zeros(len(count), np.int64), count)
    length = (rows["closes"] - rows["day"])[of]
    day = (
        rows["day"][of] + (order * length / count[of]).astype(np.int64) + np.where(order == 0, 1, 0)
    )
    following = rows["day"][of] + ((order + 1) * length / count[of]).astype(np.int64)
    title = choose(rng, [0.16, 0.5, 0.16, 0.18], len(of))
    workers = {
        "child": rows["child"][of],
        "referral": rows["referral"][of],
        "day": day,
        "ends": np.where(order + 1 == count[of], rows["closes"][of], following),
        "title": title,
        "professional": title * 200 + rng.integers(0, 60, len(of)),
        "team": _team_of(scene, rows["child"][of]),
        "order": order,
    }
    return take(workers, workers["day"] <= scene.calendar.end)


def _team_of(scene: Scene, child: Array) -> Array:
    """The locality team of each child's ward (index into TEAMS): one for a whole family."""
    people = scene.people
    ward = people.households.ward[people.children.household[child]]
    return np.asarray(ward % len(TEAMS))


def _categories(scene: Scene, plans: Columns) -> Array:
    """The category of each plan: index into CATEGORIES, from what is worst in the household."""
    rng = scene.rng("plan category")
    events = {"child": plans["child"], "step": plans["step"]}
    neglect, domestic = scene.at("neglect", events), scene.at("domestic_abuse", events)
    abuse = scene.at("abuse", events)
    n = len(neglect)
    weights = np.stack(
        [
            0.40 + 0.88 * neglect + 0.1 * scene.at("substance", events),
            0.30 + 0.55 * domestic + 0.1 * scene.at("parent_mental_health", events),
            0.092 + 0.26 * abuse,
            0.044 + 0.13 * abuse,
            np.full(n, 0.019),
        ],
        1,
    )
    edges = np.cumsum(weights, axis=1)
    return np.asarray((edges <= (rng.random(n) * edges[:, -1])[:, None]).sum(axis=1))


def _placements(scene: Scene, care: Columns) -> Columns:
    """Placements: child, care (row), day, ends, type, reason (of the end before), carer, order."""
    rng = scene.rng("placements")
    end = np.minimum(care["ends"], scene.calendar.end + 1)
    unrest = scene.at("exploitation", {"child": care["child"], "step": care["step"]})
    moves = rng.poisson(np.clip((end - care["day"]) / 365 * (0.55 + 1.2 * unrest), 0, 9))
    count = 1 + np.where(end - care["day"] > 25, moves, 0)
    rows, order = ranges(np.zeros(len(count), np.int64), count)
    cut = np.sort(rng.random(len(rows)))  # any increasing marks; ranked within each child below
    cut = np.where(order == 0, 0, (order + 0.6 * (cut - 0.5)) / count[rows])
    day = care["day"][rows] + (cut * (end - care["day"])[rows]).astype(np.int64)
    following = np.append(day[1:], 0)
    last = order + 1 == count[rows]
    return {
        "child": care["child"][rows],
        "care": rows,
        "day": day,
        "ends": np.where(last, care["ends"][rows], following),
        "type": choose(rng, [0.5, 0.17, 0.13, 0.06, 0.07, 0.07], len(rows)),
        "reason": np.where(
            order == 0, 0, 1 + choose(rng, [0.06, 0.05, 0.25, 0.12, 0.3, 0.22], len(rows))
        ),
        "carer": rng.integers(0, max(20, len(care["day"]) // 3), len(rows)),
        "order": order,
    }


def _carer_reviews(scene: Scene, placements: Columns) -> Columns:
    """Yearly reviews of foster carers' approval: child, day, outcome (done, overdue, lapsed)."""
    rng = scene.rng("carer reviews")
    foster = take(placements, np.isin(placements["type"], (0, 1)))
    rows, day, _ = _repeat(rng, foster["day"], np.minimum(foster["ends"], scene.calendar.end), 300)
    reviews = {"child": foster["child"][rows], "carer": foster["carer"][rows], "day": day}
    reviews["outcome"] = choose(rng, [0.86, 0.115, 0.025], len(rows))
    return take(reviews, scene.lives_here(reviews))


def _missing(scene: Scene, care: dict[str, Columns], reports: Columns) -> Columns:
    """Missing episodes social care records: open cases, and much more often children in care."""
    rng = scene.rng("missing episodes")
    known = _during(reports, care["referrals"], "closes")
    parts = [take(reports, known & chance(rng, 0.85, len(known)))]
    inside = care["care"]
    unrest = scene.at("exploitation", {"child": inside["child"], "step": inside["step"]})
    older = scene.people.children.born[inside["child"]] < inside["day"] - 10 * 365
    end = np.minimum(inside["ends"], scene.calendar.end)
    count = rng.poisson(np.clip((end - inside["day"]) / 365, 0, None) * older * (0.6 + 5 * unrest))
    rows, _ = ranges(np.zeros(len(count), np.int64), count)
    day = inside["day"][rows] + (rng.random(len(rows)) * (end - inside["day"])[rows]).astype(
        np.int64
    )
    hours = np.ceil(rng.lognormal(2.1, 1.1, len(rows))).clip(1, 900).astype(np.int64)
    parts.append({"child": inside["child"][rows], "day": day, "hours": hours})
    columns = {
        name: np.concatenate([part[name] for part in parts]) for name in ("child", "day", "hours")
    }
    columns = take(columns, scene.lives_here(columns))
    n = len(columns["day"])
    offered = chance(rng, 0.82, n)
    ends = columns["day"] + columns["hours"] // 24
    still = ends > scene.calendar.end
    return columns | {
        "ends": np.where(still, FAR, ends),
        "away": chance(rng, 0.2, n),
        "offered": offered,
        "accepted": offered & chance(rng, 0.55, n),
    }


def _during(events: Columns, spans: Columns, end: str) -> Array:
    """Whether each event lies in one of the child's spans (which follow each other in time)."""
    if not len(spans["day"]):
        return np.zeros(len(events["day"]), bool)
    order = np.lexsort((spans["day"], spans["child"]))
    base = 10**6
    keys = spans["child"][order] * base + spans["day"][order]
    at = np.searchsorted(keys, events["child"] * base + events["day"], side="right") - 1
    row = order[np.maximum(at, 0)]
    inside = (at >= 0) & (spans["child"][row] == events["child"])
    return np.asarray(inside & (spans[end][row] > events["day"]))
