"""The paths by which a source names the columns of an XML file, relative to a row's element.

A path goes down by names (`Assessments/AssessmentFactors`), up by `..`, to an attribute by `@name`
and to the element's own text by `.`; `A|B` is the first of the two that holds a text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_STEP = r"@?[A-Za-z_][\w.\-]*"
_PATH = re.compile(rf"\.|(?:\.\.)(?:/\.\.)*(?:/{_STEP})*|{_STEP}(?:/{_STEP})*")


@dataclass(frozen=True)
class ColumnPath:
    """One way from a row's element to a text: so many elements up, then down by names."""

    up: int
    down: tuple[str, ...]


def column_paths(text: str) -> tuple[ColumnPath, ...]:
    """The alternatives of a column; ValueError when it is not a path."""
    found = []
    for part in text.split("|"):
        if not _PATH.fullmatch(part):
            raise ValueError(f"{part} is not a path such as Name, ../Name or @name")
        steps = [step for step in part.split("/") if step != "."]
        up = steps.count("..")
        found.append(ColumnPath(up, tuple(steps[up:])))
    return tuple(found)
