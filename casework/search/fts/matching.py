"""Who has the words asked for, with their scores, as rows of the temporary table ``found``.

Two plans give the same rows. The one asks FTS5 for the words and looks each document up that it
names: good for words that few have. The other goes through the documents that the question may
find and looks for the words in each: good where these are few and the words are everybody's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from casework.search.base import Asked
from casework.search.fts.profiles import Allowed
from casework.search.fts.tables import KINDS, row_range
from casework.search.fts.ways import Way, ways_of

WORTH: Final = 20
"""Reading a document through costs as much as looking up so many that FTS5 names (measured)."""

RARE: Final = 1_000
"""So few that FTS5 names are looked up without a further question."""

Level = tuple[int, str]
"""Score and FTS5 expression."""


def find(
    connection: sqlite3.Connection, generation: str, asked: Asked, allowed: Allowed, most: int
) -> bool:
    """Put row and score of what has all the words into ``found``; False where nothing has.

    Of more than ``most`` that have the first word best, and then less well, those written last are
    taken. The table is emptied by the end of the transaction, which is taken back.
    """
    low, high = _rows(asked)
    within = f"rowid BETWEEN {low} AND {high}"
    terms = []
    for steps in asked.terms:
        ways = ways_of(connection, generation, steps, within)
        if not ways:
            return False
        terms.append(ways)
    if _few(connection, generation, terms, within, allowed, most):
        _read_through(connection, generation, terms, allowed, (low, high))
    else:
        _ask(connection, generation, terms, allowed, (low, high), most)
    return True


def _few(
    connection: sqlite3.Connection,
    generation: str,
    terms: Sequence[Sequence[Way]],
    within: str,
    allowed: Allowed,
    most: int,
) -> bool:
    """Whether the documents that the question may find are few beside those with the words."""
    if not _common(connection, generation, terms, within, RARE):
        return False
    counted = f"SELECT 1 FROM {allowed.source(generation)} WHERE {allowed.where} LIMIT {most}"
    (few,) = connection.execute(f"SELECT COUNT(*) FROM ({counted})").fetchone()
    return few < most and _common(connection, generation, terms, within, few * WORTH)


def _common(
    connection: sqlite3.Connection,
    generation: str,
    terms: Sequence[Sequence[Way]],
    within: str,
    enough: int,
) -> bool:
    """Whether each of the words stands in so many documents, whosever they are."""
    counted = f"SELECT 1 FROM terms_{generation} WHERE terms_{generation} MATCH ? AND {within}"
    for ways in terms:
        # What FTS5 puts together whole costs as much to count as to ask for.
        if any(way.broad for way in ways):
            continue
        select = f"SELECT COUNT(*) FROM ({counted} LIMIT {enough})"
        if connection.execute(select, (_any(ways),)).fetchone()[0] < enough:
            return False
    return True


def _read_through(
    connection: sqlite3.Connection,
    generation: str,
    terms: Sequence[Sequence[Way]],
    allowed: Allowed,
    rows: tuple[int, int],
) -> None:
    """Look for the words in each document that the question may find."""
    scores, values = [], list[str | int]()
    for place, ways in enumerate(terms):
        cases = ""
        for way in ways:
            condition, given = way.condition("t")
            cases += f" WHEN {condition} THEN {way.score}"
            values += given
        scores.append(f"CASE{cases} END AS score_{place}")
    names = [f"score_{place}" for place in range(len(terms))]
    every = " AND ".join(f"{name} IS NOT NULL" for name in names)
    # With a limit the inner question is answered by itself: each text is looked through once.
    connection.execute(
        f"INSERT INTO temp.found SELECT n, {' + '.join(names)}"
        f" FROM (SELECT d.n, {', '.join(scores)}"
        f" FROM {allowed.source(generation)} CROSS JOIN terms_{generation} t ON t.rowid = d.n"
        f" WHERE {allowed.where} AND d.n BETWEEN ? AND ? LIMIT -1)"
        f" WHERE {every}",
        (*values, *rows),
    )


def _ask(
    connection: sqlite3.Connection,
    generation: str,
    terms: Sequence[Sequence[Way]],
    allowed: Allowed,
    rows: tuple[int, int],
    most: int,
) -> None:
    """Have FTS5 name the documents, level after level of one word, then add what others score."""
    everything = [_any(ways) for ways in terms]
    levels = [_levels(ways) for ways in terms]
    # A word that is found in one way only adds the same to all.
    common = sum(level[0][0] for level in levels if len(level) == 1)
    first, *rest = [place for place, level in enumerate(levels) if len(level) > 1] or [0]
    insert = (
        f"INSERT INTO temp.found SELECT t.rowid, ? FROM terms_{generation} t"
        f" CROSS JOIN documents_{generation} d ON d.n = t.rowid"
        f" WHERE t.terms_{generation} MATCH ? AND t.rowid BETWEEN ? AND ? AND {allowed.where}"
        " ORDER BY t.rowid DESC LIMIT ?"
    )
    for score, expression in levels[first]:
        best = score + common if len(levels[first]) > 1 else common
        others = [found for other, found in enumerate(everything) if other != first]
        given = (best, _all((expression, *others)), *rows, most)
        most -= connection.execute(insert, given).rowcount
        if most <= 0:
            break
    if not rest:
        return
    span = connection.execute("SELECT MIN(n), MAX(n) FROM temp.found").fetchone()
    add = (
        "UPDATE temp.found SET score = score + ? WHERE n IN (SELECT rowid FROM"
        f" terms_{generation} WHERE terms_{generation} MATCH ? AND rowid BETWEEN ? AND ?)"
    )
    for place in rest:
        others = [found for other, found in enumerate(everything) if other != place]
        for score, expression in levels[place]:
            connection.execute(add, (score, _all((expression, *others)), *span))


def _levels(ways: Sequence[Way]) -> list[Level]:
    """The ways of a word by score, the best first, each without what a better one has."""
    by_score: dict[int, list[Way]] = {}
    for way in ways:
        by_score.setdefault(way.score, []).append(way)
    made: list[Level] = []
    better: list[Way] = []
    for score, alike in by_score.items():
        found = _any(alike)
        made.append((score, f"({found}) NOT ({_any(better)})" if better else found))
        better += alike
    return made


def _any(ways: Iterable[Way]) -> str:
    return " OR ".join(way.expression for way in ways)


def _all(expressions: Iterable[str]) -> str:
    return " AND ".join(f"({expression})" for expression in expressions)


def _rows(asked: Asked) -> tuple[int, int]:
    """The smallest range of rows that holds the kinds asked for."""
    ranges = [row_range(kind) for kind in asked.query.kinds or KINDS]
    return min(low for low, _ in ranges), max(high for _, high in ranges)
