"""One file for a whole worklist batch: every flag with its form, to carry without a network.

Each flag is its own page's text with its own style, so the parts are the same; only the names
within the file are made different, so that each reference stays with its flag.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from riskflag.nightly.listing import in_order
from riskflag.reports import words
from riskflag.reports.flag_page import view
from riskflag.reports.render import page

#: Names that several drawings share; they are drawn once.
SHARED = re.compile(r"<defs>.*?</defs>", re.DOTALL)
MAIN = re.compile(r'<main id="main" tabindex="-1">(.*)</main>', re.DOTALL)
NAMED = re.compile(r'( (?:id|for|aria-labelledby|href)=")(#?)([^"]*)"')
HEADINGS = re.compile(r"<(/?)h([1-5])\b")
#: Room kept for the size of the file, which stands within it.
SIZE = "@@@@@@@@@@@@"


@dataclass(frozen=True)
class Part:
    """One flag of the batch: what the list at the beginning says, and its page."""

    flag_id: str
    display: str
    since: str
    why: str
    anchor: str
    dense: bool
    html: Markup


def batch_page(
    flags: Sequence[Mapping[str, Any]], codes: Mapping[str, str], *, authority: str, as_of: str
) -> str:
    """All flags as one HTML file in the order of the worklist; `codes` by flag number.

    The file states how many flags it holds and its own size.
    """
    parts: list[Part] = []
    for flag in in_order(flags):
        anchor = f"f{len(parts) + 1}"
        drawn = any("<defs>" in part.html for part in parts)
        parts.append(_part(flag, codes.get(flag["flag_id"], ""), anchor, drawn=drawn))
    html = page("batch.html", parts=parts, authority=authority, as_of=words.day(as_of), size=SIZE)
    kilobytes = f"{-(-len(html.encode()) // 1000):,} kB"
    return html.replace(SIZE, kilobytes.ljust(len(SIZE)))


def _part(flag: Mapping[str, Any], code: str, anchor: str, *, drawn: bool) -> Part:
    shown = view(flag, code=code)
    found = MAIN.search(page("flag.html", page=shown, home=None))
    body = found[1] if found else ""
    if drawn:
        body = SHARED.sub("", body)
    body = NAMED.sub(lambda match: _renamed(match, anchor), body)
    body = HEADINGS.sub(lambda match: f"<{match[1]}h{int(match[2]) + 1}", body)
    return Part(
        flag_id=shown.flag_id,
        display=shown.display,
        since=words.day(flag["first_raised"]),
        why=shown.why,
        anchor=anchor,
        dense=shown.dense,
        # Its parts went through autoescaping when the flag's own page was made.
        html=Markup(body),  # noqa: S704
    )


def _renamed(match: re.Match[str], anchor: str) -> str:
    """An attribute with its names belonging to one flag; drawings' shared names stay."""
    before, sign, value = match.groups()
    if before.strip().startswith("href") and not sign:
        return match[0]
    names = (
        name if name.startswith("m-") or name == "hatch" else f"{anchor}-{name}"
        for name in value.split()
    )
    told = " ".join(names)
    # Two flags have the same parts: each part's name ends with its flag's.
    of = f" {anchor}-id" if "labelledby" in before else ""
    return f'{before}{sign}{told}{of}"'
