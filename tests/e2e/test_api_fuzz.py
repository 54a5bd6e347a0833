"""Schemathesis over the whole API: no 5xx, and no answer that is not in the description.

A few requests for each route here; ``REGTECH_API_EXAMPLES=200`` for the long run.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.append(ROOT)

schemathesis = pytest.importorskip("schemathesis")

from hypothesis import HealthCheck, settings  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from casework.cases.scope import Role  # noqa: E402
from tests.unit.casework.api.api_world import ApiWorld, bank, deposit  # noqa: E402
from tests.unit.casework.api.outward import Policies, SomeBundles, SomeWebhooks  # noqa: E402

EXAMPLES = int(os.environ.get("REGTECH_API_EXAMPLES", "6"))
ROLES = {
    "supervisor": Role.SUPERVISOR,
    "institution": Role.INSTITUTION,
    "operator": Role.OPERATOR,
    "auditor": Role.AUDITOR,
    "service": Role.SERVICE,
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    """Everything that can be there, is there."""
    more = {"policies": Policies(), "webhooks": SomeWebhooks(), "bundles": SomeBundles()}
    with ApiWorld.made(tmp_path_factory.mktemp("fuzz"), events=True, **more) as made:
        for number in range(1, 5):
            made.case(number, subject=f"K{number}", payer__account="A1")
        for name, role in ROLES.items():
            made.user(name, role, tenants={"BANK-A"} if role is Role.INSTITUTION else None)
        for event in (bank(), deposit(1), deposit(2, "1.234")):
            made.ask("service", "POST", "/events", json=event)
        yield made


@pytest.fixture(scope="module")
def description(world: ApiWorld) -> object:
    """The API as it describes itself."""
    return schemathesis.openapi.from_dict(json.loads(json.dumps(world.app.openapi())))


schema = schemathesis.pytest.from_fixture("description")


@schema.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_whatever_is_asked_is_answered_as_described(case: object, world: ApiWorld) -> None:
    _check(case, world)


def _check(case: object, world: ApiWorld) -> None:
    import random

    who = random.Random(repr(getattr(case, "body", None))).choice(list(ROLES))
    case.app = world.app  # type: ignore[attr-defined]
    headers = {"Authorization": f"Bearer {world.keys[who]}"}
    response = case.call(  # type: ignore[attr-defined]
        base_url="http://regtech.test", headers=headers
    )
    assert response.status_code < 500, response.text
    case.validate_response(  # type: ignore[attr-defined]
        response,
        checks=[
            status_code_conformance,
            content_type_conformance,
            response_headers_conformance,
            response_schema_conformance,
        ],
    )
