"""How many events an institution reported of one type on one day, under one law."""

from __future__ import annotations

from typing import Final, NamedTuple

DAY_US: Final = 86_400_000_000


class EventKind(NamedTuple):
    """Events of one type that a jurisdiction governs: what a rule is evaluated for."""

    jurisdiction: str
    type: str


class EventDay(NamedTuple):
    """A whole number, not what was added to one: said twice it is the same.

    ``day``: days since 1970-01-01 UTC. ``institution``: who reported the events.
    """

    kind: EventKind
    institution: str
    day: int
    events: int
