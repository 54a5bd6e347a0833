"""Cells of measures come from one pool, at a subject's first contribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from regtech.engine.kernels import measures as K
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack
from regtech.rulelang.packs import load_text
from regtech.sandbox.harness import Trial, judge_events

TEXT = """
pack: trial
version: 1.0.0
jurisdiction: EU
title: {en: Trial, zh: 试验}
params:
  limit: {value: "EUR 100", basis: default}
rules:
  - id: trial-rule
    title: {en: Trial, zh: 试验}
    on: transaction
    per: customer
    let:
      today: sum(amount_in("EUR"), over=day, where=channel == "cash")
      week: sum(amount_in("EUR"), over=7d, where=channel == "cash")
      payments: count(over=ever)
    when: today >= param("limit") and week >= param("limit") and payments >= 1
    alert: {kind: indicator, severity: low}
    tests:
      - name: met
        events:
          - time: "2026-03-02T10:00:00Z"
            payee: {id: C1}
            amount: "100"
            currency: EUR
            channel: cash
        expect: {alert: {subject: C1}}
      - name: near
        events:
          - time: "2026-03-02T10:00:00Z"
            payee: {id: C1}
            amount: "99"
            currency: EUR
            channel: cash
        expect: none
"""
SUBJECTS = 4000
"""More than fit into the first pool, in more than one stretch of a block."""


@pytest.fixture(scope="module")
def pack() -> Pack:
    made, faults = load_text(TEXT)
    assert made is not None, faults
    assert {fault.severity for fault in faults} <= {"warning"}, faults
    return made


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.shipped()


def payment(number: int, subject: int, channel: str) -> dict[str, Any]:
    return {
        "id": f"e{number}",
        "type": "transaction",
        "time": f"2026-03-02T10:{number // 600:02}:{number // 10 % 60:02}Z",
        "reporter": "R1",
        "amount": "60",
        "currency": "EUR",
        "channel": channel,
        "payee": {"id": f"C{subject}"},
    }


def words_taken(trial: Trial) -> int:
    return int(trial.engine.judge.state.pool[K.POOL_USED]) - max(K.CELL_WORDS)


def test_who_gives_a_measure_nothing_takes_no_cell_of_it(pack: Pack, reference: Reference) -> None:
    wires = [payment(k, k, "wire") for k in range(100)]
    cash = [payment(100 + k, k, "cash") for k in range(3)]
    count, total = (K.CELL_WORDS[K.KIND[kind]] for kind in ("count", "sum"))
    assert words_taken(judge_events([pack], wires, reference)) == 100 * count
    assert words_taken(judge_events([pack], wires + cash, reference)) == 100 * count + 3 * 2 * total


def test_a_block_takes_all_cells_it_needs(pack: Pack, reference: Reference) -> None:
    events = [payment(k, k % SUBJECTS, "cash") for k in range(2 * SUBJECTS)]
    whole = judge_events([pack], events, reference)
    assert len(whole.alerts) == SUBJECTS
    assert [a.id for a in whole.alerts] == [
        a.id for a in judge_events([pack], events, reference, batch=7).alerts
    ]


def test_the_words_that_stand_for_no_cell_stay_0(pack: Pack, reference: Reference) -> None:
    events = [payment(k, k % 50, "cash" if k % 3 else "wire") for k in range(900)]
    state = judge_events([pack], events, reference, batch=64).engine.judge.state
    assert not np.any(state.cells[: max(K.CELL_WORDS)])


def test_snapshots_hold_cells_in_one_order(pack: Pack, reference: Reference) -> None:
    events = [payment(k, k * 7 % 50, "cash" if k % 3 else "wire") for k in range(900)]
    whole, *others = (
        judge_events([pack], events, reference, batch=batch).engine.judge.state
        for batch in (900, 64, 1)
    )
    cells, places = whole.cells_in_order()
    assert len(cells) == whole.pool[K.POOL_USED]
    for other in others:
        np.testing.assert_array_equal(other.cells_in_order()[0], cells)
        for mine, its in zip(places, other.cells_in_order()[1], strict=True):
            np.testing.assert_array_equal(its, mine)
    assert any(not np.array_equal(other.cells[: len(cells)], cells) for other in others)
