"""The pages over a full queue: time in the server, and the weight of each page.

``python benchmarks/pages.py`` opens 100,000 cases of 1,000,000 alerts in SQLite with their search
index, and asks for pages through the whole application, as a browser's request would be answered:
shell, session, service, template. What is promised: every page in 200 ms at the 95th percentile,
the first page of the queue in 150 kB. Filling takes half an hour: ``--store FILE`` keeps what was
filled, and asks it again where it is there already.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.caseload import alerts, load
from benchmarks.common import CLOCK, arguments, machine, one_core
from casework.cases.chain import SALT_BYTES
from casework.cases.scope import Role, service_scope
from casework.ports import Quarantined
from casework.stores.sql.desk import SqlEventDesk
from casework.stores.sql.record import SqlRecord
from regtech.app.asgi import ServerSettings, server
from regtech.app.casework import casework
from regtech.app.identity import accounts
from regtech.app.policies import shipped_planner
from regtech.app.progress import NoProgress
from regtech.app.search import rebuild_index, searching

PASSWORD = "a password for the benchmark"
REPEATS = 20
QUARANTINED = 10_000
PEOPLE: Mapping[str, tuple[Role, Mapping[str, Any]]] = {
    "wang": (Role.SUPERVISOR, {}),
    "operator": (Role.OPERATOR, {}),
    "bank": (Role.INSTITUTION, {"tenants": {"BANK-9"}}),
}
PATHS: Mapping[str, Sequence[str]] = {
    "wang": (
        "/queue",
        "/queue/count",
        "/queue?jurisdiction=EU",
        "/queue?tenant=BANK-9",
        "/queue?assignee=nobody&overdue=1",
        "/queue?q=K42",
        "/queue?q=Zhang+San",
        "/overview",
        "/institutions",
        "/institutions/BANK-9",
        "/alerts",
        "/alerts?aside=suppressed",
        "/parties?kind=subject&key=BANK-9%7CK9",
        "/parties?kind=institution&key=BANK-9",
        "/quarantine",
        "/rules",
        "/policies",
        "{case}",
        "{alert}",
    ),
    "operator": ("/audit", "/audit?chain=BANK-9", "/health", "/accounts"),
    "bank": ("/queue", "/alerts", "/institutions/BANK-9"),
}
"""Who asks for what; ``{case}`` is the first of the queue, ``{alert}`` the first of its alerts."""


def fill(store: str, count: int, cases: int) -> None:
    """So many alerts in cases, their search index, a quarantine, and people who may look."""
    record = SqlRecord(store, CLOCK, lambda: os.urandom(SALT_BYTES), create=True)
    with shipped_planner() as planner:
        load(record, planner, alerts(count, cases), 2000)
    record.close()
    with casework(store) as parts, searching(parts, store, None, lambda _: None) as found:
        rebuild_index(found, NoProgress())
    people(store)


def people(store: str) -> None:
    """Those who look at the pages, and events that could not be judged."""
    with accounts(store, "benchmark") as made:
        for name, (role, reach) in PEOPLE.items():
            made.identity.create_user(made.scope, name, [role], password=PASSWORD, **reach)
    record = SqlRecord(store, CLOCK, lambda: os.urandom(SALT_BYTES), create=False)
    events = [
        Quarantined(
            number=0, tenant=f"BANK-{number % 200}", received_us=CLOCK.now_us(), source="benchmark",
            line=number, place="amount", code="decimal", found="12,5", expected="a decimal number",
            raw=b'{"id": "E%d", "amount": "12,5"}' % number, origin=None, state="open",
        )
        for number in range(QUARANTINED)
    ]  # fmt: skip
    SqlEventDesk(record).quarantine(service_scope("benchmark"), events)
    record.close()


def ask(store: str, folder: Path) -> dict[str, Any]:
    """Milliseconds of wall and CPU time, and bytes, of each page; the first look by itself."""
    found: dict[str, Any] = {}
    os.environ.setdefault("REGTECH_STRANGER_RATE", "100")
    settings = ServerSettings(store=store, data=folder / "events", packs=("cn-aml-large-value",))
    with server(settings) as made:
        for name, paths in PATHS.items():
            found |= _walk(made.app, name, paths)
    return found


def _walk(app: Any, name: str, paths: Sequence[str]) -> dict[str, Any]:
    from starlette.testclient import TestClient

    found: dict[str, Any] = {}
    html = {"accept": "text/html"}
    client = TestClient(app, base_url="https://pages.test")
    given = {"name": name, "password": PASSWORD, "next": "/queue"}
    answer = client.post("/signin", data=given, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    first = client.get("/queue", headers=html).text
    places = {"case": "/cases/" + first.partition('href="/cases/')[2].partition('"')[0]}
    if name == "wang":
        shown = client.get(places["case"], headers=html).text
        places["alert"] = "/alerts/" + shown.partition('href="/alerts/')[2].partition('"')[0]
    for path in paths:
        times, used = [], []
        for _ in range(REPEATS):
            began, cpu = CLOCK.elapsed(), sum(os.times()[:2])
            answer = client.get(path.format(**places), headers=html)
            times.append((CLOCK.elapsed() - began) * 1000)
            used.append((sum(os.times()[:2]) - cpu) * 1000)
            assert answer.status_code == 200, (path, answer.status_code, answer.text[-500:])
        found[f"{name} {path}"] = {
            "first": round(times[0], 1),
            "p50": round(statistics.median(times), 1),
            "p95": round(sorted(times)[int(len(times) * 0.95) - 1], 1),
            "first CPU": round(used[0]),
            "CPU": round(statistics.mean(used[1:])),
            "kB": round(len(answer.content) / 1000, 1),
        }
    return found


def main() -> None:
    """Fill, ask, print."""
    parser = arguments("pages over a full queue", 0)
    parser.add_argument("--alerts", type=int, default=1_000_000)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--store", type=Path, help="keep what is filled here, and use it again")
    given = parser.parse_args()
    one_core(given.core)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        store = given.store or Path(folder) / "cases.db"
        if not store.exists():
            fill(str(store), given.alerts, given.cases)
        result = {"machine": machine(), "cases": given.cases, "alerts": given.alerts}
        result["pages"] = ask(str(store), Path(folder))
    if given.json:
        print(json.dumps(result, indent=2, ensure_ascii=False))
        return
    print(json.dumps(result["machine"], ensure_ascii=False))
    for name, figures in result["pages"].items():
        print(f"{name:44}", " ".join(f"{key} {value}" for key, value in figures.items()))


if __name__ == "__main__":
    main()
