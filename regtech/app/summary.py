"""What a run did, for people and for machines: the counts, the findings by rule, the digest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RuleCount:
    """The findings of one rule in a run. ``cannot_tell`` counts rows, not alerts."""

    jurisdiction: str
    pack: str
    rule: str
    title: dict[str, str]
    severity: str
    alerts: int
    cannot_tell: int


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The result of a run.

    ``events``: records given. ``judged`` + ``repeats`` + ``conflicts`` + ``late`` + ``outside`` +
    ``quarantined`` = ``events``; ``outside`` lies before ``--from`` or after ``--to``.
    ``ungoverned`` events were judged by no jurisdiction but the international set. ``digest``:
    SHA-256 over the alerts, equal for equal findings. ``seconds``: wall time. ``store``: what
    became of the alerts in a store of cases, where there is one.
    """

    events: int
    judged: int
    repeats: int
    conflicts: int
    late: int
    outside: int
    ungoverned: int
    quarantined: dict[str, int]
    alerts: int
    digest: str
    rules: tuple[RuleCount, ...]
    seconds: float
    out: str
    quarantine: str
    snapshot: str | None = None
    resumed_at: int | None = None
    near: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = field(default=())
    store: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The same as plain data, keys in a stable order."""
        return {
            "events": self.events,
            "judged": self.judged,
            "repeats": self.repeats,
            "conflicts": self.conflicts,
            "late": self.late,
            "outside": self.outside,
            "ungoverned": self.ungoverned,
            "quarantined": dict(sorted(self.quarantined.items())),
            "alerts": self.alerts,
            "digest": self.digest,
            "rules": [
                {
                    "jurisdiction": rule.jurisdiction,
                    "pack": rule.pack,
                    "rule": rule.rule,
                    "title": rule.title,
                    "severity": rule.severity,
                    "alerts": rule.alerts,
                    "cannot_tell": rule.cannot_tell,
                }
                for rule in self.rules
            ],
            "seconds": round(self.seconds, 3),
            "events_per_second": round(self.events / self.seconds) if self.seconds > 0 else None,
            "out": self.out,
            "quarantine": self.quarantine,
            "snapshot": self.snapshot,
            "resumed_at": self.resumed_at,
            "near": list(self.near),
            "store": self.store,
            "notes": list(self.notes),
        }
