"""An engine with its decoder behind a server, what it remembers on disk, and a process for that.

What the engine holds is a function of the journal. So it is remembered by another process
(``python -m regtech.app.warm``), which goes on from the last time: whoever waits for a decision
does not wait for it. A server that starts takes the newest memory that fits its rules and reads
only the rest of the journal; where none fits it reads all of it.

A memory up to a place is only made once every alert from before it is in the record: they are not
made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from regtech import __version__
from regtech.adapters.snapshots import SnapshotFolder, read_snapshot
from regtech.app.allocator import map_large_arrays
from regtech.app.choice import chosen_packs
from regtech.app.detection import models_asked, shipped_detectors
from regtech.app.progress import FileProgress, NoProgress
from regtech.app.segments import lines_between, segments
from regtech.columns.vocabulary import Vocabulary
from regtech.engine.engine import Engine
from regtech.engine.plan import Plan, compile_plan
from regtech.engine.snapshot import capture, fingerprint, restore, vocabularies
from regtech.errors import RegtechError, SnapshotError
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack
from regtech.sandbox.harness import decoder_of

SOURCE: Final = "api"
FOLDER: Final = "state"
_BEFORE: Final = 4096
"""Bytes before a place by which a memory knows that it is of this journal."""


class WarmEngine:
    """An engine that judges in the order of arrival, with what decodes for it.

    ``arrays``: of a memory, to go on from; raises ``SnapshotError`` where it does not fit.
    ``lists``: a folder of lists that stay as they are; None: those that are set. ``models``: what
    the models that rules ask for stand for, as they are when the engine is made.
    """

    def __init__(
        self,
        packs: Sequence[Pack],
        reference: Reference,
        home: str | None,
        arrays: dict[str, Any] | None = None,
        lists: str | None = None,
    ) -> None:
        map_large_arrays()
        symbols, self.persons = (
            (Vocabulary(), Vocabulary()) if arrays is None else vocabularies(arrays)
        )
        self.plan = compile_plan(
            packs, reference, symbols, detectors=shipped_detectors(lists=lists)
        )
        self.lists = _lists_of(self.plan, lists)
        self.decoder = decoder_of(self.plan, self.persons)
        self.models = models_asked(self.plan.questions.values())
        self.engine = self.fresh(home)
        while (now := models_asked(self.plan.questions.values())) != self.models:
            self.models, self.engine = now, self.fresh(home)  # promoted while they were looked up
        self.place = 1
        if arrays is not None:
            restore(self.engine, arrays)

    def fresh(self, home: str | None) -> Engine:
        """An engine of the same rules that knows nothing."""
        engine = Engine(self.plan, sources=(SOURCE,), lateness_us=0, home=home)
        engine.intake.arrival_order = True
        return engine

    def follow(self, lines: Sequence[bytes]) -> list[bytes]:
        """Judge lines of the journal again; their alerts."""
        batch, _, _ = self.decoder.decode(b"\n".join(lines) + b"\n", self.place, SOURCE)
        self.place += len(lines)
        alerts = [alert.canonical() for alert in self.engine.decide(batch)]
        self.engine.set_aside()
        return alerts


_BY_LISTS: Final = frozenset({"screened", "address_exposure"})


def _lists_of(plan: Plan, lists: str | None) -> str:
    """Which lists rules are held against; "" where none of them asks for any."""
    asked = any(question.asks in _BY_LISTS for question in plan.questions.values())
    return Path(lists).name if asked and lists else ""


def recalled(
    folder: Path,
    packs: Sequence[Pack],
    reference: Reference,
    home: str | None,
    end: int,
    lists: str | None = None,
) -> tuple[WarmEngine, int] | None:
    """The newest memory of a journal that fits, and up to which place it goes; None: there is none.

    ``end``: where the journal ends. A memory that is damaged, of other rules, lists or models, of
    another version or of another journal is passed over: the journal has everything.
    """
    for path in sorted((folder / FOLDER).glob("[0-9]*.snapshot"), reverse=True):
        with suppress(SnapshotError):
            found = read_snapshot(path)
            position = int(found.said["position"])
            if position > end or found.said["before"] != _before(folder, position):
                continue
            if found.said["home"] != home or found.said["product"] != __version__:
                continue
            if found.said.get("packs") != _named(packs):
                continue  # as its fingerprint would tell, without compiling them
            made = WarmEngine(packs, reference, home, found.arrays, lists)
            if found.said.get("lists", "") != made.lists:
                continue
            if found.said.get("models", "") != made.models:
                continue
            if found.said["fingerprint"] == fingerprint(made.plan):
                made.place = int(found.said["place"])
                return made, position
    return None


def _named(packs: Sequence[Pack]) -> list[list[str]]:
    return [[pack.id, pack.version, pack.digest] for pack in packs]


def _before(folder: Path, position: int) -> str:
    """What the journal says just before a place."""
    digest = hashlib.sha256()
    for part in segments(folder):
        if part.start < position:
            with part.path.open("rb") as stream:
                last = position - part.start
                stream.seek(max(0, last - _BEFORE))
                digest = hashlib.sha256(stream.read(min(_BEFORE, last)))
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Remember:
    """What another process is to remember: the journal in a folder up to a place.

    ``progress``: a file that says how far it is, of the bytes that it has to read.
    """

    folder: str
    position: int
    packs: tuple[str, ...] = ()
    rules: str | None = None
    home: str | None = None
    progress: str | None = None
    lists: str | None = None

    def command(self) -> list[str]:
        """The process that does it."""
        return [sys.executable, "-m", "regtech.app.warm", json.dumps(asdict(self))]


def remember(wanted: Remember, packs: Sequence[Pack], reference: Reference) -> Path:
    """Keep what an engine holds at a place of the journal; its file. Raises ``StoreError``."""
    folder = Path(wanted.folder)
    with SnapshotFolder(folder / FOLDER) as kept:
        with suppress(SnapshotError):
            kept.newest()  # so that it is kept as well, for the day this one is damaged
        lists = wanted.lists
        found = recalled(folder, packs, reference, wanted.home, wanted.position, lists)
        warm, start = found or (WarmEngine(packs, reference, wanted.home, lists=lists), 0)
        told = NoProgress() if wanted.progress is None else FileProgress(Path(wanted.progress))
        told.stage("following the journal", wanted.position - start)
        for _, lines in _blocks(folder, start, wanted.position):
            warm.follow(lines)
            told.advance(sum(map(len, lines)) + len(lines))
        said = {
            "product": __version__,
            "fingerprint": fingerprint(warm.plan),
            "packs": _named(packs),
            "home": wanted.home,
            "lists": warm.lists,
            "models": warm.models,
            "position": wanted.position,
            "place": warm.place,
            "before": _before(folder, wanted.position),
        }
        return kept.write(said, capture(warm.engine, warm.persons))


def _blocks(folder: Path, start: int, end: int) -> Iterable[tuple[int, list[bytes]]]:
    return ((at, lines) for at, lines in lines_between(segments(folder), start, end) if lines)


def main(text: str) -> int:
    """Remember what is asked for, giving way to whoever has something better to do."""
    wanted = Remember(**json.loads(text))
    os.nice(10)
    packs = chosen_packs(tuple(wanted.packs), None if wanted.rules is None else Path(wanted.rules))
    try:
        remember(wanted, packs, Reference.shipped())
    except RegtechError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
