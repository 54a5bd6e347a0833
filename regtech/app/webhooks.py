"""Wiring of webhooks: the sender with the operator's allow-list, and the worker around it."""

from __future__ import annotations

import random
from collections.abc import Mapping

from casework.cases.disclosure import visible
from casework.cases.scope import Scope, service_scope
from casework.cases.timeline import EntryKind
from casework.ports import Message as Waiting
from casework.ports import Record, Topic
from casework.webhooks.address import AllowList
from casework.webhooks.delivery import Message
from casework.webhooks.ports import Outbox, Owners
from casework.webhooks.sender import HttpSender, SystemResolver
from casework.webhooks.worker import Worker, enqueue
from regtech import __version__
from regtech.app.settings import setting
from regtech.clock import Clock


def webhook_allow_list(environ: Mapping[str, str] | None = None) -> AllowList:
    """The operator's allow-list. Raises ``UsageError`` for a slip: nothing may start with one."""
    return AllowList.of(setting("REGTECH_WEBHOOK_ALLOW", environ))


def relay(record: Record, outbox: Outbox, *, limit: int = 500) -> int:
    """Make deliveries of what the record says is to be told; how many.

    Killed anywhere and run again nothing is lost and nothing doubled: a message is forgotten only
    after its deliveries are kept, and those of the same message have the same ids.
    """
    made, scope = 0, service_scope("webhooks")
    while True:
        waiting = record.messages(scope, Topic.WEBHOOKS, limit=limit)
        if not waiting:
            return made
        made += enqueue(outbox, scope, [_told(record, scope, message) for message in waiting])
        record.acknowledge(scope, Topic.WEBHOOKS, [message.number for message in waiting])


def _told(record: Record, scope: Scope, message: Waiting) -> Message:
    """What goes out of an entry of a case.

    An institution is told of what it may see alone: that there is a case it may know of, and what
    was said to it. Its message has no number of the entry, which would tell of the others. What
    another institution said is between that one and the authority.
    """
    case_id, sequence = str(message.body["case"]), int(message.body["sequence"])
    case = record.case(scope, case_id)
    (entry,) = record.timeline(scope, case_id, after=sequence - 1, limit=1)
    by = entry.detail.get("institution")
    told = frozenset(case.tenants) if by is None else frozenset(case.tenants) & {str(by)}
    open_ = visible(case) and (entry.shared or entry.kind is EntryKind.OPENED)
    return Message(
        key=f"{case_id}/{sequence}",
        kind=f"case.{entry.kind.value}",
        at_us=entry.at_us,
        tenants=told if open_ else frozenset(),
        data={"case": case_id} if open_ else {"case": case_id, "sequence": sequence},
    )


def webhook_worker(outbox: Outbox, owners: Owners, clock: Clock, allow: AllowList) -> Worker:
    """A worker that delivers over HTTP. Several may run over one outbox, a thread each."""
    sender = HttpSender(
        resolver=SystemResolver(), allow=allow, clock=clock, agent=f"regtech-webhooks/{__version__}"
    )
    return Worker(
        outbox,
        sender,
        owners,
        scope=service_scope("webhooks"),
        clock=clock,
        chance=random.random,
    )
