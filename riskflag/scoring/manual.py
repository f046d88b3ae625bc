"""The reference pages: every signal and every rule in Markdown, from the declarations themselves.

`docs/reference/signals.md` and `docs/reference/rules.md` are written by these functions and a test
compares them, so that the manual cannot say anything other than what runs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from riskflag.scoring.flags import LEVELS
from riskflag.scoring.rulebook import COMPARISON_WORDS, Rule, Rulebook, When
from riskflag.scoring.rules_wording import PLACEHOLDER
from riskflag.signals import Catalogue, Signal, definition
from riskflag.signals.define import THEMES

THEME_TITLES = {
    "health": "Health",
    "missing": "Missing",
    "school": "School",
    "police": "Police",
    "housing": "Housing",
    "family": "Family",
    "care": "Social care",
    "practice": "Practice",
    "voice": "The child's voice",
    "early_help": "Early help and support",
    "context": "Context",
}
DIRECTION_WORDS = {
    "raises": "a higher value can raise concern and never lowers it",
    "lowers": "a higher value can lower concern and never raises it",
    "none": "a higher value neither raises nor lowers concern by itself",
}
LEVEL_WORDS = {
    "urgent": "urgent: read today",
    "soon": "soon: read within the week",
    "routine": "routine: shown beside other reasons",
}


def signals_page(catalogue: Catalogue) -> str:
    """The catalogue as one Markdown page: a summary, then each signal in full, theme by theme."""
    lines = [
        "# Signals",
        "",
        "A signal is one number about a child at an as-of date. This page is written by"
        " `riskflag signals --markdown` from the files in `features/`.",
        "",
        f"{len(catalogue.signals)} signals:",
        "",
        "| theme | signals | of which strengths |",
        "|---|---|---|",
    ]
    for theme, members in by_theme(catalogue):
        strengths = sum(signal.protective for signal in members)
        lines.append(f"| {THEME_TITLES[theme]} | {len(members)} | {strengths} |")
    for theme, members in by_theme(catalogue):
        lines += ["", f"## {THEME_TITLES[theme]}", "", *rationale(catalogue, theme)]
        for signal in members:
            lines += ["", f"### {signal.name}", "", signal.question, "", *_facts(signal)]
    return "\n".join(lines) + "\n"


def rules_page(rulebook: Rulebook) -> str:
    """The rulebook as one Markdown page: a summary, then each rule in full, level by level."""
    lines = [
        "# Rules",
        "",
        "A rule brings a pattern of records to a person's attention; it decides nothing. This page"
        " is written by `riskflag rules --markdown` from `features/rulebook.toml`.",
        "",
        f"{rulebook.title}, version {rulebook.version}: {len(rulebook.rules)} rules.",
        "",
        "| rule | level | theme | window |",
        "|---|---|---|---|",
    ]
    rules = [rule for level in LEVELS for rule in rulebook.rules if rule.level == level]
    lines += [
        f"| [{rule.title}](#{_slug(rule.title)}) | {rule.level} | {THEME_TITLES[rule.theme]}"
        f" | {rule.window} |"
        for rule in rules
    ]
    for rule in rules:
        lines += ["", *_rule(rule)]
    return "\n".join(lines) + "\n"


def by_theme(catalogue: Catalogue) -> Iterator[tuple[str, tuple[Signal, ...]]]:
    """Each theme that has signals, with these, in the order of the themes."""
    for theme in THEMES:
        members = tuple(signal for signal in catalogue.signals if signal.theme == theme)
        if members:
            yield theme, members


def rationale(catalogue: Catalogue, theme: str) -> list[str]:
    """The practice rationale of a theme: the text at the head of its file, without its title."""
    path: Path = catalogue.rulebook_path.parent / f"{theme}.py"
    if not path.is_file():
        return []
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n", 2)[-1].strip().splitlines()


def condition_words(when: When) -> str:
    """A condition in words, for example "agencies_90d is at least 4"."""
    if when.signal:
        threshold = f"{when.threshold:g}"
        return f"`{when.signal}` is {COMPARISON_WORDS[when.comparison]} {threshold}"
    parts = [condition_words(part) for part in when.parts]
    if when.not_ is not None:
        return f"not ({parts[0]})"
    if len(parts) == 1:
        return parts[0]
    joined = (" and " if when.all else " or ").join(
        part if inner.signal else f"({part})" for part, inner in zip(parts, when.parts, strict=True)
    )
    return joined


def shown(statement: str) -> str:
    """A statement as the manual prints it: an ellipsis where a flag has the number."""
    return PLACEHOLDER.sub(lambda match: f"… {match.group(3) or ''}".rstrip(), statement)


def _facts(signal: Signal) -> list[str]:
    kind = " It is a strength." if signal.protective else ""
    return [
        f"- Why: {signal.rationale}",
        f"- How: {definition(signal)}.",
        f"- Unit: {signal.unit}. Held by: {signal.agency.replace('_', ' ')}.",
        f"- Direction: {DIRECTION_WORDS[signal.direction]}.{kind}",
        f"- Source: {signal.source}.",
    ]


def _rule(rule: Rule) -> list[str]:
    return [
        f"## {rule.title}",
        "",
        f"`{rule.id}`, version {rule.version}; {LEVEL_WORDS[rule.level]}.",
        "",
        f"> {shown(rule.statement)}",
        "",
        f"When: {condition_words(rule.when)}.",
        "",
        *_listed("Questions to ask", rule.questions),
        *_listed("Other explanations", rule.other_explanations),
        *_listed("Cautions", rule.cautions),
        f"Source: {rule.source}. Window: {rule.window}. Owner: {rule.owner}. Review by"
        f" {rule.review_by.isoformat()}.",
    ]


def _slug(title: str) -> str:
    """The anchor that Markdown gives to a heading."""
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


def _listed(title: str, texts: tuple[str, ...]) -> list[str]:
    return [f"{title}:", "", *(f"- {text}" for text in texts), ""] if texts else []
