"""Rules read anew while a server runs: made ready aside, exchanged between two events.

What was written to the folder of rules is read as a start would read it. An engine of the new rules
gets its state as that of a start does: from the newest memory that fits, which another process
makes (``regtech.app.warm``), and from the rest of the journal. Then it takes the place of the one
that judged so far. Whatever fails on the way leaves the rules in use as they are, and is told.

The log of the authority says from which place of the journal on which packs judge; a start says it
too, where they are others than those before.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from casework.cases.lifecycle import Action, allow
from casework.cases.proposals import ProposalState
from casework.cases.scope import Role, Scope
from casework.ports import Proposals
from casework.service.outside import Reading, ReadingState
from casework.service.proposals import ProposalService, Standing
from regtech.app.choice import chosen_packs
from regtech.app.deciding import Deciding
from regtech.app.following import Follower
from regtech.app.inforce import InForce, InForceRecord
from regtech.app.judging import check_home
from regtech.app.proposals import PAGE, write_out
from regtech.app.rulebook import Rules, named
from regtech.app.turns import quick_turns
from regtech.app.warm import Remember
from regtech.app.workers import run_beside
from regtech.clock import Clock
from regtech.content.faults import Fault
from regtech.content.saying import say
from regtech.errors import (
    ConflictError,
    ContentError,
    ForbiddenError,
    InputError,
    Interrupted,
    RegtechError,
    StoreError,
    UsageError,
)
from regtech.rulelang.ir import Pack

NEAR_BYTES: Final = 8 << 20
"""So much of the journal, some 30,000 events, is followed here; what is more, by a process."""
ROUNDS_MAX: Final = 5
"""So often a process is asked to come near the end of the journal."""
TRIES: Final = 3
"""So often a reading is tried again that a store or a disk has stopped."""
FAULTS_MAX: Final = 50
_PROGRESS: Final = "reading.json"


@dataclass(frozen=True, slots=True)
class RuleSource:
    """Where a server reads its rules, and what it keeps beside its journal."""

    names: tuple[str, ...]
    folder: Path | None
    home: str | None
    data: Path
    lists: Callable[[], str | None] = lambda: None
    """The folder of the lists in use now."""

    def packs(self) -> list[Pack]:
        """As they are written now. Raises ``ContentError``, ``UsageError``."""
        packs = chosen_packs(self.names, self.folder)
        check_home(self.home, packs)
        return packs

    def memory(self, position: int) -> Remember:
        """What another process is to remember."""
        folder = None if self.folder is None else str(self.folder)
        return Remember(str(self.data), position, self.names, folder, self.home, lists=self.lists())


class RuleReading:
    """``casework.service.outside.RulesInForce``. ``deciding``: None where nothing is judged."""

    def __init__(
        self,
        source: RuleSource,
        book: Rules,
        service: ProposalService,
        store: Proposals,
        deciding: Deciding | None,
        clock: Clock,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._source, self._book, self._deciding = source, book, deciding
        self._service, self._store, self._clock = service, store, clock
        self._stopping = stopping
        self._record = InForceRecord(source.data, store)
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._memory = threading.Lock()
        """Held by the one process that may keep memories."""
        self._asked = ""
        self._tries = 0
        self._tried: frozenset[str] = frozenset()
        """Proposals that were written out when rules were read last."""
        self._tried_lists: str | None = None
        self._tried_models = self._seen_models = ""
        place = None if deciding is None else deciding.from_place
        self._told = Reading(
            ReadingState.IN_USE, clock.now_us(), place, writes=source.folder is not None
        )
        self.wake: Callable[[], None] = lambda: None

    # --- what people ask

    def reading(self, scope: Scope) -> Reading:
        allow(scope, Action.READ_PROPOSALS)
        if Role.INSTITUTION in scope.roles or not scope.reaches_chain(""):
            raise ForbiddenError(say("%(actor)s may not see how rules are read", actor=scope.actor))
        return self.told()

    def told(self) -> Reading:
        """How far it is, for whoever keeps the server running."""
        told = self._told
        if told.stage == "journal":
            with suppress(OSError, ValueError):
                progress = json.loads((self._source.data / _PROGRESS).read_text(encoding="utf-8"))
                return replace(told, at=int(progress["at"]), of=int(progress["of"]))
        return told

    def health(self) -> dict[str, Any]:
        """For the health of the server."""
        told = self.told()
        return {
            "rules": told.state.value,
            "packs": len(self._book.named()),
            "stage": told.stage,
            "at": told.at or None,
            "of": told.of or None,
            "refused": told.error,
        }

    def read(self, scope: Scope) -> Reading:
        self._may_apply(scope)
        self._ask(scope)
        return self.told()

    def apply(self, scope: Scope, proposals: Sequence[str]) -> Sequence[dict[str, str]]:
        self._may_apply(scope)
        folder = self._source.folder
        if folder is None:
            raise UsageError(
                say("this server reads the packs that ship, which nobody writes to"),
                hint=say("start it with --rules FOLDER; regtech rules apply --to FOLDER fills it"),
            )
        with self._writing:
            written = write_out(self._service, folder, proposals, scope)
        self._ask(scope)
        return [{name: one[name] for name in ("id", "pack", "version")} for one in written]

    def _may_apply(self, scope: Scope) -> None:
        allow(scope, Action.APPLY_PROPOSALS)
        if scope.jurisdictions is not None or scope.tenants is not None:
            raise ForbiddenError(
                say("%(actor)s may not have rules be read", actor=scope.actor),
                hint=say(
                    "those of all jurisdictions are: it takes one who is there for all of them"
                ),
            )

    def _ask(self, scope: Scope) -> None:
        with self._lock:
            self._asked, self._tries = scope.actor, 0
            self._told = replace(self._told, state=ReadingState.READING, stage="packs", at=0, of=0)
        self.wake()

    # --- what the server does

    def started(self, scope: Scope) -> None:
        """Say which packs judge from here on, where others did before."""
        if self._deciding is None:
            return
        self._told = replace(self._told, place=self._deciding.from_place)
        before = self._record.last()
        now = InForce(self._book.named(), self._deciding.lists, self._deciding.models)
        if before != now:
            self._record.say(scope, self._deciding.from_place, now, before.packs, "")

    def remember(self, position: int) -> None:
        """Have the engine's state be kept up to a place, unless that is being done."""
        if self._memory.acquire(blocking=False):
            try:
                run_beside(self._source.memory(position).command(), self._stopping)
            finally:
                self._memory.release()

    def work(self, scope: Scope) -> None:
        """Read rules anew where somebody asked for it, or wrote proposals out beside the server."""
        written = self._written_out(scope)
        with self._lock:
            asked, self._asked = self._asked, ""
            if not (asked or self.lists_due() or self._models_due()) and written <= self._tried:
                return
        lists, models = self._source.lists(), self._models()
        self._telling(state=ReadingState.READING, stage="packs", at=0, of=0)
        try:
            # Files that somebody is editing are no rules: other lists or models alone do not have
            # them read.
            anew = bool(asked) or not written <= self._tried
            with quick_turns():
                place = self._exchange(scope, asked, written, lists, anew=anew)
        except Interrupted:
            return  # the server comes to its end: its next start reads them
        except StoreError as error:
            self._tries += 1
            if self._tries < TRIES:
                self._asked = asked or "rules"
                raise
            self._tried_lists, self._tried_models = lists, models
            self._refuse(error, written)
        except RegtechError as error:
            self._tried_lists, self._tried_models = lists, models
            self._refuse(error, written)
        else:
            self._tried, self._tries = written, 0
            if place is not None:
                self._telling(since_us=self._clock.now_us(), place=place)
            self._telling(state=ReadingState.IN_USE, stage="", error="", hint="", faults=())

    def lists_due(self) -> bool:
        """Whether rules are still to be held against the lists in use."""
        lists = self._source.lists()
        deciding = self._deciding
        return deciding is not None and lists != self._tried_lists and deciding.lists_due(lists)

    def _models_due(self) -> bool:
        """Whether rules ask for models, and others stand for them by now: promoted, rolled back.

        What is the same at two looks is; a log that is being written to is not.
        """
        before, self._seen_models = self._seen_models, self._models()
        deciding, now = self._deciding, self._seen_models
        if deciding is None or now != before:
            return False
        return now not in (self._tried_models, deciding.models)

    def _models(self) -> str:
        return "" if self._deciding is None else self._deciding.models_now()

    def _telling(self, **facts: Any) -> None:
        self._told = replace(self._told, **facts)

    def _refuse(self, error: RegtechError, written: frozenset[str]) -> None:
        self._tried, self._tries = written, 0
        faults = tuple(
            {**fault.as_data(), "file": self._shown(fault.mark.file)}
            for fault in (error.faults if isinstance(error, ContentError) else ())
            if isinstance(fault, Fault)
        )
        self._telling(
            state=ReadingState.REFUSED,
            stage="",
            error=self._shown(error.message),
            hint=self._shown(error.hint),
            faults=faults[:FAULTS_MAX],
            refused_us=self._clock.now_us(),
        )

    def _shown(self, text: str) -> str:
        """Without the place of the folder, which is nobody's business outside."""
        return text if self._source.folder is None else text.replace(f"{self._source.folder}/", "")

    def _written_out(self, scope: Scope) -> frozenset[str]:
        """Proposals that were written out and that are not in use."""
        found = self._store.proposals(scope, states=[ProposalState.APPLIED], limit=PAGE).items
        return frozenset(o.id for o in found if self._service.standing(o) is Standing.APPLIED)

    def _exchange(
        self,
        scope: Scope,
        asked: str,
        written: Collection[str],
        lists: str | None,
        *,
        anew: bool,
    ) -> int | None:
        """Read, make ready, exchange; the place where that was. None: the same packs judge on.

        ``anew``: packs are read; otherwise those in use are held against other lists or models.
        """
        packs = self._read_packs() if anew or self._deciding is None else self._deciding.packs
        before = self._book.named()
        due = self._deciding is not None and self._due(self._deciding, lists)
        if named(packs) == before and not due:
            self._book.take(packs)  # titles, explanations and tests may be others
            return None
        if self._deciding is None:
            self._record.say(scope, None, InForce(named(packs)), before, asked, written)
            self._book.take(packs)
            return None
        other = self._ready(self._deciding, packs, lists)
        self._telling(stage="exchange")

        now = InForce(named(packs), other.warm.lists, other.warm.models)

        def said(place: int) -> None:
            self._record.say(scope, place, now, before, asked, written)

        place = self._deciding.exchange(scope, other, said)
        if anew:
            self._book.take(packs)
        return place

    def _due(self, deciding: Deciding, lists: str | None) -> bool:
        """Whether rules are to be held against other lists or models.

        ``InputError`` for models that cannot be used: those from before decide on.
        """
        if deciding.models_now() == deciding.models:
            return deciding.lists_due(lists)
        if unfit := deciding.unfit_models():
            raise InputError(
                say("the model %(name)s cannot be used", name=unfit),
                hint=say("regtech models list; the models from before decide on"),
            )
        return True

    def _read_packs(self) -> list[Pack]:
        """The packs as they are written now. Where the journal is long, the process beside reads
        and checks them first and keeps them, so that this one has not to compile beside decisions.
        """
        failed: StoreError | None = None
        if self._deciding is not None and self._deciding.journal_bytes > NEAR_BYTES:
            try:
                self._follow_beside(self._deciding.remembers_to())
            except StoreError as error:
                failed = error
        packs = self._source.packs()  # says what is wrong with them
        if failed is not None:
            raise failed
        return packs

    def _follow_beside(self, position: int) -> None:
        self._telling(stage="journal")
        progress = str(self._source.data / _PROGRESS)
        wanted = replace(self._source.memory(position), progress=progress)
        with self._memory:
            run_beside(wanted.command(), self._stopping)
        if self._stopping():
            raise Interrupted("the server comes to its end")

    def _ready(
        self, deciding: Deciding, packs: Sequence[Pack], lists: str | None = None
    ) -> Follower:
        """An engine of the new packs that is near the end of the journal."""
        for _ in range(ROUNDS_MAX):
            other = deciding.follower(packs, lists)
            if other.behind <= NEAR_BYTES:
                return other
            position = deciding.remembers_to()
            if position - other.place <= NEAR_BYTES:
                return other  # the rest waits for the record
            self._follow_beside(position)
            if named(self._source.packs()) != named(packs):
                break
        raise ConflictError(
            say(
                "the rules were changed while they were read, or events come faster than they can "
                "be followed"
            ),
            hint=say("have them be read again"),
        )
