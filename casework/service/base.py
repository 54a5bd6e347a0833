"""What the parts of the service share: the ports, and one way to change a case."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from casework.cases.case import Case, Outcome
from casework.cases.directive import Wake
from casework.cases.errors import TransitionError
from casework.cases.lifecycle import Action, allow
from casework.cases.scope import Scope
from casework.cases.sla import Jurisdictions, clock_state, warn_before
from casework.cases.themes import Themes
from casework.cases.timeline import Draft
from casework.ports import Record, Unit
from regtech.clock import Clock
from regtech.content.saying import say
from regtech.errors import ConflictError, UsageError

Change = Callable[[Unit, Case], Sequence[Draft]]


class Base:
    """The record, the clock, the calendars and the themes that every use case works with."""

    def __init__(
        self, record: Record, clock: Clock, jurisdictions: Jurisdictions, themes: Themes
    ) -> None:
        self.record, self.clock, self.jurisdictions = record, clock, jurisdictions
        self.themes = themes

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
            if case.ended != after.ended:
                self._turn(scope, unit, after)
        return after

    def _turn(self, scope: Scope, unit: Unit, case: Case) -> None:
        """A person ended or reopened a case: later alerts of its keys go elsewhere, or come again.

        The end is in event time: how far alerts are known, and no later than now. What comes late,
        from before it, still belongs to the case.
        """
        keys = case.planned.get("keys", ())
        if not case.ended:
            unit.uncut(scope, case.id)
            first = unit.case_alerts(scope, case.id)[:1]
            # The case that was opened in between may belong to this one: the worker looks.
            unit.set_wakes(scope, (), [Wake(0, alert.id, case.policy) for alert in first])
        elif keys:
            reached, now = unit.as_of(scope), self.clock.now_us()
            if reached > now:
                times = [alert.time_us for alert in unit.case_alerts(scope, case.id)]
                reached = max(now, *times) if times else now
            unit.cut(scope, case.id, keys, reached)

    def checked(self, case: Case, outcome: Outcome) -> None:
        """Raise ``ConflictError`` where required points of the checklist are open.

        A duplicate or an error in the data is closed without going through the points.
        """
        if outcome in (Outcome.DUPLICATE, Outcome.DATA_ERROR):
            return
        missing = self.themes.missing(case.theme, frozenset(check.item for check in case.checks))
        if missing:
            raise ConflictError(
                say(
                    "points of the checklist are open: %(missing)s",
                    missing=", ".join(point.id for point in missing),
                ),
                hint=say("tick them off, or close as duplicate or data_error"),
                code="checklist",
            )

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
        raise UsageError(
            say("%(action)s needs a reason", action=what), hint=say("say why: --reason")
        )
    return reason


def at_work(case: Case) -> None:
    """Raise ``TransitionError`` for a case that has ended."""
    if case.ended:
        raise TransitionError(
            say("%(case)s is %(state)s", case=case.id, state=case.state),
            hint=say("reopen it first"),
        )
