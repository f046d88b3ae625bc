"""What readers say is wrong with a record, outside a review, and the answers to it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPEND_ONLY = ("correction", "correction_step")


def upgrade() -> None:
    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), primary_key=True),
        _text("flag_id", sa.ForeignKey("flag.flag_id")),
        sa.Column("publication_id", sa.Integer(), sa.ForeignKey("publication.id"), nullable=False),
        *(_text(name) for name in ("contact_key", "problem", "note", "reporter", "role", "at")),
        sqlite_strict=True,
    )
    op.create_index("ix_correction_flag_id", "correction", ["flag_id"])
    op.create_table(
        "correction_step",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("correction_id", sa.Integer(), sa.ForeignKey("correction.id"), nullable=False),
        *(_text(name) for name in ("state", "note", "user", "at")),
        sqlite_strict=True,
    )
    op.create_index("ix_correction_step_correction_id", "correction_step", ["correction_id"])
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def downgrade() -> None:
    raise NotImplementedError("the store is never taken back a version; restore a backup")


def _text(name: str, *constraints: sa.ForeignKey) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), *constraints, nullable=False)
