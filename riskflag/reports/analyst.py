"""The analyst's report of one flag: every contribution to the raw score, drawn and listed.

Not for casework: raw scores and contributions are in log-odds. They say what moved this model, not
what happened to a child. Source of the numbers: the `model` block of the FLAG JSON.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from riskflag.reports import words
from riskflag.reports.analyst_stability import Steadiness, steadiness

#: So many contributions are drawn one by one; the rest are one bar.
DRAWN = 15
ROW = 38
#: How far the sum of contributions may be from the raw score (DESIGN, law 9).
TOLERANCE = 1e-9
UNKNOWN_THEME = "theme not told"


class Part(NamedTuple):
    """One signal's contribution, with what it asks and what was usual in training, if held.

    `usual` is what one child in ten, half and nine in ten had or less; `outside` says when the
    value is below the first or above the last of these.
    """

    name: str
    question: str
    theme: str
    value: str
    usual: tuple[str, str, str]
    outside: str
    contribution: float

    @property
    def signed(self) -> str:
        """The contribution with its sign."""
        return f"{self.contribution:+.4f}".replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True)
class Bar:
    """One bar of a drawing: label, place (percentages of the width), direction."""

    label: str
    amount: str
    y: int
    x: float
    width: float
    raises: bool
    end: float
    text_x: float
    text_anchor: str


@dataclass(frozen=True)
class AnalystReport:
    """All contributions of one flag; `faulty` when they do not add up to the raw score."""

    flag_id: str
    as_of: str
    bundle: str
    parts: tuple[Part, ...]
    waterfall: tuple[Bar, ...]
    waterfall_height: int
    themes: tuple[Bar, ...]
    themes_height: int
    zero: float
    summary: str
    additivity: str
    faulty: bool
    probability: str
    threshold: str
    not_seen: tuple[str, ...]
    cohort: str
    steady: Steadiness | None


def analyst_report(
    flag: Mapping[str, Any], ranges: Mapping[str, Mapping[str, Any]] | None = None
) -> AnalystReport | None:
    """The report of a FLAG JSON, None when no model scored the child.

    `ranges` has, by signal, what was usual in training at the child's age (`Bundle.ranges`);
    without it only the signals that the flag's own reasons tell have a range.
    """
    model = flag.get("model")
    if not model:
        return None
    usual = ranges or _usual(flag)
    parts = tuple(_part(item, usual.get(item["name"])) for item in _by_size(model))
    total = math.fsum([model["base"], *(part.contribution for part in parts)])
    gap = abs(total - model["raw"])
    bars = _waterfall(parts, model["base"], model["raw"])
    themes, zero = _theme_bars(parts)
    top = words.listed(part.name for part in parts[:3])
    return AnalystReport(
        flag_id=flag["flag_id"],
        as_of=words.day(flag["as_of"]),
        bundle=str(model.get("bundle") or "not recorded"),
        parts=parts,
        waterfall=bars,
        waterfall_height=len(bars) * ROW + 8,
        themes=themes,
        themes_height=len(themes) * ROW + 8,
        zero=zero,
        summary=f"From the base {_n(model['base'])} to the raw score {_n(model['raw'])}; "
        f"the largest contributions are {top}.",
        additivity=f"base {_n(model['base'])} + contributions {_n(total - model['base'])} "
        f"= {_n(total)}; recorded raw score {_n(model['raw'])}; difference {gap:.1e}",
        faulty=gap > TOLERANCE,
        probability=f"{model['probability']:.4f}",
        threshold=f"{model['threshold']:.4f}" if model.get("threshold") is not None else "none",
        not_seen=tuple(
            f"{words.agency(feed['agency'])} ({feed['source']}): "
            f"{words.words()['states'].get(feed['state'], feed['state'])}, "
            f"complete to {words.day(feed['complete_to']) if feed.get('complete_to') else 'never'}"
            for feed in flag["not_seen"]
        ),
        cohort=_cohort(usual),
        steady=steadiness(flag.get("stability")),
    )


def _cohort(usual: Mapping[str, Mapping[str, Any]]) -> str:
    """Whom the ranges are over."""
    bands = sorted({str(band["age_band"]) for band in usual.values() if band.get("age_band")})
    if not bands:
        return "No range is held for this child's age."
    least = min(int(band.get("n") or 0) for band in usual.values())
    return (
        f"Ranges are those of children aged {words.listed(bands)} in the last month of the test "
        f"window; each rests on {least:,} or more."
    )


def _by_size(model: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return sorted(model["contributions"], key=lambda c: (-abs(c["contribution"]), c["name"]))


def _usual(flag: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The usual range of the signals that the flag's reasons tell."""
    found: dict[str, Mapping[str, Any]] = {}
    blocks = [reason["model"] for reason in flag["reasons"] if reason.get("model")]
    for block in [*blocks, *flag["lowering"]]:
        for signal in block["signals"]:
            typical = signal.get("typical") or {}
            if typical.get("p90") is not None:
                found[signal["name"]] = typical
    return found


def _part(item: Mapping[str, Any], usual: Mapping[str, Any] | None) -> Part:
    about = item["name"], item.get("question"), item.get("theme"), item.get("value")
    points = (usual.get("p10"), usual.get("p50"), usual.get("p90")) if usual else NOT_HELD
    return Part(*_worded(about, points), float(item["contribution"]))


#: A signal's name, question, theme and value as the flag has them; what was usual.
About = tuple[str, str | None, str | None, float | None]
Points = tuple[float | None, float | None, float | None]
NOT_HELD: Points = (None, None, None)


@lru_cache(maxsize=32768)
def _worded(about: About, points: Points) -> tuple[str, str, str, str, tuple[str, str, str], str]:
    """All of a part but its contribution: most signals have the same few values in all flags."""
    name, question, theme, value = about
    low, middle, high = points
    return (
        name,
        str(question or ""),
        str(theme or UNKNOWN_THEME),
        "missing" if value is None else words.number(value),
        (_point(low), _point(middle), _point(high)),
        _outside(value, low, high),
    )


def _point(value: float | None) -> str:
    return "not held" if value is None else words.number(value)


def _outside(value: float | None, low: float | None, high: float | None) -> str:
    """Whether a value lies outside what eight in ten children had."""
    if value is None:
        return ""
    if high is not None and value > high:
        return "above"
    return "below" if low is not None and value < low else ""


def _waterfall(parts: tuple[Part, ...], base: float, raw: float) -> tuple[Bar, ...]:
    """Bars from the base to the raw score; the smallest contributions are one bar."""
    steps = [(f"{part.name} = {part.value}", part.contribution) for part in parts[:DRAWN]]
    rest = parts[DRAWN:]
    if rest:
        steps.append((f"{len(rest)} other signals", math.fsum(p.contribution for p in rest)))
    reached = [base]
    for _, amount in steps:
        reached.append(reached[-1] + amount)
    low, high = min(*reached, raw), max(*reached, raw)
    scale = _Scale(low, high)
    bars = [scale.point(f"base {_n(base)}", base, 0)]
    for index, (label, amount) in enumerate(steps):
        bars.append(scale.bar(label, reached[index], amount, (index + 1) * ROW))
    return (*bars, scale.point(f"raw score {_n(raw)}", raw, (len(steps) + 1) * ROW))


def _theme_bars(parts: tuple[Part, ...]) -> tuple[tuple[Bar, ...], float]:
    """Net contribution per theme, as bars from zero; the place of zero in per cent."""
    sums: dict[str, list[float]] = {}
    for part in parts:
        sums.setdefault(part.theme, []).append(part.contribution)
    totals = sorted(
        ((theme, math.fsum(values)) for theme, values in sums.items()),
        key=lambda item: (-abs(item[1]), item[0]),
    )
    values = [total for _, total in totals]
    scale = _Scale(min([0.0, *values]), max([0.0, *values]))
    bars = tuple(
        scale.bar(words.plain(theme), 0.0, total, row * ROW)
        for row, (theme, total) in enumerate(totals)
    )
    return bars, scale.at(0.0)


@dataclass(frozen=True)
class _Scale:
    """Log-odds as percentages of the width, with room for the numbers at both ends."""

    low: float
    high: float

    def at(self, value: float) -> float:
        span = (self.high - self.low) or 1.0
        # A fifth of a phone's width is what a number needs.
        return round(20 + 60 * (value - self.low) / span, 3)

    def bar(self, label: str, start: float, amount: float, y: int) -> Bar:
        left, right = sorted((self.at(start), self.at(start + amount)))
        rises = amount >= 0
        return Bar(
            label=label,
            amount=f"{'+' if rises else chr(0x2212)}{abs(amount):.3f}",
            y=y,
            x=left,
            width=round(max(right - left, 0.2), 3),
            raises=rises,
            end=right if rises else left,
            text_x=right + 0.7 if rises else left - 0.7,
            text_anchor="start" if rises else "end",
        )

    def point(self, label: str, value: float, y: int) -> Bar:
        bar = self.bar(label, value, 0.0, y)
        return Bar(**{**bar.__dict__, "amount": ""})


def _n(value: float) -> str:
    return f"{value:.4f}".replace("-", "\N{MINUS SIGN}")
