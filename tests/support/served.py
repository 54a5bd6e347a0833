"""``regtech serve`` as a process of its own, for tests that start, ask and end it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from regtech.cli.main import run
from tests.support.standby import ROOT, Command


def _port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


class Served:
    """``regtech serve`` over a store in a folder."""

    def __init__(
        self,
        folder: Path,
        rules: Path | None = None,
        pack: str = "cn-aml-large-value",
        **environment: str,
    ) -> None:
        self.rules, self.pack = rules, pack
        self.folder, self.store, self.port = folder, str(folder / "cases.db"), _port()
        self.environment = {**os.environ, **environment}
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Until it is ready."""
        self.log = (self.folder / "serve.log").open("ab")
        self.child = Command(
            "serve", "--store", self.store, "--port", self.port, "--packs", self.pack,
            *(() if self.rules is None else ("--rules", self.rules)),
            stdout=subprocess.DEVNULL, stderr=self.log, cwd=ROOT, env=self.environment,
        )  # fmt: skip
        pause = threading.Event()
        for _ in range(1200):
            assert self.child.poll() is None, (self.folder / "serve.log").read_text()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready"):
                    return
            except OSError:
                pause.wait(0.1)
        raise AssertionError("not ready after two minutes")

    def end(self, number: int) -> int:
        """Send a signal and wait; the exit status."""
        assert self.child is not None
        self.child.send_signal(number)
        status = self.child.wait(60)
        self.log.close()
        return status

    def ask(
        self, key: str, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        """(status, document)."""
        data = None if body is None else json.dumps(body).encode()
        return self._send(key, method, path, data, {"Content-Type": "application/json", **headers})

    def send_lines(self, key: str, path: str, lines: list[dict[str, Any]]) -> tuple[int, Any]:
        """A file of events."""
        data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        return self._send(key, "POST", path, data, {"Content-Type": "application/x-ndjson"})

    def _send(
        self, key: str, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> tuple[int, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["Authorization"] = f"Bearer {key}"
        url = f"http://127.0.0.1:{self.port}/api/v1{path}"
        request = urllib.request.Request(url, data, named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())


def user(served: Served, capsys: Any, name: str, role: str, wanted: str, *more: str) -> str:
    """A user of one role; a key of theirs with the permissions wanted."""
    store = ("--store", served.store)
    assert run(["users", "create", name, "--role", role, "--no-password", *more, *store]) == 0
    capsys.readouterr()
    assert run(["keys", "create", name, "--label", "test", "--for", wanted, *store]) == 0
    key: str = capsys.readouterr().out.strip()
    return key
