"""A real HTTP server on loopback that behaves, one connection after the other, as it is told to."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

Behaviour = Callable[[Any], None]


@dataclass
class Receiver:
    """Takes connections; ``behave`` gets each one after its request was read."""

    behave: Behaviour
    read: bool = True
    tls: ssl.SSLContext | None = None
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    connections: int = 0
    gone: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def _serve(self) -> None:
        while not self.gone.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            thread = threading.Thread(target=self._answer, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(10)
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            if self.read:
                self._read(connection)
            self.behave(connection)
        except OSError:
            pass  # the other side went away, as it may
        finally:
            connection.close()

    def _read(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as file:
            line = file.readline().decode()
            headers: dict[str, str] = {}
            while (header := file.readline().decode().strip()) != "":
                name, _, value = header.partition(":")
                headers[name.lower()] = value.strip()
            body = file.read(int(headers.get("content-length", "0")))
        self.lines.append(line.strip())
        self.requests.append((headers, body))

    def close(self) -> None:
        self.gone.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()


@pytest.fixture
def receiver() -> Iterator[Callable[..., Receiver]]:
    """Starts receivers; all of them end with the test."""
    started: list[Receiver] = []

    def start(behave: Behaviour, **options: Any) -> Receiver:
        made = Receiver(behave, **options)
        started.append(made)
        return made

    yield start
    for made in started:
        made.close()
