"""What the browser adds to the pages, in a real one, under the policy that the pages have.

Needs the distribution's Chromium; elsewhere skipped with the reason.
Long because every component is tried on one kind of page, under one server and one policy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from html import escape
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.frontend import ARGUMENTS, Site, chromium, document, serving
from tests.support.servers import missing

Open = Callable[..., Page]

HOSTILE = '<img src=x onerror="document.title=1">\u202e evil'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        missing("no Chromium: install the distribution's, or name one in REGTECH_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Site]:
    with serving() as found:
        yield found


@pytest.fixture
def site(server: Site) -> Site:
    for held in (server.pages, server.answers, server.asked):
        held.clear()
    return server


@pytest.fixture(scope="module")
def usual(browser: Browser) -> Iterator[BrowserContext]:
    """One for all pages that want nothing special: the browser compiles the scripts once."""
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def visit(browser: Browser, usual: BrowserContext, site: Site) -> Iterator[Open]:
    """Opens a page with a body. At the end nothing may have gone wrong on any of them."""
    usual.clear_cookies()
    wrong: list[str] = []
    with ExitStack() as contexts:

        def open_page(
            body: str, *, path: str = "/page", given: dict[str, Any] | None = None, **how: Any
        ) -> Page:
            context = browser.new_context(**given) if given else usual
            page = context.new_page()
            contexts.callback(context.close if given else page.close)
            page.set_default_timeout(10_000)
            page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
            page.on(
                "console",
                lambda said: (
                    wrong.append(said.text)
                    if "Content Security Policy" in said.text
                    or said.type == "error"
                    and "status of" not in said.text
                    else None
                ),
            )
            page.on(
                "request",
                lambda asked: (
                    None
                    if asked.url.startswith((site.url, "data:", "blob:"))
                    else wrong.append(f"asked {asked.url}")
                ),
            )
            site.pages[path] = document(body, **how)
            page.goto(site.url + path)
            return page

        yield open_page
    assert not wrong


def _ready(page: Page) -> None:
    page.wait_for_selector("[data-component][data-state=ready]", state="attached")


def _network(parties: int) -> dict[str, Any]:
    """A ring with chords; payments on the days of March."""
    edges = [
        {
            "id": f"e{i}-{step}", "source": f"p{i}", "target": f"p{(i + step) % parties}",
            "time": f"2026-03-{1 + i % 28:02d}T00:00:00Z", "amount": "0.10", "currency": "CNY",
            "kind": "transfer", "label": "wire",
        }
        for i in range(parties)
        for step in (1, 7)
    ]  # fmt: skip
    nodes = [{"id": f"p{i}", "label": f"Party {i}", "kind": "company"} for i in range(parties)]
    return {"nodes": nodes, "edges": edges}


SMALL = {
    "nodes": [
        {"id": "a", "label": HOSTILE, "kind": "person", "role": "subject", "href": "/parties/a"},
        {"id": "b", "label": "王小明", "kind": "account"},
        {"id": "c", "label": "Acme", "kind": "company", "href": "https://elsewhere.example/"},
    ],
    "edges": [
        {"id": "1", "source": "a", "target": "b", "time": "2026-03-01T00:00:00Z", "amount": "0.1",
         "currency": "CNY", "kind": "transfer", "label": "one"},
        {"id": "2", "source": "a", "target": "b", "time": "2026-03-02T00:00:00Z", "amount": "0.2",
         "currency": "CNY", "kind": "transfer", "label": "two"},
        {"id": "3", "source": "b", "target": "c", "time": "2026-03-03T00:00:00Z", "amount": "5",
         "currency": "CNY", "kind": "transfer", "label": "three"},
    ],
}  # fmt: skip
_SHIFT = """() => new Promise(done => {
  let sum = 0;
  const seen = list => list.getEntries().forEach(entry => { sum += entry.value; });
  new PerformanceObserver(seen).observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 100);
})"""
NETWORK = (
    '<div data-component="network" data-src="/n.json" data-expand="/more/{id}" aria-label="Money">'
    "<p>as the server wrote it</p></div>"
)


def test_a_page_without_components_loads_the_small_script_alone(visit: Open, site: Site) -> None:
    page = visit("<p>text</p>")
    loaded = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    names = {re.sub(r"^.*/", "", name) for name in loaded}
    assert names <= {"app.css", "app.js", "page.css", "favicon.ico"}


def test_a_network_of_200_parties_is_drawn_the_same_each_time(visit: Open, site: Site) -> None:
    site.answers["/n.json"] = (200, _network(200))
    pictures = []
    for _ in range(2):
        page = visit(NETWORK)
        _ready(page)
        expect(page.locator(".rt-net-svg [role=button]")).to_have_count(200)
        expect(page.locator(".rt-net-flow")).to_have_count(400)
        pictures.append(page.locator(".rt-net-svg").inner_html())
        # Room is kept for the drawing: what the server wrote does not jump down when it comes.
        assert page.evaluate(_SHIFT) < 0.01
    assert pictures[0] == pictures[1]


def test_a_network_is_worked_by_the_keyboard(visit: Open, site: Site) -> None:
    site.answers["/n.json"] = (200, SMALL)
    page = visit(NETWORK)
    _ready(page)
    page.locator(".rt-net-svg [tabindex='0']").focus()
    focused = "document.activeElement.dataset.id"
    assert page.evaluate(focused) == "a"
    seen = {"a"}
    for key in ("ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "End", "Home") * 2:
        page.keyboard.press(key)
        seen.add(page.evaluate(focused))
    assert seen == {"a", "b", "c"}
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    details = page.locator(".rt-net-details")
    expect(details.locator(".rt-net-name")).to_have_text(HOSTILE)
    expect(details).to_contain_text("2 × · CNY\u00a00.3")
    expect(details.get_by_role("link", name="Open its page")).to_have_attribute(
        "href", f"{site.url}/parties/a"
    )
    page.get_by_role("button", name="Acme").first.focus()
    page.keyboard.press("Enter")
    # An address of another host is no link.
    expect(details.locator(".rt-net-name")).to_have_text("Acme")
    expect(details.get_by_role("link")).to_have_count(0)
    assert page.title() == "page"


def test_a_network_ends_where_the_slider_stands(visit: Open, site: Site) -> None:
    site.answers["/n.json"] = (200, SMALL)
    page = visit(NETWORK)
    _ready(page)
    expect(page.locator(".rt-net-counts")).to_have_text("3 parties, 2 flows")
    page.get_by_label("Until").focus()
    page.keyboard.press("Home")
    expect(page.locator(".rt-net-counts")).to_have_text("3 parties, 1 flow")
    expect(page.locator(".rt-net-time output")).to_contain_text("Mar 1, 2026")
    expect(page.locator(".rt-net-node[data-id=c]")).to_have_class(re.compile("rt-later"))


def test_ways_between_two_parties_are_brought_out(visit: Open, site: Site) -> None:
    site.answers["/n.json"] = (200, SMALL)
    page = visit(NETWORK, lang="zh-Hans")
    _ready(page)
    page.get_by_text("两方之间的路径").click()
    page.get_by_label("从", exact=True).select_option("a")
    page.get_by_label("到", exact=True).select_option("c")
    expect(page.locator(".rt-net-paths")).to_contain_text("找到 1 条路径，最短为 2 步。")
    expect(page.locator(".rt-net-flow.rt-out")).to_have_count(2)
    page.get_by_label("从", exact=True).select_option("c")
    page.get_by_label("到", exact=True).select_option("a")
    expect(page.locator(".rt-net-paths")).to_contain_text("不限流向可找到 1 条路径。")


def test_neighbours_come_in_and_the_rest_stays(visit: Open, site: Site) -> None:
    site.answers["/n.json"] = (200, SMALL)
    site.answers["/more/c"] = (
        200,
        {"nodes": [{"id": "d", "label": "New", "kind": "company"}],
         "edges": [{"id": "9", "source": "c", "target": "d", "kind": "owns", "label": "60 %"}]},
    )  # fmt: skip
    page = visit(NETWORK)
    _ready(page)
    at = "e => e.getAttribute('transform')"
    before = page.locator(".rt-net-node[data-id=a]").evaluate(at)
    page.locator(".rt-net-node[data-id=c]").click()
    page.get_by_role("button", name="Show its neighbours").click()
    expect(page.locator(".rt-net-svg [role=button]")).to_have_count(4)
    assert page.locator(".rt-net-node[data-id=a]").evaluate(at) == before
    page.locator(".rt-net-node[data-id=d]").click()
    page.get_by_role("button", name="Show its neighbours").click()
    expect(page.get_by_role("alert")).to_contain_text("not found")


def test_the_drawing_is_saved(visit: Open, site: Site) -> None:
    site.answers["/n.json"] = (200, SMALL)
    page = visit(NETWORK)
    _ready(page)
    saved = {}
    for form in ("SVG", "PNG"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Save as {form}").click()
        assert download.value.suggested_filename == f"network.{form.lower()}"
        saved[form] = download.value.path().read_bytes()
    text = saved["SVG"].decode()
    assert text.startswith("<svg") and "王小明" in text
    assert "style=" not in text and "<script" not in text and "class=" not in text
    assert saved["PNG"].startswith(b"\x89PNG\r\n") and len(saved["PNG"]) > 1500


def test_the_table_says_what_the_drawing_shows(visit: Open, site: Site) -> None:
    site.answers["/n.json"] = (200, SMALL)
    page = visit(NETWORK)
    _ready(page)
    page.get_by_text("As a table").click()
    rows = page.locator(".rt-net-whole tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("CNY\u00a00.3")


def test_what_the_server_wrote_stays_where_data_does_not_come(visit: Open) -> None:
    page = visit(NETWORK)
    expect(page.get_by_role("alert")).to_contain_text("not found")
    expect(page.get_by_text("as the server wrote it")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_without_a_script_everything_is_there(visit: Open) -> None:
    body = (
        f'{NETWORK}<form><label>Rules<textarea data-component="yaml-editor">a: 1</textarea>'
        '</label></form><button data-copy="x" data-needs-script hidden>Copy</button>'
    )
    page = visit(body, given={"java_script_enabled": False})
    expect(page.get_by_text("as the server wrote it")).to_be_visible()
    expect(page.get_by_label("Rules")).to_be_editable()
    expect(page.get_by_text("Copy")).to_be_hidden()
    box = page.locator("[data-component=network]").bounding_box()
    assert box is not None and box["height"] < 200


# The editor


EDITOR = (
    '<form method="post" action="/save"><input type="hidden" name="_csrf" value="token">'
    '<label for="y">Rules</label><textarea id="y" name="yaml" required '
    'data-component="yaml-editor" data-lint="/lint" data-schema="/schema">'
    "{text}</textarea><button>Save</button></form>"
)
SCHEMA = {
    "properties": {
        "version": {"type": "string", "description": "three numbers"},
        "rules": {"type": "array", "items": {"properties": {"when": {"x-functions": [
            {"name": "count", "signature": "count(over=…)", "doc": "number of rows"}]}}}},
    }
}  # fmt: skip


def _lint(body: Any) -> tuple[int, Any]:
    """One fault for each line that begins with the word."""
    faults = [
        {"line": i, "column": 1, "code": "RL101", "severity": "error",
         "message": "a pack has no key 'versoin'", "hint": "did you mean 'version'?"}
        for i, line in enumerate(body["yaml"].split("\n"), 1) if line.startswith("versoin")
    ]  # fmt: skip
    return 200, {"errors": len(faults), "warnings": 0, "faults": faults}


def _editor(visit: Open, site: Site, text: str, **how: Any) -> Page:
    site.answers.update({"/lint": _lint, "/schema": (200, SCHEMA)})
    site.pages["/save"] = document("<p>saved</p>")
    page = visit(EDITOR.format(text=text), **how)
    _ready(page)
    return page


def test_a_fault_is_marked_and_fixed_by_one_click_and_the_form_has_the_text(
    visit: Open, site: Site
) -> None:
    page = _editor(visit, site, "pack: x\nversoin: 1.0.0\n")
    expect(page.locator(".rt-editor-status")).to_have_text("1 error, 0 warnings")
    expect(page.locator(".cm-lintRange-error")).to_have_text("versoin")
    page.get_by_role("button", name="Replace with “version”").click()
    expect(page.locator(".rt-editor-status")).to_have_text("No faults.")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/save")
    sent = next(body for method, path, body, _ in site.asked if path == "/save")
    assert parse_qs(sent)["yaml"] == ["pack: x\r\nversion: 1.0.0\r\n"]
    tokens = {headers.get("x-csrf-token") for _, path, _, headers in site.asked if path == "/lint"}
    assert tokens == {"token"}


def test_the_editor_completes_from_the_schema(visit: Open, site: Site) -> None:
    page = _editor(visit, site, "")
    page.locator(".cm-content").focus()
    page.keyboard.type("ver")
    option = page.locator(".cm-tooltip-autocomplete [aria-selected=true]")
    expect(option).to_contain_text("version")
    page.wait_for_timeout(150)  # CodeMirror takes no key for a moment after it has opened the list.
    page.keyboard.press("Enter")
    page.keyboard.type("1\nrules:\n  - when: cou")
    expect(option).to_contain_text("count(over=…)")
    expect(page.locator("textarea")).to_have_value("version: 1\nrules:\n  - when: cou")


def test_the_editor_is_left_by_the_keyboard(visit: Open, site: Site) -> None:
    page = _editor(visit, site, "a: 1")
    page.evaluate("window.heard = []; document.addEventListener('keydown', e => heard.push(e.key))")
    page.locator(".cm-content").focus()
    page.keyboard.press("Tab")
    page.keyboard.type("j")
    expect(page.locator("textarea")).to_have_value("  ja: 1")
    assert page.evaluate("window.heard") == []  # Typing is no command of the page.
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    # Past the list of faults there is nothing but the button.
    expect(page.get_by_role("button", name="Save")).to_be_focused()
    name = page.locator(".cm-content").get_attribute("aria-label")
    assert name is not None and name.startswith("Rules. ") and "Escape" in name


def test_typed_text_survives_a_lost_session(visit: Open, site: Site) -> None:
    page = _editor(visit, site, "a: 1", head='<meta name="user" content="li">')
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type("23")
    page.wait_for_timeout(450)
    site.pages["/login"] = document("<p>sign in</p>")
    page.goto(site.url + "/login")
    page.goto(site.url + "/page")
    _ready(page)
    expect(page.locator(".cm-content")).to_have_text("a: 123")
    expect(page.locator(".rt-notice")).to_contain_text("was restored")
    page.get_by_role("button", name="Discard it").click()
    expect(page.locator(".cm-content")).to_have_text("a: 1")
    page.keyboard.type("x")
    page.wait_for_timeout(450)
    # Somebody else in the same tab does not get to see it.
    site.pages["/page"] = site.pages["/page"].replace('content="li"', 'content="wang"')
    page.goto(site.url + "/page")
    _ready(page)
    expect(page.locator(".cm-content")).to_have_text("a: 1")
    expect(page.locator(".rt-notice")).to_have_count(0)
    assert page.evaluate("sessionStorage.length") == 0


def test_a_broken_check_is_said_and_stops_nothing(visit: Open, site: Site) -> None:
    page = _editor(visit, site, "a: 1")
    site.answers["/lint"] = (503, {"detail": "later"})
    page.locator(".cm-content").focus()
    page.keyboard.type("b")
    expect(page.locator(".rt-editor-status")).to_contain_text("could not be checked: later")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/save")


# The charts


def test_charts_are_drawn_and_walked_through(visit: Open, site: Site) -> None:
    items = [
        {"id": str(i), "time": f"2026-03-{day:02d}T10:00:00Z", "label": HOSTILE, "kind": "alert",
         "lane": "Alerts", "href": f"/alerts/{i}"}
        for i, day in enumerate((1, 9, 20, 20, 20))
    ]  # fmt: skip
    spread = {"unit": "CNY", "figure": "50000.00", "comparator": ">=", "basis": "default",
              "values": ["1000", "49999.99", "50000.00", "70000"]}  # fmt: skip
    site.answers.update({"/t.json": (200, {"items": items}), "/d.json": (200, spread)})
    page = visit(
        '<div data-component="timeline" data-src="/t.json"></div>'
        '<div data-component="distribution" data-src="/d.json"></div>'
    )
    marks = page.locator(".rt-time-item")
    expect(marks).to_have_count(3)
    marks.first.focus()
    page.keyboard.press("End")
    expect(marks.last).to_be_focused()
    expect(marks.last).to_have_attribute("aria-label", re.compile("^3 entries"))
    page.keyboard.press("Enter")
    expect(marks).to_have_count(1)
    page.keyboard.press("0")
    expect(marks).to_have_count(3)
    expect(page.locator("[data-component=distribution]")).to_contain_text("2 of 4 reach it.")
    expect(page.locator("[data-component=distribution]")).to_contain_text("our default, not law")
    page.get_by_label("What if it were").fill("49,999.99")
    expect(page.locator("[role=status]").first).to_have_text("3 of 4 would reach it (+1).")
    assert page.title() == "page"


FLOWS = """
<figure class="drawing">
<div data-component="flow-map" role="group" aria-label="Between countries"><svg>{}</svg></div>
</figure>
"""


def _flow(kind: str, source: str, target: str, findings: int) -> str:
    return (
        f'<path data-kind="{kind}" data-from="{source}" data-to="{target}" d="M0 0L9 9"'
        f' data-from-name="{source} in words" data-to-name="{target} in words"'
        f' data-findings="{findings}" stroke-width="3"></path>'
    )


def test_flows_are_on_a_map_and_walked_through(visit: Open) -> None:
    flows = [("data", "CN", "US", 3), ("data", "US", "CN", 1), ("money", "HK", "SG", 2),
             ("money", "CN", "CN", 1), ("data", "CN", "ZZ", 1)]  # fmt: skip
    page = visit(FLOWS.format("".join(_flow(*flow) for flow in flows)))
    places, lines = page.locator(".rt-map-place"), page.locator(".rt-map-flow")
    expect(places).to_have_count(4)
    expect(lines).to_have_count(4)
    assert len({line.get_attribute("d") for line in lines.all()}) == 4
    # Every name is written, and none over another.
    boxes = [name.bounding_box() for name in page.locator(".rt-map-name").all()]
    assert len(boxes) == 4 and all(boxes)
    places.first.focus()
    page.keyboard.press("End")
    expect(places.last).to_be_focused()
    said = page.locator(".rt-map-said")
    page.keyboard.press("Home")
    expect(said).to_have_text(
        "from US in words: CN in words (data, 1 finding); "
        "to US in words: CN in words (data, 3 findings)"
    )
    expect(page.locator(".rt-map-away")).to_have_count(2)
    # What has no place is said, and the columns are all there.
    expect(page.locator(".rt-part")).to_contain_text("1 line names no place")
    page.get_by_text("As two columns").click()
    expect(page.locator("details path[data-from]").first).to_be_visible()


# What every page has


def test_rows_search_and_commands_have_keys(visit: Open, site: Site) -> None:
    rows = "".join(f'<tr><td><a href="/r{i}">row {i}</a></td></tr>' for i in range(3))
    page = visit(
        f'<input type="search" data-search aria-label="Search"><table data-rows><tbody>'
        f'{rows}</tbody></table><form action="/claim">'
        '<button data-shortcut="c">Claim next</button></form>'
    )
    for key in "jjkjj":
        page.keyboard.press(key)
    expect(page.get_by_text("row 2")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("jc?")
    expect(page.get_by_label("Search")).to_have_value("jc?")
    page.get_by_text("row 0").focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_contain_text("Claim next")
    page.get_by_label("Shortcuts of a single key").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.keyboard.press("c")
    page.reload()
    page.keyboard.press("c")
    assert not [path for _, path, _, _ in site.asked if path.startswith("/claim")]
    page.evaluate("localStorage.clear()")
    site.pages["/claim"] = document("claimed")
    page.keyboard.press("c")
    page.wait_for_url("**/claim*")


def test_what_cannot_be_undone_asks_first(visit: Open, site: Site) -> None:
    site.pages["/gone"] = document("gone")
    page = visit(
        '<form method="post" action="/gone"><input name="a" value="1">'
        f'<button name="do" value="it" data-confirm="Revoke {escape(HOSTILE)}?">Revoke</button>'
        "</form>"
    )
    page.get_by_role("button", name="Revoke").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("<img")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert not [path for _, path, _, _ in site.asked if path == "/gone"]
    page.get_by_role("button", name="Revoke").click()
    dialog.get_by_role("button", name="Yes, go on").click()
    page.wait_for_url("**/gone")
    assert [body for _, path, body, _ in site.asked if path == "/gone"] == ["a=1&do=it"]


def test_a_form_that_was_changed_is_not_left_unasked(visit: Open, site: Site) -> None:
    site.pages["/other"] = document("other")
    site.pages["/sent"] = document("sent")
    page = visit(
        '<a href="/other">other</a><form data-dirty-warning method="post" action="/sent">'
        '<select name="s"><option>1<option>2</select>'
        '<input name="x" aria-label="x"><button>Send</button></form>'
    )
    asked: list[str] = []

    def on_dialog(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", on_dialog)
    page.get_by_label("x").fill("typed")
    page.get_by_text("other").click()
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert page.url.endswith("/page")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/sent")
    assert asked == ["beforeunload"]


def test_a_note_is_kept_and_let_go_when_the_server_has_it(visit: Open, site: Site) -> None:
    site.pages["/save"] = document("saved")
    page = visit(
        '<form method="post" action="/save"><textarea name="note" data-keep></textarea>'
        "<button>Send</button></form>"
    )
    page.locator("textarea").fill("half a thought")
    page.wait_for_timeout(350)
    page.reload()
    expect(page.locator("textarea")).to_have_value("half a thought")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/save")
    page.goto(site.url + "/page")
    # Whether it arrived is not known: it is offered, and not put where it might be sent twice.
    expect(page.locator("textarea")).to_have_value("")
    page.get_by_role("button", name="Use my text").click()
    expect(page.locator("textarea")).to_have_value("half a thought")
    site.pages["/page"] = site.pages["/page"].replace(
        "<main>", '<main><p data-saved="note">Saved.</p>'
    )
    page.goto(site.url + "/page")
    expect(page.locator("textarea")).to_have_value("")
    expect(page.locator(".rt-notice")).to_have_count(0)


def test_the_theme_is_in_a_cookie_that_the_server_reads(visit: Open, site: Site) -> None:
    page = visit("<button data-theme-switch>◐</button>", theme="auto")
    page.get_by_role("button").click()
    page.get_by_role("button").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    page.reload()
    headers = next(headers for _, path, _, headers in reversed(site.asked) if path == "/page")
    assert "regtech-theme=dark" in headers["cookie"]
    colour = "getComputedStyle(document.documentElement).getPropertyValue('--rt-surface').trim()"
    assert page.evaluate(colour) == "#15191e"


def test_work_shows_how_far_it_is_and_can_be_cancelled(visit: Open, site: Site) -> None:
    state = {"state": "running", "done": 30, "total": 120}
    site.answers["/job"] = lambda _: (200, dict(state))

    def cancel(_: Any) -> tuple[int, Any]:
        state["state"] = "cancelled"
        return 200, {}

    site.answers["/job/cancel"] = cancel
    page = visit(
        '<div data-progress="/job" data-cancel="/job/cancel" data-every="1" '
        'aria-label="Backtest"></div>'
    )
    expect(page.locator("[data-progress-text]")).to_have_text("25%")
    expect(page.get_by_role("progressbar", name="Backtest")).to_have_attribute("value", "30")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-progress-text]")).to_have_text("Cancelled")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)


def test_a_count_stays_up_to_date_until_the_session_ends(visit: Open, site: Site) -> None:
    answers = iter([(200, {"count": 1200}), (401, {"title": "signed out"})])
    site.answers["/count"] = lambda _: next(answers)
    page = visit(
        '<p role="status" data-live="/count" data-every="1" '
        'data-live-text="{count} {count|case|cases}">3 cases</p>'
    )
    expect(page.get_by_text("1,200 cases")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("You have been signed out")
    page.wait_for_timeout(1200)
    assert len([path for _, path, _, _ in site.asked if path == "/count"]) == 2


def test_times_are_said_from_the_servers_clock(visit: Open) -> None:
    page = visit(
        '<time datetime="2020-01-01T00:00:00Z" data-relative>then</time>'
        '<script type="application/json" id="frontend-messages">'
        '{"copied": "It is in the clipboard"}</script>'
        '<button data-copy="abc" data-needs-script hidden>Copy</button>',
        given={"permissions": ["clipboard-read", "clipboard-write"]},
    )
    expect(page.locator("time")).to_have_text(re.compile(r"\d+ years ago"))
    expect(page.locator("time")).to_have_attribute("title", re.compile("2020.*GMT\\+8"))
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("It is in the clipboard")).to_be_attached()
    assert page.evaluate("navigator.clipboard.readText()") == "abc"


@pytest.mark.parametrize("lang", ["en", "zh-Hans"])
def test_nothing_is_wider_than_a_telephone(visit: Open, site: Site, lang: str) -> None:
    site.answers["/n.json"] = (200, json.loads(json.dumps(SMALL).replace("Acme", "Acme " * 40)))
    size = {"viewport": {"width": 390, "height": 800}}
    page = visit(NETWORK, lang=lang, given=size)
    _ready(page)
    page.locator(".rt-net-node[data-id=c]").click()
    page.locator(".rt-net-paths summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
