"""One agency file under construction: its text columns and the clocks of its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from riskflag.synth.draws import Array


@dataclass(frozen=True)
class Correction:
    """A column that is sometimes written wrongly at first: the values it may wrongly hold."""

    column: str
    wrong: tuple[str, ...]


@dataclass(frozen=True)
class Extract:
    """One table as an agency holds it on the last day, with when each row happened and was written.

    `occurred` and `recorded` are day numbers [rows]; `changed` is the day an earlier row was last
    changed (for example closed), or `recorded`. `scope` says what a weekly file holds: "window" all
    rows that occurred in the last `window` days and those changed, "delta" only what is new.
    """

    name: str
    table: pa.Table
    occurred: Array
    recorded: Array
    scope: str = "delta"
    window: int = 120
    key: str = ""
    correction: Correction | None = None
    #: columns that are empty until `changed`: delivered as null in files before that day
    later: tuple[str, ...] = ()
    changed: Array | None = None
    #: why a row carries an identifier error (0 none): see identity.ERRORS
    errors: Array | None = None
    retractable: bool = False
    outage: bool = False
    #: columns that say when the row was recorded or shared
    stamps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert len(self.occurred) == len(self.recorded) == self.table.num_rows

    @property
    def last_change(self) -> Array:
        """The day of the last change of each row."""
        return self.recorded if self.changed is None else np.maximum(self.changed, self.recorded)

    def only(self, keep: Array) -> Extract:
        """The rows of a mask or an index, in that order."""
        rows = np.flatnonzero(keep) if keep.dtype == bool else keep

        def pick(values: Array | None) -> Array | None:
            return None if values is None else values[rows]

        return replace(
            self,
            table=self.table.take(pa.array(rows)),
            occurred=self.occurred[rows],
            recorded=self.recorded[rows],
            changed=pick(self.changed),
            errors=pick(self.errors),
        )

    def within(self, start: int, end: int) -> Extract:
        """What the agency holds of a stretch of time, in the order in which it was recorded.

        Rows that were over before `start` are not kept (systems cut their history); rows of a case
        still under way then are.
        """
        held = (np.maximum(self.occurred, self.last_change) >= start) & (self.recorded <= end)
        order = np.lexsort((np.arange(len(self.recorded)), self.recorded))
        return self.only(order[held[order]])
