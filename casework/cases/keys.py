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
from operator import attrgetter
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
    found: list[tuple[KeyKind, Any]] = list(zip(POLICY_KINDS, _POLICY_VALUES(facts), strict=True))
    subject = alert.get("subject") or {}
    pers, values = str(subject.get("per", "")), str(subject.get("id", "")).split("|")
    heads = _heads(pers)
    if len(heads) == len(values):
        found += [(kind, value) for kind, value in zip(heads, values, strict=True) if kind]
    written = alert.get("facts") or {}
    for path, kinds in _naming(tuple(written)):
        value = written[path]
        if path == "persons" and isinstance(value, list):
            found += [(KeyKind.PERSON, person) for person in value[:_PERSONS_MAX]]
        found += [(kind, value) for kind in kinds]
    for path, value in (subject.get("by") or {}).items():
        found += [(kind, value) for kind in _kinds_by(str(path))]
    keys = [
        (kind, value if len(value) <= VALUE_MAX else _digest(value))
        for kind, value in found
        if value and isinstance(value, str)
    ]
    keys.sort()
    # Neighbours are compared, since hashing a word of an enumeration costs more than sorting.
    return tuple(key for i, key in enumerate(keys) if i == 0 or key != keys[i - 1])


_POLICY_VALUES: Final = attrgetter(*(kind.value for kind in POLICY_KINDS))


@lru_cache(1024)
def _heads(per: str) -> tuple[KeyKind | None, ...]:
    """What the parts of a subject name; None for an event, which is no key."""
    return tuple(None if part == "event" else _kind_of(part) for part in per.split(","))


@lru_cache(1024)
def _naming(paths: tuple[str, ...]) -> tuple[tuple[str, tuple[KeyKind, ...]], ...]:
    """Of the paths of an alert's facts those that name something; a rule's alerts have the same."""
    found = ((path, _kinds_at(str(path))) for path in paths)
    return tuple((path, kinds) for path, kinds in found if kinds or path == "persons")


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


def _kind_of(per: str) -> KeyKind:
    """What a part of a subject names, from how the rule calls it."""
    last = per.rpartition(".")[2]
    if last in ("account", "device", "group"):
        return KeyKind(last)
    return KeyKind.PERSON if last == "person" else KeyKind.PARTY
