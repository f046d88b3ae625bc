"""Police: notices of concern, domestic abuse incidents, exploitation, crime reports and arrests.

A notice tells what an officer saw or was told; most lead nowhere, and forces differ in which ones
they share, so the authority sees part of the picture. What counts is accumulation: several notices
nobody graded high can say more together than one that was.

A child recorded as a suspect is often an exploited child. These signals treat such records as
contacts that bring a child to notice, never as danger the child poses. Stops and searches are kept
in the history for completeness and are in no signal: they tell more about where police patrol and
whom they stop than about what happens to a child.
"""

from __future__ import annotations

from riskflag.signals import (
    Signal,
    change,
    contacts,
    count,
    days_since_last,
    over_windows,
)

GREEN_NOTICES = (
    "Devon and Cornwall police notices (Devon schools guide): 3 green notices in 3 months are"
    " shared, every red and amber always"
)
SAFELIVES = "SafeLives notes on repeat cases: 3 domestic abuse events in 12 months as escalation"
ENCOMPASS = "Home Office, Operation Encompass statutory guidance (November 2025)"
EXPLOITATION = (
    "IICSA, Organised Networks report, part F: signs called risk may be evidence of harm already"
    " done"
)
LOCAL = "No published counting rule: the window is for the safeguarding partnership to agree"

NOTICES = contacts("police.child_concern")
ABUSE = contacts("police.da_incident")

SIGNALS: tuple[Signal, ...] = (
    *over_windows(
        "police_concerns",
        windows=(90, 365),
        of=lambda days: count(NOTICES, days),
        question="How many notices of concern about the child did the police send {window}?",
        rationale="Officers see homes and children that no other service visits at night.",
        source=GREEN_NOTICES,
        direction="raises",
        theme="police",
        agency="police",
        unit="notices",
    ),
    Signal(
        "police_concerns_low_90d",
        of=count(contacts("police.child_concern", grade="low"), 90),
        question="How many police notices of concern graded low (green) were sent in the last 90"
        " days?",
        rationale="Three that nobody acted on are a pattern that no single one shows.",
        source=GREEN_NOTICES,
        direction="raises",
        theme="police",
        agency="police",
        unit="notices",
    ),
    Signal(
        "police_concerns_graded_365d",
        of=count(contacts("police.child_concern", grade=("medium", "high")), 365),
        question="How many police notices of concern graded medium or high were sent in the last"
        " 365 days?",
        rationale="The officer's own grade, kept as the officer gave it.",
        source=GREEN_NOTICES,
        direction="raises",
        theme="police",
        agency="police",
        unit="notices",
    ),
    *over_windows(
        "domestic_abuse_incidents",
        windows=(90, 365, None),
        of=lambda days: count(ABUSE, days),
        question="How many domestic abuse incidents in the child's household did the police record"
        " {window}?",
        rationale="A child who lives with domestic abuse experiences it, in the room or not.",
        source=SAFELIVES,
        direction="raises",
        theme="police",
        agency="police",
        unit="incidents",
    ),
    Signal(
        "domestic_abuse_child_present_365d",
        of=count(contacts("police.da_incident", role="present"), 365),
        question="At how many domestic abuse incidents did the police record the child as present"
        " in the last 365 days?",
        rationale="The child saw or heard it, and the notice should say what the child said.",
        source=ENCOMPASS,
        direction="raises",
        theme="police",
        agency="police",
        unit="incidents",
    ),
    Signal(
        "domestic_abuse_high_365d",
        of=count(contacts("police.da_incident", grade="high"), 365),
        question="How many domestic abuse incidents in the household did the police grade high in"
        " the last 365 days?",
        rationale="The officer judged serious harm to be possible.",
        source=SAFELIVES,
        direction="raises",
        theme="police",
        agency="police",
        unit="incidents",
    ),
    Signal(
        "domestic_abuse_change_90d",
        of=change(ABUSE, days=90, against=365),
        question="How many more domestic abuse incidents than usual for this household were there"
        " in the last 90 days?",
        rationale="Escalation is what the national notes ask services to look for.",
        source=SAFELIVES,
        direction="raises",
        theme="police",
        agency="police",
        unit="incidents more than expected",
    ),
    Signal(
        "days_since_domestic_abuse",
        of=days_since_last(ABUSE),
        question="How many days ago did the police last record a domestic abuse incident in the"
        " child's household?",
        rationale="Recent incidents are the ones the child is living with now.",
        source=SAFELIVES,
        direction="lowers",
        theme="police",
        agency="police",
        unit="days",
    ),
    Signal(
        "exploitation_notices_365d",
        of=count(contacts("police.exploitation"), 365),
        question="How many police notices said that the child may be exploited in the last 365"
        " days?",
        rationale="Exploitation is something done to a child; a notice may record harm already"
        " done.",
        source=EXPLOITATION,
        direction="raises",
        theme="police",
        agency="police",
        unit="notices",
    ),
    Signal(
        "crime_victim_365d",
        of=count(contacts("police.crime", role="victim"), 365),
        question="In how many crime reports was the child recorded as a victim in the last 365"
        " days?",
        rationale="A crime against a child is harm already recorded by somebody.",
        source=LOCAL,
        direction="raises",
        theme="police",
        agency="police",
        unit="reports",
    ),
    Signal(
        "crime_suspect_365d",
        of=count(contacts("police.crime", role="suspect"), 365),
        question="In how many crime reports was the child recorded as a suspect in the last 365"
        " days?",
        rationale="A child recorded as a suspect may be a child whom others use; reviews found"
        " children seen as offenders who needed help.",
        source=EXPLOITATION,
        direction="raises",
        theme="police",
        agency="police",
        unit="reports",
    ),
    Signal(
        "arrests_365d",
        of=count(contacts("police.arrest"), 365),
        question="How many times was the child arrested or brought to custody in the last 365"
        " days?",
        rationale="Custody is a moment when a child can be asked, by someone independent, what is"
        " going on.",
        source=EXPLOITATION,
        direction="raises",
        theme="police",
        agency="police",
        unit="arrests",
    ),
    Signal(
        "youth_justice_outcomes_365d",
        of=count(contacts("youth_justice.outcome"), 365),
        question="How many cautions, orders or convictions were recorded in the last 365 days?",
        rationale="A second system has begun to work with the child and may know what others do"
        " not.",
        source=LOCAL,
        direction="raises",
        theme="police",
        agency="youth_justice",
        unit="outcomes",
    ),
)
