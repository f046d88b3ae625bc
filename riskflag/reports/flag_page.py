"""What a flag's page says: a pure view of one FLAG JSON, every section always there.

The order is that of the caseworker's reading: why this came, what is new, the records, the
patterns, what points the other way, what could not be seen, the child's voice, how often such
flags were right, the review, and what the flag is made of. Raw scores are never taken up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskflag.reports import words
from riskflag.reports.cards import (
    Better,
    Card,
    OtherWay,
    better,
    card,
    other_way,
    rules_of,
)
from riskflag.reports.how_sure import often, steady, unsteady
from riskflag.reports.offline import Form, offline_form
from riskflag.reports.paper import room_for
from riskflag.reports.records import (
    LISTED,
    Chronology,
    Everything,
    Record,
    References,
    chronology,
    everything,
)
from riskflag.reports.silences import NEVER
from riskflag.reports.timeline import Timeline, timeline

PRESENT = "present"
#: The contact type of a social worker's allocation.
ALLOCATED = "care.worker_change"


@dataclass(frozen=True)
class Fact:
    """A term and what it is."""

    term: str
    value: str


@dataclass(frozen=True)
class News:
    """What is new since the flag was last shown."""

    lead: str
    records: References | None


@dataclass(frozen=True)
class Voice:
    """The child's voice: whether anything is recorded, and the question that follows."""

    lead: str
    records: References | None
    ask: str


@dataclass(frozen=True)
class FlagPage:
    """Everything a flag's page shows, in words."""

    flag_id: str
    display: str
    age: str
    level: str
    level_label: str
    status: str
    as_of: str
    identity: tuple[Fact, ...]
    why: str
    why_standing: str
    news: News
    records: Chronology
    timeline: Timeline | None
    cards: tuple[Card, ...]
    more_cards: tuple[Card, ...]
    earlier: tuple[Card, ...]
    other_way: OtherWay
    better: tuple[Better, ...]
    in_place: tuple[str, ...]
    help_records: tuple[Record, ...]
    not_seen: tuple[str, ...]
    caveats: tuple[str, ...]
    voice: Voice
    often: tuple[str, ...]
    about: tuple[Fact, ...]
    review_data: str
    form: Form
    dense: bool

    @property
    def patterns(self) -> tuple[Card, ...]:
        """All cards, in the order in which they stand on the page."""
        return (*self.cards, *self.more_cards, *self.earlier)


@dataclass(frozen=True)
class Drawn:
    """What of a flag's page is the same however many records it lists: made once for all sizes."""

    digest: str
    records: Everything
    timeline: Timeline | None

    @classmethod
    def of(cls, flag: Mapping[str, Any], digest: str = "") -> Drawn:
        """That of a FLAG JSON; `digest` is its `record_hash`, for a caller who has it."""
        found = everything(flag)
        return cls(digest or record_hash(flag), found, timeline(flag, found[0]))


def view(
    flag: Mapping[str, Any],
    *,
    oldest_first: bool = False,
    code: str = "",
    most: int = LISTED,
    drawn: Drawn | None = None,
) -> FlagPage:
    """The page of one FLAG JSON; the same flag gives the same page.

    Records run newest first unless `oldest_first`; their numbers are the same either way. `code`
    is that of the form, if this page may be sent back (riskflag.casework.imports). At most `most`
    records are listed; `drawn` is for a caller who asks for several sizes.
    """
    drawn = drawn or Drawn.of(flag)
    room, whole = room_for(flag), drawn.records
    records = chronology(flag, room.records, oldest_first=oldest_first, most=most, whole=whole)
    cards, earlier = cards_of(flag, records)
    level = words.words()["levels"].get(flag["level"], {})
    return FlagPage(
        flag_id=flag["flag_id"],
        display=flag["child"]["display"],
        age=words.age(flag["child"]),
        level=flag["level"],
        level_label=level.get("label", words.plain(flag["level"])),
        status="New" if flag["status"] == "new" else "Seen before",
        as_of=words.day(flag["as_of"]),
        identity=_identity(flag),
        why=why(flag),
        why_standing=_standing(flag),
        news=_news(flag, records),
        records=records,
        timeline=drawn.timeline,
        cards=cards[: room.cards],
        more_cards=cards[room.cards :],
        earlier=earlier,
        other_way=other_way(flag["lowering"], records),
        better=tuple(better(one, records) for one in flag.get("improvement") or ()),
        in_place=tuple(words.sentence(f"{plan}.") for plan in _on_plans(flag["care"])),
        help_records=tuple(item for item in records.listed if item.helps),
        not_seen=tuple(_not_seen(flag)),
        caveats=tuple(flag["caveats"]),
        voice=voice(flag, records),
        often=(
            *often(flag.get("performance")),
            *steady(flag.get("stability")),
            *unsteady([one.doubt for one in cards]),
        ),
        about=_about(flag, drawn.digest),
        review_data=review_data(flag, drawn.digest),
        form=offline_form(flag, code),
        dense=room.dense,
    )


def record_hash(flag: Mapping[str, Any]) -> str:
    """SHA-256 of the flag's canonical JSON: what this page was made from."""
    text = json.dumps(flag, sort_keys=True, allow_nan=False, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def review_data(flag: Mapping[str, Any], digest: str) -> str:
    """What a review that comes back on paper or as a file must name, as JSON."""
    reasons = [*flag["reasons"], *flag.get("earlier_reasons", ())]
    return json.dumps(
        {
            "as_of": flag["as_of"],
            "flag_id": flag["flag_id"],
            "reasons": [reason["reason_id"] for reason in reasons],
            "record_hash": digest,
            "run_key": flag["versions"].get("run_key"),
        },
        sort_keys=True,
    )


def why(flag: Mapping[str, Any]) -> str:
    """The opening sentence: how many records, of how many agencies, over which time."""
    told = flag["why"]
    if not told["contacts"] or not told["from"]:
        return "What is missing from the records fits a pattern that we ask people to look at."
    count = words.sentence(words.counted(told["contacts"], "record"))
    agencies = words.counted(len(told["agencies"]), "agency", "agencies")
    when = words.period(told["from"], told["to"])
    fits = "fits" if told["contacts"] == 1 else "fit"
    reasons = flag["reasons"] or flag.get("earlier_reasons", ())
    pattern = "a pattern" if len(reasons) < 2 else f"{words.small(len(reasons))} patterns"
    return f"{count} from {agencies} {when} {fits} {pattern} that we ask people to look at."


def _standing(flag: Mapping[str, Any]) -> str:
    """What to know when the pattern was not found again on this night."""
    if flag.get("standing", PRESENT) == PRESENT:
        return ""
    last = words.day(flag.get("last_matched") or flag["first_raised"])
    reasons = {
        "not_reassessed": "It could not be checked: records were missing, or a fault occurred.",
        "no_longer_present": "The records no longer show it.",
        "rule_withdrawn": "The rule behind it has been withdrawn.",
        "outside_group": "The rule behind it no longer covers this child.",
    }
    reason = reasons.get(flag["standing"], "")
    return f"The pattern was last found on {last}. {reason} Only a person can close this flag."


def _identity(flag: Mapping[str, Any]) -> tuple[Fact, ...]:
    child = flag["child"]
    facts = [Fact("Person number", flag["person_id"])]
    if child.get("kind") == "unborn":
        facts.append(Fact("Age", "not yet born"))
    facts += [
        Fact("First raised", words.day(flag["first_raised"])),
        Fact("Records known before", words.day(flag["as_of"])),
        Fact("Last worker allocated", _allocated(flag["care"])),
        Fact("Plans and care", _plans(flag["care"])),
    ]
    return tuple(facts)


def _plans(care: Mapping[str, Any]) -> str:
    """On which plan the child is, or that they are looked after, as far as records tell."""
    found = _on_plans(care)
    if found:
        return "; ".join(found)
    unseen = set(care["not_seen"]) & set(words.words()["care"])
    return "not known: records are missing" if unseen else "none recorded"


def _on_plans(care: Mapping[str, Any]) -> list[str]:
    told = words.words()["care"]
    return [
        f"{told.get(one['type'], words.plain(one['type']))} since {words.day(one['since'])}"
        for one in care["status"]
    ]


def _allocated(care: Mapping[str, Any]) -> str:
    if care["worker_allocated_on"]:
        team, until = care.get("team"), care.get("team_until")
        named = f", {team}" if team else ""
        ended = f" until {words.day(until)}" if until else ""
        return f"on {words.day(care['worker_allocated_on'])}{named}{ended}"
    unseen = ALLOCATED in care["not_seen"]
    return "not known: records are missing" if unseen else "none recorded"


def cards_of(
    flag: Mapping[str, Any], records: Chronology
) -> tuple[tuple[Card, ...], tuple[Card, ...]]:
    """The patterns of this night, and those of an earlier one that still stand."""
    contacts = {contact["contact_key"]: contact for contact in flag["contacts"]}
    doubt = flag.get("stability")
    return (
        _cards(flag["reasons"], records, contacts, prefix="pattern", stability=doubt),
        _cards(flag.get("earlier_reasons", ()), records, contacts, prefix="earlier"),
    )


def _cards(
    reasons: Sequence[Mapping[str, Any]],
    records: Chronology,
    contacts: Mapping[str, Mapping[str, Any]],
    *,
    prefix: str,
    stability: Mapping[str, Any] | None = None,
) -> tuple[Card, ...]:
    return tuple(
        card(reason, records, contacts, anchor=f"{prefix}-{number}", stability=stability)
        for number, reason in enumerate(reasons, 1)
    )


def _news(flag: Mapping[str, Any], records: Chronology) -> News:
    keys = [contact["contact_key"] for contact in flag["contacts"] if contact.get("new")]
    found = records.references(keys) if keys else None
    before = flag.get("previous_as_of")
    if flag["status"] == "new":
        lead = f"The flag itself is new: it was first raised on {words.day(flag['first_raised'])}."
        if keys:
            lead += f" {_arrived(len(keys))}."
        return News(lead, found)
    since = f" since {words.day(before)}" if before else " since the last night"
    first = f"This flag was first raised on {words.day(flag['first_raised'])}."
    if not keys:
        return News(f"{first} No new record has arrived{since}.", None)
    return News(f"{first} {_arrived(len(keys))}{since}.", found)


def _arrived(count: int) -> str:
    noun = words.counted(count, "new record")
    return f"{words.sentence(noun)} {'has' if count == 1 else 'have'} arrived"


def _not_seen(flag: Mapping[str, Any]) -> Iterator[str]:
    """Agencies whose data is late, each with its last day; those without any feed together."""
    never = {feed["agency"] for feed in flag["not_seen"] if feed.get("state") == NEVER}
    for feed in flag["not_seen"]:
        if feed.get("state") != NEVER:
            yield _feed(feed, flag["as_of"])
    if never:
        yield f"These send us no data: {words.agencies(sorted(never))}."


def _feed(feed: Mapping[str, Any], as_of: str) -> str:
    """One agency's missing or late data, with the last day it told of."""
    who, last = words.agency(feed["agency"]), feed.get("complete_to")
    state = feed.get("state")
    if not last:
        return f"{who}: we hold no data."
    if feed.get("why"):
        return f"{who}: {feed['why']}"
    if state == "STALE":
        days = words.counted(words.days_between(last, as_of), "day")
        return f"{who}: the latest data is of {words.day(last)}, {days} before this night."
    if state == "HELD":
        return f"{who}: we hold no data since {words.day(last)}. A delivery is being checked."
    return f"{who}: we hold no data since {words.day(last)}."


def voice(flag: Mapping[str, Any], records: Chronology) -> Voice:
    """When the child's words were last recorded, or that none are, and what to ask."""
    months = flag["child"].get("age_months")
    infant = months is not None and months < words.INFANT_MONTHS
    ask = (
        "This child is too young to tell us. What does a day look like for this baby?"
        if infant or flag["child"].get("kind") == "unborn"
        else "What does this child say life is like?"
    )
    told = flag["voice"]
    if not told["contact_keys"]:
        return Voice(
            "Nothing is recorded of the child's words or wishes in the data we hold.", None, ask
        )
    heard = [c for c in flag["contacts"] if c["contact_key"] in told["contact_keys"]]
    who = sorted({c["agency"] for c in heard if c["occurred_on"] == told["latest"]})
    by = f" by {words.agencies(who)}" if who else ""
    lead = f"The child's words or wishes were last recorded on {words.day(told['latest'])}{by}."
    return Voice(
        f"{lead} The words themselves are in that agency's file.",
        records.references(told["contact_keys"]),
        ask,
    )


def _about(flag: Mapping[str, Any], digest: str) -> tuple[Fact, ...]:
    versions = flag["versions"]
    level = words.words()["levels"].get(flag["level"], {})
    rules = dict.fromkeys(
        f"{words.plain(rule['id'])}, version {rule['version']}"
        for reason in flag["reasons"]
        for rule in rules_of(reason)
    )
    model = flag.get("model") or {}
    return (
        Fact("Flag number", flag["flag_id"]),
        Fact("How soon to read", level.get("means", words.plain(flag["level"]))),
        Fact("Who can see it", "Those who read flags here; each look is recorded"),
        Fact("Data cut-off", f"Records known before {words.day(flag['as_of'])}"),
        Fact("Rules met", "; ".join(rules) or "none on this night"),
        Fact("Model", str(model.get("bundle") or "no model was used for this child")),
        Fact("Night (run key)", short(versions.get("run_key"))),
        Fact("Signals", short(versions.get("signals"))),
        Fact("Rulebook", short(versions.get("rulebook"))),
        Fact("Model files", short(versions.get("bundle"))),
        Fact("History", short(versions.get("history"))),
        Fact("Program", str(versions.get("code") or "not recorded")),
        Fact("Record hash", short(digest)),
    )


def short(digest: str | None) -> str:
    """The beginning of a hash: enough to tell two apart by eye."""
    return digest[:16] if digest else "none"
