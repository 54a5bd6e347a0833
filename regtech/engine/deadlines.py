"""Duties that an action must end in time; their alerts are raised by the passing of event time.

Rule 20 of semantics.md. Duties are few beside events, so they are plain objects; hits that open or
close them and the times at which they run out are worked through in canonical order, so neither
batch sizes nor restarts change anything.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from regtech.engine.durations import end_of
from regtech.engine.evaluate import Interval, evaluate
from regtech.engine.evidence import EvidenceMaker, warning_of
from regtech.engine.rowenv import RowEnvironment
from regtech.engine.windows import first_day
from regtech.model.alert import Alert
from regtech.reference.civil import add_months, civil_from_days
from regtech.reference.zones import local_day_start_us
from regtech.rulelang.ir import Deadline, Duration

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(slots=True)
class Duty:
    """An open duty. The alerts it may raise were made when it opened: facts are those of that
    time."""

    rule: str
    key: str
    name: str
    reporter: str
    opened_us: int
    due_us: int
    warn_us: int | None
    breach: Alert
    warning: Alert | None


@dataclass
class Deadlines:
    """All open duties, by (rule, subject, name), and when each runs out."""

    open: dict[tuple[str, str, str], Duty] = field(default_factory=dict)
    by_name: dict[tuple[str, str, str], list[tuple[str, str, str]]] = field(default_factory=dict)
    """Rule, reporter and name to the open duties: ids are unique for one reporter only."""
    names: Counter[str] = field(default_factory=Counter)
    """How many open duties bear a name."""
    timers: list[tuple[int, int, int, tuple[str, str, str]]] = field(default_factory=list)
    serial: int = 0
    last_period: dict[tuple[str, str], str] = field(default_factory=dict)
    """Rule and subject to the last period whose end started a clock: one duty a period."""
    untold: dict[str, int] = field(default_factory=dict)
    """Rule to number of duties whose start is unknown: counted as cannot tell."""

    def advance(self, now_us: int) -> list[Alert]:
        """Alerts of all clocks that ran out before ``now_us``."""
        raised: list[Alert] = []
        while self.timers and self.timers[0][0] < now_us:
            at, kind, _, key = heapq.heappop(self.timers)
            duty = self.open.get(key)
            if duty is None or at != (duty.due_us if kind else duty.warn_us):
                continue
            if kind == 0:
                assert duty.warning is not None
                raised.append(duty.warning)
                continue
            raised.append(duty.breach)
            self._drop(key)
        return raised

    def start(self, env: RowEnvironment, evidence: EvidenceMaker) -> None:
        """Open the duty of a hit, unless it is open already."""
        variant = env.variant
        deadline = variant.deadline
        assert deadline is not None and isinstance(deadline.within, Duration)
        subject, _ = evidence.subject(env)
        name = duty_name(env, deadline)
        start = start_of(env, deadline)
        reporter = str(env.field("reporter"))
        key = (variant.rule.id, subject, name or "")
        if key in self.open:
            return
        if start is None or name is None:
            self.untold[variant.rule.id] = self.untold.get(variant.rule.id, 0) + 1
            return
        profile = env.judge.plan.reference.profile(variant.jurisdiction)
        due = end_of(start, deadline.within, profile)
        opened = int(env.judge.times[env.event])
        warn = None
        if deadline.warn is not None:
            length = deadline.warn
            back = length.count * (86_400_000_000 if length.unit == "days" else 1_000_000)
            warn = max(due - back, opened)
            if warn > due:
                warn = None
        # a duty named by something else than its event can open again: the event tells them apart
        label = name
        if deadline.about is not None and deadline.start_period_end is None:
            label = f"{name}/{env.event_id()}"
        if deadline.start_period_end is not None:
            if self.last_period.get((variant.rule.id, subject)) == name:
                return
            self.last_period[(variant.rule.id, subject)] = name
        breach = evidence.make(env, 2, 0, period=label, time_us=max(due, opened), due_us=due)
        warning = None
        if warn is not None:
            warning = warning_of(breach, subject, warn)
        duty = Duty(variant.rule.id, subject, name, reporter, opened, due, warn, breach, warning)
        self.open[key] = duty
        self.names[name] += 1
        self.by_name.setdefault((variant.rule.id, reporter, name), []).append(key)
        self._arm(key, duty)

    def _arm(self, key: tuple[str, str, str], duty: Duty) -> None:
        if duty.warn_us is not None:
            self.serial += 1
            heapq.heappush(self.timers, (duty.warn_us, 0, self.serial, key))
        self.serial += 1
        heapq.heappush(self.timers, (duty.due_us, 1, self.serial, key))

    def close(self, rule: str, reporter: str, about: str) -> None:
        """A reporter's action about a name ends all its duties of the rule that have the name."""
        for key in list(self.by_name.get((rule, reporter, about), ())):
            self._drop(key)

    def _drop(self, key: tuple[str, str, str]) -> None:
        duty = self.open.pop(key)
        self.names[duty.name] -= 1
        if not self.names[duty.name]:
            del self.names[duty.name]
        place = (duty.rule, duty.reporter, duty.name)
        names = self.by_name[place]
        names.remove(key)
        if not names:
            del self.by_name[place]

    def export(self) -> list[dict[str, Any]]:
        """Open duties as data for a snapshot, in a stable order."""
        made = []
        armed = {(key, at) for at, kind, _, key in self.timers if kind == 0}
        for key in sorted(self.open):
            duty = self.open[key]
            made.append(
                {
                    "key": list(key),
                    "reporter": duty.reporter,
                    "opened": duty.opened_us,
                    "due": duty.due_us,
                    "warn": duty.warn_us,
                    "warned": (key, duty.warn_us) not in armed,
                    "breach": alert_data(duty.breach),
                    "warning": None if duty.warning is None else alert_data(duty.warning),
                }
            )
        return made

    @classmethod
    def from_data(cls, data: list[dict[str, Any]], untold: dict[str, int]) -> Deadlines:
        """The duties that were exported."""
        made = cls(untold=dict(untold))
        for item in data:
            rule, subject, name = item["key"]
            key = (rule, subject, name)
            warning = None if item["warning"] is None else alert_from(item["warning"])
            duty = Duty(
                rule, subject, name, item["reporter"], item["opened"], item["due"], item["warn"],
                alert_from(item["breach"]), warning,
            )  # fmt: skip
            made.open[key] = duty
            made.names[name] += 1
            made.by_name.setdefault((rule, duty.reporter, name), []).append(key)
            if item["warned"]:
                made.serial += 1
                heapq.heappush(made.timers, (duty.due_us, 1, made.serial, key))
            else:
                made._arm(key, duty)
        return made


def duty_name(env: RowEnvironment, deadline: Deadline) -> str | None:
    """What an action must name to end the duty."""
    if deadline.start_period_end is not None and deadline.about is None:
        judge = env.judge
        profile = judge.plan.reference.profile(env.variant.jurisdiction)
        day = first_day(deadline.start_period_end, int(judge.day[env.row]), profile)
        months = _MONTHS[deadline.start_period_end]
        number, month, _ = civil_from_days(day)
        year = f"{number:04d}"
        if months == 1:
            return f"{year}-{month:02d}"
        return year if months == 12 else f"{year}-Q{(month - 1) // 3 + 1}"
    if deadline.about is None:
        return env.event_id()
    value = evaluate(deadline.about, env)
    if isinstance(value, Interval):
        return str(value.exact)
    return None if value is None else str(value)


def start_of(env: RowEnvironment, deadline: Deadline) -> int | None:
    """Instant from which the clock runs, or None where it is unknown."""
    judge = env.judge
    if deadline.start_period_end is not None:
        profile = judge.plan.reference.profile(env.variant.jurisdiction)
        day = first_day(deadline.start_period_end, int(judge.day[env.row]), profile)
        after = add_months(day, _MONTHS[deadline.start_period_end])
        return local_day_start_us(profile.zone, after) - 1
    if deadline.start is None:
        return int(judge.times[env.event])
    value = evaluate(deadline.start, env)
    if not isinstance(value, Interval) or value.exact is None:
        return None
    if deadline.start.type.name == "date":
        profile = judge.plan.reference.profile(env.variant.jurisdiction)
        return local_day_start_us(profile.zone, int(value.exact))
    return int(value.exact)


def alert_data(alert: Alert) -> dict[str, Any]:
    """An alert as data, its sorting key included."""
    return {**alert.as_dict(), "order": list(alert.order)}


def alert_from(data: dict[str, Any]) -> Alert:
    """The alert of ``alert_data``."""
    return Alert(**{"findings": {}, **data, "order": tuple(data["order"])})
