"""Two recorded runs beside each other: figures with intervals, calibration, and what differs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from riskflag.training.figures.checks import FINE, NOT_KNOWN
from riskflag.training.figures.intervals import interval
from riskflag.training.figures.tables import calibrations
from riskflag.training.judging.gates import Gate
from riskflag.training.record.track import Run, Store

#: The figures of the model that are compared, and what they are called.
FIGURES = (
    ("auroc", "AUROC"),
    ("average_precision", "average precision"),
    ("precision_at_capacity", "precision at capacity"),
    ("recall_at_capacity", "recall at capacity"),
)
CALIBRATION = (("slope", "calibration slope"), ("expected_over_observed", "foretold/observed"))
WEEKLY = ("precision", "recall", "children_found", "days_of_warning")
#: Tags that say what a run was made from.
MADE_FROM = (
    ("history_digest", "history"),
    ("catalogue_fingerprint", "signal catalogue"),
    ("config_digest", "config.toml"),
    ("git_revision", "git revision"),
    ("code_version", "riskflag version"),
)
#: Verdicts that nobody has to look at.
QUIET = frozenset({"held", FINE, NOT_KNOWN, "-"})


@dataclass(frozen=True)
class Side:
    """One run with the files that a comparison reads."""

    run: Run
    result: Mapping[str, Any]
    about: Mapping[str, Any]
    signals: Mapping[str, str]
    rulebook: str
    gates: tuple[Gate, ...]

    @classmethod
    def of(cls, store: Store, wanted: str) -> Side:
        """The run whose id begins so or that has this alias; raises ConfigError without one."""
        run = store.find(wanted)
        bundle = store.files(run, "bundle")
        signals = json.loads(bundle["signals.json"])["signals"]
        rulebook = store.files(run, "catalogue")["rulebook.toml"]
        return cls(
            run,
            json.loads(store.files(run, "report")["figures.json"]),
            json.loads(bundle["about.json"]),
            {one["name"]: one["fingerprint"] for one in signals},
            hashlib.sha256(rulebook).hexdigest(),
            tuple(Gate.from_dict(one) for one in json.loads(bundle["gates.json"])["gates"]),
        )

    @property
    def name(self) -> str:
        """The beginning of its id, with its experiment."""
        return f"{self.run.id[:8]} ({self.run.experiment})"

    def verdicts(self) -> dict[str, str]:
        """The verdict of every gate and check, by its name in words."""
        checks = self.result.get("checks", ())
        return {f"gate: {gate.name}": gate.verdict for gate in self.gates} | {
            f"check: {one['name'].replace('_', ' ')}": one["verdict"] for one in checks
        }

    def brier(self) -> Mapping[str, float | None]:
        """The Brier score; runs of versions up to 0.4 recorded it without an interval."""
        found = self.result["calibration"]["brier"]
        return found if isinstance(found, Mapping) else {"value": found, "low": None, "high": None}

    def figures(self) -> dict[str, Mapping[str, float | None]]:
        """Every compared figure by its name in words, with its interval."""
        model, calibration = self.result["scorers"]["model"], self.result["calibration"]
        baselines = {
            f"AUROC of {name}": figures["auroc"]
            for name, figures in self.result["scorers"].items()
            if name != "model"
        }
        weekly = self.result.get("rolling", {}).get("pooled", {}).get("model", {})
        return {
            **{words: model[key] for key, words in FIGURES},
            **{words: calibration[key] for key, words in CALIBRATION},
            **{f"weekly {key.replace('_', ' ')}": weekly[key] for key in WEEKLY if key in weekly},
            **baselines,
        }


@dataclass(frozen=True)
class Pair:
    """Two sides and everything that a page says of them."""

    a: Side
    b: Side

    def warnings(self) -> list[str]:
        """Why the figures cannot be compared; empty when they can."""
        reasons = {
            "they read other histories": self.a.run.tags.get("history_digest")
            != self.b.run.tags.get("history_digest"),
            "they were judged on other months": self.a.about["windows"]["test"]
            != self.b.about["windows"]["test"],
            "they anticipate other outcomes": any(
                self.a.about[key] != self.b.about[key] for key in ("outcome_types", "horizon_days")
            ),
            "the capacity differs": self.a.result["capacity_per_month"]
            != self.b.result["capacity_per_month"],
        }
        told = [reason for reason, holds in reasons.items() if holds]
        return [f"Do not compare the figures: {', '.join(told)}."] if told else []

    def figures(self) -> Iterator[tuple[str, str, str, str]]:
        """Name, both figures with intervals, and what can be told from the intervals."""
        ours, theirs = self.a.figures(), self.b.figures()
        before, after = self.a.brier(), self.b.brier()
        yield "Brier", interval(before, 5), interval(after, 5), _apart(before, after)
        for name in {**ours, **theirs}:
            first, second = ours.get(name), theirs.get(name)
            yield (
                name,
                "-" if first is None else interval(first),
                "-" if second is None else interval(second),
                _apart(first, second),
            )

    def verdicts(self) -> Iterator[tuple[str, str, str]]:
        """Gates that are not held and checks that ask for a look in either: the verdict of both."""
        ours, theirs = self.a.verdicts(), self.b.verdicts()
        for name in {**ours, **theirs}:
            both = ours.get(name, "-"), theirs.get(name, "-")
            if not QUIET.issuperset(both):
                yield name, *both

    def differences(self) -> Iterator[tuple[str, str, str]]:
        """Settings, data and signals that differ: what, and how it is in each."""
        ours, theirs = self.a.run.parameters, self.b.run.parameters
        for name in sorted({*ours, *theirs}):
            if ours.get(name) != theirs.get(name):
                yield name, ours.get(name, "-"), theirs.get(name, "-")
        for tag, words in MADE_FROM:
            first, second = (side.run.tags.get(tag, "-") for side in (self.a, self.b))
            if first != second:
                yield words, first[:12], second[:12]
        if self.a.rulebook != self.b.rulebook:
            yield "rulebook", self.a.rulebook[:12], self.b.rulebook[:12]
        for name in sorted({*self.a.signals, *self.b.signals}):
            first, second = (side.signals.get(name, "") for side in (self.a, self.b))
            if first != second:
                told = [one[:12] or "not an input" for one in (first, second)]
                yield f"signal {name}", told[0], told[1]

    def calibrations(self) -> dict[str, list[dict[str, float]]]:
        """The calibration bins of both models."""
        return {side.name: calibrations(side.result)["model"] for side in (self.a, self.b)}


def _apart(
    first: Mapping[str, float | None] | None, second: Mapping[str, float | None] | None
) -> str:
    """Whether two intervals lie apart; overlapping ones decide nothing."""
    if first is None or second is None:
        return "in one only"
    a, b = ((one["low"], one["high"]) for one in (first, second))
    if a[0] is None or a[1] is None or b[0] is None or b[1] is None:
        return ""
    if first == second:
        return "the same"
    if a[1] < b[0]:
        return "higher in the second"
    return "higher in the first" if b[1] < a[0] else "intervals overlap"


def as_text(pair: Pair) -> str:
    """The comparison as plain text."""
    names = (pair.a.name, pair.b.name)
    figures = [("", *names, ""), *pair.figures()]
    lines = [*pair.warnings(), *columns(figures)]
    for title, found, nothing in (
        ("What has to be looked at", pair.verdicts(), "nothing in either"),
        ("What differs", pair.differences(), "nothing that is recorded"),
    ):
        rows = list(found)
        lines += ["", title, *(columns([("", *names), *rows]) if rows else [nothing])]
    return "\n".join(lines)


def columns(rows: list[Any]) -> list[str]:
    """Rows of text in aligned columns."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
