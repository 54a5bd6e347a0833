"""Which labelled attempts the motifs touch, and what they find in the background beside them.

    python benchmarks/motifs.py EVENTS LABELS [--map NAME] [--derive MILLIONTHS]

``LABELS`` is what ``regtech simulate --scenario laundering`` writes beside its events: an attempt a
line, with the typology and the ids of its payments. An attempt is touched where one of its payments
is in a finding. ``--derive`` first reads thresholds off the payments that no label names (see
``detectors.graph.derive``) and then uses them.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import told
from detectors.graph.derive import derive
from detectors.graph.motifs import Motifs, Payments
from detectors.graph.spec import MEMORY_US, MotifSpec, chosen
from regtech.adapters.sources import describe_source
from regtech.app.payments import PaymentStream
from regtech.reference.load import Reference


def read(events: Path, column_map: str | None) -> tuple[list[Payments], list[tuple[str, str]]]:
    """All payments in pieces, and reporter and id of each."""
    stream = PaymentStream(
        [describe_source(str(events))], column_map=column_map, batch=16384,
        lateness_us=600_000_000, reference=Reference.shipped(),
    )  # fmt: skip
    pieces, names = [], []
    for piece in stream.pieces():
        if piece.ids:
            pieces.append(piece.payments)
            reporters = stream.vocabulary.texts(piece.reporters)
            names += list(zip(reporters, piece.ids, strict=True))
    return pieces, names


def without(pieces: list[Payments], planted: set[int]) -> Iterator[Payments]:
    """The payments that no label names."""
    start = 0
    for piece in pieces:
        n = len(piece.time_us)
        keep = np.array([start + k not in planted for k in range(n)], np.bool_)
        start += n
        kept = {}
        for name in piece.__slots__:
            values = getattr(piece, name)
            kept[name] = None if values is None else np.ascontiguousarray(values[keep])
        yield Payments(**kept)


def main() -> None:
    """Find, compare, print."""
    parser = argparse.ArgumentParser(description="attempts touched, and what the background costs")
    parser.add_argument("events", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--map")
    parser.add_argument("--types", help="between commas; default all")
    parser.add_argument("--derive", type=int, help="millionths of the background a type may hold")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    pieces, names = read(given.events, given.map)
    number = {name: k for k, name in enumerate(names)}
    attempts = [json.loads(line) for line in given.labels.read_text().splitlines()]
    of_attempt: dict[int, int] = {}
    for k, attempt in enumerate(attempts):
        for event in attempt["events"]:
            if (at := number.get((event["reporter"], event["id"]))) is not None:
                of_attempt[at] = k
    specs = chosen(tuple(given.types.split(",")) if given.types else ())
    if given.derive is not None:
        specs = tuple(derived(specs, list(without(pieces, set(of_attempt))), given.derive))
    found = judged(specs, pieces, of_attempt, attempts, len(names))
    if not given.json:
        shown(found)
    told({"benchmark": "motifs", "events": str(given.events.name), **found}, given.json)


def derived(
    specs: tuple[MotifSpec, ...], background: list[Payments], millionths: int
) -> Iterator[MotifSpec]:
    """Thresholds read off the background, told as they come."""
    for spec in specs:
        made, trials = derive(spec, background, millionths=millionths, memory_us=MEMORY_US)
        steps = ", ".join(f"{t.least}: {t.millionths}" for t in trials)
        print(
            f"{spec.type:15} least {made.least:3}   (millionths by threshold {steps})", flush=True
        )
        yield made


def judged(
    specs: tuple[MotifSpec, ...], pieces: list[Payments], of_attempt: dict[int, int],
    attempts: list[Any], count: int,
) -> dict[str, Any]:  # fmt: skip
    """Attempts touched and background held, by type and together."""
    motifs = Motifs(tuple(replace(spec, growth=1250) for spec in specs), memory_us=MEMORY_US)
    held: dict[str, set[int]] = defaultdict(set)
    for piece in pieces:
        for finding in motifs.observe(piece):
            held[finding.type].update(finding.events)
    everything = set().union(*held.values()) if held else set()
    rows = {}
    for name, events in [*sorted(held.items()), ("together", everything)]:
        touched = {of_attempt[e] for e in events if e in of_attempt}
        rows[name] = {
            "attempts": len(touched),
            "background": round(sum(e not in of_attempt for e in events) / count, 6),
        }
    total = Counter(attempt["typology"] for attempt in attempts)
    touched = {of_attempt[e] for e in everything if e in of_attempt}
    by = Counter(attempts[k]["typology"] for k in touched)
    return {
        "payments": count,
        "attempts": len(attempts),
        "types": rows,
        "typologies": {name: [by[name], n] for name, n in sorted(total.items())},
        "cut": motifs.cuts(),
    }


def shown(found: dict[str, Any]) -> None:
    """As text."""
    print(f"{found['payments']:,} payments, {found['attempts']} attempts")
    for name, row in found["types"].items():
        print(f"{name:15} attempts {row['attempts']:4}   background {row['background']:.4%}")
    print("touched by typology: " + ", ".join(
        f"{name} {n[0]}/{n[1]}" for name, n in found["typologies"].items()))  # fmt: skip
    print(f"cut: {found['cut']}")


if __name__ == "__main__":
    main()
