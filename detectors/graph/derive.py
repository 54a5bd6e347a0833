"""Thresholds from background traffic, without labels.

The window of a motif is set by what is meant by it; how many accounts or payments it takes is read
off ordinary traffic: the smallest ``least`` at which findings hold no more than a stated share of
the payments of a reference period. To be done again for each segment of customers, and kept with
the version of the rule. Traffic that holds laundering makes thresholds a little higher, not lower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from detectors.graph.motifs import Key, Motifs, Payments
from detectors.graph.spec import CYCLE_MAX, MotifSpec


@dataclass(frozen=True, slots=True)
class Trial:
    """What a threshold gave on the background: findings, and thousandths of a permille (millionths)
    of all payments that are in one."""

    least: int
    findings: int
    millionths: int


def trial(spec: MotifSpec, background: Sequence[Payments], memory_us: int = 0) -> Trial:
    """One threshold over the background, in canonical order."""
    motifs = Motifs((spec,), memory_us=memory_us)
    keys: set[Key] = set()
    events: set[int] = set()
    count = 0
    for payments in background:
        count += len(payments.time_us)
        for finding in motifs.observe(payments):
            keys.add(finding.key)
            events.update(finding.events)
    return Trial(spec.least, len(keys), round(1_000_000 * len(events) / max(count, 1)))


def derive(
    spec: MotifSpec,
    background: Sequence[Payments],
    *,
    millionths: int,
    largest: int = 64,
    memory_us: int = 0,
) -> tuple[MotifSpec, list[Trial]]:
    """The spec with the smallest ``least``, from its own on, at which findings hold at most so many
    millionths of the payments; and what each threshold gave. At ``largest`` the search ends."""
    most = min(largest, CYCLE_MAX) if spec.type in ("cycle", "round_trip") else largest
    trials: list[Trial] = []
    least = spec.least
    while True:
        wanted = replace(spec, least=least)
        trials.append(trial(wanted, background, memory_us))
        if trials[-1].millionths <= millionths or least >= most:
            return wanted, trials
        least = min(most, max(least + 1, least * 5 // 4))
