"""Casework in SQLite: how fast alerts come in, and how long a page of a full queue takes.

``python benchmarks/caseload.py`` loads 100,000 alerts; ``--alerts 1000000 --cases 100000`` is the
size that is promised. Three figures: alerts alone into the store (what a sink has to keep up with),
alerts with their cases and timelines, and the time of pages over the full store. A page is what the
service hands out: a query, the rows, the cases decoded and masked.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import statistics
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.common import CLOCK, SEED, arguments, machine, one_core
from casework.cases.alert import StoredAlert
from casework.cases.case import State
from casework.cases.chain import SALT_BYTES
from casework.cases.scope import Role, Scope, service_scope
from casework.cases.themes import Themes
from casework.cases.times import instant_us, time_text
from casework.policy.planner import Planner
from casework.ports import CaseQuery, Record
from casework.service.cases import CaseService
from casework.service.intake import BATCH, AlertIntake
from casework.stores.sql.record import SqlRecord
from regtech.app.policies import shipped_planner
from regtech.collector import collector_paused
from regtech.reference.load import Reference

PACKS = ("cn-aml-conduct", "cn-data-export", "eu-aml", "uk-aml", "hk-aml", "us-aml", "sg-data")
TENANTS = 200
PAGES = 30
SERVICE = service_scope("benchmark")
START_US = instant_us("2026-01-01T00:00:00Z")
SPAN_US = 180 * 86_400_000_000
"""The alerts lie in half a year, in order of time."""


def alerts(count: int, cases: int) -> Iterator[bytes]:
    """Alerts of about the size that the engine writes; a subject's lie together in time.

    ``cases`` subjects have ``count / cases`` alerts each, the alerts of a few hundred subjects
    interleaved at a time, as a stream brings them.
    """
    draw = random.Random(SEED)
    each = max(count // cases, 1)
    window = 300
    number = 0
    for first in range(0, cases, window):
        subjects = [s for s in range(first, min(first + window, cases)) for _ in range(each)]
        draw.shuffle(subjects)
        for subject in subjects:
            number += 1
            time_us = START_US + number * SPAN_US // count
            yield _alert(draw, number, subject, time_text(time_us))


def _alert(draw: random.Random, number: int, subject: int, time: str) -> bytes:
    pack = PACKS[subject % len(PACKS)]
    tenant = f"BANK-{subject % TENANTS}"
    body: dict[str, Any] = {
        "id": hashlib.sha256(str(number).encode()).hexdigest()[:32],
        "rule": f"{pack}-{draw.randrange(20)}",
        "rule_version": "1.0.0",
        "pack": pack,
        "pack_digest": "1052d24742e7aa094a5e3c6ea033429755517451988cc1a8bb19048d38889dea",
        "jurisdiction": pack[:2].upper(),
        "kind": ("breach", "report", "indicator", "suspicion")[subject % 4],
        "status": "enabled",
        "outcome": "met",
        "severity": draw.choice(("low", "medium", "medium", "high", "critical")),
        "subject": {"per": "customer", "id": f"K{subject}", "institution": tenant},
        "time": time,
        "facts": {
            "reporter": tenant,
            "payer.account": f"ACC-{subject}",
            "payee.account": f"ACC-{draw.randrange(10_000_000)}",
            "payer.name": "Zhang San",
            "amount": 800000,
        },
        "inputs": [[1600000, 1600000], [None, None]],
        "events": [f"E{number}-{i}" for i in range(8)],
        "due": None,
        "explanation": {
            "en": "Occasional wire transfers of HKD 8,000 or more without due diligence",
            "zh": "八千港元以上非经常电传转账未作尽职审查",
        },
        "padding": "x" * 700,
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def load(
    record: Record, planner: Planner | None, found: Iterator[bytes], batch: int
) -> tuple[int, float, float]:
    """Written alerts in; their number, wall and CPU seconds from the line to the durable row.

    Without a planner they are only kept, to measure the record alone.
    """
    intake = None
    if planner is not None:
        intake = AlertIntake(record, CLOCK, Reference.shipped(), planner)
    count, wall, cpu = 0, 0.0, 0.0
    while True:
        piece = list(islice(found, batch))
        if not piece:
            return count, wall, cpu
        began, used = CLOCK.elapsed(), sum(os.times()[:2])
        with collector_paused():  # as the ways into a store do it
            made = [StoredAlert.of(line) for line in piece]
        if intake is not None:
            intake.take(SERVICE, made)
        else:
            with record.unit(SERVICE) as unit:
                unit.add_alerts(SERVICE, made)
        wall += CLOCK.elapsed() - began
        cpu += sum(os.times()[:2]) - used
        count += len(piece)


def rate(count: int, wall: float, cpu: float) -> dict[str, int]:
    """Alerts a second of wall and of CPU time."""
    return {"per second": round(count / wall), "per CPU second": round(count / cpu)}


def pages(service: CaseService, record: SqlRecord) -> dict[str, list[float]]:
    """Milliseconds of each page of several walks."""
    wang = Scope("wang", frozenset({Role.SUPERVISOR}), None, None)
    european = Scope("eva", frozenset({Role.SUPERVISOR}), frozenset({"EU", "UK"}), None)
    bank = Scope("bank", frozenset({Role.INSTITUTION}), None, frozenset({"BANK-7"}))
    now = CLOCK.now_us()
    walks: dict[str, tuple[Scope, CaseQuery]] = {
        "open": (wang, CaseQuery(awake_at_us=now)),
        "everything": (wang, CaseQuery(open=None)),
        "state": (wang, CaseQuery(state=State.NEW)),
        "queue, free": (wang, CaseQuery(queue="general", assignee="", awake_at_us=now)),
        "theme": (wang, CaseQuery(theme="data-export")),
        "two jurisdictions": (european, CaseQuery()),
        "one tenant": (wang, CaseQuery(tenant="BANK-9")),
        "overdue": (wang, CaseQuery(due_before_us=now)),
        "nobody's": (wang, CaseQuery(assignee="somebody")),
    }
    found: dict[str, list[float]] = {}

    def timed(name: str, act: Callable[[], Any]) -> Any:
        began = CLOCK.elapsed()
        result = act()
        found.setdefault(name, []).append((CLOCK.elapsed() - began) * 1000)
        return result

    ids: list[str] = []
    for name, (scope, query) in walks.items():
        after = None
        for _ in range(PAGES):

            def page(scope: Scope = scope, query: CaseQuery = query, after: Any = after) -> Any:
                made = service.list(scope, query, after=after)
                for case in made.items:
                    service.summary(scope, case)
                return made

            made = timed(name, page)
            ids += [case.id for case in made.items[:2]]
            after = made.after
            if after is None:
                break
    after = None
    for _ in range(PAGES):

        def told(after: Any = after) -> Any:
            return service.disclosed_list(bank, after=after)

        made = timed("institution", told)
        after = made.after
        if after is None:
            break
    for case_id in ids[: PAGES * 3]:
        timed("one case whole", lambda case_id=case_id: service.view(wang, case_id))
    after = None
    for _ in range(PAGES):
        made = timed("alerts", lambda after=after: record.alerts(SERVICE, after=after))
        after = made.after
    for _ in range(PAGES):
        timed("claim next", lambda: service.claim_next(wang))
    return found


def main() -> None:
    """Load, walk, print."""
    parser = arguments("alerts into SQLite, and pages of full queues", 0)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=BATCH)
    given = parser.parse_args()
    one_core(given.core)
    result: dict[str, Any] = {"machine": machine(), "alerts": given.alerts, "cases": given.cases}
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        alone = SqlRecord(f"{folder}/alone.db", CLOCK, lambda: os.urandom(SALT_BYTES))
        few = min(given.alerts, 100_000)
        count, wall, cpu = load(alone, None, alerts(few, few // 10), given.batch)
        alone.close()
        result["alerts alone"] = {
            "per second": round(count / wall),
            "per CPU second": round(count / cpu),
        }
        record = SqlRecord(f"{folder}/cases.db", CLOCK, lambda: os.urandom(SALT_BYTES))
        reference = Reference.shipped()
        made = alerts(given.alerts, given.cases)
        with shipped_planner() as planner:
            count, wall, cpu = load(record, planner, made, given.batch)
            again = alerts(few, max(few * given.cases // given.alerts, 1))
            repeated, wall_again, _ = load(record, planner, again, given.batch)
            themes = Themes(found.theme for found in planner.policies.themes)
        result["with cases"] = rate(count, wall, cpu)
        result["the same again"] = {"per second": round(repeated / wall_again)}
        record.close()
        record = SqlRecord(f"{folder}/cases.db", CLOCK, lambda: os.urandom(SALT_BYTES))
        result["MiB"] = round((Path(folder) / "cases.db").stat().st_size / (1 << 20))
        service = CaseService(record, CLOCK, reference, themes)
        result["pages, ms"] = {
            name: {
                "pages": len(times),
                "p50": round(statistics.median(times), 1),
                "p95": round(sorted(times)[int(len(times) * 0.95)], 1)
                if len(times) > 1
                else round(times[0], 1),
                "max": round(max(times), 1),
            }
            for name, times in pages(service, record).items()
        }
        record.close()
    print(json.dumps(result, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
