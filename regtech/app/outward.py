"""What a server tells others: webhooks and their worker, the search index, bundles of evidence."""

from __future__ import annotations

import json
import logging
import random
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from casework.cases.scope import Role, Scope
from casework.cases.timeline import EntryKind
from casework.cases.times import time_text
from casework.ports import Page
from casework.search.indexer import Indexer
from casework.service.cases import CaseService
from casework.service.search import SearchService
from casework.stores.sql.engine import store_url
from casework.stores.sql.outbox import SqlOutbox
from casework.stores.sql.record import SqlRecord
from casework.webhooks.address import AllowList
from casework.webhooks.delivery import Delivery
from casework.webhooks.endpoints import (
    PER_MINUTE,
    Endpoint,
    enabled_again,
    new_endpoint,
    with_new_secret,
)
from casework.webhooks.sender import SystemResolver
from regtech.app.search import WORKER, open_index
from regtech.app.segments import segments
from regtech.app.settings import setting
from regtech.app.webhooks import relay, webhook_worker
from regtech.app.workers import Workers
from regtech.clock import Clock
from regtech.content.faults import meant_or_known
from regtech.content.saying import say
from regtech.errors import ForbiddenError, NotFoundError, UsageError

LOG: Final = logging.getLogger("regtech.webhooks")
PAUSE_S: Final = 1.0
OVERLAP_US: Final = 86_400 * 1_000_000
"""So long an old secret signs beside a new one: a day to change over."""


class Webhooks:
    """``casework.service.outside.WebhookDesk`` over the outbox of the store."""

    def __init__(self, outbox: SqlOutbox, allow: AllowList, clock: Clock) -> None:
        self._outbox, self._allow, self._clock = outbox, allow, clock

    def endpoints(self, scope: Scope) -> Sequence[Mapping[str, Any]]:
        _may_manage(scope)
        return [_endpoint(found) for found in self._outbox.endpoints(scope)]

    def register(
        self, scope: Scope, url: str, kinds: Sequence[str], description: str
    ) -> tuple[Mapping[str, Any], str]:
        _may_manage(scope)
        _check_kinds(kinds)
        made = new_endpoint(
            scope,
            endpoint_id=f"ep_{secrets.token_hex(12)}",
            tenant=_owner(scope),
            url=url,
            kinds=frozenset(kinds),
            description=description,
            per_minute=PER_MINUTE,
            resolver=SystemResolver(),
            allow=self._allow,
            now_us=self._clock.now_us(),
            random_bytes=secrets.token_bytes,
        )
        self._outbox.add(scope, made)
        return _endpoint(made), made.secrets[0].text()

    def remove(self, scope: Scope, endpoint: str) -> None:
        _may_manage(scope)
        self._outbox.remove(scope, endpoint)

    def rotate(self, scope: Scope, endpoint: str) -> str:
        _may_manage(scope)
        found = self._outbox.endpoint(scope, endpoint)
        now = self._clock.now_us()
        changed = with_new_secret(found, now, OVERLAP_US, secrets.token_bytes)
        self._outbox.change(scope, changed)
        return changed.secrets[0].text()

    def enable(self, scope: Scope, endpoint: str) -> None:
        _may_manage(scope)
        self._outbox.change(scope, enabled_again(self._outbox.endpoint(scope, endpoint)))

    def deliveries(
        self, scope: Scope, endpoint: str, *, after: str | None, limit: int
    ) -> Page[Mapping[str, Any]]:
        _may_manage(scope)
        self._outbox.endpoint(scope, endpoint)
        start = 0 if after is None else _place(after)
        found = self._outbox.deliveries(scope, endpoint_id=endpoint, after=start, limit=limit + 1)
        more = len(found) > limit
        items = found[:limit]
        return Page(tuple(_delivery(one) for one in items), str(items[-1].number) if more else None)

    def replay(self, scope: Scope, endpoint: str, message: str) -> None:
        _may_manage(scope)
        if self._outbox.delivery(scope, message).endpoint != endpoint:
            raise NotFoundError(
                say(
                    "there is no delivery %(message)s to %(endpoint)s",
                    message=message,
                    endpoint=endpoint,
                )
            )
        self._outbox.replay(scope, [message])


_MANAGERS: Final = frozenset({Role.INSTITUTION, Role.OPERATOR, Role.SUPERVISOR, Role.SERVICE})


def _may_manage(scope: Scope) -> None:
    """An endpoint hears of every case of its owner, in whatever jurisdiction."""
    if not scope.roles & _MANAGERS:
        raise ForbiddenError(say("%(actor)s may not manage webhooks", actor=scope.actor))
    if scope.jurisdictions is not None:
        raise ForbiddenError(
            say("%(actor)s may not manage webhooks", actor=scope.actor),
            hint=say("they tell of all jurisdictions: it takes one who is there for all of them"),
        )


def _owner(scope: Scope) -> str:
    """Whose endpoint it is: the institution's of the scope, or the regulator's."""
    if scope.tenants is None:
        return ""
    if len(scope.tenants) != 1:
        raise UsageError(say("whose endpoint is it?"), hint=say("use a key of one institution"))
    return next(iter(scope.tenants))


_PLACE_DIGITS: Final = 18
"""Of a number that every store takes."""


def _place(after: str) -> int:
    if not after.isascii() or not after.isdecimal() or len(after) > _PLACE_DIGITS:
        raise UsageError(
            say("%(after)r is no place in a list", after=after),
            hint=say("hand back what `after` said"),
        )
    return int(after)


def _endpoint(found: Endpoint) -> dict[str, Any]:
    return {
        "id": found.id,
        "url": found.url,
        "kinds": sorted(found.kinds),
        "description": found.description,
        "state": found.state.value,
        "disabled_why": found.disabled_why,
        "created": time_text(found.created_us),
    }


def _delivery(found: Delivery) -> dict[str, Any]:
    return {
        "id": found.id,
        "kind": found.kind,
        "state": found.state.value,
        "attempts": found.attempts,
        "last": found.last,
        "made": time_text(found.made_us),
        "ended": None if found.ended_us is None else time_text(found.ended_us),
    }


def _check_kinds(kinds: Sequence[str]) -> None:
    """Raise ``UsageError`` for types of which no message ever is: nothing would be told, and
    nobody would know why."""
    known = [f"case.{kind.value}" for kind in EntryKind]
    for kind in kinds:
        if kind not in (*known, "case.*"):
            raise UsageError(
                say("no message is of the type %(kind)r", kind=kind),
                hint=meant_or_known(kind, [*known, "case.*"]),
            )


class LoggedOwners:
    """``casework.webhooks.ports.Owners``: what an owner is to know goes to the server's log."""

    def endpoint_disabled(self, endpoint: Endpoint) -> None:
        said = {"event": "endpoint_disabled", "endpoint": endpoint.id, "tenant": endpoint.tenant}
        LOG.warning(json.dumps({**said, "why": endpoint.disabled_why}))


def tell_others(record: SqlRecord, allow: AllowList, clock: Clock, workers: Workers) -> Webhooks:
    """Webhooks with the workers that make deliveries of what happens, and deliver them."""
    outbox = record.outbox()
    worker = webhook_worker(outbox, LoggedOwners(), clock, allow)
    workers.every(PAUSE_S, "webhooks-relay", lambda _: relay(record, outbox))
    workers.every(PAUSE_S, "webhooks", lambda _: worker.work(lambda: workers.stopping))
    return Webhooks(outbox, allow, clock)


def index_is_named(store: str) -> bool:
    """Whether it is known where the search index of a store is."""
    beside = store_url(store).get_backend_name() == "sqlite"
    return beside or bool(setting("REGTECH_SEARCH"))


def keep_index(
    record: SqlRecord, service: CaseService, store: str, clock: Clock, workers: Workers
) -> SearchService:
    """The worker that keeps the search index in step with the record; what asks the index."""
    index, shown = open_index(store, None, clock)
    indexer = Indexer(
        record,
        index,
        WORKER,
        service.themes,
        wait=lambda seconds: workers.stopping,
        random=random.random,
        note=LOG.info,
    )

    def step(_: Scope) -> None:
        while not workers.stopping and indexer.step():
            pass

    workers.every(PAUSE_S, "search", step)
    workers.around(lambda: None, index.close)
    workers.report_on("search_index", lambda: {"index": shown, "failures": indexer.failures})
    return SearchService(record, index)


class EvidenceDesk:
    """``casework.service.outside.Bundles``: bundles signed with the keys of a folder."""

    def __init__(
        self, service: CaseService, keys: Path, rules: Path | None, data: Path | None = None
    ) -> None:
        from casework.evidence.keys import load_keys

        self._service, self._keys, self._rules = service, load_keys(keys), rules
        self._data = data
        """Folder of the server's journal, in which the events behind alerts are."""

    def checkpoint(self, scope: Scope) -> None:
        """Sign a checkpoint over every log that has grown since its last."""
        for chain in sorted(self._service.record.chains(scope)):
            self._service.checkpoint(scope, chain, self._keys)

    def export(self, scope: Scope, case_id: str, *, personal: bool, number: int) -> bytes:
        from casework.cases.chain import SALT_BYTES
        from regtech.app.eventtexts import EventTexts
        from regtech.app.evidence import RuleTexts

        sources = [self._data] if self._data is not None and segments(self._data) else []
        return self._service.bundle(
            scope,
            case_id,
            keys=self._keys,
            rules_of=RuleTexts(self._rules),
            events_of=EventTexts(sources, scope),
            salt=lambda: secrets.token_bytes(SALT_BYTES),
            personal=personal,
            number=number,
        )
