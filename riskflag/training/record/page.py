"""The pages of a run: plain HTML without script or anything from elsewhere, readable on a phone."""

from __future__ import annotations

import html
from collections.abc import Sequence

from riskflag.training.figures.intervals import Figure

STYLE = (
    "body{font:16px/1.5 Arial,sans-serif;color:#0b0c0c;max-width:70em;margin:2em auto;"
    "padding:0 1em}"
    "h1{font-size:1.8em;line-height:1.2}h2{margin-top:1.6em}p,li{max-width:45em}"
    ".wide{overflow-x:auto}.wide:focus{outline:3px solid #0b0c0c}"
    "table{border-collapse:collapse;margin:.5em 0}"
    "td,th{border-bottom:1px solid #b1b4b6;padding:.4em .8em .4em 0;text-align:left;"
    "vertical-align:top}th[scope=row]{font-weight:normal}"
    "caption{text-align:left;font-weight:bold;padding:.3em 0}"
    ".tag{display:inline-block;padding:0 .5em;font-weight:bold;border:2px solid currentColor;"
    "white-space:nowrap}"
    ".fine{color:#005a30}.look{color:#594d00;background:#fff7bf}.fault{color:#942514}"
    ".not-known{color:#383f43}td svg{display:block}ul.checks{list-style:none;padding:0}"
    "ul.checks>li{margin:1em 0}summary{cursor:pointer;color:#1d70b8;text-decoration:underline}"
)


def text(words: object) -> str:
    """Words as HTML."""
    return html.escape(str(words))


def page(title: str, parts: Sequence[str]) -> str:
    """One whole page."""
    return (
        '<!doctype html><html lang="en-GB"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{STYLE}</style></head><body><main>"
        f"<h1>{text(title)}</h1>{''.join(parts)}</main></body></html>\n"
    )


def table(caption: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already; the first cell of a row is its heading."""
    head = "".join(f'<th scope="col">{text(one)}</th>' for one in headings)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in row[1:])
        for row in rows
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{text(caption)}"><table>'
        f"<caption>{text(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
        "</table></div>"
    )


def tag(verdict: str) -> str:
    """A verdict as a word in a box: never by colour alone."""
    return f'<span class="tag {verdict.replace(" ", "-")}">{text(verdict)}</span>'


def in_words(figure: Figure, by: float = 1.0, digits: int = 0) -> str:
    """A figure times `by` with its interval, or "too few to tell"."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None:
        return "too few to tell"
    between = (
        "" if low is None or high is None else f" ({by * low:.{digits}f} to {by * high:.{digits}f})"
    )
    return f"{by * value:.{digits}f}{between}"


def bar(figure: Figure, top: float = 1.0) -> str:
    """A figure from 0 to `top` as a dot on a line with its interval; hidden from readers aloud."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None:
        return ""
    place = [4 + 112 * min(max(one or 0.0, 0.0), top) / top for one in (low, high, value)]
    return (
        '<svg aria-hidden="true" width="120" height="16" viewBox="0 0 120 16">'
        '<path d="M4 8H116" stroke="#b1b4b6"/>'
        f'<path d="M{place[0]:.1f} 8H{place[1]:.1f}" stroke="#1d70b8" stroke-width="4"/>'
        f'<circle cx="{place[2]:.1f}" cy="8" r="4" fill="#0b0c0c"/></svg>'
    )


def curve(lines: Sequence[tuple[str, Sequence[float]]], places: Sequence[float], label: str) -> str:
    """Lines over rising places as one picture, with a name at the end of each."""
    every = [value for _, values in lines for value in values] + [0.0]
    low, high = min(every), max(every)
    low = max(low, -(high or 1.0))
    left, right = min(places), max(places)

    def at(place: float, value: float) -> str:
        x = 10 + 430 * (place - left) / ((right - left) or 1)
        y = 190 - 170 * (min(max(value, low), high) - low) / ((high - low) or 1)
        return f"{x:.1f},{y:.1f}"

    drawn = ""
    for number, (name, values) in enumerate(lines):
        points = " ".join(at(p, v) for p, v in zip(places, values, strict=True))
        dash = "" if number == 0 else ' stroke-dasharray="6 4"'
        drawn += (
            f'<polyline points="{points}" fill="none" stroke="#1d70b8" stroke-width="2"{dash}/>'
        )
        x, y = at(places[-1], values[-1]).split(",")
        drawn += f'<text x="{float(x) + 6}" y="{float(y) + 4}" font-size="14">{text(name)}</text>'
    zero = at(left, 0.0).split(",")[1]
    drawn = f'<path d="M10 {zero}H440" stroke="#505a5f"/>{drawn}'
    shape = 'viewBox="0 0 560 200" style="max-width:35em;width:100%"'
    return f'<svg role="img" aria-label="{text(label)}" {shape}>{drawn}</svg>'
