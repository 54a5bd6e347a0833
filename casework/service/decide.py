"""What takes two persons: closing what is severe, reporting, overriding a rule, exporting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casework.cases.case import Case, Gate, Outcome, Request
from casework.cases.errors import FourEyesError
from casework.cases.lifecycle import MOVE_OF_GATE, Action, Move, allow, decide, next_state
from casework.cases.scope import Scope
from casework.cases.timeline import Draft, EntryKind, changed
from casework.ports import Unit
from casework.service.base import Base, at_work, needs
from regtech.content.saying import say
from regtech.errors import ConflictError, UsageError


class Deciding(Base):
    """Requests and the decisions on them; whoever asks cannot decide."""

    def ask(
        self,
        scope: Scope,
        case_id: str,
        seen: int,
        gate: Gate,
        reason: str,
        *,
        outcome: Outcome | None = None,
        about: str = "",
    ) -> Case:
        """Ask for a second person's decision. The request's number is the new version.

        To close or report needs ``outcome``; to override a rule or export says ``about`` what:
        a rule's id, or what is exported and for whom.
        """
        reason = needs(reason, f"to {gate}")
        if gate in MOVE_OF_GATE and outcome is None:
            raise UsageError(
                say("to %(gate)s needs an outcome", gate=gate), hint=say("--outcome confirmed")
            )
        if gate not in MOVE_OF_GATE and not about:
            raise UsageError(
                say("to %(gate)s needs what it is about", gate=gate), hint=say("--about")
            )

        def drafts(unit: Unit, case: Case) -> Sequence[Draft]:
            fields: dict[str, Any] = {}
            if gate in MOVE_OF_GATE:
                move = Move.ASK_CLOSE if gate is Gate.CLOSE else Move.ASK_REPORT
                fields["state"] = next_state(case.state, move, case.severity)
                assert outcome is not None
                self.checked(case, outcome)
            elif gate is Gate.OVERRIDE:
                at_work(case)
                rules = sorted({alert.rule for alert in unit.case_alerts(scope, case_id)})
                if about not in rules:
                    raise UsageError(
                        say("%(case)s has no alert of a rule %(about)s", case=case.id, about=about),
                        hint=say("rules: %(rules)s", rules=", ".join(rules)),
                    )
            request = Request(
                case.version + 1, gate, scope.actor, self.clock.now_us(), reason, outcome, about
            )
            draft = changed(EntryKind.REQUESTED, case, requests=(*case.requests, request), **fields)
            return [Draft(draft.kind, draft.before, draft.after, {"gate": gate}, reason)]

        return self.change(scope, Action.WORK, case_id, seen, drafts)

    def approve(self, scope: Scope, case_id: str, seen: int, number: int) -> Case:
        """Agree to a request of somebody else; what was asked for happens.

        Raises ``FourEyesError`` for one's own.
        """

        def drafts(_: Unit, case: Case) -> Sequence[Draft]:
            found = decide(case, number, scope.actor)
            request = found.request
            fields: dict[str, Any] = {"requests": found.rest}
            if request.gate in MOVE_OF_GATE:
                if request.outcome is not None:
                    # A tick may have been taken back since it was asked for.
                    self.checked(case, request.outcome)
                fields |= {
                    "state": next_state(case.state, MOVE_OF_GATE[request.gate], case.severity),
                    "outcome": request.outcome,
                    "closing_reason": request.reason,
                    "snoozed_until_us": None,
                }
            elif request.gate is Gate.OVERRIDE:
                fields["overridden"] = tuple(sorted({*case.overridden, request.about}))
            draft = changed(EntryKind.APPROVED, case, **fields)
            return [Draft(draft.kind, draft.before, draft.after, _said(request))]

        return self.change(scope, Action.APPROVE, case_id, seen, drafts, settle=True)

    def refuse(self, scope: Scope, case_id: str, seen: int, number: int, reason: str) -> Case:
        """Say no to a request; its author may take it back in the same way."""
        reason = needs(reason, "to refuse")

        def drafts(_: Unit, case: Case) -> Sequence[Draft]:
            own = any(r.number == number and r.author == scope.actor for r in case.requests)
            found = decide(case, number, "" if own else scope.actor)
            fields: dict[str, Any] = {"requests": found.rest}
            if found.request.gate in MOVE_OF_GATE:
                fields["state"] = next_state(case.state, Move.REFUSE, case.severity)
            draft = changed(EntryKind.REFUSED, case, **fields)
            return [Draft(draft.kind, draft.before, draft.after, _said(found.request), reason)]

        return self.change(scope, Action.WORK, case_id, seen, drafts)

    def exported(
        self,
        scope: Scope,
        case_id: str,
        *,
        what: str,
        personal: bool,
        number: int = 0,
        documents: Mapping[str, str] | None = None,
    ) -> Case:
        """Put an export on record before it is handed out.

        With personal data it needs the ``number`` of an approved request of this case that was
        not used yet. Raises ``FourEyesError`` where there is none. ``documents``: digests of what
        is handed out, by name, so that the record proves it.
        """
        allow(scope, Action.READ)

        def drafts(_: Unit, case: Case) -> Sequence[Draft]:
            if personal:
                self._approved_export(scope, case, number)
            # Without personal data no approval is used, whatever number was given.
            detail = {"what": what, "personal": personal, "number": number if personal else 0}
            if documents:
                detail["documents"] = dict(documents)
            return [Draft(EntryKind.EXPORTED, detail=detail)]

        action = Action.WORK if personal else Action.READ
        if scope.restricted:
            raise ConflictError(
                say("an institution's view is not exported"), code="forbidden_export"
            )
        return self.change(scope, action, case_id, None, drafts)

    def _approved_export(self, scope: Scope, case: Case, number: int) -> None:
        entries = self.record.timeline(scope, case.id, after=max(number - 1, 0), limit=100_000)
        approved = any(
            entry.kind is EntryKind.APPROVED
            and entry.detail.get("gate") == Gate.EXPORT
            and entry.detail.get("number") == number
            for entry in entries
        )
        used = any(
            entry.kind is EntryKind.EXPORTED and entry.detail.get("number") == number
            for entry in entries
        )
        if not approved or used:
            raise FourEyesError(
                say(
                    "no unused approval %(number)s to export personal data of %(case)s",
                    number=number,
                    case=case.id,
                ),
                hint=say("ask for the export; somebody else approves it"),
            )


def _said(request: Request) -> dict[str, Any]:
    return {
        "number": request.number,
        "gate": request.gate,
        "author": request.author,
        "about": request.about,
    }
