"""Screening for the API, by the lists that are in use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from casework.cases.scope import Scope
from casework.service.outside import ScreenedParty
from detectors.names.screener import Query, Screener
from detectors.names.texts import screen_text
from regtech.adapters.lists.dates import birth_date
from regtech.app.names import hit_json, kind_named, text_hit_json
from regtech.errors import UsageError


class Screening:
    """A ``ScreeningDesk``. ``load`` is called by the first who asks before ``use`` was."""

    def __init__(self, load: Callable[[], Screener]) -> None:
        self._load = load
        self._screener: Screener | None = None
        self._lock = threading.Lock()

    def screen(
        self,
        scope: Scope,
        party: ScreenedParty,
        *,
        at_us: int | None,
        lists: tuple[str, ...],
        threshold: float,
    ) -> Mapping[str, Any]:
        """See ``ScreeningDesk``; lists are the same for every scope."""
        screener = self._ready()
        asked = lists or screener.lists
        unknown = [name for name in asked if not screener.knows(name, at_us)]
        known = tuple(name for name in asked if name not in unknown)
        found: dict[str, Any] = {"cut": False, "lists": list(known), "unknown": unknown}
        if party.text.strip():
            text = screen_text(screener, party.text, at_us=at_us, lists=known, threshold=threshold)
            items = [text_hit_json(one) for one in text.hits]
            return {**found, "items": items, "cut": text.cut}
        born = birth_date(party.born) if party.born else None
        if party.born and born is None:
            raise UsageError(f"no date in {party.born!r}", hint="1970, 1970-03 or 1970-03-21")
        query = Query(party.name, kind_named(party.kind), born, party.countries)
        hits = screener.screen(query, at_us=at_us, lists=known, threshold=threshold)
        return {**found, "items": [hit_json("", party.name, hit) for hit in hits]}

    @property
    def ready(self) -> bool:
        """Whether a question is answered at once."""
        return self._screener is not None

    def use(self, screener: Screener) -> None:
        """Screen by other lists from the next question on."""
        self._screener = screener

    def _ready(self) -> Screener:
        if (found := self._screener) is not None:
            return found
        with self._lock:
            if self._screener is None:
                self._screener = self._load()
            return self._screener
