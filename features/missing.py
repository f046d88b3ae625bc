"""Missing: episodes of being missing, police missing reports, and what was done on return.

The reviews read by Ofsted found children who often went missing seen as offenders or absconders
instead of as children something was happening to. Every episode is a question: what was the child
going from, or to? The statutory guidance asks for a return home interview each time. It must be
offered by someone independent; the signals keep "offered" apart from "accepted".

Social care episodes and police reports often describe the same night. They are counted apart and
never added up.
"""

from __future__ import annotations

from riskflag.signals import (
    Signal,
    change,
    contacts,
    count,
    days_since_last,
    highest,
    over_windows,
    total,
)

REVIEWS = "Ofsted's reading of 173 serious case reviews, April 2008 to March 2009"
GUIDANCE = "DfE statutory guidance on children who run away or go missing from home or care (2014)"
PROTOCOL = (
    "Local missing protocols: three episodes in 90 days prompt a strategy meeting in many of them;"
    " confirm your own"
)
POLICE = "College of Policing, authorised professional practice on missing persons"
LOCAL = "No published counting rule: the window is for the safeguarding partnership to agree"

EPISODES = contacts("missing.episode", category="missing")
REPORTS = contacts("missing.report")
NOT_OFFERED = contacts("missing.episode", offered="no")

SIGNALS: tuple[Signal, ...] = (
    *over_windows(
        "missing_episodes",
        windows=(90, 365, None),
        of=lambda days: count(EPISODES, days),
        question="How many episodes of being missing did social care record {window}?",
        rationale="Repeat episodes are a sign that something is wrong where the child lives, or"
        " that someone is drawing the child away.",
        source=PROTOCOL,
        direction="raises",
        theme="missing",
        agency="social_care",
        unit="episodes",
    ),
    Signal(
        "missing_days_365d",
        of=total(EPISODES, "duration_days", 365),
        question="For how many days in all was the child missing in episodes of the last 365 days?",
        rationale="Time missing is time without a safe adult; many short nights and one long"
        " absence both count.",
        source=GUIDANCE,
        direction="raises",
        theme="missing",
        agency="social_care",
        unit="days",
    ),
    Signal(
        "missing_longest_days_365d",
        of=highest(EPISODES, "duration_days", 365),
        question="How many days did the longest episode of being missing last, in the last 365"
        " days?",
        rationale="One long absence may show that the child had somewhere, or someone, to stay.",
        source=GUIDANCE,
        direction="raises",
        theme="missing",
        agency="social_care",
        unit="days",
    ),
    Signal(
        "away_without_authorisation_365d",
        of=count(contacts("missing.episode", category="away_without_authorisation"), 365),
        question="How many times was the child away from placement without authorisation in the"
        " last 365 days?",
        rationale="The whereabouts were known, so it is not being missing; it may come before it.",
        source=GUIDANCE,
        direction="raises",
        theme="missing",
        agency="social_care",
        unit="episodes",
    ),
    Signal(
        "missing_interviews_not_offered_365d",
        of=count(NOT_OFFERED, 365),
        question="After how many episodes is it recorded that no return home interview was offered"
        " in the last 365 days?",
        rationale="Nobody asked the child: the finding the reviews repeat most.",
        source=GUIDANCE,
        direction="raises",
        theme="missing",
        agency="social_care",
        unit="episodes",
    ),
    Signal(
        "missing_interviews_declined_365d",
        of=count(contacts("missing.episode", offered="yes", accepted="no"), 365),
        question="How many return home interviews were offered and not accepted in the last 365"
        " days?",
        rationale="A child who does not want to talk to this person may talk to another.",
        source=GUIDANCE,
        direction="raises",
        theme="missing",
        agency="social_care",
        unit="episodes",
    ),
    Signal(
        "missing_interviews_accepted_365d",
        of=count(contacts("missing.episode", accepted="yes"), 365),
        question="How many return home interviews did the child accept in the last 365 days?",
        rationale="Someone independent listened to the child after an episode.",
        source=GUIDANCE,
        direction="lowers",
        theme="missing",
        agency="social_care",
        unit="interviews",
        protective=True,
    ),
    *over_windows(
        "missing_reports",
        windows=(90, 365),
        of=lambda days: count(REPORTS, days),
        question="How many times was the child reported missing to the police {window}?",
        rationale="Reports reach the police from home as well as from care; most missing children"
        " are not looked after.",
        source=POLICE,
        direction="raises",
        theme="missing",
        agency="police",
        unit="reports",
    ),
    Signal(
        "missing_reports_graded_365d",
        of=count(contacts("missing.report", grade=("medium", "high")), 365),
        question="How many missing reports did the police grade medium or high in the last 365"
        " days?",
        rationale="The police's own view of the danger the child was in.",
        source=POLICE,
        direction="raises",
        theme="missing",
        agency="police",
        unit="reports",
    ),
    Signal(
        "missing_reports_from_care_365d",
        of=count(contacts("missing.report", category="care"), 365),
        question="How many times was the child reported missing from care in the last 365 days?",
        rationale="A placement the child keeps leaving may not be a safe or right one.",
        source=GUIDANCE,
        direction="raises",
        theme="missing",
        agency="police",
        unit="reports",
    ),
    Signal(
        "missing_episodes_change_90d",
        of=change(EPISODES, days=90, against=365),
        question="How many more missing episodes than usual for this child were there in the last"
        " 90 days?",
        rationale="A child whose episodes are becoming more frequent is different from one whose"
        " are becoming fewer.",
        source=LOCAL,
        direction="raises",
        theme="missing",
        agency="social_care",
        unit="episodes more than expected",
    ),
    Signal(
        "days_since_missing_episode",
        of=days_since_last(EPISODES),
        question="How many days ago did the latest recorded episode of being missing begin?",
        rationale="The guidance asks for the return interview within days, while it can help.",
        source=GUIDANCE,
        direction="lowers",
        theme="missing",
        agency="social_care",
        unit="days",
    ),
)
