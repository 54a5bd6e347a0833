"""The engine: batches in arrival order in, alerts in canonical order out."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from collections.abc import Sequence as Names
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from regtech.columns.batch import Batch
from regtech.engine.block import Sequence
from regtech.engine.deadlines import Deadlines
from regtech.engine.evaluate import Interval, evaluate
from regtech.engine.eventdays import DayNews
from regtech.engine.evidence import EvidenceMaker
from regtech.engine.intake import FOREVER, Intake, SetAside
from regtech.engine.judge import BLOCK_EVENTS, Hits, Judge
from regtech.engine.kernels import hits as H
from regtech.engine.kernels.periods import months_before
from regtech.engine.kernels.raw import MIN
from regtech.engine.plan import Plan, subject_space
from regtech.engine.preparing import Prepared
from regtech.engine.rowenv import RowEnvironment
from regtech.engine.variants import Variant
from regtech.engine.writing import period_text
from regtech.model.alert import Alert
from regtech.model.eventday import EventKind
from regtech.reference.civil import time_text
from regtech.rulelang.ir import FieldRef

Int64 = npt.NDArray[np.int64]


@dataclass(slots=True)
class Summary:
    """Counts of a run so far."""

    events: int = 0
    alerts: int = 0
    repeats: int = 0
    late: int = 0
    conflicts: int = 0
    ungoverned: int = 0
    shared_payments: int = 0
    overflows: int = 0
    cannot_tell: dict[str, int] = field(default_factory=dict)
    met: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)


class Engine:
    """One engine over one plan. Push batches, take alerts, finish.

    ``sources`` names the sources in the order of ``Batch.source``. Alerts are handed out once no
    event can come before them. ``lateness_us``: an event older than the newest of its source by
    more than this is set aside as late. ``from_us``: events before it fill windows; they are
    counted as ``early``, and what they raise is for the caller to leave out.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        sources: Names[str] = ("",),
        lateness_us: int = 600_000_000,
        home: str | None = None,
        from_us: int | None = None,
    ) -> None:
        self.plan = plan
        self.from_us = from_us
        self.judge = Judge(plan, home)
        self.sources = list(sources)
        self.intake = Intake(
            plan.columns, plan.vocabulary, self.judge.state.seen_ids, lateness_us, len(sources)
        )
        self.evidence = EvidenceMaker(self.judge, self.sources)
        self.deadlines = Deadlines()
        self.raised: dict[tuple[str, str], tuple[str, int, int]] = {}
        """Last period, step and time of rules that raise again, by rule and subject."""
        self.held: list[tuple[tuple[Any, ...], int, Alert]] = []
        self._serial = 0
        self._latest = (-1, "")
        self.now_us = -(1 << 62)
        self.events = 0
        self.early = 0
        self.alerts = 0

    # --- feeding

    def push(self, batch: Batch) -> list[Alert]:
        """Take in a batch; returns the alerts that are final now, in canonical order."""
        self.intake.push(batch)
        return self.judge_ready()

    def decide(self, batch: Batch) -> list[Alert]:
        """Judge a batch at once instead of waiting for what may come before it.

        Every alert of it is handed out. Later events of the same instant are judged after it, in
        the order they come; with ``intake.arrival_order`` batches of one instant or of many give
        the same. Events older than the newest, less the allowed lateness, are late.
        """
        self.intake.push(batch)
        newest, self.intake.newest = self.intake.newest, [FOREVER] * len(self.sources)
        try:
            done = self.judge_ready()
        finally:
            self.intake.newest = newest
        return done + self._release(self.now_us + 1)

    def close_source(self, source: int) -> list[Alert]:
        """Say that a source has ended."""
        self.intake.close(source)
        return self.judge_ready()

    def finish(self, until_us: int | None = None) -> list[Alert]:
        """End of all sources. Time passes to ``until_us`` where given, which may end deadlines."""
        for source in range(len(self.sources)):
            self.intake.close(source)
        done = self.judge_ready()
        if until_us is not None and until_us > self.now_us:
            self._hold(self.deadlines.advance(until_us))
            self.now_us = until_us
        return done + self._release(FOREVER)

    def set_aside(self) -> list[SetAside]:
        """Late and conflicting events since the last call."""
        found, self.intake.set_aside = self.intake.set_aside, []
        return found

    def judge_ready(self) -> list[Alert]:
        """Judge what nothing can come before any more; the alerts that are final then."""
        for events in self.ready():
            self.judge_prepared(self.judge.prepare(events))
        return self.judged()

    def judged(self) -> list[Alert]:
        """The alerts that are final now, in canonical order."""
        self.judge.now_forget(self.now_us)
        return self._release(self.now_us)

    def ready(self) -> Iterator[Sequence]:
        """The events that nothing can come before any more, in blocks under one law each."""
        for events in self.intake.take():
            times = events.block.columns[self.plan.columns.index["time"]][events.order]
            start = 0
            while start < events.count:
                limit = self.judge.era_end(int(times[start]))
                end = min(start + BLOCK_EVENTS, events.count)
                if int(times[end - 1]) >= limit:
                    end = start + int(np.searchsorted(times[start:end], limit))
                yield events.part(start, end)
                start = end

    def judge_prepared(self, prepared: Prepared) -> None:
        """Judge the events that follow those of the last call; ``judged`` hands out alerts."""
        hits = self.judge.judge(prepared)
        count = prepared.events.count
        self.events += count
        if self.from_us is not None:
            self.early += int(np.searchsorted(prepared.times, self.from_us))
        for first, last, ends_duties in _together(hits, len(self.plan.variants)):
            if ends_duties:
                self._close_duties(hits.rule[first:last], int(hits.event[first]))
            else:
                self._handle(hits, first)
        self.now_us = int(prepared.times[count - 1])
        self._hold(self.deadlines.advance(self.now_us))

    def _handle(self, hits: Hits, k: int) -> None:
        judge = self.judge
        number = int(hits.rule[k])
        variants = self.plan.variants
        variant = variants[number]
        if variant.deadline is not None:
            self._hold(self.deadlines.advance(int(judge.times[hits.event[k]])))
        env = RowEnvironment(judge, variant, int(hits.row[k]))
        if variant.deadline is not None:
            self.deadlines.start(env, self.evidence)
        elif variant.again is not None:
            self._raise_again(env, variant, int(hits.outcome[k]))
        elif variant.rule.detect is not None:
            self._raise_found(env, variant, int(hits.outcome[k]))
        else:
            alert = self.evidence.make(env, int(hits.outcome[k]), int(hits.label[k]))
            if (env.event, alert.id) != self._latest:  # both sides of one event, one subject
                self._hold([alert])
            self._latest = (env.event, alert.id)

    def _close_duties(self, rules: Int64, event: int) -> None:
        """An action ends the duties that bear the name it is about: of hits that are closings."""
        judge, index = self.judge, self.plan.columns.index
        place = int(judge.source[event])
        about = int(judge.block.columns[index["about"], place])
        if about == MIN or (name := judge.word(about)) not in self.deadlines.names:
            return
        self._hold(self.deadlines.advance(int(judge.times[event])))
        reporter = judge.word(int(judge.block.columns[index["reporter"], place]))
        variants = self.plan.variants
        for number in np.unique(rules).tolist():
            self.deadlines.close(variants[number - len(variants)].rule.id, reporter, name)

    def _raise_again(self, env: RowEnvironment, variant: Variant, outcome: int) -> None:
        assert variant.again is not None
        if outcome != 2:
            return
        value, step = evaluate(variant.again.value, env), evaluate(variant.again.step, env)
        reached = 0
        if isinstance(value, Interval) and isinstance(step, Interval):
            if value.low is not None and step.low is not None and step.low > 0:
                reached = max(0, int(value.low // step.low))
        subject, _ = self.evidence.subject(env)
        last = self.raised.get((variant.rule.id, subject))
        period = self._period(env, variant, last)
        if last is not None and last[0] == period and reached <= last[1]:
            return
        now = int(self.judge.times[env.event])
        self.raised[(variant.rule.id, subject)] = (period, max(reached, 0), now)
        self._hold([self.evidence.make(env, outcome, 0, period=period, suffix=f"#{reached}")])

    def _raise_found(self, env: RowEnvironment, variant: Variant, outcome: int) -> None:
        """What a detector found; where the finding grows, each step of it is told once."""
        findings = self.judge.prepared.findings
        assert isinstance(variant.when, FieldRef) and findings is not None
        found = findings.finding(variant.when.path, env.side, env.event)
        period = found[1].period if found is not None else ""
        if not period:
            period = env.event_name()
        self._hold([self.evidence.make(env, outcome, 0, period=period)])

    def _period(
        self, env: RowEnvironment, variant: Variant, last: tuple[str, int, int] | None
    ) -> str:
        from regtech.engine.kernels.measures import period_of
        from regtech.engine.program import natural_period

        kind, length, months = natural_period(self.plan, variant)
        judge, row = self.judge, env.row
        if kind == H.PER_ROLLING:
            now = int(judge.times[env.event])
            limit = now - length
            if months:
                shifted = int(judge.shifted[row])
                limit = min(limit, int(months_before(shifted, months)) - (shifted - now))
            return time_text(now) if last is None or last[2] <= limit else last[0]
        if kind == H.PER_EVENT:
            return env.event_name()
        if kind < 0 or kind >= H.PER_EVER:
            return "ever"
        number = period_of(
            kind, int(judge.day[row]), int(judge.month[row]), int(judge.business_day[row])
        )
        return period_text(kind, int(number))

    # --- order of alerts

    def _hold(self, alerts: list[Alert]) -> None:
        for alert in alerts:
            self._serial += 1
            heapq.heappush(self.held, (alert.order, self._serial, alert))

    def _release(self, before_us: int) -> list[Alert]:
        """Alerts dated before an instant, in order; later events can only add later ones."""
        done = []
        while self.held and self.held[0][0][0] < before_us:
            done.append(heapq.heappop(self.held)[2])
        self.alerts += len(done)
        return done

    def watching(self) -> dict[str, int]:
        """For how many subjects each rule was evaluated so far, by the id of the rule.

        Left out are rules whose subject is each single event. Subjects are those that an event of
        the rule's types named, whatever else the rule asks of it.
        """
        found: dict[str, int] = {}
        for rule, space in self._subjects:
            found[rule] = max(self.judge.state.keys[space].count, found.get(rule, 0))
        return found

    @cached_property
    def evaluated(self) -> dict[str, tuple[EventKind, ...]]:
        """The events that rules are evaluated for whose subject is each single event.

        By the id of the rule; events of its types that its law governs, whatever else it asks.
        """
        found: dict[str, set[EventKind]] = {}
        for variant in self.plan.variants:
            if subject_space(self.plan, variant) is None:
                kinds = {EventKind(variant.jurisdiction, name) for name in variant.rule.on}
                found.setdefault(variant.rule.id, set()).update(kinds)
        return {rule: tuple(sorted(kinds)) for rule, kinds in found.items()}

    def day_news(self, *, exactly: bool = False) -> DayNews:
        """How many such events there were, by who reported them and day, where it is news."""
        kinds = frozenset(kind for some in self.evaluated.values() for kind in some)
        return self.judge.event_days.news(self.now_us, exactly=exactly, kinds=kinds)

    @cached_property
    def _subjects(self) -> tuple[tuple[str, int], ...]:
        """Rules with the key spaces of their subjects."""
        spaces = ((v.rule.id, subject_space(self.plan, v)) for v in self.plan.variants)
        return tuple((rule, space.index) for rule, space in spaces if space is not None)

    def summary(self) -> Summary:
        """Counts so far."""
        counters = self.judge.preparing.counters
        made = Summary(
            events=self.events,
            alerts=self.alerts,
            repeats=self.intake.repeats,
            late=self.intake.late,
            conflicts=self.intake.conflicts,
            ungoverned=int(counters[0]) if self.judge.preparing.counts_ungoverned else 0,
            shared_payments=int(counters[1]),
            overflows=int(self.judge.errors[0]),
            waiting=dict(self.plan.waiting),
        )
        for variant in self.plan.variants:
            met, untold = (int(x) for x in self.judge.rule_counts[variant.index])
            rule = variant.rule.id
            made.met[rule] = made.met.get(rule, 0) + met
            made.cannot_tell[rule] = made.cannot_tell.get(rule, 0) + untold
        for rule, count in self.deadlines.untold.items():
            made.cannot_tell[rule] = made.cannot_tell.get(rule, 0) + count
        return made


def _together(hits: Hits, rules: int) -> Iterator[tuple[int, int, bool]]:
    """(first, end, whether they end duties) of hits that are handled at once.

    One action may end duties of every rule that has a deadline, and its hits follow each other.
    """
    if not len(hits):
        return
    closes = hits.rule >= rules
    goes_on = closes[1:] & closes[:-1] & (hits.event[1:] == hits.event[:-1])
    starts = np.flatnonzero(np.concatenate(([True], ~goes_on)))
    ends = [*starts[1:].tolist(), len(hits)]
    yield from zip(starts.tolist(), ends, closes[starts].tolist(), strict=True)
