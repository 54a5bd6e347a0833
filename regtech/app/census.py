"""Who reports what under which law: institutions by the events that a jurisdiction governs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from regtech.adapters.sources import describe_source
from regtech.app.judging import Judging, Settings, check_home
from regtech.app.sources import check_names
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack

LATENESS_US = 600_000_000
BATCH = 16_384

Census = dict[tuple[str, str], Counter[str]]
"""Jurisdiction and event type to the number of events by reporter."""


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
    )
    days = judging.engine.judge.event_days
    days.is_told = True  # at the end, of all days
    judging.open()
    try:
        while judging.step() is not None:
            pass
        judging.finish()
    finally:
        judging.merge.close()
    found: Census = {}
    for day in days.all():
        place = day.kind.jurisdiction, day.kind.type
        found.setdefault(place, Counter())[day.institution] += day.events
    return found
