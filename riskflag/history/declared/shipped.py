"""The sources that come with riskflag, and copying one into a workspace."""

from __future__ import annotations

from pathlib import Path

from riskflag.errors import ConfigError

SHIPPED_SOURCES = Path(__file__).with_name("sources")


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
