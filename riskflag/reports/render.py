"""From views to HTML: one environment, autoescaping always on, one self-contained file each."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from riskflag.reports.flag_page import FlagPage

TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment() -> Environment:
    """The templates' environment; a name that a view does not have is an error, not a blank."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.globals["style"] = style
    return env


@cache
def style(*names: str) -> Markup:
    """Style sheets from the templates' folder, without comments and needless blanks."""
    css = "\n".join((TEMPLATES / f"{name}.css").read_text(encoding="utf-8") for name in names)
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    return Markup(re.sub(r"\s*([{};,>])\s*", r"\1", css).replace(";}", "}").strip())  # noqa: S704


def page(template: str, **values: Any) -> str:
    """Render one template; lines lose their indentation, which carries no meaning in HTML."""
    html = environment().get_template(template).render(**values)
    return re.sub(r"\n\s*", "\n", html).strip() + "\n"


def render_flag(view: FlagPage, *, home: str | None = None) -> str:
    """A flag's page as one file: no script, no network; `home` is the worklist's relative address."""
    return page("flag.html", page=view, home=home)
