"""What one person does with one case."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from casework.cases.alert import severity_rank
from casework.cases.case import Case, Check, FileRef, Outcome, State, plain
from casework.cases.errors import TransitionError
from casework.cases.importance import why_first
from casework.cases.lifecycle import HIGH, Action, Move, allow, next_state
from casework.cases.scope import Scope
from casework.cases.sla import read_clock
from casework.cases.timeline import Draft, EntryKind, changed
from casework.ports import CaseQuery, Unit
from casework.service.base import Base, at_work, needs
from regtech.content.saying import say
from regtech.errors import CapacityError, ForbiddenError, UsageError
from regtech.reference.civil import DAY_US

FILE_MAX: Final = 25 * 1024 * 1024
"""Bytes of a file of a case."""
_TIMELINE: Final = 100_000
TEXT_MAX: Final = 20_000
"""Characters of a comment or reason."""
MEDIA_TYPES: Final[dict[str, tuple[bytes, ...]]] = {
    "application/pdf": (b"%PDF-",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "application/zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (b"PK\x03\x04",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (b"PK\x03\x04",),
    "text/plain": (),
    "text/csv": (),
    "application/json": (),
    "application/xml": (),
}
"""Types that are taken, and how their bytes begin; none: they have to be UTF-8 text."""

SNOOZE_DAYS: Final = 90
"""So long a case without a date stays out of the queue at most; a default of the product."""
_PLAIN_MOVES: Final = (Move.TRIAGE, Move.INVESTIGATE, Move.ESCALATE, Move.REOPEN)


class Working(Base):
    """Moves, assignment, comments, tags, checklist, snooze, priority, dates, files."""

    def move(self, scope: Scope, case_id: str, seen: int, move: Move, reason: str = "") -> Case:
        """Triage, investigate, escalate or reopen; the last two need a reason.

        Raises ``TransitionError`` where the life cycle has no such move.
        """
        if move not in _PLAIN_MOVES:
            raise UsageError(
                say("%(move)s is not a plain move", move=move),
                hint=say("close, ask, approve or refuse"),
            )
        if move in (Move.ESCALATE, Move.REOPEN):
            reason = needs(reason, move.value)

        def drafts(_: Unit, case: Case) -> Sequence[Draft]:
            state = next_state(case.state, move, case.severity)
            fields: dict[str, Any] = {"state": state}
            if move is Move.REOPEN:
                if case.merged_into is not None:
                    raise TransitionError(
                        say(
                            "%(case)s was merged into %(merged_into)s",
                            case=case.id,
                            merged_into=case.merged_into,
                        ),
                        hint=say("work on that one"),
                    )
                fields |= {"outcome": None, "closing_reason": ""}
            return [_with_reason(changed(EntryKind.STATE_CHANGED, case, **fields), reason)]

        return self.change(scope, Action.WORK, case_id, seen, drafts, settle=move is Move.REOPEN)

    def close(self, scope: Scope, case_id: str, seen: int, outcome: Outcome, reason: str) -> Case:
        """Close a case of less than high severity, with outcome and reason.

        Raises ``TransitionError`` for a severe one: ``ask`` for it.
        """
        reason = needs(reason, "closing")

        def drafts(_: Unit, case: Case) -> Sequence[Draft]:
            state = next_state(case.state, Move.CLOSE, case.severity)
            self.checked(case, outcome)
            return [
                changed(
                    EntryKind.STATE_CHANGED,
                    case,
                    state=state,
                    outcome=outcome,
                    closing_reason=reason,
                    snoozed_until_us=None,
                )
            ]

        return self.change(scope, Action.WORK, case_id, seen, drafts, settle=True)

    def assign(self, scope: Scope, case_id: str, seen: int, to: str | None) -> Case:
        """Give the case to somebody, or to nobody (None)."""

        def drafts(_: Unit, case: Case) -> Sequence[Draft]:
            at_work(case)
            if case.assignee == (to or None):
                return []
            return [changed(EntryKind.ASSIGNED, case, assignee=to or None)]

        return self.change(scope, Action.ASSIGN, case_id, seen, drafts)

    def claim_next(
        self, scope: Scope, query: CaseQuery | None = None
    ) -> tuple[Case, dict[str, str]] | None:
        """Take the most important case that nobody has, and say why it is first; None: none left.

        ``query`` may narrow by queue, jurisdiction, theme or tenant. A new case goes to triage.
        """
        allow(scope, Action.WORK)
        now = self.clock.now_us()
        asked = query or CaseQuery()
        free = CaseQuery(
            open=True,
            queue=asked.queue,
            assignee="",
            jurisdiction=asked.jurisdiction,
            theme=asked.theme,
            tenant=asked.tenant,
            awake_at_us=now,
        )
        with self.record.unit(scope) as unit:
            found = unit.first(scope, free)
            if not found:
                return None
            case, rival = found[0], found[1] if len(found) > 1 else None
            made = [changed(EntryKind.ASSIGNED, case, assignee=scope.actor)]
            if case.state is State.NEW:
                made.append(changed(EntryKind.STATE_CHANGED, case, state=State.TRIAGE))
            reading = read_clock(case, self.jurisdictions.profile(case.jurisdiction), now)
            why = why_first(case, reading, rival)
            return unit.append(scope, case.id, case.version, made), why

    def comment(
        self, scope: Scope, case_id: str, seen: int | None, text: str, *, shared: bool = False
    ) -> Case:
        """Say something about the case. ``shared``: the institution reads it too.

        What an institution says is always shared, and needs no version.
        """
        text = text.strip()
        if not text:
            raise UsageError(say("an empty comment"))
        if len(text) > TEXT_MAX:
            raise CapacityError(
                say("a comment of %(text)s characters", text=len(text)),
                hint=say("at most %(text_max)s", text_max=TEXT_MAX),
            )
        action, detail, open_ = _said(scope, shared)

        def drafts(_: Unit, __: Case) -> Sequence[Draft]:
            return [Draft(EntryKind.COMMENTED, detail={**detail, "text": text}, shared=open_)]

        return self.change(scope, action, case_id, None if scope.restricted else seen, drafts)

    def tag(
        self,
        scope: Scope,
        case_id: str,
        seen: int,
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
    ) -> Case:
        """Put tags on the case and take tags off."""
        if any(not tag.strip() or len(tag) > 64 for tag in add):
            raise UsageError(say("a tag has 1 to 64 characters"))

        def drafts(_: Unit, case: Case) -> Sequence[Draft]:
            tags = tuple(sorted({*case.tags, *(tag.strip() for tag in add)} - set(remove)))
            return [] if tags == case.tags else [changed(EntryKind.TAGGED, case, tags=tags)]

        return self.change(scope, Action.WORK, case_id, seen, drafts)

    def check(self, scope: Scope, case_id: str, seen: int, item: str, *, done: bool = True) -> Case:
        """Tick off a point of the theme's checklist, or take the tick back."""

        def drafts(_: Unit, case: Case) -> Sequence[Draft]:
            known = [point.id for point in self.themes.of(case.theme).checklist]
            if item not in known:
                raise UsageError(
                    say("no point %(item)r on the checklist", item=item),
                    hint=say("points: %(known)s", known=", ".join(known)),
                )
            rest = tuple(check for check in case.checks if check.item != item)
            if done == (len(rest) < len(case.checks)):
                return []
            mine = (Check(item, scope.actor, self.clock.now_us()),) if done else ()
            return [changed(EntryKind.CHECKED, case, checks=rest + mine)]

        return self.change(scope, Action.WORK, case_id, seen, drafts)

    def snooze(
        self, scope: Scope, case_id: str, seen: int, until_us: int | None, reason: str = ""
    ) -> Case:
        """Take the case out of the queue until a time; None brings it back.

        Its clock goes on: once it is overdue it is in the queue again, whatever the time. One
        without a date would stay away for good: it comes back after ``SNOOZE_DAYS`` at most.
        """
        if until_us is not None:
            reason = needs(reason, "snoozing")
            if until_us <= self.clock.now_us():
                raise UsageError(say("a case can only be snoozed until later than now"))

        def drafts(_: Unit, case: Case) -> Sequence[Draft]:
            at_work(case)
            if case.snoozed_until_us == until_us:
                return []
            self._comes_back(case.due_us, until_us)
            return [
                _with_reason(changed(EntryKind.SNOOZED, case, snoozed_until_us=until_us), reason)
            ]

        return self.change(scope, Action.WORK, case_id, seen, drafts)

    def _comes_back(self, due_us: int | None, until_us: int | None) -> None:
        """Raise ``UsageError`` for a case that nothing would bring back before long."""
        if due_us is not None or until_us is None:
            return
        if until_us > self.clock.now_us() + SNOOZE_DAYS * DAY_US:
            raise UsageError(
                say(
                    "a case without a date can be snoozed for %(days)s days at most",
                    days=SNOOZE_DAYS,
                ),
                hint=say("give it a date first, or snooze it again then"),
            )

    def prioritise(
        self, scope: Scope, case_id: str, seen: int, priority: int, reason: str, queue: str = ""
    ) -> Case:
        """Another priority (0–100), and another queue where one is named."""
        reason = needs(reason, "another priority")
        if not 0 <= priority <= 100:
            raise UsageError(say("a priority is 0 to 100, not %(priority)s", priority=priority))

        def drafts(_: Unit, case: Case) -> Sequence[Draft]:
            fields: dict[str, Any] = {"priority": priority}
            if queue:
                fields["queue"] = queue
            return [_with_reason(changed(EntryKind.PRIORITY_CHANGED, case, **fields), reason)]

        return self.change(scope, Action.ASSIGN, case_id, seen, drafts)

    def set_due(
        self, scope: Scope, case_id: str, seen: int, due_us: int | None, reason: str
    ) -> Case:
        """Another due date, such as a prolongation; the warning is worked out anew."""
        reason = needs(reason, "another due date")

        def drafts(_: Unit, case: Case) -> Sequence[Draft]:
            at_work(case)
            self._comes_back(due_us, case.snoozed_until_us)
            warn = self.warn_at(case.jurisdiction, due_us)
            draft = changed(EntryKind.DUE_CHANGED, case, due_us=due_us, warn_us=warn, clock_told="")
            return [_with_reason(draft, reason)]

        return self.change(scope, Action.WORK, case_id, seen, drafts)

    def add_file(
        self,
        scope: Scope,
        case_id: str,
        seen: int | None,
        *,
        name: str,
        media_type: str,
        content: bytes,
        sha256: str,
        shared: bool = False,
    ) -> Case:
        """Put a file to the case, after its size, type and digest were checked."""
        check_file(name, media_type, content, sha256)
        action, detail, open_ = _said(scope, shared)
        ref = FileRef(sha256, name, media_type, len(content))

        def drafts(unit: Unit, case: Case) -> Sequence[Draft]:
            said = {**detail, **plain(ref)}
            if any(file.sha256 == sha256 for file in case.files):
                known = not open_ or self._handed_over(scope, case_id, sha256, detail)
                return [] if known else [Draft(EntryKind.FILE_ADDED, detail=said, shared=True)]
            unit.put_file(scope, sha256, content)
            draft = changed(EntryKind.FILE_ADDED, case, files=(*case.files, ref))
            return [Draft(draft.kind, draft.before, draft.after, said, shared=open_)]

        return self.change(scope, action, case_id, None if scope.restricted else seen, drafts)

    def _handed_over(self, scope: Scope, case_id: str, sha256: str, by: Mapping[str, Any]) -> bool:
        """Whether the same file was shared by the same side already."""
        return any(
            entry.kind is EntryKind.FILE_ADDED
            and entry.shared
            and entry.detail.get("sha256") == sha256
            and entry.detail.get("institution") == by.get("institution")
            for entry in self.record.timeline(scope, case_id, limit=_TIMELINE)
        )


def severe(case: Case) -> bool:
    """Whether closing takes two persons."""
    return severity_rank(case.severity) >= HIGH


def _misleads(letter: str) -> bool:
    """Whether a letter is none, or turns those around it, so that a program reads as a picture."""
    turning = letter in "\u061c\u200e\u200f" or "\u202a" <= letter <= "\u202e"
    kind = unicodedata.category(letter)
    return turning or "\u2066" <= letter <= "\u2069" or kind in ("Cc", "Cs", "Zl", "Zp")


def check_file(name: str, media_type: str, content: bytes, sha256: str) -> None:
    """Raise ``UsageError`` or ``CapacityError`` for a file that is not what it says."""
    if (
        not name
        or len(name) > 255
        or name in (".", "..")
        or any(mark in "/\\" or _misleads(mark) for mark in name)
    ):
        raise UsageError(say("a file needs a plain name of at most 255 characters"))
    if len(content) > FILE_MAX:
        raise CapacityError(
            say("a file of %(content)s bytes", content=len(content)),
            hint=say("at most %(file_max)s", file_max=FILE_MAX),
        )
    if not content:
        raise UsageError(say("an empty file"))
    if media_type not in MEDIA_TYPES:
        raise UsageError(
            say("files of the type %(media_type)r are not taken", media_type=media_type),
            hint=", ".join(MEDIA_TYPES),
        )
    begins = MEDIA_TYPES[media_type]
    if begins and not content.startswith(begins):
        raise UsageError(
            say("the bytes of %(name)s are not %(media_type)s", name=name, media_type=media_type)
        )
    if not begins:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise UsageError(say("%(name)s is not UTF-8 text", name=name)) from None
        if "\0" in text:
            raise UsageError(say("%(name)s is not text", name=name))
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UsageError(
            say("the SHA-256 of %(name)s is not %(sha256)s", name=name, sha256=sha256),
            hint=say("it was changed on the way: send again"),
        )


def _said(scope: Scope, shared: bool) -> tuple[Action, dict[str, Any], bool]:
    """What right it takes to say something, who is named, and whether the institution reads it."""
    if scope.restricted:
        tenants = sorted(scope.tenants or ())
        if len(tenants) != 1:
            raise ForbiddenError(say("who answers for several institutions has to say for which"))
        return Action.ANSWER, {"institution": tenants[0]}, True
    return Action.WORK, {}, shared


def _with_reason(draft: Draft, reason: str) -> Draft:
    return Draft(draft.kind, draft.before, draft.after, draft.detail, reason, draft.shared)
