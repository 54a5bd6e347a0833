"""What is shown: to those who work cases, masked by role; to institutions, what may be told them.

What an institution is shown, and what is unmasked, is put into the log of the case's tenant in the
same step: nothing is handed out that is not on record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casework.cases.alert import StoredAlert
from casework.cases.case import Case
from casework.cases.directive import Disposition
from casework.cases.disclosure import alerts_shown, institution_view, own_part
from casework.cases.grades import Grade, clear_grade, masked
from casework.cases.lifecycle import Action, allow
from casework.cases.scope import Scope
from casework.cases.sla import ClockReading, read_clock
from casework.cases.timeline import Draft, Entry, EntryKind, changed
from casework.cases.times import time_text
from casework.ports import AlertConflict, CaseQuery, Page, Precision, Related, Standing, Tally, Unit
from casework.service.base import Base, needs
from regtech.reference.civil import iso_from_day
from regtech.reference.zones import local_day

DAY_US = 86_400_000_000
VIEW_MAX = 500
"""Alerts and entries of one view; the pages of the record have the rest."""


class Reading(Base):
    """Cases, their timelines and alerts, as a scope may see them."""

    def get(self, scope: Scope, case_id: str) -> Case:
        """The case itself, for those who work it. Raises ``NotFoundError``, ``ForbiddenError``."""
        self._full(scope)
        return self.record.case(scope, case_id)

    def list(
        self, scope: Scope, query: CaseQuery, *, after: str | None = None, limit: int = 50
    ) -> Page[Case]:
        """Cases in the order of the queue, for those who work them."""
        self._full(scope)
        return self.record.cases(scope, query, after=after, limit=limit)

    def tally(self, scope: Scope, query: CaseQuery, by: Tally) -> Mapping[str, int]:
        """How many cases of a query there are of each value, for those who work them."""
        self._full(scope)
        return self.record.tally(scope, query, by)

    def standing(
        self, scope: Scope, by: Sequence[Tally], query: CaseQuery | None = None
    ) -> Mapping[tuple[str, ...], Standing]:
        """How cases stand now, for those who work them: of a query, or all open ones."""
        self._full(scope)
        return self.record.standing(scope, by, self.clock.now_us(), query)

    def case_weeks(self, scope: Scope, weeks: int) -> Mapping[str, tuple[int, ...]]:
        """Cases opened in the last weeks by theme, the oldest first, for those who work them."""
        self._full(scope)
        return self.record.case_weeks(scope, self.clock.now_us() // DAY_US, weeks)

    def alert_weeks(self, scope: Scope, by: Tally, weeks: int) -> Mapping[str, tuple[int, ...]]:
        """Alerts of the last weeks by event time, the oldest first, for those who work them."""
        self._full(scope)
        return self.record.alert_weeks(scope, by, self.clock.now_us() // DAY_US, weeks)

    def summary(self, scope: Scope, case: Case) -> dict[str, Any]:
        """A case as a line of a list: masked, with its clock."""
        reading = self.clock_of(case)
        shown = {
            "id": case.id,
            "version": case.version,
            "state": case.state.value,
            "severity": case.severity,
            "priority": case.priority,
            "queue": case.queue,
            "jurisdiction": case.jurisdiction,
            "policy": case.policy,
            "policy_version": case.policy_version,
            "theme": case.theme,
            "theme_title": dict(self.themes.of(case.theme).title),
            "subject": {"per": case.key_kind, "key": case.key},
            "tenants": list(case.tenants),
            "alerts": case.alert_count,
            "assignee": case.assignee,
            "opened": time_text(case.opened_us),
            "due": None if case.due_us is None else time_text(case.due_us),
            "due_day": self._day(case),
            "clock": {"state": reading.state.value, "working_days": reading.working_days},
            "tags": list(case.tags),
            "reason": dict(case.reason),
        }
        return dict(masked(shown, clear_grade(scope)))

    def _day(self, case: Case) -> str | None:
        """The due day as the jurisdiction counts it."""
        if case.due_us is None:
            return None
        zone = self.jurisdictions.profile(case.jurisdiction).zone
        return iso_from_day(local_day(zone, case.due_us))

    def view(self, scope: Scope, case_id: str) -> dict[str, Any]:
        """A case with its alerts, timeline, checklist and requests, as the scope may see it."""
        allow(scope, Action.READ)
        if scope.restricted:
            return self.disclose(scope, case_id)
        case = self.record.case(scope, case_id)
        clear = clear_grade(scope)
        alerts = self.record.case_alerts(scope, case_id, limit=VIEW_MAX)
        timeline = self.record.timeline(scope, case_id, limit=VIEW_MAX)
        ticked = {check.item: check for check in case.checks}
        checklist = [
            {
                "id": point.id,
                "title": dict(point.title),
                "required": point.required,
                "done": point.id in ticked,
                "by": ticked[point.id].by if point.id in ticked else None,
            }
            for point in self.themes.of(case.theme).checklist
        ]
        related = self.record.related(scope, case_id, limit=10)
        document = case.as_dict()
        return {
            **self.summary(scope, case),
            "outcome": document["outcome"],
            "closing_reason": masked(case.closing_reason, clear, path="closing_reason"),
            "merged_into": case.merged_into,
            "snoozed_until": None
            if case.snoozed_until_us is None
            else time_text(case.snoozed_until_us),
            "shared": case.shared,
            "checklist": checklist,
            "requests": document["requests"],
            "overridden": document["overridden"],
            "links": document["links"],
            "files": masked(document["files"], clear, path="files"),
            "related": [
                {
                    "case": found.case.id,
                    "shared": masked(
                        [{"kind": kind.value, "key": value} for kind, value in found.shared], clear
                    ),
                }
                for found in related
            ],
            "found": [masked(own_part(scope, _alert(alert)), clear) for alert in alerts.items],
            "found_after": alerts.after,
            "timeline": [masked(_entry(entry), clear) for entry in timeline],
        }

    def disclose(self, scope: Scope, case_id: str) -> dict[str, Any]:
        """What an institution is shown of a case, put on record. Raises ``NotFoundError``."""
        allow(scope, Action.READ)
        case = self.record.case(scope, case_id)
        alerts = self._own_alerts(scope, case)
        timeline = self.record.timeline(scope, case_id, limit=100_000)
        view = institution_view(case, alerts, timeline, scope)
        shown = [alert.id for alert in alerts]
        with self.record.unit(scope) as unit:
            detail = {"case": case_id, "alerts": shown, "to": sorted(scope.tenants or ())}
            unit.log(scope, case.chain, Draft(EntryKind.DISCLOSED, detail=detail))
        return view

    def _own_alerts(self, scope: Scope, case: Case) -> Sequence[StoredAlert]:
        """All that may be shown: a page of all alerts might hold none of them."""
        found: list[StoredAlert] = []
        after: str | None = None
        while True:
            page = self.record.case_alerts(scope, case.id, after=after, limit=VIEW_MAX)
            found += alerts_shown(case, page.items, scope)
            after = page.after
            if after is None:
                return found

    def disclosed_list(
        self, scope: Scope, *, open: bool | None = True, after: str | None = None, limit: int = 50
    ) -> Page[dict[str, Any]]:
        """The cases that an institution may know of, put on record."""
        allow(scope, Action.READ)
        page = self.record.cases(scope, CaseQuery(open=open), after=after, limit=limit)
        items = tuple(
            {
                "case": case.id,
                "theme": case.theme,
                "jurisdiction": case.jurisdiction,
                "open": not case.ended,
            }
            for case in page.items
        )
        if items:
            with self.record.unit(scope) as unit:
                for chain in sorted({case.chain for case in page.items}):
                    ids = [case.id for case in page.items if case.chain == chain]
                    detail = {"cases": ids, "to": sorted(scope.tenants or ())}
                    unit.log(scope, chain, Draft(EntryKind.DISCLOSED, detail=detail))
        return Page(items, page.after)

    def share(self, scope: Scope, case_id: str, seen: int, shared: bool, reason: str) -> Case:
        """Decide that the institution may see what may be decided; never what may not be told."""
        reason = needs(reason, "sharing")

        def drafts(_: Unit, case: Case) -> Sequence[Draft]:
            if case.shared == shared:
                return []
            draft = changed(EntryKind.SHARED, case, shared=shared)
            return [Draft(draft.kind, draft.before, draft.after, reason=reason)]

        return self.change(scope, Action.SHARE, case_id, seen, drafts)

    def unmask(self, scope: Scope, case_id: str, reason: str, *, grade: Grade) -> dict[str, Any]:
        """The alerts of a case with everything up to ``grade`` in the clear, put on record."""
        allow(scope, Action.UNMASK)
        reason = needs(reason, "unmasking")
        self._full(scope)
        case = self.record.case(scope, case_id)
        alerts = self.record.case_alerts(scope, case_id, limit=VIEW_MAX)
        with self.record.unit(scope) as unit:
            detail = {
                "case": case_id,
                "alerts": [alert.id for alert in alerts.items],
                "grade": grade.name.lower(),
            }
            unit.log(scope, case.chain, Draft(EntryKind.UNMASKED, detail=detail, reason=reason))
        return {
            "case": case_id,
            "found": [masked(own_part(scope, _alert(a)), grade) for a in alerts.items],
        }

    def timeline(
        self, scope: Scope, case_id: str, *, after: int = 0, limit: int = 100
    ) -> tuple[Entry, ...]:
        """Entries of a case, for those who work it."""
        self._full(scope)
        return self.record.timeline(scope, case_id, after=after, limit=limit)

    def related(self, scope: Scope, case_id: str, *, limit: int = 20) -> tuple[Related, ...]:
        """Cases with something in common, for those who work them."""
        self._full(scope)
        return self.record.related(scope, case_id, limit=limit)

    def file(self, scope: Scope, case_id: str, sha256: str) -> bytes:
        """The bytes of a file, checked against the digest; for those who work the case."""
        self._full(scope)
        return self.record.file(scope, case_id, sha256)

    def precision(self, scope: Scope) -> tuple[Precision, ...]:
        """How often each rule was right at each institution."""
        allow(scope, Action.PRECISION)
        return self.record.precision(scope)

    def asides(
        self,
        scope: Scope,
        *,
        disposition: Disposition | None = None,
        rule: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[dict[str, Any]]:
        """Alerts that are in no case, masked, each with the policy and the reason."""
        self._full(scope)
        page = self.record.asides(
            scope, disposition=disposition, rule=rule, after=after, limit=limit
        )
        clear = clear_grade(scope)
        items = tuple(
            {
                **item.directive.as_data(),
                "rule": item.alert.rule,
                "severity": item.alert.severity,
                "jurisdiction": item.alert.jurisdiction,
                "tenant": item.alert.tenant,
                "time": time_text(item.alert.time_us),
                "subject": masked(item.alert.body().get("subject"), clear, path="subject"),
                "explanation": item.alert.body().get("explanation"),
            }
            for item in page.items
        )
        return Page(items, page.after)

    def conflicts(self, scope: Scope, *, after: str | None = None) -> Page[AlertConflict]:
        """Alerts that came with another content under a known id."""
        self._full(scope)
        return self.record.conflicts(scope, after=after)

    def clock_of(self, case: Case) -> ClockReading:
        """How the clock of the case stands now."""
        where = self.jurisdictions.profile(case.jurisdiction)
        return read_clock(case, where, self.clock.now_us())

    def _full(self, scope: Scope) -> None:
        allow(scope, Action.READ)
        if scope.restricted:
            # What is not meant for institutions does not even say that it is there.
            allow(scope, Action.WORK)


def _alert(alert: StoredAlert) -> dict[str, Any]:
    return alert.body()


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "sequence": entry.sequence,
        "kind": entry.kind.value,
        "at": time_text(entry.at_us),
        "actor": entry.actor,
        "before": dict(entry.before),
        "after": dict(entry.after),
        "detail": dict(entry.detail),
        "why": entry.reason,
        "shared": entry.shared,
        "hash": entry.hash.hex(),
    }
