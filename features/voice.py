"""The child's voice: was the child seen, seen alone, and were the child's words written down?

In the reviews read by Ofsted nobody thought to ask the child. A visit at which the child was not
seen is not a visit to the child; a child seen only with an adult in the room may not be able to
speak. Words recorded count as a strength, whatever they say: somebody listened.

"Not seen alone" counts only visits where it is recorded that the child was not. A visit that says
nothing about it is unknown and is in neither count.
"""

from __future__ import annotations

from riskflag.signals import Signal, contacts, count, days_since_last, over_windows

REVIEWS = "Ofsted's reading of 173 serious case reviews, April 2008 to March 2009"
VISIT_RECORDS = "Standard Safeguarding Dataset: visits record child seen and child seen alone"
ENCOMPASS = "Home Office, Operation Encompass statutory guidance: voice of the child in a notice"

WORDS = contacts("care.child_voice")

SIGNALS: tuple[Signal, ...] = (
    Signal(
        "visits_seen_alone_90d",
        of=count(contacts("care.visit", seen_alone="yes"), 90),
        question="At how many visits was the child seen alone in the last 90 days?",
        rationale="A child seen alone had the chance to speak.",
        source=VISIT_RECORDS,
        direction="lowers",
        theme="voice",
        agency="social_care",
        unit="visits",
        protective=True,
    ),
    Signal(
        "visits_not_seen_alone_90d",
        of=count(contacts("care.visit", seen_alone="no"), 90),
        question="At how many visits is it recorded that the child was not seen alone in the last"
        " 90 days?",
        rationale="With an adult always in the room, the child's account is the adult's account.",
        source=VISIT_RECORDS,
        direction="raises",
        theme="voice",
        agency="social_care",
        unit="visits",
    ),
    *over_windows(
        "visits_child_not_seen",
        windows=(90, 365),
        of=lambda days: count(contacts("care.visit", seen="no"), days),
        question="At how many visits is it recorded that the child was not seen {window}?",
        rationale="A worker came and the child was not there, asleep, or not shown.",
        source=REVIEWS,
        direction="raises",
        theme="voice",
        agency="social_care",
        unit="visits",
    ),
    Signal(
        "assessments_child_not_seen_365d",
        of=count(contacts("care.assessment", seen="no"), 365),
        question="In how many assessments of the last 365 days was the child not seen?",
        rationale="An assessment of a child nobody saw rests on what adults said.",
        source=REVIEWS,
        direction="raises",
        theme="voice",
        agency="social_care",
        unit="assessments",
    ),
    *over_windows(
        "words_recorded",
        windows=(180, None),
        of=lambda days: count(WORDS, days),
        question="How many times did social care record the child's words, wishes or feelings"
        " {window}?",
        rationale="Somebody asked the child, listened and wrote it down.",
        source=REVIEWS,
        direction="lowers",
        theme="voice",
        agency="social_care",
        unit="records",
        protective=True,
    ),
    Signal(
        "days_since_words_recorded",
        of=days_since_last(WORDS),
        question="How many days ago did social care last record the child's words?",
        rationale="What the child said last year may not be what the child would say now.",
        source=REVIEWS,
        direction="raises",
        theme="voice",
        agency="social_care",
        unit="days",
    ),
    Signal(
        "visits_words_recorded_180d",
        of=count(contacts("care.visit", voice="yes"), 180),
        question="At how many visits of the last 180 days were the child's words recorded?",
        rationale="The child was visited and heard.",
        source=REVIEWS,
        direction="lowers",
        theme="voice",
        agency="social_care",
        unit="visits",
        protective=True,
    ),
    Signal(
        "police_words_not_recorded_365d",
        of=count(contacts("police.child_concern", "police.da_incident", voice="no"), 365),
        question="In how many police notices of the last 365 days is it recorded that the child's"
        " words were not taken?",
        rationale="Something happened that brought officers to the home and the child was not"
        " asked.",
        source=ENCOMPASS,
        direction="raises",
        theme="voice",
        agency="police",
        unit="notices",
    ),
    Signal(
        "school_words_recorded_365d",
        of=count(contacts("school.concern", voice="yes"), 365),
        question="In how many concerns of the last 365 days did the school record the child's"
        " words?",
        rationale="The child spoke to somebody at school; do others know what was said?",
        source=REVIEWS,
        direction="none",
        theme="voice",
        agency="school",
        unit="concerns",
    ),
    Signal(
        "reviews_child_took_part_365d",
        of=count(contacts("care.review", voice="yes"), 365),
        question="In how many reviews of the last 365 days did the child take part?",
        rationale="The child had a say in the plan made for them.",
        source=VISIT_RECORDS,
        direction="lowers",
        theme="voice",
        agency="social_care",
        unit="reviews",
        protective=True,
    ),
)
