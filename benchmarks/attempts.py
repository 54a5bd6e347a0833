"""Published attempts among simulated payments: how many are touched by alerts within a budget.

``python benchmarks/attempts.py PATTERNS --events 500000 --seeds 1,2,3``

``PATTERNS`` is a ``*_Patterns.txt`` of "IBM Transactions for Anti Money Laundering". Its attempts
are put among the accounts of ``regtech simulate --scenario laundering``. Time is cut at
``--train``: the score without outcomes is taught on what comes before and alerts on what follows,
by levels of the four weeks before each day. An attempt counts where all of its payments come after
the cut, and is touched where one of them is beyond the level.

``--outcomes`` adds boosted trees that know which payments before the cut were of attempts.
``--known OTHERS`` adds trees that know the attempts of another file, with outcomes, among the
payments of three other seeds: what an authority could teach that has the outcomes of others.
``--bound`` adds the same with the very attempts that are judged, at a level read off the judged
background: more than any fair model may.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.common import CLOCK, arguments, folder, one_core, told

SETTLE: Final = 14
SIZES: Final = ((1, 1), (2, 2), (3, 5), (6, 9), (10, 10_000))
BOUND_SEEDS: Final = (101, 102, 103)


class World:
    """Payments of a seed with the attempts among them, as rows."""

    def __init__(self, where: Path, patterns: Path, events: int, seed: int, train: float) -> None:
        from regtech.app.laundering import simulate_laundering
        from regtech.app.paymenttable import read_payments
        from regtech.app.scorerows import make_rows
        from regtech.content import read_text

        where.mkdir(parents=True, exist_ok=True)
        path = where / f"attempts-{events}-{seed}.ndjson"
        labels = path.with_name(path.name + ".labels.ndjson")
        if not labels.exists():
            simulate_laundering(path, events=events, seed=seed, patterns=patterns)
        self.table = read_payments([str(path)])
        self.until = int(self.table.time_us[int(train * len(self.table))])
        self.rows = make_rows(self.table, self.until, SETTLE)
        names = [self.table.reporters[k] for k in self.table.reporter.tolist()]
        place = {key: k for k, key in enumerate(zip(names, self.table.ids, strict=True))}
        self.attempt = np.full(len(self.table), -1)
        self.typology = []
        import json

        for number, line in enumerate(read_text(labels).splitlines()):
            label = json.loads(line)
            self.typology.append(label["typology"])
            for event in label["events"]:
                self.attempt[place[(event["reporter"], event["id"])]] = number

    def later(self) -> Any:
        """The attempt of each payment after the cut, -1 where it is of none."""
        return self.attempt[self.rows.kept[self.rows.cut :]]

    def whole(self) -> Counter[int]:
        """Attempts with all of their payments after the cut, and how many these are."""
        there, all_of = Counter(self.later().tolist()), Counter(self.attempt.tolist())
        return Counter({k: n for k, n in there.items() if k >= 0 and n == all_of[k]})


def _judged(world: World, alerts: Any) -> dict[str, Any]:
    later, whole = world.later(), world.whole()
    touched = set(later[alerts].tolist()) & set(whole)
    by_size = {
        f"{low}" if low == high else f"{low}+" if high > 999 else f"{low}-{high}": [
            sum(low <= whole[k] <= high for k in touched),
            sum(low <= n <= high for n in whole.values()),
        ]
        for low, high in SIZES
    }
    kinds = Counter(world.typology[k] for k in whole)
    hit = Counter(world.typology[k] for k in touched)
    return {
        "attempts": len(whole),
        "touched": len(touched),
        "background": float(alerts[later < 0].mean()),
        "payments": float(alerts[later >= 0].mean()),
        "by_size": by_size,
        "by_typology": {name: [hit[name], n] for name, n in sorted(kinds.items())},
    }


def _taught(
    world: World, spends: dict[str, Any], seed: int, without: tuple[str, ...]
) -> dict[str, Any]:
    from detectors.anomaly.model import Scores
    from detectors.anomaly.supervised import fit_taught
    from regtech.app.scorerows import features_without
    from regtech.app.scoring import alerts_of, lessons_of, scored_of, training_of

    training = training_of(world.table, world.rows, None, world.until, None)
    lessons = lessons_of(world.table, world.rows, training, None, SETTLE, seed)
    names = [feature.name for feature in world.rows.features]
    features = features_without(SETTLE, without)
    columns = [names.index(feature.name) for feature in features]
    taught = fit_taught(lessons.rows[:, columns], lessons.imagined, seed)
    assert taught is not None
    before = taught.score(training.rows[:, columns])
    scores = taught.score(world.rows.later[:, columns])
    known = scored_of(world.table, training.places, before)
    name = "taught, without" if without else "taught"
    return {
        name + said: alerts_of(world.table, world.rows, Scores(scores, None), known, spend)
        for said, spend in spends.items()
    }


def _learnt(others: list[World]) -> Any:
    """Trees that know every outcome of other streams."""
    from detectors.anomaly.supervised import fit_supervised

    rows = np.vstack([other.rows.later for other in others])
    return fit_supervised(rows, np.concatenate([other.later() >= 0 for other in others]), 1)


def _bound(world: World, trees: Any, budget: float) -> Any:
    scores = trees.score(world.rows.later)
    return scores > np.quantile(scores[world.later() < 0], 1.0 - budget)


def _by_level(world: World, trees: Any, spends: dict[str, Any], name: str) -> dict[str, Any]:
    """Alerts of some trees, by levels of the weeks before each day."""
    from detectors.anomaly.model import Scores, probability
    from regtech.app.scoring import alerts_of, scored_of, training_of

    training = training_of(world.table, world.rows, None, world.until, None)
    before = scored_of(world.table, training.places, probability(trees.score(training.rows)))
    scores = Scores(probability(trees.score(world.rows.later)), None)
    return {
        name + said: alerts_of(world.table, world.rows, scores, before, spend)
        for said, spend in spends.items()
    }


def _outcomes(world: World, spends: dict[str, Any], seed: int) -> dict[str, Any]:
    """Trees that know the outcomes of what came before the cut."""
    from detectors.anomaly.supervised import fit_supervised
    from regtech.app.scoring import lessons_of, training_of

    training = training_of(world.table, world.rows, None, world.until, None)
    lessons = lessons_of(world.table, world.rows, training, None, SETTLE, seed)
    cases = world.attempt[training.places] >= 0
    trees = fit_supervised(training.rows, cases, seed, lessons.rows[lessons.imagined])
    return {} if trees is None else _by_level(world, trees, spends, "with outcomes")


def main() -> None:
    """Command line."""
    parser = arguments(__doc__.partition("\n")[0], 500_000)
    parser.add_argument("patterns", type=Path)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--train", type=float, default=0.4, help="share of payments; default 0.4")
    parser.add_argument("--budget", type=float, default=0.005)
    parser.add_argument("--quiet", default="0,3", help="days that an account is not told of again")
    parser.add_argument("--bound", action="store_true")
    parser.add_argument("--outcomes", action="store_true", help="also with those before the cut")
    parser.add_argument("--known", type=Path, help="attempts of other streams, with outcomes")
    parser.add_argument("--without", action="store_true", help="also without what leans on habits")
    given = parser.parse_args()
    from regtech.app.scoring import Spend

    one_core(given.core)
    found: dict[str, Any] = {"benchmark": "attempts", "runs": []}
    spends = {
        f", quiet {days} days" if days else "": Spend(given.budget, days * 86_400_000_000)
        for days in (int(word) for word in given.quiet.split(","))
    }
    with folder(given.folder) as where:
        learnt = {
            name: _learnt([World(where / name, path, given.events, k, 0.05) for k in BOUND_SEEDS])
            for name, path in (
                ("bound", given.patterns if given.bound else None), ("known", given.known),
            )
            if path is not None
        }  # fmt: skip
        for seed in (int(word) for word in given.seeds.split(",")):
            began = CLOCK.elapsed()
            world = World(where, given.patterns, given.events, seed, given.train)
            models = _taught(world, spends, seed, ())
            if given.without:
                models |= _taught(world, spends, seed, ("novelty", "emptiness", "amount"))
            if given.outcomes:
                models |= _outcomes(world, spends, seed)
            if "known" in learnt:
                models |= _by_level(world, learnt["known"], spends, "known")
            if "bound" in learnt:
                models["bound"] = _bound(world, learnt["bound"], given.budget)
            for name, alerts in models.items():
                run = {"model": name, "seed": seed, **_judged(world, alerts)}
                found["runs"].append(run)
                if not given.json:
                    _shown(run)
            found["runs"][-1]["seconds"] = round(CLOCK.elapsed() - began, 1)
    told(found, given.json)


def _shown(run: dict[str, Any]) -> None:
    print(
        f"{run['model']}, seed {run['seed']}: {run['touched']} of {run['attempts']} attempts, "
        f"{run['background']:.3%} of the background, {run['payments']:.1%} of their payments"
    )
    for name in ("by_size", "by_typology"):
        counts = ", ".join(f"{k} {a}/{b}" for k, (a, b) in run[name].items())
        print(f"   {counts}", flush=True)


if __name__ == "__main__":
    main()
