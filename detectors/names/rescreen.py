"""A list changed: all known parties are asked again, and only what is new is raised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
        for hit in new_hits_of((query,), before, after, threshold=threshold):
            yield Raised(party, hit)


def new_hits_of(
    known_as: Sequence[Query], before: Screener, after: Screener, *, threshold: float = THRESHOLD
) -> list[Hit]:
    """The same of one party by all that it is known as; the best hit of each entry."""
    now: dict[tuple[str, str], Hit] = {}
    for query in known_as:
        for hit in after.screen(query, threshold=threshold):
            if hit.key not in now or hit.score > now[hit.key].score:
                now[hit.key] = hit
    if not now:
        return []
    known = {
        hit.key
        for query in known_as
        for hit in before.screen(query, threshold=threshold, explain=False)
    }
    return [hit for key, hit in sorted(now.items()) if key not in known]
