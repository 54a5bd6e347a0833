"""Proposals of rules: every store keeps them in the same way, and no decision without its entry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from casework.cases.proposals import Proposal, ProposalState, last_accepted
from casework.cases.scope import Role, Scope
from casework.cases.timeline import Draft, EntryKind
from casework.ports import Proposals, Record
from casework.stores.common import proposal_data, proposal_of
from casework.stores.memory import MemoryRecord
from casework.stores.memory_proposals import MemoryProposals
from casework.stores.sql.proposals import SqlProposals
from casework.stores.sql.record import SqlRecord
from regtech.errors import ConflictError, NotFoundError, StoreError
from tests.contract.world import SERVICE, scope
from tests.support.proposals import proposal, texts

AUTHOR = scope("anna", Role.AUTHOR)
STRANGERS = {
    "of Hong Kong": scope("x", Role.AUTHOR, jurisdictions={"HK"}),
    "of a bank": scope("x", Role.INSTITUTION, tenants={"BANK-A"}),
    "supervisor of a bank": scope("x", Role.SUPERVISOR, tenants={"BANK-A"}),
    "author who is a bank's too": Scope(
        "x", frozenset({Role.AUTHOR, Role.INSTITUTION}), None, frozenset({"BANK-A"})
    ),
}


@pytest.fixture
def store(record: Record) -> Proposals:
    """The same for each kind of store."""
    if isinstance(record, MemoryRecord):
        return MemoryProposals(record)
    assert isinstance(record, SqlRecord)
    return SqlProposals(record)


def test_data_and_back() -> None:
    made = proposal(state=ProposalState.REFUSED, decided_by="li", decided_us=5, reason="no")
    assert proposal_of(proposal_data(made)) == made


def test_a_proposal_is_kept_with_its_texts_and_its_entry(store: Proposals, record: Record) -> None:
    text = "pack: a  # 五万元 \U0001f600\n" * 1000
    made = proposal(text=text)
    with store.unit(AUTHOR) as unit:
        unit.add(AUTHOR, made, texts(text, ""))
        unit.log(AUTHOR, "", Draft(EntryKind.REQUESTED, detail={"proposal": made.id}))
        assert unit.of_pack(AUTHOR, made.pack) == (made,)
    assert store.proposal(AUTHOR, made.id) == made
    assert store.texts(AUTHOR, made.id) == texts(text, "")
    (entry,) = record.log(SERVICE, "")
    assert (entry.actor, entry.detail) == ("anna", {"proposal": made.id})
    approved = replace(made, state=ProposalState.APPROVED, decided_by="li", decided_us=9)
    with store.unit(AUTHOR) as unit:
        unit.put(AUTHOR, approved)
    assert store.proposal(AUTHOR, made.id) == approved
    assert store.texts(AUTHOR, made.id) == texts(text, "")
    with pytest.raises(NotFoundError), store.unit(AUTHOR) as unit:
        unit.put(AUTHOR, replace(made, id="P-none"))
    with pytest.raises(ConflictError), store.unit(AUTHOR) as unit:
        unit.add(AUTHOR, made, texts(text))


def test_a_unit_that_fails_leaves_nothing(store: Proposals, record: Record) -> None:
    with pytest.raises(RuntimeError), store.unit(AUTHOR) as unit:
        unit.add(AUTHOR, proposal(), texts())
        unit.log(AUTHOR, "", Draft(EntryKind.REQUESTED))
        raise RuntimeError
    assert store.proposals(AUTHOR).items == ()
    assert record.log(SERVICE, "") == ()


def test_lists_are_by_state_and_pack_the_newest_first_in_pages(store: Proposals) -> None:
    made = [
        proposal(1), proposal(2, state=ProposalState.REFUSED), proposal(3, pack="other"),
        proposal(4, jurisdiction="HK"), proposal(5),
    ]  # fmt: skip
    for one in made:
        with store.unit(AUTHOR) as unit:
            unit.add(AUTHOR, one, texts())
    seen: list[Proposal] = []
    after = None
    while True:
        page = store.proposals(AUTHOR, after=after, limit=2)
        seen += page.items
        after = page.after
        if after is None:
            break
    assert seen == made[::-1]
    found = store.proposals(AUTHOR, states=[ProposalState.OPEN], pack=made[0].pack)
    assert [one.id for one in found.items] == [made[k].id for k in (4, 3, 0)]
    page = store.proposals(scope("x", Role.AUTHOR, jurisdictions={"CN"}), limit=3)
    assert [one.id for one in page.items] == [made[k].id for k in (4, 2, 1)]
    assert page.after is not None


@pytest.mark.parametrize("who", list(STRANGERS))
def test_what_lies_outside_the_scope_is_not_there(store: Proposals, who: str) -> None:
    stranger = STRANGERS[who]
    with store.unit(AUTHOR) as unit:
        unit.add(AUTHOR, proposal(), texts())
    assert store.proposals(stranger).items == ()
    with pytest.raises(NotFoundError) as there:
        store.proposal(stranger, proposal().id)
    with pytest.raises(NotFoundError) as absent:
        store.proposal(stranger, "P-none")
    assert str(there.value).replace(proposal().id, "") == str(absent.value).replace("P-none", "")
    with pytest.raises(NotFoundError):
        store.texts(stranger, proposal().id)
    with store.unit(stranger) as unit:
        assert unit.of_pack(stranger, proposal().pack) == ()


def test_a_text_that_was_changed_is_not_handed_out(store: Proposals) -> None:
    with store.unit(AUTHOR) as unit:
        unit.add(AUTHOR, proposal(text="pack: a\n"), texts("pack: b\n"))
    with pytest.raises(StoreError, match="damaged"):
        store.texts(AUTHOR, proposal().id)


def test_the_last_accepted_is_the_one_that_no_other_accepted_builds_on() -> None:
    approved, withdrawn = ProposalState.APPROVED, ProposalState.WITHDRAWN
    first, second = proposal(1, state=approved), proposal(2, state=approved)
    second = replace(second, builds_on=first.id)
    assert last_accepted([]) is None
    assert last_accepted([proposal(1)]) is None
    assert last_accepted([second, first]) == second
    assert last_accepted([first, replace(second, state=withdrawn)]) == first
    assert last_accepted([replace(first, state=withdrawn), second]) == second
