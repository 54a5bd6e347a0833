"""Proposals of rulepacks in the store of the record, with the log in the same transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from casework.cases.proposals import Proposal, ProposalState, ProposalTexts, sees_proposal
from casework.cases.scope import Scope
from casework.cases.timeline import Draft
from casework.ports import Page
from casework.stores.common import (
    absent,
    proposal_data,
    proposal_of,
    read_cursor,
    whole_texts,
    write_cursor,
)
from casework.stores.sql.record import SqlRecord
from casework.stores.sql.rows import to_json
from casework.stores.sql.service_tables import PROPOSALS
from casework.stores.sql.unit import SqlUnit
from regtech.errors import ConflictError


class SqlProposals:
    """``casework.ports.Proposals`` beside a ``SqlRecord``."""

    def __init__(self, record: SqlRecord) -> None:
        self._record = record

    @contextmanager
    def unit(self, scope: Scope) -> Iterator[_Unit]:
        with self._record.unit(scope) as unit:
            yield _Unit(unit)

    def proposal(self, scope: Scope, proposal_id: str) -> Proposal:
        return _read(self._row(scope, proposal_id, PROPOSALS.c.body))

    def texts(self, scope: Scope, proposal_id: str) -> ProposalTexts:
        c = PROPOSALS.c
        row = self._row(scope, proposal_id, c.body, c.base, c.proposed)
        return whole_texts(_read(row), ProposalTexts(row.base, row.proposed))

    def _row(self, scope: Scope, proposal_id: str, *columns: sa.Column[Any]) -> sa.Row[Any]:
        select = sa.select(*columns).where(PROPOSALS.c.id == proposal_id, *_reach(scope))
        with self._record.reading() as connection:
            row = connection.execute(select).one_or_none()
        # The second check is the same rule in its other form: neither alone lets anything out.
        if row is None or not sees_proposal(scope, _read(row)):
            raise absent("proposal", proposal_id)
        return row

    def proposals(
        self,
        scope: Scope,
        *,
        states: Collection[ProposalState] | None = None,
        pack: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Proposal]:
        c = PROPOSALS.c
        select = sa.select(c.number, c.body).where(*_reach(scope)).order_by(c.number.desc())
        if states is not None:
            select = select.where(c.state.in_(sorted(state.value for state in states)))
        if pack is not None:
            select = select.where(c.pack == pack)
        if after is not None:
            select = select.where(c.number < read_cursor(after, (int,))[0])
        found: list[tuple[int, Proposal]] = []
        with self._record.reading() as connection:
            for row in connection.execute(select):
                if sees_proposal(scope, one := _read(row)):
                    found.append((row.number, one))
                if len(found) > limit:
                    break
        items = found[:limit]
        more = len(found) > limit
        return Page(tuple(one for _, one in items), write_cursor((items[-1][0],)) if more else None)


def _read(row: Any) -> Proposal:
    return proposal_of(json.loads(row.body))


def _reach(scope: Scope) -> list[sa.ColumnElement[bool]]:
    """What ``reaches_rules`` says, as far as the server can say it."""
    if scope.tenants is not None and "" not in scope.tenants:
        return [sa.false()]
    if scope.jurisdictions is None:
        return []
    return [PROPOSALS.c.jurisdiction.in_(sorted(scope.jurisdictions))]


class _Unit:
    def __init__(self, unit: SqlUnit) -> None:
        self._unit, self._connection = unit, unit.connection

    def log(self, scope: Scope, chain: str, draft: Draft) -> None:
        self._unit.log(scope, chain, draft)

    def of_pack(self, scope: Scope, pack: str) -> tuple[Proposal, ...]:
        c = PROPOSALS.c
        select = sa.select(c.body).where(c.pack == pack, *_reach(scope)).order_by(c.number)
        rows = self._connection.execute(select.with_for_update()).all()
        return tuple(one for one in map(_read, rows) if sees_proposal(scope, one))

    def add(self, scope: Scope, proposal: Proposal, texts: ProposalTexts) -> None:
        made = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        values = {**_columns(proposal), "base": texts.base, "proposed": texts.proposed}
        insert = made.insert(PROPOSALS).values(values).on_conflict_do_nothing(index_elements=["id"])
        added = self._connection.execute(insert.returning(PROPOSALS.c.number)).first()
        if added is None:
            raise ConflictError(f"there is a proposal {proposal.id} already")

    def put(self, scope: Scope, proposal: Proposal) -> None:
        update = sa.update(PROPOSALS).where(PROPOSALS.c.id == proposal.id)
        if not self._connection.execute(update.values(_columns(proposal))).rowcount:
            raise absent("proposal", proposal.id)


def _columns(proposal: Proposal) -> dict[str, str]:
    return {
        "id": proposal.id,
        "pack": proposal.pack,
        "jurisdiction": proposal.jurisdiction,
        "state": proposal.state.value,
        "body": to_json(proposal_data(proposal)),
    }
