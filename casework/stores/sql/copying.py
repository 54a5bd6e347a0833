"""Whole stores as lines of text: one state read out, and an empty store filled with it.

What is read says itself how it is to be read: for each table its columns with their kinds. So a
store of an earlier version is filled in its own shape and then migrated, and what came out of
SQLite goes into PostgreSQL and back without a difference. Sessions are left out: who was logged in
logs in again, and no session that was ended since comes back.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import REGCLASS

from casework.cases.chain import Link, verify_chain
from casework.ports import JobState
from casework.stores.sql.engine import (
    alone,
    bare_engine,
    known_versions,
    migrate,
    open_engine,
    told,
)
from casework.stores.sql.rows import read_entry, to_json
from casework.stores.sql.service_tables import JOBS, SESSIONS
from casework.stores.sql.tables import CHAINS, ENTRIES, HEAD, MARKS, METADATA
from regtech.errors import ConflictError, InputError, StoreError

LEFT_OUT: Final = frozenset({SESSIONS.name})
ROWS: Final = 500
"""Rows read and written in one piece."""
_KINDS: Final[Mapping[str, type[sa.types.TypeEngine[Any]]]] = {
    "text": sa.Text,
    "whole": sa.BigInteger,
    "truth": sa.Boolean,
    "bytes": sa.LargeBinary,
}


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table's name, its columns with their kinds, and the highest number it ever gave."""

    name: str
    columns: tuple[tuple[str, str], ...]
    last: int | None = None

    def as_data(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"name": self.name, "columns": [list(c) for c in self.columns], "last": self.last}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> TableShape:
        """Raises ``InputError`` for what is no shape of a table."""
        try:
            columns = tuple((str(name), str(kind)) for name, kind in data["columns"])
            last = data["last"]
            if not all(kind in _KINDS for _, kind in columns):
                raise ValueError
            return cls(str(data["name"]), columns, None if last is None else int(last))
        except (KeyError, TypeError, ValueError):
            raise InputError("a table of the backup is not described as it should be") from None


def _kind(column: sa.Column[Any]) -> str:
    if isinstance(column.type, sa.LargeBinary):
        return "bytes"
    if isinstance(column.type, sa.Boolean):
        return "truth"
    return "whole" if isinstance(column.type, sa.Integer) else "text"


def _numbered(table: sa.Table) -> sa.Column[Any] | None:
    """The column whose numbers the server gives, and never twice."""
    found = table.autoincrement_column
    return found if found is not None and found.name == "number" else None


class StoreState:
    """One state of a store, however long reading takes and whatever is written meanwhile."""

    schema: Final = HEAD

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.server: Final = connection.dialect.name

    def tables(self) -> Sequence[TableShape]:
        """All that is kept, in an order in which it can be written."""
        return [
            TableShape(
                table.name,
                tuple((column.name, _kind(column)) for column in table.columns),
                self._last(table),
            )
            for table in METADATA.sorted_tables
            if table.name not in LEFT_OUT
        ]

    def lines(self, name: str) -> Iterator[bytes]:
        """The rows of a table, a JSON list each, in the order of their keys."""
        table = METADATA.tables[name]
        kinds = [_kind(column) for column in table.columns]
        select = sa.select(table).order_by(*map(self._plain_order, table.primary_key.columns))
        options = {"stream_results": True, "yield_per": ROWS}
        for part in self._connection.execute(select, execution_options=options).partitions():
            yield b"".join(_line(kinds, row) for row in part)

    def open_jobs(self) -> Sequence[str]:
        """Files of events that are not judged to their end."""
        states = [JobState.WAITING.value, JobState.RUNNING.value]
        select = sa.select(JOBS.c.id).where(JOBS.c.state.in_(states)).order_by(JOBS.c.id)
        return tuple(self._connection.execute(select).scalars())

    def _plain_order(self, column: sa.Column[Any]) -> Any:
        # Servers sort text by their own rules; by code point they agree.
        if self.server == "postgresql" and _kind(column) == "text":
            return column.collate("C")
        return column

    def _last(self, table: sa.Table) -> int | None:
        column = _numbered(table)
        if column is None:
            return None
        if self.server == "sqlite":
            asked = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name")
            found = self._connection.execute(asked, {"name": table.name}).scalar()
        else:
            sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
            last = sa.func.pg_sequence_last_value(sa.cast(sequence, REGCLASS))
            found = self._connection.execute(sa.select(last)).scalar()
        return int(found or 0)


@contextmanager
def whole_state(url: sa.engine.URL) -> Iterator[StoreState]:
    """The state of a store at this moment; writers go on meanwhile. Raises ``StoreError``."""
    engine = open_engine(url, create=False)
    try:
        with told(), engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                # The first read is what fixes the state.
                connection.execute(sa.select(CHAINS.c.chain).limit(1)).all()
                yield StoreState(connection)
    finally:
        engine.dispose()


class Filling:
    """A store that is being filled: nothing of it is there before the end."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def take(self, shape: TableShape, lines: Iterable[bytes]) -> int:
        """Write the rows of a table; how many. Raises ``InputError`` for what is no row of it."""
        columns = [sa.column(name, _KINDS[kind]()) for name, kind in shape.columns]
        insert = sa.insert(sa.table(shape.name, *columns))
        remaining, count = iter(lines), 0
        while some := list(islice(remaining, ROWS)):
            rows = [_row(shape, line, count + k) for k, line in enumerate(some, 1)]
            self._connection.execute(insert, rows)
            count += len(rows)
        if shape.last:
            self._go_on_after(shape.name, shape.last)
        return count

    def mark(self, name: str, now_us: int) -> None:
        """Leave a mark by which a later process sees that this was brought to its end."""
        self._connection.execute(sa.insert(MARKS).values(name=name, at_us=now_us))

    def _go_on_after(self, table: str, last: int) -> None:
        if self._connection.dialect.name == "sqlite":
            named = {"name": table, "last": last}
            delete = sa.text("DELETE FROM sqlite_sequence WHERE name = :name")
            self._connection.execute(delete, {"name": table})
            insert = sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)")
            self._connection.execute(insert, named)
        else:
            sequence = sa.func.pg_get_serial_sequence(table, "number")
            self._connection.execute(sa.select(sa.func.setval(sequence, last, True)))

    def verify(self) -> Mapping[str, int]:
        """Walk every chain of the log; its length. Raises ``StoreError`` for one that is broken."""
        migrate(self._connection)
        found: dict[str, int] = {}
        c = ENTRIES.c
        heads = self._connection.execute(sa.select(CHAINS)).all()
        entries = self._connection.execute(sa.select(sa.func.count()).select_from(ENTRIES)).scalar()
        for head in heads:
            select = sa.select(ENTRIES).where(c.chain == head.chain).order_by(c.position)
            options = {"stream_results": True, "yield_per": ROWS}
            rows = self._connection.execute(select, execution_options=options)
            walked = verify_chain(
                Link(entry.position, entry.content(), entry.hash) for entry in map(read_entry, rows)
            )
            name = f"the log of {head.chain}" if head.chain else "the regulator's log"
            if walked.broken is not None:
                raise StoreError(f"{name} is broken: {walked.broken.message}")
            if (walked.length, walked.head) != (head.position, bytes(head.hash)):
                raise StoreError(f"{name} does not end where its head says")
            found[head.chain] = walked.length
        if sum(found.values()) != entries:
            raise StoreError("there are entries of the log that belong to no chain")
        return found


@contextmanager
def filling(url: sa.engine.URL, schema: str) -> Iterator[Filling]:
    """An empty store in the shape ``schema``, filled in one transaction: whole, or not at all.

    Raises ``ConflictError`` where there is anything in it, ``StoreError`` for a later shape.
    """
    if schema not in known_versions():
        raise StoreError(
            f"the backup was written by a later version ({schema}; known up to {HEAD})",
            hint="restore it with that version",
        )
    engine = bare_engine(url)
    try:
        with (
            told(),
            engine.connect().execution_options(regtech_writes=True) as connection,
            connection.begin(),
        ):
            alone(connection)
            _make_empty(connection)
            migrate(connection, schema)
            yield Filling(connection)
    finally:
        engine.dispose()


def fill_mark(url: sa.engine.URL, name: str) -> bool:
    """Whether a store holds the mark of a filling."""
    engine = bare_engine(url)
    try:
        with told(), engine.connect() as connection:
            if not sa.inspect(connection).has_table(MARKS.name):
                return False
            select = sa.select(MARKS.c.at_us).where(MARKS.c.name == name)
            return connection.execute(select).first() is not None
    finally:
        engine.dispose()


def forget_fill(url: sa.engine.URL, name: str) -> None:
    """Take the mark away."""
    engine = bare_engine(url)
    try:
        with (
            told(),
            engine.connect().execution_options(regtech_writes=True) as connection,
            connection.begin(),
        ):
            connection.execute(sa.delete(MARKS).where(MARKS.c.name == name))
    finally:
        engine.dispose()


def _make_empty(connection: sa.Connection) -> None:
    """Take away the empty tables of a store that was never used."""
    names = set(sa.inspect(connection).get_table_names())
    for table in METADATA.sorted_tables:
        any_row = sa.select(sa.literal(1)).select_from(table).limit(1)
        if table.name in names and connection.execute(any_row).first() is not None:
            raise ConflictError(
                f"the store is not empty: there are {table.name}",
                hint="restore into a store that is not there yet",
            )
    METADATA.drop_all(connection)
    connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")


def _line(kinds: Sequence[str], row: Sequence[Any]) -> bytes:
    cells = [
        base64.b64encode(cell).decode() if kind == "bytes" and cell is not None else cell
        for kind, cell in zip(kinds, row, strict=True)
    ]
    return to_json(cells).encode() + b"\n"


def _row(shape: TableShape, line: bytes, number: int) -> dict[str, Any]:
    try:
        cells = json.loads(line)
        return {
            name: _bytes(cell) if kind == "bytes" and cell is not None else cell
            for (name, kind), cell in zip(shape.columns, cells, strict=True)
        }
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise InputError(f"row {number} of {shape.name} in the backup is no row of it") from None


def _bytes(cell: str) -> bytes:
    return base64.b64decode(cell, validate=True)
