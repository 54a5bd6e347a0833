"""The scripts of the pages in Chromium: CPU time of the page's thread, and bytes over the wire.

``python benchmarks/frontend.py`` draws a network of 200 parties, moves its slider and looks closer,
and starts an editor on the longest rulepack.
"""

from __future__ import annotations

import argparse
import gzip
import random
import statistics
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.common import SEED, told
from regtech.content import content_root
from tests.support.frontend import (
    ARGUMENTS,
    Site,
    bundle,
    chromium,
    document,
    serving,
)

SLIDER = """i => {
  const slider = document.querySelector("input[type=range]");
  slider.value = String(i * 10);
  slider.dispatchEvent(new Event("input"));
  return new Promise(requestAnimationFrame);
}"""
CLOSER = """() => {
  const drawing = document.querySelector(".rt-net-svg");
  const wheel = {deltaY: -30, ctrlKey: true, bubbles: true, cancelable: true};
  drawing.dispatchEvent(new WheelEvent("wheel", wheel));
  return new Promise(requestAnimationFrame);
}"""


def network(parties: int, payments: int) -> dict[str, Any]:
    """Payments of a month; a few parties have most of them, as hubs do."""
    draw = random.Random(SEED)
    hubs = [draw.randrange(parties) for _ in range(parties // 15)]
    edges = []
    for i in range(payments):
        source = draw.choice(hubs) if draw.random() < 0.5 else draw.randrange(parties)
        target = (source + 1 + draw.randrange(parties - 1)) % parties
        edges.append(
            {
                "id": f"e{i}",
                "source": f"p{source}",
                "target": f"p{target}",
                "time": f"2026-03-{1 + i * 28 // payments:02d}T{draw.randrange(24):02d}:00:00Z",
                "amount": f"{draw.randrange(100, 900_000)}.50",
                "currency": "CNY",
                "kind": "transfer",
                "label": "wire",
            }
        )
    nodes = [{"id": f"p{i}", "label": f"Party {i}", "kind": "company"} for i in range(parties)]
    return {"nodes": nodes, "edges": edges}


class Thread:
    """CPU time of a page's main thread, in milliseconds."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def ms(self) -> float:
        """Since the page's process began."""
        found = self._session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(item["value"] for item in found if item["name"] == "TaskDuration")


def measured(browser: Browser, site: Site, body: str, ready: str) -> tuple[Page, Thread, float]:
    """A page that has started, and the CPU time of that."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    thread = Thread(page)
    site.pages["/page"] = document(body)
    before = thread.ms()
    page.goto(site.url + "/page")
    page.wait_for_selector(ready, state="attached")
    return page, thread, thread.ms() - before


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="one JSON document for machines")
    given = parser.parse_args()
    path = chromium()
    if path is None:
        raise SystemExit("no Chromium: install the distribution's")
    found: dict[str, Any] = {}
    longest = max((p.read_text("utf-8") for p in content_root("rules").rglob("*.yml")), key=len)
    editor = (
        '<form><textarea data-component="yaml-editor" data-lint="/lint">'
        f"{longest.replace('&', '&amp;').replace('<', '&lt;')}</textarea></form>"
    )
    drawing = '<div data-component="network" data-src="/n.json"></div>'
    times: dict[str, list[float]] = {}
    with serving() as site, sync_playwright() as playwright:
        site.answers["/n.json"] = (200, network(200, 420))
        site.answers["/lint"] = (200, [])
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        found["chromium"] = browser.version
        for _ in range(given.repeats):
            page, _, spent = measured(browser, site, "<p>text</p>", "p")
            times.setdefault("a page without components", []).append(spent)
            page.close()
            page, thread, spent = measured(browser, site, drawing, "[data-state=ready]")
            times.setdefault("a network of 200 parties, 420 payments", []).append(spent)
            for words, script in (("its slider, a step", SLIDER), ("a step closer", CLOSER)):
                before = thread.ms()
                for i in range(10):
                    page.evaluate(script, i)
                times.setdefault(words, []).append((thread.ms() - before) / 10)
            page.close()
            page, _, spent = measured(browser, site, editor, "[data-state=ready]")
            times.setdefault(f"an editor, {len(longest):,} signs", []).append(spent)
            page.close()
        browser.close()
    for words, spent_all in times.items():
        middle, most = statistics.median(spent_all), max(spent_all)
        found[f"{words}, CPU ms"] = f"{middle:.1f} (most {most:.1f})"
    for name in ("app.js", "app.css"):
        found[f"{name}, bytes gzipped"] = len(gzip.compress(bundle(name), 9))
    if not given.json:
        for words, figure in found.items():
            print(f"{words:52} {figure}")
    told(found, given.json)


if __name__ == "__main__":
    main()
