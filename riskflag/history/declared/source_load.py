"""Reading the source declarations of a folder."""

from __future__ import annotations

from pathlib import Path

from riskflag.errors import ConfigError
from riskflag.history.declared.source import Source
from riskflag.history.declared.source_check import check_source
from riskflag.history.schema import Vocabulary
from riskflag.toml_lines import locate_line, read_toml


def load_source(path: Path, vocabulary: Vocabulary | None = None) -> Source:
    """Read a source declaration; ConfigError names the file and line of the first mistake.

    `vocabulary` is the one its types and attribute values must come from (default: the shipped).
    """
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
