"""The matcher on durable_rules, in a child process that may crash, hang or lie without harm.

Each chunk goes to the child as one line and has one re-run in a new child; then the plain-Python
matcher answers, which is announced in the log and in ``health``. An answer is checked against the
job before it is believed. Nothing of an alert but numbers goes over: no text, no id.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any, Final

from casework.policy.matcher import Job, Match, MatcherHealth, PythonMatcher, check

FACTS_MAX: Final = 500
"""Facts in a chunk; about 10 kB each in the child."""
MATCHES_MAX: Final = 20_000
"""Matches a chunk can have by the numbers; jobs beyond it go into the next chunk."""
SHAPES_MAX: Final = 20
"""Shapes of jobs in a chunk: few rules make few fields a fact may need."""
CHUNKS_MAX: Final = 50
"""Chunks after which a child is replaced: each leaves its state behind."""
ANSWER_MAX: Final = 16 << 20
RETRY_AFTER: Final = 100
"""Chunks answered in Python after three failures in a row, before a child is tried again."""

_CHILD: Final = Path(__file__).with_name("durable_child.py")
ENGINE: Final = "durable-rules"

log = logging.getLogger("casework.policy")


class _Failed(Exception):
    """The child gave no answer, or none that can be believed."""


class _Unavailable(Exception):
    """The engine cannot be imported here."""


class DurableMatcher:
    """Matches by durable_rules. May be used from several threads; chunks go one after the other.

    ``timeout``: seconds that a chunk may take; a child that takes longer is killed. ``command``:
    how the child is started, for tests.
    """

    def __init__(self, *, timeout: float = 20.0, command: Sequence[str] | None = None) -> None:
        self._timeout = timeout
        self._command = tuple(command or (sys.executable, "-I", str(_CHILD)))
        self._fallback = PythonMatcher()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._chunks = 0
        self._starts = 0
        self._failures = 0
        self._fallbacks = 0
        self._in_a_row = 0
        self._rest = 0
        self._unavailable = ""
        self._reason = ""

    def match(self, jobs: Sequence[Job]) -> list[frozenset[Match]]:
        for job in jobs:
            check(job)
        # The engine never sees a job that cannot match; given no fact at all, it crashes.
        asked = [place for place, job in enumerate(jobs) if all(job.counts)]
        found: list[frozenset[Match]] = [frozenset()] * len(jobs)
        answers: list[frozenset[Match]] = []
        with self._lock:
            for chunk in _chunks([jobs[place] for place in asked]):
                answers += self._answer(chunk)
        for place, matches in zip(asked, answers, strict=True):
            found[place] = matches
        return found

    def health(self) -> MatcherHealth:
        reason = self._unavailable or self._reason
        return MatcherHealth(
            engine="python" if reason else ENGINE,
            degraded=bool(reason),
            reason=reason,
            starts=self._starts,
            failures=self._failures,
            fallbacks=self._fallbacks,
        )

    def close(self) -> None:
        with self._lock:
            self._stop()
            self._unavailable = self._reason = ""
            self._in_a_row = self._rest = 0

    def child(self) -> int | None:
        """Process id of the child at work, None where there is none."""
        child = self._child
        return child.pid if child is not None else None

    # --- one chunk ----------------------------------------------------------------------------

    def _answer(self, chunk: list[Job]) -> list[frozenset[Match]]:
        if self._unavailable or self._rest:
            self._rest = max(0, self._rest - 1)
            return self._by_python(chunk)
        for attempt in (1, 2):
            try:
                found = self._ask(chunk)
            except _Unavailable as error:
                self._stop()
                self._unavailable = f"durable_rules cannot be used: {error}"
                log.warning("policies are matched in plain Python: %s", self._unavailable)
                return self._by_python(chunk)
            except _Failed as error:
                status = self._stop()
                self._failures += 1
                log.warning(
                    "policy matcher failed: %s, exit status %s, attempt %d", error, status, attempt
                )
                self._reason = str(error)
            else:
                if self._reason:
                    log.info("policy matcher works again")
                self._reason = ""
                self._in_a_row = 0
                return found
        self._in_a_row += 1
        if self._in_a_row >= 3:
            self._rest, self._in_a_row = RETRY_AFTER, 0
        log.error("policies are matched in plain Python for now: %s", self._reason)
        return self._by_python(chunk)

    def _by_python(self, chunk: list[Job]) -> list[frozenset[Match]]:
        self._fallbacks += 1
        return self._fallback.match(chunk)

    def _ask(self, chunk: list[Job]) -> list[frozenset[Match]]:
        if self._chunks >= CHUNKS_MAX:
            self._stop()
        if self._child is None:
            self._start()
        self._chunks += 1
        answer = self._exchange(_request(chunk))
        if "matches" not in answer:
            raise _Failed(f"the engine says: {str(answer.get('error'))[:200]}")
        return _believed(chunk, answer["matches"])

    # --- the child ----------------------------------------------------------------------------

    def _start(self) -> None:
        try:
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # Nothing of ours goes along: no secrets, no paths, no signals of our terminal.
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
                cwd=os.sep,
                start_new_session=True,
            )
        except OSError as error:
            raise _Failed(f"the child cannot be started: {error.strerror}") from None
        self._starts += 1
        self._chunks = 0
        hello = self._exchange(b"")
        if "unavailable" in hello:
            raise _Unavailable(str(hello["unavailable"])[:200])
        if hello.get("ready") is not True:
            raise _Failed("the child did not say that it is ready")

    def _exchange(self, request: bytes) -> dict[str, Any]:
        """Writes a line and reads one; a watchdog kills a child that takes too long."""
        child = self._child
        assert child is not None and child.stdin is not None and child.stdout is not None
        late = threading.Event()

        def kill() -> None:
            late.set()
            child.kill()

        watchdog = threading.Timer(self._timeout, kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            if request:
                child.stdin.write(request)
                child.stdin.flush()
            line = child.stdout.readline(ANSWER_MAX)
        except (OSError, ValueError):
            line = b""
        finally:
            watchdog.cancel()
        if late.is_set():
            raise _Failed(f"no answer within {self._timeout:g} s")
        if not line.endswith(b"\n"):
            raise _Failed("the child ended" if len(line) < ANSWER_MAX else "the answer has no end")
        try:
            answer = json.loads(line)
        except ValueError:
            raise _Failed("the answer is not JSON") from None
        if not isinstance(answer, dict):
            raise _Failed("the answer is not an object")
        return answer

    def _stop(self) -> int | None:
        """Ends the child; its exit status, None where there was none."""
        child, self._child = self._child, None
        if child is None:
            return None
        status = child.poll()
        if status is None:
            child.kill()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass  # what was not yet written has no reader any more
        return child.wait() if status is None else status


def _chunks(jobs: Sequence[Job]) -> Iterator[list[Job]]:
    """Jobs in their order, cut where facts, matches or shapes become too many."""
    chunk: list[Job] = []
    facts = matches = 0
    shapes: set[tuple[int, int]] = set()
    for job in jobs:
        most = prod(job.counts)
        shape = (job.width, job.within)
        full = (
            facts + len(job.times) > FACTS_MAX
            or matches + most > MATCHES_MAX
            or len(shapes | {shape}) > SHAPES_MAX
        )
        if chunk and full:
            yield chunk
            chunk, facts, matches, shapes = [], 0, 0, set()
        chunk.append(job)
        facts += len(job.times)
        matches += most
        shapes.add(shape)
    if chunk:
        yield chunk


def _request(chunk: list[Job]) -> bytes:
    shapes = sorted({(job.width, job.within) for job in chunk})
    places = {shape: place for place, shape in enumerate(shapes)}
    jobs = []
    for job in chunk:
        first = min(job.times, default=0)
        times = [time - first for time in job.times]
        jobs.append([places[job.width, job.within], times, job.flags])
    cap = sum(prod(job.counts) for job in chunk)
    request = {"shapes": shapes, "jobs": jobs, "cap": cap}
    return json.dumps(request, separators=(",", ":")).encode("ascii") + b"\n"


def _believed(chunk: list[Job], answer: Any) -> list[frozenset[Match]]:
    """The matches by job; raises ``_Failed`` where one is none."""
    found: list[set[Match]] = [set() for _ in chunk]
    try:
        for number, places in answer:
            job = chunk[number]
            match = tuple(places)
            times = [job.times[place] for place in match]
            right = (
                number >= 0
                and min(match) >= 0
                and len(match) == len(set(match)) == job.width
                and max(times) - min(times) <= job.within
                and all(job.flags[place] >> i & 1 for i, place in enumerate(match))
            )
            if not right:
                raise _Failed("the engine gave a match that is none")
            found[number].add(match)
    except (TypeError, ValueError, IndexError):
        raise _Failed("the answer has another shape") from None
    return [frozenset(matches) for matches in found]
