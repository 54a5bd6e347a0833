"""Screening as a detector of the engine: ``screened(payer, "list")``.

Every distinct party, as far as name, kind, date of birth and country say who it is, is screened
once for each version of the lists; what follows is looked up. The lists are fixed for a run, dated
versions and all, so that the state is in the events alone and a snapshot keeps nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.names.analysis import Kind
from detectors.names.screener import Hit, Query, Screened, Screener
from regtech.ports.detection import NO, UNKNOWN, YES, Events, Finding, Int64, Question
from regtech.reference.watchlists import BirthDate

HITS_MAX: Final = 5
"""So many hits stand in a finding; it says how many there are."""
_FIELDS: Final = ("name", "kind", "birth_date", "country")
PARTY_KINDS: Final[dict[str, Kind]] = {
    "person": "person", "entity": "entity", "institution": "entity", "government": "entity",
}  # fmt: skip
_ANSWERS: Final = {"met": YES, "not_met": NO, "cannot_tell": UNKNOWN}
_EPOCH: Final = date(1970, 1, 1)

Described = Callable[[Hit], Mapping[str, Any]]
"""A hit as plain data."""


class Screening:
    """Puts a ``Screener`` to work in runs. ``load`` is called when the first one begins."""

    name = "screening"
    asks = frozenset({"screened"})

    def __init__(self, load: Callable[[], Screener], described: Described) -> None:
        self._load, self._described = load, described
        self._screener: Screener | None = None

    def check(self, question: Question) -> str | None:
        """A list that is not there cannot be told, and is no fault of the rule."""
        return None

    def reads(self, questions: Sequence[Question]) -> Mapping[str, Sequence[str]]:
        """Who the parties are, as far as events say."""
        found: dict[str, list[str]] = {}
        for question in questions:
            for event_type in question.types:
                paths = found.setdefault(event_type, [])
                paths += [f"{party}.{f}" for party in question.parties for f in _FIELDS]
        return found

    def start(self, questions: Sequence[Question]) -> Asked:
        """Begin a run."""
        if self._screener is None:
            self._screener = self._load()
        return Asked(self._screener, questions, self._described)


@dataclass(frozen=True, slots=True)
class _Group:
    """Questions about one party and one list."""

    party: str
    list: str
    question: Question


class Asked:
    """The parties of one run."""

    reach_us = 0

    def __init__(
        self, screener: Screener, questions: Sequence[Question], described: Described
    ) -> None:
        self._screener, self._described = screener, described
        self._eras = screener.change_times()
        self._groups = {
            question.name: _Group(
                question.parties[0],
                question.words[0],
                question,
            )
            for question in questions
        }
        self._known: dict[tuple[Any, ...], Screened] = {}
        self._found: dict[tuple[str, int], Screened] = {}

    def answer(self, events: Events) -> Mapping[str, Int64]:
        """See ``regtech.ports.detection.Answering``."""
        self._found = {}
        answers = {}
        times = events.times
        for name, group in self._groups.items():
            made = answers[name] = np.zeros(events.count, np.int64)
            places = np.flatnonzero(events.asked(group.question))
            columns = [self._column(events, group.party, f)[places] for f in _FIELDS]
            eras = [bisect_right(self._eras, int(at)) for at in times[places]]
            rows = np.stack([*columns, np.array(eras, np.int64)], axis=1)
            # Each distinct party is looked at once a block.
            distinct, first, whose = np.unique(rows, axis=0, return_index=True, return_inverse=True)
            found = [
                self._screened(events, group.list, row, int(times[places[at]]))
                for row, at in zip(distinct.tolist(), first.tolist(), strict=True)
            ]
            codes = np.array([_ANSWERS[one.outcome] for one in found], np.int64)
            whose = whose.reshape(-1)
            made[places] = codes[whose] if len(codes) else 0
            for place, one in zip(places.tolist(), whose.tolist(), strict=True):
                if found[one].hits:
                    self._found[(name, place)] = found[one]
        return answers

    def _column(self, events: Events, party: str, field: str) -> Int64:
        try:
            return events.column(f"{party}.{field}")
        except KeyError:  # this party has no such field
            return np.full(events.count, UNKNOWN, np.int64)

    def _screened(self, events: Events, listed: str, row: list[int], at_us: int) -> Screened:
        key = (listed, *row)
        found = self._known.get(key)
        if found is None:
            name, kind, born, country = row[:4]
            query = Query(
                "" if name == UNKNOWN else events.text(name),
                "" if kind == UNKNOWN else PARTY_KINDS.get(events.text(kind), ""),
                None if born == UNKNOWN else _birth_date(born),
                () if country == UNKNOWN else (events.text(country),),
            )
            found = self._known[key] = self._screener.screened(listed, query, at_us)
        return found

    def finding(self, name: str, place: int) -> Finding | None:
        """See ``regtech.ports.detection.Answering``."""
        found = self._found.get((name, place))
        if found is None:
            return None
        data: dict[str, Any] = {
            "hits": [dict(self._described(hit)) for hit in found.hits[:HITS_MAX]]
        }
        if len(found.hits) > HITS_MAX:
            data["more"] = len(found.hits) - HITS_MAX
        return Finding(data)

    def export(self) -> dict[str, npt.NDArray[Any]]:
        """Nothing: what is known can be found again."""
        return {}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """See ``export``."""


def _birth_date(day: int) -> BirthDate:
    born = _EPOCH + timedelta(days=day)
    return BirthDate(born.year, born.month, born.day)
