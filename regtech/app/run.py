"""``regtech run``: sources in, alerts and quarantine out, snapshots on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

from regtech.adapters.alerts import AlertFile
from regtech.adapters.committed import STDOUT, Position
from regtech.adapters.quarantine import QuarantineFile
from regtech.adapters.snapshots import Snapshot, SnapshotFolder
from regtech.adapters.sources import SourceFile, describe_source
from regtech.app.choice import chosen_packs
from regtech.app.compiling import compile_kernels
from regtech.app.judging import Judging, Outcome, ReadPart, Settings, check_home
from regtech.app.keeping import (
    check_settings,
    names_of,
    position_in,
    restore_run,
    said_of,
)
from regtech.app.options import parse_length
from regtech.app.progress import NoProgress, Progress
from regtech.app.settings import setting
from regtech.app.sources import check_names, resolve_sources
from regtech.app.stopping import Stopping
from regtech.app.summary import RuleCount, RunSummary
from regtech.clock import Clock, SystemClock
from regtech.engine.snapshot import vocabularies
from regtech.errors import InputError, InternalError, Interrupted, UsageError
from regtech.reference.load import Reference
from regtech.sandbox.near import SUFFIX
from regtech.sandbox.near import counts as near_counts

if TYPE_CHECKING:
    from regtech.app.casework import AlertStore

_ENDING: Final = ".ndjson"


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where everything goes; ``-`` is standard output."""

    alerts: str
    quarantine: str
    near: str | None

    @classmethod
    def beside(cls, out: str, quarantine: str | None, near: bool) -> Outputs:
        """The quarantine and the near misses beside the alerts, unless said otherwise."""
        stem = "alerts" if out == STDOUT else out.removesuffix(_ENDING)
        return cls(
            out,
            quarantine if quarantine is not None else f"{stem}.quarantine{_ENDING}",
            f"{stem}.near{_ENDING}" if near else None,
        )

    def check(self, events: tuple[str, ...]) -> None:
        """No two of them may be the same file, and none a file of events."""
        names = [name for name in (self.alerts, self.quarantine, self.near) if name is not None]
        if len({str(Path(name)) for name in names}) != len(names):
            raise UsageError("the alerts and the quarantine are the same file", hint="--quarantine")
        for name in names:
            path = Path(name)
            if path.is_file() and any(
                Path(other).is_file() and path.samefile(other) for other in events
            ):
                raise UsageError(f"{name} is read and would be replaced", hint="--out another file")


def run_command(
    *,
    events: tuple[str, ...],
    packs: tuple[str, ...] = (),
    rules: Path | None = None,
    out: str = "alerts.ndjson",
    quarantine: str | None = None,
    map: str | None = None,
    store: str | None = None,
    snapshot: Path | None = None,
    resume: bool = False,
    batch: int = 16384,
    lateness: int = 600_000_000,
    from_: int | None = None,
    to: int | None = None,
    law_as_of: date | None = None,
    home: str | None = None,
    near: Fraction | None = None,
    strict: bool = False,
    cores: int = 1,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> RunSummary:
    """Hold events against the law; times and lengths are in microseconds.

    Raises ``UsageError``, ``ContentError``, ``InputError``, ``StoreError``, ``SnapshotError``,
    ``CapacityError`` or ``Interrupted``; then no file bears the name of a finished one.
    """
    if from_ is not None and to is not None and from_ >= to:
        raise UsageError("--from is not before --to")
    outputs = Outputs.beside(out, quarantine, near is not None)
    outputs.check(events)
    if snapshot is not None and STDOUT in (outputs.alerts, outputs.quarantine):
        raise UsageError("a run to standard output cannot be resumed", hint="--out FILE")
    clock, told = clock or SystemClock(), progress or NoProgress()
    began = clock.elapsed()
    files = [describe_source(name) for name in events]
    check_names(files)
    chosen = tuple(chosen_packs(packs, rules))
    check_home(home, chosen)
    settings = Settings(chosen, lateness, home, law_as_of, from_, to, near, map)
    with contextlib.ExitStack() as stack:
        folder = None if snapshot is None else stack.enter_context(SnapshotFolder(snapshot))
        kept = None if store is None else stack.enter_context(_opened(store, clock))
        run = _Run(
            settings, outputs, files, batch, strict, folder, resume, told, clock, kept, cores
        )
        # A pipe may give nothing for hours: there the first signal has to break off.
        patient = all(file.size is not None and Path(file.name).is_file() for file in files)
        stopping = stack.enter_context(Stopping(patient))
        try:
            run.work(stopping)
            return run.finish(began)
        except KeyboardInterrupt:
            run.abandon()
            raise run.interrupted(False) from None
        except BaseException:
            run.abandon()
            raise


@contextlib.contextmanager
def _opened(url: str, clock: Clock) -> Iterator[AlertStore]:
    # Casework and its libraries are only imported by a run that has a store.
    from regtech.app.casework import AlertStore, casework

    with casework(url, create=True, clock=clock) as parts:
        yield AlertStore(parts)


class _Run:
    """One run from the first slice to the summary."""

    def __init__(
        self,
        settings: Settings,
        outputs: Outputs,
        files: list[SourceFile],
        batch: int,
        strict: bool,
        folder: SnapshotFolder | None,
        resume: bool,
        told: Progress,
        clock: Clock,
        store: AlertStore | None,
        cores: int,
    ) -> None:
        self.store = store
        self.settings, self.outputs = settings, outputs
        self.strict, self.folder, self.told, self.clock = strict, folder, told, clock
        self.notes: list[str] = []
        self.resumed_at: int | None = None
        self._saved: Path | None = None
        self._every_us, self._every_events = _interval()
        found = self._newest() if folder is not None and resume else None
        self._known = [] if found is None else found.said["sources"]
        again, new = resolve_sources(files, self._known)
        self.judging = _judging_on(cores)(
            settings,
            names_of(self._known, new),
            [*again, *new],
            batch,
            reference=Reference.shipped(),
            words=None if found is None else vocabularies(found.arrays),
        )
        if found is not None:
            restore_run(found, self.judging)
            self.resumed_at = self.judging.counts.given
            self._saved = found.path
        self.judging.keeps = folder is not None
        compile_kernels(settings.packs, Reference.shipped())
        if store is not None:
            store.listen(self.judging.engine)
        self.judging.open()

        def place(name: str) -> Position | None:
            return None if found is None else position_in(found, name)

        self.alerts = AlertFile(outputs.alerts, resume=place("alerts"))
        try:
            self.quarantine = QuarantineFile(outputs.quarantine, resume=place("quarantine"))
        except BaseException:
            self.alerts.abandon()
            raise
        sizes = [file.size for file in files]
        plain = all(Path(file.name).suffix not in (".gz", ".zst") for file in files)
        told.stage("judging", sum(s for s in sizes if s) if plain and None not in sizes else None)
        self._last_us, self._last_events = clock.elapsed(), self.judging.counts.given

    def _newest(self) -> Snapshot | None:
        assert self.folder is not None
        if not self.folder.paths():
            self._note(f"there is no snapshot in {self.folder.folder}: the run begins anew")
            return None
        found, refused = self.folder.newest()
        for error in refused:
            self._note(f"refused: {error.message}; the snapshot before it is used")
        check_settings(found, self.settings)
        return found

    def _note(self, text: str) -> None:
        self.notes.append(text)
        self.told.note(text)

    # --- work

    def work(self, stopping: Stopping) -> None:
        """Everything up to the end of the sources, and the snapshot of that."""
        if self.store is not None and self.resumed_at is not None:
            # The store may be younger than the run, or an old copy: what it has, it knows again.
            with open(self.alerts.part, "rb") as written:
                self.store.take(line.rstrip(b"\n") for line in written)
        while True:
            if stopping.asked:
                saved = self._save_where_it_is()
                self.abandon()
                raise self.interrupted(saved)
            outcome = self.judging.step()
            if outcome is None:
                break
            self._deliver(outcome)
            if self._due() and (read := self.judging.read_part()) is not None:
                self.save(read)
        if self.folder is not None:
            self.save(self._read_to_the_end())

    def _save_where_it_is(self) -> bool:
        """A snapshot of here or, where another process is ahead, of where that one stands."""
        if self.folder is None:
            return False
        read = self.judging.read_part()
        while read is None and self.judging.read_part_comes:
            outcome = self.judging.step()
            if outcome is None:
                read = self._read_to_the_end()
                break
            self._deliver(outcome)
            read = self.judging.read_part()
        if read is not None:
            self.save(read)
        return read is not None

    def _read_to_the_end(self) -> ReadPart:
        read = self.judging.read_part()
        assert read is not None, "nothing is left to read"
        return read

    def _deliver(self, outcome: Outcome) -> None:
        lines = [alert.canonical() for alert in outcome.alerts]
        self.alerts.write(lines)
        if self.store is not None:
            self.store.take(lines)
        self.quarantine.write(outcome.rejects)
        if self.strict and outcome.rejects:
            first = outcome.rejects[0]
            field = f" {first.field}" if first.field else ""
            raise InputError(
                f"{first.source}:{first.line}: {first.code}{field}: found {first.found}, "
                f"expected {first.expected}",
                hint="without --strict such records go to the quarantine and the run goes on",
            )
        counts = self.judging.counts
        text = f"{counts.given:,} events, {counts.alerts.total():,} alerts"
        self.told.advance(outcome.size, text)

    def _due(self) -> bool:
        if self.folder is None:
            return False
        if self._every_events:
            return self.judging.counts.given - self._last_events >= self._every_events
        return (self.clock.elapsed() - self._last_us) * 1_000_000 >= self._every_us

    def save(self, read: ReadPart) -> None:
        """A snapshot, after everything it relies on is durable."""
        assert self.folder is not None
        if self.store is not None:
            self.store.flush()
        positions = {"alerts": self.alerts.position(), "quarantine": self.quarantine.position()}
        said = said_of(self.judging, read, positions, self._known)
        self._saved = self.folder.write(said, read.arrays | self.judging.judged_arrays())
        self._last_us, self._last_events = self.clock.elapsed(), self.judging.counts.given

    def abandon(self) -> None:
        """The unclean end: nothing gets the name of a finished file."""
        self.judging.close()
        self.alerts.abandon()
        self.quarantine.abandon()

    def interrupted(self, saved: bool) -> Interrupted:
        """What to tell of an interruption."""
        done = f"interrupted after {self.judging.counts.given:,} events"
        if self._saved is not None:
            where = "there" if saved else "the last snapshot"
            return Interrupted(done, hint=f"the same command with --resume goes on from {where}")
        return Interrupted(done, hint=f"{self.outputs.alerts} was not written")

    # --- the end

    def finish(self, began: float) -> RunSummary:
        """Deliver the rest, close the files and sum up."""
        self._deliver(self.judging.finish())
        near: list[bytes] = []
        if self.judging.near is not None and self.outputs.near is not None:
            near = self.judging.near.lines()
            file = AlertFile(self.outputs.near)
            try:
                file.write(near)
                file.close()
            except BaseException:
                file.abandon()
                raise
        if self.store is not None:
            self.store.take(near)  # policies combine what was close with what was found
            self.store.finish()
        digest = self.alerts.close().digest
        self.quarantine.close()
        return self._summary(digest, near, began)

    def _summary(self, digest: str, near: list[bytes], began: float) -> RunSummary:
        engine, counts = self.judging.engine, self.judging.counts
        found = engine.summary()
        judged, outside = found.events - engine.early, engine.early + counts.after
        apart = found.repeats + found.conflicts + found.late + counts.rejected.total()
        if judged + outside + apart != counts.given:
            raise InternalError(
                f"{counts.given} records were given and {judged + outside + apart} accounted for"
            )
        rules = tuple(
            RuleCount(
                jurisdiction=pack.jurisdiction,
                pack=pack.id,
                rule=rule.id,
                title=dict(rule.title),
                severity=rule.alert.severity,
                alerts=counts.alerts[rule.id],
                cannot_tell=found.cannot_tell.get(rule.id, 0),
            )
            for pack, rule in self.judging.plan.rules
            if not rule.id.endswith(SUFFIX)
            and rule.id not in found.waiting
            and rule.id not in self.judging.plan.disabled
        )
        return RunSummary(
            events=counts.given,
            judged=judged,
            repeats=found.repeats,
            conflicts=found.conflicts,
            late=found.late,
            outside=outside,
            ungoverned=found.ungoverned,
            quarantined=dict(counts.rejected),
            alerts=counts.alerts.total(),
            digest=digest,
            rules=rules,
            seconds=self.clock.elapsed() - began,
            out=self.outputs.alerts,
            quarantine=self.outputs.quarantine,
            snapshot=None if self._saved is None else str(self._saved),
            resumed_at=self.resumed_at,
            near=tuple({"rule": rule, "near": n} for rule, n in sorted(near_counts(near).items())),
            store=None if self.store is None else self.store.as_dict(),
            notes=(*self.notes, *self._remarks(found.waiting, found.overflows)),
        )

    def _remarks(self, waiting: dict[str, str], overflows: int) -> list[str]:
        made = []
        real = {rule: name for rule, name in waiting.items() if not rule.endswith(SUFFIX)}
        for name in sorted(set(real.values())):
            rules = sorted(rule for rule, waits in real.items() if waits == name)
            some = ", ".join(rules[:3]) + (" …" if len(rules) > 3 else "")
            what = _WAITED_FOR.get(name, name)
            verb = "rule waits" if len(rules) == 1 else "rules wait"
            made.append(f"{len(rules)} {verb} for {what}: {some}")
        laws = {pack.jurisdiction for pack in self.settings.packs} - {"INTL"}
        if self.settings.home is None and len(laws) == 1:
            made.append(
                f"events that name no country were judged by the law of {laws.pop()}, since no "
                "other is in use (see --home)"
            )
        if self.settings.law_as_of is not None:
            made.append(f"every event was judged by the law of {self.settings.law_as_of}")
        if overflows:
            made.append(f"{overflows} sums left 64 bits; their rules cannot tell")
        if self.outputs.near is not None:
            made.append(f"near misses are in {self.outputs.near}")
        return made


_WAITED_FOR: Final = {
    "screened": "lists of names (REGTECH_LISTS)",
    "anomaly": "anomaly models (REGTECH_MODELS)",
    "model_drift": "anomaly models (REGTECH_MODELS)",
}
"""What a rule asks for that is not there, as whoever runs it can mend it."""


def _judging_on(cores: int) -> type[Judging]:
    if cores == 1:
        return Judging
    # What it takes to share memory is only imported where there is somebody to share it with.
    from regtech.app.ahead import TwoProcesses

    return TwoProcesses


def _interval() -> tuple[int, int]:
    """How often a snapshot is taken: (microseconds, events); one of them is 0."""
    text = setting("REGTECH_SNAPSHOT_EVERY")
    if text.isdigit() and text != "0":
        return 0, int(text)
    return parse_length(text), 0
