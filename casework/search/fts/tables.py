"""The tables of a generation, and how a document becomes rows.

A change of a document adds rows and ends the old ones at a sequence number, so that a walk over
pages sees the index as it was when it began; what ended some minutes ago is taken away.

The tokens are made by ``casework.search.text`` and handed to FTS5 ready, as words between blanks:
its own tokenizers cannot do it. ``unicode61`` makes one token of a whole Chinese name, so that only
its beginning is found; ``trigram`` finds nothing of fewer than three signs, and most Chinese names
have two or three. Each token bears the mark of its column: FTS5 has one list of rows for a token of
all columns, so that a word of every text would be gone through wherever else it is looked for.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from casework.search.document import Document
from casework.search.query import Field, Kind
from casework.search.text import NEAR_MAX, NEAR_MIN, alone, compact, pieces, tokens, without_one

LAYOUT: Final = 3
"""Number of the shape of these tables; an index of another one is built anew."""
FOREVER: Final = (1 << 62) - 1
BREAK: Final = " ¦ "
"""Stands between the values of a field, so that no phrase goes from one into the next."""

MARKS: Final[Mapping[str, str]] = {
    "ids": "i",
    "names": "n",
    "numbers": "u",
    "parts": "p",
    "text": "t",
    "notes": "o",
    "sealed": "s",
}
"""The sign before every token of a column."""
BEGINNINGS: Final = (Field.NAMES, Field.TEXT, Field.NOTES)
"""Fields whose words are found by how they begin: they are kept in the vocabulary."""
NEARBY: Final = (Field.NAMES, Field.TEXT)
"""Fields whose words are found with a typo."""

KINDS: Final = tuple(Kind)
_ROWS_MAX: Final = 1 << 48

SHARED: Final = """
CREATE TABLE IF NOT EXISTS generations (
    name TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    role TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    purged INTEGER NOT NULL,
    next_row INTEGER NOT NULL,
    retired_us INTEGER NOT NULL
) WITHOUT ROWID
"""

_TABLES: Final = (
    """CREATE TABLE documents_{g} (
        n INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        version INTEGER NOT NULL,
        profile INTEGER NOT NULL,
        holders INTEGER NOT NULL,
        at_us INTEGER NOT NULL,
        since INTEGER NOT NULL,
        until INTEGER NOT NULL,
        until_us INTEGER NOT NULL
    )""",
    "CREATE UNIQUE INDEX documents_{g}_id ON documents_{g} (id) WHERE until = {forever}",
    """CREATE INDEX documents_{g}_at ON documents_{g}
        (at_us DESC, id, profile, holders, since, until)""",
    "CREATE INDEX documents_{g}_of ON documents_{g} (holders, profile, at_us, since, until)",
    "CREATE INDEX documents_{g}_in ON documents_{g} (profile, holders, at_us, since, until)",
    "CREATE INDEX documents_{g}_ended ON documents_{g} (until_us) WHERE until < {forever}",
    "CREATE TABLE bodies_{g} (n INTEGER PRIMARY KEY, body TEXT NOT NULL)",
    "CREATE TABLE profiles_{g} (number INTEGER PRIMARY KEY, content TEXT NOT NULL UNIQUE)",
    "CREATE TABLE holders_{g} (number INTEGER PRIMARY KEY, content TEXT NOT NULL UNIQUE)",
    "CREATE TABLE words_{g} (word TEXT PRIMARY KEY) WITHOUT ROWID",
    """CREATE TABLE variants_{g} (
        variant INTEGER, word TEXT, PRIMARY KEY (variant, word)) WITHOUT ROWID""",
    """CREATE VIRTUAL TABLE terms_{g} USING fts5(
        ids, names, numbers, parts, text, notes, sealed, tokenize = 'ascii')""",
)
NAMES: Final = ("documents", "bodies", "profiles", "holders", "words", "variants", "terms")

PROFILE: Final = (
    "visible",
    "kind",
    "jurisdiction",
    "theme",
    "state",
    "queue",
    "severity",
    "open",
)
FULL: Final = 1
RESTRICTED: Final = 2


def create(connection: sqlite3.Connection, generation: str) -> None:
    """Make the tables of a generation."""
    for statement in _TABLES:
        connection.execute(statement.format(g=generation, forever=FOREVER))


def drop(connection: sqlite3.Connection, generation: str) -> None:
    """Take a generation away."""
    for name in NAMES:
        connection.execute(f"DROP TABLE IF EXISTS {name}_{generation}")


def row_range(kind: Kind) -> tuple[int, int]:
    """First and last row number of a kind: FTS5 looks through one kind without the others."""
    first = KINDS.index(kind) * _ROWS_MAX
    return first, first + _ROWS_MAX - 1


def visible(document: Document) -> int:
    """For whom a document is, as bits; one that is gone is for nobody."""
    if document.gone:
        return 0
    return FULL * document.full + RESTRICTED * document.restricted


def profile_of(document: Document) -> list[Any]:
    """What is filtered and counted by, in the order of ``PROFILE``."""
    return [visible(document), *(getattr(document, name) for name in PROFILE[1:])]


def _number(connection: sqlite3.Connection, table: str, content: list[Any]) -> int:
    """The number under which a combination of values is kept; given where it is new.

    Documents have few different combinations: whether one may be seen, passes the filters and
    counts where is found out once for each of them, and not for each document.
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    select = f"SELECT number FROM {table} WHERE content = ?"
    row = connection.execute(select, (text,)).fetchone()
    if row is None:
        insert_ = f"INSERT INTO {table} (content) VALUES (?) RETURNING number"
        row = connection.execute(insert_, (text,)).fetchone()
    return int(row[0])


def variant(text: str) -> int:
    """A number for a word with a sign left out."""
    found = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(found, "big", signed=True)


@dataclass(frozen=True, slots=True)
class Rows:
    """A document as rows, and its words for the vocabulary, with the marks of their fields."""

    terms: tuple[str, ...]
    words: frozenset[str]
    body: str


def marked(column: str, tokens_: Iterable[str]) -> str:
    """Tokens of a column as they are written and asked for."""
    mark = MARKS[column]
    return " ".join(mark + token for token in tokens_)


def rows_of(document: Document) -> Rows:
    """What is written for a document."""
    numbers = [compact(value) for value in document.numbers]
    streams = {where: [tokens(value) for value in document.values(where)] for where in BEGINNINGS}
    words = {
        MARKS[where.value] + word
        for where, values in streams.items()
        for value in values
        for word in value
        if not alone(word)
    }
    columns: dict[str, Iterable[Iterable[str]]] = {
        "ids": [[compact(document.subject)]],
        "numbers": [numbers],
        "parts": map(pieces, numbers),
        "sealed": [document.sealed],
        **{where.value: values for where, values in streams.items()},
    }
    return Rows(
        terms=tuple(
            BREAK.join(marked(column, value) for value in columns[column]) for column in MARKS
        ),
        words=frozenset(words),
        body=json.dumps(document.as_dict(), ensure_ascii=False, separators=(",", ":")),
    )


def insert(
    connection: sqlite3.Connection, generation: str, n: int, sequence: int, document: Document
) -> frozenset[str]:
    """Put the rows of a document; gives its words for the vocabulary."""
    rows = rows_of(document)
    values: tuple[Any, ...] = (
        n,
        document.id,
        document.version,
        _number(connection, f"profiles_{generation}", profile_of(document)),
        _number(connection, f"holders_{generation}", sorted(set(document.tenants))),
        document.at_us,
        sequence,
        FOREVER,
        0,
    )
    marks = ",".join("?" * len(values))
    connection.execute(f"INSERT INTO documents_{generation} VALUES ({marks})", values)
    connection.execute(f"INSERT INTO bodies_{generation} VALUES (?, ?)", (n, rows.body))
    if document.gone:
        return frozenset()
    connection.execute(
        f"INSERT INTO terms_{generation} (rowid, ids, names, numbers, parts, text, notes, sealed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (n, *rows.terms),
    )
    return rows.words


def add_words(connection: sqlite3.Connection, generation: str, words: Iterable[str]) -> None:
    """Make words known, with their marks; those that are found with typos with their variants."""
    nearby = {MARKS[where.value] for where in NEARBY}
    put = f"INSERT INTO words_{generation} VALUES (?) ON CONFLICT DO NOTHING"
    for word in sorted(words):
        new = connection.execute(put, (word,)).rowcount == 1
        plain = word[1:]
        if new and word[0] in nearby and NEAR_MIN - 1 <= len(plain) <= NEAR_MAX + 1:
            connection.executemany(
                f"INSERT INTO variants_{generation} VALUES (?, ?) ON CONFLICT DO NOTHING",
                [(variant(text), word) for text in without_one(plain)],
            )


def delete(connection: sqlite3.Connection, generation: str, rows: Iterable[int]) -> None:
    """Take rows away for good."""
    for n in rows:
        for name, key in (("terms", "rowid"), ("bodies", "n"), ("documents", "n")):
            connection.execute(f"DELETE FROM {name}_{generation} WHERE {key} = ?", (n,))
