"""The flags of a publication as the bytes they are published as.

As dictionaries ten thousand flags take several GiB, as bytes a fifth of that, and packed a tenth of
those; what passes from the night to its file, its hash and its pages are these bytes anyway.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, overload

import pyarrow as pa

from riskflag.nightly.folder import flag_line, sha256
from riskflag.nightly.joined import rules_of, themes_of
from riskflag.nightly.listing import listed

Row = dict[str, Any]

#: The fastest level: packing takes an eighth of the time that making the line takes.
PACKING = pa.Codec("zstd", compression_level=1)


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
            PACKING.compress(line, asbytes=True),
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
        return bytes(PACKING.decompress(self.packed, self.size, asbytes=True))


class FlagPages(Protocol):
    """Writes the pages of flags as they are made, in whichever process that is."""

    def begin(self) -> None:
        """Called before the first flag; again, when all flags have to be made once more."""

    def write(self, flag: Row, digest: str) -> None:
        """Write one flag's; `digest` is the SHA-256 of its line."""


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


class FlagsById(Mapping[str, Row]):
    """Flags as JSON by their id, each read from its bytes whenever it is asked for."""

    def __init__(self, lines: Mapping[str, bytes]) -> None:
        self._lines = lines

    def __getitem__(self, flag_id: str) -> Row:
        flag: Row = json.loads(self._lines[flag_id])
        return flag

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)
