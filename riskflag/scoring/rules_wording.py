"""The wording a rule may use, and how its statement is filled in.

A rule is read by caseworkers and, one day, by the child it is about. It names what agencies
recorded and what to ask; it never names a trait of a child or a parent, a cause or a prediction.
Placeholders are replaced by plain text search, so nothing in a rulebook is ever executed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping

#: Words a rule may not use, and what to write in their place.
BANNED: Mapping[str, str] = {
    "abscond": "was reported missing",
    "ran away": "was reported missing",
    "runaway": "was reported missing",
    "did not attend": "was not brought",
    "failed to attend": "was not brought",
    "hard to engage": "how many appointments were offered and kept",
    "disguised compliance": "how many appointments were offered and kept",
    "non-engagement": "how many appointments were offered and kept",
    "frequent flyer": "how many times the child attended",
    "attention-seeking": "how many times the child attended",
    "attention seeking": "how many times the child attended",
    "promiscuous": "possible exploitation not ruled out",
    "put themselves at risk": "may be targeted or exploited",
    "put himself at risk": "may be targeted or exploited",
    "put herself at risk": "may be targeted or exploited",
    "high risk": "what was recorded",
    "low risk": "what was recorded",
    "at risk": "what was recorded",
    "risk score": "what was recorded",
    "predict": "what was recorded",
    "because of": "alongside",
    "due to": "alongside",
    "probability": "what was recorded",
    "likelihood": "what was recorded",
    "associating with": "records mention contact with",
    "lifestyle choice": "what was recorded",
    "manipulative": "what was recorded",
    "suspicious": "what was recorded",
    "dangerous": "what was recorded",
    "caused": "came before",
    "led to": "was followed by",
    "false positive": "nothing further needed",
    "alarming": "what was recorded",
    "shocking": "what was recorded",
    "disturbing": "what was recorded",
    "non-compliant": "how many appointments were offered and kept",
    "dna'd": "was not brought",
    "associates with": "records mention contact with",
    "medium risk": "what was recorded",
    "risk level": "what was recorded",
    "no concern": "nothing is recorded",
    "safe to close": "nothing further is recorded",
    "the algorithm": "the rule",
    "the ai": "the rule",
    "percentile": "what was recorded",
    "log-odds": "what was recorded",
    "shap": "what was recorded",
    "score": "what was recorded",
    "scored": "what was recorded",
    "feature": "record",
    "true positive": "what was recorded",
    "non-accidental": "the injury and its recorded cause",
    "bad parent": "what was recorded",
    "streetwise": "what was recorded",
}
#: These are refused as whole words only, for they are the beginning of harmless ones.
WHOLE = frozenset({"the ai", "shap", "score", "scored", "feature"})

#: `{value:signal}` or `{value:signal|one|several}`: the number, and the noun that goes with it.
PLACEHOLDER = re.compile(r"\{value:([a-z0-9_]+)(?:\|([^|{}]+)\|([^|{}]+))?\}")
_PATTERNS = {
    phrase: re.compile(rf"\b{re.escape(phrase)}" + r"\b" * (phrase in WHOLE), re.IGNORECASE)
    for phrase in BANNED
}


def banned_in(text: str) -> str | None:
    """The first phrase of `text` that a rule may not use, or None."""
    return next((phrase for phrase, found in _PATTERNS.items() if found.search(text)), None)


def placeholders(text: str) -> Iterator[str]:
    """The signal names that a statement shows the value of, in reading order."""
    for match in PLACEHOLDER.finditer(text):
        yield match.group(1)


def fill(text: str, values: Mapping[str, float], partial: Collection[str] = ()) -> str:
    """A statement with its numbers; what is not known is said to be not known.

    `partial` names signals a feed of which was not available: their numbers are what the records
    say so far, so they read "at least", and none so far is an unknown number.
    """

    def written(match: re.Match[str]) -> str:
        name, one, several = match.group(1), match.group(2), match.group(3)
        value = values.get(name, math.nan)
        words = number_words(math.nan if name in partial and value == 0 else value)
        if name in partial and math.isfinite(value) and value != 0:
            words = f"at least {words}"
        noun = one if value == 1 else several
        return f"{words} {noun}" if noun else words

    return PLACEHOLDER.sub(written, text)


def number_words(value: float) -> str:
    """A value as a reader expects it: no needless decimals, never a bare `nan` or `inf`."""
    if math.isnan(value):
        return "an unknown number of"
    if math.isinf(value):
        return "no recorded"
    return str(int(value)) if value == int(value) else f"{value:.1f}"
