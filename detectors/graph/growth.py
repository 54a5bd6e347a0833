"""Findings that are put together by the payments they share.

A motif that shares a payment with an open finding of its spec joins it; where it joins several, the
oldest takes the others in. A finding is told when it begins and whenever its payments have doubled.
As all payments of a motif lie within its window, a finding that none has joined for that long
shares nothing with what comes: it has ended without anybody saying so.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Payment = tuple[int, ...]
KEPT_MAX: Final = 2048
"""Payments a finding keeps; later ones are counted, and the finding says that it was cut."""


@dataclass(frozen=True, slots=True)
class Grown:
    """What is told of a finding."""

    first: int
    step: int
    payments: list[Payment]
    count: int


@dataclass(slots=True)
class _Open:
    first: int
    step: int = -1
    next: int = 0
    count: int = 0
    payments: dict[int, Payment] = field(default_factory=dict)
    into: _Open | None = None
    """The finding that has taken this one in."""


def _last(found: _Open | None) -> _Open | None:
    while found is not None and found.into is not None:
        found = found.into
    return found


class OpenFindings:
    """The open findings of some specs, by the lengths of their windows and their growth, in
    thousandths, between two steps."""

    def __init__(self, windows_us: list[int], growth: list[int]) -> None:
        self._windows, self._growth = windows_us, growth
        self._clear()

    def _clear(self) -> None:
        self._of: list[dict[int, _Open]] = [{} for _ in self._windows]
        """By spec, the finding that the payment of an event belongs to."""
        self._queues: list[deque[tuple[int, int]]] = [deque() for _ in self._windows]
        """By spec, when a payment was put into a finding, and its event."""

    def add(self, spec: int, event: int, now_us: int, payments: list[Payment]) -> Grown | None:
        """A motif completed by an event; what is to be told, or None where it has not doubled."""
        of, queue = self._of[spec], self._queues[spec]
        while queue and queue[0][0] <= now_us - self._windows[spec]:
            of.pop(queue.popleft()[1], None)
        met = {id(found): found for p in payments if (found := _last(of.get(p[0]))) is not None}
        touched = sorted(met.values(), key=lambda found: found.first)
        finding = touched[0] if touched else _Open(event)
        for other in touched[1:]:
            finding.payments.update(other.payments)
            finding.count += other.count
            finding.step = max(finding.step, other.step)
            finding.next = max(finding.next, other.next)
            other.into = finding
        for payment in payments:
            if _last(of.get(payment[0])) is not finding:
                of[payment[0]] = finding
                queue.append((now_us, payment[0]))
                if payment[0] in finding.payments:
                    continue
                finding.count += 1
                if len(finding.payments) < KEPT_MAX:
                    finding.payments[payment[0]] = payment
        if finding.count < finding.next:
            return None
        finding.step += 1
        finding.next = max(finding.count + 1, finding.count * self._growth[spec] // 1000)
        return Grown(finding.first, finding.step, sorted(finding.payments.values()), finding.count)

    def held(self) -> tuple[set[int], set[int]]:
        """Accounts in the payments of open findings, and the events that open findings bear the
        name of."""
        found = {id(f): f for of in self._of for each in of.values() if (f := _last(each))}
        accounts = {code for f in found.values() for p in f.payments.values() for code in p[1:3]}
        return accounts, {f.first for f in found.values()}

    def export(self) -> dict[str, npt.NDArray[Any]]:
        """Plain arrays: findings, the payments they keep, which payments belong to which."""
        findings: list[list[int]] = []
        kept: list[list[int]] = []
        queued: list[list[int]] = []
        for spec, queue in enumerate(self._queues):
            places: dict[int, int] = {}
            for at_us, event in queue:
                found = _last(self._of[spec].get(event))
                assert found is not None  # what is queued belongs to a finding
                if id(found) not in places:
                    places[id(found)] = len(findings)
                    findings.append([spec, found.first, found.step, found.next, found.count])
                    kept += [[places[id(found)], *p] for p in found.payments.values()]
                queued.append([places[id(found)], at_us, event])
        return {
            "findings": np.array(findings, np.int64).reshape(len(findings), 5),
            "payments": np.array(kept, np.int64).reshape(len(kept), -1 if kept else 1),
            "queued": np.array(queued, np.int64).reshape(len(queued), 3),
        }

    def restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take over what was exported."""
        self._clear()
        specs, made = [], []
        for spec, first, step, following, count in arrays["findings"].tolist():
            specs.append(spec)
            made.append(_Open(first, step, following, count))
        for place, *payment in arrays["payments"].tolist():
            made[place].payments[payment[0]] = tuple(payment)
        for place, at_us, event in arrays["queued"].tolist():
            self._of[specs[place]][event] = made[place]
            self._queues[specs[place]].append((at_us, event))
