"""What leaves the house: webhooks and bundles of evidence."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from casework.api.context import Context, Parts
from casework.api.gate import Manager, Worker
from casework.api.problems import documented
from casework.api.repeat import RepeatableRoute, shown_once
from casework.api.routes.cases import CaseId
from casework.api.types import content as T
from casework.api.types.common import Cursor, Given, Limit
from casework.service.outside import Bundles, WebhookDesk
from regtech.errors import InternalError

webhooks_router = APIRouter(prefix="/webhooks", tags=["webhooks"], route_class=RepeatableRoute)
bundles_router = APIRouter(tags=["cases"])

Id = Annotated[str, Path(max_length=100)]


class Export(Given):
    """What goes into a bundle."""

    personal: bool = Field(False, description="With personal data: takes an approved request.")
    number: int = Field(0, ge=0, le=1_000_000_000, description="Number of the approved request.")


@webhooks_router.get("", responses=documented(), summary="Endpoints")
def endpoints(caller: Manager, parts: Parts) -> T.EndpointList:
    """Addresses that are told of what happens."""
    found = _webhooks(parts).endpoints(caller.scope)
    return T.EndpointList(items=[T.Endpoint.model_validate(one) for one in found])


@webhooks_router.post(
    "", status_code=201, responses=documented(409), summary="Register an endpoint"
)
def register(
    request: Request, caller: Manager, parts: Parts, wanted: T.NewEndpoint
) -> T.MadeEndpoint:
    """Tell an address from now on. Its signing secret is shown this once.

    With an `Idempotency-Key` the same again makes no second endpoint, and shows no secret.
    """
    shown_once(request)
    made, secret = _webhooks(parts).register(
        caller.scope, wanted.url, wanted.kinds, wanted.description
    )
    return T.MadeEndpoint.model_validate({**made, "secret": secret})


@webhooks_router.delete(
    "/{endpoint}", status_code=204, responses=documented(404), summary="Forget an endpoint"
)
def remove(caller: Manager, parts: Parts, endpoint: Id) -> None:
    """Tell it nothing any more."""
    _webhooks(parts).remove(caller.scope, endpoint)


@webhooks_router.post(
    "/{endpoint}/enable", status_code=204, responses=documented(404), summary="Enable an endpoint"
)
def enable(caller: Manager, parts: Parts, endpoint: Id) -> None:
    """Tell an endpoint that was disabled again; what waits for it goes out in order."""
    _webhooks(parts).enable(caller.scope, endpoint)


@webhooks_router.get("/{endpoint}/deliveries", responses=documented(404), summary="Deliveries")
def deliveries(
    caller: Manager, parts: Parts, endpoint: Id, after: Cursor = None, limit: Limit = 50
) -> T.DeliveryPage:
    """What is or was to be delivered, and what came of it, in order."""
    page = _webhooks(parts).deliveries(caller.scope, endpoint, after=after, limit=limit)
    return T.DeliveryPage(items=[dict(item) for item in page.items], after=page.after)


@webhooks_router.post(
    "/{endpoint}/deliveries/{message}/replay",
    status_code=204,
    responses=documented(404, 409),
    summary="Send a message again",
)
def replay(caller: Manager, parts: Parts, endpoint: Id, message: Id) -> None:
    """Put a message back in line, under the id that it had."""
    _webhooks(parts).replay(caller.scope, endpoint, message)


_ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The bundle."}
}


@bundles_router.post(
    "/cases/{case}/bundle",
    responses={**documented(404, 409), **_ZIP},
    response_class=Response,
    summary="Export the evidence",
)
def bundle(caller: Worker, parts: Parts, case: CaseId, wanted: Export) -> Response:
    """A case with all that proves it, to be checked offline; the export is on record before."""
    content = _bundles(parts).export(
        caller.scope, case, personal=wanted.personal, number=wanted.number
    )
    headers = {"Content-Disposition": f'attachment; filename="{_plain(case)}.bundle"'}
    return Response(content, headers=headers, media_type="application/octet-stream")


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isascii() and (c.isalnum() or c in "-_"))


def _webhooks(parts: Context) -> WebhookDesk:
    if parts.webhooks is None:
        raise InternalError("the routes of webhooks are there without webhooks")
    return parts.webhooks


def _bundles(parts: Context) -> Bundles:
    if parts.bundles is None:
        raise InternalError("the route of bundles is there without bundles")
    return parts.bundles
