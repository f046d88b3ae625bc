"""A signal's declaration as plain JSON values and back: what a bundle can carry instead of code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from riskflag.errors import ConfigError
from riskflag.signals.define import Signal
from riskflag.signals.expression import (
    OPERATIONS,
    Age,
    Aggregate,
    Difference,
    Expression,
    Ratio,
    Scaled,
    Selection,
    Within,
)

_WORDS = ("name", "question", "rationale", "source", "direction", "theme", "agency", "unit")


def to_plain(signal: Signal) -> dict[str, Any]:
    """Everything that was declared of a signal, in values that JSON has."""
    told = {name: getattr(signal, name) for name in _WORDS}
    return {**told, "protective": signal.protective, "of": _plain(signal.of)}


def from_plain(declared: object) -> Signal:
    """The signal that `to_plain` told of; raises ConfigError for anything else.

    It is built like any other signal, so whatever cannot be declared is refused here too.
    """
    try:
        told = _exactly(declared, *_WORDS, "protective", "of")
        if not isinstance(told["protective"], bool):
            raise TypeError
        return Signal(**{**told, "of": _expression(told["of"])})
    except (KeyError, TypeError, ValueError, RecursionError):
        raise ConfigError("A carried signal is not declared as signals are.") from None


def _plain(of: Expression) -> dict[str, Any]:
    if isinstance(of, Difference | Ratio):
        kind = "difference" if isinstance(of, Difference) else "ratio"
        return {"kind": kind, "a": _plain(of.a), "b": _plain(of.b)}
    if isinstance(of, Scaled):
        return {"kind": "scaled", "a": _plain(of.a), "factor": of.factor}
    if isinstance(of, Age):
        return {"kind": "age", "unit": of.unit}
    return {"kind": "within" if isinstance(of, Within) else "aggregate", **asdict(of)}


def _expression(value: object) -> Expression:
    if not isinstance(value, dict):
        raise TypeError
    kind = value.get("kind")
    if kind in ("difference", "ratio"):
        told = _exactly(value, "kind", "a", "b")
        of_two = Difference if kind == "difference" else Ratio
        return of_two(_expression(told["a"]), _expression(told["b"]))
    if kind == "scaled":
        told = _exactly(value, "kind", "a", "factor")
        return Scaled(_expression(told["a"]), told["factor"])
    if kind == "age":
        return Age(_exactly(value, "kind", "unit")["unit"])
    return _aggregate(value)


def _aggregate(value: dict[str, Any]) -> Aggregate:
    further = ("within", "then") if value["kind"] == "within" else ()
    names = ("op", "selection", "days", "ending", "attribute", *further)
    told = _exactly(value, "kind", *names)
    if told.pop("kind") not in ("aggregate", "within") or told["op"] not in OPERATIONS:
        raise ValueError
    told["selection"] = _selection(told["selection"])
    if not further:
        return Aggregate(**told)
    then = told.pop("then")
    return Within(**told, then=None if then is None else _selection(then))


def _selection(value: object) -> Selection:
    told = _exactly(value, "types", "links", "where")
    where = tuple((_word(name), _words(values)) for name, values in told["where"])
    return Selection(_words(told["types"]), _words(told["links"]), where)


def _exactly(value: object, *names: str) -> dict[str, Any]:
    if not isinstance(value, Mapping) or set(value) != set(names):
        raise TypeError
    return dict(value)


def _words(values: object) -> tuple[str, ...]:
    if not isinstance(values, list | tuple):
        raise TypeError
    return tuple(_word(value) for value in values)


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
