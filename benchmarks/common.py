"""What the benchmarks share: one core, the machine's description, events, children with their cost.

Every figure is printed with CPU time beside wall time, because machines that run benchmarks are
seldom idle: on a loaded machine the CPU time is what can be compared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from regtech.clock import SystemClock

CLOCK: Final = SystemClock()
ROOT: Final = Path(__file__).resolve().parent.parent
THREADS: Final = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS", "ARROW_NUM_THREADS")
SEED: Final = 7
# Children keep byte code between runs, as an installed package has it.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def arguments(about: str, events: int) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--events", type=int, default=events, help=f"default {events}")
    parser.add_argument("--core", type=int, default=(os.cpu_count() or 1) - 1)
    parser.add_argument("--repeats", type=int, default=3, help="the best of so many is quoted")
    parser.add_argument("--json", action="store_true", help="one JSON document for machines")
    parser.add_argument("--folder", type=Path, help="keep the generated events here")
    return parser


def one_core(core: int | None) -> None:
    """Bind this process and its children to a core, and libraries to one thread."""
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    for name in THREADS:
        os.environ[name] = "1"


def machine() -> dict[str, Any]:
    """Processor, cores, versions, day, commit and the load at this moment."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        model = found[0].partition(":")[2].strip() if found else model
    versions = {}
    from importlib.metadata import version

    for name in ("numba", "numpy", "polars", "pyarrow"):
        versions[name] = version(name)
    git = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    changed = subprocess.run(
        ["git", "-C", str(ROOT), "status", "--porcelain", "regtech", "rules"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {
        "date": datetime.fromtimestamp(CLOCK.now_us() / 1e6, UTC).strftime("%Y-%m-%d"),
        "commit": commit + ("+changes" if changed else ""),
        "cpu": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **versions,
        "load": " ".join(f"{x:.2f}" for x in os.getloadavg()),
    }


@dataclass(slots=True)
class Cost:
    """What a child process took: seconds of wall and CPU time (user and system), MiB at most."""

    wall: float
    cpu: float
    peak_mib: float


def run_child(command: Sequence[str], **more: Any) -> tuple[str, Cost]:
    """Run to the end and return its standard output and cost; raises where it fails."""
    began = CLOCK.elapsed()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdout=out, stdin=subprocess.DEVNULL, **more)
        _, status, used = os.wait4(child.pid, 0)
        wall = CLOCK.elapsed() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode()
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}:\n{text[-2000:]}")
    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return text, Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / scale)


def regtech(*words: str) -> list[str]:
    """The command line of the product, run by this interpreter."""
    return [sys.executable, "-m", "regtech.cli.main", *words]


@contextmanager
def folder(kept: Path | None) -> Iterator[Path]:
    """A folder for generated files: one that is kept, or one that goes."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def simulated(where: Path, events: int, suffix: str = "ndjson") -> Path:
    """Mixed events, 70 % of them transactions, a customer for five; written once a folder."""
    path = where / f"events-{events}.{suffix}"
    if not path.exists():
        run_child(
            regtech("simulate", str(path), "--events", str(events), "--seed", str(SEED),
                    "--no-planted", "--json")
        )  # fmt: skip
    return path


def told(found: dict[str, Any], as_json: bool) -> None:
    """Print what was found, the machine last."""
    found = {**found, "machine": machine()}
    if as_json:
        print(json.dumps(found, default=lambda x: asdict(x) if isinstance(x, Cost) else str(x)))
        return
    print("machine: " + ", ".join(f"{k} {v}" for k, v in found["machine"].items()))
