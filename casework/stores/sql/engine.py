"""Opening a store by URL: SQLite in WAL mode or PostgreSQL, brought to the present shape."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from casework.stores.sql.tables import HEAD
from regtech.errors import ConflictError, RegtechError, StoreError, UsageError

_HINT: Final = "write sqlite:///cases.db, a file's name, or postgresql://user@host/name"
_BUSY_MS: Final = 30_000
_LOCK_KEY: Final = 7_276_150_204_317
"""Of the advisory lock under which PostgreSQL is migrated; any fixed number."""


def store_url(text: str) -> URL:
    """The URL of a store; a name without a scheme is an SQLite file.

    Raises ``UsageError``. Its text in messages never has a password in it.
    """
    if not text:
        raise UsageError("an empty store URL", hint=_HINT)
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise UsageError("not a store URL", hint=_HINT) from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise UsageError(f"no store is kept in {url.drivername}", hint=_HINT)
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise UsageError("a store in memory ends with the command", hint=_HINT)
    return url


def open_engine(url: URL, *, create: bool = True) -> sa.Engine:
    """An engine on a store that has the present shape.

    ``create`` False: a store that is not there yet is a ``StoreError``. Raises ``StoreError``
    where it cannot be reached or was written by a later version.
    """
    engine = bare_engine(url, create=create)
    try:
        with told():
            _migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def bare_engine(url: URL, *, create: bool = True) -> sa.Engine:
    """An engine on a store in whatever shape it is; see ``open_engine``."""
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite:
        path = Path(url.database or "")
        if not path.is_file():
            if not create:
                raise StoreError(
                    f"there is no store {path}", hint="`regtech run … --store` makes one"
                )
            with _told("made"):
                path.parent.mkdir(parents=True, exist_ok=True)
    try:
        engine = sa.create_engine(url, pool_pre_ping=not sqlite)
    except (NoSuchModuleError, ImportError):
        raise UsageError(
            "the driver for PostgreSQL is not installed", hint="pip install 'regtech[postgresql]'"
        ) from None
    if sqlite:
        _prepare_sqlite(engine)
    return engine


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"the store could not be {what}: {error.strerror}") from None


@contextmanager
def told() -> Iterator[None]:
    """Errors of the driver as ``StoreError``; what ran into another's work as ``ConflictError``.

    The driver's text is left out where it would show values.
    """
    try:
        yield
    except RegtechError:
        raise
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if isinstance(error, sa.exc.IntegrityError) or state in ("40001", "40P01"):
            raise ConflictError(
                "somebody else wrote the same at the same time; nothing was written",
                hint="read again and repeat",
            ) from error
        raise StoreError(f"the store failed: {_first_line(error.orig)}") from error
    except SQLAlchemyError as error:
        raise StoreError(f"the store failed: {type(error).__name__}") from error


def _first_line(error: BaseException | None) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _prepare_sqlite(engine: sa.Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        # The driver's own idea of when a transaction begins is switched off: ours says when.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {_BUSY_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",  # what was answered survives a loss of power as well
            "foreign_keys = ON",
            "cache_size = -65536",
            # Fewer and larger moves from the log into the file: 40 MB in place of 4.
            "wal_autocheckpoint = 10000",
            "temp_store = MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def began(connection: sa.Connection) -> None:
        # A unit takes the one writer's place at once: upgrading a reader later may only fail.
        writes = connection.get_execution_options().get("regtech_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def _migrate(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        if _version(connection) == HEAD:
            return
    with engine.connect().execution_options(regtech_writes=True) as connection, connection.begin():
        migrate(connection)


def migrate(connection: sa.Connection, to: str = "head") -> None:
    """Bring a store to a shape, in the connection's transaction; one process at a time.

    Raises ``StoreError`` where it was written by a later version.
    """
    # Alembic is imported only where there is something to do.
    from alembic import command

    alone(connection)
    version = _version(connection)
    if version is not None and version not in known_versions():
        raise StoreError(
            f"the store was written by a later version ({version}; known up to {HEAD})",
            hint="use that version, or restore a backup",
        )
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def alone(connection: sa.Connection) -> None:
    """Until the transaction ends nobody else changes the store's shape."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_KEY)))


def known_versions() -> frozenset[str]:
    """The shapes that this version can read."""
    from alembic.script import ScriptDirectory

    steps = ScriptDirectory.from_config(_alembic()).walk_revisions()
    return frozenset(step.revision for step in steps)


def _alembic() -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "casework.stores.sql:migrations")
    return config
