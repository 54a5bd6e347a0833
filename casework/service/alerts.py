"""Alerts outside of their cases, and what is known of a party; masked by role.

What an institution is shown is put on record, as in ``read``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from casework.cases.alert import StoredAlert
from casework.cases.case import Case
from casework.cases.disclosure import own_part
from casework.cases.grades import clear_grade, masked
from casework.cases.keys import Key
from casework.cases.lifecycle import Action, allow
from casework.cases.scope import Scope
from casework.cases.timeline import Draft, Entry, EntryKind
from casework.ports import AlertQuery, Page
from casework.service.base import Base
from regtech.content.saying import say
from regtech.errors import ForbiddenError

PARTY_ALERTS: Final = 200
_CASES_OF: Final = 50
"""Alerts of a party whose cases are looked up."""


class AlertReading(Base):
    """Alerts by themselves, as a scope may see them."""

    def alert(self, scope: Scope, alert_id: str) -> dict[str, Any]:
        """An alert as written. Raises ``NotFoundError``."""
        allow(scope, Action.READ)
        return self._shown(scope, [self.record.alert(scope, alert_id)])[0]

    def alerts(
        self,
        scope: Scope,
        query: AlertQuery | None = None,
        *,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[dict[str, Any]]:
        """Alerts, the latest event time first."""
        allow(scope, Action.READ)
        asked = query or AlertQuery()
        if scope.restricted:  # what was suppressed or braked is the authority's own affair
            asked = replace(asked, disposition=None)
        page = self.record.alerts(scope, asked, after=after, limit=limit)
        return Page(tuple(self._shown(scope, page.items)), page.after)

    def alerts_of_case(
        self, scope: Scope, case_id: str, *, after: str | None = None, limit: int = 50
    ) -> Page[dict[str, Any]]:
        """Alerts of a case in the order they came, for those who work it."""
        self._full(scope)
        page = self.record.case_alerts(scope, case_id, after=after, limit=limit)
        return Page(tuple(self._shown(scope, page.items)), page.after)

    def cases_of_alert(self, scope: Scope, alert_id: str) -> tuple[Case, ...]:
        """The cases that have an alert, for those who work them. Raises ``NotFoundError``."""
        self._full(scope)
        self.record.alert(scope, alert_id)
        return self.record.cases_of_alerts(scope, (alert_id,))

    def party(
        self, scope: Scope, key: Key, since_us: int, until_us: int, limit: int = PARTY_ALERTS
    ) -> tuple[list[dict[str, Any]], tuple[Case, ...], bool]:
        """(latest alerts of the key in the time, cases of the latest of them, whether more)."""
        allow(scope, Action.READ)
        found = self.record.alerts_of(scope, (key,), since_us, until_us, latest=limit + 1)
        latest = list(reversed(found))[:limit]
        cases: tuple[Case, ...] = ()
        if not scope.restricted:
            ids = [alert.id for alert in latest[:_CASES_OF]]
            cases = self.record.cases_of_alerts(scope, ids)
        return self._shown(scope, latest), cases, len(found) > limit

    def log(
        self, scope: Scope, chain: str, *, after: int = 0, limit: int = 100
    ) -> tuple[Entry, ...]:
        """Entries of a tenant's log, for those who audit. Raises ``ForbiddenError``."""
        _may_read_logs(scope)
        return self.record.log(scope, chain, after=after, limit=limit)

    def chains(self, scope: Scope) -> dict[str, tuple[int, bytes]]:
        """Each log in reach with its length and last hash. Raises ``ForbiddenError``."""
        _may_read_logs(scope)
        return dict(self.record.chains(scope))

    def _full(self, scope: Scope) -> None:
        allow(scope, Action.READ)
        if scope.restricted:
            allow(scope, Action.WORK)

    def _shown(self, scope: Scope, alerts: Sequence[StoredAlert]) -> list[dict[str, Any]]:
        clear = clear_grade(scope)
        bodies = [masked(own_part(scope, alert.body()), clear) for alert in alerts]
        if scope.restricted and alerts:
            with self.record.unit(scope) as unit:
                for tenant in sorted({alert.tenant for alert in alerts}):
                    ids = [alert.id for alert in alerts if alert.tenant == tenant]
                    detail = {"alerts": ids, "to": sorted(scope.tenants or ())}
                    unit.log(scope, tenant, Draft(EntryKind.DISCLOSED, detail=detail))
        return bodies


def _may_read_logs(scope: Scope) -> None:
    allow(scope, Action.LOG)
    if scope.jurisdictions is not None:
        raise ForbiddenError(
            say("%(actor)s may not read logs", actor=scope.actor),
            hint=say("a log tells of all jurisdictions: it takes one who is there for all of them"),
        )
