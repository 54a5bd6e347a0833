"""The passing of time: warnings before a due date, and what is overdue, told once."""

from __future__ import annotations

from casework.cases.lifecycle import Action, allow
from casework.cases.scope import Scope
from casework.cases.sla import ClockState, clock_state
from casework.cases.timeline import EntryKind, changed
from casework.ports import CaseQuery
from casework.service.base import Base


class Clocks(Base):
    """Run by a worker; how the clock of a case stands is otherwise read when it is shown."""

    def sweep(self, scope: Scope, *, limit: int = 500) -> int:
        """Put on record which cases have come near their due date or passed it; how many."""
        allow(scope, Action.INTAKE)
        told = 0
        while True:
            now = self.clock.now_us()
            query = CaseQuery(open=True, tell_before_us=now + 1)
            page = self.record.cases(scope, query, limit=limit)
            if not page.items:
                return told
            with self.record.unit(scope) as unit:
                for case in unit.find(scope, [case.id for case in page.items]).values():
                    state = clock_state(case, now)
                    telling = state in (ClockState.WARNING, ClockState.OVERDUE)
                    if telling and state.value != case.clock_told:
                        draft = changed(EntryKind.CLOCK_TOLD, case, clock_told=state.value)
                        unit.append(scope, case.id, case.version, [draft])
                        told += 1
