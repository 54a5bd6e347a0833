"""``regtech cases act``: words on the command line become calls of the service."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from casework.cases.case import Case, Gate, Outcome
from casework.cases.lifecycle import Move
from casework.cases.scope import Scope
from casework.ports import CaseQuery
from casework.service.cases import CaseService
from casework.service.join import Done
from regtech.app.casework import Casework
from regtech.errors import InputError, RegtechError, UsageError

NEXT: Final = "next"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for; what an action does not need is left out."""

    action: str
    seen: int | None = None
    reason: str = ""
    outcome: str | None = None
    text: str = ""
    to: str | None = None
    until_us: int | None = None
    number: int | None = None
    about: str = ""
    item: str = ""
    tags: tuple[str, ...] = ()
    priority: int | None = None
    queue: str | None = None
    other: str = ""
    alerts: tuple[str, ...] = ()
    file: Path | None = None
    media_type: str | None = None
    shared: bool = False


Act = Callable[[CaseService, Scope, Wanted, str, int], Case]


def act_on(
    parts: Casework, scope: Scope, case_ids: Sequence[str], wanted: Wanted
) -> dict[str, Any]:
    """Do it for each case. One case: its error is raised; several: each says what became of it.

    Without ``seen`` the version that is there now counts as seen.
    """
    service = parts.service
    if wanted.action == "claim":
        return _claim(service, scope, case_ids, wanted)
    if wanted.action not in _ACTIONS:
        raise UsageError(
            f"no action {wanted.action!r}", hint="actions: claim, " + ", ".join(_ACTIONS)
        )
    if NEXT in case_ids:
        raise UsageError("`next` can only be claimed", hint="regtech cases act next claim")
    act = _ACTIONS[wanted.action]
    if scope.restricted:
        for case_id in case_ids:
            act(service, scope, wanted, case_id, 0)
        return {"done": [], "answered": list(case_ids)}
    if len(case_ids) > 1 and wanted.seen is not None:
        raise UsageError("--seen is the version of one case, and several are named")

    def one(case_id: str, _: int) -> Case:
        seen = service.get(scope, case_id).version if wanted.seen is None else wanted.seen
        return act(service, scope, wanted, case_id, seen)

    if len(case_ids) == 1:
        done: Sequence[Done] = (Done(case_ids[0], one(case_ids[0], 0)),)
    else:
        done = service.bulk(scope, [(case_id, 0) for case_id in case_ids], one)
    return {"done": [_told(service, scope, entry) for entry in done], "answered": []}


def _claim(
    service: CaseService, scope: Scope, case_ids: Sequence[str], wanted: Wanted
) -> dict[str, Any]:
    if list(case_ids) != [NEXT]:
        made = []
        for case_id in case_ids:
            seen = service.get(scope, case_id).version if wanted.seen is None else wanted.seen
            made.append(Done(case_id, service.assign(scope, case_id, seen, scope.actor)))
        return {"done": [_told(service, scope, entry) for entry in made], "answered": []}
    found = service.claim_next(scope, CaseQuery(queue=wanted.queue))
    if found is None:
        return {"done": [], "answered": [], "why": {"en": "nothing waits", "zh": "没有待办案件"}}
    case, why = found
    return {"done": [_told(service, scope, Done(case.id, case))], "answered": [], "why": why}


def _told(service: CaseService, scope: Scope, done: Done) -> dict[str, Any]:
    if done.case is not None:
        return {"id": done.case_id, "case": service.summary(scope, done.case)}
    error = done.error
    assert isinstance(error, RegtechError)
    said = {"code": error.code, "message": error.message, "hint": error.hint}
    return {"id": done.case_id, "error": said}


def _outcome(wanted: Wanted) -> Outcome:
    known = ", ".join(Outcome)
    if wanted.outcome is None:
        raise UsageError(f"{wanted.action} needs --outcome", hint=known)
    if wanted.outcome not in list(Outcome):
        raise UsageError(f"no outcome {wanted.outcome!r}", hint="outcomes: " + known)
    return Outcome(wanted.outcome)


def _given(value: Any, option: str, wanted: Wanted) -> Any:
    if value is None or value == "" or value == ():
        raise UsageError(f"{wanted.action} needs {option}")
    return value


def _move(move: Move) -> Act:
    return lambda s, scope, w, case_id, seen: s.move(scope, case_id, seen, move, w.reason)


def _ask(gate: Gate, decides: bool) -> Act:
    def act(s: CaseService, scope: Scope, w: Wanted, case_id: str, seen: int) -> Case:
        outcome = _outcome(w) if decides else None
        return s.ask(scope, case_id, seen, gate, w.reason, outcome=outcome, about=w.about)

    return act


def _comment(s: CaseService, scope: Scope, w: Wanted, case_id: str, seen: int) -> Case:
    return s.comment(scope, case_id, seen, _given(w.text, "--text", w), shared=w.shared)


def _merge(s: CaseService, scope: Scope, w: Wanted, case_id: str, seen: int) -> Case:
    other = _given(w.other, "--other", w)
    return s.merge(scope, case_id, seen, other, s.get(scope, other).version, w.reason)


def _prioritise(s: CaseService, scope: Scope, w: Wanted, case_id: str, seen: int) -> Case:
    priority = _given(w.priority, "--priority", w)
    return s.prioritise(scope, case_id, seen, priority, w.reason, w.queue or "")


def _file(s: CaseService, scope: Scope, w: Wanted, case_id: str, seen: int) -> Case:
    path: Path = _given(w.file, "--file", w)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror}") from None
    guessed = w.media_type or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return s.add_file(
        scope,
        case_id,
        seen,
        name=path.name,
        media_type=guessed,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        shared=w.shared,
    )


_ACTIONS: Final[Mapping[str, Act]] = {
    "triage": _move(Move.TRIAGE),
    "investigate": _move(Move.INVESTIGATE),
    "escalate": _move(Move.ESCALATE),
    "reopen": _move(Move.REOPEN),
    "close": lambda s, scope, w, i, seen: s.close(scope, i, seen, _outcome(w), w.reason),
    "ask-close": _ask(Gate.CLOSE, True),
    "ask-report": _ask(Gate.REPORT, True),
    "ask-override": _ask(Gate.OVERRIDE, False),
    "ask-export": _ask(Gate.EXPORT, False),
    "approve": lambda s, scope, w, i, seen: s.approve(
        scope, i, seen, _given(w.number, "--number", w)
    ),
    "refuse": lambda s, scope, w, i, seen: s.refuse(
        scope, i, seen, _given(w.number, "--number", w), w.reason
    ),
    "assign": lambda s, scope, w, i, seen: s.assign(scope, i, seen, w.to),
    "comment": _comment,
    "tag": lambda s, scope, w, i, seen: s.tag(scope, i, seen, add=_given(w.tags, "--tag", w)),
    "untag": lambda s, scope, w, i, seen: s.tag(scope, i, seen, remove=_given(w.tags, "--tag", w)),
    "check": lambda s, scope, w, i, seen: s.check(scope, i, seen, _given(w.item, "--item", w)),
    "uncheck": lambda s, scope, w, i, seen: s.check(
        scope, i, seen, _given(w.item, "--item", w), done=False
    ),
    "snooze": lambda s, scope, w, i, seen: s.snooze(
        scope, i, seen, _given(w.until_us, "--until", w), w.reason
    ),
    "wake": lambda s, scope, w, i, seen: s.snooze(scope, i, seen, None),
    "prioritise": _prioritise,
    "due": lambda s, scope, w, i, seen: s.set_due(scope, i, seen, w.until_us, w.reason),
    "link": lambda s, scope, w, i, seen: s.link(scope, i, seen, _given(w.other, "--other", w)),
    "merge": _merge,
    "split": lambda s, scope, w, i, seen: s.split(
        scope, i, seen, _given(w.alerts, "--alert", w), w.reason
    ),
    "file": _file,
    "share": lambda s, scope, w, i, seen: s.share(scope, i, seen, True, w.reason),
    "unshare": lambda s, scope, w, i, seen: s.share(scope, i, seen, False, w.reason),
}
"""Action to call; ``claim`` is apart, because it may be of the next case."""
