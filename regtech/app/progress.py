"""How long work tells what it is doing; the terminal shows it, a pipe stays silent."""

from __future__ import annotations

from typing import Protocol


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
