"""A short way from a review to the one that corrects it; second looks ask for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "review_amended", "review", ["amends"], sqlite_where=sa.text("amends IS NOT NULL")
    )


def downgrade() -> None:
    raise NotImplementedError("the store is never taken back a version; restore a backup")
