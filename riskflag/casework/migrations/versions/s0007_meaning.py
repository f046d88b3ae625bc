"""Each review keeps the label and the fixed meaning of its decision: a list may change later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("review", sa.Column("meaning", sa.Text()))
    op.add_column("review", sa.Column("decision_label", sa.Text()))


def downgrade() -> None:
    raise NotImplementedError("the store is never taken back a version; restore a backup")
