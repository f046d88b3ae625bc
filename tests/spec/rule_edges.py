"""Histories on the edge of each comparison of each rule: no threshold can move unnoticed."""

from __future__ import annotations

from dataclasses import dataclass

from tests.spec.drawn import EIGHT
from tests.spec.rule_cases import BABY


@dataclass(frozen=True)
class Edge:
    """A drawn history and what one rule says of it."""

    rule: str
    says: str
    table: str
    born: str = EIGHT


ONE_INJURY = "10 | ed.attendance | category=injury\n"
DISCLOSED = "30 | school.concern | category=disclosure\n"
ABSENT = """
30  | school.absence | category=illness quantity=20
200 | school.absence | category=illness quantity=30
"""
NEW_WORRIES = "10, 20, 30 | care.contact | outcome=nfa\n"
CLOSED = "10, 20, 30 | care.contact | outcome=nfa\n"
ON_PLAN = "10, 20 | care.visit | category=cp seen=yes\n"
FOUR_AGENCIES = """
10 | ed.attendance        |
30 | police.child_concern |
40 | school.concern       |
50 | care.contact         | outcome=nfa
"""

HEALTH = (
    Edge(
        "emergency_attendance_known_child",
        "no",
        "10, 181 | ed.attendance |\n20 | care.referral |",
    ),
    Edge(
        "emergency_attendance_known_child",
        "yes",
        "10, 20 | ed.attendance |\n30 | care.cp_plan |",
    ),
    Edge("emergency_attendance_known_child", "no", "10, 20 | ed.attendance |"),
    Edge("infant_injury", "no", "60 | police.da_incident |", BABY),
    Edge("infant_injury", "yes", ONE_INJURY + "60 | care.contact |", BABY),
    Edge("infant_injury", "yes", ONE_INJURY + "60 | adult.marac | of=household_adult", BABY),
    Edge("infant_injury", "yes", ONE_INJURY + "60 | ed.safeguarding_concern |", BABY),
    Edge("infant_injury", "yes", "10, 60 | ed.attendance | category=injury", "2025-04-02"),
    Edge("infant_injury", "no", "10, 60 | ed.attendance | category=injury", "2025-04-01"),
    Edge("self_harm_without_help", "no", "10 | ed.attendance | outcome=left_before_care"),
    Edge(
        "self_harm_without_help",
        "yes",
        "10 | ed.attendance | category=self_harm outcome=left_before_care",
    ),
    Edge(
        "not_brought_twice",
        "yes",
        "10, 20 | health.appointment | outcome=not_brought",
        "2010-04-02",
    ),
    Edge(
        "not_brought_twice", "no", "10, 20 | health.appointment | outcome=not_brought", "2010-04-01"
    ),
    Edge("injuries_across_siblings", "no", "10, 20 | ed.attendance | category=injury of=sibling"),
)

MISSING = (
    Edge(
        "missing_and_exploitation",
        "yes",
        """
        10 | missing.episode     | category=missing
        20 | police.exploitation |
        """,
    ),
    Edge("missing_and_exploitation", "no", "20 | police.exploitation |"),
    Edge(
        "missing_and_exploitation",
        "yes",
        """
        10   | missing.report | category=home
        3000 | care.factor    | category=gangs
        """,
    ),
)

SCHOOL = (
    Edge("bullying_nothing_recorded_after", "yes", "30, 5 | school.bullying | role=experiencing"),
    Edge(
        "bullying_nothing_recorded_after",
        "yes",
        """
        15 | school.bullying        | role=experiencing
        16 | school.bullying_action |
        """,
    ),
    Edge(
        "bullying_nothing_recorded_after",
        "no",
        """
        14 | school.bullying        | role=experiencing
        60 | school.bullying_action |
        """,
    ),
    Edge(
        "bullying_nothing_recorded_after",
        "no",
        """
        20 | school.bullying        | role=experiencing
        20 | school.bullying_action |
        """,
    ),
    Edge(
        "bullying_nothing_recorded_after",
        "no",
        """
        100 | school.bullying        | role=experiencing
        120 | school.bullying_action |
        """,
    ),
    Edge("bullying_nothing_recorded_after", "no", "20 | school.bullying | role=displaying"),
    Edge("disclosure_not_passed_on", "no", DISCLOSED + "300 | care.contact | outcome=nfa"),
    Edge("disclosure_not_passed_on", "no", DISCLOSED + "20 | care.assessment | outcome=nfa"),
    Edge("persistent_absence_with_concern", "no", ABSENT),
    Edge("persistent_absence_with_concern", "no", ABSENT + "50 | school.concern |"),
    Edge("persistent_absence_with_concern", "yes", ABSENT + "50, 60 | school.concern |"),
    Edge("persistent_absence_with_concern", "yes", ABSENT + "50 | police.da_incident |"),
    Edge(
        "persistent_absence_with_concern",
        "no",
        """
        30  | school.absence | category=illness quantity=9
        200 | school.absence | category=illness quantity=60
        50  | care.contact   |
        """,
    ),
)

FAMILY = (
    Edge(
        "adult_crisis_young_child",
        "yes",
        "10 | adult.mental_health_crisis | of=household_adult",
        "2021-04-02",
    ),
    Edge(
        "adult_crisis_young_child",
        "no",
        "10 | adult.mental_health_crisis | of=household_adult",
        "2021-04-01",
    ),
    Edge("homeless_infant", "yes", "10 | housing.duty |", "2025-04-02"),
    Edge("homeless_infant", "no", "10 | housing.duty |", "2025-04-01"),
    Edge("homeless_infant", "yes", "10 | housing.temporary_accommodation |", BABY),
    Edge("homeless_infant", "yes", "10 | housing.possession | category=eviction", BABY),
)

CARE = (
    Edge("referred_again_after_plan", "no", "91 | care.referral |\n200 | care.cp_plan |"),
    Edge("referred_again_after_plan", "no", "10 | care.referral |"),
    Edge("referred_again_after_plan", "no", "10 | care.referral |\n5 | care.cp_plan |"),
    Edge("rereferral_after_no_action", "no", "100, 300 | care.referral | outcome=nfa"),
    Edge("rereferral_after_no_action", "no", "10 | care.referral | outcome=nfa"),
    Edge("rereferral_after_no_action", "no", "10, 300 | care.referral | outcome=assessment"),
    Edge("contacts_closed_without_assessment", "no", CLOSED + "20 | care.assessment |"),
    Edge("neglect_before_and_new_concern", "no", NEW_WORRIES),
    Edge(
        "neglect_before_and_new_concern",
        "yes",
        NEW_WORRIES + "3000 | care.cp_plan | category=neglect",
    ),
    Edge(
        "neglect_before_and_new_concern",
        "yes",
        NEW_WORRIES + "3000 | school.concern | category=neglect",
    ),
    Edge(
        "neglect_before_and_new_concern",
        "yes",
        NEW_WORRIES + "3000 | care.cp_plan | category=neglect of=sibling",
    ),
    Edge("placement_instability", "yes", "10, 50 | care.placement | outcome=carer_asked"),
    Edge("placement_instability", "no", "10 | care.placement | outcome=carer_asked"),
)

PRACTICE = (
    Edge(
        "on_plan_not_seen_alone",
        "no",
        """
        10, 20, 30 | care.visit | category=cp seen_alone=no
        40         | care.visit | category=cp seen_alone=yes
        """,
    ),
    Edge(
        "on_plan_not_seen_alone",
        "no",
        ON_PLAN + "30 | care.visit | category=cp seen_alone=no\n30 | care.child_voice |",
    ),
    Edge(
        "on_plan_not_seen_alone",
        "yes",
        ON_PLAN + "30, 40 | care.visit | category=cp seen_alone=no\n30 | care.child_voice |",
    ),
    Edge(
        "unsettled_workers",
        "yes",
        """
        10 | care.worker_change | worker=newly_qualified
        20 | care.visit         | category=cp
        """,
    ),
    Edge("unsettled_workers", "no", "10 | care.worker_change | worker=newly_qualified"),
    Edge("unsettled_workers", "no", "20 | care.visit | category=cp"),
)

WHOLE = (
    Edge("many_agencies_no_assessment", "no", FOUR_AGENCIES),
    Edge(
        "many_agencies_no_assessment",
        "no",
        "10, 20, 30 | ed.attendance |\n30 | police.child_concern |\n40 | school.concern |",
    ),
    Edge(
        "many_agencies_no_assessment",
        "no",
        FOUR_AGENCIES + "60 | school.concern |\n60 | care.assessment |",
    ),
    Edge("sudden_rise", "no", "5, 10 | ed.attendance |\n20 | police.child_concern |"),
    Edge(
        "sudden_rise",
        "yes",
        """
        5, 10, 15                   | ed.attendance        |
        20                          | police.child_concern |
        40, 60, 80, 100, 120, 140   | school.concern       |
        """,
    ),
    Edge(
        "sudden_rise",
        "no",
        """
        5, 10, 15                        | ed.attendance        |
        20                               | police.child_concern |
        40, 60, 80, 100, 120, 140, 160   | school.concern       |
        """,
    ),
)

EDGES = (*HEALTH, *MISSING, *SCHOOL, *FAMILY, *CARE, *PRACTICE, *WHOLE)
