"""A file that is written piece by piece and looks whole only when it is.

Everything goes to ``<path>.part``. ``commit`` makes what was written so far durable and says how
long it is and what its digest is; a snapshot keeps that. After a kill, ``resume`` cuts the part
file back to the recorded length, so that nothing written after the snapshot is doubled and nothing
before it is lost. ``close`` makes the whole durable and renames it to ``path`` in one step.

``-`` is standard output and paths that are no regular files (a device, a named pipe) are written
straight away: there a kill may leave a piece, and ``resume`` is refused.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from regtech.errors import InternalError, SnapshotError, StoreError, UsageError

STDOUT: Final = "-"
_BUFFER: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file had been written: length in bytes, and SHA-256 of what its lines mean."""

    length: int
    digest: str


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


class CommittedFile:
    """See the module. Not for several threads; ``what`` names the content in errors.

    ``digested`` gives what of a line, without its line end, the digest is over; all of it without.
    """

    def __init__(
        self,
        path: str,
        what: str,
        *,
        resume: Position | None = None,
        digested: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self.path = path
        self._what = what
        self._digested = digested
        self._hash = hashlib.sha256()
        self._length = 0
        self._pending: list[bytes] = []
        self._pending_length = 0
        self._direct = path == STDOUT or _is_special(path)
        self._part = path if self._direct else f"{path}.part"
        if self._direct and resume is not None:
            raise UsageError(
                f"{what} cannot be resumed on {path}", hint="write to a file: --out FILE"
            )
        try:
            self._descriptor = self._open()
        except OSError as error:
            raise StoreError(f"{what} could not be written to {path}: {_reason(error)}") from None
        try:
            if resume is not None:
                self._resume(resume)
            elif not self._direct:
                os.ftruncate(self._descriptor, 0)
        except OSError as error:
            self._release()
            raise StoreError(f"{what} could not be written to {path}: {_reason(error)}") from None
        except SnapshotError:
            self._release()
            raise

    def _open(self) -> int:
        if self.path == STDOUT:
            sys.stdout.flush()
            return os.dup(sys.stdout.fileno())
        if self._direct:
            return os.open(self._part, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        folder = Path(self.path).parent
        folder.mkdir(parents=True, exist_ok=True)
        if Path(self.path).exists() and not os.access(self.path, os.W_OK):
            # A rename would silently replace what its owner made read-only.
            raise PermissionError(0, "the file is read-only")
        descriptor = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise OSError(0, "another run is writing it") from None
        return descriptor

    def _resume(self, position: Position) -> None:
        """Cut the part file, or a copy of the finished file, back to ``position``."""
        size = os.fstat(self._descriptor).st_size
        if size < position.length:
            # The run had come to its end and renamed the file: begin with what it had then.
            self._copy_finished(position.length)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        left = position.length
        rest = b""
        while left:
            piece = os.read(self._descriptor, min(left, _BUFFER))
            if not piece:
                break
            left -= len(piece)
            end = piece.rfind(b"\n") + 1
            self._update(rest + piece[:end] if end else b"")
            rest = piece[end:] if end else rest + piece
        if left or rest or self._hash.hexdigest() != position.digest:
            raise SnapshotError(
                f"{self.path} is not the file that the snapshot goes with: its first "
                f"{position.length} bytes are missing or were changed",
                hint="start again without --resume, or bring the file back",
            )
        os.ftruncate(self._descriptor, position.length)
        os.lseek(self._descriptor, position.length, os.SEEK_SET)
        self._length = position.length

    def _copy_finished(self, length: int) -> None:
        try:
            source = open(self.path, "rb")
        except FileNotFoundError:
            return
        with source:
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            left = length
            while left and (piece := source.read(min(left, _BUFFER))):
                self._write_all(piece)
                left -= len(piece)

    def write(self, content: bytes) -> None:
        """Add whole lines; they are kept back until there is a good piece of them."""
        if not content.endswith(b"\n"):
            raise InternalError(f"what is written to {self.path} does not end with a line end")
        self._update(content)
        self._length += len(content)
        self._pending.append(content)
        self._pending_length += len(content)
        if self._pending_length >= _BUFFER:
            self.flush()

    def _update(self, lines: bytes) -> None:
        if self._digested is None or not lines:
            self._hash.update(lines)
            return
        meant = [self._digested(line) for line in lines[:-1].split(b"\n")]
        self._hash.update(b"\n".join(meant) + b"\n")

    def flush(self) -> None:
        """Hand everything kept back to the system. Raises ``StoreError`` where it is not taken."""
        if not self._pending:
            return
        content = b"".join(self._pending)
        self._pending.clear()
        self._pending_length = 0
        try:
            self._write_all(content)
        except OSError as error:
            raise StoreError(
                f"{self._what} could not be written to {self.path}: {_reason(error)}",
                hint="" if self._direct else f"{self._part} holds a piece; it is not whole",
            ) from None

    def _write_all(self, content: bytes) -> None:
        view = memoryview(content)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def commit(self) -> Position:
        """Make all of it durable; a snapshot that keeps the position may then be written."""
        self.flush()
        if not self._direct:
            try:
                os.fsync(self._descriptor)
            except OSError as error:
                raise StoreError(
                    f"{self._what} could not be made durable in {self._part}: {_reason(error)}"
                ) from None
        return Position(self._length, self._hash.hexdigest())

    @property
    def part(self) -> str:
        """Where the content is until ``close``."""
        return self._part

    @property
    def digest(self) -> str:
        """SHA-256, in hex, over the lines from the beginning of the file."""
        return self._hash.hexdigest()

    def close(self) -> Position:
        """The clean end: durable, and under its own name."""
        position = self.commit()
        try:
            if not self._direct:
                os.replace(self._part, self.path)
                folder = os.open(Path(self.path).parent, os.O_RDONLY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)
        except OSError as error:
            raise StoreError(
                f"{self._part} could not be renamed to {self.path}: {_reason(error)}"
            ) from None
        finally:
            self._release()
        return position

    def abandon(self) -> None:
        """The unclean end: the part file stays for ``resume``; nothing takes the final name."""
        self._pending.clear()
        self._release()

    def _release(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
        self._descriptor = -1


def _is_special(path: str) -> bool:
    try:
        return not stat.S_ISREG(os.stat(path).st_mode) and not os.path.isdir(path)
    except OSError:
        return False
