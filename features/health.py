"""Health: emergency departments, hospital, general practice and appointments.

Ofsted's reading of 173 serious case reviews found frequent A&E visits that nobody recognised as
possible cries for help, and 44 of the children who died were under one year old. No single visit
is a sign of anything; the signals here put visits side by side: how many, for what, at how many
places, and whether the child left before being seen. Planned returns are never counted.

A child is brought to an appointment by an adult, so the words are "was not brought". Appointments
that the provider cancelled are not the family's act and are in no signal on this page.
"""

from __future__ import annotations

from riskflag.signals import (
    Signal,
    change,
    contacts,
    count,
    days_since_last,
    distinct,
    over_windows,
    ratio,
)

REVIEWS = "Ofsted's reading of 173 serious case reviews, April 2008 to March 2009"
LEEDS = (
    "Leeds Teaching Hospitals guideline (LHP 1198): more than 3 emergency attendances in 6 months,"
    " any reason, planned returns excluded"
)
NOT_BROUGHT = "RCGP safeguarding toolkit and Leeds safeguarding partnership: 'was not brought'"
ECDS = "Emergency Care Data Set, code lists for complaint, injury intent and discharge status"
FACTORS = "DfE, Characteristics of children in need, year to March 2024: factors at assessment"
GP_CODES = "Safeguarding codes of general practice, as listed by the RCGP safeguarding toolkit"
LOCAL = "No published counting rule: the window is for the safeguarding partnership to agree"

ATTENDANCES = contacts("ed.attendance")
INJURIES = contacts("ed.attendance", category=("injury", "assault"))
SELF_HARM = contacts("ed.attendance", category="self_harm")
LEFT = contacts("ed.attendance", outcome="left_before_care")
EMERGENCY_ADMISSIONS = contacts("hospital.admission", category="emergency")
MISSED = contacts("health.appointment", outcome="not_brought")
KEPT_OR_MISSED = contacts(
    "health.appointment",
    outcome=("attended", "not_brought", "cancelled_by_family", "arrived_too_late"),
)

SIGNALS: tuple[Signal, ...] = (
    *over_windows(
        "ed_attendances",
        windows=(30, 90, 180, 365),
        of=lambda days: count(ATTENDANCES, days),
        question="How many times did the child attend an emergency department {window}?",
        rationale="Frequent attendance was found in reviews and was not read as a cry for help.",
        source=LEEDS,
        direction="raises",
        theme="health",
        agency="ed",
        unit="attendances",
    ),
    *over_windows(
        "ed_injuries",
        windows=(180, 365, None),
        of=lambda days: count(INJURIES, days),
        question="How many emergency attendances were recorded as an injury or assault {window}?",
        rationale="Repeated injuries need one person who asks how each of them came about.",
        source=REVIEWS,
        direction="raises",
        theme="health",
        agency="ed",
        unit="attendances",
    ),
    *over_windows(
        "ed_self_harm",
        windows=(90, 365),
        of=lambda days: count(SELF_HARM, days),
        question="How many emergency attendances were recorded as self-harm {window}?",
        rationale="Self-harm can be how distress about something else first comes to notice.",
        source=FACTORS,
        direction="raises",
        theme="health",
        agency="ed",
        unit="attendances",
    ),
    Signal(
        "ed_mental_health_365d",
        of=count(contacts("ed.attendance", category="mental_health"), 365),
        question="How many emergency attendances were about mental health in the last 365 days?",
        rationale="A child in crisis who reaches an emergency department may have no other help.",
        source=ECDS,
        direction="raises",
        theme="health",
        agency="ed",
        unit="attendances",
    ),
    Signal(
        "ed_poisoning_365d",
        of=count(contacts("ed.attendance", category="poisoning"), 365),
        question="How many emergency attendances were recorded as poisoning in the last 365 days?",
        rationale="In a young child poisoning raises questions of supervision, in an older one of"
        " distress.",
        source=ECDS,
        direction="raises",
        theme="health",
        agency="ed",
        unit="attendances",
    ),
    Signal(
        "ed_left_before_care_180d",
        of=count(LEFT, 180),
        question="How many times did the child leave an emergency department before being seen or"
        " treated in the last 180 days?",
        rationale="A child who left before care was not examined; nobody may have asked why.",
        source=ECDS,
        direction="raises",
        theme="health",
        agency="ed",
        unit="attendances",
    ),
    Signal(
        "ed_sites_365d",
        of=distinct(ATTENDANCES, "organisation", 365),
        question="At how many different emergency departments was the child seen in the last 365"
        " days?",
        rationale="Visits spread over several sites are seen whole by none of them.",
        source=LOCAL,
        direction="raises",
        theme="health",
        agency="ed",
        unit="sites",
    ),
    Signal(
        "ed_attendances_change_90d",
        of=change(ATTENDANCES, days=90, against=365),
        question="How many more times than usual for this child was an emergency department"
        " attended in the last 90 days?",
        rationale="A rise against the child's own past says more than a count: some children with"
        " long-term conditions attend often and steadily.",
        source=LEEDS,
        direction="raises",
        theme="health",
        agency="ed",
        unit="attendances more than expected",
    ),
    Signal(
        "days_since_ed_attendance",
        of=days_since_last(ATTENDANCES),
        question="How many days ago did the child last attend an emergency department?",
        rationale="A recent visit is still open to questions that a distant one is not.",
        source=LOCAL,
        direction="lowers",
        theme="health",
        agency="ed",
        unit="days",
    ),
    Signal(
        "ed_safeguarding_concerns_365d",
        of=count(contacts("ed.safeguarding_concern"), 365),
        question="How many safeguarding concerns did an emergency department record in the last"
        " 365 days?",
        rationale="The department itself was worried; research notes such concerns are recorded"
        " less often than they are felt.",
        source=ECDS,
        direction="raises",
        theme="health",
        agency="ed",
        unit="concerns",
    ),
    Signal(
        "emergency_admissions_365d",
        of=count(EMERGENCY_ADMISSIONS, 365),
        question="How many times was the child admitted to hospital as an emergency in the last"
        " 365 days?",
        rationale="An admission is a longer look at a child than a visit, and a moment to ask.",
        source=LOCAL,
        direction="raises",
        theme="health",
        agency="hospital",
        unit="admissions",
    ),
    Signal(
        "gp_safeguarding_codes_365d",
        of=count(contacts("gp.safeguarding_code"), 365),
        question="How many safeguarding codes did a general practice record in the last 365 days?",
        rationale="The family doctor often knows first and may be the last to be asked.",
        source=GP_CODES,
        direction="raises",
        theme="health",
        agency="gp",
        unit="codes",
    ),
    Signal(
        "gp_registrations_730d",
        of=count(contacts("gp.registration"), 730),
        question="How many times was the child registered with a general practice in the last 730"
        " days?",
        rationale="Changes of practice break the thread of what one doctor knows. Most families"
        " change because they moved home.",
        source=LOCAL,
        direction="raises",
        theme="health",
        agency="gp",
        unit="registrations",
    ),
    *over_windows(
        "appointments_not_brought",
        windows=(180, 365),
        of=lambda days: count(MISSED, days),
        question="To how many health appointments was the child not brought {window}?",
        rationale="A child cannot attend alone. One missed appointment is ordinary; a run of them"
        " can be neglect of health needs.",
        source=NOT_BROUGHT,
        direction="raises",
        theme="health",
        agency="community_health",
        unit="appointments",
    ),
    Signal(
        "appointments_not_brought_share_365d",
        of=ratio(count(MISSED, 365), count(KEPT_OR_MISSED, 365)),
        question="To what share of appointments that went ahead was the child not brought in the"
        " last 365 days?",
        rationale="A child with many appointments misses some; the share allows for that. Provider"
        " cancellations are on neither side.",
        source=NOT_BROUGHT,
        direction="raises",
        theme="health",
        agency="community_health",
        unit="share",
    ),
    Signal(
        "health_visits_not_brought_365d",
        of=count(
            contacts("health.appointment", category="health_visiting", outcome="not_brought"), 365
        ),
        question="To how many health visitor appointments was the child not brought, or was nobody"
        " at home, in the last 365 days?",
        rationale="For a baby the health visitor may be the only professional who sees the child.",
        source=NOT_BROUGHT,
        direction="raises",
        theme="health",
        agency="community_health",
        unit="appointments",
    ),
    Signal(
        "mental_health_not_brought_365d",
        of=count(
            contacts("health.appointment", category="mental_health", outcome="not_brought"), 365
        ),
        question="To how many mental health appointments was the child not brought in the last 365"
        " days?",
        rationale="Help that was arranged and did not reach the child.",
        source=NOT_BROUGHT,
        direction="raises",
        theme="health",
        agency="community_health",
        unit="appointments",
    ),
    Signal(
        "dental_not_brought_365d",
        of=count(contacts("health.appointment", category="dental", outcome="not_brought"), 365),
        question="To how many dental appointments was the child not brought in the last 365 days?",
        rationale="Untreated teeth hurt every day; dental care is an early place neglect shows.",
        source=NOT_BROUGHT,
        direction="raises",
        theme="health",
        agency="community_health",
        unit="appointments",
    ),
    Signal(
        "appointments_cancelled_by_family_365d",
        of=count(contacts("health.appointment", outcome="cancelled_by_family"), 365),
        question="How many health appointments did the family cancel in the last 365 days?",
        rationale="Repeated cancelling can keep a child out of sight as missing appointments does.",
        source="Sussex safeguarding procedures: appointments cancelled or rearranged again and"
        " again are read with those not brought to",
        direction="raises",
        theme="health",
        agency="community_health",
        unit="appointments",
    ),
    Signal(
        "appointments_attended_365d",
        of=count(contacts("health.appointment", outcome="attended"), 365),
        question="How many health appointments was the child brought to in the last 365 days?",
        rationale="The family brings the child; health staff see the child.",
        source=NOT_BROUGHT,
        direction="lowers",
        theme="health",
        agency="community_health",
        unit="appointments",
        protective=True,
    ),
    Signal(
        "mental_health_referrals_365d",
        of=count(contacts("mental_health.referral"), 365),
        question="How many times was the child referred to a mental health service in the last 365"
        " days?",
        rationale="Somebody who knows the child thought that help was needed.",
        source=FACTORS,
        direction="raises",
        theme="health",
        agency="mental_health",
        unit="referrals",
    ),
    Signal(
        "mental_health_referrals_not_taken_up_365d",
        of=count(contacts("mental_health.referral", outcome=("rejected", "waiting")), 365),
        question="How many referrals of the child to a mental health service were turned down or"
        " left waiting in the last 365 days?",
        rationale="The need was seen and no help followed; the distress does not wait.",
        source=FACTORS,
        direction="raises",
        theme="health",
        agency="mental_health",
        unit="referrals",
    ),
)
