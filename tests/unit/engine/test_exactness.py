"""Exact in arithmetic and time: figures are met to the last unit and microsecond."""

from __future__ import annotations

from typing import Any

import pytest

from regtech.model.alert import Alert
from regtech.reference.load import Reference
from regtech.rulelang.packs import load_text
from regtech.sandbox.harness import Trial, judge_events

PACK = """
pack: trial
version: 1.0.0
jurisdiction: {jurisdiction}
title: {{en: Trial, zh: 试验}}
params:
  limit: {{value: {limit}, basis: default}}
rules:
  - id: trial-rule
    title: {{en: Trial, zh: 试验}}
    on: transaction
    per: customer
    let:
      total: {measure}
    when: total {comparator} param("limit")
    alert: {{kind: indicator, severity: low}}
    tests:
      - name: met
        events: [{{time: "2026-03-02T10:00:00Z", payee: {{id: C1}}, amount: "1", currency: USD}}]
        expect: {{alert: {{subject: C1}}}}
      - name: near
        events: [{{time: "2026-03-02T10:00:00Z", payee: {{id: C1}}, amount: "1", currency: USD}}]
        expect: none
"""


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.shipped()


def trial(
    reference: Reference,
    payments: list[tuple[str, str]],
    *,
    limit: str,
    measure: str,
    comparator: str = ">=",
    jurisdiction: str = "CN",
    currency: str = "CNY",
) -> Trial:
    """Judge payments (time, amount) of one customer by one rule."""
    text = PACK.format(
        limit=limit, measure=measure, comparator=comparator, jurisdiction=jurisdiction
    )
    pack, faults = load_text(text)
    assert pack is not None, faults
    assert not [f for f in faults if f.severity == "error"], faults
    events: list[dict[str, Any]] = [
        {
            "id": f"e{k}",
            "type": "transaction",
            "time": time,
            "reporter": "R1",
            "amount": amount,
            "currency": currency,
            "payee": {"id": "C1"},
        }
        for k, (time, amount) in enumerate(payments)
    ]
    return judge_events([pack], events, reference)


def met(found: Trial) -> list[Alert]:
    assert not found.rejects, found.rejects
    return [alert for alert in found.alerts if alert.outcome == "met"]


@pytest.mark.parametrize(
    ("currency", "limit", "below", "step"),
    [
        ("JPY", "JPY 1000", "999", "1"),
        ("CNY", "CNY 1000", "999.99", "0.01"),
        ("KWD", "KWD 1000", "999.999", "0.001"),
        ("BTC", "BTC 1000", "999.99999999", "0.00000001"),
        ("ETH", "ETH 1000", "999.999999999", "0.000000001"),
    ],
)
def test_the_smallest_unit_of_each_currency_decides(
    reference: Reference, currency: str, limit: str, below: str, step: str
) -> None:
    measure = f'sum(amount_in("{currency}"), over=day)'
    start = "2026-03-02T10:00:00+08:00"
    later = "2026-03-02T11:00:00+08:00"
    assert not met(
        trial(reference, [(start, below)], limit=limit, measure=measure, currency=currency)
    )
    both = [(start, below), (later, step)]
    found = met(trial(reference, both, limit=limit, measure=measure, currency=currency))
    assert len(found) == 1
    assert found[0].measures["total"]["amount"].startswith("1000")


def test_finer_than_the_declared_scale_is_refused_not_rounded(reference: Reference) -> None:
    found = trial(
        reference,
        [("2026-03-02T10:00:00+08:00", "0.0000000001")],
        limit="ETH 1",
        measure='sum(amount_in("ETH"), over=day)',
        currency="ETH",
    )
    assert [reject.code for reject in found.rejects] == ["amount_precision"]


def test_a_sum_beyond_64_bits_is_known_from_below_and_counted(reference: Reference) -> None:
    """Twelve times 9e17 minor units leave 64 bits: the total is at least 2**63 - 2, never less."""
    payments = [(f"2026-03-02T{hour:02}:00:00+08:00", "9000000000000000") for hour in range(12)]
    found = trial(reference, payments, limit="CNY 1", measure='sum(amount_in("CNY"), over=day)')
    assert found.engine.summary().overflows > 0
    small = trial(
        reference,
        payments,
        limit="CNY 92233720368547758.06",
        measure='sum(amount_in("CNY"), over=day)',
    )
    assert len(met(small)) == 1
    assert small.alerts[0].measures["total"] == {
        "at_least": {"amount": "92233720368547758.06", "currency": "CNY"}
    }


def test_a_rolling_sum_beyond_64_bits_cannot_be_told(reference: Reference) -> None:
    payments = [(f"2026-03-02T{hour:02}:00:00+08:00", "9000000000000000") for hour in range(12)]
    found = trial(
        reference,
        payments,
        limit="CNY 99000000000000000",
        measure='sum(amount_in("CNY"), over=7d)',
    )
    assert not met(found)
    assert found.engine.summary().overflows > 0
    assert found.engine.summary().cannot_tell["trial-rule"] > 0


# Zone, last instant of a period, first instant of the next: the two never add up.
BOUNDARIES = [
    ("CN", "day", "2026-03-02T23:59:59.999999+08:00", "2026-03-03T00:00:00+08:00"),
    ("UK", "day", "2026-03-28T23:59:59.999999+00:00", "2026-03-29T00:00:00+00:00"),
    ("UK", "day", "2026-03-29T23:59:59.999999+01:00", "2026-03-30T00:00:00+01:00"),
    ("UK", "day", "2026-10-25T23:59:59.999999+00:00", "2026-10-26T00:00:00+00:00"),
    ("US", "day", "2026-03-08T23:59:59.999999-04:00", "2026-03-09T00:00:00-04:00"),
    ("US", "day", "2026-11-01T23:59:59.999999-05:00", "2026-11-02T00:00:00-05:00"),
    ("SG", "day", "2024-02-29T23:59:59.999999+08:00", "2024-03-01T00:00:00+08:00"),
    ("CN", "week", "2026-03-08T23:59:59.999999+08:00", "2026-03-09T00:00:00+08:00"),
    ("CN", "month", "2024-02-29T23:59:59.999999+08:00", "2024-03-01T00:00:00+08:00"),
    ("EU", "quarter", "2026-03-31T23:59:59.999999+02:00", "2026-04-01T00:00:00+02:00"),
    ("CN", "year", "2025-12-31T23:59:59.999999+08:00", "2026-01-01T00:00:00+08:00"),
    ("US", "year", "2025-12-31T23:59:59.999999-05:00", "2026-01-01T00:00:00-05:00"),
]


@pytest.mark.parametrize(("jurisdiction", "period", "last", "first"), BOUNDARIES)
def test_a_calendar_period_ends_at_local_midnight(
    reference: Reference, jurisdiction: str, period: str, last: str, first: str
) -> None:
    settings = {"limit": "2 events", "measure": f"count(over={period})"}
    settings["jurisdiction"] = jurisdiction
    assert not met(trial(reference, [(last, "1"), (first, "1")], **settings))
    assert len(met(trial(reference, [(last, "1"), (last, "1")], **settings))) == 1
    assert len(met(trial(reference, [(first, "1"), (first, "1")], **settings))) == 1


# Length, an event, the first instant at which it is no longer inside, the last at which it is.
ROLLING = [
    ("24h", "2026-03-02T10:00:00+08:00", "2026-03-03T10:00:00", "2026-03-03T09:59:59.999999"),
    ("7d", "2026-03-02T10:00:00+08:00", "2026-03-09T10:00:00", "2026-03-09T09:59:59.999999"),
    ("12mo", "2025-03-02T10:00:00+08:00", "2026-03-02T10:00:00", "2026-03-02T09:59:59.999999"),
    ("1mo", "2026-01-31T10:00:00+08:00", "2026-03-01T00:00:00", "2026-02-28T23:59:59.999999"),
]


@pytest.mark.parametrize(("length", "event", "outside", "inside"), ROLLING)
def test_a_rolling_window_forgets_to_the_microsecond(
    reference: Reference, length: str, event: str, outside: str, inside: str
) -> None:
    settings = {"limit": "2 events", "measure": f"count(over={length})"}
    later = f"{outside}+08:00"
    if length == "1mo":
        # A month after 31 January there is no such day: it stays inside until February has ended.
        later = "2026-03-31T10:00:00.000001+08:00"
    assert not met(trial(reference, [(event, "1"), (later, "1")], **settings))
    assert len(met(trial(reference, [(event, "1"), (f"{inside}+08:00", "1")], **settings))) == 1


def test_the_comparator_of_the_law_decides_at_the_figure(reference: Reference) -> None:
    exact = [("2026-03-02T10:00:00+08:00", "1000")]
    settings = {"limit": "CNY 1000", "measure": 'sum(amount_in("CNY"), over=day)'}
    assert len(met(trial(reference, exact, comparator=">=", **settings))) == 1
    assert not met(trial(reference, exact, comparator=">", **settings))


def test_a_payment_of_a_business_day_counts_to_the_next_one(reference: Reference) -> None:
    """2026-02-14 is an adjusted working Saturday in China; the Spring Festival follows."""
    settings = {"limit": "2 events", "measure": "count(over=business_day)"}
    saturday, holiday = "2026-02-14T10:00:00+08:00", "2026-02-16T10:00:00+08:00"
    first_after = "2026-02-24T10:00:00+08:00"
    assert not met(trial(reference, [(saturday, "1"), (holiday, "1")], **settings))
    assert len(met(trial(reference, [(holiday, "1"), (first_after, "1")], **settings))) == 1
