"""Features and motifs of the payment graph: payments a second in micro-batches, on four networks.

    python benchmarks/graph.py [--events N] [--peers FOLDER]

- *sparse*: 150,000 accounts, about 100,000 payments in a window of one day.
- *hubs*: a window of seven days, every other payment with one of 300 shops or employers.
- *one hub*: 200,000 payments in a window of one day, half of them to or from one account with
  10**5 counterparties.
- *dense*: 5,000 accounts, uniformly 40 payees and 40 payers each in a window of seven days.

The window is filled before the clock starts. Payments are given 128 at a time; the rate is by CPU
time, the batch p99 by the clock and by CPU time. ``--peers FOLDER`` measures the Graph Feature
Preprocessor of snapml in the same run, in an environment of its own in that folder (proprietary:
for comparison only, never a dependency of the product).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter, process_time, thread_time
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.common import SEED, arguments, one_core, told

Int64 = npt.NDArray[np.int64]
DAY: Final = 86_400_000_000
BATCH: Final = 128
Columns = tuple[Int64, Int64, Int64, Int64]


def network(name: str, fill: int, events: int) -> tuple[int, Columns]:
    """Window and time, payer, payee, amount of ``fill + events`` payments; ``fill`` make a
    window full."""
    chance = np.random.default_rng(SEED)
    n = fill + events
    window = DAY if name in ("sparse", "one hub") else 7 * DAY
    times = np.arange(n, dtype=np.int64) * (window // fill)
    amounts = np.exp(chance.normal(9, 1.2, n)).astype(np.int64) + 1
    accounts = {"sparse": 150_000, "hubs": 20_000, "one hub": 150_000, "dense": 5_000}[name]
    payers, payees = chance.integers(0, accounts, n), chance.integers(0, accounts, n)
    if name == "hubs":
        shop = accounts + (300 * chance.random(n) ** 2).astype(np.int64)
        kind = chance.integers(0, 4, n)
        payees = np.where(kind == 0, shop, payees)
        payers = np.where(kind == 1, shop, payers)
    elif name == "one hub":
        kind = chance.integers(0, 4, n)
        payees = np.where(kind == 0, accounts, payees)
        payers = np.where(kind == 1, accounts, payers)
    return window, (times, payers, payees, amounts)


def measured(take: Any, columns: Columns, fill: int) -> dict[str, Any]:
    """Rate by CPU time, and what the slowest hundredth of the batches took by the clock and by CPU
    time."""
    n = len(columns[0])
    for at in range(0, fill, 4096):
        take(*(c[at : min(at + 4096, fill)] for c in columns))
    walls: list[float] = []
    own: list[float] = []
    began = process_time()
    for at in range(fill, n, BATCH):
        start, busy = perf_counter(), thread_time()
        take(*(c[at : at + BATCH] for c in columns))
        own.append(thread_time() - busy)
        walls.append(perf_counter() - start)
    spent = process_time() - began
    return {
        "rate": (n - fill) / spent,
        "p99_ms": 1e3 * float(np.quantile(walls, 0.99)),
        "p99_cpu_ms": 1e3 * float(np.quantile(own, 0.99)),
    }


def features(window: int, exact: int) -> tuple[Any, Any]:
    """The feature stream; ``exact``: length of the longest cycles."""
    from detectors.graph.features import BUDGETS, PaymentFeatures

    first, fifth, alike, gather = BUDGETS
    stream = PaymentFeatures(window, budgets=(first, fifth if exact == 5 else 0, alike, gather))
    return stream.update, stream.cuts


def motifs() -> tuple[Any, Any, list[int]]:
    """All types of motifs with their defaults."""
    from detectors.graph.motifs import Motifs, Payments
    from detectors.graph.spec import TYPES, chosen

    changes = {"structuring": {"limits": ((0, 1_000_000),)}}
    stream = Motifs(chosen(TYPES, changes))
    found = [0]

    def take(times: Int64, payers: Int64, payees: Int64, amounts: Int64) -> None:
        zero = np.zeros(len(times), np.int64)
        found[0] += len(stream.observe(Payments(times, payers, payees, amounts, zero)))

    return take, stream.cuts, found


_PEER: Final = """
import json, sys, time
import numpy as np
from snapml import GraphFeaturePreprocessor
name, limit = sys.argv[1], float(sys.argv[2])
data = np.load(name)
window, fill, columns = int(data["window"]), int(data["fill"]), data["columns"]
made = GraphFeaturePreprocessor()
params = {"num_threads": 1, "time_window": window, "vertex_stats": True,
          "vertex_stats_cols": [3], "vertex_stats_feats": [0, 1, 2, 3, 4, 5],
          "fan": True, "fan_tw": window, "fan_bins": [2], "degree": True, "degree_tw": window,
          "degree_bins": [2], "scatter-gather": True, "scatter-gather_tw": window,
          "scatter-gather_bins": [2], "temp-cycle": True, "temp-cycle_tw": window,
          "temp-cycle_bins": [2, 3, 4, 5], "lc-cycle": True, "lc-cycle_tw": window,
          "lc-cycle_len": 10, "lc-cycle_bins": [2]}
made.set_params(params)
n = len(columns)
rows = np.ascontiguousarray(np.column_stack([np.arange(n), columns[:, 1], columns[:, 2],
                                             columns[:, 0], columns[:, 3]]).astype(np.float64))
params["vertex_stats_cols"] = [4]
made.set_params(params)
began = time.perf_counter()
for at in range(0, fill, 2048):
    made.partial_fit(rows[at:min(at + 2048, fill)])
    if time.perf_counter() - began > limit:
        print(json.dumps({"rate": 0, "note": f"not warm after {limit:.0f} s"})); sys.exit()
walls, done, start = [], 0, time.process_time()
for at in range(fill, n, 128):
    one = time.perf_counter()
    made.transform(rows[at:at + 128])
    walls.append(time.perf_counter() - one)
    done += len(rows[at:at + 128])
    if sum(walls) > limit:
        break
spent = time.process_time() - start
print(json.dumps({"rate": done / spent, "p99_ms": 1e3 * float(np.quantile(walls, 0.99)),
                  "payments": done}))
"""


def peer(folder: Path, window: int, fill: int, columns: Columns, limit: float) -> dict[str, Any]:
    """The preprocessor of snapml on the same payments, or why not."""
    folder.mkdir(parents=True, exist_ok=True)
    python = folder / "snapml" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / "snapml")], check=True)
    probe = subprocess.run([str(python), "-c", "import snapml"], capture_output=True, check=False)
    if probe.returncode:
        done = subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "snapml"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            return {"note": "does not install: " + done.stderr.strip().splitlines()[-1]}
    data = folder / "payments.npz"
    np.savez(data, window=window // 1_000_000, fill=fill,
             columns=np.column_stack([columns[0] // 1_000_000, *columns[1:]]))  # fmt: skip
    done = subprocess.run([str(python), "-c", _PEER, str(data), str(limit)], capture_output=True,
                          text=True, check=False)  # fmt: skip
    if done.returncode:
        return {"note": "fails: " + (done.stderr.strip().splitlines() or ["killed"])[-1]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure, print."""
    parser = arguments("features and motifs of the payment graph", 100_000)
    parser.add_argument("--peers", type=Path, help="folder for the environment of snapml")
    parser.add_argument("--seconds", type=float, default=20.0, help="at most so long for a peer")
    parser.add_argument("--networks", default="sparse,hubs,one hub,dense")
    given = parser.parse_args()
    one_core(given.core)
    found: dict[str, Any] = {}
    fills = {"sparse": 100_000, "hubs": 60_000, "one hub": 200_000, "dense": 200_000}
    warm = network("sparse", 1000, 500)
    measured(features(warm[0], 5)[0], warm[1], 1000)
    measured(motifs()[0], warm[1], 1000)
    for name in given.networks.split(","):
        window, columns = network(name, fills[name], given.events)
        rows = found[name] = {}
        for exact in (5, 4):
            best: dict[str, Any] = {"rate": 0.0}
            for _ in range(given.repeats):
                take, cuts = features(window, exact)
                one = measured(take, columns, fills[name]) | {"cut": sum(cuts().values())}
                best = max(best, one, key=lambda row: float(row["rate"]))
            rows[f"features, cycles to {exact}"] = best
        best = {"rate": 0.0}
        for _ in range(given.repeats):
            take, cuts, count = motifs()
            one = measured(take, columns, fills[name]) | {"cut": sum(cuts().values())}
            best = max(best, one | {"found": count[0]}, key=lambda row: float(row["rate"]))
        rows["all motifs"] = best
        if given.peers:
            rows["snapml"] = peer(given.peers, window, fills[name], columns, given.seconds)
        else:
            rows["snapml"] = {"note": "not measured (--peers FOLDER)"}
        if not given.json:
            for what, row in rows.items():
                print(f"{name:8} {what:22} " + " ".join(
                    f"{k} {v:,.2f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()
                ), flush=True)  # fmt: skip
    told({"benchmark": "graph", "events": given.events, "networks": found}, given.json)


if __name__ == "__main__":
    main()
