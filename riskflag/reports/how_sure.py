"""How sure a flag is: how often such flags were right, and how steady the model's patterns are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskflag.nightly.stability import STEADY
from riskflag.reports import words

#: Fewer past flags than this say nothing about how often flags were right.
FEWEST = 30
#: Of more agencies than this only the number is told.
MOST_NAMED = 2


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
        f"Of {words.small(of)} further models from other past families, {words.small(same)} had "
        "the same main pattern for this child.",
        *_one_agency(stability),
    )


def _one_agency(stability: Mapping[str, Any]) -> tuple[str, ...]:
    """Which agencies' records, each set aside alone, change the main pattern."""
    found = _changing(stability)
    if not found:
        return ("It stays the main one with any one agency's records set aside.",)
    if len(found) > MOST_NAMED:
        many = words.counted(len(found), "agency", "agencies")
        return (f"Another pattern is the main one with records of any of {many} set aside.",)
    names = " or ".join(words.agency(name) for name in sorted(found))
    return (f"Another pattern is the main one with records from {names} set aside.",)


def doubt(reason: Mapping[str, Any], stability: Mapping[str, Any] | None) -> str:
    """Why the model's part of a reason is not steady, in a sentence; nothing when it is.

    Only a child whose main pattern is not steady is told of; then of every pattern which one hidden
    feed, or too many of the refits, do not leave standing.
    """
    model = reason.get("model")
    if not model or not stability or stability["word"] == "high":
        return ""
    themes = {one["theme"]: one for one in stability["themes"]}
    told, own = themes.get(model["theme"], {}), set(reason.get("agencies") or ())
    shaken = {feed["agency"] for feed in told.get("without") or ()}
    if model["theme"] == stability["main_theme"]:
        shaken |= own & _changing(stability)
    if shaken:
        return _resting("The model's part" if reason.get("rule") else "This", shaken, own)
    of, kept = stability["refits"], told.get("kept")
    if kept is None or kept >= STEADY * of:
        return ""
    return (
        f"Of {words.small(of)} further models from other past families, {words.small(kept)} "
        f"{'finds' if kept == 1 else 'find'} this pattern too."
    )


def _resting(what: str, shaken: set[str], own: set[str]) -> str:
    """On whose records a pattern rests: none of `shaken` can be missing; `own` are behind it."""
    if len(shaken) > MOST_NAMED:
        return f"{what} needs records from {words.small(len(shaken))} agencies together."
    names = words.listed(words.agency(name) for name in sorted(shaken))
    if shaken == own and len(own) == 1:
        return f"{what} rests on records from one agency only: {names}."
    if shaken & own:
        return f"{what} rests mainly on records from {names}."
    return f"{what} stands out only beside records from {names}."


def unsteady(doubts: Sequence[str]) -> tuple[str, ...]:
    """How many patterns are not steady, of what is said of each; nothing when all are."""
    count = sum(bool(one) for one in doubts)
    if not count:
        return ()
    verb, each = ("is", "it") if count == 1 else ("are", "each")
    return (
        f"{words.sentence(words.counted(count, 'pattern'))} {verb} not steady; {each} says why.",
    )


def _changing(stability: Mapping[str, Any]) -> set[str]:
    """The agencies of which one feed, hidden, makes another pattern the main one."""
    main = stability["main_theme"]
    return {feed["agency"] for feed in stability["feeds"] if feed["main_theme"] != main}
