"""A run that is ended and taken up again after every few events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regtech.columns.vocabulary import Vocabulary
from regtech.engine.engine import Engine
from regtech.engine.plan import compile_plan
from regtech.engine.snapshot import Arrays, capture, restore, vocabularies
from regtech.model.alert import Alert
from regtech.ports.detection import Detectors
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack
from regtech.sandbox.harness import decoder_of, lines


def restarted(
    pack: Pack,
    events: Sequence[dict[str, Any]],
    reference: Reference,
    detectors: Detectors,
    every: int,
) -> list[Alert]:
    """The alerts where each ``every`` events go into an engine of its own, from a snapshot."""
    symbols, persons = Vocabulary(), Vocabulary()
    arrays: Arrays | None = None
    alerts: list[Alert] = []
    for start in range(0, len(events), every):
        plan = compile_plan([pack], reference, symbols, detectors=detectors)
        engine = Engine(plan, sources=["source0"])
        if arrays is not None:
            restore(engine, arrays)
        part = lines(events[start : start + every])
        batch, rejects, _ = decoder_of(plan, persons).decode(part, start + 1, "source0")
        assert not rejects
        alerts += engine.push(batch)
        arrays = {name: array.copy() for name, array in capture(engine, persons).items()}
        symbols, persons = vocabularies(arrays)
    return alerts + engine.finish()
