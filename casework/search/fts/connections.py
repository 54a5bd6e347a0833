"""Connections to the file of the index: one writer at a time, readers on snapshots beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Lock
from typing import Final

from regtech.errors import RegtechError, StoreError

_BUSY_S: Final = 30.0
_IDLE: Final = 8


class Connections:
    """A pool of connections to one SQLite file. Raises ``StoreError`` for all that goes wrong.

    The file may be deleted at any time, since everything in it can be made anew: connections to
    what is no longer there are let go, so that nothing is written where nobody would find it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._lock = Lock()
        self._file: tuple[int, int] | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One view of the file for all that is asked."""
        with self._taken() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: written at the clean end, on disk when it is over."""
        with self._taken() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.commit()
            finally:
                if connection.in_transaction:
                    connection.rollback()

    @contextmanager
    def _taken(self) -> Iterator[sqlite3.Connection]:
        with _told(self._path):
            connection = self._take()
            try:
                yield connection
            except sqlite3.DatabaseError:
                connection.close()
                raise
            except BaseException:
                self._give(connection)
                raise
            self._give(connection)

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._identity() != self._file:
                self._drain()
                self._file = None
        try:
            return self._idle.get_nowait()
        except Empty:
            return self._open()

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            for pragma in (
                "journal_mode = WAL",
                # What was written is acknowledged in the outbox: it has to survive a loss of power.
                "synchronous = FULL",
                "cache_size = -65536",
                "temp_store = MEMORY",
                "recursive_triggers = OFF",
            ):
                connection.execute(f"PRAGMA {pragma}").close()
            connection.execute("CREATE TEMP TABLE found (n INTEGER PRIMARY KEY, score INTEGER)")
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if self._file is None:
                self._file = self._identity()
        return connection

    def _give(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if self._idle.qsize() < _IDLE and self._identity() == self._file:
                self._idle.put(connection)
                return
        connection.close()

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _drain(self) -> None:
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    def close(self) -> None:
        """Close what is idle; the pool opens connections again where it is asked."""
        with self._lock:
            self._drain()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except RegtechError:
        raise
    except sqlite3.OperationalError as error:
        raise StoreError(
            f"the search index {path} failed: {error}",
            hint="nothing of the record is lost; where it is damaged: regtech search rebuild",
        ) from error
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"the search index {path} is damaged: {error}",
            hint="delete the file and build it anew: regtech search rebuild",
        ) from error
    except OSError as error:
        raise StoreError(f"the search index {path} failed: {error.strerror}") from error
