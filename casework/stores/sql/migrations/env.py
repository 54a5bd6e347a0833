"""Runs the steps on the connection that the store hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from casework.stores.sql import service_tables
from casework.stores.sql.tables import METADATA

assert service_tables.USERS.metadata is METADATA  # imported so that its tables are known
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
context.run_migrations()
