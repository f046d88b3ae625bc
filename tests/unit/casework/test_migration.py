"""A store of the first step comes up to date with nothing lost, and in one piece or not at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from riskflag.casework import audit, publishing
from riskflag.casework import store as store_module
from riskflag.casework.reviews import reviews_of, shown
from riskflag.casework.store import Store, make_engine, open_store
from riskflag.errors import IntegrityError, StorageError
from riskflag.workspace import Workspace
from tests import casework_world as world

REVIEWS = 40
KEY = b"k" * 32

ROWS = (
    "INSERT INTO publication VALUES (1, 'run', '2026-03-10', 1, 'f', 'c', 'm', 0, NULL, '{at}')",
    "INSERT INTO current_publication VALUES (1, 1)",
    "INSERT INTO flag VALUES ('F-2026-000001', 'C-1', 'open', 'rule', '2026-03-10', '2026-03-10',"
    " NULL, NULL)",
    "INSERT INTO flag VALUES ('F-2026-000002', 'C-2', 'open', 'rule', '2026-03-10', '2026-03-10',"
    " NULL, NULL)",
    "INSERT INTO flag_version VALUES (1, 'F-2026-000001', 1, 'soon', 'new', 'present', 'p1')",
    "INSERT INTO flag_version VALUES (2, 'F-2026-000002', 1, 'soon', 'new', 'present', 'p2')",
    "INSERT INTO reason VALUES (1, 'F-2026-000001', 'rule:a', 'rule', 1, 1, 1)",
    "INSERT INTO evidence VALUES (1, 1, 'k1', 1, 1)",
)
REVIEW = (
    "INSERT INTO review VALUES ('{id}', '{flag}', 1, 'p1', 'worker', 'social worker', 'unsure', "
    "'Why {n}.', 'no', NULL, '{at}', '{at}')"
)


def instant(number: int) -> str:
    start = dt.datetime(2026, 3, 10, 9, tzinfo=dt.UTC)
    return (start + dt.timedelta(minutes=number // 2)).isoformat(timespec="microseconds")


@pytest.fixture
def workspace(tmp_path):
    """A store as the first step left it: two flags, forty reviews by turns, their audit entries."""
    place = Workspace.create(tmp_path / "w", "Test Borough")
    (place.root / "store.key").write_text(KEY.hex())
    path = place.root / "store.db"
    path.touch(mode=0o600)
    old = Store(make_engine(path), KEY)
    config = Config()
    folder = store_module.Path(store_module.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    with old.engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with old.writing() as session:
        for row in ROWS:
            session.execute(sa.text(row.format(at=instant(0))))
        for number in range(REVIEWS):
            # Identifiers in another order than the reviews: time decides, then arrival.
            made = hashlib.sha256(str(number).encode()).hexdigest()[:32]
            row = REVIEW.format(id=made, flag=world.number(1 + number % 2), n=number,
                                at=instant(number))  # fmt: skip
            session.execute(sa.text(row))
            audit.record(session, KEY, actor="worker", action="review", subject="C", detail={})
    old.close()
    return place


def content(place: Workspace, table: str, columns: str) -> list[tuple]:
    with sqlite3.connect(place.root / "store.db") as connection:
        return connection.execute(f"SELECT {columns} FROM {table} ORDER BY rowid").fetchall()


KEPT = {
    "publication": "*",
    "current_publication": "*",
    "flag": "flag_id, person_id, status, raised_by, first_raised, last_matched, closed_at, "
    "closed_by",
    "flag_version": "id, flag_id, publication_id, level, status, standing, payload_hash",
    "reason": "*",
    "evidence": "*",
    "review": "review_id, flag_id, publication_id, shown_hash, reviewer, role, decision, why, "
    "worth_bringing, amends, opened_at, decided_at",
    "audit": "*",
}


def test_every_row_of_the_first_step_is_there_unchanged(workspace):
    """Reviews, evidence and the audit chain to the letter; each review numbered in its order."""
    before = {table: content(workspace, table, columns) for table, columns in KEPT.items()}
    store = open_store(workspace)
    assert {table: content(workspace, table, columns) for table, columns in KEPT.items()} == before
    assert len(before["review"]) == REVIEWS
    for flag_id, first in (("F-2026-000001", 0), ("F-2026-000002", 1)):
        found = reviews_of(store, flag_id)
        assert [one.why for one in found] == [f"Why {n}." for n in range(first, REVIEWS, 2)]
        assert [one.number for one in found] == list(range(1, REVIEWS // 2 + 1))
        assert {(one.comes_back, one.quiet_reason, one.draw) for one in found} == {
            ("default", "", None)
        }
    with store.reading() as session:
        assert audit.first_bad(session) is None
    store.close()


def test_work_goes_on_after_the_step(workspace):
    """A further review of an old flag is recorded; old reviews still refuse every change."""
    store = open_store(workspace)
    seen = shown(store, world.F1)
    world.decide(store, "refer", expected=seen)
    assert len(reviews_of(store, world.F1)) == REVIEWS // 2 + 1
    assert len(publishing.state(store, dt.date(2026, 3, 11)).open_flags) == 1
    for verb in (
        "UPDATE review SET number = 0",
        "UPDATE review SET why = ''",
        "DELETE FROM review",
    ):
        with pytest.raises(IntegrityError), store.writing() as session:
            session.execute(sa.text(verb))
    store.close()


@pytest.mark.parametrize("after", range(6))
def test_a_step_that_is_ended_midway_changes_nothing(workspace, monkeypatch, after):
    """Whatever point it reached, the store is the old one, and the next opening finishes it."""
    from alembic import op

    before = (content(workspace, "sqlite_master", "sql"), content(workspace, "review", "*"))
    done = []
    plain = op.create_index if after % 2 else op.create_table

    def breaks(*arguments, **options):
        done.append(arguments)
        if len(done) > after // 2:
            raise sqlite3.OperationalError("disk I/O error")
        return plain(*arguments, **options)

    monkeypatch.setattr(op, plain.__name__, breaks)
    with pytest.raises(StorageError):
        open_store(workspace)
    monkeypatch.undo()
    assert before == (
        content(workspace, "sqlite_master", "sql"),
        content(workspace, "review", "*"),
    )
    store = open_store(workspace)
    assert len(reviews_of(store, world.F1)) == REVIEWS // 2
    store.close()
