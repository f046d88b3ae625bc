"""Two recorded runs as one HTML page, without script or anything from elsewhere."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

from riskflag.training.record.page import STYLE
from riskflag.training.record.pair import Pair

#: The drawing of a calibration, in its own units.
SIDE, MARGIN = 300, 45
#: Dark enough on white to be told apart, and drawn with another mark each besides.
COLOURS = ("#1d70b8", "#942514")
FURTHER = (
    "svg{max-width:100%;height:auto}figure{margin:1em 0}"
    ".warning{border-left:5px solid #d4351c;padding-left:1em;font-weight:bold}"
)


def as_html(pair: Pair) -> str:
    """The whole comparison as a page."""
    names = (pair.a.name, pair.b.name)
    title = f"Runs {pair.a.run.id[:8]} and {pair.b.run.id[:8]}"
    warned = "".join(f'<p class="warning">{html.escape(one)}</p>' for one in pair.warnings())
    asked = "".join(
        f"<dt>{html.escape(side.name)}</dt><dd>{html.escape(str(side.about['question']))} "
        f"Tested on {html.escape(side.about['windows']['test'])}.</dd>"
        for side in (pair.a, pair.b)
    )
    figures = table("Figures with their 95% intervals", ("", *names, ""), pair.figures())
    differing = list(pair.differences())
    differences = (
        table("Settings, data and signals that differ", ("", *names), differing)
        if differing
        else "<p>Nothing that is recorded differs.</p>"
    )
    looks = list(pair.verdicts())
    verdicts = (
        table("Gates that are not held, checks that ask for a look", ("", *names), looks)
        if looks
        else "<p>Every gate is held and no check asks for a look, in either.</p>"
    )
    heads = ("bin", *(f"{name}: {what}" for name in names for what in ("foretold", "observed")))
    return (
        f'<!doctype html><html lang="en-GB"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}{FURTHER}</style></head><body><main>"
        f"<h1>{html.escape(title)}</h1>{warned}<dl>{asked}</dl>"
        "<p>Intervals that overlap leave open which model is better. Compare the figures only when "
        "no warning stands above: both are then of the same children and months.</p>"
        f"{figures}<h2>Calibration</h2>{drawing(pair.calibrations())}"
        f"{table('The same as numbers', heads, numbers(pair))}"
        f"<h2>What has to be looked at</h2>{verdicts}"
        f"<h2>What differs</h2>{differences}</main></body></html>\n"
    )


def numbers(pair: Pair) -> Iterator[tuple[str, ...]]:
    """One row a bin: foretold and observed of the first run, then of the second."""
    sides = pair.calibrations().values()
    for number, points in enumerate(zip_longest(*sides), start=1):
        cells = [
            "-" if one is None else f"{one[key]:.4f}"
            for one in points
            for key in ("probability", "observed")
        ]
        yield (str(number), *cells)


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column heads its rows."""
    top = "".join(
        f'<th scope="col">{html.escape(head)}</th>' if head else "<td></td>" for head in heads
    )
    body = "".join(
        f'<tr><th scope="row">{html.escape(row[0])}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{html.escape(caption)}"><table>'
        f"<caption>{html.escape(caption)}</caption><thead><tr>{top}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def drawing(calibrations: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Observed share against probability of both models, on one scale."""
    points = [point for bins in calibrations.values() for point in bins]
    top = max((point[key] for point in points for key in ("probability", "observed")), default=1.0)
    whole = SIDE + MARGIN + 10

    def place(point: Mapping[str, float]) -> tuple[float, float]:
        across, up = (SIDE * point[key] / (top or 1.0) for key in ("probability", "observed"))
        return round(MARGIN + across, 1), round(10 + SIDE - up, 1)

    drawn, keys = [], []
    for number, (name, bins) in enumerate(calibrations.items()):
        spots = [place(one) for one in bins]
        line = " ".join(f"{x},{y}" for x, y in spots)
        colour = COLOURS[number]
        drawn.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [_mark(number, x, y) for x, y in spots]
        height = 26 + 20 * number
        keys.append(_mark(number, MARGIN + 16, height - 5))
        keys.append(f'<text x="{MARGIN + 28}" y="{height}">{html.escape(name)}</text>')
    return (
        f'<figure><svg viewBox="0 0 {whole} {whole}" width="{whole}" role="img" '
        'font-family="Arial,sans-serif" font-size="13" aria-label="Observed share against '
        'foretold probability of both runs; the numbers are in the next table">'
        f'<path d="M{MARGIN} 10V{SIDE + 10}H{SIDE + MARGIN}" fill="none" stroke="#0b0c0c"/>'
        f'<path d="M{MARGIN} {SIDE + 10}L{SIDE + MARGIN} 10" stroke="#505a5f" '
        f'stroke-dasharray="4 4"/>{"".join(drawn)}{"".join(keys)}'
        f'<text x="{SIDE}" y="{SIDE + 28}" text-anchor="end">foretold, up to {top:.3f}</text>'
        f'<text x="14" y="{SIDE - 30}" transform="rotate(-90 14 {SIDE - 30})">observed</text>'
        "</svg><figcaption>On the dotted line as many had the outcome as were foretold."
        "</figcaption></figure>"
    )


def _mark(number: int, x: float, y: float) -> str:
    """A dot for the first run, a square for the second."""
    if number:
        return f'<rect x="{x - 4}" y="{y - 4}" width="8" height="8" fill="{COLOURS[1]}"/>'
    return f'<circle cx="{x}" cy="{y}" r="4" fill="{COLOURS[0]}"/>'
