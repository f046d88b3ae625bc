"""Pages for people: flag, worklist, publication index and the analyst's report of one flag.

Every page is a pure view model (what it says, in words) and a template (how it looks). The same
templates serve the offline files and the web application.
"""

from __future__ import annotations

from riskflag.reports.flag_page import FlagPage, view
from riskflag.reports.publish import write_publication_pages
from riskflag.reports.render import render_flag, render_index, render_shap, render_worklist

__all__ = [
    "FlagPage",
    "render_flag",
    "render_index",
    "render_shap",
    "render_worklist",
    "view",
    "write_publication_pages",
]
