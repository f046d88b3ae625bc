"""A source in words: which file it takes, what a row of it becomes, what to know about it."""

from __future__ import annotations

from riskflag.history.declared.code_lists import code_list
from riskflag.history.declared.source import ContactEntry, Source
from riskflag.history.declared.source_check import contact_types

_SCOPES = {
    "full": "Each delivery holds everything; what is no longer in it is withdrawn.",
    "window": "Each delivery holds the last {days} days; what is gone from them is withdrawn.",
    "in_year_or_open": "Each delivery holds what is open or ended in the year; a record that was "
    "open and is gone is withdrawn, a closed one is kept.",
    "delta": "Each delivery holds what is new; absence from it means nothing.",
}
_OTHERS = ("person", "identifier", "relationship")


def explained(source: Source) -> str:
    """All about one source, each column by the name it must have in the file."""
    lines = [
        f"{source.name}: {source.title}",
        *_standard(source),
        *_origin(source),
        *_clock(source),
        *dict.fromkeys(_contact(source, entry) for entry in source.contact),
    ]
    lines += [f"Also says of people: {name}s." for name in _OTHERS if getattr(source, name)]
    lines += _lists(source)
    lines += _columns(source)
    if source.licence:
        lines.append(f"Licence: {source.licence}.")
    if source.notes:
        lines.append(" ".join(source.notes.split()))
    return "\n  ".join(lines)


def makes(source: Source) -> tuple[str, ...]:
    """What the rows of a source become: contact types, persons, identifiers, relationships."""
    types = dict.fromkeys(name for entry in source.contact for name in contact_types(source, entry))
    return (*types, *(f"{name}s" for name in _OTHERS if getattr(source, name)))


def form(source: Source) -> str:
    """How the files of a source are written, and whether a database may take their place."""
    if source.files.format == "database":
        return "database"
    return source.files.format + (" or database" if source.database is not None else "")


def follows(source: Source) -> str:
    """The standard a source follows, with its version and table; blank when it names none."""
    said = source.standard
    if said is None:
        return ""
    return " ".join(part for part in (said.name, said.version) if part) + (
        f": {said.table}" if said.table else ""
    )


def used_lists(source: Source) -> tuple[str, ...]:
    """The published code lists a source reads codes by, in name order."""
    from riskflag.history.declared.source_check import used_maps

    return tuple(sorted({name for name, _ in used_maps(source) if code_list(name) is not None}))


def _standard(source: Source) -> list[str]:
    if source.standard is None:
        return ["Follows no published layout: the columns are those of the sender's own extract."]
    read = f" Read in: {source.standard.read}." if source.standard.read else ""
    return [f"Follows {follows(source)}.{read}"]


def _origin(source: Source) -> list[str]:
    files = source.files
    part = {"xml": f", the elements {files.rows}", "xlsx": f", the sheet {files.sheet}"}
    lines = []
    if source.patterns and files.format != "database":
        lines.append(
            f"Held by {source.agency}. Takes {' or '.join(source.patterns)} as {files.format}"
            f"{part.get(files.format, '')}; days as {files.date_format}."
        )
    else:
        lines.append(f"Held by {source.agency}. Days as {files.date_format}.")
    if source.database is not None:
        joined = "".join(f", with columns of {join.table}" for join in source.database.join)
        lines.append(
            f"From a database: the table {source.database.table}{joined}, "
            f"in the order of {', '.join(source.database.order)}."
        )
    return lines


def _clock(source: Source) -> list[str]:
    rules = source.delivery
    recorded = sorted({e.recorded.column for e in source.contact if e.recorded is not None})
    after = f"the day in {', '.join(recorded)}, or else after " if recorded else ""
    return [
        _SCOPES[rules.scope].format(days=rules.window_days),
        f"First load: a record counts as known {_days(rules.assumed_lag_days)} after {after}it "
        "happened, marked as assumed. Later: on the day its file landed.",
        f"Stale after {_days(rules.fresh_days)} without a delivery. "
        f"Lost, so that its signals are unknown, after {_days(rules.tolerance_days)}.",
    ]


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _contact(source: Source, entry: ContactEntry) -> str:
    types = ", ".join(contact_types(source, entry))
    until = f" to {entry.ended.column}" if entry.ended else ""
    says = f", with {', '.join(sorted(entry.attributes))}" if entry.attributes else ""
    some = f" Only rows chosen by {', '.join(f.column for f in entry.when)}." if entry.when else ""
    whose = f"of {entry.subject.column} ({entry.subject.scheme})"
    return f"Makes {types} {whose} on {entry.occurred.column}{until}{says}.{some}"


def _lists(source: Source) -> list[str]:
    lines = []
    for name in used_lists(source):
        found = code_list(name)
        assert found is not None
        more = len(source.maps.get(name, {}))
        added = f" and {more} of its own" if more else ""
        lines.append(
            f"Code list {name}: {found.title} ({found.version}), {len(found.codes)} codes{added}."
        )
    return lines


def _columns(source: Source) -> list[str]:
    optional = set(source.files.optional)
    needed = sorted(source.columns() - optional)
    if source.files.format == "xml":
        return [f"Elements it reads, blank where there are none: {', '.join(needed)}."]
    lines = [f"Columns it needs: {', '.join(needed)}."]
    if optional:
        lines.append(
            f"Columns it can do without, and then does not say: {', '.join(sorted(optional))}."
        )
    return lines
