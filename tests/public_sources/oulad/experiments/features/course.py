"""Course: what a student handed in, what was missed, how it went, and what they brought along."""

from __future__ import annotations

from riskflag.signals import (
    Signal,
    contacts,
    count,
    days_since_first,
    days_since_last,
    exists,
    highest,
    last_value,
    lowest,
    mean,
    ratio,
    total,
)

TUTOR = contacts("course.submission", category="TMA")
COMPUTER = contacts("course.submission", category="CMA")
HANDED_IN = contacts("course.submission", category=("TMA", "CMA"))
MISSED = contacts("course.missed_deadline")
MISSED_TUTOR = contacts("course.missed_deadline", category="TMA")
MISSED_COMPUTER = contacts("course.missed_deadline", category="CMA")
DUE = contacts("course.submission", "course.missed_deadline")
DELAY = contacts("course.submission_delay")
COURSES = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG")
BANDS = ("0-10%", "10-20", *(f"{low}-{low + 10}%" for low in range(20, 100, 10)))
SCHOOLING = {
    "below_a_level": ("No Formal quals", "Lower Than A Level"),
    "a_level": ("A Level or Equivalent",),
    "higher": ("HE Qualification", "Post Graduate Qualification"),
}


def signal(name: str, of: object, question: str, direction: str = "none") -> Signal:
    """A signal of this theme."""
    return Signal(
        name,
        of=of,
        question=question,
        rationale="What is handed in, and when, tells how a student is keeping up.",
        source="Open University Learning Analytics Dataset",
        direction=direction,
        theme="school",
        agency="other",
        unit="number",
    )


SIGNALS: tuple[Signal, ...] = (
    signal("handed_in_ever", count(HANDED_IN, None), "How many pieces were handed in?"),
    signal("tutor_marked_ever", count(TUTOR, None), "How many of them did a tutor mark?"),
    signal("missed_ever", count(MISSED, None), "How many deadlines were missed?"),
    signal("missed_28d", count(MISSED, 28), "How many deadlines were missed in 28 days?"),
    signal("missed_tutor_ever", count(MISSED_TUTOR, None), "How many for a tutor?", "raises"),
    signal("missed_computer_ever", count(MISSED_COMPUTER, None), "And for the computer?", "raises"),
    signal("missed_tutor_28d", count(MISSED_TUTOR, 28), "For a tutor, in 28 days?", "raises"),
    signal("handed_in_28d", count(HANDED_IN, 28), "How many were handed in within 28 days?"),
    signal("days_since_missed_tutor", days_since_last(MISSED_TUTOR), "How long since such a one?"),
    signal("missed_share", ratio(count(MISSED, None), count(DUE, None)), "Which share?", "raises"),
    signal("score_mean", mean(HANDED_IN, "quantity", None), "What is the mean score?", "lowers"),
    signal("score_mean_tutor", mean(TUTOR, "quantity", None), "And by tutors?", "lowers"),
    signal("score_mean_computer", mean(COMPUTER, "quantity", None), "By computer?", "lowers"),
    signal("score_lowest", lowest(HANDED_IN, "quantity", None), "The lowest score?", "lowers"),
    signal("score_highest", highest(HANDED_IN, "quantity", None), "The highest score?", "lowers"),
    signal("score_latest", last_value(TUTOR, "quantity"), "The latest score?", "lowers"),
    signal("late_mean", mean(DELAY, "quantity", None), "How late on average?", "raises"),
    signal("late_most", highest(DELAY, "quantity", None), "How late at most?", "raises"),
    signal("late_latest", last_value(DELAY, "quantity"), "How late the last time?", "raises"),
    signal("days_since_handed_in", days_since_last(HANDED_IN), "How long since the last piece?"),
    signal("days_since_first", days_since_first(HANDED_IN), "How long since the first piece?"),
    signal("days_since_missed", days_since_last(MISSED), "How long since a missed deadline?"),
    signal(
        "days_registered",
        days_since_first(contacts("course.registered")),
        "How long ago was the registration?",
    ),
    signal(
        "clicks_before",
        total(contacts("course.clicks"), "quantity", None),
        "How many clicks before the course began?",
        "lowers",
    ),
    signal(
        "attempts_before",
        last_value(contacts("course.earlier_attempts"), "quantity"),
        "How many earlier attempts?",
        "raises",
    ),
    signal("credits", last_value(contacts("course.credits"), "quantity"), "How many credits?"),
    *(
        signal(
            f"schooling_{name}",
            exists(contacts("course.education", category=values), None),
            "Is this the highest qualification?",
        )
        for name, values in SCHOOLING.items()
    ),
    *(
        signal(
            f"home_area_up_to_{top}",
            exists(contacts("course.home_area", category=BANDS[: top // 10]), None),
            f"Is the home area among the {top}% most deprived?",
        )
        for top in (20, 40, 60, 80)
    ),
    *(
        signal(
            f"on_{name.lower()}",
            exists(contacts("course.registered", organisation=name), None),
            f"Is the course {name}?",
        )
        for name in COURSES
    ),
)
