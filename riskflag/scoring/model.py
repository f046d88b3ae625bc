"""The model at scoring time: signals by name in, raw score, probability and contributions out.

LightGBM takes columns by position and does not notice when they are in the wrong order, so this
is the only place that hands it a matrix, and it always puts the columns in the model's own order
first. The booster is read from text that the caller has already checked against its hash.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riskflag.errors import IntegrityError
from riskflag.scoring.calibration import Calibration
from riskflag.scoring.contributions import Contributions

if TYPE_CHECKING:
    import lightgbm as lgb
    import pandas as pd

    from riskflag.scoring.together import Forest

Floats = NDArray[np.float64]

#: "Never recorded" (infinity) as the model sees it: a hundred years in days.
NEVER_DAYS = 36_500.0
#: What LightGBM imports and scoring does not use.
UNUSED = ("sklearn", "matplotlib", "dask")
#: Rows from which on further threads pay.
MANY = 200
#: So many rows are worked out by LightGBM too, to see that the bits are the same; fewer by it only.
COMPARED = 8
#: Rows that are brought into the model's order at a time: a copy of all could be large.
AT_ONCE = 50_000


def booster_of(text: str) -> lgb.Booster:
    """The LightGBM booster written in `text` (checked by its caller: a bad text can abort)."""
    booster: lgb.Booster = _lightgbm().Booster(model_str=text)
    return booster


def _lightgbm() -> Any:
    """LightGBM without what it would load for conveniences that scoring has no use for.

    Loading scikit-learn and the rest of them costs a night a second. Training, which does use
    scikit-learn, finds it as ever.
    """
    hidden = [name for name in UNUSED if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        import lightgbm
    finally:
        for name in hidden:
            del sys.modules[name]
    return lightgbm


class Model:
    """A trained booster with the names of its signals and its calibration."""

    def __init__(
        self, text: str, names: Sequence[str], calibration: Calibration, *, threads: int = 1
    ) -> None:
        """Read the booster; raises IntegrityError when its own signal names are not `names`."""
        self.text = text
        self.names = tuple(names)
        self.calibration = calibration
        self.threads = threads
        self.booster = booster_of(text)
        #: What all rows share, once LightGBM was seen to calculate with the same bits.
        self._base: float | None = None
        if tuple(self.booster.feature_name()) != self.names:
            raise IntegrityError(
                "The model's signals are not the ones its bundle lists; promote the run again."
            )

    def matrix(self, values: pd.DataFrame | Floats, names: Sequence[str] | None = None) -> Floats:
        """The signals in the model's order, as float64 [n, k], ready for the booster.

        `values` is a DataFrame with signal names as columns, or a matrix with `names` beside it.
        More columns than the model uses are fine; a missing or a doubled one is refused.
        "Never" (infinity) becomes NEVER_DAYS; unknown stays NaN.
        """
        given = list(values.columns) if names is None else list(names)  # type: ignore[union-attr]
        array = np.asarray(values, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != len(given):
            raise IntegrityError("The signals and their names differ in number; rebuild them.")
        return _cap(np.take(array, self._positions(given), axis=1))

    def _positions(self, given: list[str]) -> list[int]:
        place = {name: position for position, name in enumerate(given)}
        if len(place) != len(given):
            raise IntegrityError("A signal is given twice; give each signal once.")
        missing = [name for name in self.names if name not in place]
        if missing:
            raise IntegrityError(
                f"The model needs the signal {missing[0]} and {len(missing) - 1} more that are "
                "not in the catalogue; use the features the bundle was trained with."
                if len(missing) > 1
                else f"The model needs the signal {missing[0]}, which is not in the catalogue; "
                "use the features the bundle was trained with."
            )
        return [place[name] for name in self.names]

    def raw(
        self,
        values: pd.DataFrame | Floats,
        names: Sequence[str] | None = None,
        *,
        threads: int | None = None,
    ) -> Floats:
        """Raw scores (log-odds), float64 [n]; the number of threads changes no bit of them."""
        if isinstance(values, np.ndarray) and len(values) > AT_ONCE:
            blocks = (values[first : first + AT_ONCE] for first in range(0, len(values), AT_ONCE))
            return np.concatenate([self.raw(one, names, threads=threads) for one in blocks])
        matrix = self.matrix(values, names)
        if not len(matrix):
            return np.empty(0)
        used = threads or self._threads_for(matrix)
        scores = self.booster.predict(matrix, raw_score=True, num_threads=used)
        return np.asarray(scores, dtype=np.float64)

    def _threads_for(self, matrix: Floats) -> int:
        """Waking threads costs more than a few rows do."""
        return self.threads if len(matrix) >= MANY else 1

    def probability(self, raw: Floats) -> Floats:
        """Calibrated probabilities of raw scores, float64 [n]."""
        return self.calibration.apply(raw)

    def contributions(
        self,
        values: pd.DataFrame | Floats,
        names: Sequence[str] | None = None,
        *,
        raw: Floats | None = None,
    ) -> Contributions:
        """What each signal added to each raw score; checked to add up to it.

        Ask for those that are shown, not for everybody. `raw` are the rows' raw scores, where they
        were asked for before.
        """
        matrix = self.matrix(values, names)
        if not len(matrix):
            return Contributions(self.names, np.empty((0, len(self.names))), 0.0, np.empty(0))
        scores = self.raw(matrix, self.names) if raw is None else raw
        parts, base = self._parts(matrix)
        return Contributions(self.names, parts, base, scores)

    def _parts(self, matrix: Floats) -> tuple[Floats, float]:
        """The contributions, and what all rows share, by riskflag.scoring.together.

        Where LightGBM was built to calculate with other bits, which shows in the first rows that
        are asked for, all are left to it.
        """
        if len(matrix) < COMPARED:
            return self._booster_parts(matrix)
        from riskflag.scoring.together import contributions

        threads = self._threads_for(matrix)
        parts = contributions(self.forest, matrix, threads=threads)
        if self._base is None:
            first, base = self._booster_parts(matrix[:COMPARED])
            if parts[:COMPARED].tobytes() != first.tobytes():
                return self._booster_parts(matrix)
            self._base = base
        return parts, self._base

    @cached_property
    def forest(self) -> Forest:
        """The model's trees, as riskflag.scoring.together goes through them."""
        from riskflag.scoring.together import read_forest

        return read_forest(self.text)

    def _booster_parts(self, matrix: Floats) -> tuple[Floats, float]:
        told = self.booster.predict(
            matrix, pred_contrib=True, num_threads=self._threads_for(matrix)
        )
        parts = np.asarray(told, dtype=np.float64)
        return parts[:, :-1].copy(), float(parts[0, -1])


def capped(values: Floats) -> Floats:
    """A contiguous copy with infinities brought to plus or minus NEVER_DAYS; NaN stays NaN."""
    return _cap(np.array(values, dtype=np.float64, order="C"))


def _cap(values: Floats) -> Floats:
    """The same array, with infinities brought to plus or minus NEVER_DAYS."""
    np.clip(values, -NEVER_DAYS, NEVER_DAYS, out=values, where=np.isinf(values))
    return values
