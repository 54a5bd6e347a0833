"""The files of a journal: whole lines, one file after another, each named by where it begins.

``events-00000000000000000000.ndjson`` and so on; a place in the journal is a number of bytes from
its beginning, whichever file it lies in. The last file may go on with zeros: room that was made
before it is needed. What comes after the first zero was never answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from regtech.errors import StoreError

BLOCK: Final = 1 << 20
FIRST_NAME: Final = "events.ndjson"
"""What the one file of earlier versions was called."""
_NAME: Final = re.compile(r"events-(\d{20})\.ndjson")


class Segment(NamedTuple):
    """A file, and where in the journal it begins."""

    start: int
    path: Path


def segment_name(start: int) -> str:
    """The name of the file that begins there."""
    return f"events-{start:020d}.ndjson"


def segments(folder: Path) -> list[Segment]:
    """The files of a journal in their order. One file of an earlier version is the first."""
    found = [
        Segment(int(named[1]), path)
        for path in folder.glob("events-*.ndjson")
        if (named := _NAME.fullmatch(path.name))
    ]
    single = folder / FIRST_NAME
    if single.is_file():
        found.append(Segment(0, single))
    return sorted(found)


def end_of_lines(path: Path) -> int:
    """Where the last whole line ends that no zero comes before."""
    at = end = 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            zero = block.find(b"\0")
            whole = block if zero < 0 else block[:zero]
            newline = whole.rfind(b"\n")
            if newline >= 0:
                end = at + newline + 1
            if zero >= 0:
                break
            at += len(block)
    return end


def lines_between(
    parts: Sequence[Segment], start: int, end: int
) -> Iterator[tuple[int, list[bytes]]]:
    """The lines from one place to another, in blocks, each with where it ends.

    Both places lie between lines. Raises ``StoreError`` where a file in between is missing.
    """
    at = start
    for index, part in enumerate(parts):
        last = parts[index + 1].start if index + 1 < len(parts) else end
        if last <= at:
            continue
        if part.start > at:
            break
        yield from _lines(part, at, min(last, end))
        at = min(last, end)
        if at == end:
            return
    if at < end:
        raise StoreError(
            f"the journal of events has a gap: nothing holds what follows its byte {at}",
            hint="bring the file back, or begin anew with --data another folder",
        )


def _lines(part: Segment, start: int, end: int) -> Iterator[tuple[int, list[bytes]]]:
    at, rest = start, b""
    try:
        with part.path.open("rb") as stream:
            stream.seek(start - part.start)
            while at < end and (block := stream.read(min(BLOCK, end - at))):
                at += len(block)
                *lines, rest = (rest + block).split(b"\n")
                yield at - len(rest), lines
    except OSError as error:
        raise StoreError(f"{part.path} could not be read: {error.strerror}") from None
    if at < end or rest:
        raise StoreError(
            f"{part.path} is shorter than it was, or the file after it is missing",
            hint="bring the file back, or begin anew with --data another folder",
        )
