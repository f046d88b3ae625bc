"""Housing: homelessness, temporary accommodation, possession, and the state of the home.

Ofsted's reading of the reviews found that housing held important information and was missing from
early information gathering. Housing records are about a household or an address: who lived there
is partly a guess, so these signals count less surely than contacts about the child.

A lost home is hardship, not neglect. What the records can show is a child whose family is moved
out of sight of everyone who knew them.
"""

from __future__ import annotations

from riskflag.signals import Signal, contacts, count, over_windows

REVIEWS = "Ofsted's reading of 173 serious case reviews, April 2008 to March 2009"
HCLIC = "Homelessness case-level return (H-CLIC): duties owed and temporary accommodation"
LOCAL = "No published counting rule: the window is for the safeguarding partnership to agree"

SIGNALS: tuple[Signal, ...] = (
    *over_windows(
        "homelessness_duties",
        windows=(180, 365),
        of=lambda days: count(contacts("housing.duty"), days),
        question="How many homelessness duties were owed to the child's household {window}?",
        rationale="A family about to lose its home is under strain, and housing staff meet it.",
        source=HCLIC,
        direction="raises",
        theme="housing",
        agency="housing",
        unit="duties",
    ),
    Signal(
        "temporary_accommodation_365d",
        of=count(contacts("housing.temporary_accommodation"), 365),
        question="How many times was the household placed in temporary accommodation in the last"
        " 365 days?",
        rationale="Each placement can mean a new area, a new doctor and a new school.",
        source=HCLIC,
        direction="raises",
        theme="housing",
        agency="housing",
        unit="placements",
    ),
    Signal(
        "possession_actions_365d",
        of=count(contacts("housing.possession"), 365),
        question="How many notices, warrants or evictions against the household were recorded in"
        " the last 365 days?",
        rationale="A home under threat is known to housing long before anyone else.",
        source=REVIEWS,
        direction="raises",
        theme="housing",
        agency="housing",
        unit="actions",
    ),
    Signal(
        "evictions_730d",
        of=count(contacts("housing.possession", category="eviction"), 730),
        question="How many times was the household evicted in the last 730 days?",
        rationale="An eviction moves a child at short notice and often out of sight.",
        source=REVIEWS,
        direction="raises",
        theme="housing",
        agency="housing",
        unit="evictions",
    ),
    Signal(
        "home_condition_reports_365d",
        of=count(contacts("housing.repair"), 365),
        question="How many complaints or inspections about the state of the home were recorded in"
        " the last 365 days?",
        rationale="The landlord may be the one who is failing; either way the child lives in it.",
        source=REVIEWS,
        direction="raises",
        theme="housing",
        agency="housing",
        unit="reports",
    ),
    Signal(
        "home_hazard_reports_365d",
        of=count(contacts("housing.repair", category=("hazard", "overcrowding")), 365),
        question="How many reports of hazards or overcrowding in the home were recorded in the"
        " last 365 days?",
        rationale="Conditions that can hurt a small child, seen by someone who was inside.",
        source=REVIEWS,
        direction="raises",
        theme="housing",
        agency="housing",
        unit="reports",
    ),
    Signal(
        "antisocial_complaints_365d",
        of=count(contacts("housing.antisocial"), 365),
        question="How many complaints of anti-social behaviour concerned the household's address"
        " in the last 365 days?",
        rationale="Neighbours hear what happens at night. A complaint is an allegation, and the"
        " household may be the one suffering.",
        source=LOCAL,
        direction="raises",
        theme="housing",
        agency="housing",
        unit="complaints",
    ),
)
