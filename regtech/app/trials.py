"""Tests of drafts in a process beside, which is ready before it is needed.

A draft's tests may be made to run long, so they run alone, with bounds of time and memory. The
process is started when an author opens the editor: it imports, compiles what this machine has not
compiled yet (a minute, once) and waits. The bound of time counts from when a draft is handed to it.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any, Final

from casework.policy.durable_child import limit
from regtech.content.saying import say
from regtech.errors import CapacityError

READY_S: Final = 8.0
"""Seconds that whoever asks waits for the process to be ready; a request may take thirty in all."""
IDLE_S: Final = 900.0
"""A process that nobody needs for so long goes."""
_READY: Final = b"ready\n"


class Bench:
    """The process that is ready, or on its way. ``seconds``: that the tests of a draft may take;
    ``ready_s``: that is waited for it to be ready."""

    def __init__(self, seconds: float, ready_s: float = READY_S) -> None:
        self._seconds, self._ready_s = seconds, ready_s
        self._one, self._lock = threading.Lock(), threading.Lock()
        self._spare: subprocess.Popen[bytes] | None = None
        self._closed = False

    def make_ready(self) -> None:
        """Start the process, unless one is there."""
        with self._lock:
            if self._closed or (self._spare is not None and self._spare.poll() is None):
                return
            self._spare = subprocess.Popen(
                [sys.executable, "-m", "regtech.app.trials"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )

    def run(self, text: str) -> Any:
        """What the tests of a draft bring, as data. Raises ``CapacityError``: others' tests run, it
        is not ready yet (then with the code ``warming``), or they took too long or too much."""
        if not self._one.acquire(blocking=False):
            raise CapacityError(
                say("tests of another draft are running"), hint=say("try again in half a minute")
            )
        try:
            return self._run(text)
        finally:
            self._one.release()
            self.make_ready()

    def _run(self, text: str) -> Any:
        self.make_ready()
        with self._lock:
            child, self._spare = self._spare, None
        if child is None:
            raise CapacityError(
                say("the server comes to its end"), hint=say("try again when it is back")
            )
        if not self._is_ready(child):
            with self._lock:
                self._spare = child
            raise CapacityError(
                say("the tests are being made ready on this machine, once, for up to a minute"),
                hint=say("try again in a moment; nothing was run and nothing is lost"),
                code="warming",
            )
        with child:
            try:
                out, _ = child.communicate(text.encode("utf-8", "surrogatepass"), self._seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                raise CapacityError(
                    say(
                        "the tests took longer than %(seconds)g seconds and were stopped",
                        seconds=self._seconds,
                    ),
                    hint=say("try again, or regtech rules test on the file"),
                ) from None
        if child.returncode or not out:
            raise CapacityError(
                say("the tests could not be run to their end"),
                hint=say(
                    "they need more memory than they may have; regtech rules test on the file"
                ),
            )
        return json.loads(out)

    def _is_ready(self, child: subprocess.Popen[bytes]) -> bool:
        """Whether it says so in time. One that ended says nothing: running fails then."""
        assert child.stdout is not None
        readable, _, _ = select.select([child.stdout], [], [], self._ready_s)
        if readable:
            child.stdout.read(len(_READY))  # there is no more before a draft is handed over
        return bool(readable)

    def close(self) -> None:
        """End the process that waits."""
        with self._lock:
            self._closed = True
            if self._spare is not None:
                self._spare.kill()
                with suppress(subprocess.TimeoutExpired):
                    self._spare.communicate(timeout=5)
                self._spare = None


def main() -> None:
    """Be ready; then a draft from standard input, what its tests brought to standard output."""
    limit()
    from regtech.app.compiling import compile_kernels
    from regtech.app.drafts import start_text, tried
    from regtech.reference.load import Reference
    from regtech.rulelang.packs import load_text

    begun, _ = load_text(start_text(), "draft.yml")
    assert begun is not None
    compile_kernels((begun,), Reference.shipped())
    tried(start_text())
    sys.stdout.buffer.write(_READY)
    sys.stdout.buffer.flush()
    if not select.select([sys.stdin], [], [], IDLE_S)[0]:
        return
    text = sys.stdin.buffer.read().decode("utf-8", "surrogatepass")
    if text:
        sys.stdout.write(json.dumps(tried(text)))


if __name__ == "__main__":
    main()
