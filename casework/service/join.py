"""What is done with several cases: link, merge, split, bulk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from casework.cases.alert import SEVERITIES, StoredAlert, severity_rank
from casework.cases.case import Case, Link, Outcome, State
from casework.cases.errors import TransitionError
from casework.cases.lifecycle import Action, Move, allow, next_state
from casework.cases.scope import Scope
from casework.cases.timeline import Draft, EntryKind, changed
from casework.service.base import Base, at_work, needs
from regtech.content.saying import say
from regtech.errors import RegtechError, UsageError


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one case of a bulk action: the case as it is now, or why not."""

    case_id: str
    case: Case | None
    error: RegtechError | None = None


class Joining(Base):
    """Linking, merging, splitting; the same for many."""

    def link(
        self, scope: Scope, case_id: str, seen: int, other: str, relation: str = "related"
    ) -> Case:
        """Say that another case has to do with this one; the other says it back."""
        allow(scope, Action.WORK)
        if other == case_id:
            raise UsageError(say("a case cannot be linked to itself"))
        with self.record.unit(scope) as unit:
            found = unit.find(scope, (case_id, other))
            case, there = unit.case(scope, case_id), unit.case(scope, other)
            after = unit.append(scope, case_id, seen, _linked(case, other, relation))
            unit.append(scope, other, there.version, _linked(there, case_id, relation))
            assert len(found) == 2
        return after

    def merge(
        self, scope: Scope, case_id: str, seen: int, into: str, into_seen: int, reason: str
    ) -> Case:
        """Move all alerts of a case into another and close it as a duplicate; gives the other."""
        allow(scope, Action.WORK)
        reason = needs(reason, "merging")
        if into == case_id:
            raise UsageError(say("a case cannot be merged into itself"))
        with self.record.unit(scope) as unit:
            unit.find(scope, (case_id, into))
            case, target = unit.case(scope, case_id), unit.case(scope, into)
            unit.append(scope, case_id, seen, ())
            at_work(target)
            if case.jurisdiction != target.jurisdiction:
                raise TransitionError(
                    say(
                        "%(case_id)s is of %(jurisdiction)s, %(into)s of %(jurisdiction_2)s",
                        case_id=case_id,
                        jurisdiction=case.jurisdiction,
                        into=into,
                        jurisdiction_2=target.jurisdiction,
                    ),
                    hint=say("cases of different jurisdictions can be linked"),
                )
            if case.requests:
                raise TransitionError(
                    say("%(case_id)s has open requests", case_id=case_id),
                    hint=say("decide on them first"),
                )
            state = next_state(case.state, Move.MERGE, case.severity)
            moving = unit.case_alerts(scope, case_id)
            there = {alert.id for alert in unit.case_alerts(scope, into)}
            arriving = [alert for alert in moving if alert.id not in there]
            unit.move(scope, case_id, into, [alert.id for alert in moving])
            gone = changed(
                EntryKind.MERGED,
                case,
                state=state,
                outcome=Outcome.DUPLICATE,
                closing_reason=reason,
                merged_into=into,
                snoozed_until_us=None,
                alert_count=0,
            )
            detail = {"alerts": _pairs(moving), "into": into}
            unit.append(scope, case_id, seen, [replace(gone, detail=detail, reason=reason)])
            due = min((d for d in (case.due_us, target.due_us) if d is not None), default=None)
            came = changed(
                EntryKind.ALERTS_ADDED,
                target,
                severity=max(case.severity, target.severity, key=severity_rank),
                priority=max(case.priority, target.priority),
                tenants=tuple(sorted({*case.tenants, *target.tenants})),
                alert_count=target.alert_count + len(arriving),
                alert_kinds=tuple(sorted({*case.alert_kinds, *target.alert_kinds})),
                due_us=due,
                warn_us=self.warn_at(target.jurisdiction, due),
                clock_told=target.clock_told if due == target.due_us else "",
                planned=_with_keys(target, case, guests=bool(arriving)),
            )
            detail = {"alerts": _pairs(arriving), "from": case_id}
            after = unit.append(
                scope, into, into_seen, [replace(came, detail=detail, reason=reason)]
            )
        return after

    def split(
        self, scope: Scope, case_id: str, seen: int, alert_ids: Iterable[str], reason: str
    ) -> Case:
        """Make a case of its own of some of the alerts; gives the new one. One has to stay."""
        allow(scope, Action.WORK)
        reason = needs(reason, "splitting")
        wanted = sorted(set(alert_ids))
        with self.record.unit(scope) as unit:
            case = unit.case(scope, case_id)
            unit.append(scope, case_id, seen, ())
            at_work(case)
            alerts = {alert.id: alert for alert in unit.case_alerts(scope, case_id)}
            strange = [alert_id for alert_id in wanted if alert_id not in alerts]
            if strange:
                raise UsageError(
                    say("%(case_id)s has no alert %(strange)s", case_id=case_id, strange=strange[0])
                )
            if not wanted or len(wanted) == len(alerts):
                raise UsageError(say("to split takes some of the alerts, but not all"))
            going = [alerts[i] for i in alerts if i in set(wanted)]
            staying = [alerts[i] for i in alerts if i not in set(wanted)]
            new = replace(
                case,
                id=_split_id(case, wanted),
                state=State.NEW,
                severity=_severity(going),
                tenants=_tenants(going),
                alert_count=len(going),
                alert_kinds=_kinds(going),
                assignee=None,
                snoozed_until_us=None,
                shared=False,
                checks=(),
                files=(),
                requests=(),
                planned={},
                overridden=(),
                links=(Link(case_id, "split_from"),),
            )
            detail = {"alerts": _pairs(going), "from": case_id}
            made = unit.open(scope, new, detail)
            unit.move(scope, case_id, new.id, [alert.id for alert in going])
            left = changed(
                EntryKind.ALERTS_MOVED,
                case,
                severity=_severity(staying),
                tenants=_tenants(staying),
                alert_count=len(staying),
                alert_kinds=_kinds(staying),
            )
            left = replace(left, detail={"alerts": _pairs(going), "to": new.id}, reason=reason)
            linked = changed(
                EntryKind.LINKED, case, links=(*case.links, Link(new.id, "split_into"))
            )
            unit.append(scope, case_id, seen, [left, linked])
        return made

    def bulk(
        self, scope: Scope, items: Sequence[tuple[str, int]], act: Callable[[str, int], Case]
    ) -> tuple[Done, ...]:
        """The same for many cases, each with the version that was seen, each on its own.

        One that cannot be done does not undo the others; each says what became of it.
        """
        done = []
        for case_id, seen in items:
            try:
                done.append(Done(case_id, act(case_id, seen)))
            except RegtechError as error:
                done.append(Done(case_id, None, error))
        return tuple(done)


def _linked(case: Case, other: str, relation: str) -> list[Draft]:
    if any(link.case == other for link in case.links):
        return []
    return [changed(EntryKind.LINKED, case, links=(*case.links, Link(other, relation)))]


def _with_keys(case: Case, merged: Case, *, guests: bool) -> dict[str, Any]:
    """What the policy said of a case, with the keys of one that was merged into it."""
    keys = {*case.planned.get("keys", ()), *merged.planned.get("keys", ())}
    said = {**case.planned, "guests": True} if guests else dict(case.planned)
    return {**said, "keys": sorted(keys)} if keys else said


def _pairs(alerts: Iterable[StoredAlert]) -> list[list[str]]:
    return [[alert.id, alert.digest] for alert in alerts]


def _severity(alerts: Sequence[StoredAlert]) -> str:
    return SEVERITIES[max(severity_rank(alert.severity) for alert in alerts)]


def _tenants(alerts: Sequence[StoredAlert]) -> tuple[str, ...]:
    return tuple(sorted({alert.tenant for alert in alerts}))


def _kinds(alerts: Sequence[StoredAlert]) -> tuple[str, ...]:
    return tuple(sorted({alert.kind for alert in alerts}))


def _split_id(case: Case, alert_ids: Sequence[str]) -> str:
    """With the version in it, since what was merged back may be split off again."""
    text = "\x1f".join(("split", case.id, str(case.version), *alert_ids))
    return "C-" + hashlib.sha256(text.encode()).hexdigest()[:20]
