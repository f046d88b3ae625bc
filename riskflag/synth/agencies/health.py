"""Emergency departments, appointments, referrals to child mental health services, practices."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from riskflag.synth import text
from riskflag.synth.draws import Array, Columns, chance, choose, choose_by_row, stack
from riskflag.synth.extract import Correction, Extract
from riskflag.synth.identity import Identity
from riskflag.synth.scene import Scene

#: Kinds of emergency attendance, with the complaint codes written for each; the codes of mental
#: health are SNOMED CT, the LOCAL- ones are the department's own and declared in the source.
KINDS = ("illness", "injury", "assault", "self_harm", "mental_health", "poisoning")
COMPLAINTS = (
    ("LOCAL-FEVER", "LOCAL-BREATH", "LOCAL-VOMIT", "LOCAL-RASH"),
    ("LOCAL-LIMB", "LOCAL-HEAD", "LOCAL-WOUND", "LOCAL-BURN"),
    ("LOCAL-ASSAULT",),
    ("248062006", "6471006"),
    ("366979004", "48694002", "248020004", "7011001"),
    ("LOCAL-INGEST",),
)
INTENTS = (None, "LOCAL-ACCIDENT", "LOCAL-INTENT-ASSAULT", "276853009", None, "LOCAL-ACCIDENT")
DISCHARGE = (
    "182992009",
    "1066301000000103",
    "1066311000000101",
    "1066321000000107",
    "LOCAL-ADMITTED",
)
ATTENDED = ("5", "6", "7", "3", "2", "4")
SERVICES = ("outpatient", "health_visiting", "mental_health", "dental")
ECDS_LAG = 1


def emergencies(scene: Scene) -> Columns:
    """Attendances: columns of `Scene.for_children` plus kind, safeguarding, left, category."""
    kids, age = scene.people.children, scene.age
    seeking = scene.people.households.seeking[kids.household]
    ordinary = np.where(age < 1, 0.85, np.where(age < 5, 0.42, np.where(age < 11, 0.14, 0.13)))
    ordinary = ordinary * (kids.frailty * seeking * np.where(kids.ill, 3.0, 1.0))[:, None]
    ordinary *= 1 + 0.3 * scene.x("neglect") + 0.2 * scene.x("strain")
    knocks = np.where(age < 1, 0.06, np.where(age < 5, 0.2, np.where(age < 10, 0.11, 0.15)))
    knocks = knocks * (kids.clumsy * seeking**0.5)[:, None]
    knocks *= (
        1 + 1.8 * scene.x("neglect") + 4.5 * scene.x("abuse") + 1.0 * scene.x("domestic_abuse")
    )
    blows = (0.004 + 0.5 * scene.x("exploitation") + 0.15 * scene.x("abuse")) * (age > 9)
    harm = 0.003 + 0.9 * scene.x("distress") ** 2
    low = 0.008 + 0.5 * scene.x("distress")
    toddler = (age < 5) & (age > 0.8)
    poison = 0.003 + toddler * (0.012 + 0.15 * scene.x("substance") + 0.1 * scene.x("neglect"))
    poison = poison + (age > 11) * 0.25 * scene.x("distress") ** 2
    rates = (ordinary, knocks, blows, harm, low, poison)
    ages = ((0, 18), (0, 18), (9, 18), (10, 18), (9, 18), (0.7, 18))
    parts = []
    for kind, (rate, span) in enumerate(zip(rates, ages, strict=True)):
        drawn = scene.for_children(f"ed {KINDS[kind]}", np.asarray(rate), span)
        parts.append(drawn | {"kind": np.full(len(drawn["day"]), kind)})
    return _treated(scene, stack(parts))


def _treated(scene: Scene, events: Columns) -> Columns:
    rng = scene.rng("ed treatment")
    n = len(events["day"])
    neglect, abuse = scene.at("neglect", events), scene.at("abuse", events)
    kind = events["kind"]
    home = scene.people.children.household[events["child"]]
    reporting = scene.people.households.reporting[home]
    worry = (
        0.003
        + 0.08 * neglect
        + 0.3 * abuse * (kind == 1)
        + 0.05 * scene.at("domestic_abuse", events)
    )
    worry = worry + np.asarray([0, 0, 0.15, 0.3, 0.08, 0.1])[kind]
    left = chance(rng, 0.03 + 0.12 * neglect + 0.08 * scene.at("substance", events), n)
    admitted = ~left & chance(rng, 0.1 + 0.2 * np.isin(kind, (3, 5)), n)
    again = chance(rng, 0.06, n)
    return events | {
        "safeguarding": chance(rng, np.clip(worry * reporting**0.5, 0, 0.9), n),
        "status": np.where(left, 1 + choose(rng, [0.5, 0.3, 0.2], n), np.where(admitted, 4, 0)),
        "category": np.where(again, choose(rng, [0.5, 0.15, 0.35], n) + 2, 1),
    }


def appointments(scene: Scene) -> Columns:
    """Booked appointments: plus service (index into SERVICES) and outcome (into ATTENDED)."""
    kids, age = scene.people.children, scene.age
    long_term = (0.32 + 6.0 * kids.ill + 2.0 * kids.disabled)[:, None]
    seeking = (scene.people.households.seeking[kids.household])[:, None]
    visiting = np.where(age < 1, 5.0, np.where(age < 3, 0.9, 0.25))
    rates: tuple[Array, ...] = (
        long_term * seeking * np.ones_like(age),
        visiting * np.ones_like(age),
        2.6 * scene.x("distress") * seeking,
        0.18 * np.ones_like(age),
    )
    ages = ((0.0, 18.0), (0.0, 5.0), (8.0, 18.0), (2.0, 18.0))
    parts = []
    for service, (rate, span) in enumerate(zip(rates, ages, strict=True)):
        drawn = scene.for_children(f"appointment {SERVICES[service]}", rate, span)
        parts.append(drawn | {"service": np.full(len(drawn["day"]), service)})
    events = stack(parts)
    rng = scene.rng("appointment outcome")
    home = kids.household[events["child"]]
    engagement = scene.people.households.engagement[home]
    log = -2.9 - 0.35 * engagement + 2.3 * scene.at("neglect", events)
    log += 1.2 * scene.at("substance", events) + 0.7 * scene.at("parent_mental_health", events)
    log += 0.4 * scene.at("strain", events) + 0.4 * scene.people.households.vulnerability[home]
    missed = 1 / (1 + np.exp(-log))
    rest = 1 - missed
    weights = np.stack(
        [rest * p for p in (0.74, 0.12, 0.012)] + [missed, rest * 0.08, rest * 0.048], 1
    )
    return events | {"outcome": choose_by_row(rng, weights)}


def mental_health_referrals(scene: Scene) -> Columns:
    """Referrals to child mental health services: plus outcome (accepted, rejected, waiting)."""
    rate = 0.012 + 0.6 * scene.x("distress")
    events = scene.for_children("camhs", rate, (6.0, 18.0))
    outcome = choose(scene.rng("camhs outcome"), [0.5, 0.3, 0.2], len(events["day"]))
    return events | {"outcome": outcome}


def registrations(scene: Scene) -> Columns:
    """New registrations with a general practice, after a move."""
    rate = 0.05 + 0.25 * scene.x("strain") + 0.15 * scene.x("domestic_abuse")
    return scene.for_children("gp registration", rate)


def practice_codes(scene: Scene) -> Columns:
    """Safeguarding codes written by a general practice."""
    rate = (
        0.005
        + 0.12 * scene.x("neglect")
        + 0.08 * scene.x("domestic_abuse")
        + 0.1 * scene.x("abuse")
    )
    home = scene.people.children.household
    return scene.for_children("gp code", rate * scene.people.households.reporting[home][:, None])


def _complaints(rng: np.random.Generator, kind: Array) -> pa.Array:
    """A complaint code for each attendance of a kind."""
    codes = [code for group in COMPLAINTS for code in group]
    sizes = np.asarray([len(group) for group in COMPLAINTS])
    first = np.cumsum(sizes) - sizes
    return text.coded(codes, first[kind] + rng.integers(0, 1000, len(kind)) % sizes[kind])


def write_ecds(scene: Scene, ids: Identity, events: Columns) -> Extract:
    """The Emergency Care Data Set, in its version 4 element names."""
    rng = scene.rng("ecds file")
    n = len(events["day"])
    slow = chance(rng, 0.04, n)
    recorded = (
        events["day"] + ECDS_LAG + np.where(slow, rng.integers(3, 25, n), rng.integers(0, 2, n))
    )
    nhs, errors = ids.write("ecds", "nhs", events["child"])
    kind = events["kind"]
    concern = text.coded(["LOCAL-SAFEGUARDING"], np.where(events["safeguarding"], 0, -1))
    table = pa.table(
        {
            "UrgentAndEmergencyCareActivityIdentifier": text.numbered("EC", np.arange(n), 9),
            "NHSNumber": nhs,
            "NHSNumberStatusIndicatorCode": text.coded(["01", "07"], (errors == 1).astype(int)),
            "OrganisationSiteIdentifier_OfTreatment": text.numbered(
                "ZZ9", rng.integers(0, 3, n), 2
            ),
            "UrgentAndEmergencyCareActivityType": text.coded(["01", "03"], chance(rng, 0.2, n) * 1),
            "UrgentAndEmergencyCareAttendanceCategory": text.number(events["category"]),
            "UrgentAndEmergencyCareActivityStartDateAndTime": text.moment(
                events["day"], events["minute"]
            ),
            "AgeAtCDSActivityDate": text.number(scene.age_at(events).astype(np.int64)),
            "ChiefComplaint_SnomedCt": _complaints(rng, kind),
            "EmergencyCareInjuryIntent_SnomedCt": text.coded(INTENTS, kind),
            "UrgentAndEmergencyCareDischargeStatus_SnomedCt": text.coded(
                DISCHARGE, events["status"]
            ),
            "SafeguardingConcern_SnomedCt": concern,
            "CDSExtractDate": text.day(recorded),
        }
    )
    correction = Correction("UrgentAndEmergencyCareDischargeStatus_SnomedCt", DISCHARGE[:4])
    return Extract(
        "ecds",
        table,
        events["day"],
        recorded,
        scope="window",
        window=60,
        correction=correction,
        errors=errors,
        retractable=True,
        key="UrgentAndEmergencyCareActivityIdentifier",
        stamps=("CDSExtractDate",),
    )


def write_appointments(scene: Scene, ids: Identity, events: Columns) -> Extract:
    """Appointments of community, outpatient, mental health and dental services."""
    rng = scene.rng("appointments file")
    n = len(events["day"])
    recorded = events["day"] + 2 + rng.integers(0, 9, n) + 20 * chance(rng, 0.05, n)
    nhs, errors = ids.write("community_health", "nhs", events["child"])
    table = pa.table(
        {
            "CareContactIdentifier": text.numbered("CC", np.arange(n), 9),
            "NHSNumber": nhs,
            "CareContactDate": text.day(events["day"]),
            "ServiceOrTeamType": text.coded(["OP", "HV", "MH", "DE"], events["service"]),
            "AttendOrDNACode": text.coded(ATTENDED, events["outcome"]),
            "OrganisationIdentifier": text.numbered("ZH", events["service"], 2),
            "RecordedDate": text.day(recorded),
        }
    )
    return Extract(
        "community_health",
        table,
        events["day"],
        recorded,
        key="CareContactIdentifier",
        correction=Correction("AttendOrDNACode", ("5", "3")),
        errors=errors,
        outage=True,
        stamps=("RecordedDate",),
    )


def write_mental_health(scene: Scene, ids: Identity, events: Columns) -> Extract:
    """Referrals to child mental health services (the referral table of the national data set)."""
    rng = scene.rng("camhs file")
    n = len(events["day"])
    recorded = events["day"] + 3 + rng.integers(0, 12, n)
    nhs, errors = ids.write("camhs", "nhs", events["child"])
    table = pa.table(
        {
            "ServiceRequestId": text.numbered("MH", np.arange(n), 7),
            "NHSNumber": nhs,
            "ReferralRequestReceivedDate": text.day(events["day"]),
            "ReferralOutcome": text.coded(["ACC", "REJ", "WAIT"], events["outcome"]),
            "RecordedDate": text.day(recorded),
        }
    )
    return Extract(
        "child_mental_health",
        table,
        events["day"],
        recorded,
        key="ServiceRequestId",
        errors=errors,
        stamps=("RecordedDate",),
    )


def write_practices(scene: Scene, ids: Identity, moves: Columns, codes: Columns) -> Extract:
    """Registrations and safeguarding codes of general practices, in one weekly file."""
    rng = scene.rng("gp file")
    n, m = len(moves["day"]), len(codes["day"])
    child = np.concatenate([moves["child"], codes["child"]])
    days = np.concatenate([moves["day"], codes["day"]])
    recorded = days + 2 + rng.integers(0, 12, n + m)
    nhs, errors = ids.write("gp", "nhs", child)
    snomed = ("836881000000105", "1064961000000107")
    code = np.concatenate([np.full(n, -1), choose(rng, [0.7, 0.3], m)])
    table = pa.table(
        {
            "EventId": text.numbered("GP", np.arange(n + m), 8),
            "NHSNumber": nhs,
            "EventDate": text.day(days),
            "EventType": text.coded(["REG", "CODE"], (np.arange(n + m) >= n) * 1),
            "SnomedCt": text.coded(snomed, code),
            "PracticeCode": text.numbered("Z8", rng.integers(0, 40, n + m), 4),
            "RecordedDate": text.day(recorded),
        }
    )
    return Extract(
        "gp", table, days, recorded, key="EventId", errors=errors, stamps=("RecordedDate",)
    )
