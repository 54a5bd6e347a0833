"""Keys of subjects: codes share a word, what may be longer has one of its own."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from regtech.engine.columns import key_words
from regtech.engine.kernels.tables import T_WORDS
from regtech.engine.subjects import INSTITUTION, SLOT
from regtech.reference.load import Reference
from regtech.rulelang.packs import load_text
from regtech.sandbox.harness import judge_events

TEXT = """
pack: trial
version: 1.0.0
jurisdiction: EU
title: {{en: Trial, zh: 试验}}
params:
  limit: {{value: 2, basis: default}}
rules:
  - id: trial-rule
    title: {{en: Trial, zh: 试验}}
    on: transaction
    per: {per}
    by: {by}
    let:
      payments: count(over=day)
    when: payments >= param("limit")
    alert: {{kind: indicator, severity: low}}
    tests:
      - {{name: met, events: [{payment}, {payment}], expect: {{alert: {{subject: C1}}}}}}
      - {{name: near, events: [{payment}], expect: none}}
"""
PAYMENT = """{time: "2026-03-02T10:00:00Z", amount: "1", currency: EUR, channel: cash,
  payer: {id: C1}, payee: {name: N, birth_date: "2001-01-01"}}"""


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (["party.id"], [1]),
        ([INSTITUTION, "party.id"], [2]),
        ([INSTITUTION, "party.id", "direction"], [2, 1]),
        ([INSTITUTION, "party.id", "direction", "currency"], [2, 2]),
        ([SLOT, "channel", "purpose"], [2, 1]),
        (["party.name", "party.id", "channel"], [1, 2]),
        (["party.id", "party.birth_date", "channel"], [1, 1, 1]),
        (["lender.id", "due_date"], [1, 1]),
    ],
)
def test_two_codes_share_a_word(parts: list[str], words: list[int]) -> None:
    found = key_words(parts)
    assert [len(word) for word in found] == words
    assert [part for word in found for part in word] == parts


def payments() -> list[dict[str, Any]]:
    """Each of 32 differs from all others in some part, and comes twice."""
    values = product(["B1", "B2"], ["A", "B"], ["N", "M"], ["1969-12-30", "1971-01-02"], range(2))
    return [
        {
            "id": f"e{number}-{turn}",
            "type": "transaction",
            "time": f"2026-03-02T10:{turn:02}:{number:02}Z",
            "reporter": bank,
            "amount": "1",
            "currency": "EUR",
            "channel": ("cash", "wire")[channel],
            "payer": {"id": payer},
            "payee": {"name": name, "birth_date": born},
        }
        for (number, (bank, payer, name, born, channel)), turn in product(enumerate(values), (0, 1))
    ]


@pytest.mark.parametrize(
    ("per", "by", "subjects", "words"),
    [
        ("party", "", 2, 2),
        ("customer", "", 4, 2),
        ("customer", "channel", 8, 3),
        ("customer", "counterparty.name", 8, 3),
        ("customer", "counterparty.name, channel", 16, 4),
        ("customer", "channel, direction, counterparty.birth_date", 16, 3),
        ("customer", "channel, direction, counterparty.birth_date, counterparty.name", 32, 4),
    ],
)
def test_subjects_are_told_apart_by_every_part(
    per: str, by: str, subjects: int, words: int
) -> None:
    pack, faults = load_text(TEXT.format(per=per, by=f"[{by}]", payment=PAYMENT))
    assert pack is not None, faults
    assert not [fault for fault in faults if fault.severity == "error"], faults
    trial = judge_events([pack], payments(), Reference.shipped(), batch=5)
    table = trial.engine.judge.state.key_descriptors[:, T_WORDS]
    assert len({alert.id for alert in trial.alerts}) == len(trial.alerts) == subjects
    assert table.max() == words
