"""Keeping up: shares, order, gaps, trend and lateness of what a student had to hand in."""

from __future__ import annotations

from riskflag.signals import (
    Signal,
    busiest,
    contacts,
    count,
    days_since_first,
    days_since_last,
    difference,
    highest,
    last_value,
    longest_gap,
    lowest,
    mean,
    ratio,
    scaled,
    sequence,
    shortest_gap,
    total,
    unanswered,
)

TUTOR = contacts("course.submission", category="TMA")
COMPUTER = contacts("course.submission", category="CMA")
BANKED = contacts("course.submission", category=("TMA_banked", "CMA_banked"))
HANDED_IN = contacts("course.submission", category=("TMA", "CMA"))
MISSED = contacts("course.missed_deadline")
MISSED_TUTOR = contacts("course.missed_deadline", category="TMA")
MISSED_COMPUTER = contacts("course.missed_deadline", category="CMA")
DUE = contacts("course.submission", "course.missed_deadline")
DELAY = contacts("course.submission_delay")
DELAY_TUTOR = contacts("course.submission_delay", category="TMA")
DELAY_COMPUTER = contacts("course.submission_delay", category="CMA")
WEIGHT = contacts("course.submission_weight")
WEIGHT_TUTOR = contacts("course.submission_weight", category="TMA")
REGISTERED = contacts("course.registered")
CLICKS = contacts("course.clicks")
#: What the files tell of a student from two weeks into the course on.
STARTED = contacts("course.education")

#: Pieces of one kind that were due: those handed in and those missed, added up.
DUE_TUTOR = difference(count(TUTOR, None), scaled(count(MISSED_TUTOR, None), -1.0))
DUE_COMPUTER = difference(count(COMPUTER, None), scaled(count(MISSED_COMPUTER, None), -1.0))


def signal(name: str, of: object, question: str, direction: str = "none") -> Signal:
    """A signal of this theme."""
    return Signal(
        name,
        of=of,
        question=question,
        rationale="Falling behind shows in the order and the pace of what is handed in.",
        source="Open University Learning Analytics Dataset",
        direction=direction,
        theme="school",
        agency="other",
        unit="number",
    )


SHARES = (
    signal(
        "missed_tutor_share",
        ratio(count(MISSED_TUTOR, None), DUE_TUTOR),
        "Which share of the pieces for a tutor was missed?",
        "raises",
    ),
    signal(
        "missed_computer_share",
        ratio(count(MISSED_COMPUTER, None), DUE_COMPUTER),
        "And of those for the computer?",
        "raises",
    ),
    *(
        signal(
            f"missed_share_{days}d",
            ratio(count(MISSED, days), count(DUE, days)),
            f"Which share was missed in {days} days?",
            "raises",
        )
        for days in (28, 42)
    ),
)
DUE_SO_FAR = (
    signal("due_ever", count(DUE, None), "How many pieces were due?"),
    signal("due_28d", count(DUE, 28), "How many were due in 28 days?"),
    signal("due_tutor", DUE_TUTOR, "How many were due for a tutor?"),
    signal("due_computer", DUE_COMPUTER, "How many were due for the computer?"),
)
WINDOWS = tuple(
    one
    for days in (14, 21, 42)
    for one in (
        signal(f"missed_{days}d", count(MISSED, days), f"How many missed in {days} days?"),
        signal(f"handed_in_{days}d", count(HANDED_IN, days), f"How many handed in in {days}?"),
        signal(
            f"missed_tutor_{days}d",
            count(MISSED_TUTOR, days),
            f"How many missed for a tutor in {days} days?",
            "raises",
        ),
    )
)
ORDER = (
    signal("handed_in_tutor_42d", count(TUTOR, 42), "How many for a tutor handed in in 42 days?"),
    signal(
        "missed_before_handed_in",
        difference(days_since_last(MISSED), days_since_last(HANDED_IN)),
        "How many days lie between the last piece and the last missed deadline?",
    ),
    signal(
        "missed_before_handed_in_tutor",
        difference(days_since_last(MISSED_TUTOR), days_since_last(TUTOR)),
        "And for a tutor?",
    ),
    signal(
        "recovered",
        sequence(MISSED, HANDED_IN, 28, None),
        "How many missed deadlines had a piece after them within 28 days?",
    ),
    signal(
        "not_recovered",
        unanswered(MISSED, HANDED_IN, 21, None),
        "How many missed deadlines had no piece after them within 21 days?",
    ),
    signal("days_since_tutor", days_since_last(TUTOR), "How long since a piece for a tutor?"),
    signal("days_since_computer", days_since_last(COMPUTER), "And for the computer?"),
    signal(
        "days_since_missed_computer",
        days_since_last(MISSED_COMPUTER),
        "How long since a missed deadline for the computer?",
    ),
)
GAPS = (
    signal("longest_gap", longest_gap(HANDED_IN, None), "Most days from piece to piece?"),
    signal("longest_gap_due", longest_gap(DUE, None), "Most days from deadline to deadline?"),
    signal("most_missed", busiest(MISSED, 14, None), "How many missed in the worst 14 days?"),
    signal("most_handed_in", busiest(HANDED_IN, 7, None), "How many in the busiest week?"),
    signal("shortest_gap", shortest_gap(HANDED_IN, None), "Fewest days from piece to piece?"),
)
TREND = (
    signal(
        "score_against_mean",
        difference(last_value(HANDED_IN, "quantity"), mean(HANDED_IN, "quantity", None)),
        "How far is the latest score above the mean?",
    ),
    signal(
        "score_against_mean_tutor",
        difference(last_value(TUTOR, "quantity"), mean(TUTOR, "quantity", None)),
        "And by tutors?",
        "lowers",
    ),
    signal(
        "score_range",
        difference(
            highest(HANDED_IN, "quantity", None),
            lowest(HANDED_IN, "quantity", None),
        ),
        "How far apart are the best and the worst score?",
    ),
    signal("score_28d", mean(HANDED_IN, "quantity", 28), "Mean score of 28 days?", "lowers"),
    signal("score_tutor_28d", mean(TUTOR, "quantity", 28), "And by tutors?", "lowers"),
    signal(
        "score_earlier",
        mean(HANDED_IN, "quantity", None, ending=28),
        "What was the mean score until 28 days ago?",
        "lowers",
    ),
    signal(
        "score_earlier_tutor",
        last_value(TUTOR, "quantity", None, ending=28),
        "Which was a tutor's last score until then?",
        "lowers",
    ),
    signal("score_latest_computer", last_value(COMPUTER, "quantity"), "Computer's last?", "lowers"),
    signal("score_latest_any", last_value(HANDED_IN, "quantity"), "The last at all?", "lowers"),
    signal("score_lowest_tutor", lowest(TUTOR, "quantity", None), "A tutor's lowest?", "lowers"),
    signal("score_highest_tutor", highest(TUTOR, "quantity", None), "And highest?", "lowers"),
)
POINTS = (
    signal("points", total(HANDED_IN, "quantity", None), "How many points so far?", "lowers"),
    signal("points_tutor", total(TUTOR, "quantity", None), "And by tutors?", "lowers"),
    signal(
        "points_for_each_due",
        ratio(total(HANDED_IN, "quantity", None), count(DUE, None)),
        "How many points for each piece that was due?",
        "lowers",
    ),
    signal(
        "points_for_each_due_tutor",
        ratio(total(TUTOR, "quantity", None), DUE_TUTOR),
        "And by tutors?",
        "lowers",
    ),
    signal(
        "points_for_each_due_computer",
        ratio(total(COMPUTER, "quantity", None), DUE_COMPUTER),
        "And by the computer?",
        "lowers",
    ),
)
LATENESS = (
    signal("late_tutor", mean(DELAY_TUTOR, "quantity", None), "How late for tutors?", "raises"),
    signal("late_computer", mean(DELAY_COMPUTER, "quantity", None), "For computers?", "raises"),
    signal("late_latest_tutor", last_value(DELAY_TUTOR, "quantity"), "The last time?", "raises"),
    signal("late_most_tutor", highest(DELAY_TUTOR, "quantity", None), "At most?", "raises"),
    signal("late_least", lowest(DELAY, "quantity", None), "How late at least?", "raises"),
    signal("late_28d", mean(DELAY, "quantity", 28), "How late in 28 days?", "raises"),
    signal(
        "late_against_mean",
        difference(last_value(DELAY, "quantity"), mean(DELAY, "quantity", None)),
        "How much later the last time than on average?",
    ),
)
WEIGHTS = (
    signal("weight", total(WEIGHT, "quantity", None), "How much of the mark is handed in?"),
    signal("weight_tutor", total(WEIGHT_TUTOR, "quantity", None), "How much of it to tutors?"),
    signal("weight_latest", last_value(WEIGHT_TUTOR, "quantity"), "How much was the last?"),
    signal("weight_mean", mean(WEIGHT_TUTOR, "quantity", None), "How much is it on average?"),
)
BEFORE = (
    signal("banked", count(BANKED, None), "How many pieces are kept from an earlier attempt?"),
    signal("clicks_any", count(CLICKS, None), "Was there any click before the course began?"),
    signal("days_since_clicks", days_since_last(CLICKS), "How long since these clicks?"),
    signal("days_since_start", days_since_first(STARTED), "How long since the second week?"),
    signal(
        "registered_early",
        difference(days_since_first(REGISTERED), days_since_first(STARTED)),
        "How many days before it was the registration?",
    ),
    signal(
        "registered_to_first_piece",
        difference(days_since_first(REGISTERED), days_since_first(HANDED_IN)),
        "How many days from the registration to the first piece?",
    ),
    signal("days_since_first_due", days_since_first(DUE), "How long since the first deadline?"),
)
SIGNALS: tuple[Signal, ...] = (
    *SHARES,
    *DUE_SO_FAR,
    *WINDOWS,
    *ORDER,
    *GAPS,
    *TREND,
    *POINTS,
    *LATENESS,
    *WEIGHTS,
    *BEFORE,
)
