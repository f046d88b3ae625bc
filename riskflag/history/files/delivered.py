"""The bytes of a delivered file, read a piece at a time and checked to be the same bytes each time.

A file is read twice: for its hash, by which it is known, and for its rows. Neither time does all of
it lie in memory. One that is not read from its beginning to its end, a Parquet file or a workbook,
is read once more to see that it is still the same.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from riskflag.errors import InputError

_LARGEST_FILE = 1 << 33
_PIECE = 1 << 22


class RejectedError(InputError):
    """A whole file that cannot be taken; `reason` is its code, the message says what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class FileContent:
    """A file's bytes: in `data`, or on disk at `path`; with their size and SHA-256."""

    size: int
    sha256: str
    data: bytes | None = None
    path: Path | None = None

    @classmethod
    def of(cls, data: bytes) -> FileContent:
        return cls(len(data), hashlib.sha256(data).hexdigest(), data)

    @classmethod
    def at(cls, path: Path) -> FileContent:
        """What lies at `path` now; links, pipes and devices are not opened (RejectedError)."""
        digest, size = hashlib.sha256(), 0
        with _opened(path) as handle:
            while piece := os.read(handle, _PIECE):
                digest.update(piece)
                size += len(piece)
        return cls(size, digest.hexdigest(), path=path)

    def pieces(self, sizes: Iterator[int]) -> Iterator[bytes]:
        """The bytes from the first to the last, in pieces of these sizes.

        Raises RejectedError at the end when they are not those that were there at first.
        """
        if self.data is not None or self.path is None:
            at, data = 0, self.data or b""
            for size in sizes:
                yield data[at : at + size]
                at += size
            return
        digest = hashlib.sha256()
        with _opened(self.path) as handle:
            for size in sizes:
                piece = _read(handle, size)
                digest.update(piece)
                yield piece
            self._check("" if os.read(handle, 1) else digest.hexdigest())

    def blocks(self, size: int) -> Iterator[bytes]:
        """As `pieces`, all but the last of one size."""
        return self.pieces(iter([size] * -(-self.size // size)))

    @contextmanager
    def file(self) -> Iterator[BinaryIO]:
        """The bytes to be read in any order. Raises RejectedError at the end as `pieces` does."""
        if self.data is not None or self.path is None:
            yield io.BytesIO(self.data or b"")
            return
        with _opened(self.path) as handle, os.fdopen(os.dup(handle), "rb") as opened:
            yield opened
            os.lseek(handle, 0, os.SEEK_SET)
            digest = hashlib.sha256()
            while piece := os.read(handle, _PIECE):
                digest.update(piece)
            self._check(digest.hexdigest())

    def _check(self, sha256: str) -> None:
        if sha256 != self.sha256:
            assert self.path is not None
            raise RejectedError(
                "changed", f"{self.path.name} changed while it was read; deliver it again."
            )

    def whole(self) -> bytes:
        """All bytes at once."""
        return b"".join(self.pieces(iter((self.size,))))


def read_bytes(path: Path, largest: int = _LARGEST_FILE) -> bytes:
    """The content of a plain file; links, pipes and devices are not opened (RejectedError)."""
    with _opened(path, largest) as handle:
        return _read(handle, os.fstat(handle).st_size)


def _read(handle: int, size: int) -> bytes:
    """So many bytes, fewer only where the file ends."""
    pieces, left = [], size
    while left and (piece := os.read(handle, left)):
        pieces.append(piece)
        left -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


@contextmanager
def _opened(path: Path, largest: int = _LARGEST_FILE) -> Iterator[int]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        raise RejectedError(
            "not_a_file", f"{path.name} is not a plain file that can be read; deliver it again."
        ) from None
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise RejectedError("not_a_file", f"{path.name} is not a plain file; deliver it again.")
        if about.st_size > largest:
            raise RejectedError(
                "too_large", f"{path.name} is over {largest >> 20:,} MiB; ask for it in parts."
            )
        yield handle
    finally:
        os.close(handle)
