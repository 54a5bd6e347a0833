"""What was asked for with a case becomes one call of the service."""

from __future__ import annotations

from casework.api.types import cases as T
from casework.api.types.common import microseconds
from casework.cases.case import Case, Gate
from casework.cases.lifecycle import Move
from casework.cases.scope import Scope
from casework.service.cases import CaseService
from regtech.errors import ForbiddenError, InternalError


def act_on(s: CaseService, scope: Scope, case: str, seen: int, wanted: T.Action) -> Case:
    """Do it. ``seen`` is the version that the caller has before it; an institution has none."""
    if scope.restricted and not isinstance(wanted, T.Comment):
        # The same words whether or not there is such a case.
        raise ForbiddenError(f"{scope.actor} may not {wanted.action}")
    match wanted:
        case T.Triage():
            return s.move(scope, case, seen, Move.TRIAGE)
        case T.Investigate():
            return s.move(scope, case, seen, Move.INVESTIGATE)
        case T.Escalate():
            return s.move(scope, case, seen, Move.ESCALATE, wanted.reason)
        case T.Reopen():
            return s.move(scope, case, seen, Move.REOPEN, wanted.reason)
        case T.Close():
            return s.close(scope, case, seen, wanted.outcome, wanted.reason)
        case T.AskClose():
            return s.ask(scope, case, seen, Gate.CLOSE, wanted.reason, outcome=wanted.outcome)
        case T.AskReport():
            return s.ask(scope, case, seen, Gate.REPORT, wanted.reason, outcome=wanted.outcome)
        case T.AskOverride():
            return s.ask(scope, case, seen, Gate.OVERRIDE, wanted.reason, about=wanted.about)
        case T.AskExport():
            return s.ask(scope, case, seen, Gate.EXPORT, wanted.reason, about=wanted.about)
        case T.Approve():
            return s.approve(scope, case, seen, wanted.number)
        case T.Refuse():
            return s.refuse(scope, case, seen, wanted.number, wanted.reason)
        case T.Assign():
            return s.assign(scope, case, seen, wanted.to)
        case T.Comment():
            return s.comment(scope, case, seen, wanted.text, shared=wanted.shared)
        case T.Tag():
            return s.tag(scope, case, seen, add=wanted.add, remove=wanted.remove)
        case T.Check():
            return s.check(scope, case, seen, wanted.item, done=wanted.done)
        case T.Snooze():
            return s.snooze(scope, case, seen, microseconds(wanted.until), wanted.reason)
        case T.Wake():
            return s.snooze(scope, case, seen, None)
        case T.Prioritise():
            return s.prioritise(
                scope, case, seen, wanted.priority, wanted.reason, wanted.queue or ""
            )
        case T.SetDue():
            due = None if wanted.due is None else microseconds(wanted.due)
            return s.set_due(scope, case, seen, due, wanted.reason)
        case T.LinkTo():
            return s.link(scope, case, seen, wanted.case, wanted.relation)
        case T.Merge():
            return s.merge(scope, case, seen, wanted.into, wanted.into_version, wanted.reason)
        case T.Split():
            return s.split(scope, case, seen, wanted.alerts, wanted.reason)
        case T.Share():
            return s.share(scope, case, seen, wanted.shared, wanted.reason)
    raise InternalError(f"no call for {wanted!r}")
