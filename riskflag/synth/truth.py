"""The truth, kept apart: what was really going on, which no engine ever reads.

`hazard.parquet` holds, for every child and stretch of days, the levels of every trouble and the
hazard per day that harm comes to light (a section 47 enquiry or coming into care). A stretch ends
where anything of it changes, including where the child stands with social care.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskflag.synth import text
from riskflag.synth.course import CHILD_TROUBLES, HOUSEHOLD_TROUBLES
from riskflag.synth.draws import Array, Columns
from riskflag.synth.identity import Identity
from riskflag.synth.people import FAR
from riskflag.synth.risk import INCLUDED
from riskflag.synth.scene import Scene
from riskflag.synth.social_care import MULTIPLIER

STATUS = ("none", "open", "plan", "care")
_KEY = 10**6


def status_spans(care: dict[str, Columns]) -> list[tuple[Columns, str]]:
    """The spans of each standing with social care, weakest first."""
    return [(care["referrals"], "closes"), (care["plans"], "ends"), (care["care"], "ends")]


def status_at(care: dict[str, Columns], child: Array, day: Array) -> Array:
    """Where each child stands that day: index into STATUS."""
    status = np.zeros(len(child), np.int64)
    for level, (spans, end) in enumerate(status_spans(care), start=1):
        if not len(spans["day"]):
            continue
        order = np.lexsort((spans["day"], spans["child"]))
        keys = spans["child"][order] * _KEY + spans["day"][order]
        at = np.searchsorted(keys, child * _KEY + day, side="right") - 1
        row = order[np.maximum(at, 0)]
        inside = (at >= 0) & (spans["child"][row] == child) & (spans[end][row] > day)
        status = np.where(inside, level, status)
    return status


def hazard_at(scene: Scene, care: dict[str, Columns], child: Array, day: Array) -> Array:
    """The true hazard per day that an outcome begins, for children on days."""
    status = status_at(care, child, day)
    step = scene.calendar.step_of(day, scene.people.phase[child])
    home, risk = scene.people.children.household[child], scene.risk
    harm = INCLUDED * risk.household[home, step].astype(np.float64) + risk.child[child, step]
    into_care = np.where(status == 3, 0.0, risk.care[child, step].astype(np.float64))
    return np.asarray(harm * MULTIPLIER[status] + into_care)


def hazard_table(scene: Scene, ids: Identity, care: dict[str, Columns]) -> pa.Table:
    """One row per child and stretch of days in which nothing of the truth changed."""
    child, day, ends = _stretches(scene, care)
    step = scene.calendar.step_of(day, scene.people.phase[child])
    home = scene.people.children.household[child]
    columns: dict[str, pa.Array] = {
        "person_id": ids.person.take(pa.array(child)),
        "from_day": pa.array(day, pa.int32()),
        "to_day": pa.array(ends, pa.int32()),
    }
    for name in HOUSEHOLD_TROUBLES:
        columns[name] = pa.array(scene.course.household[name][home, step])
    for name in CHILD_TROUBLES:
        columns[name] = pa.array(scene.course.child[name][child, step])
    status = status_at(care, child, day)
    columns["status"] = pa.array(status.astype(np.int8))
    columns["seen_share"] = pa.array(scene.risk.seen[child, step])
    columns["hazard"] = pa.array(hazard_at(scene, care, child, day))
    return pa.table(columns)


def _stretches(scene: Scene, care: dict[str, Columns]) -> tuple[Array, Array, Array]:
    """Children with the first day and the day after the last of every stretch of their lives."""
    kids, calendar = scene.people.children, scene.calendar
    low = np.maximum.reduce([kids.born, kids.arrives, np.full(kids.n, calendar.start)])
    high = np.minimum.reduce(
        [scene.eighteenth, kids.leaves, kids.dies + 1, np.full(kids.n, calendar.end + 1)]
    )
    changes = _changing_steps(scene)
    who, step = np.nonzero(changes)
    starts = [np.flatnonzero(low < high), who]
    days = [low[low < high], calendar.begins(step, scene.people.phase[who])]
    for spans, end in status_spans(care):
        starts += [spans["child"], spans["child"]]
        days += [spans["day"], spans[end]]
    child, day = np.concatenate(starts), np.concatenate(days)
    inside = (day >= low[child]) & (day < high[child])
    keys = np.unique(child[inside] * _KEY + day[inside])
    child, day = np.divmod(keys, _KEY)
    ends = np.append(day[1:], 0)
    last = np.append(child[1:] != child[:-1], True)
    return child, day, np.where(last, high[child], ends)


def _changing_steps(scene: Scene) -> Array:
    """Whether the hazard or any trouble of a child differs from the step before."""
    home, risk = scene.people.children.household, scene.risk
    changed = np.diff(risk.child, axis=1, prepend=-1) != 0
    changed |= np.diff(risk.care, axis=1, prepend=-1) != 0
    changed |= (np.diff(risk.household, axis=1, prepend=-1) != 0)[home]
    for name in CHILD_TROUBLES:
        changed |= np.diff(scene.course.child[name], axis=1, prepend=-1) != 0
    for name in HOUSEHOLD_TROUBLES:
        changed |= (np.diff(scene.course.household[name], axis=1, prepend=-1) != 0)[home]
    return np.asarray(changed)


def outcome_table(scene: Scene, ids: Identity, care: dict[str, Columns]) -> pa.Table:
    """Every outcome with its cause: harm in the household, to the child alone, or care directly."""
    parts = []
    for kind, name in enumerate(("enquiries", "conferences", "plans", "care")):
        rows = care[name]
        n = len(rows["day"])
        cause = np.where(rows["own"], 1, 0) if name == "enquiries" else np.full(n, 2)
        if name == "care":
            cause = np.where(rows["cause"] == 2, 3, 2)
        parts.append((rows["child"], rows["day"], np.full(n, kind), cause))
    child, day, kinds_of, cause = (np.concatenate(column) for column in zip(*parts, strict=True))
    causes = (
        "harm in the household",
        "harm to the child",
        "followed an enquiry",
        "care without an enquiry",
    )
    kinds = ("section 47 enquiry", "initial conference", "protection plan", "looked after")
    order = np.lexsort((kinds_of, day, child))
    table = pa.table(
        {
            "person_id": ids.person.take(pa.array(child)),
            "day": pa.array(day, pa.int32()),
            "outcome": text.coded(kinds, kinds_of),
            "cause": text.coded(causes, cause),
        }
    )
    return table.take(pa.array(order))


def unseen_table(scene: Scene, ids: Identity) -> pa.Table:
    """Harm that happened and that nobody ever noticed: the part of it no record can show."""
    rng = scene.rng("unseen harm")
    seen, risk = scene.risk.seen, scene.risk
    home = scene.people.children.household
    rate = (risk.child + INCLUDED * risk.household[home]) * (1 - seen) / seen
    active = (scene.age > -0.1) & (scene.age < 18.1)
    who, step = np.nonzero(rng.random(rate.shape) < 28 * rate * active)
    day = scene.calendar.begins(step, scene.people.phase[who]) + rng.integers(0, 28, len(who))
    rows = {"child": who, "day": day}
    keep = scene.lives_here(rows) & (day >= scene.calendar.start)
    return pa.table(
        {"person_id": ids.person.take(pa.array(who[keep])), "day": pa.array(day[keep], pa.int32())}
    )


def person_table(scene: Scene, ids: Identity) -> pa.Table:
    """Children with their household, reporting group and ordinary reasons for many contacts."""
    kids, homes = scene.people.children, scene.people.households
    adults = scene.people.adults
    mother_of = np.full(homes.n, -1)
    mother_of[adults.household[adults.mother]] = np.flatnonzero(adults.mother)
    mother = mother_of[kids.household]
    return pa.table(
        {
            "person_id": ids.person.slice(0, kids.n),
            "household": text.numbered("F", kids.household, 6),
            "mother_id": ids.person.take(pa.array(ids.adult(mother), mask=mother < 0)),
            "nhs_number": ids.nhs.slice(0, kids.n),
            "upn": ids.upn,
            "police_ref": ids.held("police_ref").slice(0, kids.n),
            "housing_ref": ids.held("housing_ref").slice(0, kids.n),
            "reporting_group": pa.array(homes.group[kids.household].astype(np.int8)),
            "reporting": pa.array(homes.reporting[kids.household]),
            "vulnerability": pa.array(homes.vulnerability[kids.household]),
            "engagement": pa.array(homes.engagement[kids.household]),
            "seeking": pa.array(homes.seeking[kids.household]),
            "long_term_illness": pa.array(kids.ill),
            "disabled": pa.array(kids.disabled),
            "dies": pa.array(kids.dies, pa.int32(), mask=kids.dies == FAR),
        }
    )


def write_truth(scene: Scene, ids: Identity, care: dict[str, Columns], folder: Path) -> None:
    """All truth files but the record errors, which the deliveries add."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "hazard": hazard_table(scene, ids, care),
        "outcomes": outcome_table(scene, ids, care),
        "unseen_harm": unseen_table(scene, ids),
        "people": person_table(scene, ids),
    }
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", write_page_checksum=True)
