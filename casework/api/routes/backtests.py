"""Backtests: a draft held beside the pack in use over events of the past. No rule changes by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from casework.api.context import Context, Parts
from casework.api.gate import Reader, Worker
from casework.api.problems import documented
from casework.api.repeat import RepeatableRoute
from casework.api.routes.cases import number_cursor
from casework.api.types import backtests as T
from casework.api.types.common import Cursor, Limit
from casework.cases.times import time_text
from casework.service.outside import Backtest, RuleBacktests
from regtech.errors import InternalError, NotFoundError

router = APIRouter(prefix="/backtests", tags=["rules"], route_class=RepeatableRoute)

Id = Annotated[str, Path(max_length=64, examples=["B-0123456789abcdef0123"])]
Number = Annotated[int, Path(alias="change", ge=0, le=1 << 31)]


@router.get("", responses=documented(), summary="Backtests of drafts")
def list_backtests(caller: Reader, parts: Parts) -> T.BacktestList:
    """Those that are kept, and the histories that one can be run over."""
    desk = _desk(parts)
    items = [_shown(one) for one in desk.backtests(caller.scope)]
    return T.BacktestList(items=items, histories=list(desk.histories()))


@router.post("", status_code=202, responses=documented(413), summary="Begin a backtest")
def begin(
    request: Request, response: Response, caller: Worker, parts: Parts, wanted: T.NewBacktest
) -> T.Backtest:
    """Hold a draft without errors beside the pack in use. `Location` says where its progress is.

    One runs at a time, in a process of its own; where another runs the answer is a problem `503`.
    """
    made = _desk(parts).start(caller.scope, wanted.yaml, wanted.history)
    response.headers["Location"] = f"{request.url.path}/{made.id}"
    return _shown(made)


@router.get("/{backtest}", responses=documented(404), summary="Progress of a backtest")
def show(caller: Reader, parts: Parts, backtest: Id) -> T.Backtest:
    """How far it is."""
    return _shown(_desk(parts).backtest(caller.scope, backtest))


@router.delete("/{backtest}", responses=documented(404, 409), summary="Cancel a backtest")
def cancel(caller: Worker, parts: Parts, backtest: Id) -> T.Backtest:
    """Stop one's own that runs; operators stop anybody's."""
    return _shown(_desk(parts).cancel(caller.scope, backtest))


@router.get("/{backtest}/result", responses=documented(404, 409), summary="What a backtest brought")
def result(caller: Reader, parts: Parts, backtest: Id) -> T.BacktestResult:
    """Alerts that are new, gone and moved, by rule, institution and cause; values around figures.

    `409` while it runs."""
    found = _desk(parts).result(caller.scope, backtest)
    return T.BacktestResult.model_validate({**found, "kept": len(found["changes"])})


@router.get("/{backtest}/changes", responses=documented(404, 409), summary="Alerts that differ")
def changes(
    caller: Reader,
    parts: Parts,
    backtest: Id,
    kind: T.ChangeKind | None = None,
    institution: Annotated[str | None, Query(max_length=200)] = None,
    after: Cursor = None,
    limit: Limit = 50,
) -> T.ChangePage:
    """Those that are kept, in the order of time."""
    found = _desk(parts).result(caller.scope, backtest)["changes"]
    start = number_cursor(after)
    chosen = [
        _line(number, change)
        for number, change in enumerate(found)
        if number >= start
        and kind in (None, change["change"])
        and institution in (None, change["institution"])
    ]
    items = [T.ChangeLine.model_validate(line) for line in chosen[:limit]]
    more = chosen[limit]["number"] if len(chosen) > limit else None
    return T.ChangePage(items=items, after=None if more is None else str(more))


@router.get(
    "/{backtest}/changes/{change}", responses=documented(404, 409), summary="An alert that differs"
)
def change(caller: Reader, parts: Parts, backtest: Id, number: Number) -> T.Change:
    """The alert by the pack in use and by the draft, with what made the difference."""
    found = _desk(parts).result(caller.scope, backtest)["changes"]
    if number >= len(found):
        raise NotFoundError(f"there is no change {number} in {backtest}")
    return T.Change.model_validate(_line(number, found[number]))


def _line(number: int, change: Mapping[str, Any]) -> dict[str, Any]:
    return {**change, "number": number}


def _shown(one: Backtest) -> T.Backtest:
    return T.Backtest(
        id=one.id,
        state=one.state,
        pack=one.pack,
        jurisdiction=one.jurisdiction,
        version=one.version,
        base_version=one.base_version,
        sha256=one.sha256,
        history=one.history,
        author=one.actor,
        made=time_text(one.made_us),
        at=one.at,
        of=one.of,
        error=one.error,
    )


def _desk(parts: Context) -> RuleBacktests:
    if parts.backtests is None:
        raise InternalError("the routes of backtests are there without backtests")
    return parts.backtests
