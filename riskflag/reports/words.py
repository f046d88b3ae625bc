"""The words of the pages: deterministic phrases from `words.toml`, dates and numbers.

Nothing here weighs or decides: each function turns one value into the words a caseworker reads. A
name that the words do not know (an authority may add contact types) falls back to the name itself
with its underscores as spaces, so that nothing is ever left out.
"""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
#: A record that arrived more than this many days after the event is marked as late.
LATE_DAYS = 7
#: Months of age up to which months say more than years.
INFANT_MONTHS = 24
#: Shares of the push (lower ends) and the words for them.
SHARES = (
    (0.93, "nearly all"),
    (0.72, "about three quarters"),
    (0.60, "about two thirds"),
    (0.54, "more than half"),
    (0.46, "about half"),
    (0.37, "about two fifths"),
    (0.29, "about a third"),
    (0.225, "about a quarter"),
    (0.165, "about a fifth"),
    (0.11, "about an eighth"),
    (0.075, "about a tenth"),
)
#: From so many days on, months or years are told too; the days of each.
MANY_DAYS, MONTH, YEAR = 60, 30.44, 365.25
#: The unit of a count set against the child's own past.
COMPARED = "more than expected"
NOTHING = ("none recorded", "never recorded", "not known")
ABSENT: Mapping[str, Any] = {}


@cache
def words() -> dict[str, Any]:
    """The content of `words.toml`."""
    with (Path(__file__).parent / "words.toml").open("rb") as file:
        return tomllib.load(file)


def plain(name: str) -> str:
    """A name from data as words, for a name the words do not know."""
    return name.replace("_", " ").replace(".", ": ")


# ---------------------------------------------------------------- dates and numbers


@lru_cache(maxsize=8192)
def day(value: dt.date | str) -> str:
    """A date as the reader writes it: 3 August 2026."""
    date = _date(value)
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}"


def days_between(first: str, last: str) -> int:
    """Days from one ISO date to another."""
    return (_date(last) - _date(first)).days


def period(first: str, last: str) -> str:
    """Two ISO dates as a period: "on 3 August 2026" or "between 3 August and 1 October 2026"."""
    if first == last:
        return f"on {day(first)}"
    start, end = _date(first), _date(last)
    if start.year == end.year:
        return f"between {start.day} {MONTHS[start.month - 1]} and {day(end)}"
    return f"between {day(start)} and {day(end)}"


def time_of_day(instant: str | None) -> str:
    """A recorded time as 11:05pm; empty when none was recorded (a bare midnight is not a time)."""
    if not instant or len(instant) < 16 or instant[11:16] == "00:00":
        return ""
    hour, minute = int(instant[11:13]), instant[14:16]
    tail = "" if minute == "00" else f":{minute}"
    return f"{hour % 12 or 12}{tail}{'am' if hour < 12 else 'pm'}"


def small(count: int) -> str:
    """A count in words up to nine, in digits from ten on."""
    return SMALL[count] if 0 <= count < len(SMALL) else f"{count:,}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: "one record", "12 records"."""
    return f"{small(count)} {one if count == 1 else many or one + 's'}"


def sentence(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def number(value: float) -> str:
    """A number without needless digits: 3, 0.67, 1,204."""
    rounded = round(float(value), 2)
    return f"{int(rounded):,}" if rounded.is_integer() else f"{rounded:,.2f}".rstrip("0")


def listed(items: Iterable[str]) -> str:
    """Items in one phrase: "a", "a and b", "a, b and c"."""
    parts = list(items)
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def share(value: float) -> str:
    """A share of the push (0 to 1) in words, never a number."""
    return next((text for least, text in SHARES if value >= least), "a small part")


def age(child: Mapping[str, Any]) -> str:
    """The child's age in words; months up to two years."""
    months, years = child.get("age_months"), child.get("age_years")
    if months is not None and months < 0:
        return "not yet born"
    if months is not None and months < INFANT_MONTHS:
        return "less than a month old" if months < 1 else f"{counted(months, 'month')} old"
    if years is None:
        return "age not recorded"
    return f"{years} years old" if years != 1 else "one year old"


# ---------------------------------------------------------------- agencies and records


@lru_cache(maxsize=1024)
def agency(name: str) -> str:
    """An agency as a label: Emergency department."""
    return str(words()["agencies"].get(name, {}).get("label", sentence(plain(name))))


def the_agency(name: str) -> str:
    """An agency within a sentence: an emergency department."""
    return str(words()["agencies"].get(name, {}).get("the", plain(name)))


def agencies(names: Sequence[str]) -> str:
    """Agencies within a sentence."""
    return listed(the_agency(name) for name in names)


def _variant(
    contact: Mapping[str, Any],
) -> tuple[Mapping[str, Any], Mapping[str, str], frozenset[str]]:
    """The words for a contact's type, the closest variant, and the attributes that one tells."""
    attributes = contact.get("attributes") or ABSENT
    return _variant_of(contact["type"], tuple(attributes.items()))


@lru_cache(maxsize=4096)
def _variant_of(
    type_: str, attributes: tuple[tuple[str, str | None], ...]
) -> tuple[Mapping[str, Any], Mapping[str, str], frozenset[str]]:
    """As `_variant`; the same few combinations come again and again."""
    entry, said_of = words()["types"].get(type_, ABSENT), dict(attributes)
    for variant in entry.get("when", ()):
        tests = {k: v for k, v in variant.items() if k not in ("said", "help")}
        if all(said_of.get(name) == value for name, value in tests.items()):
            return entry, variant, frozenset(tests)
    return entry, ABSENT, frozenset()


def said(contact: Mapping[str, Any]) -> str:
    """What was recorded, in the past tense: "Attended an emergency department: injury"."""
    entry, variant, told = _variant(contact)
    attributes = contact.get("attributes") or ABSENT
    text = variant.get("said") or entry.get("said") or sentence(plain(contact["type"]))
    for name in ("category", "role"):
        value = attributes.get(name)
        if value and name not in told and (name != "role" or "role_prefix" in entry):
            text += f": {entry.get(name + '_prefix', '')}{value_word(name, value)}"
    if contact.get("link") == "sibling":
        text = text.replace("the child", "that child")
    much = quantity(contact)
    return f"{text}, {much}" if much else str(text)


def quantity(contact: Mapping[str, Any]) -> str:
    """How much, for kinds of record that say so: "three sessions missed"; else empty."""
    found = contact.get("quantity")
    unit = words()["types"].get(contact["type"], ABSENT).get("quantity")
    if found is None or not unit:
        return ""
    return f"{number(found)} {unit[0] if found == 1 else unit[1]}"


def place(contact: Mapping[str, Any]) -> str:
    """Where it was, only for types whose place is a public site; never a carer's or a worker's.

    Where another person was is not this reader's to know.
    """
    if (contact.get("link") or "self") != "self":
        return ""
    site = (contact.get("attributes") or ABSENT).get("organisation")
    return str(site) if site and words()["types"].get(contact["type"], ABSENT).get("place") else ""


def status(contact: Mapping[str, Any]) -> tuple[str, ...]:
    """The recorded outcome and other attributes in words, "none recorded" where one was due."""
    entry, _, told = _variant(contact)
    attributes = contact.get("attributes") or ABSENT
    lines = []
    for name in ("outcome", "grade", "offered", "accepted", "seen", "seen_alone", "voice"):
        value = attributes.get(name)
        if value and (name not in told or name == "outcome"):
            lines.append(sentence(value_word(name, value)))
        elif not value and name in entry.get("expects", ()) and _due(name, attributes):
            lines.append(words()["missing_value"][name])
    worker = attributes.get("worker")
    return (*lines, value_word("worker", worker)) if worker else tuple(lines)


def _due(name: str, attributes: Mapping[str, Any]) -> bool:
    """Whether the absence of a value is worth telling: not of "seen alone" if not seen."""
    return not (name == "seen_alone" and attributes.get("seen") == "no") and not (
        name == "seen" and attributes.get("seen_alone") == "yes"
    )


def value_word(attribute: str, value: str) -> str:
    """One attribute's value in words."""
    return str(words()["values"].get(attribute, {}).get(value, plain(value)))


def helps(contact: Mapping[str, Any]) -> bool:
    """Whether the record tells of help for this child, contact or something going well."""
    if (contact.get("link") or "self") != "self":
        return False
    entry, variant, _ = _variant(contact)
    return bool(variant.get("help", entry.get("help", False) if not variant else False))


def standing(contact: Mapping[str, Any]) -> str:
    """Whether a record is a report or an enquiry that goes on; empty for an agency's own act."""
    label, _ = standing_told(contact)
    return "" if label == words()["standings"]["own"]["label"] else label


def standing_told(contact: Mapping[str, Any]) -> tuple[str, str]:
    """How far a record is established: reported, under enquiry, the agency's own; what it means."""
    kinds = words()["standings"]
    over = contact.get("ended_on") or (contact.get("attributes") or ABSENT).get("outcome")
    kind = "own"
    if contact["type"] in kinds["reported"]["types"]:
        kind = "reported"
    elif contact["type"] in kinds["enquiry"]["types"] and not over:
        kind = "enquiry"
    return str(kinds[kind]["label"]), str(kinds[kind]["means"])


def harm(contacts: Iterable[Mapping[str, Any]]) -> str:
    """What to say when records may tell of harm that has happened; empty when none of them may."""
    kinds = words()["harm"]["types"]
    for contact in contacts:
        asked = kinds.get(contact["type"])
        attributes = contact.get("attributes") or ABSENT
        if asked is not None and all(attributes.get(name) in asked[name] for name in asked):
            return str(words()["harm"]["says"])
    return ""


def attribute(name: str) -> str:
    """What an attribute of a record is called: "Outcome"."""
    return str(words()["attributes"].get(name, sentence(plain(name))))


def basis(name: str) -> str:
    """How the day on which a record became known was found."""
    return str(words()["bases"].get(name, plain(name)))


def type_label(name: str) -> str:
    """A contact type as the reader calls it in a list: "Missing: reported to the police"."""
    group, _, kind = name.partition(".")
    told = words()["type_labels"]
    head = told["groups"].get(group, sentence(plain(group)))
    return f"{head}: {told['kinds'].get(name, plain(kind))}" if kind else str(head)


def type_name(name: str) -> str:
    """A contact type as a noun phrase for "what we could not see"."""
    return plain(name.split(".", 1)[-1])


# ---------------------------------------------------------------- signals and rules


def value(signal: Mapping[str, Any]) -> str:
    """A signal's value in words; unknown is not none, and none is not never."""
    state, found = signal.get("state"), signal.get("value")
    unit = signal.get("unit") or "contacts"
    if state == "never_recorded":
        return "never recorded"
    if found is None or not math.isfinite(found):
        return "not known"
    if found == 0 and unit not in ("years", "months", "days", "share") and COMPARED not in unit:
        return "none recorded"
    if unit in ("years", "months") and 0 <= found < 1:
        return f"less than one {unit[:-1]}"
    if unit in ("years", "months", "days"):
        return f"{number(found)} {unit[:-1] if found == 1 else unit}{in_short(found, unit)}"
    if COMPARED in unit:
        than = "as many as" if found == 0 else "more than" if found > 0 else "fewer than"
        return f"{number(abs(found)) + ' ' if found else ''}{than} expected"
    return amount(found, unit)


def nothing(signal: Mapping[str, Any]) -> bool:
    """Whether the answer is that nothing is recorded or known."""
    return value(signal) in NOTHING


def in_short(found: float, unit: str) -> str:
    """What many days are in months or years, which read more easily: ", about five years"."""
    if unit != "days" or found < MANY_DAYS:
        return ""
    months = round(found / MONTH)
    if months < 24:
        return f", about {small(months)} months"
    return f", about {small(round(found / YEAR))} years"


def amount(found: float, unit: str) -> str:
    """A number in its unit; a share as a count of a hundred, for 0.15 could be misread."""
    return f"{round(100 * found)} in 100" if unit == "share" else number(found)


def asked(condition: Mapping[str, Any]) -> str:
    """What the rule asks for, and whether it was met: "the rule asks for at least 3"."""
    text = words()["comparisons"].get(condition.get("comparison"), "the rule asks about {n}")
    outcome = {"no": "; not met", "unknown": "; could not be checked"}
    n = amount(condition.get("threshold") or 0, condition.get("unit") or "contacts")
    return str(text).format(n=n) + outcome.get(condition.get("outcome", "yes"), "")


def usual(typical: Mapping[str, Any] | None, unit: str = "contacts") -> str:
    """The usual range among children of that age; empty when it is not known or rests on few."""
    if not typical or (typical.get("n") is not None and typical["n"] < 30):
        return ""
    high = typical.get("p90")
    if high is None or not math.isfinite(high) or COMPARED in unit:
        return ""
    band = typical.get("age_band")
    who = f"children aged {band}" if band else "children"
    if high == 0 and unit not in ("days", "months", "years"):
        return f"Most {who} have none."
    named = f" {unit}" if unit in ("days", "months", "years") else ""
    return f"Nine in ten {who} have {amount(high, unit)}{named} or fewer."


def theme(name: str | None) -> Mapping[str, Any]:
    """Heading, questions to ask and other explanations of a theme."""
    themes = words()["themes"]
    return dict(
        themes.get(name or "context") or {**themes["context"], "heading": plain(name or "")}
    )


def child_first(questions: Iterable[str]) -> tuple[str, ...]:
    """The questions with those about what the child says before the others, order kept."""
    given = list(dict.fromkeys(questions))
    first = [q for q in given if asks_child(q)]
    return (*first, *(q for q in given if q not in first))


def asks_child(question: str) -> bool:
    """Whether a question is about what the child says."""
    text = question.lower()
    return "child" in text and any(
        word in text for word in (" say", " said", "asked the child", "life is like", "spoken to")
    )


@lru_cache(maxsize=8192)
def _date(value: dt.date | str) -> dt.date:
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(value[:10])
