"""How sure a flag is: how often such flags were right, and how steady the model's patterns are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskflag.reports import words

#: Fewer past flags than this say nothing about how often flags were right.
FEWEST = 30


def often(performance: Mapping[str, Any] | None) -> tuple[str, ...]:
    """How often flags like this one were right, both ways, in counts of ten."""
    if not performance or performance.get("n") is None or performance.get("needed_more") is None:
        return ("It is not yet known how often flags like this one were right.",)
    count = int(performance["n"])
    if count < FEWEST:
        return ("There are too few past flags like this one to say how often they were right.",)
    share = float(performance["needed_more"]) / count
    of = 10 if 1 <= round(10 * share) <= 9 else 100
    needed = round(of * share)
    period = performance.get("period") or "period not recorded"
    if performance.get("basis") == "reviews":
        both_ways = (
            f"Of every {of} past flags with the first pattern of this one, reviewers decided that "
            f"about {needed} needed something more."
        )
        other = f"They decided that about {of - needed} did not."
    else:
        was = "was" if needed == 1 else "were"
        both_ways = (
            f"Of every {of} past flags like this one, about {needed} {was} followed by a need for "
            f"more help, and about {of - needed} were not."
        )
        other = ""
    return (
        *filter(None, (both_ways, other)),
        f"This rests on {count:,} past flags, {period}.",
        "It says nothing about this child.",
    )


def steady(stability: Mapping[str, Any] | None) -> tuple[str, ...]:
    """How steady the model's patterns are, in a word and in counts; nothing when not known."""
    if not stability:
        return ()
    of, same = stability["refits"], stability["same_main_theme"]
    return (
        f"How steady the model's patterns are: {stability['word']}.",
        f"Of {words.small(of)} further models from other past children, {words.small(same)} had "
        "the same main pattern for this child.",
    )
