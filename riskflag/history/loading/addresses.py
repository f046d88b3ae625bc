"""Names and addresses in the form in which two records are compared; addresses as hashed words."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

#: Ways of writing the same word of an address.
_SAME_WORD = {
    "road": "rd",
    "street": "st",
    "saint": "st",
    "avenue": "ave",
    "av": "ave",
    "lane": "ln",
    "drive": "dr",
    "close": "cl",
    "court": "ct",
    "crescent": "cres",
    "place": "pl",
    "square": "sq",
    "terrace": "ter",
    "gardens": "gdns",
    "apartment": "flat",
    "apt": "flat",
    "number": "",
    "no": "",
}
_WORD = re.compile(r"[a-z0-9]+")
_NOT_LETTER = re.compile(r"[^a-z]")


def plain(text: str) -> str:
    """Small letters without accents and marks: what two spellings of one text share."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def plain_name(text: str | None) -> str | None:
    """A name as it is compared: letters only; None for one without any."""
    if text is None:
        return None
    spelt = plain(text)
    return _NOT_LETTER.sub("", spelt) or "".join(c for c in spelt if c.isalpha()) or None


def plain_postcode(text: str | None) -> str | None:
    """A postcode in capitals without blanks; None when blank."""
    return None if text is None else "".join(text.split()).upper() or None


def address_key(parts: Iterable[str | None]) -> str | None:
    """The words of an address as sorted short hashes; None for an address of no words.

    Two addresses can be compared word by word, and neither can be read. Whoever has a list of
    all addresses could still find one: the key is pseudonymous, not anonymous.
    """
    text = plain(" ".join(part for part in parts if part))
    words = {_SAME_WORD.get(word, word) for word in _WORD.findall(text)} - {""}
    return " ".join(sorted(_hashed(word) for word in words)) or None


def _hashed(word: str) -> str:
    return hashlib.blake2b(word.encode(), digest_size=5).hexdigest()
