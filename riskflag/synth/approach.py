"""Contacts to children's social care: who turns to it, about which child, and how serious it looks.

Most contacts follow from something an agency recorded (a police notice, a school concern, an
emergency department's worry); relatives, neighbours, courts and others write on their own.
"""

from __future__ import annotations

import numpy as np

from riskflag.synth.draws import Array, Columns, chance, choose, take
from riskflag.synth.scene import Scene

#: Source codes of social care with the share inside their group.
SOURCES = (
    "6", "2A", "2B", "3A", "3B", "3C", "3D", "3E", "3F", "4", "5A", "5B", "5C", "5D",
    "1A", "1B", "1C", "1D", "7", "8", "9", "10",
)  # fmt: skip
#: Groups of the official statistics by source code.
GROUPS = {
    "police": ("6",),
    "schools": ("2A",),
    "education services": ("2B",),
    "health": ("3A", "3B", "3C", "3D", "3E", "3F"),
    "housing": ("4",),
    "local authority services": ("5A", "5B", "5C", "5D"),
    "individuals": ("1A", "1B", "1C", "1D"),
    "other legal agency": ("7",),
    "other": ("8",),
    "anonymous": ("9",),
    "unknown": ("10",),
}


def _code(*names: str) -> Array:
    return np.asarray([SOURCES.index(name) for name in names])


def _from(
    events: Columns, keep: Array, source: Array | int, severity: Array, draw: Array
) -> Columns:
    """Contacts that follow from other events a day or two later."""
    rows = take(events, keep)
    n = len(rows["day"])
    return {
        "child": rows["child"],
        "day": rows["day"],
        "source": np.broadcast_to(source, len(keep))[keep].astype(np.int64),
        "severity": np.broadcast_to(severity, len(keep))[keep],
        "draw": draw[keep],
        "incident": rows.get("incident", np.full(n, -1)),
        "missing": np.zeros(n, bool),
    }


def contacts(scene: Scene, seen: dict[str, Columns]) -> Columns:
    """All contacts: child, day, source, severity 0..1, draw (decides), incident, missing."""
    rng = scene.rng("contact kind")
    parts = _from_agencies(scene, seen, rng) + _from_others(scene, rng)
    events = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    events["day"] = events["day"] + choose(rng, [0.5, 0.35, 0.15], len(events["day"]))
    events = take(events, scene.lives_here(events))
    phase = scene.people.phase[events["child"]]
    events["step"] = scene.calendar.step_of(events["day"], phase)
    order = np.lexsort((events["source"], events["day"], events["child"], events["step"]))
    return take(events, order)


def _from_agencies(
    scene: Scene, seen: dict[str, Columns], rng: np.random.Generator
) -> list[Columns]:
    abuse, notice, missing = seen["domestic_abuse"], seen["notice"], seen["missing"]
    concern, emergency, practice = seen["concern"], seen["emergency"], seen["practice"]
    serious = np.asarray([0.9, 0.5, 0.2, 0.95, 0.2, 0.25, 0.1])[concern["category"]]
    passed = chance(rng, 0.05 + 0.2 * serious, len(serious))
    police = _from(
        abuse,
        (abuse["grade"] > 0) | (abuse["draw"] < 0.3),
        0,
        abuse["grade"] / 2,
        (abuse["draw"] * 97.0) % 1,
    )
    n, m, k = len(notice["day"]), len(missing["day"]), len(practice["day"])
    parts = [
        police,
        _from(notice, chance(rng, 0.6, n), 0, notice["grade"] / 2, rng.random(n)),
        _from(missing, chance(rng, 0.3, m), 0, missing["grade"] / 3, rng.random(m)),
        _from(concern, passed, _code("2A")[0], serious, rng.random(len(serious))),
        _from(
            emergency,
            emergency["safeguarding"],
            _code("3E")[0],
            np.asarray(0.5),
            rng.random(len(emergency["day"])),
        ),
        _from(practice, chance(rng, 0.4, k), _code("3A")[0], np.asarray(0.4), rng.random(k)),
    ]
    parts[2]["missing"] = np.ones(len(parts[2]["day"]), bool)
    household = (("housing", _code("4")[0], 0.06), ("adult", _code("5A")[0], 0.2))
    for name, source, share in household:
        events = seen[name]
        events = take(events, chance(rng, share, len(events["day"])))
        draw = rng.random(len(events["day"]))
        events = scene.spread(events | {"draw": draw, "incident": np.full(len(draw), -1)})
        everyone = np.ones(len(events["day"]), bool)
        parts.append(_from(events, everyone, source, np.asarray(0.5), events["draw"]))
    return parts


def _from_others(scene: Scene, rng: np.random.Generator) -> list[Columns]:
    """Contacts that no other file shows: rates per child, drawn by household so siblings share."""
    homes = scene.people.households
    reporting, seeking = homes.reporting[:, None], homes.seeking[:, None]
    neglect, abuse = scene.h("neglect"), scene.h("domestic_abuse")
    mental, substance, strain = (
        scene.h("parent_mental_health"),
        scene.h("substance"),
        scene.h("strain"),
    )
    all_trouble = neglect + abuse + 0.6 * mental + substance
    rates: dict[str, tuple[Array, tuple[str, ...], float]] = {
        "family": ((0.010 + 0.07 * all_trouble) * seeking, ("1A", "1C"), 0.4),
        "neighbour": ((0.006 + 0.06 * all_trouble) * reporting, ("1B", "1D"), 0.45),
        "anonymous": ((0.005 + 0.03 * all_trouble) * reporting, ("9",), 0.3),
        "health": ((0.004 + 0.07 * all_trouble) * reporting, ("3B", "3C", "3D", "3F"), 0.55),
        "authority": ((0.006 + 0.07 * all_trouble + 0.05 * strain), ("5B", "5C", "5D"), 0.6),
        "court": (0.006 + 0.07 * abuse + 0.02 * substance, ("7",), 0.4),
        "voluntary": ((0.005 + 0.05 * all_trouble) * seeking, ("8",), 0.45),
        "unknown": (0.002 + 0.015 * all_trouble, ("10",), 0.4),
        "education": (0.002 + 0.03 * neglect, ("2B",), 0.5),
    }
    parts = []
    for name, (rate, codes, severity) in rates.items():
        events = scene.for_households(f"contact {name}", rate)
        n = len(events["day"])
        which = _code(*codes)[rng.integers(0, len(codes), n)]
        events |= {"source": which, "draw": rng.random(n), "incident": np.full(n, -1)}
        events = scene.spread(events)
        everyone = np.ones(len(events["day"]), bool)
        parts.append(
            _from(events, everyone, events["source"], np.asarray(severity), events["draw"])
        )
    return parts
