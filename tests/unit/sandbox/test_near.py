"""Near misses: which rules can have them, and where the border lies."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from regtech.engine.plan import compile_plan
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack
from regtech.rulelang.packs import load_text, require_packs
from regtech.sandbox.harness import judge_events
from regtech.sandbox.near import SUFFIX, NearMisses, with_near

SHARE = Fraction(5, 100)
PACK = """\
pack: near-trial
version: 1.0.0
jurisdiction: CN
title: {{en: Trial, zh: 试验}}
params:
  limit: {{value: CNY 10000, basis: default}}
  number: {{value: 40, basis: default}}
  share: {{value: "0.5", basis: default}}
rules:
  - id: near-one
    title: {{en: One, zh: 一}}
    on: transaction
    per: customer
    {rule}
    alert: {{kind: limit, severity: low}}
    tests:
      - name: met
        events: [{{time: "2026-03-02T10:00:00Z", payee: {{id: C}}, amount: "1", currency: CNY}}]
        expect: {{alert: {{subject: C}}}}
      - name: not met
        events: [{{time: "2026-03-02T10:00:00Z", payee: {{id: C}}, amount: "1", currency: CNY}}]
        expect: none
"""
PARAMS = ("limit", "number", "share")


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.shipped()


def pack_of(rule: str) -> Pack:
    unused = {"limit", "number", "share"} - {
        name for name in ("limit", "number", "share") if f'"{name}"' in rule
    }
    text = "".join(
        line
        for line in PACK.format(rule=rule).splitlines(keepends=True)
        if not any(line.startswith(f"  {name}:") for name in unused)
    )
    made, faults = load_text(text)
    # RL601: a rule has tests; these have theirs here.
    assert made is not None and made.rules, [str(fault) for fault in faults]
    return made


def deposits(*given: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [
        {
            "id": f"e{number}",
            "type": "transaction",
            "time": f"2026-03-{time}:00+08:00",
            "reporter": "B",
            "payee": {"id": customer},
            "amount": amount,
            "currency": "CNY",
        }
        for number, (time, customer, amount) in enumerate(given)
    ]


def near(rule: str, events: list[dict[str, Any]], reference: Reference) -> list[tuple[str, str]]:
    """Subject and time of what is near and not met."""
    pack = pack_of(rule)
    packs = with_near([pack], SHARE)
    again = {r.id for r in pack.rules if r.again is not None}
    windows = {"near-one": 86_400_000_000} if "24h" in rule else {}
    found = NearMisses({"near-one"}, windows, again)
    trial = judge_events(packs, events, reference, home="CN")
    real = found.take(trial.alerts)
    assert real == judge_events([pack], events, reference, home="CN").alerts
    kept = NearMisses({"near-one"}, windows, again)
    kept.restore(found.export())
    assert kept.lines() == found.lines()
    made = [json.loads(line) for line in found.lines()]
    assert all(entry["rule"] == "near-one" and entry["outcome"] == "near" for entry in made)
    return [(entry["subject"]["id"], entry["time"][8:16]) for entry in made]


DAY = 'when: sum(amount_in("CNY"), over=day) >= param("limit")'


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("9499.99", []), ("9500", ["C"]), ("9999.99", ["C"]), ("10000", [])],
)
def test_the_border_is_exact(reference: Reference, amount: str, expected: list[str]) -> None:
    events = deposits(("02T10:00", "C", amount))
    assert [subject for subject, _ in near(DAY, events, reference)] == expected


def test_more_than_is_more_than(reference: Reference) -> None:
    rule = DAY.replace(">=", ">")
    events = deposits(("02T10:00", "A", "9500"), ("02T10:00", "B", "9500.01"))
    events += [{**e, "id": f"x{e['id']}"} for e in deposits(("02T10:00", "C", "10000"))]
    assert [subject for subject, _ in near(rule, events, reference)] == ["B", "C"]


def test_a_subject_that_meets_the_rule_later_in_the_period_is_none(reference: Reference) -> None:
    events = deposits(
        ("02T10:00", "C", "9600"), ("02T11:00", "C", "400"), ("03T10:00", "C", "9700")
    )
    assert near(DAY, events, reference) == [("C", "03T02:00")]


def test_a_rolling_window_looks_both_ways(reference: Reference) -> None:
    rule = 'when: sum(amount_in("CNY"), over=24h) >= param("limit")'
    events = deposits(
        ("02T10:00", "A", "9600"),
        ("03T09:00", "A", "400"),  # met within a day of it
        ("05T10:00", "A", "9600"),
        ("02T10:00", "B", "9600"),
    )
    events.sort(key=lambda event: event["time"])
    assert near(rule, events, reference) == [("B", "02T02:00"), ("A", "05T02:00")]


def test_limits_in_names_and_turned_round(reference: Reference) -> None:
    rule = """let:
      total: sum(amount_in("CNY"), over=day)
      bound: param("limit") * 2
      high: not total < bound
    when: high"""
    events = deposits(("02T10:00", "A", "18999.99"), ("02T10:00", "B", "19000"))
    assert [subject for subject, _ in near(rule, events, reference)] == ["B"]


def test_counts_and_several_limits(reference: Reference) -> None:
    rule = """let:
      total: sum(amount_in("CNY"), over=day)
    when: count(over=day) >= param("number") and total > param("limit")"""
    few = deposits(*(("02T10:00", "A", "1000") for _ in range(38)))
    fewer = [{**e, "id": f"x{e['id']}"} for e in deposits(*(("02T10:00", "B", "1000"),) * 37)]
    assert [subject for subject, _ in near(rule, few + fewer, reference)] == ["A"]


@pytest.mark.parametrize(
    "rule",
    [
        'when: amount_in("CNY") < param("limit")',
        "when: missing(purpose)",
        'when: not amount_in("CNY") >= param("limit")',
        'where: amount_in("CNY") >= param("limit")\n    when: missing(purpose)',
    ],
)
def test_rules_that_have_no_near_misses(rule: str) -> None:
    assert not [r for r in with_near([pack_of(rule)], SHARE)[0].rules if r.id.endswith(SUFFIX)]


def test_every_shipped_near_rule_compiles(reference: Reference) -> None:
    packs = require_packs()
    plain, beside = compile_plan(packs, reference), compile_plan(with_near(packs, SHARE), reference)
    extra = {rule.id for _, rule in beside.rules} - {rule.id for _, rule in plain.rules}
    assert len(extra) > 40 and all(name.endswith(SUFFIX) for name in extra)
    # A near rule reads what its rule reads: nothing more has to be measured.
    assert len(beside.measures) == len(plain.measures)
    assert [pack.digest for pack in beside.packs] == [pack.digest for pack in plain.packs]
