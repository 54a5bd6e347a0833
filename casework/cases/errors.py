"""What can go wrong in casework beyond the kinds of ``regtech.errors``; codes are stable.

ConflictError
├── VersionConflictError  conflict    somebody changed the case in between; says what
└── TransitionError       transition  the case is not in a state that allows it
ForbiddenError
└── FourEyesError         four_eyes   the author may not approve
"""

from __future__ import annotations

from collections.abc import Sequence

from regtech.errors import ConflictError, ForbiddenError


class VersionConflictError(ConflictError):
    """The case has changed since the version that was seen; ``changes`` are what was done."""

    def __init__(self, case_id: str, seen: int, version: int, changes: Sequence[str]) -> None:
        super().__init__(
            f"{case_id} has changed: version {version}, seen was {seen}: " + "; ".join(changes),
            hint="read it again and repeat what still applies; nothing was written",
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
