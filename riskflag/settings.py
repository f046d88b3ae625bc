"""What a workspace's riskflag.toml may say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Level = Literal["urgent", "soon", "routine"]
#: A password inside a database address, or among the words after its question mark.
_PASSWORD = re.compile(r"://[^/@]*:[^/@]*@|(?:^|[?&;])\s*(?:pwd|password)\s*=", re.IGNORECASE)
_NAME = r"^[a-z][a-z0-9_]{0,62}$"
#: The public half of a promotion key, as `riskflag key` prints it.
PUBLIC_KEY = r"^[0-9a-f]{64}$"


class DatabaseSettings(BaseModel):
    """A database that feeds are read from. The password never stands here.

    `url` is an SQLAlchemy address; the environment variable RISKFLAG_DATABASE_NAME replaces it,
    whole and with its password, and `password_variable` names one that holds the password alone.
    `sources` are the sources, or families of them, that are read from here instead of from files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    url: str | None = None
    password_variable: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    schema_: str | None = Field(
        default=None, alias="schema", pattern=r"^[A-Za-z_][\w$#]*(\.[A-Za-z_][\w$#]*)?$"
    )
    sources: tuple[str, ...] = ()
    isolation: Literal["snapshot", "repeatable_read", "serializable", "read_committed"] = "snapshot"

    @field_validator("url")
    @classmethod
    def _without_password(cls, value: str | None) -> str | None:
        if value is not None and _PASSWORD.search(value):
            raise ValueError("a password must not stand in this file; name its password_variable")
        return value


class SparkSettings(BaseModel):
    """Where `riskflag score --engine spark` works; what is left out is as Spark itself has it.

    `files` is a folder that every worker reaches, `options` are settings of Spark by their names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    master: str | None = None
    files: str | None = None
    parts: Literal[4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096] = 32
    options: dict[str, str] = {}


class Settings(BaseModel):
    """The settings of one workspace; unknown keys are refused so that a typing slip is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    authority: str = Field(min_length=1)
    features_dir: Path | None = None
    capacity_per_week: int = Field(default=15, ge=1, le=10_000)
    flag_from_level: Level = "soon"
    essential_sources: tuple[str, ...] = ()
    store_url: str | None = None
    ask_first_thought: bool = False
    second_look_share: float = Field(default=0.05, ge=0, le=1)
    memory_gib: float = Field(default=4, ge=0.1, le=4096)
    ingest_memory_gib: float = Field(default=1, ge=0.01, le=4096)
    promotion_key: str | None = Field(default=None, pattern=PUBLIC_KEY)
    spark: SparkSettings = SparkSettings()
    databases: dict[Annotated[str, Field(pattern=_NAME)], DatabaseSettings] = {}
