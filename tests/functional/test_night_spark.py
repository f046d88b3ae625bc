"""The night on Spark: the same publication as on one machine, and nobody in its words."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys

import pyarrow as pa
import pytest

from riskflag.errors import ConfigError, IntegrityError, StorageError
from riskflag.history.schema import CONTACT
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.nightly import spark, spark_worker
from riskflag.nightly.assess import declare
from riskflag.nightly.inputs import How, load
from riskflag.nightly.part import night_part
from riskflag.nightly.run import run_night
from riskflag.settings import SparkSettings
from riskflag.workspace import Workspace
from tests import night_world as world
from tests.functional.test_night_parts import NOTHING, published, put


def java() -> bool:
    """Whether there is a Java that Spark runs on."""
    found = shutil.which("java")
    if found is None:
        return False
    told = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)
    return any(f'"{number}.' in told.stderr for number in (17, 21))


needs_java = pytest.mark.skipif(not java(), reason="no Java 17 here, which Spark needs")


def on_spark(place: Workspace, *, more: str = "") -> Workspace:
    """The workspace with a Spark of its own: two tasks at once, four parts."""
    path = place.root / "riskflag.toml"
    path.write_text(f'{path.read_text()}\n[spark]\nmaster = "local[2]"\nparts = 4\n{more}')
    return Workspace.open(place.root)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two nights on this machine, the second after something was loaded."""
    place = world.workspace(tmp_path_factory.mktemp("whole") / "w", capacity=1)
    return nights(place)


def nights(place: Workspace, spark: bool = False) -> list[dict[str, str]]:
    put(place)
    found = []
    for days in (0, 7):
        if days:
            rows = [world.contact("C-07", "ed.attendance", 3, n=90 + n) for n in range(3)]
            rows = [row | {"known_on": world.AS_OF + world.dt.timedelta(1)} for row in rows]
            store = HistoryStore(place.history)
            store.append_batch("b9", "2026-03-11", {"contact": pa.Table.from_pylist(rows, CONTACT)})
        run_night(place, world.AS_OF + world.dt.timedelta(days), how=How(spark=spark))
        found.append(published(place))
    return found


@needs_java
def test_spark_publishes_the_same_bytes(whole, tmp_path, capfd):
    """Night after night, also when only some of the people have anything new."""
    place = on_spark(world.workspace(tmp_path / "w", capacity=1))
    with spark._Session(place.config.spark):  # one Spark for both nights, as in a notebook
        found = nights(place, spark=True)
    assert found == whole
    assert len(found[0]) > 3
    assert len(list((place.work / "spark" / "parts").glob("*.parquet"))) > 0
    said = "".join(capfd.readouterr())
    assert "C-07" not in said


def shipment(place: Workspace) -> tuple[spark_worker.Shipment, pa.Table]:
    """What a worker would be sent, and all people as one part's rows."""
    inputs = load(place, world.AS_OF)
    declared, history = declare(inputs, NOTHING), inputs.view.part(0)
    engine = spark.SparkEngine(place, inputs.catalogue, "")
    return engine._shipment(inputs.view, declared), spark_worker.as_rows(history, 0)


@pytest.fixture
def place(tmp_path):
    """A workspace with a history and a model."""
    found = world.workspace(tmp_path / "w", capacity=1)
    put(found)
    return found


def test_a_worker_finds_what_this_machine_finds(place):
    """From files and rows in any order: the same people, values, counts and records."""
    sent, rows = shipment(place)
    inputs = load(place, world.AS_OF)
    here = night_part(inputs.view.part(0), declare(inputs, NOTHING))
    mixed = rows.take(pa.array(list(range(rows.num_rows))[::-1]))
    answer = spark_worker.work(sent, mixed).to_pydict()
    assert set(answer["part"]) == {0}
    found = dict(zip(answer["name"], answer["bytes"], strict=True))
    there = spark_worker.unpacked(found, inputs.view.coverage)
    assert len(there.person_ids) > 10
    assert there.person_ids == here.person_ids
    assert there.values.tobytes() == here.values.tobytes()
    assert there.complete.tolist() == here.complete.tolist()
    assert there.near == here.near
    for field in dataclasses.fields(here.others):
        one, other = (getattr(result.others, field.name) for result in (here, there))
        assert (one == other).all() if hasattr(one, "all") else one == other


@pytest.mark.parametrize("name", ["rulebook", "signals", "bundle", "code"])
def test_a_worker_that_reads_something_else_refuses(place, name):
    """Another rulebook, signal, model or program on a worker ends the night in one sentence."""
    sent, rows = shipment(place)
    other = dataclasses.replace(sent, check={**sent.check, name: "0" * 64})
    answer = spark_worker.work(other, rows).to_pydict()
    found = dict(zip(answer["name"], answer["bytes"], strict=True))
    with pytest.raises(IntegrityError, match=r"\.$"):
        spark._result(found, pa.table({}))


def test_a_defect_on_a_worker_is_told_by_its_place(place, monkeypatch):
    """Its own words, which may hold values, stay where they came about."""

    def broken(*_: object) -> None:
        raise ValueError("C-07 lives at 1 Example Street")

    monkeypatch.setattr(spark_worker, "night_part", broken)
    sent, rows = shipment(place)
    answer = spark_worker.work(sent, rows).to_pydict()
    with pytest.raises(IntegrityError, match="ValueError at") as error:
        spark._result(dict(zip(answer["name"], answer["bytes"], strict=True)), pa.table({}))
    assert "Example Street" not in str(error.value)


@needs_java
def test_files_that_cannot_be_written_are_told_in_a_sentence(place):
    """A folder that Spark does not reach: nothing is published."""
    place = on_spark(place, more='files = "nowhere://somewhere/else"\n')
    with pytest.raises(StorageError, match="nothing was published"):
        run_night(place, world.AS_OF, how=How(spark=True))
    assert not (place.publications / "CURRENT").exists()


def test_without_pyspark_the_engine_says_what_to_do(monkeypatch):
    """One sentence, and the other engine's name."""
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(ConfigError, match="--engine local"), spark._Session(SparkSettings()):
        pass
