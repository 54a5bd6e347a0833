"""The life of a case: one table of moves, one pure function, and who may do what.

``docs/concepts/cases.md`` holds the drawing that ``mermaid`` makes of the table; a test compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from casework.cases.alert import severity_rank
from casework.cases.case import ENDED, Case, Gate, Request, State
from casework.cases.errors import FourEyesError, TransitionError
from casework.cases.scope import Role, Scope
from regtech.content.saying import N_, Said, say
from regtech.errors import ForbiddenError, UsageError

HIGH: Final = severity_rank("high")
"""From this severity on, closing takes two persons."""


class Move(StrEnum):
    """What changes the state of a case."""

    TRIAGE = "triage"
    INVESTIGATE = "investigate"
    ESCALATE = "escalate"
    CLOSE = "close"
    ASK_CLOSE = "ask_close"
    ASK_REPORT = "ask_report"
    APPROVE_CLOSE = "approve_close"
    APPROVE_REPORT = "approve_report"
    REFUSE = "refuse"
    REOPEN = "reopen"
    MERGE = "merge"


_AT_WORK: Final = (
    State.NEW,
    State.TRIAGE,
    State.INVESTIGATION,
    State.ESCALATED,
    State.REOPENED,
)
_WORKED: Final = (State.TRIAGE, State.INVESTIGATION, State.ESCALATED, State.REOPENED)

MOVES: Final[Mapping[Move, tuple[tuple[State, ...], State]]] = {
    Move.TRIAGE: ((State.NEW,), State.TRIAGE),
    Move.INVESTIGATE: (
        (State.TRIAGE, State.ESCALATED, State.REOPENED),
        State.INVESTIGATION,
    ),
    Move.ESCALATE: ((State.TRIAGE, State.INVESTIGATION, State.REOPENED), State.ESCALATED),
    Move.CLOSE: (_WORKED, State.CLOSED),
    Move.ASK_CLOSE: (_WORKED, State.AWAITING_APPROVAL),
    Move.ASK_REPORT: (_WORKED, State.AWAITING_APPROVAL),
    Move.APPROVE_CLOSE: ((State.AWAITING_APPROVAL,), State.CLOSED),
    Move.APPROVE_REPORT: ((State.AWAITING_APPROVAL,), State.REPORTED),
    Move.REFUSE: ((State.AWAITING_APPROVAL,), State.INVESTIGATION),
    Move.REOPEN: ((State.REPORTED, State.CLOSED), State.REOPENED),
    Move.MERGE: (_AT_WORK, State.CLOSED),
}
"""Move to the states it may begin in and the one it leads to."""


def next_state(state: State, move: Move, severity: str) -> State:
    """The state after a move. Raises ``TransitionError`` where the life cycle has no such move.

    A case of high or critical severity has no direct closure: ``ask_close`` and a second person.
    """
    begins, ends = MOVES[move]
    if state not in begins:
        allowed = [m for m in MOVES if state in MOVES[m][0]]
        raise TransitionError(
            say("a case that is %(state)s cannot %(move)s", state=state, move=move),
            hint=say("it can %(allowed)s", allowed=", ".join(allowed)),
        )
    if move is Move.CLOSE and severity_rank(severity) >= HIGH:
        raise TransitionError(
            say("closing a case of %(severity)s severity takes a second person", severity=severity),
            hint=say("ask for it: ask_close, then somebody else approves"),
        )
    return ends


class Action(StrEnum):
    """Everything that can be done with cases, for who may do what."""

    READ = "read"
    WORK = "work"
    """Move, comment, tag, tick off, link, split, merge, snooze, ask for approval."""
    ASSIGN = "assign"
    APPROVE = "approve"
    ANSWER = "answer"
    """An institution's comment or file on a case that it may see."""
    SHARE = "share"
    UNMASK = "unmask"
    INTAKE = "intake"
    """Alerts in, cases opened by policy, clocks told."""
    PRECISION = "precision"
    LOG = "log"
    READ_PROPOSALS = "read_proposals"
    """Changes of rules that were proposed, before they are law for everybody."""
    PROPOSE = "propose"
    DECIDE_PROPOSALS = "decide_proposals"
    """Approve or refuse somebody else's proposal."""
    APPLY_PROPOSALS = "apply_proposals"
    """Put on record that an approved proposal was written to where a server reads its rules."""


ALLOWED: Final[Mapping[Action, frozenset[Role]]] = {
    Action.READ: frozenset(
        {Role.SUPERVISOR, Role.OPERATOR, Role.AUDITOR, Role.SERVICE, Role.INSTITUTION}
    ),
    Action.WORK: frozenset({Role.SUPERVISOR}),
    Action.ASSIGN: frozenset({Role.SUPERVISOR, Role.OPERATOR}),
    Action.APPROVE: frozenset({Role.SUPERVISOR}),
    Action.ANSWER: frozenset({Role.INSTITUTION}),
    Action.SHARE: frozenset({Role.SUPERVISOR}),
    Action.UNMASK: frozenset({Role.SUPERVISOR, Role.AUDITOR}),
    Action.INTAKE: frozenset({Role.SERVICE}),
    Action.PRECISION: frozenset({Role.SUPERVISOR, Role.AUTHOR, Role.AUDITOR, Role.OPERATOR}),
    Action.LOG: frozenset({Role.AUDITOR, Role.OPERATOR, Role.SERVICE}),
    Action.READ_PROPOSALS: frozenset({Role.AUTHOR, Role.SUPERVISOR, Role.AUDITOR, Role.OPERATOR}),
    Action.PROPOSE: frozenset({Role.AUTHOR}),
    Action.DECIDE_PROPOSALS: frozenset({Role.AUTHOR, Role.SUPERVISOR}),
    Action.APPLY_PROPOSALS: frozenset({Role.OPERATOR}),
}


_NOT_ALLOWED: Final[Mapping[Action, str]] = {
    Action.READ: N_("%(actor)s may not read cases and alerts"),
    Action.WORK: N_("%(actor)s may not work cases"),
    Action.ASSIGN: N_("%(actor)s may not hand cases out"),
    Action.APPROVE: N_("%(actor)s may not decide as the second person"),
    Action.ANSWER: N_("%(actor)s may not answer for an institution"),
    Action.SHARE: N_("%(actor)s may not share cases with institutions"),
    Action.UNMASK: N_("%(actor)s may not see personal data in the clear"),
    Action.INTAKE: N_("%(actor)s may not bring alerts into the record"),
    Action.PRECISION: N_("%(actor)s may not see how often rules were right"),
    Action.LOG: N_("%(actor)s may not read logs"),
    Action.READ_PROPOSALS: N_("%(actor)s may not read proposals of rules"),
    Action.PROPOSE: N_("%(actor)s may not propose rules"),
    Action.DECIDE_PROPOSALS: N_("%(actor)s may not decide on proposals of rules"),
    Action.APPLY_PROPOSALS: N_("%(actor)s may not put rules in force"),
}


def allow(scope: Scope, action: Action) -> None:
    """Raise ``ForbiddenError`` where no role of the scope may do this."""
    if not scope.roles & ALLOWED[action]:
        roles = " or ".join(sorted(ALLOWED[action]))
        raise ForbiddenError(
            Said(_NOT_ALLOWED[action], {"actor": scope.actor}),
            hint=say("it takes the role %(roles)s", roles=roles),
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What a second person decides on, found on the case."""

    request: Request
    rest: tuple[Request, ...]


def decide(case: Case, number: int, actor: str) -> Decision:
    """The open request of this number, if ``actor`` may decide on it.

    Raises ``UsageError`` for an unknown one, ``FourEyesError`` where it is the actor's own.
    """
    for request in case.requests:
        if request.number == number:
            if request.author == actor:
                raise FourEyesError(
                    say(
                        "%(actor)s asked for this %(gate)s and cannot decide on it",
                        actor=actor,
                        gate=request.gate,
                    ),
                    hint=say("somebody else has to"),
                )
            return Decision(request, tuple(r for r in case.requests if r is not request))
    known = ", ".join(str(request.number) for request in case.requests) or "none"
    raise UsageError(
        say("%(case)s has no open request %(number)s", case=case.id, number=number),
        hint=say("open requests: %(known)s", known=known),
    )


MOVE_OF_GATE: Final[Mapping[Gate, Move]] = {
    Gate.CLOSE: Move.APPROVE_CLOSE,
    Gate.REPORT: Move.APPROVE_REPORT,
}
"""The move that an approval makes; the other gates leave the state as it is."""


def mermaid() -> str:
    """The table of moves as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.NEW}"]
    labels: dict[tuple[State, State], list[str]] = {}
    for move, (begins, ends) in MOVES.items():
        for begin in begins:
            labels.setdefault((begin, ends), []).append(move.value)
    order = list(State)
    for (begin, end), moves in sorted(
        labels.items(), key=lambda item: (order.index(item[0][0]), order.index(item[0][1]))
    ):
        lines.append(f"    {begin} --> {end}: {', '.join(moves)}")
    lines += [f"    {state} --> [*]" for state in State if state in ENDED]
    return "\n".join(lines)
