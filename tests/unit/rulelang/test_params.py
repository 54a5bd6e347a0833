"""Parameters and instruments as a pack writes them."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from regtech.content.yamlmarks import load
from regtech.rulelang.faults import Faults
from regtech.rulelang.ir import Duration, Money, Param, Span, Type, Value
from regtech.rulelang.nodes import NodeReader
from regtech.rulelang.params import read_params
from regtech.rulelang.scope import Names

NAMES = Names(currencies=frozenset({"CNY", "EUR", "GBP"}))


def read(text: str) -> tuple[dict[str, Param], list[str]]:
    document = load(text, "f")
    assert document.problems == []
    faults = Faults()
    params = read_params(NodeReader(document, faults), document.root, NAMES)
    return params, [fault.code for fault in faults.ordered()]


FIGURES: list[tuple[str, Value, Type]] = [
    ("CNY 50000", Money(Fraction(50000), "CNY"), Type("money", currency="CNY")),
    ('"GBP 12,000.50"', Money(Fraction(24001, 2), "GBP"), Type("money", currency="GBP")),
    ("25%", Fraction(1, 4), Type("ratio")),
    ('"25%"', Fraction(1, 4), Type("ratio")),
    ("0.10", Fraction(1, 10), Type("ratio")),
    ("3", 3, Type("int")),
    ('"3"', "3", Type("symbol")),
    ('"007"', "007", Type("symbol")),
    ('"5 CNY"', "5 CNY", Type("symbol")),
    ("5 working days", Duration(5, "working_days"), Type("duration")),
    ("[a, b, a]", frozenset({"a", "b"}), Type("words")),
    ("online", "online", Type("symbol")),
    ("true", True, Type("bool")),
]


@pytest.mark.parametrize(("text", "value", "type_"), FIGURES, ids=[f[0] for f in FIGURES])
def test_a_figure(text: str, value: Value, type_: Type) -> None:
    params, faults = read(f"x: {{value: {text}, basis: law}}")
    assert faults == []
    assert params["x"].type == type_
    assert [version.value for version in params["x"].versions] == [value]


def test_dated_figures_are_in_order_of_time_and_may_change_currency() -> None:
    params, faults = read(
        "x:\n  basis: law\n  values:\n"
        "    - {from: 2026-06-30, value: GBP 12000}\n"
        "    - {until: 2026-06-29, value: EUR 15000}\n"
    )
    assert faults == []
    param = params["x"]
    assert param.type == Type("money", currency="*x")
    assert [(version.span, version.value) for version in param.versions] == [
        (Span(None, date(2026, 6, 29)), Money(Fraction(15000), "EUR")),
        (Span(date(2026, 6, 30), None), Money(Fraction(12000), "GBP")),
    ]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("X: {value: 3, basis: law}", ["RL106"]),
        ("x: {value: 3}", ["RL102"]),
        ("x: {value: 3, basis: lore}", ["RL104"]),
        ("x: 3", ["RL103"]),
        ("x: {value: {a: 1}, basis: law}", ["RL103"]),
        ("x: {value: [], basis: law}", ["RL107"]),
        ("x: {value: 2026-01-01, basis: law}", ["RL107"]),
        ("x: {value: ~, basis: law}", ["RL107"]),
        ('x: {value: "CYN 5", basis: law}', ["RL209"]),
        ("x: {values: 3, basis: law}", ["RL103"]),
        ("x: {values: [{from: 2026-01-01}], basis: law}", ["RL102"]),
        (
            "x:\n  basis: law\n  values:\n    - {until: 2026-01-01, value: CNY 1}\n"
            "    - {from: 2026-01-02, value: 1}",
            ["RL206"],
        ),
        (
            "x:\n  basis: law\n  values:\n    - {until: 2026-01-01, value: 1 event}\n"
            "    - {from: 2026-01-02, value: 1 person}",
            ["RL207"],
        ),
        ("x: {value: 3, basis: law, cite: Art 1}", ["RL101"]),
        ("x: {value: 3, basis: default, article: 1}", ["RL402"]),
    ],
)
def test_faulty_parameters(text: str, codes: list[str]) -> None:
    assert read(text)[1] == codes


def test_a_whole_number_and_a_ratio_are_one_kind_of_figure() -> None:
    params, faults = read(
        "x: {values: [{until: 2026-01-01, value: 1}, {from: 2026-01-02, value: 0.5}], basis: law}"
    )
    assert faults == []
    assert params["x"].type == Type("ratio")
