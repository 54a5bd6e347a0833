"""What comes into force or lapses from a day on: the law's dates at every level."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from regtech.content.faults import Mark
from regtech.rulelang.ir import Pack, Rule
from regtech.rulelang.rules import params_of
from regtech.rulelang.values import value_text

Change = Literal["starts", "lapses", "changes"]
Level = Literal["instrument", "rule", "param"]


@dataclass(frozen=True, slots=True)
class Upcoming:
    """One change of law on one day.

    ``day``: the first day on which it shows (the day after the last day in force, for a lapse).
    ``rules``: the rules that it touches. ``whom``: the subjects they look at, with their types.
    """

    day: date
    change: Change
    level: Level
    jurisdiction: str
    pack: str
    name: str
    old: str
    new: str
    rules: tuple[str, ...]
    whom: tuple[str, ...]
    mark: Mark

    def as_data(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "day": self.day.isoformat(),
            "change": self.change,
            "level": self.level,
            "jurisdiction": self.jurisdiction,
            "pack": self.pack,
            "name": self.name,
            "old": self.old,
            "new": self.new,
            "rules": list(self.rules),
            "whom": list(self.whom),
        }


def upcoming(packs: Iterable[Pack], since: date, until: date | None = None) -> list[Upcoming]:
    """Changes on or after a day, in order of day, pack and name; ``until`` is included."""
    found: list[Upcoming] = []
    for pack in packs:
        found.extend(_of_instruments(pack))
        found.extend(_of_rules(pack))
        found.extend(_of_params(pack))
    chosen = [item for item in found if item.day >= since and (until is None or item.day <= until)]
    return sorted(chosen, key=lambda item: (item.day, item.pack, item.level, item.name))


def _of_instruments(pack: Pack) -> list[Upcoming]:
    found: list[Upcoming] = []
    for instrument in pack.instruments.values():
        rules = [rule for rule in pack.rules if rule.cite and rule.cite.instrument == instrument.id]
        for change, day in _edges(instrument.span.first, instrument.span.last):
            found.append(
                _item(pack, day, change, "instrument", instrument.id, rules, instrument.mark)
            )
    return found


def _of_rules(pack: Pack) -> list[Upcoming]:
    """Dates of a rule's own; those of its instrument are told once, with the instrument."""
    found: list[Upcoming] = []
    for rule in pack.rules:
        law = pack.instruments[rule.cite.instrument].span if rule.cite else None
        first = rule.span.first if law is None or rule.span.first != law.first else None
        last = rule.span.last if law is None or rule.span.last != law.last else None
        for change, day in _edges(first, last):
            found.append(_item(pack, day, change, "rule", rule.id, [rule], rule.mark))
    return found


def _of_params(pack: Pack) -> list[Upcoming]:
    found: list[Upcoming] = []
    for param in pack.params.values():
        rules = [rule for rule in pack.rules if param.name in params_of(rule)]
        texts = [value_text(version.value, param.type) for version in param.versions]
        for index, version in enumerate(param.versions):
            first, last = version.span.first, version.span.last
            before = param.versions[index - 1] if index else None
            follows = (
                before is not None
                and before.span.last is not None
                and before.span.last + timedelta(days=1) == first
            )
            if first is not None:
                change: Change = "changes" if follows else "starts"
                old = texts[index - 1] if follows else ""
                item = _item(pack, first, change, "param", param.name, rules, version.mark)
                found.append(_with_values(item, old, texts[index]))
            after = param.versions[index + 1] if index + 1 < len(param.versions) else None
            if last is not None and last < date.max:
                end = last + timedelta(days=1)
                if after is None or after.span.first != end:
                    item = _item(pack, end, "lapses", "param", param.name, rules, version.mark)
                    found.append(_with_values(item, texts[index], ""))
    return found


def _edges(first: date | None, last: date | None) -> list[tuple[Change, date]]:
    edges: list[tuple[Change, date]] = []
    if first is not None:
        edges.append(("starts", first))
    if last is not None and last < date.max:
        edges.append(("lapses", last + timedelta(days=1)))
    return edges


def _item(
    pack: Pack,
    day: date,
    change: Change,
    level: Level,
    name: str,
    rules: list[Rule],
    mark: Mark,
) -> Upcoming:
    whom = {f"{'+'.join(rule.per)} on {'+'.join(rule.on)}": None for rule in rules}
    return Upcoming(
        day,
        change,
        level,
        pack.jurisdiction,
        pack.id,
        name,
        "",
        "",
        tuple(rule.id for rule in rules),
        tuple(whom),
        mark,
    )


def _with_values(item: Upcoming, old: str, new: str) -> Upcoming:
    return Upcoming(
        item.day,
        item.change,
        item.level,
        item.jurisdiction,
        item.pack,
        item.name,
        old,
        new,
        item.rules,
        item.whom,
        item.mark,
    )
