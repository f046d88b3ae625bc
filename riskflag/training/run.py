"""One training run, from a workspace's history to an MLflow run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from riskflag.history.store.parquet_store import HistoryStore
from riskflag.history.store.viewing import held_or_viewed
from riskflag.progress import Progress, silent
from riskflag.scoring.bundle import BundleParts
from riskflag.scoring.rulebook import Rulebook
from riskflag.signals import Catalogue, load_catalogue
from riskflag.signals.terms import use_vocabulary
from riskflag.training.checks.hearing import Hearing
from riskflag.training.checks.honesty import all_checks
from riskflag.training.checks.leaks import leak_check
from riskflag.training.checks.oracle import read_oracles
from riskflag.training.checks.own_flags import Reviewed, reviews_of
from riskflag.training.data.experiment import Experiment, ExperimentConfig
from riskflag.training.data.past import digest
from riskflag.training.data.prepare import Prepared, prepare
from riskflag.training.data.prepare_table import prepare_table
from riskflag.training.data.rows import Floats, Past
from riskflag.training.judging.challengers import Challengers
from riskflag.training.judging.judge import RULES, Court, Judgement
from riskflag.training.judging.rolling import Tour
from riskflag.training.judging.rules_alone import rules_alone, rules_for
from riskflag.training.model.learn import Learnt, learn
from riskflag.training.model.operate import monthly_capacity
from riskflag.training.model.refits import refits
from riskflag.training.promotion.parts import about, bundle_parts
from riskflag.training.record import report
from riskflag.training.record.track import CHALLENGER, RunRecord, Store
from riskflag.training.record.write import Finished
from riskflag.workspace import Workspace


@dataclass(frozen=True)
class Trained:
    """A finished run: its id, its judgement and the bundle it would become."""

    run_id: str
    judgement: Judgement
    parts: BundleParts
    trees: int
    inputs: int
    excluded: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The report as plain text."""
        gates = [gate.to_dict() for gate in self.judgement.gates]
        return report.as_text(self.judgement.result, gates)


def train(
    folder: Path,
    workspace: Workspace,
    *,
    truth: Path | None = None,
    threads: int = 2,
    progress: Progress = silent,
) -> Trained:
    """Train the experiment in `folder` on the workspace's history and record the run.

    `truth` is a synthetic borough's truth folder: it is only compared with, never learnt from.
    """
    use_vocabulary(workspace.vocabulary)
    experiment = Experiment.read(folder)
    night = load_catalogue(workspace.features_dir, workspace.vocabulary)
    own = experiment.features_dir
    catalogue = night if own is None else load_catalogue(own, workspace.vocabulary)
    history = _past(workspace, progress)
    config = experiment.config
    prepared = _prepared(history, config, catalogue, workspace, progress)
    a_week = config.evaluation.capacity_per_week or workspace.config.capacity_per_week
    capacity = monthly_capacity(a_week)
    learnt = learn(prepared, config.model, capacity=capacity, threads=threads, progress=progress)
    rulebook = rules_for(history, night)
    plainer = Challengers.learn(prepared, learnt.config, progress)
    court = Court(
        prepared,
        learnt,
        config,
        capacity,
        others=_by_rules(history, prepared, rulebook, progress)
        | plainer.scores(prepared.test.values),
        oracles={} if truth is None else read_oracles(truth, prepared.test.rows),
        progress=progress,
    )
    judgement = court.judge()
    judgement.result["challengers"] = plainer.beside(prepared, judgement.result, config.evaluation)
    root = None if config.outcome.table is None else workspace.root
    tour = Tour(history, config, catalogue, a_week, threads, progress, root, rulebook)
    _examine(tour, prepared, learnt, judgement, capacity=capacity, reviews=reviews_of(workspace))
    texts = plainer.texts()
    if learnt.tuned is not None:
        judgement.result["tuning"] = learnt.tuned.to_dict()
        texts["tuning/trials.csv"] = learnt.tuned.table()
    told = about(experiment, prepared, catalogue, digest(history))
    config = config.model_copy(update={"model": learnt.config})
    again = refits(prepared, config, learnt.trees, threads=threads, progress=progress)
    parts = bundle_parts(told, prepared, learnt, judgement, refits=again, carried=own is not None)
    beside = None if rulebook is None else night.rulebook_path
    finished = Finished(experiment, prepared, learnt, judgement, parts, texts, beside)
    run_id = _keep(workspace, finished.record(catalogue, progress), judgement)
    inputs = prepared.inputs
    return Trained(run_id, judgement, parts, learnt.trees, len(inputs.names), inputs.excluded)


def _past(workspace: Workspace, progress: Progress) -> Past:
    """The history in memory, or in parts in a folder of its own: a night may renew its view."""
    store, size = HistoryStore(workspace.history), workspace.config.memory_gib
    folder = workspace.work / "view-for-training"
    return held_or_viewed(store, folder, memory=int(size * 2**30), progress=progress)


def _by_rules(
    history: Past, prepared: Prepared, rulebook: Rulebook | None, progress: Progress
) -> dict[str, Floats]:
    if rulebook is None:
        return {}
    return {RULES: rules_alone(history, prepared.test.rows, rulebook, progress)}


def _prepared(
    history: Past,
    config: ExperimentConfig,
    catalogue: Catalogue,
    workspace: Workspace,
    progress: Progress,
) -> Prepared:
    if config.outcome.table is None:
        return prepare(history, config, catalogue, progress)
    return prepare_table(history, config, catalogue, workspace.root, progress)


def _examine(
    tour: Tour,
    prepared: Prepared,
    learnt: Learnt,
    judgement: Judgement,
    *,
    capacity: float,
    reviews: Reviewed,
) -> None:
    """Add the leak check, the weekly lists and every check to the judgement's result."""
    history, config, result = tour.history, tour.config, judgement.result
    result["leaks"] = leak_check(history, prepared, learnt.model, tour.progress)
    rolled = tour.go(prepared.split.cut)
    if rolled is not None:
        result["rolling"] = rolled
    if config.outcome.table is None:
        result["weekly"] = tour.first_weeks(prepared, learnt)
    line = learnt.thresholds["probability"]
    hearing = Hearing(
        history, prepared, learnt.model, config, capacity, line, progress=tour.progress
    )
    result["checks"] = all_checks(hearing, result, judgement.scores, reviews)


def _keep(workspace: Workspace, record: RunRecord, judgement: Judgement) -> str:
    """Record the run and return its id; it is the challenger when its gates hold."""
    store = Store(workspace.mlruns)
    run_id = store.record(record)
    if all(gate.passed for gate in judgement.gates):
        store.set_alias(store.find(run_id), CHALLENGER, {"gates": "held in training"})
    return run_id
