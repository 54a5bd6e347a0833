"""Who by an ownership event becomes a beneficial owner through others: ``beneficial_owner``.

Asked of every ownership event, whoever's law governs it: the next is held against what was found
before. It is answered where the law governs. Of most events nothing has to be found out: nobody
stands behind an owner of the owned, and the owned holds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np

from detectors.ownership.answer import Owner
from detectors.ownership.evidence import owner_data
from detectors.ownership.graph import OwnershipGraph
from detectors.ownership.reading import Event, parties_of, saying
from detectors.ownership.terms import Comparator, Moment
from regtech.model.fields import EVENT_TYPES
from regtech.ports.detection import NO, UNKNOWN, YES, Events, Finding, Int64, Question

OWNERSHIP: Final = EVENT_TYPES.index("ownership")
BELOW_MAX: Final = 200
"""Parties below the owned that are looked at for one event; more are counted in the finding."""
PATHS_MAX: Final = 5
_ENDS: Final = frozenset({"person", "government"})
_NOBODY: Final[frozenset[str]] = frozenset()


def terms_of(question: Question) -> tuple[Comparator, Fraction]:
    """Comparator and threshold of a question. KeyError and ValueError where it has none."""
    comparator, threshold = question.params["comparator"], str(question.params["threshold"])
    if comparator not in ("at_least", "above"):
        raise ValueError(f"no comparator {comparator!r}")
    if threshold.endswith("%"):
        return comparator, Fraction(threshold[:-1]) / 100
    return comparator, Fraction(threshold)


@dataclass(frozen=True, slots=True)
class _Below:
    """What an event may change: the owned and what it holds, as far as somebody stands behind an
    owner; ``cut``: how many were left out."""

    chained: Sequence[str]
    cut: int


class NewOwners:
    """What was found so far, and what is new by an event."""

    def __init__(self, questions: Sequence[Question]) -> None:
        mine = [question for question in questions if question.asks == "beneficial_owner"]
        self._asking = [(question, *terms_of(question)) for question in mine]
        self._told: dict[tuple[str, str], frozenset[str]] = {}
        """Owners found so far, by question and party."""
        self._places: dict[str, frozenset[int]] = {}

    @property
    def asked(self) -> bool:
        """Whether anybody asks."""
        return bool(self._asking)

    def begin(self, events: Events, answers: Mapping[str, Int64]) -> None:
        """Answer of a block what is known without the graph: as if no event led on to anybody.

        Behind a natural person there is nobody: what is not known is not about such an event.
        """
        if not self._asking:
            return
        ended = saying(events, "owner.kind", _ENDS, np.flatnonzero(events.types == OWNERSHIP))
        ended = ended[parties_of(events, "owned", ended) != UNKNOWN]
        for question, _, _ in self._asking:
            answers[question.name][ended] = NO
            self._places[question.name] = frozenset(np.flatnonzero(events.asked(question)).tolist())

    def look(
        self,
        graph: OwnershipGraph,
        event: Event,
        answers: Mapping[str, Int64],
        findings: dict[tuple[str, int], Finding],
    ) -> None:
        """Answer of an ownership event that leads on; see ``OwnershipGraph.leads_on``."""
        owned = event.party("owned")
        leads_on = event.word("owner.kind") not in _ENDS
        by_day: dict[int, _Below] = {}
        personless: dict[str, bool] = {}
        for question, comparator, threshold in self._asking:
            at = event.at(question.zone)
            below = by_day.get(at.day)
            if below is None:
                below = by_day[at.day] = _below(graph, owned, at)
            asked = event.place in self._places[question.name]
            fresh: list[dict[str, Any]] = []
            unsure = leads_on and owned not in below.chained
            for entity in below.chained:
                asks = entity, at, threshold, comparator
                nobody = personless.get(entity)
                if nobody is None:
                    nobody = personless[entity] = graph.leads_to_no_person(entity)
                met = _NOBODY if nobody else graph.indirect_persons(*asks)
                new = self._not_told(question, entity, met)
                if not asked:
                    continue
                if new:
                    owners = _by_name(graph, *asks)
                    fresh += [owner_data(entity, owners[name]) for name in sorted(new)]
                if entity == owned and leads_on and not met:
                    unsure |= graph.leaves_open(*asks)
            if fresh:
                cut = {"not_looked_at": below.cut} if below.cut else {}
                findings[question.name, event.place] = Finding({"owners": fresh, **cut})
            answers[question.name][event.place] = YES if fresh else UNKNOWN if unsure else NO

    def _not_told(self, question: Question, entity: str, met: frozenset[str]) -> frozenset[str]:
        """Who of the owners of a party was not one before; they are now."""
        key = question.name, entity
        told = self._told.get(key, _NOBODY)
        if met == told:
            return _NOBODY
        self._told[key] = met
        return met - told

    def export(self) -> list[list[str]]:
        """What was found so far, as plain JSON; ``restore`` is the inverse."""
        return [[*key, *sorted(names)] for key, names in sorted(self._told.items())]

    def restore(self, told: Sequence[Sequence[str]]) -> None:
        """Take over what was exported."""
        self._told = {(name, entity): frozenset(names) for name, entity, *names in told}


def _by_name(
    graph: OwnershipGraph, party: str, at: Moment, threshold: Fraction, comparator: Comparator
) -> dict[str, Owner]:
    answer = graph.beneficial_owners(party, at, threshold, comparator, paths=PATHS_MAX)
    return {owner.party: owner for owner in answer.owners}


def _below(graph: OwnershipGraph, owned: str, at: Moment) -> _Below:
    """The owned and the parties that it holds, near ones first."""
    order, seen = [owned], {owned}
    for party in order:
        for other in graph.held_by(party, at):
            if other not in seen:
                seen.add(other)
                order.append(other)
        if len(order) > 4 * BELOW_MAX:
            break
    chained = [entity for entity in order[:BELOW_MAX] if graph.has_chains(entity)]
    return _Below(chained, max(0, len(order) - BELOW_MAX))
