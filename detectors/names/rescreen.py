"""A list changed: all known parties are asked again, and only what is new is raised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from detectors.names.screener import THRESHOLD, Hit, Query, Screener
from regtech.reference.watchlists import ListEntry, ListVersion


@dataclass(frozen=True, slots=True)
class ListChange:
    """What a new version of a list brings: entries that are new, gone, or say something else."""

    list: str
    added: tuple[ListEntry, ...]
    changed: tuple[ListEntry, ...]
    removed: tuple[ListEntry, ...]


def list_change(before: ListVersion | None, after: ListVersion) -> ListChange:
    """The difference of two versions of one list; without an earlier one everything is new."""
    old: Mapping[str, ListEntry] = before.by_id if before is not None else {}
    added = tuple(entry for entry in after.entries if entry.id not in old)
    changed = tuple(
        entry
        for entry in after.entries
        if entry.id in old and entry.digest() != old[entry.id].digest()
    )
    removed = tuple(entry for key, entry in old.items() if key not in after.by_id)
    return ListChange(after.name, added, changed, removed)


@dataclass(frozen=True, slots=True)
class Raised:
    """A party that is a hit now and was not before."""

    party: str
    hit: Hit


def new_hits(
    parties: Iterable[tuple[str, Query]],
    before: Screener,
    after: Screener,
    *,
    threshold: float = THRESHOLD,
) -> Iterator[Raised]:
    """What the lists of ``after`` say of the parties that those of ``before`` did not.

    ``parties``: (id, who). A hit is new where the party was no hit on that entry of that list,
    under whichever name. What is only in ``before`` raises nothing.
    """
    for party, query in parties:
        now = after.screen(query, threshold=threshold)
        if not now:
            continue
        known = {hit.key for hit in before.screen(query, threshold=threshold, explain=False)}
        for hit in now:
            if hit.key not in known:
                yield Raised(party, hit)
