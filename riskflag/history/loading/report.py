"""The load report: what became of every row, in words and in JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from riskflag.history.files.recognise import Proposal


@dataclass(frozen=True)
class FileReport:
    """One file: rows = accepted + duplicate + superseded + quarantined, exactly.

    `status` is loaded, held (the whole file was refused, `reason` says why) or known (these very
    bytes were loaded before; nothing was read). `not_selected` counts accepted rows that no entry
    of the source uses; `reasons` breaks down the quarantined rows, `first` says where the first of
    each stands, `warnings` counts rows that were taken and that somebody should look at.
    """

    name: str
    source: str
    landed: str
    status: str
    rows: int = 0
    accepted: int = 0
    duplicate: int = 0
    superseded: int = 0
    quarantined: int = 0
    not_selected: int = 0
    contacts: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)
    reason: str = ""
    message: str = ""

    @property
    def refused(self) -> bool:
        """Whether nothing of the file was taken: it was held, or every row is quarantined."""
        return self.status == "held" or 0 < self.rows == self.quarantined

    @property
    def balanced(self) -> bool:
        """Law 1."""
        parts = self.accepted + self.duplicate + self.superseded + self.quarantined
        return self.rows == parts


@dataclass(frozen=True)
class Lateness:
    """Days from occurring to being known, for the contacts a source added."""

    source: str
    basis: str
    contacts: int
    half_within: int
    nine_tenths_within: int
    longest: int


@dataclass(frozen=True)
class Unmapped:
    """How often a code was not in its map."""

    source: str
    column: str
    code: str
    rows: int


@dataclass(frozen=True)
class Unsaid:
    """Records that do not say something their source declares: blank, or a code no map holds.

    A signal that asks for a value of it does not count them: unknown is not no, but it is not yes.
    """

    source: str
    type: str
    attribute: str
    contacts: int
    of: int


@dataclass(frozen=True)
class LoadReport:
    """What one `riskflag ingest` did, or with `dry_run` would do."""

    files: tuple[FileReport, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()
    unsaid: tuple[Unsaid, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    lateness: tuple[Lateness, ...] = ()
    issues: dict[str, int] = field(default_factory=dict)
    unclaimed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    new_versions: int = 0
    withdrawn: int = 0
    linked_later: int = 0
    unlinked: int = 0
    persons: int = 0
    relationships: int = 0
    dry_run: bool = False

    @property
    def all_rejected(self) -> bool:
        """Whether there were files and not one row of them could be taken."""
        read = [file for file in self.files if file.status != "known"]
        return bool(read) and all(file.refused for file in read)

    @property
    def rows(self) -> int:
        """Rows of all files read."""
        return sum(file.rows for file in self.files)

    def to_json(self) -> str:
        """The report as JSON with sorted keys."""
        said = asdict(self) | {"all_rejected": self.all_rejected}
        return json.dumps(said, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
