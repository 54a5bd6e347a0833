"""Several attempts at a time: slow receivers hold up nobody else, and order is kept."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace

import pytest

from casework.cases.scope import Scope
from casework.webhooks.delivery import DeliveryState, Outcome, Verdict
from casework.webhooks.endpoints import Endpoint
from casework.webhooks.memory import MemoryOutbox
from casework.webhooks.ports import Claim, Outbox
from casework.webhooks.worker import AT_ONCE, Worker
from regtech.clock import SystemClock
from regtech.errors import StoreError
from tests.contract.test_webhook_outbox import ALL, OUTBOXES, delivery, endpoint


@pytest.fixture(params=list(OUTBOXES))
def outbox(request: pytest.FixtureRequest) -> Outbox:
    """A fresh, empty outbox of each kind."""
    return OUTBOXES[request.param]()


class Receivers:
    """Answers at once, but for those that are ``slow``: they wait until they are let go, all of
    them or those in ``answering``."""

    def __init__(self, *slow: str) -> None:
        self.slow, self.let_go = set(slow), threading.Event()
        self.answering: set[str] = set()
        self.got: defaultdict[str, list[str]] = defaultdict(list)
        self.at_once: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self._lock = threading.Lock()

    def send(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        name = url.removeprefix("https://").partition(".")[0]
        with self._lock:
            self.got[name].append(headers["webhook-id"])
            self.at_once[name] += 1
            self.most[name] = max(self.most[name], self.at_once[name])
        until = time.monotonic() + 20
        while name in self.slow - self.answering and time.monotonic() < until:
            if self.let_go.wait(0.02):
                break
        with self._lock:
            self.at_once[name] -= 1
        return Outcome(200, "HTTP 200")


class Nobody:
    def endpoint_disabled(self, endpoint: Endpoint) -> None:
        raise AssertionError


class Working:
    """A worker that works in a thread until nothing waits any more, or the end is asked for."""

    def __init__(self, outbox: Outbox, receivers: Receivers, lease_s: float = 15) -> None:
        self.end = threading.Event()
        worker = Worker(
            outbox, receivers, Nobody(), scope=ALL, clock=SystemClock(), chance=lambda: 0.5,
            lease_s=lease_s,
        )  # fmt: skip
        self.failed: list[Exception] = []

        def work() -> None:
            try:
                # Between two deliveries of an endpoint its rate asks for a moment.
                while outbox.deliveries(ALL, state=DeliveryState.PENDING, limit=1):
                    worker.work(self.end.is_set)
                    if self.end.wait(0.01):
                        break
            except StoreError as error:
                self.failed.append(error)

        self.thread = threading.Thread(target=work)
        self.thread.start()

    def done(self) -> None:
        self.thread.join(20)
        assert not self.thread.is_alive()


def soon(found: Callable[[], bool]) -> None:
    until = time.monotonic() + 15
    while not found() and time.monotonic() < until:
        time.sleep(0.02)
    assert found()


def given(outbox: Outbox, name: str, tenant: str, count: int) -> list[str]:
    outbox.add(ALL, replace(endpoint(name, tenant), per_minute=60_000))
    made = [delivery(n, name, tenant) for n in range(count)]
    outbox.put(ALL, made)
    return [each.id for each in made]


def delivered(outbox: Outbox, name: str) -> int:
    return len(outbox.deliveries(ALL, endpoint_id=name, state=DeliveryState.DELIVERED, limit=100))


def test_a_slow_receiver_holds_up_its_own_deliveries_alone(outbox: Outbox) -> None:
    wanted = {name: given(outbox, name, name, 5) for name in ("a", "b", "c", "slow")}
    receivers = Receivers("slow")
    working = Working(outbox, receivers)
    soon(lambda: all(delivered(outbox, name) == 5 for name in "abc"))
    assert receivers.got["slow"] == wanted["slow"][:1] and delivered(outbox, "slow") == 0
    # What comes while an attempt is under way goes out meanwhile too.
    given(outbox, "d", "d", 1)
    soon(lambda: delivered(outbox, "d") == 1)
    receivers.let_go.set()
    working.done()
    assert {name: receivers.got[name] for name in wanted} == wanted
    assert set(receivers.most.values()) == {1}


@pytest.mark.parametrize(("institutions", "taken"), [(1, 4), (2, 6), (3, 6), (4, 7)])
def test_slow_receivers_of_institutions_leave_room_for_others(
    outbox: Outbox, institutions: int, taken: int
) -> None:
    slow = _slow(outbox, institutions)
    receivers = Receivers(*slow)
    working = Working(outbox, receivers)
    soon(lambda: sum(receivers.at_once.values()) == taken)
    given(outbox, "quick", "another", 3)
    soon(lambda: delivered(outbox, "quick") == 3)
    assert sum(receivers.at_once.values()) == taken < AT_ONCE
    receivers.let_go.set()
    working.done()
    assert all(delivered(outbox, name) == 1 for name in slow)


def test_the_next_place_is_for_who_has_none(outbox: Outbox) -> None:
    slow = [*_slow(outbox, 4), "last"]
    receivers = Receivers(*slow)
    working = Working(outbox, receivers)
    soon(lambda: sum(receivers.at_once.values()) == AT_ONCE - 1)
    given(outbox, "last", "slow too", 1)
    soon(lambda: receivers.at_once["last"] == 1)
    given(outbox, "quick", "another", 1)
    receivers.answering.add(next(name for name in slow if receivers.at_once[name]))
    soon(lambda: delivered(outbox, "quick") == 1)
    assert sum(receivers.at_once.values()) == AT_ONCE - 1
    receivers.let_go.set()
    working.done()


def _slow(outbox: Outbox, institutions: int) -> list[str]:
    """Six endpoints of each of some institutions, with a delivery for each."""
    names = [f"slow{n}-{bank}" for n in range(6) for bank in range(institutions)]
    for name in names:
        given(outbox, name, f"bank-{name.partition('-')[2]}", 1)
    return names


def test_two_workers_send_nothing_twice_and_keep_the_order(outbox: Outbox) -> None:
    """Leases run out many times over while a receiver is slow: they are held."""
    names = [f"e{n}" for n in range(6)]
    wanted = {name: given(outbox, name, name, 4) for name in names}
    receivers = Receivers("e0")
    both = [Working(outbox, receivers, lease_s=0.3) for _ in range(2)]
    soon(lambda: all(delivered(outbox, name) == 4 for name in names[1:]))
    time.sleep(1)
    assert receivers.got["e0"] == wanted["e0"][:1]
    receivers.let_go.set()
    for working in both:
        working.done()
    assert dict(receivers.got) == wanted and set(receivers.most.values()) == {1}


def test_the_rate_of_an_endpoint_is_used(outbox: Outbox) -> None:
    """Ten a second of one endpoint are not one a second because a look between finds nothing."""
    outbox.add(ALL, endpoint("e", "bank-a"))
    outbox.put(ALL, [delivery(n, "e", "bank-a") for n in range(4)])
    worker = Worker(
        outbox, Receivers(), Nobody(), scope=ALL, clock=SystemClock(), chance=lambda: 0.5
    )
    worker.work(lambda: False)
    assert delivered(outbox, "e") == 4


def test_attempts_under_way_are_finished_before_the_end(outbox: Outbox) -> None:
    wanted = given(outbox, "slow", "bank-a", 2)
    receivers = Receivers("slow")
    working = Working(outbox, receivers)
    soon(lambda: receivers.at_once["slow"] == 1)
    working.end.set()
    receivers.let_go.set()
    working.done()
    assert receivers.got["slow"] == wanted[:1] and delivered(outbox, "slow") == 1
    # The next start goes on where this one ended.
    Working(outbox, receivers).done()
    assert receivers.got["slow"] == wanted


def test_a_store_that_fails_is_told_and_loses_no_other_attempt() -> None:
    receivers, failing = Receivers("slow"), threading.Event()

    class Failing(MemoryOutbox):
        def settle(self, scope: Scope, claim: Claim, verdict: Verdict) -> bool:
            if claim.endpoint.id == "bad":
                # Nothing new begins after a failure: the other attempt has to be under way.
                soon(lambda: receivers.at_once["slow"] == 1)
                failing.set()
                raise StoreError("the disk is full")
            return super().settle(scope, claim, verdict)

    outbox = Failing()
    given(outbox, "bad", "bank-a", 1)
    given(outbox, "slow", "bank-b", 1)
    working = Working(outbox, receivers)
    soon(failing.is_set)
    receivers.let_go.set()
    working.done()
    assert [str(error) for error in working.failed] == ["the disk is full"]
    assert delivered(outbox, "slow") == 1 and delivered(outbox, "bad") == 0
