"""Runs the steps on the connection that the store hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from casework.stores.sql.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
context.run_migrations()
