"""What the signals of the longer view come to."""

from __future__ import annotations

from tests.spec.drawn import Case

CASES = (
    Case(
        "Two years are read whole, and everything recorded beside them.",
        """
        10, 400, 729, 731 | ed.attendance      | category=illness
        20, 700           | school.absence     | category=illness quantity=8
        30, 720           | health.appointment | outcome=not_brought
        40                | health.appointment | outcome=attended
        50, 600           | missing.report     | category=home
        60, 500, 900      | care.referral      | category=abuse_or_neglect
        70, 650           | housing.duty       | category=relief
        """,
        {
            "all_worries_730d": 9,
            "all_worries_ever": 11,
            "school_sessions_missed_730d": 16,
            "appointments_not_brought_730d": 2,
            "missing_reports_730d": 2,
            "care_referrals_730d": 2,
            "homelessness_duties_730d": 2,
            "sibling_worries_365d": 0,
        },
    ),
    Case(
        "What is recorded about a brother or sister counts as the household's, not as the child's.",
        """
        10, 400 | police.child_concern | of=sibling grade=medium
        20      | school.concern       | of=sibling category=neglect
        800     | school.concern       | of=sibling category=neglect
        """,
        {
            "sibling_worries_365d": 2,
            "sibling_worries_730d": 3,
            "all_worries_730d": 0,
            "all_worries_ever": 0,
        },
    ),
)
