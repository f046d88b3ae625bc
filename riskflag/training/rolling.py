"""Rolling evaluation: train at one date after the other, as it would have been, and look on.

Every fold has its own cut and learns from nothing that was known later. Its lists are those of the
weeks that follow, at the team's weekly capacity, beside the lists of simpler ways to choose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.clock import date_of
from riskflag.errors import InputError
from riskflag.history.view import History
from riskflag.progress import Progress, silent
from riskflag.signals import Catalogue
from riskflag.training.baselines import best_signal, contact_count, oriented
from riskflag.training.cohort import build_rows
from riskflag.training.experiment import ExperimentConfig
from riskflag.training.learn import Learnt, learn
from riskflag.training.logistic import logistic_scores
from riskflag.training.metrics import auroc
from riskflag.training.operate import monthly_capacity
from riskflag.training.outcome import label, matured
from riskflag.training.prepare import Prepared, prepare, signal_values
from riskflag.training.rows import Contacts, Rows
from riskflag.training.rules_alone import rules_alone
from riskflag.training.split import period
from riskflag.training.weekly import Listed, Weeks, figures, in_words, weekly_list

Floats = NDArray[np.float64]

MODEL, PRACTICE = "model", "current practice"
WEEK, YEAR = 7, 365
#: A referral this old still counts as waiting, for the list of current practice.
RECENT = 28


@dataclass(frozen=True)
class Tour:
    """What every fold of a rolling evaluation shares."""

    history: History
    config: ExperimentConfig
    catalogue: Catalogue
    per_week: int
    threads: int = 2
    progress: Progress = silent

    def go(self, last_cut: int) -> dict[str, Any] | None:
        """Every fold, oldest first, and all together; None when the experiment asks for none."""
        wanted = self.config.windows.folds
        if not wanted:
            return None
        folds = []
        pooled: dict[str, Listed] = {}
        for number in range(wanted):
            cut = last_cut - (wanted - 1 - number) * self.config.windows.every_days
            fold, lists = self._fold(number + 1, cut)
            folds.append(fold)
            for name, listed in lists.items():
                pooled[name] = pooled[name].and_then(listed) if name in pooled else listed
            self.progress("rolling evaluation", number + 1, wanted)
        together = {name: self._figures(listed) for name, listed in pooled.items()}
        return {
            "capacity_per_week": self.per_week,
            "every_days": self.config.windows.every_days,
            "folds": folds,
            "pooled": together,
            "sentences": [
                f"Rolling evaluation: trained {wanted} times, every "
                f"{self.config.windows.every_days} days, {self.per_week} new children a week.",
                *(in_words(name, figure) for name, figure in together.items()),
            ],
        }

    def _fold(self, number: int, cut: int) -> tuple[dict[str, Any], dict[str, Listed]]:
        windows = self.config.windows
        months = max(1, round(windows.every_days / 30.44))
        told = {"cut": date_of(cut), "test_months": months}
        config = self.config.model_copy(update={"windows": windows.model_copy(update=told)})
        try:
            prepared = prepare(self.history, config, self.catalogue)
        except InputError as error:
            raise InputError(f"Fold {number} of the rolling evaluation: {error}") from None
        capacity = monthly_capacity(self.per_week)
        learnt = learn(prepared, config.model, capacity=capacity, threads=self.threads)
        weeks, scores = self._weeks(prepared, learnt)
        lists = {name: weekly_list(weeks, score) for name, score in scores.items()}
        test = prepared.test
        raw = learnt.model.raw(test.values, learnt.model.names)
        fold = {
            "fold": number,
            "cut": date_of(cut).isoformat(),
            "learnt_from": period(prepared.split.train),
            "period": period(prepared.split.test),
            "weeks": len(np.unique(weeks.rows.as_of)),
            "auroc": auroc(raw, test.labels.numbers),
            "lists": {name: self._figures(listed) for name, listed in lists.items()},
        }
        return fold, lists

    def _weeks(self, prepared: Prepared, learnt: Learnt) -> tuple[Weeks, dict[str, Floats]]:
        """The weekly rows of a fold's test period and what each way to choose says of them."""
        outcome, split, people = self.config.outcome, prepared.split, prepared.people
        horizon, cut = outcome.horizon_days, split.cut
        days = [
            day
            for day in range(split.test[0], split.test[0] + self.config.windows.every_days, WEEK)
            if matured(day, horizon=horizon, settle=outcome.settle_days, cut=cut)
        ]
        plans = Contacts.of(self.history, people.ids, outcome.not_while)
        rows = build_rows(people, plans, days, self.config.cohort.under_age)
        came = label(
            rows, Contacts.of(self.history, people.ids, outcome.types), horizon=horizon, cut=cut
        )
        kin = prepared.families
        family = rows.person if kin is None else kin[rows.person]
        return Weeks(rows, came, family, self.per_week), self._scores(prepared, learnt, rows)

    def _scores(self, prepared: Prepared, learnt: Learnt, rows: Rows) -> dict[str, Floats]:
        model, train = learnt.model, prepared.train
        values = signal_values(self.history, rows, prepared.inputs.signals)
        directions = [signal.direction for signal in prepared.inputs.signals]
        column, reverse, _ = best_signal(train.values, train.labels.numbers, directions)
        single = oriented(values[:, column], directions[column]) * (-1 if reverse else 1)
        scores = {MODEL: model.raw(values, model.names)}
        rules = rules_alone(self.history, rows, self.catalogue)
        if rules is not None:
            scores["rules alone"] = some(rules)
        scores["contacts in the last year"] = some(contact_count(rows, prepared.contacts, YEAR))
        scores["best single signal"] = single
        scores["logistic regression"] = logistic_scores(train, values)
        referrals = self.config.evaluation.practice
        if referrals:
            known = Contacts.of(self.history, prepared.people.ids, referrals)
            scores[PRACTICE] = recency(rows, known)
        return scores

    def _figures(self, listed: Listed) -> dict[str, Any]:
        return figures(listed, self.config.evaluation.bootstrap, self.config.evaluation.seed)


def some(scores: Floats) -> Floats:
    """A count as a reason to list: none at all is no reason."""
    return np.where(scores > 0, scores, -np.inf)


def recency(rows: Rows, referrals: Contacts) -> Floats:
    """The newest visible referral first (float64 [n]); without one in RECENT days no reason."""
    scores = np.full(len(rows), -np.inf)
    for day in np.unique(rows.as_of):
        seen = referrals.visible(int(day))
        fresh = seen.take((seen.occurred < day) & (seen.occurred >= day - RECENT))
        newest = np.full(len(rows.ids), -np.inf)
        np.maximum.at(newest, fresh.person, (fresh.occurred - day).astype(np.float64))
        places = rows.as_of == day
        scores[places] = newest[rows.person[places]]
    return scores
