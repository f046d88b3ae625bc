"""A source in words: which file it takes, what a row of it becomes, what to know about it."""

from __future__ import annotations

from riskflag.history.source import ContactEntry, Source
from riskflag.history.source_check import contact_types

_SCOPES = {
    "full": "Each delivery holds everything; what is no longer in it is withdrawn.",
    "window": "Each delivery holds the last {days} days; what is gone from them is withdrawn.",
    "in_year_or_open": "Each delivery holds what is open or ended in the year; a record that was "
    "open and is gone is withdrawn, a closed one is kept.",
    "delta": "Each delivery holds what is new; absence from it means nothing.",
}


def explained(source: Source) -> str:
    """A few lines about one source, each column by the name it must have in the file."""
    files = source.files
    part = {"xml": f", the elements {files.rows}", "xlsx": f", the sheet {files.sheet}"}
    scope = _SCOPES[source.delivery.scope].format(days=source.delivery.window_days)
    lines = [
        f"{source.name}: {source.title}",
        f"  Held by {source.agency}. Takes {' or '.join(files.pattern)} as {files.format}"
        f"{part.get(files.format, '')}; days as {files.date_format}.",
        f"  {scope}",
        f"  Lost, so that its signals are unknown, after {source.delivery.tolerance_days} days.",
        *(f"  {line}" for entry in source.contact for line in _contact(source, entry)),
    ]
    for name in ("person", "identifier", "relationship"):
        if getattr(source, name):
            lines.append(f"  Also says of people: {name}s.")
    if source.licence:
        lines.append(f"  Licence: {source.licence}.")
    lines.append(f"  Columns it needs: {', '.join(sorted(source.columns()))}.")
    if source.notes:
        lines.append(f"  {' '.join(source.notes.split())}")
    return "\n".join(lines)


def _contact(source: Source, entry: ContactEntry) -> list[str]:
    types = ", ".join(contact_types(source, entry))
    until = f" to {entry.ended.column}" if entry.ended else ""
    says = f", with {', '.join(sorted(entry.attributes))}" if entry.attributes else ""
    some = f" Only rows chosen by {', '.join(f.column for f in entry.when)}." if entry.when else ""
    whose = f"of {entry.subject.column} ({entry.subject.scheme})"
    return [f"Makes {types} {whose} on {entry.occurred.column}{until}{says}.{some}"]
