"""Social care: contacts, referrals, assessments, what was found, and being looked after.

68% of the children in the reviews read by Ofsted were known to social care, and neglect was already
identified in 50 of the 173. What had been found before did not weigh enough when the next contact
came. These signals keep earlier findings beside today's contact, and count what ended in no
further action as carefully as what did not: a contact closed again and again is not nothing.

Enquiries, conferences and plans are usual outcomes. Where one of them is what the model is trained
to anticipate, signals that read the same type are left out of that training.
"""

from __future__ import annotations

from riskflag.signals import (
    Signal,
    change,
    contacts,
    count,
    days_since_last,
    difference,
    distinct,
    exists,
    open_now,
    over_windows,
)

REVIEWS = "Ofsted's reading of 173 serious case reviews, April 2008 to March 2009"
REREFERRAL = "DfE, Characteristics of children in need: re-referral within 12 months"
NFA = "DfE, Characteristics of children in need: referrals ending in no further action"
FACTORS = "DfE, Characteristics of children in need, year to March 2024: factors at assessment"
CATEGORY = "DfE, Characteristics of children in need: category of abuse at the start of a plan"
PLACEMENTS = "SSDA903 return of looked-after children: reason for placement change"
LOCAL = "No published counting rule: the window is for the safeguarding partnership to agree"

CONTACTS = contacts("care.contact")
NOT_TAKEN_ON = contacts("care.contact", outcome=("nfa", "advice"))
REFERRALS = contacts("care.referral")
PLACEMENT = contacts("care.placement")
MOVES = contacts(
    "care.placement",
    outcome=("allegation", "standards", "carer_asked", "child_asked", "planned", "other"),
)
BREAKDOWNS = contacts(
    "care.placement", outcome=("allegation", "standards", "carer_asked", "child_asked")
)

SIGNALS: tuple[Signal, ...] = (
    *over_windows(
        "care_contacts",
        windows=(30, 90, 365),
        of=lambda days: count(CONTACTS, days),
        question="How many contacts about the child did social care receive {window}?",
        rationale="Each contact is somebody who was worried enough to call.",
        source=REVIEWS,
        direction="raises",
        theme="care",
        agency="social_care",
    ),
    *over_windows(
        "care_contacts_nfa",
        windows=(90, 365),
        of=lambda days: count(NOT_TAKEN_ON, days),
        question="How many contacts about the child ended in no further action or advice only"
        " {window}?",
        rationale="Each may have been right alone. Several in a row ask for one person to read"
        " them together.",
        source=NFA,
        direction="raises",
        theme="care",
        agency="social_care",
    ),
    Signal(
        "care_contacts_from_public_365d",
        of=count(contacts("care.contact", category=("individual", "anonymous")), 365),
        question="How many contacts came from family, neighbours or somebody unnamed in the last"
        " 365 days?",
        rationale="People near a child see what services do not; an unnamed caller may have reason"
        " to be.",
        source=REVIEWS,
        direction="raises",
        theme="care",
        agency="social_care",
    ),
    Signal(
        "care_contact_sources_365d",
        of=distinct(CONTACTS, "category", 365),
        question="From how many different kinds of source did contacts come in the last 365 days?",
        rationale="When people who do not know of each other worry about the same child, it"
        " carries more weight.",
        source=REVIEWS,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="kinds of source",
    ),
    Signal(
        "care_contacts_change_90d",
        of=change(CONTACTS, days=90, against=365),
        question="How many more contacts than usual for this child were received in the last 90"
        " days?",
        rationale="Contacts that come closer together say that something is changing.",
        source=LOCAL,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="contacts more than expected",
    ),
    *over_windows(
        "care_referrals",
        windows=(90, 365, None),
        of=lambda days: count(REFERRALS, days),
        question="How many referrals of the child did social care accept {window}?",
        rationale="A referral passed the threshold; repeat referrals ask whether help worked.",
        source=REREFERRAL,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="referrals",
    ),
    Signal(
        "care_referrals_earlier_year",
        of=count(REFERRALS, 365, ending=90),
        question="How many referrals were accepted in the year that ended 90 days ago?",
        rationale="With a referral of the last 90 days it makes a re-referral within 12 months.",
        source=REREFERRAL,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="referrals",
    ),
    *over_windows(
        "care_referrals_nfa",
        windows=(365, None),
        of=lambda days: count(contacts("care.referral", outcome="nfa"), days),
        question="How many referrals of the child ended in no further action {window}?",
        rationale="The child came to notice, was looked at and let go.",
        source=NFA,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="referrals",
    ),
    Signal(
        "care_referrals_abuse_or_neglect_ever",
        of=count(contacts("care.referral", category="abuse_or_neglect"), None),
        question="How many referrals gave abuse or neglect as the main need at any time in the"
        " records?",
        rationale="An earlier concern of the same kind belongs beside a new one.",
        source=REVIEWS,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="referrals",
    ),
    Signal(
        "assessments_180d",
        of=count(contacts("care.assessment"), 180),
        question="How many assessments of the child were completed in the last 180 days?",
        rationale="Someone put the picture together. It says that there was concern and that it"
        " was looked into, so it has no direction.",
        source=FACTORS,
        direction="none",
        theme="care",
        agency="social_care",
        unit="assessments",
    ),
    Signal(
        "assessments_nfa_365d",
        of=count(contacts("care.assessment", outcome="nfa"), 365),
        question="How many assessments ended in no further action in the last 365 days?",
        rationale="Assessed and closed, perhaps more than once: did anything change for the child?",
        source=NFA,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="assessments",
    ),
    Signal(
        "neglect_factors_ever",
        of=count(contacts("care.factor", category="neglect"), None),
        question="How many times did an assessment identify neglect at any time in the records?",
        rationale="Neglect was already identified in 50 of the 173 reviews.",
        source=REVIEWS,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="findings",
    ),
    Signal(
        "neglect_plans_ever",
        of=count(contacts("care.cp_plan", category="neglect"), None),
        question="How many protection plans for neglect did the child have at any time in the"
        " records?",
        rationale="The plan ended; what it was for may not have.",
        source=CATEGORY,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="plans",
    ),
    Signal(
        "domestic_abuse_factors_1095d",
        of=count(contacts("care.factor", category="domestic_abuse"), 1095),
        question="How many times did an assessment identify domestic abuse in the last 1095 days?",
        rationale="Found in 31.7% of assessments nationally; with other factors it weighs more.",
        source=FACTORS,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="findings",
    ),
    Signal(
        "substance_factors_1095d",
        of=count(contacts("care.factor", category=("alcohol", "drugs")), 1095),
        question="How many times did an assessment identify alcohol or drug use in the last 1095"
        " days?",
        rationale="Use in the household changes what care a child gets from day to day.",
        source=FACTORS,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="findings",
    ),
    Signal(
        "mental_health_factors_1095d",
        of=count(contacts("care.factor", category="mental_health"), 1095),
        question="How many times did an assessment identify mental ill health in the last 1095"
        " days?",
        rationale="The child's or an adult's: the list does not always say whose.",
        source=FACTORS,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="findings",
    ),
    Signal(
        "abuse_factors_ever",
        of=count(
            contacts("care.factor", category=("emotional_abuse", "physical_abuse", "sexual_abuse")),
            None,
        ),
        question="How many times did an assessment identify emotional, physical or sexual abuse at"
        " any time in the records?",
        rationale="Harm that was found before.",
        source=FACTORS,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="findings",
    ),
    Signal(
        "exploitation_factors_ever",
        of=count(
            contacts(
                "care.factor",
                category=("sexual_exploitation", "criminal_exploitation", "trafficking", "gangs"),
            ),
            None,
        ),
        question="How many times did an assessment identify exploitation, trafficking or gangs at"
        " any time in the records?",
        rationale="Those who exploit a child do not stop when a case is closed.",
        source=FACTORS,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="findings",
    ),
    Signal(
        "factor_kinds_1095d",
        of=distinct(contacts("care.factor"), "category", 1095),
        question="How many different factors did assessments identify in the last 1095 days?",
        rationale="Single factors look harmless; it is their building up that reviews find missed.",
        source="Darlington safeguarding partnership and Tees procedures on chronologies:"
        " compounding factors",
        direction="raises",
        theme="care",
        agency="social_care",
        unit="factors",
    ),
    *over_windows(
        "section47_enquiries",
        windows=(365, None),
        of=lambda days: count(contacts("care.s47"), days),
        question="How many section 47 enquiries about the child began {window}?",
        rationale="Services thought that the child might be suffering significant harm.",
        source=FACTORS,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="enquiries",
    ),
    Signal(
        "section47_nfa_365d",
        of=count(contacts("care.s47", outcome="nfa"), 365),
        question="How many section 47 enquiries ended in no further action in the last 365 days?",
        rationale="Suspected, not confirmed, and closed; the next contact should know it.",
        source=NFA,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="enquiries",
    ),
    *over_windows(
        "protection_plans",
        windows=(365, None),
        of=lambda days: count(contacts("care.cp_plan"), days),
        question="How many protection plans began {window}?",
        rationale="Nearly 19% of the children in the reviews had a plan: a plan is not safety.",
        source=REVIEWS,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="plans",
    ),
    Signal(
        "on_protection_plan",
        of=open_now(contacts("care.cp_plan")),
        question="How many protection plans does the child have that have not ended?",
        rationale="Nearly 19% of the children in the reviews had a plan: a plan is not safety, and"
        " whoever meets the child should know of it.",
        source=REVIEWS,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="plans",
    ),
    Signal(
        "referral_after_plan_days",
        of=difference(days_since_last(contacts("care.cp_plan")), days_since_last(REFERRALS)),
        question="By how many days did the latest referral come after the latest protection plan"
        " began?",
        rationale="Well above zero, help ended or did not hold; below zero, the plan came out of"
        " the referral.",
        source="DfE, Characteristics of children in need: second or subsequent protection plans",
        direction="none",
        theme="care",
        agency="social_care",
        unit="days",
    ),
    Signal(
        "looked_after_ever",
        of=exists(contacts("care.looked_after"), None),
        question="Did a period of being looked after begin at any time in the records?",
        rationale="A child who was in care and came home is still a child with that history.",
        source=LOCAL,
        direction="none",
        theme="care",
        agency="social_care",
        unit="yes or no",
    ),
    Signal(
        "looked_after_now",
        of=open_now(contacts("care.looked_after")),
        question="In how many periods of being looked after is the child that have not ended?",
        rationale="A child can be harmed in care as well; it says where the child is, no more.",
        source=LOCAL,
        direction="none",
        theme="care",
        agency="social_care",
        unit="periods",
    ),
    *over_windows(
        "placement_moves",
        windows=(180, 365),
        of=lambda days: count(MOVES, days),
        question="How many times did the child move to another placement {window}?",
        rationale="Each move costs the child the adults who knew them.",
        source=PLACEMENTS,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="moves",
    ),
    Signal(
        "placement_breakdowns_365d",
        of=count(BREAKDOWNS, 365),
        question="How many placement moves followed an allegation, concerns about standards, or a"
        " request of the carer or the child in the last 365 days?",
        rationale="These moves were not planned for the child; the child may know why.",
        source=PLACEMENTS,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="moves",
    ),
    Signal(
        "placement_allegations_ever",
        of=count(contacts("care.placement", outcome=("allegation", "standards")), None),
        question="How many placement moves followed an allegation or concerns about standards of"
        " care at any time in the records?",
        rationale="A child can be harmed in care as well; approval of carers lacked rigour in the"
        " reviews.",
        source=REVIEWS,
        direction="raises",
        theme="care",
        agency="social_care",
        unit="moves",
    ),
)
