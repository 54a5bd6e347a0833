"""A site of static pages under the policy of the real ones, for the tests of the bundle."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any, Final

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
ARGUMENTS: Final = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
_MEDIA: Final = {"js": "text/javascript", "css": "text/css", "txt": "text/plain"}

Answer = tuple[int, Any]


def chromium() -> str | None:
    """The distribution's Chromium, or the one that ``REGTECH_TEST_CHROMIUM`` names."""
    named = os.environ.get("REGTECH_TEST_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser")


def bundle(name: str) -> bytes:
    """A built file, from wherever the package is installed."""
    root = resources.files("casework").joinpath("web", "static", "bundle")
    return root.joinpath(name).read_bytes()


def document(body: str, *, lang: str = "en", theme: str = "light", head: str = "") -> str:
    """A whole page around a body."""
    return (
        f'<!doctype html><html lang="{lang}" data-theme="{theme}" data-time-zone="Asia/Shanghai">'
        '<head><meta charset="utf-8"><title>page</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<link rel="stylesheet" href="/static/0/bundle/app.css">'
        '<link rel="stylesheet" href="/page.css">'
        f'<script type="module" src="/static/0/bundle/app.js"></script>{head}</head>'
        f"<body><main>{body}</main></body></html>"
    )


_PAGE_CSS: Final = """
body { margin: 1rem; font: 16px/1.5 system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif;
  background: var(--rt-surface); color: var(--rt-text); }
:root[data-theme="dark"] { color-scheme: dark; }
:root[data-theme="light"] { color-scheme: light; }
"""


@dataclass(slots=True)
class Site:
    """Pages by path and answers by path; what was asked is written down."""

    pages: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Callable[[Any], Answer] | Answer] = field(default_factory=dict)
    asked: list[tuple[str, str, Any, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def reply(
        self, method: str, path: str, body: Any, headers: dict[str, str]
    ) -> tuple[int, bytes, str]:
        """(status, bytes, media type)"""
        plain = path.split("?")[0]
        if plain.startswith("/static/0/bundle/"):
            name = plain.rsplit("/", 1)[1]
            return 200, bundle(name), _MEDIA[name.rsplit(".", 1)[1]]
        if plain == "/favicon.ico":
            return 200, b"", "image/x-icon"
        if plain == "/page.css":
            return 200, _PAGE_CSS.encode(), "text/css"
        self.asked.append((method, path, body, headers))
        if plain in self.answers:
            answer = self.answers[plain]
            status, said = answer(body) if callable(answer) else answer
            return status, json.dumps(said).encode(), "application/json"
        if plain in self.pages:
            return 200, self.pages[plain].encode(), "text/html; charset=utf-8"
        return 404, b'{"title": "not found"}', "application/json"


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = self.rfile.read(length)
            body: Any = sent.decode()
            if "json" in self.headers.get("Content-Type", ""):
                body = json.loads(sent)
            status, content, media = site.reply(
                self.command,
                self.path,
                body,
                {name.lower(): text for name, text in self.headers.items()},
            )
            self.send_response(status)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Security-Policy", POLICY)
            kept = self.path.startswith("/static/")
            self.send_header("Cache-Control", "max-age=3600" if kept else "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(content)

        do_GET = _do
        do_POST = _do

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


@contextmanager
def serving() -> Iterator[Site]:
    """A site on a free port of this machine."""
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
