"""Answers a question from the tables of a generation, in one view of the file."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from casework.search.base import NOTHING, Answer, Asked
from casework.search.document import document_of
from casework.search.fts.matching import find
from casework.search.fts.profiles import Allowed, Profiles

_SORTED_MAX: Final = 5_000
"""So many documents are read and sorted; of more, those of the latest times are looked through."""

_SHIFT: Final = 1 << 31

Counts = Mapping[tuple[int, int], int]


def answer(
    connection: sqlite3.Connection,
    profiles: Profiles,
    generation: str,
    sequence: int,
    asked: Asked,
    counted_max: int,
) -> Answer:
    """What is found, counted and cut to a page."""
    allowed = profiles.allowed(connection, generation, sequence, asked)
    if asked.terms and not find(connection, generation, asked, allowed, counted_max + 1):
        return NOTHING
    documents = f"documents_{generation} d"
    if asked.terms:
        # What was found is allowed. CROSS JOIN keeps the order: from there to the documents.
        source = f"temp.found f CROSS JOIN {documents} WHERE d.n = f.n"
        counts = _counts(connection, source, asked)
        total = sum(counts.values())
    else:
        where = f"WHERE {allowed.where}"
        source = f"{allowed.source(generation)} {where}"
        counts = _counts(connection, source, asked)
        total = sum(counts.values())
        if total > _SORTED_MAX:
            source = f"{documents} INDEXED BY documents_{generation}_at {where}"
    rows = _page(connection, source, asked)
    body = f"SELECT body FROM bodies_{generation} WHERE n = ?"
    made = [
        (score, document_of(json.loads(connection.execute(body, (n,)).fetchone()[0])))
        for score, n in rows[: asked.limit]
    ]
    facets = _facets(counts, allowed, asked) if asked.facets else {}
    more = len(rows) > asked.limit
    after = f"{generation}:{sequence}" if more else None
    at_least = bool(asked.terms) and total > counted_max
    return Answer(made, counted_max if at_least else total, facets, after, at_least=at_least)


def _counts(connection: sqlite3.Connection, source: str, asked: Asked) -> Counts:
    """How many documents of each profile and holders."""
    if not asked.terms:
        # In the order of an index: nothing has to be sorted.
        select = f"SELECT d.profile, d.holders, COUNT(*) FROM {source} GROUP BY 1, 2"
        return {(row[0], row[1]): row[2] for row in connection.execute(select)}
    # One number a row, counted here: SQLite would sort them.
    rows = connection.execute(f"SELECT d.profile * {_SHIFT} + d.holders FROM {source}").fetchall()
    return {divmod(number, _SHIFT): count for (number,), count in Counter(rows).items()}


def _page(connection: sqlite3.Connection, source: str, asked: Asked) -> list[Any]:
    score = "f.score" if asked.terms else "0"
    values: list[Any] = []
    if asked.place is not None:
        place = asked.place
        if asked.terms:
            source += " AND (-f.score, -d.at_us, d.id) > (?, ?, ?)"
            values = [-place.score, -place.at_us, place.id]
        else:
            # The first half is what the index can use.
            source += " AND d.at_us <= ? AND (d.at_us < ? OR d.id > ?)"
            values = [place.at_us, place.at_us, place.id]
    order = "f.score DESC, d.at_us DESC, d.id" if asked.terms else "d.at_us DESC, d.id"
    return connection.execute(
        f"SELECT {score}, d.n FROM {source} ORDER BY {order} LIMIT ?", [*values, asked.limit + 1]
    ).fetchall()


def _facets(counts: Counts, allowed: Allowed, asked: Asked) -> dict[str, dict[str, int]]:
    made: dict[str, Counter[str]] = {name: Counter() for name in asked.reach.facets}
    by_profile: Counter[int] = Counter()
    by_holders: Counter[int] = Counter()
    for (profile, holders), count in counts.items():
        by_profile[profile] += count
        by_holders[holders] += count
    for number, count in by_profile.items():
        for name, counter in made.items():
            value = allowed.profiles[number].get(name)
            if value:
                counter[value] += count
    for number, count in by_holders.items():
        for tenant in filter(None, allowed.holders[number]):
            made["tenant"][tenant] += count
    return {name: dict(counter) for name, counter in made.items()}
