"""``regtech simulate --scenario laundering``: payments with laundering in them, and the audit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from regtech.app.progress import NoProgress, Progress
from regtech.app.simulate import write_simulated
from regtech.content import read_text
from regtech.errors import UsageError

if TYPE_CHECKING:
    from regtech.sandbox.laundering.audit import Giveaway

SHARE_MAX_PER_MILLE: Final = 250


def simulate_laundering(
    out: Path,
    *,
    events: int,
    seed: int,
    share_per_mille: int | None = None,
    patterns: Path | None = None,
    audited: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write payments to ``out`` and the attempts among them to its labels; counts and SHA-256.

    ``patterns`` names a file of published attempts that are planted in place of ours. ``audited``
    adds ``audit``: every simple value with its AUC, those that give most away first, and ``limit``.
    """
    from regtech.sandbox.laundering.audit import LIMIT, audit
    from regtech.sandbox.laundering.lines import labels, lines
    from regtech.sandbox.laundering.patterns import read_patterns
    from regtech.sandbox.laundering.scenario import SHARE_PER_MILLE, make_scenario

    told = progress or NoProgress()
    share = SHARE_PER_MILLE if share_per_mille is None else share_per_mille
    if not 0 <= share <= SHARE_MAX_PER_MILLE:
        raise UsageError(f"--share is from 0 to {SHARE_MAX_PER_MILLE} in a thousand")
    published = None if patterns is None else read_patterns(read_text(patterns), str(patterns))
    told.stage("making accounts and their habits")
    scenario = make_scenario(events, seed, share_per_mille=share, published=published)

    def columns() -> list[str]:
        from regtech.adapters.tables.write import COLUMNS, flatten

        found = {name for piece in lines(scenario) for name in flatten(json.loads(piece[0]))}
        found |= {name for line in next(lines(scenario)) for name in flatten(json.loads(line))}
        return [column for column in COLUMNS if column in found]

    digest = write_simulated(
        out, lines(scenario), labels(scenario), columns, total=events, progress=told
    )
    result = {
        **digest,
        "seed": seed,
        "scenario": "laundering",
        "accounts": scenario.world.count,
        "planted": len(scenario.attempts),
        "planted_payments": sum(len(attempt.places) for attempt in scenario.attempts),
    }
    if audited:
        told.stage("looking for giveaways")
        result["limit"] = LIMIT
        result["audit"] = [_told(one) for one in audit(scenario)]
    return result


def _told(one: Giveaway) -> dict[str, Any]:
    return {
        "of": one.of,
        "value": one.value,
        "auc": round(one.auc, 4),
        "either_way": round(one.either_way, 4),
    }
