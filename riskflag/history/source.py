"""What a source is: the declared shape of the files one agency sends (`sources/NAME.toml`).

The format is explained with a commented example in docs/reference/source-format.md. Everything is
declared and nothing is guessed: column names, date formats, code maps, what a row means.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from riskflag.errors import ConfigError
from riskflag.history.dates import check_format
from riskflag.history.schema import AGENCIES, ATTRIBUTES, LINKS, Vocabulary
from riskflag.history.source_safety import SafeDelivery, SafeFiles
from riskflag.toml_lines import locate_line, read_toml

SHIPPED_SOURCES = Path(__file__).with_name("sources")

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Text = Annotated[str, Field(min_length=1)]

#: Maps every source may use without declaring them. "" says: deliberately unknown.
BUILT_IN_MAPS: dict[str, dict[str, str]] = {
    "yes_no": {
        **dict.fromkeys(["Y", "y", "Yes", "yes", "YES", "1", "true", "True", "TRUE"], "yes"),
        **dict.fromkeys(["N", "n", "No", "no", "NO", "0", "false", "False", "FALSE"], "no"),
        **dict.fromkeys(["U", "u", "Unknown", "unknown", "NA", "N/A", "N/K", "NK"], ""),
    }
}


class _Strict(BaseModel):
    """A table of the declaration: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str | dict) else value


def check_pattern(text: str) -> str:
    """A regular expression itself, or ValueError when it is none."""
    try:
        pc.match_substring_regex(pa.array([""]), text)
    except pa.ArrowInvalid:
        raise ValueError(f"{text} is not a regular expression (RE2 syntax)") from None
    return text


Pattern = Annotated[Text, AfterValidator(check_pattern)]


class Filter(_Strict):
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


Filters = Annotated[list[Filter], BeforeValidator(_listed)]


class Value(_Strict):
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


class Day(_Strict):
    """A date column; `format` overrides the file's date_format."""

    column: Text
    format: Text | None = None

    @field_validator("format")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        return value if value is None else check_format(value)


class Birth(_Strict):
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


class Subject(_Strict):
    """Whose row it is: the column with the identifier and its scheme (person: the id itself)."""

    column: Text
    scheme: Name = "person"


class _Entry(_Strict):
    """What every entry of a source may say."""

    when: Filters = []
    recorded: Day | None = None


class ContactEntry(_Entry):
    """How a row becomes a contact."""

    type: Text | Value
    subject: Subject
    occurred: Day
    ended: Day | None = None
    record_id: list[Text] = []
    updated: Day | None = None
    withdrawn: Filters = []
    agency: Text | Value | None = None
    attributes: dict[str, Value] = {}

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
    address: Annotated[list[Text], BeforeValidator(_listed)] = []
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
    record_id: list[Text] = []
    from_: Day | None = Field(None, alias="from")
    to: Day | None = None

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, value: str | Value) -> str | Value:
        if isinstance(value, str) and value not in LINKS:
            raise ValueError(f"the kind must be one of {', '.join(LINKS)}")
        return value


class Files(SafeFiles, _Strict):
    """Which files, and how they are written."""

    pattern: Annotated[list[Text], BeforeValidator(_listed)]
    format: Literal["csv", "parquet", "xml", "xlsx"] = "csv"
    rows: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.\-]*(/[A-Za-z_][\w.\-]*)*$")] | None = None
    sheet: Pattern | None = None
    headers: dict[str, Pattern] = {}
    encoding: Literal["utf-8", "cp1252", "latin-1", "utf-16"] = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    null_values: list[str] = []
    date_format: str = "%Y-%m-%d"
    may_be_empty: bool = False

    @field_validator("date_format")
    @classmethod
    def _readable(cls, value: str, info: ValidationInfo) -> str:
        return check_format(value, two_digit_years=info.data.get("two_digit_years_to") is not None)

    @field_validator("pattern")
    @classmethod
    def _plain(cls, value: list[str]) -> list[str]:
        if any("/" in item or "\\" in item for item in value):
            raise ValueError("a pattern names files, without folders")
        return value

    @model_validator(mode="after")
    def _part_named(self) -> Files:
        if (self.format == "xml") != (self.rows is not None):
            raise ValueError("rows belongs to format xml, and only there")
        if (self.format == "xlsx") != (self.sheet is not None):
            raise ValueError("sheet belongs to format xlsx, and only there")
        if self.headers and self.format == "xml":
            raise ValueError("headers belongs to files with a header, not to xml")
        return self

    @property
    def part(self) -> str:
        """Which part of a file is read, when its form lets several sources share it; else blank."""
        return self.rows or self.sheet or ""


class Delivery(SafeDelivery, _Strict):
    """What a delivery holds and how late it may be."""

    scope: Literal["full", "window", "in_year_or_open", "delta"] = "full"
    window_days: Annotated[int, Field(gt=0)] | None = None
    window_by: Literal["occurred", "ended"] = "occurred"
    fresh_days: Annotated[int, Field(ge=0)] = 2
    tolerance_days: Annotated[int, Field(ge=0)] = 7
    complete_to: Literal["landing", "last_occurred"] = "landing"
    assumed_lag_days: Annotated[int, Field(ge=0)] = 1
    least_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    most_share: Annotated[float, Field(ge=1)] = 2.0

    @model_validator(mode="after")
    def _window(self) -> Delivery:
        if (self.scope == "window") != (self.window_days is not None):
            raise ValueError("window_days belongs to scope window, and only there")
        if self.tolerance_days < self.fresh_days:
            raise ValueError("tolerance_days cannot be less than fresh_days")
        return self


class Source(_Strict):
    """A whole declaration. Raises pydantic's ValidationError; use `load_source` for files."""

    name: Name
    title: Text
    agency: Text
    owner: str = ""
    basis: str = ""
    licence: str = ""
    notes: str = ""
    files: Files
    delivery: Delivery = Delivery()
    contact: list[ContactEntry] = []
    person: list[PersonEntry] = []
    identifier: list[IdentifierEntry] = []
    relationship: list[RelationshipEntry] = []
    maps: dict[str, dict[str, str]] = {}

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

    def map_named(self, name: str) -> dict[str, str]:
        """A declared or built-in map."""
        return self.maps[name] if name in self.maps else BUILT_IN_MAPS[name]

    def columns(self) -> frozenset[str]:
        """Every column of the file that the declaration uses: all must be there."""
        found: set[str] = set()
        for entry in (*self.contact, *self.person, *self.identifier, *self.relationship):
            _collect_columns(entry, found)
        _collect_columns(self.delivery, found)
        return frozenset(found)


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


def load_source(path: Path, vocabulary: Vocabulary | None = None) -> Source:
    """Read a source declaration; ConfigError names the file and line of the first mistake.

    `vocabulary` is the one its types and attribute values must come from (default: the shipped).
    """
    from riskflag.history.source_check import check_source

    source = read_toml(path, Source)
    mistake = check_source(source, vocabulary)
    if mistake is not None:
        place, reason = mistake
        line = locate_line(path.read_text(encoding="utf-8"), place)
        where = ".".join(str(part) for part in place)
        raise ConfigError(f"{path} line {line}: {where}: {reason}; correct it.")
    return source


def load_sources(folder: Path, vocabulary: Vocabulary | None = None) -> tuple[Source, ...]:
    """Every source of a folder in name order; ConfigError for two of one name."""
    sources = tuple(load_source(path, vocabulary) for path in sorted(folder.glob("*.toml")))
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{folder} declares the source {name} twice; rename one.")
    return sources


def shipped_names() -> tuple[str, ...]:
    """The names of the sources that come with riskflag."""
    return tuple(sorted(path.stem for path in SHIPPED_SOURCES.glob("*.toml")))


def check_shipped(name: str) -> tuple[str, ...]:
    """The shipped sources that a name chooses; ConfigError when it chooses none."""
    chosen = tuple(n for n in shipped_names() if n == name or n.startswith(f"{name}_"))
    if not chosen:
        raise ConfigError(
            f"There is no shipped source {name}; `riskflag sources` lists those there are."
        )
    return chosen


def copy_shipped(name: str, folder: Path) -> Path:
    """Copy a shipped source into a workspace's sources; ConfigError when there is none such.

    A name that several shipped sources begin with (`ssda903`, `ni`) copies all of them. A file
    that is already there is left alone: it may have been adapted.
    """
    chosen = check_shipped(name)
    folder.mkdir(parents=True, exist_ok=True)
    for found in chosen:
        target = folder / f"{found}.toml"
        if not target.exists():
            target.write_bytes((SHIPPED_SOURCES / f"{found}.toml").read_bytes())
    return folder
