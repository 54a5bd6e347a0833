"""From events to cases: every alert of all packs is in a case or shown aside, in any order."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from casework.cases.case import Case
from casework.cases.scope import service_scope
from casework.ports import CaseQuery
from regtech.app.casework import Casework, casework, import_alerts
from regtech.app.progress import NoProgress
from regtech.app.run import run_command
from regtech.app.simulate import simulate_command

EVENTS = 20_000
SERVICE = service_scope("test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of all packs over simulated events of all types, with near misses, into a store."""
    folder = tmp_path_factory.mktemp("cases")
    events = folder / "events.ndjson"
    simulate_command(events, events=EVENTS, seed=7, progress=NoProgress())
    from fractions import Fraction

    run_command(
        events=(str(events),), packs=(), rules=None, out=str(folder / "alerts.ndjson"),
        quarantine=None, map=None, store=f"sqlite:///{folder}/cases.db", snapshot=None,
        resume=False, batch=16384, lateness=600_000_000, from_=None, to=None, law_as_of=None,
        home=None, near=Fraction(4, 5), strict=False, progress=NoProgress(),
    )  # fmt: skip
    return folder


@contextmanager
def parts_of(folder: Path, name: str = "cases.db") -> Iterator[Casework]:
    with casework(f"sqlite:///{folder}/{name}", create=True) as parts:
        yield parts


def written(folder: Path) -> list[dict[str, Any]]:
    """All alerts and near misses, as the run wrote them."""
    lines: list[str] = []
    for name in ("alerts.ndjson", "alerts.near.ndjson"):
        lines += (folder / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def cases_of(parts: Casework) -> Iterator[Case]:
    after = None
    while True:
        page = parts.record.cases(SERVICE, CaseQuery(open=None), after=after, limit=500)
        yield from page.items
        after = page.after
        if after is None:
            return


def held(parts: Casework, case: Case) -> tuple[str, ...]:
    found: list[str] = []
    after = None
    while True:
        page = parts.record.case_alerts(SERVICE, case.id, after=after, limit=500)
        found += [alert.id for alert in page.items]
        after = page.after
        if after is None:
            return tuple(sorted(found))


def aside(parts: Casework) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    after = None
    while True:
        page = parts.record.asides(SERVICE, after=after, limit=500)
        for item in page.items:
            assert item.directive.reason["en"] and item.directive.reason["zh"]
            found[item.alert.id] = item.directive.outcome.value, item.directive.policy
        after = page.after
        if after is None:
            return found


def test_every_alert_is_in_one_case_or_aside_with_the_reason(folder: Path) -> None:
    alerts = written(folder)
    with parts_of(folder) as parts:
        places: Counter[str] = Counter()
        policies: Counter[str] = Counter()
        for case in cases_of(parts):
            mine = held(parts, case)
            assert len(mine) == case.alert_count
            assert case.withdrawn == (not mine)
            assert case.reason["en"] and case.reason["zh"] and case.theme and case.policy_version
            places.update(mine)
            policies[case.policy] += 1
        away = aside(parts)
        places.update(away.keys())
    assert places == Counter(alert["id"] for alert in alerts)
    assert len(alerts) > 5000 and len(places) == len(alerts)
    assert {"duty-with-a-date", "conduct-of-institution", "subject-and-theme"} <= policies.keys()
    assert "near-miss-alone" in {policy for _, policy in away.values()}
    assert sum(policies.values()) * 2 < len(alerts)


def test_the_same_alerts_in_another_order_make_the_same_cases(folder: Path) -> None:
    lines = [
        line
        for name in ("alerts.ndjson", "alerts.near.ndjson")
        for line in (folder / name).read_bytes().splitlines()
    ]
    random.Random(3).shuffle(lines)
    mixed = folder / "mixed.ndjson"
    mixed.write_bytes(b"\n".join(lines) + b"\n")
    made = []
    with parts_of(folder, "mixed.db") as parts:
        import_alerts(parts, [mixed], tenant=None, progress=NoProgress())
    for name in ("cases.db", "mixed.db"):
        with parts_of(folder, name) as parts:
            cases = {
                (
                    case.id, case.policy, case.severity, case.priority, case.queue, case.due_us,
                    case.theme, case.tenants, case.alert_kinds, held(parts, case),
                )
                for case in cases_of(parts)
                if not case.ended
            }  # fmt: skip
            made.append((cases, aside(parts)))
    assert made[0] == made[1]
