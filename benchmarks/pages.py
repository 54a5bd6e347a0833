"""The pages over a full queue: time in the server, and the weight of each page.

``python benchmarks/pages.py`` opens 100,000 cases in SQLite with their search index, and asks for
pages through the whole application, as a browser's request would be answered: shell, session,
service, template. What is promised: the first page of the queue in 200 ms and 150 kB.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.casework import alerts, load  # noqa: E402
from benchmarks.common import CLOCK, arguments, machine, one_core  # noqa: E402
from casework.cases.chain import SALT_BYTES  # noqa: E402
from casework.cases.scope import Role  # noqa: E402
from casework.stores.sql.record import SqlRecord  # noqa: E402
from regtech.app.asgi import ServerSettings, server  # noqa: E402
from regtech.app.casework import casework  # noqa: E402
from regtech.app.identity import accounts  # noqa: E402
from regtech.app.policies import shipped_planner  # noqa: E402
from regtech.app.progress import NoProgress  # noqa: E402
from regtech.app.search import rebuild_index, searching  # noqa: E402

PASSWORD = "a password for the benchmark"  # noqa: S105
REPEATS = 15
PATHS = (
    "/queue",
    "/queue?jurisdiction=EU",
    "/queue?assignee=nobody&overdue=1",
    "/queue?q=K0000042",
    "/overview",
    "/institutions",
    "/institutions/BANK-9",
    "/alerts",
)


def fill(store: str, count: int) -> None:
    """So many cases of one alert each, their search index, and somebody who may look."""
    record = SqlRecord(store, CLOCK, lambda: os.urandom(SALT_BYTES), create=True)
    with shipped_planner() as planner:
        load(record, planner, alerts(count, count), 2000)
    record.close()
    with casework(store) as parts, searching(parts, store, None, lambda _: None) as found:
        rebuild_index(found, NoProgress())
    with accounts(store, "benchmark") as made:
        made.identity.create_user(made.scope, "wang", [Role.SUPERVISOR], password=PASSWORD)


def ask(store: str, folder: Path) -> dict[str, Any]:
    """Milliseconds of wall and CPU time, and bytes, of each page; the first look by itself."""
    from starlette.testclient import TestClient

    found: dict[str, Any] = {}
    settings = ServerSettings(store=store, data=folder / "events", events=False)
    with server(settings) as made, TestClient(made.app, base_url="https://pages.test") as client:
        answer = client.post(
            "/signin",
            data={"name": "wang", "password": PASSWORD, "next": "/queue"},
            follow_redirects=False,
        )
        assert answer.status_code == 303, answer.text
        first = client.get("/queue", headers={"accept": "text/html"})
        case = first.text.partition('href="/cases/')[2].partition('"')[0]
        for path in (*PATHS, f"/cases/{case}"):
            times, used = [], []
            for _ in range(REPEATS):
                began, cpu = CLOCK.elapsed(), sum(os.times()[:2])
                answer = client.get(path, headers={"accept": "text/html"})
                times.append((CLOCK.elapsed() - began) * 1000)
                used.append((sum(os.times()[:2]) - cpu) * 1000)
                assert answer.status_code == 200, (path, answer.status_code)
            name = path if path in PATHS else "/cases/…"
            found[name] = {
                "first": round(times[0], 1),
                "p50": round(statistics.median(times), 1),
                "max": round(max(times), 1),
                "CPU": round(statistics.mean(used[1:])),
                "kB": round(len(answer.content) / 1000, 1),
            }
    return found


def main() -> None:
    """Fill, ask, print."""
    parser = arguments("pages over a full queue", 0)
    parser.add_argument("--cases", type=int, default=100_000)
    given = parser.parse_args()
    one_core(given.core)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        store = f"{folder}/cases.db"
        fill(store, given.cases)
        result = {"machine": machine(), "cases": given.cases, "pages": ask(store, Path(folder))}
    print(json.dumps(result, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
