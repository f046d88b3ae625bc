"""Rolling evaluation: train at one date after the other, as it would have been, and look on.

Every fold has its own cut and learns from nothing that was known later. Its lists are those of the
weeks that follow, at the team's weekly capacity, beside the lists of simpler ways to choose.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from riskflag.clock import NEVER, date_of
from riskflag.errors import InputError
from riskflag.progress import Progress, silent
from riskflag.scoring.rulebook import Rulebook
from riskflag.signals import Catalogue
from riskflag.training.data.cohort import build_rows
from riskflag.training.data.experiment import ExperimentConfig
from riskflag.training.data.narrow import in_blocks
from riskflag.training.data.outcome import Labels, label, matured
from riskflag.training.data.past import scored, signal_values
from riskflag.training.data.prepare import Prepared, prepare
from riskflag.training.data.prepare_table import prepare_table
from riskflag.training.data.rows import Contacts, Floats, Ints, Past, Rows
from riskflag.training.data.split import period
from riskflag.training.figures.intervals import Figure
from riskflag.training.figures.metrics import auroc
from riskflag.training.judging import steadiness
from riskflag.training.judging.baselines import best_signal, contact_count, oriented
from riskflag.training.judging.rules_alone import rules_alone
from riskflag.training.judging.steadiness import first_reasons
from riskflag.training.judging.weekly import (
    Listed,
    Weeks,
    figures,
    gained,
    in_words,
    quartiles,
    weekly_list,
)
from riskflag.training.model.learn import Learnt, learn
from riskflag.training.model.logistic import logistic_scorer
from riskflag.training.model.operate import monthly_capacity

MODEL, PRACTICE = "model", "current practice"
WEEK, YEAR = 7, 365
#: A referral this old still counts as waiting, for the list of current practice.
RECENT = 28


@dataclass(frozen=True)
class Tour:
    """What every fold of a rolling evaluation shares."""

    history: Past
    config: ExperimentConfig
    catalogue: Catalogue
    per_week: int
    threads: int = 2
    progress: Progress = silent
    #: Where a labelled table is looked for; None for an outcome from contacts.
    root: Path | None = None
    #: The rules of the night, as far as there are any.
    rulebook: Rulebook | None = None

    def go(self, last_cut: int) -> dict[str, Any] | None:
        """Every fold, oldest first, and all together; None when the experiment asks for none."""
        wanted = self.config.windows.folds
        if not wanted:
            return None
        folds = []
        pooled: dict[str, Listed] = {}
        ahead: list[tuple[Ints, Floats]] = []
        for number in range(wanted):
            cut = last_cut - (wanted - 1 - number) * self.config.windows.every_days
            fold, lists = self._fold(number + 1, cut)
            folds.append(fold)
            if PRACTICE in lists:
                ahead.append(gained(lists[MODEL], lists[PRACTICE]))
            for name, listed in lists.items():
                pooled[name] = pooled[name].and_then(listed) if name in pooled else listed
            self.progress("rolling evaluation", number + 1, wanted)
        together = {name: self._figures(listed) for name, listed in pooled.items()}
        return {
            "capacity_per_week": self.per_week,
            "every_days": self.config.windows.every_days,
            "folds": folds,
            "pooled": together,
            "days_gained": self._days_gained(ahead),
            "sentences": [
                f"Rolling evaluation: trained {wanted} times, every "
                f"{self.config.windows.every_days} days, {self._capacity()}.",
                *(in_words(name, figure) for name, figure in together.items()),
            ],
        }

    def _capacity(self) -> str:
        if self.root is None:
            return f"{self.per_week} new children a week"
        return f"{round(monthly_capacity(self.per_week))} new children for each date of the table"

    def first_weeks(self, prepared: Prepared, learnt: Learnt) -> dict[str, Any]:
        """The weekly lists of the first test weeks by the model itself, and how steady they are."""
        weeks = self._weeks(prepared)
        model = learnt.model
        raw = scored(
            self.history,
            weeks.rows,
            signals=prepared.inputs.signals,
            score=lambda values: model.raw(values, model.names, threads=1),
            progress=self.progress,
        )
        scores = {MODEL: raw}
        scores |= self._plain(prepared, weeks.rows)
        lists = {name: weekly_list(weeks, score) for name, score in scores.items()}
        ahead = [gained(lists[MODEL], lists[PRACTICE])] if PRACTICE in lists else []
        signals = prepared.inputs.signals

        def reasons(rows: Rows) -> list[tuple[str, ...]]:
            return first_reasons(learnt.model, signals, signal_values(self.history, rows, signals))

        followed = steadiness.kept(weeks, scores[MODEL], reasons)
        steady = [check.to_dict() for check in steadiness.checks(followed)]
        return {
            "capacity_per_week": self.per_week,
            "weeks": len(np.unique(weeks.rows.as_of)),
            "lists": {name: self._figures(listed) for name, listed in lists.items()},
            "days_gained": self._days_gained(ahead),
            "checks": steady,
        }

    def _days_gained(self, ahead: Sequence[tuple[Ints, Floats]]) -> dict[str, Figure]:
        """Quartiles of the days by which the model was ahead of current practice."""
        none = (np.empty(0, dtype=np.int64), np.empty(0))
        family, days = (np.concatenate(parts) for parts in zip(none, *ahead, strict=True))
        evaluation = self.config.evaluation
        return quartiles(family, days, evaluation.bootstrap, evaluation.seed)

    def _fold(self, number: int, cut: int) -> tuple[dict[str, Any], dict[str, Listed]]:
        windows = self.config.windows
        if self.root is None:
            months = max(1, round(windows.every_days / 30.44))
            told: dict[str, object] = {"cut": date_of(cut), "test_months": months}
        else:
            told = self._of_table(number)
        config = self.config.model_copy(update={"windows": windows.model_copy(update=told)})
        try:
            if self.root is None:
                prepared = prepare(self.history, config, self.catalogue)
            else:
                prepared = prepare_table(self.history, config, self.catalogue, self.root)
        except InputError as error:
            raise InputError(f"Fold {number} of the rolling evaluation: {error}") from None
        capacity = monthly_capacity(self.per_week)
        learnt = learn(prepared, config.model, capacity=capacity, threads=self.threads)
        weeks = self._weeks(prepared)
        scores = self._scores(prepared, learnt, weeks.rows)
        lists = {name: weekly_list(weeks, score) for name, score in scores.items()}
        test = prepared.test
        raw = in_blocks(lambda values: learnt.model.raw(values, learnt.model.names), test.values)
        fold = {
            "fold": number,
            "cut": str(told.get("test_from") or told["cut"]),
            "learnt_from": period(prepared.split.train),
            "period": period(prepared.split.test),
            "weeks": len(np.unique(weeks.rows.as_of)),
            "auroc": auroc(raw, test.labels.numbers),
            "lists": {name: self._figures(listed) for name, listed in lists.items()},
        }
        return fold, lists

    def _of_table(self, number: int) -> dict[str, object]:
        """From and until which date the rows of a labelled table judge a fold; the last has all."""
        windows, every = self.config.windows, dt.timedelta(days=self.config.windows.every_days)
        if windows.test_from is None:
            raise InputError("An outcome from a table needs `test_from` in [windows].")
        begins = windows.test_from - (windows.folds - number) * every
        last = number == windows.folds
        return {"test_from": begins, "test_until": windows.test_until if last else begins + every}

    def _weeks(self, prepared: Prepared) -> Weeks:
        """The weekly rows of a quarter from the first test date, or as long as `every` says.

        Of a labelled table: its own rows, with a month's capacity for each of its dates.
        """
        if self.root is not None:
            test, each = prepared.test, round(monthly_capacity(self.per_week))
            # The table says whether, not when: no days of warning can be told.
            never = Labels(test.labels.happened, np.full(len(test.rows), NEVER))
            return Weeks(test.rows, never, prepared.test_families, each)
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
        return Weeks(rows, came, family, self.per_week)

    def _plain(self, prepared: Prepared, rows: Rows) -> dict[str, Floats]:
        """Ways to choose that need no signals: the rules, the number of contacts, practice."""
        scores = {}
        if self.rulebook is not None:
            by_rules = rules_alone(self.history, rows, self.rulebook, self.progress)
            scores["rules alone"] = some(by_rules)
        scores["contacts in the last year"] = some(contact_count(rows, prepared.contacts, YEAR))
        referrals = self.config.evaluation.practice
        if referrals:
            known = Contacts.of(self.history, prepared.people.ids, referrals)
            scores[PRACTICE] = recency(rows, known)
        return scores

    def _scores(self, prepared: Prepared, learnt: Learnt, rows: Rows) -> dict[str, Floats]:
        """Every way to choose; of a large borough no more signals are held than of some rows."""
        model, train, signals = learnt.model, prepared.train, prepared.inputs.signals
        directions = [signal.direction for signal in signals]
        column, reverse, _ = best_signal(train.values, train.labels.numbers, directions)
        plain = logistic_scorer(train)

        def three(values: Floats) -> Floats:
            single = oriented(values[:, column], directions[column]) * (-1 if reverse else 1)
            raw = model.raw(values, model.names, threads=1)
            return np.column_stack([raw, single, plain(values)])

        raw, single, line = scored(self.history, rows, signals=signals, score=three).T
        return {
            MODEL: raw,
            **self._plain(prepared, rows),
            "best single signal": single,
            "logistic regression": line,
        }

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
