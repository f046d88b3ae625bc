"""Reading declarations from TOML so that every mistake is reported with its file and line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from riskflag.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound="BaseModel")

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[A-Za-z0-9_"'-]+)*)\s*=""")


def read_toml(path: Path, model: type[M]) -> M:
    """Read a TOML file into a pydantic model.

    Raises ConfigError with the file's name and line for a missing file, broken TOML or a value
    the model refuses. The message never repeats the value.
    """
    return parse_toml(_text_of(path), model, str(path))


def parse_toml(text: str, model: type[M], name: str) -> M:
    """As `read_toml`, for a text already read; `name` is how messages call it."""
    from pydantic import ValidationError

    data = _parse(text, name)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_sentence(error, text, name)) from None


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; create it or check the path.") from None
    except (UnicodeDecodeError, OSError):
        raise ConfigError(f"{path} cannot be read as UTF-8 text; save it as UTF-8.") from None


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        where = f" line {found.group(1)}" if found else ""
        raise ConfigError(f"{name}{where}: this is not valid TOML; correct the line.") from None


def _sentence(error: ValidationError, text: str, name: str) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    path = tuple(part for part in first["loc"] if not _is_branch(part))
    where = ".".join(str(part) for part in path) or "the file"
    more = len(error.errors()) - 1
    rest = f" ({more} more after this one)" if more else ""
    reason = _plain(first["type"], first["msg"])
    return f"{name} line {locate_line(text, path)}: {where}: {reason}; correct it.{rest}"


def _plain(kind: str, said: str) -> str:
    """The validator's reason in the words of somebody who writes the file."""
    if kind == "missing":
        return "this key is required and is not there"
    if kind == "extra_forbidden":
        return "there is no such key"
    plain = said.removeprefix("Value error, ").rstrip(".").split(", unable to")[0]
    return plain.replace("Input should be", "this must be")


def _is_branch(part: object) -> bool:
    """Whether a location part is pydantic's own mark of a union branch, not the user's key."""
    return isinstance(part, str) and ("[" in part or part.endswith("Model"))


def locate_line(text: str, path: tuple[str | int, ...] | str) -> int:
    """The line (from 1) where a dotted key path stands in a TOML text, or the nearest above it.

    `path` is a tuple of keys and list positions (`("contact", 1, "occurred")`) or a dotted text.
    """
    wanted = tuple(path.split(".")) if isinstance(path, str) else path
    best, best_depth = 1, 0
    for line, place in _places(text):
        depth = _shared(place, wanted)
        if depth > best_depth and depth == len(place):
            best, best_depth = line, depth
    return best


def _shared(place: tuple[str | int, ...], wanted: tuple[str | int, ...]) -> int:
    depth = 0
    for ours, theirs in zip(place, wanted, strict=False):
        if str(ours) != str(theirs):
            break
        depth += 1
    return depth


def _places(text: str) -> list[tuple[int, tuple[str | int, ...]]]:
    """Every header and key of the text with its line and its full path."""
    places: list[tuple[int, tuple[str | int, ...]]] = []
    seen: dict[tuple[str | int, ...], int] = {}
    table: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            table = _table_path(_split(header.group(2)), header.group(1) == "[[", seen)
            places.append((number, table))
            continue
        key = _KEY.match(line)
        if key:
            places.append((number, table + tuple(_split(key.group(1)))))
    return places


def _table_path(
    keys: list[str], repeated: bool, seen: dict[tuple[str | int, ...], int]
) -> tuple[str | int, ...]:
    """The path of a table header, with the position of each list it stands in."""
    path: tuple[str | int, ...] = ()
    for position, key in enumerate(keys):
        path = (*path, key)
        last = position == len(keys) - 1
        if last and repeated:
            seen[path] = seen.get(path, -1) + 1
        if path in seen:
            path = (*path, seen[path])
    return path


def _split(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in re.findall(r'"[^"]*"|\'[^\']*\'|[^.]+', dotted)]
