"""The contract of ``casework.webhooks.ports.Outbox``: every outbox must pass all of it.

A new implementation joins by one more entry in ``OUTBOXES``.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from casework.cases.scope import Role, Scope, service_scope
from casework.stores.sql.record import SqlRecord
from casework.webhooks.delivery import Delivery, DeliveryState, Outcome, Retry, Verdict, verdict
from casework.webhooks.endpoints import Endpoint, EndpointState, Health, enabled_again
from casework.webhooks.memory import MemoryOutbox
from casework.webhooks.ports import Claim, Outbox
from casework.webhooks.signature import Secret
from regtech.clock import ManualClock
from regtech.errors import ConflictError, NotFoundError
from tests.contract.world import Salts


@cache
def empty_store() -> bytes:
    """An SQLite store in which nothing is yet, made once."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        SqlRecord(f"sqlite:///{path}", ManualClock(NOW), Salts()).close()
        return path.read_bytes()


def sqlite_outbox() -> Outbox:
    folder = TemporaryDirectory(ignore_cleanup_errors=True)
    path = Path(folder.name) / "cases.db"
    path.write_bytes(empty_store())
    record = SqlRecord(f"sqlite:///{path}", ManualClock(NOW), Salts())
    outbox = record.outbox()

    def done() -> None:
        record.close()
        folder.cleanup()

    weakref.finalize(outbox, done)
    return outbox


OUTBOXES: dict[str, Callable[[], Outbox]] = {"memory": MemoryOutbox, "sqlite": sqlite_outbox}

S = 1_000_000
NOW = 1_800_000_000 * S
LEASE = 60 * S
ALL = service_scope()
BANK_A = Scope("u1", frozenset({Role.INSTITUTION}), None, frozenset({"bank-a"}))


@pytest.fixture(params=list(OUTBOXES))
def outbox(request: pytest.FixtureRequest) -> Outbox:
    """A fresh, empty outbox of each kind."""
    return OUTBOXES[request.param]()


def endpoint(name: str, tenant: str = "bank-a") -> Endpoint:
    return Endpoint(name, tenant, f"https://{name}.example/", (Secret(b"k" * 32),), NOW)


def delivery(number: int, to: str = "e1", tenant: str = "bank-a") -> Delivery:
    return Delivery(f"msg_{to}_{number}", to, tenant, "case.opened", b"{}", NOW + number)


def filled(outbox: Outbox, count: int = 3) -> Outbox:
    outbox.add(ALL, endpoint("e1"))
    outbox.add(ALL, endpoint("e2", "bank-b"))
    outbox.put(ALL, [delivery(n) for n in range(count)])
    outbox.put(ALL, [delivery(n, "e2", "bank-b") for n in range(count)])
    return outbox


def judged(claim: Claim, status: int | None, now_us: int = NOW) -> Verdict:
    return verdict(
        claim.endpoint, claim.delivery, Outcome(status, f"HTTP {status}"), now_us=now_us,
        retry=Retry(), chance=0.5,
    )  # fmt: skip


def claimed(outbox: Outbox, now_us: int = NOW, limit: int = 10) -> list[str]:
    return [claim.delivery.id for claim in outbox.claim(ALL, now_us, LEASE, limit)]


# --- endpoints ------------------------------------------------------------------------------------


def test_an_endpoint_is_kept_changed_and_removed(outbox: Outbox) -> None:
    outbox.add(ALL, endpoint("e1"))
    with pytest.raises(ConflictError):
        outbox.add(ALL, endpoint("e1"))
    assert outbox.endpoint(ALL, "e1") == endpoint("e1")
    changed = replace(endpoint("e1"), url="https://new.example/", kinds=frozenset({"case.*"}))
    outbox.change(ALL, replace(changed, tenant="bank-b", created_us=1, health=Health(99)))
    assert outbox.endpoint(ALL, "e1") == changed  # what nobody may set stays
    outbox.put(ALL, [delivery(1)])
    outbox.remove(ALL, "e1")
    with pytest.raises(NotFoundError):
        outbox.endpoint(ALL, "e1")
    assert outbox.endpoints(ALL) == ()
    assert outbox.deliveries(ALL) == ()
    assert outbox.put(ALL, [delivery(1)]) == 0


def test_enabling_again_begins_with_good_health(outbox: Outbox) -> None:
    filled(outbox)
    claim = outbox.claim(ALL, NOW, LEASE, 1)[0]
    assert outbox.settle(ALL, claim, judged(claim, 410))
    disabled = outbox.endpoint(ALL, "e1")
    assert disabled.state is EndpointState.DISABLED
    assert disabled.health.failures == 1
    assert claimed(outbox, NOW + 10**12) == ["msg_e2_0"]
    outbox.change(ALL, enabled_again(disabled))
    assert outbox.endpoint(ALL, "e1") == endpoint("e1")
    assert "msg_e1_0" in claimed(outbox)


def test_what_is_out_of_scope_is_as_if_it_were_not_there(outbox: Outbox) -> None:
    filled(outbox)
    assert [each.id for each in outbox.endpoints(BANK_A)] == ["e1"]
    assert {each.endpoint for each in outbox.deliveries(BANK_A)} == {"e1"}
    assert outbox.deliveries(BANK_A, endpoint_id="e2") == ()
    assert outbox.replay(BANK_A, ["msg_e2_0"]) == 0
    assert outbox.put(BANK_A, [delivery(9, "e2", "bank-b")]) == 0
    assert [claim.endpoint.id for claim in outbox.claim(BANK_A, NOW, LEASE, 9)] == ["e1"]
    said = []
    for wrong in (
        lambda: outbox.endpoint(BANK_A, "e2"),
        lambda: outbox.endpoint(BANK_A, "nowhere"),
        lambda: outbox.remove(BANK_A, "e2"),
        lambda: outbox.remove(BANK_A, "nowhere"),
        lambda: outbox.change(BANK_A, endpoint("e2", "bank-a")),
        lambda: outbox.add(BANK_A, endpoint("e3", "bank-b")),
    ):
        with pytest.raises(NotFoundError) as caught:
            wrong()
        said.append(str(caught.value))
    assert len(set(said)) == 1
    for unknown in ("msg_e2_0", "nowhere"):
        with pytest.raises(NotFoundError, match="^there is no such delivery$"):
            outbox.delivery(BANK_A, unknown)


# --- deliveries -----------------------------------------------------------------------------------


def test_the_same_again_changes_nothing(outbox: Outbox) -> None:
    filled(outbox)
    assert outbox.put(ALL, [delivery(0), delivery(3), delivery(3)]) == 1
    claim = outbox.claim(ALL, NOW, LEASE, 1)[0]
    outbox.settle(ALL, claim, judged(claim, 200))
    assert outbox.put(ALL, [delivery(0)]) == 0
    assert outbox.delivery(ALL, "msg_e1_0").state is DeliveryState.DELIVERED


def test_deliveries_are_numbered_and_paged_in_order(outbox: Outbox) -> None:
    filled(outbox)
    listed = outbox.deliveries(ALL)
    numbers = [each.number for each in listed]
    assert numbers == sorted(set(numbers))
    assert numbers[0] > 0
    assert [each.id for each in outbox.deliveries(ALL, endpoint_id="e1")] == [
        "msg_e1_0", "msg_e1_1", "msg_e1_2",
    ]  # fmt: skip
    first = outbox.deliveries(ALL, limit=4)
    assert first + outbox.deliveries(ALL, after=first[-1].number) == listed
    assert outbox.deliveries(ALL, state=DeliveryState.DEAD) == ()


def test_an_endpoint_gets_one_at_a_time_in_order(outbox: Outbox) -> None:
    filled(outbox)
    assert claimed(outbox) == ["msg_e1_0", "msg_e2_0"]
    assert claimed(outbox) == []  # both are being attempted
    again = {claim.delivery.id: claim for claim in outbox.claim(ALL, NOW + LEASE, LEASE, 9)}
    assert outbox.settle(ALL, again["msg_e1_0"], judged(again["msg_e1_0"], 200, NOW + LEASE))
    assert claimed(outbox, NOW + LEASE) == []  # the rate
    assert claimed(outbox, NOW + LEASE + S) == ["msg_e1_1"]


def test_claims_are_as_many_as_asked_for_and_the_longest_waiting_first(outbox: Outbox) -> None:
    filled(outbox)
    claim = outbox.claim(ALL, NOW, LEASE, 1)[0]
    assert claim.delivery.id == "msg_e1_0"
    assert claim.until_us == NOW + LEASE
    outbox.settle(ALL, claim, judged(claim, 200))
    assert claimed(outbox, NOW + S, limit=1) == ["msg_e2_0"]
    assert claimed(outbox, NOW + S, limit=1) == ["msg_e1_1"]
    assert claimed(outbox, NOW + S, limit=1) == []


def test_tenants_can_be_passed_over(outbox: Outbox) -> None:
    filled(outbox)
    (claim,) = outbox.claim(ALL, NOW, LEASE, 9, without=["bank-a"])
    assert claim.delivery.id == "msg_e2_0"
    assert outbox.claim(ALL, NOW, LEASE, 9, without=["bank-a", "bank-b"]) == ()
    assert claimed(outbox) == ["msg_e1_0"]


def test_while_the_first_fails_the_others_wait(outbox: Outbox) -> None:
    filled(outbox)
    claim = outbox.claim(ALL, NOW, LEASE, 1)[0]
    assert outbox.settle(ALL, claim, judged(claim, 503))
    assert claimed(outbox, NOW + 4 * S) == ["msg_e2_0"]
    found = outbox.claim(ALL, NOW + 5 * S, LEASE, 9)
    assert [each.delivery.id for each in found] == ["msg_e1_0"]
    assert found[0].delivery.attempts == 1
    assert found[0].delivery.last == "HTTP 503"
    assert found[0].endpoint.health.failures == 1


def test_what_was_not_settled_is_given_out_again_with_the_same_id(outbox: Outbox) -> None:
    filled(outbox)
    lost = outbox.claim(ALL, NOW, LEASE, 1)[0]
    assert claimed(outbox, NOW + LEASE - 1) == ["msg_e2_0"]
    taken = outbox.claim(ALL, NOW + LEASE, LEASE, 1)[0]
    assert taken.delivery.id == lost.delivery.id
    # The first worker was only slow: what it says now no longer counts.
    assert not outbox.settle(ALL, lost, judged(lost, 503))
    assert outbox.settle(ALL, taken, judged(taken, 200))
    assert not outbox.settle(ALL, taken, judged(taken, 503))
    assert outbox.delivery(ALL, lost.delivery.id).state is DeliveryState.DELIVERED


def test_a_late_settlement_counts_as_long_as_nobody_else_was_given_it(outbox: Outbox) -> None:
    filled(outbox)
    claim = outbox.claim(ALL, NOW, LEASE, 1)[0]
    assert outbox.settle(ALL, claim, judged(claim, 200, NOW + 2 * LEASE))


def test_settling_for_an_endpoint_that_is_gone_does_nothing(outbox: Outbox) -> None:
    filled(outbox)
    claim = outbox.claim(ALL, NOW, LEASE, 1)[0]
    outbox.remove(ALL, "e1")
    assert not outbox.settle(ALL, claim, judged(claim, 200))


def test_what_a_person_changes_during_an_attempt_stays(outbox: Outbox) -> None:
    filled(outbox)
    claim = outbox.claim(ALL, NOW, LEASE, 1)[0]
    off = replace(
        outbox.endpoint(ALL, "e1"), url="https://new.example/", state=EndpointState.DISABLED
    )
    outbox.change(ALL, off)
    assert outbox.settle(ALL, claim, judged(claim, 410))
    found = outbox.endpoint(ALL, "e1")
    assert (found.url, found.state) == ("https://new.example/", EndpointState.DISABLED)
    assert found.disabled_why == ""  # switched off by a person: nobody has to be told
    assert found.health.failures == 1
    assert outbox.untold(ALL) == ()


def test_dead_deliveries_are_replayed_in_their_old_order(outbox: Outbox) -> None:
    filled(outbox)
    now = NOW
    for expected in ("msg_e1_0", "msg_e1_1"):
        for status in (400, 400, 400):
            claim = next(each for each in outbox.claim(ALL, now, 1, 9) if each.endpoint.id == "e1")
            assert claim.delivery.id == expected
            assert outbox.settle(ALL, claim, judged(claim, status, now))
            now += 10**9
    dead = outbox.deliveries(ALL, state=DeliveryState.DEAD)
    assert [each.id for each in dead] == ["msg_e1_0", "msg_e1_1"]
    assert outbox.replay(ALL, ["msg_e1_1", "msg_e1_0", "msg_e1_2", "nowhere"]) == 2
    waiting = outbox.deliveries(ALL, endpoint_id="e1", state=DeliveryState.PENDING)
    assert [each.id for each in waiting] == ["msg_e1_0", "msg_e1_1", "msg_e1_2"]
    assert [each.attempts for each in waiting] == [0, 0, 0]
    assert "msg_e1_0" in claimed(outbox, now)


def test_an_owner_is_told_once(outbox: Outbox) -> None:
    filled(outbox)
    claim = outbox.claim(ALL, NOW, LEASE, 1)[0]
    outbox.settle(ALL, claim, judged(claim, 410))
    assert [each.id for each in outbox.untold(ALL)] == ["e1"]
    assert outbox.untold(ALL)[0].disabled_why
    outbox.told(ALL, "e1", NOW + 1)
    outbox.told(ALL, "nowhere", NOW + 1)
    outbox.told(ALL, "e2", NOW + 1)
    assert outbox.untold(ALL) == ()
    assert outbox.endpoint(ALL, "e1").told_us == NOW + 1
    assert outbox.endpoint(ALL, "e2").told_us is None


def test_what_ended_long_ago_is_forgotten_and_nothing_else(outbox: Outbox) -> None:
    filled(outbox)
    claim = outbox.claim(ALL, NOW, LEASE, 1)[0]
    outbox.settle(ALL, claim, judged(claim, 200))
    assert outbox.forget(ALL, NOW) == 0
    assert outbox.forget(ALL, NOW + 1) == 1
    assert len(outbox.deliveries(ALL)) == 5


def test_two_workers_never_hold_the_same_delivery(outbox: Outbox) -> None:
    for n in range(20):
        outbox.add(ALL, endpoint(f"e{n:02}"))
        outbox.put(ALL, [delivery(1, f"e{n:02}")])
    found: list[str] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        while mine := outbox.claim(ALL, NOW, LEASE, 1):
            found.extend(claim.delivery.id for claim in mine)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == 20


class Machine(RuleBasedStateMachine):
    """Any mixture of writes, attempts, crashes and repairs: order kept, nothing lost."""

    make: Callable[[], Outbox]

    @initialize()
    def begin(self) -> None:
        self.outbox = type(self).make()
        self.now = NOW
        self.put: dict[str, int] = {"e1": 0, "e2": 0}
        self.held: list[Claim] = []
        self.done: list[str] = []
        for name in self.put:
            self.outbox.add(ALL, endpoint(name))

    @rule(to=st.sampled_from(["e1", "e2"]), count=st.integers(1, 3))
    def write(self, to: str, count: int) -> None:
        numbers = range(self.put[to], self.put[to] + count)
        assert self.outbox.put(ALL, [delivery(n, to) for n in numbers]) == count
        self.put[to] += count

    @rule(seconds=st.sampled_from([1, 30, 90, 10**5]))
    def wait(self, seconds: int) -> None:
        self.now += seconds * S

    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        for claim in self.outbox.claim(ALL, self.now, LEASE, limit):
            waiting = self.outbox.deliveries(
                ALL, endpoint_id=claim.endpoint.id, state=DeliveryState.PENDING, limit=1
            )
            assert waiting[0].id == claim.delivery.id
            current = [h for h in self.held if h.endpoint.id == claim.endpoint.id]
            assert all(h.until_us <= self.now for h in current)
            self.held.append(claim)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), status=st.sampled_from([200, 200, 503, 400, 410, None]))
    def settle(self, data: st.DataObject, status: int | None) -> None:
        claim = data.draw(st.sampled_from(self.held))
        self.held.remove(claim)
        newer = any(h.delivery.id == claim.delivery.id and h.token > claim.token for h in self.held)
        wrote = self.outbox.settle(ALL, claim, judged(claim, status, self.now))
        assert not (wrote and newer)
        if wrote and status == 200:
            self.done.append(claim.delivery.id)

    @precondition(lambda self: self.held)
    @rule()
    def crash(self) -> None:
        self.held.pop()

    @rule()
    def repair(self) -> None:
        for each in self.outbox.endpoints(ALL):
            if each.state is EndpointState.DISABLED:
                self.outbox.change(ALL, enabled_again(each))

    @invariant()
    def nothing_is_lost_or_done_twice(self) -> None:
        listed = self.outbox.deliveries(ALL, limit=10_000)
        assert len(listed) == sum(self.put.values())
        states = {each.id: each.state for each in listed}
        assert len(self.done) == len(set(self.done))
        delivered = {key for key, state in states.items() if state is DeliveryState.DELIVERED}
        assert delivered == set(self.done)
        for to in self.put:
            mine = [int(key.rpartition("_")[2]) for key in self.done if f"_{to}_" in key]
            assert mine == sorted(mine)


@pytest.mark.parametrize("name", list(OUTBOXES))
def test_any_mixture_keeps_order_and_loses_nothing(name: str) -> None:
    machine = type("Any", (Machine,), {"make": staticmethod(OUTBOXES[name])})
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60 if name == "memory" else 15, stateful_step_count=40, deadline=None
        ),
    )


def test_a_claim_that_is_renewed_stays_with_its_worker_and_a_lost_one_does_not(
    outbox: Outbox,
) -> None:
    filled(outbox)
    claim = outbox.claim(ALL, NOW, LEASE, 1)[0]
    assert outbox.renew(ALL, claim, NOW + 3 * LEASE)
    assert claim.delivery.id not in claimed(outbox, NOW + 2 * LEASE)
    taken = next(c for c in outbox.claim(ALL, NOW + 9 * LEASE, LEASE, 9) if c.endpoint.id == "e1")
    assert taken.delivery.id == claim.delivery.id
    assert not outbox.renew(ALL, claim, NOW + 99 * LEASE)
    assert not outbox.settle(ALL, claim, judged(claim, 200))
    assert outbox.settle(ALL, taken, judged(taken, 200))
    assert not outbox.renew(ALL, taken, NOW + 99 * LEASE)
