"""The journal of judged events: one file of lines, in the order they were judged.

From it a server that starts finds its windows again. A line counts once it is durable; those who
wait share one call to the disk. A line that a crash cut off is taken away at the next start: it
was never answered.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from regtech.errors import ConflictError, StoreError

_BLOCK: Final = 1 << 20


RESTORING: Final = "restoring.json"
"""A folder in which this lies was not restored to the end."""


def refuse_half_restored(folder: Path) -> None:
    """Raises ``ConflictError`` where a restore into the folder was broken off."""
    if (folder / RESTORING).exists():
        raise ConflictError(
            f"a restore into {folder} was broken off", hint="run the same `regtech restore` again"
        )


class Journal:
    """The file ``events.ndjson`` of a folder; for several threads, of one process.

    ``waits`` False: ``wait`` does not; whoever writes calls ``sync`` now and then. Then a line
    survives the end of the process, but the last moments may not survive a loss of power.
    Raises ``ConflictError`` where another process has it, ``StoreError`` where it cannot be kept.
    """

    def __init__(self, folder: Path, *, waits: bool = True) -> None:
        self.waits = waits
        self._taken_path = folder / "taken.json"
        refuse_half_restored(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / "events.ndjson").open("a+b", buffering=0)
        except OSError as error:
            raise StoreError(f"{folder} could not be opened: {error.strerror}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise ConflictError(
                f"another server keeps its events in {folder}", hint="--data another folder"
            ) from None
        self._end = self._cut()
        self._durable = self._end
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._broken = ""

    @property
    def end(self) -> int:
        """Bytes written."""
        return self._end

    def append(self, lines: Iterable[bytes]) -> int:
        """Write lines, without their ends; where they end. Not durable before ``wait``."""
        data = b"".join(line + b"\n" for line in lines)
        with self._lock:
            self._check()
            try:
                written = self._file.write(data)
                if written != len(data):
                    raise OSError(0, "the disk is full")
            except OSError as error:
                # What lies after the break is unknown: nothing more is accepted.
                self._broken = error.strerror or "failed"
                self._check()
            self._end += len(data)
            return self._end

    def wait(self, end: int) -> None:
        """Return once everything up to ``end`` is durable; one of those who wait syncs for all."""
        if self.waits:
            self.sync(end)

    def sync(self, end: int | None = None) -> None:
        """Make everything up to ``end`` durable; None: all that was written."""
        if end is None:
            end = self._end
        with self._turn:
            if self._durable >= end:
                return
            upto = self._end
            self._check()
            try:
                os.fdatasync(self._file.fileno())
            except OSError as error:
                self._broken = error.strerror or "failed"
                self._check()
            self._durable = upto

    def read(self) -> Iterator[tuple[int, list[bytes]]]:
        """All lines in blocks, each with where it ends."""
        at, rest = 0, b""
        with open(self._file.name, "rb") as stream:
            while block := stream.read(_BLOCK):
                at += len(block)
                *lines, rest = (rest + block).split(b"\n")
                yield at - len(rest), lines

    def taken(self) -> int:
        """Up to where alerts are in the record."""
        try:
            return int(json.loads(self._taken_path.read_text(encoding="utf-8"))["taken"])
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, KeyError, TypeError):
            return 0  # the alerts are put into the record again, which changes nothing

    def take(self, end: int) -> None:
        """Note that alerts up to ``end`` are in the record."""
        part = self._taken_path.with_suffix(".part")
        try:
            part.write_text(json.dumps({"taken": end}), encoding="utf-8")
            part.replace(self._taken_path)
        except OSError as error:
            raise StoreError(f"{part} could not be written: {error.strerror}") from None

    def close(self) -> None:
        """Make the rest durable and let go."""
        if not self._broken:
            self.sync()
        self._file.close()

    def _check(self) -> None:
        if self._broken:
            raise StoreError(
                f"the journal of events cannot be written: {self._broken}",
                hint="make room, then start the server again",
            )

    def _cut(self) -> int:
        """Where the last whole line ends; what comes after is cut off."""
        size = self._file.seek(0, os.SEEK_END)
        at = size
        while at:
            start = max(0, at - _BLOCK)
            self._file.seek(start)
            block = self._file.read(at - start) or b""
            found = block.rfind(b"\n")
            if found >= 0:
                at = start + found + 1
                break
            at = start
        if at != size:
            self._file.truncate(at)
        return at
