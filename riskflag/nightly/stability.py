"""How steady a flag's explanation is: under other training children, and with each feed hidden.

The bundle's refits and the model itself explain the same child; what is compared is the theme that
raised the score most, and which themes are reasons at all. The caseworker's page tells it in a word
and lowers the strength of reasons that vanish; the analyst's report tells it in full. It never
changes a score, a reason or a flag.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riskflag.scoring.reasons import strength_of

if TYPE_CHECKING:
    from riskflag.nightly.inputs import Inputs
    from riskflag.scoring.flags import FlagDraft
    from riskflag.scoring.model import Model
    from riskflag.signals.table import SignalTable

Row = dict[str, Any]
Floats = NDArray[np.float64]

#: A theme of this strength is no reason of its own.
SLIGHT = "slight"
#: From this share of refits with the same main theme on, an explanation is steady.
STEADY = 0.8


def steadiness(inputs: Inputs, table: SignalTable, drafts: Sequence[FlagDraft]) -> dict[str, Row]:
    """For each child that the model raises, how steady its explanation is; by person.

    Empty without a bundle, or with one that holds no refits.
    """
    bundle = inputs.bundle
    raised = [draft for draft in drafts if draft.model is not None and draft.model.raises]
    if bundle is None or not bundle.refits or not raised:
        return {}
    rows = np.array([draft.row for draft in raised], dtype=np.intp)
    values = table.values[rows]
    shown = np.where(table.complete, values, np.nan)
    refitted = [_themes(model, shown, table.names, bundle.themes) for model in bundle.refits]
    hidden = _hidden(inputs, table, values)
    return {
        draft.person_id: _told(
            {t.theme: t.contribution for t in draft.model.reasons} if draft.model else {},
            [each[place] for each in refitted],
            [{**feed, **told[place]} for feed, told in hidden],
        )
        for place, draft in enumerate(raised)
    }


def main_theme(totals: Mapping[str, float]) -> str | None:
    """The theme that raised the score most; of equals the first by name; None when none did."""
    rising = {theme: total for theme, total in totals.items() if total > 0}
    return min(rising, key=lambda theme: (-rising[theme], theme), default=None)


def reason_themes(totals: Mapping[str, float]) -> frozenset[str]:
    """The themes that are reasons of their own: they raised the score, and not slightly."""
    push = math.fsum(total for total in totals.values() if total > 0)
    return frozenset(
        theme
        for theme, total in totals.items()
        if total > 0 and strength_of(total / push) != SLIGHT
    )


def _told(
    totals: Mapping[str, float], refitted: Sequence[Mapping[str, float]], hidden: Sequence[Row]
) -> Row:
    """The block of one child.

    Of each theme `kept` counts the refits in which it is a reason too, and `without` names the
    feeds each of which, hidden, leaves it no reason. The word is "high" when most refits and every
    hidden feed leave the main theme the main one.
    """
    main = main_theme(totals)
    same = sum(main_theme(one) == main for one in refitted)
    steady = same >= STEADY * len(refitted) and all(feed["main_theme"] == main for feed in hidden)
    found = [reason_themes(one) for one in refitted]
    return {
        "refits": len(refitted),
        "same_main_theme": same,
        "word": "high" if steady else "mixed",
        "main_theme": main,
        "themes": [
            {
                "theme": theme,
                "contribution": totals[theme],
                "low": min(one.get(theme, 0.0) for one in refitted),
                "high": max(one.get(theme, 0.0) for one in refitted),
                "kept": sum(theme in one for one in found),
                "without": [
                    {"source": feed["source"], "agency": feed["agency"]}
                    for feed in hidden
                    if theme not in feed["reasons"]
                ],
            }
            for theme in sorted(totals, key=lambda name: (-abs(totals[name]), name))
        ],
        "feeds": [
            {key: feed[key] for key in ("source", "agency", "main_theme", "raises")}
            for feed in hidden
        ],
    }


def _themes(
    model: Model, values: Floats, names: Sequence[str], themes: Mapping[str, str]
) -> list[dict[str, float]]:
    """What each theme adds to each row's score, by theme."""
    parts = model.contributions(values, names)
    found = []
    for row in range(len(values)):
        grouped: dict[str, list[float]] = {}
        for name, amount in parts.row(row).items():
            grouped.setdefault(themes[name], []).append(amount)
        found.append({theme: math.fsum(amounts) for theme, amounts in grouped.items()})
    return found


def _hidden(inputs: Inputs, table: SignalTable, values: Floats) -> list[tuple[Row, list[Row]]]:
    """With each usable feed hidden in turn: the main theme, and whether the line is still met."""
    from riskflag.signals.build import completeness

    bundle = inputs.bundle
    assert bundle is not None
    feeds = inputs.view.feeds(inputs.as_of)
    signals = [inputs.catalogue.by_name[name] for name in table.names]
    found = []
    for feed in feeds:
        if not feed.usable or not feed.types:
            continue
        rest = tuple(
            dataclasses.replace(one, state="LOST") if one.source == feed.source else one
            for one in feeds
        )
        complete = table.complete & completeness(rest, signals)
        if (complete == table.complete).all():
            continue
        left = np.where(complete, values, np.nan)
        raw = bundle.model.raw(left, table.names)
        themes = _themes(bundle.model, left, table.names, bundle.themes)
        line = float(bundle.thresholds["raw"])
        told = [
            {
                "main_theme": main_theme(totals),
                "reasons": reason_themes(totals),
                "raises": bool(score >= line),
            }
            for totals, score in zip(themes, raw, strict=True)
        ]
        found.append(({"source": feed.source, "agency": feed.agency}, told))
    return found
