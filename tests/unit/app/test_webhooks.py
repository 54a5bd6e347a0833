"""The wiring of webhooks: a slip in the operator's allow-list stops the start."""

from __future__ import annotations

import ipaddress

import pytest

from casework.webhooks.endpoints import Endpoint
from casework.webhooks.memory import MemoryOutbox
from regtech.app.webhooks import webhook_allow_list, webhook_worker
from regtech.clock import ManualClock
from regtech.errors import UsageError


class Nobody:
    def endpoint_disabled(self, endpoint: Endpoint) -> None:
        raise AssertionError(endpoint.id)


def test_the_allow_list_comes_from_the_environment() -> None:
    assert webhook_allow_list({}).networks == ()
    allow = webhook_allow_list({"REGTECH_WEBHOOK_ALLOW": "10.1.2.0/24"})
    assert allow.opens(ipaddress.ip_address("10.1.2.3"))


def test_a_slip_stops_the_start() -> None:
    with pytest.raises(UsageError, match=r"10\.1\.2\.3/24"):
        webhook_allow_list({"REGTECH_WEBHOOK_ALLOW": "10.1.2.3/24"})


def test_a_worker_over_an_empty_outbox_has_nothing_to_do() -> None:
    worker = webhook_worker(MemoryOutbox(), Nobody(), ManualClock(), webhook_allow_list({}))
    assert not worker.step()
