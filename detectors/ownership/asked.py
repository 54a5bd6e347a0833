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
from detectors.ownership.common import Partners
from detectors.ownership.common import Terms as CommonTerms
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
from regtech.reference.zones import local_days

OWNERSHIP: Final = EVENT_TYPES.index("ownership")
PARTY: Final = EVENT_TYPES.index("party")
EXPOSURE: Final = EVENT_TYPES.index("exposure")
FIGURE: Final = EVENT_TYPES.index("figure")
_EXPOSURE_FIELDS: Final = ("holder.id", "counterparty.id", "kind", "amount", "currency")
_FIGURE_FIELDS: Final = ("of.id", "name", "value", "currency")
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
    asks = frozenset({"owner_share", "same_owner", "layers", "beneficial_owner", "common_owner"})

    def check(self, question: Question) -> str | None:
        """What is wrong with a question, or None."""
        if question.asks == "beneficial_owner":
            if question.types != ("ownership",):
                return "beneficial_owner is asked of ownership events"
            try:
                _terms(question)
            except (KeyError, ValueError) as error:
                return f"beneficial_owner takes comparator (at_least, above) and threshold: {error}"
        elif question.asks == "common_owner":
            if question.types != ("exposure",):
                return "common_owner is asked of exposure events"
            try:
                CommonTerms.of(question)
            except (KeyError, ValueError) as error:
                return (
                    f"common_owner takes the parameters of detectors/ownership/common.py: {error}"
                )
        elif question.comparison is not None and question.comparison[0] not in _COMPARATORS:
            return f"a share or a depth is compared by {' '.join(_COMPARATORS)}"
        return None

    def reads(self, questions: Sequence[Question]) -> Mapping[str, Sequence[str]]:
        """Ownership and facts about parties; balances and figures where partners are asked of."""
        found = {"ownership": OWNERSHIP_FIELDS, "party": PARTY_FIELDS}
        if any(question.asks == "common_owner" for question in questions):
            found |= {"exposure": _EXPOSURE_FIELDS, "figure": _FIGURE_FIELDS}
        return found

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
        self._common = {q.name: CommonTerms.of(q) for q in questions if q.asks == "common_owner"}
        self._partners = Partners()
        self._money = (EXPOSURE, FIGURE) if self._common else ()
        """Types of events with what partners owe and what it is held against."""
        self._compared = {q.name: _terms(q) for q in questions if q.asks == "beneficial_owner"}
        self._told: dict[tuple[str, str], frozenset[str]] = {}
        """Owners found so far, by question and party."""
        self._found: dict[tuple[str, int], Finding] = {}
        self._answers: dict[tuple[str, int, Fraction, Comparator], Answer] = {}
        """Of the present event: rules of several jurisdictions ask the same."""
        self._standing: dict[int, tuple[list[str], int]] = {}
        """Of the present event, by day: those of ``_below`` that have chains, and how many were
        left out."""
        self._texts: dict[int, str] = {}

    def answer(self, events: Events) -> Mapping[str, Int64]:
        """See ``regtech.ports.detection.Answering``."""
        self._found = {}
        answers = {q.name: np.full(events.count, UNKNOWN) for q in self._questions}
        types, wanting = events.types, self._wanting(events)
        looked_at = np.isin(types, (OWNERSHIP, PARTY, *self._money))
        looked_at[list(wanting)] = True
        places = np.flatnonzero(looked_at)
        block = _Block(self, events, places)
        rows = zip(places.tolist(), types[places].tolist(), strict=True)
        for number, (place, kind) in enumerate(rows):
            if kind == PARTY:
                note_party(self._graph, block.times[number], *block.party(number))
                if place not in wanting:
                    continue
            event = _Event(block, number, place)
            if kind == OWNERSHIP:
                ref = f"{event.word('reporter')}/{events.event_id(place)}"
                observe_ownership(self._graph, event.time_us, event.value, event.word, ref)
            elif kind in self._money:
                self._note_money(event, kind)
            if place in wanting:
                self._answers.clear()
                self._standing.clear()
                for question in wanting[place]:
                    answers[question.name][place] = self._one(question, event)
        return answers

    def _wanting(self, events: Events) -> dict[int, list[Question]]:
        """By event, the questions asked of it of which all parties are named.

        Where one is missing the answer is that it is not known, without a look at the graph. Who
        becomes an owner is asked of every event: the next is held against what was found before.
        """
        found: dict[int, list[Question]] = {}
        for question in self._questions:
            growing = question.asks == "beneficial_owner"
            asked = events.types == OWNERSHIP if growing else events.asked(question)
            for path in ("owned",) if growing else question.parties:
                asked &= _party_column(events, path) != UNKNOWN
            for place in np.flatnonzero(asked).tolist():
                found.setdefault(place, []).append(question)
        return found

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
        at = event.at(question.zone)
        if question.asks == "beneficial_owner":
            return self._new_owners(question, event, at)
        if question.asks == "common_owner":
            return self._common_owner(question, event, at)
        names = [event.party(path) for path in question.parties]
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
        comparator, threshold = self._compared[question.name]
        standing = self._standing.get(at.day)
        if standing is None:
            entities, cut = self._below(owned, at)
            chained = [entity for entity in entities if self._graph.has_chains(entity)]
            standing = self._standing[at.day] = chained, cut
        chained, cut = standing
        # Behind a natural person there is nobody: what is not known is not about this event.
        leads_on = event.word("owner.kind") not in ("person", "government")
        found: list[dict[str, Any]] = []
        unsure = leads_on and owned not in chained
        for entity in chained:
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

    def _note_money(self, event: _Event, kind: int) -> None:
        """A balance or a figure, as far as it is whole."""
        amount = event.value("amount" if kind == EXPOSURE else "value")
        currency = event.value("currency")
        if amount is None or currency is None:
            return
        party = event.word("holder.id" if kind == EXPOSURE else "of.id") or ""
        if kind == FIGURE:
            self._partners.note_figure(party, event.word("name") or "", (amount, currency))
        elif (other := event.word("counterparty.id")) is not None:
            self._partners.note_balance(party, event.word("kind") or "", other, (amount, currency))

    def _common_owner(self, question: Question, event: _Event, at: Moment) -> int:
        """Whether the counterparty is one of several partners with one owner."""
        terms = self._common[question.name]
        holder, other = event.word("holder.id"), event.word("counterparty.id")
        if event.word("kind") != terms.kind:
            return NO
        if holder is None or other is None or event.value("amount") is None:
            return UNKNOWN

        def answer_of(party: str, threshold: Fraction) -> Answer | None:
            if not self._graph.knows(party):
                return None
            return self._graph.beneficial_owners(party, at, threshold, paths=PATHS_MAX)

        outcome, data, owners = self._partners.judge(terms, holder, other, answer_of)
        if outcome == YES:
            data["owners"] = [
                _owner(partner, owner)
                for partner, with_ in owners.items()
                for owner in with_.values()
            ]
            self._found[(question.name, event.place)] = Finding(data)
        return outcome

    # --- state

    def export(self) -> dict[str, npt.NDArray[Any]]:
        """See ``regtech.ports.detection.Answering``."""
        told = [[*key, *sorted(names)] for key, names in sorted(self._told.items())]
        written = json.dumps(told, ensure_ascii=False).encode()
        return {
            **{f"graph.{k}": array for k, array in self._graph.export_arrays().items()},
            "told": np.frombuffer(written, np.uint8).copy(),
            "partners": np.frombuffer(
                json.dumps(self._partners.export(), ensure_ascii=False).encode(), np.uint8
            ).copy(),
        }

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """See ``regtech.ports.detection.Answering``."""
        graph = {k[len("graph.") :]: a for k, a in arrays.items() if k.startswith("graph.")}
        self._graph = OwnershipGraph.restore(graph)
        self._partners.restore(json.loads(arrays["partners"].tobytes()))
        told = json.loads(arrays["told"].tobytes())
        self._told = {(name, entity): frozenset(names) for name, entity, *names in told}


class _Block:
    """The events of a block that are looked at: each column is read at once, when it is asked."""

    def __init__(self, asked: Asked, events: Events, places: npt.NDArray[np.intp]) -> None:
        self.asked, self.events, self.places = asked, events, places
        self._instants = events.times[places]
        self.times: list[int] = self._instants.tolist()
        self._columns: dict[str, list[int]] = {}
        self._parties: dict[str, list[int]] = {}
        self._days: dict[str, list[int]] = {}

    def column(self, path: str) -> list[int]:
        """Stored values of a field. KeyError for one that was not asked for."""
        found = self._columns.get(path)
        if found is None:
            found = self._columns[path] = self.events.column(path)[self.places].tolist()
        return found

    def party(self, number: int) -> tuple[str, str | None, int | None]:
        """What a ``party`` event says: id, kind, flags."""
        party, kind, flags = (self.column(path)[number] for path in PARTY_FIELDS)
        text, events = self.asked.text, self.events
        return (
            text(events, party),
            None if kind == UNKNOWN else text(events, kind),
            None if flags == UNKNOWN else flags,
        )

    def parties(self, path: str) -> list[int]:
        """Symbols of a party's ids, or of a plain field that names one."""
        found = self._parties.get(path)
        if found is None:
            found = self._parties[path] = _party_column(self.events, path)[self.places].tolist()
        return found

    def days(self, zone: str) -> list[int]:
        """The day of each event in a zone."""
        found = self._days.get(zone)
        if found is None:
            found = self._days[zone] = local_days(zone, self._instants).tolist()
        return found


class _Event:
    """One event of a block."""

    __slots__ = ("_block", "_number", "place", "time_us")

    def __init__(self, block: _Block, number: int, place: int) -> None:
        self._block, self._number, self.place = block, number, place
        self.time_us = block.times[number]

    def at(self, zone: str) -> Moment:
        """When it happens, with the day in a zone."""
        return Moment(self.time_us, self._block.days(zone)[self._number])

    def value(self, path: str) -> int | None:
        found = self._block.column(path)[self._number]
        return None if found == UNKNOWN else found

    def word(self, path: str) -> str | None:
        found = self._block.column(path)[self._number]
        return None if found == UNKNOWN else self._block.asked.text(self._block.events, found)

    def party(self, path: str) -> str:
        """Id of a party that is named, or what a plain field says."""
        block = self._block
        return block.asked.text(block.events, block.parties(path)[self._number])


def _party_column(events: Events, path: str) -> Int64:
    """Ids of a party of the events as symbols, or what a plain field says."""
    try:
        return events.column(f"{path}.id")
    except KeyError:
        return events.column(path)


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
