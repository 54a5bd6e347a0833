"""Proposals of rulepacks in memory, beside a ``MemoryRecord``."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from casework.cases.proposals import Proposal, ProposalState, ProposalTexts, sees_proposal
from casework.cases.scope import Scope
from casework.ports import Page, ProposalsUnit, Unit
from casework.stores.common import absent, read_cursor, whole_texts, write_cursor
from casework.stores.memory import MemoryRecord
from regtech.errors import ConflictError


class MemoryProposals:
    """``casework.ports.Proposals`` in memory."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record
        self._kept: dict[str, Proposal] = {}
        self._texts: dict[str, ProposalTexts] = {}

    @contextmanager
    def unit(self, scope: Scope) -> Iterator[ProposalsUnit]:
        with self._record.unit(scope) as unit:
            before = dict(self._kept), dict(self._texts)
            try:
                yield _Unit(unit, self._kept, self._texts)
            except BaseException:
                self._kept, self._texts = before
                raise

    def proposal(self, scope: Scope, proposal_id: str) -> Proposal:
        found = self._kept.get(proposal_id)
        if found is None or not sees_proposal(scope, found):
            raise absent("proposal", proposal_id)
        return found

    def texts(self, scope: Scope, proposal_id: str) -> ProposalTexts:
        return whole_texts(self.proposal(scope, proposal_id), self._texts[proposal_id])

    def proposals(
        self,
        scope: Scope,
        *,
        states: Collection[ProposalState] | None = None,
        pack: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Proposal]:
        numbered = list(enumerate(self._kept.values(), 1))[::-1]
        before = len(numbered) + 1 if after is None else read_cursor(after, (int,))[0]
        found = [
            (number, one)
            for number, one in numbered
            if number < before
            and sees_proposal(scope, one)
            and (states is None or one.state in states)
            and pack in (None, one.pack)
        ]
        items = found[:limit]
        more = len(found) > limit
        return Page(tuple(one for _, one in items), write_cursor((items[-1][0],)) if more else None)


class _Unit:
    def __init__(
        self, unit: Unit, kept: dict[str, Proposal], texts: dict[str, ProposalTexts]
    ) -> None:
        self.log = unit.log
        self._kept, self._texts = kept, texts

    def of_pack(self, scope: Scope, pack: str) -> tuple[Proposal, ...]:
        found = (one for one in self._kept.values() if one.pack == pack)
        return tuple(one for one in found if sees_proposal(scope, one))

    def add(self, scope: Scope, proposal: Proposal, texts: ProposalTexts) -> None:
        if proposal.id in self._kept:
            raise ConflictError(f"there is a proposal {proposal.id} already")
        self._kept[proposal.id], self._texts[proposal.id] = proposal, texts

    def put(self, scope: Scope, proposal: Proposal) -> None:
        if proposal.id not in self._kept:
            raise absent("proposal", proposal.id)
        self._kept[proposal.id] = proposal
