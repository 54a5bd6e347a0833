"""Who is known to a server: the parties that events of its journal name, by what they say of them.

A party is its institution's own: the one it is a customer of, else the one that reported it. Of
each party the last facts count, under each name that it was given.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, Final

from detectors.names.analysis import Kind
from detectors.names.asked import PARTY_KINDS
from detectors.names.screener import Query
from regtech.model.fields import fields_of
from regtech.reference.watchlists import BirthDate

NAMES_MAX: Final = 8
"""So many names of one party are screened, the latest."""


@dataclass(slots=True)
class KnownParty:
    """A party as events named it. ``event``: the last one that gave it a name."""

    institution: str
    reporter: str
    id: str
    account: str
    names: dict[str, None] = field(default_factory=dict)
    kind: str = ""
    birth_date: str = ""
    country: str = ""
    event: str = ""

    def queries(self) -> tuple[Query, ...]:
        """Who is asked for, once for each name."""
        kind: Kind = PARTY_KINDS.get(self.kind, "")
        born = _born(self.birth_date)
        countries = (self.country,) if self.country else ()
        return tuple(Query(name, kind, born, countries) for name in self.names)

    def facts(self) -> dict[str, str]:
        """As facts of an alert, by path."""
        found = {
            "id": self.id, "account": self.account, "name": next(reversed(self.names)),
            "kind": self.kind, "birth_date": self.birth_date, "country": self.country,
        }  # fmt: skip
        return {f"party.{name}": value for name, value in found.items() if value}


@cache
def _places(event_type: str) -> tuple[str, ...]:
    """Where parties stand in an event of a type."""
    try:
        paths = fields_of(event_type)
    except KeyError:
        return ()
    return tuple(sorted({path[:-11] for path in paths if path.endswith(".birth_date")}))


class KnownParties:
    """Gathers them, event by event, in the order of the journal."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], KnownParty] = {}

    def read(self, lines: Iterable[bytes]) -> None:
        """Take note of the parties of judged events."""
        for line in lines:
            event = json.loads(line)
            for place in _places(str(event.get("type"))):
                if isinstance(party := event.get(place), dict):
                    self._note(event, party)

    def _note(self, event: dict[str, Any], party: dict[str, Any]) -> None:
        identity, account = _text(party, "id"), _text(party, "account")
        if not identity and not account:
            return
        reporter = _text(event, "reporter")
        institution = _text(party, "institution") or reporter
        key = (institution, identity, "" if identity else account)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = KnownParty(institution, reporter, identity, account)
        for name in ("account", "kind", "birth_date", "country"):
            if value := _text(party, name):
                setattr(known, name, value)
        if name := _text(party, "name").strip():
            known.names.pop(name, None)
            known.names[name] = None
            if len(known.names) > NAMES_MAX:
                del known.names[next(iter(known.names))]
            known.reporter, known.event = reporter, _text(event, "id")

    def named(self) -> list[KnownParty]:
        """Those that have a name, in a fixed order."""
        return [self._known[key] for key in sorted(self._known) if self._known[key].names]


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""


def _born(text: str) -> BirthDate | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return BirthDate(day.year, day.month, day.day)
