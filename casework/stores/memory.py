"""The record in memory: nothing to set up, nothing kept; for tests, rehearsals and small tools.

More than 500 lines: one method for each of the port, and it is read beside the port.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

from casework.cases.alert import StoredAlert
from casework.cases.case import Case, Outcome
from casework.cases.chain import FIRST_PREVIOUS
from casework.cases.directive import AsideDirective, Disposition, Wake
from casework.cases.disclosure import sees, sees_alert
from casework.cases.importance import order_of
from casework.cases.keys import RELATING, Key, KeyKind, key_of
from casework.cases.scope import Scope
from casework.cases.sla import tell_at
from casework.cases.timeline import Draft, Entry, opened
from casework.ports import (
    AlertConflict,
    AlertQuery,
    AsideAlert,
    CaseQuery,
    Dossier,
    EventDay,
    EventKind,
    EventsOf,
    Intake,
    Message,
    Page,
    Precision,
    Reach,
    Related,
    SavedSearch,
    Standing,
    Tally,
    Topic,
)
from casework.stores.common import (
    CASE_PLACE,
    DAY_US,
    HUB_CASES,
    RESTRICTED_PLACE,
    SEARCHES_MAX,
    Salt,
    absent,
    case_order,
    chained,
    effective,
    extend,
    outcomes_of,
    read_conflict_cursor,
    read_cursor,
    search_name,
    too_many_searches,
    unchained,
    version_conflict,
    write_cursor,
)
from regtech.clock import Clock
from regtech.errors import ConflictError, StoreError


@dataclass
class _Tables:
    """Everything; values are immutable, so that a shallow copy of each table is a snapshot."""

    cases: dict[str, Case] = field(default_factory=dict)
    alerts: dict[str, StoredAlert] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)
    reached: dict[Key, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    """Key to its alerts: time and id of each."""
    asides: dict[str, AsideDirective] = field(default_factory=dict)
    wakes: dict[str, frozenset[Wake]] = field(default_factory=dict)
    closings: dict[tuple[str, int, str], None] = field(default_factory=dict)
    """(key, event time, case)."""
    checkpoints: dict[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    """(log, size) to the checkpoint as written."""
    passed: int = 0
    decisions: int = 0
    watched: dict[str, int] = field(default_factory=dict)
    rule_events: dict[tuple[str, EventKind], None] = field(default_factory=dict)
    event_days: dict[tuple[EventKind, str, int], int] = field(default_factory=dict)
    """Events by kind, institution and day."""
    latest: int = 0
    conflicts: dict[tuple[str, str], AlertConflict] = field(default_factory=dict)
    held: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Case to the alerts it has or had, in the order they came."""
    planned: dict[str, frozenset[str]] = field(default_factory=dict)
    """Case to the alerts that policies put into it."""
    gone: dict[tuple[str, str], str] = field(default_factory=dict)
    """(case, alert) that is there no more: the case that a person moved it to, "" by a policy."""
    timelines: dict[str, tuple[Entry, ...]] = field(default_factory=dict)
    logs: dict[str, tuple[Entry, ...]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    outcomes: dict[str, dict[tuple[str, str, str], Outcome]] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    searches: dict[tuple[str, str], SavedSearch] = field(default_factory=dict)
    numbers: int = 0

    def copy(self) -> _Tables:
        made = _Tables()
        for item in fields(self):
            value = getattr(self, item.name)
            setattr(made, item.name, dict(value) if isinstance(value, dict) else value)
        return made


def _matches(case: Case, query: CaseQuery) -> bool:
    pairs = (
        (query.state, case.state),
        (query.queue, case.queue),
        (query.jurisdiction, case.jurisdiction),
        (query.theme, case.theme),
    )
    if any(wanted is not None and wanted != found for wanted, found in pairs):
        return False
    if query.open is not None and query.open == case.ended:
        return False
    if query.assignee is not None and query.assignee != (case.assignee or ""):
        return False
    if query.tenant is not None and query.tenant not in case.tenants:
        return False
    if query.awake_at_us is not None and _asleep(case, query.awake_at_us):
        return False
    if query.tell_before_us is not None and tell_at(case) >= query.tell_before_us:
        return False
    if query.opened_from_us is not None and case.opened_us < query.opened_from_us:
        return False
    if query.opened_before_us is not None and case.opened_us >= query.opened_before_us:
        return False
    if query.due_before_us is not None:
        return case.due_us is not None and case.due_us < query.due_before_us
    return True


def _asleep(case: Case, at_us: int) -> bool:
    overdue = case.due_us is not None and case.due_us < at_us
    return (case.snoozed_until_us or 0) > at_us and not overdue


def _is_asked(alert: StoredAlert, query: AlertQuery) -> bool:
    """Whether an alert is what is asked for, its outcome apart."""
    pairs = ((query.jurisdiction, alert.jurisdiction), (query.tenant, alert.tenant))
    return (
        all(wanted is None or wanted == found for wanted, found in pairs)
        and (query.from_us is None or alert.time_us >= query.from_us)
        and (query.before_us is None or alert.time_us < query.before_us)
    )


class MemoryRecord:
    """``casework.ports.Record`` in memory. ``salt`` gives ``SALT_BYTES`` random bytes a call."""

    def __init__(self, clock: Clock, salt: Salt) -> None:
        self._clock, self._salt = clock, salt
        self._lock = threading.RLock()
        self._tables = _Tables()
        self._busy = False

    @contextmanager
    def unit(self, scope: Scope) -> Iterator[_Unit]:
        with self._lock:
            if self._busy:
                raise StoreError("a unit of work within a unit of work")
            self._busy = True
            kept = self._tables.copy()
            try:
                unit = _Unit(self._tables, self._clock, self._salt)
                yield unit
                unit.finish()
            except BaseException:
                self._tables = kept
                raise
            finally:
                self._busy = False

    def case(self, scope: Scope, case_id: str) -> Case:
        with self._lock:
            return _case(self._tables, scope, case_id)

    def cases(
        self, scope: Scope, query: CaseQuery, *, after: str | None = None, limit: int = 50
    ) -> Page[Case]:
        asked = effective(scope, query)
        kinds = RESTRICTED_PLACE if scope.restricted else CASE_PLACE
        place = None if after is None else read_cursor(after, kinds)
        with self._lock:
            found = [c for c in self._tables.cases.values() if sees(scope, c)]
        found = [case for case in found if _matches(case, asked)]
        found.sort(key=lambda case: case_order(scope, case))
        if place is not None:
            found = [case for case in found if case_order(scope, case) > place]
        items = found[:limit]
        more = len(found) > limit
        return Page(tuple(items), write_cursor(case_order(scope, items[-1])) if more else None)

    def tally(self, scope: Scope, query: CaseQuery, by: Tally) -> Mapping[str, int]:
        asked = effective(scope, query)
        with self._lock:
            found = [c for c in self._tables.cases.values() if sees(scope, c)]
        counts: Counter[str] = Counter()
        for case in found:
            if not _matches(case, asked):
                continue
            if by is Tally.TENANT:
                mine = scope.tenants
                counts.update(t for t in case.tenants if mine is None or t in mine)
            else:
                counts[str(getattr(case, by.value))] += 1
        return dict(counts)

    def standing(
        self, scope: Scope, by: Sequence[Tally], now_us: int, query: CaseQuery | None = None
    ) -> Mapping[tuple[str, ...], Standing]:
        asked = effective(scope, query or CaseQuery())
        with self._lock:
            found = [c for c in self._tables.cases.values() if sees(scope, c)]
        found = [case for case in found if _matches(case, asked)]
        counts: dict[tuple[str, ...], Counter[str]] = {}
        for case in found:
            mine = [t for t in case.tenants if scope.tenants is None or t in scope.tenants]
            values = (mine if one is Tally.TENANT else [str(getattr(case, one))] for one in by)
            for key in itertools.product(*values):
                counter = counts.setdefault(key, Counter())
                counter["cases"] += 1
                late = case.due_us is not None and case.due_us < now_us
                counter["overdue"] += late and not case.ended
                counter["nobody"] += not case.assignee and not case.ended
        return {
            key: Standing(counter["cases"], counter["overdue"], counter["nobody"])
            for key, counter in counts.items()
        }

    def case_weeks(self, scope: Scope, last_day: int, weeks: int) -> Mapping[str, tuple[int, ...]]:
        first = last_day - 7 * weeks + 1
        with self._lock:
            found = [c for c in self._tables.cases.values() if sees(scope, c)]
        counts: dict[str, list[int]] = {}
        for case in found:
            week = (case.opened_us // DAY_US - first) // 7
            if 0 <= week < weeks:
                counts.setdefault(case.theme, [0] * weeks)[week] += 1
        return {value: tuple(series) for value, series in counts.items()}

    def alert_weeks(
        self, scope: Scope, by: Tally, last_day: int, weeks: int
    ) -> Mapping[str, tuple[int, ...]]:
        first = last_day - 7 * weeks + 1
        with self._lock:
            found = [a for a in self._tables.alerts.values() if sees_alert(scope, a)]
        counts: dict[str, list[int]] = {}
        for alert in found:
            week = (alert.time_us // DAY_US - first) // 7
            if 0 <= week < weeks:
                value = alert.jurisdiction if by is Tally.JURISDICTION else alert.tenant
                counts.setdefault(value, [0] * weeks)[week] += 1
        return {value: tuple(series) for value, series in counts.items()}

    def timeline(
        self, scope: Scope, case_id: str, *, after: int = 0, limit: int = 1000
    ) -> tuple[Entry, ...]:
        with self._lock:
            _case(self._tables, scope, case_id)
            return self._tables.timelines[case_id][after : after + limit]

    def case_alerts(
        self, scope: Scope, case_id: str, *, after: str | None = None, limit: int = 50
    ) -> Page[StoredAlert]:
        first = 0 if after is None else read_cursor(after, (int,))[0]
        with self._lock:
            _case(self._tables, scope, case_id)
            found = _alerts_in(self._tables, case_id)
        rest = [(number, alert) for number, alert in found if number > first]
        items = rest[:limit]
        more = len(rest) > limit
        return Page(
            tuple(alert for _, alert in items), write_cursor((items[-1][0],)) if more else None
        )

    def alert(self, scope: Scope, alert_id: str) -> StoredAlert:
        with self._lock:
            alert = self._tables.alerts.get(alert_id)
        if alert is None or not sees_alert(scope, alert):
            raise absent("alert", alert_id)
        return alert

    def alerts(
        self,
        scope: Scope,
        query: AlertQuery | None = None,
        *,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[StoredAlert]:
        place = None if after is None else read_cursor(after, (int, str))
        asked = query or AlertQuery()
        disposition = asked.disposition
        with self._lock:
            found = [a for a in self._tables.alerts.values() if sees_alert(scope, a)]
            found = [a for a in found if _is_asked(a, asked)]
            known = self._tables.asides
            if disposition is Disposition.OPEN:
                found = [a for a in found if a.id not in known]
            elif disposition is not None:
                found = [a for a in found if a.id in known and known[a.id].outcome is disposition]
        found.sort(key=lambda alert: (-alert.time_us, alert.id))
        if place is not None:
            found = [a for a in found if (-a.time_us, a.id) > place]
        items = found[:limit]
        more = len(found) > limit
        last = items[-1] if items else None
        return Page(tuple(items), write_cursor((-last.time_us, last.id)) if more and last else None)

    def asides(
        self,
        scope: Scope,
        *,
        disposition: Disposition | None = None,
        rule: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[AsideAlert]:
        place = None if after is None else read_cursor(after, (int, str))
        with self._lock:
            found = [AsideAlert(self._tables.alerts[i], d) for i, d in self._tables.asides.items()]
        found = [
            item
            for item in found
            if sees_alert(scope, item.alert)
            and disposition in (None, item.directive.outcome)
            and rule in (None, item.alert.rule)
            and (place is None or (-item.alert.time_us, item.alert.id) > place)
        ]
        found.sort(key=lambda item: (-item.alert.time_us, item.alert.id))
        items = found[:limit]
        more = len(found) > limit
        last = items[-1].alert if items else None
        return Page(tuple(items), write_cursor((-last.time_us, last.id)) if more and last else None)

    def cases_of_alerts(self, scope: Scope, alert_ids: Collection[str]) -> tuple[Case, ...]:
        wanted = set(alert_ids)
        with self._lock:
            tables = self._tables
            found = [
                tables.cases[case_id]
                for case_id, ids in tables.held.items()
                if any((case_id, i) not in tables.gone for i in wanted.intersection(ids))
            ]
        seen = [case for case in found if sees(scope, case)]
        return tuple(sorted(seen, key=lambda case: case_order(scope, case)))

    def related(self, scope: Scope, case_id: str, *, limit: int = 20) -> tuple[Related, ...]:
        with self._lock:
            _case(self._tables, scope, case_id)
            tables = self._tables
            keys = {other: _keys_in(tables, other) for other in tables.cases}
            counts = Counter(key for found in keys.values() for key in found)
            shared: dict[str, set[Key]] = defaultdict(set)
            for other, found in keys.items():
                if other != case_id:
                    for key in found & keys[case_id]:
                        if counts[key] <= HUB_CASES:
                            shared[other].add(key)
            related = [
                Related(tables.cases[other], tuple(sorted(found)))
                for other, found in shared.items()
                if sees(scope, tables.cases[other])
            ]
        related.sort(key=lambda found: (-len(found.shared), found.case.id))
        return tuple(related[:limit])

    def conflicts(
        self, scope: Scope, *, after: str | None = None, limit: int = 50
    ) -> Page[AlertConflict]:
        place = None if after is None else read_conflict_cursor(after)
        with self._lock:
            found = sorted(self._tables.conflicts.items())
        seen = [
            (key, conflict)
            for key, conflict in found
            if sees_alert(scope, conflict.alert) and (place is None or key > place)
        ]
        more = len(seen) > limit
        items = seen[:limit]
        return Page(tuple(c for _, c in items), write_cursor(items[-1][0]) if more else None)

    def alerts_of(
        self, scope: Scope, keys: Collection[Key], since_us: int, until_us: int, *, latest: int
    ) -> Sequence[StoredAlert]:
        wanted = set(keys)
        with self._lock:
            found = [
                alert
                for alert in self._tables.alerts.values()
                if since_us <= alert.time_us <= until_us
                and sees_alert(scope, alert)
                and wanted.intersection(alert.keys())
            ]
        found.sort(key=lambda alert: (alert.time_us, alert.id))
        return found[-latest:]

    def file(self, scope: Scope, case_id: str, sha256: str) -> bytes:
        with self._lock:
            case = _case(self._tables, scope, case_id)
            content = self._tables.files.get(sha256)
        if content is None or not any(ref.sha256 == sha256 for ref in case.files):
            raise absent("file", sha256)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoreError(f"the file {sha256} is damaged")
        return content

    def precision(self, scope: Scope) -> tuple[Precision, ...]:
        with self._lock:
            counts: dict[tuple[str, str, str], Counter[Outcome]] = defaultdict(Counter)
            for found in self._tables.outcomes.values():
                for key, outcome in found.items():
                    counts[key][outcome] += 1
        return tuple(
            Precision(rule, tenant, where, *(counter[outcome] for outcome in Outcome))
            for (rule, tenant, where), counter in sorted(counts.items())
            if scope.reaches(where, (tenant,))
        )

    def chains(self, scope: Scope) -> Mapping[str, tuple[int, bytes]]:
        with self._lock:
            return {
                chain: (log[-1].position, log[-1].hash)
                for chain, log in sorted(self._tables.logs.items())
                if scope.reaches_log(chain)
            }

    def log(
        self, scope: Scope, chain: str, *, after: int = 0, limit: int = 1000
    ) -> tuple[Entry, ...]:
        with self._lock:
            if not scope.reaches_log(chain):
                return ()
            return self._tables.logs.get(chain, ())[after : after + limit]

    def checkpoints(self, scope: Scope, chain: str) -> tuple[Mapping[str, Any], ...]:
        with self._lock:
            if not scope.reaches_log(chain):
                return ()
            found = self._tables.checkpoints
            return tuple(found[key] for key in sorted(found) if key[0] == chain)

    def add_checkpoint(self, scope: Scope, chain: str, size: int, body: Mapping[str, Any]) -> None:
        with self._lock:
            if not scope.reaches_log(chain):
                raise absent("log", chain)
            if (chain, size) in self._tables.checkpoints:
                raise ConflictError(f"there is a checkpoint over {size} entries of {chain!r}")
            self._tables.checkpoints[chain, size] = dict(body)

    def messages(self, scope: Scope, topic: Topic, *, limit: int = 500) -> tuple[Message, ...]:
        with self._lock:
            found = [m for m in self._tables.messages.values() if m.topic is topic]
        return tuple(sorted(found, key=lambda message: message.number)[:limit])

    def acknowledge(self, scope: Scope, topic: Topic, numbers: Collection[int]) -> None:
        with self._lock:
            for number in numbers:
                message = self._tables.messages.get(number)
                if message is not None and message.topic is topic:
                    del self._tables.messages[number]

    def dossiers(
        self, scope: Scope, case_ids: Collection[str], *, alerts_max: int
    ) -> tuple[Dossier, ...]:
        with self._lock:
            tables = self._tables
            found = [tables.cases[i] for i in sorted(set(case_ids)) if i in tables.cases]
            return tuple(
                Dossier(
                    case,
                    tuple(a for n, a in _alerts_in(tables, case.id) if n <= alerts_max),
                    tables.timelines[case.id],
                )
                for case in found
                if sees(scope, case)
            )

    def alerts_by_id(self, scope: Scope, alert_ids: Collection[str]) -> tuple[StoredAlert, ...]:
        with self._lock:
            alerts = self._tables.alerts
            found = [alerts[i] for i in sorted(set(alert_ids)) if i in alerts]
        return tuple(alert for alert in found if sees_alert(scope, alert))

    def save_search(self, scope: Scope, name: str, body: Mapping[str, Any]) -> None:
        name = search_name(name)
        with self._lock:
            searches = self._tables.searches
            mine = [key for key in searches if key[0] == scope.actor]
            if (scope.actor, name) not in searches and len(mine) >= SEARCHES_MAX:
                raise too_many_searches()
            kept = SavedSearch(name, json.loads(json.dumps(body)), self._clock.now_us())
            searches[scope.actor, name] = kept

    def saved_searches(self, scope: Scope) -> tuple[SavedSearch, ...]:
        with self._lock:
            found = [s for (owner, _), s in self._tables.searches.items() if owner == scope.actor]
        return tuple(sorted(found, key=lambda search: search.name))

    def forget_search(self, scope: Scope, name: str) -> None:
        with self._lock:
            if self._tables.searches.pop((scope.actor, search_name(name)), None) is None:
                raise absent("saved search", name)

    def close(self) -> None:
        """Nothing to let go of."""


def _case(tables: _Tables, scope: Scope, case_id: str) -> Case:
    case = tables.cases.get(case_id)
    if case is None or not sees(scope, case):
        raise absent("case", case_id)
    return case


def _alerts_in(tables: _Tables, case_id: str) -> list[tuple[int, StoredAlert]]:
    ids = tables.held.get(case_id, ())
    return [
        (number, tables.alerts[alert_id])
        for number, alert_id in enumerate(ids, 1)
        if (case_id, alert_id) not in tables.gone
    ]


def _keys_in(tables: _Tables, case_id: str) -> set[Key]:
    alerts = (alert for _, alert in _alerts_in(tables, case_id))
    return {key for alert in alerts for key in alert.keys() if key[0] in RELATING}


class _Unit:
    """A transaction on the tables; ``MemoryRecord.unit`` takes them back where it fails."""

    def __init__(self, tables: _Tables, clock: Clock, salt: Salt) -> None:
        self._tables, self._clock, self._salt = tables, clock, salt
        self._pending: list[Entry] = []
        self._touched: dict[str, None] = {}

    def case(self, scope: Scope, case_id: str) -> Case:
        return _case(self._tables, scope, case_id)

    def find(self, scope: Scope, case_ids: Collection[str]) -> dict[str, Case]:
        cases = self._tables.cases
        return {i: cases[i] for i in sorted(case_ids) if i in cases and sees(scope, cases[i])}

    def open(self, scope: Scope, case: Case, detail: Mapping[str, Any]) -> Case:
        if case.id in self._tables.cases:
            raise ConflictError(f"there is a case {case.id} already")
        return self._extend(None, case.id, case.chain, [opened(case, detail)], scope.actor)

    def append(self, scope: Scope, case_id: str, seen: int, drafts: Sequence[Draft]) -> Case:
        case = self.case(scope, case_id)
        if seen != case.version:
            since = self._tables.timelines.get(case_id, ())[max(seen, 0) :]
            raise version_conflict(case, seen, since)
        if not drafts:
            return case
        return self._extend(case, case_id, case.chain, drafts, scope.actor)

    def _extend(
        self, case: Case | None, case_id: str, chain: str, drafts: Sequence[Draft], actor: str
    ) -> Case:
        after, made = extend(case, case_id, chain, drafts, self._clock.now_us(), actor)
        self._pending += made
        self._tables.cases[case_id] = after
        self._touched[case_id] = None
        return after

    def log(self, scope: Scope, chain: str, draft: Draft) -> None:
        self._pending.append(unchained(chain, draft, self._clock.now_us(), scope.actor))

    def add_alerts(self, scope: Scope, alerts: Sequence[StoredAlert]) -> Intake:
        tables, now = self._tables, self._clock.now_us()
        new: list[str] = []
        came: dict[Key, list[tuple[int, str]]] = {}
        conflicts: list[str] = []
        repeated = 0
        for alert in alerts:
            known = tables.alerts.get(alert.id)
            if known is None:
                tables.alerts[alert.id] = alert
                tables.received[alert.id] = now
                tables.latest = max(tables.latest, alert.time_us)
                for key in alert.keys():
                    came.setdefault(key, []).append((alert.time_us, alert.id))
                new.append(alert.id)
            elif known.digest == alert.digest:
                repeated += 1
            else:
                conflict = AlertConflict(alert, known.digest, now)
                if tables.conflicts.setdefault((alert.id, alert.digest), conflict) is conflict:
                    conflicts.append(alert.id)
                else:
                    repeated += 1
        for key, places in came.items():
            tables.reached[key] = (*tables.reached.get(key, ()), *places)
        if new:
            self._say(Topic.SEARCH, {"alerts": new})
        return Intake(tuple(new), repeated, tuple(conflicts))

    def prepare(self, scope: Scope, case_ids: Collection[str]) -> None:
        """All is at hand."""

    def attach(self, scope: Scope, case_id: str, alerts: Sequence[StoredAlert]) -> frozenset[str]:
        tables = self._tables
        held = tables.held.get(case_id, ())
        ids = dict.fromkeys(alert.id for alert in alerts)
        new = [alert_id for alert_id in ids if alert_id not in held]
        back = [alert_id for alert_id in ids if tables.gone.get((case_id, alert_id)) == ""]
        for alert_id in back:
            del tables.gone[case_id, alert_id]
        tables.held[case_id] = held + tuple(new)
        tables.planned[case_id] = tables.planned.get(case_id, frozenset()) | ids.keys()
        return frozenset((*new, *back))

    def move(self, scope: Scope, from_case: str, to_case: str, alert_ids: Sequence[str]) -> None:
        held = self._tables.held.get(to_case, ())
        for alert_id in alert_ids:
            self._tables.gone[from_case, alert_id] = to_case
            self._tables.gone.pop((to_case, alert_id), None)
        self._tables.held[to_case] = held + tuple(a for a in alert_ids if a not in held)

    def hold(self, scope: Scope) -> int:
        """A unit is alone from its beginning."""
        self._tables.decisions += 1
        return self._tables.decisions

    def reach(self, scope: Scope, reaches: Collection[Reach]) -> frozenset[str]:
        tables = self._tables
        found: set[str] = set()
        for reach in reaches:
            places = tables.reached.get(key_of(KeyKind(reach.kind), reach.value), ())
            found.update(i for at, i in places if reach.since <= at <= reach.until)
        return frozenset(i for i in found if sees_alert(scope, tables.alerts[i]))

    def counted(self, scope: Scope, reaches: Sequence[Reach]) -> list[int]:
        return [len(self.reach(scope, (reach,))) for reach in reaches]

    def braked(self, scope: Scope, reaches: Collection[Reach]) -> frozenset[str]:
        tables = self._tables
        spans: dict[str, list[Reach]] = {}
        for reach in reaches:
            spans.setdefault(reach.value, []).append(reach)
        return frozenset(
            alert_id
            for alert_id, directive in tables.asides.items()
            if directive.outcome is Disposition.BRAKED
            and (alert := tables.alerts[alert_id])
            and any(r.since <= alert.time_us <= r.until for r in spans.get(alert.rule, ()))
        )

    def watched(self, scope: Scope) -> dict[str, int]:
        return dict(self._tables.watched)

    def watch(self, scope: Scope, subjects: Mapping[str, int]) -> None:
        known = self._tables.watched
        known.update({rule: max(n, known.get(rule, n)) for rule, n in subjects.items()})

    def rule_events(self, scope: Scope) -> dict[str, tuple[EventKind, ...]]:
        found: dict[str, list[EventKind]] = {}
        for rule, kind in sorted(self._tables.rule_events):
            if scope.jurisdictions is None or kind.jurisdiction in scope.jurisdictions:
                found.setdefault(rule, []).append(kind)
        return {rule: tuple(kinds) for rule, kinds in found.items()}

    def count_events(
        self,
        scope: Scope,
        rules: Mapping[str, Collection[EventKind]],
        days: Collection[EventDay],
    ) -> None:
        tables = self._tables
        tables.rule_events.update({(rule, k): None for rule, kinds in rules.items() for k in kinds})
        for day in days:
            place = day.kind, day.institution, day.day
            tables.event_days[place] = max(day.events, tables.event_days.get(place, 0))

    def events_counted(self, scope: Scope, asked: Sequence[EventsOf]) -> list[int]:
        seen = [
            EventDay(*place, events)
            for place, events in self._tables.event_days.items()
            if (scope.jurisdictions is None or place[0].jurisdiction in scope.jurisdictions)
            and (scope.tenants is None or place[1] in scope.tenants)
        ]
        return [sum(day.events for day in seen if one.counts(day)) for one in asked]

    def closings(self, scope: Scope, keys: Collection[str]) -> dict[str, tuple[int, ...]]:
        found: dict[str, set[int]] = {}
        for key, at_us, _ in self._tables.closings:
            if key in keys:
                found.setdefault(key, set()).add(at_us)
        return {key: tuple(sorted(times)) for key, times in found.items()}

    def cut(self, scope: Scope, case_id: str, keys: Collection[str], at_us: int) -> None:
        self._tables.closings.update(dict.fromkeys((key, at_us, case_id) for key in keys))

    def uncut(self, scope: Scope, case_id: str) -> None:
        for closing in [c for c in self._tables.closings if c[2] == case_id]:
            del self._tables.closings[closing]

    def placed(self, scope: Scope, alert_ids: Collection[str]) -> dict[str, frozenset[str]]:
        wanted = set(alert_ids)
        held = self._tables.held
        return {
            case_id: ids
            for case_id, ids in sorted(self._tables.planned.items())
            if ids and not wanted.isdisjoint(held.get(case_id, ()))
        }

    def placed_in(self, scope: Scope, case_id: str) -> frozenset[str]:
        return self._tables.planned.get(case_id, frozenset())

    def moved(self, scope: Scope, case_id: str) -> dict[str, str]:
        gone = self._tables.gone
        held = self._tables.held.get(case_id, ())
        return {i: gone[case_id, i] for i in held if gone.get((case_id, i))}

    def unplace(self, scope: Scope, case_id: str, alert_ids: Collection[str]) -> frozenset[str]:
        tables = self._tables
        mine = self.placed_in(scope, case_id) & set(alert_ids)
        here = frozenset(i for i in mine if (case_id, i) not in tables.gone)
        for alert_id in here:
            tables.gone[case_id, alert_id] = ""
        tables.planned[case_id] = self.placed_in(scope, case_id) - mine
        return here

    def asides(self, scope: Scope, alert_ids: Collection[str]) -> dict[str, AsideDirective]:
        known = self._tables.asides
        return {alert_id: known[alert_id] for alert_id in alert_ids if alert_id in known}

    def set_aside(self, scope: Scope, directives: Collection[AsideDirective]) -> None:
        self._tables.asides.update({directive.alert: directive for directive in directives})

    def take_back(self, scope: Scope, alert_ids: Collection[str]) -> None:
        for alert_id in alert_ids:
            self._tables.asides.pop(alert_id, None)

    def set_wakes(self, scope: Scope, alert_ids: Collection[str], wakes: Collection[Wake]) -> None:
        known = self._tables.wakes
        for alert_id in alert_ids:
            known.pop(alert_id, None)
        for wake in wakes:
            known[wake.alert] = known.get(wake.alert, frozenset()) | {wake}

    def due_wakes(self, scope: Scope, before_us: int, limit: int) -> tuple[str, ...]:
        first = {i: min(w.at for w in wakes) for i, wakes in self._tables.wakes.items()}
        due = sorted((at, alert_id) for alert_id, at in first.items() if at < before_us)
        return tuple(alert_id for _, alert_id in due[:limit])

    def as_of(self, scope: Scope) -> int:
        return max(self._tables.passed, self._tables.latest)

    def passed(self, scope: Scope, at_us: int) -> None:
        self._tables.passed = max(self._tables.passed, at_us)

    def case_alerts(self, scope: Scope, case_id: str) -> Sequence[StoredAlert]:
        self.case(scope, case_id)
        return [alert for _, alert in _alerts_in(self._tables, case_id)]

    def alerts(self, scope: Scope, alert_ids: Sequence[str]) -> Sequence[StoredAlert]:
        found = (self._tables.alerts.get(alert_id) for alert_id in alert_ids)
        return [alert for alert in found if alert is not None and sees_alert(scope, alert)]

    def first(self, scope: Scope, query: CaseQuery) -> tuple[Case, ...]:
        asked = effective(scope, query)
        found = [c for c in self._tables.cases.values() if sees(scope, c) and _matches(c, asked)]
        return tuple(sorted(found, key=order_of)[:2])

    def put_file(self, scope: Scope, sha256: str, content: bytes) -> None:
        self._tables.files.setdefault(sha256, content)

    def settle(self, scope: Scope, case: Case) -> None:
        alerts = (alert for _, alert in _alerts_in(self._tables, case.id))
        found = outcomes_of(case, alerts)
        self._tables.outcomes.pop(case.id, None)
        if found:
            self._tables.outcomes[case.id] = found

    def _say(self, topic: Topic, body: Mapping[str, Any]) -> None:
        self._tables.numbers += 1
        number = self._tables.numbers
        self._tables.messages[number] = Message(number, topic, self._clock.now_us(), body)

    def finish(self) -> None:
        """Seal what waits, chain by chain, and say what there is to pass on."""
        tables = self._tables
        for chain in sorted({pending.chain for pending in self._pending}):
            log = tables.logs.get(chain, ())
            last = (log[-1].position, log[-1].hash) if log else (0, FIRST_PREVIOUS)
            mine = [pending for pending in self._pending if pending.chain == chain]
            entries, _, _ = chained(mine, *last, self._salt)
            tables.logs[chain] = log + tuple(entries)
            for entry in entries:
                if entry.case:
                    before = tables.timelines.get(entry.case, ())
                    tables.timelines[entry.case] = (*before, entry)
                    body = {"case": entry.case, "sequence": entry.sequence, "kind": entry.kind}
                    self._say(Topic.WEBHOOKS, {**body, "kind": entry.kind.value})
        for case_id in self._touched:
            self._say(Topic.SEARCH, {"case": case_id, "version": tables.cases[case_id].version})
