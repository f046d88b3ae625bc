"""What the JSON files of a bundle must say before a byte of it is used."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from riskflag.scoring.calibration import Calibration

Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
Words = Annotated[str, Field(max_length=2000)]


class _Part(BaseModel):
    """A part: what is used of it is checked, what a later version may add is let through."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Signal(_Part):
    name: Name
    theme: Name
    direction: Literal["raises", "lowers", "none"]
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    question: Words
    #: Of a signal that the model brings with it: its declaration.
    declared: dict[Name, Any] | None = None


class _Signals(_Part):
    signals: Annotated[list[_Signal], Field(min_length=1, max_length=10_000)]

    @model_validator(mode="after")
    def _different(self) -> _Signals:
        if len({one.name for one in self.signals}) != len(self.signals):
            raise ValueError("a signal is listed twice")
        return self


class _Thresholds(_Part):
    raw: FiniteFloat
    probability: Share
    share: Share


class _Band(_Part):
    from_age: Annotated[int, Field(ge=0, le=130)]
    to_age: Annotated[int, Field(ge=0, le=130)]
    age_band: Words
    n: Annotated[int, Field(ge=1)]
    p50: FiniteFloat
    p90: FiniteFloat


class _Reference(_Part):
    signals: dict[Name, list[_Band]]


class _Performance(_Part):
    n: Annotated[int, Field(ge=0, le=10**9)]
    needed_more: Annotated[int, Field(ge=0)]
    period: Words

    @model_validator(mode="after")
    def _part_of_all(self) -> _Performance:
        if self.needed_more > self.n:
            raise ValueError("more of them than there are")
        return self


class _Gate(_Part):
    name: Words
    passed: bool
    measured: Words


class _Gates(_Part):
    passed: bool
    gates: list[_Gate]

    @model_validator(mode="after")
    def _held(self) -> _Gates:
        if not self.passed:
            raise ValueError("it was not promoted")
        return self


class _Probe(_Part):
    rows: Annotated[list[list[float | None]], Field(min_length=1, max_length=10_000)]
    raw: list[FiniteFloat]


class _Refits(_Part):
    models: Annotated[list[str], Field(max_length=100)]


_SHAPES: Mapping[str, type[_Part]] = {
    "signals": _Signals,
    "thresholds": _Thresholds,
    "reference": _Reference,
    "performance": _Performance,
    "gates": _Gates,
    "probe": _Probe,
    "refits": _Refits,
}


def plain_json(data: bytes) -> dict[str, Any]:
    """The object in `data`; raises ValueError for anything else, NaN or a doubled key in it."""
    try:
        value = json.loads(
            data,
            parse_constant=_no_number,
            parse_float=_finite,
            object_pairs_hook=_without_doubles,
        )
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(value, dict):
        raise ValueError("it is not an object")
    return value


def check_part(name: str, value: Mapping[str, Any]) -> None:
    """Raise ValueError unless `value` is what the part `name` must be."""
    try:
        if name == "calibration":
            Calibration.from_dict(dict(value))
        else:
            _SHAPES[name].model_validate(value)
    except (ValidationError, TypeError, ValueError):
        # Its text would repeat what the file says.
        raise ValueError(f"{name} is not what it must be") from None


def check_probe(probe: Mapping[str, Any], signals: int) -> None:
    """Raise ValueError unless every probe row has one number a signal and one score."""
    rows, raw = probe["rows"], probe["raw"]
    if len(rows) != len(raw) or any(len(row) != signals for row in rows):
        raise ValueError("the probe has other rows than scores, or than signals")


def _no_number(token: str) -> float:
    raise ValueError(f"{token} is not a number")


def _finite(token: str) -> float:
    value = float(token)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found
