"""The result of a backtest for people and machines: counts, what made the difference, samples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from regtech.rulelang.vocabulary import pick
from regtech.sandbox.backtest import KINDS, Change, Kind, RuleChanges
from regtech.sandbox.spread import Around

INSTITUTIONS_SHOWN = 20

_LABELS = {
    "new": ("new", "新增"),
    "gone": ("gone", "消失"),
    "moved": ("moved", "变动"),
    "rule": ("rule", "规则"),
    "institution": ("institution", "机构"),
    "same": ("the same", "不变"),
    "by_rule": ("By rule", "按规则"),
    "by_institution": ("By institution", "按机构"),
    "causes": ("What made the difference", "差异原因"),
    "samples": ("Samples", "示例"),
}


@dataclass(frozen=True, slots=True)
class SideSummary:
    """One version of the rules: its name, packs, alerts, and the digest that ``run`` prints."""

    name: str
    packs: tuple[dict[str, str], ...]
    rules: int
    alerts: int
    digest: str

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "name": self.name,
            "packs": list(self.packs),
            "rules": self.rules,
            "alerts": self.alerts,
            "digest": self.digest,
        }


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """Two versions of the rules over the same events. ``titles``: rule id to its titles."""

    base: SideSummary
    head: SideSummary
    rules: RuleChanges
    same: int
    changes: tuple[Change, ...]
    titles: dict[str, dict[str, str]]
    events: int
    set_aside: dict[str, int]
    seconds: float
    samples: int = 3
    out: str | None = None
    notes: tuple[str, ...] = field(default=())
    around: tuple[Around, ...] = field(default=())
    """How values lie around the figures of the head's rules, where that was asked for."""

    @property
    def changed(self) -> bool:
        """Whether any alert is new, gone or moved."""
        return bool(self.changes)

    def count(self, kind: Kind) -> int:
        """How many alerts changed so."""
        return sum(change.kind == kind for change in self.changes)

    def by(self, name: str) -> list[tuple[str, dict[str, int]]]:
        """Counts of each kind by ``rule`` or ``institution``, the most changed first."""
        table: dict[str, Counter[str]] = {}
        for change in self.changes:
            table.setdefault(getattr(change, name), Counter())[change.kind] += 1
        ordered = sorted(table.items(), key=lambda item: (-item[1].total(), item[0]))
        return [(key, {kind: counts[kind] for kind in KINDS}) for key, counts in ordered]

    def causes(self) -> list[tuple[str, str, str, int, Change]]:
        """Rule, kind, name, number of alerts, and the first of them; the most frequent first."""
        table: dict[tuple[str, str, str], list[Change]] = {}
        for change in self.changes:
            for key in dict.fromkeys((change.rule, c.kind, c.name) for c in change.causes):
                table.setdefault(key, []).append(change)
        ordered = sorted(table.items(), key=lambda item: (-len(item[1]), item[0]))
        return [(*key, len(found), found[0]) for key, found in ordered]

    def sampled(self) -> list[Change]:
        """Some of each kind, of as many rules as possible."""
        chosen: list[Change] = []
        for kind in KINDS:
            queues: dict[str, list[Change]] = {}
            for change in self.changes:
                if change.kind == kind:
                    queues.setdefault(change.rule, []).append(change)
            left = self.samples
            while left and any(queues.values()):
                for queue in queues.values():
                    if queue and left:
                        chosen.append(queue.pop(0))
                        left -= 1
        return chosen

    def to_json(self) -> dict[str, Any]:
        """As plain data, keys in a stable order."""
        return {
            "base": self.base.to_json(),
            "head": self.head.to_json(),
            "rules": {
                "added": list(self.rules.added),
                "removed": list(self.rules.removed),
                "changed": list(self.rules.changed),
                "same": self.rules.same,
            },
            "alerts": {"same": self.same, **{kind: self.count(kind) for kind in KINDS}},
            "by_rule": [{"rule": key, **counts} for key, counts in self.by("rule")],
            "by_institution": [
                {"institution": key, **counts} for key, counts in self.by("institution")
            ],
            "causes": [
                {"rule": rule, "kind": kind, "name": name, "alerts": count}
                for rule, kind, name, count, _ in self.causes()
            ],
            "samples": [change.to_json() for change in self.sampled()],
            "events": self.events,
            "set_aside": dict(sorted(self.set_aside.items())),
            "seconds": round(self.seconds, 3),
            "out": self.out,
            "notes": list(self.notes),
            **({"around": [one.to_json() for one in self.around]} if self.around else {}),
        }

    def text(self, lang: str = "en") -> str:
        """For a terminal."""
        return _Report(self, lang).text()


class _Report:
    def __init__(self, result: BacktestResult, lang: str) -> None:
        self.result, self.lang = result, lang
        self.zh = lang == "zh"
        self.lines: list[str] = []

    def label(self, name: str) -> str:
        return pick(_LABELS[name], self.lang)

    def _said(self, english: str, chinese: str) -> str:
        return chinese if self.zh else english

    def text(self) -> str:
        self._head()
        if self.result.changes:
            self._counts("by_rule", "rule")
            self._counts("by_institution", "institution")
            self._causes()
            self._samples()
        return "\n".join(self.lines)

    def _head(self) -> None:
        result = self.result
        parts = [f"{result.count(kind):,} {self.label(kind)}" for kind in KINDS]
        parts.append(f"{result.same:,} {self.label('same')}")
        self.lines.append(f"{self._said('alerts', '预警')}: {', '.join(parts)}")
        rules = result.rules
        counts = (len(rules.added), len(rules.removed), len(rules.changed), rules.same)
        if self.zh:
            text = "规则：新增 {}、删除 {}、修改 {}、不变 {}"
        else:
            text = "rules: {} added, {} removed, {} changed, {} the same"
        self.lines.append(text.format(*counts))
        for name, side in (("base", result.base), ("head", result.head)):
            count = self._said(f"{side.alerts:,} alerts", f"{side.alerts:,} 条预警")
            self.lines.append(f"{name}  {side.name}: {count}, digest {side.digest}")
        rate = f", {result.events / result.seconds:,.0f}/s" if result.seconds > 0 else ""
        number = self._said(f"{result.events:,} events", f"{result.events:,} 笔事件")
        aside = "".join(f", {n:,} {name}" for name, n in sorted(result.set_aside.items()) if n)
        self.lines.append(f"{number}{aside}, {result.seconds:.1f} s{rate}")
        self.lines += list(result.notes)
        if result.out is not None:
            said = self._said(f"every difference is in {result.out}", f"全部差异见 {result.out}")
            self.lines.append(said)

    def _counts(self, heading: str, name: str) -> None:
        self.lines += ["", f"{self.label(heading)}:"]
        rows = self.result.by(name)
        width = max(len(key) for key, _ in rows[:INSTITUTIONS_SHOWN])
        for key, counts in rows[:INSTITUTIONS_SHOWN]:
            said = ", ".join(
                f"{count:,} {self.label(kind)}" for kind, count in counts.items() if count
            )
            title = ""
            if name == "rule":
                titles = self.result.titles.get(key, {})
                title = "  " + (titles.get(self.lang) or titles.get("en", ""))
            self.lines.append(f"  {key:<{width}}  {said}{title}")
        if len(rows) > INSTITUTIONS_SHOWN:
            more = len(rows) - INSTITUTIONS_SHOWN
            self.lines.append("  " + self._said(f"and {more:,} more", f"另有 {more:,} 项"))

    def _causes(self) -> None:
        self.lines += ["", f"{self.label('causes')}:"]
        for rule, _, name, count, first in self.result.causes()[:INSTITUTIONS_SHOWN]:
            cause = next(c for c in first.causes if c.name == name)
            self.lines.append(
                f"  {rule}: {name}: {count:,}" + self._example(cause.text.get(self.lang, ""))
            )

    def _example(self, text: str) -> str:
        return f"（例：{text}）" if self.zh else f" (for example {text})"

    def _samples(self) -> None:
        chosen = self.result.sampled()
        if not chosen:
            return
        self.lines += ["", f"{self.label('samples')}:"]
        for change in chosen:
            self.lines.append(
                f"  {self.label(change.kind)}  {change.rule}  {change.subject.get('id')}"
                f" @ {change.institution}  {change.period}"
            )
            for name in change.fields:
                before = (change.base or {}).get(name)
                after = (change.head or {}).get(name)
                if name != "measures":
                    self.lines.append(f"      {name}: {before} → {after}")
            for cause in change.causes:
                self.lines.append(f"      {cause.text.get(self.lang, '')}")
