"""Who manages webhooks, and places in the list of deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casework.api.examples import EXAMPLES
from casework.api.types.content import NewEndpoint
from casework.cases.scope import Role, Scope
from casework.stores.sql.record import SqlRecord
from casework.webhooks.address import AllowList
from casework.webhooks.endpoints import Endpoint
from casework.webhooks.signature import Secret
from regtech.app.outward import Webhooks
from regtech.clock import ManualClock
from regtech.errors import ForbiddenError, UsageError
from tests.contract.world import SERVICE, START_US, Salts, scope

OPERATOR = scope("ops", Role.OPERATOR)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Webhooks]:
    """With one endpoint of the authority."""
    clock = ManualClock(START_US)
    record = SqlRecord(str(tmp_path / "cases.db"), clock, Salts())
    outbox = record.outbox()
    secret = Secret(b"k" * 32)
    outbox.add(SERVICE, Endpoint("ep_1", "", "https://a.example/", (secret,), START_US))
    yield Webhooks(outbox, AllowList(), clock)
    record.close()


ACTS: dict[str, Callable[[Webhooks, Scope], object]] = {
    "list": lambda desk, who: desk.endpoints(who),
    "rotate": lambda desk, who: desk.rotate(who, "ep_1"),
    "enable": lambda desk, who: desk.enable(who, "ep_1"),
    "deliveries": lambda desk, who: desk.deliveries(who, "ep_1", after=None, limit=5),
    "remove": lambda desk, who: desk.remove(who, "ep_1"),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    "who",
    [scope("eva", Role.AUDITOR), scope("ops-of-hk", Role.OPERATOR, jurisdictions={"HK"})],
    ids=["auditor", "operator of a jurisdiction"],
)
def test_whoever_may_not_manage_webhooks_gets_no_secret_either(
    desk: Webhooks, act: str, who: Scope
) -> None:
    with pytest.raises(ForbiddenError):
        ACTS[act](desk, who)
    ACTS[act](desk, OPERATOR)


@pytest.mark.parametrize("after", ["", "-1", "x", "٣", "9" * 30])
def test_places_that_are_none_are_refused(desk: Webhooks, after: str) -> None:
    with pytest.raises(UsageError, match="place"):
        desk.deliveries(OPERATOR, "ep_1", after=after, limit=5)


@pytest.mark.parametrize(
    ("kind", "hint"),
    [("opened", "did you mean 'case.opened'?"), ("case.opend", "did you mean 'case.opened'?")],
)
def test_a_type_of_which_no_message_is_is_refused(desk: Webhooks, kind: str, hint: str) -> None:
    with pytest.raises(UsageError, match="no message is of the type") as caught:
        desk.register(OPERATOR, "https://93.184.215.14/", ["case.state_changed", kind], "")
    assert hint in caught.value.hint and "case.*" in caught.value.hint
    assert len(desk.endpoints(OPERATOR)) == 1


def test_the_example_of_the_api_is_taken(desk: Webhooks) -> None:
    example = EXAMPLES[NewEndpoint]
    made, _ = desk.register(OPERATOR, "https://93.184.215.14/", example["kinds"], "")
    kinds = {found["id"]: found["kinds"] for found in desk.endpoints(OPERATOR)}
    assert kinds[made["id"]] == example["kinds"] != []
