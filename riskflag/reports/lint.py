"""Checks on finished text: banned words, long sentences. For tests and for who edits the words."""

from __future__ import annotations

import re
from functools import cache
from html import unescape

from riskflag.reports.words import words

#: The most words a sentence of a template may have (the opening sentence may have 35).
LONGEST = 25
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
