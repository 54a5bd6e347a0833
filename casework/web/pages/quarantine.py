"""The quarantine: events that could not be judged, to be fixed and tried again."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Path, Response

from casework.cases.grades import MASK, clear_grade, grade_of
from casework.cases.scope import Role
from casework.ports import Quarantined
from casework.service.outside import QuarantineDesk, Verdict
from casework.web.render import gettext, page
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.content.saying import say
from regtech.errors import NotFoundError, UsageError

router = page_router()

ROWS: Final = 50
Number = Annotated[int, Path(ge=1, le=1 << 60)]
"""Of a quarantined event; no store is asked for more."""
STATES: Final = ("open", "retried")
_SENDERS: Final = frozenset({Role.INSTITUTION, Role.SERVICE})


def _desk(visit: Visit) -> QuarantineDesk:
    if visit.parts.quarantine is None:
        raise NotFoundError(say("this server judges no events"), hint=say("regtech serve --events"))
    return visit.parts.quarantine


@router.get("/quarantine")
def list_quarantine(visit: Person) -> Response:
    """Oldest first, with what was wrong."""
    state = visit.asked("state") or "open"
    if state not in STATES:
        raise UsageError(
            say("no state %(state)r", state=state),
            hint=say("states: %(states)s", states=", ".join(STATES)),
        )
    found = _desk(visit).list(
        visit.scope,
        state=state,
        code=visit.asked("code", 64) or None,
        after=visit.asked("after", 200) or None,
        limit=ROWS,
    )
    return page(
        visit,
        "quarantine",
        title=gettext(visit, "Quarantine"),
        here="quarantine",
        rows=[_shown(visit, event) for event in found.items],
        state=state,
        code=visit.asked("code", 64),
        after=found.after,
    )


def _shown(visit: Visit, event: Quarantined) -> dict[str, Any]:
    """An event as the person may see it: whole for those who sent it."""
    own = bool(visit.scope.roles & _SENDERS)
    clear = grade_of(event.place) <= clear_grade(visit.scope)
    return {
        "number": event.number,
        "tenant": event.tenant,
        "received": event.received_us,
        "source": event.source,
        "line": event.line,
        "place": event.place,
        "code": event.code,
        "found": event.found if own or clear else MASK,
        "expected": event.expected,
        "state": event.state,
        "raw": event.raw.decode("utf-8", "backslashreplace") if own else None,
    }


@router.get("/quarantine/{number}")
def show(visit: Person, number: Number) -> Response:
    """One of them; those who sent it may correct it here."""
    return _one(visit, number)


def _one(
    visit: Visit, number: int, *, status: int = 200, decision: dict[str, Any] | None = None
) -> Response:
    event = _desk(visit).get(visit.scope, number)
    return page(
        visit,
        "quarantined",
        title=f"{gettext(visit, 'Quarantine')} {number}",
        here="quarantine",
        status=status,
        event=_shown(visit, event),
        decision=decision,
        corrected=visit.typed.get("corrected"),
    )


@router.post("/quarantine/{number}/retry")
def retry(visit: Person, number: Number) -> Response:
    """Judge it again, as it is or as it was corrected."""
    event = _desk(visit).get(visit.scope, number)
    text = visit.typed.get("corrected")
    corrected = text.encode() if text and text.encode() != event.raw.strip() else None
    decision = _desk(visit).retry(visit.scope, number, corrected)
    told = {
        "verdict": decision.verdict.value,
        "alerts": len(decision.alerts),
        "refusal": decision.refusal,
    }
    refused = decision.verdict not in (Verdict.JUDGED, Verdict.REPEATED)
    return _one(visit, number, status=409 if refused else 200, decision=told)
