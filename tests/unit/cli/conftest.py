"""Runs commands in this process: the console script's own function, its output and status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from regtech.cli.main import run


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def regtech(capfd: pytest.CaptureFixture[str]) -> Command:
    """``regtech("rules", "lint")`` runs that command."""

    def command(*arguments: object) -> Done:
        status = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Done(status, captured.out, captured.err)

    return command
