"""How long a start takes: `--help`, and the second start of `run` over ten events, all packs.

    python benchmarks/start.py [--first]

A second start finds compiled kernels and checked packs in the cache. Python's own bytecode is
written, as in an installation, whatever the environment says. ``--first`` begins with an empty
cache folder and tells what the first run takes too, kernels compiled. ``unpacked`` is a start whose
kernels are there but whose packs are read and checked: what an edited pack costs once.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.common import Cost, arguments, folder, one_core, regtech, run_child, simulated, told

FIGURES: Final = {"help": 0.5, "first": 60.0, "second": 2.0}
"""Seconds of wall time asked for."""


def main() -> None:
    """Run, print."""
    parser = arguments("what a start costs", 10)
    parser.add_argument("--first", action="store_true", help="also from an empty cache: a minute")
    given = parser.parse_args()
    one_core(given.core)
    found: dict[str, Any] = {}
    with folder(given.folder) as where, tempfile.TemporaryDirectory() as scratch:
        environment = dict(os.environ)
        if given.first:
            environment["REGTECH_CACHE_DIR"] = scratch
        events = simulated(where, given.events)
        run = regtech("run", str(events), "--out", str(Path(scratch) / "alerts.ndjson"), "--json")
        kept = Path(scratch) / "kept"

        def measured(name: str, command: list[str], repeats: int, anew: bool = False) -> None:
            costs: list[Cost] = []
            for _ in range(repeats):
                if anew:
                    shutil.rmtree(kept, ignore_errors=True)
                costs.append(run_child(command, env=environment)[1])
            best = min(costs, key=lambda cost: cost.cpu)
            middle = statistics.median(cost.wall for cost in costs)
            found[name] = {
                "wall": best.wall,
                "wall_median": middle,
                "cpu": best.cpu,
                "peak_mib": best.peak_mib,
            }
            if not given.json:
                asked = f"(asked: {FIGURES[name]} s wall)" if name in FIGURES else ""
                print(
                    f"{name:9} {best.cpu:6.2f} s CPU {best.wall:6.2f} s wall, "
                    f"median of {repeats} {middle:6.2f} s {asked}"
                )

        if given.first:
            measured("first", run, 1)
            measured("unpacked", run, given.repeats, anew=True)
        else:
            run_child(run, env=environment)
        measured("second", run, given.repeats)
        measured("help", regtech("--help"), given.repeats)
    told({"benchmark": "start", **found}, given.json)


if __name__ == "__main__":
    main()
