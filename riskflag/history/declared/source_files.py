"""The parts of a source that say where its rows come from: files, a database, and how often."""

from __future__ import annotations

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

from riskflag.history.declared.dates import check_format
from riskflag.history.declared.source_safety import SafeDelivery, SafeFiles

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Text = Annotated[str, Field(min_length=1)]
#: What a schema may be called: a name, or on SQL Server a database and a schema.
Schema = Annotated[str, Field(pattern=r"^[A-Za-z_][\w$#]*(\.[A-Za-z_][\w$#]*)?$")]


class Strict(BaseModel):
    """A table of the declaration: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def listed(value: Any) -> Any:
    """A list of one for a single text or table."""
    return [value] if isinstance(value, str | dict) else value


def check_pattern(text: str) -> str:
    """A regular expression itself, or ValueError when it is none."""
    try:
        pc.match_substring_regex(pa.array([""]), text)
    except pa.ArrowInvalid:
        raise ValueError(f"{text} is not a regular expression (RE2 syntax)") from None
    return text


Pattern = Annotated[Text, AfterValidator(check_pattern)]


class Files(SafeFiles, Strict):
    """Which files, and how they are written. A database source names none."""

    pattern: Annotated[list[Text], BeforeValidator(listed)] = []
    format: Literal["csv", "parquet", "xml", "xlsx", "database"] = "csv"
    rows: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.\-]*(/[A-Za-z_][\w.\-]*)*$")] | None = None
    sheet: Pattern | None = None
    headers: dict[str, Pattern] = {}
    optional: list[Text] = []
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
        if (self.format == "database") == bool(self.pattern):
            raise ValueError("name a file pattern, or none with format database")
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


class Join(Strict):
    """A second table whose columns are read beside the first's, one row of it for each at most.

    `on` pairs a column of the first table with one of this; `columns` are those it adds.
    """

    table: Text
    on: dict[Text, Text] = Field(min_length=1)
    columns: Annotated[list[Text], Field(min_length=1)]


class Database(Strict):
    """The table of a database that holds the rows.

    `connection` is a name: the address it stands for is in the environment or in riskflag.toml,
    never here. `order` names the columns that put the rows in a lasting order: its key.
    """

    table: Text
    order: Annotated[list[Text], Field(min_length=1), BeforeValidator(listed)]
    schema_: Schema | None = Field(None, alias="schema")
    connection: Name | None = None
    join: list[Join] = []


class Standard(Strict):
    """Which published layout a source follows, and where that layout was read."""

    name: Text
    version: str = ""
    table: str = ""
    read: str = ""


class Delivery(SafeDelivery, Strict):
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
