"""What alerts have in common: rule, institution, subject, group, party, account, device, person.

The keys of an alert are how policies find what may belong together and how related cases are found.
What a policy groups by is the alert's facts (``casework.cases.facts``), and every such value is a
key; a group or counterparty that is named beside the first is a key as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from casework.cases.facts import AlertFacts


class KeyKind(StrEnum):
    """What a key names."""

    SUBJECT = "subject"
    """Whom the alert is about; with the institution that keeps it where ids are its own."""
    RULE = "rule"
    INSTITUTION = "institution"
    """The institution whose subject it is."""
    GROUP = "group"
    COUNTERPARTY = "counterparty"
    PARTY = "party"
    ACCOUNT = "account"
    DEVICE = "device"
    PERSON = "person"


RELATING: Final = (KeyKind.PARTY, KeyKind.ACCOUNT, KeyKind.DEVICE, KeyKind.PERSON, KeyKind.GROUP)
"""The kinds by which cases are related."""

Key = tuple[KeyKind, str]

_OTHER_SIDE: Final = ("payee", "counterparty", "recipient", "borrower", "partner")
_PART_KINDS: Final = {
    "account": (KeyKind.ACCOUNT,),
    "device": (KeyKind.DEVICE,),
    "group": (KeyKind.GROUP,),
}
_PERSONS_MAX: Final = 50
"""Persons of one alert that are kept as keys: a leak may name millions."""
VALUE_MAX: Final = 200
"""Characters of a key; of a longer one its SHA-256 is the key, since indexes have their bounds."""


POLICY_KINDS: Final = (
    KeyKind.SUBJECT,
    KeyKind.GROUP,
    KeyKind.COUNTERPARTY,
    KeyKind.INSTITUTION,
    KeyKind.RULE,
)
"""The kinds that policies load alerts by; each names a field of the facts."""


def key_of(kind: KeyKind, value: str) -> Key:
    """The key of a value: itself, or its digest where it is long."""
    return kind, _digest(value) if len(value) > VALUE_MAX else value


def keys_of(alert: Mapping[str, Any], facts: AlertFacts) -> tuple[Key, ...]:
    """The keys of an alert as written, sorted, each once. Empty parts give none."""
    found: list[Key] = []

    def add(kind: KeyKind, value: Any) -> None:
        if isinstance(value, str) and value:
            found.append((kind, _digest(value) if len(value) > VALUE_MAX else value))

    for kind in POLICY_KINDS:
        add(kind, getattr(facts, kind))
    subject = alert.get("subject") or {}
    pers, values = str(subject.get("per", "")).split(","), str(subject.get("id", "")).split("|")
    if len(pers) == len(values):
        for per, value in zip(pers, values, strict=True):
            if per != "event":
                add(_kind_of(per), value)
    for path, value in (alert.get("facts") or {}).items():
        if path == "persons" and isinstance(value, list):
            for person in value[:_PERSONS_MAX]:
                add(KeyKind.PERSON, person)
        for kind in _kinds_at(str(path)):
            add(kind, value)
    for path, value in (subject.get("by") or {}).items():
        for kind in _kinds_by(str(path)):
            add(kind, value)
    found.sort()
    # Neighbours are compared, since hashing a word of an enumeration costs more than sorting.
    return tuple(key for i, key in enumerate(found) if i == 0 or key != found[i - 1])


@lru_cache(4096)
def _kinds_at(path: str) -> tuple[KeyKind, ...]:
    """What the fact at a path of the event names."""
    head, _, part = path.rpartition(".")
    if part == "id" and head:
        return _party(head)
    return _PART_KINDS.get(part, ())


@lru_cache(4096)
def _kinds_by(path: str) -> tuple[KeyKind, ...]:
    """What the part of a subject at a path names."""
    head, _, part = path.rpartition(".")
    if part == "id":
        return _party(head)
    return (KeyKind.GROUP,) if part == "group" else ()


def _party(head: str) -> tuple[KeyKind, ...]:
    return (KeyKind.PARTY, KeyKind.COUNTERPARTY) if head in _OTHER_SIDE else (KeyKind.PARTY,)


def _digest(value: str) -> str:
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()


@lru_cache(4096)
def _kind_of(per: str) -> KeyKind:
    """What a part of a subject names, from how the rule calls it."""
    last = per.rpartition(".")[2]
    if last in ("account", "device", "group"):
        return KeyKind(last)
    return KeyKind.PERSON if last == "person" else KeyKind.PARTY
