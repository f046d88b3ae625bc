"""An experiment: what to anticipate, for whom, learnt from when, checked on when."""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from riskflag.errors import ConfigError
from riskflag.signals.terms import terms
from riskflag.toml_lines import read_toml


class Part(BaseModel):
    """A part of an experiment file; unknown keys are refused so that a typing slip is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def contact_types(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, all of them contact types of the vocabulary; raises ValueError otherwise."""
    good = tuple(terms().types)
    for name in names:
        if name not in good:
            close = " or ".join(difflib.get_close_matches(name, good, n=2))
            hint = f" (perhaps {close})" if close else ""
            raise ValueError(f"a name in the list is not a contact type{hint}")
    return names


class TableColumns(Part):
    """What the columns of a labelled table are called.

    `row_key` tells rows of one person and date apart; `family` names who is drawn together when
    intervals are made.
    """

    person: str = "person"
    as_of: str = "as_of"
    label: str = "label"
    label_end: str = "label_end"
    row_key: tuple[str, ...] = ()
    family: str | None = None


class OutcomeConfig(Part):
    """What counts as the outcome, and which children are outside the question.

    Either contacts of some `types` within a horizon: a row is used when its horizon and
    `settle_days` more (for late records) were over at the cut. Or a labelled `table` (a path in
    the workspace): `types` then only names contacts that give the outcome away and are no input.
    """

    table: str | None = None
    columns: TableColumns = TableColumns()

    types: tuple[str, ...] = ("care.s47", "care.cp_plan", "care.looked_after")
    horizon_days: int = Field(default=180, ge=7, le=1100)
    settle_days: int = Field(default=28, ge=0, le=400)
    not_while: tuple[str, ...] = ("care.cp_plan", "care.looked_after")

    @model_validator(mode="before")
    @classmethod
    def _of_table(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "table" not in given:
            if isinstance(given, dict) and "columns" in given:
                raise ValueError("columns are for a labelled table; add table")
            return given
        for name in ("not_while", "horizon_days", "settle_days"):
            if name in given:
                raise ValueError(f"{name} is not for a labelled table; leave it out")
        return {"types": (), **given, "not_while": ()}

    @field_validator("types", "not_while")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return contact_types(names)


class CohortConfig(Part):
    """Which children are asked about: alive, born, under `under_age`.

    Of a labelled table: the rows in which each column of `where` has the value given. Those of
    `also_learn_where` are learnt from besides, and never judged, calibrated or stopped on.
    """

    under_age: int = Field(default=18, ge=1, le=25)
    where: dict[str, bool | int | str] = {}
    also_learn_where: dict[str, bool | int | str] = {}


class WindowsConfig(Part):
    """How many monthly as-of dates each window takes, counted back from the cut.

    Of a labelled table: rows as of `test_from` or later, and before `test_until`, judge, and
    `calibration_share` of the families before it is kept back to calibrate with.
    """

    test_from: dt.date | None = None
    test_until: dt.date | None = None
    calibration_share: float = Field(default=0.15, gt=0, lt=0.5)

    cut: dt.date | None = None
    #: How many times to train anew in the past, and how far apart, for the rolling evaluation.
    folds: int = Field(default=0, ge=0, le=24)
    every: str = Field(default="90d", pattern=r"^[1-9][0-9]{1,2}d$")
    train_months: int = Field(default=36, ge=1, le=240)
    calibration_months: int = Field(default=6, ge=1, le=36)
    test_months: int = Field(default=6, ge=1, le=36)
    stopping_months: int = Field(default=4, ge=1, le=24)

    @property
    def every_days(self) -> int:
        """The refit cadence in days."""
        return int(self.every.removesuffix("d"))


class TuningConfig(Part):
    """How settings are sought: how many `trials`, on how many tuning folds of the train months."""

    trials: int = Field(default=30, ge=2, le=1000)
    folds: int = Field(default=3, ge=2, le=8)
    seed: int = 1


class ModelConfig(Part):
    """How the trees are grown; every number that changes the bytes is here.

    With `tuning` the numbers are where the search begins and what stays if it gains nothing.
    """

    max_trees: int = Field(default=1000, ge=1, le=20_000)
    patience: int = Field(default=40, ge=1)
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    leaves: int = Field(default=8, ge=2, le=255)
    min_rows_in_leaf: int = Field(default=100, ge=1)
    signal_share: float = Field(default=0.3, gt=0, le=1)
    row_share: float = Field(default=0.7, gt=0, le=1)
    l2: float = Field(default=10.0, ge=0)
    max_rows: int = Field(default=250_000, ge=1000)
    outage_share: float = Field(default=0.1, ge=0, lt=1)
    seed: int = 1
    tuning: TuningConfig | None = None
    #: Plainer models that learn from the same rows and stand in the report.
    challengers: tuple[Literal["logistic", "ebm"], ...] = ("logistic",)


class EvaluationConfig(Part):
    """How the result is judged; without `capacity_per_week` the workspace's own number holds."""

    capacity_per_week: int | None = Field(default=None, ge=1)
    bootstrap: int = Field(default=200, ge=20, le=5000)
    #: How often the model is grown again on other children, to tell how steady its reasons are.
    refits: int = Field(default=5, ge=0, le=20)
    seed: int = 2
    #: What brings a child to attention today: the list of current practice is made of these.
    practice: tuple[str, ...] = ("care.referral",)

    @field_validator("practice")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return contact_types(names)


class PromotionConfig(Part):
    """The limits of the gates, and what to do when too few outcomes came to judge by."""

    #: Whether a gate that cannot be decided for want of outcomes holds.
    undecided_holds: bool = False
    #: With fewer children who had the outcome nothing is decided by it.
    fewest_outcomes: int = Field(default=100, ge=20)
    #: The interval of the slope, and of foretold over observed, must reach into these.
    slope_within: tuple[float, float] = (0.7, 1.4)
    level_within: tuple[float, float] = (0.67, 1.5)
    #: The share of what the list finds that it must still find without any one feed.
    kept_without_a_feed: float = Field(default=0.5, ge=0, le=1)
    #: The share of the differences in score that the amount of contact may explain.
    explained_by_contact: float = Field(default=0.75, ge=0, le=1)
    #: How much more often one group may clearly be missed, or listed for nothing, than the others.
    widest_gap: float = Field(default=0.1, gt=0, le=1)
    #: By which factor the level of one group may clearly be off that of the others.
    widest_level: float = Field(default=1.5, ge=1)
    #: How well (AUROC) the inputs together may tell a protected group from the others.
    strongest_proxy: float = Field(default=0.8, ge=0.5, le=1)

    @field_validator("slope_within", "level_within")
    @classmethod
    def _around_one(cls, ends: tuple[float, float]) -> tuple[float, float]:
        if not 0 < ends[0] <= 1 <= ends[1]:
            raise ValueError("the first must lie in 0 to 1 and the second be 1 or more")
        return ends


class ExperimentConfig(Part):
    """The whole of an experiment's config.toml."""

    question: str = Field(min_length=1)
    #: A folder of signals of its own, a path from the experiment's folder.
    features_dir: str | None = None
    outcome: OutcomeConfig = OutcomeConfig()
    cohort: CohortConfig = CohortConfig()
    windows: WindowsConfig = WindowsConfig()
    model: ModelConfig = ModelConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    promotion: PromotionConfig = PromotionConfig()

    @model_validator(mode="after")
    def _whole(self) -> ExperimentConfig:
        of_table = self.outcome.table is not None
        if of_table and self.windows.test_from is None:
            raise ValueError("an outcome from a table needs test_from in [windows]")
        cohort, windows = self.cohort, self.windows
        if cohort.also_learn_where and not cohort.where:
            raise ValueError("without where every row is learnt from; leave also_learn_where out")
        if not of_table and (cohort.where or windows.test_from or windows.test_until):
            raise ValueError(
                "where, test_from and test_until are for a labelled table; add table to [outcome]"
            )
        return self


@dataclass(frozen=True)
class Experiment:
    """An experiment folder that has been read: its name, its config and the config's hash."""

    name: str
    config: ExperimentConfig
    digest: str
    folder: Path | None = None

    @property
    def features_dir(self) -> Path | None:
        """The experiment's own signals, or None where it uses the workspace's."""
        if self.folder is None or self.config.features_dir is None:
            return None
        return (self.folder / self.config.features_dir).resolve()

    @classmethod
    def read(cls, folder: Path) -> Experiment:
        """Read `folder`/config.toml; raises ConfigError naming the line."""
        path = folder / "config.toml"
        config = read_toml(path, ExperimentConfig)
        name = folder.resolve().name
        if not name.replace("-", "").replace("_", "").isalnum():
            raise ConfigError(f"{folder}: name the folder with letters, digits, - and _ only.")
        return cls(name, config, hashlib.sha256(path.read_bytes()).hexdigest(), folder)


def find_experiment(name: str, workspace_root: Path) -> Path:
    """The folder of an experiment given as a path or as a name.

    A name is looked for in the workspace's experiments/ and then in the shipped ones; raises
    ConfigError listing what there is.
    """
    places = [workspace_root / "experiments", *shipped_experiments()]
    for folder in (Path(name), *(place / name for place in places)):
        if (folder / "config.toml").is_file():
            return folder
    known = sorted({p.parent.name for place in places for p in place.glob("*/config.toml")})
    listed = ", ".join(known) or "none"
    raise ConfigError(f"There is no experiment of that name; give a folder or one of: {listed}.")


def shipped_experiments() -> list[Path]:
    """Where experiments may be: beside the package in a checkout, or within it in a wheel."""
    package = Path(__file__).resolve().parents[2]
    return [package.parent / "experiments", package / "_experiments"]
