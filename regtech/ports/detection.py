"""What rules ask of detectors, and how detectors answer: the port between engine and detectors.

A detector sees the events of a run in canonical order, each once, and answers questions about
them. A question is asked of an event as it happens: the answer rests on this event and on those
before it in canonical order, and on nothing else, so that it is the same however a run is cut
into blocks, and after every restart. Answers have three values like everything in the language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Arrays = dict[str, npt.NDArray[Any]]

NO: Final = 0
YES: Final = 1
UNKNOWN: Final = -(1 << 63)
"""The third answer: what it takes to know was not reported. A missing value of a column."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a rule wants to know of an event.

    ``name`` is unique and canonical; the answer is a column and, in an alert, a fact of this name.
    ``asks`` is the function or detector, ``parties`` are paths of parties of the event
    (``payer``), ``words`` names of lists, ``comparison`` the comparator and the figure that a
    number is held against, ``params`` what a ``detect:`` names. ``types``: types of events it is
    asked of. ``side``: of a payment, whose finding it is: ``payer``, ``payee`` or None.
    ``zone``: in which an instant has its day, where what is asked goes by days. ``jurisdiction``:
    whose rules ask; empty where nobody is asked about whom the law governs. ``shadow``: asked by a
    rule whose alerts nobody acts on.
    """

    name: str
    asks: str
    parties: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    comparison: tuple[str, Fraction] | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    types: tuple[str, ...] = ()
    side: str | None = None
    zone: str = "UTC"
    jurisdiction: str = ""
    shadow: bool = False

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a question was answered with yes or with "cannot tell", as it stands in an alert.

    ``data`` is plain JSON: list entry and parts of a score, paths and shares, edges of a network.
    ``events``: running numbers of the events that it rests on, the asked one apart. ``key`` and
    ``step`` name a finding that grows: the same key is the same finding, each step an alert that
    says more; an empty key leaves the period to the rule.
    """

    data: Mapping[str, Any]
    events: tuple[int, ...] = ()
    key: str = ""
    step: int = 0

    @property
    def period(self) -> str:
        """By which an alert is told apart from others of its rule and subject; empty: the rule
        says."""
        return f"{self.key}#{self.step}" if self.key and self.step else self.key

    def written(self, ids: Mapping[int, str]) -> dict[str, Any]:
        """As it stands in an alert; in ``edges`` an event's number becomes its id.

        An event too far back for its number to be known stands there by its id already.
        """
        made = dict(self.data)
        if "edges" in made:
            made["edges"] = [
                {**edge, "event": e if isinstance(e := edge["event"], str) else ids[e]}
                for edge in made["edges"]
            ]
        return {**made, "period": self.period} if self.key else made


class Events(Protocol):
    """Events of one block in canonical order, as a detector sees them."""

    @property
    def count(self) -> int:
        """How many events."""
        ...

    @property
    def first(self) -> int:
        """Running number of the first; the k-th has ``first + k``."""
        ...

    @property
    def types(self) -> Int64:
        """Type of each event: its place in ``EVENT_TYPES``."""
        ...

    @property
    def times(self) -> Int64:
        """Microseconds since 1970-01-01T00:00Z."""
        ...

    @property
    def payments(self) -> npt.NDArray[np.bool_]:
        """Which events are payments that nobody has reported before: edges of the network."""
        ...

    def asked(self, question: Question) -> npt.NDArray[np.bool_]:
        """Of which events a question is asked: those of its types that its jurisdiction governs."""
        ...

    def column(self, path: str) -> Int64:
        """Values of a field, ``UNKNOWN`` where it is missing; KeyError for one not asked for."""
        ...

    def values(self, path: str, places: npt.NDArray[np.intp]) -> Int64:
        """``column`` at some places alone."""
        ...

    def text(self, code: int) -> str:
        """Text of a symbol."""
        ...

    def texts(self, codes: Sequence[int]) -> list[str]:
        """Texts of several symbols."""
        ...

    def event_id(self, place: int) -> str:
        """Id of an event of the block, by its place."""
        ...


class Answering(Protocol):
    """A detector at work in one run."""

    reach_us: int
    """So far back its findings name events."""

    def answer(self, events: Events) -> Mapping[str, Int64]:
        """Take in a block; the answer to each question for each event, by the question's name.

        ``YES``, ``NO`` or ``UNKNOWN``; of events that a question is not asked of, anything.
        """
        ...

    def finding(self, name: str, place: int) -> Finding | None:
        """Why, for an event of the last block; None where the answer was no."""
        ...

    def export(self) -> Arrays:
        """The whole state as arrays, for a snapshot."""
        ...

    def restore(self, arrays: Arrays) -> None:
        """Put an exported state back. Raises KeyError or ValueError where it does not fit."""
        ...


class Detector(Protocol):
    """A detector that can be put to work."""

    name: str
    """Under which its state is kept."""
    asks: frozenset[str]
    """The functions and ``detector:`` names that it answers."""

    def check(self, question: Question) -> str | None:
        """What is wrong with a question, in a sentence; None where it can be answered."""
        ...

    def reads(self, questions: Sequence[Question]) -> Mapping[str, Sequence[str]]:
        """Fields that it reads, by type of event, to answer these. They are decoded for it."""
        ...

    def start(self, questions: Sequence[Question]) -> Answering:
        """Begin a run in which these questions are asked."""
        ...


@dataclass(frozen=True, slots=True)
class Decided:
    """What a finding comes to when it is decided again: ``YES``, ``NO``, ``UNKNOWN``, or None where
    it contradicts itself. ``note``: what could not be decided again, or what contradicts."""

    answer: int | None
    note: str = ""


@runtime_checkable
class DecidesAgain(Protocol):
    """A detector whose findings carry what it takes to decide them again."""

    asks: frozenset[str]

    def again(self, question: Question, data: Mapping[str, Any]) -> Decided:
        """Decide a finding again from its data, as it stands in an alert."""
        ...


Detectors = Sequence[Detector]
"""The detectors that are there; a rule that asks for another one waits."""
