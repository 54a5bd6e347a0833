"""Ownership as a detector of the engine: ``owner_share``, ``same_owner``, ``layers``, and
``detect: {detector: beneficial_owner, comparator: at_least, threshold: 25%}``.

``beneficial_owner`` is asked of an ``ownership`` event. It is met when by this event a natural
person who was not one before becomes a beneficial owner, through at least one party in between, of
the owned or of a party that the owned holds. Who holds directly is seen by rules without it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.ownership.answer import Answer
from detectors.ownership.common import Partners
from detectors.ownership.common import Terms as CommonTerms
from detectors.ownership.evidence import owner_data, share_data
from detectors.ownership.facts import PartyFacts
from detectors.ownership.graph import OwnershipGraph
from detectors.ownership.growing import OWNERSHIP, PATHS_MAX, NewOwners, terms_of
from detectors.ownership.layers import ENDLESS
from detectors.ownership.observing import (
    OWNERSHIP_FIELDS,
    PARTY_FIELDS,
    note_party,
    observe_ownership,
)
from detectors.ownership.reading import Block, Event, Places, Text, Texts, parties_of, saying
from detectors.ownership.taking import Taken, Vocabularies
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

PARTY: Final = EVENT_TYPES.index("party")
EXPOSURE: Final = EVENT_TYPES.index("exposure")
FIGURE: Final = EVENT_TYPES.index("figure")
_EXPOSURE_FIELDS: Final = ("holder.id", "counterparty.id", "kind", "amount", "currency")
_FIGURE_FIELDS: Final = ("of.id", "name", "value", "currency")
_ANSWERS: Final = {Outcome.MET: YES, Outcome.NOT_MET: NO, Outcome.CANNOT_TELL: UNKNOWN}
Wanting = dict[int, list[tuple[Question, list[int]]]]
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
                terms_of(question)
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


class Asked:
    """The graph of one run, and the questions about it."""

    reach_us = 0

    def __init__(self, questions: Sequence[Question]) -> None:
        self._graph = OwnershipGraph()
        self._questions = list(questions)
        self._common = {q.name: CommonTerms.of(q) for q in questions if q.asks == "common_owner"}
        self._partners = Partners()
        self._kinds = frozenset(terms.kind for terms in self._common.values())
        self._figures = frozenset(terms.figure for terms in self._common.values())
        """What partners owe, and what it is held against."""
        self._facts = PartyFacts()
        self._new = NewOwners(questions)
        self._found: dict[tuple[str, int], Finding] = {}
        self._near: dict[tuple[str, int], tuple[Sequence[int], tuple[int, int]]] = {}
        """Of the same block, owner and owned by symbol and the share, as ``near_share`` tells it:
        few are ever looked at."""
        self._texts, self._words = Texts(), Vocabularies()
        self._numbers: dict[int, int] = {}
        """Numbers in the graph of parties that events have named, by symbol."""

    def answer(self, events: Events) -> Mapping[str, Int64]:
        """See ``regtech.ports.detection.Answering``."""
        self._found, self._near = {}, {}
        answers = {q.name: np.full(events.count, UNKNOWN) for q in self._questions}
        types, wanting = events.types, self._wanting(events, answers)
        owning, money = np.flatnonzero(types == OWNERSHIP), self._of_money(events)
        looked_at = self._note_facts(events, owning, wanting)
        apart = looked_at.copy()
        for among in (owning, money, list(wanting)):
            looked_at[among] = True
        places = np.flatnonzero(looked_at)
        self._texts.events = events
        block = Block(events, places, self._texts.__getitem__)
        taken = Taken(events, owning, self._words, block.text)
        self._texts.read((*taken.owners, *taken.owned))
        self._new.begin(events, answers)
        of_money = frozenset(money.tolist())
        rows = zip(places.tolist(), types[places].tolist(), strict=True)
        change = 0
        for number, (place, kind) in enumerate(rows):
            if kind == PARTY and apart[place]:
                self._note_party(block, number)
            elif kind == OWNERSHIP:
                owned = self._observe(block, number, place, taken, change)
                change += 1
                if self._new.asked and owned >= 0 and self._graph.leads_on(owned):
                    self._new.look(self._graph, Event(block, number, place), answers, self._found)
            elif place in of_money:
                self._note_money(Event(block, number, place), kind)
            for question, parties in wanting.get(place, ()):
                event = Event(block, number, place)
                answers[question.name][place] = self._one(question, event, parties)
        return answers

    def _wanting(self, events: Events, answers: Mapping[str, Int64]) -> Wanting:
        """By event, the questions asked of it of which all parties are named, with their symbols.

        Where one is missing the answer is that it is not known, without a look at the graph.
        Balances of another kind than is asked about are answered here. Who becomes an owner is
        another matter: see ``growing.py``.
        """
        found: Wanting = {}
        for question in self._questions:
            if question.asks == "beneficial_owner":
                continue
            places = np.flatnonzero(events.asked(question))
            if not len(places):
                continue
            if question.asks == "common_owner":
                kind = frozenset({self._common[question.name].kind})
                answers[question.name][places] = NO
                places = saying(events, "kind", kind, places)
                answers[question.name][places] = UNKNOWN
            symbols = np.empty((len(question.parties), len(places)), np.int64)
            for row, path in enumerate(question.parties):
                symbols[row] = parties_of(events, path, places)
            named = (symbols != UNKNOWN).all(axis=0)
            parties = symbols[:, named].T.tolist()
            for place, of_event in zip(places[named].tolist(), parties, strict=True):
                found.setdefault(place, []).append((question, of_event))
        return found

    def _of_money(self, events: Events) -> Places:
        """Balances and figures that common owners are asked about."""
        if not self._common:
            return np.zeros(0, np.intp)
        types = events.types
        balances = saying(events, "kind", self._kinds, np.flatnonzero(types == EXPOSURE))
        figures = saying(events, "name", self._figures, np.flatnonzero(types == FIGURE))
        return np.concatenate((balances, figures))

    def _note_facts(
        self,
        events: Events,
        owning: Places,
        wanting: Wanting,
    ) -> npt.NDArray[np.bool_]:
        """Note what ``party`` events say, but of those that have to be noted in their order."""
        of_party: npt.NDArray[np.bool_] = events.types == PARTY
        places = np.flatnonzero(of_party)
        if not len(places):
            return of_party
        named = [events.values(path, owning) for path in ("owner.id", "owned.id")]
        asked = {code for entry in wanting.values() for _, parties in entry for code in parties}
        named.append(np.array(list(asked), np.int64))
        party, kind, flags = (events.values(path, places) for path in PARTY_FIELDS)
        in_order = self._facts.in_order(party, flags, np.concatenate(named))
        once = ~in_order
        self._facts.note_all(party[once], kind[once], flags[once], events.text)
        of_party[places[once]] = False
        return of_party

    def finding(self, name: str, place: int) -> Finding | None:
        """See ``regtech.ports.detection.Answering``."""
        near = self._near.get((name, place))
        if near is None:
            return self._found.get((name, place))
        parties, share = near
        least, most = (Fraction(part, WHOLE) for part in share)
        owner, owned = map(self._texts.__getitem__, parties)
        return _share_finding(owner, owned, Share(least, least, most))

    # --- what events say

    def _note_party(self, block: Block, number: int) -> None:
        party, kind, flags = (block.column(path)[number] for path in PARTY_FIELDS)
        if not self._facts.note(party, kind, flags, block.text):
            self._facts.enter(party, self._graph, block.text)
            name, time_us = block.text(party), block.times[number]
            note_party(self._graph, time_us, name, kind, flags, block.text)

    def _observe(self, block: Block, number: int, place: int, taken: Taken, change: int) -> int:
        """Take in an ownership event; the number of the owned, -1 where it is not named."""
        text = block.text
        owner = self._number_of(taken.owners[change], text)
        owned = self._number_of(taken.owned[change], text)
        reporter = taken.reporters[change]
        told_by = "" if reporter == UNKNOWN else block.text(reporter)
        ref = f"{told_by}/{block.events.event_id(place)}"
        if taken.plain[change]:
            taken.into(self._graph, change, owner, owned, block.times[number], ref)
        else:
            row = block.ownership(number)
            observe_ownership(self._graph, block.times[number], row, block.text, ref)
        return owned

    def _number_of(self, party: int, text: Text) -> int:
        """The number in the graph of a party that an ownership event names; -1 for none."""
        number = self._numbers.get(party)
        if number is None:
            if party == UNKNOWN:
                return -1
            number = self._numbers[party] = self._facts.enter(party, self._graph, text)
        return number

    # --- answers

    def _one(self, question: Question, event: Event, parties: Sequence[int]) -> int:
        """The answer about some parties by symbol."""
        if question.asks == "common_owner":
            return self._common_owner(question, event, event.at(question.zone))
        numbers = [self._asked_number(party, event.text) for party in parties]
        if question.asks == "same_owner":
            return self._same_owner(question, event, parties, numbers)
        if question.asks == "owner_share":
            return self._owner_share(question, event, parties, numbers)
        assert question.comparison is not None
        least, greatest = self._graph.layers(event.text(parties[0]), event.at(question.zone))
        data: dict[str, Any] = {"least": least, "greatest": greatest}
        if greatest >= ENDLESS:
            data["greatest"] = None
        self._found[question.name, event.place] = Finding(data)
        return _held_against(least, greatest, 1, question.comparison)

    def _asked_number(self, party: int, text: Text) -> int:
        """The number in the graph of a party that a question names; -1 of whom nothing is known."""
        number = self._numbers.get(party)
        if number is None:
            number = self._facts.ask(party, self._graph, text)
            if number >= 0:
                self._numbers[party] = number
        return number

    def _owner_share(
        self, question: Question, event: Event, parties: Sequence[int], numbers: Sequence[int]
    ) -> int:
        assert question.comparison is not None
        at, key = event.at(question.zone), (question.name, event.place)
        near = None if min(numbers) < 0 else self._graph.near_share(numbers[0], numbers[1], at)
        if near is not None:
            self._near[key] = parties, near
            return _held_against(*near, WHOLE, question.comparison)
        owner, owned = map(event.text, parties)
        share = self._graph.owner_share(owner, owned, at)
        self._found[key] = _share_finding(owner, owned, share)
        return _held_against(share.low, share.open, 1, question.comparison)

    def _same_owner(
        self, question: Question, event: Event, parties: Sequence[int], numbers: Sequence[int]
    ) -> int:
        if parties[0] != parties[1]:
            apart = self._graph.apart(*numbers)
            if apart is not None:
                return _ANSWERS[apart]
        names, at = [event.text(party) for party in parties], event.at(question.zone)
        outcome = self._graph.same_owner(names[0], names[1], at)
        if outcome is Outcome.MET:
            group = [self._graph.group_of(name, at) for name in names]
            self._found[question.name, event.place] = Finding(
                {"parties": names, "controlled_by": group}
            )
        return _ANSWERS[outcome]

    def _note_money(self, event: Event, kind: int) -> None:
        """A balance or a figure that is asked about, as far as it is whole."""
        amount = event.value("amount" if kind == EXPOSURE else "value")
        currency = event.value("currency")
        if amount is None or currency is None:
            return
        party = event.word("holder.id" if kind == EXPOSURE else "of.id") or ""
        if kind == FIGURE:
            self._partners.note_figure(party, event.word("name") or "", (amount, currency))
        elif (other := event.word("counterparty.id")) is not None:
            self._partners.note_balance(party, event.word("kind") or "", other, (amount, currency))

    def _common_owner(self, question: Question, event: Event, at: Moment) -> int:
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
                owner_data(partner, owner)
                for partner, with_ in owners.items()
                for owner in with_.values()
            ]
            self._found[(question.name, event.place)] = Finding(data)
        return outcome

    # --- state

    def export(self) -> dict[str, npt.NDArray[Any]]:
        """See ``regtech.ports.detection.Answering``."""
        written = json.dumps(self._new.export(), ensure_ascii=False).encode()
        return {
            **{f"graph.{k}": array for k, array in self._graph.export_arrays().items()},
            "facts": self._facts.export(),
            "told": np.frombuffer(written, np.uint8).copy(),
            "partners": np.frombuffer(
                json.dumps(self._partners.export(), ensure_ascii=False).encode(), np.uint8
            ).copy(),
        }

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """See ``regtech.ports.detection.Answering``."""
        graph = {k[len("graph.") :]: a for k, a in arrays.items() if k.startswith("graph.")}
        self._graph = OwnershipGraph.restore(graph)
        self._facts.restore(arrays["facts"])
        self._partners.restore(json.loads(arrays["partners"].tobytes()))
        self._new.restore(json.loads(arrays["told"].tobytes()))
        self._numbers = {}


def _share_finding(owner: str, owned: str, share: Share) -> Finding:
    return Finding({"owner": owner, "owned": owned, "share": share_data(share)})


def _held_against(
    low: Fraction | int, high: Fraction | int, whole: int, comparison: tuple[str, Fraction]
) -> int:
    """The answer for something between two bounds, which are times ``whole``."""
    comparator, as_is = _COMPARATORS[comparison[0]]
    over, under = comparison[1].as_integer_ratio()
    outcome = compare(low * under, high * under, over * whole, comparator)
    if outcome is Outcome.CANNOT_TELL:
        return UNKNOWN
    return YES if (outcome is Outcome.MET) == as_is else NO
