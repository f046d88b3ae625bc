"""Random numbers by name: every part of the borough draws from its own stream of the one seed.

A stream depends on the seed and its name only, so adding a part never changes what another drew,
and the order in which parts run does not matter.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
#: A table under construction: equally long numpy columns by name.
Columns = dict[str, Array]


def stream(seed: int, name: str) -> np.random.Generator:
    """The generator of the part called `name`."""
    return np.random.Generator(
        np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))
    )


def choose(rng: np.random.Generator, shares: list[float], size: int) -> Array:
    """Draw `size` indexes into `shares`, which need not add up to one."""
    edges = np.cumsum(np.asarray(shares, dtype=np.float64))
    marks = rng.random(size) * edges[-1]
    return np.asarray(np.searchsorted(edges, marks, side="right"), dtype=np.int16)


def choose_by_row(rng: np.random.Generator, weights: Array) -> Array:
    """Draw one column index per row of `weights` (float [n, k]), in proportion to the weights."""
    edges = np.cumsum(weights, axis=1)
    mark = rng.random(len(weights)) * edges[:, -1]
    chosen = (edges <= mark[:, None]).sum(axis=1)
    return np.asarray(np.minimum(chosen, weights.shape[1] - 1), dtype=np.int16)


def chance(rng: np.random.Generator, probability: Array | float, size: int) -> Array:
    """Independent yes/no draws."""
    drawn: Array = rng.random(size) < probability
    return drawn


def take(columns: Columns, rows: Array) -> Columns:
    """The chosen rows (index or mask) of every column."""
    return {name: values[rows] for name, values in columns.items()}


def stack(parts: list[Columns]) -> Columns:
    """Tables with the same columns, one under the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def ranges(starts: Array, counts: Array) -> tuple[Array, Array]:
    """Rows repeated by counts ([2, 3] gives 0 0 1 1 1), and starts plus 0, 1, .. within each."""
    rows = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    return rows, starts[rows] + np.arange(len(rows)) - first[rows]
