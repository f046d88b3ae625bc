"""Identifiers of everybody, as they stand and as agencies get them wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.synth import text
from riskflag.synth.draws import Array, choose, stream
from riskflag.synth.people import Population
from riskflag.synth.period import YEAR

#: What may be wrong with the identifier of a row; index 0 is nothing.
ERRORS = ("none", "missing", "mistyped", "of_somebody_else")
#: Shares of rows with each, by agency.
ERROR_SHARES = {
    "nhs": [0.983, 0.012, 0.004, 0.001],
    "upn": [0.985, 0.008, 0.006, 0.001],
    "police_ref": [0.955, 0.040, 0.0, 0.005],
    "housing_ref": [0.962, 0.035, 0.0, 0.003],
}
SCHOOL_SIZE = 380


@dataclass(frozen=True)
class Identity:
    """Text identifiers; children first, then adults, in `person` and `nhs`."""

    seed: int
    children: int
    person: pa.Array
    nhs: pa.Array
    upn: pa.Array  # children only
    school: Array  # int [children]: the school the child attends or will attend

    def adult(self, rows: Array) -> Array:
        """Positions of adults in `person` and `nhs`."""
        return np.asarray(rows) + self.children

    def write(self, name: str, scheme: str, rows: Array) -> tuple[pa.Array, Array]:
        """The identifiers an agency wrote for people `rows`, errors and all: (text, error kind)."""
        rng = stream(self.seed, f"identity of {name}")
        kind = choose(rng, ERROR_SHARES[scheme], len(rows))
        held = self.held(scheme)
        somebody = rng.integers(0, self.children, len(rows))
        values = held.take(pa.array(np.where(kind == 3, somebody, rows)))
        typed = _mistype(values.filter(pa.array(kind == 2)))
        values = pc.replace_with_mask(values, pa.array(kind == 2), typed)
        return pc.if_else(pa.array(kind == 1), pa.scalar(None, pa.string()), values), kind

    def held(self, scheme: str) -> pa.Array:
        if scheme in ("nhs", "upn"):
            return self.nhs if scheme == "nhs" else self.upn
        prefix = "PN" if scheme == "police_ref" else "HR"
        return text.numbered(prefix, _scatter_numbers(len(self.person), scheme), 7)


def identify(seed: int, people: Population) -> Identity:
    """Give everybody their identifiers."""
    rng = stream(seed, "identity")
    kids, adults = people.children, people.adults
    person = pa.concat_arrays(
        [
            text.numbered("C", np.arange(kids.n), 6),
            text.numbered("A", np.arange(adults.n), 6),
        ]
    )
    nhs = text.number(text.nhs_numbers(rng, kids.n + adults.n))
    ward = people.households.ward[kids.household]
    schools = max(1, kids.n // (SCHOOL_SIZE * 20))
    school = ward * schools + kids.school_seed % schools
    year = ((kids.born / YEAR).astype(np.int64) + 1970 + 5) % 100
    serial = _serial(school * 100 + year)
    upn = text.upn(2000 + school + 1000 * (serial // 1000), year, serial % 1000)
    return Identity(seed, kids.n, person, nhs, upn, school)


def _serial(groups: Array) -> Array:
    """0, 1, 2 ... within each group, in row order."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    first = np.searchsorted(ordered, ordered, side="left")
    serial = np.empty(len(groups), np.int64)
    serial[order] = np.arange(len(groups)) - first
    return serial


def _scatter_numbers(size: int, scheme: str) -> Array:
    """Distinct numbers that do not give the order of people away."""
    salt = 7919 if scheme == "police_ref" else 104729
    return (np.arange(size, dtype=np.int64) * 7_368_787 + salt) % 9_999_991


def _mistype(values: pa.Array) -> pa.Array:
    """The last but one character one higher, so that the check digit or letter no longer fits."""
    before = pc.utf8_slice_codeunits(values, 0, 8)
    digit = pc.cast(pc.utf8_slice_codeunits(values, 8, 9), pa.int64())
    shifted = text.number((digit.to_numpy(zero_copy_only=False) + 1) % 10)
    return pc.binary_join_element_wise(before, shifted, pc.utf8_slice_codeunits(values, 9, 14), "")
