"""Who reports what under which law: institutions by the events that a jurisdiction governs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from regtech.adapters.sources import describe_source
from regtech.app.judging import Judging, Settings, check_home
from regtech.app.sources import check_names
from regtech.engine.engine import Engine
from regtech.engine.preparing import Prepared
from regtech.model.fields import EVENT_TYPES
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack

LATENESS_US = 600_000_000
BATCH = 16_384

Census = dict[tuple[str, str], Counter[str]]
"""Jurisdiction and event type to the number of events by reporter."""


class _Counting(Engine):
    """An engine that also notes who reported the events it judges."""

    census: Census

    def judge_prepared(self, prepared: Prepared) -> None:
        super().judge_prepared(prepared)
        events = prepared.events
        reporters = events.block.columns[self.plan.columns.index["reporter"], events.order]
        for j, profile in enumerate(self.plan.jurisdictions):
            governed = (prepared.governed >> np.uint64(j)) & np.uint64(1) != 0
            found, counts = np.unique(
                np.stack([prepared.types[governed], reporters[governed]]),
                axis=1, return_counts=True,
            )  # fmt: skip
            for (kind, reporter), count in zip(found.T.tolist(), counts.tolist(), strict=True):
                place = (profile.id, EVENT_TYPES[kind])
                self.census.setdefault(place, Counter())[self.judge.word(reporter)] += count


def take_census(events: tuple[str, ...], packs: tuple[Pack, ...], home: str | None) -> Census:
    """Count the events of each institution that each jurisdiction of the packs governs.

    Records that cannot be used, repeats and late ones do not count. Raises ``InputError`` and
    ``UsageError``.
    """
    check_home(home, packs)
    files = [describe_source(name) for name in events]
    check_names(files)
    judging = Judging(
        Settings(packs, LATENESS_US, home),
        [Path(file.name).name for file in files],
        files,
        BATCH,
        reference=Reference.shipped(),
        engine=_Counting,
    )
    assert isinstance(judging.engine, _Counting)
    judging.engine.census = {}
    judging.open()
    try:
        while judging.step() is not None:
            pass
        judging.finish()
    finally:
        judging.merge.close()
    return judging.engine.census
