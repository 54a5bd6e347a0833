"""The pictures of the pages: ``python docs/images/make.py demo/cases.db`` after ``make demo``.

Serves the store on loopback, signs in, and writes what Chromium shows. Look at each of them.
``--every FOLDER`` writes every page instead, whole, in both languages, colours and widths.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import secrets
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PICTURES = (
    ("queue-en", "en", "light", 1280, "/queue"),
    ("queue-zh", "zh", "dark", 1280, "/queue"),
    ("case-en", "en", "light", 1280, "{case}"),
    ("case-zh", "zh", "dark", 1280, "{case}"),
    ("case-data-en", "en", "light", 1280, "{data}#countries-heading"),
    ("overview-en", "en", "light", 1280, "/overview"),
    ("case-small-zh", "zh", "light", 390, "{case}"),
)
"""File, language, colours, width, page. ``{case}`` is the first case of the queue, ``{data}`` the
first about data that left a country."""
PAGES = {
    "demo": (
        "/queue", "/queue?q=K22", "/queue?q=nothing-at-all", "/queue?jurisdiction=CN&overdue=1",
        "/overview", "{case}", "{data}", "{owners}", "/alerts", "{alert}",
        "/alerts?aside=suppressed",
        "/parties", "{party}", "/institutions", "{institution}", "/rules", "/rules/cn-lvtr-0501",
        "/policies", "/preferences", "/styleguide", "/quarantine", "/accounts", "/nowhere",
    ),
    "demo-operator": (
        "/webhooks", "/accounts", "/audit", "/audit?chain=", "/health", "/quarantine",
    ),
    "demo-author": ("/rules", "/rule-editor", "/proposals"),
    "demo-bank": ("/queue", "/alerts", "/institutions"),
}  # fmt: skip
"""Who looks at what, of every page."""
HEIGHT = 800
LOCALES = {"en": "en-GB", "zh": "zh-CN"}
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")


def main() -> None:
    """Serve, sign in, write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", help="the demo's store")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--every", type=Path, help="every page, into this folder")
    parser.add_argument("--only", default="", help="of every page those whose address has this")
    parser.add_argument("--port", type=int, default=8899)
    given = parser.parse_args()
    password = secrets.token_urlsafe(12)
    with served(given.store, given.port, password) as url, chromium() as browser:
        if given.every is None:
            take(browser, url, password, given.out)
        else:
            given.every.mkdir(parents=True, exist_ok=True)
            take_every(browser, url, password, given.every, given.only)


@contextmanager
def served(store: str, port: int, password: str) -> Iterator[str]:
    """The store on loopback, with the people of ``PAGES``."""
    import uvicorn

    from casework.cases.scope import Role
    from regtech.app.asgi import ServerSettings, server
    from regtech.app.casework import casework
    from regtech.app.demo import demo_users
    from regtech.app.identity import accounts
    from regtech.app.progress import NoProgress
    from regtech.app.search import rebuild_index, searching

    os.environ.setdefault("REGTECH_STRANGER_RATE", "100")
    demo_users(store, password)
    others = {
        "demo-operator": (Role.OPERATOR, None),
        "demo-author": (Role.AUTHOR, None),
        "demo-bank": (Role.INSTITUTION, ["K798-R1"]),
    }
    with accounts(store, "pictures") as parts:
        known = {user.name for user in parts.identity.users(parts.scope)}
        for name, (role, tenants) in others.items():
            if name in known:
                parts.identity.set_password(parts.scope, name, password)
            else:
                parts.identity.create_user(
                    parts.scope, name, [role], password=password, tenants=tenants
                )
    # Until it is built the queue has no lists beside it.
    with casework(store) as work, searching(work, store, None, print) as found:
        rebuild_index(found, NoProgress())
    with tempfile.TemporaryDirectory() as folder:
        settings = ServerSettings(store=store, data=Path(folder), events=False)
        with server(settings) as made:
            runner = uvicorn.Server(uvicorn.Config(made.app, port=port, log_config=None))
            thread = threading.Thread(target=lambda: asyncio.run(runner.serve()), daemon=True)
            thread.start()
            while not runner.started:
                thread.join(0.05)
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                runner.should_exit = True
                thread.join(30)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The distribution's Chromium."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("REGTECH_TEST_CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def seen_by(
    browser: Browser, url: str, name: str, password: str, lang: str, colours: str, width: int
) -> Iterator[Page]:
    """Somebody who signed in with a browser of their own."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        locale=LOCALES[lang],
        color_scheme="dark" if colours == "dark" else "light",
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{url}/signin")
    page.fill("#name", name)
    page.fill("#password", password)
    page.press("#password", "Enter")
    page.wait_for_url(lambda at: "/signin" not in at)
    yield page
    context.close()


def places_of(page: Page, url: str) -> dict[str, str]:
    """What stands for the names in the addresses of pages."""

    def first(path: str, selector: str) -> str:
        page.goto(url + path)
        found = page.locator(selector)
        return (found.first.get_attribute("href") if found.count() else None) or "/queue"

    made = {
        "case": first("/queue", "[data-open]"),
        "data": first("/queue?theme=data-export", "[data-open]"),
        "owners": first("/queue?theme=ownership&jurisdiction=HK", "[data-open]"),
        "institution": first("/institutions", "[data-open]"),
    }
    made["alert"] = first(made["case"], 'a[href^="/alerts/"]')
    made["party"] = first(made["case"], 'a[href^="/parties?"]')
    return made


def take(browser: Browser, url: str, password: str, out: Path) -> None:
    """One picture after the other, each in a browser of its own."""
    for file, lang, colours, width, place in PICTURES:
        with seen_by(browser, url, "demo", password, lang, colours, width) as page:
            page.goto(url + place.format(**places_of(page, url)))
            page.wait_for_load_state("networkidle")
            page.screenshot(path=out / f"{file}.png")


def take_every(browser: Browser, url: str, password: str, out: Path, only: str) -> None:
    """Every page whole; the name of a file says whose it is, and where."""
    with seen_by(browser, url, "demo", password, "en", "light", 1280) as page:
        places = places_of(page, url)
    ways = itertools.product(("en", "zh"), ("light", "dark"), (1280, 390))
    for lang, colours, width in ways:
        for name, paths in PAGES.items():
            wanted = [path for path in paths if only in path]
            if not wanted:
                continue
            with seen_by(browser, url, name, password, lang, colours, width) as page:
                for path in wanted:
                    page.goto(url + path.format(**places))
                    page.wait_for_load_state("networkidle")
                    plain = "".join(c if c.isalnum() else "-" for c in path).strip("-")
                    file = f"{name}-{plain}-{lang}-{colours}-{width}.png"
                    page.screenshot(path=out / file, full_page=True)


if __name__ == "__main__":
    main()
