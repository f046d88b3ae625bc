"""What an unknown file could be: which sources have its columns, what is missing, what is over."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from riskflag.history.declared.shipped import SHIPPED_SOURCES
from riskflag.history.declared.source import Source
from riskflag.history.declared.source_load import load_sources
from riskflag.history.declared.xml_path import column_paths
from riskflag.history.files.delivered import RejectedError, read_bytes
from riskflag.history.files.looks import Looks, element_paths, in_words, look_at, shown

#: Below this share of its columns a source is not worth a mention.
_LEAST_SHARE, _LEAST_COLUMNS, _MOST_TOLD = 0.5, 2, 3


@dataclass(frozen=True)
class Likeness:
    """How far a file has what a source needs.

    `found` of `needed` columns are there, whatever their case and punctuation; `otherwise` are
    those written differently, as (declared, there). `unread` are columns the source has no use for.
    """

    source: str
    found: int
    needed: int
    missing: tuple[str, ...] = ()
    otherwise: tuple[tuple[str, str], ...] = ()
    unread: tuple[str, ...] = ()
    pattern: str = ""
    named: bool = False

    @property
    def share(self) -> float:
        """Of the columns needed, the share that is there."""
        return self.found / self.needed if self.needed else 0.0


@dataclass(frozen=True)
class Proposal:
    """What is proposed for one file, best first; `says` tells it in sentences."""

    file: str
    form: str
    likenesses: tuple[Likeness, ...]
    says: tuple[str, ...]


def propose(data: bytes, name: str, sources: Sequence[Source]) -> Proposal:
    """What a file could be. Never raises for what is in it, and never repeats a value of it."""
    looks = look_at(data, name)
    try:
        found = _likenesses(looks, sources)
    except RejectedError as refusal:
        return Proposal(name, looks.form, (), (str(refusal),))
    best = _best(found, several=looks.form in ("xml", "xlsx"))
    return Proposal(name, looks.form, best, tuple(_says(looks, best)))


def propose_all(files: Mapping[str, Path], declared: Sequence[Source]) -> list[Proposal]:
    """What each file, by the name it is shown by, could be: of the declared or a shipped source."""
    names = {source.name for source in declared}
    shipped = (one for one in load_sources(SHIPPED_SOURCES) if one.name not in names)
    sources = (*declared, *shipped)
    found = []
    for name, path in files.items():
        with suppress(RejectedError):
            found.append(propose(read_bytes(path), name, sources))
    return found


def _best(found: list[Likeness], *, several: bool) -> tuple[Likeness, ...]:
    """The likenesses worth telling, best first.

    Many sources share two or three columns, so that one which explains far fewer of the file's is
    left out; but `several` sources may each take a part of one file.
    """
    good = [one for one in found if one.share >= _LEAST_SHARE and one.found >= _LEAST_COLUMNS]
    order = sorted(good, key=lambda o: (-o.share, -o.named, -o.found, len(o.unread), o.source))
    if several or not order:
        return tuple(order)
    near = [
        one
        for one in order
        if one.share >= order[0].share - 0.2 and one.found > 0.6 * order[0].found
    ]
    return tuple(near[:_MOST_TOLD])


def _likenesses(looks: Looks, sources: Sequence[Source]) -> list[Likeness]:
    if looks.form in ("csv", "parquet"):
        tables = [s for s in sources if s.files.format in ("csv", "parquet")]
        return [_as_table(looks, source) for source in tables]
    if looks.form == "xml":
        counts = element_paths(looks.data, looks.name)
        return [_as_xml(looks, s, counts) for s in sources if s.files.format == "xml"]
    if looks.form == "xlsx":
        return _as_workbook(looks, [s for s in sources if s.files.format == "xlsx"])
    return []


def plain(name: str) -> str:
    """A column's name without what people write differently: case, blanks, punctuation."""
    return re.sub(r"[\W_]+", "", name).casefold()


def _as_table(looks: Looks, source: Source) -> Likeness:
    there: dict[str, str] = {}
    for column in looks.columns:
        there.setdefault(plain(column), column)
    needed = source.columns() - set(source.files.optional)
    all_found = {name: there[plain(name)] for name in source.columns() if plain(name) in there}
    found = {name: column for name, column in all_found.items() if name in needed}
    return Likeness(
        source.name,
        len(found),
        len(needed),
        tuple(sorted(needed - found.keys())),
        tuple(sorted((name, column) for name, column in all_found.items() if name != column)),
        tuple(column for column in looks.columns if column not in all_found.values()),
        source.patterns[0],
        _named(looks.name, source),
    )


def _named(name: str, source: Source) -> bool:
    """Whether the file's name resembles the source's pattern or name."""
    low = name.rpartition("/")[2].casefold()
    return any(fnmatch.fnmatchcase(low, p.casefold()) for p in source.patterns) or (
        plain(source.name) in plain(low)
    )


def _as_xml(looks: Looks, source: Source, counts: dict[str, int]) -> Likeness:
    rows = source.files.rows or ""
    if not counts.get(rows):
        return Likeness(source.name, 0, len(source.columns()))
    steps = rows.split("/")

    def is_there(column: str) -> bool:
        return any(
            "/".join([*steps[: len(steps) - path.up], *path.down]) in counts
            for path in column_paths(column)
        )

    missing = tuple(sorted(column for column in source.columns() if not is_there(column)))
    needed = len(source.columns())
    return Likeness(source.name, needed - len(missing), needed, missing, pattern=source.patterns[0])


def _as_workbook(looks: Looks, sources: Sequence[Source]) -> list[Likeness]:
    """The sheets of a workbook against the sources that name one like it."""
    from riskflag.history.files.workbook import header_match

    found = []
    for source in sources:
        needed = source.columns() - set(source.files.optional)
        try:
            there, over = header_match(looks.data, looks.name, source.files, source.columns())
        except RejectedError as refusal:
            if refusal.reason not in ("no_sheet", "two_sheets"):
                raise
            continue
        missing = tuple(sorted(needed - there))
        count = len(needed) - len(missing)
        one = Likeness(source.name, count, len(needed), missing, (), tuple(over))
        found.append(replace(one, pattern=source.patterns[0]))
    return found


def _says(looks: Looks, best: Sequence[Likeness]) -> list[str]:
    """The proposal in sentences."""
    if not looks.form:
        return [f"{looks.name}: nobody can tell what it is; it is not a table, XML or a workbook."]
    known = bool(best)
    lines = [_likeness_line(looks, one, known) for one in best]
    if not best:
        lines.append(f"{looks.name} looks like no source that riskflag knows.")
    lines += _about(looks, known)
    if best:
        lines.append(_advice(best))
    elif looks.form in ("csv", "parquet"):
        lines.append("Start a source from it: riskflag ingest --dry-run --write-source NAME.")
    return lines


def _advice(best: Sequence[Likeness]) -> str:
    """What to do so that the file is taken."""
    names = [one.source for one in best]
    name = names[0]
    family = name.partition("_")[0]
    while len(names) > _MOST_TOLD and family != name:
        longer = name[: len(family) + 1] + name[len(family) + 1 :].partition("_")[0]
        if not all(one.startswith(f"{longer}_") for one in names):
            break
        family = longer
    several = len(names) > _MOST_TOLD and all(one.startswith(f"{family}_") for one in names)
    add = f"riskflag sources --add {family if several else name}"
    whole = not best[0].missing and not best[0].otherwise
    change = "" if whole else " Change the copy where columns are missing or written otherwise."
    return (
        f"To take it: {add} (with --workspace), and call the file {best[0].pattern} or "
        f"change the pattern of the copy.{change}"
    )


def _likeness_line(looks: Looks, one: Likeness, known: bool) -> str:
    what = "elements" if looks.form == "xml" else "columns"
    parts = [f"{looks.name} looks like {one.source}: {one.found} of {one.needed} {what}"]
    if one.missing:
        parts.append(f"missing {', '.join(one.missing)}")
    if one.otherwise:
        pairs = [f"{there} for {name}" for name, there in one.otherwise]
        parts.append(f"written otherwise: {', '.join(pairs)}")
    if one.unread and (looks.header or known):
        parts.append(f"columns nobody reads: {', '.join(shown(one.unread))}")
    return "; ".join(parts) + "."


def _about(looks: Looks, known: bool) -> list[str]:
    """How the file is written, as far as its columns may be named."""
    if looks.form not in ("csv", "parquet"):
        return []
    lines = []
    if not (looks.header or known):
        return [
            "Its first line may be data and not a header: no name of it is shown. "
            "Ask the sender for a file with a header."
        ]
    for text in sorted({text for text in looks.days.values() if text}):
        columns = shown([column for column, written in looks.days.items() if written == text])
        lines.append(f"Dates look like {in_words(text)} ({text}) in {', '.join(columns)}.")
    if looks.encoding != "utf-8" or looks.delimiter != ",":
        between = {"\t": "tabs"}.get(looks.delimiter, looks.delimiter)
        lines.append(f"It is written in {looks.encoding} with {between} between fields.")
    return lines
