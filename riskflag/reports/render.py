"""From views to HTML: one environment, autoescaping always on, one self-contained file each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup, escape

from riskflag.errors import InputError
from riskflag.reports.analyst import AnalystReport, Bar, Part, analyst_report
from riskflag.reports.check_page import check_page
from riskflag.reports.flag_page import FlagPage
from riskflag.reports.lookback import LookbackPage, Pattern, RecordLine, Spell
from riskflag.reports.lookback_days import Step
from riskflag.reports.lookback_strip import Mark
from riskflag.reports.records import Chronology, Record
from riskflag.reports.timeline import TimeMark
from riskflag.reports.worklist import worklist

TEMPLATES = Path(__file__).parent / "templates"
#: The pieces that pages share, and what a cell of a row that is shown at first says of itself.
PARTS, LOOKBACK = "parts.html", "lookback_parts.html"
BODY, CELL = '<tbody role="rowgroup">\n', Markup(' role="cell"')


@cache
def environment() -> Environment:
    """The templates' environment; a name that a view does not have is an error, not a blank."""
    files = FileSystemLoader(TEMPLATES)
    env = Environment(
        # Under "reports/" too, the name by which the web app finds the same templates.
        loader=ChoiceLoader([files, PrefixLoader({"reports": files})]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.globals["style"] = style
    env.filters.update(filters())
    return env


def filters() -> dict[str, Callable[..., Markup | Iterator[Markup]]]:
    """What the templates make HTML of values with, by the names they use."""
    return {
        "breakable": breakable,
        "once": once,
        "row": record_row,
        "lookback_days": lookback_days,
        "lookback_patterns": lookback_patterns,
        "lookback_rows": lookback_rows,
        "lookback_spans": lookback_spans,
        "lookback_marks": lookback_marks,
        "drawn": drawn_marks,
        "contributions": contributions,
        "bars": bars,
        "anchors": anchors,
    }


@cache
def style(*names: str) -> Markup:
    """Style sheets from the templates' folder, without comments and needless blanks."""
    css = "\n".join((TEMPLATES / f"{name}.css").read_text(encoding="utf-8") for name in names)
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    return Markup(re.sub(r"\s*([{};,>])\s*", r"\1", css).replace(";}", "}").strip())  # noqa: S704


def breakable(name: str) -> Markup:
    """A long file name, escaped, that may break after an underscore."""
    return Markup(str(escape(name)).replace("_", "_<wbr>"))  # noqa: S704


@lru_cache(maxsize=32768)
def once(given: tuple[Any, ...], template: str, macro: str) -> Markup:
    """What a macro of a template makes of what it is given, all that it may depend on.

    For pieces that come again and again: many records say the same, and putting them into HTML is
    most of the work on a flag's page.
    """
    return _piece(template, macro, *given)


def _piece(template: str, macro: str, *given: Any) -> Markup:
    return Markup(getattr(environment().get_template(template).module, macro)(*given))  # noqa: S704


def record_rows(records: Chronology) -> dict[int, Markup]:
    """The rows of the records that a flag's file lists, by number; they are most of its work."""
    first = {record.number for record in records.first}
    return {one.number: record_row(one, shown=one.number in first) for one in records.listed}


def record_row(record: Record, *, shown: bool, link: str = "") -> Markup:
    """The row of one record in a list of them, put together from pieces that were made before.

    Rows that are not `shown` at first appear when the reader asks for all; `link` is the address of
    the record's own page.
    """
    cell = CELL if shown else ""
    number = (record.number, shown, record.in_pattern, record.assumed, link)
    first = _piece(PARTS, "number", *number) if link else once(number, PARTS, "number")
    when = once((record.date, record.ended, cell), PARTS, "when")
    told = once((record.agency, record.about, record.said, record.place, cell), PARTS, "told")
    marks = once((record.marks,), PARTS, "marks")
    status = once((record.standing, record.status, cell), PARTS, "status")
    where = breakable(record.where)
    return Markup(  # noqa: S704
        f"{first}\n{when}\n{told}{marks}\n{status}\n<td{cell}>{where}</td>\n</tr>\n"
    )


def lookback_rows(records: Iterable[RecordLine]) -> Markup:
    """The rows of a look-back's records, put together as `record_row` is."""
    return Markup("".join(map(_lookback_row, records)))  # noqa: S704


def _lookback_row(record: RecordLine) -> str:
    told = (record.agency, record.said, record.about, record.changes)
    return (
        f'<tr id="r{record.number}"><th scope="row">{record.number}</th>'
        f"<td>{escaped(record.date)}</td><td>{escaped(record.counts_from)}</td>"
        f"{once((record.waited, record.late), LOOKBACK, 'waited')}{once(told, LOOKBACK, 'told')}"
        f"<td>{breakable(record.where)}</td></tr>\n"
    )


@lru_cache(maxsize=8192)
def escaped(text: str) -> Markup:
    """A text that comes again and again, such as a date."""
    return escape(text)


def lookback_patterns(patterns: Iterable[Pattern]) -> Iterator[Markup]:
    """The rows of the patterns of a look-back: one for each time in which a pattern held."""
    for one in patterns:
        head = (
            f'<th scope="rowgroup" rowspan="{len(one.spells)}">{escape(one.title)}<br>'
            f'<span class="sub">{escape(one.source)}</span></th>'
        )
        for spell in one.spells:
            when = f'{escape(spell.when)}<br><span class="sub">{escaped(spell.days)}</span>'
            told = f"{escape(spell.statement)}{_refs(spell)}"
            yield Markup(f"<tr>{head}<td>{when}</td><td>{told}</td></tr>")  # noqa: S704
            head = ""


def _refs(spell: Spell) -> str:
    """Links to the records that a pattern rested on."""
    if not spell.records:
        return ""
    noun = "Record" if len(spell.records) == 1 and not spell.more else "Records"
    more = f" and {spell.more} more" if spell.more else ""
    return f' <span class="refs">{noun} {anchors(spell.records)}{more}</span>'


def lookback_spans(spans: Iterable[tuple[float, float]], kind: str, height: int) -> Markup:
    """Times in the picture of a look-back: from and width, which are numbers, in the middle."""
    rest = f'y="-{height // 2}"', f'height="{height}"/>'
    drawn = (f'<rect class="{kind}" x="{x}%" {rest[0]} width="{w}%" {rest[1]}' for x, w in spans)
    return Markup("".join(drawn))  # noqa: S704


def lookback_days(steps: Iterable[Step]) -> Markup:
    """The rows of the days on which something changed."""
    return Markup("".join(map(_lookback_day, steps)))  # noqa: S704


def _lookback_day(step: Step) -> str:
    said = "".join(f'<li class="is-{one.kind}">{escape(one.text)}</li>' for one in step.changes)
    more = f"<li>{step.more} more records were seen first.</li>" if step.more else ""
    return f'<tr><th scope="row">{escaped(step.date)}</th><td><ul>{said}{more}</ul></td></tr>\n'


def lookback_marks(marks: Iterable[Mark]) -> Markup:
    """Records in the picture of a look-back: their places, which are numbers."""
    return Markup("".join(map(_lookback_mark, marks)))  # noqa: S704


def _lookback_mark(mark: Mark) -> str:
    drawn = f'<use href="#m-other" x="{mark.x}%"/>\n'
    if mark.known_x is None:
        return drawn
    line = f'<line class="late" x1="{mark.x}%" x2="{mark.known_x}%"/>'
    return f'{line}<use href="#m-tip" x="{mark.known_x}%"/>{drawn}'


def drawn_marks(marks: Iterable[TimeMark]) -> Markup:
    """The records of one agency in the picture over time: places in it, which are numbers."""
    return Markup("\n".join(map(_drawn, marks)))  # noqa: S704


def _drawn(mark: TimeMark) -> str:
    x, late, end = mark.x, mark.late_x, mark.end_x
    drawn = f'<use href="#m-{mark.shape}" x="{x}%"/>'
    if end:
        drawn = f'<line class="span" x1="{x}%" x2="{end}%"/>{drawn}'
    if late:
        tip = f'<use href="#m-tip" x="{late}%"/>'
        drawn = f'<line class="late" x1="{x}%" x2="{late}%"/>{tip}{drawn}'
    return f'{drawn}\n<use href="#m-x" x="{x}%"/>' if mark.withdrawn else drawn


def anchors(numbers: Iterable[int]) -> Markup:
    """Links to records of the same page by their numbers."""
    return Markup(" ".join(f'<a href="#r{n:d}">{n:d}</a>' for n in numbers))  # noqa: S704


def bars(items: Sequence[Bar], *, joined: bool) -> Markup:
    """The bars of an analyst's drawing, `joined` end to end or each from zero."""
    rows = [_bar(item, joined=joined and item is not items[-1]) for item in items]
    return Markup("".join(rows))  # noqa: S704


def _bar(bar: Bar, *, joined: bool) -> str:
    """One bar; all of it but its label and its amount are numbers."""
    y, end = bar.y, bar.end
    drawn = (
        f'<text x="0" y="{y + 14}">{escape(bar.label)}</text>\n'
        f'<rect class="{"up" if bar.raises else "down"}" x="{bar.x}%" y="{y + 19}" '
        f'width="{bar.width}%" height="13"/>\n'
    )
    if joined:
        drawn += f'<line class="join" x1="{end}%" x2="{end}%" y1="{y + 32}" y2="{y + 57}"/>'
    if bar.amount:
        place = f'x="{bar.text_x}%" y="{y + 30}" text-anchor="{bar.text_anchor}"'
        drawn += f'<text class="amt" {place}>{escape(bar.amount)}</text>'
    return drawn


def contributions(parts: Iterable[Part]) -> Markup:
    """The rows of an analyst's report, one for each signal."""
    rows = (
        f"<tr>{once(part[:-1], 'analyst_parts.html', 'signal')}"
        f'<td class="num">{part.signed}</td></tr>\n'
        for part in parts
    )
    return Markup("".join(rows))  # noqa: S704


def page(template: str, **values: Any) -> str:
    """Render one template; lines lose their indentation, which carries no meaning in HTML."""
    html = environment().get_template(template).render(**values)
    return re.sub(r"\n\s*", "\n", html).strip() + "\n"


def render_flag(
    view: FlagPage, *, home: str | None = None, rows: Mapping[int, Markup] | None = None
) -> str:
    """A flag's page as one file: no script, no network; `home` is the worklist's address.

    `rows` are its `record_rows`, or those of a page with more of them, for a caller who has them.
    """
    made = rows or record_rows(view.records)
    empty = replace(view, records=replace(view.records, rows=()))
    before, body, after = page("flag.html", page=empty, home=home).partition(BODY)
    table = (
        made[one.number] if one.number else _piece(PARTS, "gap", one) for one in view.records.rows
    )
    return "".join((before, body, *(table if body else ()), after))


def render_worklist(
    flags: Sequence[Mapping[str, Any]], publication: Mapping[str, Any] | None = None
) -> str:
    """The worklist as one file that links to the flags' files beside it."""
    return page("worklist.html", page=worklist(flags, publication or {}))


def render_index(
    flags: Sequence[Mapping[str, Any]], publication: Mapping[str, Any] | None = None
) -> str:
    """The first page of a publication: what it is, and where to go on."""
    return page("index.html", page=worklist(flags, publication or {}))


def render_shap(
    flag: Mapping[str, Any], ranges: Mapping[str, Mapping[str, Any]] | None = None
) -> str:
    """The analyst's report of one flag; an InputError when no model scored the child.

    `ranges` are those of the training cohort (`Bundle.ranges`), if at hand.
    """
    report = analyst_report(flag, ranges)
    if report is None:
        raise InputError(
            "No model scored this child on this night, so there is no report of contributions; "
            "open the flag's own page instead."
        )
    return render_report(report)


def render_check(report: Mapping[str, Any]) -> str:
    """The page of a data check from its JSON, as one file."""
    return page("check.html", page=check_page(report))


def render_lookback(view: LookbackPage) -> str:
    """A look-back as one file: no script, no network."""
    return page("lookback.html", page=view)


def render_report(report: AnalystReport) -> str:
    """An analyst's report as one file."""
    return page("analyst.html", page=report)
