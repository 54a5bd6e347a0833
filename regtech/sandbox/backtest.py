"""What a change of rules changes: alerts of two versions over the same events, compared.

Both sides judge the same batches, so every difference comes from the rules. An alert is *new* where
only the later version raises it, *gone* where only the earlier one does, *moved* where both find
the same subject in the same period at another time, with other measures or other consequences.
Figures and digests that are merely quoted do not count.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Final, Literal

import numpy as np

from regtech.columns.batch import Batch
from regtech.engine.engine import Engine
from regtech.engine.kernels import hits as H
from regtech.engine.plan import Plan, compile_plan
from regtech.engine.program import natural_period
from regtech.model.alert import Alert, digested
from regtech.model.fields import Field
from regtech.ports.detection import Detectors
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack
from regtech.sandbox.causes import Cause, causes_of
from regtech.sandbox.near import SUFFIX, near_misses_of, with_near
from regtech.sandbox.spread import Spread

Kind = Literal["new", "gone", "moved"]
KINDS: Final[tuple[Kind, ...]] = ("new", "gone", "moved")
COMPARED: Final = ("time", "outcome", "measures", "due", "kind", "severity", "status")
"""Parts of an alert that make it another finding, in the order in which they are reported."""

_DAY_US: Final = 86_400_000_000
_Findings = dict[tuple[str, ...], list[Alert]]
"""Rule, subject, period and whether it is a warning, to alerts."""
_Pair = tuple[Alert, Alert, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Change:
    """One alert that differs; ``base`` or ``head`` is None where that side has none.

    ``fields``: the parts that differ where both have one. ``causes``: why.
    """

    kind: Kind
    rule: str
    jurisdiction: str
    institution: str
    subject: dict[str, Any]
    period: str
    time: str
    base: dict[str, Any] | None
    head: dict[str, Any] | None
    fields: tuple[str, ...]
    causes: tuple[Cause, ...]
    order: tuple[Any, ...] = field(compare=False, default=())

    def to_json(self) -> dict[str, Any]:
        """As plain data, keys in a stable order."""
        return {
            "change": self.kind,
            "rule": self.rule,
            "jurisdiction": self.jurisdiction,
            "institution": self.institution,
            "subject": self.subject,
            "period": self.period,
            "time": self.time,
            "fields": list(self.fields),
            "causes": [cause.to_json() for cause in self.causes],
            "base": self.base,
            "head": self.head,
        }


class Twins:
    """Two engines over one stream: decoded once, with the fields that either side reads."""

    def __init__(
        self,
        base: Iterable[Pack],
        head: Iterable[Pack],
        reference: Reference,
        *,
        sources: Sequence[str] = ("",),
        lateness_us: int = 600_000_000,
        home: str | None = None,
        from_us: int | None = None,
        detectors: Detectors = (),
        near: Fraction | None = None,
    ) -> None:
        """``near``: values around the figures of the head's rules are counted too (``spread``)."""
        self.from_us = from_us
        head = list(head)
        shown = head if near is None else with_near(head, near)
        first = compile_plan(base, reference, detectors=detectors)
        self.vocabulary = first.vocabulary
        plans = [first, compile_plan(shown, reference, self.vocabulary, detectors=detectors)]
        names_kept = any(plan.columns.names_kept for plan in plans)
        for plan in plans:
            plan.columns.names_kept = names_kept
        fields: dict[str, Field] = {}
        for plan in plans:
            fields.update({f.path: f for f in plan.columns.decoded()})
        self.fields = list(fields.values())
        """What a decoder must give, in this order."""
        self.kept = frozenset(path for plan in plans for path in plan.columns.kept())
        """The texts among them that it must keep as symbols."""
        place = {path: row for row, path in enumerate(fields)}
        self._rows = [
            np.array([place[f.path] for f in plan.columns.decoded()], np.int64) for plan in plans
        ]
        self.engines = [
            Engine(plan, sources=sources, lateness_us=lateness_us, home=home, from_us=from_us)
            for plan in plans
        ]
        self.comparison = Comparison(*plans)
        self.spread = None if near is None else Spread(head, near_misses_of(plans[1]))

    def push(self, batch: Batch) -> None:
        """Judge a batch of ``fields`` by both sides."""
        self._take(
            [
                engine.push(replace(batch, columns=np.ascontiguousarray(batch.columns[rows])))
                for engine, rows in zip(self.engines, self._rows, strict=True)
            ]
        )

    def close_source(self, source: int) -> None:
        """Say that a source has ended."""
        self._take([engine.close_source(source) for engine in self.engines])

    def finish(self, until_us: int | None = None) -> list[Change]:
        """End of all sources; every difference, in canonical order."""
        self._take([engine.finish(until_us) for engine in self.engines])
        return self.comparison.changes()

    def _take(self, alerts: list[list[Alert]]) -> None:
        if self.from_us is not None:
            alerts = [[a for a in side if a.order[0] >= self.from_us] for side in alerts]
        if self.spread is not None:
            alerts = [alerts[0], self.spread.take(alerts[1])]
        self.comparison.add(alerts[0], alerts[1])


class Side:
    """One version's alerts as they come: counts, and the digest that ``run`` would print."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.alerts = 0
        self.by_rule: Counter[str] = Counter()
        self._hash = hashlib.sha256()
        self.waiting: dict[str, list[Alert]] = {}
        """Alerts without their like on the other side so far, by id."""

    def take(self, alert: Alert) -> None:
        """Count an alert; they come in canonical order."""
        self.alerts += 1
        self.by_rule[alert.rule] += 1
        self._hash.update(digested(alert.canonical()) + b"\n")

    @property
    def digest(self) -> str:
        """SHA-256 over all alerts so far."""
        return self._hash.hexdigest()


class Comparison:
    """Compares two streams of alerts; holds only those that have no like yet."""

    def __init__(self, base: Plan, head: Plan) -> None:
        self.base, self.head = Side(base), Side(head)
        self.same = 0
        self._pairs: list[_Pair] = []
        self._lengths: dict[str, int] = {}

    def add(self, base: Iterable[Alert], head: Iterable[Alert]) -> None:
        """Take what both sides gave for the same events."""
        for mine, others, alerts in (
            (self.base, self.head, base),
            (self.head, self.base, head),
        ):
            for alert in alerts:
                mine.take(alert)
                like = others.waiting.get(alert.id)
                if not like:
                    mine.waiting.setdefault(alert.id, []).append(alert)
                    continue
                other = like.pop(0)
                if not like:
                    del others.waiting[alert.id]
                pair = (alert, other) if mine is self.base else (other, alert)
                differing = differing_fields(*pair)
                if differing:
                    self._pairs.append((*pair, differing))
                else:
                    self.same += 1

    def changes(self) -> list[Change]:
        """Every difference, in the order of time, rule and subject. Call when both have ended."""
        pairs = list(self._pairs)
        gone = _by_finding(self.base)
        new = _by_finding(self.head)
        # the same subject and period with another outcome has another id: one finding all the same
        for key in sorted(gone.keys() & new.keys()):
            while gone[key] and new[key]:
                pair = (gone[key].pop(0), new[key].pop(0))
                pairs.append((*pair, differing_fields(*pair)))
        pairs += self._rolling_pairs(gone, new)
        made = [self._change("moved", base, head, fields) for base, head, fields in pairs]
        made += [self._change("gone", a, None, ()) for left in gone.values() for a in left]
        made += [self._change("new", None, a, ()) for left in new.values() for a in left]
        return sorted(made, key=lambda change: change.order)

    def _rolling_pairs(self, gone: _Findings, new: _Findings) -> list[_Pair]:
        """Findings of rolling windows that overlap: their period bears the time of its first alert,
        so that the same finding a little earlier has another label."""
        later: dict[tuple[str, ...], list[tuple[tuple[str, ...], Alert]]] = {}
        for key, alerts in new.items():
            for alert in alerts:
                later.setdefault(_without_period(key), []).append((key, alert))
        pairs: list[_Pair] = []
        for key, alerts in gone.items():
            for alert in list(alerts):
                length = self._rolling_us(alert)
                near = [
                    (abs(other.order[0] - alert.order[0]), n)
                    for n, (_, other) in enumerate(later.get(_without_period(key), ()))
                    if abs(other.order[0] - alert.order[0]) < length
                ]
                if near:
                    place, other = later[_without_period(key)].pop(min(near)[1])
                    new[place].remove(other)
                    alerts.remove(alert)
                    pairs.append((alert, other, differing_fields(alert, other)))
        return pairs

    def _rolling_us(self, alert: Alert) -> int:
        """Length of the rolling period by which a rule's alerts are told apart; 0 for others."""
        if alert.rule not in self._lengths:
            plan = self.base.plan
            variants = [v for v in plan.variants if v.rule.id == alert.rule and not v.deadline]
            periods = [natural_period(plan, variant) for variant in variants]
            self._lengths[alert.rule] = max(
                (length + months * 28 * _DAY_US for kind, length, months in periods
                 if kind == H.PER_ROLLING),
                default=0,
            )  # fmt: skip
        return self._lengths[alert.rule]

    def _change(
        self, kind: Kind, base: Alert | None, head: Alert | None, fields: tuple[str, ...]
    ) -> Change:
        shown = head or base
        assert shown is not None
        causes = causes_of(base, head, self.base.plan, self.head.plan)
        first = min(a.order for a in (base, head) if a is not None)
        return Change(
            kind,
            shown.rule,
            shown.jurisdiction,
            str(shown.subject.get("institution") or shown.facts.get("reporter") or ""),
            shown.subject,
            shown.period,
            shown.time,
            None if base is None else base.as_dict(),
            None if head is None else head.as_dict(),
            fields,
            tuple(causes),
            (*first, KINDS.index(kind)),
        )


def differing_fields(base: Alert, head: Alert) -> tuple[str, ...]:
    """The parts in which two alerts of one finding differ; empty where they say the same."""
    return tuple(name for name in COMPARED if getattr(base, name) != getattr(head, name))


def _without_period(key: tuple[str, ...]) -> tuple[str, ...]:
    return (key[0], key[1], key[3])


def _by_finding(side: Side) -> _Findings:
    found: _Findings = {}
    for alerts in side.waiting.values():
        for alert in alerts:
            _, rule, subject, period, _ = alert.order
            key = (rule, subject, period, str(alert.warning))
            found.setdefault(key, []).append(alert)
    return found


@dataclass(frozen=True, slots=True)
class RuleChanges:
    """What became of the rules themselves."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    same: int


def rule_changes(base: Plan, head: Plan) -> RuleChanges:
    """The rules that one side lacks or that say something else, by their digests."""
    before = {rule.id: rule.digest for _, rule in base.rules}
    after = {rule.id: rule.digest for _, rule in head.rules if not rule.id.endswith(SUFFIX)}
    both = before.keys() & after.keys()
    changed = tuple(sorted(name for name in both if before[name] != after[name]))
    return RuleChanges(
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(before.keys() - after.keys())),
        changed,
        len(both) - len(changed),
    )
