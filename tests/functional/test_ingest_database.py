"""Sources read from a database: the same rows make the same history however they come."""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from riskflag.clock import today
from riskflag.history.declared.shipped import copy_shipped
from riskflag.history.declared.source import Day
from riskflag.history.declared.source_load import load_sources
from riskflag.history.loading.ingest import ingest
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.workspace import Workspace
from tests.made_up_rows import made_up
from tests.postgres import postgres

ROWS = 40
NEVER_LOADED = {"ssd_professionals"}


@pytest.fixture(scope="module")
def server():
    with postgres() as url:
        yield url


def ssd_rows(sources):
    """Made-up rows of every table, those of joined tables fitting together."""
    rows = {source.name: made_up(source, ROWS) for source in sources}
    for source in sources:
        for number, row in enumerate(rows[source.name]):
            for name in source.database.order:
                row.setdefault(name, f"key{number:04d}")
    for number, row in enumerate(rows["ssd_assessment_factors"]):
        assessment = rows["ssd_cin_assessments"][number % 7]
        row["cinf_assessment_id"] = assessment["cina_assessment_id"]
        row["cina_person_id"] = assessment["cina_person_id"]
        row["cina_assessment_auth_date"] = assessment["cina_assessment_auth_date"]
        row["cinf_assessment_factors_json"] = '["3A","16A"]' if number % 2 else '{"1B":"Yes"}'
    for number, row in enumerate(rows["ssd_involvements"]):
        row["invo_professional_id"] = f"W{number % 5}"
        row["prof_professional_job_title"] = ("Social Worker", "Agency Social Worker")[number % 2]
        row["invo_professional_id"] += "a" * (number % 2)
    return rows


def as_workspace(folder, settings=""):
    workspace = Workspace.create(folder, "Test")
    copy_shipped("ssd", workspace.sources_dir)
    workspace.config_path.write_text(f'authority = "Test"\n{settings}')
    return Workspace.open(workspace.root)


def dated(source):
    """The columns of a source that hold days."""
    found = set()
    for entry in (*source.contact, *source.person, *source.identifier, *source.relationship):
        for name in type(entry).model_fields:
            value = getattr(entry, name)
            if isinstance(value, Day) or (name == "birth" and value is not None):
                found.add(value.column)
    return found


def landed(workspace, rows, form):
    folder = workspace.landing / today().isoformat()
    folder.mkdir()
    for source in load_sources(workspace.sources_dir):
        table = rows[source.name]
        columns = sorted(source.columns())
        if form == "csv":
            with (folder / f"{source.name}.csv").open("w", newline="") as stream:
                writer = csv.DictWriter(stream, [*columns, "not_read"], restval="x")
                writer.writeheader()
                writer.writerows({name: row[name] for name in columns} for row in table)
            continue
        days = dated(source)
        held = {
            name: pa.array([moment(r[name]) if name in days else r[name] for r in table])
            for name in columns
        }
        pq.write_table(pa.table(held), folder / f"{source.name}.parquet")


def moment(text):
    return dt.datetime.fromisoformat(text) if text else None


def filled(url, sources, rows, schema=None):
    """The tables of a database, with the types the dataset has there."""
    engine = sa.create_engine(url)
    metadata = sa.MetaData()
    held = {}
    for source in sources:
        joined = {name for join in source.database.join for name in join.columns}
        names = (set(rows[source.name][0]) | {"not_read"}) - joined
        days = dated(source)
        kinds = {name: sa.DateTime() if name in days else sa.String(200) for name in names}
        columns = [sa.Column(name, kinds[name]) for name in sorted(names)]
        held[source.name] = sa.Table(source.name, metadata, *columns, schema=schema)
    staff = {r["invo_professional_id"]: r for r in rows["ssd_involvements"]}
    names = ("prof_professional_id", "prof_professional_job_title")
    columns = [sa.Column(name, sa.String(300)) for name in names]
    staff_table = sa.Table("ssd_professionals", metadata, *columns, schema=schema)
    with engine.begin() as connection:
        if schema:
            connection.execute(sa.schema.CreateSchema(schema))
        metadata.create_all(connection)
        for source in sources:
            table, days = held[source.name], dated(source)
            wanted = [column.name for column in table.columns]
            values = [
                {n: moment(r[n]) if n in days else r.get(n, "x") for n in wanted}
                for r in reversed(rows[source.name])
            ]
            connection.execute(table.insert(), values)
        people = [
            {names[0]: key, names[1]: r["prof_professional_job_title"]} for key, r in staff.items()
        ]
        connection.execute(staff_table.insert(), people)
    engine.dispose()


@pytest.fixture(scope="module")
def digests(server, tmp_path_factory):
    """The history's digest by route, and the workspace that read the database."""
    folder = tmp_path_factory.mktemp("routes")
    settings = '[databases.ssd]\nschema = "ssd"\nsources = ["ssd"]\n'
    reading = as_workspace(folder / "database", settings)
    sources = load_sources(reading.sources_dir)
    rows = ssd_rows(sources)
    filled(server, sources, rows, "ssd")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RISKFLAG_DATABASE_SSD", server)
        reports = {"database": ingest(reading)}
    found = {"database": HistoryStore(reading.history).load().digest()}
    for form in ("csv", "parquet"):
        workspace = as_workspace(folder / form)
        landed(workspace, rows, form)
        reports[form] = ingest(workspace)
        found[form] = HistoryStore(workspace.history).load().digest()
    return found, reports, reading


def test_csv_parquet_and_postgresql_make_the_same_history(digests):
    """All tables of the dataset, three ways, one digest; nothing refused, nothing dropped."""
    found, reports, reading = digests
    assert len(load_sources(reading.sources_dir)) > 35
    for report in reports.values():
        assert [(f.source, f.message) for f in report.files if f.status != "loaded"] == []
        refused = [(f.source, f.reasons) for f in report.files if f.quarantined]
        assert refused == []
        assert all(file.balanced and file.quarantined == 0 for file in report.files)
        assert report.rows == ROWS * len(load_sources(reading.sources_dir))
        assert report.new_versions > 1000
    assert found["csv"] == found["parquet"] == found["database"]


def test_what_was_read_is_kept_and_the_history_can_be_made_again_from_it(digests, tmp_path):
    """Without the database, the landing folder alone gives the same history."""
    found, _, reading = digests
    again = as_workspace(tmp_path / "again")
    folder = reading.landing / today().isoformat()
    names = {path.name for path in folder.iterdir()}
    assert "ssd_contacts.parquet" in names
    assert (folder / "ssd_contacts.parquet").stat().st_mode & 0o077 == 0
    said = json.loads((folder / "ssd_contacts.parquet.manifest.json").read_text())
    assert said["rows"] == ROWS
    assert said["read_from"]["table"] == "ssd_contacts"
    assert "not_read" not in said["read_from"]["columns"]

    shutil.copytree(folder, again.landing / folder.name)
    ingest(again)
    assert HistoryStore(again.history).load().digest() == found["database"]
