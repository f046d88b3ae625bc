"""The rulebook: rules as data, checked word by word before any of them is used.

A rule is a condition on signals with all that a caseworker needs to weigh it and all that a
governance lead needs to answer for it. `features/rulebook.toml` holds the shipped ones; an
authority edits its own copy. A rulebook that cannot be read whole is not used at all.
"""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from riskflag.errors import ConfigError
from riskflag.scoring.flags import Level
from riskflag.scoring.rules_wording import BANNED, banned_in, fill, placeholders
from riskflag.signals import Catalogue, Signal, load_catalogue
from riskflag.signals.define import THEMES
from riskflag.toml_lines import locate_line, read_toml

Comparison = Literal["at_least", "more_than", "at_most", "less_than", "equals"]
COMPARISONS: tuple[Comparison, ...] = ("at_least", "more_than", "at_most", "less_than", "equals")
#: How a page names each comparison.
COMPARISON_WORDS: Mapping[str, str] = {
    "at_least": "at least",
    "more_than": "more than",
    "at_most": "at most",
    "less_than": "less than",
    "equals": "exactly",
}

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, strict=False)


class When(_Frozen):
    """A condition: one comparison of a signal, or `all`, `any` or `not` of further conditions."""

    all: tuple[When, ...] | None = Field(default=None, min_length=1)
    any: tuple[When, ...] | None = Field(default=None, min_length=1)
    not_: When | None = Field(default=None, alias="not")
    signal: Text | None = None
    at_least: float | None = Field(default=None, allow_inf_nan=False)
    more_than: float | None = Field(default=None, allow_inf_nan=False)
    at_most: float | None = Field(default=None, allow_inf_nan=False)
    less_than: float | None = Field(default=None, allow_inf_nan=False)
    equals: float | None = Field(default=None, allow_inf_nan=False)

    @model_validator(mode="after")
    def _one_form(self) -> When:
        forms = [name for name in ("all", "any", "not_", "signal") if getattr(self, name)]
        if len(forms) != 1:
            raise ValueError("give exactly one of all, any, not or signal")
        compared = [name for name in COMPARISONS if getattr(self, name) is not None]
        if len(compared) != (1 if self.signal else 0):
            raise ValueError(
                "a signal needs exactly one comparison (at_least, more_than, at_most, less_than,"
                " equals), and nothing else has one"
            )
        return self

    @property
    def comparison(self) -> Comparison:
        """The comparison of a condition on a signal."""
        return next(name for name in COMPARISONS if getattr(self, name) is not None)

    @property
    def threshold(self) -> float:
        """The number compared with."""
        return float(getattr(self, self.comparison))

    @property
    def parts(self) -> tuple[When, ...]:
        """The conditions that `all`, `any` or `not` puts together; none for a comparison."""
        return self.all or self.any or ((self.not_,) if self.not_ else ())

    @cached_property
    def comparisons(self) -> tuple[tuple[When, bool], ...]:
        """Every comparison in reading order, and whether it stands under an odd number of nots."""
        return tuple(self._leaves(negated=False))

    def _leaves(self, *, negated: bool) -> Iterator[tuple[When, bool]]:
        if self.signal:
            yield self, negated
        for part in self.parts:
            yield from part._leaves(negated=negated ^ (self.not_ is not None))


class Rule(_Frozen):
    """A condition on signals, with what to read, what to ask, and who answers for it."""

    id: RuleId
    version: int = Field(ge=1)
    title: Text
    statement: Text
    level: Level
    when: When
    questions: tuple[Text, ...] = Field(min_length=2)
    other_explanations: tuple[Text, ...] = Field(min_length=1)
    source: Text
    window: Text
    owner: Text
    review_by: dt.date
    theme: Text
    cautions: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _readable(self) -> Rule:
        if self.theme not in THEMES:
            raise ValueError(f"the theme must be one of {', '.join(THEMES)}")
        for text in self.texts:
            phrase = banned_in(text)
            if phrase:
                raise ValueError(f"do not write '{phrase}'; write {BANNED[phrase]}")
        if "{" in fill(self.statement, {}):
            raise ValueError("the statement has a brace that is not a {value:signal} placeholder")
        return self

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything a caseworker reads of the rule."""
        lists = (*self.questions, *self.other_explanations, *self.cautions)
        return (self.title, self.statement, *lists)

    @cached_property
    def signals(self) -> tuple[str, ...]:
        """The names of the signals the condition reads, each once, in reading order."""
        return tuple(dict.fromkeys(str(leaf.signal) for leaf, _ in self.when.comparisons))

    def text(self, values: Mapping[str, float], partial: Collection[str] = ()) -> str:
        """The statement with its numbers, by signal name.

        `partial` names the signals whose feeds were not all available.
        """
        return fill(self.statement, values, partial)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything declared, in hexadecimal."""
        declared = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        text = json.dumps(declared, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


class RulebookFile(_Frozen):
    """The rulebook as it is written."""

    title: Text
    version: int = Field(ge=1)
    rule: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _no_twins(self) -> RulebookFile:
        ids = [rule.id for rule in self.rule]
        twice = next((name for name in ids if ids.count(name) > 1), None)
        if twice:
            raise ValueError(f"two rules have the id {twice}; give one of them another id")
        return self


@dataclass(frozen=True)
class Rulebook:
    """Checked rules, and the signals they read."""

    title: str
    version: int
    rules: tuple[Rule, ...]
    #: Each signal that a rule reads, by name.
    signals: Mapping[str, Signal]

    @staticmethod
    def load(path: Path | None = None, catalogue: Catalogue | None = None) -> Rulebook:
        """Read and check a rulebook; by default the one beside the catalogue's signals.

        Raises ConfigError, naming file and line, for anything that is not a whole valid rulebook:
        among them an unknown signal, with the names that come near it.
        """
        known = catalogue or load_catalogue(path.parent if path else None)
        where = path or known.rulebook_path
        written = read_toml(where, RulebookFile)
        used: dict[str, Signal] = {}
        for position, rule in enumerate(written.rule):
            for name in rule.signals:
                if name not in known.by_name:
                    raise ConfigError(_unknown_signal(where, position, name, known))
                used[name] = known.by_name[name]
            _check_statement(where, position, rule)
        return Rulebook(written.title, written.version, written.rule, used)

    @cached_property
    def by_id(self) -> dict[str, Rule]:
        """Each rule under its id."""
        return {rule.id: rule for rule in self.rules}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the rules and the definitions of the signals they read, in hexadecimal."""
        digest = hashlib.sha256()
        for rule in self.rules:
            digest.update(rule.fingerprint.encode())
        for name in sorted(self.signals):
            digest.update(self.signals[name].fingerprint.encode())
        return digest.hexdigest()

    def overdue(self, today: dt.date) -> tuple[Rule, ...]:
        """The rules whose review date has passed."""
        return tuple(rule for rule in self.rules if rule.review_by < today)


def _unknown_signal(path: Path, position: int, name: str, known: Catalogue) -> str:
    near = difflib.get_close_matches(name, known.names, n=3)
    hint = f"did you mean {' or '.join(near)}" if near else "see `riskflag signals` for the names"
    line = _line_of(path.read_text(encoding="utf-8"), position, name)
    return f"{path} line {line}: the signal {name} is not in the catalogue; {hint}?"


def _check_statement(path: Path, position: int, rule: Rule) -> None:
    """Refuse a statement with a number that the condition does not read: it has no evidence."""
    for name in placeholders(rule.statement):
        if name not in rule.signals:
            line = locate_line(path.read_text(encoding="utf-8"), ("rule", position, "statement"))
            raise ConfigError(
                f"{path} line {line}: the statement shows {name}, which the rule's condition does"
                " not read; show a signal of the condition or take the number out."
            )


def _line_of(text: str, position: int, name: str) -> int:
    """The line, within the rule at `position`, that names the signal in quotes."""
    first = locate_line(text, ("rule", position))
    lines: list[Any] = text.splitlines()
    for number in range(first, len(lines) + 1):
        if f'"{name}"' in lines[number - 1] or f"'{name}'" in lines[number - 1]:
            return number
    return first
