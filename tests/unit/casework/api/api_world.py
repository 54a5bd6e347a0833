"""The parts of a server put together in memory, and what tests say to it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from casework.api.app import create_app
from casework.api.context import Context
from casework.api.gate import Gate
from casework.api.metrics import Metrics
from casework.api.problems import CODES, MEDIA_TYPE
from casework.api.shell import Limits
from casework.cases.accounts import EVERYTHING, Permission
from casework.cases.case import Case
from casework.cases.scope import Role
from casework.identity.passwords import Passwords
from casework.identity.rate import Rate
from casework.identity.secondfactor import SecondFactor
from casework.identity.service import Identity
from casework.search.memory import MemoryIndex
from casework.search.rebuild import rebuild
from casework.service.alerts import AlertReading
from casework.service.proposals import ProposalService
from casework.service.search import SearchService
from casework.stores.memory import MemoryRecord
from casework.stores.memory_proposals import MemoryProposals
from casework.stores.memory_service import MemoryAccounts, MemoryAnswers, MemoryEventDesk
from regtech.app.backtests import Backtests
from regtech.app.bulk import Bulk
from regtech.app.choice import chosen_packs
from regtech.app.deciding import Deciding
from regtech.app.drafts import Drafts
from regtech.app.journal import Journal
from regtech.app.quarantines import Quarantines
from regtech.app.reading import RuleReading, RuleSource
from regtech.app.rulebook import Rules
from regtech.clock import ManualClock
from regtech.reference.load import Reference
from tests.contract.world import SERVICE, START_US, Salts, Weekdays, World, alert

PASSWORD = "correct horse battery"
SECOND_US = 1_000_000


@dataclass
class Random:
    """Bytes that are the same in every run, and never the same twice."""

    count: int = 0

    def __call__(self, size: int) -> bytes:
        self.count += 1
        return self.count.to_bytes(size, "big")


@dataclass
class Well:
    """A process that is well."""

    serving: bool = True

    def live(self) -> bool:
        return True

    def ready(self) -> bool:
        return self.serving

    def parts(self) -> dict[str, Any]:
        return {"engine": {"events": 0}}


@dataclass
class ApiWorld:
    """An application with what is behind it."""

    app: FastAPI
    client: TestClient
    context: Context
    identity: Identity
    accounts: MemoryAccounts
    world: World
    clock: ManualClock
    health: Well
    desk: MemoryEventDesk
    deciding: Deciding | None = None
    bulk: Bulk | None = None
    journal: Journal | None = None
    keys: dict[str, str] = field(default_factory=dict)
    index: MemoryIndex = field(default_factory=MemoryIndex)
    proposals: MemoryProposals | None = None

    @classmethod
    @contextmanager
    def made(
        cls,
        folder: Path,
        *,
        events: bool = False,
        limits: Limits | None = None,
        rate: int = 1_000_000,
        strangers: int = 1_000_000,
        rules_folder: Path | None = None,
        **more: Any,
    ) -> Iterator[ApiWorld]:
        """A world whose clock stands still until it is moved."""
        clock, health = ManualClock(START_US), Well()
        record = MemoryRecord(clock, Salts())
        world, accounts, desk = World(record, clock), MemoryAccounts(record), MemoryEventDesk()
        identity = Identity(
            accounts,
            clock,
            Random(),
            passwords=Passwords(time_cost=1, memory_kib=8),
            second_factor=SecondFactor("s" * 32),
            jurisdictions=sorted(Reference.shipped().profiles),
        )
        index = MemoryIndex()
        parts: dict[str, Any] = {"search": SearchService(record, index), **more}
        journal = deciding = bulk = None
        names = ("cn-aml-large-value",) if events else ()
        if events:
            packs = chosen_packs(names, rules_folder)
            journal = Journal(folder / "data")
            deciding = Deciding(
                packs, Reference.shipped(), journal, desk, world.intake, clock, home=None
            )
            bulk = Bulk(folder / "data" / "bulk", deciding, desk, clock, lambda: False)
            parts |= {
                "decider": deciding,
                "bulk": bulk,
                "quarantine": Quarantines(desk, deciding),
                "rules": Rules(packs, folder=rules_folder),
            }
        rules, proposals = parts.get("rules"), MemoryProposals(record)
        if isinstance(rules, Rules):
            # The first run on a machine compiles for a while.
            drafts, ids = Drafts(rules, seconds=120, ready_s=300), itertools.count(1)
            parts |= {
                "drafts": drafts,
                "proposals": ProposalService(
                    proposals, rules, drafts, clock, lambda: f"P-{next(ids):020d}"
                ),
            }
            if deciding is not None:
                desk_of_backtests = Backtests(
                    folder / "backtests", rules, drafts, clock, data=folder / "data", history=None
                )
                parts.setdefault("backtests", desk_of_backtests)
            source = RuleSource(names, rules_folder, None, folder / "data")
            parts.setdefault(
                "rules_in_force",
                RuleReading(source, rules, parts["proposals"], proposals, deciding, clock),
            )
        context = Context(
            service=world.service,
            alerts=AlertReading(record, clock, Weekdays(), world.service.themes),
            gate=Gate(identity, Rate(clock, rate, rate), Rate(clock, strangers, strangers)),
            answers=MemoryAnswers(),
            clock=clock,
            metrics=Metrics(),
            health=health,
            **parts,
        )
        app = create_app(context, version="0", random=Random(), limits=limits)
        with TestClient(app, base_url="https://regtech.test") as client:
            yield cls(
                app, client, context, identity, accounts, world, clock, health, desk,
                deciding, bulk, journal, index=index, proposals=proposals,
            )  # fmt: skip
        if isinstance(rules, Rules):
            drafts.close()
        if isinstance(backtests := parts.get("backtests"), Backtests):
            backtests.close()
        if journal is not None:
            journal.close()

    def user(self, name: str, role: Role, **reach: Any) -> str:
        """A user with a key for everything; the key."""
        self.identity.create_user(SERVICE, name, [role], **reach)
        return self.key(name, EVERYTHING)

    def indexed(self) -> None:
        """Have all that is in the record be found."""
        rebuild(self.world.record, self.index, SERVICE, self.world.service.themes)

    def key(self, name: str, permissions: frozenset[Permission], **more: Any) -> str:
        """A key of a user."""
        days = more.pop("days", 30)
        text, _ = self.identity.create_key(SERVICE, name, "test", permissions, days=days, **more)
        self.keys[name] = text
        return text

    def person(self, name: str = "wang", role: Role = Role.SUPERVISOR, **reach: Any) -> None:
        """A user with a password."""
        self.identity.create_user(SERVICE, name, [role], password=PASSWORD, **reach)

    def log_in(self, name: str = "wang", password: str = PASSWORD, code: str = "") -> Response:
        """Ask for a session."""
        body = {"name": name, "password": password, "code": code}
        return self.client.post("/api/v1/session", json=body)

    def ask(self, who: str, method: str, path: str, **more: Any) -> Response:
        """A request with the key of a user."""
        headers = {"Authorization": f"Bearer {self.keys[who]}", **more.pop("headers", {})}
        return self.client.request(method, f"/api/v1{path}", headers=headers, **more)

    def case(self, number: int = 1, **facts: Any) -> Case:
        """A case of one alert."""
        (made,) = [
            case
            for case in self.world.take(alert(number, **facts))
            if any(a.id == f"{number:032x}" for a in self.alerts_of(case))
        ]
        return made

    def alerts_of(self, case: Case) -> tuple[Any, ...]:
        """Alerts of a case."""
        return self.world.record.case_alerts(SERVICE, case.id).items

    def act(self, who: str, case: Case, version: int, action: str, /, **more: Any) -> Response:
        """Do something with a case that was seen at a version."""
        return self.ask(
            who, "POST", f"/cases/{case.id}/actions",
            headers={"If-Match": f'"{version}"'}, json={"action": action, **more},
        )  # fmt: skip


def problem(response: Response, status: int, code: str) -> dict[str, Any]:
    """The one shape of every error; the only place where it is looked at."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == MEDIA_TYPE
    found: dict[str, Any] = json.loads(response.content)
    assert set(found) == {
        "type", "title", "status", "code", "detail", "hint", "request", "faults", "changes",
    }  # fmt: skip
    assert found["code"] == code, found
    assert found["status"] == status
    assert found["type"] == f"urn:regtech:problem:{code}"
    assert CODES[code][0] == status
    assert found["detail"] and found["title"]
    assert found["request"] == response.headers["x-request-id"]
    assert "Traceback" not in response.text
    return found


def deposit(number: int, amount: str = "50000", **more: Any) -> dict[str, Any]:
    """A cash deposit at BANK-A; 50,000 is what the law asks to be reported."""
    return {
        "id": str(number),
        "type": "transaction",
        "time": f"2026-03-02T{8 + number // 60 % 12:02d}:{number % 60:02d}:00+08:00",
        "reporter": "BANK-A",
        "payee": {"id": f"C{number}", "country": "CN"},
        "channel": "cash",
        "kind": "deposit",
        "amount": amount,
        "currency": "CNY",
        **more,
    }


def bank(identity: str = "BANK-A") -> dict[str, Any]:
    """A bank says that it is one."""
    return {
        "id": f"{identity}-is",
        "type": "party",
        "time": "2026-03-02T07:00:00+08:00",
        "reporter": identity,
        "party": {"id": identity, "kind": "institution", "country": "CN"},
    }
