"""Figures as text, and back."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtech.rulelang.ir import Duration, Money, Type, Value
from regtech.rulelang.values import (
    ValueFault,
    duration_text,
    number_text,
    parse_duration,
    parse_value,
    value_text,
)

CURRENCIES = frozenset({"CNY", "GBP", "BTC", "USDT"})

GOOD: list[tuple[str, Value, Type]] = [
    ("CNY 50000", Money(Fraction(50000), "CNY"), Type("money", currency="CNY")),
    ("GBP 12,000.50", Money(Fraction(24001, 2), "GBP"), Type("money", currency="GBP")),
    ("BTC 0.00000001", Money(Fraction(1, 10**8), "BTC"), Type("money", currency="BTC")),
    ("USDT 5", Money(Fraction(5), "USDT"), Type("money", currency="USDT")),
    ("25%", Fraction(1, 4), Type("ratio")),
    ("0.5 %", Fraction(1, 200), Type("ratio")),
    ("0.25", Fraction(1, 4), Type("ratio")),
    ("3", 3, Type("int")),
    ("-3", -3, Type("int")),
    ("1,000,000", 1_000_000, Type("int")),
    ("1000000 persons", 1_000_000, Type("int", unit="persons")),
    ("1 person", 1, Type("int", unit="persons")),
    ("3 events", 3, Type("int", unit="events")),
    ("2 layers", 2, Type("int", unit="layers")),
    ("72 hours", Duration(72 * 3600, "seconds"), Type("duration")),
    ("90 minutes", Duration(5400, "seconds"), Type("duration")),
    ("15 days", Duration(15, "days"), Type("duration")),
    ("2 weeks", Duration(14, "days"), Type("duration")),
    ("12 months", Duration(12, "months"), Type("duration")),
    ("1 year", Duration(12, "months"), Type("duration")),
    ("5 working days", Duration(5, "working_days"), Type("duration")),
    ("abc", "abc", Type("symbol")),
]

BAD = [
    ("CYN 5", "RL209"),
    ("5 CNY", "RL107"),
    ("CNY 5,00", "RL107"),
    ("CNY five", "RL107"),
    ("CNY 1e3", "RL107"),
    ("5 persns", "RL109"),
    ("1.5 persons", "RL107"),
    ("1.5 days", "RL107"),
    ("0 days", "RL107"),
    ("1e3", "RL107"),
    ("1.2.3", "RL107"),
    ("5 working days after", "RL109"),
    ("9" * 100, "RL107"),
]


@pytest.mark.parametrize(("text", "value", "type_"), GOOD, ids=[text for text, _, _ in GOOD])
def test_figures_are_read_exactly(text: str, value: Value, type_: Type) -> None:
    assert parse_value(text, CURRENCIES) == (value, type_)


@pytest.mark.parametrize(("text", "code"), BAD, ids=[text[:20] for text, _ in BAD])
def test_what_is_no_figure_says_why(text: str, code: str) -> None:
    found = parse_value(text, CURRENCIES)
    assert isinstance(found, ValueFault)
    assert found.code == code


def test_a_length_of_time_is_required_as_such() -> None:
    assert parse_duration("5 working days") == Duration(5, "working_days")
    assert isinstance(parse_duration("CNY 5"), ValueFault)
    assert isinstance(parse_duration("5"), ValueFault)


@pytest.mark.parametrize(("text", "value", "type_"), GOOD, ids=[text for text, _, _ in GOOD])
def test_a_figure_is_written_as_it_can_be_read(text: str, value: Value, type_: Type) -> None:
    assert parse_value(value_text(value, type_), CURRENCIES) == (value, type_) or text == "1 year"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (Duration(3600, "seconds"), "1 hour"),
        (Duration(5400, "seconds"), "90 minutes"),
        (Duration(61, "seconds"), "61 seconds"),
        (Duration(1, "working_days"), "1 working day"),
        (Duration(12, "months"), "12 months"),
    ],
)
def test_lengths_of_time_in_words(length: Duration, text: str) -> None:
    assert duration_text(length) == text
    assert parse_duration(text) == length


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9))
def test_numbers_are_written_exactly(number: object) -> None:
    value = Fraction(str(number))
    assert Fraction(number_text(value)) == value
    assert Fraction(number_text(value, grouped=True).replace(",", "")) == value


def test_a_fraction_without_a_decimal_form() -> None:
    assert number_text(Fraction(1, 3)) == "1/3"
