"""Who lives in the borough: households, children, mothers, other adults, and who was reported how.

Everybody is invented. Names are made of a word and a number so that nobody can be mistaken for a
real person, NHS numbers come from the range reserved for tests (999 ...).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskflag.synth.draws import Array, chance, choose, stream
from riskflag.synth.period import STEP, YEAR, Calendar

FAR = 10**7
WARDS = 20
#: Shares of household sizes 1, 2, ... children.
SIZES = [0.40, 0.38, 0.15, 0.05, 0.02]
#: The reporting groups: share of households and how readily the same worry is reported.
GROUP_SHARES = [0.60, 0.25, 0.15]
GROUP_REPORTING = (1.0, 1.45, 0.62)
#: Blocks of ethnicity codes; which block stands for which reporting group is drawn from the seed
#: and says nothing about anybody.
ETHNICITIES = (
    ("WBRI", "MWBC", "AIND", "BCRB", "OOTH"),
    ("WOTH", "MWAS", "APKN", "BAFR", "REFU"),
    ("WIRI", "MOTH", "ABAN", "BOTH", "NOBT"),
)


@dataclass(frozen=True)
class Households:
    """One row per household; every array has length n."""

    n: int
    phase: Array  # int 0..27: where its four-week steps begin
    ward: Array
    vulnerability: Array  # standard normal: how easily trouble begins
    engagement: Array  # standard normal: how readily help is taken up
    seeking: Array  # lognormal around 1: how readily it goes to services for any reason
    group: Array  # reporting group
    reporting: Array  # multiplies the chance of being reported, not of harm
    arrives: Array  # day it came to the borough (0 if always there)
    leaves: Array  # day it left (FAR if it stayed)


@dataclass(frozen=True)
class Children:
    """One row per child, sorted by household; every array has length n."""

    n: int
    household: Array
    born: Array
    sex: Array  # 0 male 1 female
    ethnicity: Array  # index into `codes`
    codes: tuple[str, ...]
    ill: Array  # bool: a long-term illness
    disabled: Array
    frailty: Array  # lognormal around 1: ordinary illness
    clumsy: Array  # lognormal around 1: ordinary injuries
    truant: Array  # lognormal around 1: absence that means nothing
    conduct: Array  # lognormal around 1: trouble at school that means nothing
    susceptible: Array  # standard normal: own part in how trouble turns into harm
    school_seed: Array
    dies: Array  # day of death (FAR if none in the period)
    arrives: Array
    leaves: Array


@dataclass(frozen=True)
class Adults:
    """One row per adult: the mothers first, then other household adults."""

    n: int
    household: Array
    born: Array
    mother: Array  # bool
    since: Array  # day the adult joined the household
    until: Array  # day the adult left it (FAR if still there)


@dataclass(frozen=True)
class Population:
    """Everybody, and the calendar they live by."""

    calendar: Calendar
    households: Households
    children: Children
    adults: Adults

    @property
    def phase(self) -> Array:
        """The phase of each child's household."""
        return self.households.phase[self.children.household]


def populate(seed: int, children: int, calendar: Calendar) -> Population:
    """Make a borough of exactly `children` children."""
    sizes = _sizes(seed, children)
    homes = _households(seed, len(sizes), calendar)
    kids = _children(seed, sizes, homes, calendar)
    adults = _adults(seed, homes, kids, calendar)
    return Population(calendar, homes, kids, adults)


def _sizes(seed: int, children: int) -> Array:
    drawn = choose(stream(seed, "sizes"), SIZES, children) + 1
    ends = np.cumsum(drawn)
    count = int(np.searchsorted(ends, children)) + 1
    sizes = drawn[:count].astype(np.int64)
    sizes[-1] -= ends[count - 1] - children
    return sizes


def _households(seed: int, n: int, calendar: Calendar) -> Households:
    rng = stream(seed, "households")
    ward = rng.integers(0, WARDS, n)
    deprivation = np.linspace(-1.2, 1.2, WARDS)
    group = choose(rng, GROUP_SHARES, n)
    move = rng.random(n)
    span = calendar.end - calendar.origin
    when = calendar.origin + (rng.random(n) * span).astype(np.int64)
    return Households(
        n=n,
        phase=rng.integers(0, STEP, n),
        ward=ward,
        vulnerability=0.6 * deprivation[ward] + 0.8 * rng.standard_normal(n),
        engagement=rng.standard_normal(n),
        seeking=np.exp(0.8 * rng.standard_normal(n) - 0.32),
        group=group,
        reporting=np.asarray(GROUP_REPORTING)[group] * np.exp(0.3 * rng.standard_normal(n) - 0.045),
        arrives=np.where(move < 0.05, when, 0),
        leaves=np.where(move > 0.97, when, FAR),
    )


def _births(rng: np.random.Generator, sizes: Array, calendar: Calendar) -> Array:
    """Birth days: the children of a household follow each other by one to five years."""
    low, high = calendar.origin - round(17.9 * YEAR), calendar.end + 25
    households = np.repeat(np.arange(len(sizes)), sizes)
    gaps = 320 + rng.gamma(2.2, 330, len(households))
    first = np.cumsum(sizes) - sizes
    gaps[first] = 0
    along = np.cumsum(gaps)
    along -= along[first][households]
    length = np.maximum.reduceat(along, first)
    anchor = low + rng.random(len(sizes)) * (high - low)
    born = anchor[households] + along - 0.5 * length[households]
    born = np.where(born < low, 2 * low - born, born)
    born = np.where(born > high, 2 * high - born, born)
    order = np.lexsort((born, households))
    return np.clip(born[order], low, high).astype(np.int64)


def _children(seed: int, sizes: Array, homes: Households, calendar: Calendar) -> Children:
    rng = stream(seed, "children")
    n = int(sizes.sum())
    household = np.repeat(np.arange(len(sizes)), sizes)
    born = _births(rng, sizes, calendar)
    blocks = rng.permutation(len(ETHNICITIES))
    codes = tuple(code for block in blocks for code in ETHNICITIES[block])
    within = choose(rng, [0.5, 0.2, 0.14, 0.1, 0.06], n)
    disabled = chance(rng, 0.06, n)
    return Children(
        n=n,
        household=household,
        born=born,
        sex=rng.integers(0, 2, n),
        ethnicity=homes.group[household] * 5 + within,
        codes=codes,
        ill=chance(rng, 0.07, n) | (disabled & chance(rng, 0.4, n)),
        disabled=disabled,
        frailty=np.exp(0.7 * rng.standard_normal(n) - 0.245),
        clumsy=np.exp(0.7 * rng.standard_normal(n) - 0.245),
        truant=np.exp(1.0 * rng.standard_normal(n) - 0.5),
        conduct=np.exp(1.0 * rng.standard_normal(n) - 0.5),
        susceptible=rng.standard_normal(n),
        school_seed=rng.integers(0, 10**6, n),
        dies=_deaths(rng, born, calendar),
        arrives=homes.arrives[household],
        leaves=homes.leaves[household],
    )


def _deaths(rng: np.random.Generator, born: Array, calendar: Calendar) -> Array:
    """Deaths from all causes: about 3.5 per 1,000 in the first year, 1 per 10,000 a year after."""
    n = len(born)
    infant = born + (365 * rng.random(n) ** 4).astype(np.int64)
    later = born + 365 + (rng.exponential(1 / 0.0001, n) * YEAR).astype(np.int64)
    dies = np.where(chance(rng, 0.0035, n), infant, later)
    return np.where((dies >= calendar.origin) & (dies <= calendar.end), dies, FAR)


def _adults(seed: int, homes: Households, kids: Children, calendar: Calendar) -> Adults:
    rng = stream(seed, "adults")
    oldest = np.full(homes.n, FAR)
    np.minimum.at(oldest, kids.household, kids.born)
    age = np.clip(rng.normal(27, 5.5, homes.n), 16, 41)
    mothers = np.flatnonzero(chance(rng, 0.97, homes.n))
    partner = np.flatnonzero(chance(rng, 0.72, homes.n))
    follow = partner[chance(rng, 0.12, len(partner))]
    change = calendar.start + (rng.random(homes.n) * (calendar.end - calendar.start)).astype(int)
    left = np.isin(partner, follow) | chance(rng, 0.06, len(partner))
    household = np.concatenate([mothers, partner, follow])
    since = np.concatenate([oldest[mothers] - 300, oldest[partner] - 300, change[follow] + 60])
    until = np.concatenate(
        [
            np.full(len(mothers), FAR),
            np.where(left, np.maximum(change[partner], oldest[partner]), FAR),
            np.full(len(follow), FAR),
        ]
    )
    born = oldest[household] - (age[household] * YEAR).astype(np.int64)
    offset = np.where(
        np.arange(len(household)) < len(mothers), 0, rng.normal(0, 1500, len(household))
    )
    born = born - offset.astype(np.int64)
    mother = np.arange(len(household)) < len(mothers)
    return Adults(len(household), household, born, mother, since, until)
