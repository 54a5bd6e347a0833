"""The independent oracle: alerts of rulepacks over events, by rules 17 to 21 of the semantics.

Slow and plain on purpose; shares no code with the engine, only ``docs/concepts/semantics.md``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from tests.property.oracle.language import Pack, Rates, Reference, Rule, Scope
from tests.property.oracle.localtime import DAY, LocalTime, micros, utc_text
from tests.property.oracle.measures import History, Key
from tests.property.oracle.values import (
    Interval,
    Length,
    Outcome,
    all_of,
    negate,
    parse,
    read_literal,
)
from tests.property.oracle.world import Event, Known, Row, World, arrive, content_digest

Alert = dict[str, Any]


@dataclass
class Result:
    """What a run found. Alerts in the order of rule 21."""

    alerts: list[Alert]
    cannot_tell: dict[str, int]
    late: int
    repeats: int
    conflicts: int
    ungoverned: int
    outcomes: Counter[tuple[str, str]]  # (rule, met | not met | cannot tell): rows, for statistics


def no_rates(_own: str, _target: str, _day: date) -> Fraction | None:
    return None


def judge(
    packs: Sequence[Mapping[str, Any]],
    events: Sequence[Sequence[Event]] | Sequence[Event],
    *,
    profiles: Mapping[str, Mapping[str, Any]],
    decimals: Mapping[str, int],
    working_day: Callable[[str, date], bool],
    lateness_seconds: int = 0,
    home: str | None = None,
    rates: Rates = no_rates,
    sets: Mapping[str, list[Mapping[str, Any]]] | None = None,
    until: str | None = None,
    horizon_days: int = 400,
    digest: Callable[[Event], int] = content_digest,
) -> Result:
    """Judge events (in arrival order; several lists are several sources) by packs (plain dicts).

    ``profiles``: jurisdiction → ``{zone, countries, governs: {type: [role]}}``, as in
    ``mappings/jurisdictions``; INTL needs a zone only. ``decimals``: currency → decimals.
    ``until``: the end of the run's period (RFC 3339).
    """
    sources = [[one] if isinstance(one, Mapping) else one for one in events]
    if events and isinstance(events[0], Mapping):
        sources = [[event for source in sources for event in source]]
    arrivals = arrive(sources, lateness_seconds * 1_000_000, horizon_days * DAY, digest)
    loaded = {str(pack["jurisdiction"]) for pack in packs}
    times = {
        code: LocalTime(profiles[code]["zone"], _calendar(working_day, code)) for code in loaded
    }
    reference = Reference(rates, decimals, sets or {}, times)
    world = World(profiles, loaded, home, horizon_days * DAY, times)
    court = Court([Pack(pack) for pack in packs], History(reference))
    for raw in arrivals.accepted:
        event, rows = world.place(raw)
        court.hear(event, rows)
    if until is not None:
        court.pass_time(micros(until))
    court.alerts.sort(key=_order)
    return Result(
        court.alerts,
        dict(court.cannot_tell),
        arrivals.late,
        arrivals.repeats,
        arrivals.conflicts,
        world.ungoverned,
        court.outcomes,
    )


def _calendar(working_day: Callable[[str, date], bool], code: str) -> Callable[[date], bool]:
    return lambda day: working_day(code, day)


def _order(alert: Alert) -> tuple[Any, ...]:
    first = alert["time"], alert["rule"], alert["subject"], alert["period"]
    rest = alert["institution"] or "", sorted(alert["by"].items()), alert["outcome"]
    return *first, *rest, alert["warning"]


@dataclass
class Period:
    """What has been raised for one subject in one period (or, rolling, since the last turn)."""

    label: str
    met: int | None = None  # time of the last met alert
    doubted: int | None = None  # time of the cannot-tell alert
    steps: int = 0  # the last k raised


@dataclass
class Duty:
    """An open duty of rule 20."""

    rule: Rule
    name: str
    reporter: str
    jurisdiction: str
    due: int
    warn_at: int | None
    opened: int
    alert: Alert  # without its time


@dataclass
class Court:
    """Evaluates every rule on every row, in order, and keeps what has been raised."""

    packs: Sequence[Pack]
    history: History
    alerts: list[Alert] = field(default_factory=list)
    cannot_tell: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    periods: dict[tuple[Any, ...], Period] = field(default_factory=dict)
    duties: dict[tuple[Any, ...], Duty] = field(default_factory=dict)
    finished: set[tuple[Any, ...]] = field(default_factory=set)  # duties of a period that are over

    def hear(self, event: Known, rows: Sequence[Row]) -> None:
        self.pass_time(event.time)
        if event.type == "figure":
            self.history.figures.append(event)
        self.history.add(rows)
        if event.type == "action":
            self._close(event)
        for row in rows:
            for pack in self.packs:
                if pack.jurisdiction == row.jurisdiction:
                    for rule in pack.rules:
                        if rule.runs:
                            self._rule(pack, rule, row)
        self.pass_time(event.time)

    # --- rule 17 ---

    def _applies(self, rule: Rule, row: Row) -> Key | None:
        """The row's subject, if the rule is evaluated on it."""
        if row.event.type not in rule.on or not row.stands_for(rule.legs):
            return None
        return self.history.subject(row, rule) if rule.in_force(row.day) else None

    def _scope(self, rule: Rule, row: Row) -> Scope:
        scope = Scope(rule, row, row.day, self.history.reference, self.history.measure, {})
        assert scope.lets is not None
        for name, tree in rule.lets.items():
            scope.lets[name] = scope.value(tree)
        return scope

    def _rule(self, pack: Pack, rule: Rule, row: Row) -> None:
        subject = self._applies(rule, row)
        if subject is None:
            return
        scope = self._scope(rule, row)
        outcome = all_of([scope.outcome(rule.where), scope.outcome(rule.when)])
        for other in pack.rules:
            if other.id in (rule.document.get("yields_to") or ()) and other.runs:
                if self._applies(other, row) is not None:
                    higher = self._scope(other, row)
                    met = all_of([higher.outcome(other.where), higher.outcome(other.when)])
                    outcome = all_of([outcome, negate(met)])
        if rule.deadline is not None:
            outcome = self._open(rule, row, subject, scope, outcome)
        elif outcome is not False:
            self._raise(rule, row, subject, scope, outcome)
        if outcome is None:
            self.cannot_tell[rule.id] += 1
        word = "cannot tell" if outcome is None else "met" if outcome else "not met"
        self.outcomes[rule.id, word] += 1

    # --- rules 18 and 19 ---

    def _raise(self, rule: Rule, row: Row, subject: Key, scope: Scope, outcome: Outcome) -> None:
        if outcome is None and rule.document.get("cannot_tell") != "alert":
            return
        period = self._period(rule, row, subject)
        if outcome is None:
            if period.met is None and period.doubted is None:
                period.doubted = row.time
                self._alert(rule, row, scope, period.label, "cannot_tell")
            return
        steps = self._steps(rule, scope)
        if period.met is not None and not (rule.again and steps > period.steps):
            return
        period.met, period.steps = row.time, steps
        label = f"{period.label}#{steps}" if rule.again else period.label
        self._alert(rule, row, scope, label, "met")

    def _period(self, rule: Rule, row: Row, subject: Key) -> Period:
        """The period of a row with what was raised in it; a new one if there is none."""
        if rule.period == "rolling":
            key: tuple[Any, ...] = rule.id, subject
            period = self.periods.get(key)
            if period is not None:
                starts = [self.history.window_start(over, rule, row) for over in rule.rolling]
                raised = [time for time in (period.met, period.doubted) if time is not None]
                if max(raised) <= min(starts):
                    period = None
            return self.periods.setdefault(key, Period("")) if period else self._new(key, row)
        if rule.period == "event":
            label = f"{row.event.reporter}/{row.event.id}"
        else:
            label = self.history.times(row).period(rule.period, row.day)
        return self.periods.setdefault((rule.id, subject, label), Period(label))

    def _new(self, key: tuple[Any, ...], row: Row) -> Period:
        self.periods[key] = Period(utc_text(row.time))
        return self.periods[key]

    @staticmethod
    def _steps(rule: Rule, scope: Scope) -> int:
        if rule.again is None or rule.step is None:
            return 0
        value = scope.interval(parse(rule.again["value"]))
        step = scope.interval(rule.step)
        if isinstance(value.lo, float) or isinstance(step.lo, float) or step.lo <= 0:
            return 0
        return max(0, math.floor(value.lo / step.lo))

    def _alert(self, rule: Rule, row: Row, scope: Scope, label: str, outcome: str) -> Alert:
        alert = self._describe(rule, row, scope, label, outcome)
        self.alerts.append(alert)
        return alert

    def _describe(self, rule: Rule, row: Row, scope: Scope, label: str, outcome: str) -> Alert:
        parts: list[Any] = []
        institution = None
        for part in rule.per:
            values = self.history.key_part(row, part)
            assert values is not None
            if part in ("customer", "account"):
                institution, values = values[0], values[1:]
            parts += values
        return {
            "rule": rule.id,
            "per": list(rule.per),
            "subject": "|".join(_text(part) for part in parts),
            "institution": institution,
            "by": {path: _text(self.history.path(row, path)) for path in rule.by},
            "period": label,
            "time": row.time,
            "outcome": outcome,
            "warning": False,
            "measures": {name: _shown(value) for name, value in (scope.lets or {}).items()},
        }

    # --- rule 20 ---

    def _open(self, rule: Rule, row: Row, subject: Key, scope: Scope, outcome: Outcome) -> Outcome:
        assert rule.deadline is not None
        spec = rule.deadline
        times = self.history.times(row)
        if outcome is not True:
            if outcome is None and rule.document.get("cannot_tell") == "alert":
                self._raise(rule, row, subject, scope, None)
            return outcome
        cycle = spec.get("start_period_end")
        period = times.period(cycle, row.day) if cycle else None
        name = row.event.id if period is None else period
        if "about" in spec:
            about = scope.value(parse(spec["about"]))
            if about is None:
                return None
            name = _text(about)
        if cycle:
            start = times.end_of_period(cycle, row.day)
        else:
            begun = scope.interval(parse(spec.get("start", "time")))
            if not begun.known:
                return None
            start = int(begun.exact)
        key = rule.id, subject, name, period
        if key in self.duties or key in self.finished:
            return True
        due = self._after(times, start, self._within(rule, spec["within"], row.day))
        warn_at = None
        if "warn" in spec:
            warn = read_literal(spec["warn"])
            assert isinstance(warn, Length)
            warn_at = (
                times.months_after(due, -warn.count) if warn.unit == "months" else due - warn.micros
            )
        label = name if period is None else period
        if period is None and "about" in spec:
            label = f"{name}/{row.event.id}"
        alert = self._describe(rule, row, scope, label, "met")
        duty = Duty(rule, name, row.event.reporter, row.jurisdiction, due, warn_at, row.time, alert)
        self.duties[key] = duty
        return True

    @staticmethod
    def _within(rule: Rule, written: Any, day: date) -> Length:
        text = str(written).strip()
        name = text.removeprefix("param(").rstrip(")").strip("\"'")
        length = rule.pack.param(name, day) if text.startswith("param(") else read_literal(text)
        assert isinstance(length, Length), text
        return length

    @staticmethod
    def _after(times: LocalTime, start: int, within: Length) -> int:
        if within.unit == "working_days":
            return times.working_days_after(start, within.count)
        if within.unit == "months":
            return times.months_after(start, within.count)
        return start + within.micros

    def _close(self, action: Known) -> None:
        for key, duty in list(self.duties.items()):
            if duty.reporter != action.reporter or action.raw.get("about") != duty.name:
                continue
            day = self.history.reference.times[duty.jurisdiction].day(action.time)
            row = Row(action, duty.jurisdiction, None, None, True, day)
            scope = Scope(duty.rule, row, day, self.history.reference)
            assert duty.rule.deadline is not None
            met = scope.outcome(parse(duty.rule.deadline["closed_by"]))
            if met is True and action.time <= duty.due:
                self._finish(key)

    def _finish(self, key: tuple[Any, ...]) -> None:
        del self.duties[key]
        if key[-1] is not None:
            self.finished.add(key)

    def pass_time(self, now: int) -> None:
        """Raise the warnings and alerts of all duties whose moment lies before ``now``."""
        for key, duty in list(self.duties.items()):
            if duty.warn_at is not None and now > duty.warn_at and duty.opened <= duty.due:
                time = max(duty.warn_at, duty.opened)
                self.alerts.append({**duty.alert, "time": time, "warning": True})
                duty.warn_at = None
            if now > duty.due:
                self.alerts.append({**duty.alert, "time": max(duty.due, duty.opened)})
                self._finish(key)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _shown(value: Any) -> Any:
    """A measure as it is compared: exact, [lo, hi] (None for an open end), or None."""
    if isinstance(value, Interval):
        if value.known:
            return value.exact
        ends = [None if isinstance(end, float) else end for end in (value.lo, value.hi)]
        return None if ends == [None, None] else ends
    return value
