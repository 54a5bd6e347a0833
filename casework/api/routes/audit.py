"""The log, for those who audit; health and figures, for those who keep it running."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from casework.api.context import Parts
from casework.api.gate import Reader, needs_role
from casework.api.metrics import CONTENT_TYPE
from casework.api.problems import ProblemError, documented
from casework.api.routes.cases import entry_data, number_cursor
from casework.api.types.audit import Alive, Chain, ChainList, HealthReport, LogEntry, LogPage
from casework.api.types.common import Cursor, Limit
from casework.cases.grades import clear_grade, masked
from casework.cases.scope import Role

router = APIRouter(tags=["audit"])
health_router = APIRouter(prefix="/health", tags=["health"])


@router.get("/audit/chains", responses=documented(), summary="Logs")
def chains(caller: Reader, parts: Parts) -> ChainList:
    """Each log with its length and the hash of its last entry; "" is the regulator's own."""
    found = parts.alerts.chains(caller.scope)
    items = [
        Chain(chain=name, length=length, hash=last.hex()) for name, (length, last) in found.items()
    ]
    return ChainList(items=items)


@router.get("/audit/entries", responses=documented(), summary="Entries of a log")
def entries(
    caller: Reader,
    parts: Parts,
    chain: Annotated[str, Query(max_length=200, description='"": the regulator\'s own.')] = "",
    after: Cursor = None,
    limit: Limit = 100,
) -> LogPage:
    """Entries in the order of the chain, with their hashes; what is personal is masked."""
    found = parts.alerts.log(caller.scope, chain, after=number_cursor(after), limit=limit + 1)
    clear = clear_grade(caller.scope)
    items = [
        LogEntry.model_validate(
            masked(
                {**entry_data(entry), "case": entry.case, "position": entry.position,
                 "previous": entry.previous.hex()}, clear,
            )
        )
        for entry in found[:limit]
    ]  # fmt: skip
    return LogPage(items=items, after=str(items[-1].position) if len(found) > limit else None)


@router.get("/health", responses=documented(), summary="Health of the parts")
def health(caller: Reader, parts: Parts) -> HealthReport:
    """How each part is, for operators."""
    needs_role(caller.scope, "see the health of the parts", Role.OPERATOR, Role.SERVICE)
    return HealthReport(ready=parts.health.ready(), parts=dict(parts.health.parts()))


@router.get(
    "/metrics",
    responses={**documented(), 200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    response_class=Response,
    summary="Figures for Prometheus",
)
def metrics(caller: Reader, parts: Parts) -> Response:
    """Counters in the text format of Prometheus; a key of an operator reads them."""
    needs_role(caller.scope, "read the figures", Role.OPERATOR, Role.SERVICE)
    return Response(parts.metrics.text(), media_type=CONTENT_TYPE)


@health_router.get(
    "/live", summary="Does it work at all", response_model=Alive, responses={503: documented()[503]}
)
def live(parts: Parts) -> Any:
    """For whoever restarts it: 200 while the process works."""
    return _answer(parts.health.live())


@health_router.get(
    "/ready",
    summary="Does it take requests",
    response_model=Alive,
    responses={503: documented()[503]},
)
def ready(parts: Parts) -> Any:
    """For whoever sends it requests: 503 before it is warm, and from the moment it is stopped."""
    return _answer(parts.health.ready())


def _answer(good: bool) -> Any:
    if not good:
        raise ProblemError(503, "stopping", "not ready to take requests")
    return Alive()
