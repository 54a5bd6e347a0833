"""Stores that are migrated once a process: further empty ones are given what that left."""

from __future__ import annotations

import sqlite3
from functools import cache

import sqlalchemy as sa

from casework.stores.sql import engine

_migrate = engine.migrate


@cache
def _left() -> tuple[str, ...]:
    """The statements that make an empty SQLite store what all steps of migration make it."""
    made = sa.create_engine("sqlite://")
    with made.connect() as connection, connection.begin():
        _migrate(connection)
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        found = tuple(driver.iterdump())
    made.dispose()
    return found[1:-1]  # without the transaction around them


def _given(connection: sa.Connection, to: str = "head") -> None:
    """As ``migrate``, in the same transaction and by the same statements for one that is empty."""
    empty = connection.dialect.name == "sqlite" and not sa.inspect(connection).get_table_names()
    if to != "head" or not empty:
        _migrate(connection, to)
        return
    for statement in _left():
        connection.exec_driver_sql(statement)


def migrate_once() -> None:
    """For the rest of this process, but for who imports ``migrate`` before, as its own tests do.

    Hundreds of tests begin with an empty store, and all steps take 46 ms of processor time.
    """
    engine.migrate = _given
