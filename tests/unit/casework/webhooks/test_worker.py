"""From a message to a receiver: registered, signed, delivered, tried again, given up, told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from standardwebhooks import Webhook

from casework.cases.scope import Role, Scope, service_scope
from casework.webhooks.address import AddressError, AllowList
from casework.webhooks.delivery import DeliveryState, Message, Outcome
from casework.webhooks.endpoints import (
    DAY_US,
    Endpoint,
    EndpointState,
    check_url,
    enabled_again,
    new_endpoint,
    with_new_secret,
)
from casework.webhooks.memory import MemoryOutbox
from casework.webhooks.ports import Sender
from casework.webhooks.sender import HttpSender, Limits
from casework.webhooks.signature import Secret
from casework.webhooks.worker import LEASE_S, Worker, enqueue
from regtech.clock import ManualClock, SystemClock
from regtech.errors import NotFoundError, StoreError, UsageError

Start = Callable[..., Any]
S = 1_000_000
NOW = 1_800_000_000 * S
ALL = service_scope()
BANK_A = Scope("u1", frozenset({Role.INSTITUTION}), None, frozenset({"bank-a"}))


class Loopback:
    def addresses(self, host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]


class Told:
    def __init__(self) -> None:
        self.endpoints: list[Endpoint] = []

    def endpoint_disabled(self, endpoint: Endpoint) -> None:
        self.endpoints.append(endpoint)


class Scripted:
    """A sender that answers as it is told and remembers what it was given."""

    def __init__(self, *statuses: int | None) -> None:
        self.statuses = list(statuses)
        self.sent: list[dict[str, str]] = []

    def send(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        self.sent.append(headers)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return Outcome(status, f"HTTP {status}")


def message(number: int) -> Message:
    return Message(
        f"C-1/{number}", "case.opened", NOW, frozenset({"bank-a"}), {"case": "C-1", "n": number}
    )


def registered(url: str = "http://hooks.example/", **more: Any) -> Endpoint:
    arguments: dict[str, Any] = {
        "endpoint_id": "E1", "tenant": "bank-a", "url": url, "kinds": frozenset(),
        "description": "", "per_minute": 60_000, "resolver": Loopback(),
        "allow": AllowList.of("127.0.0.1"), "now_us": NOW, "random_bytes": lambda n: b"k" * n,
    }  # fmt: skip
    return new_endpoint(BANK_A, **{**arguments, **more})


def worker(outbox: MemoryOutbox, sender: Sender, clock: Any, told: Told | None = None) -> Worker:
    return Worker(outbox, sender, told or Told(), scope=ALL, clock=clock, chance=lambda: 0.5)


def test_a_message_reaches_a_real_server_and_the_independent_library_accepts_it(
    receiver: Start,
) -> None:
    server = receiver(lambda c: c.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"))
    outbox, clock = MemoryOutbox(), SystemClock()
    endpoint = registered(f"http://hooks.example:{server.port}/in")
    endpoint = with_new_secret(endpoint, clock.now_us(), DAY_US, lambda n: b"n" * n)
    outbox.add(BANK_A, endpoint)
    assert enqueue(outbox, ALL, [message(1), message(2)]) == 2
    assert enqueue(outbox, ALL, [message(1), message(2)]) == 0
    sender = HttpSender(
        resolver=Loopback(), allow=AllowList.of("127.0.0.1"), clock=clock, limits=Limits(2)
    )
    stop = threading.Event()
    thread = threading.Thread(
        target=worker(outbox, sender, clock).run, args=(stop,), kwargs={"idle_s": 0.01}
    )
    thread.start()
    for _ in range(500):
        if all(d.state is DeliveryState.DELIVERED for d in outbox.deliveries(ALL)):
            break
        stop.wait(0.01)
    stop.set()
    thread.join()
    assert len(server.requests) == 2
    for number, (headers, body) in enumerate(server.requests, 1):
        for key in (b"k" * 32, b"n" * 32):  # old and new secret
            found = Webhook(Secret(key).text()).verify(body, headers)
        assert found["type"] == "case.opened"
        assert found["data"] == {"case": "C-1", "n": number}
    ids = [headers["webhook-id"] for headers, _ in server.requests]
    assert ids == [each.id for each in outbox.deliveries(ALL)]


def test_attempts_are_signed_anew_and_keep_their_id() -> None:
    outbox, clock, sender = MemoryOutbox(), ManualClock(NOW), Scripted(503, None, 200)
    outbox.add(ALL, registered())
    enqueue(outbox, ALL, [message(1)])
    work = worker(outbox, sender, clock)
    while outbox.deliveries(ALL)[0].state is DeliveryState.PENDING:
        if not work.step():
            clock.advance(S)
    assert len({headers["webhook-id"] for headers in sender.sent}) == 1
    times = [int(headers["webhook-timestamp"]) - NOW // S for headers in sender.sent]
    assert times == [0, 5, 25]
    assert outbox.deliveries(ALL)[0].attempts == 3


def test_an_endpoint_that_stays_down_is_disabled_its_owner_told_and_nothing_lost() -> None:
    outbox, clock, told = MemoryOutbox(), ManualClock(NOW), Told()
    sender = Scripted(503)
    outbox.add(ALL, registered())
    enqueue(outbox, ALL, [message(n) for n in range(5)])
    work = worker(outbox, sender, clock, told)
    for _ in range(24 * 60 * 5):
        while work.step():
            pass
        clock.advance(60 * S)
    endpoint = outbox.endpoint(ALL, "E1")
    assert endpoint.state is EndpointState.DISABLED
    assert [each.id for each in told.endpoints] == ["E1"]
    assert "HTTP 503" in told.endpoints[0].disabled_why
    states = [each.state for each in outbox.deliveries(ALL)]
    assert states == [DeliveryState.DEAD] + [DeliveryState.PENDING] * 4
    # Repaired: what was given up is replayed, and all arrive in their order.
    sender.statuses, sender.sent = [200], []
    assert outbox.replay(ALL, [outbox.deliveries(ALL)[0].id]) == 1
    outbox.change(ALL, enabled_again(endpoint))
    for _ in range(10):
        work.step()
        clock.advance(S)
    assert [headers["webhook-id"] for headers in sender.sent] == [
        each.id for each in outbox.deliveries(ALL)
    ]


def test_an_owner_is_told_again_where_telling_failed() -> None:
    class Deaf(Told):
        def endpoint_disabled(self, endpoint: Endpoint) -> None:
            super().endpoint_disabled(endpoint)
            if len(self.endpoints) == 1:
                raise StoreError("the notice could not be written")

    outbox, told = MemoryOutbox(), Deaf()
    outbox.add(ALL, registered())
    enqueue(outbox, ALL, [message(1)])
    work = worker(outbox, Scripted(410), ManualClock(NOW), told)
    with pytest.raises(StoreError):
        work.step()
    assert work.step()
    assert not work.step()
    assert len(told.endpoints) == 2


def test_an_attempt_that_was_killed_is_made_again_with_the_same_id() -> None:
    class Killed(Scripted):
        def send(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
            outcome = super().send(url, headers, body)
            if len(self.sent) == 1:
                raise KeyboardInterrupt
            return outcome

    outbox, clock, sender = MemoryOutbox(), ManualClock(NOW), Killed(200)
    outbox.add(ALL, registered())
    enqueue(outbox, ALL, [message(1)])
    with pytest.raises(KeyboardInterrupt):
        worker(outbox, sender, clock).step()
    again = worker(outbox, sender, clock)
    assert not again.step()
    clock.advance(120 * S)
    assert again.step()
    assert outbox.deliveries(ALL)[0].state is DeliveryState.DELIVERED
    assert sender.sent[0]["webhook-id"] == sender.sent[1]["webhook-id"]


def test_the_rate_of_an_endpoint_is_kept() -> None:
    outbox, clock, sender = MemoryOutbox(), ManualClock(NOW), Scripted(200)
    outbox.add(ALL, registered(per_minute=6))
    enqueue(outbox, ALL, [message(n) for n in range(4)])
    work = worker(outbox, sender, clock)
    for _ in range(60):
        work.step()
        clock.advance(S)
    times = [int(headers["webhook-timestamp"]) - NOW // S for headers in sender.sent]
    assert times == [0, 10, 20, 30]


def test_without_an_active_secret_nothing_goes_out() -> None:
    outbox, clock, sender = MemoryOutbox(), ManualClock(NOW), Scripted(200)
    outbox.add(ALL, replace(registered(), secrets=(Secret(b"k" * 32, until_us=NOW),)))
    enqueue(outbox, ALL, [message(1)])
    worker(outbox, sender, clock).step()
    assert sender.sent == []
    assert "no secret" in outbox.deliveries(ALL)[0].last


def test_trouble_is_logged_and_waited_out(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(MemoryOutbox):
        calls = 0

        def claim(self, *arguments: Any, **more: Any) -> Any:
            self.calls += 1
            if self.calls == 1:
                raise StoreError("locked")
            if self.calls == 2:
                raise RuntimeError("a defect")
            stop.set()
            return super().claim(*arguments, **more)

    stop, outbox = threading.Event(), Broken()
    with caplog.at_level(logging.ERROR):
        worker(outbox, Scripted(200), ManualClock(NOW)).run(stop, idle_s=0)
    assert outbox.calls == 3
    assert "locked" in caplog.text
    assert "a defect" in caplog.text


def test_secrets_and_bodies_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    outbox = MemoryOutbox()
    endpoint = registered()
    outbox.add(ALL, endpoint)
    enqueue(outbox, ALL, [message(1)])
    with caplog.at_level(logging.DEBUG):
        worker(outbox, Scripted(500), ManualClock(NOW)).step()
    assert "attempt 1" in caplog.text
    for hidden in (endpoint.secrets[0].text()[6:], "C-1", "v1,", "hooks.example"):
        assert hidden not in caplog.text


# --- registration ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "https://hooks.example/", "http://1.1.1.1/", "https://2130706433/"],
)
def test_an_endpoint_inside_is_refused_at_registration(url: str) -> None:
    with pytest.raises(AddressError):
        registered(url, allow=AllowList())
    with pytest.raises(AddressError):
        check_url(url, Loopback(), AllowList())


def test_a_name_that_is_not_found_is_refused_at_registration() -> None:
    class Nobody:
        def addresses(self, host: str, port: int) -> Sequence[str]:
            raise OSError("not known")

    with pytest.raises(UsageError, match="was not found"):
        registered("https://nowhere.example/", resolver=Nobody())


@pytest.mark.parametrize(
    "wrong",
    [{"kinds": frozenset({"Case Opened"})}, {"kinds": frozenset({"*"})}, {"per_minute": 0},
     {"per_minute": 10**6}, {"description": "x" * 501}],
)  # fmt: skip
def test_wrong_values_are_refused_at_registration(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        registered(**wrong)


def test_nobody_registers_for_another_tenant() -> None:
    with pytest.raises(NotFoundError):
        registered(tenant="bank-b")
    with pytest.raises(NotFoundError):
        registered(tenant="")


def test_an_attempt_that_takes_long_is_made_by_one_worker_alone() -> None:
    """Two live workers, and an attempt that takes several times as long as a claim holds."""
    outbox, clock = MemoryOutbox(), SystemClock()
    outbox.add(BANK_A, registered())
    enqueue(outbox, ALL, [message(1)])
    begun, answer = threading.Event(), threading.Event()

    class Slow:
        sent = 0

        def send(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
            self.sent += 1
            begun.set()
            answer.wait(10)
            return Outcome(200, "HTTP 200")

    sender = Slow()
    workers = [
        Worker(outbox, sender, Told(), scope=ALL, clock=clock, chance=lambda: 0.5, lease_s=0.3)
        for _ in range(2)
    ]
    first = threading.Thread(target=workers[0].step)
    first.start()
    assert begun.wait(10)
    for _ in range(10):
        assert workers[1].step() is False
        threading.Event().wait(0.1)
    answer.set()
    first.join()
    assert sender.sent == 1
    assert [d.state for d in outbox.deliveries(ALL)] == [DeliveryState.DELIVERED]


def test_where_a_worker_was_killed_the_next_one_goes_on_after_seconds() -> None:
    outbox, clock = MemoryOutbox(), ManualClock(NOW)
    outbox.add(BANK_A, registered())
    enqueue(outbox, ALL, [message(1)])
    killed = outbox.claim(ALL, NOW, int(LEASE_S * S), 1)
    assert len(killed) == 1
    sender = Scripted(200)
    assert worker(outbox, sender, clock).step() is False
    clock.advance(15 * S)
    assert worker(outbox, sender, clock).step() is True
    assert [headers["webhook-id"] for headers in sender.sent] == [killed[0].delivery.id]
