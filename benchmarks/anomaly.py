"""Anomaly models: quality on later payments, by time split alone, beside plain peers.

``python benchmarks/anomaly.py --events 200000 --seeds 3``

Scenarios: ``laundering`` (``regtech simulate --scenario laundering``) and ``amlsim`` (our generator
after AMLSim's description; ``amlsim-drift`` with 2 % of the background to new partners). Time is
cut 60/20/20: models train on the first four fifths and choose their settings on the last quarter of
these; the last fifth is only scored. ``without`` leaves out the features that lean on habits of
simulators (``novelty``, ``emptiness``, ``amount``); ``at once`` are scores that may not wait for
what follows. ``ensemble`` and ``taught`` know no outcome, ``supervised`` those of the past. Peers,
trained on the same rows in the same run: PyOD's isolation forest and boosted trees on plain graph
features (``detectors.graph``, 14 days).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.common import CLOCK, arguments, folder, machine, one_core

BUDGETS: Final = (0.001, 0.005, 0.01)
SETTLE: Final = 14
LEANINGS: Final = ("novelty", "emptiness", "amount")
PEER_ROWS_MAX: Final = 60_000


def _files(where: Path, scenario: str, events: int, seed: int) -> tuple[Path, Path]:
    from benchmarks.amlsim_like import write_amlsim_like
    from regtech.app.laundering import simulate_laundering

    path = where / f"{scenario}-{events}-{seed}.ndjson"
    labels = path.with_name(path.name + ".labels.ndjson")
    if not labels.exists():
        if scenario == "laundering":
            simulate_laundering(path, events=events, seed=seed)
        else:
            drift = 0.02 if scenario == "amlsim-drift" else 0.0
            write_amlsim_like(path, events, seed, drift=drift)
    return path, labels


def _quality(scores: Any, labels: Any) -> dict[str, float]:
    from detectors.anomaly.measuring import average_precision, recall_at

    return {
        "pr_auc": average_precision(scores, labels),
        **{f"recall_{budget}": recall_at(scores, labels, budget) for budget in BUDGETS},
    }


def _models(
    table: Any, outcomes: Any, until: int, seed: int, fast: bool, settled: bool
) -> Iterator[tuple[str, dict[str, float], Any]]:
    """(name, quality, scores of later payments) of each model."""
    from detectors.anomaly.model import train
    from regtech.app.scorerows import features_without, make_rows
    from regtech.app.scoring import lessons_of, training_of

    for said, settle in (("settled", SETTLE), ("at once", 0))[: 1 if settled else 2]:
        rows = make_rows(table, until, settle)
        training = training_of(table, rows, outcomes, until, None)
        lessons = lessons_of(table, rows, training, None, settle, seed)
        later = outcomes.said[rows.kept[rows.cut :]] == 1
        wholes = [("", ())] + ([] if fast or not settle else [(" without", LEANINGS)])
        for suffix, without in wholes:
            features = features_without(settle, without)
            names = [feature.name for feature in rows.features]
            columns = [names.index(feature.name) for feature in features]
            # Lessons know no outcomes here, so that one training gives all three.
            model = train(
                training.rows[:, columns], features, labels=training.labels, budgets=BUDGETS,
                seed=seed, lessons=(lessons.rows[:, columns], lessons.imagined),
            )  # fmt: skip
            scores = model.score(rows.later[:, columns])
            for name, values in (
                ("ensemble", scores.unsupervised),
                ("taught", scores.taught),
                ("supervised", scores.supervised),
            ):
                if values is not None:
                    yield f"ours {name}, {said}{suffix}", _quality(values, later), values


def _peers(
    table: Any, outcomes: Any, until: int, seed: int
) -> Iterator[tuple[str, dict[str, float], Any]]:
    from pyod.models.iforest import IForest

    from detectors.anomaly.supervised import fit_supervised
    from detectors.graph.features import FEATURES, PaymentFeatures
    from regtech.app.shapes import _BUDGETS as STEPS

    kept = np.flatnonzero(table.same_as == np.arange(len(table)))
    rows = np.zeros((len(kept), len(FEATURES)))
    between = (table.payer[kept] >= 0) & (table.payee[kept] >= 0)
    places = kept[between]
    rows[between] = PaymentFeatures(SETTLE * 86_400_000_000, budgets=STEPS).update(
        table.time_us[places], table.payer[places], table.payee[places], table.amount[places],
        table.currency[places], table.payer_institution[places], table.payee_institution[places],
    )  # fmt: skip
    cut = int(np.searchsorted(table.time_us[kept], until))
    start = cut // 10
    later = outcomes.said[kept[cut:]] == 1
    some = np.sort(np.random.default_rng(seed).permutation(cut - start)[:PEER_ROWS_MAX]) + start
    forest = IForest(n_estimators=100, random_state=seed, n_jobs=1).fit(rows[some])
    scores = forest.decision_function(rows[cut:])
    yield "PyOD IForest, plain graph features", _quality(scores, later), scores
    boosted = fit_supervised(rows[start:cut], outcomes.said[kept[start:cut]] == 1, seed)
    if boosted is not None:
        scores = boosted.score(rows[cut:])
        yield "boosted trees, plain graph features", _quality(scores, later), scores


def measure(
    where: Path, scenario: str, events: int, seed: int, fast: bool, settled: bool
) -> dict[str, Any]:
    """All models on one scenario and seed."""
    from detectors.anomaly.measuring import by_kind, within_budget
    from regtech.app.outcomes import read_outcomes
    from regtech.app.paymenttable import read_payments

    path, labels = _files(where, scenario, events, seed)
    table = read_payments([str(path)])
    outcomes = read_outcomes(labels, table)
    until = int(table.time_us[int(0.8 * len(table))])
    later = np.flatnonzero((table.time_us >= until) & (table.same_as == np.arange(len(table))))
    found: dict[str, Any] = {
        "scenario": scenario, "seed": seed, "payments": len(table),
        "later": len(later), "cases": int((outcomes.said[later] == 1).sum()), "models": {},
        "kinds": {},
    }  # fmt: skip
    began = CLOCK.elapsed()
    every = [
        _models(table, outcomes, until, seed, fast, settled),
        _peers(table, outcomes, until, seed),
    ]
    for name, quality, scores in (one for part in every for one in part):
        found["models"][name] = quality
        chosen = within_budget(scores, 0.005)
        found["kinds"][name] = by_kind(chosen, outcomes.kind[later], outcomes.kinds)
    found["seconds"] = round(CLOCK.elapsed() - began, 1)
    return found


def report(found: list[dict[str, Any]]) -> None:
    """Means over the seeds, and what was caught by typology at a budget of 0.5 %."""
    for scenario in dict.fromkeys(one["scenario"] for one in found):
        mine = [one for one in found if one["scenario"] == scenario]
        seeds = ", ".join(str(one["seed"]) for one in mine)
        counts = ", ".join(f"{one['cases']} of {one['later']:,}" for one in mine)
        size = mine[0]["payments"]
        print(f"\n{scenario}: {size:,} payments, seeds {seeds}; later cases {counts}")
        print(f"{'':44} PR-AUC   recall at 0.1 %   0.5 %     1 %")
        for name in mine[0]["models"]:
            rows = [one["models"][name] for one in mine if name in one["models"]]
            mean = {key: sum(row[key] for row in rows) / len(rows) for key in rows[0]}
            print(f"{name:44} {mean['pr_auc']:6.3f}   {mean['recall_0.001']:15.3f}"
                  f"   {mean['recall_0.005']:5.3f}   {mean['recall_0.01']:5.3f}")  # fmt: skip
        for name in mine[0]["kinds"]:
            if name.startswith("ours") and name.endswith("settled"):
                total: dict[str, list[int]] = {}
                for one in mine:
                    for kind, (hit, there) in one["kinds"].get(name, {}).items():
                        sums = total.setdefault(kind, [0, 0])
                        sums[0] += hit
                        sums[1] += there
                said = ", ".join(f"{kind} {a}/{b}" for kind, (a, b) in sorted(total.items()))
                print(f"  by typology, {name}: {said}")


def _told_one(one: dict[str, Any]) -> None:
    said = "; ".join(
        f"{name} {quality['pr_auc']:.3f} {quality['recall_0.005']:.3f}"
        for name, quality in one["models"].items()
    )
    print(f"{one['scenario']} {one['seed']}, {one['seconds']} s, area and recall at 0.5 %: {said}",
          flush=True)  # fmt: skip


def main() -> None:
    """Command line."""
    parser = arguments(__doc__.partition("\n")[0], 200_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--scenarios", default="laundering,amlsim,amlsim-drift")
    parser.add_argument("--fast", action="store_true", help="leave out the runs without features")
    parser.add_argument("--settled", action="store_true", help="leave out scores at once")
    parser.add_argument("--first", type=int, default=1, help="the first seed; default 1")
    given = parser.parse_args()
    one_core(given.core)
    found = []
    with folder(given.folder) as where:
        for scenario in given.scenarios.split(","):
            for seed in range(given.first, given.first + given.seeds):
                one = measure(where, scenario, given.events, seed, given.fast, given.settled)
                found.append(one)
                if not given.json:
                    _told_one(one)
    if given.json:
        print(json.dumps({"runs": found, "machine": machine()}))
    else:
        report(found)
        print("\nmachine: " + ", ".join(f"{k} {v}" for k, v in machine().items()))


if __name__ == "__main__":
    main()
