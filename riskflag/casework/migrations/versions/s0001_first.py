"""The first tables; reviews and the audit chain refuse every change and deletion."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("review", "audit")


def upgrade() -> None:
    _publications()
    _flags()
    _reasons()
    _people()
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def downgrade() -> None:
    raise NotImplementedError("the store is never taken back a version; restore a backup")


def _text(name: str, *constraints: SchemaItem, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), *constraints, nullable=null)


def _number(name: str, *constraints: SchemaItem, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), *constraints, nullable=null)


def _publications() -> None:
    op.create_table(
        "publication",
        sa.Column("id", sa.Integer(), primary_key=True),
        _text("run_key"),
        _text("as_of"),
        _number("generation"),
        _text("folder"),
        _text("content_hash"),
        _text("manifest_hash"),
        _number("exit_code"),
        _number("previous_id", sa.ForeignKey("publication.id"), null=True),
        _text("created_at"),
        sa.UniqueConstraint("run_key"),
        sa.UniqueConstraint("folder"),
        sa.UniqueConstraint("as_of", "generation"),
        sqlite_strict=True,
    )
    op.create_table(
        "current_publication",
        sa.Column("id", sa.Integer(), primary_key=True),
        _number("publication_id", sa.ForeignKey("publication.id")),
        sa.CheckConstraint("id = 1", name="only_one"),
        sqlite_strict=True,
    )


def _flags() -> None:
    op.create_table(
        "flag",
        sa.Column("flag_id", sa.Text(), primary_key=True, nullable=False),
        _text("person_id"),
        _text("status"),
        _text("raised_by"),
        _text("first_raised"),
        _text("last_matched"),
        _text("closed_at", null=True),
        _text("closed_by", sa.ForeignKey("review.review_id", name="flag_closed_by"), null=True),
        sa.CheckConstraint("status IN ('open', 'closed')", name="flag_status"),
        sa.CheckConstraint("raised_by IN ('rule', 'model', 'both')", name="flag_raised_by"),
        sa.CheckConstraint(
            "(status = 'closed') = (closed_at IS NOT NULL)", name="flag_closed_when"
        ),
        sqlite_strict=True,
    )
    op.create_index(
        "one_open_flag_per_person",
        "flag",
        ["person_id"],
        unique=True,
        sqlite_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "flag_version",
        sa.Column("id", sa.Integer(), primary_key=True),
        _text("flag_id", sa.ForeignKey("flag.flag_id")),
        _number("publication_id", sa.ForeignKey("publication.id")),
        _text("level"),
        _text("status"),
        _text("standing"),
        _text("payload_hash"),
        sa.UniqueConstraint("flag_id", "publication_id"),
        sa.CheckConstraint("level IN ('urgent', 'soon', 'routine')", name="version_level"),
        sa.CheckConstraint("status IN ('new', 'continuing')", name="version_status"),
        sqlite_strict=True,
    )
    op.create_index("ix_flag_version_publication_id", "flag_version", ["publication_id"])


def _reasons() -> None:
    op.create_table(
        "reason",
        sa.Column("id", sa.Integer(), primary_key=True),
        _text("flag_id", sa.ForeignKey("flag.flag_id")),
        _text("reason_id"),
        _text("source"),
        _number("rule_version", null=True),
        _number("first_publication_id", sa.ForeignKey("publication.id")),
        _number("last_publication_id", sa.ForeignKey("publication.id")),
        sa.UniqueConstraint("flag_id", "reason_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), primary_key=True),
        _number("reason_pk", sa.ForeignKey("reason.id")),
        _text("contact_key"),
        _number("version"),
        _number("first_publication_id", sa.ForeignKey("publication.id")),
        sa.UniqueConstraint("reason_pk", "contact_key", "version"),
        sqlite_strict=True,
    )


def _people() -> None:
    op.create_table(
        "review",
        sa.Column("review_id", sa.Text(), primary_key=True, nullable=False),
        _text("flag_id", sa.ForeignKey("flag.flag_id")),
        _number("publication_id", sa.ForeignKey("publication.id")),
        _text("shown_hash"),
        _text("reviewer"),
        _text("role"),
        _text("decision"),
        _text("why"),
        _text("worth_bringing"),
        _text("amends", sa.ForeignKey("review.review_id"), null=True),
        _text("opened_at"),
        _text("decided_at"),
        sqlite_strict=True,
    )
    op.create_index("ix_review_flag_id", "review", ["flag_id"])
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), primary_key=True),
        _text("at"),
        _text("actor"),
        _text("action"),
        _text("subject", null=True),
        _text("detail_digest"),
        _text("prev"),
        _text("hash"),
        sa.UniqueConstraint("hash"),
        sqlite_strict=True,
    )
