"""Background and planted cases in one order of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from regtech.sandbox.simulate.background import Piece
from regtech.sandbox.simulate.planted import Planted


def merge(pieces: Iterable[Piece], planted: Iterable[Planted]) -> Iterator[list[str]]:
    """Lines in order of time; of equal times the background comes first."""
    waiting = [event for case in planted for event in case.events]
    waiting.sort(key=lambda event: event[0])
    times = np.array([us for us, _ in waiting], np.int64)
    done = 0
    for piece in pieces:
        last = int(np.searchsorted(times, int(piece.us[-1]), "left")) if len(piece.us) else done
        if last == done:
            yield piece.lines
            continue
        places = np.searchsorted(piece.us, times[done:last], "right").tolist()
        lines: list[str] = []
        start = 0
        for (_, line), place in zip(waiting[done:last], places, strict=True):
            lines += piece.lines[start:place]
            lines.append(line)
            start = place
        yield lines + piece.lines[start:]
        done = last
    if done < len(waiting):
        yield [line for _, line in waiting[done:]]
