"""Columns of ``ownership`` and ``party`` events into the graph: one reading for runs and files.

Rows are stored values in the order of the fields below, ``NULL`` where one is missing; words are
symbols that ``text`` reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from detectors.ownership.graph import OwnershipGraph
from detectors.ownership.register import EXEMPT_PRODUCTS
from detectors.ownership.terms import Finding
from regtech.model.fields import NULL, PARTY_FLAGS

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

LISTED: Final = 1 << PARTY_FLAGS.index("listed")
EXEMPT: Final = sum(1 << PARTY_FLAGS.index(flag) for flag in EXEMPT_PRODUCTS)

Text = Callable[[int], str]


def note_party(
    graph: OwnershipGraph, time_us: int, party: str, kind: int, flags: int, text: Text
) -> None:
    """Facts about a party that an event names: its kind and flags."""
    known = flags != NULL
    graph.note_party(
        party,
        time_us,
        kind=None if kind == NULL else text(kind),
        listed=True if known and flags & LISTED else None,
        exempt=bool(flags & EXEMPT) if known else None,
    )


def observe_ownership(
    graph: OwnershipGraph, time_us: int, row: Sequence[int], text: Text, ref: str
) -> tuple[Finding, ...]:
    """One ``ownership`` event; what is wrong with it."""
    (
        owner_id, owner_kind, owner_flags, owned_id, owned_kind, owned_flags,
        interest, share, share_min, share_max, from_day, until_day, listed, indirect,
    ) = row  # fmt: skip
    owner = "" if owner_id == NULL else text(owner_id)
    owned = "" if owned_id == NULL else text(owned_id)
    note_party(graph, time_us, owner, owner_kind, owner_flags, text)
    note_party(graph, time_us, owned, owned_kind, owned_flags, text)
    return graph.observe(
        owner,
        owned,
        time_us=time_us,
        interest=None if interest == NULL else text(interest),
        share=_given(share),
        share_min=_given(share_min),
        share_max=_given(share_max),
        from_day=_given(from_day),
        until_day=_given(until_day),
        indirect=indirect not in (NULL, 0),
        listed=None if listed == NULL else bool(listed),
        ref=ref,
    )


def _given(value: int) -> int | None:
    return None if value == NULL else value
