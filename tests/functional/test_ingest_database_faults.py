"""A database that cannot be read as declared: one sentence, no secret, the other feeds load."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, postgresql
from sqlalchemy.dialects.mssql.pyodbc import MSDialect_pyodbc

from riskflag.cli import run
from riskflag.clock import today
from riskflag.errors import ConfigError
from riskflag.history.declared.shipped import SHIPPED_SOURCES
from riskflag.history.declared.source_load import load_source
from riskflag.history.files import database
from riskflag.history.files.database import Shape, opened, options_for, statement
from riskflag.history.files.delivered import RejectedError
from riskflag.history.loading.ingest import ingest
from riskflag.history.schema import CONTACT, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.settings import DatabaseSettings
from riskflag.workspace import Workspace
from tests.postgres import postgres

SECRET = "hunter2"
SOURCE = """name = "visits"
title = "Visits"
agency = "ed"

[files]
format = "database"
date_format = "%d/%m/%Y"
optional = ["site"]

[database]
connection = "hospital"
table = "Visits made"
order = "Key"

[[contact]]
type = "ed.attendance"
record_id = ["Key", "Day"]
subject = { column = "Person" }
occurred = { column = "Day" }

[contact.attributes]
organisation = { column = "site" }
"""
TABLE = 'CREATE TABLE "Visits made" ("key" INTEGER, "Person" VARCHAR(20), "Day" DATE)'
CSV_SOURCE = SOURCE.replace('"visits"', '"other"').replace(
    'format = "database"', 'pattern = "other.csv"'
)
CSV_SOURCE = re.sub(r"\[database\].*?\n\n", "", CSV_SOURCE, flags=re.DOTALL)


@pytest.fixture
def workspace(tmp_path):
    """A workspace whose one source is read from a database, with a CSV feed beside it."""
    made = Workspace.create(tmp_path / "w", "Test")
    (made.sources_dir / "visits.toml").write_text(SOURCE)
    (made.sources_dir / "other.toml").write_text(CSV_SOURCE)
    (made.landing / "other.csv").write_text("Key,Person,Day\n1,p1,01/02/2024\n")
    return made


@pytest.fixture
def sqlite(tmp_path, monkeypatch):
    """A SQLite file with three visits, named in the environment."""
    path = tmp_path / "hospital.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql(TABLE)
        connection.exec_driver_sql(
            """INSERT INTO "Visits made" VALUES (2, 'b', '2024-01-03'), (1, 'a', '2024-01-02')"""
        )
    engine.dispose()
    monkeypatch.setenv("RISKFLAG_DATABASE_HOSPITAL", f"sqlite:///{path}")
    return path


def contacts(workspace):
    return conform(HistoryStore(workspace.history).read("contact"), CONTACT).to_pylist()


def test_a_source_of_a_database_loads_like_any_feed(workspace, sqlite):
    """Names whatever their case, days as the source writes them, an optional column left out."""
    report = ingest(workspace)
    assert {f.source: (f.status, f.rows) for f in report.files} == {
        "visits": ("loaded", 2),
        "other": ("loaded", 1),
    }
    rows = [row for row in contacts(workspace) if row["source"] == "visits"]
    said = {(r["record_id"], r["person_id"], r["occurred_on"], r["source_line"]) for r in rows}
    assert said == {
        ("1|02/01/2024", "a", dt.date(2024, 1, 2), 1),
        ("2|03/01/2024", "b", dt.date(2024, 1, 3), 2),
    }
    assert rows[0]["source_file"] == f"{today()}/visits.parquet"


def test_a_snapshot_is_read_once_a_day_and_a_changed_one_is_refused(workspace, sqlite):
    ingest(workspace)
    snapshot = workspace.landing / today().isoformat() / "visits.parquet"
    before = snapshot.read_bytes()
    engine = sa.create_engine(f"sqlite:///{sqlite}")
    with engine.begin() as connection:
        connection.exec_driver_sql('DELETE FROM "Visits made"')
    engine.dispose()
    again = ingest(workspace)
    assert {f.status for f in again.files} == {"known"}
    assert snapshot.read_bytes() == before
    snapshot.write_bytes(before[:-1])
    assert [f.reason for f in ingest(workspace).files if f.status == "held"] == ["sidecar"]


def test_a_dry_run_reads_the_database_and_writes_nothing(workspace, sqlite):
    report = ingest(workspace, dry_run=True)
    assert {f.source: f.rows for f in report.files} == {"visits": 2, "other": 1}
    assert sorted(path.name for path in workspace.landing.iterdir()) == ["other.csv"]
    assert not workspace.history.exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ('DROP TABLE "Visits made"', "no_table"),
        ('ALTER TABLE "Visits made" DROP COLUMN "Person"', "missing_column"),
        ("""UPDATE "Visits made" SET "Day" = 'Maisie Example'""", "database"),
    ],
)
def test_a_table_that_is_not_as_declared_holds_that_feed_alone(workspace, sqlite, change, reason):
    """One sentence without a value of the data; what lies beside it loads."""
    engine = sa.create_engine(f"sqlite:///{sqlite}")
    with engine.begin() as connection:
        connection.exec_driver_sql(change)
    engine.dispose()
    report = ingest(workspace)
    told = {f.source: (f.status, f.reason) for f in report.files}
    assert told == {"visits": ("held", reason), "other": ("loaded", "")}
    assert "Maisie" not in report.to_json()
    assert list((workspace.landing).rglob("*visits*")) == []


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql+psycopg://reader:{SECRET}@127.0.0.1:1/none",
        "sqlite:///not/there.db",
    ],
)
def test_a_database_that_cannot_be_reached_is_one_sentence_without_secrets(
    workspace, monkeypatch, capsys, address
):
    monkeypatch.setenv("RISKFLAG_DATABASE_HOSPITAL", address)
    assert run(["ingest", "--workspace", str(workspace.root)]) == 0
    shown = capsys.readouterr()
    said = " ".join((shown.out + shown.err).split())
    assert "database hospital" in said
    for secret in (SECRET, "127.0.0.1", "reader", "not/there", "Traceback"):
        assert secret not in said
    assert len(contacts(workspace)) == 1


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (None, "RISKFLAG_DATABASE_HOSPITAL"),
        (f"nonsense {SECRET}", "cannot be used"),
        (f"oracle://u:{SECRET}@h/d", "cannot be used|neither SQL Server"),
        (f"mysql+pymysql://u:{SECRET}@h/d", "cannot be used|neither SQL Server"),
    ],
)
def test_an_address_that_is_none_is_a_config_error(workspace, monkeypatch, address, words):
    if address is not None:
        monkeypatch.setenv("RISKFLAG_DATABASE_HOSPITAL", address)
    with pytest.raises(ConfigError, match=words) as error:
        ingest(workspace)
    assert SECRET not in str(error.value)


def test_a_driver_that_is_not_installed_is_told(workspace, monkeypatch):
    pytest.importorskip("sqlalchemy")
    try:
        import pyodbc  # noqa: F401
    except ImportError:
        monkeypatch.setenv("RISKFLAG_DATABASE_HOSPITAL", "mssql+pyodbc://server/HDM?driver=x")
        with pytest.raises(ConfigError, match="driver"):
            ingest(workspace)
    else:
        pytest.skip("pyodbc is installed here, so its absence cannot be shown")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://reader:{SECRET}@db/x",
        f"mssql+pyodbc:///?odbc_connect=Server=x;PWD={SECRET}",
        f"mssql+pyodbc://db/x?password={SECRET}",
    ],
)
def test_a_password_in_the_config_is_refused_and_not_repeated(workspace, url):
    text = workspace.config_path.read_text() + f'\n[databases.hospital]\nurl = "{url}"\n'
    workspace.config_path.write_text(text)
    with pytest.raises(ConfigError, match="password must not stand") as error:
        Workspace.open(workspace.root)
    assert SECRET not in str(error.value)


def test_the_password_comes_from_its_variable_and_never_shows(monkeypatch):
    monkeypatch.setenv("DB_PW", SECRET)
    said = DatabaseSettings(url="postgresql+psycopg://reader@db/x", password_variable="DB_PW")
    url = database.address("hospital", {"hospital": said})
    assert url.password == SECRET
    assert SECRET not in str(url)


@pytest.mark.parametrize("name", ["no_such", "other"])
def test_a_name_that_no_database_source_has_is_told(workspace, sqlite, name):
    text = workspace.config_path.read_text() + f'\n[databases.hospital]\nsources = ["{name}"]\n'
    workspace.config_path.write_text(text)
    with pytest.raises(ConfigError, match=r"databases\.hospital"):
        ingest(Workspace.open(workspace.root))


def factors():
    """The shipped source that joins a table, and the shapes of both tables."""
    source = load_source(SHIPPED_SOURCES / "ssd_assessment_factors.toml")
    text = sa.String()
    first = ("cinf_table_id", "cinf_assessment_id", "cinf_assessment_factors_json")
    second = ("CINA_assessment_id", "cina_person_id", "cina_assessment_auth_date")
    shapes = [
        Shape("ssd_assessment_factors", dict.fromkeys(first, text)),
        Shape("ssd_cin_assessments", dict.fromkeys(second, text)),
    ]
    return source, shapes


def test_sql_server_gets_quoted_names_a_schema_a_join_and_an_order():
    source, shapes = factors()
    select = statement(source, database._matched(source, shapes), shapes, "HDM.ssd")
    sql = " ".join(str(select.compile(dialect=mssql.dialect())).split())
    assert sql == (
        "SELECT t1.[cina_assessment_auth_date] AS cina_assessment_auth_date, "
        "t1.[cina_person_id] AS cina_person_id, "
        "t0.[cinf_assessment_factors_json] AS cinf_assessment_factors_json, "
        "t0.[cinf_table_id] AS cinf_table_id "
        "FROM [HDM].ssd.[ssd_assessment_factors] AS t0 "
        "LEFT OUTER JOIN [HDM].ssd.[ssd_cin_assessments] AS t1 "
        "ON t0.[cinf_assessment_id] = t1.[CINA_assessment_id] "
        "ORDER BY t0.[cinf_assessment_id], "
        "t0.[cinf_table_id]"
    )


@pytest.mark.parametrize(("dialect", "close"), [(mssql, "]"), (postgresql, '"')])
def test_a_name_that_tries_to_end_its_quotes_stays_a_name(dialect, close):
    """Negative control of quoting: the closing mark is doubled, whatever the source says."""
    source, shapes = factors()
    bad = f"x{close}; DROP TABLE y; --"
    shapes[0] = Shape(bad, shapes[0].columns)
    select = statement(source, database._matched(source, shapes), shapes, None)
    assert f"x{close}{close}; DROP TABLE y; --{close}" in str(
        select.compile(dialect=dialect.dialect())
    )


class FakeConnection:
    """A driver's connection that writes down what it is told."""

    def __init__(self):
        self.said, self.autocommit = [], False

    def cursor(self):
        return self

    def execute(self, text):
        self.said.append(text)

    def close(self):
        pass

    def commit(self):
        self.said.append("commit")


@pytest.mark.parametrize(
    ("isolation", "level"),
    [
        ("snapshot", "SNAPSHOT"),
        ("repeatable_read", "REPEATABLE READ"),
        ("serializable", "SERIALIZABLE"),
    ],
)
def test_sql_server_is_asked_for_the_isolation_before_anything_is_read(isolation, level):
    options = options_for("mssql", isolation)
    told = FakeConnection()
    dialect = MSDialect_pyodbc()
    assert options["isolation_level"] in dialect.get_isolation_level_values(told)
    dialect.set_isolation_level(told, options["isolation_level"])
    assert told.said[0] == f"SET TRANSACTION ISOLATION LEVEL {level}"


def test_values_become_the_texts_of_a_csv_file():
    values = ("a", True, 3, 2.5, 4.0, Decimal("1.50"), Decimal("20"), {"A": "Y"}, dt.time(9, 30))
    told = [database._text(value) for value in values]
    assert told == ["a", "true", "3", "2.5", "4", "1.5", "20", '{"A":"Y"}', "09:30:00"]


def test_postgresql_is_read_in_one_read_only_snapshot(monkeypatch):
    """What is written while a read is under way is not seen by it, and it cannot write."""
    with postgres() as url:
        monkeypatch.setenv("RISKFLAG_DATABASE_HOSPITAL", url)
        engine = sa.create_engine(url)
        with engine.begin() as other:
            other.exec_driver_sql("CREATE TABLE t (n int)")
        count = sa.text("SELECT count(*) FROM t")
        with opened("hospital", {}) as reader:
            assert reader.connection.execute(count).scalar() == 0
            with engine.begin() as other:
                other.exec_driver_sql("INSERT INTO t VALUES (1)")
            assert reader.connection.execute(count).scalar() == 0
            with pytest.raises(sa.exc.DBAPIError, match="read-only"):
                reader.connection.exec_driver_sql("INSERT INTO t VALUES (2)")
        engine.dispose()


def test_postgresql_types_come_as_a_csv_file_would_write_them(monkeypatch, tmp_path):
    """Padded text, numbers, JSON, flags and moments with a zone; a binary column is refused."""
    with postgres() as url:
        monkeypatch.setenv("RISKFLAG_DATABASE_HOSPITAL", url)
        engine = sa.create_engine(url)
        with engine.begin() as other:
            other.exec_driver_sql(
                'CREATE TABLE "Visits made" ("Key" numeric(8,2), "Person" char(9),'
                ' "Day" timestamptz, site jsonb)'
            )
            other.exec_driver_sql(
                'INSERT INTO "Visits made" '
                """VALUES (7, 'p1', '2024-06-30 23:30+00', '{"a": [1]}')"""
            )
        path = tmp_path / "visits.toml"
        path.write_text(SOURCE)
        with opened("hospital", {}) as reader:
            schema, batches = reader.read(load_source(path))
            [batch] = list(batches)
        assert schema.names == ["Day", "Key", "Person", "site"]
        [row] = batch.to_pylist()
        assert (row["Key"], row["Person"], row["site"]) == ("7", "p1", '{"a":[1]}')
        assert row["Day"] == dt.datetime(2024, 6, 30, 23, 30, tzinfo=dt.UTC)
        with engine.begin() as other:
            other.exec_driver_sql('ALTER TABLE "Visits made" DROP COLUMN site')
            other.exec_driver_sql('ALTER TABLE "Visits made" ADD site bytea')
        with opened("hospital", {}) as reader, pytest.raises(RejectedError, match="column site"):
            reader.read(load_source(path))
        engine.dispose()
