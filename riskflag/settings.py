"""What a workspace's riskflag.toml may say."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Level = Literal["urgent", "soon", "routine"]


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
