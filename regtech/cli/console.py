"""What commands print: results on standard output, progress on a terminal's standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from regtech.app.progress import NoProgress, Progress
from regtech.content.faults import Fault
from regtech.content.saying import N_, spoken
from regtech.errors import RegtechError, StoreError


def _broken(error: OSError) -> StoreError:
    return StoreError("standard output could not be written", hint=error.strerror or str(error))


def write(text: str) -> None:
    """A piece of the result. A closed pipe is a ``StoreError``, not a stack trace."""
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except (BrokenPipeError, OSError) as error:
        # Python flushes standard output again at exit; give it somewhere that takes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise _broken(error) from None


def write_json(value: Any) -> None:
    """A result for machines: one JSON document, keys as given, text unescaped."""
    write(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def counted(number: int, one: str, many: str = "") -> str:
    """``1 alert``, ``2,000 alerts``; ``many`` where it is not ``one`` with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: str = "") -> str:
    """Aligned columns; ``right`` has an ``r`` for each column that is aligned to the right.

    Wide characters (Chinese) take two places on a terminal.
    """
    cells = [list(headings), *[list(row) for row in rows]]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(headings))]
    marks = right.ljust(len(headings), " ")
    lines = []
    for row in cells:
        parts = []
        for cell, width, mark in zip(row, widths, marks, strict=True):
            pad = " " * (width - _width(cell))
            parts.append(pad + cell if mark == "r" else cell + pad)
        lines.append("  ".join(parts).rstrip())
    return "\n".join(lines)


def shortened(text: str, places: int) -> str:
    """The text in at most so many places of a terminal, with an ellipsis where it was cut."""
    if _width(text) <= places:
        return text
    while _width(text) > places - 1:
        text = text[:-1]
    return text.rstrip() + "…"


def _width(text: str) -> int:
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


_HINT: Final = N_("hint")


def fault_text(error: RegtechError, translate: Callable[[str], str] = lambda text: text) -> str:
    """An error for people: what, then each fault on its own line, then what to do.

    A fault that stands in the message already is not said a second time.
    """
    message = spoken(error.message, translate)
    faults = [
        fault.told(translate) if isinstance(fault, Fault) else str(fault)
        for fault in getattr(error, "faults", ())
    ]
    lines = [f"error[{error.code}]: {message}"]
    lines += [f"  {fault}" for fault in faults if fault not in message]
    if error.hint:
        lines.append(f"  {translate(_HINT)}: {spoken(error.hint, translate)}")
    return "\n".join(lines)


def fault_json(error: RegtechError) -> dict[str, Any]:
    """The one shape of an error for machines."""
    return {
        "error": {
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "faults": [str(fault) for fault in getattr(error, "faults", ())],
        }
    }


class _Bar:
    """Progress as a bar on standard error, by ``rich``; only made where that is a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
        from rich.progress import Progress as RichProgress

        self._console = Console(stderr=True)
        self._progress = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[remark]}"),
            console=self._console,
            transient=True,
        )
        self._progress.start()
        self._task: Any = None

    def stage(self, name: str, total: int | None = None) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(name, total=total, remark="")

    def advance(self, steps: int, text: str = "") -> None:
        if self._task is not None:
            self._progress.update(self._task, advance=steps, remark=text)

    def note(self, text: str) -> None:
        self._console.print(text, highlight=False)

    def stop(self) -> None:
        self._progress.stop()


class _Notes(NoProgress):
    """No progress, but what is worth keeping: that a snapshot was refused, what a wait is for."""

    def note(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


@contextmanager
def progress(quiet: bool = False) -> Iterator[Progress]:
    """A bar where standard error is a terminal; notes alone where it is not."""
    if quiet or not sys.stderr.isatty():
        yield NoProgress() if quiet else _Notes()
        return
    bar = _Bar()
    try:
        yield bar
    finally:
        bar.stop()
