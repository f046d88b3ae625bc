"""What a source is: the declared shape of the files one agency sends (`sources/NAME.toml`).

The format is explained with a commented example in docs/reference/source-format.md. Everything is
declared and nothing is guessed: column names, date formats, code maps, what a row means.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, field_validator, model_validator

from riskflag.history.declared.code_lists import code_list
from riskflag.history.declared.dates import check_format
from riskflag.history.declared.source_files import (
    Database,
    Delivery,
    Files,
    Name,
    Standard,
    Strict,
    Text,
    check_pattern,
    listed,
)
from riskflag.history.schema import AGENCIES, ATTRIBUTES, LINKS

#: Maps every source may use without declaring them. "" says: deliberately unknown.
BUILT_IN_MAPS: dict[str, dict[str, str]] = {
    "yes_no": {
        **dict.fromkeys(["Y", "y", "Yes", "yes", "YES", "1", "true", "True", "TRUE"], "yes"),
        **dict.fromkeys(["N", "n", "No", "no", "NO", "0", "false", "False", "FALSE"], "no"),
        **dict.fromkeys(["U", "u", "Unknown", "unknown", "NA", "N/A", "N/K", "NK"], ""),
    }
}


class Filter(Strict):
    """A condition on a column: `is`, `is_not`, `matches` (the whole value) or `present`."""

    column: Text
    is_: list[str] | None = Field(None, alias="is")
    is_not: list[str] | None = None
    matches: str | None = None
    present: bool | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> Filter:
        given = [self.is_, self.is_not, self.matches, self.present]
        if sum(item is not None for item in given) != 1:
            raise ValueError("give exactly one of is, is_not, matches or present")
        if self.matches is not None:
            check_pattern(self.matches)
        return self


Filters = Annotated[list[Filter], BeforeValidator(listed)]


class Value(Strict):
    """Where a text or number comes from: a `column` (through a `map`), or a `fixed` text."""

    column: Text | None = None
    fixed: Text | None = None
    map: Text | None = None
    number: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> Value:
        if (self.column is None) == (self.fixed is None):
            raise ValueError("give either column or fixed")
        if self.map is not None and (self.number or self.column is None):
            raise ValueError("a map needs a column and cannot be combined with number")
        return self


class Day(Strict):
    """A date column; `format` overrides the file's date_format."""

    column: Text
    format: Text | None = None

    @field_validator("format")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        return value if value is None else check_format(value)


class Birth(Strict):
    """A birth date: one `column`, or a `year` column with or without a `month` column."""

    column: Text | None = None
    format: Text | None = None
    year: Text | None = None
    month: Text | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Birth:
        if (self.column is None) == (self.year is None):
            raise ValueError("give either column or year (with month where there is one)")
        if self.format is not None:
            check_format(self.format)
        return self


class Subject(Strict):
    """Whose row it is: the column with the identifier and its scheme (person: the id itself)."""

    column: Text
    scheme: Name = "person"


class _Entry(Strict):
    """What every entry of a source may say."""

    when: Filters = Field(default_factory=list)
    recorded: Day | None = None


class ContactEntry(_Entry):
    """How a row becomes a contact."""

    type: Text | Value
    subject: Subject
    occurred: Day
    ended: Day | None = None
    record_id: list[Text] = Field(default_factory=list)
    updated: Day | None = None
    withdrawn: Filters = Field(default_factory=list)
    agency: Text | Value | None = None
    attributes: dict[str, Value] = Field(default_factory=dict)

    @field_validator("attributes")
    @classmethod
    def _known_attributes(cls, value: dict[str, Value]) -> dict[str, Value]:
        for name, origin in value.items():
            if name not in (*ATTRIBUTES, "quantity"):
                allowed = ", ".join((*ATTRIBUTES, "quantity"))
                raise ValueError(f"{name} is not an attribute; use one of {allowed}")
            if origin.number != (name == "quantity"):
                raise ValueError("quantity is written with number = true, and nothing else is")
        return value


class PersonEntry(_Entry):
    """What a row says about a person."""

    id: Subject
    kind: Literal["child", "adult"] | Value | None = None
    birth: Birth | None = None
    expected_birth: Day | None = None
    death: Day | None = None
    sex: Value | None = None
    ethnicity: Value | None = None
    disability: Value | None = None
    given_name: Value | None = None
    family_name: Value | None = None
    postcode: Value | None = None
    address: Annotated[list[Text], BeforeValidator(listed)] = Field(default_factory=list)
    family: Value | None = None
    linkage: bool = False


class IdentifierEntry(_Entry):
    """A row that says: this identifier belongs to this person."""

    person: Subject
    scheme: Name | Value
    value: Value
    from_: Day | None = Field(None, alias="from")
    to: Day | None = None


class RelationshipEntry(_Entry):
    """A row that relates a child (`person`) to another person (`related`), from and to a day."""

    kind: Text | Value
    person: Subject
    related: Subject
    record_id: list[Text] = Field(default_factory=list)
    from_: Day | None = Field(None, alias="from")
    to: Day | None = None

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, value: str | Value) -> str | Value:
        if isinstance(value, str) and value not in LINKS:
            raise ValueError(f"the kind must be one of {', '.join(LINKS)}")
        return value


class Source(Strict):
    """A whole declaration. Raises pydantic's ValidationError; use `load_source` for files."""

    name: Name
    title: Text
    agency: Text
    family: str = ""
    owner: str = ""
    basis: str = ""
    licence: str = ""
    notes: str = ""
    standard: Standard | None = None
    files: Files
    database: Database | None = None
    delivery: Delivery = Delivery()
    contact: list[ContactEntry] = Field(default_factory=list)
    person: list[PersonEntry] = Field(default_factory=list)
    identifier: list[IdentifierEntry] = Field(default_factory=list)
    relationship: list[RelationshipEntry] = Field(default_factory=list)
    maps: dict[str, dict[str, str]] = Field(default_factory=dict)

    @field_validator("agency")
    @classmethod
    def _known_agency(cls, agency: str) -> str:
        if agency not in AGENCIES:
            raise ValueError(f"the agency must be one of {', '.join(AGENCIES)}")
        return agency

    @model_validator(mode="after")
    def _whole(self) -> Source:
        if not (self.contact or self.person or self.identifier or self.relationship):
            raise ValueError("declare at least one contact, person, identifier or relationship")
        return self

    @model_validator(mode="after")
    def _reachable(self) -> Source:
        if self.files.format == "database":
            if self.database is None or self.database.connection is None:
                raise ValueError("format database needs a database table that names a connection")
        elif self.database is not None and self.database.connection is not None:
            raise ValueError("a connection belongs to format database, and only there")
        if self.database is not None and self.files.format not in ("csv", "parquet", "database"):
            raise ValueError("a database table goes with format csv, parquet or database")
        unused = sorted(set(self.files.optional) - self.columns())
        if unused:
            raise ValueError(f"no entry uses the optional column {unused[0]}")
        return self

    @property
    def patterns(self) -> tuple[str, ...]:
        """Which files are of this source; a database's snapshot bears the source's name."""
        snapshot = [] if self.database is None else [f"{self.name}.parquet"]
        return tuple(dict.fromkeys([*self.files.pattern, *snapshot]))

    def has_map(self, name: str) -> bool:
        """Whether there is a map of this name: declared here, a code list, or built in."""
        return name in self.maps or name in BUILT_IN_MAPS or code_list(name) is not None

    def map_named(self, name: str) -> dict[str, str]:
        """A map: the code list of that name, if any, with what the source itself declares."""
        shipped = code_list(name)
        if shipped is None and name not in self.maps:
            return BUILT_IN_MAPS[name]
        return ({} if shipped is None else shipped.targets) | self.maps.get(name, {})

    def columns(self) -> frozenset[str]:
        """Every column of the file that the declaration uses: all must be there."""
        found: set[str] = set()
        for entry in (*self.contact, *self.person, *self.identifier, *self.relationship):
            _collect_columns(entry, found)
        _collect_columns(self.delivery, found)
        return frozenset(found)

    def day_format(self, column: str) -> str:
        """How days of a column are written: as its first dated use says, else as the files do."""
        for entry in (*self.contact, *self.person, *self.identifier, *self.relationship):
            for name in type(entry).model_fields:
                value = getattr(entry, name)
                if isinstance(value, Day | Birth) and value.column == column and value.format:
                    return value.format
        return self.files.date_format


def _collect_columns(item: Any, found: set[str]) -> None:
    if isinstance(item, BaseModel):
        for name in type(item).model_fields:
            value = getattr(item, name)
            if name in ("column", "year", "month") and value:
                found.add(value)
            elif name in ("record_id", "address"):
                found.update(value)
            else:
                _collect_columns(value, found)
    elif isinstance(item, list | tuple | dict):
        for part in item.values() if isinstance(item, dict) else item:
            _collect_columns(part, found)
