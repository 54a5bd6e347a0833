"""What the state weighs: bytes of a window entry, and all of it at so many subjects.

    python benchmarks/memory.py [--subjects 1000000]

Simulated events of all types, all packs; the simulation has a customer for five events. Peak
memory is the largest resident size of the whole process, packs and libraries included.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.common import arguments, folder, one_core, run_child, simulated, told

CHILD = "BENCHMARK_MEMORY"
PER_SUBJECT = 5


def _measured(path: str) -> None:
    """In the child: judge the file, then weigh."""
    from regtech.adapters.sources import describe_source
    from regtech.app.choice import chosen_packs
    from regtech.app.judging import Judging, Settings
    from regtech.reference.load import Reference

    scale = 1 if sys.platform == "darwin" else 1 << 10
    settings = Settings(tuple(chosen_packs(())), 600_000_000)
    judging = Judging(settings, ["events"], [describe_source(path)], 16384,
                      reference=Reference.shipped())  # fmt: skip
    judging.open()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
    alerts = 0
    while (outcome := judging.step()) is not None:
        alerts += len(outcome.alerts)
    alerts += len(judging.finish().alerts)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
    state, plan = judging.engine.judge.state, judging.plan
    logs = [log for log in state.logs if log.used()]
    entries = sum(log.used() for log in logs)
    # What an entry is made of, without the room that a ring keeps free to grow into.
    exact = sum(log.used() * sum(array.itemsize for array in log.arrays.values()) for log in logs)
    reserved = sum(a.nbytes for log in logs for a in log.arrays.values())
    widest = max(sum(a.itemsize for a in log.arrays.values()) for log in logs)
    words = plan.vocabulary
    asking = judging.engine.judge.preparing.asking
    detectors: Counter[str] = Counter()
    for name, array in ({} if asking is None else asking.export()).items():
        detectors[name.partition(".")[0]] += array.nbytes
    payments = (state.seen_payments, state.seen_edges)
    print(
        json.dumps(
            {
                "events": judging.counts.given,
                "alerts": alerts,
                "texts": len(words) + len(judging.persons),
                "text_bytes": sum(_held(v) for v in (words, judging.persons)),
                "state_bytes": state.bytes_held(),
                "seen_bytes": state.seen_ids.entries.nbytes,
                "payment_bytes": sum(table.entries.nbytes for table in payments),
                "table_bytes": sum(t.entries.nbytes for t in state.keys),
                "cell_bytes": state.cells.nbytes + sum(p.nbytes for p in state.places),
                "distinct_bytes": sum(t.entries.nbytes for t in state.distinct.values()),
                "fact_bytes": state.facts.nbytes + state.fact_places.nbytes,
                "alerted_bytes": state.alerted.entries.nbytes,
                "detector_bytes": dict(detectors),
                "event_bytes": judging.engine.judge.events.bytes_held(),
                "log_bytes": reserved + sum(log.heads.nbytes for log in logs),
                "entries": entries,
                "entry_bytes": exact / max(entries, 1),
                "widest_entry_bytes": widest,
                "entry_bytes_reserved": reserved / max(entries, 1),
                "keyspaces": len(logs),
                "largest_keyspace": max((t.count for t in state.keys), default=0),
                "before_bytes": before,
                "peak_bytes": peak,
            }
        )
    )


def _held(vocabulary: Any) -> int:
    """Bytes of a vocabulary's arrays."""
    import numpy as np

    slots = getattr(type(vocabulary), "__slots__", ()) or vars(vocabulary)
    values = [getattr(vocabulary, name, None) for name in slots]
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray))


def main() -> None:
    """Generate, judge, weigh, print."""
    if os.environ.get(CHILD):
        _measured(sys.argv[1])
        return
    parser = arguments("memory of the state", 0)
    parser.add_argument("--subjects", type=int, default=100_000)
    given = parser.parse_args()
    one_core(given.core)
    with folder(given.folder) as where:
        path: Path = simulated(where, given.events or given.subjects * PER_SUBJECT)
        # As the command has it (regtech/cli/__init__.py), before numpy is imported.
        alike = {"NUMPY_MADVISE_HUGEPAGE": "0", **os.environ, CHILD: "1"}
        text, cost = run_child([sys.executable, __file__, str(path)], env=alike)
    made = json.loads(text)
    made["subjects"] = made["events"] // PER_SUBJECT
    if not given.json:
        mib = 1 << 20
        detectors = ", ".join(
            f"{name} {size / mib:,.0f} MiB" for name, size in made["detector_bytes"].items()
        )
        print(
            f"{made['events']:,} events of {made['subjects']:,} customers, all packs, "
            f"{cost.cpu:.1f} s CPU\n"
            f"  window entries   {made['entries']:,} alive in {made['keyspaces']} key spaces: "
            f"{made['entry_bytes']:.1f} bytes each, {made['widest_entry_bytes']} the widest; "
            f"{made['entry_bytes_reserved']:.1f} with the room reserved for growth\n"
            f"  state            {made['state_bytes'] / mib:,.0f} MiB: "
            f"ids {made['seen_bytes'] / mib:,.0f}, payments {made['payment_bytes'] / mib:,.0f}, "
            f"cells {made['cell_bytes'] / mib:,.0f}, "
            f"keys {made['table_bytes'] / mib:,.0f} (largest {made['largest_keyspace']:,}), "
            f"windows {made['log_bytes'] / mib:,.0f}, "
            f"distinct {made['distinct_bytes'] / mib:,.0f}, "
            f"facts {made['fact_bytes'] / mib:,.0f}, raised {made['alerted_bytes'] / mib:,.0f}\n"
            f"  detectors        {detectors}, as a snapshot has them\n"
            f"  ids for evidence {made['event_bytes'] / mib:,.0f} MiB, of judged events\n"
            f"  vocabularies     {made['texts']:,} texts, {made['text_bytes'] / mib:,.0f} MiB\n"
            f"  process          {made['peak_bytes'] / mib:,.0f} MiB at most, "
            f"{made['before_bytes'] / mib:,.0f} before the first event"
        )
    told({"benchmark": "memory", **made}, given.json)


if __name__ == "__main__":
    main()
