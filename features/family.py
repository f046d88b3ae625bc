"""Family: what services for adults know, and what has happened to brothers and sisters.

Ofsted's reading of the reviews found that adult services held important information about the
household and were missing from early information gathering. These contacts are about somebody
else and reach the child through a dated link; they stop counting when the link ends.

An adult who is ill, in treatment or on probation is not a danger to a child for that reason, and
treatment is often what keeps a family safe. The signals ask one thing: does somebody know about
the adult what nobody has put beside what is known about the child?
"""

from __future__ import annotations

from riskflag.signals import Signal, contacts, count, distinct, over_windows

REVIEWS = "Ofsted's reading of 173 serious case reviews, April 2008 to March 2009"
SAFELIVES = (
    "SafeLives notes on repeat cases: any further incident within 12 months of the last conference"
)
FACTORS = "DfE, Characteristics of children in need, year to March 2024: factors at assessment"
TREATMENT = "National Drug Treatment Monitoring System: treatment starts and exit reasons"
LOCAL = "No published counting rule: the window is for the safeguarding partnership to agree"

#: Parents and adults of the household; a person linked in two ways counts once for each.
ADULT = ("household_adult", "mother", "parent")
CRISIS = contacts("adult.mental_health_crisis", link=ADULT)
TREATMENTS = contacts("adult.substance_treatment", link=ADULT)
ADULT_TYPES = (
    "adult.safeguarding",
    "adult.mental_health_crisis",
    "adult.substance_treatment",
    "adult.probation",
    "adult.marac",
)

SIGNALS: tuple[Signal, ...] = (
    *over_windows(
        "adult_mental_health_crises",
        windows=(90, 365),
        of=lambda days: count(CRISIS, days),
        question="How many mental health crises of a parent or an adult in the household were"
        " recorded {window}?",
        rationale="The mental health of a parent was a factor in a third of assessments; a crisis"
        " team may not know that there is a child at home.",
        source=FACTORS,
        direction="raises",
        theme="family",
        agency="mental_health",
        unit="contacts",
    ),
    Signal(
        "mother_mental_health_crises_365d",
        of=count(contacts("adult.mental_health_crisis", link="mother"), 365),
        question="How many mental health crises of the child's mother were recorded in the last"
        " 365 days?",
        rationale="Around a birth this matters for mother and baby, and help works.",
        source=FACTORS,
        direction="raises",
        theme="family",
        agency="mental_health",
        unit="contacts",
    ),
    Signal(
        "adult_substance_treatment_365d",
        of=count(TREATMENTS, 365),
        question="How many times did a parent or an adult in the household begin treatment for"
        " drug or alcohol use in the last 365 days?",
        rationale="Starting treatment is a strength; it also says that there was something to"
        " treat, and that a worker knows the adult.",
        source=TREATMENT,
        direction="raises",
        theme="family",
        agency="substance",
        unit="treatments",
    ),
    Signal(
        "adult_treatment_dropped_365d",
        of=count(contacts("adult.substance_treatment", outcome="dropped_out", link=ADULT), 365),
        question="How many times did a parent or an adult in the household leave treatment for"
        " drug or alcohol use early in the last 365 days?",
        rationale="The support that was holding the family has stopped.",
        source=TREATMENT,
        direction="raises",
        theme="family",
        agency="substance",
        unit="treatments",
    ),
    Signal(
        "adult_treatment_completed_730d",
        of=count(contacts("adult.substance_treatment", outcome="completed", link=ADULT), 730),
        question="How many times did a parent or an adult in the household complete treatment for"
        " drug or alcohol use in the last 730 days?",
        rationale="An adult who finished treatment did something hard for the family.",
        source=TREATMENT,
        direction="lowers",
        theme="family",
        agency="substance",
        unit="treatments",
        protective=True,
    ),
    Signal(
        "adult_probation_365d",
        of=count(contacts("adult.probation", link=ADULT), 365),
        question="How many probation orders, recalls or releases of a parent or an adult in the"
        " household were recorded in the last 365 days?",
        rationale="Somebody joining or leaving the household changes a child's days; probation may"
        " be the only service that knows.",
        source=REVIEWS,
        direction="raises",
        theme="family",
        agency="probation",
        unit="records",
    ),
    Signal(
        "adult_conferences_365d",
        of=count(contacts("adult.marac", link=ADULT), 365),
        question="How many times did a multi-agency risk conference on domestic abuse discuss a"
        " parent or household adult in the last 365 days?",
        rationale="Several services judged the danger to the adult to be serious.",
        source=SAFELIVES,
        direction="raises",
        theme="family",
        agency="police",
        unit="conferences",
    ),
    Signal(
        "adult_safeguarding_365d",
        of=count(contacts("adult.safeguarding", link=ADULT), 365),
        question="How many safeguarding concerns about a parent or an adult in the household were"
        " recorded in the last 365 days?",
        rationale="A household in which an adult is not safe is one to ask about the child.",
        source=REVIEWS,
        direction="raises",
        theme="family",
        agency="adult_social_care",
        unit="concerns",
    ),
    *over_windows(
        "adult_services",
        windows=(180, 365),
        of=lambda days: distinct(contacts(*ADULT_TYPES, link=ADULT), "type", days),
        question="How many kinds of adult service recorded something about the child's parents or"
        " household {window}?",
        rationale="Mental ill health, substance use and violence together weigh more than each"
        " alone; no single adult service sees all three.",
        source=REVIEWS,
        direction="raises",
        theme="family",
        agency="several",
        unit="kinds of service",
    ),
    Signal(
        "sibling_referrals_365d",
        of=count(contacts("care.referral", link="sibling"), 365),
        question="How many referrals of a brother or sister did social care accept in the last 365"
        " days?",
        rationale="What happens to one child in a home is rarely about that child alone.",
        source=REVIEWS,
        direction="raises",
        theme="family",
        agency="social_care",
        unit="referrals",
    ),
    Signal(
        "sibling_neglect_plans_ever",
        of=count(contacts("care.cp_plan", category="neglect", link="sibling"), None),
        question="How many protection plans for neglect did a brother or sister have at any time"
        " in the records?",
        rationale="Neglect was already identified in 50 of the 173 reviews; an older child may"
        " have been where it was first seen.",
        source=REVIEWS,
        direction="raises",
        theme="family",
        agency="social_care",
        unit="plans",
    ),
    Signal(
        "sibling_looked_after_ever",
        of=count(contacts("care.looked_after", link="sibling"), None),
        question="How many times did a brother or sister become looked after at any time in the"
        " records?",
        rationale="The family's history with older children belongs beside the youngest.",
        source=LOCAL,
        direction="raises",
        theme="family",
        agency="social_care",
        unit="periods",
    ),
    Signal(
        "sibling_ed_injuries_365d",
        of=count(contacts("ed.attendance", category=("injury", "assault"), link="sibling"), 365),
        question="How many emergency attendances for injury or assault did brothers and sisters"
        " have in the last 365 days?",
        rationale="Injuries spread over several children are seen by nobody as a series.",
        source=REVIEWS,
        direction="raises",
        theme="family",
        agency="ed",
        unit="attendances",
    ),
    Signal(
        "sibling_missing_365d",
        of=count(contacts("missing.episode", category="missing", link="sibling"), 365),
        question="How many missing episodes did brothers and sisters have in the last 365 days?",
        rationale="One child leaving says something about the home that all share.",
        source=LOCAL,
        direction="raises",
        theme="family",
        agency="social_care",
        unit="episodes",
    ),
)
