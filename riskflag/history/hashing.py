"""Stable keys: the same content gives the same key on every machine and in every version."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.history.arrays import decoded

BUCKETS = 64
_SEPARATOR, _NULL = "\x1f", "\x00"


def joined(columns: Sequence[Any]) -> pa.Array:
    """The columns of each row as one text in which null and blank differ."""
    texts = [column if isinstance(column, pa.Scalar) else _text(column) for column in columns]
    return pc.binary_join_element_wise(
        *texts, _SEPARATOR, null_handling="replace", null_replacement=_NULL
    )


def _text(column: Any) -> pa.Array:
    array = decoded(column)
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    return array.cast(pa.string())


def digests(texts: pa.Array) -> pa.Array:
    """The BLAKE2b-128 of each text in hexadecimal (32 characters)."""
    make = hashlib.blake2b
    plain = texts.cast(pa.binary()).to_pylist()
    return pa.array([make(text, digest_size=16).hexdigest() for text in plain], pa.string())


def bucket(person_id: str) -> int:
    """Which of the 64 folders holds a person's rows."""
    return zlib.crc32(person_id.encode("utf-8")) % BUCKETS


def buckets(person_ids: Any) -> npt.NDArray[np.int16]:
    """The bucket of each person id; BUCKETS for null, the rows without a person."""
    encoded = decoded(person_ids).dictionary_encode()
    by_code = np.array([bucket(name) for name in encoded.dictionary.to_pylist()] + [BUCKETS])
    code = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
    return np.asarray(by_code[code], np.int16)


def file_digest(data: bytes) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(data).hexdigest()
