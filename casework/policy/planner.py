"""From alerts to cases: a pure function of alerts; only joins go elsewhere.

Policies choose in their order. What one takes, no later one sees; what none takes gets a case of
its own in the queue ``unsorted``. Each policy groups its alerts by key, finds which of them act
together (joins by the matcher, counts and absence here), and cuts the result into cases where
people closed one, or where a gap is longer than ``merge``.

Correct only where the surroundings of what is decided are complete: ``gather`` sees to that.

More than 500 lines: the steps from alerts to directives share one plan and are read in order.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from casework.cases.directive import (
    SHADOW,
    UNSORTED,
    AsideDirective,
    CaseDirective,
    CaseKey,
    Disposition,
    Plan,
    Wake,
    case_id,
)
from casework.cases.facts import AlertFacts
from casework.policy.clocks import Clocks
from casework.policy.counts import EVENT
from casework.policy.matcher import Job, Matcher
from casework.policy.model import (
    PRIORITY_OF_SEVERITY,
    Brake,
    Branch,
    OpenCase,
    Policy,
    PolicySet,
    Snooze,
    Suppress,
    Text,
)
from casework.policy.reader import chosen
from casework.policy.standing import AloneTaking, said_of
from casework.policy.wording import SHADOW_TEXT, UNSORTED_TEXT, Verdict, brake_reason


class Stretch(NamedTuple):
    """A stretch of time of a brake: the policy, the values of its key, and where it starts."""

    policy: str
    key: tuple[str, ...]
    start: int


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that a plan is a function of.

    ``scope``: ids of the alerts that are decided; the others are their surroundings. None: all.
    """

    alerts: tuple[AlertFacts, ...]
    as_of: int
    closings: Mapping[CaseKey, Sequence[int]] = field(default_factory=dict)
    verdicts: Mapping[Stretch, Verdict] = field(default_factory=dict)
    scope: frozenset[str] | None = None


def canonical(alerts: Iterable[AlertFacts]) -> tuple[AlertFacts, ...]:
    """Each id once, in order of time and id."""
    found: dict[str, AlertFacts] = {}
    for facts in alerts:
        known = found.get(facts.id)
        found[facts.id] = facts if known is None else chosen(known, facts)
    return tuple(sorted(found.values(), key=lambda facts: facts.order))


def case_key(policy: Policy, values: tuple[str, ...]) -> CaseKey:
    """The key of a policy's cases."""
    return CaseKey(policy.id, "+".join(policy.same), values)


def stretch_of(policy: Policy, brake: Brake, facts: AlertFacts) -> Stretch | None:
    """The stretch of a brake in which the alert lies; None where a part of the key is missing."""
    key = policy.key_of(facts)
    if key is None:
        return None
    return Stretch(policy.id, key, facts.time // brake.over * brake.over)


@dataclass(slots=True)
class _Found:
    """Members of cases: for each place the time of the last alert it came together with."""

    last: dict[int, int] = field(default_factory=dict)
    saturated: set[int] = field(default_factory=set)

    def together(self, places: Iterable[int], last: int, *, saturated: bool = False) -> None:
        """The alerts at these places act together; the earliest such time is kept."""
        for place in places:
            if self.last.get(place, last) >= last:
                self.last[place] = last
            if saturated:
                self.saturated.add(place)


class Planner:
    """Holds what plans need; keeps no alert between them."""

    def __init__(self, policies: PolicySet, matcher: Matcher, clocks: Clocks) -> None:
        self.policies = policies
        self.matcher = matcher
        self.clocks = clocks
        self.alone = AloneTaking(policies)

    def ready(self, facts: AlertFacts) -> AlertFacts:
        """The alert with its theme, the end of its due day and the policies that may take it: what
        planning reads.

        Facts that have all this have it from here.
        """
        if facts.candidate_of is not None:
            return facts
        due_at = None
        if facts.due is not None:
            due_at = self.clocks.due_of_alert(facts.due, facts.jurisdiction)
        return self.policies.sorted_out(facts, due_at)

    def plan(self, question: Question) -> Plan:
        """Decides the alerts of the question's scope."""
        return _Run(self, question).plan()


class _Run:
    """One plan in the making."""

    def __init__(self, planner: Planner, question: Question) -> None:
        self.planner = planner
        self.question = question
        self.alerts = canonical(question.alerts)
        self.masks = [facts.candidate_of or 0 for facts in self.alerts]
        self.free = [True] * len(self.alerts)
        self.cases: list[CaseDirective] = []
        self.aside: list[AsideDirective] = []
        self.wakes: list[Wake] = []
        self.unknown: set[str] = set()

    def plan(self) -> Plan:
        for index, policy in enumerate(self.planner.policies.policies):
            bit = 1 << index
            places = [i for i, mask in enumerate(self.masks) if mask & bit]
            match policy.action:
                case Brake() as brake:
                    self._brake(policy, brake, places)
                case Suppress(reason=reason):
                    for place in places:
                        if self.free[place]:
                            self._set_aside(place, Disposition.SUPPRESSED, policy, reason)
                case Snooze(length=length):
                    self._snooze(policy, length, places)
                case OpenCase() as action:
                    self._open(policy, action, places)
        for place, free in enumerate(self.free):
            if free and self.alerts[place].status == SHADOW:
                self._keep_apart(place)
            elif free:
                self._unsorted(place)
        asked = self.question.scope
        scope = {facts.id for facts in self.alerts} if asked is None else set(asked)
        cases = [case for case in self.cases if not scope.isdisjoint(case.alerts)]
        # A case of the surroundings that an alert of the scope is in is decided whole, and exact.
        scope.update(alert for case in cases for alert in case.alerts)
        return Plan(
            scope=frozenset(scope),
            cases=tuple(sorted(cases, key=lambda case: (case.opened_at, case.case))),
            aside=tuple(sorted((a for a in self.aside if a.alert in scope), key=lambda a: a.alert)),
            wakes=tuple(sorted(wake for wake in self.wakes if wake.alert in scope)),
            unknown=tuple(sorted(self.unknown)),
        )

    # --- aside --------------------------------------------------------------------------------

    def _set_aside(
        self,
        place: int,
        outcome: Disposition,
        policy: Policy,
        reason: Text,
        until: int | None = None,
        behind: str | None = None,
    ) -> None:
        self.free[place] = False
        alert = self.alerts[place].id
        self.aside.append(
            AsideDirective(alert, outcome, policy.id, policy.version, reason, until, behind)
        )

    def _keep_apart(self, place: int) -> None:
        self.free[place] = False
        self.aside.append(
            AsideDirective(
                self.alerts[place].id, Disposition.SUPPRESSED, SHADOW, "1.0.0", SHADOW_TEXT,
                None, None,
            )
        )  # fmt: skip

    def _brake(self, policy: Policy, brake: Brake, places: list[int]) -> None:
        mine = [v for of, v in self.question.verdicts.items() if of.policy == policy.id]
        if all(verdict.watched is not None and not verdict.braked for verdict in mine):
            return
        for place in places:
            facts = self.alerts[place]
            stretch = stretch_of(policy, brake, facts)
            verdict = self.question.verdicts.get(stretch) if stretch is not None else None
            if stretch is None or verdict is None or not self.free[place]:
                continue
            if verdict.watched is None:
                self.unknown.add(facts.rule)
            if verdict.braked:
                mine_alone = facts.institution if "institution" in policy.same else None
                reason = brake_reason(
                    brake, facts.rule, verdict, events=facts.per == EVENT, institution=mine_alone
                )
                until = stretch.start + brake.over
                self._set_aside(place, Disposition.BRAKED, policy, reason, until=until)

    def _snooze(self, policy: Policy, length: int, places: list[int]) -> None:
        for members in self._by_key(policy, places).values():
            passed: AlertFacts | None = None
            for place in members:
                facts = self.alerts[place]
                if passed is not None and facts.time - passed.time <= length:
                    reason = {
                        "en": f"{policy.title['en']}: repeat of {passed.id}",
                        "zh": f"{policy.title['zh']}：{passed.id} 的重复",
                    }
                    until = passed.time + length
                    self._set_aside(place, Disposition.SNOOZED, policy, reason, until, passed.id)
                else:
                    passed = facts

    # --- cases --------------------------------------------------------------------------------

    def _by_key(
        self, policy: Policy, places: list[int], *, taken: bool = False
    ) -> dict[tuple[str, ...], list[int]]:
        """Places of alerts by key, in order; alerts without a part of the key are left out."""
        found: dict[tuple[str, ...], list[int]] = defaultdict(list)
        keys = policy.keys
        for place in places:
            if taken or self.free[place]:
                key = keys(self.alerts[place])
                if all(key):
                    found[key].append(place)
        return found

    def _open(self, policy: Policy, action: OpenCase, places: list[int]) -> None:
        groups = self._by_key(policy, places)
        found = {key: _Found() for key in groups}
        if policy.absent is not None:
            self._absent(policy, groups, self._by_key(policy, places, taken=True), found)
        elif policy.count is not None:
            for key, members in groups.items():
                self._count(policy, members, found[key])
        else:
            self._branches(policy, groups, found)
        for key in sorted(groups):
            if found[key].last:
                self._cut(policy, action, key, found[key])

    def _branches(
        self,
        policy: Policy,
        groups: Mapping[tuple[str, ...], list[int]],
        found: Mapping[tuple[str, ...], _Found],
    ) -> None:
        jobs: list[Job] = []
        whose: list[tuple[_Found, list[int]]] = []
        for branch in policy.branches:
            if len(branch) == 1:
                for key, members in groups.items():
                    for place in members:
                        if branch[0].meets(self.alerts[place]):
                            found[key].together((place,), self.alerts[place].time)
                continue
            for key, members in groups.items():
                for part in self._parts(branch, policy.within, members):
                    job = self._job(branch, policy.within, part)
                    if job.is_hot:
                        _saturate(job, part, found[key])
                    elif all(job.counts):
                        jobs.append(job)
                        whose.append((found[key], part))
        if not jobs:
            return
        for job, (members_found, part), matches in zip(
            jobs, whose, self.planner.matcher.match(jobs), strict=True
        ):
            for match in matches:
                last = max(job.times[place] for place in match)
                members_found.together((part[place] for place in match), last)

    def _parts(self, branch: Branch, within: int, members: list[int]) -> list[list[int]]:
        """The alerts that meet a pattern, cut where a gap is longer than the window."""
        parts: list[list[int]] = []
        last: int | None = None
        for place in members:
            facts = self.alerts[place]
            if not any(pattern.meets(facts) for pattern in branch):
                continue
            if last is None or facts.time - last > within:
                parts.append([])
            parts[-1].append(place)
            last = facts.time
        return parts

    def _job(self, branch: Branch, within: int, part: list[int]) -> Job:
        alerts = [self.alerts[place] for place in part]
        flags = tuple(
            sum(1 << i for i, pattern in enumerate(branch) if pattern.meets(facts))
            for facts in alerts
        )
        return Job(len(branch), within, tuple(facts.time for facts in alerts), flags)

    def _count(self, policy: Policy, members: list[int], found: _Found) -> None:
        """Every stretch of the window's length that has enough; two pointers over sorted times."""
        count = policy.count
        assert count is not None
        members = [p for p in members if self._value(p, count.distinct) is not None]
        values: dict[str, int] = defaultdict(int)
        end = 0
        done = 0  # places before this one are noted: an earlier stretch has an earlier last alert
        for start, place in enumerate(members):
            limit = self.alerts[place].time + policy.within
            while end < len(members) and self.alerts[members[end]].time <= limit:
                values[self._value(members[end], count.distinct) or ""] += 1
                end += 1
            enough = len(values) if count.distinct else end - start
            if enough >= count.at_least:
                last = self.alerts[members[end - 1]].time
                found.together(members[max(start, done) : end], last)
                done = end
            value = self._value(place, count.distinct) or ""
            values[value] -= 1
            if not values[value]:
                del values[value]

    def _value(self, place: int, distinct: str | None) -> str | None:
        if distinct is None:
            return ""
        value = getattr(self.alerts[place], distinct)
        return value or None

    def _absent(
        self,
        policy: Policy,
        groups: Mapping[tuple[str, ...], list[int]],
        everyone: Mapping[tuple[str, ...], list[int]],
        found: Mapping[tuple[str, ...], _Found],
    ) -> None:
        """Alerts after which none that meets ``absent`` came in time, once the time is over."""
        absent = policy.absent
        assert absent is not None
        for key, members in groups.items():
            others = [p for p in everyone[key] if absent.meets(self.alerts[p])]
            times = [self.alerts[p].time for p in others]
            for place in members:
                facts = self.alerts[place]
                if not any(branch[0].meets(facts) for branch in policy.branches):
                    continue
                until = facts.time + policy.within
                first = bisect_left(times, facts.time)
                came = any(
                    others[i] != place
                    for i in range(first, min(first + 2, len(times)))
                    if times[i] <= until
                )
                if came:
                    continue
                if self.question.as_of > until:
                    found[key].together((place,), facts.time)
                else:
                    self.wakes.append(Wake(until, facts.id, policy.id))

    def _cut(
        self, policy: Policy, action: OpenCase, values: tuple[str, ...], found: _Found
    ) -> None:
        """The members as cases: a new one after each closing and each gap longer than ``merge``."""
        key = case_key(policy, values)
        cuts = self.question.closings.get(key, ())
        sides: dict[int, list[int]] = defaultdict(list)
        for place in sorted(found.last):
            sides[bisect_left(cuts, found.last[place])].append(place)
        for side in sorted(sides):
            session: list[int] = []
            for place in sides[side]:
                if session:
                    gap = self.alerts[place].time - self.alerts[session[-1]].time
                    if gap > action.merge:
                        self._case(policy, key, session, found)
                        session = []
                session.append(place)
            self._case(policy, key, session, found)

    def _case(self, policy: Policy, key: CaseKey, places: list[int], found: _Found) -> None:
        alerts = [self.alerts[place] for place in places]
        for place in places:
            self.free[place] = False
        saturated = any(place in found.saturated for place in places)
        clocks = self.planner.clocks
        self.cases.append(said_of(policy, key, alerts, clocks, saturated=saturated))

    def _unsorted(self, place: int) -> None:
        facts = self.alerts[place]
        self.free[place] = False
        key = CaseKey(UNSORTED, "alert", (facts.id,))
        self.cases.append(
            CaseDirective(
                case=case_id(UNSORTED, "alert", (facts.id,), facts.id),
                policy=UNSORTED,
                policy_version="1.0.0",
                key=key,
                theme=facts.theme or UNSORTED,
                rules=(facts.rule,),
                subjects=_values((facts.subject,)),
                tenants=_values((facts.tenant,)),
                jurisdiction=facts.jurisdiction,
                jurisdictions=_values((facts.jurisdiction,)),
                anchor=facts.id,
                alerts=(facts.id,),
                opened_at=facts.time,
                last_at=facts.time,
                priority=PRIORITY_OF_SEVERITY.get(facts.severity, "normal"),
                queue=UNSORTED,
                severity=facts.severity,
                due=facts.due,
                due_at=facts.due_at,
                due_basis="alert" if facts.due else "none",
                saturated=False,
                title=UNSORTED_TEXT,
                reason=UNSORTED_TEXT,
            )
        )


def _values(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))


def _saturate(job: Job, part: list[int], found: _Found) -> None:
    """Members of a hot job: every alert in a stretch of the window in which all patterns occur."""
    counts = [0] * job.width
    end = done = 0
    for start in range(len(part)):
        limit = job.times[start] + job.within
        while end < len(part) and job.times[end] <= limit:
            for i in range(job.width):
                counts[i] += job.flags[end] >> i & 1
            end += 1
        if all(counts):
            places = part[max(start, done) : end]
            found.together(places, job.times[end - 1], saturated=True)
            done = end
        for i in range(job.width):
            counts[i] -= job.flags[start] >> i & 1
