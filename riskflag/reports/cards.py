"""The reasons of a flag as cards: what was counted, the usual range, records, questions to ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskflag.reports import words
from riskflag.reports.how_sure import doubt
from riskflag.reports.records import Chronology, References

#: So many reasons have a card of their own; the rest follow in short.
CARDS = 5
#: So many when what they count would fill the paper.
CARDS_WITH_MANY = 4
CARDS_WHEN_FULL = 3
#: The bar of a strength has so many parts.
BAR_PARTS = 10
#: Strengths that a reason which does not always stand is not given.
HIGH = frozenset({"main", "strong"})
#: With more agencies than this, their names follow in a sentence of their own.
AGENCIES_NAMED = 3


@dataclass(frozen=True)
class Count:
    """One question asked of the history, its answer in words, and the records behind it."""

    question: str
    answer: str
    asked: str
    usual: str
    records: References
    absent: bool


@dataclass(frozen=True)
class Strength:
    """How much of the push a pattern was: a word, a share in words, and parts of ten to draw."""

    word: str
    share: str
    parts: int


@dataclass(frozen=True)
class Card:
    """One reason, ready to show; `also` are the titles of further rules on the same records."""

    anchor: str
    reason_id: str
    heading: str
    also: tuple[str, ...]
    tags: tuple[str, ...]
    statement: str
    evidence: str
    harm: str
    records: References
    counts: tuple[Count, ...]
    strength: Strength | None
    doubt: str
    questions: tuple[str, ...]
    others: tuple[str, ...]
    source: str
    standing: str


STANDINGS = {
    "not_reassessed": "We could not check this again: records were missing, or a fault occurred.",
    "no_longer_present": "The records no longer show this pattern. A person still decides.",
    "rule_withdrawn": "The rule has since been withdrawn. A person still decides.",
    "outside_group": "The rule no longer covers this child. A person still decides.",
}


def card(
    reason: Mapping[str, Any],
    records: Chronology,
    contacts: Mapping[str, Mapping[str, Any]],
    *,
    anchor: str,
    stability: Mapping[str, Any] | None = None,
) -> Card:
    """One reason of a FLAG JSON as a card; `contacts` are the flag's by key.

    `stability` is the flag's: a reason of the model that it does not leave standing is not called
    main or strong.
    """
    unsure = doubt(reason, stability)
    rule, model, rules = reason.get("rule"), reason.get("model"), rules_of(reason)
    theme = words.theme(reason.get("theme") or (model or rule or {}).get("theme"))
    rule_asks = _united(rule.get("questions") for rule in rules)
    asks = (
        rule_asks
        if any(words.asks_child(ask) for ask in rule_asks)
        else (theme["ask"][0], *(rule_asks or theme["ask"][1:]))
    )
    standing = reason.get("standing")
    return Card(
        anchor=anchor,
        reason_id=reason["reason_id"],
        heading=heading(reason),
        also=tuple(str(other["title"]) for other in rules[1:]),
        tags=tuple(_tags(rules, model)),
        statement=" ".join(str(rule["statement"]) for rule in rules),
        evidence=_evidence(reason, contacts),
        harm=words.harm(contacts[key] for key in reason["contact_keys"] if key in contacts),
        records=records.references(reason["contact_keys"]),
        counts=tuple(_counts(rules, model, records)),
        strength=_strength(model, unsure),
        doubt=unsure,
        questions=words.child_first(asks),
        others=_united(rule.get("other_explanations") for rule in rules) or tuple(theme["other"]),
        source="; ".join(_united([rule["source"]] for rule in rules if rule.get("source"))),
        standing=STANDINGS.get(standing, "") if standing else "",
    )


def heading(reason: Mapping[str, Any]) -> str:
    """What a reason is called: its rule's title, or its theme."""
    rule, model = reason.get("rule"), reason.get("model")
    if rule:
        return str(rule["title"])
    theme = words.theme(reason.get("theme") or (model or {}).get("theme"))
    absent = ": little or nothing recorded" if reason.get("rests_on_absence") else ""
    return f"{theme['heading']}{absent}"


def rules_of(reason: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rules of a reason, the most pressing first; none when it is the model's alone."""
    return [reason["rule"], *(reason.get("also") or ())] if reason.get("rule") else []


def _united(parts: Iterable[Sequence[str] | None]) -> tuple[str, ...]:
    """The texts of several rules, in order and without repeats."""
    return tuple(dict.fromkeys(str(text) for part in parts for text in part or ()))


def _tags(rules: Sequence[Mapping[str, Any]], model: Mapping[str, Any] | None) -> Iterable[str]:
    for rule in rules:
        yield f"Rule {words.plain(rule['id'])}, version {rule['version']}"
    if model:
        yield "Model"


def _evidence(reason: Mapping[str, Any], contacts: Mapping[str, Mapping[str, Any]]) -> str:
    """What the reason rests on: how many records, of which agencies, over which time."""
    found = [contacts[key] for key in reason["contact_keys"] if key in contacts]
    if reason.get("rests_on_absence"):
        return "This rests on what is not recorded, so no record stands behind it."
    if not found:
        return "This rests on age or on the whole history, not on single records."
    days = [contact["occurred_on"] for contact in found]
    agencies = list(dict.fromkeys(contact["agency"] for contact in found))
    count = words.sentence(words.counted(len(found), "record"))
    when = words.period(min(days), max(days))
    if len(agencies) > AGENCIES_NAMED:
        many = f"{count} from {words.counted(len(agencies), 'agency', 'agencies')} {when}."
        return f"{many} They are {words.agencies(sorted(agencies))}."
    return f"{count} from {words.agencies(sorted(agencies))} {when}."


def _counts(
    rules: Sequence[Mapping[str, Any]], model: Mapping[str, Any] | None, records: Chronology
) -> Iterable[Count]:
    """What the rules and the model counted; a signal that several looked at is told once."""
    usual = {s["name"]: s.get("typical") for s in (model or {}).get("signals", ())}
    told: dict[str, list[Mapping[str, Any]]] = {}
    for condition in (c for rule in rules for c in rule.get("conditions", ())):
        told.setdefault(condition["signal"], []).append(condition)
    for name, conditions in told.items():
        asked = "; ".join(_united([words.asked(c)] for c in conditions))
        yield _count(conditions[0], records, asked, usual.get(name))
    for signal in (model or {}).get("signals", ()):
        if signal["name"] not in told:
            yield _count(signal, records, "", signal.get("typical"))


def _count(
    signal: Mapping[str, Any],
    records: Chronology,
    asked: str,
    typical: Mapping[str, Any] | None,
) -> Count:
    return Count(
        question=str(signal.get("question") or words.plain(signal.get("name") or "")),
        answer=words.value(signal),
        asked=asked,
        usual=words.usual(typical, signal.get("unit") or "contacts"),
        records=records.references(signal.get("contact_keys") or ()),
        absent=words.nothing(signal),
    )


def _strength(model: Mapping[str, Any] | None, unsure: str) -> Strength | None:
    if not model or not model.get("strength"):
        return None
    part = float(model.get("share") or 0.0)
    strength = "unsteady" if unsure and model["strength"] in HIGH else model["strength"]
    word = words.words()["strength"].get(strength, words.plain(strength))
    parts = min(max(round(part * BAR_PARTS), 1), BAR_PARTS)
    return Strength(word, f"{words.share(part)} of what raised this flag", parts)


@dataclass(frozen=True)
class OtherWay:
    """What points the other way: strengths, counts that weighed that way, and what is silent.

    `strengths` and `counts` are by theme; `silent` are questions to which nothing is recorded.
    """

    strengths: tuple[tuple[str, tuple[Count, ...]], ...]
    counts: tuple[tuple[str, tuple[Count, ...]], ...]
    silent: tuple[str, ...]


#: Themes that lowered the push no more than this are told only where they tell of a strength.
SLIGHT = "slight"


def other_way(blocks: Sequence[Mapping[str, Any]], records: Chronology) -> OtherWay:
    """What lowered the push or tells of help; what is merely not recorded is told apart from it."""
    strengths, others, silent = [], [], []
    for block in blocks:
        heading = str(words.theme(block["theme"])["heading"])
        weighed = block.get("strength") not in (None, SLIGHT)
        good = _told([s for s in block["signals"] if s.get("protective")], records)
        rest = [s for s in block["signals"] if weighed and not s.get("protective")]
        told = _told(rest, records)
        silent += [str(s["question"]) for s in rest if words.nothing(s)]
        if good:
            strengths.append((heading, good))
        if told:
            others.append((heading, told))
    return OtherWay(tuple(strengths), tuple(others), tuple(dict.fromkeys(silent)))


def _told(signals: Iterable[Mapping[str, Any]], records: Chronology) -> tuple[Count, ...]:
    """The signals with something recorded, as counts."""
    found = [s for s in signals if not words.nothing(s)]
    return tuple(_count(s, records, "", s.get("typical")) for s in found)


@dataclass(frozen=True)
class Better:
    """Something that the records tell has become better, and those records."""

    said: str
    records: References


def better(one: Mapping[str, Any], records: Chronology) -> Better:
    """A recent improvement in words; a kind of record is named as in a list of them."""
    to, label = words.day(one["to"]), words.type_label(one["type"])
    if one["kind"] == "fewer_absences":
        since = words.number(one["since"]) if one["since"] else "none"
        said = (
            f"Sessions missed at school: {since} in the {one['days']} days to {to}, and "
            f"{words.number(one['before'])} in the {one['days']} days before that. Holidays may be "
            "part of it."
        )
    elif one["kind"] == "run_over":
        count = len(one["contact_keys"])
        said = (
            f"{label}: {words.counted(count, 'record')} in a year, and none in the {one['days']} "
            f"days up to {to}."
        )
    else:
        said = f"{label} ended on {to}."
    return Better(said, records.references(one["contact_keys"]))
