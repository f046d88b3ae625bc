"""The catalogue: every signal declared in the files of a features folder.

The folder is found by path, so an authority edits its own copy without touching the program. Each
file is Python, reviewed like any other code; it declares `SIGNALS`, a tuple of signals.
"""

from __future__ import annotations

import hashlib
import runpy
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import riskflag
from riskflag.errors import ConfigError
from riskflag.signals.define import Signal
from riskflag.signals.terms import use_vocabulary


@dataclass(frozen=True)
class Catalogue:
    """Signals by name, in the order of their files, with what identifies them."""

    signals: tuple[Signal, ...]
    #: SHA-256 over the declarations and the text of their files, in hexadecimal.
    fingerprint: str
    rulebook_path: Path

    @cached_property
    def by_name(self) -> dict[str, Signal]:
        """Each signal under its name."""
        return {signal.name: signal for signal in self.signals}

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(signal.name for signal in self.signals)

    def with_more(self, signals: Sequence[Signal]) -> Catalogue:
        """The catalogue with those of the signals whose names it does not have yet."""
        more = tuple(one for one in signals if one.name not in self.by_name)
        if not more:
            return self
        told = "".join([self.fingerprint, *(one.fingerprint for one in more)])
        return replace(
            self,
            signals=(*self.signals, *more),
            fingerprint=hashlib.sha256(told.encode()).hexdigest(),
        )


def default_features_dir() -> Path:
    """The copy that came with the installed package, or in a checkout the folder itself."""
    package = Path(riskflag.__file__).parent
    shipped = package / "_features"
    return shipped if shipped.is_dir() else package.parent / "features"


def load_catalogue(
    features_dir: Path | str | None = None, vocabulary: Path | None = None
) -> Catalogue:
    """Read every `*.py` file of a features folder, in the order of their names.

    `vocabulary` is the path of a workspace's own vocabulary.toml, whether it is there or not; from
    here on its contact types may be used as the shipped ones are.

    Raises ConfigError, naming the file, for a folder without signals, a file that does not
    declare `SIGNALS`, a declaration that is not possible or a name given twice.
    """
    use_vocabulary(vocabulary)
    folder = default_features_dir() if features_dir is None else Path(features_dir)
    if not folder.is_dir():
        raise ConfigError(f"The features folder {folder} is not there; check features_dir.")
    files = sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))
    found: dict[str, tuple[Path, Signal]] = {}
    for path in files:
        for signal in _signals_of(path):
            if signal.name in found:
                raise ConfigError(
                    f"{path}: signal '{signal.name}' is already in {found[signal.name][0].name};"
                    " give one of them another name."
                )
            found[signal.name] = (path, signal)
    if not found:
        raise ConfigError(f"The features folder {folder} declares no signals.")
    signals = tuple(signal for _, signal in found.values())
    return Catalogue(signals, _fingerprint(files, signals), folder / "rulebook.toml")


def _signals_of(path: Path) -> Sequence[Signal]:
    try:
        declared = runpy.run_path(str(path)).get("SIGNALS")
    except ConfigError as error:
        raise ConfigError(f"{path} line {_line(error, path)}: {error}") from None
    except Exception as error:
        raise ConfigError(f"{path} cannot be read as Python: {_where(error, path)}.") from error
    if not isinstance(declared, tuple) or not all(isinstance(one, Signal) for one in declared):
        raise ConfigError(f"{path} must set SIGNALS to a tuple of signals.")
    return declared


def _where(error: Exception, path: Path) -> str:
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}"
    return f"{type(error).__name__}: {error} (line {_line(error, path)})"


def _line(error: Exception, path: Path) -> int:
    """The last line of the file itself that led to the error: where its author must look."""
    frames = traceback.extract_tb(error.__traceback__)
    return max([frame.lineno or 0 for frame in frames if frame.filename == str(path)][-1:] or [1])


def _fingerprint(files: Sequence[Path], signals: Sequence[Signal]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    for signal in signals:
        digest.update(signal.fingerprint.encode())
    return digest.hexdigest()
