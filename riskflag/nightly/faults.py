"""One child whose reasons cannot be built must not keep the night from all others.

Such a child is not assessed, which is told; an open flag stays as it was. Of the fault only the
class of the exception and its place in the program are kept: its message may hold values.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskflag.errors import HeldError, RiskflagError

PACKAGE = Path(__file__).parents[1]
#: These tell of the declarations or of the machine, not of one child: they end the night.
NOT_OF_ONE_CHILD = (RiskflagError, MemoryError, OSError)
#: More than this share of children, and at least so many, and the fault is not of single children.
SHARE, FEWEST = 0.001, 3


@dataclass(frozen=True, order=True)
class Fault:
    """The class of an exception and the file and line of riskflag where it came about."""

    error: str
    place: str

    @classmethod
    def of(cls, error: Exception) -> Fault:
        """What may be told of an exception: nothing that came from the data."""
        own = [
            f"{Path(frame.filename).relative_to(PACKAGE.parent).as_posix()}:{frame.lineno}"
            for frame in traceback.extract_tb(error.__traceback__)
            if Path(frame.filename).is_relative_to(PACKAGE)
        ]
        return cls(type(error).__name__, own[-1] if own else "not known")


def told(faults: Mapping[str, Fault]) -> list[dict[str, Any]]:
    """Each kind of fault and how many children it met, for the manifest."""
    return [
        {"error": fault.error, "place": fault.place, "children": children}
        for fault, children in sorted(Counter(faults.values()).items())
    ]


def hold_if_many(faults: Mapping[str, Fault], children: int) -> None:
    """Raise HeldError when so many children met a fault that the night cannot be trusted."""
    if len(faults) < FEWEST or len(faults) <= SHARE * children:
        return
    kinds = ", ".join(f"{one['error']} at {one['place']}" for one in told(faults))
    raise HeldError(
        f"{len(faults)} of {children} children could not be assessed because of a fault in the "
        f"program ({kinds}); the previous publication stays. Report the fault, and score again "
        "with a version that has it put right."
    )
