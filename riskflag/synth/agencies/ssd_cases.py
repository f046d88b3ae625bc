"""The case system's open cases in SSD tables: plans, visits, reviews, workers, care, missing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from riskflag.synth import text
from riskflag.synth.agencies.ssd_front import persons
from riskflag.synth.care_records import CATEGORIES, PLACEMENTS, REASONS, TEAMS, WORKER_TITLES
from riskflag.synth.draws import Array, Columns, choose, take
from riskflag.synth.extract import Correction, Extract
from riskflag.synth.identity import Identity
from riskflag.synth.scene import FAR, Scene


def write(
    scene: Scene, ids: Identity, care: dict[str, Columns], more: dict[str, Columns]
) -> list[Extract]:
    """All tables of open cases."""
    categories = more["categories"]["category"]
    return [
        _plans(scene, ids, care["plans"], categories),
        _cin_plans(scene, ids, care["referrals"]),
        *_visits(scene, ids, more["visits"]),
        _voice(scene, ids, more["visits"]),
        _plan_reviews(scene, ids, more["plan_reviews"]),
        _care_reviews(scene, ids, more["care_reviews"]),
        _episodes(scene, ids, care["care"]),
        _placements(scene, ids, more["placements"]),
        _carer_reviews(scene, ids, more["carer_reviews"]),
        _missing(scene, ids, more["missing_episodes"]),
        _involvements(scene, ids, more["workers"]),
    ]


def _ended(scene: Scene, ends: Array) -> Array:
    """End days that have come; the others are not written yet."""
    return np.where(ends <= scene.calendar.end, ends, text.NO_DAY)


def _changed(scene: Scene, ends: Array, recorded: Array) -> Array:
    return np.where(ends <= scene.calendar.end, ends + 1, recorded)


def _plans(scene: Scene, ids: Identity, rows: Columns, category: Array) -> Extract:
    n = len(rows["day"])
    table = pa.table(
        {
            "cppl_cp_plan_id": text.numbered("CPP", np.arange(n), 7),
            "cppl_referral_id": text.numbered("RF", rows["referral"], 8),
            "cppl_icpc_id": text.constant(None, n),
            "cppl_person_id": persons(ids, rows["child"]),
            "cppl_cp_plan_start_date": text.day(rows["day"]),
            "cppl_cp_plan_end_date": text.day(_ended(scene, rows["ends"])),
            "cppl_cp_plan_ola": text.constant("N", n),
            "cppl_cp_plan_initial_category": text.coded(CATEGORIES, category),
            "cppl_cp_plan_latest_category": text.coded(CATEGORIES, category),
        }
    )
    recorded = rows["day"] + 2
    return Extract(
        "ssd_cp_plans",
        table,
        rows["day"],
        recorded,
        scope="window",
        window=120,
        key="cppl_cp_plan_id",
        changed=_changed(scene, rows["ends"], recorded),
        later=("cppl_cp_plan_end_date",),
    )


def _cin_plans(scene: Scene, ids: Identity, referrals: Columns) -> Extract:
    rows = take(referrals, referrals["cin_plan"])
    n = len(rows["day"])
    table = pa.table(
        {
            "cinp_cin_plan_id": text.numbered("CIN", np.arange(n), 7),
            "cinp_referral_id": text.numbered("RF", rows["referral"], 8),
            "cinp_person_id": persons(ids, rows["child"]),
            "cinp_cin_plan_start_date": text.day(rows["done"]),
            "cinp_cin_plan_end_date": text.day(_ended(scene, rows["closes"])),
            "cinp_cin_plan_team": text.numbered("T", rows["child"] % 9, 2),
            "cinp_cin_plan_worker_id": text.numbered("P", rows["child"] % 800, 4),
        }
    )
    recorded = rows["done"] + 2
    return Extract(
        "ssd_cin_plans",
        table,
        rows["done"],
        recorded,
        scope="window",
        window=120,
        key="cinp_cin_plan_id",
        changed=_changed(scene, rows["closes"], recorded),
        later=("cinp_cin_plan_end_date",),
    ).only(rows["closes"] > rows["done"])


def _visits(scene: Scene, ids: Identity, visits: Columns) -> list[Extract]:
    """Three tables of visits: children in need, on a plan, looked after."""
    rng = scene.rng("visit lag")
    names = ("ssd_cin_visits", "ssd_cp_visits", "ssd_cla_visits")
    prefixes, kinds = ("cinv_cin", "cppv_cp", "clav_cla"), ("VN", "VP", "VL")
    extracts = []
    for kind, (name, prefix, letters) in enumerate(zip(names, prefixes, kinds, strict=True)):
        rows = take(visits, visits["kind"] == kind)
        n = len(rows["day"])
        start = prefix.split("_", maxsplit=1)[0]
        columns = {
            f"{prefix}_visit_id": text.numbered(letters, np.arange(n), 8),
            f"{start}_person_id": persons(ids, rows["child"]),
            f"{prefix}_visit_date": text.day(rows["day"]),
            f"{prefix}_visit_seen": text.yes_no(rows["seen"]),
            f"{prefix}_visit_seen_alone": text.yes_no(rows["alone"]),
        }
        if kind < 2:
            columns[f"{prefix}_visit_bedroom"] = text.yes_no(rows["bedroom"])
        recorded = rows["day"] + choose(rng, [0.3, 0.3, 0.2, 0.1, 0.1], n)
        extracts.append(
            Extract(
                name,
                pa.table(columns),
                rows["day"],
                recorded,
                scope="window",
                window=60,
                key=f"{prefix}_visit_id",
                correction=Correction(f"{prefix}_visit_seen_alone", ("N",)),
            )
        )
    return extracts


def _voice(scene: Scene, ids: Identity, visits: Columns) -> Extract:
    """The child's own words; the table has no date, so the extract joins the visit's."""
    rng = scene.rng("voice file")
    rows = take(visits, visits["voice"])
    n = len(rows["day"])
    table = pa.table(
        {
            "voch_table_id": text.numbered("VO", np.arange(n), 8),
            "voch_person_id": persons(ids, rows["child"]),
            "voch_explained_worries": text.yes_no(rng.random(n) < 0.7),
            "voch_story_help_understand": text.yes_no(rng.random(n) < 0.4),
            "voch_agree_worker": text.yes_no(rng.random(n) < 0.6),
            "voch_plan_safe": text.yes_no(rng.random(n) < 0.5),
            "voch_tablet_help_explain": text.yes_no(rng.random(n) < 0.2),
            "visit_date": text.day(rows["day"]),
        }
    )
    return Extract(
        "ssd_voice_of_child",
        table,
        rows["day"],
        rows["day"] + 2,
        scope="window",
        window=60,
        key="voch_table_id",
    )


def _plan_reviews(scene: Scene, ids: Identity, rows: Columns) -> Extract:
    n = len(rows["day"])
    table = pa.table(
        {
            "cppr_cp_review_id": text.numbered("PR", np.arange(n), 8),
            "cppr_person_id": persons(ids, rows["child"]),
            "cppr_cp_plan_id": text.numbered("CPP", rows["row"], 7),
            "cppr_cp_review_due": text.day(rows["due"]),
            "cppr_cp_review_date": text.day(rows["day"]),
            "cppr_cp_review_meeting_id": text.numbered("ME", 5 * 10**6 + np.arange(n), 8),
            "cppr_cp_review_outcome_continue_cp": text.constant("Y", n),
            "cppr_cp_review_quorate": text.coded(["Y", "N"], (rows["outcome"] == 2) * 1),
            "cppr_cp_review_participation": text.coded(["PN0", "PN1"], rows["voice"] * 1),
            "review_timeliness": text.coded(["ON TIME", "OVERDUE", "CANCELLED"], rows["outcome"]),
        }
    )
    return Extract(
        "ssd_cp_reviews",
        table,
        rows["day"],
        rows["day"] + 4,
        scope="window",
        window=120,
        key="cppr_cp_review_id",
    )


def _care_reviews(scene: Scene, ids: Identity, rows: Columns) -> Extract:
    n = len(rows["day"])
    table = pa.table(
        {
            "clar_cla_review_id": text.numbered("LR", np.arange(n), 8),
            "clar_cla_id": text.numbered("LA", rows["row"], 7),
            "clar_cla_person_id": persons(ids, rows["child"]),
            "clar_cla_review_due_date": text.day(rows["due"]),
            "clar_cla_review_date": text.day(rows["day"]),
            "clar_cla_review_cancelled": text.yes_no(rows["outcome"] == 2),
            "clar_cla_review_participation": text.coded(["PN0", "PN1"], rows["voice"] * 1),
            "review_timeliness": text.coded(["ON TIME", "OVERDUE", "CANCELLED"], rows["outcome"]),
        }
    )
    return Extract(
        "ssd_cla_reviews",
        table,
        rows["day"],
        rows["day"] + 4,
        scope="window",
        window=120,
        key="clar_cla_review_id",
    )


def _episodes(scene: Scene, ids: Identity, rows: Columns) -> Extract:
    rng = scene.rng("care file")
    n = len(rows["day"])
    ended = rows["ends"] <= scene.calendar.end
    needs = choose(rng, [0.7, 0.04, 0.03, 0.06, 0.12, 0.02, 0.0, 0.03], n)
    reasons = choose(rng, [0.5, 0.3, 0.2], n)
    table = pa.table(
        {
            "clae_cla_episode_id": text.numbered("LE", np.arange(n), 7),
            "clae_person_id": persons(ids, rows["child"]),
            "clae_cla_placement_id": text.constant(None, n),
            "clae_cla_episode_start_date": text.day(rows["day"]),
            "clae_cla_episode_start_reason": text.constant("S", n),
            "clae_cla_primary_need_code": text.coded(
                ["N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8"], needs
            ),
            "clae_cla_episode_ceased_date": text.day(_ended(scene, rows["ends"])),
            "clae_cla_episode_ceased_reason": text.coded(
                ["E4A", "E4B", "E8"], np.where(ended, reasons, -1)
            ),
            "clae_cla_id": text.numbered("LA", np.arange(n), 7),
            "clae_referral_id": text.numbered("RF", rows["referral"], 8),
            "clae_cla_last_iro_contact_date": text.constant(None, n),
            "clae_entered_care_date": text.day(rows["day"]),
        }
    )
    recorded = rows["day"] + 2
    return Extract(
        "ssd_cla_episodes",
        table,
        rows["day"],
        recorded,
        scope="window",
        window=120,
        key="clae_cla_episode_id",
        changed=_changed(scene, rows["ends"], recorded),
        later=("clae_cla_episode_ceased_date", "clae_cla_episode_ceased_reason"),
    )


def _placements(scene: Scene, ids: Identity, rows: Columns) -> Extract:
    n = len(rows["day"])
    table = pa.table(
        {
            "clap_cla_placement_id": text.numbered("PL", np.arange(n), 7),
            "clap_cla_id": text.numbered("LA", rows["care"], 7),
            "clap_person_id": persons(ids, rows["child"]),
            "clap_cla_placement_start_date": text.day(rows["day"]),
            "clap_cla_placement_type": text.coded(PLACEMENTS, rows["type"]),
            "clap_cla_placement_urn": text.numbered("SC9", rows["carer"], 5),
            "clap_cla_placement_end_date": text.day(_ended(scene, rows["ends"])),
            "clap_cla_placement_change_reason": text.coded(REASONS, rows["reason"]),
        }
    )
    recorded = rows["day"] + 3
    return Extract(
        "ssd_cla_placement",
        table,
        rows["day"],
        recorded,
        scope="window",
        window=120,
        key="clap_cla_placement_id",
        changed=_changed(scene, rows["ends"], recorded),
        later=("clap_cla_placement_end_date",),
    )


def _carer_reviews(scene: Scene, ids: Identity, rows: Columns) -> Extract:
    """The fostering register: reviews of carers' approval, one row per child then placed."""
    n = len(rows["day"])
    recorded = rows["day"] + 10
    table = pa.table(
        {
            "ReviewRef": text.numbered("FR", np.arange(n), 7),
            "CarerRef": text.numbered("SC9", rows["carer"], 5),
            "PersonId": persons(ids, rows["child"]),
            "ReviewDate": text.day(rows["day"], "%d/%m/%Y"),
            "Outcome": text.coded(["Completed", "Overdue", "Approval lapsed"], rows["outcome"]),
            "RecordedOn": text.day(recorded, "%d/%m/%Y"),
        }
    )
    return Extract(
        "fostering", table, rows["day"], recorded, key="ReviewRef", stamps=("RecordedOn",)
    )


def _missing(scene: Scene, ids: Identity, rows: Columns) -> Extract:
    rng = scene.rng("missing file")
    n = len(rows["day"])
    recorded = rows["day"] + choose(rng, [0.2, 0.3, 0.2, 0.1, 0.1, 0.05, 0.05], n)
    table = pa.table(
        {
            "miss_table_id": text.numbered("MI", np.arange(n), 8),
            "miss_person_id": persons(ids, rows["child"]),
            "miss_missing_episode_start_date": text.day(rows["day"]),
            "miss_missing_episode_type": text.coded(["Missing", "Away"], rows["away"] * 1),
            "miss_missing_episode_end_date": text.day(_ended(scene, rows["ends"])),
            "miss_missing_rhi_offered": text.yes_no(rows["offered"]),
            "miss_missing_rhi_accepted": text.coded(
                ["N", "Y", "NA"], np.where(rows["offered"], rows["accepted"], 2)
            ),
        }
    )
    return Extract(
        "ssd_missing",
        table,
        rows["day"],
        recorded,
        scope="window",
        window=90,
        key="miss_table_id",
        correction=Correction("miss_missing_rhi_offered", ("N",)),
        changed=np.where(rows["ends"] < FAR, np.maximum(rows["ends"] + 1, recorded), recorded),
        later=("miss_missing_episode_end_date",),
    )


def _involvements(scene: Scene, ids: Identity, rows: Columns) -> Extract:
    """Allocations of social workers; the extract joins the job title from ssd_professionals."""
    n = len(rows["day"])
    ended = _ended(scene, rows["ends"])
    table = pa.table(
        {
            "invo_involvements_id": text.numbered("IV", np.arange(n), 8),
            "invo_professional_id": text.numbered("P", rows["professional"], 4),
            "invo_professional_role_id": text.constant("ALLOCATED CASE WORKER", n),
            "invo_professional_team": text.coded(TEAMS, rows["team"]),
            "invo_person_id": persons(ids, rows["child"]),
            "invo_involvement_start_date": text.day(rows["day"]),
            "invo_involvement_end_date": text.day(ended),
            "invo_worker_change_reason": text.coded(["FIRST", "CHANGE"], (rows["order"] > 0) * 1),
            "invo_referral_id": text.numbered("RF", rows["referral"], 8),
            "prof_professional_job_title": text.coded(WORKER_TITLES, rows["title"]),
        }
    )
    recorded = rows["day"] + 1
    return Extract(
        "ssd_involvements",
        table,
        rows["day"],
        recorded,
        scope="window",
        window=120,
        key="invo_involvements_id",
        changed=_changed(scene, rows["ends"], recorded),
        later=("invo_involvement_end_date",),
    )
