"""One warm engine behind the API: events in, one at a time or in pieces; alerts to the record.

One lock is around decoder and engine, which are not for several threads. An event is judged, put
into the journal, and answered when the journal is durable; its alerts follow into the record, from
a worker, and after a crash from the journal.

Rules are exchanged between two events: an engine that has followed the journal to its end takes the
place of the one that judged so far, with all of that one's alerts in the record.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from casework.cases.alert import StoredAlert
from casework.cases.disclosure import Disclosure, disclosure, sees_alert
from casework.cases.scope import Role, Scope
from casework.ports import EventDesk, Quarantined
from casework.service.intake import AlertIntake
from casework.service.outside import Decision, Refusal, Verdict
from regtech.app.detection import models_asked, unfit_model
from regtech.app.following import Follower, judge_samples
from regtech.app.journal import Journal
from regtech.app.warm import SOURCE, WarmEngine, recalled
from regtech.clock import Clock
from regtech.collector import let_stay, set_apart
from regtech.columns.batch import Reject
from regtech.errors import ForbiddenError, UsageError
from regtech.model.quarantine import REASONS
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack

REMEMBERED: Final = 10_000
"""Events with alerts whose answer is given again to a repeat."""
REMEMBER_BYTES: Final = 32 << 20
"""After so much of the journal, some 100,000 events, another memory is made."""
WAITING_MAX: Final = 50_000
"""Alerts on their way into the record; whole files wait while there are more."""
SENDERS: Final = frozenset({Role.INSTITUTION, Role.SERVICE})


@dataclass(frozen=True, slots=True)
class Piece:
    """What became of several events: counts by verdict, and those to be quarantined."""

    counts: dict[str, int]
    refused: list[Reject]


@dataclass(frozen=True, slots=True)
class JudgedEvent:
    """``casework.service.outside.Judged``."""

    deciding: Deciding
    scope: Scope
    decision: Decision
    rejects: list[Reject]
    end: int
    number: int

    @property
    def waits(self) -> bool:
        return bool(self.rejects) or (self.end > 0 and self.deciding.journal_waits)

    def settle(self) -> Decision:
        return self.deciding.settle(self)


class Deciding:
    """``casework.service.outside.Decider`` and what whole files are judged with."""

    def __init__(
        self,
        packs: Sequence[Pack],
        reference: Reference,
        journal: Journal,
        desk: EventDesk,
        intake: AlertIntake,
        clock: Clock,
        *,
        home: str | None,
        lists: str | None = None,
        counted: Callable[[str, int], None] = lambda verdict, count: None,
    ) -> None:
        self._reference, self._home = reference, home
        self._use(WarmEngine(packs, reference, home, lists=lists), packs, lists)
        self._journal, self._desk, self._intake, self._clock = journal, desk, intake, clock
        self._counted = counted
        # Alerts are handed over under it as well when rules are exchanged.
        self._lock = threading.RLock()
        self._handing = threading.Lock()
        self._waiting: deque[tuple[int, list[bytes]]] = deque()
        self._waiting_count = 0
        self._answers: OrderedDict[tuple[str, str], tuple[bytes, ...]] = OrderedDict()
        self._remembered = self._from = 0
        self._wake: Callable[[], None] = lambda: None

    @property
    def journal_waits(self) -> bool:
        """Whether an answer waits for the disk."""
        return self._journal.waits

    # --- one event

    def judge(self, scope: Scope, event: bytes, number: int = 0) -> JudgedEvent:
        """Judge one event; see the port. ``number``: where it lies in the quarantine already."""
        # Line ends cannot stand inside a JSON text but between its parts.
        line = event.replace(b"\n", b" ").replace(b"\r", b" ").strip()
        if not line:
            raise UsageError("there is no event in the body")
        key = may_send(scope, line)
        with self._lock:
            decision, rejects, end = self._judge_one(scope, line, key)
        return JudgedEvent(self, scope, decision, rejects, end, number)

    def settle(self, judged: JudgedEvent) -> Decision:
        """Make it durable, or quarantine it; what the caller may know of it."""
        decision, scope = judged.decision, judged.scope
        if judged.end:
            self._journal.wait(judged.end)
            if decision.alerts:
                self._wake()
        self._counted(decision.verdict.value, 1)
        if judged.rejects:
            number = judged.number
            if not number:
                kept = self.kept(scope, judged.rejects, SOURCE)
                number = self._desk.quarantine(scope, kept)[0]
            return _refused(decision.verdict, judged.rejects[0], number)
        shown = tuple(a for a in decision.alerts if sees_alert(scope, StoredAlert.of(a)))
        untold = decision.cannot_tell
        if scope.restricted:
            # A rule that leaves this list may have been met: of a suspicion neither is told.
            untold = tuple(rule for rule in untold if rule in self._open_rules)
        return Decision(decision.verdict, shown, untold)

    def _judge_one(
        self, scope: Scope, line: bytes, key: tuple[str, str]
    ) -> tuple[Decision, list[Reject], int]:
        warm, engine = self._warm, self._warm.engine
        batch, rejects, _ = warm.decoder.decode(line, warm.place, SOURCE)
        warm.place += 1
        if rejects:
            return Decision(Verdict.REFUSED), rejects, 0
        if scope.tenants is not None and not key[0]:
            # The decoder read a reporter where we read none: nobody knows whose event it is.
            raise ForbiddenError(f"whose event {scope.actor} sends cannot be told")
        untold = engine.judge.rule_counts[:, 1].copy()
        repeats = engine.intake.repeats
        alerts = [alert.canonical() for alert in engine.decide(batch)]
        if aside := engine.set_aside():
            verdict = Verdict(aside[0].code)
            place = "time" if verdict is Verdict.LATE else "id"
            expected = REASONS[aside[0].code]
            reject = Reject(SOURCE, warm.place, place, aside[0].code, key[1], expected, line)
            return Decision(verdict), [reject], 0
        if engine.intake.repeats > repeats:
            # The engine knows it; the journal may not have it yet, or never get it.
            end = self._journal.append([])
            return Decision(Verdict.REPEATED, self._answers.get(key, ())), [], end
        more = np.flatnonzero(engine.judge.rule_counts[:, 1] > untold).tolist()
        rules = tuple(sorted({self._rules[k] for k in more if k < len(self._rules)}))
        end = self._journal.append([line])
        if alerts:
            self._put(end, alerts)
            self._answers[key] = tuple(alerts)
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        return Decision(Verdict.JUDGED, tuple(alerts), rules), [], end

    # --- many events

    def judge_lines(self, lines: Sequence[bytes], first: int, source: str) -> Piece:
        """Judge lines that are sorted by time and were found good; durable on return."""
        with self._lock:
            engine = self._warm.engine
            batch, refused, _ = self._warm.decoder.decode(b"\n".join(lines) + b"\n", first, source)
            repeats = engine.intake.repeats
            alerts = [alert.canonical() for alert in engine.decide(batch)]
            aside = {event.line - first: event for event in engine.set_aside()}
            bad = {reject.line - first for reject in refused}
            judged = [x for k, x in enumerate(lines) if k not in aside and k not in bad]
            again = engine.intake.repeats - repeats
            # Where all were known nothing is written; single repeats in between do no harm there.
            end = self._journal.append(judged if again < len(judged) else [])
            if alerts:
                self._put(end, alerts)
        self._journal.wait(end)
        self._wake()
        for k, event in sorted(aside.items()):
            place = "time" if event.code == "late" else "id"
            why = REASONS[event.code]
            refused.append(Reject(source, k + first, place, event.code, event.id, why, lines[k]))
        counts = {"judged": len(judged) - again, "repeated": again, "alerts": len(alerts)}
        return Piece({name: n for name, n in counts.items() if n}, refused)

    def kept(
        self, scope: Scope, rejects: Sequence[Reject], source: str, origin: str | None = None
    ) -> list[Quarantined]:
        """Rejects as the quarantine keeps them, under the institution that sent them."""
        now = self._clock.now_us()
        return [
            Quarantined(
                number=0,
                tenant=_tenant(scope, reject.raw),
                received_us=now,
                source=source,
                line=reject.line,
                place=reject.field,
                code=reject.code,
                found=reject.found.encode("utf-8", "backslashreplace").decode(),
                expected=reject.expected,
                raw=reject.raw,
                origin=None if origin is None else f"{origin}:{reject.line}",
            )
            for reject in rejects
        ]

    # --- alerts into the record

    def wakes(self, wake: Callable[[], None]) -> None:
        """What to call when alerts wait."""
        self._wake = wake

    @property
    def waiting(self) -> int:
        """Alerts on their way."""
        return self._waiting_count

    def _put(self, end: int, alerts: list[bytes]) -> None:
        self._waiting.append((end, alerts))
        self._waiting_count += len(alerts)

    def hand_over(self, scope: Scope) -> None:
        """Put the alerts that wait into the record. What fails waits on, in its place."""
        with self._handing:
            self._hand_over(scope)

    def _hand_over(self, scope: Scope) -> None:
        while self._waiting:
            batch: list[bytes] = []
            with self._lock:
                count, end = 0, 0
                for place, alerts in self._waiting:
                    batch += alerts
                    count, end = count + 1, place
                    if len(batch) >= 1000:
                        break
            self._journal.sync(end)
            self._count(scope, exactly=False)
            self._intake.take(scope, [StoredAlert.of(alert) for alert in batch])
            with self._lock:
                for _ in range(count):
                    self._waiting.popleft()
                self._waiting_count -= len(batch)
            self._journal.take(end)

    def finish(self, scope: Scope) -> None:
        """The end: hand over what waits; a start puts no alert of what was judged until now into
        the record again, by whichever rules it reads the journal.
        """
        self.hand_over(scope)
        self.count_subjects(scope)
        with self._lock:
            end = self._journal.end
            self._journal.sync(end)
            self._journal.take(end)

    def count_subjects(self, scope: Scope) -> None:
        """Tell the record for how many subjects and events rules are evaluated: brakes are held
        against it."""
        self._count(scope, exactly=True)

    def _count(self, scope: Scope, *, exactly: bool) -> None:
        with self._lock:
            engine = self._warm.engine
            subjects, news = engine.watching(), engine.day_news(exactly=exactly)
        self._intake.watch(scope, subjects, exactly=exactly)
        self._intake.count_events(scope, engine.evaluated, news.days)
        with self._lock:
            engine.judge.event_days.told(news)

    def subjects(self) -> dict[str, int]:
        """For how many subjects each rule was evaluated so far."""
        with self._lock:
            return self._warm.engine.watching()

    # --- what is remembered

    def memory_due(self) -> int:
        """Up to which place of the journal it is time to remember; 0: not yet. Said once.

        Every alert from before the place is in the record by then.
        """
        with self._lock:
            end = self._journal.end
            if self._waiting or end - self._remembered < REMEMBER_BYTES:
                return 0
            self._remembered = end  # also where it fails: the next is made after as much again
        self._journal.sync(end)
        return end

    # --- the start

    def warm_up(self) -> dict[str, int]:
        """Find the windows again, from memory and the rest of the journal; counts of what was read
        again, events and alerts.
        """
        judge_samples(self._warm, self._home)
        taken, events, found = min(self._journal.taken(), self._journal.end), 0, 0
        self._from = taken
        known = recalled(
            self._journal.folder, self._packs, self._reference, self._home, self._journal.end,
            self._lists,
        )  # fmt: skip
        if known is not None:
            warm, self._remembered = known
            self._use(warm, self._packs, self._lists)
            taken = max(taken, self._remembered)
        # No block spans the place: what was judged before it was told by the rules of that time.
        for start, end in ((self._remembered, taken), (taken, self._journal.end)):
            for at, lines in self._journal.read(start, end):
                if not lines:
                    continue
                alerts = self._warm.follow(lines)
                events += len(lines)
                found += len(alerts)
                if start == taken and alerts:
                    self._put(at, alerts)
        set_apart()
        return {"events": events, "alerts": found, "to_record": self.waiting}

    def _use(self, warm: WarmEngine, packs: Sequence[Pack], lists: str | None) -> None:
        self._warm, self._packs, self._lists = warm, packs, lists
        warm.engine.judge.event_days.is_told = True
        self._rules = [variant.rule.id for variant in warm.plan.variants]
        self._open_rules = frozenset(
            variant.rule.id
            for variant in warm.plan.variants
            if disclosure(False, variant.rule.alert.kind) is Disclosure.OPEN
        )

    @property
    def from_place(self) -> int:
        """The place of the journal after which events are judged by the rules in use."""
        return self._from

    @property
    def journal_bytes(self) -> int:
        """How long the journal is."""
        return self._journal.end

    # --- other rules

    @property
    def packs(self) -> Sequence[Pack]:
        """The packs in use."""
        return self._packs

    @property
    def lists(self) -> str:
        """The name of the lists that rules are held against; "" where none of them asks for any."""
        return self._warm.lists

    def lists_due(self, lists: str | None) -> bool:
        """Whether rules ask for lists, and are held against others."""
        return bool(self._warm.lists and lists) and lists != self._lists

    @property
    def models(self) -> str:
        """What the models that rules ask for stand for; "" where none of them asks for any."""
        return self._warm.models

    def models_now(self) -> str:
        """The same as it would be for an engine that begins now."""
        return models_asked(self._warm.plan.questions.values())

    def unfit_models(self) -> str:
        """A model that rules ask for and that is there, but cannot be read; "" for none."""
        return unfit_model(self._warm.plan.questions.values())

    def asked_in(self, name: str) -> tuple[str, ...]:
        """The jurisdictions whose rules screen by a list."""
        questions = self._warm.plan.questions.values()
        return tuple(
            sorted({q.jurisdiction for q in questions if q.asks == "screened" and name in q.words})
        )

    def remembers_to(self) -> int:
        """A place of the journal up to which every alert is in the record, the last that there is
        for sure; durable. An engine of other rules may be remembered up to there."""
        with self._lock:
            place = self._journal.taken() if self._waiting else self._journal.end
        self._journal.sync(place)
        return place

    def follower(self, packs: Sequence[Pack], lists: str | None = None) -> Follower:
        """An engine of other packs, lists or models with what was remembered for them, if anything
        was, to follow the journal. Raises ``ContentError`` for packs that make no plan.
        """
        found = recalled(
            self._journal.folder, packs, self._reference, self._home, self._journal.end, lists
        )
        fresh = found or (WarmEngine(packs, self._reference, self._home, lists=lists), 0)
        warm, place = fresh
        judge_samples(warm, self._home)
        return Follower(self._journal, tuple(packs), warm, place, lists)

    def exchange(self, scope: Scope, other: Follower, said: Callable[[int], None]) -> int:
        """Judge by other rules from the next event on; the place of the journal where that is.

        What the rules so far have found is in the record before, so that nothing is judged twice
        after a crash. ``said`` is called with the place before anything is judged by the new rules;
        where it raises, the rules stay as they are.
        """
        with self._handing:
            self._hand_over(scope)
            other.follow()  # the most of it, while events are judged by the rules so far
            with self._lock:
                self._hand_over(scope)
                other.follow()
                self._journal.sync(other.place)
                self._journal.take(other.place)
                said(other.place)
                self._use(other.warm, other.packs, other.lists)
                self._remembered, self._from = other.remembered, other.place
        # As at the start, but nobody has to wait for a look. The old rules go by themselves:
        # nothing in them points in a circle.
        let_stay()
        return other.place


def may_send(scope: Scope, line: bytes) -> tuple[str, str]:
    """Reporter and id of an event, "" where it has none. Raises ``ForbiddenError``."""
    if not scope.roles & SENDERS:
        raise ForbiddenError(
            f"{scope.actor} may not send events", hint="it takes the role institution or service"
        )
    reporter, identity = named(line)
    if reporter and scope.tenants is not None and reporter not in scope.tenants:
        raise ForbiddenError(f"{scope.actor} may not send events of {reporter[:200]}")
    return reporter, identity


def named(line: bytes) -> tuple[str, str]:
    """Reporter and id that an event gives itself, without judging whether it is right."""
    try:
        # No number is made of digits: of too many Python makes none, and the decoder passes over
        # them where they stand in a field that it does not know.
        event = json.loads(line, parse_int=_nothing, parse_float=_nothing)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(event, dict):
        return "", ""
    reporter, identity = event.get("reporter"), event.get("id")
    return (
        reporter if isinstance(reporter, str) else "",
        identity if isinstance(identity, str) else "",
    )


def _nothing(_: str) -> None:
    return None


def _tenant(scope: Scope, raw: bytes) -> str:
    reporter, _ = named(raw)
    if scope.tenants is None:
        return reporter.encode("utf-8", "backslashreplace").decode()
    return reporter if reporter in scope.tenants else min(scope.tenants, default="")


def _refused(verdict: Verdict, reject: Reject, number: int) -> Decision:
    found = reject.found.encode("utf-8", "backslashreplace").decode()
    refusal = Refusal(reject.field, reject.code, found, reject.expected, number)
    return Decision(verdict, refusal=refusal)
