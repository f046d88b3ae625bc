"""An authority of any size for the benchmark of the night: its history, its model, its settings.

The contacts are those of `made_up`, written as deliveries into a history of their own; every fifth
child has a brother or sister, whose contacts reach it. The model has 300 trees, learnt on a sample.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.made_up import AS_OF, Size, history
from riskflag import clock
from riskflag.history.arrays import constant
from riskflag.history.schema import CONTACT, COVERAGE, PERSON, RELATIONSHIP, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.history.store.view import History
from riskflag.scoring.bundle import Bundle, BundleParts, make_current
from riskflag.scoring.calibration import Calibration
from riskflag.scoring.model import Model, capped
from riskflag.signals.build import compute
from riskflag.signals.catalogue import load_catalogue
from riskflag.workspace import Workspace

TREES = 300
#: This share of children is flagged; rules below `urgent` bring nobody on their own here.
FLAGGED = 0.01
#: Children of one delivery.
DELIVERY = 50_000
SAMPLE = 8_000
SETTINGS = """authority = "Made-up Borough"
capacity_per_week = {capacity}
flag_from_level = "urgent"
memory_gib = {memory}
"""


def make(root: Path, size: Size, *, memory: float) -> Workspace:
    """A workspace with so many children and contacts, and a promoted model."""
    Workspace.create(root, "Made-up Borough")
    capacity = max(1, round(size.children * FLAGGED))
    text = SETTINGS.format(capacity=min(capacity, 10_000), memory=memory)
    (root / "riskflag.toml").write_text(text)
    place = Workspace.open(root)
    store = HistoryStore(place.history)
    for number, tables in enumerate(deliveries(size)):
        store.append_batch(f"b{number:04d}", AS_OF.isoformat(), tables)
    sample = Size(min(SAMPLE, size.children), min(SAMPLE, size.children) * 25, size.seed)
    place.bundles.mkdir()
    make_current(place.bundles, Bundle.write(place.bundles, bundle_parts(whole(sample))))
    return place


def whole(size: Size) -> History:
    """One delivery's children as a history in memory."""
    tables = next(deliveries(size))
    return History.of(*(tables[name] for name in ("contact", "person", "relationship", "coverage")))


def deliveries(size: Size) -> Iterator[dict[str, pa.Table]]:
    """The history as rows to store, so many children at a time."""
    for first in range(0, size.children, DELIVERY):
        children = min(DELIVERY, size.children - first)
        part = history(
            Size(children, size.contacts * children // size.children, size.seed + first), first
        )
        yield {
            "contact": contact_rows(part.contacts, first),
            "person": person_rows(first, children),
            "relationship": sibling_rows(first, children),
            **({"coverage": coverage_rows()} if first == 0 else {}),
        }


def contact_rows(view: pa.Table, first: int) -> pa.Table:
    """Version rows (CONTACT) that give these rows of a view: what was replaced is taken back."""
    size = view.num_rows
    number = pa.array(np.arange(size)).cast(pa.string())
    key = pc.utf8_lpad(number, 20, "0")
    key = pc.binary_join_element_wise(f"{first:012d}", key, "")
    rows = {
        "contact_key": key,
        "version": pa.array(np.ones(size, np.int32)),
        "op": constant("assert", size),
        **{name: view[name] for name in ("person_id", "agency", "type", "quantity")},
        "occurred_on": view["occurred_day"].cast(pa.date32()),
        "known_on": view["known_day"].cast(pa.date32()),
        "known_basis": constant("landed", size),
        "source": view["agency"],
        "record_id": number,
        "source_file": constant("made_up.csv", size),
        "source_line": pa.array(np.arange(2, size + 2, dtype=np.int32)),
        "issues": constant("", size),
    }
    told = pa.table(rows)
    gone = view["superseded_day"].to_numpy()
    back = told.filter(pa.array(gone < clock.NEVER))
    days = pa.array(gone[gone < clock.NEVER]).cast(pa.date32())
    for name, column in {
        "op": constant("retract", back.num_rows),
        "version": pa.array(np.full(back.num_rows, 2, np.int32)),
        "known_on": days,
    }.items():
        back = back.set_column(back.schema.get_field_index(name), name, column)
    return conform(pa.concat_tables([told, back]), CONTACT, coded=True, lean=True)


def person_rows(first: int, children: int) -> pa.Table:
    """Children of all ages (PERSON)."""
    make = np.random.default_rng(first + 7)
    born = clock.day_number(AS_OF) - make.integers(30, 17 * 365, children)
    names = _names(first, children)
    rows = {
        "person_key": names,
        "person_id": names,
        "version": pa.array(np.ones(children, np.int32)),
        "op": constant("assert", children),
        "known_on": pa.array(np.full(children, 14_000, np.int32)).cast(pa.date32()),
        "known_basis": constant("landed", children),
        "birth_on": pa.array(born.astype(np.int32)).cast(pa.date32()),
        "birth_precision": constant("day", children),
        "kind": constant("child", children),
        "source": constant("ssd", children),
        "row_hash": names,
    }
    return conform(pa.table(rows), PERSON)


def sibling_rows(first: int, children: int) -> pa.Table:
    """Every fifth child and the next one are brother or sister, each told of both ways."""
    one = np.arange(0, children - 1, 5)
    pairs = np.concatenate([np.stack([one, one + 1]), np.stack([one + 1, one])], axis=1)
    names = _names(first, children)
    whose, related = (names.take(pa.array(side)) for side in pairs)
    size = len(whose)
    rows = {
        "relationship_key": pc.binary_join_element_wise(whose, related, "-"),
        "person_id": whose,
        "related_id": related,
        "kind": constant("sibling", size),
        "version": pa.array(np.ones(size, np.int32)),
        "op": constant("assert", size),
        "known_on": pa.array(np.full(size, 14_000, np.int32)).cast(pa.date32()),
        "known_basis": constant("landed", size),
        "source": constant("ssd", size),
    }
    return conform(pa.table(rows), RELATIONSHIP)


def coverage_rows() -> pa.Table:
    """One feed of everything, fresh for all nights of the benchmark."""
    from benchmarks.made_up import TYPES

    day = AS_OF + dt.timedelta(days=30)
    row = {
        "source": "made_up",
        "agency": "several",
        "covered_from": dt.date(2020, 1, 1),
        "complete_to": day,
        "received_on": dt.date(2025, 12, 1),
        "rows": 1,
        "status": "ok",
        "fresh_days": 60,
        "tolerance_days": 90,
        "first_load": False,
        "batch_id": "b",
    }
    return pa.Table.from_pylist([{**row, "type": name} for name in TYPES], COVERAGE)


def bundle_parts(sample: History) -> BundleParts:
    """A model of TREES trees that learnt from a sample who has most contacts of a few kinds."""
    catalogue = load_catalogue()
    names = [signal.name for signal in catalogue.signals]
    children = sample.children(AS_OF)
    table = compute(sample, children, as_of=AS_OF, signals=catalogue.signals)
    values = capped(table.values)
    make = np.random.default_rng(3)
    push = np.nan_to_num(values[:, :40]).clip(0, 5).sum(axis=1)
    label = push + make.normal(0, push.std(), len(push)) > np.quantile(push, 0.95)
    told = {"objective": "binary", "verbosity": -1, "num_leaves": 31, "num_threads": 1}
    data = lgb.Dataset(values, label.astype(float), feature_name=names)
    text = lgb.train(told, data, TREES).model_to_string()
    calibration = Calibration((-8.0, 0.0, 8.0), (0.001, 0.2, 0.95))
    model = Model(text, names, calibration)
    raw = model.raw(values, names)
    line = float(np.quantile(raw, 1 - 3 * FLAGGED))
    rows = values[:8]
    probe = [[None if np.isnan(v) else float(v) for v in row] for row in rows]
    entries = [
        {
            "name": s.name,
            "theme": s.theme,
            "direction": s.direction,
            "fingerprint": s.fingerprint,
            "question": s.question,
        }
        for s in catalogue.signals
    ]
    parts: dict[str, Any] = {
        "signals": {"signals": entries, "excluded": []},
        "calibration": calibration.to_dict(),
        "thresholds": {"raw": line, "probability": 0.3, "share": FLAGGED},
        "reference": {"signals": {}},
        "performance": {"n": 100, "needed_more": 30, "period": "made up"},
        "gates": {"passed": True, "gates": []},
        "probe": {"rows": probe, "raw": raw[:8].tolist()},
    }
    return BundleParts("made-up", text, "# A made-up model\n", parts, {"experiment": "made-up"})


def _names(first: int, children: int) -> pa.Array:
    return pa.array([f"child-{first + number:08d}" for number in range(children)])
