"""A file of mixed events to a file of alerts: all packs, one core, by the command itself.

    python benchmarks/pipeline.py [--events 1000000] [--digest-check] [--both-cores]

Runs ``regtech run`` over NDJSON and over Parquet of the same events, pinned to one core. The rate
is given twice: over the seconds of the run (packs read and compiled, events judged, alerts
written) and over the whole command with the start of Python and the loading of kernels. A run
more with clocks around the stages tells where the time goes. ``--both-cores`` runs the command
with ``--cores 2`` as well, not pinned, in turn with the others.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.common import Cost, arguments, folder, one_core, regtech, run_child, simulated, told

STAGES = "BENCHMARK_STAGES"


def measure(path: Path, out: Path, repeats: int, *options: str) -> dict[str, Any]:
    """The best of some runs of the command over a file."""
    best: tuple[Cost, dict[str, Any]] | None = None
    for _ in range(repeats):
        text, cost = run_child(regtech("run", str(path), "--out", str(out), "--json", *options))
        found = json.loads(text)
        if best is None or cost.cpu < best[0].cpu:
            best = cost, found
    assert best is not None
    cost, found = best
    return {
        "format": path.suffix[1:],
        "events": found["events"],
        "alerts": found["alerts"],
        "quarantined": sum(found["quarantined"].values()),
        "digest": found["digest"],
        "run_seconds": found["seconds"],
        "per_second": found["events"] / found["seconds"],
        "command_wall": cost.wall,
        "command_cpu": cost.cpu,
        "per_cpu_second": found["events"] / cost.cpu,
        "peak_mib": cost.peak_mib,
    }


def cores(wanted: set[int] | None = None) -> set[int]:
    """The cores that this process and its children may use, set where they are given."""
    if not hasattr(os, "sched_setaffinity"):
        return set()
    if wanted:
        os.sched_setaffinity(0, wanted)
    return os.sched_getaffinity(0)


def stages(path: Path, out: Path) -> dict[str, float]:
    """CPU seconds by stage, of one run in a child with clocks around the stages."""
    text, _ = run_child(
        [sys.executable, __file__, str(path), str(out)], env={**os.environ, STAGES: "1"}
    )
    return dict(json.loads(text))


def _staged(path: str, out: str) -> None:
    """In the child: the run with clocks. Stages contain no other stage's time."""
    from time import process_time

    began = process_time()
    from regtech.adapters.alerts import AlertFile
    from regtech.adapters.ndjson.decoder import NdjsonDecoder
    from regtech.app import judging
    from regtech.app import run as running
    from regtech.app.sources import Source
    from regtech.engine.engine import Engine
    from regtech.engine.evidence import EvidenceMaker
    from regtech.engine.intake import Intake
    from regtech.engine.judge import Judge
    from regtech.engine.preparing import Preparing

    spent: dict[str, float] = {"imports": process_time() - began}
    stack: list[float] = []

    def clocked(owner: Any, name: str, stage: str) -> None:
        plain: Callable[..., Any] = getattr(owner, name)

        def timed(*given: Any, **named: Any) -> Any:
            start = process_time()
            stack.append(0.0)
            try:
                return plain(*given, **named)
            finally:
                whole = process_time() - start
                spent[stage] = spent.get(stage, 0.0) + whole - stack.pop()
                if stack:
                    stack[-1] += whole

        setattr(owner, name, timed)

    clocked(running, "chosen_packs", "read packs")
    clocked(judging, "compile_plan", "compile packs")
    clocked(NdjsonDecoder, "decode", "decode")
    clocked(Source, "step", "read")
    clocked(Intake, "push", "order and repeats")
    clocked(Intake, "take", "order and repeats")
    clocked(Judge, "_enter_era", "programs of an era")
    clocked(Preparing, "prepare", "facts, laws, detectors")
    clocked(Judge, "judge", "measures and rules")
    clocked(EvidenceMaker, "make", "evidence of alerts")
    clocked(Engine, "judge_ready", "rest of the engine")
    clocked(Engine, "finish", "rest of the engine")
    clocked(AlertFile, "write", "write alerts")
    start = process_time()
    running.run_command(events=(path,), out=out)
    spent["rest"] = process_time() - start - sum(v for k, v in spent.items() if k != "imports")
    print(json.dumps(spent))


def main() -> None:
    """Generate, run, print."""
    if os.environ.get(STAGES):
        _staged(sys.argv[1], sys.argv[2])
        return
    parser = arguments("NDJSON and Parquet to alerts, all packs, one core", 200_000)
    parser.add_argument("--digest-check", action="store_true", help="fail where digests differ")
    parser.add_argument("--ndjson-only", action="store_true")
    parser.add_argument("--both-cores", action="store_true")
    given = parser.parse_args()
    every = cores()
    one_core(given.core)
    found = []
    with folder(given.folder) as where:
        for suffix in ("ndjson",) if given.ndjson_only else ("ndjson", "parquet"):
            path, out = simulated(where, given.events, suffix), where / "alerts.ndjson"
            run_child(regtech("run", str(path), "--out", str(out), "--json"))  # warms caches
            made = measure(path, out, given.repeats)
            made["stages"] = stages(path, out)
            made["bytes_per_event"] = path.stat().st_size / given.events
            if given.both_cores:
                cores(every)
                made["two_cores"] = measure(path, out, given.repeats, "--cores", "2")
                one_core(given.core)
            found.append(made)
            if not given.json:
                _print(made)
    same = len({made["digest"] for made in found}) == 1
    told({"benchmark": "pipeline", "runs": found, "same_digest": same}, given.json)
    if given.digest_check and not same:
        raise SystemExit("the digests differ")


def _print(made: dict[str, Any]) -> None:
    print(
        f"{made['format']:8} {made['events']:,} events of {made['bytes_per_event']:.0f} bytes, "
        f"{made['alerts']:,} alerts, digest {made['digest'][:16]}\n"
        f"  run      {made['run_seconds']:7.2f} s wall             "
        f"{made['per_second']:10,.0f} events/s\n"
        f"  command  {made['command_wall']:7.2f} s wall {made['command_cpu']:7.2f} s CPU "
        f"{made['per_cpu_second']:9,.0f} events/CPU s   peak {made['peak_mib']:.0f} MiB"
    )
    if two := made.get("two_cores"):
        print(
            f"  2 cores  {two['run_seconds']:7.2f} s wall             "
            f"{two['per_second']:10,.0f} events/s   {two['command_cpu']:.2f} s CPU, "
            f"{made['run_seconds'] / two['run_seconds']:.2f} x, "
            f"{'the same digest' if two['digest'] == made['digest'] else 'ANOTHER DIGEST'}"
        )
    parts = sorted(made["stages"].items(), key=lambda x: -x[1])
    print("  CPU s    " + ", ".join(f"{name} {spent:.2f}" for name, spent in parts))


if __name__ == "__main__":
    main()
