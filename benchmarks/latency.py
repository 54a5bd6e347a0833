"""One event at a time: from the bytes of a line to the bytes of its alerts, all packs.

    python benchmarks/latency.py [--events 1000000] [--timed 20000]

The state of so many events is made warm in batches; then each of the following lines is decoded
and judged alone. With an allowed lateness of 0 every event is judged in its own turn. With the
default of ten minutes an event waits, and each turn judges the one that has waited long enough.
Wall time is what is asked for; where others use the same cores, its high percentiles are theirs, so
the CPU time of each event is shown beside it.
"""

from __future__ import annotations

import gc
from itertools import islice
from pathlib import Path
from time import perf_counter_ns, process_time_ns, thread_time_ns
from typing import Any

import numpy as np

from benchmarks.common import arguments, folder, one_core, simulated, told

BATCH = 16384


def measure(path: Path, events: int, timed: int, lateness_us: int) -> dict[str, Any]:
    """Microseconds of one event: wall time at some percentiles, and CPU time on average."""
    from regtech.app.choice import chosen_packs
    from regtech.engine.engine import Engine
    from regtech.engine.plan import compile_plan
    from regtech.reference.load import Reference
    from regtech.sandbox.harness import decoder_of

    plan = compile_plan(chosen_packs(()), Reference.shipped())
    engine, decoder = Engine(plan, lateness_us=lateness_us), decoder_of(plan)
    place = 1
    with path.open("rb") as stream:
        while place <= events:
            lines = list(islice(stream, min(BATCH, events - place + 1)))
            made, _, _ = decoder.decode(b"".join(lines), place)
            engine.push(made)
            engine.set_aside()
            place += len(lines)
        following = list(islice(stream, timed))
    assert len(following) == timed, "the file is too short"
    spent, working, alerts = np.zeros(timed, np.int64), np.zeros(timed, np.int64), 0
    alerting = np.zeros(timed, np.bool_)
    gc.collect()
    began = process_time_ns()
    for k, line in enumerate(following):
        busy = thread_time_ns()
        start = perf_counter_ns()
        made, _, _ = decoder.decode(line, place)
        written = [alert.canonical() for alert in engine.push(made)]
        spent[k] = perf_counter_ns() - start
        working[k] = thread_time_ns() - busy
        alerting[k] = bool(written)
        alerts += len(written)
        place += 1
    cpu = process_time_ns() - began
    whole = spent / 1000

    def percentiles(values: Any) -> dict[str, float]:
        if not len(values):
            return {}
        p50, p99 = (float(x) for x in np.percentile(values, (50, 99)))
        return {"p50": p50, "p99": p99, "max": float(values.max())}

    return {
        "warm_events": events,
        "timed": timed,
        "lateness_s": lateness_us // 1_000_000,
        "alerts": alerts,
        "all": percentiles(whole),
        "without_alert": percentiles(whole[~alerting]),
        "with_alert": percentiles(whole[alerting]),
        "cpu": percentiles(working / 1000),
        "cpu_mean": cpu / timed / 1000,
        "state_mib": engine.judge.state.bytes_held() / (1 << 20),
    }


def main() -> None:
    """Generate, warm, time, print."""
    parser = arguments("latency of single events, state warm, decoding included", 200_000)
    parser.add_argument("--timed", type=int, default=20_000)
    given = parser.parse_args()
    one_core(given.core)
    runs = []
    with folder(given.folder) as where:
        path = simulated(where, given.events + given.timed)
        for lateness_us in (0, 600_000_000):
            made = measure(path, given.events, given.timed, lateness_us)
            runs.append(made)
            if given.json:
                continue
            print(
                f"state of {made['warm_events']:,} events ({made['state_mib']:.0f} MiB), "
                f"{made['timed']:,} single events, lateness {made['lateness_s']} s, "
                f"{made['alerts']} alerts; CPU {made['cpu_mean']:.0f} us on average"
            )
            for name in ("all", "cpu", "without_alert", "with_alert"):
                values = ", ".join(f"{p} {us:,.0f} us" for p, us in made[name].items())
                print(f"  {name.replace('_', ' '):14} {values}")
    told({"benchmark": "latency", "runs": runs}, given.json)


if __name__ == "__main__":
    main()
