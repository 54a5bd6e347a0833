"""Who a row is about: the parts of a subject on each event type. Rule 8 of semantics.md."""

from __future__ import annotations

from typing import Final

from regtech.model.fields import TYPE_FIELDS

Part = str
"""A part of a key: ``@institution`` (of the leg), ``@event`` (reporter and id), or a field path."""

INSTITUTION: Final = "@institution"
EVENT: Final = "@event"
SLOT: Final = "@slot"
"""In place of the first parts of a long key: the slot of the key that they are by themselves."""
_SIDED: Final = ("party.", "counterparty.")


def _prefixes(event_type: str) -> frozenset[str]:
    paths = {f.path for f in TYPE_FIELDS[event_type]}
    return frozenset(path[: -len(".id")] for path in paths if path.endswith(".id"))


_IN_GROUPS: Final = {
    "transaction": "party",
    "exposure": "counterparty",
    "data_transfer": "exporter",
    "loan": "borrower",
}
"""The party of an event whose group is meant where none is named."""

PREFIXES: Final = {event_type: _prefixes(event_type) for event_type in TYPE_FIELDS}
"""Paths of the parties that each event type has."""


def subject_parts(name: str, event_type: str) -> tuple[Part, ...]:
    """The key parts of one word of ``per``, ``by``, ``key`` or ``item`` on an event type."""
    transaction = event_type == "transaction"
    if name == "event":
        return (EVENT,)
    if name == "institution":
        return ("reporter",)
    if name == "customer":
        if transaction:
            return (INSTITUTION, "party.id")
        return ("reporter", "borrower.id" if event_type == "loan" else "party.id")
    if name == "account":
        return (INSTITUTION, "party.account")
    if name == "party" and transaction:
        return ("party.id",)
    if name == "group":
        owner = _IN_GROUPS.get(event_type)
        return (f"{owner}.group",) if owner else ("@unknown",)
    if name in PREFIXES[event_type] or (transaction and name == "counterparty"):
        return (f"{name}.id",)
    return (name,)


def group_path(per: tuple[str, ...], event_type: str) -> str | None:
    """Where the group of a rule's subject stands on an event type, or is known from its party.

    None where the subject is several parties, or names the group itself; an event has that of who
    exports data or borrows, but a payment has two sides.
    """
    if per == ("event",):
        owner = None if event_type == "transaction" else _IN_GROUPS.get(event_type)
        return f"{owner}.group" if owner else None
    paths = [part for name in per for part in subject_parts(name, event_type) if "." in part]
    parties = {path.rpartition(".")[0] for path in paths}
    if len(parties) != 1 or any(path.endswith(".group") for path in paths):
        return None
    return f"{parties.pop()}.group"


def key_parts(names: tuple[str, ...], event_type: str) -> tuple[Part, ...]:
    """The parts of a combined key."""
    return tuple(part for name in names for part in subject_parts(name, event_type))


def is_sided(parts: tuple[Part, ...], event_type: str) -> bool:
    """Whether the key names a side of a transaction, so that it belongs to leg rows."""
    if event_type != "transaction":
        return False
    return any(p == INSTITUTION or p == "direction" or p.startswith(_SIDED) for p in parts)
