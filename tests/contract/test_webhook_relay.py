"""What happens to cases goes out as webhooks: once, in order, and to nobody who may not know."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pytest

from casework.cases.scope import Role, Scope
from casework.ports import Record, Topic
from casework.stores.sql.record import SqlRecord
from casework.webhooks.endpoints import Endpoint
from casework.webhooks.memory import MemoryOutbox
from casework.webhooks.ports import Outbox
from casework.webhooks.signature import Secret
from regtech.app.webhooks import relay
from regtech.clock import ManualClock
from tests.contract.world import SERVICE, START_US, WANG, World, alert, scope


def endpoint(name: str, tenant: str) -> Endpoint:
    secret = Secret(b"k" * 32)
    return Endpoint(name, tenant, f"https://{name}.example/", (secret,), START_US)


@pytest.fixture
def outbox(record: Record) -> Outbox:
    found = record.outbox() if isinstance(record, SqlRecord) else MemoryOutbox()
    for name, tenant in (("authority", ""), ("a", "BANK-A"), ("b", "BANK-B")):
        found.add(SERVICE, endpoint(name, tenant))
    return found


def told(outbox: Outbox, name: str) -> list[tuple[str, dict[str, Any]]]:
    """Kind and data of what waits for an endpoint."""
    found = outbox.deliveries(SERVICE, endpoint_id=name, limit=100)
    return [(delivery.kind, json.loads(delivery.body)["data"]) for delivery in found]


def test_each_entry_is_told_once_in_order(
    record: Record, clock: ManualClock, outbox: Outbox
) -> None:
    world = World(record, clock)
    case = world.one(alert(1))
    case = world.service.comment(WANG, case.id, case.version, "for us alone")
    world.service.comment(WANG, case.id, case.version, "for the bank", shared=True)
    assert relay(record, outbox) == 5
    assert told(outbox, "authority") == [
        ("case.opened", {"case": case.id}),
        ("case.commented", {"case": case.id, "sequence": 2}),
        ("case.commented", {"case": case.id}),
    ]
    # The bank learns nothing of the entry in between, not even by a gap in the numbers.
    assert told(outbox, "a") == [
        ("case.opened", {"case": case.id}),
        ("case.commented", {"case": case.id}),
    ]
    assert told(outbox, "b") == []
    assert record.messages(SERVICE, Topic.WEBHOOKS) == () and relay(record, outbox) == 0


def test_an_institution_is_not_told_of_a_suspicion(
    record: Record, clock: ManualClock, outbox: Outbox
) -> None:
    World(record, clock).one(alert(1, kind="suspicion"))
    assert relay(record, outbox) == 1
    assert told(outbox, "a") == []


def test_an_institution_is_not_told_that_another_one_answered(
    record: Record, clock: ManualClock, outbox: Outbox
) -> None:
    """The case shows it nothing of that: a webhook would tell that, and when, it was said."""
    world = World(record, clock)
    world.take(alert(1), alert(2, tenant="BANK-B"))
    one, other = sorted(world.all(), key=lambda case: case.tenants)
    case = world.service.merge(WANG, other.id, other.version, one.id, one.version, "one matter")
    relay(record, outbox)
    before = told(outbox, "a"), told(outbox, "b")
    bank_b = scope("bo", Role.INSTITUTION, tenants={"BANK-B"})
    world.service.comment(bank_b, case.id, None, "we have stopped it")
    relay(record, outbox)
    assert told(outbox, "a") == before[0]
    assert told(outbox, "b") == [*before[1], ("case.commented", {"case": case.id})]


class Forgetful:
    """A record whose acknowledgements are lost: the relay died before them."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def __getattr__(self, name: str) -> Any:
        return getattr(self._record, name)

    def acknowledge(self, scope: Scope, topic: Topic, numbers: Collection[int]) -> None:
        raise KeyboardInterrupt


def test_a_relay_that_dies_doubles_nothing(
    record: Record, clock: ManualClock, outbox: Outbox
) -> None:
    World(record, clock).one(alert(1))
    forgetful: Any = Forgetful(record)
    with pytest.raises(KeyboardInterrupt):
        relay(forgetful, outbox)
    assert relay(record, outbox) == 0
    assert len(told(outbox, "authority")) == len(told(outbox, "a")) == 1
    assert record.messages(SERVICE, Topic.WEBHOOKS) == ()
