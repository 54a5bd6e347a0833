"""What a change of lists costs a server, and what decisions see of it meanwhile.

    python benchmarks/lists.py FOLDER [--events 50000] [--rate 200]

The lists of a folder (OFAC's, the UN's) are published to a server with all packs, which has so many
events in its journal. Single decisions come over HTTP at a constant rate; one entry of one list is
renamed, and the server takes the change, exchanges what its rules are held against, and screens all
known parties again. How long decisions took before and meanwhile, from when each was due.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.api import Server, _send, sorted_by_time
from benchmarks.common import CLOCK, arguments, folder, simulated, told

STILL_S = 20
MOST_S = 120


def main() -> None:
    """Publish, fill, change under load."""
    parser = arguments(__doc__ or "", 50_000)
    parser.add_argument("lists", type=Path)
    parser.add_argument("--rate", type=int, default=200, help="decisions a second")
    given = parser.parse_args()
    with folder(given.folder) as where:
        count = given.events + given.rate * (STILL_S + MOST_S)
        lines = sorted_by_time(simulated(where, count), count)
        published = where / "published"
        published.mkdir()
        for path in sorted(given.lists.iterdir()):
            if path.suffix in (".csv", ".xml"):
                (published / path.name).write_bytes(path.read_bytes())
        own = published / "own.csv"
        own.write_text("name\nRomashka Trading LLC\n", encoding="utf-8")
        os.environ |= {"REGTECH_LISTS": str(published), "REGTECH_LISTS_EVERY": "2s"}
        server = Server(where, lines[: given.events], None, "wait")
        try:
            made = _measured(server, own, lines[given.events :], given.rate)
        finally:
            server.stop()
    told({"benchmark": "lists", "events": given.events, "rate": given.rate, **made}, given.json)


def _measured(server: Server, own: Path, following: list[bytes], rate: int) -> dict[str, Any]:
    head = (
        f"POST /api/v1/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer "
        f"{server.key}\r\ncontent-type: application/json\r\n"
    ).encode()

    def lists() -> dict[str, Any]:
        url = f"http://127.0.0.1:{server.port}/api/v1/health"
        asked = urllib.request.Request(url, headers={"authorization": f"Bearer {server.key}"})
        with urllib.request.urlopen(asked) as answer:
            found: dict[str, Any] = json.loads(answer.read())["parts"]["lists"]
        return found

    pause = threading.Event()
    while lists()["stage"]:
        pause.wait(0.5)
    first, rest = following[: rate * STILL_S], following[rate * STILL_S :]
    still, _ = asyncio.run(_send(server.port, head, first, rate))
    made: dict[str, Any] = {"before": _shown(still)}
    began, used, stages = CLOCK.elapsed(), server.cpu_s(), dict[str, float]()
    own.write_text("name\nRomashka Trading LLC\nWilhelmina Andersen\n", encoding="utf-8")
    spent: list[float] = []
    refused = 0
    done = False
    while not done and len(rest) >= rate * 5:
        piece, rest = rest[: rate * 5], rest[rate * 5 :]
        found, verdicts = asyncio.run(_send(server.port, head, piece, rate))
        spent += found
        refused += verdicts.get("503", 0)
        now = lists()
        stages[now["stage"] or "waiting"] = round(CLOCK.elapsed() - began, 1)
        done = now["versions"]["own"]["entries"] == 2 and not now["to_screen_again"]
    own_s = server.cpu_s() - used - len(spent) * 0.0018
    return {
        **made,
        "meanwhile": _shown(spent),
        "over_10_ms": sum(one > 0.01 for one in spent),
        "refused": refused,
        "done": done,
        "seconds": round(CLOCK.elapsed() - began, 1),
        "seen_until_s": stages,
        "server_cpu_s_beside_decisions": round(own_s, 1),
        "health": now,
    }


def _shown(spent: list[float]) -> dict[str, float]:
    p50, p90, p99, p999 = (float(x) * 1000 for x in np.percentile(spent, (50, 90, 99, 99.9)))
    return {
        "decisions": len(spent), "p50_ms": round(p50, 2), "p90_ms": round(p90, 2),
        "p99_ms": round(p99, 2), "p99.9_ms": round(p999, 2), "max_ms": round(max(spent) * 1000, 1),
    }  # fmt: skip


if __name__ == "__main__":
    main()
