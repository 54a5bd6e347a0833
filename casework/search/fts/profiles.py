"""Which combinations of values a scope may see and a query asks for.

A document's row names a combination (profile) and a set of institutions (holders) by number. Both
are few beside the documents, and are only ever added to: they are remembered between questions.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from casework.search.base import Asked
from casework.search.fts.tables import FULL, PROFILE, RESTRICTED
from casework.search.reach import FILTERS

Profile = Mapping[str, Any]
_GENERATIONS: Final = 4


@dataclass(frozen=True, slots=True)
class Allowed:
    """The filter of a question. ``holders`` None: all of them."""

    profiles: Mapping[int, Profile]
    holders: Mapping[int, tuple[str, ...]]
    limited: bool
    where: str

    def source(self, generation: str) -> str:
        """The documents as ``d``, by the index that leads to those allowed."""
        index = "of" if self.limited else "in"
        return f"documents_{generation} d INDEXED BY documents_{generation}_{index}"


class Profiles:
    """What the numbers stand for, by generation."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._profiles: dict[str, dict[int, Profile]] = {}
        self._holders: dict[str, dict[int, tuple[str, ...]]] = {}

    def allowed(
        self, connection: sqlite3.Connection, generation: str, sequence: int, asked: Asked
    ) -> Allowed:
        """Scope, filters and the moment of the walk, as a condition on ``documents`` as ``d``."""
        with self._lock:
            profiles = self._profiles.setdefault(generation, {})
            for number, content in _newer(connection, f"profiles_{generation}", profiles):
                profiles[number] = dict(zip(PROFILE, content, strict=True))
            holders = self._holders.setdefault(generation, {})
            for number, content in _newer(connection, f"holders_{generation}", holders):
                holders[number] = tuple(content)
            for known in (self._profiles, self._holders):
                while len(known) > _GENERATIONS:
                    del known[next(iter(known))]
            mine = {n: found for n, found in profiles.items() if _passes(found, asked)}
            limited = asked.reach.tenants is not None or bool(asked.query.tenants)
            whose = {n: found for n, found in holders.items() if _held(found, asked)}
        # Conditions are tried in this order: what fewest pass first.
        where = [f"d.holders IN ({_list(whose)})"] if limited else []
        where.append(f"d.profile IN ({_list(mine)})")
        where.append(f"d.since <= {int(sequence)} AND d.until > {int(sequence)}")
        if asked.query.since_us is not None:
            where.append(f"d.at_us >= {int(asked.query.since_us)}")
        if asked.query.until_us is not None:
            where.append(f"d.at_us <= {int(asked.query.until_us)}")
        return Allowed(mine, whose, limited, " AND ".join(where))


def _newer(
    connection: sqlite3.Connection, table: str, known: Collection[int]
) -> list[tuple[int, Any]]:
    # Numbers are given in a row and never taken back.
    rows = connection.execute(f"SELECT number, content FROM {table} WHERE number > ?", [len(known)])
    return [(number, json.loads(content)) for number, content in rows]


def _list(numbers: Collection[int]) -> str:
    return ",".join(map(str, sorted(numbers)))


def _passes(profile: Profile, asked: Asked) -> bool:
    reach, query = asked.reach, asked.query
    if not profile["visible"] & (RESTRICTED if reach.restricted else FULL):
        return False
    if reach.jurisdictions is not None and profile["jurisdiction"] not in reach.jurisdictions:
        return False
    if query.open is not None and profile["open"] != query.open:
        return False
    wanted = ((getattr(query, name), profile[where]) for name, where in FILTERS.items())
    return all(not values or found in values for values, found in wanted)


def _held(holders: Collection[str], asked: Asked) -> bool:
    """All of a document's institutions, and at least one: nobody sees a stranger's data."""
    reach, query = asked.reach, asked.query
    if reach.tenants is not None and not (holders and set(holders) <= set(reach.tenants)):
        return False
    return not query.tenants or not set(query.tenants).isdisjoint(holders)
