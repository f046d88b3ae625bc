"""Published code lists as data: what each code means and which of our words it is.

One file per list in `code_lists/NAME.toml`, with the standard, its version and where it was read. A
source uses a list by naming it as a map, and may add codes or differ under `[maps.NAME]`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import Field

from riskflag.history.declared.source_files import Strict, Text
from riskflag.toml_lines import read_toml

CODE_LISTS = Path(__file__).with_name("code_lists")


class Code(Strict):
    """One code: what its publisher says it means, and our word for it.

    `is` blank says: known and deliberately no word of ours. `since` and `until` are the first and
    last year in which the code is in the standard; codes out of date are still read.
    """

    means: Text
    is_: str = Field("", alias="is")
    since: int | None = None
    until: int | None = None
    read: str = ""


class CodeList(Strict):
    """A list as published. `read` tells where; `confirmed` is false for what nobody looked up."""

    title: Text
    standard: Text
    version: Text
    read: Text
    confirmed: bool = True
    notes: str = ""
    codes: dict[str, Code] = Field(min_length=1)

    @property
    def targets(self) -> dict[str, str]:
        """Our word for each code."""
        return {code: entry.is_ for code, entry in self.codes.items()}


@cache
def code_list(name: str) -> CodeList | None:
    """The shipped list of that name, or None; ConfigError when its file is faulty."""
    path = CODE_LISTS / f"{name}.toml"
    return read_toml(path, CodeList) if name.isidentifier() and path.is_file() else None


def code_list_names() -> tuple[str, ...]:
    """Every shipped code list."""
    return tuple(sorted(path.stem for path in CODE_LISTS.glob("*.toml")))
