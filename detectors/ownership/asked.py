"""Ownership as a detector of the engine: ``owner_share``, ``same_owner``, ``layers``, and
``detect: {detector: beneficial_owner, comparator: at_least, threshold: 25%}``.

``beneficial_owner`` is asked of an ``ownership`` event. It is met when by this event a natural
person who was not one before becomes a beneficial owner, through at least one party in between, of
the owned or of a party that the owned holds. Who holds directly is seen by rules without it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.ownership.answer import Answer, Owner
from detectors.ownership.graph import OwnershipGraph
from detectors.ownership.layers import ENDLESS
from detectors.ownership.observing import (
    OWNERSHIP_FIELDS,
    PARTY_FIELDS,
    note_party,
    observe_ownership,
)
from detectors.ownership.terms import (
    WHOLE,
    Comparator,
    Moment,
    Outcome,
    Share,
    compare,
)
from regtech.model.fields import EVENT_TYPES
from regtech.ports.detection import NO, UNKNOWN, YES, Events, Finding, Int64, Question
from regtech.reference.zones import local_day

OWNERSHIP: Final = EVENT_TYPES.index("ownership")
PARTY: Final = EVENT_TYPES.index("party")
BELOW_MAX: Final = 200
"""Parties below the owned that are looked at for one event; more are counted in the finding."""
PATHS_MAX: Final = 5
_ANSWERS: Final = {Outcome.MET: YES, Outcome.NOT_MET: NO, Outcome.CANNOT_TELL: UNKNOWN}
_COMPARATORS: Final[dict[str, tuple[Comparator, bool]]] = {
    ">=": ("at_least", True),
    ">": ("above", True),
    "<": ("at_least", False),
    "<=": ("above", False),
}
"""Comparator of the graph, and whether the answer is as it is or turned round."""


class Ownership:
    """Puts an ``OwnershipGraph`` to work in a run."""

    name = "ownership"
    asks = frozenset({"owner_share", "same_owner", "layers", "beneficial_owner"})

    def check(self, question: Question) -> str | None:
        """What is wrong with a question, or None."""
        if question.asks == "beneficial_owner":
            if question.types != ("ownership",):
                return "beneficial_owner is asked of ownership events"
            try:
                _terms(question)
            except (KeyError, ValueError) as error:
                return f"beneficial_owner takes comparator (at_least, above) and threshold: {error}"
        elif question.comparison is not None and question.comparison[0] not in _COMPARATORS:
            return f"a share or a depth is compared by {' '.join(_COMPARATORS)}"
        return None

    def reads(self, questions: Sequence[Question]) -> Mapping[str, Sequence[str]]:
        """Ownership and facts about parties."""
        return {"ownership": OWNERSHIP_FIELDS, "party": PARTY_FIELDS}

    def start(self, questions: Sequence[Question]) -> Asked:
        """A graph in which nothing is known yet."""
        return Asked(questions)


def _terms(question: Question) -> tuple[Comparator, Fraction]:
    comparator, threshold = question.params["comparator"], str(question.params["threshold"])
    if comparator not in ("at_least", "above"):
        raise ValueError(f"no comparator {comparator!r}")
    if threshold.endswith("%"):
        return comparator, Fraction(threshold[:-1]) / 100
    return comparator, Fraction(threshold)


class Asked:
    """The graph of one run, and the questions about it."""

    reach_us = 0

    def __init__(self, questions: Sequence[Question]) -> None:
        self._graph = OwnershipGraph()
        self._questions = list(questions)
        self._types = {
            question.name: frozenset(EVENT_TYPES.index(name) for name in question.types)
            for question in questions
        }
        self._told: dict[tuple[str, str], frozenset[str]] = {}
        """Owners found so far, by question and party."""
        self._found: dict[tuple[str, int], Finding] = {}
        self._answers: dict[tuple[str, int, Fraction, Comparator], Answer] = {}
        """Of the present event: rules of several jurisdictions ask the same."""
        self._texts: dict[int, str] = {}

    def answer(self, events: Events) -> Mapping[str, Int64]:
        """See ``regtech.ports.detection.Answering``."""
        self._found = {}
        answers = {q.name: np.zeros(events.count, np.int64) for q in self._questions}
        types = events.types
        wanted = {OWNERSHIP, PARTY}.union(*self._types.values())
        for place in np.flatnonzero(np.isin(types, sorted(wanted))).tolist():
            kind = int(types[place])
            event = _Event(self, events, place)
            self._answers.clear()
            if kind == PARTY:
                note_party(self._graph, event.time_us, event.value, event.word, "party")
            elif kind == OWNERSHIP:
                ref = f"{event.word('reporter')}/{events.event_id(place)}"
                observe_ownership(self._graph, event.time_us, event.value, event.word, ref)
            for question in self._questions:
                if kind in self._types[question.name]:
                    answers[question.name][place] = self._one(question, event)
        return answers

    def finding(self, name: str, place: int) -> Finding | None:
        """See ``regtech.ports.detection.Answering``."""
        return self._found.get((name, place))

    def text(self, events: Events, code: int) -> str:
        """Text of a symbol, kept."""
        found = self._texts.get(code)
        if found is None:
            found = self._texts[code] = events.text(code)
        return found

    # --- answers

    def _one(self, question: Question, event: _Event) -> int:
        at = Moment(event.time_us, local_day(question.zone, event.time_us))
        if question.asks == "beneficial_owner":
            return self._new_owners(question, event, at)
        parties = [event.party(path) for path in question.parties]
        if any(party is None for party in parties):
            return UNKNOWN
        names = [party for party in parties if party is not None]
        if question.asks == "same_owner":
            return self._same_owner(question, event, names, at)
        assert question.comparison is not None
        if question.asks == "layers":
            least, greatest = self._graph.layers(names[0], at)
            data: dict[str, Any] = {"least": least, "greatest": greatest}
            if greatest >= ENDLESS:
                data["greatest"] = None
            self._found[(question.name, event.place)] = Finding(data)
            return _held_against(Fraction(least), Fraction(greatest), question.comparison)
        share = self._graph.owner_share(names[0], names[1], at)
        self._found[(question.name, event.place)] = Finding(
            {"owner": names[0], "owned": names[1], "share": _share(share)}
        )
        return _held_against(share.low, share.open, question.comparison)

    def _same_owner(self, question: Question, event: _Event, names: list[str], at: Moment) -> int:
        outcome = self._graph.same_owner(names[0], names[1], at)
        if outcome is Outcome.MET:
            group = [self._graph.group_of(name, at) for name in names]
            self._found[(question.name, event.place)] = Finding(
                {"parties": names, "controlled_by": group}
            )
        return _ANSWERS[outcome]

    def _new_owners(self, question: Question, event: _Event, at: Moment) -> int:
        owned = event.party("owned")
        if owned is None:
            return UNKNOWN
        comparator, threshold = _terms(question)
        entities, cut = self._below(owned, at)
        # Behind a natural person there is nobody: what is not known is not about this event.
        leads_on = event.word("owner.kind") not in ("person", "government")
        found: list[dict[str, Any]] = []
        unsure = False
        for entity in entities:
            if not self._graph.has_chains(entity):
                unsure |= entity == owned and leads_on
                continue
            key = (entity, at.day, threshold, comparator)
            answer = self._answers.get(key)
            if answer is None:
                answer = self._answers[key] = self._graph.beneficial_owners(
                    entity, at, threshold, comparator, paths=PATHS_MAX
                )
            met = {o.party: o for o in answer.owners if _is_person(o) and _is_indirect(o)}
            told = self._told.get((question.name, entity), frozenset())
            if met.keys() != told:
                self._told[(question.name, entity)] = frozenset(met)
            found += [_owner(entity, met[name]) for name in sorted(met.keys() - told)]
            unsure |= entity == owned and not met and leads_on and _cannot_tell(answer)
        if not found:
            return UNKNOWN if unsure else NO
        data: dict[str, Any] = {"owners": found}
        if cut:
            data["not_looked_at"] = cut
        self._found[(question.name, event.place)] = Finding(data)
        return YES

    def _below(self, owned: str, at: Moment) -> tuple[list[str], int]:
        """The owned and the parties that it holds, near ones first; how many were left out."""
        order, seen = [owned], {owned}
        for party in order:
            for other in self._graph.held_by(party, at):
                if other not in seen:
                    seen.add(other)
                    order.append(other)
            if len(order) > 4 * BELOW_MAX:
                break
        return order[:BELOW_MAX], max(0, len(order) - BELOW_MAX)

    # --- state

    def export(self) -> dict[str, npt.NDArray[Any]]:
        """See ``regtech.ports.detection.Answering``."""
        told = [[*key, *sorted(names)] for key, names in sorted(self._told.items())]
        written = json.dumps(told, ensure_ascii=False).encode()
        return {
            **{f"graph.{k}": array for k, array in self._graph.export_arrays().items()},
            "told": np.frombuffer(written, np.uint8).copy(),
        }

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """See ``regtech.ports.detection.Answering``."""
        graph = {k[len("graph.") :]: a for k, a in arrays.items() if k.startswith("graph.")}
        self._graph = OwnershipGraph.restore(graph)
        told = json.loads(arrays["told"].tobytes())
        self._told = {(name, entity): frozenset(names) for name, entity, *names in told}


class _Event:
    """One event of a block."""

    def __init__(self, asked: Asked, events: Events, place: int) -> None:
        self._asked, self._events, self.place = asked, events, place
        self.time_us = int(events.times[place])

    def value(self, path: str) -> int | None:
        found = int(self._events.column(path)[self.place])
        return None if found == UNKNOWN else found

    def word(self, path: str) -> str | None:
        found = self.value(path)
        return None if found is None else self._asked.text(self._events, found)

    def party(self, path: str) -> str | None:
        """Id of a party, or what a plain field says."""
        try:
            return self.word(f"{path}.id")
        except KeyError:
            return self.word(path)


def _held_against(low: Fraction, high: Fraction, comparison: tuple[str, Fraction]) -> int:
    comparator, as_is = _COMPARATORS[comparison[0]]
    outcome = compare(low, high, comparison[1], comparator)
    if outcome is Outcome.CANNOT_TELL:
        return UNKNOWN
    return YES if (outcome is Outcome.MET) == as_is else NO


def _is_person(owner: Owner) -> bool:
    return owner.kind == "person"


def _is_indirect(owner: Owner) -> bool:
    return len(owner.control_chain) > 1 or any(len(path.links) > 1 for path in owner.paths)


def _cannot_tell(answer: Answer) -> bool:
    return bool(answer.unclear) or answer.further is Outcome.CANNOT_TELL


def _owner(entity: str, owner: Owner) -> dict[str, Any]:
    return {
        "entity": entity,
        "owner": owner.party,
        "reasons": list(owner.reasons),
        "shares": _share(owner.shares),
        "votes": _share(owner.votes),
        "control": owner.control.value,
        "paths": [
            [
                {
                    "owner": x.owner,
                    "owned": x.owned,
                    "share": _part(Fraction(x.low, WHOLE), Fraction(x.high, WHOLE)),
                }
                for x in p.links
            ]
            for p in owner.paths
        ],
        "control_chain": list(_chain(owner)),
        "more_paths": owner.paths_cut,
    }


def _chain(owner: Owner) -> Iterator[dict[str, Any]]:
    for link in owner.control_chain:
        yield {
            "holders": list(link.holders),
            "controlled": link.controlled,
            "means": link.means,
            "votes": str(link.votes),
        }


def _share(share: Share) -> str | dict[str, str]:
    return _part(share.low, share.open)


def _part(low: Fraction, high: Fraction) -> str | dict[str, str]:
    """Exact: a fraction as text, or both ends of a range."""
    return str(low) if low == high else {"at_least": str(low), "at_most": str(high)}
