"""Run by Alembic, on the connection the store hands over."""

from __future__ import annotations

from alembic import context

from riskflag.casework.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
)
context.run_migrations()
