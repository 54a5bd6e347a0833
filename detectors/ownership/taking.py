"""``ownership`` events of a block, read at once: what most of them say, ready for the graph.

An event that says anything else than whose kind is known, what share is held, from when and until
when is no plain one and goes through ``observing``: shares that cannot be, an end without a
beginning, facts about a party, words that nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.ownership.graph import SAME, OwnershipGraph
from detectors.ownership.register import INDIRECT, NEVER, Change
from detectors.ownership.terms import INTERESTS, KINDS, WHOLE, Interest
from regtech.model.fields import NULL
from regtech.ports.detection import Events, Int64
from regtech.reference.civil import DAY_US

Text = Callable[[int], str]
_UNKNOWN: Final = -1


class Words(dict[int, int]):
    """Numbers of words by their symbol, read once. ``missing``: of a field that says nothing."""

    def __init__(self, numbers: dict[str, int], unknown: int, missing: int) -> None:
        super().__init__({NULL: missing})
        self._numbers, self._unknown = numbers, unknown

    def of(self, symbols: Int64, text: Text) -> list[int]:
        """The number of each symbol."""
        found = symbols.tolist()
        for symbol in set(found):
            if symbol not in self:
                self[symbol] = self._numbers.get(text(symbol), self._unknown)
        return [self[symbol] for symbol in found]


class Vocabularies:
    """The words of a run."""

    def __init__(self) -> None:
        self.kinds = Words(dict(KINDS), 0, SAME)
        self.interests = Words(dict(INTERESTS), _UNKNOWN, Interest.SHARES)


class Taken:
    """Lists by event, in canonical order."""

    def __init__(
        self, events: Events, places: npt.NDArray[np.intp], words: Vocabularies, text: Text
    ) -> None:
        def column(path: str) -> Int64:
            return events.values(path, places)

        self.owners: list[int] = column("owner.id").tolist()
        self.owned: list[int] = column("owned.id").tolist()
        self.owner_kinds = words.kinds.of(column("owner.kind"), text)
        self.owned_kinds = words.kinds.of(column("owned.kind"), text)
        self.reporters: list[int] = column("reporter").tolist()
        self.listed: list[int] = column("listed").tolist()
        interest = np.array(words.interests.of(column("interest"), text), np.int64)
        indirect = column("indirect")
        self.keys: list[int] = np.where(
            (indirect != NULL) & (indirect != 0), interest | INDIRECT, interest
        ).tolist()
        """The interest, with ``INDIRECT`` where it is a total held through others."""
        share, least, most = column("share"), column("share_min"), column("share_max")
        low = np.where(share != NULL, share, np.where(least != NULL, least, 0))
        high = np.where(share != NULL, share, np.where(most != NULL, most, WHOLE))
        self.low: list[int] = low.tolist()
        self.high: list[int] = high.tolist()
        self.given: list[bool] = ((share != NULL) | (least != NULL) | (most != NULL)).tolist()
        first, until = column("from"), column("until")
        dated, ends = first != NULL, until != NULL
        times = events.times[places]
        self.starts: list[int] = np.where(dated, _days(first, dated) << 1 | 1, times << 1).tolist()
        """See ``register.boundary``."""
        self.ends: list[int] = np.where(ends, _days(until, ends) << 1 | 1, NEVER).tolist()
        plain = (low >= 0) & (low <= high) & (high <= WHOLE) & (interest != _UNKNOWN)
        plain &= ~ends | dated & (first <= until)
        for path in ("owner.id", "owned.id"):
            plain &= column(path) != NULL
        for path in ("owner.flags", "owned.flags"):
            plain &= column(path) == NULL
        self.plain: list[bool] = plain.tolist()

    def into(
        self, graph: OwnershipGraph, event: int, owner: int, owned: int, time_us: int, ref: str
    ) -> None:
        """Tell the graph of a plain event between two parties, by their numbers."""
        if (listed := self.listed[event]) != NULL:
            graph.note_listed(owned, time_us, bool(listed))
        change = Change(
            self.starts[event],
            self.ends[event],
            self.low[event],
            self.high[event],
            self.given[event],
            ref,
        )
        kinds = self.owner_kinds[event], self.owned_kinds[event]
        graph.take(owner, owned, self.keys[event], change, *kinds)


def _days(days: Int64, told: npt.NDArray[np.bool_]) -> Int64:
    """Microseconds at the beginning of days, 0 where none is told."""
    return np.where(told, days, 0) * DAY_US
