"""Early help and support: what was offered, taken up, and finished.

Most families in difficulty are helped well before anything is a matter of protection. These are
the strengths in the record: support the family took up, programmes finished, direct work that took
place. They are shown on every page under what points the other way. Help that was declined is kept
apart from help that was never offered, which no record can show.
"""

from __future__ import annotations

from riskflag.signals import Signal, contacts, count, days_since_last

ANNEX_A = "Ofsted Annex A, list of early help assessments; Standard Safeguarding Dataset"
CLOSURE = "Children in need census, closure reasons: closed to early help is a reason of its own"
CHRONOLOGY = (
    "National Guidance for Child Protection in Scotland 2021: a chronology holds strengths as well"
    " as concerns"
)

EPISODES = contacts("early_help.episode")
SUPPORT = contacts("early_help.support")

SIGNALS: tuple[Signal, ...] = (
    Signal(
        "early_help_episodes_365d",
        of=count(EPISODES, 365),
        question="How many early help episodes with the family began in the last 365 days?",
        rationale="The family was offered help; it says that there was need and that it was met,"
        " so it has no direction.",
        source=ANNEX_A,
        direction="none",
        theme="early_help",
        agency="early_help",
        unit="episodes",
    ),
    Signal(
        "early_help_completed_730d",
        of=count(contacts("early_help.episode", outcome="completed"), 730),
        question="How many early help episodes were completed in the last 730 days?",
        rationale="The family saw it through.",
        source=CLOSURE,
        direction="lowers",
        theme="early_help",
        agency="early_help",
        unit="episodes",
        protective=True,
    ),
    Signal(
        "early_help_declined_365d",
        of=count(contacts("early_help.episode", outcome="declined"), 365),
        question="How many offers of early help were declined in the last 365 days?",
        rationale="Families decline for many reasons, a bad earlier experience among them; the"
        " need was still there.",
        source=ANNEX_A,
        direction="raises",
        theme="early_help",
        agency="early_help",
        unit="offers",
    ),
    Signal(
        "early_help_stepped_up_365d",
        of=count(contacts("early_help.episode", outcome="stepped_up"), 365),
        question="How many early help episodes were stepped up to social care in the last 365"
        " days?",
        rationale="Those who worked with the family found that it needed more.",
        source=ANNEX_A,
        direction="raises",
        theme="early_help",
        agency="early_help",
        unit="episodes",
    ),
    Signal(
        "support_taken_up_365d",
        of=count(SUPPORT, 365),
        question="How many support services did the family take up in the last 365 days?",
        rationale="The family asked for help or accepted it.",
        source=CHRONOLOGY,
        direction="lowers",
        theme="early_help",
        agency="early_help",
        unit="services",
        protective=True,
    ),
    Signal(
        "parenting_support_730d",
        of=count(contacts("early_help.support", category="parenting_programme"), 730),
        question="How many parenting programmes did the family take up in the last 730 days?",
        rationale="Time given by parents to doing things differently.",
        source=CHRONOLOGY,
        direction="lowers",
        theme="early_help",
        agency="early_help",
        unit="programmes",
        protective=True,
    ),
    Signal(
        "mentoring_or_counselling_365d",
        of=count(contacts("early_help.support", category=("mentoring", "counselling")), 365),
        question="How many times was mentoring or counselling taken up in the last 365 days?",
        rationale="The child or a parent has somebody to talk to.",
        source=CHRONOLOGY,
        direction="lowers",
        theme="early_help",
        agency="early_help",
        unit="services",
        protective=True,
    ),
    Signal(
        "family_group_decisions_730d",
        of=count(contacts("early_help.support", category="family_group_decision"), 730),
        question="How many family group decision meetings were held in the last 730 days?",
        rationale="The wider family came together round the child.",
        source="Children in need census: offer and use of family group decision making meetings",
        direction="lowers",
        theme="early_help",
        agency="early_help",
        unit="meetings",
        protective=True,
    ),
    Signal(
        "direct_work_180d",
        of=count(contacts("care.direct_work"), 180),
        question="How many sessions of planned direct work with the child or family took place in"
        " the last 180 days?",
        rationale="Help that reached the child and did not stay in a plan.",
        source=CHRONOLOGY,
        direction="lowers",
        theme="early_help",
        agency="social_care",
        unit="sessions",
        protective=True,
    ),
    Signal(
        "days_since_support",
        of=days_since_last(SUPPORT),
        question="How many days ago did the family last take up a support service?",
        rationale="Support fades; a long gap says that the help has ended.",
        source=CHRONOLOGY,
        direction="raises",
        theme="early_help",
        agency="early_help",
        unit="days",
    ),
)
