"""What the signals of health, missing, school and police come to."""

from __future__ import annotations

from math import inf

from tests.spec.drawn import Case

HEALTH = (
    Case(
        "An attendance counts in every window it falls in, on the first day of the window too.",
        """
        1, 30, 90    | ed.attendance |
        91, 180, 365 | ed.attendance |
        366          | ed.attendance |
        """,
        {
            "ed_attendances_30d": 2,
            "ed_attendances_90d": 3,
            "ed_attendances_180d": 5,
            "ed_attendances_365d": 6,
            "days_since_ed_attendance": 1,
        },
    ),
    Case(
        "An attendance the authority had not heard of before the as-of date does not count.",
        """
        5 | ed.attendance | known=0
        6 | ed.attendance | known=1
        """,
        {"ed_attendances_30d": 1, "days_since_ed_attendance": 6},
    ),
    Case(
        "Injuries are counted with assaults, and apart from self-harm, illness and poisoning.",
        """
        10, 200 | ed.attendance | category=injury
        20, 900 | ed.attendance | category=assault
        30, 300 | ed.attendance | category=self_harm
        40      | ed.attendance | category=mental_health
        50      | ed.attendance | category=poisoning
        60      | ed.attendance | category=illness
        70      | ed.attendance |
        """,
        {
            "ed_injuries_180d": 2,
            "ed_injuries_365d": 3,
            "ed_injuries_ever": 4,
            "ed_self_harm_90d": 1,
            "ed_self_harm_365d": 2,
            "ed_mental_health_365d": 1,
            "ed_poisoning_365d": 1,
            "ed_attendances_90d": 7,
        },
    ),
    Case(
        "Leaving before care is told from being treated, and sites are counted once each.",
        """
        10     | ed.attendance | outcome=left_before_care organisation=north
        20, 30 | ed.attendance | outcome=treated organisation=north
        40     | ed.attendance | outcome=treated organisation=south
        50     | ed.attendance |
        """,
        {"ed_left_before_care_180d": 1, "ed_sites_365d": 2},
    ),
    Case(
        "A rise is measured against the child's own year before, not against other children.",
        """
        10, 20, 30         | ed.attendance |
        100, 200, 300, 400 | ed.attendance |
        """,
        {"ed_attendances_change_90d": 3 - 4 * 90 / 365},
    ),
    Case(
        "Concerns of departments and doctors, and emergency admissions, are counted apart.",
        """
        10       | ed.safeguarding_concern |
        20, 30   | gp.safeguarding_code    |
        40       | hospital.admission      | category=emergency quantity=3
        50       | hospital.admission      | category=planned quantity=9
        60, 700  | gp.registration         |
        """,
        {
            "ed_safeguarding_concerns_365d": 1,
            "gp_safeguarding_codes_365d": 2,
            "emergency_admissions_365d": 1,
            "gp_registrations_730d": 2,
        },
    ),
    Case(
        "What a provider cancelled is on neither side of the share of appointments missed.",
        """
        10, 200      | health.appointment | category=outpatient outcome=not_brought
        20           | health.appointment | category=health_visiting outcome=not_brought
        30           | health.appointment | category=mental_health outcome=not_brought
        40           | health.appointment | category=dental outcome=not_brought
        50, 60, 70   | health.appointment | category=outpatient outcome=attended
        80           | health.appointment | category=outpatient outcome=cancelled_by_family
        90, 100, 110 | health.appointment | category=outpatient outcome=cancelled_by_provider
        120          | health.appointment | category=outpatient outcome=arrived_too_late
        """,
        {
            "appointments_not_brought_180d": 4,
            "appointments_not_brought_365d": 5,
            "appointments_not_brought_share_365d": 0.5,
            "health_visits_not_brought_365d": 1,
            "mental_health_not_brought_365d": 1,
            "dental_not_brought_365d": 1,
            "appointments_cancelled_by_family_365d": 1,
            "appointments_attended_365d": 3,
        },
    ),
    Case(
        "A referral turned down or left waiting is a need that was seen and not met.",
        """
        10 | mental_health.referral | outcome=rejected
        20 | mental_health.referral | outcome=waiting
        30 | mental_health.referral | outcome=accepted
        """,
        {"mental_health_referrals_365d": 3, "mental_health_referrals_not_taken_up_365d": 2},
    ),
    Case(
        "With nothing recorded a count is none and a time since is never; neither is unknown.",
        "",
        {"ed_attendances_365d": 0, "days_since_ed_attendance": inf},
    ),
)

MISSING = (
    Case(
        "Episodes, their length and what was offered on return are told apart.",
        """
        5        | missing.episode | category=missing duration_days=0.5 offered=no
        60       | missing.episode | category=missing duration_days=3 offered=yes accepted=yes
        100      | missing.episode | category=missing duration_days=1 offered=yes accepted=no
        800      | missing.episode | category=missing duration_days=9 offered=no
        10       | missing.episode | category=away_without_authorisation duration_days=2
        """,
        {
            "missing_episodes_90d": 2,
            "missing_episodes_365d": 3,
            "missing_episodes_ever": 4,
            "missing_days_365d": 4.5,
            "missing_longest_days_365d": 3,
            "away_without_authorisation_365d": 1,
            "missing_interviews_not_offered_365d": 1,
            "missing_interviews_declined_365d": 1,
            "missing_interviews_accepted_365d": 1,
            "days_since_missing_episode": 5,
        },
    ),
    Case(
        "A police report and a social care episode of one night are never added up.",
        """
        10      | missing.episode | category=missing
        10      | missing.report  | category=home grade=medium
        20, 200 | missing.report  | category=care grade=low
        30      | missing.report  | category=care grade=high
        """,
        {
            "missing_episodes_90d": 1,
            "missing_reports_90d": 3,
            "missing_reports_365d": 4,
            "missing_reports_graded_365d": 2,
            "missing_reports_from_care_365d": 3,
        },
    ),
    Case(
        "Episodes that come closer together rise above the child's own past.",
        """
        10, 20, 30, 40 | missing.episode | category=missing
        100, 455       | missing.episode | category=missing
        """,
        {"missing_episodes_change_90d": 4 - 2 * 90 / 365},
    ),
)

SCHOOL = (
    Case(
        "Bullying experienced is never counted with bullying displayed.",
        """
        5, 30, 200 | school.bullying | role=experiencing category=verbal
        40         | school.bullying | role=experiencing category=electronic
        6, 50      | school.bullying | role=displaying category=physical
        45         | school.bullying |
        """,
        {
            "bullying_experienced_90d": 3,
            "bullying_experienced_365d": 4,
            "bullying_experienced_15_to_90d": 2,
            "bullying_electronic_365d": 1,
            "bullying_displayed_365d": 2,
            "days_since_bullying_experienced": 5,
            "bullying_actions_90d": 0,
            "bullying_report_after_action_days": inf,
        },
    ),
    Case(
        "A report is old enough to have been answered from the fifteenth day to the ninetieth.",
        "14, 15, 90, 91 | school.bullying | role=experiencing",
        {"bullying_experienced_15_to_90d": 2},
    ),
    Case(
        "An action counts against the report it came after, by the order of the days.",
        """
        60, 20 | school.bullying        | role=experiencing
        50     | school.bullying_action |
        """,
        {"bullying_actions_90d": 1, "bullying_report_after_action_days": 30},
    ),
    Case(
        "An action on or after the day of the latest report leaves nothing unanswered.",
        """
        60 | school.bullying        | role=experiencing
        58 | school.bullying_action |
        """,
        {"bullying_report_after_action_days": -2},
    ),
    Case(
        "Sessions the school or transport made impossible are not absence.",
        """
        10, 20 | school.absence | category=unauthorised quantity=4
        30     | school.absence | category=illness quantity=10
        200    | school.absence | category=authorised quantity=20
        40     | school.absence | category=unable_to_attend quantity=50
        """,
        {
            "school_sessions_missed_90d": 18,
            "school_sessions_missed_365d": 38,
            "school_sessions_unauthorised_90d": 8,
            "school_absence_share_365d": 0.1,
            "school_absence_rise_90d": 18 - 38 * 90 / 365,
        },
    ),
    Case(
        "Suspensions are counted with the sessions lost; reasons linked to exploitation apart.",
        """
        10      | school.suspension          | category=drugs_alcohol quantity=6
        20, 200 | school.suspension          | category=disruptive quantity=2
        900     | school.permanent_exclusion | category=weapon
        """,
        {
            "suspensions_90d": 2,
            "suspensions_365d": 3,
            "suspension_sessions_365d": 10,
            "suspensions_exploitation_linked_365d": 1,
            "permanent_exclusions_ever": 1,
        },
    ),
    Case(
        "A move counts when the child joined a school, not again when another school was left.",
        """
        30  | school.move              | category=left_mid_year
        29  | school.move              | category=joined_mid_year
        60  | school.move              | category=usual
        50  | school.missing_education |
        500 | school.home_educated     |
        """,
        {"school_moves_365d": 1, "missing_education_365d": 1, "home_educated_ever": 1},
    ),
    Case(
        "Concerns of the school are counted by what they were about.",
        """
        10  | school.concern | category=neglect
        900 | school.concern | category=neglect
        20  | school.concern | category=injury voice=yes
        100 | school.concern | category=disclosure voice=yes
        """,
        {
            "school_concerns_90d": 2,
            "school_concerns_365d": 3,
            "school_neglect_concerns_ever": 2,
            "school_injury_concerns_365d": 1,
            "school_disclosures_365d": 1,
            "school_words_recorded_365d": 2,
        },
    ),
)

POLICE = (
    Case(
        "Notices are counted by the grade the officer gave.",
        """
        10, 20, 30 | police.child_concern | grade=low
        40, 200    | police.child_concern | grade=medium
        50         | police.child_concern | grade=high
        60         | police.child_concern |
        """,
        {
            "police_concerns_90d": 6,
            "police_concerns_365d": 7,
            "police_concerns_low_90d": 3,
            "police_concerns_graded_365d": 3,
        },
    ),
    Case(
        "Domestic abuse incidents say whether the child was there and how they were graded.",
        """
        10, 20   | police.da_incident | role=present grade=high
        100      | police.da_incident | role=not_present grade=medium
        1000     | police.da_incident |
        """,
        {
            "domestic_abuse_incidents_90d": 2,
            "domestic_abuse_incidents_365d": 3,
            "domestic_abuse_incidents_ever": 4,
            "domestic_abuse_child_present_365d": 2,
            "domestic_abuse_high_365d": 2,
            "domestic_abuse_change_90d": 2 - 1 * 90 / 365,
            "days_since_domestic_abuse": 10,
        },
    ),
    Case(
        "A child's part in a crime report is kept: victim and suspect are never one number.",
        """
        10, 20 | police.crime            | role=victim
        30     | police.crime            | role=suspect
        40     | police.crime            | role=witness
        50     | police.exploitation     | grade=medium
        60     | police.arrest           |
        70     | youth_justice.outcome   |
        """,
        {
            "crime_victim_365d": 2,
            "crime_suspect_365d": 1,
            "exploitation_notices_365d": 1,
            "arrests_365d": 1,
            "youth_justice_outcomes_365d": 1,
        },
    ),
)

CASES = (*HEALTH, *MISSING, *SCHOOL, *POLICE)
