"""Checks on finished text: banned words, long sentences, reading age.

For tests and for who edits the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from html import unescape

from riskflag.reports.words import words

#: The most words a sentence of a template may have (the opening sentence may have 35).
LONGEST = 25
#: The highest reading age, in years, of the fixed words: of headings and of whole texts.
OLDEST_HEADINGS, OLDEST_TEXT = 11, 12
#: Words that no plainer word can stand for: names of agencies, and terms that the law gives.
TERMS = frozenset(
    {
        *("agency", "agencies", "authority", "community", "council", "department", "education"),
        *("emergency", "hospital", "organisation", "safeguarding", "attendance", "enquiry"),
        *("accommodation", "exploitation", "protection", "section", "voluntary"),
        *("official", "sensitive"),
    }
)
BLOCK = re.compile(
    r"</?(?:p|li|ul|ol|h[1-6]|td|th|tr|dt|dd|div|section|summary|caption|title|desc|text|nav|main"
    r"|header|footer|figcaption|legend|label|br|span class=\"(?:k|refs|usual|sub|tag))\b[^>]*>"
)


@cache
def _banned() -> re.Pattern[str]:
    listed = sorted(words()["banned"]["words"], key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, listed))})(?![\w-])", re.IGNORECASE)


def banned_words(text: str) -> list[str]:
    """The banned words in a text, in order, whatever their case."""
    return [match.group(0).lower() for match in _banned().finditer(text)]


def visible_text(html: str) -> list[str]:
    """The blocks of text a reader of the page meets, in order, then what is said aloud only."""
    body = re.sub(r"<style.*?</style>|<!--.*?-->", "", html, flags=re.DOTALL)
    blocks = BLOCK.sub("\n", body)
    labels = "\n".join(re.findall(r'aria-label="([^"]*)"', body))
    text = unescape(re.sub(r"<[^>]+>", "", blocks) + "\n" + labels)
    return [" ".join(line.split()) for line in text.split("\n") if line.strip()]


def long_sentences(blocks: list[str], longest: int = LONGEST) -> list[str]:
    """The sentences of more than `longest` words."""
    sentences = (s for block in blocks for s in re.split(r"(?<=[.?!])\s+", block))
    return [s for s in sentences if len(s.split()) > longest]


def syllables(word: str) -> int:
    """About how many syllables an English word has; never fewer than one."""
    text = re.sub(r"[^a-z]", "", word.lower())
    if text.endswith("e") and not text.endswith(("le", "ee", "ie", "oe", "ye")):
        text = text[:-1]
    elif text.endswith("ed") and not text.endswith(("ted", "ded", "eed", "ied")):
        text = text[:-2] + "d"
    elif text.endswith("es") and not text.endswith(
        ("ses", "zes", "xes", "ches", "shes", "ges", "ces")
    ):
        text = text[:-2] + "s"
    groups = len(re.findall(r"[aeiouy]+", text))
    # Two vowels that are spoken apart: "idea", "violent", "created"; not those of "-tion".
    apart = len(re.findall(r"(?<![tscg])i[ao]|(?<=[rd])ea(?=t|$)|(?<=[ai])e(?=n[tc])", text))
    return max(1, groups + apart)


def reading_age(blocks: Iterable[str]) -> float:
    """The age in years at which a pupil reads these texts with ease: Flesch-Kincaid grade and five.

    A block without a full stop is one sentence, as headings and questions are. Terms that no
    plainer word can stand for (TERMS) count as one syllable: readers of these pages know them.
    Source: Kincaid and others 1975; grade 1 is read at six in the United States.
    """
    sentences = [s for block in blocks for s in re.split(r"(?<=[.?!:;])\s+", block)]
    words_ = [re.findall(r"[A-Za-z][A-Za-z'’-]*", sentence) for sentence in sentences]
    counted = [found for found in words_ if found]
    total = sum(map(len, counted))
    if not total:
        return 0.0
    said = sum(1 if w.lower() in TERMS else syllables(w) for found in counted for w in found)
    return 0.39 * total / len(counted) + 11.8 * said / total - 15.59 + 5
