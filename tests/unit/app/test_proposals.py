"""Proposals from an author's text to the folder that a server reads: four eyes, and no lost change.

The tests of packs are run in ``test_drafts``; here a draft's tests are what a test says they are.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from casework.cases.errors import FourEyesError, TransitionError
from casework.cases.proposals import Proposal, ProposalState
from casework.cases.scope import Role
from casework.cases.timeline import EntryKind
from casework.service.outside import FailedTest, Trial
from casework.service.proposals import ProposalService, Standing
from casework.stores.memory import MemoryRecord
from casework.stores.memory_proposals import MemoryProposals
from casework.stores.sql.proposals import SqlProposals
from casework.stores.sql.record import SqlRecord
from regtech.app.choice import chosen_packs
from regtech.app.drafts import Drafts
from regtech.app.proposals import (
    apply_proposals,
    list_proposals,
    new_proposal_id,
    proposals_in,
)
from regtech.app.rulebook import Rules
from regtech.clock import ManualClock, SystemClock
from regtech.content import content_root
from regtech.errors import ConflictError, ContentError, ForbiddenError, UsageError
from tests.contract.world import SERVICE, START_US, Salts, scope

PACK = "new-pack"
ANNA, BO = scope("anna", Role.AUTHOR), scope("bo", Role.AUTHOR)
LI, AUDITOR = scope("li"), scope("audit", Role.AUDITOR)
OPERATOR = scope("op", Role.OPERATOR)


class Tried(Drafts):
    """Drafts whose tests pass, or fail, without being run."""

    failed: tuple[FailedTest, ...] = ()

    def run_tests(self, text: str) -> Trial:
        return Trial(2, self.failed, {})


@dataclass
class Desk:
    """A service beside packs of a folder, which a "server" reads when it is told to start."""

    folder: Path
    record: MemoryRecord = field(
        default_factory=lambda: MemoryRecord(ManualClock(START_US), Salts())
    )

    def __post_init__(self) -> None:
        self.store, self.ids = MemoryProposals(self.record), itertools.count(1)
        self.text = Drafts(Rules([])).start()
        self.file = self.folder / f"{PACK}.yml"
        self.start()

    def start(self) -> ProposalService:
        """What a server reads now is in use."""
        files = list(self.folder.glob("*.yml"))
        self.book = Rules(chosen_packs((), self.folder) if files else [])
        self.drafts = Tried(self.book)
        self.service = ProposalService(
            self.store, self.book, self.drafts, ManualClock(START_US),
            lambda: f"P-{next(self.ids)}",
        )  # fmt: skip
        return self.service

    def base(self) -> str:
        used = self.service.in_use(PACK)
        return "" if used is None else str(used["digest"])

    def propose(self, version: str = "0.1.0", total: str = "10000") -> Proposal:
        """Anna's, from what is in use."""
        return self.service.propose(
            ANNA, self.version(version, total), f"why {version}", base=self.base()
        )

    def version(self, version: str, total: str = "10000") -> str:
        """The text with another version and figure."""
        made = self.text.replace("version: 0.1.0", f"version: {version}")
        return made.replace("10000", total)

    def publish(self, proposal: Proposal) -> None:
        """By hand, as an operator may."""
        self.file.write_text(self.service.texts(ANNA, proposal.id).proposed, encoding="utf-8")
        self.start()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_nobody_approves_what_they_wrote(desk: Desk) -> None:
    made = desk.propose()
    for act in (desk.service.approve, desk.service.refuse):
        with pytest.raises(FourEyesError):
            act(ANNA, made.id, "I am sure")
    for stranger in (AUDITOR, OPERATOR):
        with pytest.raises(ForbiddenError):
            desk.service.approve(stranger, made.id)
    with pytest.raises(UsageError, match="reason"):
        desk.service.refuse(BO, made.id, "  ")
    approved = desk.service.approve(BO, made.id)
    assert (approved.state, approved.decided_by) == (ProposalState.APPROVED, "bo")
    for again in (desk.service.approve, desk.service.refuse):
        with pytest.raises(TransitionError, match="approved already"):
            again(LI, made.id, "again")
    entries = desk.record.log(SERVICE, "")
    assert [(e.kind, e.actor, e.detail["act"]) for e in entries] == [
        (EntryKind.REQUESTED, "anna", "rules_proposed"),
        (EntryKind.APPROVED, "bo", "rules_approved"),
    ]
    assert all(e.intact and e.detail["sha256"] == made.sha256 for e in entries)


def test_only_an_author_proposes_and_only_within_its_reach(desk: Desk) -> None:
    for stranger in (LI, AUDITOR, OPERATOR, scope("x", Role.INSTITUTION, tenants={"BANK-A"})):
        with pytest.raises(ForbiddenError):
            desk.service.propose(stranger, desk.text, "why", base="")
    for author in (
        scope("x", Role.AUTHOR, jurisdictions={"HK"}), scope("x", Role.AUTHOR, tenants={"B"}),
    ):  # fmt: skip
        with pytest.raises(ForbiddenError, match="may not propose"):
            desk.service.propose(author, desk.text, "why", base="")
    assert desk.service.proposals(ANNA).items == ()


def test_what_is_not_sound_is_not_proposed(desk: Desk) -> None:
    propose = desk.service.propose
    with pytest.raises(UsageError, match="reason"):
        propose(ANNA, desk.text, " ", base="")
    with pytest.raises(ContentError, match="errors"):
        propose(ANNA, desk.text.replace("severity: low", "severity: loww"), "why", base="")
    desk.drafts.failed = (FailedTest("r", "t", 7, ("expected 1 alert", "got none")),)
    with pytest.raises(ContentError, match="tests of the draft that fail: 1 of 2") as refused:
        propose(ANNA, desk.text, "why", base="")
    (fault,) = refused.value.faults
    assert fault == {
        "code": "test", "severity": "error", "line": 7, "rule": "r", "test": "t",
        "message": "expected 1 alert; got none",
    }  # fmt: skip
    desk.drafts.failed = ()
    desk.propose()
    with pytest.raises(ConflictError, match="the same text is proposed as P-1"):
        desk.propose()


def test_a_change_follows_from_what_is_in_use(desk: Desk) -> None:
    first = desk.service.approve(BO, desk.propose().id)
    assert desk.service.standing(first) is Standing.APPROVED
    # Nothing is built on what is not in force yet.
    with pytest.raises(ConflictError, match=f"{first.id} is approved"):
        desk.propose("0.2.0")
    desk.publish(first)
    assert desk.service.standing(first) is Standing.IN_FORCE
    with pytest.raises(UsageError, match="the draft says 0.1.0"):
        desk.propose("0.1.0", "20000")
    with pytest.raises(ConflictError, match="nothing says which"):
        desk.service.propose(ANNA, desk.version("0.2.0"), "why", base="")
    changed = desk.propose("0.2.0", "20000")
    assert (changed.base_version, changed.builds_on) == ("0.1.0", first.id)
    assert dict(changed.findings)["changed"] == ["new-rule"]
    with pytest.raises(ConflictError, match="in force"):
        desk.service.withdraw(LI, first.id, "a mistake")


def test_the_second_of_two_changes_of_the_same_base_is_a_conflict(desk: Desk) -> None:
    one, other = desk.propose("0.1.0"), desk.propose("0.2.0", "20000")
    desk.service.approve(BO, one.id)
    with pytest.raises(ConflictError, match=f"{one.id} was decided on since"):
        desk.service.approve(BO, other.id)
    assert desk.service.proposal(ANNA, other.id).state is ProposalState.OPEN
    # Taken back, it stands in nobody's way.
    desk.service.withdraw(LI, one.id, "the text of the law was misread")
    assert desk.service.approve(BO, other.id).accepted


def test_a_base_that_changed_otherwise_is_a_conflict(desk: Desk) -> None:
    made = desk.propose("0.2.0")
    desk.file.write_text(desk.version("0.1.5", "5"), encoding="utf-8")
    desk.start()
    assert desk.service.standing(made) is Standing.STALE
    with pytest.raises(ConflictError, match="in use is 0.1.5"):
        desk.service.approve(BO, made.id)
    assert desk.service.refuse(BO, made.id, "made anew").state is ProposalState.REFUSED


def test_a_proposal_that_no_longer_fits_beside_the_others_is_a_conflict(desk: Desk) -> None:
    made = desk.propose()
    taken = desk.text.replace(f"pack: {PACK}", "pack: other-pack")
    (desk.folder / "other-pack.yml").write_text(taken, encoding="utf-8")
    desk.start()
    with pytest.raises(ConflictError, match="no longer fits"):
        desk.service.approve(BO, made.id)


def test_only_its_author_takes_back_what_is_open(desk: Desk) -> None:
    made = desk.propose()
    with pytest.raises(TransitionError, match="anna's"):
        desk.service.withdraw(BO, made.id, "not mine")
    with pytest.raises(ForbiddenError):
        desk.service.withdraw(AUDITOR, made.id, "why")
    assert desk.service.withdraw(ANNA, made.id, "later").state is ProposalState.WITHDRAWN
    with pytest.raises(TransitionError):
        desk.service.approve(BO, made.id)


Propose = Callable[[str, str], Proposal]


@pytest.fixture
def stored(tmp_path: Path) -> tuple[str, Propose]:
    """A store, and how a proposal gets into it that Bo has approved."""
    url = f"sqlite:///{tmp_path}/cases.db"

    def propose(text: str, base: str) -> Proposal:
        record = SqlRecord(url, SystemClock(), Salts())
        rules = None if base == "" else tmp_path / "rules"
        book = Rules(chosen_packs((), rules) if rules else [])
        service = ProposalService(
            SqlProposals(record), book, Tried(book), SystemClock(), new_proposal_id
        )
        made = service.propose(ANNA, text, "why", base=base)
        service.approve(BO, made.id)
        record.close()
        return made

    return url, propose


def test_a_folder_without_packs_gets_all_that_ship(
    tmp_path: Path, stored: tuple[str, Propose]
) -> None:
    url, propose = stored
    folder = tmp_path / "rules"
    made = propose(Drafts(Rules([])).start(), "")
    done = apply_proposals(url, folder, (), OPERATOR)
    assert done.begun and [one["id"] for one in done.written] == [made.id]
    packs = {pack.id: pack for pack in chosen_packs((), folder)}
    assert len(packs) == len(list(content_root("rules").glob("*/*.yml"))) + 1
    assert Path(packs[PACK].path).parent.name == "international"
    assert f'"{PACK}"' in (folder / "rules.lock").read_text(encoding="utf-8")
    with proposals_in(url, None) as service:
        assert list_proposals(service, OPERATOR, state=None, limit=5)[0]["standing"] == "applied"


def test_approved_proposals_are_written_to_where_a_server_reads(
    tmp_path: Path, stored: tuple[str, Propose]
) -> None:
    url, propose = stored
    folder, text = tmp_path / "rules", Drafts(Rules([])).start()
    folder.mkdir()
    beside = text.replace(PACK, "beside").replace("new-rule", "rule-beside")
    (folder / "beside.yml").write_text(beside.replace("10000", "7"), encoding="utf-8")
    first = propose(text, "")
    assert not apply_proposals(url, folder, (), OPERATOR).begun
    packs = {pack.id: pack for pack in chosen_packs((), folder)}
    file = folder / f"{PACK}.yml"
    assert packs[PACK].path == str(file) and file.read_text(encoding="utf-8") == text
    assert apply_proposals(url, folder, (), OPERATOR).written == ()
    with proposals_in(url, folder) as service:
        (line,) = list_proposals(service, OPERATOR, state="applied", limit=5)
        assert (line["id"], line["standing"]) == (first.id, "in_force")
    # The next one replaces it; what it replaces is kept.
    newer = text.replace("version: 0.1.0", "version: 0.2.0").replace("10000", "20000")
    second = propose(newer, packs[PACK].digest)
    done = apply_proposals(url, folder, (second.id,), OPERATOR)
    assert [one["version"] for one in done.written] == ["0.2.0"]
    assert file.read_text(encoding="utf-8") == newer
    kept = folder / ".versions" / f"{PACK}@0.1.0" / f"{PACK}.yml"
    assert kept.read_text(encoding="utf-8") == text
    with pytest.raises(ConflictError, match="only approved ones"):
        apply_proposals(url, folder, (second.id,), OPERATOR)


def test_nothing_is_written_over_a_pack_that_is_another(
    tmp_path: Path, stored: tuple[str, Propose]
) -> None:
    url, propose = stored
    folder, text = tmp_path / "rules", Drafts(Rules([])).start()
    folder.mkdir()
    propose(text, "")
    file = folder / f"{PACK}.yml"
    other = text.replace("version: 0.1.0", "version: 0.0.9")
    file.write_text(other, encoding="utf-8")
    with pytest.raises(ConflictError, match="has version 0.0.9"):
        apply_proposals(url, folder, (), OPERATOR)
    assert file.read_text(encoding="utf-8") == other
    with pytest.raises(ForbiddenError):
        apply_proposals(url, folder, (), scope("x", Role.INSTITUTION, tenants={"B"}))
    # A crash after the file and before the record: the same again ends it.
    file.write_text(text, encoding="utf-8")
    assert len(apply_proposals(url, folder, (), OPERATOR).written) == 1
    assert file.read_text(encoding="utf-8") == text
    assert content_root("rules") != folder
