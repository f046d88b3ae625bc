"""What a finished run leaves in the record: figures, texts, plots, and its future bundle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskflag.progress import Progress
from riskflag.scoring.bundle import BundleParts, canonical, sha256
from riskflag.signals import Catalogue, definition
from riskflag.training.data.experiment import Experiment
from riskflag.training.data.prepare import Prepared
from riskflag.training.figures import checks
from riskflag.training.figures.tables import calibrations, tables
from riskflag.training.judging import shap_report
from riskflag.training.judging.judge import Judgement
from riskflag.training.model.learn import Learnt
from riskflag.training.record import plots, report
from riskflag.training.record.checks_page import checks_page
from riskflag.training.record.fair_words import fairness_page
from riskflag.training.record.track import FoldRecord, RunRecord, git_revision

#: The artifact folder that holds a run's future bundle.
BUNDLE = "bundle"
#: The figures that are recorded of what the model is judged beside; the tables have all of them.
OF_OTHERS = frozenset({"auroc", "precision_at_capacity", "precision"})


@dataclass(frozen=True)
class Finished:
    """A run that is over, on its way into the record."""

    experiment: Experiment
    prepared: Prepared
    learnt: Learnt
    judgement: Judgement
    parts: BundleParts
    #: Further texts by artifact path.
    texts: Mapping[str, str] = field(default_factory=dict)
    #: The rulebook that it was judged beside.
    rulebook: Path | None = None

    def record(self, catalogue: Catalogue, progress: Progress) -> RunRecord:
        progress("drawing the plots", 0, 1)
        result, gates = self.judgement.result, self.parts.parts["gates"]["gates"]
        name = self.experiment.name
        files = {f"{BUNDLE}/{path}": data.decode() for path, data in self.parts.files().items()}
        texts = {
            **files,
            **self.texts,
            **tables(result, self.judgement.importance),
            f"{BUNDLE}/about.json": canonical(dict(self.parts.about)).decode(),
            "report/report.txt": report.as_text(result, gates),
            "report/report.html": report.as_html(f"Experiment {name}", result, gates),
            "report/figures.json": canonical(result).decode(),
            "report/fairness.html": fairness_page(f"Fairness of {name}", result.get("checks", ())),
            "report/checks.html": checks_page(f"Checks of {name}", result.get("checks", ())),
            "report/checks.json": canonical(checks.as_json(result)).decode(),
            "report/importance.json": canonical(self.judgement.importance).decode(),
            "catalogue/signals.txt": catalogue_text(catalogue),
            "catalogue/rulebook.toml": _rulebook(self.rulebook),
            **self._asked(),
        }
        return RunRecord(
            name,
            note=f"{self.experiment.config.question}\n\n{self.parts.card}",
            parameters=self._parameters(),
            metrics=metrics(result, self.learnt, gates),
            tags=self._tags(catalogue),
            texts=texts,
            figures=self._figures(),
            folds=tuple(folds(result)),
        )

    def _asked(self) -> dict[str, str]:
        """The experiment's own file, so that every setting can be read."""
        folder = self.experiment.folder
        if folder is None:
            return {}
        return {"config.toml": (folder / "config.toml").read_text(encoding="utf-8")}

    def _parameters(self) -> dict[str, object]:
        config = self.experiment.config
        windows = self.prepared.split.told()
        return {
            **self.learnt.config.model_dump(exclude={"tuning", "challengers"}),
            "challengers": " ".join(config.model.challengers) or "none",
            "folds": config.windows.folds,
            "tuning_trials": 0 if config.model.tuning is None else config.model.tuning.trials,
            "outcome_types": config.outcome.table or " ".join(config.outcome.types),
            "not_while": " ".join(config.outcome.not_while) or "nothing",
            "horizon_days": self.parts.about["horizon_days"],
            **{f"{name}_window": text for name, text in windows.items()},
            "signals": len(self.prepared.inputs.names),
            "train_rows": self.prepared.train_rows,
            "train_outcomes": self.prepared.train_outcomes,
            "train_rows_used": len(self.prepared.train.rows),
            "rows_with_outage": self.learnt.rows_with_outage,
            "calibration_method": self.learnt.model.calibration.method,
        }

    def _tags(self, catalogue: Catalogue) -> dict[str, str]:
        return {
            "history_digest": str(self.parts.about["history"]),
            "catalogue_fingerprint": catalogue.fingerprint,
            "config_digest": self.experiment.digest,
            "bundle_digest": bundle_digest(self.parts.files()),
            "code_version": str(self.parts.about["code"]),
            "git_revision": git_revision() or "not a checkout",
        }

    def _figures(self) -> dict[str, Any]:
        judgement = self.judgement
        labels = self.prepared.test.labels.numbers
        return {
            "plots/precision_recall.png": plots.precision_recall(judgement.scores, labels),
            "plots/calibration.png": plots.calibration(calibrations(judgement.result)),
            "shap/importance.png": plots.importance(judgement.importance),
            **shap_report.figures(self.learnt.model, judgement.spread, judgement.importance),
        }


def bundle_digest(files: Mapping[str, bytes]) -> str:
    """One hash over a bundle's files: what promotion compares the artifacts with."""
    hashes = {name: sha256(data) for name, data in files.items()}
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()


def metrics(
    result: Mapping[str, Any], learnt: Learnt, gates: list[dict[str, Any]]
) -> dict[str, float]:
    """The small fixed set of figures with plain names that analysts compare runs by."""
    told: dict[str, float | None] = {
        "trees": float(learnt.trees),
        "base_rate": result["base_rate"],
        "brier": result["calibration"]["brier"]["value"],
        "calibration_slope": result["calibration"]["slope"]["value"],
        "expected_over_observed": result["calibration"]["expected_over_observed"]["value"],
        "gates_held": float(sum(gate["passed"] for gate in gates)),
        "gates_failed": float(sum(not gate["passed"] for gate in gates)),
    }
    for name, figures in result["scorers"].items():
        suffix = "" if name == "model" else "_" + name.replace(" ", "_")
        for key, figure in figures.items():
            if name == "model" or key in OF_OTHERS:
                told[f"{key}{suffix}"] = figure["value"]
    told["auroc_low"] = result["scorers"]["model"]["auroc"]["low"]
    told["auroc_high"] = result["scorers"]["model"]["auroc"]["high"]
    if "rolling" in result:
        told |= list_figures(result["rolling"]["pooled"])
    if "tuning" in result:
        told["tuning_gain"] = result["tuning"]["gain"]["value"]
        told["tuning_gain_low"] = result["tuning"]["gain"]["low"]
    if "leaks" in result:
        leaks = result["leaks"]
        told["leak_suspects"] = float(len(leaks["suspects"]))
        told["auroc_28_days_earlier"] = leaks["auroc_earlier"]
        told["gain_by_day_it_happened"] = leaks["gain_by_day_it_happened"]
    if "oracle" in result:
        told["share_of_the_possible"] = result["oracle"]["share"]["value"]
    return {name: float(value) for name, value in told.items() if value is not None}


def folds(result: Mapping[str, Any]) -> Iterator[FoldRecord]:
    """Each fold of the rolling evaluation as a run of its own."""
    for fold in result.get("rolling", {}).get("folds", ()):
        told = {"auroc": fold["auroc"], **list_figures(fold["lists"])}
        named = {name: fold[name] for name in ("cut", "learnt_from", "period", "weeks")}
        yield FoldRecord(f"fold {fold['fold']}", named, told)


def list_figures(lists: Mapping[str, Any]) -> dict[str, float]:
    """The figures of weekly lists, the model's under their plain names, few of the others'."""
    return {
        f"weekly_{key}" + ("" if name == "model" else "_" + name.replace(" ", "_")): figure["value"]
        for name, figures in lists.items()
        for key, figure in figures.items()
        if figure["value"] is not None and (name == "model" or key in OF_OTHERS)
    }


def catalogue_text(catalogue: Catalogue) -> str:
    """Every signal with its question, direction, theme and definition."""
    blocks = [
        f"{one.name}\n  {one.question}\n  {definition(one)}\n"
        f"  direction: {one.direction}; theme: {one.theme}; agency: {one.agency}; "
        f"source: {one.source}\n  fingerprint: {one.fingerprint}\n"
        for one in catalogue.signals
    ]
    return "\n".join(blocks)


def _rulebook(path: Path | None) -> str:
    return "# no rulebook\n" if path is None else path.read_text(encoding="utf-8")
