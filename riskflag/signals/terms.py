"""The words a declaration may use: contact types, attributes, values, agencies, links."""

from __future__ import annotations

import difflib
import functools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from riskflag.errors import ConfigError

#: How a contact reaches the child: about the child, or about somebody linked to the child.
LINKS = ("self", "mother", "parent", "household_adult", "sibling", "carer")
#: Attributes of a contact that hold words.
TEXTS = (
    "category",
    "outcome",
    "grade",
    "role",
    "seen",
    "seen_alone",
    "voice",
    "offered",
    "accepted",
    "worker",
    "organisation",
)
#: Attributes of a contact that hold numbers.
NUMBERS = ("quantity", "duration_days")


@dataclass(frozen=True)
class Terms:
    """The vocabulary as declarations need it."""

    types: tuple[str, ...]
    agencies: tuple[str, ...]
    #: For each contact type: its attributes, and for each attribute its values (empty: any text).
    attributes: dict[str, dict[str, tuple[str, ...]]]
    #: Contact types that carry a quantity.
    quantities: frozenset[str]
    #: The agency that usually holds each contact type.
    holders: dict[str, str]


@functools.cache
def terms() -> Terms:
    """Read the vocabulary once."""
    text = resources.files("riskflag.history").joinpath("vocabulary.toml").read_text("utf-8")
    types: dict[str, dict[str, object]] = {
        f"{group}.{name}": entry
        for group, members in tomllib.loads(text).items()
        for name, entry in members.items()
    }
    return Terms(
        types=tuple(types),
        agencies=tuple(sorted({str(entry["agency"]) for entry in types.values()})),
        attributes={
            name: {key: tuple(values) for key, values in entry.items() if isinstance(values, list)}
            for name, entry in types.items()
        },
        quantities=frozenset(name for name, entry in types.items() if "quantity" in entry),
        holders={name: str(entry["agency"]) for name, entry in types.items()},
    )


def choose(what: str, name: object, good: Sequence[str]) -> None:
    """Refuse a name that is not one of the good ones, listing these (the closest first)."""
    if isinstance(name, str) and name in good:
        return
    close = difflib.get_close_matches(str(name), good, n=3)
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    listed = ", ".join(good) if good else "none"
    raise ConfigError(f"'{name}' is not a {what}.{hint} The good ones are: {listed}.")
