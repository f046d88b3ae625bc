"""Check digits of English identifiers: a wrong one is a warning about the record, nothing more."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.history.arrays import Mask

_UPN_LETTERS = np.frombuffer(b"ABCDEFGHJKLMNPQRTUVWXYZ", np.uint8)
#: How an identifier with check digits is written, by scheme.
CHECKED = {"nhs": r"^[0-9]{10}$", "upn": r"^[A-Z][0-9]{11}[0-9A-Z]$", "uln": r"^[1-9][0-9]{9}$"}


def failed_check(values: pa.Array, scheme: str) -> Mask:
    """Which identifiers are malformed or fail their scheme's check; null and other schemes never.

    NHS number: weights 10 to 2, modulus 11. Unique pupil number: weights 2 to 13 over the last
    twelve characters, modulus 23, against the leading letter. Unique learner number: weights 10 to
    1, sum modulus 11 is 10.
    """
    failed = np.zeros(len(values), np.bool_)
    if scheme not in CHECKED:
        return failed
    shaped = np.asarray(pc.fill_null(pc.match_substring_regex(values, CHECKED[scheme]), False))
    failed |= np.asarray(values.is_valid()) & ~shaped
    rows = np.flatnonzero(shaped)
    if len(rows) == 0:
        return failed
    texts = np.array(values.take(pa.array(rows)).to_pylist(), dtype="S")
    letters = texts.view(np.uint8).reshape(len(rows), -1)
    sound = {"nhs": _nhs, "upn": _upn, "uln": _uln}[scheme](letters)
    failed[rows[~sound]] = True
    return failed


def _nhs(letters: np.ndarray) -> Mask:
    digits = letters.astype(np.int64) - 48
    check = 11 - (digits[:, :9] @ np.arange(10, 1, -1)) % 11
    alike = (digits == digits[:, :1]).all(axis=1)
    return np.asarray((np.where(check == 11, 0, check) == digits[:, 9]) & ~alike)


def _uln(letters: np.ndarray) -> Mask:
    digits = letters.astype(np.int64) - 48
    return np.asarray((digits @ np.arange(10, 0, -1)) % 11 == 10)


def _upn(letters: np.ndarray) -> Mask:
    body = letters[:, 1:].astype(np.int64)
    place = np.searchsorted(_UPN_LETTERS, letters[:, 12]).astype(np.int64)
    values = body - 48
    values[:, 11] = np.where(letters[:, 12] >= 65, place, values[:, 11])
    return np.asarray(_UPN_LETTERS[(values @ np.arange(2, 14)) % 23] == letters[:, 0])
