"""Motifs as a detector of the engine: ``detect: {detector: cycle, within: 30 days, least: 3}``.

Parameters bear the names of ``spec.PARAMETERS``, with lengths in words and shares in per cent:
``within`` is the window; ``length_min`` and ``length_max`` are other names of ``least`` and
``most``; ``tolerance: 15%``, or ``retention: 85%``, is how far amounts may differ. What is not
given has its default.

On a side of a payment (``per: party``, ``account``, ``customer``) the finding is that side's which
the motif is around; a cycle is the payee's, to whom the money came back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.graph.motifs import Finding as Motif
from detectors.graph.motifs import Motifs, Payments
from detectors.graph.spec import DEFAULTS, MEMORY_US, TYPES, MotifSpec
from detectors.parameters import length_us, share_of
from regtech.errors import UsageError
from regtech.ports.detection import UNKNOWN, YES, Events, Finding, Int64, Question
from regtech.reference.civil import time_text
from regtech.reference.currencies import CurrencyTable

EDGES_MAX: Final = 100
"""Payments that a finding shows; it says how many there are."""
_FORGET_FROM: Final = 8192
"""From so many parties on it is looked for those that can be forgotten, whenever they doubled."""
_FIRST_CODES: Final = 8192
_LENGTHS: Final = {"within": "window_us", "still": "still_us"}
_COUNTS: Final = {
    "least": "least", "length_min": "least", "second": "second", "most": "most",
    "length_max": "most", "hub": "hub", "borders": "borders", "budget": "budget",
}  # fmt: skip
_SHARES: Final = {"tolerance": "permille", "concentration": "concentration", "band": "band"}
_READ: Final = (
    "payer.id", "payee.id", "amount", "currency", "payer.institution", "payee.institution",
    "payer.institution_country", "payee.institution_country", "reporter",
)  # fmt: skip


class Networks:
    """Puts ``Motifs`` to work in runs. ``currencies`` says how amounts are written."""

    name = "networks"
    asks = frozenset(TYPES)

    def __init__(self, currencies: CurrencyTable) -> None:
        self._currencies = currencies

    def check(self, question: Question) -> str | None:
        """What is wrong with a question, or None."""
        if question.types != ("transaction",):
            return f"{question.asks} is asked of transactions"
        try:
            spec_of(question, self._currencies).check()
        except UsageError as error:
            return str(error)
        return None

    def reads(self, questions: Sequence[Question]) -> Mapping[str, Sequence[str]]:
        """Who pays whom how much, and from where to where."""
        return {"transaction": _READ}

    def start(self, questions: Sequence[Question]) -> Asked:
        """A graph without payments."""
        return Asked(questions, self._currencies)


def spec_of(question: Question, currencies: CurrencyTable) -> MotifSpec:
    """What a question looks for. Raises ``UsageError`` for what is no parameter or no value."""
    changes: dict[str, Any] = {}
    for name, value in question.params.items():
        text = str(value)
        if name in _LENGTHS:
            changes[_LENGTHS[name]] = length_us(name, text)
        elif name in _COUNTS:
            if not text.isdigit():
                raise UsageError(f"{name} is a whole number, not {text!r}")
            changes[_COUNTS[name]] = int(text)
        elif name in _SHARES:
            changes[_SHARES[name]] = _permille(name, text)
        elif name == "retention":
            changes["permille"] = 1000 - _permille(name, text)
        elif name == "limits" and isinstance(value, Mapping):
            changes["limits"] = tuple(
                _limit(currencies, code, str(amount)) for code, amount in sorted(value.items())
            )
        else:
            known = sorted({*_LENGTHS, *_COUNTS, *_SHARES, "retention", "limits"})
            raise UsageError(f"{question.asks} has no parameter {name!r}", hint=", ".join(known))
    return replace(DEFAULTS[question.asks], **changes)


def _permille(name: str, text: str) -> int:
    share = share_of(name, text) * 1000
    if share.denominator != 1:
        raise UsageError(f"{name} is not in whole tenths of a per cent: {text!r}")
    return int(share)


def _limit(currencies: CurrencyTable, code: str, amount: str) -> tuple[int, int]:
    currency = currencies.get(code)
    if currency is None:
        raise UsageError(f"limits: unknown currency {code!r}")
    minor = Fraction(amount) * 10**currency.exponent
    if minor.denominator != 1:
        raise UsageError(f"limits: {amount} has more decimals than {code}")
    return currency.index, int(minor)


def _reaching(table: Int64, length: int) -> Int64:
    """A table of numbers with at least so many places; those that are new hold -1."""
    if length <= len(table):
        return table
    grown = np.full(max(length, 2 * len(table)), -1, np.int64)
    grown[: len(table)] = table
    return grown


class Asked:
    """The payment graph of one run."""

    def __init__(self, questions: Sequence[Question], currencies: CurrencyTable) -> None:
        self._currencies = currencies
        specs: dict[MotifSpec, list[Question]] = {}
        for question in questions:
            specs.setdefault(spec_of(question, currencies), []).append(question)
        self._specs = list(specs)
        self._whose = list(specs.values())
        # Of some kinds one graph can look for one alone.
        self._motifs: list[tuple[Motifs, list[int]]] = []
        for number, spec in enumerate(self._specs):
            for _, numbers in self._motifs:
                if not any(self._specs[k].type == spec.type for k in numbers):
                    numbers.append(number)
                    break
            else:
                self._motifs.append((Motifs((spec,)), [number]))
        self._motifs = [
            (Motifs(tuple(self._specs[k] for k in numbers), memory_us=MEMORY_US), numbers)
            for _, numbers in self._motifs
        ]
        self.reach_us = MEMORY_US + max(spec.spans_us for spec in self._specs)
        self._node_of = np.full(_FIRST_CODES, -1, np.int64)
        """Numbers of the parties in the graph, by their codes; -1 for one that is not there."""
        self._codes = np.full(_FIRST_CODES, -1, np.int64)
        """Codes of the parties in the graph, by their numbers there; -1 for a number to be used
        again."""
        self._numbered = 0
        """Numbers that were given to parties so far, those to be used again among them."""
        self._free = np.zeros(0, np.int64)
        """Numbers to be used again, the next one last."""
        self._look_at = _FORGET_FROM
        self._keys: dict[tuple[str, int, int], str] = {}
        self._found: dict[tuple[str, int], Finding] = {}

    def answer(self, events: Events) -> Mapping[str, Int64]:
        """See ``regtech.ports.detection.Answering``."""
        self._found = {}
        if self._numbered - len(self._free) >= self._look_at:
            self._forget()
        answers = {
            question.name: np.zeros(events.count, np.int64)
            for questions in self._whose
            for question in questions
        }
        places = np.flatnonzero(events.payments)
        amounts = events.column("amount")
        places = places[amounts[places] > 0]
        if not len(places):
            return answers
        payments = self._payments(events, places)
        for motifs, numbers in self._motifs:
            for motif in motifs.observe(payments):
                for question in self._whose[numbers[motif.spec]]:
                    self._tell(events, question, motif, answers)
        return answers

    def _payments(self, events: Events, places: Int64) -> Payments:
        def column(path: str) -> Int64:
            return events.column(path)[places]

        def known(path: str) -> Int64:
            found = column(path)
            return np.where(found == UNKNOWN, -1, found)

        return Payments(
            time_us=events.times[places],
            payer=self._nodes(column("payer.id")),
            payee=self._nodes(column("payee.id")),
            amount=column("amount"),
            currency=column("currency"),
            event=events.first + places,
            payer_institution=known("payer.institution"),
            payee_institution=known("payee.institution"),
            payer_country=known("payer.institution_country"),
            payee_country=known("payee.institution_country"),
        )

    def _nodes(self, codes: Int64) -> Int64:
        """Parties numbered as they come: the vocabulary has far more."""
        self._room_for(int(codes.max(initial=0)))
        nodes = self._node_of[codes]
        strange = nodes < 0
        if not strange.any():
            return nodes
        self._number(codes[strange])
        return self._node_of[codes]

    def _number(self, codes: Int64) -> None:
        """Number parties that are not in the graph, each once, in the order in which they come."""
        places = np.arange(len(codes))
        # Of the places of one code the last that is written stays: backwards that is the first.
        self._node_of[codes[::-1]] = places[::-1]
        codes = codes[self._node_of[codes] == places]
        again = self._free[::-1][: len(codes)]
        self._free = self._free[: len(self._free) - len(again)]
        nodes = self._numbered + np.arange(len(codes)) - len(again)
        nodes[: len(again)] = again
        self._numbered += len(codes) - len(again)
        self._codes = _reaching(self._codes, self._numbered)
        self._codes[nodes] = codes
        self._node_of[codes] = nodes

    def _room_for(self, code: int) -> None:
        """Make the table of numbers reach a code."""
        self._node_of = _reaching(self._node_of, code + 1)

    def _forget(self) -> None:
        """Let go of parties and names that no graph and no finding needs any more."""
        needed = np.zeros(self._numbered, np.bool_)
        firsts: set[int] = set()
        for motifs, _ in self._motifs:
            nodes, open_ = motifs.held()
            needed[nodes] = True
            firsts |= open_
        gone = np.flatnonzero(~needed & (self._codes[: self._numbered] >= 0))
        self._node_of[self._codes[gone]] = -1
        self._codes[gone] = -1
        self._free = np.concatenate((self._free, gone))
        self._keys = {key: text for key, text in self._keys.items() if key[2] in firsts}
        self._look_at = max(_FORGET_FROM, 2 * (self._numbered - len(self._free)))

    def _tell(
        self, events: Events, question: Question, motif: Motif, answers: dict[str, Int64]
    ) -> None:
        place = motif.event - events.first
        if question.side is not None:
            payer = int(self._node_of[events.column("payer.id")[place]])
            anchored = motif.key[1] if motif.key[1] >= 0 else -1
            side = "payer" if anchored == payer else "payee"
            if question.side != side:
                return
        answers[question.name][place] = YES
        known = self._found.get((question.name, place))
        if known is None or len(motif.payments) > len(known.events):
            self._found[(question.name, place)] = self._finding(events, motif)

    def _finding(self, events: Events, motif: Motif) -> Finding:
        key = self._keys.get(motif.key)
        if key is None:
            first = motif.key[2] - events.first
            here = 0 <= first < events.count
            place = first if here else motif.event - events.first
            reporter = events.text(int(events.column("reporter")[place]))
            around = [self._name(events, motif.key[1])] if motif.key[1] >= 0 else []
            key = "/".join((motif.type, *around, reporter, events.event_id(place)))
            self._keys[motif.key] = key
        names = {node: self._name(events, node) for node in motif.accounts}
        begin, end = motif.span_us
        data: dict[str, Any] = {
            "type": motif.type,
            "accounts": [names[node] for node in motif.accounts],
            "size": motif.measures["size"],
            "span": [time_text(begin), time_text(end)],
            "edges": [self._edge(payment, names) for payment in motif.payments[:EDGES_MAX]],
        }
        if motif.cut or len(motif.payments) > EDGES_MAX:
            data["cut"] = True
        return Finding(data, motif.events, key, motif.step)

    def _name(self, events: Events, node: int) -> str:
        return events.text(int(self._codes[node]))

    def _edge(self, payment: tuple[int, ...], names: Mapping[int, str]) -> dict[str, Any]:
        event, payer, payee, time, amount, info = payment[:6]
        currency = self._currencies.at(info & 0xFFFF)
        return {
            "event": event,
            "from": names[payer],
            "to": names[payee],
            "time": time_text(time),
            "amount": self._currencies.format(amount, currency.code),
            "currency": currency.code,
        }

    def finding(self, name: str, place: int) -> Finding | None:
        """See ``regtech.ports.detection.Answering``."""
        return self._found.get((name, place))

    # --- state

    def export(self) -> dict[str, npt.NDArray[Any]]:
        """See ``regtech.ports.detection.Answering``."""
        made: dict[str, npt.NDArray[Any]] = {"codes": self._codes[: self._numbered].copy()}
        keys = [[*key, text] for key, text in sorted(self._keys.items())]
        made["keys"] = np.frombuffer(json.dumps(keys, ensure_ascii=False).encode(), np.uint8).copy()
        for number, (motifs, _) in enumerate(self._motifs):
            made |= {f"{number}.{name}": array for name, array in motifs.state().items()}
        return made

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """See ``regtech.ports.detection.Answering``."""
        codes = self._codes = np.array(arrays["codes"], np.int64)
        self._numbered = len(codes)
        self._free = np.flatnonzero(codes < 0)
        nodes = np.flatnonzero(codes >= 0)
        self._look_at = max(_FORGET_FROM, len(nodes))
        self._node_of = np.full(int(codes.max(initial=_FIRST_CODES)) + 1, -1, np.int64)
        self._node_of[codes[nodes]] = nodes
        self._keys = {(a, b, c): text for a, b, c, text in json.loads(arrays["keys"].tobytes())}
        for number, (motifs, _) in enumerate(self._motifs):
            prefix = f"{number}."
            motifs.restore(
                {k[len(prefix) :]: array for k, array in arrays.items() if k.startswith(prefix)}
            )
