"""What a look-back says: a pure view of its JSON, in plain words, for learning and not for blame.

Every sentence is about a day and what could be known on it. Nothing is told as cause, and no worker
is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from riskflag.reports import words
from riskflag.reports.flag_page import Fact, short
from riskflag.reports.lookback_days import Step, days_of
from riskflag.reports.lookback_folds import FEW_LINES, Fold, by_month, by_year
from riskflag.reports.lookback_strip import Strip, strip
from riskflag.reports.review_words import decision

Row = Mapping[str, Any]

#: What to talk about when people read a look-back together.
QUESTIONS = (
    "What was known on the first of these days, and who could see all of it?",
    "Who asked the child, and what did the child say?",
    "What would have helped the person on duty to see these records together?",
    "Which information came late or not at all, and what would let it come sooner?",
    "What went well, and should be done again?",
)


@dataclass(frozen=True)
class Spell:
    """A time in which something held, in words, with what it rested on at its beginning."""

    when: str
    days: str
    statement: str
    records: tuple[int, ...]
    more: int


@dataclass(frozen=True)
class Pattern:
    """One rule or theme that would have been a reason, and when."""

    title: str
    source: str
    spells: tuple[Spell, ...]


@dataclass(frozen=True)
class AgencyLine:
    """How soon one agency's records came."""

    agency: str
    records: str
    middle: str
    longest: str
    late: str
    assumed: str


class RecordLine(NamedTuple):
    """One record: when it happened, from which night on it could be seen, and what it said."""

    number: int
    date: str
    counts_from: str
    waited: str
    agency: str
    said: str
    about: str
    late: bool
    assumed: bool
    changes: tuple[str, ...]
    where: str


@dataclass(frozen=True)
class LookbackPage:
    """Everything a look-back shows."""

    display: str
    age: str
    person_id: str
    period: str
    first: str
    last: str
    summary: tuple[str, ...]
    strip: Strip
    patterns: tuple[Pattern, ...]
    undecided: tuple[str, ...]
    agencies: tuple[AgencyLine, ...]
    gaps: tuple[str, ...]
    voice: tuple[str, ...]
    done: tuple[str, ...]
    steps: tuple[Step, ...]
    months: tuple[Fold[Step], ...]
    records: tuple[RecordLine, ...]
    years: tuple[Fold[RecordLine], ...]
    few_lines: int
    limits: tuple[str, ...]
    questions: tuple[str, ...]
    about: tuple[Fact, ...]


def lookback_page(course: Row) -> LookbackPage:
    """The page of a look-back's JSON (riskflag.nightly.lookback); the same JSON, the same page."""
    numbers = {record["contact_key"]: n for n, record in enumerate(course["records"], 1)}
    patterns = (*_rules(course, numbers), *_themes(course, numbers))
    steps = days_of(course, numbers)
    records = tuple(_record(r, numbers[r["contact_key"]], course) for r in course["records"])
    return LookbackPage(
        display=course["child"]["display"],
        age=words.age(course["child"]),
        person_id=course["person_id"],
        period=words.period(course["from"], course["to"]),
        first=words.day(course["from"]),
        last=words.day(course["to"]),
        summary=tuple(_summary(course)),
        strip=strip(course),
        patterns=patterns,
        undecided=tuple(_undecided(course)),
        agencies=tuple(_agency(line) for line in course["agencies"]),
        gaps=tuple(_gaps(course["feeds"])),
        voice=tuple(_voice(course)),
        done=tuple(_done(course)),
        steps=steps,
        months=by_month(steps),
        records=records,
        years=by_year(records),
        few_lines=FEW_LINES,
        limits=tuple(_limits(course)),
        questions=QUESTIONS,
        about=_about(course),
    )


def _summary(course: Row) -> Iterator[str]:
    """The findings first, each a sentence."""
    records, agencies = course["records"], course["agencies"]
    count = words.sentence(words.counted(len(records), "record"))
    of = words.counted(len(agencies), "agency", "agencies")
    was = "was" if len(records) == 1 else "were"
    yield f"{count} from {of} {was} known by {words.day(course['to'])}."
    late = sum(line["late"] for line in agencies)
    if late:
        noun = words.sentence(words.counted(late, "record"))
        yield (
            f"{noun} became known more than {words.small(course['late_days'])} days after the "
            f"event; no night before could count {'it' if late == 1 else 'them'}."
        )
    first = _first(course)
    if first:
        yield f"A pattern would first have been seen on {words.day(first)}."
    else:
        yield "No pattern would have been seen on any of these days."
    silences = course["voice"]["silences"]
    if not course["voice"]["recorded"]:
        yield "Nobody recorded the child's words or wishes in the data we hold."
    elif silences:
        longest = max(silences, key=lambda one: one["days"])
        yield (
            f"The longest time without the child's recorded words was {_length(longest['days'])}."
        )


def _first(course: Row) -> str | None:
    """The first day on which a rule or the model would have had a reason."""
    spells = [s["from"] for rule in course["rules"] for s in rule["spells"]]
    spells += [s["from"] for s in (course["model"] or {"spells": ()})["spells"]]
    return min(spells, default=None)


def _rules(course: Row, numbers: Mapping[str, int]) -> Iterator[Pattern]:
    fired = [rule for rule in course["rules"] if rule["spells"]]
    for rule in sorted(fired, key=lambda r: (r["spells"][0]["from"], r["id"])):
        level = words.words()["levels"].get(rule["level"], {}).get("label", rule["level"])
        yield Pattern(
            rule["title"],
            f"Rule {words.plain(rule['id'])}, version {rule['version']} ({level.lower()})",
            tuple(_spell(s, s["statement"], numbers) for s in rule["spells"]),
        )


def _themes(course: Row, numbers: Mapping[str, int]) -> Iterator[Pattern]:
    found = (course["model"] or {"themes": ()})["themes"]
    for theme in sorted(found, key=lambda t: (t["spells"][0]["from"], t["theme"])):
        yield Pattern(
            str(words.theme(theme["theme"])["heading"]),
            "Model",
            tuple(_spell(s, _told(s["signals"]), numbers) for s in theme["spells"]),
        )


def _told(signals: Sequence[Row]) -> str:
    """What the model counted first when the spell began."""
    if not signals:
        return ""
    signal = signals[0]
    return f"{signal['question']} {words.sentence(words.value(signal))}."


def _spell(spell: Row, statement: str, numbers: Mapping[str, int]) -> Spell:
    known = sorted(numbers[key] for key in spell["contact_keys"] if key in numbers)
    return Spell(_when(spell), _length(_days(spell)), statement, tuple(known[:8]), len(known[8:]))


def _when(spell: Row) -> str:
    """From when to when, and whether it goes on beyond the days looked at."""
    if spell["to_end"]:
        since = "before " if spell["from_start"] else ""
        return f"From {since}{words.day(spell['from'])} on"
    start = "before " if spell["from_start"] else ""
    return f"From {start}{words.day(spell['from'])} to {words.day(spell['to'])}"


def _days(spell: Row) -> int:
    return words.days_between(spell["from"], spell["to"]) + 1


def _length(days: int) -> str:
    """A length of time in words: days, then weeks, then months and years."""
    if days < 21:
        return words.counted(days, "day")
    if days < 92:
        return f"about {words.counted(round(days / 7), 'week')}"
    months = round(days / 30.44)
    if months < 24:
        return f"about {words.counted(months, 'month')}"
    return f"about {words.counted(round(days / 365.25), 'year')}"


def _undecided(course: Row) -> Iterator[str]:
    """Rules that could not be decided because an agency's data was missing."""
    for rule in course["rules"]:
        for spell in rule["undecided"]:
            yield f"{rule['title']}: {_lower(_when(spell))}."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _agency(line: Row) -> AgencyLine:
    timed = line["records"] - line["assumed"]
    return AgencyLine(
        agency=words.agency(line["agency"]),
        records=f"{line['records']:,}",
        middle=_wait(line["middle"]),
        longest=_wait(line["longest"]),
        late=f"{line['late']} of {timed}" if timed else "not known",
        assumed=f"{line['assumed']:,}",
    )


def _wait(days: int | None) -> str:
    return "not known" if days is None else words.counted(days, "day") if days else "same day"


def _gaps(feeds: Iterable[Row]) -> Iterator[str]:
    """Agencies whose data was late, held back or missing, and when."""
    for feed in feeds:
        state = words.words()["states"].get(feed["state"], words.plain(feed["state"]))
        last = f", complete to {words.day(feed['complete_to'])}" if feed["complete_to"] else ""
        who = words.agency(feed["agency"])
        yield f"{who} ({feed['source']}): {state}, {_lower(_when(feed))}{last}."


def _voice(course: Row) -> Iterator[str]:
    voice = course["voice"]
    count = words.counted(voice["recorded"], "time")
    yield f"The child's words or wishes were recorded {count} in the data we hold."
    for silence in voice["silences"]:
        yield (
            f"{_when(silence)} ({_length(silence['days'])}): nobody had recorded what the child "
            "said or wished."
        )


def _done(course: Row) -> Iterator[str]:
    """What people were shown and decided at the time."""
    for flag in course["flags"]:
        nights = words.counted(flag["nights"], "night")
        yield (
            f"Flag {flag['flag_id']} was raised on {words.day(flag['first_raised'])} and stood on "
            f"the list for {nights}."
        )
        for review in flag["reviews"]:
            said = decision(review["decision"], review.get("label"))
            kind = "corrected a decision" if review["amends"] else "decided"
            yield f"On {words.day(review['on'])} a person {kind}: {said}."
        if not flag["reviews"]:
            yield f"No decision is recorded on flag {flag['flag_id']} up to the last day."


def _record(record: Row, number: int, course: Row) -> RecordLine:
    waited = record["days_to_know"]
    late = waited is not None and waited > course["late_days"]
    return RecordLine(
        number=number,
        date=words.day(record["occurred_on"]),
        counts_from=words.day(record["counts_from"]),
        waited="assumed" if waited is None else _wait(waited),
        agency=words.agency(record["agency"]),
        said=words.said(record),
        about=_about_whom(record),
        late=late,
        assumed=waited is None,
        changes=tuple(_change(change) for change in record["changes"]),
        where=f"{record['file'] or record['source']}"
        + (f", line {record['line']}" if record["line"] is not None else ""),
    )


def _about_whom(record: Row) -> str:
    link = record.get("link") or "self"
    if link == "self":
        return ""
    return str(words.words()["links"].get(link, f"About someone else ({words.plain(link)})"))


CHANGES = {
    "corrected": "Corrected by its agency, seen from {day}",
    "ended": "Its end became known, seen from {day}",
    "withdrawn": "Withdrawn or moved to someone else, not seen from {day}",
}


def _change(change: Row) -> str:
    return CHANGES[change["kind"]].format(day=words.day(change["from"]))


def _limits(course: Row) -> Iterator[str]:
    """What a reader must know before drawing anything from this page."""
    versions = course["versions"]
    which = {
        "current": "the rules in use now",
        "named": "a rulebook named for this look-back",
    }[versions["rulebook_is"]]
    yield f"The days are replayed with {which}, which may not be those of that time."
    if course["model"] is None:
        yield "No model took part in this replay."
    else:
        yield (
            "The model is younger than most of these days. It may have learnt from this child's "
            "own past."
        )
        yield (
            "Whether the model would also have brought this child to a person depends on the "
            "week's capacity and on other children. A replay of one child does not say."
        )
    assumed = sum(line["assumed"] for line in course["agencies"])
    if assumed:
        noun = words.counted(assumed, "record")
        yield (
            f"The day on which {noun} became known is assumed, for the history was loaded in one "
            "piece."
        )
    if _outside(course):
        yield "On some of these days the person was not, or not yet, assessed as a child."
    yield "What an agency knew but did not record or send cannot show here."
    yield "That a pattern could be seen does not say that anybody should have acted."


def _outside(course: Row) -> bool:
    """Whether the person was not assessed on some of the days."""
    counted = sum(_days(spell) for spell in course["counted"])
    return counted < words.days_between(course["from"], course["to"]) + 1


def _about(course: Row) -> tuple[Fact, ...]:
    versions = course["versions"]
    model = "none" if course["model"] is None else course["model"]["bundle"]
    return (
        Fact("First day", words.day(course["from"])),
        Fact("Last day", words.day(course["to"])),
        Fact("Rulebook", f"{versions['rulebook_is']}, {short(versions['rulebook'])}"),
        Fact("Signals", short(versions["signals"])),
        Fact("Model", model),
        Fact("Nights published", f"{versions['nights']:,} within these days"),
        Fact("Program", str(versions["code"])),
    )
