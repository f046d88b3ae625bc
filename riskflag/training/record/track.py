"""The experiment record: the one module that knows MLflow.

MLflow records and never loads: no model is read through it, no row of data is given to it, and
nothing is logged by itself. The store is mlruns/mlflow.db with the files beside it. Telemetry and
loading of pickles are switched off before it is imported.
"""

from __future__ import annotations

import logging
import math
import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskflag.errors import ConfigError, IntegrityError, StorageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REGISTRY = "riskflag"
CHAMPION, CHALLENGER = "champion", "challenger"
REGISTERED = (
    "Each version is a run's future bundle. **champion** is the one that the night uses, "
    "**challenger** the newest whose gates held. Aliases are moved by `riskflag promote` and "
    "`riskflag train`, never by hand: the night reads the bundle's files, not this page."
)
#: The tag that MLflow shows as a run's description.
NOTE = "mlflow.note.content"
#: The tag by which MLflow shows a run under another.
PARENT = "mlflow.parentRunId"
NO_RUN = "No run is recorded here; train one with `riskflag train`."
#: MLflow keeps at most this much of one parameter.
LONGEST_PARAMETER = 500


@dataclass(frozen=True)
class FoldRecord:
    """One fold of a rolling evaluation: a run under the run that it belongs to."""

    name: str
    parameters: Mapping[str, object]
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class RunRecord:
    """One training run as it is recorded: aggregates, texts and pictures, never rows."""

    experiment: str
    note: str
    parameters: Mapping[str, object]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    texts: Mapping[str, str]
    figures: Mapping[str, Figure] = field(default_factory=dict)
    folds: tuple[FoldRecord, ...] = ()


@dataclass(frozen=True)
class Run:
    """A recorded run: its id, experiment, start (milliseconds since 1970) and figures."""

    id: str
    experiment: str
    started: int
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]


class Store:
    """The MLflow store in one mlruns folder."""

    def __init__(self, mlruns: Path) -> None:
        """Open the store, making it on first use (a few seconds)."""
        self.folder = mlruns.resolve()
        with _quiet():
            self._client = _client(self.folder)

    def record(self, record: RunRecord) -> str:
        """Write one finished run and return its id."""
        with _quiet():
            place = self._experiment(record.experiment)
            tags = {**record.tags, NOTE: record.note}
            known = self._begin(
                place, FoldRecord(record.experiment, record.parameters, record.metrics), tags
            )
            for fold in record.folds:
                under = self._begin(place, fold, {PARENT: known})
                self._client.set_terminated(under)
            for path, text in record.texts.items():
                self._client.log_text(known, text, path)
            for path, figure in record.figures.items():
                self._client.log_figure(known, figure, path)
            self._client.set_terminated(known)
        return known

    def _begin(self, experiment: str, run: FoldRecord, tags: Mapping[str, str]) -> str:
        """Open a run with its parameters, finite figures and tags, and return its id."""
        from mlflow.entities import Metric, Param, RunTag

        begun = self._client.create_run(experiment, run_name=run.name)
        now = begun.info.start_time
        finite = {key: value for key, value in run.metrics.items() if math.isfinite(value)}
        self._client.log_batch(
            begun.info.run_id,
            metrics=[Metric(key, value, now, 0) for key, value in finite.items()],
            params=[
                Param(key, str(value)[:LONGEST_PARAMETER]) for key, value in run.parameters.items()
            ],
            tags=[RunTag(key, value) for key, value in tags.items()],
        )
        return str(begun.info.run_id)

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        place = (self.folder / "artifacts").as_uri()
        if found is not None and found.artifact_location != place:
            raise StorageError(
                f"{self.folder} was moved or copied: its database still names the old folder, and "
                "files would be written there. Move it back, or rename it and train again."
            )
        if found is not None:
            return str(found.experiment_id)
        return str(self._client.create_experiment(name, artifact_location=place))

    def runs(self, experiment: str | None = None) -> list[Run]:
        """Finished runs, newest first, of one experiment or of all, without folds under a run."""
        with _quiet():
            known = {e.experiment_id: e.name for e in self._client.search_experiments()}
            ids = [key for key, name in known.items() if experiment in (None, name)]
            found = self._client.search_runs(
                ids, "attributes.status = 'FINISHED'", order_by=["attributes.start_time DESC"]
            )
        return [
            _run(one, known[one.info.experiment_id]) for one in found if PARENT not in one.data.tags
        ]

    def folds(self, run: Run) -> list[Run]:
        """The folds of a run's rolling evaluation, in the order of their cuts."""
        with _quiet():
            owner = self._client.get_run(run.id).info.experiment_id
            found = self._client.search_runs([owner], f"tags.`{PARENT}` = '{run.id}'")
        under = [_run(one, run.experiment) for one in found]
        return sorted(under, key=lambda one: one.parameters["cut"])

    def find(self, run: str | None) -> Run:
        """The run whose id begins with `run`, or with that alias, or the newest without either.

        Raises ConfigError when there is none.
        """
        runs = self.runs()
        if not runs:
            raise ConfigError(NO_RUN)
        if run in (CHAMPION, CHALLENGER):
            named = self.alias(run)
            if named is None:
                raise ConfigError(f"No run is the {run}; `riskflag compare` lists the runs.")
            run = named
        matching = [one for one in runs if run is None or one.id.startswith(run)]
        if not matching or (run is not None and len(matching) > 1):
            raise ConfigError("No single run begins like that; `riskflag compare` lists the runs.")
        return matching[0]

    def files(self, run: Run, folder: str) -> dict[str, bytes]:
        """The files of a run's artifact folder, by name."""
        place = self.folder / "artifacts" / run.id / "artifacts" / folder
        if not place.is_dir():
            raise IntegrityError(f"The files of run {run.id} are not in {place}; train again.")
        return {path.name: path.read_bytes() for path in sorted(place.iterdir())}

    def crown(self, run: Run, tags: Mapping[str, str]) -> None:
        """Give the run the alias champion; it is then no challenger any more."""
        self.set_alias(run, CHAMPION, tags)
        if self.alias(CHALLENGER) == run.id:
            with _quiet():
                self._client.delete_registered_model_alias(REGISTRY, CHALLENGER)

    def set_alias(self, run: Run, alias: str, tags: Mapping[str, str]) -> None:
        """Register the run's bundle, once, and move the alias (champion or challenger) to it."""
        from mlflow.exceptions import MlflowException

        with _quiet():
            try:
                self._client.get_registered_model(REGISTRY)
            except MlflowException:
                self._client.create_registered_model(REGISTRY, description=REGISTERED)
            version = self._version(run) or self._client.create_model_version(
                REGISTRY,
                source=(self.folder / "artifacts" / run.id / "artifacts" / "bundle").as_uri(),
                run_id=run.id,
                description=run.tags.get(NOTE),
            )
            for name, value in tags.items():
                self._client.set_model_version_tag(REGISTRY, version.version, name, value)
            self._client.set_registered_model_alias(REGISTRY, alias, version.version)

    def of_bundle(self, bundle: str) -> Run | None:
        """The run that was promoted as this bundle, or None when the record has none."""
        with _quiet():
            found = self._client.search_model_versions(f"name = '{REGISTRY}'")
        known = next((one.run_id for one in found if one.tags.get("bundle") == bundle), None)
        return next((run for run in self.runs() if run.id == known), None)

    def _version(self, run: Run) -> Any:
        """The version that the run was registered as, or None."""
        found = self._client.search_model_versions(f"name = '{REGISTRY}'")
        return next((one for one in found if one.run_id == run.id), None)

    def alias(self, name: str) -> str | None:
        """The id of the run that has the alias, or None."""
        from mlflow.exceptions import MlflowException

        with _quiet():
            try:
                found = self._client.get_model_version_by_alias(REGISTRY, name)
            except MlflowException:
                return None
        return str(found.run_id)

    def champion(self) -> str | None:
        """The id of the run that was promoted last, or None."""
        return self.alias(CHAMPION)


def must_be_there(mlruns: Path) -> None:
    """Raise ConfigError where no training made a store, before one is made only to be empty."""
    if not (mlruns / "mlflow.db").is_file():
        raise ConfigError(NO_RUN)


def _client(folder: Path) -> Any:
    """A client of the store in `folder`, by its absolute path: a relative one would wander."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    from mlflow.tracking import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    address = f"sqlite:///{folder / 'mlflow.db'}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        client = MlflowClient(tracking_uri=address, registry_uri=address)
        client.search_experiments(max_results=1)
    except OSError:
        raise StorageError(f"{folder} cannot be written; check its permissions.") from None
    return client


def _run(found: Any, experiment: str) -> Run:
    return Run(
        found.info.run_id,
        experiment,
        int(found.info.start_time),
        dict(found.data.params),
        dict(found.data.metrics),
        dict(found.data.tags),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """MLflow's own imports warn about other packages' plans; nothing a user could act on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def git_revision() -> str | None:
    """The revision of the checkout this code runs from, or None when it is not one."""
    git = shutil.which("git")
    here = Path(__file__).resolve().parent
    if git is None or not (here.parents[1] / ".git").exists():
        return None
    done = subprocess.run(
        [git, "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None
