"""What can go wrong in casework beyond the kinds of ``regtech.errors``; codes are stable.

ConflictError
├── VersionConflictError  conflict    somebody changed the case in between; says what
└── TransitionError       transition  the case is not in a state that allows it
ForbiddenError
└── FourEyesError         four_eyes   the author may not approve
RegtechError
├── UnauthenticatedError  unauthenticated  nobody is known to ask, or not by what was shown
└── ThrottledError        throttled   too often; says when to come again
"""

from __future__ import annotations

from collections.abc import Sequence

from regtech.content.saying import listed, say
from regtech.errors import ConflictError, ForbiddenError, RegtechError


class VersionConflictError(ConflictError):
    """The case has changed since the version that was seen; ``changes`` are what was done."""

    def __init__(self, case_id: str, seen: int, version: int, changes: Sequence[str]) -> None:
        super().__init__(
            say(
                "%(case_id)s has changed: version %(version)s, seen was %(seen)s: %(changes)s",
                case_id=case_id,
                version=version,
                seen=seen,
                changes=listed(changes),
            ),
            hint=say("read it again and repeat what still applies; nothing was written"),
        )
        self.case_id = case_id
        self.seen = seen
        self.version = version
        self.changes = tuple(changes)


class TransitionError(ConflictError):
    """The life cycle does not allow this move from the state the case is in."""

    code = "transition"


class FourEyesError(ForbiddenError):
    """A second person has to decide: who asked for it may not approve it."""

    code = "four_eyes"


class UnauthenticatedError(RegtechError):
    """Nobody is known to ask: no key or session, or one that is not (or no longer) good."""

    code = "unauthenticated"
    exit_status = 2
    http_status = 401


class ThrottledError(RegtechError):
    """Asked too often; ``retry_after_s`` is when it is worth trying again, in whole seconds."""

    code = "throttled"
    http_status = 429

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(
            message, hint=say("try again in %(retry_after_s)s s", retry_after_s=retry_after_s)
        )
        self.retry_after_s = retry_after_s
