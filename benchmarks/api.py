"""Single decisions through HTTP on loopback: how long each takes at a given rate.

    python benchmarks/api.py [--events 100000] [--rate 200] [--seconds 30]

A server is started over a journal of so many events, so that its windows are warm. Then the
following events are sent one by one at a constant rate. The time of a request begins when it was
due, not when it was sent, so that waiting behind a slow one counts (no coordinated omission).
Where `wrk` is installed it sends more of them over one connection at the same pace; its own
figures are printed beside ours. Server and client each have a core where there are two.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import CLOCK, arguments, folder, regtech, run_child, simulated, told

READY_S = 600


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def sorted_by_time(path: Path, count: int) -> list[bytes]:
    """The first so many events, in the order of their times."""
    with path.open("rb") as stream:
        lines = list(islice(stream, count))
    return sorted(lines, key=lambda line: _instant(json.loads(line)["time"]))


def _instant(text: str) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(text)


class Server:
    """``regtech serve`` in a process of its own."""

    def __init__(self, where: Path, warm: list[bytes], core: int | None, journal: str) -> None:
        store = str(where / "bench.db")
        data = where / "data"
        shutil.rmtree(data, ignore_errors=True)
        Path(store).unlink(missing_ok=True)
        data.mkdir(parents=True)
        (data / "events.ndjson").write_bytes(b"".join(warm))
        (data / "taken.json").write_text(json.dumps({"taken": sum(map(len, warm))}))
        run_child(regtech("users", "create", "feed", "--role", "service", "--no-password",
                          "--store", store, "--json"))  # fmt: skip
        text, _ = run_child(regtech("keys", "create", "feed", "--label", "bench", "--for",
                                    "events,read", "--store", store))  # fmt: skip
        self.key, self.port = text.strip(), free_port()
        self._command = regtech(
            "serve", "--store", store, "--data", str(data), "--port", str(self.port)
        )
        self._environ = {**os.environ, "REGTECH_RATE": "100000", "REGTECH_JOURNAL": journal}
        self.log = (where / "serve.log").open("wb")
        self._core = core
        self.start()

    def start(self) -> None:
        """Until it is ready."""
        began = CLOCK.elapsed()
        self.child = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=self.log, env=self._environ
        )
        core = self._core
        if core is not None:
            os.sched_setaffinity(self.child.pid, {core})
        self._wait()
        self.start_s = CLOCK.elapsed() - began

    def _wait(self) -> None:
        waited = threading_event()
        for _ in range(READY_S * 10):
            if self.child.poll() is not None:
                raise SystemExit("the server ended; see serve.log")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready"):
                    return
            except OSError:
                waited.wait(0.1)
        raise SystemExit("the server did not become ready")

    def cpu_s(self) -> float:
        """CPU seconds that the server has used; 0 where the system does not say."""
        stat = Path(f"/proc/{self.child.pid}/stat")
        if not stat.exists():
            return 0.0
        words = stat.read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """Ask it to end."""
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(60)
        self.log.close()


def threading_event() -> Any:
    """Something to wait on."""
    import threading

    return threading.Event()


async def _send(
    port: int, head: bytes, events: list[bytes], rate: int
) -> tuple[list[float], dict[str, int]]:
    """Each event when it is due, on a free connection; seconds from due to answered."""
    loop = asyncio.get_running_loop()
    free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    spent: list[float] = [0.0] * len(events)
    verdicts: dict[str, int] = {}

    async def one(k: int, due: float) -> None:
        reader, writer = free.pop() if free else await asyncio.open_connection("127.0.0.1", port)
        body = events[k].strip()
        writer.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)
        try:
            answer = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            # The server let go of a connection that was idle for long: the usual once more.
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)
            answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        found = await reader.readexactly(length)
        spent[k] = loop.time() - due
        status = answer.split(b" ", 2)[1].decode()
        if b"connection: close" in answer.lower():
            # Too many were on their way: it takes no more for a moment.
            verdicts[status] = verdicts.get(status, 0) + 1
            writer.close()
            return
        verdict = json.loads(found).get("verdict", status)
        if verdict == "judged" and json.loads(found)["alerts"]:
            verdict = "judged with alert"
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
        free.append((reader, writer))

    began = loop.time() + 0.1
    tasks = []
    for k in range(len(events)):
        due = began + k / rate
        await asyncio.sleep(max(0.0, due - loop.time()))
        tasks.append(asyncio.create_task(one(k, due)))
    await asyncio.gather(*tasks)
    for _, writer in free:
        writer.close()
    return spent, verdicts


LUA = """
local lines, at = {}, 0
for line in io.lines(os.getenv("BENCH_EVENTS")) do lines[#lines + 1] = line end
local headers = {["Content-Type"] = "application/json",
                 ["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY")}
function delay() return tonumber(os.getenv("BENCH_DELAY")) end
function request()
  at = at % #lines + 1
  return wrk.format("POST", "/api/v1/events", headers, lines[at])
end
"""


def by_wrk(where: Path, server: Server, events: list[bytes], rate: int, seconds: int) -> list[str]:
    """What wrk says of the same, over one connection that waits between two requests."""
    (where / "bench.lua").write_text(LUA)
    (where / "bench.ndjson").write_bytes(b"".join(events))
    environ = {
        **os.environ,
        "BENCH_EVENTS": str(where / "bench.ndjson"),
        "BENCH_KEY": server.key,
        "BENCH_DELAY": str(max(0, 1000 // rate - 2)),
    }
    done = subprocess.run(
        ["wrk", "-t1", "-c1", f"-d{seconds}s", "--latency", "-s", str(where / "bench.lua"),
         f"http://127.0.0.1:{server.port}"],
        capture_output=True, text=True, env=environ, check=True,
    )  # fmt: skip
    wanted = ("50%", "75%", "90%", "99%", "Requests/sec", "Non-2xx")
    return [x.strip() for x in done.stdout.splitlines() if x.strip().startswith(wanted)]


def main() -> None:
    """Generate, start, send, print."""
    parser = arguments("single decisions through HTTP on loopback", 100_000)
    parser.add_argument("--rate", type=int, default=200, help="requests a second")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--journal", choices=("wait", "background"), default="wait")
    parser.add_argument("--limit-ms", type=float, default=0.0, help="fail where p99 is above")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    timed = given.rate * given.seconds
    with folder(given.folder) as where:
        path = simulated(where, given.events + 2 * timed)
        every = sorted_by_time(path, given.events + 2 * timed)
        warm, following = every[: given.events], every[given.events : given.events + timed]
        server = Server(where, warm, cores[0] if len(cores) > 1 else None, given.journal)
        try:
            if len(cores) > 1:
                os.sched_setaffinity(0, {cores[-1]})
            head = (
                f"POST /api/v1/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer "
                f"{server.key}\r\ncontent-type: application/json\r\n"
            ).encode()
            asyncio.run(_send(server.port, head, following[:50], 50))
            before = server.cpu_s()
            spent, verdicts = asyncio.run(_send(server.port, head, following[50:], given.rate))
            cpu_ms = (server.cpu_s() - before) * 1000 / len(spent)
            tool = []
            if shutil.which("wrk"):
                tool = by_wrk(where, server, every[given.events + timed :], given.rate, 15)
        finally:
            server.stop()
    p50, p90, p99, p999 = (float(x) * 1000 for x in np.percentile(spent, (50, 90, 99, 99.9)))
    made = {
        "benchmark": "api", "warm_events": given.events, "start_s": round(server.start_s, 1),
        "rate": given.rate, "journal": given.journal, "sent": len(spent),
        "p50_ms": p50, "p90_ms": p90, "p99_ms": p99,
        "p99.9_ms": p999, "cpu_ms": cpu_ms, "max_ms": max(spent) * 1000,
        "verdicts": verdicts, "wrk": tool,
    }  # fmt: skip
    if not given.json:
        print(
            f"{len(spent):,} decisions at {given.rate}/s (journal: {given.journal}) over "
            f"{given.events:,} warm events (ready after {server.start_s:.1f} s): "
            f"p50 {p50:.2f} ms, p90 {p90:.2f}, p99 {p99:.2f}, p99.9 {p999:.2f}, "
            f"max {max(spent) * 1000:.1f}; "
            f"server CPU {cpu_ms:.2f} ms a request; {verdicts}"
        )
        for line in tool:
            print(f"  wrk: {line}")
    told(made if given.json else {"benchmark": "api"}, given.json)
    if given.limit_ms and p99 > given.limit_ms:
        sys.exit(f"p99 is {p99:.2f} ms, above {given.limit_ms} ms")


if __name__ == "__main__":
    main()
