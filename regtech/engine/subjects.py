"""Who a row is about: the parts of a subject on each event type. Rule 8 of semantics.md."""

from __future__ import annotations

from typing import Final

from regtech.model.fields import TYPE_FIELDS

Part = str
"""A part of a key: ``@institution`` (of the leg), ``@event`` (reporter and id), or a field path."""

INSTITUTION: Final = "@institution"
EVENT: Final = "@event"
_SIDED: Final = ("party.", "counterparty.")


def _prefixes(event_type: str) -> frozenset[str]:
    paths = {f.path for f in TYPE_FIELDS[event_type]}
    return frozenset(path[: -len(".id")] for path in paths if path.endswith(".id"))


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
        owner = {
            "transaction": "party",
            "exposure": "counterparty",
            "data_transfer": "exporter",
            "loan": "borrower",
        }.get(event_type)
        return (f"{owner}.group",) if owner else ("@unknown",)
    if name in PREFIXES[event_type] or (transaction and name == "counterparty"):
        return (f"{name}.id",)
    return (name,)


def key_parts(names: tuple[str, ...], event_type: str) -> tuple[Part, ...]:
    """The parts of a combined key."""
    return tuple(part for name in names for part in subject_parts(name, event_type))


def is_sided(parts: tuple[Part, ...], event_type: str) -> bool:
    """Whether the key names a side of a transaction, so that it belongs to leg rows."""
    if event_type != "transaction":
        return False
    return any(p == INSTITUTION or p == "direction" or p.startswith(_SIDED) for p in parts)
