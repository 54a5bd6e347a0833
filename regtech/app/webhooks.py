"""Wiring of webhooks: the sender with the operator's allow-list, and the worker around it."""

from __future__ import annotations

import random
from collections.abc import Mapping

from casework.cases.scope import service_scope
from casework.webhooks.address import AllowList
from casework.webhooks.ports import Outbox, Owners
from casework.webhooks.sender import HttpSender, SystemResolver
from casework.webhooks.worker import Worker
from regtech import __version__
from regtech.app.settings import setting
from regtech.clock import Clock


def webhook_allow_list(environ: Mapping[str, str] | None = None) -> AllowList:
    """The operator's allow-list. Raises ``UsageError`` for a slip: nothing may start with one."""
    return AllowList.of(setting("REGTECH_WEBHOOK_ALLOW", environ))


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
