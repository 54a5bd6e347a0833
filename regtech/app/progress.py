"""How long work tells what it is doing; the terminal shows it, a pipe stays silent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Protocol

from regtech.clock import SystemClock

_TELL_S: Final = 0.5


class Progress(Protocol):
    """Told by the work, shown by whoever started it. Calls are cheap enough for once a batch."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A new stage begins; ``total`` steps where known (bytes, events, rules)."""

    def advance(self, steps: int, text: str = "") -> None:
        """``steps`` more of the stage are done; ``text`` replaces the remark beside the bar."""

    def note(self, text: str) -> None:
        """A line worth keeping: that kernels are being compiled, that a snapshot was refused."""


class NoProgress:
    """Shows nothing."""

    def stage(self, name: str, total: int | None = None) -> None:
        return None

    def advance(self, steps: int, text: str = "") -> None:
        return None

    def note(self, text: str) -> None:
        return None


class FileProgress:
    """Into a file as ``{"at": steps, "of": total}``, now and then: another process reads it."""

    def __init__(self, path: Path) -> None:
        self._path, self._clock = path, SystemClock()
        self._said, self._at, self._of = 0.0, 0, 0

    def stage(self, name: str, total: int | None = None) -> None:
        self._at, self._of = 0, total or 0
        self._tell()

    def advance(self, steps: int, text: str = "") -> None:
        self._at += steps
        if self._clock.elapsed() - self._said > _TELL_S:
            self._tell()

    def note(self, text: str) -> None:
        return None

    def _tell(self) -> None:
        self._said = self._clock.elapsed()
        write_whole(self._path, {"at": self._at, "of": self._of})


def write_whole(path: Path, data: Any) -> None:
    """Put JSON in place of a file in one step."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    part.replace(path)
