"""Commands of end-to-end tests, each in a process of its own that is forked from one that is ready.

A command takes a second of processor time, a server three, until all is imported and kernels are
loaded. ``Command`` is a ``subprocess.Popen`` of ``regtech`` whose process comes from a fork of
another that did that once: it has its own memory, folder, environment and files, and is killed like
any other. Tests of the start itself start interpreters; so does this where nothing but Linux is
known to fork well, and where an environment is given that is read when modules are imported.

Processes that the product itself starts beside a server come from the same fork after
``fork_beside``, also those of a server that was forked; their modules are run by name, as
``python -m`` runs them.

Run as a module it is the process that is ready, one for all workers of a run of tests. For each
command it forks one that forks the command, waits for it and says how it ended, as nobody else may
wait for it.
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, AnyStr

ROOT = Path(__file__).parents[2]
_MESSAGE_MAX = 200_000
_READ_AT_IMPORT = ("REGTECH_CACHE_DIR", "REGTECH_BOUNDSCHECK", "XDG_CACHE_HOME", "HOME")
_COMMANDS = "regtech.cli.main"
_STARTERS = ("regtech.app.backtests", "regtech.app.trials", "regtech.app.workers")
"""What starts processes of the product beside a server."""


_ready_at: list[str] = []
"""In a process that was forked: the name of the one that it comes from."""


class Forked(subprocess.Popen[AnyStr]):
    """``python -m`` of one of our modules with some words; the options of ``subprocess.Popen``."""

    _said: socket.socket | None = None

    def _execute_child(
        self, args: list[str], executable: Any, preexec_fn: Any, close_fds: Any, pass_fds: Any,
        cwd: Any, env: Any, *more: Any,
    ) -> None:  # fmt: skip
        environment = dict(os.environ if env is None else env)
        if sys.platform != "linux" or not _is_ours(args) or not _is_as_here(environment):
            start = super()._execute_child  # type: ignore[misc]  # private in Popen
            start(args, executable, preexec_fn, close_fds, pass_fds, cwd, env, *more)
            return
        pipes: tuple[int, ...] = more[3:9]  # behind startupinfo, creationflags, shell
        child_ends = (pipes[0], pipes[3], pipes[5])
        files: list[int] = [
            number if file == -1 else file for number, file in enumerate(child_ends)
        ]
        self._said, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = {
            "module": args[2], "words": args[3:],
            "folder": str(cwd or os.getcwd()), "environment": environment,
        }  # fmt: skip
        with theirs:
            handles = [theirs.fileno(), *files]
            socket.send_fds(_standby(), [json.dumps(request).encode()], handles)
        self.pid = int(self._said.recv(20))
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]  # private in Popen

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._said is None:
            found: tuple[int, int] = super()._try_wait(wait_flags)  # type: ignore[misc]  # private in Popen
            return found
        if wait_flags and not select.select([self._said], [], [], 0)[0]:
            return 0, 0
        status = int(self._said.recv(20))
        self._said.close()
        return self.pid, status

    def _internal_poll(self, _deadstate: int | None = None, **options: Any) -> int | None:
        if self._said is None:
            return super()._internal_poll(_deadstate, **options)  # type: ignore[misc, no-any-return]  # private in Popen
        with self._waitpid_lock:  # type: ignore[attr-defined]  # private in Popen
            if self.returncode is None:
                pid, status = self._try_wait(os.WNOHANG)
                if pid:
                    self._handle_exitstatus(status)  # type: ignore[attr-defined]  # private in Popen
        return self.returncode


class Command(Forked[AnyStr]):
    """``regtech`` with some words; the options are those of ``subprocess.Popen``."""

    def __init__(self, *words: object, **options: Any) -> None:
        super().__init__([sys.executable, "-m", _COMMANDS, *map(str, words)], **options)


def fork_beside() -> None:
    """For the rest of this process: what the product starts beside a server is forked too.

    Each took a second and a half of processor time until it was ready; what it does then, and with
    which bounds, is the same.
    """
    names = ("PIPE", "DEVNULL", "TimeoutExpired")
    shown = SimpleNamespace(Popen=Forked, **{name: getattr(subprocess, name) for name in names})
    for name in _STARTERS:
        if name in sys.modules:
            vars(sys.modules[name])["subprocess"] = shown


def _is_ours(words: list[str]) -> bool:
    return words[:2] == [sys.executable, "-m"] and words[2].startswith("regtech.")


def _is_as_here(environment: dict[str, str]) -> bool:
    return all(environment.get(name) == os.environ.get(name) for name in _READ_AT_IMPORT)


@cache
def _standby() -> socket.socket:
    """The way to the process that is ready; the first worker that asks for it starts it."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", os.getpid())
    name = _ready_at[0] if _ready_at else f"\0regtech-standby-{run}"
    ours = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ready: subprocess.Popen[bytes] | None = None
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked, suppress(OSError):
        asked.bind(name)  # fails where another worker did so
        asked.listen()
        ready = subprocess.Popen(
            [sys.executable, "-m", "tests.support.standby", str(asked.fileno())],
            cwd=ROOT, pass_fds=[asked.fileno()], stdin=subprocess.DEVNULL,
        )  # fmt: skip
    while True:
        try:
            ours.connect(name)
        except ConnectionRefusedError:  # the other has bound it and does not listen yet
            time.sleep(0.01)
        else:
            break

    def end() -> None:
        ours.close()
        if ready is not None:
            ready.wait(600)  # for the other workers, so that its processor time is counted

    atexit.register(end)
    return ours


def _make_ready() -> None:
    """Import what commands and servers do, and load the kernels that every run calls."""
    for name in ("backtests", "run", "serve", "trials"):
        import_module(f"regtech.app.{name}")
    from regtech.app.choice import chosen_packs
    from regtech.app.compiling import trial_events
    from regtech.reference.load import Reference
    from regtech.sandbox.harness import judge_events

    judge_events(tuple(chosen_packs(("cn-aml-large-value",))), trial_events(), Reference.shipped())


def _serve(asked: socket.socket) -> str:
    """Fork a process for each that is asked for; in that process returns the module to be run.

    Ends with the last of those who asked.
    """
    signal.signal(signal.SIGCHLD, _take_leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal; the tests end this by hanging up
    ways = [asked.accept()[0]]
    while ways or select.select([asked], [], [], 0)[0]:
        for way in select.select([asked, *ways], [], [])[0]:
            if way is asked:
                ways.append(asked.accept()[0])
                continue
            message, handles, *_ = socket.recv_fds(way, _MESSAGE_MAX, 4)
            if not message:
                ways.remove(way)
                way.close()
                continue
            if os.fork() == 0:
                for other in (asked, *ways):
                    other.close()
                return _begin(message, handles)
            for handle in handles:
                os.close(handle)
    os._exit(0)


def _begin(message: bytes, handles: list[int]) -> str:
    with socket.socket(fileno=handles[0]) as said:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        pid = os.fork()
        if pid:
            for handle in handles[1:]:
                os.close(handle)
            said.send(str(pid).encode())
            _, status = os.waitpid(pid, 0)
            said.send(str(status).encode())
            os._exit(0)
    return _become(json.loads(message), handles[1:])


def _take_leave(*_: object) -> None:
    """Wait for those that have ended; ignoring them would leave their processor time uncounted."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _become(request: dict[str, Any], files: list[int]) -> str:
    for number, handle in enumerate(files):
        os.dup2(handle, number)
    for handle in files:
        os.close(handle)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = [request["module"], *request["words"]]
    return str(request["module"])


if __name__ == "__main__":
    from regtech.cli.main import main

    _make_ready()
    listening = socket.socket(fileno=int(sys.argv[1]))
    _ready_at.append(listening.getsockname().decode())
    fork_beside()
    called = _serve(listening)
    if called == _COMMANDS:
        main()
    else:
        sys.modules.pop(called, None)  # as Python would warn that it is there already
        runpy.run_module(called, run_name="__main__", alter_sys=True)
