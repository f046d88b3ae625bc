"""Context: the child's age, how many agencies recorded something, and how fast.

44 of the children who died were under one year old: the same contact means something else for a
baby. And single contacts look harmless; what the reviews found missed, nearly the same as the year
before, is how they build up across agencies that did not talk to each other.

The number of contacts also says how much a family is watched. That is why the model is compared
with it, and why amount of contact is kept in few, plainly named signals.
"""

from __future__ import annotations

from riskflag.signals import (
    Signal,
    age,
    change,
    contacts,
    count,
    days_since_first,
    days_since_last,
    distinct,
    over_windows,
)

REVIEWS = "Ofsted's reading of 173 serious case reviews, April 2008 to March 2009"
CLUSTERING = (
    "Darlington safeguarding partnership and Tees procedures on chronologies: single factors look"
    " harmless, their compounding is what reviews find missed"
)

#: Contacts that carry a worry about the child, without those that are usual outcomes, police
#: stops, and everything that is routine for every child.
WORRIES = contacts(
    "ed.attendance",
    "ed.safeguarding_concern",
    "gp.safeguarding_code",
    "mental_health.referral",
    "missing.episode",
    "missing.report",
    "school.concern",
    "school.suspension",
    "school.permanent_exclusion",
    "school.missing_education",
    "police.child_concern",
    "police.da_incident",
    "police.exploitation",
    "care.contact",
    "care.referral",
    "housing.duty",
    "housing.possession",
)

SIGNALS: tuple[Signal, ...] = (
    Signal(
        "age_years",
        of=age("years"),
        question="How old is the child in years?",
        rationale="What is usual at 15 is not at five. Age has no direction: it sets the scene.",
        source=REVIEWS,
        direction="none",
        theme="context",
        agency="several",
        unit="years",
    ),
    Signal(
        "age_months",
        of=age("months"),
        question="How old is the child in months?",
        rationale="44 of the children who died were under one year old.",
        source=REVIEWS,
        direction="none",
        theme="context",
        agency="several",
        unit="months",
    ),
    *over_windows(
        "agencies",
        windows=(30, 90, 365),
        of=lambda days: distinct(WORRIES, "agency", days),
        question="How many different agencies recorded a worry about the child {window}?",
        rationale="Each held a piece; the reviews found that nobody put them side by side.",
        source=REVIEWS,
        direction="raises",
        theme="context",
        agency="several",
        unit="agencies",
    ),
    Signal(
        "worry_kinds_90d",
        of=distinct(WORRIES, "type", 90),
        question="How many different kinds of worry about the child were recorded in the last 90"
        " days?",
        rationale="Different kinds of worry at the same time compound.",
        source=CLUSTERING,
        direction="raises",
        theme="context",
        agency="several",
        unit="kinds",
    ),
    *over_windows(
        "worries",
        windows=(30, 90, 365),
        of=lambda days: count(WORRIES, days),
        question="How many worries about the child did all agencies record {window}?",
        rationale="Accumulation is what single agencies cannot see.",
        source=CLUSTERING,
        direction="raises",
        theme="context",
        agency="several",
    ),
    Signal(
        "worries_change_90d",
        of=change(WORRIES, days=90, against=365),
        question="How many more worries than usual for this child were recorded in the last 90"
        " days?",
        rationale="Escalation against the child's own past; a steady record is another matter.",
        source=CLUSTERING,
        direction="raises",
        theme="context",
        agency="several",
        unit="contacts more than expected",
    ),
    Signal(
        "worries_change_30d",
        of=change(WORRIES, days=30, against=180),
        question="How many more worries than usual for this child were recorded in the last 30"
        " days?",
        rationale="A short window sees a crisis while it is happening.",
        source=CLUSTERING,
        direction="raises",
        theme="context",
        agency="several",
        unit="contacts more than expected",
    ),
    Signal(
        "days_since_worry",
        of=days_since_last(WORRIES),
        question="How many days ago did any agency last record a worry about the child?",
        rationale="Quiet may be safety or may be that nobody is looking; recent worries are open.",
        source=CLUSTERING,
        direction="lowers",
        theme="context",
        agency="several",
        unit="days",
    ),
    Signal(
        "days_since_first_worry",
        of=days_since_first(WORRIES),
        question="How many days ago did any agency first record a worry about the child?",
        rationale="Tells a long story from a new one. It has no direction.",
        source=CLUSTERING,
        direction="none",
        theme="context",
        agency="several",
        unit="days",
    ),
)
