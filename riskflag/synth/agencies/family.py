"""Housing, services for adults, and early help: what is known about the household."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from riskflag.synth import text
from riskflag.synth.draws import Array, Columns, chance, choose, take
from riskflag.synth.extract import Extract
from riskflag.synth.identity import Identity
from riskflag.synth.scene import FAR, Scene

DATE = "%d/%m/%Y"
#: Kinds of housing records as they are written, and the section of the return each belongs to.
HOUSING_LABELS = (
    "PREVENTION", "RELIEF", "MAIN", "TA", "NOTICE", "WARRANT", "EVICTION", "DAMP", "OVERCROWDING",
    "HAZARD", "ASB",
)  # fmt: skip
HOUSING_SECTIONS = (*["H-CLIC"] * 4, *["TENANCY"] * 3, *["REPAIR"] * 3, "ASB")
ADULT = ("safeguarding", "crisis", "alcohol", "opiates", "order", "recall", "release", "marac")
PROGRAMMES = ("parenting_programme", "mentoring", "counselling", "family_group_decision")


def housing(scene: Scene) -> Columns:
    """Household records: plus kind (index into HOUSING_LABELS)."""
    rng, strain = scene.rng("housing kind"), scene.h("strain")
    poor = np.exp(0.5 * scene.people.households.vulnerability)[:, None]
    rates = {
        (0, 1, 2): 0.008 * poor + 0.28 * strain,
        (3,): 0.003 * poor + 0.14 * strain,
        (4, 5, 6): 0.006 * poor + 0.18 * strain,
        (7, 8, 9): 0.03 * poor + 0.12 * strain + 0.1 * scene.h("neglect"),
        (10,): 0.015 * poor + 0.2 * scene.h("substance") + 0.12 * scene.h("domestic_abuse"),
    }
    parts = []
    for kinds, rate in rates.items():
        drawn = scene.for_households(f"housing {kinds[0]}", rate)
        share = [0.6, 0.28, 0.12][: len(kinds)]
        parts.append(drawn | {"kind": np.asarray(kinds)[choose(rng, share, len(drawn["day"]))]})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def adult_services(scene: Scene) -> Columns:
    """Records about an adult of the household: plus kind (index into ADULT), adult, outcome."""
    rng = scene.rng("adult kind")
    abuse, substance = scene.h("domestic_abuse"), scene.h("substance")
    mental = scene.h("parent_mental_health")
    rates = {
        (0,): 0.004 + 0.08 * abuse + 0.04 * mental,
        (1,): 0.004 + 0.55 * mental**1.5,
        (2, 3): 0.004 + 0.35 * substance,
        (4, 5, 6): 0.008 + 0.12 * substance + 0.1 * abuse,
        (7,): 0.002 + 0.35 * abuse**2,
    }
    parts = []
    for kinds, rate in rates.items():
        drawn = scene.for_households(f"adult {kinds[0]}", rate)
        share = [0.6, 0.25, 0.15][: len(kinds)]
        parts.append(drawn | {"kind": np.asarray(kinds)[choose(rng, share, len(drawn["day"]))]})
    events = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    n = len(events["day"])
    adult = _adult_present(scene, events, rng)
    events |= {"adult": adult, "outcome": choose(rng, [0.55, 0.25, 0.2], n)}
    return take(events, adult >= 0)


def _adult_present(scene: Scene, events: Columns, rng: np.random.Generator) -> Array:
    """An adult who lives in the household that day: the mother or another; -1 if there is none."""
    adults = scene.people.adults
    home, day = events["household"], events["day"]
    chosen = np.full(len(home), -1)
    for mother in (True, False):
        rows = np.flatnonzero(adults.mother == mother)
        of_home = np.full(scene.people.households.n, -1)
        of_home[adults.household[rows]] = rows
        found = of_home[home]
        there = (found >= 0) & (day >= adults.since[found]) & (day < adults.until[found])
        wanted = chance(rng, 0.6 if mother else 0.75, len(home)) | (chosen < 0)
        chosen = np.where(there & wanted, found, chosen)
    return chosen


def early_help(scene: Scene) -> Columns:
    """Early help per child: plus household, reason, ends, outcome (0 open 1 done 2 declined)."""
    homes, rng = scene.people.households, scene.rng("early help kind")
    trouble = sum(
        scene.h(name) for name in ("neglect", "domestic_abuse", "parent_mental_health", "strain")
    )
    willing = np.exp(0.5 * homes.engagement - 0.12)[:, None]
    events = scene.for_households("early help", (0.012 + 0.11 * np.asarray(trouble)) * willing)
    n = len(events["day"])
    declined = chance(rng, 1 / (1 + np.exp(1.5 + 0.9 * homes.engagement[events["household"]])), n)
    length = np.where(declined, 10, rng.gamma(3, 55, n)).astype(np.int64)
    ends = events["day"] + 14 + length
    events["ends"] = np.where(ends > scene.calendar.end, FAR, ends)
    events["outcome"] = np.where(declined, 2, np.where(events["ends"] == FAR, 0, 1))
    events["reason"] = choose(rng, [0.3, 0.25, 0.2, 0.15, 0.1], n)
    return scene.spread(events)


def support(scene: Scene) -> Columns:
    """Programmes and counselling taken up: plus kind (index into PROGRAMMES)."""
    homes, rng = scene.people.households, scene.rng("support kind")
    home = scene.people.children.household
    willing = np.exp(0.7 * homes.engagement - 0.24)[home][:, None]
    rate = (
        0.012 + 0.1 * scene.x("distress") + 0.08 * scene.x("bullying") + 0.06 * scene.x("neglect")
    )
    rate += 0.06 * scene.x("domestic_abuse") + 0.04 * scene.x("parent_mental_health")
    events = scene.for_children("support", rate * willing)
    return events | {"kind": choose(rng, [0.35, 0.3, 0.25, 0.1], len(events["day"]))}


def write(scene: Scene, ids: Identity, events: dict[str, Columns]) -> list[Extract]:
    """The files of housing, adult services and early help."""
    return [
        _write_housing(scene, ids, scene.spread(events["housing"])),
        _write_adults(scene, ids, events["adult"]),
        _write_early_help(scene, ids, events["early_help"]),
        _write_support(scene, ids, events["support"]),
    ]


def _write_housing(scene: Scene, ids: Identity, events: Columns) -> Extract:
    rng = scene.rng("housing file")
    n = len(events["day"])
    recorded = events["day"] + 3 + rng.integers(0, 20, n)
    reference, errors = ids.write("housing", "housing_ref", events["child"])
    table = pa.table(
        {
            "RowRef": text.numbered("HS", np.arange(n), 9),
            "CaseRef": text.numbered("HC", events["incident"], 8),
            "PersonRef": reference,
            "Section": text.coded(HOUSING_SECTIONS, events["kind"]),
            "RecordType": text.coded(HOUSING_LABELS, events["kind"]),
            "EventDate": text.day(events["day"], DATE),
            "UpdatedOn": text.day(recorded, DATE),
        }
    )
    return Extract(
        "housing",
        table,
        events["day"],
        recorded,
        key="RowRef",
        errors=errors,
        stamps=("UpdatedOn",),
    )


def _write_adults(scene: Scene, ids: Identity, events: Columns) -> Extract:
    rng = scene.rng("adult file")
    n = len(events["day"])
    recorded = events["day"] + 2 + rng.integers(0, 25, n)
    nhs, errors = ids.write("adult_services", "nhs", ids.adult(events["adult"]))
    kind = events["kind"]
    labels = (
        "S42",
        "CRISIS",
        "SUBSTANCE",
        "SUBSTANCE",
        "PROBATION",
        "PROBATION",
        "PROBATION",
        "MARAC",
    )
    details = (None, None, "ALCOHOL", "OPIATES", "ORDER", "RECALL", "RELEASE", None)
    outcome = np.where((kind == 2) | (kind == 3), events["outcome"], -1)
    table = pa.table(
        {
            "EventRef": text.numbered("AS", np.arange(n), 8),
            "NHSNumber": nhs,
            "EventType": text.coded(labels, kind),
            "Detail": text.coded(details, kind),
            "TreatmentOutcome": text.coded(["STARTED", "COMPLETED", "DROPPED OUT"], outcome),
            "EventDate": text.day(events["day"], DATE),
            "RecordedOn": text.day(recorded, DATE),
        }
    )
    return Extract(
        "adult_services",
        table,
        events["day"],
        recorded,
        key="EventRef",
        errors=errors,
        stamps=("RecordedOn",),
    )


def _write_early_help(scene: Scene, ids: Identity, events: Columns) -> Extract:
    rng = scene.rng("early help file")
    n = len(events["day"])
    recorded = events["day"] + 1 + rng.integers(0, 7, n)
    ended = events["ends"] < FAR
    reasons = ("Parenting", "Family breakdown", "Parental health", "Housing", "School")
    endings = (None, "Completed", "Declined by family")
    table = pa.table(
        {
            "earl_episode_id": text.numbered("EH", np.arange(n), 8),
            "earl_person_id": ids.person.take(pa.array(events["child"])),
            "earl_episode_start_date": text.day(events["day"]),
            "earl_episode_end_date": text.day(np.where(ended, events["ends"], text.NO_DAY)),
            "earl_episode_reason": text.coded(reasons, events["reason"]),
            "earl_episode_end_reason": text.coded(endings, events["outcome"]),
            "earl_episode_organisation": text.numbered(
                "Children's centre ", events["household"] % 12, 2
            ),
            "earl_episode_worker_id": text.numbered("EW", events["household"] % 90, 3),
        }
    )
    changed = np.where(ended, events["ends"] + 2, recorded)
    return Extract(
        "ssd_early_help_episodes",
        table,
        events["day"],
        recorded,
        scope="window",
        window=150,
        key="earl_episode_id",
        changed=changed,
        later=("earl_episode_end_date", "earl_episode_end_reason"),
    )


def _write_support(scene: Scene, ids: Identity, events: Columns) -> Extract:
    rng = scene.rng("support file")
    n = len(events["day"])
    recorded = events["day"] + 1 + rng.integers(0, 14, n)
    table = pa.table(
        {
            "SupportRef": text.numbered("SU", np.arange(n), 8),
            "PersonId": ids.person.take(pa.array(events["child"])),
            "Service": text.coded(
                ["Parenting programme", "Mentoring", "Counselling", "Family group decision"],
                events["kind"],
            ),
            "StartDate": text.day(events["day"], DATE),
            "RecordedOn": text.day(recorded, DATE),
        }
    )
    return Extract(
        "early_help_support",
        table,
        events["day"],
        recorded,
        key="SupportRef",
        stamps=("RecordedOn",),
    )
