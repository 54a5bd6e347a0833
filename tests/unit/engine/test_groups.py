"""The group of a subject in its alerts: as the event gives it, or as the register had it then."""

from __future__ import annotations

from typing import Any

import pytest

from regtech.engine.subjects import group_path
from regtech.reference.load import Reference
from regtech.rulelang.packs import load_text
from regtech.sandbox.harness import judge_events

PACK = """
pack: trial
version: 1.0.0
jurisdiction: INTL
title: {en: Trial, zh: 试验}
rules:
  - id: trial-rule
    title: {en: Trial, zh: 试验}
    on: transaction
    per: customer
    when: currency == "USD"
    alert: {kind: indicator, severity: low}
    tests:
      - name: met
        events: [{time: "2026-03-02T10:00:00Z", payee: {id: C1}, amount: "1", currency: USD}]
        expect: {alert: {subject: C1}}
      - name: near
        events: [{time: "2026-03-02T10:00:00Z", payee: {id: C1}, amount: "1", currency: EUR}]
        expect: none
"""


def _event(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"e{number}",
        "time": f"2026-03-{2 + number:02}T10:00:00Z",
        "reporter": "R1",
        **more,
    }


def _payment(number: int, **payee: Any) -> dict[str, Any]:
    party = {"id": "C1", **payee}
    return _event(number, type="transaction", amount="5", currency="USD", payee=party)


def _register(number: int, group: str) -> dict[str, Any]:
    return _event(number, type="party", party={"id": "C1", "group": group})


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_a_customer_has_the_group_that_was_known_at_the_event(batch: int) -> None:
    """Whatever came in the same batch afterwards."""
    events = [
        _payment(0),
        _register(1, "G1"),
        _payment(2),
        _payment(3, group="G9"),
        _register(4, "G2"),
        _payment(5),
    ]
    assert _groups(events, batch) == [None, "G1", "G9", "G2"]


def test_of_several_parties_none_is_chosen() -> None:
    assert group_path(("account",), "transaction") == "party.group"
    assert group_path(("event",), "data_transfer") == "exporter.group"
    assert group_path(("event",), "transaction") is None  # a payment has two sides
    assert group_path(("holder", "counterparty"), "exposure") is None
    assert group_path(("holder", "counterparty.group"), "exposure") is None
    assert group_path(("group",), "loan") is None  # it is the subject itself


def _groups(events: list[dict[str, Any]], batch: int) -> list[str | None]:
    pack, faults = load_text(PACK)
    assert pack is not None and not [f for f in faults if f.severity == "error"], faults
    made = judge_events([pack], events, Reference.shipped(), batch=batch)
    return [alert.subject.get("group") for alert in made.alerts]
