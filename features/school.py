"""School: bullying, absence, suspension, moves, and concerns the school recorded.

Ofsted's reading of the reviews found concerns about bullying that were not investigated
satisfactorily. A child who experienced bullying is never counted with one who displayed it: in
the exclusion code list "bullying" means that the child was excluded for bullying others. What
matters most is whether anything was recorded after a report, so one group of signals looks only
at reports old enough to have been answered.

Absence is read by reason: sessions missed because the school or transport was not available are
left out. A suspension is also a day on which nobody at school saw the child.
"""

from __future__ import annotations

from riskflag.signals import (
    Signal,
    contacts,
    count,
    days_since_last,
    difference,
    over_windows,
    scaled,
    total,
)

REVIEWS = "Ofsted's reading of 173 serious case reviews, April 2008 to March 2009"
ABSENCE = "DfE, pupil absence statistics: persistent absence is 10% or more of possible sessions"
SUSPENSION = "DfE, suspensions and permanent exclusions statistics: the reason codes since 2021"
NOT_IN_SCHOOL = "DfE, elective home education and children missing education data collection"
EXPLOITATION = (
    "IICSA, Organised Networks report, part F: signs called risk may be evidence of harm already"
    " done"
)
MOVES = "School census, entry and leaving dates: mid-year moves are visible only there"
CONCERNS = "School safeguarding record systems; no national return of concerns or bullying exists"

EXPERIENCED = contacts("school.bullying", role="experiencing")
ACTIONS = contacts("school.bullying_action")
MISSED = contacts("school.absence", category=("authorised", "illness", "unauthorised"))
UNAUTHORISED = contacts("school.absence", category="unauthorised")
SUSPENSIONS = contacts("school.suspension")
JOINED_MID_YEAR = contacts("school.move", category="joined_mid_year")

#: Sessions in a school year: 190 days of two sessions.
SESSIONS_A_YEAR = 380

SIGNALS: tuple[Signal, ...] = (
    *over_windows(
        "bullying_experienced",
        windows=(90, 365),
        of=lambda days: count(EXPERIENCED, days),
        question="How many reports were recorded that the child experienced bullying {window}?",
        rationale="A child who tells somebody about bullying has asked for help.",
        source=REVIEWS,
        direction="raises",
        theme="school",
        agency="school",
        unit="reports",
    ),
    Signal(
        "bullying_experienced_15_to_90d",
        of=count(EXPERIENCED, 76, ending=14),
        question="How many reports that the child experienced bullying were recorded between 15"
        " and 90 days ago, long enough ago to have been answered?",
        rationale="A report from this week may still be in hand; one from last month should not"
        " stand alone.",
        source=REVIEWS,
        direction="raises",
        theme="school",
        agency="school",
        unit="reports",
    ),
    Signal(
        "bullying_actions_90d",
        of=count(ACTIONS, 90),
        question="How many actions or follow-ups after bullying did the school record in the last"
        " 90 days?",
        rationale="Somebody did something and wrote it down.",
        source=REVIEWS,
        direction="lowers",
        theme="school",
        agency="school",
        unit="actions",
        protective=True,
    ),
    Signal(
        "bullying_report_after_action_days",
        of=difference(days_since_last(ACTIONS), days_since_last(EXPERIENCED)),
        question="By how many days did the latest report that the child experienced bullying come"
        " after the latest recorded action?",
        rationale="Above zero, the latest report has nothing recorded after it, whatever was done"
        " about earlier ones.",
        source=REVIEWS,
        direction="none",
        theme="school",
        agency="school",
        unit="days",
    ),
    Signal(
        "days_since_bullying_experienced",
        of=days_since_last(EXPERIENCED),
        question="How many days ago was it last reported that the child experienced bullying?",
        rationale="Says whether a report is fresh or should have been answered by now.",
        source=REVIEWS,
        direction="lowers",
        theme="school",
        agency="school",
        unit="days",
    ),
    Signal(
        "bullying_electronic_365d",
        of=count(contacts("school.bullying", role="experiencing", category="electronic"), 365),
        question="How many reports were recorded that the child experienced bullying online in the"
        " last 365 days?",
        rationale="Bullying online follows a child home; there is no safe part of the day.",
        source=CONCERNS,
        direction="raises",
        theme="school",
        agency="school",
        unit="reports",
    ),
    Signal(
        "bullying_displayed_365d",
        of=count(contacts("school.bullying", role="displaying"), 365),
        question="How many reports were recorded that the child displayed bullying in the last 365"
        " days?",
        rationale="A child who displays bullying may be showing what is done to them. Kept apart"
        " from bullying experienced and given no direction.",
        source=CONCERNS,
        direction="none",
        theme="school",
        agency="school",
        unit="reports",
    ),
    *over_windows(
        "school_sessions_missed",
        windows=(90, 365),
        of=lambda days: total(MISSED, "quantity", days),
        question="How many school sessions did the child miss {window}, for reasons other than the"
        " school or transport being unavailable?",
        rationale="A child who is not in school is not seen by the people most likely to notice.",
        source=ABSENCE,
        direction="raises",
        theme="school",
        agency="school",
        unit="sessions",
    ),
    Signal(
        "school_sessions_unauthorised_90d",
        of=total(UNAUTHORISED, "quantity", 90),
        question="How many school sessions did the child miss without authorisation in the last 90"
        " days?",
        rationale="The school did not know, or did not accept, why the child was not there.",
        source=ABSENCE,
        direction="raises",
        theme="school",
        agency="school",
        unit="sessions",
    ),
    Signal(
        "school_absence_share_365d",
        of=scaled(total(MISSED, "quantity", 365), 1 / SESSIONS_A_YEAR),
        question="What share of a full school year's 380 sessions did the child miss in the last"
        " 365 days?",
        rationale="An approximation of persistent absence (0.1) and severe absence (0.5) for"
        " children on roll the whole year; it reads low for those who joined later.",
        source=ABSENCE,
        direction="raises",
        theme="school",
        agency="school",
        unit="share",
    ),
    Signal(
        "school_absence_rise_90d",
        of=difference(
            total(MISSED, "quantity", 90), scaled(total(MISSED, "quantity", 365), 90 / 365)
        ),
        question="How many more sessions did the child miss in the last 90 days than an even share"
        " of the last 365 days?",
        rationale="A child who used to be in school and stopped coming has a story to tell.",
        source=ABSENCE,
        direction="raises",
        theme="school",
        agency="school",
        unit="sessions more than expected",
    ),
    *over_windows(
        "suspensions",
        windows=(90, 365),
        of=lambda days: count(SUSPENSIONS, days),
        question="How many times was the child suspended from school {window}?",
        rationale="Behaviour is often the only language a child has for what is happening, and"
        " each suspension is time away from adults who could notice.",
        source=SUSPENSION,
        direction="raises",
        theme="school",
        agency="school",
        unit="suspensions",
    ),
    Signal(
        "suspension_sessions_365d",
        of=total(SUSPENSIONS, "quantity", 365),
        question="How many school sessions did the child lose to suspension in the last 365 days?",
        rationale="The length matters as well as the number.",
        source=SUSPENSION,
        direction="raises",
        theme="school",
        agency="school",
        unit="sessions",
    ),
    Signal(
        "suspensions_exploitation_linked_365d",
        of=count(
            contacts(
                "school.suspension", category=("weapon", "drugs_alcohol", "sexual_misconduct")
            ),
            365,
        ),
        question="How many suspensions were for a weapon, drugs or alcohol, or sexual misconduct"
        " in the last 365 days?",
        rationale="These reasons can be the visible end of exploitation by others.",
        source=EXPLOITATION,
        direction="raises",
        theme="school",
        agency="school",
        unit="suspensions",
    ),
    Signal(
        "permanent_exclusions_ever",
        of=count(contacts("school.permanent_exclusion"), None),
        question="How many times was the child permanently excluded at any time in the records?",
        rationale="A child who lost a school lost the adults in it.",
        source=SUSPENSION,
        direction="raises",
        theme="school",
        agency="school",
        unit="exclusions",
    ),
    Signal(
        "school_moves_365d",
        of=count(JOINED_MID_YEAR, 365),
        question="How many times did the child join a school outside the usual time in the last"
        " 365 days?",
        rationale="What one school knew does not always arrive with the child.",
        source=MOVES,
        direction="raises",
        theme="school",
        agency="school",
        unit="moves",
    ),
    Signal(
        "missing_education_365d",
        of=count(contacts("school.missing_education"), 365),
        question="How many times was the child recorded as missing education in the last 365 days?",
        rationale="No school holds a register the child could be absent from.",
        source=NOT_IN_SCHOOL,
        direction="raises",
        theme="school",
        agency="education_la",
        unit="records",
    ),
    Signal(
        "home_educated_ever",
        of=count(contacts("school.home_educated"), None),
        question="How many times was the child recorded as educated at home at any time in the"
        " records?",
        rationale="A lawful choice that says nothing about care; it is here because absence from"
        " school cannot be seen for these children. Given no direction.",
        source=NOT_IN_SCHOOL,
        direction="none",
        theme="school",
        agency="education_la",
        unit="records",
    ),
    *over_windows(
        "school_concerns",
        windows=(90, 365),
        of=lambda days: count(contacts("school.concern"), days),
        question="How many safeguarding concerns did the school record {window}?",
        rationale="Small concerns, each below any threshold, are what reviews find in a row.",
        source=CONCERNS,
        direction="raises",
        theme="school",
        agency="school",
        unit="concerns",
    ),
    Signal(
        "school_neglect_concerns_ever",
        of=count(contacts("school.concern", category="neglect"), None),
        question="How many concerns about neglect did the school record at any time in the"
        " records?",
        rationale="Neglect was already identified in 50 of the 173 reviews.",
        source=REVIEWS,
        direction="raises",
        theme="school",
        agency="school",
        unit="concerns",
    ),
    Signal(
        "school_injury_concerns_365d",
        of=count(contacts("school.concern", category="injury"), 365),
        question="How many concerns about an injury did the school record in the last 365 days?",
        rationale="School staff see marks that no hospital does.",
        source=CONCERNS,
        direction="raises",
        theme="school",
        agency="school",
        unit="concerns",
    ),
    Signal(
        "school_disclosures_365d",
        of=count(contacts("school.concern", category="disclosure"), 365),
        question="How many times did the school record that the child told someone about a worry"
        " in the last 365 days?",
        rationale="The child has already spoken.",
        source=REVIEWS,
        direction="raises",
        theme="school",
        agency="school",
        unit="concerns",
    ),
)
