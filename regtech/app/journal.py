"""The journal of judged events: files of lines, in the order they were judged.

From it a server that starts finds its windows again. A line counts once it is durable; those who
wait share calls to the disk. A line that a crash cut off is taken away at the next start: it was
never answered.

Room is made before it is needed, as zeros: a line then overwrites what is there, and the disk has
to be told of the line alone, not of a file that has grown. A file that is full is cut at its last
line, made durable, and followed by the next.
"""

from __future__ import annotations

import fcntl
import json
import os
import queue
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from regtech.app.archive import sync_folder
from regtech.app.segments import (
    FIRST_NAME,
    Segment,
    end_of_lines,
    lines_between,
    segment_name,
    segments,
)
from regtech.errors import ConflictError, StoreError

RESTORING: Final = "restoring.json"
"""A folder in which this lies was not restored to the end."""
SEGMENT_BYTES: Final = 64 << 20
"""A file that has reached this is followed by another."""
ROOM_BYTES: Final = 1 << 20
"""So much room is made at a time, and again once half of it is used."""
_SYNCERS: Final = 2
"""Calls to the disk at one time: who comes while one is slow need not wait for its end."""
_LOOK_S: Final = 1.0
_LOCK: Final = "lock"


def refuse_half_restored(folder: Path) -> None:
    """Raises ``ConflictError`` where a restore into the folder was broken off."""
    if (folder / RESTORING).exists():
        raise ConflictError(
            f"a restore into {folder} was broken off", hint="run the same `regtech restore` again"
        )


class Journal:
    """The files ``events-….ndjson`` of a folder; for several threads, of one process.

    ``waits`` False: ``wait`` does not; whoever writes calls ``sync`` now and then. Then a line
    survives the end of the process, but the last moments may not survive a loss of power.
    Raises ``ConflictError`` where another process has it, ``StoreError`` where it cannot be kept.
    """

    def __init__(
        self, folder: Path, *, waits: bool = True, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        self.waits, self.folder = waits, folder
        self._segment_bytes = segment_bytes
        self._taken_path = folder / "taken.json"
        refuse_half_restored(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._held = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(f"{folder} could not be opened: {error.strerror}") from None
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._held)
            raise ConflictError(
                f"another server keeps its events in {folder}", hint="--data another folder"
            ) from None
        self._lock = threading.Lock()
        self._broken, self._closed = "", False
        self._syncers: queue.SimpleQueue[int] = queue.SimpleQueue()
        try:
            last = self._last()
            self._open(last, end_of_lines(last.path))
        except OSError as error:
            os.close(self._held)
            raise StoreError(f"{folder} could not be opened: {error.strerror}") from None
        self._durable = self._end

    def _last(self) -> Segment:
        """The file that is written on; made where there is none."""
        single = self.folder / FIRST_NAME
        if single.is_file():
            single.rename(self.folder / segment_name(0))
        found = segments(self.folder)
        if found:
            return found[-1]
        made = Segment(0, self.folder / segment_name(0))
        made.path.touch()
        sync_folder(self.folder)
        return made

    def _open(self, segment: Segment, size: int) -> None:
        """Write on in a file that has so many bytes of lines."""
        self._segment = segment
        self._file = os.open(segment.path, os.O_RDWR | os.O_CLOEXEC)
        if os.fstat(self._file).st_size != size:
            os.ftruncate(self._file, size)
            os.fsync(self._file)
        self._end = segment.start + size
        self._room = self._end
        # Descriptors of their own: an error of the disk is told to each of them once.
        for _ in range(_SYNCERS):
            self._syncers.put(os.open(segment.path, os.O_RDWR | os.O_CLOEXEC))

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
                if self._end - self._segment.start >= self._segment_bytes:
                    self._next_segment()
                written = os.pwrite(self._file, data, self._end - self._segment.start)
                if written != len(data):
                    raise OSError(0, "the disk is full")
            except OSError as error:
                # What lies after the break is unknown: nothing more is accepted.
                self._fail(error)
            self._end += len(data)
            return self._end

    def _next_segment(self) -> None:
        """Cut the full file at its last line, make it durable, and begin the next."""
        syncers = [self._syncers.get() for _ in range(_SYNCERS)]
        try:
            os.ftruncate(self._file, self._end - self._segment.start)
            os.fsync(self._file)
            for descriptor in syncers:
                os.fsync(descriptor)  # tells of an error that another call might have been told
            made = Segment(self._end, self.folder / segment_name(self._end))
            made.path.touch()
            sync_folder(self.folder)
        except OSError:
            for descriptor in syncers:
                self._syncers.put(descriptor)
            raise
        self._durable = max(self._durable, self._end)
        for descriptor in (self._file, *syncers):
            os.close(descriptor)
        self._open(made, 0)

    def make_room(self) -> None:
        """Where little room is left, make some; best called by nobody who waits."""
        with self._lock:
            if self._broken or self._room - self._end > ROOM_BYTES // 2:
                return
            start = max(self._room, self._end)
            try:
                os.pwrite(self._file, bytes(ROOM_BYTES), start - self._segment.start)
            except OSError:
                return  # without room it goes on as well: the file grows with each line
            self._room = start + ROOM_BYTES
        # No one waits for it, and who syncs next finds it done.
        self.sync(self._end, room=True)

    def wait(self, end: int) -> None:
        """Return once everything up to ``end`` is durable; those who wait share the calls."""
        if self.waits:
            self.sync(end)

    def sync(self, end: int | None = None, *, room: bool = False) -> None:
        """Make everything up to ``end`` durable; None: all that was written."""
        if end is None:
            end = self._end
        if self._durable >= end and not room:
            return
        descriptor = self._syncer()
        try:
            if self._durable >= end and not room:
                return
            self._check()
            upto = self._end
            try:
                os.fdatasync(descriptor)
            except OSError as error:
                self._fail(error)
            self._check()
            self._durable = max(self._durable, upto)
        finally:
            self._syncers.put(descriptor)

    def _syncer(self) -> int:
        """A descriptor to sync by; waits while all are under way. Raises ``StoreError``."""
        while True:
            try:
                return self._syncers.get(timeout=_LOOK_S)
            except queue.Empty:
                self._check()  # closed, or broken for all

    def read(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, list[bytes]]]:
        """All lines from a place on, or up to another, in blocks, each with where it ends.

        Raises ``StoreError``.
        """
        end = self._end if end is None else end
        yield from lines_between(segments(self.folder), start, end)

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
        """Make the rest durable, give back the room, and let go; again changes nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                if not self._broken:
                    os.ftruncate(self._file, self._end - self._segment.start)
                    os.fsync(self._file)
                    self._durable = self._end
            except OSError as error:
                self._fail(error)
            finally:
                # Whoever comes now is refused: the numbers of descriptors are given to others.
                self._broken = self._broken or "it is closed"
                for descriptor in [self._file, *(self._syncers.get() for _ in range(_SYNCERS))]:
                    os.close(descriptor)
                os.close(self._held)

    def _fail(self, error: OSError) -> None:
        self._broken = self._broken or error.strerror or "failed"
        self._check()

    def _check(self) -> None:
        if self._broken:
            raise StoreError(
                f"the journal of events cannot be written: {self._broken}",
                hint="make room, then start the server again",
            )
