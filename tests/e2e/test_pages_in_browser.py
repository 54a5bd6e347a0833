"""The main stories in a real browser: with scripts and without, by keyboard, on a small screen.

Long because all stories share the site, the people and the browser that are made here.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from casework.api.shell import Limits
from casework.cases.case import Case
from casework.cases.scope import Role
from casework.ports import CaseQuery
from regtech.app.backtests import Backtests
from regtech.app.choice import chosen_packs
from regtech.app.drafts import Drafts
from regtech.app.rulebook import Rules
from regtech.clock import ManualClock
from regtech.content import content_root
from tests.contract.world import SERVICE, START_US, alert
from tests.support.browser import ARGUMENTS, axe, chromium
from tests.support.proposals import proposal, texts
from tests.unit.casework.api.api_world import PASSWORD, SECOND_US
from tests.unit.casework.api.outward import Policies
from tests.unit.casework.web.desks import Bundles, Hooks, SomeBacktests
from tests.unit.casework.web.page_world import PageWorld

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
TYPED = "Looked at everything. 已逐项核对。"
WORDS = {
    "en": {"claim": "Claim next", "report": "Ask to report", "confirmed": "Confirmed",
           "approve": "Approve", "reported": "Reported", "out": "Sign out",
           "waits": "approved, not in force", "force": "Put it in force", "in": "in force"},
    "zh": {"claim": "领取下一件", "report": "申请报送", "confirmed": "属实",
           "approve": "批准", "reported": "已报送", "out": "退出",
           "waits": "已批准，尚未生效", "force": "使其生效", "in": "已生效"},
}  # fmt: skip
OPERATOR_PAGES = ("/webhooks", "/webhooks/ep-BANK-A", "/accounts", "/audit", "/audit?chain=BANK-A",
                  "/health", "/preferences", "/rules-in-force")  # fmt: skip
AUTHOR_PAGES = ("/rules", "/rule-editor", "/rule-editor?pack=cn-aml-conduct", "/proposals",
                f"/proposals/{proposal().id}", "/backtests", "/backtests/B-1", "/backtests/B-2",
                "/backtests/B-1/changes/0", "/rules-in-force")  # fmt: skip
PAGES = ("/queue", "/queue?q=K1", "/overview", "/alerts", "/parties",
         "/parties?kind=subject&key=BANK-A%7CK1", "/institutions", "/institutions/BANK-A",
         "/rules", "/rules/cn-str", "/policies", "/styleguide", "/cases/{case}",
         "/alerts/{alert}")  # fmt: skip


class Site:
    """Pages that listen on loopback, over stores in memory and a clock that can be moved."""

    def __init__(self, world: PageWorld) -> None:
        self.world, self.url, self.port = world, "", free_port()
        self._runner: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen; at the same place as before where it did already."""
        config = uvicorn.Config(
            self.world.api.app, port=self.port, log_config=None, lifespan="off", ws="none",
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._runner = runner = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(runner.serve()), daemon=True)
        self._thread.start()
        while not runner.started:
            self._thread.join(0.02)
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Listen no longer."""
        if self._runner is not None and self._thread is not None:
            self._runner.should_exit = True
            self._thread.join(20)

    def cases(self) -> list[Case]:
        """All cases, the most important first."""
        return list(self.world.api.world.record.cases(SERVICE, CaseQuery(open=None)).items)


@contextmanager
def listening(world: PageWorld) -> Iterator[Site]:
    """The pages of a world, listening."""
    made = Site(world)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Three cases, the first of them severe; two supervisors, an institution, an operator."""
    more = {
        "policies": Policies(), "webhooks": Hooks(), "bundles": Bundles(),
        "rules": Rules(chosen_packs(("cn-aml-conduct",))), "backtests": SomeBacktests("text"),
    }  # fmt: skip
    with PageWorld.made(tmp_path, **more) as world:
        for name in ("wang", "li"):
            world.api.person(name)
        world.api.person("bank", Role.INSTITUTION, tenants={"BANK-A"})
        world.api.person("operator", Role.OPERATOR)
        world.api.person("author", Role.AUTHOR)
        world.api.world.take(
            alert(1, subject="K1", severity="critical", kind="suspicion"),
            alert(2, subject="K2", kind="breach"),
            alert(3, subject="K3", tenant="BANK-B", kind="breach"),
        )
        world.indexer.catch_up()
        assert world.api.proposals is not None
        with world.api.proposals.unit(SERVICE) as unit:
            unit.add(SERVICE, proposal(), texts("a: 1\nb: 2\n", "a: 1\nb: 3\n"))
        with listening(world) as made:
            yield made


@pytest.fixture
def rule_site(tmp_path: Path) -> Iterator[Site]:
    """Two authors, a supervisor, and a history of four deposits for backtests."""
    deposits = [
        {"id": str(n), "type": "transaction", "time": f"2026-03-02T{8 + n:02d}:00:00Z",
         "reporter": "BANK-A", "payee": {"id": f"C{n}"}, "channel": "cash", "amount": amount,
         "currency": "USD"}
        for n, amount in enumerate(("12000", "9500", "500", "10000"))
    ]  # fmt: skip
    history = tmp_path / "history.ndjson"
    history.write_text("".join(json.dumps(one) + "\n" for one in deposits), encoding="utf-8")
    folder = tmp_path / "rules"
    folder.mkdir()
    shutil.copy(content_root("rules") / "cn" / "cn-aml-conduct.yml", folder)
    rules = Rules(chosen_packs((), folder), folder=folder)
    desk = Backtests(
        tmp_path / "backtests", rules, Drafts(rules), ManualClock(START_US),
        data=None, history=history,
    )  # fmt: skip
    # The first run of a pack's tests on a machine compiles for a while.
    patient = Limits(timeout_s=300)
    more = {"rules": rules, "backtests": desk, "limits": patient, "rules_folder": folder}
    with PageWorld.made(tmp_path, **more) as world:
        world.api.person("operator", Role.OPERATOR)
        world.api.person("author", Role.AUTHOR)
        world.api.person("second", Role.AUTHOR)
        with listening(world) as made:
            yield made
    desk.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield made
        made.close()


@contextmanager
def person(
    browser: Browser, site: Site, name: str, lang: str = "en", **more: Any
) -> Iterator[Page]:
    """Somebody who signs in with a browser of their own; scripts that fail fail the test."""
    wanted = {"viewport": {"width": 1280, "height": 800}, **more}
    context: BrowserContext = browser.new_context(
        locale={"en": "en-GB", "zh": "zh-CN"}[lang], timezone_id="Asia/Shanghai", **wanted
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.on("console", lambda said: failed.append(said.text) if "Refused" in said.text else None)
    page.goto(f"{site.url}/signin")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url(lambda url: "/signin" not in url)
    yield page
    assert failed == []
    context.close()


def tick_all(page: Page) -> None:
    """Tick off the checklist, one point after the other."""
    while page.locator(".checklist button[aria-pressed=false]").count():
        page.locator(".checklist button[aria-pressed=false]").first.click()
        page.wait_for_load_state()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_two_supervisors_report_a_case(
    browser: Browser, site: Site, lang: str, scripts: bool
) -> None:
    words, first = WORDS[lang], site.cases()[0]
    with person(browser, site, "wang", lang, java_script_enabled=scripts) as page:
        page.get_by_role("button", name=words["claim"]).click()
        page.wait_for_url(f"**/cases/{first.id}*")
        tick_all(page)
        page.locator("summary", has_text=words["report"]).click()
        form = page.locator("form", has=page.locator("input[value=ask_report]"))
        form.get_by_label(words["confirmed"]).check()
        form.locator("textarea").fill(TYPED)
        form.get_by_role("button").click()
        page.wait_for_url("**?done=ask_report*")
        assert page.get_by_role("button", name=words["approve"], exact=True).count() == 0
    with person(browser, site, "li", lang, java_script_enabled=scripts) as page:
        page.goto(f"{site.url}/queue?state=awaiting_approval")
        page.locator(f'a[href="/cases/{first.id}"]').first.click()
        assert TYPED in page.content()
        page.get_by_role("button", name=words["approve"], exact=True).click()
        page.wait_for_url("**?done=approve*")
        assert words["reported"] in page.locator(".facts").inner_text()
    assert site.cases()[0].id != first.id or site.cases()[0].ended
    kept = site.world.api.world.record.case(SERVICE, first.id)
    assert kept.state.value == "reported" and kept.closing_reason == TYPED


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_institution_reads_its_own_and_nothing_else(
    browser: Browser, site: Site, lang: str
) -> None:
    mine = next(c for c in site.cases() if "K2" in c.key)
    with person(browser, site, "bank", lang) as page:
        assert page.locator("[data-line]").count() == 1
        page.locator("[data-open]").click()
        page.wait_for_url(f"**/cases/{mine.id}")
        page.locator("#text").fill(TYPED)
        page.locator("form", has=page.locator("#text")).get_by_role("button").click()
        page.wait_for_url("**?done=comment*")
        assert TYPED in page.locator(".timeline").inner_text()
        for case in site.cases():
            if case.id != mine.id:
                answer = page.goto(f"{site.url}/cases/{case.id}")
                assert answer is not None and answer.status == 404
        links = page.locator("#menu a").all_inner_texts()
        assert len(links) == 6


def _draft(page: Page, text: str, scripts: bool) -> None:
    """Put a text into the editor, as somebody who types or pastes."""
    if not scripts:
        page.locator("#yaml").fill(text)
        return
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


@pytest.mark.parametrize(("lang", "scripts"), [("en", True), ("zh", False)])
def test_an_author_mends_a_draft_tries_it_and_a_second_person_approves(
    browser: Browser, rule_site: Site, lang: str, scripts: bool
) -> None:
    site, words = rule_site, WORDS[lang]
    with person(browser, site, "author", lang, java_script_enabled=scripts) as page:
        page.set_default_timeout(60_000)
        page.goto(f"{site.url}/rule-editor")
        good = page.locator("#yaml").input_value()
        bad = good
        for right, wrong in (
            ("version: 0.1.0", "version: 0.1"), ("INTL", "INTLL"), ("sum(", "summ("),
            ("per: customer", "per: custmer"), ("severity: low", "severity: loww"),
        ):  # fmt: skip
            bad = bad.replace(right, wrong, 1)
        _draft(page, bad, scripts)
        if scripts:
            page.wait_for_selector(".cm-lint-marker-error")
        page.locator("button[value=check]").click()
        page.wait_for_selector("#result .notice.bad")
        pairs = zip(good.split("\n"), bad.split("\n"), strict=True)
        planted = [number for number, (one, two) in enumerate(pairs, 1) if one != two]
        assert len(planted) == 5
        for line in planted:
            page.locator(f'.faults a[href="#line-{line}"]').first.click()
            assert page.locator(f"#line-{line}:target").is_visible()
        meant = {"en": "did you mean 'sum'?", "zh": "是否应为 'sum'？"}[lang]
        assert meant in page.locator(".faults").inner_text()
        _draft(page, good.replace("total: 10000", "total: 10001"), scripts)
        page.locator("button[value=tests]").click()
        page.wait_for_selector("#result .notice.good")
        came = {
            "en": "expected 10001, got USD 10000.00",
            "zh": "预期 10001，实际 USD 10000.00",
        }[lang]
        assert came in page.locator(".faults").inner_text()
        _draft(page, good, scripts)
        with page.expect_download() as taken:
            page.locator("button[value=download]").click()
        assert taken.value.suggested_filename == "new-pack.yml"
        assert Path(taken.value.path()).read_text(encoding="utf-8") == good
        # One value in the form: the same text but for it.
        page.locator("button[value=form]").click()
        page.wait_for_selector(".rule-form")
        field = page.locator('[name="value:rules/0/alert/severity"]')
        field.select_option("medium")
        # A measure more, then none: the text is that of before.
        before = page.locator("textarea[name=yaml]").input_value()
        page.locator('[name="new:measure rules/0 name"]').fill("many")
        page.locator('[name="new:measure rules/0 value"]').fill("count(over=day)")
        page.locator('button[value="add:condition:measure rules/0"]').click()
        page.wait_for_selector(".notice.good")
        assert "many: count(over=day)" in page.locator("textarea[name=yaml]").input_value()
        offered = page.locator('option[value="off rules/0/let/many"]')
        choice = offered.locator("xpath=..")
        choice.select_option("off rules/0/let/many")
        choice.locator("xpath=../../button").click()
        page.wait_for_selector(".notice.good")
        good = good.replace("severity: low", "severity: medium")
        assert before != page.locator("textarea[name=yaml]").input_value()
        page.locator("button[value=yaml]").click()
        page.wait_for_selector("#yaml", state="attached")
        assert page.locator("#yaml").input_value() == good
        if lang == "en":
            _backtest(page)
            page.goto(f"{site.url}/rule-editor")
            _draft(page, good, scripts)
        page.locator("#note").fill(TYPED)
        page.locator("button[value=propose]").click()
        page.wait_for_url("**/proposals/*?done=propose*")
        path = page.url.removeprefix(site.url).partition("?")[0]
        assert page.locator("button[value=approve]").count() == 0
    with person(browser, site, "second", lang, java_script_enabled=scripts) as page:
        page.goto(f"{site.url}/proposals")
        page.locator(f'a[href="{path}"]').click()
        assert TYPED in page.content() and "severity: medium" in page.content()
        if lang == "en":
            assert page.locator('a[href^="/backtests/B-"]').count() == 1
        page.get_by_role("button", name=words["approve"], exact=True).click()
        page.wait_for_url("**?done=approve*")
        assert words["waits"] in page.locator("#main").inner_text()
    with person(browser, site, "operator", lang, java_script_enabled=scripts) as page:
        page.goto(f"{site.url}{path}")
        page.get_by_role("button", name=words["force"], exact=True).click()
        page.wait_for_selector("progress")
        reading: Any = site.world.api.context.rules_in_force
        reading.work(SERVICE)
        # The page asks again by itself.
        page.wait_for_selector(".standing-in_force")
        assert words["in"] in page.locator("#main").inner_text()
        page.goto(f"{site.url}/rules-in-force")
        assert "new-pack" in page.locator("#main").inner_text()


def _backtest(page: Page) -> None:
    """Begin one, wait for its end as its page tells it, and open an alert that differs."""
    page.locator("button[value=backtest]").click()
    page.wait_for_url("**/backtests/B-*")
    page.wait_for_selector("#changes")
    assert page.locator(".figures-row .figure b").first.inner_text() == "2"
    assert page.locator(".around rect").count() == 20
    begun = page.url
    page.locator("#changes ~ .scroll a").first.click()
    page.wait_for_url("**/changes/0")
    shown = page.locator("#main").inner_text()
    assert "USD" in shown and "•••" in shown and "C0" not in shown
    page.goto(begun)


def test_two_people_edit_one_case(browser: Browser, site: Site) -> None:
    case = site.cases()[0]
    with person(browser, site, "wang") as one, person(browser, site, "li") as two:
        one.goto(f"{site.url}/cases/{case.id}")
        one.locator("#text").fill(TYPED)
        two.goto(f"{site.url}/cases/{case.id}")
        two.locator("#text").fill("I was faster")
        two.get_by_role("button", name="Put it on record").click()
        two.wait_for_url("**?done=comment*")
        one.get_by_role("button", name="Put it on record").click()
        one.wait_for_selector("#problem")
        assert one.locator("#problem").evaluate("node => node === document.activeElement")
        assert one.locator("#text").input_value().strip() == TYPED
        assert "I was faster" in one.content()
        one.get_by_role("button", name="Put it on record").click()
        one.wait_for_url("**?done=comment*")
        assert TYPED in one.locator(".timeline").inner_text()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_session_that_ends_in_mid_edit(browser: Browser, site: Site, lang: str) -> None:
    case = site.cases()[0]
    with person(browser, site, "wang", lang) as page:
        page.goto(f"{site.url}/cases/{case.id}")
        page.locator("#text").fill(TYPED)
        site.world.api.clock.advance(13 * 3600 * SECOND_US)
        page.locator("form", has=page.locator("#text")).get_by_role("button").click()
        page.wait_for_selector("#password")
        page.fill("#name", "wang")
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_selector("main textarea")
        assert page.locator("main textarea").input_value().strip() == TYPED
        page.locator("main form button.primary").click()
        page.wait_for_url("**?done=comment*")
        assert TYPED in page.locator(".timeline").inner_text()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_server_that_restarts_in_mid_work(browser: Browser, site: Site, lang: str) -> None:
    case = site.cases()[0]
    with person(browser, site, "wang", lang) as page:
        page.goto(f"{site.url}/cases/{case.id}")
        page.locator("#text").fill(TYPED)
        button = page.locator("form", has=page.locator("#text")).get_by_role("button")
        site.stop()
        gone = "chrome-error:"
        with page.expect_event("framenavigated", lambda frame: frame.url.startswith(gone)):
            button.click(no_wait_after=True)
        site.start()
        page.goto(f"{site.url}/cases/{case.id}")
        assert TYPED not in page.locator(".timeline").inner_text()
        # It was sent and nothing came back: the text is offered, and not put in by itself.
        page.locator(".rt-notice button").first.click()
        assert page.locator("#text").input_value().strip() == TYPED
        page.locator("form", has=page.locator("#text")).get_by_role("button").last.click()
        page.wait_for_url("**?done=comment*")
        assert TYPED in page.locator(".timeline").inner_text()
    entries = site.world.api.world.record.timeline(SERVICE, case.id)
    assert [entry.detail.get("text") for entry in entries].count(TYPED) == 1


def test_the_drawings_of_a_case_by_keyboard_alone(browser: Browser, site: Site) -> None:
    site.world.api.world.take(
        *(
            alert(10 + n, subject="K9", day=n, payer__id=f"P{n}", payee__id=f"P{n + 1}",
                  payer__country="CN", payee__country="SG")
            for n in range(3)
        ),
        alert(20, subject="K8", payer__id="P3", payee__id="P9"),
    )  # fmt: skip
    case = next(c for c in site.cases() if "K9" in c.key)
    with person(browser, site, "wang") as page:
        page.goto(f"{site.url}/cases/{case.id}")
        assert "China" in (page.locator("svg.flows").text_content() or "")
        net = page.locator('[data-component="network"]')
        net.locator("svg [tabindex='0']").first.focus()
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        net.get_by_role("button", name="Show its neighbours").focus()
        counts = net.locator(".rt-net-counts")
        assert "4 parties" in counts.inner_text()
        page.keyboard.press("Enter")
        counts.filter(has_text="5 parties").wait_for()
        net.locator("input[type=range]").focus()
        page.keyboard.press("Home")
        assert "5 parties, 1 flow" in counts.inner_text()
        page.keyboard.press("End")
        net.locator("summary", has_text="Ways between two parties").focus()
        page.keyboard.press("Enter")
        net.get_by_label("From", exact=True).focus()
        page.keyboard.type("P0")
        net.get_by_label("To", exact=True).focus()
        page.keyboard.type("P3")
        said = net.locator(".rt-net-paths").inner_text()
        assert "P0 → P1 → P2 → P3" in said.replace("\u2068", "").replace("\u2069", "")
        line = page.locator('[data-component="timeline"] svg')
        line.locator("[tabindex='0']").focus()
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.classList.contains('rt-time-item')")


def test_the_number_of_cases_follows_without_moving_anything(browser: Browser, site: Site) -> None:
    with person(browser, site, "wang") as page:
        page.route("**/queue", lambda route: route.fulfill(
            body=route.fetch().text().replace('data-every="20"', 'data-every="1"'),
            content_type="text/html; charset=utf-8",
        ))  # fmt: skip
        page.goto(f"{site.url}/queue")
        count = page.locator("[data-live]")
        assert count.inner_text() == "3 cases"
        place = page.locator("[data-line]").first.bounding_box()
        site.world.api.world.take(alert(30, subject="K30"))
        count.filter(has_text="4 cases").wait_for()
        assert count.inner_text() == "4 cases"
        assert page.locator("[data-line]").first.bounding_box() == place


def test_an_operator_rotates_the_secret_of_a_webhook(browser: Browser, site: Site) -> None:
    with person(browser, site, "operator") as page:
        page.goto(f"{site.url}/webhooks/ep-BANK-A")
        page.locator("summary", has_text="Make a fresh secret").click()
        page.get_by_role("button", name="Make a fresh secret").click()
        page.wait_for_selector(".secret")
        assert page.locator(".secret").inner_text() == "whsec_fresh"


def test_by_keyboard_alone(browser: Browser, site: Site) -> None:
    with person(browser, site, "wang") as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("?")
        sheet = page.locator("#keys, dialog[open]").first
        sheet.wait_for()
        page.keyboard.press("Escape")
        sheet.wait_for(state="hidden")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        line = page.locator("[data-line]:focus-within")
        assert line.count() == 1
        page.keyboard.press("x")
        assert line.locator("input").is_checked()
        line.locator("[data-open]").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/cases/*")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "find"
        page.keyboard.type("K2")
        page.keyboard.press("Enter")
        page.wait_for_url("**/queue?q=K2")
        page.locator("h1").click()
        page.keyboard.press("g")
        page.keyboard.press("q")
        page.wait_for_url("**/queue")
        page.keyboard.press("c")
        page.wait_for_url("**/cases/*claimed=1")


def _everybody(site: Site) -> tuple[tuple[str, Sequence[str]], ...]:
    """Whose pages are looked at, so that each is."""
    return ("wang", _paths(site)), ("operator", OPERATOR_PAGES), ("author", AUTHOR_PAGES)


def _paths(site: Site) -> list[str]:
    names = {"case": site.cases()[0].id, "alert": f"{1:032x}"}
    return [path.format(**names) for path in PAGES]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_page_is_wider_than_a_telephone(browser: Browser, site: Site, lang: str) -> None:
    small = {"viewport": {"width": 390, "height": 800}}
    for name, paths in _everybody(site):
        with person(browser, site, name, lang, **small) as page:
            for path in paths:
                page.goto(site.url + path)
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= 390, (path, wide)
            page.locator(".menu-button").click()
            assert page.locator("#menu a").first.is_visible()


@pytest.mark.parametrize(("lang", "colours"), [("en", "light"), ("zh", "dark")])
def test_a_rule_as_a_form_on_a_telephone_and_by_keyboard(
    browser: Browser, rule_site: Site, lang: str, colours: str
) -> None:
    small = {"viewport": {"width": 390, "height": 800}, "color_scheme": colours}
    with person(browser, rule_site, "author", lang, **small) as page:
        page.set_default_timeout(60_000)
        page.goto(f"{rule_site.url}/rule-editor?pack=cn-aml-conduct")
        page.locator("button[value=form]").click()
        page.wait_for_selector(".rule-form")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.evaluate(axe())
        result = page.evaluate(f"axe.run(document, {{runOnly: {STANDARDS}}})")
        assert [(bad["id"], bad["nodes"][0]["html"][:160]) for bad in result["violations"]] == []
        # Typed, and the next two stops of Tab are the value and the button.
        page.locator('[name="new:measure rules/0 name"]').focus()
        page.keyboard.type("many")
        page.keyboard.press("Tab")
        page.keyboard.type("count(over=day)")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector(".notice.good")
        assert "many: count(over=day)" in page.locator("textarea[name=yaml]").input_value()


def test_nothing_is_asked_of_another_host(browser: Browser, site: Site) -> None:
    with person(browser, site, "wang") as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for path in _paths(site):
            page.goto(site.url + path)
        assert asked and all(url.startswith((site.url, "data:")) for url in asked)


def _editable(bad: dict[str, Any]) -> bool:
    """The frame of the editor scrolls what may be typed into, which takes the focus by Tab (the
    author's story types there); axe looks for ``tabindex`` and native controls alone."""
    frames = ["cm-scroller" in node["html"] for node in bad["nodes"]]
    return bad["id"] == "scrollable-region-focusable" and all(frames)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, site: Site, colours: str) -> None:
    source = axe()
    found: list[str] = []
    for name, paths in _everybody(site):
        with person(browser, site, name, color_scheme=colours) as page:
            for path in paths:
                page.goto(site.url + path)
                page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
                page.evaluate(source)
                result = page.evaluate(f"axe.run(document, {{runOnly: {STANDARDS}}})")
                found += [
                    f"{path}: {bad['id']}: {bad['nodes'][0]['html'][:160]} "
                    f"{bad['nodes'][0].get('failureSummary', '')[:200]}"
                    for bad in result["violations"]
                    if not _editable(bad)
                ]
    assert found == []
