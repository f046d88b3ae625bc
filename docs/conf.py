"""How the documentation is built: plain Markdown, readable as it is, made into HTML here."""

project = "riskflag"
author = "the riskflag contributors"
copyright = "2026, the riskflag contributors"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "riskflag"
html_show_sphinx = False
suppress_warnings = ["myst.xref_missing"]
