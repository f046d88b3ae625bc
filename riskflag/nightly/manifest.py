"""The manifest: what a night was made of and what came of it, without a word about any child."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from riskflag.casework.publishing import State
from riskflag.nightly.build import Built
from riskflag.nightly.faults import told
from riskflag.nightly.inputs import FRESH, Inputs
from riskflag.scoring.flags import LEVELS, UNKNOWN, YES

FORMAT = 1
TOOLS = ("numpy", "pyarrow", "lightgbm", "numba", "sqlalchemy")


def manifest(
    inputs: Inputs,
    state: State,
    built: Built,
    *,
    files: Mapping[str, Any],
    content_hash: str,
) -> dict[str, Any]:
    """The manifest as plain JSON; the same night gives the same bytes.

    `content_hash` is the hash of flags.json; `inputs_hash` is the run key, so that what went in
    and what came out can be compared apart.
    """
    return {
        "format": FORMAT,
        "authority": inputs.settings.authority,
        "as_of": inputs.as_of.isoformat(),
        "run_key": inputs.run_key,
        "parts": dict(inputs.parts),
        "inputs_hash": inputs.run_key,
        "content_hash": content_hash,
        "previous": None if state.previous is None else state.previous.run_key,
        "degraded": degraded(inputs, built),
        "paused": inputs.paused,
        "faults": told(built.faults),
        "feeds": inputs.feeds,
        "never_delivered": inputs.never_delivered,
        "counts": counts(inputs, built),
        "rules": rule_counts(inputs, built),
        "unknown_values": unknown_values(built),
        "files": dict(files),
        "bundle": None if inputs.bundle is None else inputs.bundle.id,
        "tools": {"python": platform.python_version(), **{name: version(name) for name in TOOLS}},
    }


def degraded(inputs: Inputs, built: Built) -> bool:
    """Whether a feed was not fresh tonight, or a fault kept a child from being assessed.

    What no feed has ever delivered does not count: it is the same every night, and every flag
    says so.
    """
    return bool(built.faults) or any(feed["state"] != FRESH for feed in inputs.feeds)


def counts(inputs: Inputs, built: Built) -> dict[str, Any]:
    """How many children, flags by status, level, standing and origin, and who is not shown."""
    combined, row_of = built.assessment.combined, built.assessment.row_of
    others, flags = built.assessment.others, built.written
    faulty = [row_of[person] for person in built.faults if person in row_of]
    return {
        "children": built.assessment.children,
        "signals": len(built.assessment.table.names),
        "rules": len(inputs.rulebook.rules),
        "flags": len(flags),
        "by_status": _count((flag.status for flag in flags), ("new", "continuing")),
        "by_level": _count((flag.level for flag in flags), LEVELS),
        "by_standing": _count(flag.standing for flag in flags),
        "by_origin": _count((flag.raised_by for flag in flags), ("rule", "model", "both")),
        "by_model_theme": _count(theme for flag in flags for theme in flag.themes),
        "not_assessed": others.not_assessed
        + int(combined.unknown.sum() + (~combined.unknown[faulty]).sum()),
        "over_model_threshold": others.left_out + combined.over_threshold,
        "left_out_for_capacity": others.left_out + combined.squeezed_out,
        "quiet_after_review": built.lives.quiet,
        "held_back_by_pause": built.lives.held_back,
    }


def rule_counts(inputs: Inputs, built: Built) -> dict[str, Any]:
    """For each rule: its level, children for whom it holds or cannot be decided, and flags."""
    outcome, others = built.assessment.results.outcome, built.assessment.others
    shown = Counter(rule for flag in built.written for rule in flag.rules)
    return {
        rule.id: {
            "version": rule.version,
            "level": rule.level,
            "holds": int(others.holds[column] + (outcome[:, column] == YES).sum()),
            "not_decided": int(others.not_decided[column] + (outcome[:, column] == UNKNOWN).sum()),
            "flags": shown[rule.id],
        }
        for column, rule in enumerate(inputs.rulebook.rules)
    }


def unknown_values(built: Built) -> dict[str, int]:
    """For each signal, for how many children its value is not known."""
    assessment = built.assessment
    missing = assessment.others.unknown + np.isnan(assessment.values).sum(axis=0)
    names = assessment.table.names
    return {name: int(count) for name, count in zip(names, missing, strict=True)}


def _count(found: Iterable[str], values: Sequence[str] = ()) -> dict[str, int]:
    """How often each value occurs: the given ones first, then others by name."""
    count = Counter(found)
    return {value: count[value] for value in (*values, *sorted(set(count) - set(values)))}
