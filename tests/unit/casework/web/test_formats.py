"""Numbers, money, times and Markdown as pages show them."""

from __future__ import annotations

import pytest

from casework.web import formats, markdown
from casework.web.drawing import network, sparkline
from casework.web.formats import Money


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"amount": "16000.00", "currency": "HKD"}, Money("HKD", "16,000", ".00")),
        ({"amount": "-0.5", "currency": "BTC"}, Money("BTC", "−0", ".5")),
        ({"amount": "1e5", "currency": "HKD"}, None),
        ({"amount": "5"}, None),
        ("12", None),
    ],
)
def test_money_is_in_parts(value: object, shown: Money | None) -> None:
    assert formats.money(value) == shown


@pytest.mark.parametrize(
    ("currency", "minor", "text"),
    [("HKD", 800_000, "8000.00"), ("JPY", 800, "800"), ("EUR", -5, "-0.05"), ("KWD", 1, "0.001")],
)
def test_amounts_of_facts_are_in_their_own_units(currency: str, minor: int, text: str) -> None:
    body = {"facts": {"type": "transaction", "currency": currency, "amount": minor}}
    assert formats.fact(body, "amount", minor) == {"amount": text, "currency": currency}


def test_a_fact_that_is_no_money_stays_as_it_is() -> None:
    body = {"facts": {"type": "transaction", "currency": "NONE", "amount": 5}}
    assert formats.fact(body, "amount", 5) == 5
    assert formats.fact(body, "channel", "wire") == "wire"
    assert formats.fact({}, "amount", 5) == 5


def test_times_on_both_clocks() -> None:
    at = formats.moment("2026-03-02T01:00:00Z", "Europe/Berlin", "Asia/Shanghai")
    assert at is not None
    assert (at.shown, at.zone) == ("2026-03-02 02:00", "UTC+1")
    assert (at.law, at.law_zone) == ("2026-03-02 09:00", "UTC+8")
    same = formats.moment("2026-03-02T01:00:00Z", "Asia/Singapore", "Asia/Shanghai")
    assert same is not None and same.law == ""
    assert formats.moment("yesterday", "UTC", None) is None
    assert formats.offset_text("America/St_Johns", 0) == "UTC−3:30"


@pytest.mark.parametrize(
    ("text", "zone", "us"),
    [
        ("2026-03-02", "UTC", 1_772_495_999_000_000),
        ("2026-03-02", "Asia/Shanghai", 1_772_495_999_000_000 - 8 * 3_600_000_000),
        ("2026-03-02T16:30", "UTC", 1_772_469_000_000_000),
        ("2026-07-01T00:00", "Europe/Berlin", 1_782_856_800_000_000),
        ("2026-13-02", "UTC", None),
        ("2026-03-02T24:00", "UTC", None),
        ("soon", "UTC", None),
    ],
)
def test_a_day_that_was_typed(text: str, zone: str, us: int | None) -> None:
    assert formats.typed_instant(text, zone) == us


def test_marks_of_direction_are_taken_out() -> None:
    assert formats.clean("a\u202eb\u2066c\u200f") == "abc"
    assert formats.shortened("x" * 100, 10) == "x" * 9 + "…"
    assert formats.number(1234567) == "1,234,567"
    assert formats.number(True) == "True"


def test_markdown_is_escaped_first() -> None:
    made = markdown.html_of("# <b>T</b>\n\n- a `<i>`\n    - **b**\n- c\n\ntext <script>\n", top=2)
    assert made == (
        "<h2>&lt;b&gt;T&lt;/b&gt;</h2>\n<ul>\n<li>a <code>&lt;i&gt;</code>\n<ul>\n"
        "<li><strong>b</strong>\n</li></ul>\n</li>\n<li>c\n</li></ul>\n<p>text &lt;script&gt;</p>"
    )


def test_markdown_of_stress_is_not_arithmetic() -> None:
    made = markdown.html_of(
        "the outcome is *cannot tell*, never *not met*.\n\n2 * 3 * 4 and a*b*c\n"
    )
    assert "<em>cannot tell</em>, never <em>not met</em>." in made
    assert "2 * 3 * 4 and a*b*c" in made


def test_markdown_of_tables_and_code() -> None:
    made = markdown.html_of("| a | b |\n|---|---|\n| 1 | <2> |\n\n```\n<x>\n```")
    assert '<th scope="col">a</th>' in made and "<td>&lt;2&gt;</td>" in made
    assert "<pre><code>&lt;x&gt;</code></pre>" in made
    assert markdown.html_of("```\nopen") == "<pre><code>open</code></pre>"


def test_a_sparkline_stays_in_its_box() -> None:
    line = sparkline([0, 5, 10])
    assert line.points == "2,26 60,14 118,2"
    assert (line.low, line.high, line.last) == (0, 10, (118.0, 2.0))
    assert sparkline([]).points == ""
    assert sparkline([0, 0]).points == "2,26 118,26"


def test_the_network_of_alerts() -> None:
    found = network(
        [
            {"id": "1", "time": "t", "rule": "r", "facts": {
                "payer.id": "A", "payee.account": "B", "type": "transaction", "currency": "EUR"}},
            {"id": "2", "rule": "r", "subject": {"id": "K", "institution": "BANK"}},
            {"id": "3", "rule": "r", "subject": {"id": "BANK", "institution": "BANK"}},
            {"id": "4", "rule": "r"},
        ]
    )  # fmt: skip
    assert [(e["source"], e["target"]) for e in found["edges"]] == [
        ("party:A", "account:B"), ("institution:BANK", "party:K"),
    ]  # fmt: skip
    assert {node["id"] for node in found["nodes"]} == {
        "party:A", "account:B", "institution:BANK", "party:K",
    }  # fmt: skip
