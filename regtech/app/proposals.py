"""Proposals on the command line: which there are, and the approved ones written out.

What is written is a folder that a server reads (``regtech serve --rules FOLDER``), anew once
something was written. A
folder without packs first gets all that ship, so that one proposal does not make the others' rules
disappear. The version that was there is kept beside it, for ``backtest --base PACK@VERSION``.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casework.cases.chain import SALT_BYTES
from casework.cases.lifecycle import Action, allow
from casework.cases.proposals import Proposal, ProposalState
from casework.cases.scope import Scope
from casework.cases.times import time_text
from casework.service.proposals import ProposalService
from casework.stores.sql.proposals import SqlProposals
from casework.stores.sql.record import SqlRecord
from regtech.adapters.committed import CommittedFile
from regtech.app.choice import chosen_packs
from regtech.app.drafts import Drafts
from regtech.app.rulebook import Rules
from regtech.app.rules import LOCK_NAME, lock_rules
from regtech.app.versions import VERSIONS
from regtech.clock import SystemClock
from regtech.content import content_root
from regtech.content.saying import say
from regtech.errors import ConflictError, ContentError, StoreError, UsageError
from regtech.rulelang.files import pack_files
from regtech.rulelang.ir import Pack

PAGE = 200


def new_proposal_id() -> str:
    """An id that was never given before."""
    return "P-" + secrets.token_hex(10)


@contextmanager
def proposals_in(store: str, rules: Path | None) -> Iterator[ProposalService]:
    """The proposals of a store, beside the packs of a folder or those that ship."""
    clock = SystemClock()
    book = Rules(chosen_packs((), rules))
    record = SqlRecord(store, clock, lambda: secrets.token_bytes(SALT_BYTES), create=False)
    try:
        yield ProposalService(SqlProposals(record), book, Drafts(book), clock, new_proposal_id)
    finally:
        record.close()


def list_proposals(
    service: ProposalService, scope: Scope, *, state: str | None, limit: int
) -> list[dict[str, Any]]:
    """Proposals, the newest first, as plain data. Raises ``UsageError`` for a state that is none"""
    states = None
    if state is not None:
        known = [one.value for one in ProposalState]
        if state not in known:
            raise UsageError(
                say("no state %(state)r", state=state),
                hint=say("states: %(known)s", known=", ".join(known)),
            )
        states = [ProposalState(state)]
    found = service.proposals(scope, states=states, limit=limit)
    return [
        {
            "id": one.id,
            "pack": one.pack,
            "base": one.base_version,
            "version": one.version,
            "standing": service.standing(one).value,
            "author": one.author,
            "made": time_text(one.made_us),
            "decided_by": one.decided_by,
            "note": one.note,
        }
        for one in found.items
    ]


@dataclass(frozen=True, slots=True)
class WrittenOut:
    """What came of writing out: each proposal with its file, and where the old text is kept."""

    folder: str
    begun: bool
    """Whether the folder was filled with the packs that ship."""
    written: tuple[dict[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {"folder": self.folder, "begun": self.begun, "written": list(self.written)}


def apply_proposals(store: str, folder: Path, wanted: Sequence[str], scope: Scope) -> WrittenOut:
    """``write_out`` for a store of its own; a folder without packs first gets all that ship."""
    begun = _begin(folder)
    with proposals_in(store, folder) as service:
        written = write_out(service, folder, wanted, scope)
    return WrittenOut(str(folder), begun, tuple(written))


def write_out(
    service: ProposalService, folder: Path, wanted: Sequence[str], scope: Scope
) -> list[dict[str, str]]:
    """Write approved proposals into a folder of packs: those named, or all. All fit, or none is
    written; after a crash the same again goes on.

    Raises ``ConflictError`` where the folder has another pack than a proposal was made from,
    ``ContentError`` where one does not fit beside the others.
    """
    allow(scope, Action.APPLY_PROPOSALS)
    chosen = _chosen(service, scope, wanted)
    planned = _planned(service, scope, chosen, folder)
    written = []
    for one, text, path, present in planned:
        kept = ""
        if present is None or present.digest != one.digest:
            kept = _keep(folder, present)
            _replace(path, text)
        service.applied(scope, one.id)
        written.append(
            {"id": one.id, "pack": one.pack, "version": one.version, "file": str(path),
             "kept": kept}
        )  # fmt: skip
    if written and (folder / LOCK_NAME).is_file():
        found = lock_rules((folder,), check=False)
        if found.failed:
            raise ContentError(say("the lock of the folder does not hold"), found.data["faults"])
    return written


def _begin(folder: Path) -> bool:
    """Fill a folder that has no packs with all that ship; whether it was."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(
            say("%(folder)s is no folder", folder=folder), hint=say("name a folder of packs")
        )
    if folder.is_dir() and pack_files(folder):
        return False
    try:
        shutil.copytree(content_root("rules"), folder, dirs_exist_ok=True)
    except (OSError, shutil.Error) as error:
        raise StoreError(
            say("%(folder)s could not be filled: %(error)s", folder=folder, error=error)
        ) from None
    return True


def _chosen(service: ProposalService, scope: Scope, wanted: Sequence[str]) -> list[Proposal]:
    if wanted:
        return [service.proposal(scope, name) for name in dict.fromkeys(wanted)]
    found: list[Proposal] = []
    after = None
    while True:
        page = service.proposals(scope, states=[ProposalState.APPROVED], after=after, limit=PAGE)
        found += page.items
        after = page.after
        if after is None:
            return found[::-1]


def _planned(
    service: ProposalService, scope: Scope, chosen: Sequence[Proposal], folder: Path
) -> list[tuple[Proposal, str, Path, Pack | None]]:
    """Each with its text, its file and what is there; every one was checked beside the others."""
    packs = {pack.id: pack for pack in chosen_packs((), folder)}
    planned = []
    for one in chosen:
        if one.state is not ProposalState.APPROVED:
            raise ConflictError(
                say("%(one)s is %(state)s", one=one.id, state=one.state),
                hint=say("only approved ones are written"),
            )
        present = packs.get(one.pack)
        digest = "" if present is None else present.digest
        if digest not in (one.base_digest, one.digest):
            there = "no such pack" if present is None else f"version {present.version}"
            raise ConflictError(
                say(
                    "%(one)s was made from %(pack)s %(base_version)s, %(folder)s has %(there)s",
                    one=one.id,
                    pack=one.pack,
                    base_version=one.base_version or "(new)",
                    folder=folder,
                    there=there,
                ),
                hint=say("name the folder that the server reads, or take the proposal back"),
            )
        text = service.texts(scope, one.id).proposed
        made, faults = Rules(list(packs.values())).read(text)
        errors = [fault for fault in faults if fault.severity == "error"]
        if made is None or errors:
            raise ContentError(
                say(
                    "%(one)s does not fit beside the packs of %(folder)s", one=one.id, folder=folder
                ),
                errors,
            )
        path = Path(present.path) if present is not None else _place(folder, one, packs.values())
        planned.append((one, text, path, present))
        packs[one.pack] = made
    return planned


def _place(folder: Path, one: Proposal, packs: Any) -> Path:
    """Beside the packs of its jurisdiction, or in a folder that is named after it."""
    beside = {Path(p.path).parent for p in packs if p.jurisdiction == one.jurisdiction and p.path}
    inside = [place for place in sorted(beside) if place.is_relative_to(folder)]
    return (inside[0] if inside else folder / one.jurisdiction.lower()) / f"{one.pack}.yml"


def _keep(folder: Path, present: Pack | None) -> str:
    """The text that is replaced, kept under its version; where."""
    if present is None:
        return ""
    path = folder / VERSIONS / f"{present.id}@{present.version}" / f"{present.id}.yml"
    if not path.exists():
        _replace(path, Path(present.path).read_text(encoding="utf-8"))
    return str(path)


def _replace(path: Path, text: str) -> None:
    """Put a text in place of a file, durably and in one step."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            say(
                "%(parent)s could not be made: %(strerror)s",
                parent=path.parent,
                strerror=error.strerror,
            )
        ) from None
    file = CommittedFile(str(path), "a rulepack")
    try:
        file.write(text.encode())
    except BaseException:
        file.abandon()
        raise
    file.close()
