"""Currencies: exact parsing and writing, refusals, stable indices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtech.errors import ContentError
from regtech.reference.currencies import AMOUNT_MAX, AmountFault, CurrencyTable
from regtech.reference.faults import Fault
from regtech.reference.load import Reference

TABLE = Reference.shipped().currencies


@pytest.mark.parametrize(
    ("text", "code", "minor"),
    [
        ("50000", "CNY", 5_000_000),
        ("49999.99", "CNY", 4_999_999),
        ("0.10", "USD", 10),
        ("0.1", "USD", 10),
        ("0.100", "USD", 10),  # zeros at the end say nothing more
        ("000123.4", "EUR", 12_340),
        ("100", "JPY", 100),
        ("100.0", "JPY", 100),
        ("1.234", "KWD", 1_234),
        ("1.2345", "CLF", 12_345),
        ("0.00000001", "BTC", 1),
        ("0.000000001", "ETH", 1),
        ("1.000000000000000000", "ETH", 1_000_000_000),
        ("-5", "USD", -500),
        ("0", "USD", 0),
        ("92233720368547758.07", "USD", AMOUNT_MAX),
    ],
)
def test_amounts_are_read_exactly(text: str, code: str, minor: int) -> None:
    assert TABLE.parse(text, code) == minor


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("1", "XXQ", "unknown_currency"),
        ("1", "XAU", "unknown_currency"),  # gold has no smallest unit
        ("1.001", "USD", "amount_precision"),
        ("1.1", "JPY", "amount_precision"),
        ("0.000000000000000001", "ETH", "amount_precision"),
        ("92233720368547758.08", "USD", "amount_range"),
        ("9" * 10_000, "USD", "amount_range"),
        ("1e3", "USD", "bad_number"),
        ("NaN", "USD", "bad_number"),
        ("+1", "USD", "bad_number"),
        ("1,000", "USD", "bad_number"),
        (".5", "USD", "bad_number"),
        ("5.", "USD", "bad_number"),
        ("", "USD", "bad_number"),
        ("-", "USD", "bad_number"),
        (" 1", "USD", "bad_number"),
        ("１", "USD", "bad_number"),
        ("--1", "USD", "bad_number"),
    ],
)
def test_what_cannot_be_held_is_refused_with_its_reason(text: str, code: str, reason: str) -> None:
    with pytest.raises(AmountFault) as caught:
        TABLE.parse(text, code)
    assert caught.value.code == reason


@given(st.integers(-AMOUNT_MAX, AMOUNT_MAX), st.sampled_from(TABLE.codes))
def test_amounts_come_back_from_their_text(minor: int, code: str) -> None:
    text = TABLE.format(minor, code)
    assert TABLE.parse(text, code) == minor
    decimals = len(text.partition(".")[2])
    assert decimals == TABLE[code].exponent


def test_exponents_of_iso_4217() -> None:
    by_exponent = {
        e: {c.code for c in map(TABLE.at, range(len(TABLE))) if c.exponent == e and not c.virtual}
        for e in (0, 3, 4)
    }
    assert by_exponent[0] == set(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()
    )
    assert by_exponent[3] == set("BHD IQD JOD KWD LYD OMR TND".split())
    assert by_exponent[4] == {"CLF", "UYW"}


def test_no_virtual_asset_is_held_with_more_than_nine_decimals() -> None:
    assets = [c for c in map(TABLE.at, range(len(TABLE))) if c.virtual]
    assert {c.code for c in assets} >= {"BTC", "ETH", "USDT", "USDC"}
    assert all(c.exponent == min(c.native, 9) for c in assets)
    assert TABLE["BTC"].exponent == 8
    # A hundred million ether fit where 18 decimals would hold nine.
    assert TABLE.parse("100000000", "ETH") < AMOUNT_MAX


def test_indices_are_the_order_of_the_file() -> None:
    assert [TABLE[code].index for code in TABLE.codes] == list(range(len(TABLE)))
    assert [TABLE.at(i).code for i in range(len(TABLE))] == list(TABLE.codes)
    assert TABLE.exponents().tolist() == [TABLE[code].exponent for code in TABLE.codes]
    assert "EUR" in TABLE and TABLE.get("EUR") is TABLE["EUR"]
    assert TABLE.get("nope") is None


def test_names_in_both_languages() -> None:
    assert TABLE["CNY"].name == {"en": "Yuan Renminbi", "zh": "人民币"}
    assert all(TABLE.at(i).name["en"] for i in range(len(TABLE)))


def test_the_digest_changes_with_an_exponent_and_not_with_a_name() -> None:
    def table(exponent: int, name: str) -> CurrencyTable:
        entry = {"code": "AAA", "exponent": exponent, "name": {"en": name}}
        return CurrencyTable.from_document({"currencies": [entry]})

    assert table(2, "A").digest() == table(2, "B").digest()
    assert table(2, "A").digest() != table(3, "A").digest()


def test_faults_come_all_at_once() -> None:
    document = {
        "currencies": [
            {"code": "aaa", "exponent": 2, "name": {"en": "A"}},
            {"code": "BBB", "exponent": 10, "name": {"en": "B"}},
            {"code": "CCC", "exponent": 2, "name": {"en": "C"}},
            {"code": "CCC", "exponent": 2, "name": {}},
        ],
        "virtual_assets": [{"code": "DDD", "exponent": 9, "native": 8, "name": {"en": "D"}}],
        "metals": [],
    }
    with pytest.raises(ContentError) as caught:
        CurrencyTable.from_document(document)
    found = {(f.path, f.code) for f in caught.value.faults if isinstance(f, Fault)}
    assert found == {
        ("metals", "unknown_key"),
        ("currencies[0].code", "bad_code"),
        ("currencies[1].exponent", "out_of_range"),
        ("currencies[3].code", "duplicate"),
        ("currencies[3].name.en", "wrong_type"),
        ("virtual_assets[0].native", "out_of_range"),
    }
