"""Stable keys: the same content gives the same key on every machine and in every version."""

from __future__ import annotations

import hashlib
import sys
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.history.arrays import decoded, one
from riskflag.history.threads import in_threads

if TYPE_CHECKING:
    from riskflag.fast_hash import Texts

BUCKETS = 64
_SEPARATOR, _NULL = "\x1f", "\x00"


#: From so many texts on the compiled hash pays for being loaded; fewer suffice once it is.
MANY, SOME = 100_000, 2_000


def many(size: int) -> bool:
    """Whether there are so many texts that the compiled way is the faster one."""
    return size >= MANY or (size >= SOME and "riskflag.fast_hash" in sys.modules)


def expect_many() -> None:
    """Load the compiled ways: a large file is coming, in parts that are each too small to ask."""
    import riskflag.fast_hash  # noqa: F401


def joined(columns: Sequence[Any], rows: int | None = None) -> pa.Array:
    """The columns of each row as one text in which null and blank differ.

    `rows` is needed only when every column is a single value (a scalar).
    """
    pieces: list[Any] = []
    for column in columns:
        piece = column if isinstance(column, pa.Scalar) else _text(column)
        if isinstance(piece, pa.Scalar):
            said = piece.as_py() if piece.is_valid else _NULL
            if pieces and isinstance(pieces[-1], str):
                pieces[-1] += _SEPARATOR + said
            else:
                pieces.append(said)
        else:
            pieces.append(piece)
    texts = [pa.scalar(piece, pa.string()) if isinstance(piece, str) else piece for piece in pieces]
    size = next((len(column) for column in columns if not isinstance(column, pa.Scalar)), rows)
    assert size is not None
    if all(isinstance(text, pa.Scalar) for text in texts):
        return pa.repeat(texts[0], size)
    return pc.binary_join_element_wise(
        *texts, _SEPARATOR, null_handling="replace", null_replacement=_NULL
    )


def _text(column: Any) -> pa.Array | pa.Scalar:
    """A column as text; one value when all of it is that."""
    array = one(column)
    if len(array) and array.null_count == len(array):
        return pa.scalar(None, pa.string())
    if pa.types.is_dictionary(array.type):
        if len(array.dictionary) == 1 and array.null_count == 0:
            return array.dictionary[0]
        return array.cast(pa.string())
    if pa.types.is_string(array.type):
        return array
    if pa.types.is_boolean(array.type):
        return pa.array(["0", "1"]).take(array.cast(pa.int8()))
    if not many(len(array)):
        return array.cast(pa.string())
    encoded = array.dictionary_encode()
    return encoded.dictionary.cast(pa.string()).take(encoded.indices)


def digests_of(columns: Sequence[Any]) -> pa.Array:
    """`digests(joined(columns))`; of many rows without the texts in between.

    At least one of the columns is no scalar.
    """
    size = next(len(column) for column in columns if not isinstance(column, pa.Scalar))
    if not many(size):
        return digests(joined(columns, size))
    pieces, fixed = [], ""
    for column in columns:
        piece = _piece(column)
        if isinstance(piece, str):
            fixed += piece + _SEPARATOR
        else:
            pieces += [_fixed(fixed), piece]
            fixed = _SEPARATOR
    return _hashed([*pieces, _fixed(fixed.removesuffix(_SEPARATOR))], size)


def _hashed(pieces: Sequence[Texts], size: int) -> pa.Array:
    """The digests of what the pieces of each row say together."""
    from riskflag.fast_hash import hexadecimal_digests

    plain = hexadecimal_digests(pieces, size)
    ends = np.arange(0, len(plain) + 1, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(size, pa.py_buffer(ends), pa.py_buffer(plain))


def _fixed(text: str) -> Texts:
    """A text that every row has."""
    from riskflag.fast_hash import Texts

    data = np.frombuffer(text.encode("utf-8"), np.uint8)
    return Texts(np.array([0, len(data)], np.int64), data, same=True)


def _piece(column: Any) -> Texts | str:
    """What each row of a column says, as `joined` writes it; one text when all say the same."""
    from riskflag.fast_hash import Texts

    if isinstance(column, pa.Scalar):
        return str(column.as_py()) if column.is_valid else _NULL
    array = one(column)
    if array.null_count == len(array):
        return _NULL
    if pa.types.is_string(array.type):
        return Texts(*text_bytes(array.fill_null(_NULL) if array.null_count else array))
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    words = array.dictionary
    if len(words) == 1 and array.null_count == 0:
        return str(_text(words)[0].as_py())
    told = decoded(_text(words)).fill_null(_NULL)
    texts = pa.concat_arrays([told, pa.array([_NULL], pa.string())])
    codes = array.indices.fill_null(len(words)).to_numpy().astype(np.int32)
    return Texts(*text_bytes(texts), codes)


def digests(texts: pa.Array) -> pa.Array:
    """The BLAKE2b-128 of each text in hexadecimal (32 characters)."""
    if many(len(texts)):
        from riskflag.fast_hash import Texts

        return _hashed([Texts(*text_bytes(texts))], len(texts))
    make = hashlib.blake2b
    short = texts.cast(pa.binary()).to_pylist()
    return pa.array([make(text, digest_size=16).hexdigest() for text in short], pa.string())


def text_bytes(texts: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Where each text begins and ends in the bytes of an array without nulls."""
    _, offsets, data = texts.buffers()
    wide = pa.types.is_large_string(texts.type)
    ends = np.frombuffer(offsets, np.int64 if wide else np.int32)
    ends = ends[texts.offset : texts.offset + len(texts) + 1]
    nothing = np.zeros(0, np.uint8)
    return np.asarray(ends, np.int64), nothing if data is None else np.frombuffer(data, np.uint8)


def key_pairs(column: Any) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]] | None:
    """Digests as two whole numbers each, None when a text of the column is no digest."""
    from riskflag.fast_hash import pairs

    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    found = []
    for chunk in chunks:
        if not pa.types.is_string(chunk.type) or chunk.null_count:
            return None
        if len(chunk) == 0:
            continue
        ends, data = text_bytes(chunk)
        if not (np.diff(ends) == 32).all():
            return None
        found.append((data[ends[0] : ends[-1]],))
    parts = in_threads(pairs, found)
    if not parts:
        return np.zeros(0, np.uint64), np.zeros(0, np.uint64)
    first, second = (np.concatenate(words) for words in zip(*parts, strict=True))
    return first, second


def bucket(person_id: str, of: int = BUCKETS) -> int:
    """Which of the 64 folders holds a person's rows."""
    return zlib.crc32(person_id.encode("utf-8")) % of


def buckets(person_ids: Any, of: int = BUCKETS) -> npt.NDArray[np.int16]:
    """The bucket of each person id, out of `of`; that number for null, the rows without one."""
    found = remainders(person_ids, of)
    found[np.asarray(one(person_ids).is_null())] = of
    return found


def remainders(names: Any, divisor: int) -> npt.NDArray[np.int16]:
    """The CRC-32 of each text (null as blank) modulo `divisor`."""
    plain = decoded(names).fill_null("")
    if many(len(plain)):
        from riskflag.fast_hash import remainders as compiled

        return np.asarray(compiled(*text_bytes(plain), divisor), np.int16)
    encoded = plain.dictionary_encode()
    crc = [zlib.crc32(name.encode("utf-8")) % divisor for name in encoded.dictionary.to_pylist()]
    return np.asarray(np.array([*crc, 0], np.int16)[encoded.indices.to_numpy()], np.int16)
