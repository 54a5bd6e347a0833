"""Makes the small model that the tests in packs score by: ``mappings/models/trial``.

``python benchmarks/trial_model.py``

Taught at once (``--settle 0``) on 40,000 simulated payments, with the first trees alone, so that it
stays small; two people of the log promote it. It is no model to decide by.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

EVENTS: Final = 40_000
SEED: Final = 1
TREES: Final = 60
FOREST: Final = 10
AT_US: Final = 1_767_225_600_000_000
"""When it was trained and promoted, as the log says: 2026-01-01."""


def _measured(model: Any, rows: Any) -> Any:
    """The model with levels and scores of its own."""
    from detectors.anomaly.drift import make_population
    from regtech.app.scoring import BUDGETS

    score = model.deciding(rows)
    levels = {budget: float(np.quantile(score, 1.0 - budget)) for budget in BUDGETS}
    return replace(model, scores=make_population(score[:, None]), levels=levels)


def main() -> None:
    """Train, shorten, keep, promote; a shorter one stays a challenger."""
    from detectors.anomaly.model import train
    from detectors.anomaly.tails import make_tails
    from detectors.anomaly.unsupervised import _member_scores
    from regtech.app.laundering import simulate_laundering
    from regtech.app.models import Models
    from regtech.app.paymenttable import read_payments
    from regtech.app.scorerows import make_rows
    from regtech.app.scoring import BUDGETS, lessons_of, moment_text, training_of
    from regtech.clock import ManualClock
    from regtech.content import content_root

    folder = content_root("mappings") / "models" / "trial"
    with tempfile.TemporaryDirectory() as where:
        path = Path(where) / "payments.ndjson"
        simulate_laundering(path, events=EVENTS, seed=SEED)
        table = read_payments([str(path)])
    until = int(table.time_us[-1]) + 1
    rows = make_rows(table, until, 0)
    training = training_of(table, rows, None, until, None)
    lessons = lessons_of(table, rows, training, None, 0, SEED)
    made = train(
        training.rows, rows.features, labels=None, budgets=BUDGETS, seed=SEED,
        lessons=(lessons.rows, lessons.imagined),
    )  # fmt: skip
    assert made.taught is not None
    ensemble = replace(made.ensemble, forest=made.ensemble.forest.first(FOREST))
    surprise = ensemble.tails.of(training.rows[:, made.unusual])
    ensemble = replace(ensemble, members=make_tails(_member_scores(surprise, ensemble.forest)))
    taught = replace(made.taught, trees=made.taught.trees.first(TREES))
    small = _measured(replace(made, ensemble=ensemble, taught=taught), training.rows)
    shutil.rmtree(folder, ignore_errors=True)
    models = Models(folder, ManualClock(AT_US))
    card = {
        "trained_from": moment_text(training.first_us), "trained_until": moment_text(until),
        "trained_until_us": until, "payments": len(training.rows), "cases": 0,
        "labels_not_yet_known": 0, "digest": training.digest, "seed": SEED, "supervised": False,
        "taught": True, "settle_days": 0, "without": [], "metrics": {},
        "imagined": {"attempts": lessons.attempts, "payments": int(lessons.imagined.sum())},
    }  # fmt: skip
    version = models.keep(small, card, "trial")
    for by in ("first", "second"):
        models.promote(version, by, "for the tests in packs")
    shorter = replace(taught, trees=taught.trees.first(TREES // 2))
    models.keep(
        _measured(replace(small, taught=shorter), training.rows),
        {**card, "seed": SEED + 1},
        "trial",
    )
    print(version, sum(part.stat().st_size for part in folder.rglob("*") if part.is_file()))


if __name__ == "__main__":
    main()
