"""A transaction: cases are held when they are read, rows go out in bulk, entries are sealed last.

Sealing last has a reason: a tenant's chain has one end, and whoever takes it makes the others wait.
Cases are taken first, in the order of their ids, the ends of the chains after them, in order, so
that two units never wait for each other.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from casework.cases.alert import StoredAlert
from casework.cases.case import Case
from casework.cases.chain import FIRST_PREVIOUS
from casework.cases.directive import Disposition
from casework.cases.disclosure import sees, sees_alert
from casework.cases.keys import RELATING, Key
from casework.cases.scope import Scope
from casework.cases.timeline import Draft, Entry, opened
from casework.ports import CaseQuery, Intake, Topic
from casework.stores.common import (
    Salt,
    absent,
    chained,
    extend,
    outcomes_of,
    unchained,
    version_conflict,
)
from casework.stores.sql.queries import alert_in_scope, alerts_by_key, chunks, queue
from casework.stores.sql.rows import (
    alert_row,
    case_row,
    entry_row,
    read_alert,
    read_case,
    read_entry,
    to_json,
)
from casework.stores.sql.tables import (
    ALERT_CONFLICTS,
    ALERT_KEYS,
    ALERTS,
    CASE_ALERTS,
    CASE_KEYS,
    CASE_TENANTS,
    CASES,
    CHAINS,
    ENTRIES,
    FILES,
    OUTBOX,
    OUTCOMES,
)
from regtech.clock import Clock
from regtech.errors import ConflictError


class SqlUnit:
    """``casework.ports.Unit`` on one connection; ``SqlRecord.unit`` begins and ends it."""

    def __init__(self, connection: sa.Connection, clock: Clock, salt: Salt) -> None:
        self._connection, self._clock, self._salt = connection, clock, salt
        self._postgres = connection.dialect.name == "postgresql"
        self._cases: dict[str, Case] = {}
        """Cases that this unit holds, as they stand in it."""
        self._absent: set[str] = set()
        self._new: set[str] = set()
        """Of these, the ones whose rows are not there yet."""
        self._touched: dict[str, None] = {}
        """Those whose rows are behind."""
        self._changed: dict[str, None] = {}
        self._pending: list[Entry] = []
        self._held: dict[str, set[str]] = {}
        self._fresh: set[str] = set()
        """Alerts that came in this unit."""
        self._rows: dict[sa.Table, list[dict[str, Any]]] = {}

    @property
    def connection(self) -> sa.Connection:
        """For what is written beside the record, in the same transaction."""
        return self._connection

    # --- cases

    def find(self, scope: Scope, case_ids: Collection[str]) -> dict[str, Case]:
        asked = (i for i in set(case_ids) if i not in self._cases and i not in self._absent)
        wanted = sorted(asked)
        for some in chunks(wanted):
            select = (
                sa.select(CASES.c.body).where(CASES.c.id.in_(some)).order_by(CASES.c.id)
            ).with_for_update()
            for (body,) in self._connection.execute(select):
                case = read_case(body)
                self._cases[case.id] = case
        self._absent.update(i for i in wanted if i not in self._cases)
        found = {i: self._cases[i] for i in sorted(set(case_ids)) if i in self._cases}
        return {i: case for i, case in found.items() if sees(scope, case)}

    def case(self, scope: Scope, case_id: str) -> Case:
        found = self.find(scope, (case_id,))
        if case_id not in found:
            raise absent("case", case_id)
        return found[case_id]

    def open(self, scope: Scope, case: Case, detail: Mapping[str, Any]) -> Case:
        self.find(scope, (case.id,))
        if case.id in self._cases:
            raise ConflictError(f"there is a case {case.id} already")
        self._new.add(case.id)
        return self._extend(None, case.id, case.chain, [opened(case, detail)], scope.actor)

    def append(self, scope: Scope, case_id: str, seen: int, drafts: Sequence[Draft]) -> Case:
        case = self.case(scope, case_id)
        if seen != case.version:
            select = (
                sa.select(ENTRIES)
                .where(ENTRIES.c.case_id == case_id, ENTRIES.c.sequence > seen)
                .order_by(ENTRIES.c.sequence)
            )
            raise version_conflict(case, seen, map(read_entry, self._connection.execute(select)))
        if not drafts:
            return case
        return self._extend(case, case_id, case.chain, drafts, scope.actor)

    def _extend(
        self, case: Case | None, case_id: str, chain: str, drafts: Sequence[Draft], actor: str
    ) -> Case:
        after, made = extend(case, case_id, chain, drafts, self._clock.now_us(), actor)
        self._pending += made
        self._cases[case_id] = after
        self._touched[case_id] = self._changed[case_id] = None
        return after

    def log(self, scope: Scope, chain: str, draft: Draft) -> None:
        self._pending.append(unchained(chain, draft, self._clock.now_us(), scope.actor))

    def first(self, scope: Scope, query: CaseQuery) -> tuple[Case, ...]:
        self._flush()
        select = queue(scope, query, None).limit(2)
        if self._postgres:
            select = select.with_for_update(skip_locked=True, of=CASES)
        found = [read_case(row.body) for row in self._connection.execute(select)]
        for case in found:
            self._cases.setdefault(case.id, case)
        return tuple(found)

    # --- alerts

    def add_alerts(self, scope: Scope, alerts: Sequence[StoredAlert]) -> Intake:
        now = self._clock.now_us()
        given: dict[str, StoredAlert] = {}
        again: list[StoredAlert] = []
        for alert in alerts:
            if given.setdefault(alert.id, alert) is not alert:
                again.append(alert)
        known = self._digests(list(given))
        fresh = [alert for alert in given.values() if alert.id not in known]
        if fresh:
            self._bulk(ALERTS, [alert_row(alert, now) for alert in fresh], repeats=True)
            if self._postgres:
                # Another unit may have been faster: what is there now is in force.
                raced = self._digests([alert.id for alert in fresh])
                lost = {a.id: raced[a.id] for a in fresh if raced[a.id] != a.digest}
                fresh = [alert for alert in fresh if alert.id not in lost]
                known.update(lost)
            self._add_keys(fresh)
            self._say(Topic.SEARCH, {"alerts": [alert.id for alert in fresh]})
        new = {alert.id: alert.digest for alert in fresh}
        self._fresh.update(new)
        rest = [alert for alert in given.values() if alert.id not in new] + again
        differing = [a for a in rest if {**known, **new}.get(a.id) != a.digest] if rest else []
        conflicts = self._keep_conflicts(differing, {**known, **new}, now)
        return Intake(tuple(new), len(rest) - len(conflicts), tuple(conflicts))

    def _digests(self, ids: Sequence[str]) -> dict[str, str]:
        found = {}
        for some in chunks(ids):
            select = sa.select(ALERTS.c.id, ALERTS.c.digest).where(ALERTS.c.id.in_(some))
            for identity, digest in self._connection.execute(select):
                found[identity] = bytes(digest).hex()
        return found

    def _add_keys(self, alerts: Sequence[StoredAlert]) -> None:
        rows = [
            {"kind": kind.value, "value": value, "time_us": alert.time_us, "alert_id": alert.id}
            for alert in alerts
            for kind, value in alert.keys()
        ]
        self._bulk(ALERT_KEYS, rows, repeats=True)

    def _keep_conflicts(
        self, alerts: Sequence[StoredAlert], known: Mapping[str, str], now: int
    ) -> list[str]:
        found = []
        for alert in alerts:
            insert = (
                self._insert(ALERT_CONFLICTS)
                .values(
                    alert_id=alert.id,
                    digest=bytes.fromhex(alert.digest),
                    known_digest=bytes.fromhex(known[alert.id]),
                    tenant=alert.tenant,
                    received_us=now,
                    raw=alert.raw,
                )
                .on_conflict_do_nothing()
            )
            options = {"preserve_rowcount": True}  # of inserts only kept where asked for
            if self._connection.execute(insert, execution_options=options).rowcount == 1:
                found.append(alert.id)
        return found

    def dispose(self, scope: Scope, alert_ids: Collection[str], as_: Disposition) -> None:
        self._flush()
        for some in chunks(sorted(alert_ids)):
            held = sa.exists().where(CASE_ALERTS.c.alert_id == ALERTS.c.id)
            update = sa.update(ALERTS).where(ALERTS.c.id.in_(some), ~held)
            self._connection.execute(update.values(disposition=as_.value))

    def attach(self, scope: Scope, case_id: str, alerts: Sequence[StoredAlert]) -> None:
        held = self._load_held((case_id,))[case_id]
        new = [alert for alert in {a.id: a for a in alerts}.values() if alert.id not in held]
        self._put_alerts(case_id, [alert.id for alert in new])
        self._add_case_keys(case_id, new)
        older = sorted(alert.id for alert in new if alert.id not in self._fresh)
        open_ = Disposition.OPEN.value
        for some in chunks(older):
            update = sa.update(ALERTS).where(ALERTS.c.id.in_(some), ALERTS.c.disposition != open_)
            self._connection.execute(update.values(disposition=open_))

    def _put_alerts(self, case_id: str, alert_ids: Sequence[str]) -> None:
        """Rows are never taken away, so that the next number follows from how many there are."""
        held = self._held[case_id]
        for alert_id in alert_ids:
            held.add(alert_id)
            row = {"case_id": case_id, "number": len(held), "alert_id": alert_id}
            self._put(CASE_ALERTS, **row, moved_to=None)

    def _load_held(self, case_ids: Collection[str]) -> dict[str, set[str]]:
        wanted = sorted({i for i in case_ids if i not in self._held})
        self._held.update({case_id: set() for case_id in wanted})
        c = CASE_ALERTS.c
        for some in chunks([case_id for case_id in wanted if case_id not in self._new]):
            select = sa.select(c.case_id, c.alert_id).where(c.case_id.in_(some))
            for case_id, alert_id in self._connection.execute(select):
                self._held[case_id].add(alert_id)
        return self._held

    def _add_case_keys(self, case_id: str, alerts: Sequence[StoredAlert]) -> None:
        keys: set[Key] = {key for alert in alerts for key in alert.keys()}
        for kind, value in sorted(keys):
            if kind in RELATING:
                self._put(CASE_KEYS, case_id=case_id, kind=kind.value, value=value)

    def move(self, scope: Scope, from_case: str, to_case: str, alert_ids: Sequence[str]) -> None:
        self._flush()
        c = CASE_ALERTS.c
        there = set(self._load_held((from_case, to_case))[to_case])
        for some in chunks(list(alert_ids)):
            gone = sa.update(CASE_ALERTS).where(c.case_id == from_case, c.alert_id.in_(some))
            self._connection.execute(gone.values(moved_to=to_case))
            back = sa.update(CASE_ALERTS).where(c.case_id == to_case, c.alert_id.in_(some))
            self._connection.execute(back.values(moved_to=None))
        self._put_alerts(to_case, [alert_id for alert_id in alert_ids if alert_id not in there])
        for case_id in (from_case, to_case):
            alerts = self.case_alerts(scope, case_id)
            self._connection.execute(sa.delete(CASE_KEYS).where(CASE_KEYS.c.case_id == case_id))
            self._add_case_keys(case_id, alerts)

    def held(self, scope: Scope, case_ids: Collection[str]) -> dict[str, frozenset[str]]:
        found = self._load_held(case_ids)
        return {i: frozenset(found[i]) for i in case_ids if found[i]}

    def case_alerts(self, scope: Scope, case_id: str) -> Sequence[StoredAlert]:
        self.case(scope, case_id)
        self._flush()
        select = (
            sa.select(ALERTS)
            .join(CASE_ALERTS, CASE_ALERTS.c.alert_id == ALERTS.c.id)
            .where(CASE_ALERTS.c.case_id == case_id, CASE_ALERTS.c.moved_to.is_(None))
            .order_by(CASE_ALERTS.c.number)
        )
        return [read_alert(row) for row in self._connection.execute(select)]

    def alerts(self, scope: Scope, alert_ids: Sequence[str]) -> Sequence[StoredAlert]:
        found: dict[str, StoredAlert] = {}
        for some in chunks(list(dict.fromkeys(alert_ids))):
            select = sa.select(ALERTS).where(ALERTS.c.id.in_(some), *alert_in_scope(scope))
            for row in self._connection.execute(select):
                found[row.id] = read_alert(row)
        return [found[i] for i in alert_ids if i in found and sees_alert(scope, found[i])]

    def alerts_of(
        self, scope: Scope, keys: Collection[Key], since_us: int, until_us: int
    ) -> Sequence[StoredAlert]:
        return alerts_of(self._connection, scope, keys, since_us, until_us)

    # --- the rest

    def put_file(self, scope: Scope, sha256: str, content: bytes) -> None:
        insert = self._insert(FILES).values(sha256=sha256, content=content)
        self._connection.execute(insert.on_conflict_do_nothing())

    def settle(self, scope: Scope, case: Case) -> None:
        self._connection.execute(sa.delete(OUTCOMES).where(OUTCOMES.c.case_id == case.id))
        if not case.ended:
            return
        found = outcomes_of(case, self.case_alerts(scope, case.id))
        for (rule, tenant, where), outcome in sorted(found.items()):
            self._put(
                OUTCOMES,
                case_id=case.id,
                rule=rule,
                tenant=tenant,
                jurisdiction=where,
                outcome=outcome.value,
            )

    def _insert(self, table: sa.Table) -> Any:
        return postgresql.insert(table) if self._postgres else sqlite.insert(table)

    def _bulk(
        self, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, repeats: bool = False
    ) -> None:
        """Insert rows that all have the same columns; ``repeats``: what is there already stays.

        The values go to the driver as they are (text, whole numbers, bytes). Handing them through
        the type system of SQLAlchemy costs more than SQLite takes for the rows.
        """
        if not rows:
            return
        insert = self._insert(table).inline()
        if repeats:
            insert = insert.on_conflict_do_nothing()
        names = list(rows[0])
        compiled = insert.compile(dialect=self._connection.dialect, column_keys=names)
        order = compiled.positiontup
        if order is None:
            self._connection.exec_driver_sql(str(compiled), [dict(row) for row in rows])
        else:
            given = list(map(operator.itemgetter(*order), rows))
            self._connection.exec_driver_sql(str(compiled), given)

    def _put(self, table: sa.Table, **row: Any) -> None:
        self._rows.setdefault(table, []).append(row)

    def _say(self, topic: Topic, body: Mapping[str, Any]) -> None:
        made = self._clock.now_us()
        self._put(OUTBOX, topic=topic.value, made_us=made, body=to_json(body))

    def _flush(self) -> None:
        """Send the rows that wait. Cases first: the others refer to them."""
        touched = [self._cases[case_id] for case_id in self._touched]
        if touched:
            insert = self._insert(CASES)
            names = [column.name for column in CASES.c if column.name != "id"]
            update = {name: insert.excluded[name] for name in names}
            upsert = insert.on_conflict_do_update(index_elements=["id"], set_=update)
            fresh = [case for case in touched if case.id in self._new]
            known = [case for case in touched if case.id not in self._new]
            if fresh:
                # No upsert: where another unit made the same case, this one has to fail.
                self._bulk(CASES, [case_row(case) for case in fresh])
            if known:
                self._connection.execute(upsert, [case_row(case) for case in known])
            tenants = [{"tenant": t, "case_id": case.id} for case in touched for t in case.tenants]
            self._bulk(CASE_TENANTS, tenants, repeats=True)
            self._new.clear()
            self._touched.clear()
        for table, rows in self._rows.items():
            # A case may get a key again; everything else is there once, or something is wrong.
            self._bulk(table, rows, repeats=table is CASE_KEYS)
        self._rows.clear()

    def finish(self) -> None:
        """Seal what waits and send everything."""
        by_chain: dict[str, list[Entry]] = {}
        for pending in self._pending:
            by_chain.setdefault(pending.chain, []).append(pending)
        entries, ends = [], []
        for chain, (position, previous) in self._ends_of(sorted(by_chain)).items():
            made, position, previous = chained(by_chain[chain], position, previous, self._salt)
            entries += made
            ends.append({"of": chain, "position": position, "hash": previous})
        if ends:
            update = sa.update(CHAINS).where(CHAINS.c.chain == sa.bindparam("of"))
            self._connection.execute(update, ends)
        for entry in entries:
            if entry.case:
                body = {"case": entry.case, "sequence": entry.sequence, "kind": entry.kind.value}
                self._say(Topic.WEBHOOKS, body)
        for case_id in self._changed:
            self._say(Topic.SEARCH, {"case": case_id, "version": self._cases[case_id].version})
        self._flush()
        self._bulk(ENTRIES, [entry_row(entry) for entry in entries])

    def _ends_of(self, chains: Sequence[str]) -> dict[str, tuple[int, bytes]]:
        """The ends of chains, held until the end of the unit."""
        if not chains:
            return {}
        starts = [{"chain": name, "position": 0, "hash": FIRST_PREVIOUS} for name in chains]
        self._connection.execute(self._insert(CHAINS).on_conflict_do_nothing(), starts)
        found: dict[str, tuple[int, bytes]] = {}
        for some in chunks(chains):
            select = sa.select(CHAINS).where(CHAINS.c.chain.in_(some)).order_by(CHAINS.c.chain)
            for row in self._connection.execute(select.with_for_update()):
                found[row.chain] = (int(row.position), bytes(row.hash))
        return {name: found[name] for name in chains}


def alerts_of(
    connection: sa.Connection, scope: Scope, keys: Collection[Key], since_us: int, until_us: int
) -> list[StoredAlert]:
    """Alerts of the keys in the window, by time and id, each once."""
    found = {
        row.id: row
        for select in alerts_by_key(scope, keys, since_us, until_us)
        for row in connection.execute(select)
    }
    rows = sorted(found.values(), key=lambda row: (row.time_us, row.id))
    return [read_alert(row) for row in rows]
