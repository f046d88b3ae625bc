"""Make a whole borough: people, the course of harm, what agencies see, their files, the truth."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskflag import clock
from riskflag.errors import ConfigError
from riskflag.progress import Progress, silent
from riskflag.synth import (
    approach,
    base_rates,
    care_records,
    course,
    people,
    risk,
    social_care,
    truth,
)
from riskflag.synth.agencies import (
    family,
    health,
    people_files,
    police,
    school,
    ssd_cases,
    ssd_front,
)
from riskflag.synth.deliver import NOT, Mess, deliver
from riskflag.synth.draws import Columns
from riskflag.synth.extract import Extract
from riskflag.synth.identity import ERRORS, Identity, identify
from riskflag.synth.period import Calendar
from riskflag.synth.scene import Scene

README = """This is a synthetic borough. Nobody in it is real: every person, name, identifier and
event was made up by a random generator (seed {seed}, {children} children, {first} to {last}).

landing/  the agencies' files, one folder per delivery day; put them in a workspace's landing/
truth/    what was really going on; never give this to the engine

How it was made and what it can and cannot show: docs/reference/synthetic-borough.md
"""


@dataclass(frozen=True)
class SynthSummary:
    """What was made: where, how many rows per file, and how it compares with official figures."""

    landing: Path
    truth: Path
    children: int
    rows: dict[str, int]
    base_rates: tuple[base_rates.Rate, ...]
    sources: tuple[str, ...]


def generate(
    out: Path,
    *,
    children: int,
    seed: int,
    until: dt.date,
    years: int = 5,
    progress: Progress = silent,
) -> SynthSummary:
    """Write a borough to `out`: landing/ (agencies' files), truth/ (apart) and README.txt.

    Same arguments, same bytes. Raises ConfigError for a size, span or folder that will not do.
    """
    _check(out, children, years)
    calendar = Calendar.of(until, years)
    scene, ids = imagine(seed, children, calendar, progress)
    seen = observe(scene, ids, progress)
    care = social_care.serve(scene, approach.contacts(scene, seen), progress)
    extracts = write_down(scene, ids, seen, care)
    rows = _deliver_all(seed, extracts, calendar, out, progress)
    truth.write_truth(scene, ids, care, out / "truth")
    readme = README.format(
        seed=seed, children=children, first=clock.date_of(calendar.start), last=until
    )
    (out / "README.txt").write_text(readme, encoding="utf-8")
    rates = base_rates.measure(out / "landing")
    return SynthSummary(
        out / "landing", out / "truth", children, rows, rates, tuple(e.name for e in extracts)
    )


def _check(out: Path, children: int, years: int) -> None:
    if not 20 <= children <= 400_000:
        raise ConfigError("A borough has 20 to 400000 children; choose another --children.")
    if not 1 <= years <= 15:
        raise ConfigError("A borough covers 1 to 15 years; choose another --years.")
    if out.exists() and any(out.iterdir()):
        if not (out / "README.txt").is_file() or not (out / "landing").is_dir():
            raise ConfigError(
                f"{out} is not empty and not a borough; name another folder with --out."
            )
        shutil.rmtree(out / "landing")
        shutil.rmtree(out / "truth", ignore_errors=True)


def imagine(
    seed: int, children: int, calendar: Calendar, progress: Progress = silent
) -> tuple[Scene, Identity]:
    """The people and the hidden course of their lives."""
    population = people.populate(seed, children, calendar)
    lived = course.live(seed, population, progress)
    scene = Scene(seed, population, lived, risk.risk_of(population, lived))
    return scene, identify(seed, population)


def observe(scene: Scene, ids: Identity, progress: Progress = silent) -> dict[str, Columns]:
    """What the agencies other than social care see, by kind of event."""
    watchers: dict[str, Callable[[], Columns]] = {
        "emergency": lambda: health.emergencies(scene),
        "appointment": lambda: health.appointments(scene),
        "camhs": lambda: health.mental_health_referrals(scene),
        "registration": lambda: health.registrations(scene),
        "practice": lambda: health.practice_codes(scene),
        "absence": lambda: school.absences(scene),
        "suspension": lambda: school.suspensions(scene),
        "bullying": lambda: school.bullying(scene, ids),
        "concern": lambda: school.concerns(scene, ids),
        "school_move": lambda: school.moves(scene),
        "domestic_abuse": lambda: police.domestic_abuse(scene),
        "notice": lambda: police.child_notices(scene),
        "missing": lambda: police.missing_reports(scene),
        "crime": lambda: police.crimes(scene),
        "housing": lambda: family.housing(scene),
        "adult": lambda: family.adult_services(scene),
        "early_help": lambda: family.early_help(scene),
        "support": lambda: family.support(scene),
    }
    seen = {}
    for done, (name, watch) in enumerate(watchers.items(), start=1):
        seen[name] = watch()
        progress("what agencies see", done, len(watchers))
    return seen


def write_down(
    scene: Scene, ids: Identity, seen: dict[str, Columns], care: dict[str, Columns]
) -> list[Extract]:
    """Every agency's table, cut to the period, in the order in which rows were recorded."""
    more = care_records.records(scene, care, seen["missing"])
    extracts = [
        *people_files.write(scene, ids),
        *ssd_front.write(scene, ids, care, more),
        *ssd_cases.write(scene, ids, care, more),
        health.write_ecds(scene, ids, seen["emergency"]),
        health.write_appointments(scene, ids, seen["appointment"]),
        health.write_mental_health(scene, ids, seen["camhs"]),
        health.write_practices(scene, ids, seen["registration"], seen["practice"]),
        *school.write(scene, ids, seen),
        police.write_notices(scene, ids, seen["domestic_abuse"], seen["notice"]),
        police.write_missing(scene, ids, seen["missing"]),
        police.write_crimes(scene, ids, seen["crime"]),
        *family.write(scene, ids, seen),
    ]
    calendar = scene.calendar
    return [extract.within(calendar.start, calendar.end) for extract in extracts]


def _deliver_all(
    seed: int, extracts: list[Extract], calendar: Calendar, out: Path, progress: Progress
) -> dict[str, int]:
    rows, mistakes = {}, []
    for done, extract in enumerate(extracts, start=1):
        rows[extract.name], mess, copies = deliver(
            seed, extract, calendar.landings, out / "landing"
        )
        mistakes.append(_mistakes(extract, mess, copies))
        progress("writing files", done, len(extracts))
    (out / "truth").mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.concat_tables(mistakes), out / "truth" / "record_errors.parquet")
    return rows


def _mistakes(extract: Extract, mess: Mess, copies: int) -> pa.Table:
    """Planned mistakes of one file: identifier errors, corrections, withdrawals, copies."""
    found: list[tuple[str, np.ndarray]] = [
        ("corrected", np.flatnonzero(mess.right_from > 0)),
        ("withdrawn", np.flatnonzero(mess.gone_from < NOT)),
        ("sent twice", np.full(copies, -1)),
    ]
    if extract.errors is not None:
        found += [
            (f"identifier {kind}", np.flatnonzero(extract.errors == i))
            for i, kind in enumerate(ERRORS)
            if i
        ]
    rows = np.concatenate([rows for _, rows in found])
    keys = extract.table[extract.key].combine_chunks()
    return pa.table(
        {
            "source": pa.repeat(pa.scalar(extract.name), len(rows)),
            "record_id": keys.take(pa.array(rows, mask=rows < 0)),
            "error": pa.array(
                np.repeat([name for name, _ in found], [len(rows) for _, rows in found])
            ),
        }
    )
