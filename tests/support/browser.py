"""A real browser for tests: the distribution's Chromium, driven by Playwright.

Without one a test is skipped with the reason; where servers are required it fails.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.servers import missing

ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def chromium() -> str:
    """Where Chromium is, as ``REGTECH_TEST_CHROMIUM`` says; skips where it does not.

    It has to be named, since these tests take longer than all others together.
    """
    found = os.environ.get("REGTECH_TEST_CHROMIUM", "")
    if not found or not Path(found).is_file():
        missing("no browser: apt-get install chromium, REGTECH_TEST_CHROMIUM=/usr/bin/chromium")
    return found


def axe() -> str:
    """The source of axe-core, which is not ours to ship. Skips where it was not fetched."""
    path = os.environ.get("REGTECH_TEST_AXE", "")
    if not path or not Path(path).is_file():
        missing("no axe-core: npm install axe-core, and REGTECH_TEST_AXE=.../axe.min.js")
    return Path(path).read_text(encoding="utf-8")
