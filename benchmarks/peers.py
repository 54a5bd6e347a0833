"""The same rules over the same events by this engine and by others, on one core, in one run.

    python benchmarks/peers.py [--events N] [--groups 1,10] [--peers FOLDER]

Two sets of rules (``workload``): *windows*, groups of four rules for each customer and direction
(sum of a day, count in 24 hours, sum in 7 days, different counterparties a day), and *single*,
three rules about single payments, for engines that have no windows over event time. Everybody reads
the same NDJSON file from disk and the findings are counted; the counts must be equal.

Rates are events by the CPU time of the work itself, the start of interpreters, libraries and
clusters left out. For Flink it is the CPU time of its Java process from handing in the job to its
end, or the run time that Flink itself reports for the job where that is less.

``--peers FOLDER`` sets up durable-rules and apache-flink (needs Java) in environments of their own
there, unless they are there already; without it both are left out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import workload
from benchmarks.common import CLOCK, arguments, folder, one_core, run_child, told

HERE = Path(__file__).resolve().parent
INSTALL_SECONDS = 300
FLINK_SECONDS = 600
PACKAGES = {"durable": "durable-rules==2.0.28", "flink": "apache-flink==2.3.0"}
BATCH = 16384
CUSTOMERS_PER = 20


def environment(where: Path, name: str) -> tuple[Path | None, str]:
    """The interpreter of a peer's own environment, or why there is none."""
    python = where / name / "bin" / "python"
    ready = where / name / ".ready"
    if name == "flink" and shutil.which("java") is None:
        return None, "no Java"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", str(where / name)], check=True)
        command = [str(python), "-m", "pip", "install", "--quiet", PACKAGES[name]]
        try:
            made = subprocess.run(command, timeout=INSTALL_SECONDS, capture_output=True, text=True)
        except subprocess.TimeoutExpired:
            return None, f"not installed in {INSTALL_SECONDS} s"
        if made.returncode:
            return None, "not installed: " + made.stderr.strip().splitlines()[-1]
        ready.touch()
    return python, ""


def script(name: str, *words: str) -> dict[str, Any]:
    """One of the peers beside this file, in this interpreter."""
    text, cost = run_child([sys.executable, str(HERE / f"{name}.py"), *words])
    return {**json.loads(text), "peak_mib": cost.peak_mib}


def best(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The run that took least; all must have found the same."""
    assert len({run["alerts"] for run in runs}) == 1
    return min(runs, key=lambda run: run["cpu"])


def flink(python: Path, path: Path, where: Path, which: str) -> dict[str, Any]:
    """One job; what it wrote goes away."""
    out = where / "flink-out"
    shutil.rmtree(out, ignore_errors=True)
    command = [str(python), str(HERE / "peer_flink.py"), str(path), str(out), which]
    try:
        made = subprocess.run(command, timeout=FLINK_SECONDS, capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        return {"left_out": f"not done in {FLINK_SECONDS} s"}
    finally:
        shutil.rmtree(out, ignore_errors=True)
    if made.returncode:
        lines = [x for x in made.stderr.splitlines() if x.strip() and not x.startswith("\tat")]
        return {"left_out": "failed: " + (lines[-1] if lines else "?")[:300]}
    found = dict(json.loads(made.stdout.splitlines()[-1]))
    found["cpu"] = min(found["java_cpu"] or found["wall"], found["wall"])
    return found


def main() -> None:
    """Generate, run all, compare."""
    parser = arguments("this engine and others on the same rules and events", 300_000)
    parser.add_argument("--groups", default="1,10", help="sizes of the set windows")
    parser.add_argument("--peers", type=Path, help="folder of the peers' environments")
    parser.add_argument("--flink-groups", type=int, default=1, help="largest set for Flink")
    given = parser.parse_args()
    one_core(given.core)
    environments: dict[str, tuple[Path | None, str]] = {}
    for name in PACKAGES:
        environments[name] = None, "not asked for (--peers)"
        if given.peers:
            given.peers.mkdir(parents=True, exist_ok=True)
            environments[name] = environment(given.peers.resolve(), name)
    sets: list[dict[str, Any]] = []
    with folder(given.folder) as where:
        path = where / f"payments-{given.events}.ndjson"
        if not path.exists():
            workload.write_events(path, given.events, given.events // CUSTOMERS_PER)
        sizes = [int(size) for size in given.groups.split(",")]
        for which, number in [*(("windows", size) for size in sizes), ("single", 1)]:
            began = CLOCK.elapsed()
            os.environ["BENCHMARK_FIGURES"] = workload.figures(number)
            rules = where / f"{which}-{number}"
            rules.mkdir(exist_ok=True)
            text = workload.windows_pack(number) if which == "windows" else workload.single_pack()
            pack = rules / f"bench-{which}.yml"
            pack.write_text(text)
            names = str(path), which, str(number)
            rounds = range(given.repeats)
            ran: dict[str, dict[str, Any]] = {
                "this engine": best(
                    [
                        script("peer_ours", str(path), str(rules), str(where / "alerts.ndjson"))
                        for _ in rounds
                    ]
                ),
                "plain Python": best([script("peer_python", *names) for _ in rounds]),
                f"polars, batches of {BATCH}": best(
                    [script("peer_polars", *names, str(BATCH)) for _ in rounds]
                ),
                "polars, the whole file at once": best(
                    [script("peer_polars", *names, "0") for _ in rounds]
                ),
            }
            python, why = environments["durable"]
            if which == "single":
                ran["durable-rules"] = {"left_out": why}
                if python is not None:
                    text, cost = run_child(
                        [str(python), str(HERE / "peer_durable.py"), str(path), "0"]
                    )
                    ran["durable-rules"] = {**json.loads(text), "peak_mib": cost.peak_mib}
            python, why = environments["flink"]
            if python is None:
                ran["PyFlink SQL"] = {"left_out": why}
            elif number > given.flink_groups:
                ran["PyFlink SQL"] = {"left_out": "set too large for a fair job (--flink-groups)"}
            else:
                ran["PyFlink SQL"] = flink(python, path, where, which)
            count = 4 * number if which == "windows" else 3
            made = {"set": which, "rules": count, "events": given.events, "engines": ran,
                    "seconds": CLOCK.elapsed() - began}  # fmt: skip
            sets.append(made)
            _compare(made, given.json)
    told({"benchmark": "peers", "sets": sets}, given.json)


def _compare(made: dict[str, Any], as_json: bool) -> None:
    """Rates and ratios; findings must be equal."""
    ran = made["engines"]
    counts = {run["alerts"] for run in ran.values() if "alerts" in run}
    made["same_alerts"] = len(counts) == 1
    for run in ran.values():
        if "alerts" in run:
            run["per_second"] = made["events"] / run["cpu"]
    mine = ran["this engine"]["per_second"]
    if not as_json:
        print(f"{made['set']}: {made['rules']} rules, {made['events']:,} events")
    for name, run in ran.items():
        if "left_out" in run:
            line = f"left out: {run['left_out']}"
        else:
            run["times_slower"] = mine / run["per_second"]
            line = (
                f"{run['per_second']:10,.0f} events/CPU s  {run['times_slower']:6.1f} x  "
                f"{run['alerts']:,} findings"
            )
        if not as_json:
            print(f"  {name:32} {line}")
    if not made["same_alerts"]:
        raise SystemExit(f"findings differ: {sorted(counts)}")


if __name__ == "__main__":
    main()
