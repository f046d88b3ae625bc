"""What a Spark worker does with one part of the people: the same as one machine does.

A worker is sent the files that declare the night (signals, rules, the model's bundle), checks that
it reads the same in them as the night did, and works out its part with `night_part`. All that goes
back and forth is tables and files; a fault goes back as its class and place, never with its text.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag import __version__
from riskflag.errors import IntegrityError, RiskflagError
from riskflag.history.arrays import decoded, encode
from riskflag.history.store.view import History
from riskflag.nightly.faults import Fault
from riskflag.nightly.part import Declared, Others, PartResult, night_part
from riskflag.scoring.combine import Policy

#: The tables of a part that lie in one dataset, told apart by the column `tells`.
TABLES = ("contacts", "persons", "relationships")
PART, TELLS, ROW = "part", "tells", "row"
#: What comes back for a part: rows of a name and the bytes of what it names.
RESULT = "part int, name string, bytes binary"
_RESULT = pa.schema([(PART, pa.int32()), ("name", pa.string()), ("bytes", pa.binary())])
FAULT, TOLD, VALUES = "fault", "told", "values"

_declared: dict[str, Declared] = {}


@dataclass(frozen=True)
class Shipment:
    """What a worker is sent: the night's declarations as files, and what they must be read as.

    `files` are bytes by their path: features/, vocabulary.toml and bundle/. `schemas` and
    `coverage` are Arrow messages. `check` names what both sides must have in common.
    """

    as_of: str
    files: Mapping[str, bytes]
    check: Mapping[str, str | None]
    policy: str
    schemas: Mapping[str, bytes]
    coverage: bytes

    @property
    def key(self) -> str:
        """Tells one night's shipment from another's in a worker that outlives the night."""
        return json.dumps([self.as_of, dict(self.check), self.policy])


def check_of(declared: Declared, catalogue: str) -> dict[str, str | None]:
    """What tells that two machines read the same declarations with the same program."""
    return {
        "code": __version__,
        "signals": catalogue,
        "rulebook": declared.rulebook.fingerprint,
        "bundle": None if declared.bundle is None else declared.bundle.hash,
    }


def work(shipment: Shipment, rows: pa.Table) -> pa.Table:
    """The night of one part; `rows` are its people's, as `as_rows` made them, in any order."""
    number = rows.column(PART)[0].as_py()
    try:
        found = packed(night_part(history_of(rows, shipment), declared_of(shipment)))
    except Exception as error:
        found = {FAULT: json.dumps(_fault(error)).encode()}
    names, contents = list(found), list(found.values())
    return pa.table([[number] * len(names), names, contents], schema=_RESULT)


def _fault(error: Exception) -> dict[str, str]:
    if isinstance(error, RiskflagError):
        return {"kind": type(error).__name__, "text": str(error)}
    fault = Fault.of(error)
    return {"kind": "", "text": f"{fault.error} at {fault.place}"}


def declared_of(shipment: Shipment) -> Declared:
    """The night's declarations as this machine reads them; read once for all its parts.

    Raises IntegrityError when it reads them otherwise than the night did.
    """
    found = _declared.get(shipment.key)
    if found is None:
        with tempfile.TemporaryDirectory() as folder:
            found = _read(shipment, Path(folder))
        _declared.clear()
        _declared[shipment.key] = found
    return found


def _read(shipment: Shipment, folder: Path) -> Declared:
    from riskflag.scoring.bundle import Bundle
    from riskflag.scoring.rulebook import Rulebook
    from riskflag.signals.catalogue import load_catalogue

    for name, content in shipment.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    catalogue = load_catalogue(folder / "features", folder / "vocabulary.toml")
    rulebook = Rulebook.load(catalogue.rulebook_path, catalogue)
    hashed = shipment.check["bundle"]
    bundle = None if hashed is None else Bundle.load(folder / "bundle", expected=hashed)
    if bundle is not None:
        catalogue = catalogue.with_more(bundle.carried)
    told = json.loads(shipment.policy)
    ever = frozenset(told.pop("ever"))
    policy = Policy(**{**told, "keep": frozenset(told["keep"])})
    as_of = dt.date.fromisoformat(shipment.as_of)
    declared = Declared(as_of, catalogue.signals, rulebook, bundle, policy, ever)
    if check_of(declared, catalogue.fingerprint) != dict(shipment.check):
        raise IntegrityError(
            "A Spark worker reads the signals, rules or model otherwise than this machine; install "
            "the same version of riskflag on every worker."
        )
    return declared


def policy_text(declared: Declared) -> str:
    """The policy of a night and who ever had a flag, as JSON."""
    policy, ever = declared.policy, sorted(declared.ever)
    return json.dumps({**dataclasses.asdict(policy), "keep": sorted(policy.keep), "ever": ever})


def as_rows(part: History, number: int) -> pa.Table:
    """A part as rows of one table: text as text, each row with its table and its place in it."""
    tables = []
    for name in TABLES:
        table = getattr(part, name)
        columns = {n: decoded(table.column(n)) for n in table.column_names}
        size = table.num_rows
        columns[PART] = pa.array(np.full(size, number, np.int32))
        columns[TELLS] = pa.array([name] * size, pa.string())
        columns[ROW] = pa.array(np.arange(size, dtype=np.int64))
        tables.append(pa.table(columns))
    return pa.concat_tables(tables, promote_options="default")


def history_of(rows: pa.Table, shipment: Shipment) -> History:
    """The part that `as_rows` made rows of, whatever order they come in."""
    tables = {}
    for name in TABLES:
        table = rows.filter(pc.equal(rows.column(TELLS), name))
        table = table.take(pc.sort_indices(table, sort_keys=[(ROW, "ascending")]))
        schema = pa.ipc.read_schema(pa.py_buffer(shipment.schemas[name]))
        tables[name] = pa.table([_column(table, entry) for entry in schema], schema=schema)
    return History(**tables, coverage=read_table(shipment.coverage))


def _column(table: pa.Table, entry: pa.Field) -> Any:
    column = table.column(entry.name)
    return encode(column) if pa.types.is_dictionary(entry.type) else column.cast(entry.type)


def packed(result: PartResult) -> dict[str, bytes]:
    """What a worker found, as named bytes."""
    told = {
        "complete": result.complete.tolist(),
        "others": {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in vars(result.others).items()
        },
        "signals": result.values.shape[1],
    }
    values = [pa.array(column) for column in np.ascontiguousarray(result.values.T)]
    people = pa.array(result.person_ids, pa.string())
    names = ["person_id", *map(str, range(len(values)))]
    return {
        TOLD: json.dumps(told).encode(),
        VALUES: written(pa.table([people, *values], names=names)),
        **{name: written(getattr(result.near, name)) for name in TABLES},
    }


def unpacked(found: Mapping[str, bytes], coverage: pa.Table) -> PartResult:
    """What `packed` made bytes of."""
    told, values = json.loads(found[TOLD]), read_table(found[VALUES])
    columns = [values.column(n).to_numpy() for n in values.column_names[1:]]
    numbers = np.empty((values.num_rows, told["signals"]))
    for place, column in enumerate(columns):
        numbers[:, place] = column
    others: dict[str, Any] = {
        name: np.array(value, np.int64) if isinstance(value, list) else value
        for name, value in told["others"].items()
    }
    near = {name: read_table(found[name]) for name in TABLES}
    return PartResult(
        tuple(values.column("person_id").to_pylist()),
        numbers,
        np.array(told["complete"], np.bool_),
        Others(**others),
        History(**near, coverage=coverage),
    )


def written(table: pa.Table) -> bytes:
    """A table as one Arrow message."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def read_table(content: bytes) -> pa.Table:
    """The table that `written` made bytes of."""
    return pa.ipc.open_stream(pa.py_buffer(content)).read_all().combine_chunks()
