"""Candidates for promotion made of made-up rows, in a record that stands where MLflow stands."""

from __future__ import annotations

import copy
import dataclasses
import functools
from pathlib import Path
from typing import Any

from riskflag.scoring.bundle import canonical
from riskflag.signals import Catalogue
from riskflag.training.data.experiment import Experiment
from riskflag.training.data.prepare import Prepared
from riskflag.training.judging.judge import RULES, Court, Judgement
from riskflag.training.model.learn import Learnt
from riskflag.training.promotion.parts import about, bundle_parts
from riskflag.training.record.track import Run
from riskflag.training.record.write import Finished, bundle_digest
from tests.made_up_checks import sound
from tests.made_up_training import SMALL, learnt, prepared, signals

MADE_UP = Catalogue(signals(), "f" * 64, Path("no-rulebook.toml"))


class Record:
    """Stands where the MLflow store stands, with one run in it."""

    def __init__(self, files: dict[str, bytes], tags: dict[str, str]) -> None:
        self.files_, self.tags = files, tags
        self.crowned: list[str] = []

    def find(self, run: str | None) -> Run:
        return Run("a" * 32, "made_up", 0, {}, {}, self.tags)

    def files(self, run: Run, folder: str) -> dict[str, bytes]:
        return dict(self.files_)

    def crown(self, run: Run, tags: dict[str, str]) -> None:
        self.crowned.append(tags["bundle"])


def judged(data: Prepared | None = None, grown: Learnt | None = None) -> Judgement:
    """The judgement of a candidate, with checks that found nothing."""
    whole = data is None and grown is None
    done = _good() if whole else _judged(data or prepared(), grown or learnt())
    return dataclasses.replace(done, result=copy.deepcopy(done.result) | sound())


def _judged(data: Prepared, grown: Learnt) -> Judgement:
    return Court(data, grown, SMALL, 43.0, {RULES: data.test.values[:, 1]}).judge()


@functools.cache
def _good() -> Judgement:
    return _judged(prepared(), learnt())


def recorded(judgement: Judgement, grown: Learnt | None = None, **parts: Any) -> Record:
    """The record of a candidate; `parts` are written over the bundle's own."""
    told = about(Experiment("made_up", SMALL, "0" * 64), prepared(), MADE_UP, "d" * 64)
    made = bundle_parts(told, prepared(), grown or learnt(), judgement)
    made = dataclasses.replace(made, parts={**made.parts, **parts})
    run = Finished(Experiment("made_up", SMALL, "0" * 64), prepared(), learnt(), judgement, made)
    return Record({**made.files(), "about.json": canonical(dict(made.about))}, tags_of(run))


def tags_of(run: Finished) -> dict[str, str]:
    return {
        "history_digest": str(run.parts.about["history"]),
        "catalogue_fingerprint": MADE_UP.fingerprint,
        "config_digest": run.experiment.digest,
        "bundle_digest": bundle_digest(run.parts.files()),
    }
