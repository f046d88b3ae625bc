"""For each rule: a history that fires it, one just below, and the feeds that leave it open."""

from __future__ import annotations

from tests.spec.drawn import RuleCase

BABY = "2025-09-20"

HEALTH = (
    RuleCase(
        "repeat_emergency_attendance",
        fires="10, 60, 120, 180 | ed.attendance |",
        below="10, 60, 120, 181 | ed.attendance |",
        lost=("ed.attendance",),
        says=("4 attendances",),
    ),
    RuleCase(
        "emergency_attendance_known_child",
        fires="""
        10, 180 | ed.attendance |
        365     | care.referral |
        """,
        below="""
        10, 180 | ed.attendance |
        366     | care.referral |
        """,
        lost=("care.referral",),
        says=("2 attendances", "1 referral and 0 protection plans"),
    ),
    RuleCase(
        "infant_injury",
        fires="10, 60 | ed.attendance | category=injury",
        below="10 | ed.attendance | category=injury",
        lost=("ed.attendance",),
        born=BABY,
        says=("2 attendances", "under one year old"),
    ),
    RuleCase(
        "infant_injury",
        fires="""
        10  | ed.attendance      | category=assault
        100 | police.da_incident |
        """,
        below="10 | ed.attendance | category=assault",
        lost=("police.da_incident",),
        born=BABY,
        says=("1 attendance ",),
    ),
    RuleCase(
        "self_harm_without_help",
        fires="10, 365 | ed.attendance | category=self_harm",
        below="10, 366 | ed.attendance | category=self_harm",
        lost=("ed.attendance",),
        says=("2 attendances for self-harm",),
    ),
    RuleCase(
        "self_harm_without_help",
        fires="""
        10 | ed.attendance          | category=self_harm
        5  | mental_health.referral | outcome=rejected
        """,
        below="""
        10 | ed.attendance          | category=self_harm
        5  | mental_health.referral | outcome=accepted
        """,
        lost=("mental_health.referral",),
        says=("1 referral to mental health services was turned down",),
    ),
    RuleCase(
        "not_brought_twice",
        fires="10, 180 | health.appointment | outcome=not_brought",
        below="""
        10      | health.appointment | outcome=not_brought
        20, 30  | health.appointment | outcome=cancelled_by_provider
        """,
        lost=("health.appointment",),
        says=("2 appointments", "was not brought"),
    ),
    RuleCase(
        "injuries_across_siblings",
        fires="""
        10     | ed.attendance | category=injury
        20, 30 | ed.attendance | category=injury of=sibling
        """,
        below="""
        10 | ed.attendance | category=injury
        20 | ed.attendance | category=injury of=sibling
        """,
        lost=("ed.attendance",),
        says=("1 attendance of this child and 2 attendances of brothers and sisters",),
    ),
)

MISSING = (
    RuleCase(
        "repeat_missing",
        fires="10, 40, 90 | missing.episode | category=missing",
        below="10, 40, 91 | missing.episode | category=missing",
        lost=("missing.episode",),
        says=("3 episodes", "0 missing reports"),
    ),
    RuleCase(
        "repeat_missing",
        fires="10, 40, 90 | missing.report | category=home",
        below="10, 40, 91 | missing.report | category=home",
        lost=("missing.report",),
        says=("3 missing reports",),
    ),
    RuleCase(
        "missing_and_exploitation",
        fires="""
        10  | missing.report      | category=home
        200 | police.exploitation | grade=medium
        """,
        below="""
        10  | missing.report      | category=home
        366 | police.exploitation | grade=medium
        """,
        lost=("police.exploitation",),
        says=("1 missing report.",),
    ),
    RuleCase(
        "return_interview_not_offered",
        fires="10 | missing.episode | category=missing offered=no",
        below="10 | missing.episode | category=missing",
        lost=("missing.episode",),
        says=("1 episode ",),
    ),
)

SCHOOL = (
    RuleCase(
        "bullying_nothing_recorded_after",
        fires="15 | school.bullying | role=experiencing",
        below="14 | school.bullying | role=experiencing",
        lost=("school.bullying", "school.bullying_action"),
        despite_loss="unknown",
        says=("1 report ",),
    ),
    RuleCase(
        "bullying_nothing_recorded_after",
        fires="""
        80, 30 | school.bullying        | role=experiencing
        60     | school.bullying_action |
        """,
        below="""
        80, 30 | school.bullying        | role=experiencing
        29     | school.bullying_action |
        """,
        lost=("school.bullying",),
        despite_loss="unknown",
        says=("2 reports",),
    ),
    RuleCase(
        "disclosure_not_passed_on",
        fires="30 | school.concern | category=disclosure voice=yes",
        below="30 | school.concern | category=wellbeing",
        lost=("school.concern",),
        says=("1 time in", "0 contacts"),
    ),
    RuleCase(
        "disclosure_not_passed_on",
        fires="30 | school.concern | category=disclosure",
        below="""
        30 | school.concern | category=attendance
        """,
        lost=("care.contact", "school.concern"),
        despite_loss="unknown",
    ),
    RuleCase(
        "persistent_absence_with_concern",
        fires="""
        30  | school.absence | category=illness quantity=10
        200 | school.absence | category=unauthorised quantity=28
        50  | care.contact   | outcome=nfa
        """,
        below="""
        30  | school.absence | category=illness quantity=10
        200 | school.absence | category=unauthorised quantity=27
        50  | care.contact   | outcome=nfa
        """,
        lost=("school.absence",),
        says=("38 school sessions", "10 of them"),
    ),
)

POLICE_AND_FAMILY = (
    RuleCase(
        "repeat_low_police_notices",
        fires="5, 50, 90 | police.child_concern | grade=low",
        below="""
        5, 50 | police.child_concern | grade=low
        60    | police.child_concern | grade=medium
        """,
        lost=("police.child_concern",),
        says=("3 notices",),
    ),
    RuleCase(
        "repeat_domestic_abuse",
        fires="5, 200, 365 | police.da_incident |",
        below="5, 200, 366 | police.da_incident |",
        lost=("police.da_incident",),
        says=("3 domestic abuse incidents",),
    ),
    RuleCase(
        "adult_crisis_young_child",
        fires="90 | adult.mental_health_crisis | of=household_adult",
        below="91 | adult.mental_health_crisis | of=household_adult",
        lost=("adult.mental_health_crisis",),
        born="2022-06-01",
        says=("1 crisis contact ",),
    ),
    RuleCase(
        "homeless_infant",
        fires="180 | housing.duty | category=relief",
        below="181 | housing.duty | category=relief",
        lost=("housing.duty",),
        born=BABY,
        says=("1 homelessness duty", "0 placements"),
    ),
)

CARE = (
    RuleCase(
        "rereferral_after_no_action",
        fires="""
        30  | care.referral | outcome=assessment
        300 | care.referral | outcome=nfa
        """,
        below="""
        30  | care.referral | outcome=assessment
        456 | care.referral | outcome=nfa
        """,
        lost=("care.referral",),
        says=(
            "1 referral in the last 90 days and 1 referral in the year before",
            "1 ended in no further action",
        ),
    ),
    RuleCase(
        "referred_again_after_plan",
        fires="""
        30  | care.referral |
        120 | care.cp_plan  |
        """,
        below="""
        30  | care.referral |
        119 | care.cp_plan  |
        """,
        lost=("care.cp_plan",),
        despite_loss="unknown",
        says=("1 protection plan; the latest began 90 days before",),
    ),
    RuleCase(
        "contacts_closed_without_assessment",
        fires="""
        10, 40 | care.contact | outcome=nfa
        90     | care.contact | outcome=advice
        """,
        below="""
        10, 40 | care.contact | outcome=nfa
        91     | care.contact | outcome=advice
        """,
        lost=("care.assessment", "care.contact"),
        despite_loss="unknown",
        says=("3 contacts", "0 assessments"),
    ),
    RuleCase(
        "neglect_before_and_new_concern",
        fires="""
        2000       | care.factor  | category=neglect
        10, 20, 30 | care.contact | outcome=nfa
        """,
        below="""
        2000   | care.factor  | category=neglect
        10, 20 | care.contact | outcome=nfa
        """,
        lost=("care.contact",),
        says=("1 assessment finding", "3 further worries"),
    ),
    RuleCase(
        "placement_instability",
        fires="10, 100, 365 | care.placement | outcome=planned",
        below="10, 100, 366 | care.placement | outcome=planned",
        lost=("care.placement",),
        says=("3 placement moves", "0 of them came after"),
    ),
)

PRACTICE = (
    RuleCase(
        "on_plan_not_seen_alone",
        fires="10, 90 | care.visit | category=cp seen=yes seen_alone=no",
        below="10, 91 | care.visit | category=cp seen=yes seen_alone=no",
        lost=("care.visit",),
        despite_loss="unknown",
        says=("2 visits", "At 0 visits"),
    ),
    RuleCase(
        "on_plan_not_seen_alone",
        fires="10, 40 | care.visit | category=cp seen=yes",
        below="""
        10, 40 | care.visit       | category=cp seen=yes
        180    | care.child_voice |
        """,
        lost=("care.visit", "care.child_voice"),
        despite_loss="unknown",
        says=("recorded 0 times",),
    ),
    RuleCase(
        "unsettled_workers",
        fires="10, 100, 200, 365 | care.worker_change | worker=experienced",
        below="10, 100, 200, 366 | care.worker_change | worker=experienced",
        lost=("care.worker_change",),
        says=("4 times", "0 allocations were"),
    ),
    RuleCase(
        "carer_approval_not_in_order",
        fires="365 | care.carer_review | outcome=lapsed",
        below="365 | care.carer_review | outcome=completed",
        lost=("care.carer_review",),
        says=("1 time ",),
    ),
)

WHOLE = (
    RuleCase(
        "many_agencies_no_assessment",
        fires="""
        10, 20 | ed.attendance        |
        30     | police.child_concern |
        40     | school.concern       |
        90     | care.contact         | outcome=nfa
        """,
        below="""
        10, 20 | ed.attendance        |
        30     | police.child_concern |
        40     | school.concern       |
        91     | care.contact         | outcome=nfa
        """,
        lost=("care.assessment", "care.contact"),
        despite_loss="unknown",
        says=("4 agencies recorded 5 worries",),
    ),
    RuleCase(
        "sudden_rise",
        fires="""
        5, 10, 15 | ed.attendance        |
        20        | police.child_concern |
        """,
        below="""
        5, 10, 15, 20 | ed.attendance        |
        100           | police.child_concern |
        """,
        lost=("police.child_concern",),
        despite_loss="unknown",
        says=("4 worries", "4 more than usual"),
    ),
)

CASES = (*HEALTH, *MISSING, *SCHOOL, *POLICE_AND_FAMILY, *CARE, *PRACTICE, *WHOLE)
