"""What the signals of family, housing, social care, practice, voice and support come to."""

from __future__ import annotations

from math import inf, nan

from tests.spec.drawn import Case

HOUSING = (
    Case(
        "What housing recorded about the household counts for the child.",
        """
        10, 200 | housing.duty                    | category=relief
        20      | housing.temporary_accommodation |
        30      | housing.possession              | category=notice
        500     | housing.possession              | category=eviction
        40      | housing.repair                  | category=damp
        50      | housing.repair                  | category=hazard
        60, 70  | housing.antisocial              |
        """,
        {
            "homelessness_duties_180d": 1,
            "homelessness_duties_365d": 2,
            "temporary_accommodation_365d": 1,
            "possession_actions_365d": 1,
            "evictions_730d": 1,
            "home_condition_reports_365d": 2,
            "home_hazard_reports_365d": 1,
            "antisocial_complaints_365d": 2,
        },
    ),
)

FAMILY = (
    Case(
        "Contacts of adults in the household reach the child; the mother's are also told apart.",
        """
        10, 200 | adult.mental_health_crisis | of=household_adult
        20      | adult.mental_health_crisis | of=mother
        30      | adult.substance_treatment  | of=household_adult outcome=dropped_out
        500     | adult.substance_treatment  | of=household_adult outcome=completed
        40      | adult.probation            | of=household_adult category=release
        210     | adult.marac                | of=household_adult
        220     | adult.safeguarding         | of=household_adult
        """,
        {
            "adult_mental_health_crises_90d": 2,
            "adult_mental_health_crises_365d": 3,
            "mother_mental_health_crises_365d": 1,
            "adult_substance_treatment_365d": 1,
            "adult_treatment_dropped_365d": 1,
            "adult_treatment_completed_730d": 1,
            "adult_probation_365d": 1,
            "adult_conferences_365d": 1,
            "adult_safeguarding_365d": 1,
            "adult_services_180d": 3,
            "adult_services_365d": 5,
        },
    ),
    Case(
        "What happened to brothers and sisters is kept apart from what happened to the child.",
        """
        10, 20 | care.referral      | of=sibling
        30     | ed.attendance      | of=sibling category=injury
        40     | missing.episode    | of=sibling category=missing
        2000   | care.cp_plan       | of=sibling category=neglect
        2100   | care.looked_after  | of=sibling
        """,
        {
            "sibling_referrals_365d": 2,
            "sibling_ed_injuries_365d": 1,
            "sibling_missing_365d": 1,
            "sibling_neglect_plans_ever": 1,
            "sibling_looked_after_ever": 1,
            "care_referrals_365d": 0,
            "ed_injuries_365d": 0,
            "missing_episodes_365d": 0,
        },
    ),
)

CARE = (
    Case(
        "Contacts that ended in advice are counted with those that ended in no further action.",
        """
        10, 20 | care.contact | category=police outcome=nfa
        40     | care.contact | category=school outcome=advice
        50     | care.contact | category=anonymous outcome=nfa
        60     | care.contact | category=individual outcome=referral
        200    | care.contact | category=health outcome=nfa
        """,
        {
            "care_contacts_30d": 2,
            "care_contacts_90d": 5,
            "care_contacts_365d": 6,
            "care_contacts_nfa_90d": 4,
            "care_contacts_nfa_365d": 5,
            "care_contacts_from_public_365d": 2,
            "care_contact_sources_365d": 5,
            "care_contacts_change_90d": 5 - 1 * 90 / 365,
        },
    ),
    Case(
        "A re-referral is a referral of the last 90 days with another in the year before.",
        """
        10   | care.referral | category=abuse_or_neglect outcome=assessment
        91   | care.referral | category=behaviour outcome=nfa
        400  | care.referral | category=abuse_or_neglect outcome=nfa
        1200 | care.referral | category=behaviour outcome=assessment
        """,
        {
            "care_referrals_90d": 1,
            "care_referrals_earlier_year": 2,
            "care_referrals_365d": 2,
            "care_referrals_ever": 4,
            "care_referrals_nfa_365d": 1,
            "care_referrals_nfa_ever": 2,
            "care_referrals_abuse_or_neglect_ever": 2,
        },
    ),
    Case(
        "What assessments found is remembered, neglect above all, however long ago.",
        """
        10   | care.assessment | outcome=nfa seen=no
        100  | care.assessment | outcome=services seen=yes
        3000 | care.factor     | category=neglect
        3000 | care.cp_plan    | category=neglect
        100  | care.factor     | category=domestic_abuse
        100  | care.factor     | category=alcohol
        100  | care.factor     | category=mental_health
        2500 | care.factor     | category=physical_abuse
        2500 | care.factor     | category=gangs
        """,
        {
            "assessments_180d": 2,
            "assessments_nfa_365d": 1,
            "assessments_child_not_seen_365d": 1,
            "neglect_factors_ever": 1,
            "neglect_plans_ever": 1,
            "domestic_abuse_factors_1095d": 1,
            "substance_factors_1095d": 1,
            "mental_health_factors_1095d": 1,
            "abuse_factors_ever": 1,
            "exploitation_factors_ever": 1,
            "factor_kinds_1095d": 3,
        },
    ),
    Case(
        "Enquiries and plans of the last year are told from those of long ago.",
        """
        10, 900 | care.s47     | outcome=nfa
        20      | care.s47     | outcome=conference
        30, 900 | care.cp_plan | category=emotional
        """,
        {
            "section47_enquiries_365d": 2,
            "section47_enquiries_ever": 3,
            "section47_nfa_365d": 1,
            "protection_plans_365d": 1,
            "protection_plans_ever": 2,
        },
    ),
    Case(
        "A plan is open until the day after it ended; an end that lies ahead is not known yet.",
        """
        30, 40 | care.cp_plan      | ended=open
        50     | care.cp_plan      | ended=0
        60     | care.cp_plan      | ended=-90
        70     | care.cp_plan      | ended=1
        70     | care.looked_after | ended=1
        20     | care.looked_after | ended=open
        5      | care.looked_after | ended=open known=0
        """,
        {"on_protection_plan": 4, "protection_plans_365d": 5, "looked_after_now": 1},
    ),
    Case(
        "A plan of which nobody says whether it ended is neither open nor over.",
        "30 | care.cp_plan |",
        {"on_protection_plan": nan, "looked_after_now": 0},
    ),
    Case(
        "A referral is measured from the latest plan; a plan that came after it is below zero.",
        """
        30       | care.referral |
        120, 900 | care.cp_plan  |
        """,
        {"referral_after_plan_days": 90},
    ),
    Case(
        "A first placement is no move; why a placement ended is kept.",
        """
        700 | care.looked_after | category=abuse_or_neglect
        700 | care.placement    | category=foster outcome=first
        300 | care.placement    | category=foster outcome=carer_asked
        200 | care.placement    | category=foster outcome=allegation
        10  | care.placement    | category=kinship outcome=planned
        """,
        {
            "looked_after_ever": 1,
            "placement_moves_180d": 1,
            "placement_moves_365d": 3,
            "placement_breakdowns_365d": 2,
            "placement_allegations_ever": 1,
        },
    ),
)

PRACTICE = (
    Case(
        "Allocations say how often, and to whom.",
        """
        10  | care.worker_change | worker=newly_qualified
        100 | care.worker_change | worker=agency_worker
        300 | care.worker_change | worker=experienced
        """,
        {
            "worker_changes_180d": 2,
            "worker_changes_365d": 3,
            "newly_qualified_allocations_365d": 1,
            "agency_worker_allocations_365d": 1,
            "days_since_worker_change": 10,
        },
    ),
    Case(
        "Reviews held, overdue and cancelled, of the child and of the carer, are told apart.",
        """
        10, 100 | care.review       | category=cp outcome=on_time voice=yes
        200     | care.review       | category=cp outcome=overdue
        300     | care.review       | category=cla outcome=cancelled
        20      | care.carer_review | outcome=overdue
        400     | care.carer_review | outcome=lapsed
        500     | care.carer_review | outcome=completed
        """,
        {
            "reviews_on_time_365d": 2,
            "reviews_not_on_time_365d": 2,
            "reviews_child_took_part_365d": 2,
            "carer_reviews_not_in_order_365d": 1,
            "carer_reviews_completed_730d": 1,
        },
    ),
)

VOICE = (
    Case(
        "A visit that says nothing about being seen alone is in neither count.",
        """
        10  | care.visit | category=cp seen=yes seen_alone=yes voice=yes
        20  | care.visit | category=cp seen=yes seen_alone=no voice=no
        30  | care.visit | category=cp seen=no seen_alone=no
        40  | care.visit | category=cin
        200 | care.visit | category=cla seen=no
        """,
        {
            "visits_90d": 4,
            "plan_visits_90d": 3,
            "days_since_visit": 10,
            "visits_seen_alone_90d": 1,
            "visits_not_seen_alone_90d": 2,
            "visits_child_not_seen_90d": 1,
            "visits_child_not_seen_365d": 2,
            "visits_words_recorded_180d": 1,
        },
    ),
    Case(
        "The child's words count whoever recorded them, each agency by its own signal.",
        """
        20, 400 | care.child_voice     |
        30      | police.child_concern | voice=no
        40      | police.da_incident   | voice=no
        50      | police.da_incident   | voice=yes
        """,
        {
            "words_recorded_180d": 1,
            "words_recorded_ever": 2,
            "days_since_words_recorded": 20,
            "police_words_not_recorded_365d": 2,
        },
    ),
    Case(
        "A child whose words were never recorded has not been asked for longer than any number.",
        "",
        {"words_recorded_ever": 0, "days_since_words_recorded": inf},
    ),
)

EARLY_HELP = (
    Case(
        "Help that was finished, declined or stepped up is told apart.",
        """
        10      | early_help.episode | outcome=completed
        20      | early_help.episode | outcome=declined
        30      | early_help.episode | outcome=stepped_up
        40, 500 | early_help.support | category=parenting_programme
        50      | early_help.support | category=mentoring
        60      | early_help.support | category=family_group_decision
        70, 80  | care.direct_work   |
        """,
        {
            "early_help_episodes_365d": 3,
            "early_help_completed_730d": 1,
            "early_help_declined_365d": 1,
            "early_help_stepped_up_365d": 1,
            "support_taken_up_365d": 3,
            "parenting_support_730d": 2,
            "mentoring_or_counselling_365d": 1,
            "family_group_decisions_730d": 1,
            "direct_work_180d": 2,
            "days_since_support": 40,
        },
    ),
)

CONTEXT = (
    Case(
        "Worries are counted over all agencies, and the agencies that recorded them.",
        """
        10, 20 | ed.attendance        |
        25     | police.child_concern |
        60     | school.concern       |
        200    | care.contact         |
        """,
        {
            "worries_30d": 3,
            "worries_90d": 4,
            "worries_365d": 5,
            "agencies_30d": 2,
            "agencies_90d": 3,
            "agencies_365d": 4,
            "worry_kinds_90d": 3,
            "worries_change_30d": 3 - 2 * 30 / 180,
            "worries_change_90d": 4 - 1 * 90 / 365,
            "days_since_worry": 10,
            "days_since_first_worry": 200,
        },
    ),
    Case(
        "A police stop is in the records and in no signal.",
        """
        1, 2, 3, 4, 5, 6, 7 | police.stop |
        """,
        {"worries_30d": 0, "agencies_30d": 0, "police_concerns_90d": 0, "days_since_worry": inf},
    ),
    Case("Age is in completed years and months.", "", {"age_years": 8, "age_months": 98}),
    Case(
        "A child is eleven months old on the day before the first birthday.",
        "",
        {"age_years": 0, "age_months": 11},
        born="2025-04-02",
    ),
    Case(
        "An age that nobody recorded is unknown, not zero.",
        "",
        {"age_years": nan, "age_months": nan},
        born=None,
    ),
)

CASES = (*HOUSING, *FAMILY, *CARE, *PRACTICE, *VOICE, *EARLY_HELP, *CONTEXT)
