"""``regtech serve``: settings read, the application run by uvicorn, the log in JSON lines."""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn

from casework.api.shell import Limits
from regtech.app.asgi import ServerSettings, server
from regtech.app.settings import (
    check_settings,
    data_folder,
    length_us,
    setting,
    unknown_settings,
    whole,
)
from regtech.app.stopping import Stopping
from regtech.app.webhooks import webhook_allow_list
from regtech.content.cache import when_compiling
from regtech.errors import StoreError, UsageError

DRAIN_S = 20
"""Requests that are at work when the end is asked for have so long."""


def server_settings(
    store: str,
    *,
    data: Path | None = None,
    packs: tuple[str, ...] = (),
    rules: Path | None = None,
    home: str | None = None,
    events: bool = True,
    hsts: bool = False,
) -> ServerSettings:
    """Settings from options and environment. Raises ``UsageError``."""
    check_settings()
    folder = data_folder(store, data)
    if folder is None:
        if events:
            raise UsageError("where do events lie?", hint="--data FOLDER, or set REGTECH_DATA")
        folder = Path(f"{store}.events")
    limits = Limits(
        bulk_bytes=whole("REGTECH_BULK_BYTES"),
        timeout_s=length_us("REGTECH_REQUEST_TIMEOUT") / 1_000_000,
    )
    return ServerSettings(
        store=store,
        data=folder,
        rate=whole("REGTECH_RATE"),
        stranger_rate=whole("REGTECH_STRANGER_RATE"),
        packs=packs,
        rules=rules,
        home=home,
        events=events,
        journal_waits=setting("REGTECH_JOURNAL") == "wait",
        hsts=hsts,
        limits=limits,
        history=Path(found) if (found := setting("REGTECH_HISTORY")) else None,
        keys=Path(found) if (found := setting("REGTECH_KEYS")) else None,
        allow=webhook_allow_list(),
    )


class _Server(uvicorn.Server):
    """Says at which port it listens once it does: the system chooses it where 0 was asked for."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[int], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._listening(int(self.servers[0].sockets[0].getsockname()[1]))


def serve(
    settings: ServerSettings,
    *,
    host: str,
    port: int,
    listening: Callable[[int], None] = lambda port: None,
    log_level: str = "info",
) -> None:
    """Serve until SIGINT or SIGTERM; what was begun is finished, for as long as ``DRAIN_S``.

    ``listening`` is called with the port once requests are answered; ``port`` 0: one that is free.
    Raises ``StoreError`` where the address cannot be had.
    """
    _log_to_stderr(log_level)
    when_compiling(lambda: logging.getLogger("regtech").info('{"event": "compiling"}'))
    for told in unknown_settings():
        logging.getLogger("regtech").warning("%s", told)
    proxies = setting("REGTECH_PROXIES")
    # The runner raises the signal again at its end: it must not cut off what is yet to be closed.
    with server(settings) as made, Stopping(patient=True):
        config = uvicorn.Config(
            made.app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,  # ours has no addresses and no ids
            server_header=False,
            date_header=True,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=proxies or None,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=DRAIN_S,
            limit_concurrency=512,
            h11_max_incomplete_event_size=32_768,
        )
        runner = _Server(config, listening)
        try:
            runner.run()
        except SystemExit:
            raise StoreError(f"{host}:{port} could not be listened on") from None
        if not runner.started:
            raise StoreError("the server did not start; its log says why")


class _JsonLines(logging.Formatter):
    """Each entry one JSON object on one line, also what is logged in words, and where it failed."""

    def format(self, record: logging.LogRecord) -> str:
        said = record.getMessage()
        if said.startswith("{") and not record.exc_info:
            return said
        entry = {"event": "log", "level": record.levelname.lower(), "from": record.name}
        return json.dumps({**entry, "text": super().format(record)}, ensure_ascii=False)


def _log_to_stderr(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    for name in ("regtech", "casework", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level.upper())
        logger.propagate = False
