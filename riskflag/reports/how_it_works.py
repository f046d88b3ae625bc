"""How riskflag works, in layers and in words: from the rulebook, the signals and the last night.

The page follows the six kinds of explanation that the UK data protection authority and the Turing
Institute ask for ("Explaining decisions made with AI"). It holds no child's data, so it can be
shown to anybody.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskflag.reports import words
from riskflag.scoring.manual import THEME_TITLES, shown
from riskflag.scoring.rulebook import COMPARISON_WORDS, Rule, Rulebook, When
from riskflag.signals import Catalogue, Signal

#: Fewer past flags than this say too little to be printed.
FEWEST = 30
LEVELS = {
    "urgent": "Urgent: read today",
    "soon": "Soon: read within the week",
    "routine": "Routine: shown beside other reasons",
}
#: Words that would show a question about a protected characteristic or a close stand-in for one.
PROTECTED = re.compile(
    r"\b(sex of|gender|ethnic\w*|race|religio\w*|faith|national\w*|asylum|disab\w*|language"
    r"|free school meals|postcode|depriv\w*|sexual orientation|pregnan\w*)\b",
    re.IGNORECASE,
)
FEED_STATES = {
    "FRESH": "up to date",
    "STALE": "older than it should be",
    "HELD": "held back, because the last delivery looked wrong",
    "LOST": "missing",
    "NEVER": "never delivered",
}


@dataclass(frozen=True)
class RuleInWords:
    """A rule as anybody can read it; `condition` is a tree of sentences."""

    title: str
    statement: str
    level: str
    theme: str
    condition: Sequence[Any]
    questions: tuple[str, ...]
    others: tuple[str, ...]
    cautions: tuple[str, ...]
    source: str
    owner: str
    known_as: str


@dataclass(frozen=True)
class Sender:
    """One agency: how many deliveries it sends, and how far they reach."""

    agency: str
    deliveries: int
    states: tuple[str, ...]


@dataclass(frozen=True)
class HowItWorks:
    """All that the page says."""

    authority: str
    as_of: str
    rulebook: str
    rules: tuple[RuleInWords, ...]
    themes: tuple[tuple[str, int], ...]
    signals: int
    protected: tuple[str, ...]
    senders: tuple[Sender, ...]
    never: tuple[str, ...]
    counts: Mapping[str, Any]
    asks: str
    often: tuple[str, ...]
    capacity: int


def how_it_works(
    book: Rulebook,
    catalogue: Catalogue,
    manifest: Mapping[str, Any],
    *,
    model: Mapping[str, Any] | None,
    performance: Mapping[str, Any] | None,
    capacity: int,
) -> HowItWorks:
    """The view. `manifest` is the current publication's; `model` what its bundle says of itself."""
    as_of = manifest.get("as_of")
    return HowItWorks(
        authority=str(manifest.get("authority") or ""),
        as_of=words.day(as_of) if as_of else "",
        rulebook=f"{book.title}, version {book.version}",
        rules=tuple(
            _rule(rule, book) for level in LEVELS for rule in book.rules if rule.level == level
        ),
        themes=_themes(catalogue.signals),
        signals=len(catalogue.signals),
        protected=tuple(s.question for s in catalogue.signals if PROTECTED.search(s.question)),
        senders=_senders(manifest.get("feeds") or ()),
        never=tuple(_kind(name) for name in manifest.get("never_delivered") or ()),
        counts=manifest.get("counts") or {},
        asks=str((model or {}).get("question") or ""),
        often=often(performance),
        capacity=capacity,
    )


def often(performance: Mapping[str, Any] | None) -> tuple[str, ...]:
    """How often the model's past flags were right, both ways; empty when that is not known."""
    if not performance or int(performance.get("n") or 0) < FEWEST:
        return ()
    count, needed = int(performance["n"]), int(performance["needed_more"])
    period = performance.get("period") or "a period that was not recorded"
    return (
        f"The model was tried on {words.small(count)} flags that it would have raised in {period}.",
        f"For {words.small(needed)} of these children, what it looks for was recorded later.",
        f"For the other {words.small(count - needed)}, it was not.",
    )


def _rule(rule: Rule, book: Rulebook) -> RuleInWords:
    return RuleInWords(
        title=rule.title,
        statement=shown(rule.statement),
        level=LEVELS[rule.level],
        theme=THEME_TITLES[rule.theme],
        condition=_condition(rule.when, book.signals),
        questions=rule.questions,
        others=rule.other_explanations,
        cautions=rule.cautions,
        source=rule.source,
        owner=rule.owner,
        known_as=f"{rule.id}, version {rule.version}",
    )


def _condition(when: When, signals: Mapping[str, Signal]) -> Sequence[Any]:
    """Pairs of a sentence and the conditions under it."""
    if when.signal:
        comparison = COMPARISON_WORDS[when.comparison]
        return [(f"{signals[when.signal].question} Answer: {comparison} {when.threshold:g}.", [])]
    parts = [pair for part in when.parts for pair in _condition(part, signals)]
    if when.not_ is not None:
        return [("This must not hold:", parts)]
    if len(parts) == 1:
        return parts
    return [("All of these:" if when.all else "At least one of these:", parts)]


def _themes(signals: Sequence[Signal]) -> tuple[tuple[str, int], ...]:
    counted = ((name, sum(s.theme == name for s in signals)) for name in THEME_TITLES)
    return tuple((THEME_TITLES[name], count) for name, count in counted if count)


def _senders(feeds: Sequence[Mapping[str, Any]]) -> tuple[Sender, ...]:
    """The agencies in the order of the alphabet; deliveries in the same state are told together."""
    by_agency: dict[str, list[Mapping[str, Any]]] = {}
    for feed in feeds:
        if feed.get("source"):
            by_agency.setdefault(words.agency(str(feed["agency"])), []).append(feed)
    return tuple(Sender(name, len(sent), _states(sent)) for name, sent in sorted(by_agency.items()))


def _states(sent: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    counted = Counter(_state(feed) for feed in sent)
    if len(counted) == 1:
        return tuple(counted)
    return tuple(f"{count} of {len(sent)}: {state}" for state, count in counted.most_common())


def _state(feed: Mapping[str, Any]) -> str:
    known = str(feed.get("state"))
    state = words.sentence(FEED_STATES.get(known, words.plain(known)))
    reach = feed.get("complete_to")
    return f"{state}, to {words.day(reach)}" if reach else state


def _kind(name: str) -> str:
    """A kind of record with who would hold it, for example "hospital: admission"."""
    holder = name.split(".", maxsplit=1)[0]
    return f"{words.plain(holder)}: {words.type_name(name)}"
