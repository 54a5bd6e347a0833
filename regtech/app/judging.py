"""Sources, decoder and engine joined: slices in, final alerts and refused records out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from regtech.adapters.sources import SourceFile
from regtech.adapters.tables.columnmap import ColumnMap, load_column_map
from regtech.app.allocator import map_large_arrays
from regtech.app.detection import shipped_detectors
from regtech.app.sources import Merge, Source, kept_of
from regtech.collector import collector_paused
from regtech.columns.batch import Batch, Reject
from regtech.columns.vocabulary import Vocabulary
from regtech.engine.engine import Engine
from regtech.engine.intake import FOREVER
from regtech.engine.plan import compile_plan
from regtech.engine.snapshot import capture_ahead, capture_judging, fingerprint
from regtech.errors import UsageError
from regtech.model.alert import Alert
from regtech.model.quarantine import REASONS
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack
from regtech.sandbox.harness import decoder_of
from regtech.sandbox.near import near_misses_of, with_near

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides what is found; times in microseconds since 1970."""

    packs: tuple[Pack, ...]
    lateness_us: int
    home: str | None = None
    law_as_of: date | None = None
    from_us: int | None = None
    to_us: int | None = None
    near: Fraction | None = None
    map: str | None = None

    def as_data(self) -> dict[str, Any]:
        """What a snapshot is compared by; names as a person knows them."""
        return {
            "packs": sorted([pack.id, pack.version, pack.digest] for pack in self.packs),
            "--lateness": self.lateness_us,
            "--home": self.home,
            "--law-as-of": None if self.law_as_of is None else str(self.law_as_of),
            "--from": self.from_us,
            "--to": self.to_us,
            "--near": None if self.near is None else str(self.near),
            "--map": self.map,
        }


@dataclass
class Counts:
    """What was given and what became of it, as far as the engine does not count it itself."""

    given: int = 0
    after: int = 0
    """Events at or after ``--to``."""
    rejected: Counter[str] = field(default_factory=Counter)
    alerts: Counter[str] = field(default_factory=Counter)
    """Alerts written, by rule."""

    def as_data(self) -> dict[str, Any]:
        """Plain data for a snapshot."""
        return {
            "given": self.given,
            "after": self.after,
            "rejected": dict(self.rejected),
            "alerts": dict(self.alerts),
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Counts:
        """The counts of ``as_data``."""
        rejected, alerts = Counter(data["rejected"]), Counter(data["alerts"])
        return cls(data["given"], data["after"], rejected, alerts)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step brought: alerts that are final, records that were refused or set aside."""

    alerts: list[Alert]
    rejects: list[Reject]
    size: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """A slice that was taken in: the records refused in it, and its bytes for progress."""

    rejects: list[Reject]
    size: int


@dataclass(frozen=True, slots=True)
class ReadPart:
    """What a snapshot holds of reading up to a place: the sources, and arrays of what is known
    before events are judged."""

    sources: list[dict[str, Any] | None]
    """None for one that is not read any more."""
    arrays: Arrays


class Judging:
    """One run's sources, decoder and engine.

    ``files``: a source each; None for one that has ended and need not be read again. ``words``: the
    vocabularies of a snapshot.
    """

    read_part_comes = False
    """Whether ``read_part`` tells with a later step what it cannot tell now."""

    def __init__(
        self,
        settings: Settings,
        names: Sequence[str],
        files: Sequence[SourceFile | None],
        batch: int,
        *,
        reference: Reference,
        words: tuple[Vocabulary, Vocabulary] | None = None,
    ) -> None:
        map_large_arrays()
        self.settings = settings
        self.keeps = False
        """Whether snapshots will be asked for."""
        packs: Sequence[Pack] = settings.packs
        if settings.near is not None:
            packs = with_near(packs, settings.near)
        symbols, persons = words or (Vocabulary(), Vocabulary())
        with collector_paused():
            self.plan = compile_plan(
                packs,
                reference,
                symbols,
                law_as_of=settings.law_as_of,
                detectors=shipped_detectors(),
            )
            self.fingerprint = fingerprint(self.plan)
            self.persons = persons
            self.decoder = decoder_of(self.plan, persons)
            self.engine = Engine(
                self.plan,
                sources=names,
                lateness_us=settings.lateness_us,
                home=settings.home,
                from_us=settings.from_us,
            )
        self.counts = Counts()
        self.near = None if settings.near is None else near_misses_of(self.plan)
        self._map: ColumnMap | None = (
            None if settings.map is None else load_column_map(settings.map)
        )
        self._time = [f.path for f in self.plan.columns.decoded()].index("time")
        self._batch = batch
        self.sources = [
            None if file is None else Source(file, index) for index, file in enumerate(files)
        ]
        self.merge = Merge([source for source in self.sources if source is not None])

    def open(self) -> None:
        """Make the sources ready, each from its position on."""
        for source in self.merge.sources:
            source.open(self.decoder, self._map, self._batch, self._time)

    def step(self) -> Outcome | None:
        """One slice through the engine; None when there is nothing left to read."""
        taken = self.take_in()
        if taken is None:
            return None
        alerts = self.engine.judge_ready()
        return self._outcome(alerts, [*taken.rejects, *self.sorted_out()], taken.size)

    def finish(self) -> Outcome:
        """The end of all sources and, where ``--to`` says, of the period."""
        alerts = self.engine.finish(self.settings.to_us)
        return self._outcome(alerts, self.sorted_out(), 0)

    def read_part(self) -> ReadPart | None:
        """What was read up to the last step, for a snapshot; None where positions in the sources
        would not say all, or where it comes with one of the next steps."""
        return self.part_here() if self.merge.between() else None

    def judged_arrays(self) -> Arrays:
        """What came of judging up to the last step, for a snapshot."""
        made = capture_judging(self.engine)
        if self.near is not None:
            text = json.dumps(self.near.export(), ensure_ascii=False)
            made["near"] = np.frombuffer(text.encode(), np.uint8)
        return made

    def part_here(self) -> ReadPart:
        """What this process has read."""
        arrays = capture_ahead(self.engine, self.persons)
        for source in self.merge.sources:
            for name, array in source.raw.export().items():
                arrays[f"raw{source.index}.{name}"] = array
        sources: list[dict[str, Any] | None] = []
        for index, one in enumerate(self.sources):
            sources.append(
                None
                if one is None
                else {
                    "name": one.file.name,
                    "position": one.position,
                    "newest": one.newest,
                    "ended": one.ended,
                    "closed": self.engine.intake.newest[index] >= FOREVER,
                    "identity": one.identity,
                }
            )
        return ReadPart(sources, arrays)

    def close(self) -> None:
        """Let go of what was opened, wherever the run stands."""
        self.merge.close()

    def take_in(self) -> Taken | None:
        """One slice into the engine's intake, not judged yet; None when nothing is left to read."""
        found = self.merge.next()
        if found is None:
            return None
        if isinstance(found, int):
            # The last to end stays open: more may follow after a resume.
            if not all(source.ended for source in self.merge.sources):
                self.engine.intake.close(found)
            return Taken([], 0)
        self.counts.given += len(found.rejects)
        for reject in found.rejects:
            self.counts.rejected[reject.code] += 1
        if found.batch is not None:
            self.counts.given += found.batch.count
            self.engine.intake.push(self._in_time(found.batch))
        return Taken(found.rejects, found.size)

    def sorted_out(self) -> list[Reject]:
        """Late and conflicting events since the last call; lines that nobody asks for any more go
        with them."""
        rejects = self._set_aside()
        self._forget_lines()
        return rejects

    def _in_time(self, batch: Batch) -> Batch:
        if self.settings.to_us is None:
            return batch
        kept = kept_of(batch, batch.columns[self._time, : batch.count] < self.settings.to_us)
        self.counts.after += batch.count - kept.count
        return kept

    def _outcome(self, alerts: list[Alert], rejects: list[Reject], size: int) -> Outcome:
        if self.settings.from_us is not None:
            alerts = [alert for alert in alerts if alert.order[0] >= self.settings.from_us]
        if self.near is not None:
            alerts = self.near.take(alerts)
        self.counts.alerts.update(alert.rule for alert in alerts)
        return Outcome(alerts, rejects, size)

    def _set_aside(self) -> list[Reject]:
        """Late and conflicting events as records of the quarantine."""
        made = []
        for event in self.engine.set_aside():
            source = self.sources[event.source]
            raw = b"" if source is None else source.raw.line(event.line)
            name, why = self.engine.sources[event.source], REASONS[event.code]
            place = "time" if event.code == "late" else "id"
            made.append(Reject(name, event.line, place, event.code, event.id, why, raw))
        return made

    def _forget_lines(self) -> None:
        """Let go of lines of events that are judged."""
        least = self.engine.intake.first_lines(len(self.sources))
        for source in self.merge.sources:
            source.raw.forget(min(int(least[source.index]), source.position))


def check_home(home: str | None, packs: Sequence[Pack]) -> None:
    """``--home`` must be a jurisdiction of the packs in use."""
    known = sorted({pack.jurisdiction for pack in packs})
    if home is not None and home not in known:
        raise UsageError(
            f"no pack in use is of the jurisdiction {home}", hint="known: " + ", ".join(known)
        )
