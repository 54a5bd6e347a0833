"""Casework wired to a store: the service, the intake, and what the commands ask of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casework.cases.alert import StoredAlert
from casework.cases.chain import SALT_BYTES
from casework.cases.scope import Role, Scope, service_scope
from casework.ports import Record
from casework.service.cases import CaseService
from casework.service.intake import BATCH, AlertIntake, IntakeReport
from casework.stores.sql.engine import store_url
from casework.stores.sql.record import SqlRecord
from regtech.app.policies import shipped_planner
from regtech.app.progress import Progress
from regtech.app.settings import setting
from regtech.clock import Clock, SystemClock
from regtech.collector import collector_paused
from regtech.errors import InputError, UsageError
from regtech.reference.load import Reference

if TYPE_CHECKING:  # commands that look at a store alone need no engine
    from regtech.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class Casework:
    """The parts that belong to one store."""

    url: str
    """The store's URL without a password."""
    record: Record
    service: CaseService
    intake: AlertIntake


@contextmanager
def casework(url: str, *, create: bool = False, clock: Clock | None = None) -> Iterator[Casework]:
    """Casework over the store of a URL; ``create`` makes one that is not there.

    Raises ``UsageError`` for a URL that is none, ``StoreError`` where the store is not there.
    """
    shown = store_url(url).render_as_string(hide_password=True)
    clock = clock or SystemClock()
    record = SqlRecord(url, clock, lambda: secrets.token_bytes(SALT_BYTES), create=create)
    try:
        reference = Reference.shipped()
        with shipped_planner() as planner:
            intake = AlertIntake(record, clock, reference, planner, watched=watched_subjects())
            service = CaseService(record, clock, reference, intake.themes)
            yield Casework(shown, record, service, intake)
    finally:
        record.close()


def scope_of(
    actor: str,
    roles: Sequence[str],
    *,
    jurisdictions: Sequence[str] = (),
    tenants: Sequence[str] = (),
) -> Scope:
    """A scope from words; none named means all. Raises ``UsageError``."""
    known = [role.value for role in Role]
    for role in roles:
        if role not in known:
            raise UsageError(f"no role {role!r}", hint="roles: " + ", ".join(known))
    return Scope(
        actor,
        frozenset(Role(role) for role in roles),
        frozenset(Reference.shipped().profile(name.upper()).id for name in jurisdictions) or None,
        frozenset(tenants) or None,
    )


def watched_subjects() -> int | None:
    """How many subjects rules are evaluated for, as the setting says; None where it says nothing.

    Raises ``UsageError`` for what is no number.
    """
    text = setting("REGTECH_WATCHED")
    return int(text) if text else None


class AlertStore:
    """The alerts of a run on their way into a store: taken in batches, durable at ``flush``."""

    def __init__(self, parts: Casework) -> None:
        self._parts, self._scope = parts, service_scope("run")
        self._waiting: list[StoredAlert] = []
        self.report = IntakeReport()
        self._engine: Engine | None = None

    def listen(self, engine: Engine) -> None:
        """Brakes need to know how many subjects and events the engine evaluates rules for."""
        self._engine = engine
        engine.judge.event_days.is_told = True

    def take(self, lines: Iterable[bytes]) -> None:
        """Alerts as canonical JSON, without line ends."""
        with collector_paused():
            for line in lines:
                self._waiting.append(StoredAlert.of(line))
                if len(self._waiting) >= BATCH:
                    self.flush()

    def flush(self) -> None:
        """Write what waits. A snapshot that lets the engine forget may then be taken."""
        if self._waiting:
            self._count(exactly=False)
            self.report.add(self._parts.intake.take(self._scope, self._waiting))
            self.report.add(self._parts.intake.wake(self._scope))
            self._waiting = []

    def finish(self) -> None:
        """The end of the run: how many subjects and events there were is known for good."""
        self.flush()
        self._count(exactly=True)

    def _count(self, *, exactly: bool) -> None:
        """Tell the record how many subjects and events rules were evaluated for."""
        engine, intake, scope = self._engine, self._parts.intake, self._scope
        if engine is None:
            return
        self.report.add(intake.watch(scope, engine.watching(), exactly=exactly))
        news = engine.day_news(exactly=exactly)
        self.report.add(intake.count_events(scope, engine.evaluated, news.days))
        engine.judge.event_days.told(news)

    def as_dict(self) -> dict[str, Any]:
        """What became of the alerts, for the summary of the run."""
        return {"url": self._parts.url, **self.report.as_dict()}


def import_alerts(
    parts: Casework, files: Sequence[Path], *, tenant: str | None, progress: Progress
) -> IntakeReport:
    """Alerts of files that ``regtech run`` wrote into the store.

    Raises ``InputError`` with file and line for a line that is no alert; what came before it in
    whole batches stays, and the same import again goes on from there.
    """
    report, scope = IntakeReport(), service_scope("import")
    for file in files:
        try:
            size = file.stat().st_size
            stream = file.open("rb")
        except OSError as error:
            raise InputError(f"{file} could not be read: {error.strerror}") from None
        progress.stage(f"importing {file}", size)
        with stream:
            lines = enumerate(stream, 1)
            while True:
                batch, size = _next_batch(file, lines, tenant)
                if not size:
                    break
                report.add(parts.intake.take(scope, batch))
                progress.advance(size, f"{report.new:,} new")
    report.add(parts.intake.wake(scope))
    return report


def _next_batch(
    file: Path, lines: Iterator[tuple[int, bytes]], tenant: str | None
) -> tuple[list[StoredAlert], int]:
    """The next alerts of a file, and how many bytes they took; 0 at its end."""
    batch: list[StoredAlert] = []
    size = 0
    with collector_paused():
        for number, line in lines:
            size += len(line)
            if not line.strip():
                continue
            try:
                batch.append(StoredAlert.of(line.rstrip(b"\r\n"), tenant))
            except InputError as error:
                raise InputError(f"{file}:{number}: {error.message}", hint=error.hint) from None
            if len(batch) == BATCH:
                break
    return batch, size
