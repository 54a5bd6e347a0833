"""What a server does beside answering: clocks told, old answers forgotten, queues worked off.

One thread each; a failure is logged and tried again, and shows in the health of the server.
"""

from __future__ import annotations

import json
import logging
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from casework.cases.scope import Scope, service_scope
from regtech.clock import Clock
from regtech.errors import RegtechError, StoreError

LOG: Final = logging.getLogger("regtech.workers")
_LOOK_S: Final = 0.5
STOP_S: Final = 30.0
"""So long a worker may take to come to an end."""


@dataclass
class _Worker:
    name: str
    run: Callable[[], None]
    wake: threading.Event
    failures: int = 0
    last: str = ""
    thread: threading.Thread | None = field(default=None, repr=False)


def run_beside(command: Sequence[str], stopping: Callable[[], bool]) -> None:
    """Run another process to its end, or until the end is asked for.

    Raises ``StoreError`` with the last line that it wrote where it failed.
    """
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as child:
        while True:
            try:
                _, told = child.communicate(timeout=_LOOK_S)
                break
            except subprocess.TimeoutExpired:
                if stopping():
                    child.terminate()
    if child.returncode and not stopping():
        said = (told or b"").decode(errors="replace").strip().splitlines() or [""]
        raise StoreError(f"a process beside ended with {child.returncode}: {said[-1]}")


class Workers:
    """Named threads that begin and end together."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stopping = threading.Event()
        self._workers: dict[str, _Worker] = {}
        self._reports: dict[str, Callable[[], Any]] = {}
        self._first: list[Callable[[], None]] = []
        self._last: list[Callable[[], None]] = []

    def every(
        self, seconds: float, name: str, step: Callable[[Scope], object]
    ) -> Callable[[], None]:
        """Do a step again and again, so long apart; the returned call makes it come sooner."""
        scope, wake = service_scope(name), threading.Event()

        def run() -> None:
            while not self._stopping.is_set():
                wake.clear()
                self._try(worker, lambda: step(scope))
                wake.wait(seconds if not worker.last else min(seconds, 5.0))

        worker = _Worker(name, run, wake)
        self._workers[name] = worker
        return wake.set

    def around(self, first: Callable[[], None], last: Callable[[], None]) -> None:
        """Calls before the workers begin and after they ended (the last one added first)."""
        self._first.append(first)
        self._last.insert(0, last)

    def report_on(self, name: str, report: Callable[[], Any]) -> None:
        """What the health of the server says under a name."""
        self._reports[name] = report

    def _try(self, worker: _Worker, step: Callable[[], object]) -> None:
        try:
            step()
            worker.last = ""
        except Exception as error:
            worker.failures += 1
            # Of our own errors the message; of others the kind, which shows no values.
            worker.last = error.code if isinstance(error, RegtechError) else type(error).__name__
            said = {"event": "worker_failed", "worker": worker.name, "error": worker.last}
            LOG.error(json.dumps(said))

    def start(self) -> None:
        """Begin."""
        for call in self._first:
            call()
        for worker in self._workers.values():
            worker.thread = threading.Thread(target=worker.run, name=worker.name, daemon=True)
            worker.thread.start()

    def stop(self) -> None:
        """Ask all to end, and wait; then what has to come last."""
        self._stopping.set()
        for worker in self._workers.values():
            worker.wake.set()
        for worker in self._workers.values():
            if worker.thread is not None:
                worker.thread.join(STOP_S)
        for call in self._last:
            call()

    @property
    def stopping(self) -> bool:
        """Whether the end was asked for; long steps look now and then."""
        return self._stopping.is_set()

    def well(self) -> bool:
        """Whether every worker is still there."""
        return all(w.thread is not None and w.thread.is_alive() for w in self._workers.values())

    def report(self) -> Mapping[str, Any]:
        """Each worker and part in a word."""
        told: dict[str, Any] = {
            w.name: {
                "running": w.thread is not None and w.thread.is_alive(),
                "failures": w.failures,
                "last_failure": w.last,
            }
            for w in self._workers.values()
        }
        return {**told, **{name: report() for name, report in self._reports.items()}}
