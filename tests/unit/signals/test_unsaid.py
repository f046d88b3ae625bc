"""What no feed says is unknown: the count of injuries is not zero because nobody tells injuries."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from riskflag.signals import (
    Signal,
    build,
    compute,
    contacts,
    count,
    distinct,
    open_now,
    sequence,
    unanswered,
)
from tests.factories import history_of

AS_OF = dt.date(2024, 6, 1)
VISIT = {"person_id": "a", "type": "ed.attendance", "occurred_on": "2024-05-01"}
TELLS = {"source": "b", "agency": "ed", "type": "ed.attendance", "complete_to": "2024-05-31"}
FEED = {"source": "ecds", "agency": "ed", "type": "ed.attendance", "complete_to": "2024-05-31"}


def signal(name, of):
    return Signal(
        name, of=of, question="How many?", rationale="x", source="x", direction="raises",
        theme="health", agency="ed",
    )  # fmt: skip


ALL = signal("visits_90d", count(contacts("ed.attendance"), 90))
INJURIES = signal("injuries_90d", count(contacts("ed.attendance", category="injury"), 90))
SITES = signal("sites_90d", distinct(contacts("ed.attendance"), "organisation", 90))
CONCERNS = signal("concerns_90d", count(contacts("school.concern"), 90))
SIGNALS = (ALL, INJURIES, SITES, CONCERNS)


@pytest.mark.parametrize(
    ("feeds", "complete"),
    [
        ([], [True, True, True, True]),
        ([FEED], [True, True, True, False]),
        ([FEED | {"says": ""}], [True, False, False, False]),
        ([FEED | {"says": "category"}], [True, True, False, False]),
        ([FEED | {"says": "category organisation"}], [True, True, True, False]),
        ([FEED | {"says": ""}, TELLS | {"says": "category"}], [True, True, False, False]),
        ([FEED | {"says": "category", "complete_to": "2024-01-01"}], [False] * 4),
    ],
)  # fmt: skip
def test_a_signal_is_whole_only_when_its_feeds_are_there_and_say_what_it_asks(feeds, complete):
    """No feeds told: taken as whole. A feed without categories leaves injuries unknown."""
    table = compute(history_of([VISIT], coverage=feeds), ["a"], as_of=AS_OF, signals=SIGNALS)
    assert table.complete.tolist() == complete
    assert table.column("visits_90d").tolist() == [1.0]


PLANS = contacts("care.cp_plan")
VISITS = contacts("care.visit")
CARE = (
    signal("plans_ever", count(PLANS, None)),
    signal("on_plan", open_now(PLANS)),
    signal("unvisited_ever", unanswered(PLANS, VISITS, 14, None)),
    signal("visits_after_ever", sequence(PLANS, VISITS, 14, None)),
)
ENDS = {**FEED, "source": "plans", "type": "care.cp_plan", "says": "category ended"}
SEEN = {**FEED, "source": "visits", "type": "care.visit"}


@pytest.mark.parametrize(
    ("feeds", "complete"),
    [
        ([], [True, True, True, True]),
        ([ENDS], [True, True, False, False]),
        ([ENDS, SEEN], [True, True, True, True]),
        ([ENDS | {"says": "category"}, SEEN], [True, False, True, True]),
        ([ENDS, SEEN | {"complete_to": "2024-01-01"}], [True, True, False, False]),
    ],
)
def test_whether_it_ended_and_what_followed_must_be_told(feeds, complete):
    """Without ends nobody knows what is open; without visits nobody knows what they followed."""
    table = compute(history_of([VISIT], coverage=feeds), ["a"], as_of=AS_OF, signals=CARE)
    assert table.complete.tolist() == complete


def test_analysts_see_unknown_not_zero():
    """In a data frame what is not whole is NaN; the count of attendances stays."""
    rows = pd.DataFrame({"person_id": ["a"], "as_of": [AS_OF]})
    frame = build(history_of([VISIT], coverage=[FEED | {"says": ""}]), rows, SIGNALS)
    assert frame["visits_90d"].tolist() == [1.0]
    assert np.isnan(frame["injuries_90d"]).all()
    assert np.isnan(frame["concerns_90d"]).all()
