"""Every deliberate exception of the product: a stable code, an exit status and an HTTP status.

RegtechError
├── UsageError            2  the call itself is wrong (unknown option, pack, date)
├── ContentError          1  rules, mappings or policies have faults (carries them all)
├── InputError            3  a source cannot be read at all (bad records are quarantined instead)
├── StoreError            3  a store, a snapshot or an output could not be read or written
│   └── SnapshotError     3  damaged, or of another version
├── NotFoundError         2  there is no such thing, or not for whom asks: the two look the same
├── ForbiddenError        2  the role does not allow it
├── ConflictError         3  what is there now does not fit what was asked
├── CapacityError         3  a declared bound was reached; says which and how to raise it
├── InternalError         3  a promise of the engine itself is broken
└── Interrupted         130  a person or the system asked for the end
"""

from __future__ import annotations

from collections.abc import Sequence


class RegtechError(Exception):
    """Base of all deliberate errors. ``code`` is stable; ``hint`` says what to do."""

    code = "error"
    exit_status = 3
    http_status = 500

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(RegtechError):
    """The caller asked for something that cannot be: wrong option, unknown name, bad date."""

    code = "usage"
    exit_status = 2
    http_status = 400


class ContentError(RegtechError):
    """Rules, mappings or policies are faulty; ``faults`` lists every one of them."""

    code = "content"
    exit_status = 1
    http_status = 422

    def __init__(self, message: str, faults: Sequence[object] = (), *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.faults = tuple(faults)


class InputError(RegtechError):
    """A source could not be opened or read; single bad records are quarantined, not raised."""

    code = "input"
    http_status = 400


class StoreError(RegtechError):
    """A store or an output file could not be read or written."""

    code = "store"
    http_status = 503


class SnapshotError(StoreError):
    """A snapshot is damaged, incomplete, or was written by another version or for other rules."""

    code = "snapshot"


class NotFoundError(RegtechError):
    """There is no such thing, or it is out of the caller's scope; the two cannot be told apart."""

    code = "not_found"
    exit_status = 2
    http_status = 404


class ForbiddenError(RegtechError):
    """The caller may see it, but its role does not allow what was asked."""

    code = "forbidden"
    exit_status = 2
    http_status = 403


class ConflictError(RegtechError):
    """What is there now does not fit what was asked, such as a case that changed in between."""

    code = "conflict"
    http_status = 409


class CapacityError(RegtechError):
    """A declared bound was reached. Nothing is silently cut: the run stops and says which bound."""

    code = "capacity"
    http_status = 503


class InternalError(RegtechError):
    """A promise of the engine is broken; always a defect, never the user's doing."""

    code = "internal"


class Interrupted(RegtechError):
    """A person or the system asked for the end; nothing that was written looks whole."""

    code = "interrupted"
    exit_status = 130
    http_status = 503
