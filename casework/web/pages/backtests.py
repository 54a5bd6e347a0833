"""Backtests of drafts: how far one is, what it brought, and each alert that differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Response
from fastapi.responses import RedirectResponse

from casework.cases.scope import Role
from casework.service.outside import BacktestState, RuleBacktests
from casework.web.drawing import bars
from casework.web.formats import clean
from casework.web.render import gettext, link, page
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.content.saying import say
from regtech.errors import NotFoundError, UsageError

router = page_router()

ROWS: Final = 50
AGAIN_S: Final = 2
"""A page of a backtest that runs is asked for again after so many seconds."""
KINDS: Final = ("new", "gone", "moved")


def _desk(visit: Visit) -> RuleBacktests:
    if visit.parts.backtests is None:
        raise NotFoundError(say("this server runs no backtests"))
    return visit.parts.backtests


@router.get("/backtests")
def list_backtests(visit: Person) -> Response:
    """Those that are kept."""
    return page(
        visit,
        "backtests",
        title=gettext(visit, "Backtests"),
        here="proposals",
        rows=_desk(visit).backtests(visit.scope),
    )


@router.get("/backtests/{backtest}")
def show(visit: Person, backtest: str) -> Response:
    """How far it is, or what it brought."""
    desk = _desk(visit)
    found = desk.backtest(visit.scope, backtest)
    done = found.state is BacktestState.DONE
    result = desk.result(visit.scope, backtest) if done else None
    asked = {"kind": _kind(visit), "institution": visit.asked("institution", 200)}
    changes = _asked_for(result, asked)
    start = min(int(text) if (text := visit.asked("from", 6)).isdecimal() else 0, len(changes))
    more = start + ROWS < len(changes)
    made = page(
        visit,
        "backtest",
        title=f"{found.pack} {found.version}",
        here="proposals",
        backtest=found,
        result=result,
        kinds=KINDS,
        asked=asked,
        changes=changes[start : start + ROWS],
        kept=0 if result is None else len(result["changes"]),
        more=link(f"/backtests/{backtest}", **asked, **{"from": start + ROWS}) if more else "",
        around=[] if result is None else [(one, bars(one["bins"])) for one in result["around"]],
        stops=found.state is BacktestState.RUNNING
        and (found.actor == visit.scope.actor or Role.OPERATOR in visit.scope.roles),
    )
    if found.state is BacktestState.RUNNING:
        # With its address: a fragment that came along would make it a jump within the page.
        made.headers["Refresh"] = f"{AGAIN_S}; url=/backtests/{found.id}"
    return made


def _kind(visit: Visit) -> str:
    kind = visit.asked("kind", 10)
    if kind and kind not in KINDS:
        raise UsageError(
            say("no kind %(kind)r", kind=kind), hint=say("kinds: %(kinds)s", kinds=", ".join(KINDS))
        )
    return kind


def _asked_for(
    result: Mapping[str, Any] | None, asked: Mapping[str, str]
) -> Sequence[tuple[int, Mapping[str, Any]]]:
    """The changes that are asked for, each with its number among all that are kept."""
    return [
        (number, change)
        for number, change in enumerate(() if result is None else result["changes"])
        if asked["kind"] in ("", change["change"])
        and asked["institution"] in ("", change["institution"])
    ]


@router.get("/backtests/{backtest}/changes/{number}")
def change(visit: Person, backtest: str, number: int) -> Response:
    """One alert that differs, with the measures that made the difference."""
    desk = _desk(visit)
    found = desk.backtest(visit.scope, backtest)
    changes = desk.result(visit.scope, backtest)["changes"]
    if not 0 <= number < len(changes):
        raise NotFoundError(
            say("there is no change %(number)s in %(backtest)s", number=number, backtest=backtest)
        )
    shown = changes[number]
    base, head = shown["base"] or {}, shown["head"] or {}
    return page(
        visit,
        "backtestchange",
        title=clean(shown["rule"]),
        here="proposals",
        backtest=found,
        change=shown,
        base=base,
        head=head,
        measures=_beside(base.get("measures") or {}, head.get("measures") or {}),
        params=_beside(base.get("params") or {}, head.get("params") or {}),
        facts=(head or base).get("facts") or {},
    )


def _beside(base: Mapping[str, Any], head: Mapping[str, Any]) -> list[tuple[str, Any, Any, bool]]:
    """Name, the value of each side (None where it has none), and whether they differ."""
    return [
        (name, base.get(name), head.get(name), base.get(name) != head.get(name))
        for name in dict.fromkeys([*base, *head])
    ]


@router.post("/backtests/{backtest}/cancel")
def cancel(visit: Person, backtest: str) -> Response:
    """Stop it."""
    _desk(visit).cancel(visit.scope, backtest)
    return RedirectResponse(f"/backtests/{backtest}", 303)
