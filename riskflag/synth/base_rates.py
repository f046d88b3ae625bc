"""How a borough compares with official figures, measured on the files as an analyst would.

Official figures: Department for Education, children in need statistics for England, year to
31 March 2024 (Open Government Licence): 621,880 referrals, 518.3 per 10,000 children; plan
categories of 62,110 plans starting; factors of 506,370 assessments.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from riskflag.synth.approach import GROUPS
from riskflag.synth.draws import Array
from riskflag.synth.period import YEAR

OFFICIAL_SOURCES = {
    "police": 28.5, "schools": 20.3, "health": 14.7, "local authority services": 14.1,
    "individuals": 8.0, "other legal agency": 4.4, "other": 4.2, "education services": 1.7,
    "anonymous": 1.6, "housing": 1.2, "unknown": 1.2,
}  # fmt: skip
OFFICIAL_FACTORS = {
    "4B": 32.7, "3B": 31.7, "17A": 19.3, "4A": 17.0, "16A": 16.5, "1B": 14.3, "2B": 14.0,
    "18C": 11.5, "15A": 5.2, "10A": 3.5, "24A": 3.1, "11A": 2.7, "13A": 2.0,
}  # fmt: skip
OFFICIAL_CATEGORIES = {
    "Neglect": 49.8, "Emotional abuse": 37.3, "Physical abuse": 7.7, "Sexual abuse": 3.5,
    "Multiple: neglect and emotional abuse": 1.7,
}  # fmt: skip


@dataclass(frozen=True)
class Rate:
    """One figure of the borough beside the official one, and the cases the borough's rests on."""

    name: str
    borough: float
    official: float
    cases: int

    @property
    def off_by(self) -> float:
        """Relative difference from the official figure."""
        return self.borough / self.official - 1


def measure(landing: Path) -> tuple[Rate, ...]:
    """Measure the first delivery of a borough's files over its years."""
    bulk = min(landing.iterdir())
    referrals = _read(bulk, "ssd_cin_episodes")
    days = _days(referrals["cine_referral_date"])
    # the first year is left out: a system that keeps five years knows no earlier referrals
    known_from = int(_days(_read(bulk, "ssd_contacts")["cont_contact_date"]).min())
    first, last = known_from + 366, int(days.max()) - 60
    window = (days >= first) & (days <= last)
    years = _child_years(bulk, first, last)
    nfa, closed = referrals["cine_referral_nfa"], referrals["cine_close_reason"]
    rates = [
        _per_10_000("referrals per 10,000 children a year", days, (first, last), years, 518.3),
        _share("re-referrals within 12 months, %", _again(referrals, days)[window], 22.4),
        _share("referrals with no further action, %", _is(nfa, "Y")[window], 6.3),
        _share("referrals assessed as not in need, %", _is(closed, "RC8")[window], 30.3),
    ]
    for name, (file, column, official) in _COUNTS.items():
        found = _days(_read(bulk, file)[column])
        rates.append(_per_10_000(name, found, (first, last), years, official))
    return (
        *rates,
        *_source_shares(referrals, window),
        *_category_shares(bulk),
        *_factor_shares(bulk),
    )


_COUNTS = {
    "section 47 enquiries per 10,000": ("ssd_s47_enquiry", "s47e_s47_start_date", 187.1),
    "initial conferences per 10,000": ("ssd_initial_cp_conference", "icpc_icpc_date", 60.2),
    "plans starting per 10,000": ("ssd_cp_plans", "cppl_cp_plan_start_date", 51.8),
}


def _per_10_000(
    name: str, days: Array, span: tuple[int, int], years: float, official: float
) -> Rate:
    cases = int(((days >= span[0]) & (days <= span[1])).sum())
    return Rate(name, 1e4 * cases / max(years, 1e-9), official, cases)


def _share(name: str, chosen: Array, official: float) -> Rate:
    cases = int(chosen.sum())
    return Rate(name, 100 * cases / max(len(chosen), 1), official, cases)


def _is(column: pa.ChunkedArray, value: str) -> Array:
    return np.asarray(pc.equal(column, value).to_numpy())


def _read(bulk: Path, name: str) -> pa.Table:
    path = bulk / f"{name}.csv"
    with path.open(encoding="utf-8") as lines:
        columns = lines.readline().rstrip("\n").replace('"', "").split(",")
    convert = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()))
    return pyarrow.csv.read_csv(path, convert_options=convert)


def _days(column: pa.ChunkedArray) -> Array:
    filled = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    days = pc.cast(pc.cast(filled, pa.date32()), pa.int32())
    return np.asarray(pc.fill_null(days, -(10**6)).to_numpy(), dtype=np.int64)


def _child_years(bulk: Path, first: int, last: int) -> float:
    people = _read(bulk, "ssd_person")
    children = people.filter(pc.starts_with(people["pers_person_id"], "C"))
    born, died = _days(children["pers_dob"]), _days(children["pers_death_date"])
    ends = np.minimum(born + round(18 * YEAR), np.where(died > 0, died, 10**6))
    lived = np.minimum(ends, last + 1) - np.maximum(born, first)
    known = born > -(10**5)
    return float(np.clip(lived[known], 0, None).sum() / YEAR)


def _again(referrals: pa.Table, days: Array) -> Array:
    """Whether the child of each referral was referred in the year before."""
    person = referrals["cine_person_id"].to_numpy()
    order = np.lexsort((days, person))
    again = np.zeros(len(days), bool)
    again[order[1:]] = (person[order[1:]] == person[order[:-1]]) & (np.diff(days[order]) <= 365)
    return again


def _source_shares(referrals: pa.Table, window: Array) -> list[Rate]:
    code = referrals["cine_referral_source_code"].to_numpy()[window]
    return [
        _share(f"source of referral: {group}, %", np.isin(code, GROUPS[group]), official)
        for group, official in OFFICIAL_SOURCES.items()
    ]


def _category_shares(bulk: Path) -> list[Rate]:
    category = _read(bulk, "ssd_cp_plans")["cppl_cp_plan_initial_category"]
    return [
        _share(f"plan category: {name.split(':')[0].lower()}, %", _is(category, name), official)
        for name, official in OFFICIAL_CATEGORIES.items()
    ]


def _factor_shares(bulk: Path) -> list[Rate]:
    factors = _read(bulk, "ssd_assessment_factors")["cinf_assessment_factors_json"]
    return [
        _share(
            f"assessments with factor {code}, %",
            np.asarray(pc.match_substring(factors, f'"{code}"').to_numpy()),
            official,
        )
        for code, official in OFFICIAL_FACTORS.items()
    ]


def as_table(rates: tuple[Rate, ...]) -> str:
    """The comparison as text."""
    lines = [f"{'measure':<46} {'borough':>9} {'official':>9} {'off by':>8}"]
    lines += [f"{r.name:<46} {r.borough:>9.1f} {r.official:>9.1f} {r.off_by:>+8.0%}" for r in rates]
    return "\n".join(lines)
