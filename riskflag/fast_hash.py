"""BLAKE2b-128 of millions of texts at once; finding the keys it makes, as pairs of numbers.

Compiled, and without Python's lock, so that threads share the work. The results are hashlib's, byte
for byte; RFC 7693 gives the names used here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

F = TypeVar("F", bound=Callable[..., object])
Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Letters = npt.NDArray[np.uint16]


def compiled(function: F) -> F:
    """Compiled once and kept on disk; for this process alone where nothing can be written."""
    jit: Any = numba.njit(nogil=True, cache=True)
    try:
        return cast(F, jit(function))
    except RuntimeError:
        return cast(F, numba.njit(nogil=True)(function))


_IV = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    np.uint64,
)
_ROUND = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)
#: The order of the words in each of the twelve rounds; without a sign, indexing needs no check.
_SIGMA = np.array([*_ROUND, *_ROUND[:2]], np.uint64)
#: The two characters that say a byte, as one number.
_LETTERS = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint16)


@compiled
def _mix(a: Any, b: Any, c: Any, d: Any, x: Any, y: Any) -> Any:  # noqa: PLR0917
    """The function G of the RFC; its names."""
    a = a + b + x
    d ^= a
    d = (d >> np.uint64(32)) | (d << np.uint64(32))
    c += d
    b ^= c
    b = (b >> np.uint64(24)) | (b << np.uint64(40))
    a = a + b + y
    d ^= a
    d = (d >> np.uint64(16)) | (d << np.uint64(48))
    c += d
    b ^= c
    b = (b >> np.uint64(63)) | (b << np.uint64(1))
    return a, b, c, d


@compiled
def _compress(h: Words, m: Words, done: int, last: bool) -> None:
    """One block of 128 bytes, in `m`, into the state `h`. Sixteen variables stay in registers."""
    v0, v1, v2, v3, v4, v5, v6, v7 = h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]
    v8, v9, v10, v11 = _IV[0], _IV[1], _IV[2], _IV[3]
    v12, v13, v14, v15 = _IV[4] ^ np.uint64(done), _IV[5], _IV[6], _IV[7]
    if last:
        v14 = ~v14
    for step in range(12):
        s = _SIGMA[step]
        v0, v4, v8, v12 = _mix(v0, v4, v8, v12, m[s[0]], m[s[1]])
        v1, v5, v9, v13 = _mix(v1, v5, v9, v13, m[s[2]], m[s[3]])
        v2, v6, v10, v14 = _mix(v2, v6, v10, v14, m[s[4]], m[s[5]])
        v3, v7, v11, v15 = _mix(v3, v7, v11, v15, m[s[6]], m[s[7]])
        v0, v5, v10, v15 = _mix(v0, v5, v10, v15, m[s[8]], m[s[9]])
        v1, v6, v11, v12 = _mix(v1, v6, v11, v12, m[s[10]], m[s[11]])
        v2, v7, v8, v13 = _mix(v2, v7, v8, v13, m[s[12]], m[s[13]])
        v3, v4, v9, v14 = _mix(v3, v4, v9, v14, m[s[14]], m[s[15]])
    h[0] ^= v0 ^ v8
    h[1] ^= v1 ^ v9
    h[2] ^= v2 ^ v10
    h[3] ^= v3 ^ v11
    h[4] ^= v4 ^ v12
    h[5] ^= v5 ^ v13
    h[6] ^= v6 ^ v14
    h[7] ^= v7 ^ v15


@compiled
def _hash_rows(pieces: Ints, codes: Codes, ends: Ints, data: Bytes, found: Letters) -> None:
    """The digest of each row's text, as 16 times two characters.

    A row's text is the texts of its pieces one behind the other. A line of `pieces` says where the
    ends of a piece's texts begin in `ends`, where the numbers of the rows' texts begin in `codes`
    (-1: each row has a text of its own, -2: all rows have the first).
    """
    h, m = np.empty(8, np.uint64), np.zeros(16, np.uint64)
    block = m.view(np.uint8)
    for row in range(len(found) // 16):
        for place in range(8):
            h[place] = _IV[place]
        h[0] ^= np.uint64(0x01010000 ^ 16)
        done, filled = 0, 0
        for piece in range(len(pieces)):
            number = row if pieces[piece, 1] == -1 else 0
            if pieces[piece, 1] >= 0:
                number = codes[pieces[piece, 1] + row]
            at, end = ends[pieces[piece, 0] + number], ends[pieces[piece, 0] + number + 1]
            for place in range(np.uint64(at), np.uint64(end)):
                if filled == 128:
                    done += 128
                    _compress(h, m, done, False)
                    filled = 0
                block[np.uint64(filled)] = data[place]
                filled += 1
        for place in range(np.uint64(filled), np.uint64(128)):
            block[place] = 0
        _compress(h, m, done + filled, True)
        for word in range(2):
            value = h[word]
            for place in range(8):
                found[row * 16 + word * 8 + place] = _LETTERS[value & np.uint64(255)]
                value >>= np.uint64(8)


@compiled
def _read_all(data: Bytes, first: Words, second: Words) -> None:
    """Hexadecimal digests, 32 characters each, as two whole numbers."""
    for row in range(len(first)):
        for word in range(2):
            total = np.uint64(0)
            for place in range(16):
                figure = np.uint64(data[row * 32 + word * 16 + place])
                value = figure - np.uint64(48 if figure < 58 else 87)
                total = (total << np.uint64(4)) | (value & np.uint64(15))
            if word == 0:
                first[row] = total
            else:
                second[row] = total


@compiled
def _remainders(
    offsets: npt.NDArray[np.int64], data: Bytes, table: Words, divisor: int, found: Any
) -> None:
    for row in range(len(offsets) - 1):
        state = np.uint64(0xFFFFFFFF)
        for place in range(offsets[row], offsets[row + 1]):
            step = (state ^ np.uint64(data[place])) & np.uint64(255)
            state = table[step] ^ (state >> np.uint64(8))
        found[row] = (state ^ np.uint64(0xFFFFFFFF)) % np.uint64(divisor)


@compiled
def _fill(first: Words, second: Words, slots: npt.NDArray[np.int32], again: Any) -> None:
    """Put pairs into a table of slots by their first number; mark those that come again."""
    mask = np.uint64(len(slots) - 1)
    for row in range(len(first)):
        at = first[row] & mask
        while slots[at] >= 0:
            if first[slots[at]] == first[row] and second[slots[at]] == second[row]:
                again[slots[at]] = True
                again[row] = True
                break
            at = (at + np.uint64(1)) & mask
        else:
            slots[at] = row


@compiled
def _find(
    wanted: tuple[Words, Words],
    among: tuple[Words, Words],
    slots: npt.NDArray[np.int32],
    found: npt.NDArray[np.int64],
) -> None:
    """Where each pair stands among those whose table this is."""
    mask = np.uint64(len(slots) - 1)
    for row in range(len(found)):
        at = wanted[0][row] & mask
        while slots[at] >= 0:
            place = slots[at]
            if among[0][place] == wanted[0][row] and among[1][place] == wanted[1][row]:
                found[row] = place
                break
            at = (at + np.uint64(1)) & mask


def _table(pairs: tuple[Words, Words]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """A table of slots of pairs, at most half full, and which of them come more than once."""
    again = np.zeros(len(pairs[0]), np.bool_)
    slots = np.full(1 << (2 * len(again)).bit_length(), -1, np.int32)
    _fill(*pairs, slots, again)
    return slots, again


def repeated(pairs: tuple[Words, Words]) -> npt.NDArray[np.bool_]:
    """Which of many pairs of numbers, spread evenly as digests are, come more than once."""
    return _table(pairs)[1]


def matched(wanted: tuple[Words, Words], among: tuple[Words, Words]) -> npt.NDArray[np.int64]:
    """The place of each pair among others, which differ from one another; -1 for none."""
    found = np.full(len(wanted[0]), -1, np.int64)
    _find(wanted, among, _table(among)[0], found)
    return found


def _crc_table() -> Words:
    """What each byte does to a CRC-32: polynomial 0xEDB88320."""
    steps = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (0xEDB88320 if value & 1 else 0)
        steps.append(value)
    return np.array(steps, np.uint64)


def remainders(offsets: npt.NDArray[np.int64], data: Bytes, divisor: int) -> npt.NDArray[np.int16]:
    """The CRC-32 of each text, as zlib works it out, modulo `divisor`."""
    found = np.empty(len(offsets) - 1, np.int16)
    _remainders(offsets, data, _crc_table(), divisor, found)
    return found


@dataclass(frozen=True)
class Texts:
    """Texts by their ends in `data`, whose first is where the first begins.

    `codes` are the numbers of the texts of many rows; without them each text is a row's, or, with
    `same`, the only one is every row's.
    """

    ends: Ints
    data: Bytes
    codes: Codes | None = None
    same: bool = False


def hexadecimal_digests(pieces: Sequence[Texts], rows: int) -> Bytes:
    """The digests of what the pieces of each row say together, 32 characters each, in one."""
    ends, codes, data, lines = [], [], [], []
    at = told = size = 0
    for piece in pieces:
        begin = int(piece.ends[0])
        lines.append((at, (-2 if piece.same else -1) if piece.codes is None else told))
        ends.append(piece.ends - begin + size)
        data.append(piece.data[begin : piece.ends[-1]])
        codes.append(np.zeros(0, np.int32) if piece.codes is None else piece.codes)
        at, told, size = at + len(ends[-1]), told + len(codes[-1]), size + len(data[-1])
    found = np.empty(32 * rows, np.uint8)
    _hash_rows(
        np.array(lines, np.int64),
        np.concatenate(codes),
        np.concatenate(ends),
        np.concatenate(data),
        found.view(np.uint16),
    )
    return found


def pairs(data: Bytes) -> tuple[Words, Words]:
    """Digests written one after another, 32 characters each, as two whole numbers each."""
    size = len(data) // 32
    first, second = np.empty(size, np.uint64), np.empty(size, np.uint64)
    _read_all(data, first, second)
    return first, second
