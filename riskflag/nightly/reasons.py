"""From hits to the reasons on a page: each with its numbers and the contacts behind them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from riskflag.nightly.joined import distinct, join
from riskflag.scoring.flags import OUTCOME_WORDS, Condition, ModelHit, RuleHit
from riskflag.scoring.reasons import ModelReason, SignalPart, lowering, raising, state_of

if TYPE_CHECKING:
    from riskflag.scoring.bundle import Bundle
    from riskflag.scoring.rulebook import Rule, Rulebook
    from riskflag.signals.catalogue import Catalogue

Row = dict[str, Any]

#: A theme below this share of the push is too slight to be a reason of its own.
SLIGHT = "slight"
#: At most so many signals are told per theme; the rest are in the analyst's report.
SIGNALS_PER_THEME = 3


class ContactsBehind(Protocol):
    """Finds the keys of the contacts that made a signal's value for a child."""

    def ask(self, person_id: str, signals: Collection[str]) -> None: ...

    def __call__(self, person_id: str, signal: str) -> Sequence[str]: ...


@dataclass(frozen=True)
class Sources:
    """Where the words and the evidence of reasons come from."""

    catalogue: Catalogue
    rulebook: Rulebook
    bundle: Bundle | None
    behind: ContactsBehind


@dataclass(frozen=True)
class Child:
    """Whose reasons are made: id and age (years, None when not known)."""

    person_id: str
    age_years: int | None


def reasons(
    sources: Sources, child: Child, rule_hits: Iterable[RuleHit], model: ModelHit | None
) -> list[Row]:
    """The reasons of one child: rules first, then the model's themes, strongest first.

    A theme that rests on the same contacts as a rule becomes part of that rule's reason, and no
    two reasons rest on exactly the same contacts.
    """
    from_rules = join(rule_reason(sources, child, hit) for hit in rule_hits)
    themes = raising(model.reasons) if model is not None and model.raises else ()
    from_model = [
        model_reason(sources, child, theme) for theme in themes if theme.strength != SLIGHT
    ]
    return distinct(merge(from_rules, from_model))


def rule_reason(sources: Sources, child: Child, hit: RuleHit) -> Row:
    """A rule that holds, with each comparison and the contacts behind those that are met."""
    rule = sources.rulebook.by_id[hit.rule_id]
    conditions = [_condition(sources, child, condition) for condition in hit.conditions]
    met = [condition for condition in conditions if condition["speaks_for_rule"]]
    return _reason(
        f"rule:{rule.id}",
        theme=rule.theme,
        keys=union(condition["contact_keys"] for condition in met),
        rule={
            "id": rule.id,
            "version": rule.version,
            "title": rule.title,
            "statement": statement(rule, hit.conditions),
            "level": rule.level,
            "theme": rule.theme,
            "owner": rule.owner,
            "source": rule.source,
            "questions": list(rule.questions),
            "other_explanations": list(rule.other_explanations),
            "cautions": list(rule.cautions),
            "conditions": conditions,
        },
    )


def statement(rule: Rule, conditions: Sequence[Condition]) -> str:
    """What a rule says of a child for whom its comparisons came out like this."""
    values = {condition.signal: condition.value for condition in conditions}
    partial = {condition.signal for condition in conditions if not condition.complete}
    return rule.text(values, partial)


def model_reason(sources: Sources, child: Child, reason: ModelReason) -> Row:
    """A theme that raised the model's score, with the signals that did it."""
    block = theme_json(sources, child, reason)
    keys = union(signal["contact_keys"] for signal in block["signals"])
    return _reason(f"model:{reason.theme}", theme=reason.theme, keys=keys, model=block)


def theme_json(sources: Sources, child: Child, reason: ModelReason) -> Row:
    """A theme of the model in plain JSON; the signals that moved it, strongest first."""
    return {
        "theme": reason.theme,
        "also_themes": [],
        "strength": reason.strength,
        "share": reason.share,
        "signals": [
            _model_signal(sources, child, part) for part in reason.raising[:SIGNALS_PER_THEME]
        ],
    }


def points_the_other_way(
    sources: Sources, child: Child, model: ModelHit | None, protective: Mapping[str, float]
) -> list[Row]:
    """What lowered the model's score, and protective signals that have something recorded.

    A protective signal stands with its theme, at contribution 0; a theme that the model did not
    count has no strength and no share.
    """
    themes = () if model is None else lowering(model.reasons)
    blocks = {theme.theme: theme_json(sources, child, theme) for theme in themes}
    told = {signal["name"] for block in blocks.values() for signal in block["signals"]}
    for name, value in sorted(protective.items()):
        if name in told or not math.isfinite(value) or value <= 0:
            continue
        part = SignalPart(name, value, 0.0, state_of(value))
        theme = sources.catalogue.by_name[name].theme
        empty: Row = {
            "theme": theme,
            "also_themes": [],
            "strength": None,
            "share": None,
            "signals": [],
        }
        block = blocks.setdefault(theme, empty)
        block["signals"].append(_model_signal(sources, child, part))
    return list(blocks.values())


def signals_told(rule_hits: Iterable[RuleHit], model: ModelHit | None) -> set[str]:
    """The signals whose contacts a child's page needs, but for protective ones."""
    names = {condition.signal for hit in rule_hits for condition in hit.conditions}
    for theme in () if model is None else model.reasons:
        names |= {part.name for part in theme.raising[:SIGNALS_PER_THEME]}
    return names


def merge(from_rules: list[Row], from_model: list[Row]) -> list[Row]:
    """Join each theme to the rule that rests on the same contacts, if there is one.

    "The same": one set of contacts lies within the other, or most of both are shared. A rule takes
    at most one theme; the theme keeps its contacts, so the reason's contacts are those of both.
    """
    joined = [dict(reason) for reason in from_rules]
    alone = []
    for theme in from_model:
        partner = _partner(joined, theme)
        if partner is None:
            alone.append(theme)
            continue
        partner["source"] = "both"
        partner["model"] = theme["model"]
        partner["contact_keys"] = union([partner["contact_keys"], theme["contact_keys"]])
        partner["rests_on_absence"] = not partner["contact_keys"]
    return [*joined, *alone]


def _partner(reasons_so_far: list[Row], theme: Row) -> Row | None:
    free = [reason for reason in reasons_so_far if reason["model"] is None]
    rated = [(_alike(reason["contact_keys"], theme["contact_keys"]), reason) for reason in free]
    best = max(rated, key=lambda pair: pair[0], default=(0.0, None))
    return best[1] if best[0] >= 0.5 else None


def _alike(a: Sequence[str], b: Sequence[str]) -> float:
    """How far two sets of contacts are the same: 1 when one lies within the other."""
    first, second = set(a), set(b)
    if not first or not second:
        return 0.0
    shared = len(first & second)
    if shared == min(len(first), len(second)):
        # Within the other; the closer in size, the better the match.
        return 1.0 + shared / max(len(first), len(second))
    return shared / len(first | second)


def _reason(
    reason_id: str,
    *,
    theme: str,
    keys: list[str],
    rule: Row | None = None,
    model: Row | None = None,
) -> Row:
    return {
        "reason_id": reason_id,
        "source": "model" if rule is None else "rule",
        "theme": theme,
        "rule": rule,
        "also": [],
        "model": model,
        "contact_keys": keys,
        "rests_on_absence": not keys,
    }


def _condition(sources: Sources, child: Child, condition: Condition) -> Row:
    signal = sources.catalogue.by_name[condition.signal]
    return {
        "signal": condition.signal,
        "question": signal.question,
        "value": _finite(condition.value),
        "state": state_of(condition.value),
        "unit": signal.unit,
        "comparison": condition.comparison,
        "threshold": condition.threshold,
        "outcome": OUTCOME_WORDS[condition.outcome],
        "negated": condition.negated,
        "speaks_for_rule": bool(condition.speaks_for_rule),
        "contact_keys": sorted(sources.behind(child.person_id, condition.signal)),
    }


def _model_signal(sources: Sources, child: Child, part: SignalPart) -> Row:
    signal = sources.catalogue.by_name[part.name]
    typical = None
    if sources.bundle is not None:
        typical = sources.bundle.typical(part.name, child.age_years)
    return {
        **part.to_dict(),
        "question": signal.question,
        "unit": signal.unit,
        "protective": signal.protective,
        "contact_keys": sorted(sources.behind(child.person_id, part.name)),
        "typical": typical,
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def union(keys: Iterable[Iterable[str]]) -> list[str]:
    """The keys of several reasons or signals, each once, sorted."""
    return sorted({key for some in keys for key in some})
