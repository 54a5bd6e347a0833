"""Words as FTS5 expressions, and their scores as rows of the temporary table ``found``."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from casework.search.base import Asked
from casework.search.fts.tables import KINDS, row_range, variant
from casework.search.query import How, Step
from casework.search.text import near, pieces, without_one

_NEAR_WORDS: Final = 500
"""Words that one with a typo may stand for."""


Expression = tuple[int, str]
"""Score and FTS5 expression."""


def find(
    connection: sqlite3.Connection, generation: str, asked: Asked, allowed: str, most: int
) -> bool:
    """Put row and score of what has all the words into ``found``; False where nothing has.

    ``allowed``: a condition on documents as ``d``. Of more than ``most`` that have the first word
    best, and then less well, those written last are taken. The table is emptied by the end of the
    transaction, which is taken back.
    """
    low, high = _rows(asked)
    where = f"terms_{generation} MATCH ? AND rowid BETWEEN {low} AND {high}"
    terms = []
    for steps in asked.terms:
        term = _expressions(connection, generation, steps, where)
        if not term:
            return False
        terms.append(term)
    # A word that is found in one way only adds the same to all.
    common = sum(term[0][0] for term in terms if len(term) == 1)
    everything = [_any(expression for _, expression in term) for term in terms]
    first, *rest = [place for place, term in enumerate(terms) if len(term) > 1] or [0]
    insert = (
        f"INSERT INTO temp.found SELECT t.rowid, ? FROM terms_{generation} t"
        f" CROSS JOIN documents_{generation} d ON d.n = t.rowid"
        f" WHERE t.terms_{generation} MATCH ? AND t.rowid BETWEEN {low} AND {high} AND {allowed}"
        " ORDER BY t.rowid DESC LIMIT ?"
    )
    for score, expression in terms[first]:
        best = score + common if len(terms[first]) > 1 else common
        others = [found for other, found in enumerate(everything) if other != first]
        given = (best, _all((expression, *others)), most)
        most -= connection.execute(insert, given).rowcount
        if most <= 0:
            break
    add = (
        "UPDATE temp.found SET score = score + ? WHERE n IN"
        f" (SELECT rowid FROM terms_{generation} WHERE {where})"
    )
    for place in rest:
        others = [found for other, found in enumerate(everything) if other != place]
        for score, expression in terms[place]:
            connection.execute(add, (score, _all((expression, *others))))
    return True


def _any(expressions: Iterable[str]) -> str:
    return " OR ".join(f"({expression})" for expression in expressions)


def _all(expressions: Iterable[str]) -> str:
    return " AND ".join(f"({expression})" for expression in expressions)


def _expressions(
    connection: sqlite3.Connection, generation: str, steps: Sequence[Step], where: str
) -> list[Expression]:
    """The steps of a word by score, the best first, each without what a better one has.

    What matches nothing is left out: FTS5 would go through the other words for it again.
    """
    by_score: dict[int, list[str]] = {}
    for step in steps:
        match = _match(connection, generation, step)
        if match is not None:
            by_score.setdefault(step.score, []).append(match)
    made: list[Expression] = []
    probe = f"SELECT 1 FROM terms_{generation} WHERE {where} LIMIT 1"
    for score, matches in sorted(by_score.items(), reverse=True):
        expression = _any(matches)
        if made:
            expression = f"({expression}) NOT ({_any(better for _, better in made)})"
        if connection.execute(probe, (expression,)).fetchone():
            made.append((score, expression))
    return made


def _match(connection: sqlite3.Connection, generation: str, step: Step) -> str | None:
    column = step.field.value
    if step.how is How.PART:
        return f"parts : {_quoted(pieces(step.value[0]))}"
    if step.how is How.PREFIX:
        return f"{column} : {_quoted(step.value)} *"
    if step.how is How.LOOSE:
        return f"{column} : ({' AND '.join(_quoted([value]) for value in step.value)})"
    if step.how is How.NEAR:
        words = near_words(connection, generation, step.value[0])
        if not words:
            return None
        return f"{column} : ({' OR '.join(_quoted([word]) for word in words)})"
    return f"{column} : {_quoted(step.value)}"


def _quoted(words: Iterable[str]) -> str:
    # Tokens are letters, digits and marks alone: nothing in them could end the quotes.
    return '"' + " ".join(words) + '"'


def near_words(connection: sqlite3.Connection, generation: str, word: str) -> list[str]:
    """Known words with one typo."""
    numbers = [variant(text) for text in without_one(word)]
    marks = ",".join("?" * len(numbers))
    rows = connection.execute(
        f"SELECT DISTINCT word FROM variants_{generation} WHERE variant IN ({marks}) ORDER BY word",
        numbers,
    )
    # The word itself is found as a phrase, and better.
    return [other for (other,) in rows if other != word and near(other, word)][:_NEAR_WORDS]


def _rows(asked: Asked) -> tuple[int, int]:
    """The smallest range of rows that holds the kinds asked for."""
    ranges = [row_range(kind) for kind in asked.query.kinds or KINDS]
    return min(low for low, _ in ranges), max(high for _, high in ranges)
