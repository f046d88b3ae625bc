"""A child's flags, closed ones too, found without looking through all."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("flags_of_person", "flag", ["person_id"])


def downgrade() -> None:
    raise NotImplementedError("the store is never taken back a version; restore a backup")
