"""Exposure of addresses as a detector of the engine:
``detect: {detector: address_exposure, share: 5%, hops_max: 3, lists: [ofac]}``.

Met on the payee's side where more than ``share`` of all that its address has received of this
asset came from listed addresses over at most ``hops_max`` hops; on the payer's side where more than
that share of what its address has paid went to listed ones at once. An address is the account of a
party, its id where it has none. Listed are the wallet addresses on the lists that are screened
against, or on ``lists`` alone, as they stood at the instant of the payment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.graph.exposure import HOPS_MOST, Edge, Exposed, Exposures
from regtech.model.fields import EVENT_TYPES
from regtech.ports.detection import UNKNOWN, YES, Events, Finding, Int64, Question
from regtech.reference.civil import time_text
from regtech.reference.currencies import CurrencyTable

TRANSACTION: Final = EVENT_TYPES.index("transaction")
_CHANNEL: Final = "virtual_asset"
_READ: Final = (
    "payer.id", "payer.account", "payee.id", "payee.account", "amount", "currency", "channel",
)  # fmt: skip
_KNOWN: Final = frozenset({"share", "hops_max", "lists"})


class ListedAddress(NamedTuple):
    """A listed address: on which list, whose entry, and from when up to when."""

    list: str
    entry: str
    name: str
    since_us: int
    until_us: int


Listed = Mapping[str, Sequence[ListedAddress]]
"""By address, as ``key`` writes it."""


class Addresses:
    """Puts ``Exposures`` to work in runs. ``load`` is called when the first one begins; ``key``
    writes an address as addresses are compared, ``listed_as`` says what it is on lists."""

    name = "addresses"
    asks = frozenset({"address_exposure"})

    def __init__(
        self,
        currencies: CurrencyTable,
        load: Callable[[], Listed],
        key: Callable[[str], str],
        listed_as: Callable[[str], str] = str,
    ) -> None:
        self._currencies, self._load, self._key = currencies, load, key
        self._listed_as = listed_as
        self._listed: Listed | None = None

    def check(self, question: Question) -> str | None:
        """What is wrong with a question, or None."""
        if question.types != ("transaction",) or question.side is None:
            return "address_exposure is asked of the sides of transactions"
        try:
            _Terms.of(question)
        except (KeyError, ValueError, TypeError) as error:
            return f"address_exposure takes share, hops_max and lists: {error}"
        return None

    def reads(self, questions: Sequence[Question]) -> Mapping[str, Sequence[str]]:
        """Which address pays which how much."""
        return {"transaction": _READ}

    def start(self, questions: Sequence[Question]) -> Asked:
        """Nothing has been paid yet."""
        if self._listed is None:
            self._listed = self._load()
        return Asked(questions, self._currencies, self._listed, self._key, self._listed_as)


class _Terms(NamedTuple):
    share: Fraction
    hops: int
    lists: frozenset[str]

    @classmethod
    def of(cls, question: Question) -> _Terms:
        params = question.params
        if unknown := sorted(set(params) - _KNOWN):
            raise ValueError(f"no parameter {', '.join(unknown)}")
        text = str(params["share"])
        share = Fraction(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        hops, lists = int(str(params["hops_max"])), params.get("lists", [])
        if not 0 <= share < 1:
            raise ValueError(f"a share of {text}")
        if not 1 <= hops <= HOPS_MOST:
            raise ValueError(f"hops_max is from 1 to {HOPS_MOST}")
        if not isinstance(lists, list):
            raise TypeError("lists is a list of names")
        return cls(share, hops, frozenset(map(str, lists)))


class Asked:
    """The addresses of one run."""

    reach_us = 0

    def __init__(
        self,
        questions: Sequence[Question],
        currencies: CurrencyTable,
        listed: Listed,
        key: Callable[[str], str],
        listed_as: Callable[[str], str],
    ) -> None:
        self._currencies, self._listed, self._key = currencies, listed, key
        self._listed_as = listed_as
        self._questions = [(question, _Terms.of(question)) for question in questions]
        # What is listed differs with the lists that are asked.
        self._flows = {terms.lists: Exposures() for _, terms in self._questions}
        self._texts: dict[int, str] = {}
        self._found: dict[tuple[str, int], Finding] = {}

    def answer(self, events: Events) -> Mapping[str, Int64]:
        """See ``regtech.ports.detection.Answering``."""
        self._found = {}
        answers = {
            question.name: np.zeros(events.count, np.int64) for question, _ in self._questions
        }
        columns = {path: events.column(path) for path in _READ}
        for place in self._places(events, columns["channel"]):
            payer = self._address(events, columns, "payer", place)
            payee = self._address(events, columns, "payee", place)
            amount = int(columns["amount"][place])
            if not payer or not payee or amount <= 0:
                continue
            currency = int(columns["currency"][place])
            time_us = int(events.times[place])
            edge = events.event_id(place), payer, payee, amount, currency, time_us
            for lists, flow in self._flows.items():
                flow.observe(
                    edge,
                    payer_listed=bool(self._on(payer, lists, time_us)),
                    payee_listed=bool(self._on(payee, lists, time_us)),
                )  # fmt: skip
            for question, terms in self._questions:
                self._one(question, terms, edge, place, answers)
        return answers

    def _places(self, events: Events, channels: Int64) -> list[int]:
        """Payments of a block in virtual assets: of most streams few, so that they are looked for
        at once."""
        payments = events.payments & (events.types == TRANSACTION)
        codes = np.unique(channels[payments])
        virtual = [
            code
            for code in codes.tolist()
            if code != UNKNOWN and self._text(events, code) == _CHANNEL
        ]
        found: list[int] = np.flatnonzero(payments & np.isin(channels, virtual)).tolist()
        return found

    def _one(
        self,
        question: Question,
        terms: _Terms,
        edge: Edge,
        place: int,
        answers: Mapping[str, Int64],
    ) -> None:
        flow = self._flows[terms.lists]
        _, payer, payee, _, currency, time_us = edge
        if question.side == "payee":
            found = flow.received(payee, currency, terms.hops)
        else:
            found = flow.paid(payer, currency)
        if found.part > found.whole * terms.share:
            answers[question.name][place] = YES
            self._found[question.name, place] = self._finding(question, terms, found, time_us)

    def _finding(self, question: Question, terms: _Terms, found: Exposed, time_us: int) -> Finding:
        ends = found.path[0][1] if question.side == "payee" else found.path[-1][2]
        code = self._currencies.at(found.path[0][4]).code
        return Finding(
            {
                "side": question.side,
                "share": str(Fraction(found.part, found.whole)),
                "amount": self._currencies.format(found.part, code),
                "of": self._currencies.format(found.whole, code),
                "currency": code,
                "hops": found.hops,
                "listed": [
                    {"address": ends, "list": one.list, "entry": one.entry, "name": one.name}
                    for one in self._on(ends, terms.lists, time_us)
                ],
                "edges": [
                    {
                        "event": event,
                        "from": payer,
                        "to": payee,
                        "time": time_text(at_us),
                        "amount": self._currencies.format(amount, code),
                        "currency": code,
                    }
                    for event, payer, payee, amount, _, at_us in found.path
                ],
            }
        )

    def _on(self, address: str, lists: frozenset[str], time_us: int) -> list[ListedAddress]:
        return [
            one
            for one in self._listed.get(self._listed_as(address), ())
            if one.since_us <= time_us < one.until_us and (not lists or one.list in lists)
        ]

    def _address(self, events: Events, columns: Mapping[str, Int64], side: str, place: int) -> str:
        for path in (f"{side}.account", f"{side}.id"):
            code = int(columns[path][place])
            if code != UNKNOWN:
                return self._key(self._text(events, code))
        return ""

    def _text(self, events: Events, code: int) -> str:
        found = self._texts.get(code)
        if found is None:
            found = self._texts[code] = events.text(code)
        return found

    def finding(self, name: str, place: int) -> Finding | None:
        """See ``regtech.ports.detection.Answering``."""
        return self._found.get((name, place))

    def export(self) -> dict[str, npt.NDArray[Any]]:
        """See ``regtech.ports.detection.Answering``."""
        return {
            f"{number}.{name}": array
            for number, (_, flow) in enumerate(sorted_flows(self._flows))
            for name, array in flow.export().items()
        }

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """See ``regtech.ports.detection.Answering``."""
        for number, (_, flow) in enumerate(sorted_flows(self._flows)):
            prefix = f"{number}."
            flow.restore({k[len(prefix) :]: a for k, a in arrays.items() if k.startswith(prefix)})


def sorted_flows(flows: Mapping[frozenset[str], Exposures]) -> list[tuple[list[str], Exposures]]:
    """In an order that is the same in every run."""
    return sorted(((sorted(lists), flow) for lists, flow in flows.items()), key=lambda f: f[0])
