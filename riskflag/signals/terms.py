"""The words a declaration may use: contact types, attributes, values, agencies, links."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from riskflag.errors import ConfigError
from riskflag.history.schema import ATTRIBUTES, NUMBERS
from riskflag.history.schema import LINKS as OTHERS
from riskflag.history.vocabulary import Vocabulary, load_vocabulary

__all__ = ["ATTRIBUTES", "LINKS", "NUMBERS", "choose", "terms", "use_vocabulary"]

#: How a contact reaches the child: about the child, or about somebody linked to the child.
LINKS = ("self", *OTHERS)


#: Under "own" the vocabulary.toml of the workspace that this process works for, or None.
_used: dict[str, Path | None] = {"own": None}


def use_vocabulary(own: Path | None) -> None:
    """Let declarations use a workspace's own contact types, or (None) only the shipped ones.

    `own` need not exist. Holds for the whole process until the next call: one process works for
    one workspace at a time, and its threads must agree on the words.
    """
    _used["own"] = own


def terms() -> Vocabulary:
    """The vocabulary that declarations are checked against (each file is read once)."""
    return load_vocabulary(_used["own"])


def choose(what: str, name: object, good: Sequence[str]) -> None:
    """Refuse a name that is not one of the good ones, listing these (the closest first)."""
    if isinstance(name, str) and name in good:
        return
    close = difflib.get_close_matches(str(name), good, n=3)
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    listed = ", ".join(good) if good else "none"
    raise ConfigError(f"'{name}' is not a {what}.{hint} The good ones are: {listed}.")
