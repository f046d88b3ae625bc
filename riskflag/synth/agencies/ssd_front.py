"""The case system's front door in SSD tables: contacts to conferences."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.synth import text
from riskflag.synth.approach import SOURCES
from riskflag.synth.care_records import FACTORS
from riskflag.synth.draws import Array, Columns, choose
from riskflag.synth.extract import Correction, Extract
from riskflag.synth.identity import Identity
from riskflag.synth.scene import FAR, Scene
from riskflag.synth.social_care import EXISTING

SOURCE_NAMES = {
    "6": "Police", "2A": "Schools", "2B": "Education services", "3A": "GP", "3B": "Health visitor",
    "3C": "School nurse", "3D": "Other primary health", "3E": "A&E", "3F": "Other health",
    "4": "Housing", "5A": "Social care adults", "5B": "Other internal", "5C": "Another authority",
    "5D": "Early help", "1A": "Family member", "1B": "Acquaintance", "1C": "Self",
    "1D": "Other individual", "7": "Other legal agency", "8": "Other", "9": "Anonymous",
    "10": "Unknown",
}  # fmt: skip
CONTACT_KEYS = (
    "NEW_REFERRAL_FLAG", "EXISTING_REFERRAL_FLAG", "CP_ENQUIRY_FLAG", "NFA_FLAG",
    "NON_AGENCY_ADOPTION_FLAG", "PRIVATE_FOSTERING_FLAG", "ADVICE_FLAG", "MISSING_FLAG",
    "OLA_CP_FLAG", "OTHER_OUTCOMES_EXIST_FLAG",
)  # fmt: skip
REFERRAL_KEYS = (
    "SINGLE_ASSESSMENT_FLAG", "NFA_FLAG", "STRATEGY_DISCUSSION_FLAG", "CLA_REQUEST_FLAG",
    "NON_AGENCY_ADOPTION_FLAG", "PRIVATE_FOSTERING_FLAG", "CP_TRANSFER_IN_FLAG",
    "CP_CONFERENCE_FLAG", "CARE_LEAVER_FLAG", "OTHER_OUTCOMES_EXIST_FLAG",
)  # fmt: skip
ASSESSMENT_KEYS = (
    "NFA_FLAG", "NFA_S47_END_FLAG", "STRATEGY_DISCUSSION_FLAG", "CLA_REQUEST_FLAG",
    "PRIVATE_FOSTERING_FLAG", "LEGAL_ACTION_FLAG", "PROV_OF_SERVICES_FLAG", "PROV_OF_SB_CARE_FLAG",
    "SPECIALIST_ASSESSMENT_FLAG", "REFERRAL_TO_OTHER_AGENCY_FLAG", "OTHER_ACTIONS_FLAG",
    "OTHER_OUTCOMES_EXIST_FLAG",
)  # fmt: skip
ENQUIRY_KEYS = (
    "NFA_FLAG", "LEGAL_ACTION_FLAG", "PROV_OF_SERVICES_FLAG", "PROV_OF_SB_CARE_FLAG",
    "CP_CONFERENCE_FLAG", "NFA_CONTINUE_SINGLE_FLAG", "MONITOR_FLAG", "OTHER_OUTCOMES_EXIST_FLAG",
)  # fmt: skip
CONFERENCE_KEYS = (
    "NFA_FLAG", "REFERRAL_TO_OTHER_AGENCY_FLAG", "SINGLE_ASSESSMENT_FLAG", "PROV_OF_SERVICES_FLAG",
    "CP_FLAG", "OTHER_OUTCOMES_EXIST_FLAG",
)  # fmt: skip
NEEDS = ("N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8")


def persons(ids: Identity, rows: Array) -> pa.Array:
    return ids.person.take(pa.array(rows))


def write(
    scene: Scene, ids: Identity, care: dict[str, Columns], more: dict[str, Columns]
) -> list[Extract]:
    """The five front-door tables and the factors."""
    return [
        _contacts(scene, ids, care["contacts"]),
        _referrals(scene, ids, care["referrals"], more["assessments"]),
        *_assessments(scene, ids, more["assessments"]),
        _enquiries(ids, care["enquiries"], scene),
        _conferences(ids, care["conferences"], scene),
    ]


def _contacts(scene: Scene, ids: Identity, rows: Columns) -> Extract:
    rng = scene.rng("ssd contacts")
    n = len(rows["day"])
    recorded = rows["day"] + choose(rng, [0.6, 0.3, 0.1], n)
    key = np.asarray([0, 1, 3, 6, 9, 2])[rows["outcome"]]
    key = np.where(rows["missing"] & (rows["outcome"] > EXISTING) & (key != 2), 7, key)
    table = pa.table(
        {
            "cont_contact_id": text.numbered("CT", np.arange(n), 9),
            "cont_person_id": persons(ids, rows["child"]),
            "cont_contact_date": text.day(rows["day"]),
            "cont_contact_source_code": text.coded(SOURCES, rows["source"]),
            "cont_contact_source_desc": text.coded(
                [SOURCE_NAMES[code] for code in SOURCES], rows["source"]
            ),
            "cont_contact_outcome_json": text.flags_json(CONTACT_KEYS, key),
        }
    )
    return Extract(
        "ssd_contacts",
        table,
        rows["day"],
        recorded,
        scope="window",
        window=90,
        key="cont_contact_id",
        correction=Correction("cont_contact_source_code", ("10",)),
        retractable=True,
    )


def _need(scene: Scene, rows: Columns) -> Array:
    """The primary need of each referral: index into NEEDS."""
    rng, events = scene.rng("need"), {"child": rows["child"], "step": rows["step"]}
    disabled = scene.people.children.disabled[rows["child"]]
    harm = (
        scene.at("neglect", events) + scene.at("domestic_abuse", events) + scene.at("abuse", events)
    )
    n = len(disabled)
    weights = np.stack(
        [
            0.5 + harm,
            0.02 + 0.8 * disabled,
            0.02 + 0.2 * scene.at("parent_mental_health", events),
            np.full(n, 0.1),
            0.12 + 0.2 * scene.at("substance", events),
            0.02 + 0.4 * scene.at("exploitation", events),
            0.004 + 0.02 * scene.at("strain", events),
            np.full(n, 0.02),
        ],
        1,
    )
    edges = np.cumsum(weights, axis=1)
    return np.asarray((edges <= (rng.random(n) * edges[:, -1])[:, None]).sum(axis=1))


def _referrals(scene: Scene, ids: Identity, rows: Columns, assessments: Columns) -> Extract:
    rng = scene.rng("ssd referrals")
    n = len(rows["day"])
    recorded = rows["day"] + choose(rng, [0.6, 0.3, 0.1], n)
    closed = rows["closes"] <= scene.calendar.end
    key = np.where(rows["nfa"], 1, np.where(rows["strategy"], 2, np.where(rows["assessed"], 0, 9)))
    reason = np.where(rows["assessed_nfa"], 0, choose(rng, [0.0, 0.75, 0.2, 0.05], n))
    worker = np.where(rows["nfa"], -1, rng.integers(0, 800, n))
    table = pa.table(
        {
            "cine_referral_id": text.numbered("RF", rows["referral"], 8),
            "cine_person_id": persons(ids, rows["child"]),
            "cine_referral_date": text.day(rows["day"]),
            "cine_cin_primary_need_code": text.coded(NEEDS, _need(scene, rows)),
            "cine_referral_source_code": text.coded(SOURCES, rows["source"]),
            "cine_referral_source_desc": text.coded(
                [SOURCE_NAMES[code] for code in SOURCES], rows["source"]
            ),
            "cine_referral_outcome_json": text.flags_json(REFERRAL_KEYS, key),
            "cine_referral_nfa": text.yes_no(rows["nfa"]),
            "cine_close_reason": text.coded(
                ["RC8", "RC7", "RC9", "RC5"], np.where(closed, reason, -1)
            ),
            "cine_close_date": text.day(np.where(closed, rows["closes"], text.NO_DAY)),
            "cine_referral_team": text.numbered("T", rows["child"] % 9, 2),
            "cine_referral_worker_id": text.numbered("P", worker, 4),
        }
    )
    return Extract(
        "ssd_cin_episodes",
        table,
        rows["day"],
        recorded,
        scope="window",
        window=120,
        key="cine_referral_id",
        changed=np.where(closed, rows["closes"] + 1, recorded),
        later=("cine_close_reason", "cine_close_date"),
        correction=Correction("cine_cin_primary_need_code", ("N5", "N4")),
        retractable=True,
    )


def _assessments(scene: Scene, ids: Identity, rows: Columns) -> list[Extract]:
    """Assessments, and the factors that are known only when they are authorised."""
    n = len(rows["day"])
    done = rows["done"] <= scene.calendar.end
    finished = np.where(done, rows["done"], text.NO_DAY)
    key = np.where(rows["nfa"], 0, np.where(rows["strategy"], 2, 6))
    key = np.where(done, key, -1)
    numbers = text.numbered("AS", np.arange(n), 8)
    recorded = rows["day"] + 1
    table = pa.table(
        {
            "cina_assessment_id": numbers,
            "cina_person_id": persons(ids, rows["child"]),
            "cina_referral_id": text.numbered("RF", rows["referral"], 8),
            "cina_assessment_start_date": text.day(rows["day"]),
            "cina_assessment_child_seen": text.yes_no(rows["seen"]),
            "cina_assessment_auth_date": text.day(finished),
            "cina_assessment_outcome_json": text.flags_json(ASSESSMENT_KEYS, key),
            "cina_assessment_outcome_nfa": text.coded(["N", "Y"], np.where(done, rows["nfa"], -1)),
            "cina_assessment_team": text.numbered("T", rows["child"] % 9, 2),
            "cina_assessment_worker_id": text.numbered("P", rows["child"] % 800, 4),
        }
    )
    assessments = Extract(
        "ssd_cin_assessments",
        table,
        rows["done"],
        recorded,
        scope="window",
        window=120,
        key="cina_assessment_id",
        changed=np.where(done, rows["done"] + 1, recorded),
        later=(
            "cina_assessment_auth_date",
            "cina_assessment_outcome_json",
            "cina_assessment_outcome_nfa",
        ),
    )
    return [assessments, _factors(ids, rows, numbers, finished).only(done)]


def _factors(ids: Identity, rows: Columns, numbers: pa.Array, finished: Array) -> Extract:
    """One row per assessment with the list of its factors; 21 says that there were none."""
    nothing = text.coded(["21"], np.where(rows["factors"].any(axis=1), -1, 0))
    columns = [
        text.coded([code], np.where(rows["factors"][:, k], 0, -1))
        for k, (code, _, _) in enumerate(FACTORS)
    ]
    inner = pc.binary_join_element_wise(*columns, nothing, '","', null_handling="skip")
    factors = pa.table(
        {
            "cinf_table_id": text.numbered("FC", np.arange(len(finished)), 8),
            "cinf_assessment_id": numbers,
            "cinf_assessment_factors_json": pc.binary_join_element_wise('["', inner, '"]', ""),
            "cina_person_id": persons(ids, rows["child"]),
            "cina_assessment_auth_date": text.day(finished),
        }
    )
    return Extract(
        "ssd_assessment_factors",
        factors,
        rows["done"],
        rows["done"] + 1,
        scope="window",
        window=120,
        key="cinf_table_id",
    )


def _enquiries(ids: Identity, rows: Columns, scene: Scene) -> Extract:
    n = len(rows["day"])
    ended = rows["ends"] <= scene.calendar.end
    key = np.asarray([0, 4, 5])[rows["outcome"]]
    table = pa.table(
        {
            "s47e_s47_enquiry_id": text.numbered("SE", np.arange(n), 8),
            "s47e_referral_id": text.numbered("RF", rows["referral"], 8),
            "s47e_person_id": persons(ids, rows["child"]),
            "s47e_s47_start_date": text.day(rows["day"]),
            "s47e_s47_end_date": text.day(np.where(ended, rows["ends"], text.NO_DAY)),
            "s47e_s47_nfa": text.coded(["N", "Y"], np.where(ended, rows["outcome"] == 0, -1)),
            "s47e_s47_outcome_json": text.flags_json(ENQUIRY_KEYS, np.where(ended, key, -1)),
            "s47e_s47_completed_by_team": text.numbered("T", rows["child"] % 9, 2),
            "s47e_s47_completed_by_worker_id": text.numbered("P", rows["child"] % 800, 4),
        }
    )
    recorded = rows["day"] + 1
    return Extract(
        "ssd_s47_enquiry",
        table,
        rows["day"],
        recorded,
        scope="window",
        window=120,
        key="s47e_s47_enquiry_id",
        changed=np.where(ended, rows["ends"] + 1, recorded),
        later=("s47e_s47_end_date", "s47e_s47_nfa", "s47e_s47_outcome_json"),
    )


def _conferences(ids: Identity, rows: Columns, scene: Scene) -> Extract:
    n = len(rows["day"])
    plan = np.where(rows["planned"], np.cumsum(rows["planned"]) - 1, -1)
    table = pa.table(
        {
            "icpc_icpc_id": text.numbered("IC", np.arange(n), 8),
            "icpc_icpc_meeting_id": text.numbered("ME", np.arange(n), 8),
            "icpc_s47_enquiry_id": text.constant(None, n),
            "icpc_person_id": persons(ids, rows["child"]),
            "icpc_cp_plan_id": text.numbered("CPP", plan, 7),
            "icpc_referral_id": text.numbered("RF", rows["referral"], 8),
            "icpc_icpc_transfer_in": text.constant("N", n),
            "icpc_icpc_target_date": text.day(rows["target"]),
            "icpc_icpc_date": text.day(rows["day"]),
            "icpc_icpc_outcome_cp_flag": text.yes_no(rows["planned"]),
            "icpc_icpc_outcome_json": text.flags_json(
                CONFERENCE_KEYS, np.where(rows["planned"], 4, 3)
            ),
            "icpc_icpc_team": text.numbered("T", rows["child"] % 9, 2),
            "icpc_icpc_worker_id": text.numbered("P", rows["child"] % 800, 4),
        }
    )
    return Extract(
        "ssd_initial_cp_conference",
        table,
        rows["day"],
        rows["day"] + 2,
        scope="window",
        window=120,
        key="icpc_icpc_id",
    )


__all__ = ["FAR", "write"]
