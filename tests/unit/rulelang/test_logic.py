"""Conditions that can never, or always, be met."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtech.content.faults import Mark
from regtech.rulelang.ir import Compare, Const, Expr, FieldRef, Logic, Not, Type, Value
from regtech.rulelang.logic import always_met, never_met, spans_of_params
from regtech.rulelang.packs import load_text
from regtech.rulelang.register import Register

PACK = """\
pack: demo
version: 1.0.0
jurisdiction: CN
title: {{en: Demo, zh: 演示}}
params:
  low: {{value: CNY 5, basis: default}}
  high: {{value: CNY 9, basis: default}}
  moves:
    basis: default
    values:
      - {{until: 2026-06-30, value: CNY 3}}
      - {{from: 2026-07-01, value: CNY 7}}
rules:
  - id: first
    title: {{en: First, zh: 第一}}
    on: transaction
    per: customer
    let:
      total: sum(amount_in("CNY"), over=day)
      n: count(over=day)
    when: ({condition}) and (total > param("low") or total > param("high")
      or total > param("moves") or n > 0 or hour() > 1)
    alert: {{kind: indicator, severity: low}}
    tests:
      - {{name: a, events: [{{time: "2026-03-02T09:00:00Z"}}], expect: {{alert: {{subject: C1}}}}}}
      - {{name: b, events: [{{time: "2026-03-02T09:00:00Z"}}], expect: none}}
"""

NEVER = [
    'total > param("high") and total < param("low")',
    'total > param("low") and total <= param("low")',
    'total == param("low") and total == param("high")',
    'total == param("low") and total != param("low")',
    'total > param("low") * 2 and total < param("high")',
    'total >= least(param("low"), param("high")) and total < param("low")',
    "n > 2 and n < 3",
    "n < 0",
    "not (n >= 0)",
    "n >= 5 and not n >= 4",
    "hour() > 23",
    "weekday() == 0",
    "hour() < 6 and hour() > 22",
    "2 > 3",
    'channel == "cash" and channel == "wire"',
    'channel == "cash" and channel != "cash"',
    'channel in ("cash", "wire") and channel not in ("cash", "wire", "card")',
    'channel in ("cash", "wire") and channel in ("card", "bill")',
    "attempted and not attempted",
    "attempted == true and attempted == false",
    'payer.country in set("x") and payer.country not in set("x")',
    '"ciio" in payer.flags and "ciio" not in payer.flags',
    'missing(channel) and channel == "cash"',
    "missing(channel) and known(channel)",
    "missing(attempted) and attempted",
    "payer.id == payee.id and payer.id != payee.id",
    "payer.id != payer.id",
    "since_last() < 24h and since_last() > 2d",
    "false",
    "(attempted and false) or (n < 0 and occasional)",
]

POSSIBLE = [
    'total > param("low") and total < param("high")',
    'total >= param("low") and total <= param("low")',
    'total > param("moves") and total < param("low")',  # until 2026-06-30
    "n >= 2 and n < 3",
    "hour() >= 23",
    'channel == "cash" or channel == "wire"',
    'channel != "cash" and channel != "wire"',
    'missing(channel) or channel == "cash"',
    'payer.country == "CN" and payee.country == "HK"',
    "attempted and not occasional",
    "since_last() < 24h and since_last() > 2h",
    "payer.id == payee.id",
]


def faults(condition: str) -> list[str]:
    # 'n > 0 or hour() > 1' in the template keeps every figure and let used.
    return [f.code for f in load_text(PACK.format(condition=condition), "f", Register())[1]]


@pytest.mark.parametrize("condition", NEVER)
def test_contradictions_are_found(condition: str) -> None:
    assert faults(condition) == ["RL501"]


@pytest.mark.parametrize("condition", POSSIBLE)
def test_what_is_possible_is_left_alone(condition: str) -> None:
    assert faults(condition) == []


def test_spans_follow_the_figures() -> None:
    pack, found = load_text(PACK.format(condition="attempted"), "f", Register())
    assert pack is not None and found == []
    spans = spans_of_params(pack.rules[0], pack.params)
    assert [(span.first, span.last) for span, _ in spans] == [
        (None, date(2026, 6, 30)),
        (date(2026, 7, 1), None),
    ]
    assert [values["moves"] for _, values in spans] == [
        version.value for version in pack.params["moves"].versions
    ]


X, Y = (FieldRef(f"data.level{name}", Type("int")) for name in ("", "2"))
_atoms = st.builds(
    lambda op, side, value: Compare(op, side, Const(value, Type("int"))),
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.sampled_from([X, Y]),
    st.integers(-2, 2),
)
_conditions: st.SearchStrategy[Any] = st.recursive(
    _atoms,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(
            lambda op, a, b: Logic(op, (a, b)), st.sampled_from(["and", "or"]), inner, inner
        )
    ),
    max_leaves=6,
)


def holds(expr: Expr, values: Mapping[Expr, int]) -> bool:
    if isinstance(expr, Not):
        return not holds(expr.operand, values)
    if isinstance(expr, Logic):
        parts = [holds(operand, values) for operand in expr.operands]
        return all(parts) if expr.op == "and" else any(parts)
    assert isinstance(expr, Compare) and isinstance(expr.right, Const)
    left, right = values[expr.left], expr.right.value
    assert isinstance(right, int)
    found: bool = {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "==": left == right,
        "!=": left != right,
    }[expr.op]
    return found


@settings(max_examples=400, deadline=None)
@given(_conditions)
def test_never_and_always_are_true_of_every_value(condition: Expr) -> None:
    none: Mapping[str, Value] = {}
    worlds: list[Mapping[Expr, int]] = [{X: x, Y: y} for x in range(-4, 5) for y in range(-4, 5)]
    if never_met(condition, none):
        assert not any(holds(condition, world) for world in worlds)
    if always_met(condition, none):
        assert all(holds(condition, world) for world in worlds)


def test_a_single_comparison_is_decided_both_ways() -> None:
    mark = Mark("f", 1, 1)
    low = Compare(">", X, Const(Fraction(3), Type("ratio")), mark=mark)
    high = Compare("<=", X, Const(Fraction(3), Type("ratio")), mark=mark)
    assert never_met(Logic("and", (low, high)), {})
    assert always_met(Logic("or", (low, high)), {})
    assert not never_met(low, {}) and not always_met(low, {})
