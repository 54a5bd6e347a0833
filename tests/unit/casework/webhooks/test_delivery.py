"""The schedule: over days, with chance and time passed in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.webhooks.delivery import (
    BODY_MAX,
    Delivery,
    DeliveryState,
    Message,
    Outcome,
    Retry,
    delivery_id,
    fan_out,
    replayed,
    retry_after_us,
    verdict,
)
from casework.webhooks.endpoints import DAY_US, Endpoint, Health
from casework.webhooks.signature import Secret

S = 1_000_000
NOW = 1_800_000_000 * S
ENDPOINT = Endpoint("E1", "bank-a", "https://e.example/", (Secret(b"k" * 32),), NOW)
DELIVERY = Delivery("msg_1", "E1", "bank-a", "case.opened", b"{}", NOW, number=1)
DOWN = Outcome(503, "HTTP 503")
RETRY = Retry()


def test_the_attempts_are_spread_over_days() -> None:
    endpoint, delivery, now = ENDPOINT, DELIVERY, NOW
    waits = []
    while delivery.state is DeliveryState.PENDING:
        result = verdict(endpoint, delivery, DOWN, now_us=now, retry=RETRY, chance=0.5)
        delivery = result.delivery
        waits.append((result.health.ready_us - now) // S)
        assert result.disable == ""
        endpoint, now = replace(endpoint, health=result.health), result.health.ready_us
    half = 12 * 3600
    assert waits[:-1] == [5, 20, 80, 320, 1280, 5120, 20480, half, half, half, half, half]
    assert delivery.attempts == 13
    assert delivery.ended_us is not None
    assert 2.7 < (delivery.ended_us - NOW) / DAY_US < 2.9


@given(st.integers(1, 200), st.floats(0, 1, exclude_max=True))
def test_chance_moves_a_wait_by_a_fifth_at_most(failures: int, chance: float) -> None:
    plain = min(5 * S * 4 ** (failures - 1), DAY_US // 2)
    assert plain * 0.8 - 1 <= RETRY.wait_us(failures, chance) <= plain * 1.2
    assert RETRY.wait_us(failures, 0.5) == plain


def test_the_one_behind_a_dead_delivery_does_not_begin_again_with_seconds() -> None:
    failing = replace(ENDPOINT, health=Health(NOW, 13, NOW - DAY_US))
    result = verdict(failing, DELIVERY, DOWN, now_us=NOW, retry=RETRY, chance=0.5)
    assert result.health.ready_us == NOW + DAY_US // 2
    assert result.delivery.state is DeliveryState.PENDING


def test_success_forgets_the_failures_and_keeps_the_rate() -> None:
    failing = replace(ENDPOINT, per_minute=30, health=Health(NOW, 9, NOW - DAY_US))
    result = verdict(failing, DELIVERY, Outcome(204, "HTTP 204"), now_us=NOW, retry=RETRY, chance=0)
    assert result.health == Health(ready_us=NOW + 2 * S)
    assert (result.delivery.state, result.delivery.attempts) == (DeliveryState.DELIVERED, 1)


@pytest.mark.parametrize("status", [None, 100, 301, 302, 307, 401, 403, 404, 408, 409, 429, 500])
def test_what_is_the_endpoints_failure_is_tried_for_days(status: int | None) -> None:
    third = replace(DELIVERY, attempts=2)
    result = verdict(ENDPOINT, third, Outcome(status, "x"), now_us=NOW, retry=RETRY, chance=0.5)
    assert result.delivery.state is DeliveryState.PENDING
    assert result.health.failures == 1


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_a_message_that_is_refused_as_such_does_not_hold_up_the_rest(status: int) -> None:
    endpoint, delivery, now = ENDPOINT, DELIVERY, NOW
    for attempt in (1, 2, 3):
        result = verdict(
            endpoint, delivery, Outcome(status, "x"), now_us=now, retry=RETRY, chance=0.5
        )
        delivery, endpoint = result.delivery, replace(endpoint, health=result.health)
        assert delivery.state is (DeliveryState.DEAD if attempt == 3 else DeliveryState.PENDING)
        now = result.health.ready_us
    assert delivery.ended_us is not None
    assert now - delivery.ended_us < S  # the next one goes at once


def test_an_endpoint_that_fails_for_days_is_disabled_with_the_reason() -> None:
    failing = replace(ENDPOINT, health=Health(NOW, 12, NOW - 3 * DAY_US))
    result = verdict(failing, DELIVERY, DOWN, now_us=NOW, retry=RETRY, chance=0.5)
    assert "has failed" in result.disable
    assert "HTTP 503" in result.disable
    almost = replace(ENDPOINT, health=Health(NOW, 12, NOW - 3 * DAY_US + 1))
    assert not verdict(almost, DELIVERY, DOWN, now_us=NOW, retry=RETRY, chance=0.5).disable


def test_gone_disables_at_once_and_keeps_the_delivery() -> None:
    gone = Outcome(410, "HTTP 410")
    result = verdict(ENDPOINT, DELIVERY, gone, now_us=NOW, retry=RETRY, chance=0.5)
    assert "410" in result.disable
    assert result.delivery.state is DeliveryState.PENDING


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120), (" 7 ", 7), ("1", 5), ("0", 5), ("999999999999", 86400), ("-5", 5),
        ("soon", 5), ("", 5), ("Fri, 15 Jan 2027 08:10:00 GMT", 600),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 5), ("Fri, 99 Jan 2027 07:00:00 GMT", 5), ("٣", 5),
    ],
)  # fmt: skip
def test_retry_after_is_heeded_within_reason(asked: str, seconds: int) -> None:
    outcome = Outcome(429, "HTTP 429", asked)
    result = verdict(ENDPOINT, DELIVERY, outcome, now_us=NOW, retry=RETRY, chance=0.5)
    assert result.health.ready_us == NOW + seconds * S


@given(st.text(max_size=40))
def test_any_retry_after_is_read_or_left(text: str) -> None:
    asked = retry_after_us(text, NOW)
    assert asked is None or asked >= 0


@given(
    st.one_of(st.none(), st.integers(100, 599)),
    st.integers(0, 20),
    st.integers(0, 20),
    st.floats(0, 1, exclude_max=True),
)
def test_whatever_is_answered_the_next_attempt_is_later_or_there_is_none(
    status: int | None, attempts: int, failures: int, chance: float
) -> None:
    endpoint = replace(ENDPOINT, health=Health(NOW, failures, NOW - DAY_US if failures else None))
    delivery = replace(DELIVERY, attempts=attempts)
    outcome = Outcome(status, "x")
    result = verdict(endpoint, delivery, outcome, now_us=NOW, retry=RETRY, chance=chance)
    assert result.health.ready_us > NOW
    assert result.delivery.attempts == attempts + 1
    assert (result.delivery.state is DeliveryState.DELIVERED) == outcome.delivered
    assert (result.delivery.ended_us is None) == (result.delivery.state is DeliveryState.PENDING)
    assert (result.health.failing_since_us is None) == outcome.delivered


def test_a_replayed_delivery_keeps_its_id_and_place() -> None:
    dead = replace(DELIVERY, state=DeliveryState.DEAD, attempts=13, ended_us=NOW)
    again = replayed(dead)
    assert (again.id, again.number) == (dead.id, dead.number)
    assert (again.state, again.attempts, again.ended_us) == (DeliveryState.PENDING, 0, None)


# --- messages -------------------------------------------------------------------------------------

MESSAGE = Message("C-1/3", "case.closed", NOW, frozenset({"bank-a"}), {"case": "C-1", "zh": "案"})


def test_a_message_goes_to_whom_it_concerns_and_who_wants_it() -> None:
    def endpoint(name: str, tenant: str, *kinds: str) -> Endpoint:
        return replace(ENDPOINT, id=name, tenant=tenant, kinds=frozenset(kinds))

    endpoints = [
        endpoint("all", "bank-a"), endpoint("exact", "bank-a", "case.closed"),
        endpoint("prefix", "bank-a", "case.*"), endpoint("other kind", "bank-a", "alert.*"),
        endpoint("longer", "bank-a", "case.closed.late"), endpoint("part", "bank-a", "cas.*"),
        endpoint("stranger", "bank-b"), endpoint("regulator", ""),
    ]  # fmt: skip
    deliveries = fan_out(MESSAGE, endpoints)
    assert [each.endpoint for each in deliveries] == ["all", "exact", "prefix", "regulator"]
    assert json.loads(deliveries[0].body) == {
        "type": "case.closed",
        "timestamp": "2027-01-15T08:00:00Z",
        "data": {"case": "C-1", "zh": "案"},
    }


def test_ids_are_the_same_in_every_run_and_differ_by_endpoint() -> None:
    assert delivery_id("E1", "C-1/3") == "msg_ecf0e884aeee73c571b516188487ab7a"
    assert delivery_id("E2", "C-1/3") != delivery_id("E1", "C-1/3")
    assert "." not in delivery_id("E.1", "C.1")  # the signature separates by dots


def test_a_huge_message_is_refused() -> None:
    with pytest.raises(ValueError, match="C-1/3"):
        fan_out(replace(MESSAGE, data={"x": "y" * BODY_MAX}), [ENDPOINT])
