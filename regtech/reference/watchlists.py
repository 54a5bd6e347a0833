"""Lists of names: who stands on one, under which names, and in which version of the list.

An entry is as its list publishes it; nothing is normalised here. A ``ListVersion`` is one published
state of one list. Versions of a list follow each other: an entry holds from the version in which it
first appears until the one that no longer has it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Literal

EntryKind = Literal["", "person", "entity", "vessel", "aircraft"]
Quality = Literal["primary", "strong", "weak"]


@dataclass(frozen=True, slots=True)
class ListedName:
    """One name of an entry. ``weak``: too common or too short to be a match without support."""

    text: str
    quality: Quality = "strong"


@dataclass(frozen=True, slots=True)
class BirthDate:
    """A date of birth as far as it is known; ``month`` and ``day`` 0 where they are not.

    ``last_year`` is above ``year`` where the list gives a span; ``circa`` widens it by two years.
    """

    year: int
    month: int = 0
    day: int = 0
    last_year: int = 0
    circa: bool = False

    def span(self) -> tuple[int, int]:
        """First and last year that it allows."""
        slack = 2 if self.circa else 0
        return self.year - slack, max(self.year, self.last_year) + slack

    def text(self) -> str:
        """ISO 8601 as far as it is known, with ``~`` in front where it is about then."""
        shown = f"{self.year:04d}"
        if self.month:
            shown += f"-{self.month:02d}" + (f"-{self.day:02d}" if self.day else "")
        if self.last_year > self.year:
            shown += f"/{self.last_year:04d}"
        return ("~" if self.circa else "") + shown


@dataclass(frozen=True, slots=True)
class ListEntry:
    """Who is listed. ``id`` is the list's own; ``identifiers``: (``imo`` …, value) as published.

    ``countries``: ISO 3166 codes of nationality, birth, address or flag.
    """

    id: str
    kind: EntryKind
    names: tuple[ListedName, ...]
    birth_dates: tuple[BirthDate, ...] = ()
    countries: tuple[str, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()
    programs: tuple[str, ...] = ()
    note: str = ""

    def digest(self) -> str:
        """SHA-256 over all that is compared; a change of it makes another entry."""
        body = asdict(self)
        body.pop("note")
        text = json.dumps(body, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class ListVersion:
    """A list as it was published. ``since_us``: from when it holds, in microseconds since 1970;
    None: no date is known, so that it holds ever. ``faults``: lines that could not be read."""

    name: str
    entries: tuple[ListEntry, ...]
    since_us: int | None = None
    faults: tuple[str, ...] = field(default=(), compare=False)

    @cached_property
    def by_id(self) -> Mapping[str, ListEntry]:
        """Entries by their own id."""
        return {entry.id: entry for entry in self.entries}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all entries, whatever their order."""
        whole = hashlib.sha256(self.name.encode())
        for digest in sorted(entry.digest() for entry in self.entries):
            whole.update(digest.encode())
        return whole.hexdigest()
