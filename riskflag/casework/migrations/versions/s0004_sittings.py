"""Who is signed in, for every process of the web app; a short way to who has read the notice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sitting",
        sa.Column("token_hash", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("user", "began", "seen")),
        sqlite_strict=True,
    )
    op.create_index(
        "audit_read_notice", "audit", ["actor"], sqlite_where=sa.text("action = 'read_notice'")
    )


def downgrade() -> None:
    raise NotImplementedError("the store is never taken back a version; restore a backup")
