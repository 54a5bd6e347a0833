"""An engine of other rules that follows the journal of a server, until it takes over."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from regtech.app.journal import Journal
from regtech.app.warm import SOURCE, WarmEngine
from regtech.rulelang.ir import Pack


class Follower:
    """An engine that judges again what another one wrote into a journal.

    ``place``: of the journal, up to which it has judged already. ``lists``: the folder of those
    that its rules are held against.
    """

    def __init__(
        self,
        journal: Journal,
        packs: Sequence[Pack],
        warm: WarmEngine,
        place: int,
        lists: str | None = None,
    ) -> None:
        self._journal, self.packs, self.warm, self.place = journal, packs, warm, place
        self.lists = lists
        self.remembered = place
        """Up to where it was read from a memory."""

    @property
    def behind(self) -> int:
        """Bytes of the journal that it has not judged."""
        return self._journal.end - self.place

    def follow(self) -> None:
        """Judge what was written up to now. Whatever it finds was for another one to tell."""
        for end, lines in self._journal.read(self.place):
            if lines:
                self.warm.follow(lines)
            self.place = end


def judge_samples(warm: WarmEngine, home: str | None) -> None:
    """Judge a few events in an engine of their own, so that no caller waits for a compiler."""
    engine = warm.fresh(home)
    for event in _SAMPLES:
        batch, _, _ = warm.decoder.decode(json.dumps(event).encode(), 1, SOURCE)
        engine.decide(batch)


_PARTY: Final = {"id": "warm-up", "kind": "person", "country": "CN"}
_SAMPLES: Final[tuple[dict[str, Any], ...]] = (
    {
        "id": "warm-up-1", "type": "transaction", "time": "2020-01-01T00:00:00Z",
        "reporter": "warm-up", "payer": _PARTY, "payee": {**_PARTY, "id": "warm-up-2"},
        "amount": "100000000", "currency": "CNY", "channel": "cash", "kind": "deposit",
    },
    {
        "id": "warm-up-2", "type": "data_transfer", "time": "2026-01-01T00:00:00Z",
        "reporter": "warm-up", "exporter": {**_PARTY, "kind": "entity"}, "recipient": _PARTY,
        "destination": "US", "persons": ["p1", "p2"],
        "data": [{"category": "name", "sensitivity": "sensitive", "items": 10}],
    },
    {
        "id": "warm-up-0", "type": "party", "time": "2026-01-01T00:00:01Z",
        "reporter": "warm-up", "party": _PARTY,
    },
    {
        "id": "warm-up-4", "type": "transaction", "time": "2026-01-01T00:00:02Z",
        "reporter": "warm-up", "payer": _PARTY, "amount": "100000000", "currency": "CNY",
        "channel": "cash", "kind": "withdrawal",
    },
    {
        "id": "warm-up-5", "type": "loan", "time": "2026-01-01T00:00:03Z", "reporter": "warm-up",
        "borrower": _PARTY, "amount": "1000", "currency": "CNY", "action": "grant",
    },
    {
        "id": "warm-up-3", "type": "incident", "time": "2026-01-02T00:00:00Z",
        "reporter": "warm-up", "kind": "leak", "persons_affected": 1000000,
    },
)  # fmt: skip
