"""The quarantine of a server: who may look, and another try."""

from __future__ import annotations

from typing import Final

from casework.cases.scope import Role, Scope
from casework.ports import EventDesk, Page, Quarantined
from casework.service.outside import Decision
from regtech.app.deciding import SENDERS, Deciding
from regtech.errors import ConflictError, ForbiddenError


class Quarantines:
    """``casework.service.outside.QuarantineDesk``: the desk, and another try."""

    def __init__(self, desk: EventDesk, deciding: Deciding) -> None:
        self._desk, self._deciding = desk, deciding

    def list(
        self, scope: Scope, *, state: str | None, code: str | None, after: str | None, limit: int
    ) -> Page[Quarantined]:
        _may_look(scope)
        return self._desk.quarantined(scope, state=state, code=code, after=after, limit=limit)

    def get(self, scope: Scope, number: int) -> Quarantined:
        _may_look(scope)
        return self._desk.quarantined_event(scope, number)

    def retry(self, scope: Scope, number: int, corrected: bytes | None) -> Decision:
        _may_look(scope)
        event = self._desk.quarantined_event(scope, number)
        if event.state != "open":
            raise ConflictError(f"the quarantined event {number} was {event.state} already")
        decision = self._deciding.judge(scope, corrected or event.raw, number).settle()
        if decision.refusal is None:
            self._desk.settle_quarantined(scope, number, "retried")
        return decision


_LOOKERS: Final = SENDERS | {Role.SUPERVISOR, Role.OPERATOR, Role.AUDITOR}


def _may_look(scope: Scope) -> None:
    if not scope.roles & _LOOKERS:
        raise ForbiddenError(f"{scope.actor} may not see the quarantine")
