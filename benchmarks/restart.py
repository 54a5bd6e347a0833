"""How long a server takes to be ready again after so many decided events, killed at that moment.

    python benchmarks/restart.py [--events 1000000]

A server starts over a journal of so many events without a memory and reads all of it. When the
process beside has remembered what the engine holds, the server is killed and started again. Wall
and CPU seconds of the server until it is ready; of the process beside, wall seconds.
"""

from __future__ import annotations

import signal
from pathlib import Path

from benchmarks.api import Server, sorted_by_time, threading_event
from benchmarks.common import CLOCK, arguments, folder, simulated, told

REMEMBER_S = 600


def main() -> None:
    """Start, wait for the memory, kill, start."""
    given = arguments(__doc__ or "", 1_000_000).parse_args()
    with folder(given.folder) as where:
        warm = sorted_by_time(simulated(where, given.events), given.events)
        server = Server(where, warm, None, "wait")
        first, first_cpu = server.start_s, server.cpu_s()
        began = CLOCK.elapsed()
        found = _memory(where / "data" / "state")
        remembered = CLOCK.elapsed() - began
        server.child.send_signal(signal.SIGKILL)
        server.child.wait()
        server.start()
        size = found.stat().st_size / (1 << 20)
        figures = {
            "events": given.events, "first_s": round(first, 1), "first_cpu_s": round(first_cpu, 1),
            "again_s": round(server.start_s, 1), "again_cpu_s": round(server.cpu_s(), 1),
            "remember_s": round(remembered, 1), "memory_mib": round(size, 1),
        }  # fmt: skip
        server.stop()
    if not given.json:
        print(f"{given.events:,} events in the journal, {size:,.0f} MiB remembered")
        print(f"  ready after reading all of it {first:6.1f} s, {first_cpu:6.1f} s CPU")
        print(f"  ready from memory {server.start_s:18.1f} s, {figures['again_cpu_s']:6.1f} s CPU")
        print(f"  remembering beside the server {remembered:6.1f} s")
    told(figures, given.json)


def _memory(folder: Path) -> Path:
    pause = threading_event()
    for _ in range(REMEMBER_S * 10):
        if found := sorted(folder.glob("[0-9]*.snapshot")):
            return found[-1]
        pause.wait(0.1)
    raise SystemExit("nothing was remembered; see serve.log")


if __name__ == "__main__":
    main()
