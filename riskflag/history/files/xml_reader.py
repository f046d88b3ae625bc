"""Reading XML as a stream: one row per element at a path, its columns by paths relative to it.

The texts of several elements of one path are joined by a space. Namespaces are left out of names.

Nothing is looked up for a document: one that declares a document type, and with it entities, is
refused before any of it is expanded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from xml.parsers import expat

import numpy as np
import pyarrow as pa

from riskflag.history.declared.xml_path import ColumnPath, column_paths
from riskflag.history.files.delivered import FileContent, RejectedError
from riskflag.history.files.raw_file import LONGEST_FIELD, OBJECT_ROWS, RawFile, What

#: A file nested deeper than this, or with so much below one element, is no agency's return.
_DEEPEST, _MOST_ELEMENTS = 64, 2_000_000
_LARGEST = 1 << 31
_CHUNK = 1 << 20


class _Element:
    """An element being read: its texts, its children, and where it began."""

    __slots__ = ("children", "line", "name", "parent", "size", "texts")

    def __init__(self, name: str, parent: _Element | None, line: int) -> None:
        self.name, self.parent, self.line = name, parent, line
        self.texts: list[str] = []
        self.size = 0
        self.children: list[_Element] = []

    def add(self, text: str) -> None:
        """Keep text, up to just beyond what a field may hold."""
        if self.size <= LONGEST_FIELD:
            self.texts.append(text)
            self.size += len(text)

    def text(self) -> str:
        return "".join(self.texts).strip()

    def value(self, paths: tuple[ColumnPath, ...], joint: str = " ") -> str:
        """The first alternative that holds a text, blank when none does."""
        return next((text for path in paths if (text := self._at(path, joint))), "")

    def _at(self, path: ColumnPath, joint: str) -> str:
        start = self
        for _ in range(path.up):
            assert start.parent is not None
            start = start.parent
        found = [start]
        for name in path.down:
            found = [child for one in found for child in one.children if child.name == name]
        if not joint:
            return "".join("".join(one.texts) for one in found)
        return joint.join(text for one in found if (text := one.text()))


def xml_parts(content: FileContent, about: What) -> Iterator[Callable[[], RawFile]]:
    """What reads one part of an XML file after another; see `readers.parts_of`.

    Raises RejectedError when it is damaged, unsafe or of another kind.
    """
    rows = about.files.rows
    assert rows is not None
    if content.size > _LARGEST:
        raise RejectedError("too_large", f"{about.name} is over 2 GB; ask for it in parts.")
    yield from element_parts(content.blocks(_CHUNK), about.name, rows, about.needed)


def element_parts(
    pieces: Iterable[bytes], name: str, rows: str, needed: frozenset[str], *, exact: bool = False
) -> Iterator[Callable[[], RawFile]]:
    """The elements at the path `rows`; `exact` keeps blanks and puts nothing between texts."""
    return _Reader(name, rows, needed, "" if exact else " ").parts(pieces)


def _as_table(name: str, values: dict[str, list[str]], lines: list[int]) -> RawFile:
    columns = {column: pa.array(texts, pa.string()) for column, texts in values.items()}
    return RawFile(name, pa.table(columns), np.array(lines, np.int64))


class _Reader:
    """The state of one pass through a file.

    Only what lies below the outermost element that a row refers to is kept, and only until that
    element ends.
    """

    def __init__(self, name: str, rows: str, needed: frozenset[str], joint: str) -> None:
        self.name, self.joint = name, joint
        self.steps = rows.split("/")
        self.columns = {column: column_paths(column) for column in sorted(needed)}
        highest = max((path.up for paths in self.columns.values() for path in paths), default=0)
        self.kept_from = len(self.steps) - highest
        self.path: list[str] = []
        self.root = ""
        self.node: _Element | None = None
        self.elements = 0
        self.found: list[_Element] = []
        self._begin_part()

    def _begin_part(self) -> None:
        self.values: dict[str, list[str]] = {column: [] for column in self.columns}
        self.lines: list[int] = []

    def parts(self, pieces: Iterable[bytes]) -> Iterator[Callable[[], RawFile]]:
        """What makes a table of the next rows, as soon as they have been read."""
        self.parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        for piece in pieces:
            self._parse(piece, False)
            if len(self.lines) >= OBJECT_ROWS:
                yield partial(_as_table, self.name, self.values, self.lines)
                self._begin_part()
        self._parse(b"", True)
        if self.root != self.steps[0]:
            raise RejectedError(
                "other_root",
                f"{self.name} does not begin with the element {self.steps[0]}; "
                "check the file or its source declaration.",
            )
        yield partial(_as_table, self.name, self.values, self.lines)

    def _parse(self, piece: bytes, last: bool) -> None:
        try:
            self.parser.Parse(piece, last)
        except (expat.ExpatError, LookupError, ValueError):
            line = self.parser.ErrorLineNumber
            raise RejectedError(
                "damaged", f"{self.name} is not sound XML at line {line}; ask for another copy."
            ) from None

    def _doctype(self, *_: object) -> None:
        raise RejectedError(
            "doctype", f"{self.name} declares a document type, which is never read; ask for plain."
        )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        local = tag.rpartition(" ")[2]
        self.root = self.root or local
        self.path.append(local)
        if len(self.path) > _DEEPEST or self.elements > _MOST_ELEMENTS:
            raise RejectedError("too_large", f"{self.name} nests too much; ask for it in parts.")
        if self.node is None and self.path != self.steps[: self.kept_from]:
            return
        self.node = self._below(local)
        for label, text in attributes.items():
            self._below(f"@{label.rpartition(' ')[2]}").add(text)
        if self.path == self.steps:
            self.found.append(self.node)

    def _below(self, name: str) -> _Element:
        child = _Element(name, self.node, self.parser.CurrentLineNumber)
        self.elements += 1
        if self.node is not None:
            self.node.children.append(child)
        return child

    def _text(self, text: str) -> None:
        if self.node is not None:
            self.node.add(text)

    def _end(self, tag: str) -> None:
        self.path.pop()
        if self.node is None:
            return
        self.node = self.node.parent
        if self.node is None:
            self._take_rows()

    def _take_rows(self) -> None:
        """Every element that this one's rows refer to is complete."""
        for row in self.found:
            self.lines.append(row.line)
            for column, paths in self.columns.items():
                self.values[column].append(row.value(paths, self.joint))
        self.found, self.elements = [], 0
