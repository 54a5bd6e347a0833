"""A document of the index: what is searched, what is filtered by, and for whom it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from casework.cases.grades import Grade
from casework.search.query import Field, Kind

SHAPE: Final = 1
"""Number of the shape of documents and of how they are searched; another one is built anew."""

GRADES: Final[Mapping[Field, Grade]] = {
    Field.IDS: Grade.OPEN,
    Field.TEXT: Grade.OPEN,
    Field.NUMBERS: Grade.IDENTIFIER,
    Field.NOTES: Grade.IDENTIFIER,
    Field.NAMES: Grade.PERSONAL,
    Field.SEALED: Grade.SENSITIVE,
}
"""How much the values of a field say of a person."""


@dataclass(frozen=True, slots=True)
class Document:
    """Something to be found. ``id`` is unique in the index, ``subject`` is what it is about.

    ``version`` grows with every change; a write with a lower one changes nothing. ``full`` and
    ``restricted``: whether those with a full view, or institutions, may find it. ``gone``: it was
    there and is no more; it stays as a mark, so that a late write does not bring it back.
    ``open``: no ended case. ``at_us`` orders documents of the same score, the latest first.
    ``sealed`` holds digests of values that are only found whole.
    """

    id: str
    kind: Kind
    subject: str
    version: int
    full: bool = False
    restricted: bool = False
    gone: bool = False
    jurisdiction: str = ""
    tenants: tuple[str, ...] = ()
    theme: str = ""
    state: str = ""
    queue: str = ""
    severity: str = ""
    open: bool = True
    at_us: int = 0
    title: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()

    def values(self, where: Field) -> tuple[str, ...]:
        """The values of a field as written."""
        return (self.subject,) if where is Field.IDS else getattr(self, where.value)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, all of it."""
        made: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, tuple):
                value = list(value)
            elif isinstance(value, Mapping):
                value = dict(value)
            elif item.name == "kind":
                value = value.value
            made[item.name] = value
        return made

    @property
    def digest(self) -> str:
        """SHA-256, in hex, over everything in it."""
        text = json.dumps(self.as_dict(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def document_of(plain: Mapping[str, Any]) -> Document:
    """The document of ``Document.as_dict``, also after a way through JSON."""
    made: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()
    }
    return Document(**{**made, "kind": Kind(plain["kind"])})
