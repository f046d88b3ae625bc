"""A workspace: one authority's folder with its config, landing, history, store and publications."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from riskflag.errors import ConfigError, LockedError, StorageError

if TYPE_CHECKING:
    from riskflag.settings import Settings

CONFIG_NAME = "riskflag.toml"
PROMOTION_KEY_VARIABLE = "RISKFLAG_PROMOTION_KEY"

CONFIG_TEMPLATE = """# A riskflag workspace. A line with # is a default: remove the # to change it.

# The authority whose records these are; printed on every page.
authority = "{authority}"

# Where your own signals and rulebook are. Without this line the ones shipped with riskflag hold.
# features_dir = "features"

# How many flags a team can look at in a week. The model may raise at most so many children.
# capacity_per_week = 15

# Rules of this level or higher bring a child to a person's attention on their own;
# a rule below it is shown beside other reasons. One of: urgent, soon, routine.
# flag_from_level = "soon"

# Feeds the night cannot do without: when one of these is lost, nothing new is published.
# essential_sources = []

# The relational store. Without this line it is store.db in this folder.
# store_url = "sqlite:///store.db"

# Ask each reviewer for a first thought from the records alone, before they see the patterns.
# ask_first_thought = false

# Which share of reviews somebody else looks at again without seeing the first decision, from 0
# to 1; every "cannot decide" is looked at again whatever this says.
# second_look_share = 0.05

# How much memory a night or training may take, in GiB. A larger history is worked on in parts.
# memory_gib = 4
# The same for the rows that a load works on; what does not fit is put aside on disk meanwhile.
# ingest_memory_gib = 1

# The public half of the key that bundles are signed with (make one with `riskflag key FILE`): the
# night then refuses a model that was not promoted by whoever holds the key file.
# promotion_key = "64 letters and digits"

# Where `riskflag score --engine spark` works (docs: The night on Spark).
# [spark]
# master = "spark://host:7077"
# files = "s3a://bucket/riskflag"
# parts = 32

# A database that feeds are read from (docs: Your own files, From a database). No password here.
# [databases.ssd]
# url = "postgresql+psycopg://reader@server/ssd"
# password_variable = "SSD_PASSWORD"
# sources = ["ssd"]
"""


@dataclass(frozen=True)
class Workspace:
    """The folder at `root` and the names of what lives in it."""

    root: Path

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """The workspace at `root`; raises ConfigError when its config is missing or wrong."""
        workspace = cls(root.resolve())
        if not workspace.config_path.is_file():
            raise ConfigError(
                f"{root} is not a workspace: it has no {CONFIG_NAME}; "
                "make one with `riskflag init` or name one with --workspace."
            )
        _ = workspace.config
        return workspace

    @classmethod
    def create(cls, root: Path, authority: str) -> Workspace:
        """Make a new workspace at `root`; raises ConfigError when one is already there."""
        workspace = cls(root.resolve())
        if workspace.config_path.exists():
            raise ConfigError(f"{root} is already a workspace; choose another folder.")
        workspace.sources_dir.mkdir(parents=True, exist_ok=True)
        workspace.landing.mkdir(exist_ok=True, mode=0o700)
        quoted = authority.replace("\\", "\\\\").replace('"', '\\"')
        workspace.config_path.write_text(CONFIG_TEMPLATE.format(authority=quoted), encoding="utf-8")
        return workspace

    @cached_property
    def config(self) -> Settings:
        """The settings of riskflag.toml, with defaults for what it leaves out."""
        from riskflag.settings import Settings
        from riskflag.toml_lines import read_toml

        return read_toml(self.config_path, Settings)

    @property
    def config_path(self) -> Path:
        return self.root / CONFIG_NAME

    @property
    def sources_dir(self) -> Path:
        return self.root / "sources"

    @property
    def vocabulary(self) -> Path:
        """Where the authority's own contact types are declared; the file need not exist."""
        return self.root / "vocabulary.toml"

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def history(self) -> Path:
        return self.root / "history"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def bundles(self) -> Path:
        return self.root / "bundles"

    @property
    def publications(self) -> Path:
        return self.root / "publications"

    @property
    def work(self) -> Path:
        """What nights keep to be quicker; it may be removed at any time."""
        return self.root / "work"

    @property
    def mlruns(self) -> Path:
        return self.root / "mlruns"

    @property
    def features_dir(self) -> Path | None:
        """The authority's own features folder, or None for the shipped one."""
        chosen = self.config.features_dir
        return None if chosen is None else (self.root / chosen).resolve()

    @property
    def promotion_key(self) -> str | None:
        """The public key that bundles must be signed with, or None when they need not be.

        The night's own environment goes before riskflag.toml, which more people can write.
        """
        from riskflag.settings import PUBLIC_KEY

        told = os.environ.get(PROMOTION_KEY_VARIABLE)
        if not told:
            return self.config.promotion_key
        if re.match(PUBLIC_KEY, told) is None:
            raise ConfigError(
                f"{PROMOTION_KEY_VARIABLE} is not a public key; give the 64 letters and digits "
                "that `riskflag key` printed."
            )
        return told

    @property
    def store_url(self) -> str:
        """The SQLAlchemy address of the operational store."""
        chosen = self.config.store_url
        if chosen is None:
            return f"sqlite:///{self.root / 'store.db'}"
        prefix = "sqlite:///"
        if chosen.startswith(prefix) and not chosen.startswith(prefix + "/"):
            return f"{prefix}{self.root / chosen.removeprefix(prefix)}"
        return chosen

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the workspace for one writer; raises LockedError when another run holds it.

        The lock belongs to the process, so a run that is killed leaves none behind.
        """
        try:
            handle = os.open(self.root / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError:
            raise StorageError(f"{self.root} cannot be written; check its permissions.") from None
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise LockedError(
                    f"Another run is working in {self.root}; wait for it to end and try again."
                ) from None
            yield
        finally:
            os.close(handle)
