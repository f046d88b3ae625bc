"""The night on Spark: the parts of the people on its workers, all else as on one machine.

The parts go to Spark as Parquet in a folder that every worker can reach, and stay there until the
history has changed. Each part is worked out by one call of riskflag.nightly.spark_worker, and what
the workers found comes back as Parquet too. Deciding, evidence, pages and publication are the same
code as on one machine and give the same bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow as pa

from riskflag import __version__, errors
from riskflag.errors import ConfigError, IntegrityError, RiskflagError
from riskflag.nightly import spark_worker
from riskflag.nightly.part import Declared, PartResult, night_part
from riskflag.nightly.spark_worker import FAULT, PART, RESULT, TABLES, Shipment
from riskflag.progress import Progress, silent

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from riskflag.history.store.stored_view import View
    from riskflag.settings import SparkSettings
    from riskflag.signals.catalogue import Catalogue
    from riskflag.workspace import Workspace

#: Parts are sent to Spark in lots of about so many contacts.
LOT = 500_000
LABEL = "Assessing children on Spark"
LOG = Path(__file__).with_name("spark-log.properties")
QUIET = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={LOG.as_uri()}",
}
#: On one machine nothing listens but to this machine ...
LOCAL = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}
#: ... and its workers run the same Python.
LOCALLY = {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}


@dataclass(frozen=True)
class SparkEngine:
    """Works out the parts of a view on Spark; called like `riskflag.nightly.part.night_parts`.

    `view_key` tells one state of the view from another: what was sent for it is used again.
    """

    workspace: Workspace
    catalogue: Catalogue
    view_key: str

    def __call__(
        self,
        view: View,
        declared: Declared,
        *,
        threads: int | None = None,
        progress: Progress = silent,
    ) -> Iterator[PartResult]:
        """What each part's worker found, in the order of the parts.

        `threads` is for Spark's settings to say. Raises ConfigError when Spark cannot be started
        and the error that a worker met.
        """
        settings = self.workspace.config.spark
        with _Session(settings) as session:
            sent = _Sent(session, _folder(self.workspace), self.view_key)
            parts = sent.parts(view, progress)
            progress(LABEL, 0, len(parts))
            found = sent.work(self._shipment(view, declared), len(view))
            if set(found) != set(parts):
                raise IntegrityError(
                    "Spark did not give back every part of the people; nothing was published. "
                    "Score again."
                )
            for done, number in enumerate(sorted(found), start=1):
                progress(LABEL, done, len(parts))
                yield _result(found.pop(number), view.coverage)
        if not parts:
            yield night_part(view.part(0), declared)

    def _shipment(self, view: View, declared: Declared) -> Shipment:
        part = view.part(0)
        return Shipment(
            as_of=declared.as_of.isoformat(),
            files=_files(self.workspace, self.catalogue, declared),
            check=spark_worker.check_of(declared, self.catalogue.fingerprint),
            policy=spark_worker.policy_text(declared),
            schemas={n: bytes(getattr(part, n).schema.serialize()) for n in TABLES},
            coverage=spark_worker.written(view.coverage),
        )


def _files(workspace: Workspace, catalogue: Catalogue, declared: Declared) -> dict[str, bytes]:
    """The files that declare the night, by the path under which a worker reads them."""
    rulebook = catalogue.rulebook_path
    found = {f"features/{path.name}": path for path in rulebook.parent.glob("*.py")}
    found["features/rulebook.toml"] = rulebook
    found["vocabulary.toml"] = workspace.vocabulary
    if declared.bundle is not None:
        found |= {f"bundle/{path.name}": path for path in declared.bundle.path.iterdir()}
    return {name: path.read_bytes() for name, path in sorted(found.items()) if path.is_file()}


def _folder(workspace: Workspace) -> str:
    """Where parts and results go: any address that Spark can read and write."""
    named = workspace.config.spark.files
    if named is not None:
        return named.rstrip("/")
    path = workspace.work / "spark"
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path.resolve().as_uri()


class _Session:
    """A Spark session: the one that is there, as in a notebook, or one for this night alone."""

    def __init__(self, settings: SparkSettings) -> None:
        self._settings = settings

    def __enter__(self) -> SparkSession:
        try:
            from pyspark.sql import SparkSession
        except ImportError:
            raise ConfigError(
                "The Spark engine needs pyspark, which is not installed here; install riskflag "
                "with its extra `spark`, or score with --engine local."
            ) from None
        active = SparkSession.getActiveSession()
        self._own = active is None
        try:
            with _warnings_off():
                self._session = active or self._builder(SparkSession.builder).getOrCreate()
            if self._own:
                self._session.sparkContext.setLogLevel("OFF")
        except _spark_errors():
            raise ConfigError(
                "Spark could not be started; see that Java 17 is installed and that `master` under "
                "[spark] in riskflag.toml is right, or score with --engine local."
            ) from None
        return self._session

    def _builder(self, builder: Any) -> Any:
        master = self._settings.master
        chosen = dict(QUIET)
        # Started by spark-submit, the cluster is what was said there; by itself it is this machine.
        said = "" if "PYSPARK_GATEWAY_PORT" in os.environ else "local"
        if (master or said).startswith("local"):
            chosen |= LOCAL
            for name, value in LOCALLY.items():
                os.environ.setdefault(name, value)
        # Parts are few and large: each is to have a task of its own.
        chosen |= {"spark.sql.adaptive.enabled": "false"}
        builder = builder.appName("riskflag")
        for name, value in {**chosen, **self._settings.options}.items():
            builder = builder.config(name, value)
        return builder.master(master) if master else builder

    def __exit__(self, *_: object) -> None:
        if self._own:
            self._session.stop()


@contextlib.contextmanager
def _warnings_off() -> Iterator[None]:
    """Spark warns of versions of pandas, which nothing here hands to it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@dataclass(frozen=True)
class _Sent:
    """The parts of a view in a folder that Spark reaches."""

    session: SparkSession
    folder: str
    view_key: str

    def parts(self, view: View, progress: Progress) -> list[int]:
        """Which parts hold anybody; all are sent first unless this very view was sent before."""
        held = self._held()
        if held is None:
            self._tell("", [])
            held = list(self._send(view, progress))
            self._tell(self._key, held)
        return held

    def work(self, shipment: Shipment, parts: int) -> dict[int, dict[str, bytes]]:
        """What the workers found, by part and name."""

        def night(rows: pa.Table) -> pa.Table:
            return spark_worker.work(shipment, rows)

        results = f"{self.folder}/results"
        try:
            rows = self.session.read.parquet(self._parts).repartition(max(parts, 1), PART)
            with _warnings_off():
                done = rows.groupBy(PART).applyInArrow(night, RESULT)
            done.write.mode("overwrite").parquet(results)
            found: dict[int, dict[str, bytes]] = {}
            for row in self.session.read.parquet(results).toLocalIterator():
                found.setdefault(row[0], {})[row[1]] = bytes(row[2])
        except _spark_errors() as error:
            _stopped(error)
        return found

    @property
    def _parts(self) -> str:
        return f"{self.folder}/parts"

    @property
    def _made(self) -> str:
        return f"{self.folder}/made"

    @property
    def _key(self) -> str:
        return hashlib.sha256(f"{__version__} {self.view_key}".encode()).hexdigest()

    def _held(self) -> list[int] | None:
        """The parts that were sent for this view; None when they are for another, or none."""
        from pyspark.errors import AnalysisException

        try:
            row = self.session.read.parquet(self._made).first()
        except AnalysisException:
            return None
        except _spark_errors() as error:
            _stopped(error)
        return json.loads(row["parts"]) if row is not None and row["key"] == self._key else None

    def _tell(self, key: str, parts: list[int]) -> None:
        told = pa.table({"key": [key], "parts": [json.dumps(parts)]})
        self._write(told, self._made, "overwrite")

    def _send(self, view: View, progress: Progress) -> Iterator[int]:
        lot: list[pa.Table] = []
        mode, total = "overwrite", len(view)
        for number in range(total):
            progress("Sending parts to Spark", number, total)
            rows = spark_worker.as_rows(view.part(number), number)
            if rows.num_rows:
                lot.append(rows)
                yield number
            if lot and (number == total - 1 or sum(map(len, lot)) >= LOT):
                self._write(pa.concat_tables(lot), self._parts, mode)
                lot, mode = [], "append"
        progress("Sending parts to Spark", total, total)

    def _write(self, table: pa.Table, where: str, mode: str) -> None:
        try:
            # Of a table in several chunks Spark may take the first ones only.
            whole = table.combine_chunks()
            self.session.createDataFrame(whole).write.mode(mode).parquet(where)
        except _spark_errors() as error:
            _stopped(error)


def _spark_errors() -> tuple[type[Exception], ...]:
    """What Spark raises: some of it comes from Java without a class of Spark's own."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    return PySparkException, Py4JError, OSError, RuntimeError


def _stopped(error: Exception) -> NoReturn:
    """Spark's own words may hold values from the data; only the class of its error is told."""
    name = getattr(error, "getCondition", lambda: None)() or type(error).__name__
    raise errors.StorageError(
        f"Spark stopped ({name}); nothing was published. See that every worker can read and write "
        "`files` under [spark] in riskflag.toml and has this version of riskflag, then score again."
    ) from None


def _result(found: dict[str, bytes], coverage: pa.Table) -> PartResult:
    if FAULT not in found:
        return spark_worker.unpacked(found, coverage)
    told = json.loads(found[FAULT])
    kind = getattr(errors, told["kind"], None) if told["kind"] else None
    if kind is not None and issubclass(kind, RiskflagError):
        raise kind(told["text"])
    raise IntegrityError(
        f"A Spark worker met a defect in riskflag ({told['text']}); nothing was published. Please "
        "report it with this line."
    )
