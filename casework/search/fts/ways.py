"""The ways in which a word may stand in a document, each as FTS5 and as SQLite are asked for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from casework.search.fts.tables import MARKS, marked, variant
from casework.search.query import How, Step
from casework.search.text import near, pieces, without_one

_NEAR_WORDS: Final = 500
"""Words that one with a typo may stand for."""
_BEGINNINGS: Final = 64
"""So many words that begin alike are asked for one by one; of more, FTS5 is asked for the
beginning: it puts all their rows together before it gives the first."""
_LAST: Final = chr(0x10FFFF)


@dataclass(frozen=True, slots=True)
class Way:
    """Tokens side by side in a column, with their marks: any of ``phrases``, or all of them.

    ``begins``: the last token may go on.
    """

    score: int
    column: str
    phrases: tuple[str, ...]
    every: bool = False
    begins: bool = False

    @property
    def broad(self) -> bool:
        """Whether it is a beginning of more words than are asked for one by one."""
        return self.begins and self.column != "ids"

    @property
    def expression(self) -> str:
        """For FTS5."""
        # Tokens are letters, digits and marks alone: nothing in them could end the quotes.
        end = " *" if self.begins else ""
        joined = " AND " if self.every else " OR "
        return "(" + joined.join(f'"{phrase}"{end}' for phrase in self.phrases) + ")"

    def condition(self, table: str) -> tuple[str, list[str]]:
        """For SQLite, on a row of the column's text; with its values."""
        padded = f"' ' || {table}.{self.column} || ' '"
        end = "" if self.begins else " "
        joined = " AND " if self.every else " OR "
        tests = joined.join(f"instr({padded}, ?)" for _ in self.phrases)
        return f"({tests})", [f" {phrase}{end}" for phrase in self.phrases]


def ways_of(
    connection: sqlite3.Connection, generation: str, steps: Sequence[Step], rows: str
) -> list[Way]:
    """The steps of a word, the best first; those that lead to no document are left out.

    ``rows``: a condition on rows of the terms.
    """
    made = []
    probe = f"SELECT 1 FROM terms_{generation} WHERE terms_{generation} MATCH ? AND {rows} LIMIT 1"
    for step in steps:
        way = _way(connection, generation, step)
        if way is None:
            continue
        # FTS5 would go through the other words for what matches nothing.
        if connection.execute(probe, (way.expression,)).fetchone():
            made.append(way)
    return sorted(made, key=lambda way: -way.score)


def _way(connection: sqlite3.Connection, generation: str, step: Step) -> Way | None:
    column, first = step.field.value, step.value[0]
    if step.how is How.PART:
        return Way(step.score, "parts", (marked("parts", pieces(first)),))
    if step.how is How.LOOSE:
        every = tuple(marked(column, [value]) for value in step.value)
        return Way(step.score, column, every, every=True)
    if step.how is How.NEAR:
        words = near_words(connection, generation, column, first)
        return Way(step.score, column, words) if words else None
    if step.how is How.PREFIX and column == "ids":
        return Way(step.score, column, (marked(column, step.value),), begins=True)
    if step.how is How.PREFIX:
        return _beginning(connection, generation, step)
    return Way(step.score, column, (marked(column, step.value),))


def _beginning(connection: sqlite3.Connection, generation: str, step: Step) -> Way | None:
    column = step.field.value
    start = marked(column, step.value)
    # The word itself is found as a phrase, and better.
    words = connection.execute(
        f"SELECT word FROM words_{generation} WHERE word > ? AND word <= ? LIMIT ?",
        (start, start + _LAST, _BEGINNINGS + 1),
    ).fetchall()
    if not words:
        return None
    if len(words) > _BEGINNINGS:
        return Way(step.score, column, (start,), begins=True)
    return Way(step.score, column, tuple(word for (word,) in words))


def near_words(
    connection: sqlite3.Connection, generation: str, column: str, word: str
) -> tuple[str, ...]:
    """Known words of a column with one typo, with their marks."""
    numbers = [variant(text) for text in without_one(word)]
    rows = connection.execute(
        f"SELECT DISTINCT word FROM variants_{generation}"
        f" WHERE variant IN ({_places(numbers)}) ORDER BY word",
        numbers,
    )
    mark = MARKS[column]
    # The word itself is found as a phrase, and better.
    found = [other for (other,) in rows if other[0] == mark and other[1:] != word]
    return tuple(other for other in found if near(other[1:], word))[:_NEAR_WORDS]


def _places(values: Iterable[int]) -> str:
    return ",".join("?" for _ in values)
