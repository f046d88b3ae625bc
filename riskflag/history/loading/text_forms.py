"""Two writings of one name: which texts are the same to a reader, though their bytes differ."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

from riskflag.history.arrays import Mask, mask_of, one

#: What UTF-8 read as a Western code page and written again looks like.
_MOJIBAKE = (
    "[\u00c3\u00c2][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
    "\u2013\u2014\u2018\u2019\u201a\u201c-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]"
    "|\u00e2\u20ac"
)
#: Marks that nobody sees: directions, joiners, soft hyphens, byte order marks.
_HIDDEN = r"\p{Cf}"


def match_form(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The texts to compare by: composed (NFC), without marks that nobody sees. Null stays null.

    For showing a name, and for keeping it, its own text counts.
    """
    texts = one(column)
    if not pa.types.is_string(texts.type) or bool(pc.all(pc.string_is_ascii(texts)).as_py()):
        return texts
    encoded = texts.dictionary_encode()
    plain = pa.array([_plain(text) for text in encoded.dictionary.to_pylist()], pa.string())
    return plain.take(encoded.indices)


def _plain(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    return "".join(mark for mark in composed if unicodedata.category(mark) != "Cf")


def odd_texts(texts: pa.Array) -> dict[str, Mask]:
    """Which texts look wrongly decoded, and which hold marks nobody sees, by warning."""
    if bool(pc.all(pc.string_is_ascii(texts)).as_py() in (True, None)):
        return {}
    found = {"mojibake": _MOJIBAKE, "hidden_characters": _HIDDEN}
    return {
        name: mask_of(pc.match_substring_regex(texts, pattern)) for name, pattern in found.items()
    }
