"""The controlled list of contact types, and a workspace's additions to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, RootModel, model_validator

from riskflag.errors import ConfigError
from riskflag.toml_lines import read_toml

SHIPPED = Path(__file__).with_name("vocabulary.toml")

#: Who may hold a record. The dimension follows the referral-source codes of the English
#: children-in-need census, widened by the health and housing feeds.
AGENCIES = (
    "social_care",
    "early_help",
    "police",
    "youth_justice",
    "probation",
    "school",
    "education_la",
    "ed",
    "hospital",
    "gp",
    "community_health",
    "mental_health",
    "ambulance",
    "housing",
    "adult_social_care",
    "substance",
    "fire",
    "voluntary",
    "public",
    "other",
)

_ATTRIBUTE_NAMES = (
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


@dataclass(frozen=True)
class ContactType:
    """A kind of contact: who usually holds it, what it means and what may be said about it.

    `attributes` maps an attribute name to the values it may take (empty: any text). `quantity`
    says what the number of such a contact is, or is None when it has none.
    """

    name: str
    agency: str
    meaning: str
    attributes: Mapping[str, tuple[str, ...]]
    quantity: str | None


@dataclass(frozen=True)
class Vocabulary:
    """All contact types, by name."""

    types: Mapping[str, ContactType]

    @property
    def agencies(self) -> tuple[str, ...]:
        """Every agency a contact may come from."""
        return AGENCIES

    def __contains__(self, name: object) -> bool:
        return name in self.types

    def __getitem__(self, name: str) -> ContactType:
        try:
            return self.types[name]
        except KeyError:
            raise ConfigError(
                f"There is no contact type {name!r}; "
                "choose one of the vocabulary or add it to the workspace's vocabulary.toml."
            ) from None

    def values(self, names: tuple[str, ...], attribute: str) -> tuple[str, ...] | None:
        """The values `attribute` may take on any of these types; None when none declares it."""
        declared = [self[n].attributes[attribute] for n in names if attribute in self[n].attributes]
        if not declared:
            return None
        if any(not values for values in declared):
            return ()
        return tuple(dict.fromkeys(value for values in declared for value in values))


class _Entry(BaseModel):
    """One table of vocabulary.toml."""

    model_config = ConfigDict(extra="forbid")

    agency: str
    meaning: str
    quantity: str | None = None
    category: list[str] | None = None
    outcome: list[str] | None = None
    grade: list[str] | None = None
    role: list[str] | None = None
    seen: list[str] | None = None
    seen_alone: list[str] | None = None
    voice: list[str] | None = None
    offered: list[str] | None = None
    accepted: list[str] | None = None
    worker: list[str] | None = None
    organisation: list[str] | None = None

    @model_validator(mode="after")
    def _known_agency(self) -> _Entry:
        if self.agency not in AGENCIES:
            raise ValueError(f"the agency must be one of {', '.join(AGENCIES)}")
        return self


class _File(RootModel[dict[str, dict[str, _Entry]]]):
    """vocabulary.toml: `[theme.name]` tables."""


def _read(path: Path) -> dict[str, ContactType]:
    tables = read_toml(path, _File).root
    return {
        f"{theme}.{name}": _contact_type(f"{theme}.{name}", entry)
        for theme, entries in tables.items()
        for name, entry in entries.items()
    }


def _contact_type(name: str, entry: _Entry) -> ContactType:
    said: dict[str, Any] = entry.model_dump(exclude_none=True)
    attributes = {key: tuple(said[key]) for key in _ATTRIBUTE_NAMES if key in said}
    return ContactType(name, entry.agency, entry.meaning, attributes, entry.quantity)


@cache
def load_vocabulary(extra: Path | None = None) -> Vocabulary:
    """The shipped contact types and, where the file exists, those of a workspace's own.

    `extra` is the path of a workspace's vocabulary.toml. It may add types but not redefine a
    shipped one (ConfigError): a signal must mean the same in every workspace.
    """
    if extra is None:
        return Vocabulary(_read(SHIPPED))
    shipped = load_vocabulary()
    if not extra.exists():
        return shipped
    added = _read(extra)
    again = sorted(set(added) & set(shipped.types))
    if again:
        raise ConfigError(
            f"{extra} redefines the contact type {again[0]}; give yours another name."
        )
    return Vocabulary({**shipped.types, **added})
