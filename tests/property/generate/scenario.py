"""A whole random case: packs, streams as they arrive, settings; and how to make it smaller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.property.generate.common import Chance
from tests.property.generate.events import Event, Events, disturb
from tests.property.generate.rules import Document, Rules


@dataclass(frozen=True)
class Scenario:
    """``sources``: one list of events a source, in arrival order. ``until``: RFC 3339 or None."""

    seed: int
    packs: tuple[Document, ...]
    sources: tuple[tuple[Event, ...], ...]
    lateness_seconds: int
    home: str | None
    until: str | None


def scenario(seed: int, events: int = 160, rules: int = 6) -> Scenario:
    """The case of a seed: the same on every machine."""
    chance = Chance(Random(seed))
    writer = Events(chance)
    around = writer.now.date()
    codes = chance.one((["CN"], ["CN", "UK"], ["EU", "INTL"], ["CN", "US", "INTL"], ["UK"], ["US"]))
    count = max(1, rules // len(codes))
    packs = [Rules(chance, code, around).pack(f"{code.lower()}-pack", count) for code in codes]
    types = [kind for pack in packs for rule in pack["rules"] for kind in rule["on"]]
    stream = writer.stream(chance.number(events // 2, events), types, codes)
    lateness = chance.one((0, 600, 86_400))
    sources = disturb(chance, stream, lateness)
    last = max(datetime.fromisoformat(event["time"]) for event in stream)
    until = last + timedelta(days=chance.one((0, 1, 3, 40)), microseconds=chance.one((0, 1)))
    home = chance.one((None, None, codes[0], codes[-1]))
    return Scenario(
        seed,
        tuple(packs),
        tuple(tuple(source) for source in sources),
        lateness,
        home,
        until.isoformat() if chance.often(0.7) else None,
    )


def smaller(case: Scenario, fails: Callable[[Scenario], bool]) -> Scenario:
    """The same failure with as few rules and events as a greedy search finds; for reading."""
    for number, pack in enumerate(case.packs):
        rules: list[Any] = pack["rules"]
        for rule in list(rules):
            fewer = [other for other in rules if other is not rule]
            packs = list(case.packs)
            packs[number] = {**pack, "rules": fewer}
            if fewer or len(packs) > 1:
                found = replace(case, packs=tuple(p for p in packs if p["rules"]))
                if found.packs and fewer and fails(found):
                    case, rules = found, fewer
                    pack = packs[number]
    size = max(1, sum(map(len, case.sources)) // 2)
    while size:
        for index in range(len(case.sources)):
            start = 0
            while start < len(case.sources[index]):
                source = case.sources[index]
                cut = source[:start] + source[start + size :]
                sources = (*case.sources[:index], cut, *case.sources[index + 1 :])
                found = replace(case, sources=sources)
                if fails(found):
                    case = found
                else:
                    start += size
        size //= 2
    return case
