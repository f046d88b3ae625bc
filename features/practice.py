"""Practice: what services did, and how steadily: workers, visits, reviews, carers' approval.

Ofsted's reading of the reviews found cases given to inexperienced staff, approval of foster carers
that lacked rigour, and poor recording and communication. None of this is about the family. These
signals say when the system around a child is thin, so that the answer can be support for the
worker and for the carer as much as for the child.
"""

from __future__ import annotations

from riskflag.signals import Signal, contacts, count, days_since_last, over_windows

REVIEWS = "Ofsted's reading of 173 serious case reviews, April 2008 to March 2009"
CHANGES = "SSDA903 return: social worker episodes and reasons for change, collected since 2024"
REVIEW_DATES = "Ofsted Annex A lists of plans and looked-after children: reviews due and held"
LOCAL = "No published counting rule: the window is for the safeguarding partnership to agree"

ALLOCATIONS = contacts("care.worker_change")
VISITS = contacts("care.visit")

SIGNALS: tuple[Signal, ...] = (
    *over_windows(
        "worker_changes",
        windows=(180, 365),
        of=lambda days: count(ALLOCATIONS, days),
        question="How many times was a social worker allocated to the child {window}?",
        rationale="A child who has to start again with each worker stops telling.",
        source=CHANGES,
        direction="raises",
        theme="practice",
        agency="social_care",
        unit="allocations",
    ),
    Signal(
        "newly_qualified_allocations_365d",
        of=count(contacts("care.worker_change", worker="newly_qualified"), 365),
        question="How many times was a newly qualified social worker allocated to the child in the"
        " last 365 days?",
        rationale="A statement about the support a worker needs, not about the worker.",
        source=REVIEWS,
        direction="raises",
        theme="practice",
        agency="social_care",
        unit="allocations",
    ),
    Signal(
        "agency_worker_allocations_365d",
        of=count(contacts("care.worker_change", worker="agency_worker"), 365),
        question="How many times was an agency social worker allocated to the child in the last"
        " 365 days?",
        rationale="Short stays make it likelier that what is known leaves with the worker.",
        source=CHANGES,
        direction="raises",
        theme="practice",
        agency="social_care",
        unit="allocations",
    ),
    Signal(
        "days_since_worker_change",
        of=days_since_last(ALLOCATIONS),
        question="How many days ago was a social worker last allocated to the child?",
        rationale="A new worker has not yet read the whole story.",
        source=CHANGES,
        direction="lowers",
        theme="practice",
        agency="social_care",
        unit="days",
    ),
    Signal(
        "reviews_not_on_time_365d",
        of=count(contacts("care.review", outcome=("overdue", "cancelled")), 365),
        question="How many reviews of the plan or of being looked after were overdue or cancelled"
        " in the last 365 days?",
        rationale="A review is when somebody asks whether the plan is working.",
        source=REVIEW_DATES,
        direction="raises",
        theme="practice",
        agency="social_care",
        unit="reviews",
    ),
    Signal(
        "reviews_on_time_365d",
        of=count(contacts("care.review", outcome="on_time"), 365),
        question="How many reviews were held on time in the last 365 days?",
        rationale="Somebody looked again when they said they would.",
        source=REVIEW_DATES,
        direction="lowers",
        theme="practice",
        agency="social_care",
        unit="reviews",
        protective=True,
    ),
    Signal(
        "carer_reviews_not_in_order_365d",
        of=count(contacts("care.carer_review", outcome=("overdue", "lapsed")), 365),
        question="How many times was the review of the foster carer's approval overdue, or the"
        " approval lapsed, in the last 365 days?",
        rationale="Approval of foster carers lacked rigour in the reviews.",
        source=REVIEWS,
        direction="raises",
        theme="practice",
        agency="social_care",
        unit="records",
    ),
    Signal(
        "carer_reviews_completed_730d",
        of=count(contacts("care.carer_review", outcome="completed"), 730),
        question="How many reviews of the foster carer's approval were completed in the last 730"
        " days?",
        rationale="Somebody checked on the child's carer, and on what the carer needs.",
        source=REVIEWS,
        direction="lowers",
        theme="practice",
        agency="social_care",
        unit="reviews",
        protective=True,
    ),
    Signal(
        "visits_90d",
        of=count(VISITS, 90),
        question="How many visits did a social worker record in the last 90 days?",
        rationale="More visits go with more concern and with more care, so it has no direction.",
        source=LOCAL,
        direction="none",
        theme="practice",
        agency="social_care",
        unit="visits",
    ),
    Signal(
        "plan_visits_90d",
        of=count(contacts("care.visit", category="cp"), 90),
        question="How many visits to the child under a protection plan were recorded in the last"
        " 90 days?",
        rationale="Says that the child is on a plan now; how the visits went is told elsewhere.",
        source=REVIEW_DATES,
        direction="none",
        theme="practice",
        agency="social_care",
        unit="visits",
    ),
    Signal(
        "days_since_visit",
        of=days_since_last(VISITS),
        question="How many days ago did a social worker last record a visit?",
        rationale="For a child with a worker a long gap is a question; for others there is no"
        " visit to expect, so it has no direction.",
        source=LOCAL,
        direction="none",
        theme="practice",
        agency="social_care",
        unit="days",
    ),
)
