"""What cases ended with, event by event: labels for models that learn from outcomes.

An event is a case where a person confirmed one that rests on it, and none where all that do turned
out unfounded or to rest on wrong data. Duplicates and cases that a policy ended say nothing, and a
rule that two persons overrode was unfounded, whatever became of its case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from casework.cases.alert import StoredAlert
from casework.cases.case import ENDED, Case, Outcome
from casework.cases.lifecycle import Action, allow
from casework.cases.scope import Scope
from casework.cases.timeline import Draft, Entry, EntryKind
from casework.ports import CaseQuery
from casework.service.base import Base

_CASES: Final = 200
_ALERTS: Final = 1_000_000
_SAYS: Final = {Outcome.CONFIRMED: True, Outcome.UNFOUNDED: False, Outcome.DATA_ERROR: False}


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """What became known of an event and when, in microseconds since 1970; ``rule`` that found it.

    ``event`` is the id that its reporter gave it. An alert does not name the reporter of each of
    its events; ``institution`` is whose alert it was, mostly the same.
    """

    institution: str
    event: str
    confirmed: bool
    known_us: int
    rule: str
    theme: str


class Learning(Base):
    """Outcomes for whoever trains models."""

    def event_outcomes(self, scope: Scope) -> tuple[EventOutcome, ...]:
        """Each event of an institution once, by id; that they were handed out is in its log.

        What is confirmed once is confirmed; of several the first that became known counts. Raises
        ``ForbiddenError``: institutions do not learn how cases ended.
        """
        allow(scope, Action.READ)
        if scope.restricted:
            allow(scope, Action.WORK)
        found: dict[tuple[str, str], EventOutcome] = {}
        cases: Counter[str] = Counter()
        for case, alerts, known_us in self._ended(scope):
            cases[case.chain] += 1
            for alert in alerts:
                for one in _outcomes(case, alert, known_us):
                    key = one.institution, one.event
                    known = found.get(key)
                    if known is None or _order(one) < _order(known):
                        found[key] = one
        with self.record.unit(scope) as unit:
            for chain in sorted(cases):
                detail = {"what": "outcomes", "cases": cases[chain]}
                unit.log(scope, chain, Draft(EntryKind.EXPORTED, detail=detail))
        return tuple(found[key] for key in sorted(found, key=lambda key: (key[1], key[0])))

    def _ended(self, scope: Scope) -> Iterator[tuple[Case, tuple[StoredAlert, ...], int]]:
        """Ended cases that say something, with their alerts and when that became known."""
        after = None
        while True:
            page = self.record.cases(scope, CaseQuery(open=False), after=after, limit=_CASES)
            telling = [case.id for case in page.items if _tells(case)]
            for dossier in self.record.dossiers(scope, telling, alerts_max=_ALERTS):
                if _tells(dossier.case):
                    yield dossier.case, dossier.alerts, _ended_us(dossier.timeline)
            after = page.after
            if after is None:
                return


def _tells(case: Case) -> bool:
    return case.ended and case.merged_into is None and case.outcome in _SAYS


def _ended_us(timeline: tuple[Entry, ...]) -> int:
    """When the case was ended for the last time."""
    ends = [entry.at_us for entry in timeline if entry.after.get("state") in ENDED]
    return max(ends, default=timeline[-1].at_us)


def _outcomes(case: Case, alert: StoredAlert, known_us: int) -> Iterator[EventOutcome]:
    assert case.outcome is not None
    confirmed = _SAYS[case.outcome] and alert.rule not in case.overridden
    events = alert.body().get("events")
    for event in events if isinstance(events, list) else ():
        if isinstance(event, str) and event:
            yield EventOutcome(alert.tenant, event, confirmed, known_us, alert.rule, case.theme)


def _order(one: EventOutcome) -> tuple[bool, int, str, str]:
    return (not one.confirmed, one.known_us, one.rule, one.theme)
