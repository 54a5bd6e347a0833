"""Rates: dated lookup, inverse and cross, exact fractions, one rounding."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtech.errors import CapacityError, ContentError, InputError, UsageError
from regtech.reference.civil import day_from_iso
from regtech.reference.faults import Fault
from regtech.reference.load import Reference
from regtech.reference.rates import RateTable, round_half_even

REFERENCE = Reference.shipped()
CURRENCIES = REFERENCE.currencies
DAY = day_from_iso("2026-03-02")


def table(*rows: str, settings_text: str = "") -> RateTable:
    text = settings_text + "date,base,quote,rate\n" + "".join(f"{row}\n" for row in rows)
    return RateTable.parse(text, CURRENCIES)


@given(st.integers(-(10**22), 10**22), st.integers(1, 10**19))
def test_rounding_is_half_to_even(numerator: int, denominator: int) -> None:
    assert round_half_even(numerator, denominator) == round(Fraction(numerator, denominator))


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(1, 2, 0), (3, 2, 2), (5, 2, 2), (7, 2, 4), (-1, 2, 0), (-3, 2, -2), (51, 100, 1)],
)
def test_ties_go_to_the_even_number(numerator: int, denominator: int, expected: int) -> None:
    assert round_half_even(numerator, denominator) == expected


RATE_TEXTS = st.decimals(
    min_value=Decimal("0.0001"), max_value=Decimal("99999"), places=4, allow_nan=False
).filter(lambda rate: rate > 0)


@settings(max_examples=200)
@given(
    st.integers(0, (1 << 63) - 1),
    RATE_TEXTS,
    RATE_TEXTS,
    st.sampled_from(["CNY", "JPY", "KWD", "BTC", "ETH", "USD"]),
    st.sampled_from(["EUR", "KRW", "BHD", "USDT", "USD"]),
)
def test_conversion_is_exact_and_rounded_once(
    minor: int, first: Decimal, second: Decimal, source: str, target: str
) -> None:
    rows = []
    if source != "USD":
        rows.append(f"2026-03-02,{source},USD,{first}")
    if target != "USD":
        rows.append(f"2026-03-02,{target},USD,{second}")
    rates = table(*rows)
    main = Fraction(minor, 10 ** CURRENCIES[source].exponent)
    main *= Fraction(first) if source != "USD" else 1
    main /= Fraction(second) if target != "USD" else 1
    expected = round(main * 10 ** CURRENCIES[target].exponent)  # Fraction rounds half to even
    assert rates.convert(minor, source, target, DAY) == expected


def test_a_direct_rate_agrees_with_decimal_arithmetic() -> None:
    rates = table("2026-03-02,USD,CNY,7.1234")
    expected = (Decimal("100.05") * Decimal("7.1234")).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    assert rates.convert(10_005, "USD", "CNY", DAY) == int(expected * 100)
    assert rates.fraction("USD", "CNY", DAY) == (35_617, 5_000)


def test_decimals_of_both_currencies_are_in_the_fraction() -> None:
    rates = table("2026-03-02,USD,JPY,150", "2026-03-02,BTC,USD,100000")
    assert rates.convert(100, "USD", "JPY", DAY) == 150
    assert rates.convert(150, "JPY", "USD", DAY) == 100
    assert rates.convert(1, "BTC", "USD", DAY) == 0  # a tenth of a cent
    assert rates.convert(100_000_000, "BTC", "JPY", DAY) == 15_000_000


def test_the_latest_rate_on_or_before_the_day_holds_and_never_a_later_one() -> None:
    rates = table("2026-03-02,USD,CNY,7", "2026-03-05,USD,CNY,8")
    found = [rates.quote("USD", "CNY", DAY + shift) for shift in (-1, 0, 2, 3, 4)]
    assert [q and int(q.rate) for q in found] == [None, 7, 7, 8, 8]
    assert [q and q.day - DAY for q in found] == [None, 0, 0, 3, 3]


@pytest.mark.parametrize(("text", "days"), [("", 10), ("# max_age_days: 3\n", 3)])
def test_a_rate_that_is_too_old_is_unknown(text: str, days: int) -> None:
    rates = table("2026-03-02,USD,CNY,7", settings_text=text)
    assert rates.fraction("USD", "CNY", DAY + days) == (7, 1)
    assert rates.fraction("USD", "CNY", DAY + days + 1) is None
    assert rates.convert(100, "USD", "CNY", DAY + days + 1) is None
    assert rates.span() == (DAY, DAY + days)


def test_the_pair_itself_comes_before_its_inverse_and_the_inverse_before_the_pivot() -> None:
    rows = ["2026-03-02,EUR,USD,2", "2026-03-02,GBP,USD,4"]
    crossed = table(*rows).quote("EUR", "GBP", DAY)
    assert crossed is not None and (crossed.rate, crossed.via) == (Fraction(1, 2), "USD")
    inverse = table(*rows, "2026-03-02,GBP,EUR,3").quote("EUR", "GBP", DAY)
    assert inverse is not None and (inverse.rate, inverse.via) == (Fraction(1, 3), None)
    direct = table(*rows, "2026-03-02,GBP,EUR,3", "2026-03-02,EUR,GBP,5").quote("EUR", "GBP", DAY)
    assert direct is not None and direct.rate == 5


def test_a_cross_rate_bears_the_day_of_its_older_leg() -> None:
    rates = table("2026-03-02,EUR,USD,2", "2026-02-27,GBP,USD,4")
    found = rates.quote("EUR", "GBP", DAY)
    assert found is not None and found.day == day_from_iso("2026-02-27")
    assert rates.quote("EUR", "GBP", DAY + 8) is None  # that leg is too old


def test_another_pivot() -> None:
    rates = table("2026-03-02,EUR,SEK,11", "2026-03-02,EUR,PLN,4", settings_text="# pivot: EUR\n")
    found = rates.quote("SEK", "PLN", DAY)
    assert found is not None and (found.rate, found.via) == (Fraction(4, 11), "EUR")


def test_one_currency_needs_no_rate() -> None:
    assert table().fraction("CNY", "CNY", DAY) == (1, 1)
    assert table().fraction("CNY", "USD", DAY) is None
    assert table().span() is None
    with pytest.raises(UsageError, match="unknown currency"):
        table().fraction("CNY", "XXQ", DAY)


@pytest.mark.parametrize(
    ("rate", "text"),
    [("7.10", "7.1"), ("0.00012", "0.00012"), ("150", "150"), ("1000.5", "1000.5")],
)
def test_quotes_are_shown_as_exact_decimals(rate: str, text: str) -> None:
    rates = table(f"2026-03-02,USD,CNY,{rate}")
    assert str(rates.quote("USD", "CNY", DAY)) == text


def test_an_inverse_without_a_finite_decimal_is_shown_as_a_fraction() -> None:
    assert str(table("2026-03-02,USD,CNY,7.5").quote("CNY", "USD", DAY)) == "2/15"
    assert str(table("2026-03-02,USD,CNY,8").quote("CNY", "USD", DAY)) == "0.125"


def test_a_rate_with_too_many_digits_is_refused_and_never_cut() -> None:
    rates = table("2026-03-02,EUR,USD,123.123456789012345679")
    with pytest.raises(CapacityError, match="EUR to USD of 2026-03-02"):
        rates.fraction("EUR", "USD", DAY + 1)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 60),
            st.sampled_from(["USD,CNY", "CNY,USD", "EUR,USD", "EUR,CNY", "USD,JPY"]),
            st.integers(1, 99_999),
        ),
        max_size=14,
        unique_by=lambda row: row[:2],
    ),
    st.integers(0, 12),
)
def test_the_table_for_kernels_holds_the_fraction_of_every_day(
    rows: list[tuple[int, str, int]], age: int
) -> None:
    from regtech.reference.civil import iso_from_day

    lines = [f"{iso_from_day(DAY + d)},{pair},{rate / 100:.2f}" for d, pair, rate in rows]
    rates = table(*lines, settings_text=f"# max_age_days: {age}\n")
    sources = ("USD", "CNY", "EUR", "JPY")
    num, den = rates.table_for_kernel(sources, "CNY", DAY - 3, DAY + 80)
    assert num.shape == den.shape == (4, 84)
    assert num.dtype == den.dtype == np.int64
    for i, source in enumerate(sources):
        for day in range(DAY - 3, DAY + 81):
            found = rates.fraction(source, "CNY", day) or (0, 0)
            assert (num[i, day - DAY + 3], den[i, day - DAY + 3]) == found


def test_the_table_for_kernels_is_made_once_for_each_question() -> None:
    rates = table("2026-03-02,USD,CNY,7.10", "2026-03-02,EUR,USD,1.2")
    first = rates.table_for_kernel(["USD", "EUR"], "CNY", DAY, DAY + 5)
    assert rates.table_for_kernel(("USD", "EUR"), "CNY", DAY, DAY + 5) is first
    turned, _ = rates.table_for_kernel(["EUR", "USD"], "CNY", DAY, DAY + 5)
    assert turned.tolist() == first[0][::-1].tolist()
    for days in range(1, 30):  # more questions than are kept
        assert rates.table_for_kernel(["USD"], "CNY", DAY, DAY + days)[0].shape == (1, days + 1)
    with pytest.raises(ValueError, match="read-only"):
        first[0][0, 0] = 1


def test_the_digest_is_of_the_meaning_not_of_the_spelling() -> None:
    rows = ("2026-03-02,USD,CNY,7.10", "2026-03-01,EUR,USD,1.2")
    same = table(*reversed(rows), settings_text="# a remark\n")
    assert table(*rows).digest == same.digest
    assert table(*rows).digest == table(rows[0].replace("7.10", "7.1"), rows[1]).digest
    assert table(*rows).digest != table(rows[0].replace("7.10", "7.11"), rows[1]).digest
    assert table(*rows).digest != table(*rows, settings_text="# max_age_days: 9\n").digest


def test_faults_come_all_at_once_with_their_lines() -> None:
    text = (
        "# max_age_days: long\n"
        "date,base,quote,rate\n"
        "2026-02-30,USD,CNY,7\n"
        "2026-03-01,USD,XXQ,7\n"
        "2026-03-01,USD,USD,1\n"
        "2026-03-01,USD,CNY,7e0\n"
        "2026-03-01,USD,CNY,0\n"
        "2026-03-01,USD,CNY\n"
        "2026-03-01,USD,CNY,7\n"
        "2026-03-01,USD,CNY,8\n"
    )
    with pytest.raises(ContentError) as caught:
        RateTable.parse(text, CURRENCIES)
    found = [(f.line, f.code) for f in caught.value.faults if isinstance(f, Fault)]
    assert sorted(found) == [
        (1, "out_of_range"),
        (3, "bad_date"),
        (4, "unknown_currency"),
        (5, "same_currency"),
        (6, "bad_rate"),
        (7, "bad_rate"),
        (8, "columns"),
        (10, "duplicate"),
    ]


def test_a_table_without_its_header_is_refused() -> None:
    with pytest.raises(ContentError, match="expected date,base,quote,rate"):
        RateTable.parse("2026-03-01,USD,CNY,7\n", CURRENCIES)


def test_a_file_that_cannot_be_read_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        RateTable.load(tmp_path / "none.csv", CURRENCIES)
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError):
        RateTable.load(bad, CURRENCIES)


def test_a_file_is_named_by_its_heading_or_its_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("date,base,quote,rate\r\n2026-03-02,USD,CNY,7\r\n", encoding="utf-8-sig")
    assert RateTable.load(path, CURRENCIES).name == "mine"
    path.write_text("# table: official\ndate,base,quote,rate\n", encoding="utf-8")
    assert RateTable.load(path, CURRENCIES).name == "official"


def test_the_sample_covers_the_currencies_of_the_profiles_and_says_that_it_is_invented() -> None:
    rates = REFERENCE.rates
    assert rates.name == "sample"
    assert "ILLUSTRATIVE" in rates.note
    needed = {profile.currency for profile in REFERENCE.profiles.values()} | {"BTC", "ETH", "USDT"}
    first, last = day_from_iso("2024-01-01"), day_from_iso("2026-12-31")
    for target in sorted(needed):
        _, den = rates.table_for_kernel(sorted(needed), target, first, last)
        assert bool((den > 0).all()), target
