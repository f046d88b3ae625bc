"""What the governance pack is made from: a bundle, the record of its run, the signals' own words.

Everything measured comes from the bundle, where it is hashed and signed with the model; the record
adds how the run was made. What only people can say is read from the workspace's `governance.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from riskflag.errors import ConfigError, InputError
from riskflag.scoring.bundle import CURRENT, SIGNATURE, Bundle, load_current
from riskflag.signals import Signal, load_catalogue
from riskflag.training.judging.gates import Gate
from riskflag.training.record.track import Run, Store
from riskflag.workspace import Workspace

ANSWERS = "governance.toml"


class _Answers(BaseModel):
    """The file of what people say: a text for each field of the transparency record."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answers: dict[str, str] = Field(default={})


@dataclass(frozen=True)
class Evidence:
    """One bundle with all that is known of it; `run` is None when the record does not have it.

    `signals` has the declaration of each input that is still defined as it was in training.
    """

    authority: str
    id: str
    hash: str
    signed: bool
    about: Mapping[str, Any]
    inputs: Sequence[Mapping[str, Any]]
    excluded: Sequence[Mapping[str, str]]
    thresholds: Mapping[str, Any]
    gates: tuple[Gate, ...]
    performance: Mapping[str, Any]
    signals: Mapping[str, Signal]
    run: Run | None
    answers: Mapping[str, str]

    @property
    def result(self) -> Mapping[str, Any]:
        """The figures of the run."""
        told: Mapping[str, Any] = self.performance["result"]
        return told

    @property
    def shares(self) -> dict[str, float]:
        """The share of all contributions that each signal has."""
        return {one["signal"]: one["share"] for one in self.performance["importance"]}

    def checks(self, part: str) -> list[Mapping[str, Any]]:
        """The checks of one part: evaluation, honesty or fairness."""
        return [one for one in self.result.get("checks", ()) if one["part"] == part]

    def check(self, name: str) -> Mapping[str, Any] | None:
        """The check of that name."""
        found = self.result.get("checks", ())
        return next((one for one in found if one["name"] == name), None)


def gather(workspace: Workspace, name: str | None = None) -> Evidence:
    """The evidence of the bundle in folder `name`, or of the one the night uses.

    Raises ConfigError when there is none and InputError when it was promoted before its figures
    were kept with it.
    """
    bundle = _bundle(workspace, name)
    if "result" not in bundle.performance:
        raise InputError(
            f"Bundle {bundle.id} was promoted before its figures were kept with it; train and "
            "promote again."
        )
    here = load_catalogue(workspace.features_dir, workspace.vocabulary)
    catalogue = here.with_more(bundle.carried).by_name
    same = {
        one["name"]: catalogue[one["name"]]
        for one in bundle.signals
        if one["name"] in catalogue and catalogue[one["name"]].fingerprint == one["fingerprint"]
    }
    return Evidence(
        authority=workspace.config.authority,
        id=bundle.id,
        hash=bundle.hash,
        signed=(bundle.path / SIGNATURE).is_file(),
        about=bundle.manifest["about"],
        inputs=bundle.signals,
        excluded=bundle.parts["signals"]["excluded"],
        thresholds=bundle.thresholds,
        gates=tuple(Gate.from_dict(gate) for gate in bundle.parts["gates"]["gates"]),
        performance=bundle.performance,
        signals=same,
        run=_run(workspace.mlruns, bundle.id),
        answers=_answers(workspace.root / ANSWERS),
    )


def _bundle(workspace: Workspace, name: str | None) -> Bundle:
    if name is None:
        found = load_current(workspace.bundles, key=workspace.promotion_key)
        if found is None:
            raise ConfigError(
                "No model is promoted here yet; promote a run with `riskflag promote`."
            )
        return found
    folder = workspace.bundles / Path(name).name
    if not folder.is_dir() or folder.name == CURRENT:
        raise ConfigError("There is no such bundle in this workspace; look into bundles/.")
    return Bundle.load(folder, key=workspace.promotion_key)


def _run(mlruns: Path, bundle: str) -> Run | None:
    return Store(mlruns).of_bundle(bundle) if (mlruns / "mlflow.db").is_file() else None


def _answers(path: Path) -> Mapping[str, str]:
    from riskflag.toml_lines import read_toml

    return read_toml(path, _Answers).answers if path.is_file() else {}
