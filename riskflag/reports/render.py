"""From views to HTML: one environment, autoescaping always on, one self-contained file each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup, escape

from riskflag.errors import InputError
from riskflag.reports.analyst import AnalystReport, analyst_report
from riskflag.reports.check_page import check_page
from riskflag.reports.flag_page import FlagPage
from riskflag.reports.lookback import LookbackPage
from riskflag.reports.worklist import worklist

TEMPLATES = Path(__file__).parent / "templates"


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
    env.globals["once"] = once
    env.filters["breakable"] = breakable
    return env


@cache
def style(*names: str) -> Markup:
    """Style sheets from the templates' folder, without comments and needless blanks."""
    css = "\n".join((TEMPLATES / f"{name}.css").read_text(encoding="utf-8") for name in names)
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    return Markup(re.sub(r"\s*([{};,>])\s*", r"\1", css).replace(";}", "}").strip())  # noqa: S704


def breakable(name: str) -> Markup:
    """A long file name, escaped, that may break after an underscore."""
    return escape(name).replace("_", Markup("_<wbr>"))


@lru_cache(maxsize=16384)
def once(template: str, macro: str, *given: Any) -> Markup:
    """What a macro of a template makes of its arguments, which must be all that it depends on.

    For pieces that come again and again: many records say the same, and putting them into HTML is
    most of the work on a flag's page.
    """
    return Markup(getattr(environment().get_template(template).module, macro)(*given))  # noqa: S704


def page(template: str, **values: Any) -> str:
    """Render one template; lines lose their indentation, which carries no meaning in HTML."""
    html = environment().get_template(template).render(**values)
    return re.sub(r"\n\s*", "\n", html).strip() + "\n"


def render_flag(view: FlagPage, *, home: str | None = None) -> str:
    """A flag's page as one file: no script, no network; `home` is the worklist's address."""
    return page("flag.html", page=view, home=home)


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
