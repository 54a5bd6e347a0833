"""``casework.search.ports.SearchIndex`` in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Final

from casework.search.base import Answer, Asked, Place, ScopedSearch
from casework.search.document import SHAPE, Document, document_of
from casework.search.errors import IndexAbsentError, WalkEndedError
from casework.search.fts.connections import Connections
from casework.search.fts.profiles import Profiles
from casework.search.fts.reading import answer
from casework.search.fts.tables import (
    FOREVER,
    LAYOUT,
    SHARED,
    add_words,
    create,
    delete,
    drop,
    insert,
    row_range,
)
from casework.search.ports import Stamp
from regtech.clock import Clock
from regtech.errors import ConflictError, StoreError, UsageError

KEEP_US: Final = 15 * 60 * 1_000_000
"""How long a walk over pages can go on: so long what has ended since is kept."""
_APPLICATION: Final = 0x52475349
"""Marks the file as one of ours: what holds something else is never touched."""
_SHAPE: Final = SHAPE << 8 | LAYOUT
_PURGED_AT_ONCE: Final = 2_000
_STAMPS_AT_ONCE: Final = 1_000
_WORDS_REMEMBERED: Final = 200_000


class FtsIndex(ScopedSearch):
    """An index in the file ``path``; may be used by several threads and processes.

    Nothing is read or made before it is asked. Raises ``UsageError`` for a file that holds
    something else.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._connections = Connections(path)
        self._profiles = Profiles()
        self._lock = Lock()
        self._known: dict[str, set[str]] = {}
        """Words that a generation has for certain."""

    def _answer(self, asked: Asked) -> Answer:
        if not self.path.is_file():
            raise IndexAbsentError
        with self._connections.reading() as connection:
            generation, sequence = self._moment(connection, asked.place)
            return answer(connection, self._profiles, generation, sequence, asked, self.counted_max)

    def _moment(self, connection: sqlite3.Connection, place: Place | None) -> tuple[str, int]:
        if place is None:
            live = _role(connection, "live")
            if live is None:
                raise IndexAbsentError
            select = "SELECT sequence FROM generations WHERE name = ?"
            (sequence,) = connection.execute(select, (live,)).fetchone()
            return live, sequence
        name, _, digits = place.snapshot.partition(":")
        row = None
        if digits.isdigit() and _ours(connection):
            select = "SELECT purged FROM generations WHERE name = ? AND role <> 'building'"
            row = connection.execute(select, (name,)).fetchone()
        if row is None or int(digits) < row[0]:
            raise WalkEndedError
        return name, int(digits)

    def write(self, documents: Sequence[Document]) -> None:
        if not self.path.is_file():
            raise IndexAbsentError
        new: dict[str, set[str]] = {}
        with self._connections.writing() as connection:
            names = [name for name in (_role(connection, "live"), _role(connection, "building"))]
            if not any(names):
                raise IndexAbsentError
            for name in filter(None, names):
                new[name] = self._put(connection, name, documents)
                self._purge(connection, name)
            self._drop_retired(connection)
        self._remember(new)

    def _put(
        self, connection: sqlite3.Connection, name: str, documents: Sequence[Document]
    ) -> set[str]:
        select = "SELECT sequence, next_row FROM generations WHERE name = ?"
        sequence, next_row = connection.execute(select, (name,)).fetchone()
        sequence += 1
        now, words = self._clock.now_us(), set[str]()
        known = (
            f"SELECT d.n, d.version, b.body FROM documents_{name} d JOIN bodies_{name} b"
            f" ON b.n = d.n WHERE d.id = ? AND d.until = {FOREVER}"
        )
        end = f"UPDATE documents_{name} SET until = ?, until_us = ? WHERE n = ?"
        for document in documents:
            row = connection.execute(known, (document.id,)).fetchone()
            if row is not None:
                if row[1] > document.version or document_of(json.loads(row[2])) == document:
                    continue
                connection.execute(end, (sequence, now, row[0]))
            n = row_range(document.kind)[0] + next_row
            next_row += 1
            words |= insert(connection, name, n, sequence, document)
        words -= self._known.get(name, set())
        add_words(connection, name, words)
        update = "UPDATE generations SET sequence = ?, next_row = ? WHERE name = ?"
        connection.execute(update, (sequence, next_row, name))
        return words

    def _remember(self, words: dict[str, set[str]]) -> None:
        with self._lock:
            for name, new in words.items():
                known = self._known.setdefault(name, set())
                if len(known) > _WORDS_REMEMBERED:
                    known.clear()
                known |= new

    def _purge(self, connection: sqlite3.Connection, name: str) -> None:
        """Take away a piece of what ended so long ago that no walk needs it."""
        rows = connection.execute(
            f"SELECT n, until FROM documents_{name} WHERE until < {FOREVER} AND until_us < ?"
            " ORDER BY until_us LIMIT ?",
            (self._clock.now_us() - KEEP_US, _PURGED_AT_ONCE),
        ).fetchall()
        if rows:
            delete(connection, name, (n for n, _ in rows))
            last = max(until for _, until in rows)
            update = "UPDATE generations SET purged = MAX(purged, ?) WHERE name = ?"
            connection.execute(update, (last, name))

    def _drop_retired(self, connection: sqlite3.Connection) -> None:
        before = self._clock.now_us() - KEEP_US
        select = "SELECT name FROM generations WHERE role = 'old' AND retired_us < ?"
        for (name,) in connection.execute(select, (before,)).fetchall():
            drop(connection, name)
            connection.execute("DELETE FROM generations WHERE name = ?", (name,))

    def refresh(self) -> None:
        """Everything that is written is found at once."""

    def live(self) -> str | None:
        if not self.path.is_file():
            return None
        with self._connections.reading() as connection:
            return _role(connection, "live")

    def begin(self) -> str:
        with self._connections.writing() as connection:
            self._prepare(connection)
            (last,) = connection.execute("SELECT MAX(number) FROM generations").fetchone()
            left = _role(connection, "building")
            if left is not None:
                drop(connection, left)
                connection.execute("DELETE FROM generations WHERE name = ?", (left,))
            number = max(self._clock.now_us(), (last or 0) + 1)
            name = f"g{number}"
            create(connection, name)
            insert_ = "INSERT INTO generations VALUES (?, ?, 'building', 0, 0, 1, 0)"
            connection.execute(insert_, (name, number))
        return name

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Make the file one of ours and of the present shape."""
        (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        if tables and application != _APPLICATION:
            raise UsageError(
                f"{self.path} holds something else than a search index",
                hint="name another file: --index",
            )
        if not _ours(connection):
            self._clear(connection)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {_SHAPE}")
            connection.execute(SHARED)

    def _clear(self, connection: sqlite3.Connection) -> None:
        """Take away what another version made: the record has it all."""
        for virtual in ("LIKE", "NOT LIKE"):
            # The tables of FTS5 first; they take those away that they keep their own in.
            names = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                f" AND sql {virtual} 'CREATE VIRTUAL%'"
            ).fetchall()
            for (name,) in names:
                connection.execute(f'DROP TABLE "{name}"')

    def build(self, generation: str, documents: Sequence[Document]) -> None:
        with self._connections.writing() as connection:
            self._mine(connection, generation)
            words = self._put(connection, generation, documents)
        self._remember({generation: words})

    def _mine(self, connection: sqlite3.Connection, generation: str) -> None:
        if _role(connection, "building") != generation:
            raise ConflictError(
                "another rebuild has begun since", hint="let it finish; the index is in its hands"
            )

    def stamps(self, generation: str) -> Iterator[Stamp]:
        after = -1
        while True:
            # In pieces, so that no reader holds the file's log back for long. A document that
            # changes meanwhile gets a later row: it comes once more, and is never left out.
            with self._connections.reading() as connection:
                rows = connection.execute(
                    f"SELECT d.n, b.body FROM documents_{generation} d"
                    f" JOIN bodies_{generation} b ON b.n = d.n"
                    f" WHERE d.n > ? AND d.until = {FOREVER} ORDER BY d.n LIMIT ?",
                    (after, _STAMPS_AT_ONCE),
                ).fetchall()
            for n, body in rows:
                after = n
                document = document_of(json.loads(body))
                yield Stamp(document.id, document.version, document.digest)
            if not rows:
                return

    def finish(self, generation: str) -> None:
        with self._connections.writing() as connection:
            self._mine(connection, generation)
            retire = "UPDATE generations SET role = 'old', retired_us = ? WHERE role = 'live'"
            connection.execute(retire, (self._clock.now_us(),))
            rise = "UPDATE generations SET role = 'live' WHERE name = ?"
            connection.execute(rise, (generation,))
            self._drop_retired(connection)

    def verify(self) -> None:
        """Have FTS5 compare its index with the rows. Raises ``StoreError`` where they differ."""
        with self._connections.writing() as connection:
            name = _role(connection, "live")
            if name is None:
                raise IndexAbsentError
            try:
                connection.execute(f"INSERT INTO terms_{name}(terms_{name}) VALUES (?)", _CHECK)
            except sqlite3.DatabaseError as error:
                raise StoreError(
                    f"the search index {self.path} is damaged: {error}",
                    hint="regtech search rebuild",
                ) from error

    def close(self) -> None:
        self._connections.close()


_CHECK: Final = ("integrity-check",)


def _ours(connection: sqlite3.Connection) -> bool:
    """Whether the file is an index of the present shape."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (shape,) = connection.execute("PRAGMA user_version").fetchone()
    return bool(application == _APPLICATION and shape == _SHAPE)


def _role(connection: sqlite3.Connection, role: str) -> str | None:
    if not _ours(connection):
        return None
    select = "SELECT name FROM generations WHERE role = ?"
    row = connection.execute(select, (role,)).fetchone()
    return None if row is None else str(row[0])
