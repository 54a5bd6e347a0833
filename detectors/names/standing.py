"""Dated lists laid side by side: each entry once, with the time for which it stood."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from regtech.reference.watchlists import ListEntry, ListVersion

EVER: Final = -(1 << 62)
NEVER: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Standing:
    """An entry of a list from ``since_us`` up to, not with, ``until_us``."""

    list: str
    entry: ListEntry
    since_us: int
    until_us: int


def standings(versions: Sequence[ListVersion]) -> list[Standing]:
    """Every state of every entry, and when it stood. An unchanged entry goes on through versions.

    A version holds until the next one of its list begins. Of two that begin at once the later in
    order counts.
    """
    by_list: dict[str, dict[int, ListVersion]] = defaultdict(dict)
    for version in versions:
        by_list[version.name][EVER if version.since_us is None else version.since_us] = version
    found: list[Standing] = []
    for name in sorted(by_list):
        dated = sorted(by_list[name].items())
        open_: dict[str, Standing] = {}
        for place, (since, version) in enumerate(dated):
            until = dated[place + 1][0] if place + 1 < len(dated) else NEVER
            now: dict[str, Standing] = {}
            for entry in version.entries:
                digest = entry.digest() if len(dated) > 1 else entry.id
                before = open_.pop(digest, None)
                now[digest] = Standing(name, entry, before.since_us if before else since, until)
            found += open_.values()
            open_ = now
        found += open_.values()
    return found


def covered(versions: Sequence[ListVersion]) -> dict[str, int]:
    """From when on each list is known, in microseconds since 1970."""
    first: dict[str, int] = {}
    for version in versions:
        since = EVER if version.since_us is None else version.since_us
        first[version.name] = min(first.get(version.name, NEVER), since)
    return first
