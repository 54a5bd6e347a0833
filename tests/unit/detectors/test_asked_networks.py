"""The networks of a run let go of parties that nothing needs any more, and tell the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from detectors.graph import asked
from detectors.graph.asked import Networks
from regtech.ports.detection import UNKNOWN, Question
from regtech.reference.load import Reference

DAY = 86_400_000_000
QUESTION = Question(
    "fans", "fan_in", params={"within": "2 days", "least": "3", "concentration": "0%"},
    types=("transaction",),
)  # fmt: skip


@dataclass
class Block:
    """Payments of one day: ten payers of one payee, all of them new, and one pair that returns."""

    first: int
    count: int
    times: npt.NDArray[np.int64]
    payer: npt.NDArray[np.int64]
    payee: npt.NDArray[np.int64]

    @property
    def types(self) -> npt.NDArray[np.int64]:
        return np.zeros(self.count, np.int64)

    @property
    def payments(self) -> npt.NDArray[np.bool_]:
        return np.ones(self.count, np.bool_)

    def asked(self, question: Question) -> npt.NDArray[np.bool_]:
        return np.ones(self.count, np.bool_)

    def column(self, path: str) -> npt.NDArray[np.int64]:
        known = {"payer.id": self.payer, "payee.id": self.payee}
        plain = {"amount": 1000, "currency": 0, "reporter": 1}
        return known[path] if path in known else np.full(self.count, plain.get(path, UNKNOWN))

    def values(self, path: str, places: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
        return self.column(path)[places]

    def texts(self, codes: Sequence[int]) -> list[str]:
        return [self.text(code) for code in codes]

    def text(self, code: int) -> str:
        return f"party-{code}"

    def event_id(self, place: int) -> str:
        return f"event-{self.first + place}"


def day(k: int) -> Block:
    codes = 100 + 50 * k + np.arange(10)
    return Block(
        20 * k, 20, DAY * k + np.arange(20) * 1_000_000, np.append(codes, codes),
        np.append(np.full(10, 100 + 50 * k + 11), np.full(10, 7 + k % 3)),
    )  # fmt: skip


def told(forget_from: int, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], int]:
    """What a hundred and fifty days find, restarted now and then, and the parties still held."""
    monkeypatch.setattr(asked, "_FORGET_FROM", forget_from)
    networks = Networks(Reference.shipped().currencies)
    running = networks.start([QUESTION])
    found: list[Any] = []
    for k in range(150):
        block = day(k)
        answers = running.answer(block)
        for place in np.flatnonzero(answers["fans"]).tolist():
            finding = running.finding("fans", place)
            assert finding is not None
            found.append((k, place, finding.key, finding.step, finding.data))
        if k % 40 == 39:
            state = {name: array.copy() for name, array in running.export().items()}
            running = networks.start([QUESTION])
            running.restore(state)
    return found, int((running.export()["codes"] >= 0).sum())


def test_parties_and_names_are_let_go_of_and_the_findings_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted, everybody = told(10**9, monkeypatch)
    found, held = told(64, monkeypatch)
    assert found == wanted and len(found) > 300
    assert everybody == 150 * 11 + 3 and held < 1500


def test_parties_are_numbered_as_they_come_and_numbers_are_used_again() -> None:
    """Each party once, in the order of its first payment; what was let go of last is used first,
    also by a graph that was put back."""
    networks = Networks(Reference.shipped().currencies)
    run = networks.start([QUESTION])
    first = run._nodes(np.array([50, 40, 50, 9_000, 40, 20_000]))
    assert first.tolist() == [0, 1, 0, 2, 1, 3]
    run._forget()
    assert run.export()["codes"].tolist() == [-1, -1, -1, -1]
    put_back = networks.start([QUESTION])
    put_back.restore(run.export())
    for graph in (run, put_back):
        assert graph._nodes(np.array([40, 60, 40, 70, 80, 90, 40])).tolist() == [
            3,
            2,
            3,
            1,
            0,
            4,
            3,
        ]
        assert graph.export()["codes"].tolist() == [80, 70, 60, 40, 90]
        assert graph._nodes(np.array([90, 40])).tolist() == [4, 3]
