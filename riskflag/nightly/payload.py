"""One flag as plain JSON: all that its page says, and the numbers behind it."""

from __future__ import annotations

import calendar
import datetime as dt
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from riskflag.casework.worked import Worked
from riskflag.clock import day_number
from riskflag.nightly import records
from riskflag.nightly.care import care
from riskflag.nightly.caveats import FAULT, Situation, caveats
from riskflag.nightly.improvement import improvement
from riskflag.nightly.lifecycle import Entry
from riskflag.nightly.reasons import Child, Sources, points_the_other_way

if TYPE_CHECKING:
    from riskflag.scoring.flags import ModelHit

Row = dict[str, Any]

#: So many decided flags are enough to say how often flags like them needed something more.
ENOUGH = 30


@dataclass(frozen=True)
class Scene:
    """What all flags of one night share.

    `flagged` are all people flagged tonight; `feeds` are those that were not fresh, `unseen` the
    contact types that no feed tells of now; `begins` is the first day of sources that began within
    the chronology; `protective` has, by person, the values of protective signals. `faulty` are
    children whom a fault kept from being assessed; `worked` is what came of past flags, by reason;
    `form` is what a paper form has to know of the authority's own decisions (None: as shipped);
    `doubtful` counts, by person, the others who may be the same; `steady` has, by person, how
    steady the model's explanation is; `seen_to` is to which day each contact type is complete
    (riskflag.nightly.improvement).
    """

    as_of: dt.date
    sources: Sources
    people: records.Records
    flagged: frozenset[str]
    feeds: Sequence[Row]
    unseen: frozenset[str]
    begins: Mapping[str, dt.date]
    protective: Mapping[str, Mapping[str, float]]
    undecided: Mapping[str, int]
    versions: Mapping[str, str | None]
    last_night: dt.date | None
    faulty: frozenset[str] = frozenset()
    worked: Mapping[str, Worked] = field(default_factory=dict)
    steady: Mapping[str, Row] = field(default_factory=dict)
    seen_to: Mapping[str, int] = field(default_factory=dict)
    form: Row | None = None
    doubtful: Mapping[str, int] = field(default_factory=dict)


def canonical(value: object) -> bytes:
    """JSON bytes that are the same for equal values."""
    return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False).encode()


def payload(entry: Entry, reasons: Sequence[Row], scene: Scene, before: Mapping[str, Row]) -> Row:
    """The flag's JSON; `before` are the flags of the previous publication by their id.

    `reasons` are those that were found, none when there is nothing found.
    """
    found = entry.found
    model = None if found is None else found.draft.model
    person = scene.people.persons.get(entry.person_id)
    who = records.child(entry.person_id, person, scene.as_of)
    pattern = _keys(reasons) or _keys(entry.earlier_reasons)
    child = Child(entry.person_id, who["age_years"])
    protective = scene.protective.get(entry.person_id, {})
    other_way = points_the_other_way(scene.sources, child, model, protective)
    better = _improvement(entry.person_id, scene, pattern=pattern, age=who["age_years"])
    told = _keys([*(signal for block in other_way for signal in block["signals"]), *better])
    contacts = _contacts(entry, scene, pattern=pattern, told=told, before=before)
    agencies = {contact["contact_key"]: contact["agency"] for contact in contacts}
    return {
        "flag_id": entry.flag_id,
        "person_id": entry.person_id,
        "as_of": scene.as_of.isoformat(),
        "status": entry.status,
        "standing": entry.standing,
        "raised_by": entry.raised_by,
        "first_raised": entry.first_raised.isoformat(),
        "last_matched": entry.last_matched.isoformat(),
        "previous_as_of": _iso(entry.previous_as_of),
        "level": entry.level,
        "child": who,
        "care": _care(entry.person_id, scene),
        "siblings": _siblings(entry.person_id, scene),
        "why": _why(contacts, pattern),
        "reasons": [_with_agencies(reason, agencies) for reason in reasons],
        "earlier_reasons": [_with_agencies(reason, agencies) for reason in entry.earlier_reasons],
        "lowering": other_way,
        "improvement": better,
        "form": scene.form,
        "not_seen": list(scene.feeds),
        "caveats": caveats(_situation(entry, scene, contacts)),
        "voice": records.voice(contacts),
        "contacts": contacts,
        "model": _model_block(model, scene.sources),
        "performance": performance([*reasons, *entry.earlier_reasons], model, scene),
        "stability": scene.steady.get(entry.person_id) if found is not None else None,
        "versions": dict(scene.versions),
    }


def kept(entry: Entry, scene: Scene, earlier: Row) -> Row:
    """An open flag of a child about whom nothing could be built tonight: what was told before."""
    return {
        **earlier,
        "as_of": scene.as_of.isoformat(),
        "status": entry.status,
        "standing": entry.standing,
        "previous_as_of": _iso(entry.previous_as_of),
        "level": entry.level,
        "reasons": [],
        "earlier_reasons": list(entry.earlier_reasons),
        "caveats": [FAULT, *(line for line in earlier["caveats"] if line != FAULT)],
        "contacts": [{**c, "new": False} for c in earlier["contacts"]],
        "siblings": _siblings(entry.person_id, scene),
        "not_seen": list(scene.feeds),
        "model": None,
        "performance": None,
        "stability": None,
        "form": scene.form,
        "versions": dict(scene.versions),
    }


def _care(person_id: str, scene: Scene) -> Row:
    rows = scene.people.contacts.get(person_id, ())
    return care(rows, day_number(scene.as_of), unseen=scene.unseen)


def _improvement(
    person_id: str, scene: Scene, *, pattern: frozenset[str], age: int | None
) -> list[Row]:
    rows = scene.people.contacts.get(person_id, ())
    day = day_number(scene.as_of)
    return improvement(rows, day, seen=scene.seen_to, pattern=pattern, age=age)


def _siblings(person_id: str, scene: Scene) -> list[str]:
    """Brothers and sisters whose flags are in the same publication."""
    known = scene.people.siblings.get(person_id, ())
    return [other for other in known if other in scene.flagged]


def _keys(reasons: Iterable[Row]) -> frozenset[str]:
    return frozenset(key for reason in reasons for key in reason["contact_keys"])


def _contacts(
    entry: Entry,
    scene: Scene,
    *,
    pattern: frozenset[str],
    told: frozenset[str],
    before: Mapping[str, Row],
) -> list[Row]:
    """The chronology, with every contact that a reason or a point the other way rests on.

    Contacts of earlier reasons are shown even after their agency withdrew them, and marked so.
    """
    wanted = pattern | _keys(entry.earlier_reasons)
    shown = records.chronology(
        scene.people.contacts.get(entry.person_id, ()),
        scene.as_of,
        pattern=wanted | told,
        new_since=entry.previous_as_of or scene.last_night,
    )
    for contact in shown:
        contact["in_pattern"] = contact["contact_key"] in pattern
    missing = wanted - {contact["contact_key"] for contact in shown}
    earlier = before.get(entry.flag_id, {}) if missing else {}
    gone = [
        {**contact, "withdrawn": True, "new": False, "in_pattern": False}
        for contact in earlier.get("contacts", ())
        if contact["contact_key"] in missing
    ]
    return sorted([*shown, *gone], key=lambda c: (c["occurred_on"], c["contact_key"]))


def _why(contacts: Sequence[Row], pattern: frozenset[str]) -> Row:
    days = [contact["occurred_on"] for contact in contacts if contact["contact_key"] in pattern]
    agencies = {c["agency"] for c in contacts if c["contact_key"] in pattern}
    return {
        "contacts": len(days),
        "agencies": sorted(agencies),
        "from": min(days, default=None),
        "to": max(days, default=None),
    }


def _with_agencies(reason: Row, agencies: Mapping[str, str]) -> Row:
    found = {agencies[key] for key in reason["contact_keys"] if key in agencies}
    return {**reason, "agencies": sorted(found)}


def _situation(entry: Entry, scene: Scene, contacts: Sequence[Row]) -> Situation:
    return Situation(
        contacts=contacts,
        begins=scene.begins,
        linked=entry.person_id in scene.people.linked,
        with_bundle=scene.sources.bundle is not None,
        undecided=scene.undecided.get(entry.person_id, 0),
        faulty=entry.person_id in scene.faulty,
        doubtful=scene.doubtful.get(entry.person_id, 0),
    )


def _model_block(model: ModelHit | None, sources: Sources) -> Row | None:
    bundle = sources.bundle
    if model is None or bundle is None:
        return None
    return {
        "bundle": bundle.id,
        "raw": model.raw,
        "base": model.base,
        "probability": model.probability,
        "threshold": float(bundle.thresholds["probability"]),
        "raises": model.raises,
        "contributions": [
            {
                "name": name,
                "theme": bundle.themes[name],
                "question": sources.catalogue.by_name[name].question,
                "value": _finite(model.values[name]),
                "contribution": contribution,
            }
            for name, contribution in sorted(
                model.contributions.items(), key=lambda item: (-abs(item[1]), item[0])
            )
        ],
    }


def performance(reasons: Sequence[Row], model: ModelHit | None, scene: Scene) -> Row | None:
    """How often flags like this one needed something more, and on what that rests.

    On reviewers' decisions about flags with the same leading reason, once there are enough; until
    then, for flags that the model stands behind, on outcomes when it was tested.
    """
    bundle = scene.sources.bundle
    like = scene.worked.get(reasons[0]["reason_id"]) if reasons else None
    tested = model is not None and bundle is not None and model.raises
    if like is not None and (like.n >= ENOUGH or not tested):
        return {
            "basis": "reviews",
            "n": like.n,
            "needed_more": like.needed_more,
            "period": _months(like.first_day, like.last_day),
        }
    if bundle is None or not tested:
        return None
    known = {name: bundle.performance.get(name) for name in ("n", "needed_more", "period")}
    return {"basis": "outcomes", **known}


def _months(first: dt.date, last: dt.date) -> str:
    """From one month to another, in words."""
    one, other = (f"{calendar.month_name[day.month]} {day.year}" for day in (first, last))
    return one if one == other else f"{one} to {other}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _iso(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()
