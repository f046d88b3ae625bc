"""The catalogue of sources: by family, as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from riskflag.history.declared.code_lists import code_list, code_list_names
from riskflag.history.declared.source import Source
from riskflag.history.declared.source_text import follows, form, makes, used_lists

#: The order of families; others follow by name, and sources without one come last.
FAMILIES = (
    "Start from here",
    "Standard Safeguarding Dataset",
    "Looked-after children return (SSDA903)",
    "Children in need census",
    "Ofsted Annex A",
    "Early help",
    "Fostering",
    "Schools",
    "School census",
    "Emergency care",
    "Health",
    "Police",
    "Housing",
    "Services for adults",
)
#: Tables of the standards that no source reads, each with the reason.
LEFT_OUT = {
    "ssd_immigration_status": "no signal may rest on it, so it is not taken",
    "ssd_professionals": "about staff; only the job title is read, joined to ssd_involvements",
    "ssd_department": "names of teams; nothing about a child",
    "ssd_sen_need": "has no day and no child, only a kind of need of a plan",
    "ssd_s251_finance": "finance; placeholders in this version",
    "school census: termly session details": "counts by term, not dated sessions: "
    "one sum would pass for an event; take daily marks (school_attendance_daily)",
}
_INTRO = """# Sources that come with riskflag

A source says what the columns of one kind of file mean. `riskflag sources` lists these,
`riskflag sources NAME` tells all about one, and `riskflag sources --workspace FOLDER --add NAME`
copies one, or a family such as `ssd`, into a workspace to be adapted. This page is written by
`riskflag sources --markdown`.

Most sources follow a published layout; the table says which, in what version, and the file itself
where that layout was read. A column that a source can do without is named in its file under
`optional`: what rests on it is then unknown, not no. What the words of the files mean is in
[Describing a source](source-format.md).
"""
_LISTS = """## Code lists

Codes change from year to year, so they are data: one file a list, with the standard, the version
and where it was read. A source names a list as the `map` of a column and may add codes of its own
under `[maps.NAME]`. A code that neither holds is kept as unknown, marked `unmapped_code` and
counted in the load report. *To be checked* marks lists, or parts of them, that nobody has looked up
in the standard.
"""


def plain_title(source: Source) -> str:
    """The title without the name of the table, where that is the source's own name."""
    return source.title.removesuffix(f" ({source.name})")


def by_family(sources: Sequence[Source]) -> dict[str, list[Source]]:
    """The sources of each family, families and sources in the order of the catalogue."""
    named = {source.family for source in sources}
    order = [*(f for f in FAMILIES if f in named), *sorted(named - {*FAMILIES, ""})]
    if "" in named:
        order.append("")
    return {family: [s for s in sources if s.family == family] for family in order}


def catalogue(sources: Sequence[Source]) -> str:
    """The page docs/reference/sources.md."""
    return "\n".join(_lines(sources)) + "\n"


def _lines(sources: Sequence[Source]) -> Iterator[str]:
    yield _INTRO
    for family, members in by_family(sources).items():
        yield f"## {family or 'Others'}\n"
        yield "| source | held by | what it holds | file | makes | follows |"
        yield "|---|---|---|---|---|---|"
        for source in members:
            cells = (
                f"`{source.name}`",
                source.agency,
                plain_title(source),
                form(source),
                ", ".join(makes(source)),
                follows(source) or "the sender's own extract",
            )
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        yield ""
    yield _LISTS
    yield "| list | codes | what | standard, version | where it was read | used by |"
    yield "|---|---|---|---|---|---|"
    for name in code_list_names():
        yield _list_row(name, sources)
    yield "\n## Not read, and why\n"
    yield "| table | why |"
    yield "|---|---|"
    for table, why in LEFT_OUT.items():
        yield f"| {table} | {why} |"


def _list_row(name: str, sources: Sequence[Source]) -> str:
    found = code_list(name)
    assert found is not None
    users = sum(name in used_lists(source) for source in sources)
    used = "1 source" if users == 1 else f"{users} sources"
    read = found.read + ("" if found.confirmed else " *To be checked.*")
    standard = f"{found.standard}; {found.version}"
    return f"| `{name}` | {len(found.codes)} | {found.title} | {standard} | {read} | {used} |"
