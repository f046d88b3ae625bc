"""A document for people who answer for something: one content, as Markdown and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Characters that would end a cell, or be read as more than themselves, in a Markdown table.
_CELL = str.maketrans({"|": "\\|", "\n": " ", "<": "&lt;"})


@dataclass(frozen=True)
class Points:
    """A list of points."""

    texts: tuple[str, ...]
    kind: str = "points"


@dataclass(frozen=True)
class Table:
    """A table: its caption, headings and rows of texts, each as long as the headings."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    kind: str = "table"


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str
    kind: str = "words"


Block = Words | Points | Table


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A document: the name of its files, its title, the sentence under it, and its sections."""

    name: str
    title: str
    lead: str
    sections: tuple[Section, ...]


def section(title: str, *blocks: Block | str | None) -> Section:
    """A section; a text is a paragraph and None is left out."""
    kept = (one for one in blocks if one is not None)
    return Section(title, tuple(Words(one) if isinstance(one, str) else one for one in kept))


def as_markdown(document: Document) -> str:
    """The document as Markdown; the same document gives the same bytes."""
    lines = [f"# {document.title}", "", document.lead]
    for part in document.sections:
        lines += ["", f"## {part.title}"]
        for block in part.blocks:
            lines += ["", *_block(block)]
    return "\n".join(lines) + "\n"


def _block(block: Block) -> list[str]:
    if isinstance(block, Words):
        return [_text(block.text)]
    if isinstance(block, Points):
        return [f"- {_text(text)}" for text in block.texts]
    rule = "|" + "---|" * len(block.heads)
    named = f"**{_text(block.caption)}**"
    return [named, "", _row(block.heads), rule, *(_row(row) for row in block.rows)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.translate(_CELL) for cell in cells) + " |"


def _text(text: str) -> str:
    return text.replace("<", "&lt;")
