"""The alerts of a run as NDJSON: canonical bytes in, a file that is whole or not there out."""

from __future__ import annotations

from collections.abc import Iterable

from regtech.adapters.committed import CommittedFile, Position
from regtech.model.alert import digested


class AlertFile:
    """Takes alerts as canonical JSON, one a line, in the canonical order that the engine gives.

    The digest of the run leaves out where an event was found (``regtech.model.alert.digested``):
    the same events in another file give the same digest.
    ``position()`` belongs into a snapshot; ``resume`` takes it back. After the last alert call
    ``close``; after a fault ``abandon``, which leaves ``<path>.part`` behind.
    """

    def __init__(self, path: str, *, resume: Position | None = None) -> None:
        self._file = CommittedFile(path, "alerts", resume=resume, digested=digested)

    def write(self, lines: Iterable[bytes]) -> None:
        """Add alerts; each is one JSON document without its line end."""
        content = b"".join(line + b"\n" for line in lines)
        if content:
            self._file.write(content)

    def write_block(self, block: bytes) -> None:
        """Add several alerts that already have their line ends."""
        if block:
            self._file.write(block)

    @property
    def part(self) -> str:
        """Where the alerts are until ``close``; after a resume those before it, at once."""
        return self._file.part

    @property
    def digest(self) -> str:
        """SHA-256 in hex over all alerts so far, those before a resume included."""
        return self._file.digest

    def position(self) -> Position:
        """Make everything durable and say where it ends."""
        return self._file.commit()

    def close(self) -> Position:
        """The clean end of a run: the file gets its name."""
        return self._file.close()

    def abandon(self) -> None:
        """The unclean end: what was written stays under ``<path>.part``."""
        self._file.abandon()
