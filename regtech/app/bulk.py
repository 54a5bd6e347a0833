"""Whole files of events: taken over durably, sorted by time, judged in pieces by a worker."""

from __future__ import annotations

import hashlib
import mmap
import os
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Final

import numpy as np
import numpy.typing as npt
from starlette.concurrency import run_in_threadpool

from casework.cases.scope import Role, Scope, service_scope
from casework.ports import EventDesk, Job, JobState, Page
from regtech.app.deciding import WAITING_MAX, Deciding, named
from regtech.app.decoding import checking_decoder
from regtech.clock import Clock
from regtech.columns.batch import Reject
from regtech.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RegtechError,
    StoreError,
    UsageError,
)
from regtech.model.fields import COMMON

PIECE: Final = 256
"""Events judged under one hold of the engine: single events wait no longer than these take."""
BLOCK: Final = 4096
"""Lines that are looked at together before they are sorted."""
JOBS_MAX: Final = 100
"""Files in line."""
JOBS_OF_ONE: Final = 20
"""Files in line that one institution may have, so that it does not keep out the others."""
_SAVE_US: Final = 1_000_000
_TIME: Final = [field.path for field in COMMON].index("time")

Int64 = npt.NDArray[np.int64]


class Bulk:
    """``casework.service.outside.BulkIntake`` over a folder."""

    def __init__(
        self,
        folder: Path,
        deciding: Deciding,
        desk: EventDesk,
        clock: Clock,
        stopping: Callable[[], bool],
    ) -> None:
        self._folder, self._deciding, self._desk = folder, deciding, desk
        self._clock, self._stopping = clock, stopping
        self._cancelled: set[str] = set()
        self.wake: Callable[[], None] = lambda: None
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder} could not be made: {error.strerror}") from None

    async def accept(self, scope: Scope, body: AsyncIterator[bytes]) -> Job:
        """Write what comes, as it comes; the job is there once the file is durable."""
        if not scope.roles & {Role.INSTITUTION, Role.SERVICE}:
            raise ForbiddenError(
                f"{scope.actor} may not send events",
                hint="it takes the role institution or service",
            )
        waiting = await run_in_threadpool(self._desk.open_jobs, scope)
        if len(waiting) >= JOBS_MAX:
            raise ConflictError(f"{JOBS_MAX} files are in line already", hint="send it later")
        own = scope.tenants or frozenset()
        if sum(bool(own & (job.tenants or frozenset())) for job in waiting) >= JOBS_OF_ONE:
            raise ConflictError(
                f"{JOBS_OF_ONE} files of the institution are in line already",
                hint="send it once the first of them is judged",
            )
        identity = "J-" + secrets.token_hex(10)
        part = self._folder / f"{identity}.part"
        digest, size = hashlib.sha256(), 0
        try:
            with part.open("xb") as file:
                async for block in body:
                    digest.update(block)
                    size += len(block)
                    await run_in_threadpool(file.write, block)
                if not size:
                    raise UsageError("there are no events in the body")
                await run_in_threadpool(_durable, file)
            now = self._clock.now_us()
            job = Job(identity, scope.actor, scope.tenants, digest.hexdigest(), size, now, now)
            part.replace(self._path(job))
            await run_in_threadpool(self._desk.put_job, scope, job)
        except OSError as error:
            raise StoreError(f"the file could not be kept: {error.strerror}") from None
        finally:
            part.unlink(missing_ok=True)
        self.wake()
        return job

    def job(self, scope: Scope, job_id: str) -> Job:
        """How far it is."""
        return self._desk.job(scope, job_id)

    def jobs(self, scope: Scope, *, after: str | None, limit: int) -> Page[Job]:
        """Newest first."""
        return self._desk.jobs(scope, after=after, limit=limit)

    def cancel(self, scope: Scope, job_id: str) -> Job:
        """Stop it; the worker sees it before the next piece."""
        job = self._desk.job(scope, job_id)
        if job.actor != scope.actor and not scope.roles & {Role.OPERATOR, Role.SERVICE}:
            raise ForbiddenError(f"{scope.actor} may not stop others' files")
        if job.state not in (JobState.WAITING, JobState.RUNNING):
            raise ConflictError(f"{job_id} has ended: it is {job.state}")
        self._cancelled.add(job_id)
        job = replace(job, state=JobState.CANCELLED, changed_us=self._clock.now_us())
        self._desk.put_job(scope, job)
        self.wake()
        return job

    def work(self, scope: Scope) -> None:
        """Judge what is in line, file by file, until the end is asked for."""
        for job in self._desk.open_jobs(scope):
            if self._stopping():
                return
            try:
                self._judge(scope, job)
            except RegtechError as error:
                if isinstance(error, StoreError):
                    raise  # it is tried again
                self._end(scope, replace(job, state=JobState.FAILED, error=error.code))
        for path in self._folder.glob("J-*.ndjson"):
            # Where there is no job yet, the file is just being taken over.
            with suppress(NotFoundError):
                ended = self._desk.job(scope, path.stem).state
                if ended in (JobState.DONE, JobState.CANCELLED):
                    path.unlink(missing_ok=True)

    def _path(self, job: Job) -> Path:
        return self._folder / f"{job.id}.ndjson"

    def _judge(self, scope: Scope, job: Job) -> None:
        path = self._path(job)
        if not path.is_file():
            self._end(scope, replace(job, state=JobState.FAILED, error="file_gone"))
            return
        job = replace(job, state=JobState.RUNNING, at=0, lines=0, counts={})
        self._save(scope, job)
        counts: Counter[str] = Counter()
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            order = self._sorted(scope, job, data, counts)
            saved = self._clock.now_us()
            for start in range(0, len(order), PIECE):
                if self._stopping() or job.id in self._cancelled:
                    return  # after a restart it begins again: what was judged counts as repeated
                while self._deciding.waiting > WAITING_MAX:
                    self._deciding.hand_over(service_scope("alerts"))
                part = order[start : start + PIECE]
                lines = [data[a:b].rstrip(b"\r\n") for a, b, _ in part.tolist()]
                piece = self._deciding.judge_lines(lines, 1, job.id)
                counts.update(piece.counts)
                numbered = [_at(r, int(part[r.line - 1, 2])) for r in piece.refused]
                self._quarantine(scope, job, numbered, counts)
                job = replace(job, at=job.at + int((part[:, 1] - part[:, 0]).sum()))
                job = replace(job, lines=job.lines + len(part), counts=dict(counts))
                if self._clock.now_us() - saved > _SAVE_US:
                    saved = self._clock.now_us()
                    self._save(scope, job)
        done = replace(job, state=JobState.DONE, at=job.size, counts=dict(counts))
        self._end(scope, done)

    def _sorted(self, scope: Scope, job: Job, data: mmap.mmap, counts: Counter[str]) -> Int64:
        """(start, end, line number) of the good lines by time; the others are quarantined.

        What comes in one file came at once: its own order says nothing.
        """
        decoder = checking_decoder()
        found: list[Int64] = []
        times: list[Int64] = []
        at, number = 0, 1
        while at < len(data):
            places: list[tuple[int, int, int]] = []
            while at < len(data) and len(places) < BLOCK:
                end = data.find(b"\n", at) + 1 or len(data)
                places.append((at, end, number + len(places)))
                at = end
            block = data[places[0][0] : at]
            batch, rejects, _ = decoder.decode(block, number, job.id)
            strange: dict[int, Reject] = {}
            if job.tenants is not None:
                strange = self._strange(job, block, number, frozenset(batch.line.tolist()))
            bad = [reject for reject in rejects if reject.line not in strange]
            self._quarantine(scope, job, [*bad, *strange.values()], counts)
            table = np.array(places, np.int64)
            lines = batch.line - number
            kept = np.array([int(k) + number not in strange for k in lines], np.bool_)
            found.append(table[lines[kept]] if len(lines) else table[:0])
            times.append(batch.columns[_TIME, : batch.count][kept].copy())
            number += len(places)
        if not found:
            return np.zeros((0, 3), np.int64)
        whole, instants = np.concatenate(found), np.concatenate(times)
        return whole[np.argsort(instants, kind="stable")]

    def _strange(
        self, job: Job, block: bytes, first: int, good: frozenset[int]
    ) -> dict[int, Reject]:
        """Events of reporters that the sender does not answer for, by line.

        Of a good line without a reporter nobody knows whose it is: the decoder read one in it.
        """
        assert job.tenants is not None
        made = {}
        for number, line in enumerate(block.split(b"\n"), first):
            reporter, _ = named(line) if line.strip() else ("", "")
            if reporter not in job.tenants and (reporter or number in good):
                expected = "a reporter that the sender answers for"
                made[number] = Reject(
                    job.id, number, "reporter", "forbidden", reporter[:200], expected, line
                )
        return made

    def _quarantine(
        self, scope: Scope, job: Job, rejects: list[Reject], counts: Counter[str]
    ) -> None:
        if not rejects:
            return
        for reject in rejects:
            counts[reject.code if reject.code in ("late", "conflict") else "refused"] += 1
        sender = Scope(job.actor, scope.roles, None, job.tenants)
        self._desk.quarantine(scope, self._deciding.kept(sender, rejects, job.id, job.id))

    def _save(self, scope: Scope, job: Job) -> None:
        if job.id not in self._cancelled:
            self._desk.put_job(scope, replace(job, changed_us=self._clock.now_us()))

    def _end(self, scope: Scope, job: Job) -> None:
        self._save(scope, job)


def _at(reject: Reject, line: int) -> Reject:
    return replace(reject, line=line)


def _durable(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())
