"""The longer view: two years and all that is recorded, the household together with the child.

Neglect, violence at home and addiction last for years, and what three months show of them is
little. The reviews found records that were long, spread over agencies and siblings, and read one
event at a time. These signals read them whole; they change slowly and are not meant for rules.
"""

from __future__ import annotations

from riskflag.signals import Signal, contacts, count, over_windows, total

REVIEWS = "Ofsted's reading of 173 serious case reviews, April 2008 to March 2009"
CLUSTERING = (
    "Darlington safeguarding partnership and Tees procedures on chronologies: single factors look"
    " harmless, their compounding is what reviews find missed"
)
LOCAL = "No published counting rule: the window is for the safeguarding partnership to agree"

#: As in context.py: contacts that carry a worry, without those that are usual outcomes, police
#: stops, and everything that is routine for every child.
WORRIES = (
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
    *over_windows(
        "all_worries",
        windows=(730, None),
        of=lambda days: count(contacts(*WORRIES), days),
        question="How many worries about the child did all agencies record {window}?",
        rationale="What builds up over years is lost when each event is read on its own.",
        source=CLUSTERING,
        direction="raises",
        theme="context",
        agency="several",
    ),
    *over_windows(
        "sibling_worries",
        windows=(365, 730),
        of=lambda days: count(contacts(*WORRIES, link="sibling"), days),
        question="How many worries about brothers and sisters did all agencies record {window}?",
        rationale="Most harm is a matter of the household; what is seen of one child there is said"
        " about the others too.",
        source=REVIEWS,
        direction="raises",
        theme="family",
        agency="several",
    ),
    Signal(
        "school_sessions_missed_730d",
        of=total(contacts("school.absence"), "quantity", 730),
        question="How many school sessions did the child miss in the last 730 days?",
        rationale="Absence that lasts is another thing than an illness in one winter.",
        source=LOCAL,
        direction="raises",
        theme="school",
        agency="school",
        unit="sessions",
    ),
    Signal(
        "appointments_not_brought_730d",
        of=count(contacts("health.appointment", outcome="not_brought"), 730),
        question="To how many health appointments was the child not brought in the last 730 days?",
        rationale="Neglect shows in what is not done, over years and across clinics.",
        source=LOCAL,
        direction="raises",
        theme="health",
        agency="community_health",
        unit="appointments",
    ),
    Signal(
        "missing_reports_730d",
        of=count(contacts("missing.report"), 730),
        question="How many times was the child reported missing to the police in the last 730"
        " days?",
        rationale="A child who went missing last year and the year before is still that child.",
        source=REVIEWS,
        direction="raises",
        theme="missing",
        agency="police",
        unit="reports",
    ),
    Signal(
        "care_referrals_730d",
        of=count(contacts("care.referral"), 730),
        question="How many referrals of the child did social care accept in the last 730 days?",
        rationale="More than a fifth of referrals come back within a year; two years show whether"
        " it goes on.",
        source="DfE, Characteristics of children in need: re-referrals within 12 months",
        direction="raises",
        theme="care",
        agency="social_care",
        unit="referrals",
    ),
    Signal(
        "homelessness_duties_730d",
        of=count(contacts("housing.duty"), 730),
        question="How many homelessness duties were owed to the household in the last 730 days?",
        rationale="Housing held important information and was missing from early information"
        " gathering; insecure housing lasts for years.",
        source=REVIEWS,
        direction="raises",
        theme="housing",
        agency="housing",
        unit="duties",
    ),
)
