"""What rules ask of detectors: calls and ``detect:`` become fields whose values detectors fill in.

``screened(payer, "cn_art40")`` reads as the field ``event.screened(payer, cn_art40)``,
``owner_share(owner, owned) > 50%`` as ``event.owner_share(owner, owned) > 1/2 @CN``: the figure
goes along, so that the detector decides with its own exact arithmetic, and only three values come
back; the jurisdiction says in whose zone an instant has its day.
Where the row has a side, the question has one too (``party.screened(party, ...)``). From there on
these are fields like any other: kernels, the second reading, evidence and replay know nothing more.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from regtech.columns.vocabulary import Vocabulary
from regtech.engine.block import Block
from regtech.engine.columns import ColumnRegistry, has_path, sides
from regtech.engine.subjects import PREFIXES, is_sided, key_parts
from regtech.engine.variants import Variant, expressions
from regtech.errors import ContentError
from regtech.model.fields import EVENT_TYPES
from regtech.ports.detection import (
    NO,
    UNKNOWN,
    Answering,
    Detector,
    Detectors,
    Finding,
    Question,
)
from regtech.rulelang.functions import ASKED
from regtech.rulelang.ir import Call, Compare, Const, Expr, FieldRef, ParamRef, Rule, Type
from regtech.rulelang.values import value_text
from regtech.rulelang.walk import rewrite, walk

Int64 = npt.NDArray[np.int64]
_FLIP: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_SIDED: Final = ("party", "counterparty")
_SIDES: Final = {
    "payer": {"party": "payer", "counterparty": "payee"},
    "payee": {"party": "payee", "counterparty": "payer"},
}


def asks_of(rule: Rule) -> tuple[str, ...]:
    """Names of the detectors and functions that a rule asks, each once."""
    found: dict[str, None] = {}
    if rule.detect is not None:
        found[rule.detect.detector] = None
    for expr in expressions(rule):
        for node in walk(expr):
            if isinstance(node, Call) and node.function in ASKED:
                found[node.function] = None
    return tuple(found)


def waits_for(rule: Rule, detectors: Detectors = ()) -> str | None:
    """Name of the detector or function that a rule asks and that nobody answers, or None."""
    answered = {name for detector in detectors for name in detector.asks}
    return next((name for name in asks_of(rule) if name not in answered), None)


def put_questions(variant: Variant, zone: str) -> list[Question]:
    """Make fields of what a variant asks, in place; returns the questions.

    ``zone``: of its jurisdiction.

    Raises ContentError where a number is asked for that is not held against a figure.
    """
    asking = _Asking(variant, zone)

    def asked(expr: Expr | None) -> Expr | None:
        return None if expr is None else rewrite(expr, asking.field_of)

    if variant.rule.detect is not None:
        variant.when = asking.detected(variant.rule.detect.detector, variant.rule.detect.params)
    else:
        variant.when = asked(variant.when)
    variant.where = asked(variant.where)
    variant.lets = {name: rewrite(expr, asking.field_of) for name, expr in variant.lets.items()}
    if variant.again is not None:
        again = variant.again
        variant.again = replace(
            again,
            value=rewrite(again.value, asking.field_of),
            step=rewrite(again.step, asking.field_of),
        )
    for expr in (variant.where, variant.when, *variant.lets.values()):
        for node in walk(expr):
            if isinstance(node, Call) and node.function in ASKED:
                raise ContentError(
                    f"{node.mark}: rule {variant.rule.id}: {node.function} gives a number that is "
                    "held against a figure: write a comparison with a figure or a parameter"
                )
    return list(asking.questions.values())


class _Asking:
    """Collects the questions of one variant."""

    def __init__(self, variant: Variant, zone: str) -> None:
        self.variant, self.zone = variant, zone
        self.questions: dict[str, Question] = {}

    def field_of(self, node: Expr) -> Expr:
        """The field that stands for a call, or for a comparison of one; other nodes as they are."""
        if isinstance(node, Call) and node.function in ASKED and node.type.name == "bool":
            return self._asked(node, None)
        if isinstance(node, Compare):
            for call, figure, op in (
                (node.left, node.right, node.op),
                (node.right, node.left, _FLIP[node.op]),
            ):
                if isinstance(call, Call) and call.function in ASKED and isinstance(figure, Const):
                    assert isinstance(figure.value, int | Fraction)
                    return self._asked(call, (op, Fraction(figure.value)))
        return node

    def _asked(self, call: Call, comparison: tuple[str, Fraction] | None) -> Expr:
        parties = tuple(
            arg.path.removesuffix(".id") for arg in call.args if isinstance(arg, FieldRef)
        )
        words = tuple(str(arg.value) for arg in call.args if isinstance(arg, Const))
        text = f"{call.function}({', '.join((*parties, *words))})"
        if comparison is not None:
            text += f" {comparison[0]} {comparison[1]}"
        made = Question("", call.function, parties, words, comparison)
        return self._put(text, made, any(p in _SIDED for p in parties))

    def detected(self, detector: str, params: Mapping[str, Any]) -> Expr:
        """The field that says whether a detector has found something at this event."""
        rule = self.variant.rule
        plain = {key: self._plain(value) for key, value in sorted(params.items())}
        text = ", ".join(f"{key}={_shown(value)}" for key, value in plain.items())
        if rule.status == "shadow":  # another question: what it may rest on is not the same
            text = f"{text}, shadow" if text else "shadow"
        made = Question("", detector, params=plain)
        sided = any(is_sided(key_parts(rule.per, t), t) for t in rule.on)
        return self._put(f"{detector}({text})", made, sided)

    def _plain(self, value: Any) -> Any:
        """A parameter's figure in place of its name."""
        if isinstance(value, dict):
            return {key: self._plain(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self._plain(part) for part in value]
        if isinstance(value, ParamRef):
            figure = self.variant.params[value.name]
            return value_text(figure.value, figure.type)
        return value

    def _put(self, text: str, question: Question, sided: bool) -> FieldRef:
        on = self.variant.rule.on
        text += f" @{self.variant.jurisdiction}"
        question = replace(
            question,
            zone=self.zone,
            jurisdiction=self.variant.jurisdiction,
            shadow=self.variant.rule.status == "shadow",
        )
        mark = self.variant.rule.mark
        if sided and "transaction" in on:
            if len(on) > 1:
                raise ContentError(
                    f"{mark}: rule {self.variant.rule.id}: what is asked of the sides of a "
                    "payment cannot be asked of other events in the same rule"
                )
            for side, named in _SIDES.items():
                parties = tuple(named.get(p, p) for p in question.parties)
                name = f"{side}.{text}"
                self.questions[name] = replace(
                    question, name=name, parties=parties, types=("transaction",), side=side
                )
            return FieldRef(f"party.{text}", Type("bool"), mark)
        name = f"event.{text}"
        types = tuple(t for t in on if all(_is_party(t, p) for p in question.parties))
        self.questions[name] = replace(question, name=name, types=types)
        return FieldRef(name, Type("bool"), mark)


def _is_party(event_type: str, path: str) -> bool:
    return path in PREFIXES[event_type] or has_path(event_type, path)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "[" + " ".join(_shown(part) for part in value) + "]"
    if isinstance(value, dict):
        return "{" + " ".join(f"{k}={_shown(v)}" for k, v in sorted(value.items())) + "}"
    return str(value)


def columns_of(question: Question) -> Iterator[tuple[str, str]]:
    """Event types and paths of the parties that a question names, as columns."""
    for event_type in question.types:
        for path in question.parties:
            yield event_type, f"{path}.id" if path in PREFIXES[event_type] else path


class Asking:
    """The detectors of one run at work: asked block by block, before rules are judged."""

    def __init__(
        self,
        questions: Mapping[str, Question],
        detectors: Detectors,
        columns: ColumnRegistry,
        vocabulary: Vocabulary,
        jurisdictions: Sequence[str],
    ) -> None:
        self.columns = columns
        self.view = View(columns, vocabulary, jurisdictions)
        self.answering: list[tuple[str, Answering, list[Question]]] = []
        self._by_name: dict[str, Answering] = {}
        for detector, mine in shared_out(questions, detectors):
            started = detector.start(mine)
            self.answering.append((detector.name, started, mine))
            self._by_name.update((question.name, started) for question in mine)
        self.reach_us = max((answering.reach_us for _, answering, _ in self.answering), default=0)
        """So far back findings name events."""

    def leave_out(self, names: Container[str]) -> None:
        """Ask detectors of these names no more: somebody else asks them about the same events."""
        left = {name for name, _, _ in self.answering if name in names}
        for name, _, questions in self.answering:
            if name in left:
                for question in questions:
                    del self._by_name[question.name]
        self.answering = [found for found in self.answering if found[0] not in left]

    def ask(
        self,
        block: Block,
        src: Int64,
        first: int,
        payments: npt.NDArray[np.bool_],
        governed: npt.NDArray[np.uint64],
    ) -> None:
        """Fill in the columns of all questions for the events of a block, in canonical order.

        ``governed``: by event, a bit for each jurisdiction that governs it.
        """
        self.view.show(block, src, first, payments, governed)
        for _, answering, questions in self.answering:
            answers = answering.answer(self.view)
            for question in questions:
                values = np.where(self.view.asked(question), answers[question.name], UNKNOWN)
                block.columns[self.columns.index[question.name], src] = values

    def finding(self, path: str, side: int, event: int) -> tuple[str, Finding] | None:
        """The finding behind a field of a row, by the field's path and the row's side."""
        name = question_name(path, side)
        answering = self._by_name.get(name)
        found = None if answering is None else answering.finding(name, event)
        return None if found is None else (path, found)

    def findings(self) -> dict[tuple[str, int], Finding]:
        """Every finding about the present block, by question and place of the event."""
        found: dict[tuple[str, int], Finding] = {}
        for _, answering, questions in self.answering:
            for question in questions:
                told = self.view.asked(question) & (self.view.answers(question.name) != NO)
                for place in np.flatnonzero(told).tolist():
                    finding = answering.finding(question.name, place)
                    if finding is not None:
                        found[question.name, place] = finding
        return found

    def export(self) -> dict[str, npt.NDArray[Any]]:
        """The state of all detectors, by name."""
        return {
            f"{name}.{key}": array
            for name, answering, _ in self.answering
            for key, array in answering.export().items()
        }

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Put an exported state back."""
        for name, answering, _ in self.answering:
            prefix = f"{name}."
            answering.restore(
                {key[len(prefix) :]: a for key, a in arrays.items() if key.startswith(prefix)}
            )


def question_name(path: str, side: int) -> str:
    """Name of the question behind a field of a row; empty where the row has no such side."""
    pair = sides(path)
    return path if pair is None else pair[side] if side < 2 else ""


def shared_out(
    questions: Mapping[str, Question], detectors: Detectors
) -> Iterator[tuple[Detector, list[Question]]]:
    """Each detector that is asked something, and what it is asked."""
    for detector in detectors:
        mine = [q for _, q in sorted(questions.items()) if q.asks in detector.asks]
        if mine:
            yield detector, mine


def check_questions(questions: Mapping[str, Question], detectors: Detectors) -> None:
    """ContentError that lists every question that its detector cannot answer as it is put."""
    faults = [
        f"{question.name}: {fault}"
        for detector, mine in shared_out(questions, detectors)
        for question in mine
        if (fault := detector.check(question)) is not None
    ]
    if faults:
        raise ContentError("; ".join(faults))


def _numbers(types: Sequence[str]) -> list[int]:
    return [EVENT_TYPES.index(name) for name in types]


class View:
    """A block as detectors see it; see ``regtech.ports.detection.Events``."""

    def __init__(
        self, columns: ColumnRegistry, vocabulary: Vocabulary, jurisdictions: Sequence[str]
    ) -> None:
        self._index = columns
        self._bits = {name: np.uint64(1 << place) for place, name in enumerate(jurisdictions)}
        self._words = vocabulary
        self.first = 0
        self._block: Block | None = None
        self._src: Int64 = np.zeros(0, np.int64)
        self._columns: dict[str, Int64] = {}
        self._asked: dict[tuple[tuple[str, ...], str], npt.NDArray[np.bool_]] = {}
        """Of which events is asked what, by types and jurisdiction."""
        self.payments = np.zeros(0, np.bool_)
        self._governed = np.zeros(0, np.uint64)

    def show(
        self,
        block: Block,
        src: Int64,
        first: int,
        payments: npt.NDArray[np.bool_],
        governed: npt.NDArray[np.uint64],
    ) -> None:
        """Look at another block."""
        self._block, self._src, self.first, self.payments = block, src, first, payments
        self._governed = governed
        self._columns.clear()
        self._asked.clear()

    @property
    def count(self) -> int:
        """How many events."""
        return len(self._src)

    @property
    def types(self) -> Int64:
        """Type of each event."""
        return self.column("type")

    @property
    def times(self) -> Int64:
        """Instant of each event."""
        return self.column("time")

    def asked(self, question: Question) -> npt.NDArray[np.bool_]:
        """Of which events a question is asked."""
        key = question.types, question.jurisdiction
        found = self._asked.get(key)
        if found is None:
            of_type = np.zeros(len(EVENT_TYPES), np.bool_)
            of_type[_numbers(question.types)] = True
            found = of_type[self.types]
            if question.jurisdiction:
                found &= self._governed & self._bits[question.jurisdiction] != 0
            self._asked[key] = found
        return found.copy()  # who asks may change it

    def column(self, path: str) -> Int64:
        """Values of a field. KeyError for one that was not asked for."""
        assert self._block is not None
        found = self._columns.get(path)
        if found is None:
            found = self._block.columns[self._index.index[path], self._src]
            self._columns[path] = found
        return found

    def values(self, path: str, places: npt.NDArray[np.intp]) -> Int64:
        """Values of a field at some places."""
        assert self._block is not None
        found = self._columns.get(path)
        if found is None:
            found = self._block.columns[self._index.index[path]]
            places = self._src[places]
        return np.asarray(found[places], np.int64)

    def answers(self, name: str) -> Int64:
        """What was answered to a question, as it stands in the block."""
        assert self._block is not None
        found: Int64 = self._block.columns[self._index.index[name], self._src]
        return found

    def text(self, code: int) -> str:
        """Text of a symbol."""
        return self._words.text(code)

    def texts(self, codes: Sequence[int]) -> list[str]:
        """Texts of several symbols."""
        return self._words.texts(codes)

    def event_id(self, place: int) -> str:
        """Id of an event of the block."""
        assert self._block is not None
        return self._block.id_of(int(self._src[place]))
