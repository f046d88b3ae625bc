"""Rules and themes that rest on exactly the same contacts: one reason, in which each is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from riskflag.scoring.flags import RANK
from riskflag.scoring.reasons import strength_of

Row = dict[str, Any]


def rules_of(reason: Mapping[str, Any]) -> list[Row]:
    """The rules of a reason, the most pressing first; none when it is the model's alone."""
    return [] if reason["rule"] is None else [reason["rule"], *reason.get("also", ())]


def themes_of(reason: Mapping[str, Any]) -> list[str]:
    """The model's themes in a reason, the strongest first; none when it is the rules' alone."""
    model = reason["model"]
    return [] if model is None else [model["theme"], *model.get("also_themes", ())]


def reason_ids(reasons: Iterable[Mapping[str, Any]]) -> set[str]:
    """The ids of reasons, with those of rules and themes that were joined to another."""
    listed = list(reasons)
    ids = {reason["reason_id"] for reason in listed}
    ids |= {f"rule:{rule['id']}" for reason in listed for rule in rules_of(reason)}
    return ids | {f"model:{theme}" for reason in listed for theme in themes_of(reason)}


def join(reasons: Iterable[Row]) -> list[Row]:
    """One reason for rules on the same contacts: that of the most pressing, the rest in `also`.

    Rules that rest on an absence are never the same as anything. Earlier reasons are joined only
    when they stand alike and last held on the same day; of two with a theme each, both stay.
    """
    groups: dict[object, list[Row]] = {}
    for number, reason in enumerate(reasons):
        rested = tuple(reason["contact_keys"]) if reason["rule"] is not None else ()
        key = (rested, reason.get("standing"), reason.get("last_matched"))
        group = groups.setdefault(key if rested else number, [])
        if any(one["model"] is not None for one in group) and reason["model"] is not None:
            groups[number] = [reason]
        else:
            group.append(reason)
    return [_one(group) for group in groups.values()]


def distinct(reasons: Iterable[Row]) -> list[Row]:
    """The reasons of one night, no two of which rest on the same contacts; order kept.

    The first of those on the same contacts takes in the others: all rules and themes stay named,
    and what themes added to the score is added up. What rests on an absence stays alone.
    """
    groups: dict[object, list[Row]] = {}
    for number, reason in enumerate(reasons):
        groups.setdefault(tuple(reason["contact_keys"]) or number, []).append(reason)
    return [_united(group) for group in groups.values()]


def _united(group: list[Row]) -> Row:
    """One reason of several on the same contacts."""
    if len(group) == 1:
        return group[0]
    rules = sorted(
        (rule for reason in group for rule in rules_of(reason)), key=lambda r: RANK[r["level"]]
    )
    models = [reason["model"] for reason in group if reason["model"] is not None]
    first = next((one for one in group if rules and one["rule"] is rules[0]), group[0])
    if not rules:
        return {**first, "model": _one_model(models)}
    return {
        **first,
        "source": "both" if models else "rule",
        "rule": rules[0],
        "also": rules[1:],
        "model": _one_model(models) if models else None,
    }


def _one_model(models: list[Row]) -> Row:
    """Several themes as one: the strongest gives its name, shares are added up."""
    ranked = sorted(models, key=lambda model: -model["share"])
    share = sum(model["share"] for model in ranked)
    themes = [t for model in ranked for t in (model["theme"], *model["also_themes"])]
    return {
        **ranked[0],
        "also_themes": themes[1:],
        "share": share,
        "strength": strength_of(share),
        "signals": [signal for model in ranked for signal in model["signals"]],
    }


def split(reason: Row) -> list[Row]:
    """The reasons that were joined, each for itself: one rule may go while the other stays."""
    others = [
        {
            **reason,
            "reason_id": f"rule:{rule['id']}",
            "source": "rule",
            "theme": rule["theme"],
            "rule": rule,
            "also": [],
            "model": None,
            "contact_keys": _behind(rule),
        }
        for rule in reason.get("also", ())
    ]
    return [{**reason, "also": []}, *others]


def _one(group: list[Row]) -> Row:
    if len(group) == 1:
        return group[0]
    ranked = sorted(group, key=lambda reason: RANK[reason["rule"]["level"]])
    model = next((one["model"] for one in group if one["model"] is not None), None)
    rules = [rule for reason in ranked for rule in rules_of(reason)]
    source = "rule" if model is None else "both"
    return {**ranked[0], "source": source, "rule": rules[0], "also": rules[1:], "model": model}


def _behind(rule: Row) -> list[str]:
    met = (c["contact_keys"] for c in rule["conditions"] if c["speaks_for_rule"])
    return sorted({key for keys in met for key in keys})
