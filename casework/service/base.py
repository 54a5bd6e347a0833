"""What the parts of the service share: the ports, and one way to change a case."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from casework.cases.case import Case
from casework.cases.errors import TransitionError
from casework.cases.lifecycle import Action, allow
from casework.cases.scope import Scope
from casework.cases.sla import Jurisdictions, clock_state, warn_before
from casework.cases.timeline import Draft
from casework.ports import Record, Unit
from regtech.clock import Clock
from regtech.errors import UsageError

Change = Callable[[Unit, Case], Sequence[Draft]]


class Base:
    """The record, the clock and the calendars that every use case works with."""

    def __init__(self, record: Record, clock: Clock, jurisdictions: Jurisdictions) -> None:
        self.record, self.clock, self.jurisdictions = record, clock, jurisdictions

    def change(
        self,
        scope: Scope,
        action: Action,
        case_id: str,
        seen: int | None,
        drafts: Change,
        *,
        settle: bool = False,
    ) -> Case:
        """Add to a case what ``drafts`` says of it, if it still has the version that was seen.

        ``seen`` None takes the case as it stands: for actors to whom versions are not shown.
        ``settle``: the outcome may have changed. Raises ``VersionConflictError``,
        ``NotFoundError``, ``ForbiddenError``.
        """
        allow(scope, action)
        with self.record.unit(scope) as unit:
            case = unit.case(scope, case_id)
            if seen is not None and seen != case.version:
                unit.append(scope, case_id, seen, ())
            made = drafts(unit, case)
            after = unit.append(scope, case_id, case.version, made) if made else case
            if settle:
                unit.settle(scope, after)
        return after

    def warn_at(self, jurisdiction: str, due_us: int | None) -> int | None:
        """When the warning before a due date begins."""
        if due_us is None:
            return None
        return warn_before(self.jurisdictions.profile(jurisdiction), due_us)

    def told(self, case: Case) -> str:
        """What the clock of the case says now, for a date that is set in the past."""
        state = clock_state(case, self.clock.now_us())
        return state.value if state.value in ("warning", "overdue") else ""


def needs(reason: str, what: str) -> str:
    """The reason without blanks around it; ``UsageError`` where there is none."""
    reason = reason.strip()
    if not reason:
        raise UsageError(f"{what} needs a reason", hint="say why: --reason")
    return reason


def at_work(case: Case) -> None:
    """Raise ``TransitionError`` for a case that has ended."""
    if case.ended:
        raise TransitionError(f"{case.id} is {case.state}", hint="reopen it first")
