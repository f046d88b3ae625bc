"""The team of each published flag, so that a worklist can be that of one team."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("flag_version", sa.Column("team", sa.Text()))


def downgrade() -> None:
    raise NotImplementedError("the store is never taken back a version; restore a backup")
