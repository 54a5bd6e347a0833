"""The pictures of the pages: ``python docs/images/make.py demo/cases.db`` after ``make demo``.

Serves the store on loopback, signs in, and writes what Chromium shows. Look at each of them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

PICTURES = (
    ("queue-en", "en", "light", 1280, "/queue"),
    ("queue-zh", "zh", "dark", 1280, "/queue"),
    ("case-en", "en", "light", 1280, "{case}"),
    ("case-zh", "zh", "dark", 1280, "{case}"),
    ("overview-en", "en", "light", 1280, "/overview"),
    ("case-small-zh", "zh", "light", 390, "{case}"),
)
"""File, language, colours, width, page. ``{case}`` is the first case of the queue."""
HEIGHT = 800
LOCALES = {"en": "en-GB", "zh": "zh-CN"}
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")


def main() -> None:
    """Serve, sign in, write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", help="the demo's store")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--port", type=int, default=8899)
    given = parser.parse_args()
    import uvicorn

    from regtech.app.asgi import ServerSettings, server
    from regtech.app.demo import USERS, demo_users

    os.environ.setdefault("REGTECH_STRANGER_RATE", "100")
    password = secrets.token_urlsafe(12)
    demo_users(given.store, password)
    settings = ServerSettings(store=given.store, data=given.out / "unused", events=False)
    with server(settings) as made:
        config = uvicorn.Config(made.app, port=given.port, log_config=None)
        runner = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(runner.serve()), daemon=True)
        thread.start()
        while not runner.started:
            thread.join(0.05)
        try:
            take(f"http://127.0.0.1:{given.port}", USERS[0], password, given.out)
        finally:
            runner.should_exit = True
            thread.join(30)


def take(url: str, name: str, password: str, out: Path) -> None:
    """One picture after the other, each in a browser of its own."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("REGTECH_TEST_CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        for file, lang, colours, width, place in PICTURES:
            context = browser.new_context(
                viewport={"width": width, "height": HEIGHT},
                locale=LOCALES[lang],
                color_scheme="dark" if colours == "dark" else "light",
                timezone_id="Asia/Shanghai",
            )
            page = context.new_page()
            page.goto(f"{url}/signin")
            page.fill("#name", name)
            page.fill("#password", password)
            page.press("#password", "Enter")
            page.wait_for_url("**/queue")
            first = page.locator("[data-open]").first.get_attribute("href") or "/queue"
            page.goto(url + place.format(case=first))
            page.screenshot(path=out / f"{file}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
