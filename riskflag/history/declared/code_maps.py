"""Codes through a declared map: a code itself, else a pattern that fits it, else any other code."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: A key that begins with this is a regular expression for the whole code, whatever its case.
PATTERN, ANY = "~", "*"


def expression(key: str) -> str | None:
    """The regular expression of a key, None for a plain code."""
    return f"(?i)^(?:{key[1:]})$" if key.startswith(PATTERN) else None


def translated(codes: pa.Array, targets: Mapping[str, str]) -> list[str | None]:
    """What each code becomes; None when the map does not hold it.

    Of several patterns that fit the first declared counts.
    """
    other = targets.get(ANY)
    found = [targets.get(code) for code in codes.to_pylist()]
    for key, target in targets.items():
        pattern = expression(key)
        if pattern is not None:
            fits = np.asarray(pc.fill_null(pc.match_substring_regex(codes, pattern), False))
            found = [
                target if value is None and fit else value
                for value, fit in zip(found, fits, strict=True)
            ]
    return [other if value is None else value for value in found]
