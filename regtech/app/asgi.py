"""The server's application: every part made and joined, and let go of in the right order."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI

from casework.api.app import create_app
from casework.api.context import Context
from casework.api.gate import Gate
from casework.api.metrics import Metrics
from casework.api.repeat import KEPT_US
from casework.api.shell import Limits
from casework.cases.scope import Scope, service_scope
from casework.identity.rate import Rate
from casework.policy.load import require_policies
from casework.service.alerts import AlertReading
from casework.service.proposals import ProposalService
from casework.service.search import SearchService
from casework.stores.sql.desk import SqlAnswers, SqlEventDesk
from casework.stores.sql.proposals import SqlProposals
from casework.stores.sql.record import SqlRecord
from casework.web.site import add_pages, failed_page
from casework.webhooks.address import AllowList
from regtech import __version__
from regtech.app.backtests import Backtests
from regtech.app.bulk import Bulk
from regtech.app.casework import Casework, casework
from regtech.app.choice import chosen_packs
from regtech.app.compiling import compile_screening
from regtech.app.deciding import Deciding
from regtech.app.drafts import Drafts
from regtech.app.identity import identity_over
from regtech.app.journal import Journal
from regtech.app.judging import check_home
from regtech.app.listreading import ListReading
from regtech.app.openid import openid_of_settings
from regtech.app.outward import EvidenceDesk, index_is_named, keep_index, tell_others
from regtech.app.pages import Explanations, pages_of
from regtech.app.proposals import new_proposal_id
from regtech.app.quarantines import Quarantines
from regtech.app.reading import RuleReading, RuleSource
from regtech.app.rulebook import Policies, Rules
from regtech.app.settings import length_us, setting, share
from regtech.app.workers import Workers
from regtech.clock import Clock, SystemClock
from regtech.errors import InternalError
from regtech.reference.load import Reference

CHECKPOINTS_S: Final = 900.0
"""How often the logs that have grown get a signed checkpoint."""
ROOM_S: Final = 1.0
"""How often it is looked whether the journal has room left."""
REMEMBER_S: Final = 5.0
"""How often it is looked whether the engine's memory is worth keeping again."""
READY_S: Final = 3600.0
"""How often it is looked whether all packs are compiled for explanations; once is enough."""
READ_S: Final = 5.0
"""How often it is looked whether proposals were written out by another process."""
SUBJECTS_S: Final = 60.0
"""How often it is told exactly how many subjects rules are evaluated for; with alerts, roughly."""
SYNC_S: Final = 0.05
"""How often a journal that nobody waits for is made durable."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Everything that decides how the server behaves. Rates are requests a second."""

    store: str
    data: Path
    rate: int = 500
    stranger_rate: int = 5
    packs: tuple[str, ...] = ()
    rules: Path | None = None
    home: str | None = None
    events: bool = True
    journal_waits: bool = True
    hsts: bool = False
    limits: Limits = Limits()
    history: Path | None = None
    """Events of the past for backtests, beside the journal."""
    keys: Path | None = None
    """Folder of signing keys; without it there are no bundles over HTTP."""
    allow: AllowList = AllowList()
    """Own addresses that webhooks may reach."""


class Server:
    """The parts of a running server, as ``regtech serve`` and the tests use them."""

    def __init__(self, app: FastAPI, context: Context, workers: Workers) -> None:
        self.app, self.context, self.workers = app, context, workers


class ServerHealth:
    """``casework.service.outside.Health``: ready once warm, and until the end is asked for."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self.serving = False

    def live(self) -> bool:
        return True

    def ready(self) -> bool:
        return self.serving and self._workers.well()

    def parts(self) -> Mapping[str, Any]:
        return self._workers.report()


@contextmanager
def server(settings: ServerSettings, clock: Clock | None = None) -> Iterator[Server]:
    """A server over its store; workers run from start-up to shutdown of the application."""
    clock = clock or SystemClock()
    with ExitStack() as stack:
        parts = stack.enter_context(casework(settings.store, create=True, clock=clock))
        record = parts.record
        if not isinstance(record, SqlRecord):
            raise InternalError("a server needs a store")
        workers = Workers(clock)
        health = ServerHealth(workers)
        metrics = Metrics()
        context, search = _context(settings, parts, record, clock, metrics, health, workers, stack)
        explanations = Explanations(settings.rules, settings.packs)

        def make_ready(scope: Scope) -> None:
            explanations.make_ready(scope, context.service, lambda: workers.stopping)

        # Once before anybody is served: beside requests it takes their time.
        workers.around(lambda: make_ready(service_scope("explanations")), lambda: None)
        workers.every(READY_S, "explanations", make_ready)

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            workers.start()
            health.serving = True
            try:
                yield
            finally:
                health.serving = False
                workers.stop()

        app = create_app(
            context,
            version=__version__,
            limits=settings.limits,
            random=secrets.token_bytes,
            hsts=settings.hsts,
            lifespan=lifespan,
            page_of=failed_page,
        )
        add_pages(app, pages_of(context, explanations))
        yield Server(app, context, workers)


def _context(
    settings: ServerSettings,
    parts: Casework,
    record: SqlRecord,
    clock: Clock,
    metrics: Metrics,
    health: ServerHealth,
    workers: Workers,
    stack: ExitStack,
) -> tuple[Context, SearchService | None]:
    reference = Reference.shipped()
    strangers = Rate(clock, settings.stranger_rate, settings.stranger_rate * 4)
    rate = Rate(clock, settings.rate, settings.rate * 2)
    service = parts.service
    workers.every(60.0, "clocks", lambda scope: service.sweep(scope))
    answers = SqlAnswers(record)
    workers.every(3600.0, "answers", lambda scope: answers.forget(scope, clock.now_us() - KEPT_US))
    workers.every(5.0, "policies", lambda scope: parts.intake.wake(scope, clock.now_us()))
    webhooks = tell_others(record, settings.allow, clock, workers)
    search = None
    if index_is_named(settings.store):
        search = keep_index(record, service, settings.store, clock, workers)
    bundles = None
    if settings.keys is not None:
        bundles = EvidenceDesk(service, settings.keys, settings.rules, settings.data)
        workers.every(CHECKPOINTS_S, "checkpoints", bundles.checkpoint)
    lists = _lists(settings, clock, workers)
    events = _events(settings, parts, record, clock, metrics, workers, stack, lists)
    rules: Rules = events["rules"]
    deciding: Deciding | None = events.get("decider")
    drafts = Drafts(rules)
    proposals = SqlProposals(record)
    proposing = ProposalService(proposals, rules, drafts, clock, new_proposal_id)
    backtests = Backtests(
        settings.data / "backtests", rules, drafts, clock,
        data=settings.data if settings.events else None, history=settings.history,
        home=settings.home,
    )  # fmt: skip
    stack.callback(backtests.close)
    stack.callback(drafts.close)
    workers.around(lambda: None, drafts.close)
    workers.around(lambda: None, backtests.close)
    reading = _read_anew(
        settings,
        RuleReading(
            RuleSource(
                settings.packs,
                settings.rules,
                settings.home,
                settings.data,
                lambda: None if lists is None else str(lists.folder),
            ),  # fmt: skip
            rules,
            proposing,
            proposals,
            deciding,
            clock,
            lambda: workers.stopping,
        ),
        deciding,
        workers,
    )
    if lists is not None:
        _lists_anew(settings, lists, parts, deciding, reading, workers)
    context = Context(
        service=service,
        alerts=AlertReading(record, clock, reference, service.themes),
        gate=Gate(identity_over(record, clock), rate, strangers),
        answers=answers,
        clock=clock,
        metrics=metrics,
        health=health,
        openid=openid_of_settings(clock),
        policies=Policies(require_policies().policies),
        webhooks=webhooks,
        bundles=bundles,
        search=search,
        drafts=drafts,
        backtests=backtests,
        proposals=proposing,
        rules_in_force=reading,
        screening=None if lists is None else lists.screening,
        **events,
    )
    return context, search


def _read_anew(
    settings: ServerSettings, reading: RuleReading, deciding: Deciding | None, workers: Workers
) -> RuleReading:
    """Rules that change while the server runs; what the engine holds, kept now and then."""
    reading.wake = workers.every(READ_S, "rules-reading", reading.work)
    workers.report_on("rules", reading.health)
    if deciding is None:
        return reading

    def remember(_: Scope) -> None:
        if position := deciding.memory_due():
            reading.remember(position)

    workers.every(REMEMBER_S, "memory", remember)
    workers.around(lambda: reading.started(service_scope("rules-reading")), lambda: None)
    return reading


def _lists(settings: ServerSettings, clock: Clock, workers: Workers) -> ListReading | None:
    """The lists that are set, as they were last taken into use."""
    folder = setting("REGTECH_LISTS")
    if not folder:
        return None
    least = share("REGTECH_LISTS_LEAST")
    compile_screening()
    return ListReading(
        Path(folder), settings.data, clock, least=least, stopping=lambda: workers.stopping
    )


def _lists_anew(
    settings: ServerSettings,
    lists: ListReading,
    parts: Casework,
    deciding: Deciding | None,
    reading: RuleReading,
    workers: Workers,
) -> None:
    """Lists that change while the server runs; first rules go by them, then all known parties."""
    home = (settings.home,) if settings.home else ()
    if deciding is None:
        lists.asked_in = lambda _: home
    else:
        lists.asked_in = lambda name: deciding.asked_in(name) or home
        lists.known_to = deciding.remembers_to
        lists.waits = reading.lists_due
    lists.changed = reading.wake
    every = length_us("REGTECH_LISTS_EVERY") / 1_000_000
    workers.every(every, "lists-reading", lambda scope: lists.work(scope, parts.intake))
    workers.report_on("lists", lists.health)


def _events(
    settings: ServerSettings,
    parts: Casework,
    record: SqlRecord,
    clock: Clock,
    metrics: Metrics,
    workers: Workers,
    stack: ExitStack,
    lists: ListReading | None,
) -> dict[str, Any]:
    """The engine behind the API; nothing where the server only works cases."""
    packs = chosen_packs(settings.packs, settings.rules)
    rules = Rules(packs, folder=settings.rules)
    if not settings.events:
        return {"rules": rules}
    check_home(settings.home, packs)
    journal = Journal(settings.data, waits=settings.journal_waits)
    stack.callback(journal.close)
    # The process may be ended by the signal itself once the workers have stopped: that comes last.
    workers.around(lambda: None, journal.close)
    desk = SqlEventDesk(record)
    deciding = Deciding(
        packs, Reference.shipped(), journal, desk, parts.intake, clock,
        home=settings.home, lists=None if lists is None else str(lists.folder),
        counted=metrics.events,
    )  # fmt: skip
    bulk = Bulk(settings.data / "bulk", deciding, desk, clock, lambda: workers.stopping)

    def hand_over(scope: Scope) -> None:
        deciding.hand_over(scope)
        metrics.waiting(deciding.waiting)

    workers.every(ROOM_S, "journal-room", lambda _: journal.make_room())
    workers.every(SUBJECTS_S, "subjects", deciding.count_subjects)
    if not settings.journal_waits:
        workers.every(SYNC_S, "journal", lambda _: journal.sync())
    deciding.wakes(workers.every(1.0, "alerts", hand_over))
    bulk.wake = workers.every(1.0, "bulk", bulk.work)
    warmed: dict[str, int] = {}
    workers.around(
        lambda: warmed.update(deciding.warm_up()),
        lambda: deciding.finish(service_scope("alerts")),
    )
    workers.report_on("engine", lambda: {**warmed, "waiting": deciding.waiting})
    return {
        "rules": rules,
        "decider": deciding,
        "bulk": bulk,
        "quarantine": Quarantines(desk, deciding),
    }
