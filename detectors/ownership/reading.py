"""Blocks of events as the ownership detector reads them: columns at once, then one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from detectors.ownership.observing import OWNERSHIP_FIELDS
from detectors.ownership.terms import Moment
from regtech.ports.detection import UNKNOWN, Events, Int64
from regtech.reference.zones import local_days

Text = Callable[[int], str]
Places = npt.NDArray[np.intp]
"""Places of events in their block."""


class Texts(dict[int, str]):
    """Texts of symbols, kept; new ones come from the events that are looked at."""

    events: Events

    def read(self, codes: Iterable[int]) -> None:
        """Read the texts of several symbols at once."""
        new = [code for code in set(codes) if code not in self and code != UNKNOWN]
        self.update(zip(new, self.events.texts(new), strict=True))

    def __missing__(self, code: int) -> str:
        found = self[code] = self.events.text(code)
        return found


class Block:
    """The events of a block that are looked at: each column is read at once, when it is asked."""

    def __init__(self, events: Events, places: Places, text: Text) -> None:
        self.events, self.places, self.text = events, places, text
        self._instants = events.times[places]
        self.times: list[int] = self._instants.tolist()
        self._columns: dict[str, list[int]] = {}
        self._parties: dict[str, list[int]] = {}
        self._days: dict[str, list[int]] = {}

    def column(self, path: str) -> list[int]:
        """Stored values of a field. KeyError for one that was not asked for."""
        found = self._columns.get(path)
        if found is None:
            found = self._columns[path] = self.events.values(path, self.places).tolist()
        return found

    def ownership(self, number: int) -> list[int]:
        """Stored values of an ``ownership`` event, as ``observe_ownership`` reads them."""
        return [self.column(path)[number] for path in OWNERSHIP_FIELDS]

    def parties(self, path: str) -> list[int]:
        """Symbols of a party's ids, or of a plain field that names one."""
        found = self._parties.get(path)
        if found is None:
            found = self._parties[path] = parties_of(self.events, path, self.places).tolist()
        return found

    def days(self, zone: str) -> list[int]:
        """The day of each event in a zone."""
        found = self._days.get(zone)
        if found is None:
            found = self._days[zone] = local_days(zone, self._instants).tolist()
        return found


class Event:
    """One event of a block."""

    __slots__ = ("_block", "_number", "place", "time_us")

    def __init__(self, block: Block, number: int, place: int) -> None:
        self._block, self._number, self.place = block, number, place
        self.time_us = block.times[number]

    def at(self, zone: str) -> Moment:
        """When it happens, with the day in a zone."""
        return Moment(self.time_us, self._block.days(zone)[self._number])

    def value(self, path: str) -> int | None:
        """Stored value of a field, None where it is missing."""
        found = self._block.column(path)[self._number]
        return None if found == UNKNOWN else found

    def word(self, path: str) -> str | None:
        """The same as text."""
        found = self._block.column(path)[self._number]
        return None if found == UNKNOWN else self._block.text(found)

    @property
    def text(self) -> Text:
        """Text of a symbol."""
        return self._block.text

    def symbol(self, path: str) -> int:
        """Symbol of a party that is named, or of what a plain field says."""
        return self._block.parties(path)[self._number]

    def party(self, path: str) -> str:
        """Id of a party that is named, or what a plain field says."""
        return self._block.text(self.symbol(path))


def parties_of(events: Events, path: str, places: Places) -> Int64:
    """Ids of a party of some events as symbols, or what a plain field says."""
    try:
        return events.values(f"{path}.id", places)
    except KeyError:
        return events.values(path, places)


def saying(events: Events, path: str, words: frozenset[str], among: Places) -> Places:
    """Which of some events say one of some words in a field."""
    if not len(among):
        return among
    values = events.values(path, among)
    symbols = [code for code in set(values.tolist()) if code != UNKNOWN]
    wanted = [code for code in symbols if events.text(code) in words]
    return among[np.isin(values, wanted)]
