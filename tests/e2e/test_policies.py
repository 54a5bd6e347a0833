"""From events to cases: every alert of all packs is in a case or shown aside, in any order."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from casework.cases.case import Case, Gate
from casework.cases.errors import FourEyesError
from casework.cases.scope import Role, Scope, service_scope
from casework.ports import CaseQuery
from regtech.app.casework import Casework, casework, import_alerts
from regtech.app.evidence import create_signing_keys, export_case, verify_file
from regtech.app.progress import NoProgress
from regtech.app.run import run_command
from regtech.app.simulate import simulate_command
from regtech.clock import SystemClock
from regtech.errors import InputError, StoreError

EVENTS = 8_000
SERVICE = service_scope("test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of all packs over simulated events of all types, with near misses, into a store."""
    folder = tmp_path_factory.mktemp("cases")
    events = folder / "events.ndjson"
    simulate_command(events, events=EVENTS, seed=7, progress=NoProgress())
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


def holdings(parts: Casework) -> list[tuple[Case, tuple[str, ...]]]:
    """Each case with the alerts that it has."""
    return [(case, held(parts, case)) for case in cases_of(parts)]


@pytest.fixture(scope="module")
def stored(folder: Path) -> list[tuple[Case, tuple[str, ...]]]:
    """What the run put into the store, read once."""
    with parts_of(folder) as parts:
        return holdings(parts)


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


def test_every_alert_is_in_one_case_or_aside_with_the_reason(
    folder: Path, stored: list[tuple[Case, tuple[str, ...]]]
) -> None:
    alerts = written(folder)
    with parts_of(folder) as parts:
        places: Counter[str] = Counter()
        policies: Counter[str] = Counter()
        for case, mine in stored:
            assert len(mine) == case.alert_count
            assert case.withdrawn == (not mine)
            assert case.reason["en"] and case.reason["zh"] and case.theme and case.policy_version
            places.update(mine)
            policies[case.policy] += 1
        away = aside(parts)
        places.update(away.keys())
    assert places == Counter(alert["id"] for alert in alerts)
    assert len(alerts) > 5000 and len(places) == len(alerts)
    wanted = {"duty-with-a-date", "conduct-of-institution", "subject-and-theme"}
    assert wanted | {"counterparty-of-several"} <= policies.keys()
    assert {policy for _, policy in away.values()} == {"near-miss-alone", "brake-noisy-rules"}
    assert sum(policies.values()) * 2 < len(alerts)


def test_payments_and_exports_of_one_group_are_one_case(
    folder: Path, stored: list[tuple[Case, tuple[str, ...]]]
) -> None:
    """The customer's group is in the register of parties, the exporter's in the event."""
    by_id = {alert["id"]: alert for alert in written(folder)}
    cases = [case for case, _ in stored if case.policy == "money-and-data"]
    alerts = [by_id[alert] for case, mine in stored if case in cases for alert in mine]
    assert [(case.queue, case.key_kind) for case in cases] == [("complex", "group")]
    assert {"ty-structuring", "cn-xb-sa-ciio"} <= {alert["rule"] for alert in alerts}
    assert {alert["subject"]["group"] for alert in alerts} == {cases[0].key}


def test_the_same_alerts_in_another_order_make_the_same_cases(
    folder: Path, stored: list[tuple[Case, tuple[str, ...]]]
) -> None:
    lines = [
        line
        for name in ("alerts.ndjson", "alerts.near.ndjson")
        for line in (folder / name).read_bytes().splitlines()
    ]
    random.Random(3).shuffle(lines)
    mixed = folder / "mixed.ndjson"
    mixed.write_bytes(b"\n".join(lines) + b"\n")
    made = []
    with parts_of(folder) as parts, parts.record.unit(SERVICE) as unit:
        subjects = unit.watched(SERVICE)  # as the engine counted them
    assert len(subjects) > 100
    with parts_of(folder, "mixed.db") as parts:
        import_alerts(parts, [mixed], tenant=None, progress=NoProgress())
        parts.intake.watch(SERVICE, subjects, exactly=True)
    for name in ("cases.db", "mixed.db"):
        with parts_of(folder, name) as parts:
            cases = {
                (
                    case.id, case.policy, case.severity, case.priority, case.queue, case.due_us,
                    case.theme, case.tenants, case.alert_kinds, mine,
                )
                for case, mine in (stored if name == "cases.db" else holdings(parts))
                if not case.ended
            }  # fmt: skip
            made.append((cases, aside(parts)))
    assert made[0] == made[1]


# --- evidence

WANG = Scope("wang", frozenset({Role.SUPERVISOR}), None, None)
LI = Scope("li", frozenset({Role.SUPERVISOR}), None, None)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    keys = tmp_path_factory.mktemp("evidence") / "keys"
    create_signing_keys(keys, SystemClock())
    return keys


def exported(parts: Casework, case: Case, out: Path, keys: Path, number: int = 0) -> dict[str, Any]:
    return export_case(
        parts, WANG, case.id, out, keys=keys, personal=bool(number), number=number, rules=None
    )


def test_a_case_is_handed_over_as_a_bundle_that_proves_itself(
    folder: Path, keys: Path, tmp_path: Path
) -> None:
    with parts_of(folder) as parts:
        case = max(cases_of(parts), key=lambda case: case.alert_count)
        done = exported(parts, case, tmp_path / "case.json", keys)
        again = exported(parts, case, tmp_path / "again.json", keys)
    assert (done["alerts"], done["without_text"]) == (case.alert_count, [])
    assert done["rules"] >= 1 and done["withheld"] > case.alert_count
    assert again["entries"] == done["entries"] + 1  # the first export is on record
    report, _, status = verify_file(tmp_path / "case.json", [done["key"]], "en")
    assert status == 0 and report["findings"] == []
    assert report["anchored"] == case.alert_count + done["rules"]
    data = (tmp_path / "case.json").read_bytes()
    bundle = json.loads(data)
    rule = next(d for name, d in bundle["documents"].items() if name.startswith("rules/"))
    assert rule["id"] in rule["text"] and rule["pack_digest"]
    assert case.key.rpartition("|")[2] not in data.decode() or case.key_kind == "institution"
    changed = tmp_path / "changed.json"
    draw = random.Random(5)
    for place in [draw.randrange(len(data)) for _ in range(25)]:
        changed.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        try:
            assert verify_file(changed, [done["key"]], "en")[2] == 1
        except InputError:
            continue  # no bundle at all any more


def test_personal_data_leave_by_two_persons_and_once(
    folder: Path, keys: Path, tmp_path: Path
) -> None:
    with parts_of(folder) as parts:
        service = parts.service
        case = next(c for c in cases_of(parts) if not c.ended and c.key_kind == "subject")
        with pytest.raises(FourEyesError):
            exported(parts, case, tmp_path / "no.json", keys, 99)
        asked = service.ask(
            WANG, case.id, case.version, Gate.EXPORT, "court order", about="evidence"
        )
        number = asked.requests[0].number
        with pytest.raises(FourEyesError):
            service.approve(WANG, case.id, asked.version, number)
        service.approve(LI, case.id, asked.version, number)
        done = exported(parts, case, tmp_path / "clear.json", keys, number)
        with pytest.raises(FourEyesError):
            exported(parts, case, tmp_path / "again.json", keys, number)
    assert done["withheld"] == 0
    assert case.key.rpartition("|")[2] in (tmp_path / "clear.json").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clear.json"]
    assert verify_file(tmp_path / "clear.json", [done["key"]], "en")[2] == 0


def test_an_alert_that_was_changed_in_the_store_is_not_exported(
    folder: Path, keys: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    with parts_of(folder):
        pass
    shutil.copy(folder / "cases.db", copy)
    with parts_of(tmp_path, "copy.db") as parts:
        case = next(c for c in cases_of(parts) if not c.ended)
        (mine, *_) = held(parts, case)
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute(
            "UPDATE alerts SET raw = CAST(replace(CAST(raw AS TEXT), '\"severity\":', "
            "'\"severity\": ') AS BLOB) WHERE id = ?", (mine,)
        )  # fmt: skip
    with parts_of(tmp_path, "copy.db") as parts, pytest.raises(StoreError, match=mine):
        exported(parts, case, tmp_path / "case.json", keys)
