"""What a source may declare so that a faulty file or a stuck export is told from a sound one.

These are parts of `[files]` and `[delivery]`; they stand here because they are about trust, not
about where the rows are.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from riskflag.history.declared.dates import check_format


class CutDay(BaseModel):
    """The column that says on which day the extract was made; `format` as for every date."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: Annotated[str, Field(min_length=1)]
    format: str | None = None

    @field_validator("format")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        return value if value is None else check_format(value)


class SafeFiles(BaseModel):
    """`trailer`: the last line of a CSV file, a regular expression whose one group is the number
    of rows. `two_digit_years_to`: with a %y in the date format, 00 up to this is 20xx.
    """

    trailer: str | None = None
    two_digit_years_to: Annotated[int, Field(ge=0, le=99)] | None = None

    @field_validator("trailer")
    @classmethod
    def _one_group(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            groups = re.compile(value).groups
        except re.error:
            raise ValueError(f"{value} is not a regular expression") from None
        if groups != 1:
            raise ValueError("the trailer needs exactly one group, around the number of rows")
        return value


class SafeDelivery(BaseModel):
    """How deliveries are trusted.

    `sidecar`: whether a file without a checksum beside it is taken. `generated`: the day the
    extract was made; a delivery made no later than the last one is refused. `unchanged_days`: an
    extract of everything that stays the same for longer counts as stuck (0: never).
    `most_unmapped`: from this share of rows with a type code that no map holds the file is held.
    """

    sidecar: Literal["optional", "required"] = "optional"
    generated: CutDay | None = None
    unchanged_days: Annotated[int, Field(ge=0)] = 7
    most_unmapped: Annotated[float, Field(gt=0, le=1)] = 0.02
