"""A rulepack over a file by this engine, timed as the peers are: after imports and a warm-up.

    python benchmarks/peer_ours.py EVENTS PACK OUT

Reading and compiling the pack and writing the alerts with their evidence are part of the time; the
import of libraries and the loading of kernels are not: one event goes through all of it before.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import perf_counter, process_time

from regtech.app.run import run_command


def main(events: str, pack: str, out: str) -> None:
    """Warm up, run, print."""
    few = Path(out).with_name("one.ndjson")
    with open(events, "rb") as lines:
        few.write_bytes(next(lines))
    run_command(events=(str(few),), rules=Path(pack), out=out)
    wall, cpu = perf_counter(), process_time()
    found = run_command(events=(events,), rules=Path(pack), out=out)
    spent = {"wall": perf_counter() - wall, "cpu": process_time() - cpu}
    print(json.dumps({"alerts": found.alerts, **spent}))


if __name__ == "__main__":
    main(*sys.argv[1:4])
