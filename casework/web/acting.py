"""What a form asks for with a case becomes one call of the service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from casework.cases.case import Case, Gate, Outcome
from casework.cases.lifecycle import Move
from casework.web.formats import typed_instant
from casework.web.visit import Visit
from regtech.content.saying import say
from regtech.errors import UsageError

Act = Callable[[Visit, str, int], Case]


def act_on(visit: Visit, case_id: str, seen: int, act: str) -> Case:
    """Do it with the fields of the form. ``seen``: the version that was before the person.

    Raises ``UsageError`` for what is no act, and as the service does.
    """
    if act not in ACTS:
        raise UsageError(say("%(act)r is nothing that can be done with a case", act=act[:40]))
    return ACTS[act](visit, case_id, seen)


def _move(move: Move) -> Act:
    def act(visit: Visit, case_id: str, seen: int) -> Case:
        service, reason = visit.parts.service, visit.typed.get("reason")
        return service.move(visit.scope, case_id, seen, move, reason)

    return act


def _outcome(visit: Visit) -> Outcome:
    word = visit.typed.get("outcome")
    if word not in list(Outcome):
        raise UsageError(
            say("an outcome is missing"), hint=say("choose what the case turned out to be")
        )
    return Outcome(word)


def _close(visit: Visit, case_id: str, seen: int) -> Case:
    reason = visit.typed.get("reason")
    return visit.parts.service.close(visit.scope, case_id, seen, _outcome(visit), reason)


def _ask(gate: Gate) -> Act:
    def act(visit: Visit, case_id: str, seen: int) -> Case:
        typed = visit.typed
        outcome = _outcome(visit) if gate in (Gate.CLOSE, Gate.REPORT) else None
        return visit.parts.service.ask(
            visit.scope,
            case_id,
            seen,
            gate,
            typed.get("reason"),
            outcome=outcome,
            about=typed.get("about")[:200],
        )

    return act


def _approve(visit: Visit, case_id: str, seen: int) -> Case:
    return visit.parts.service.approve(visit.scope, case_id, seen, visit.typed.whole("number"))


def _refuse(visit: Visit, case_id: str, seen: int) -> Case:
    number, reason = visit.typed.whole("number"), visit.typed.get("reason")
    return visit.parts.service.refuse(visit.scope, case_id, seen, number, reason)


def _claim(visit: Visit, case_id: str, seen: int) -> Case:
    return visit.parts.service.assign(visit.scope, case_id, seen, visit.scope.actor)


def _assign(visit: Visit, case_id: str, seen: int) -> Case:
    to = visit.typed.get("to")[:64] or None
    return visit.parts.service.assign(visit.scope, case_id, seen, to)


def _comment(visit: Visit, case_id: str, seen: int) -> Case:
    return visit.parts.service.comment(
        visit.scope,
        case_id,
        seen,
        visit.typed.get("text"),
        shared=visit.typed.get("shared") == "1",
    )


def _tag(visit: Visit, case_id: str, seen: int) -> Case:
    add = [tag.strip() for tag in visit.typed.get("add").replace("，", ",").split(",")]
    return visit.parts.service.tag(
        visit.scope,
        case_id,
        seen,
        add=[tag for tag in add if tag],
        remove=visit.typed.all("remove"),
    )


def _check(visit: Visit, case_id: str, seen: int) -> Case:
    item, done = visit.typed.get("item")[:100], visit.typed.get("done") == "1"
    return visit.parts.service.check(visit.scope, case_id, seen, item, done=done)


def _instant(visit: Visit, name: str) -> int:
    us = typed_instant(visit.typed.get(name), visit.zone)
    if us is None:
        raise UsageError(say("%(name)s is no day", name=name), hint=say("such as 2026-03-02"))
    return us


def _snooze(visit: Visit, case_id: str, seen: int) -> Case:
    until, reason = _instant(visit, "until"), visit.typed.get("reason")
    return visit.parts.service.snooze(visit.scope, case_id, seen, until, reason)


def _wake(visit: Visit, case_id: str, seen: int) -> Case:
    return visit.parts.service.snooze(visit.scope, case_id, seen, None)


def _prioritise(visit: Visit, case_id: str, seen: int) -> Case:
    typed = visit.typed
    return visit.parts.service.prioritise(
        visit.scope,
        case_id,
        seen,
        typed.whole("priority"),
        typed.get("reason"),
        typed.get("to_queue")[:200],
    )


def _set_due(visit: Visit, case_id: str, seen: int) -> Case:
    due = _instant(visit, "due") if visit.typed.get("due") else None
    return visit.parts.service.set_due(visit.scope, case_id, seen, due, visit.typed.get("reason"))


def _link(visit: Visit, case_id: str, seen: int) -> Case:
    other = visit.typed.get("other")[:100]
    return visit.parts.service.link(visit.scope, case_id, seen, other, "related")


def _merge(visit: Visit, case_id: str, seen: int) -> Case:
    typed, service = visit.typed, visit.parts.service
    into = service.get(visit.scope, typed.get("into")[:100])
    return service.merge(visit.scope, case_id, seen, into.id, into.version, typed.get("reason"))


def _split(visit: Visit, case_id: str, seen: int) -> Case:
    chosen, reason = visit.typed.all("alert")[:1000], visit.typed.get("reason")
    if not chosen:
        raise UsageError(
            say("no alert is ticked"), hint=say("tick those that go to a case of their own")
        )
    return visit.parts.service.split(visit.scope, case_id, seen, chosen, reason)


def _share(visit: Visit, case_id: str, seen: int) -> Case:
    shared, reason = visit.typed.get("shared") == "1", visit.typed.get("reason")
    return visit.parts.service.share(visit.scope, case_id, seen, shared, reason)


ACTS: Final[Mapping[str, Act]] = {
    "triage": _move(Move.TRIAGE),
    "investigate": _move(Move.INVESTIGATE),
    "escalate": _move(Move.ESCALATE),
    "reopen": _move(Move.REOPEN),
    "close": _close,
    "ask_close": _ask(Gate.CLOSE),
    "ask_report": _ask(Gate.REPORT),
    "ask_override": _ask(Gate.OVERRIDE),
    "ask_export": _ask(Gate.EXPORT),
    "approve": _approve,
    "refuse": _refuse,
    "claim": _claim,
    "assign": _assign,
    "comment": _comment,
    "tag": _tag,
    "check": _check,
    "snooze": _snooze,
    "wake": _wake,
    "prioritise": _prioritise,
    "set_due": _set_due,
    "link": _link,
    "merge": _merge,
    "split": _split,
    "share": _share,
}
"""Name of an act in a form to what it does."""
