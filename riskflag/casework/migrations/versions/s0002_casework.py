"""What reviewers say in full, drafts, data problems, pausing, and what a worklist reads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = ("verdict", "problem_step", "pause_step")

REVIEW_COLUMNS = (
    "number INTEGER NOT NULL DEFAULT 0",
    "second_look_of TEXT REFERENCES review(review_id)",
    "comes_back TEXT NOT NULL DEFAULT 'default'",
    "back_on TEXT",
    "quiet_reason TEXT NOT NULL DEFAULT ''",
    "discussed_with TEXT NOT NULL DEFAULT ''",
    "first_thought TEXT",
    "sections_opened TEXT NOT NULL DEFAULT '[]'",
    "draw INTEGER",
)
VERSION_COLUMNS = (
    "starts INTEGER",
    "length INTEGER",
    "listed TEXT",
    "agencies TEXT",
    "new_records INTEGER",
)


def upgrade() -> None:
    _reviews()
    _worklist()
    _verdicts()
    _steps()
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(_refusal(table, verb))


def downgrade() -> None:
    raise NotImplementedError("the store is never taken back a version; restore a backup")


def _refusal(table: str, verb: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _text(name: str, *constraints: SchemaItem, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), *constraints, nullable=null)


def _number(name: str, *constraints: SchemaItem, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), *constraints, nullable=null)


def _reviews() -> None:
    """More columns; every review so far is numbered within its flag, in the order of recording.

    Only the numbering touches rows that are there, so the refusal of changes is lifted for it
    alone; the whole step is one transaction.
    """
    for column in REVIEW_COLUMNS:
        op.execute(f"ALTER TABLE review ADD COLUMN {column}")
    op.execute("DROP TRIGGER review_no_update")
    op.execute(
        "UPDATE review SET number = (SELECT count(*) FROM review AS b WHERE b.flag_id = "
        "review.flag_id AND (b.decided_at, b.rowid) <= (review.decided_at, review.rowid))"
    )
    op.execute(_refusal("review", "UPDATE"))
    op.drop_index("ix_review_flag_id", "review")
    op.create_index("review_number", "review", ["flag_id", "number"], unique=True)
    op.create_index("one_second_look", "review", ["second_look_of"], unique=True)


def _worklist() -> None:
    """Where each flag's newest version is. What a worklist shows of it is filled in by the app."""
    for column in VERSION_COLUMNS:
        op.execute(f"ALTER TABLE flag_version ADD COLUMN {column}")
    for column in ("version_id INTEGER", "place INTEGER"):
        op.execute(f"ALTER TABLE flag ADD COLUMN {column}")
    op.execute(
        "UPDATE flag SET version_id = "
        "(SELECT max(v.id) FROM flag_version AS v WHERE v.flag_id = flag.flag_id)"
    )
    op.create_index("flag_on_worklist", "flag", ["status", "place"])
    # What somebody opened before deciding is read from the chain at every review.
    op.create_index("ix_audit_subject", "audit", ["subject"])


def _verdicts() -> None:
    op.create_table(
        "verdict",
        sa.Column("id", sa.Integer(), primary_key=True),
        _text("review_id", sa.ForeignKey("review.review_id")),
        _text("reason_id"),
        _text("verdict"),
        _text("problem", null=True),
        _text("note"),
        _text("contact_key", null=True),
        sa.UniqueConstraint("review_id", "reason_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "draft",
        _text("flag_id", sa.ForeignKey("flag.flag_id")),
        _text("user"),
        _text("answers"),
        _text("saved_at"),
        sa.PrimaryKeyConstraint("flag_id", "user"),
        sqlite_strict=True,
    )


def _steps() -> None:
    op.create_table(
        "problem_step",
        sa.Column("id", sa.Integer(), primary_key=True),
        _number("verdict_id", sa.ForeignKey("verdict.id")),
        _text("state"),
        _text("note"),
        _text("user"),
        _text("at"),
        sqlite_strict=True,
    )
    op.create_index("ix_problem_step_verdict_id", "problem_step", ["verdict_id"])
    op.create_table(
        "pause_step",
        sa.Column("id", sa.Integer(), primary_key=True),
        _text("state"),
        _text("reason"),
        _text("user"),
        _text("role"),
        _text("at"),
        sqlite_strict=True,
    )
