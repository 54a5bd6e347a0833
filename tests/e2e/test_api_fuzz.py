"""Schemathesis over the whole API: no 5xx, and no answer that is not in the description.

A few requests for each route here; ``REGTECH_API_EXAMPLES=200`` for the long run.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from casework.cases.scope import Role
from tests.support.backtests import BACKTEST, kept_backtest
from tests.unit.casework.api.api_world import ApiWorld, bank, deposit
from tests.unit.casework.api.outward import (
    Policies,
    SomeBundles,
    SomeLists,
    SomeWebhooks,
)
from tests.unit.casework.api.test_walk import OPEN, REQUESTS

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = int(os.environ.get("REGTECH_API_EXAMPLES", "6"))
ROLES = {
    "supervisor": Role.SUPERVISOR,
    "institution": Role.INSTITUTION,
    "operator": Role.OPERATOR,
    "auditor": Role.AUDITOR,
    "service": Role.SERVICE,
    "author": Role.AUTHOR,
}


@schemathesis.serializer("application/x-ndjson")
def lines(_: Any, value: Any) -> bytes:
    """Whatever text comes up, as the body."""
    return str(value).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    """Everything that can be there, is there."""
    more: dict[str, Any] = {
        "policies": Policies(),
        "webhooks": SomeWebhooks(),
        "bundles": SomeBundles(),
        "screening": SomeLists(),
    }
    folder = tmp_path_factory.mktemp("fuzz")
    kept_backtest(folder / "backtests", BACKTEST)
    with ApiWorld.made(folder, events=True, **more) as made:
        for number in range(1, 5):
            made.case(number, subject=f"K{number}", payer__account="A1")
        made.indexed()
        for name, role in ROLES.items():
            made.user(name, role, tenants={"BANK-A"} if role is Role.INSTITUTION else None)
        for event in (bank(), deposit(1), deposit(2, "1.234")):
            made.ask("service", "POST", "/events", json=event)
        yield made


@pytest.fixture(scope="module")
def described(world: ApiWorld) -> Any:
    """The API as it describes itself, called without a network."""
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", world.app)


@pytest.mark.parametrize(("method", "path"), sorted({*REQUESTS, *OPEN}))
def test_whatever_is_asked_is_answered_as_described(
    described: Any, world: ApiWorld, method: str, path: str
) -> None:
    callers = itertools.cycle(ROLES)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(described[path][method].as_strategy())
    def try_it(case: Any) -> None:
        headers = {"Authorization": f"Bearer {world.keys[next(callers)]}"}
        response = case.call(headers=headers)
        assert response.status_code < 500 or path.startswith("/health"), response.text
        case.validate_response(response, checks=CHECKS)

    try_it()
