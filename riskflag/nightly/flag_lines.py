"""The flags of a publication as the bytes they are published as.

As dictionaries ten thousand flags take several GiB, as bytes a fifth of that, and packed a tenth of
those; what passes from the night to its file, its hash and its pages are these bytes anyway.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, overload

import pyarrow as pa

from riskflag.nightly.folder import FLAGS, checked_lines, flag_line, sha256
from riskflag.nightly.joined import rules_of, themes_of
from riskflag.nightly.listing import listed

if TYPE_CHECKING:
    from riskflag.history.store.view import History

Row = dict[str, Any]
#: Size and hash of files, by name, as a manifest has them.
Files = Mapping[str, Mapping[str, Any]]

#: The fastest level: packing takes an eighth of the time that making the line takes.
PACKING = pa.Codec("zstd", compression_level=1)


def pack(line: bytes) -> bytes:
    """A line of flags.json in a tenth of its size."""
    return bytes(PACKING.compress(line, asbytes=True))


def unpack(packed: bytes, size: int) -> bytes:
    """The line of `size` bytes that was packed."""
    return bytes(PACKING.decompress(packed, size, asbytes=True))


@dataclass(frozen=True)
class Written:
    """One flag: its line of flags.json, what lists show of it, and what the manifest counts.

    The line is held `packed`; `size` is its length in bytes and `digest` its SHA-256.
    """

    packed: bytes
    size: int
    digest: str
    short: Row
    status: str
    level: str
    standing: str
    raised_by: str
    rules: tuple[str, ...]
    themes: tuple[str, ...]

    @classmethod
    def of(cls, flag: Row) -> Written:
        """That of a FLAG JSON."""
        line = flag_line(flag)
        return cls(
            pack(line),
            len(line),
            sha256(line),
            listed(flag),
            flag["status"],
            flag["level"],
            flag["standing"],
            flag["raised_by"],
            tuple(rule["id"] for reason in flag["reasons"] for rule in rules_of(reason)),
            tuple(theme for reason in flag["reasons"] for theme in themes_of(reason)),
        )

    @property
    def line(self) -> bytes:
        """The flag as it stands in flags.json."""
        return unpack(self.packed, self.size)


class Output(Protocol):
    """Takes what a night makes of its flags as it is made (riskflag.nightly.staging)."""

    def begin(self, near: History, people: Collection[str], *, processes: int) -> None:
        """Called before the first flag; again, when all flags have to be made once more.

        `people` are all who are shown, and `near` holds what is known of them.
        """

    def write(self, flag: Row, digest: str) -> Files:
        """Write a flag's pages, in whichever process; `digest` is the SHA-256 of its line."""

    def take(self, written: Written, files: Files) -> None:
        """Take the flags in the order of the worklist, in the first process."""


@dataclass(frozen=True)
class Lines(Sequence[bytes]):
    """The lines of flags.json, each unpacked when it is asked for."""

    written: Sequence[Written]

    def __len__(self) -> int:
        return len(self.written)

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[bytes]: ...
    def __getitem__(self, place: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(place, slice):
            return Lines(self.written[place])
        return self.written[place].line


#: A flag's id in its line: within a text a quotation mark would have a backslash before it.
FLAG_ID = re.compile(rb'"flag_id": "([^"]*)"')


def line_id(line: bytes) -> str:
    """The id of the flag of a line of flags.json, without reading all of it."""
    found = FLAG_ID.search(line)
    return found[1].decode() if found else str(json.loads(line)["flag_id"])


#: What most of a line is: between these, the child's records, and what each signal adds. Keys stand
#: in the order of their names.
BULK = (
    (b', "contacts": [', b', "earlier_reasons": ['),
    (b', "contributions": [', b', "probability": '),
)


def cut_down(line: bytes) -> Row:
    """The flag of a line of flags.json without its records and contributions: read much faster."""
    short = line
    for begin, end in BULK:
        first = short.find(begin)
        last = short.find(end, first)
        if 0 <= first < last:
            short = short[:first] + short[last:]
    try:
        flag: Row = json.loads(short)
    except ValueError:  # as another program wrote it
        flag = json.loads(line)
    return flag


class FlagLines(Sequence[Row]):
    """Flags as JSON, each read from its bytes whenever it is asked for."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    def line(self, place: int) -> bytes:
        """The bytes of one flag."""
        return self._lines[place]

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        if isinstance(place, slice):
            return FlagLines(self._lines[place])
        flag: Row = json.loads(self._lines[place])
        return flag


@dataclass(frozen=True)
class FlagsById(Mapping[str, Row]):
    """Flags of publications as JSON by their id, each read from its file when it is asked for.

    `places` has the file of each, and where its line begins and how long it is.
    """

    places: Mapping[str, tuple[Path, int, int]]

    @classmethod
    def of(cls, where: Path, expected: str) -> FlagsById:
        """Those of a publication; raises IntegrityError unless the file has the recorded hash."""
        path = where / FLAGS
        found = checked_lines(where, expected)
        return cls({line_id(line): (path, starts, len(line)) for starts, line in found})

    def __getitem__(self, flag_id: str) -> Row:
        flag: Row = json.loads(self._line(flag_id))
        return flag

    def cut_down(self, flag_id: str) -> Row | None:
        """A flag without most of its bytes (`cut_down`); None when there is none."""
        return cut_down(self._line(flag_id)) if flag_id in self.places else None

    def __contains__(self, flag_id: object) -> bool:
        return flag_id in self.places

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def _line(self, flag_id: str) -> bytes:
        path, starts, size = self.places[flag_id]
        with path.open("rb", buffering=0) as file:
            file.seek(starts)
            return file.read(size)
