"""Events in memory through the real decoder and the real engine: for rule tests and trials."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.columns.batch import Reject
from regtech.columns.vocabulary import Vocabulary
from regtech.engine.engine import Engine
from regtech.engine.plan import Plan, compile_plan
from regtech.model.alert import Alert
from regtech.ports.detection import Detectors
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack

SPARE: Final = 256
"""Places that a decoder leaves free for events still held back, so that they need not be copied."""


@dataclass(slots=True)
class Trial:
    """What came out: alerts in canonical order, records that could not be used, the engine."""

    alerts: list[Alert]
    rejects: list[Reject]
    engine: Engine


def decoder_of(plan: Plan, persons: Vocabulary | None = None) -> NdjsonDecoder:
    """A decoder for what the plan reads."""
    table = plan.reference.currencies
    currencies = {code: (table[code].index, table[code].exponent) for code in table.codes}
    return NdjsonDecoder(
        plan.columns.decoded(),
        plan.vocabulary,
        Vocabulary() if persons is None else persons,  # an empty one is false
        currencies,
        extra_rows=plan.columns.made,
        spare=SPARE,
        kept=plan.columns.kept(),
    )


def lines(events: Iterable[dict[str, Any]]) -> bytes:
    """Events as NDJSON."""
    return b"".join(
        json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
        for event in events
    )


def judge_events(
    packs: Sequence[Pack],
    events: Sequence[dict[str, Any]] | Sequence[Sequence[dict[str, Any]]],
    reference: Reference,
    *,
    batch: int | None = None,
    lateness_us: int = 600_000_000,
    home: str | None = None,
    until_us: int | None = None,
    countries: dict[str, str] | None = None,
    include_disabled: bool = False,
    plan: Plan | None = None,
    detectors: Detectors = (),
) -> Trial:
    """Judge events (one list, or one list a source) with packs.

    ``detectors``: who answers what the rules ask. ``batch``: so many events a push.
    ``countries``: countries of institutions known beforehand.
    """
    one_source = bool(events) and isinstance(events[0], dict)
    streams = cast(Sequence[Sequence[dict[str, Any]]], [events] if one_source else events)
    plan = plan or compile_plan(
        packs, reference, include_disabled=include_disabled, detectors=detectors
    )
    names = [f"source{k}" for k in range(max(len(streams), 1))]
    engine = Engine(plan, sources=names, lateness_us=lateness_us, home=home)
    for party, country in (countries or {}).items():
        engine.judge.preparing.preset_fact(party, "country", country)
    decoder = decoder_of(plan)
    alerts: list[Alert] = []
    rejects: list[Reject] = []
    at = [0] * len(streams)
    step = batch or max((len(s) for s in streams), default=1) or 1
    while any(a < len(s) for a, s in zip(at, streams, strict=True)):
        for source, stream in enumerate(streams):
            part = stream[at[source] : at[source] + step]
            if not part:
                continue
            made, bad, _ = decoder.decode(lines(part), at[source] + 1, names[source], source, True)
            rejects += bad
            alerts += engine.push(made)
            at[source] += len(part)
            if at[source] >= len(stream):
                alerts += engine.close_source(source)
    alerts += engine.finish(until_us)
    return Trial(alerts, rejects, engine)
