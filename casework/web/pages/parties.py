"""A party, account, device, person or group: everything known of it, at any time that is chosen."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Response

from casework.cases.keys import KeyKind
from casework.cases.lifecycle import Action, allow
from casework.web.drawing import network, sparkline
from casework.web.formats import micros, typed_instant
from casework.web.render import gettext, page
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.content.saying import say
from regtech.errors import UsageError

router = page_router()

LAST_US: Final = 7_258_118_400_000_000
BARS: Final = 24


@router.get("/parties")
def show(visit: Person) -> Response:
    """The page of a key, or the question which one."""
    allow(visit.scope, Action.READ)
    kind, key = visit.asked("kind", 40), visit.asked("key", 500)
    if not key:
        return page(visit, "party_search", title=gettext(visit, "Parties"), here="parties",
                    kinds=[kind.value for kind in KeyKind])  # fmt: skip
    as_of, until = _as_of(visit)
    found, cases, more = visit.parts.alerts.party(visit.scope, (_kind(kind), key), 0, until)
    lines = [visit.parts.service.summary(visit.scope, case) for case in cases]
    times = sorted(us for body in found if (us := micros(body.get("time"))) is not None)
    return page(
        visit,
        "party",
        title=key,
        here="parties",
        kind=kind,
        key=key,
        as_of=as_of,
        alerts=found,
        cases=lines,
        more=more,
        first=times[0] if times else None,
        last=times[-1] if times else None,
        line=sparkline(_bars(times)),
        network=network(found),
    )


def _kind(text: str) -> KeyKind:
    if text not in list(KeyKind):
        raise UsageError(
            say("no kind %(text)r", text=text),
            hint=say("kinds: %(keykind)s", keykind=", ".join(KeyKind)),
        )
    return KeyKind(text)


def _as_of(visit: Visit) -> tuple[str, int]:
    """The day that was asked for with the last instant that counts."""
    text = visit.asked("as_of", 20)
    if not text:
        return "", LAST_US
    until = typed_instant(text, visit.zone)
    if until is None:
        raise UsageError(say("%(text)r is no day", text=text), hint=say("such as 2026-03-02"))
    return text, until


def _bars(times: list[int]) -> list[int]:
    """How many of the times lie in each of equal parts of the whole."""
    if not times:
        return []
    width = max(1, (times[-1] - times[0]) // BARS + 1)
    counts = [0] * BARS
    for us in times:
        counts[min(BARS - 1, (us - times[0]) // width)] += 1
    return counts


@router.get("/parties/network.json")
def drawing(visit: Person) -> dict[str, Any]:
    """Who has to do with the party, for the drawing; ``node`` is the id of one in another."""
    allow(visit.scope, Action.READ)
    _, until = _as_of(visit)
    kind, _, identity = visit.asked("node", 540).partition(":")
    key = (_kind(visit.asked("kind", 40) or kind), visit.asked("key", 500) or identity)
    found, _, _ = visit.parts.alerts.party(visit.scope, key, 0, until)
    return network(found)


@router.get("/cases/{case}/network.json")
def of_case(visit: Person, case: str) -> dict[str, Any]:
    """Who has to do with whom in the alerts of a case, for the drawing."""
    view = visit.parts.service.view(visit.scope, case)
    return network(view.get("found", view.get("alerts", [])))
