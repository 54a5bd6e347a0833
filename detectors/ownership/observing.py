"""Columns of ``ownership`` and ``party`` events into the graph: one reading for runs and files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from detectors.ownership.graph import OwnershipGraph
from detectors.ownership.register import EXEMPT_PRODUCTS
from detectors.ownership.terms import Finding
from regtech.model.fields import PARTY_FLAGS

OWNERSHIP_FIELDS: Final = (
    "owner.id",
    "owner.kind",
    "owner.flags",
    "owned.id",
    "owned.kind",
    "owned.flags",
    "interest",
    "share",
    "share_min",
    "share_max",
    "from",
    "until",
    "listed",
    "indirect",
)
PARTY_FIELDS: Final = ("party.id", "party.kind", "party.flags")

_LISTED: Final = 1 << PARTY_FLAGS.index("listed")
_EXEMPT: Final = sum(1 << PARTY_FLAGS.index(flag) for flag in EXEMPT_PRODUCTS)

Value = Callable[[str], int | None]
"""Stored value of a field of the event, None where it is missing."""
Word = Callable[[str], str | None]
"""The same as text."""


def note_party(
    graph: OwnershipGraph, time_us: int, party: str, kind: str | None, flags: int | None
) -> None:
    """Facts about a party that an event names: its id, kind and flags."""
    if flags is None:
        graph.note_party(party, time_us, kind=kind)
        return
    listed = True if flags & _LISTED else None
    graph.note_party(party, time_us, kind=kind, listed=listed, exempt=bool(flags & _EXEMPT))


def observe_ownership(
    graph: OwnershipGraph, time_us: int, value: Value, word: Word, ref: str
) -> tuple[Finding, ...]:
    """One ``ownership`` event; what is wrong with it."""
    owner, owned = word("owner.id") or "", word("owned.id") or ""
    note_party(graph, time_us, owner, word("owner.kind"), value("owner.flags"))
    note_party(graph, time_us, owned, word("owned.kind"), value("owned.flags"))
    listed = value("listed")
    return graph.observe(
        owner,
        owned,
        time_us=time_us,
        interest=word("interest"),
        share=value("share"),
        share_min=value("share_min"),
        share_max=value("share_max"),
        from_day=value("from"),
        until_day=value("until"),
        indirect=bool(value("indirect") or 0),
        listed=None if listed is None else bool(listed),
        ref=ref,
    )
