"""Every page, every role, both languages; hostile content; nobody sees another's data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from casework.cases.case import Case
from casework.cases.scope import Role
from casework.web.pages import routers
from casework.web.site import PageRoute
from tests.contract.world import SERVICE, WANG, alert
from tests.support.proposals import proposal, texts
from tests.unit.casework.api.api_world import bank, deposit
from tests.unit.casework.api.outward import Policies
from tests.unit.casework.web.desks import Bundles, Hooks, SomeBacktests
from tests.unit.casework.web.html import Page
from tests.unit.casework.web.page_world import Browser, PageWorld, told

LANGUAGES = ("en", "zh")
MARKUP = '<script>alert("x")</script><img src=x onerror=alert(1)>'
TURNED = "ab\u202ecba\u2066x"
LONG = "长" * 10_000
FORMULA = "=cmd|' /C calc'!A0"
FOREIGN = "SECRET-OF-B"

PAGES = (
    "/queue", "/queue?every=1&overdue=1", "/queue?state=new", "/queue?q=K1",
    "/queue?severity=high", "/queue?assignee=nobody", "/queue?theme=laundering&tenant=BANK-A",
    "/overview", "/alerts", "/alerts?aside=suppressed", "/parties",
    "/parties?kind=party&key=K1", "/parties?kind=subject&key=BANK-A%7CK1",
    "/parties?kind=institution&key=BANK-A&as_of=2026-03-02", "/institutions",
    "/institutions/BANK-A", "/rules", "/rules?q=cash&jurisdiction=CN&status=enabled",
    "/rules?waits=1", "/rules?pack=cn-aml-large-value", "/rules/cn-lvtr-0501", "/rule-editor",
    "/proposals", "/proposals?every=1", "/proposals/{proposal}", "/proposals/{proposal}/text",
    "/backtests", "/backtests/B-1", "/backtests/B-2", "/backtests/B-1?kind=new&institution=BANK-A",
    "/backtests/B-1/changes/0", "/rules-in-force", "/rules-in-force?done=read",
    "/policies", "/policies/one", "/quarantine",
    "/quarantine?state=retried", "/quarantine/1", "/webhooks", "/webhooks/ep-BANK-A", "/accounts",
    "/audit", "/audit?chain=", "/audit?chain=BANK-A", "/health", "/preferences", "/styleguide",
    "/cases/{case}", "/cases/{severe}", "/alerts/{alert}", "/nowhere",
)  # fmt: skip

ROLES = {
    "wang": (Role.SUPERVISOR, {}),
    "bank-a": (Role.INSTITUTION, {"tenants": {"BANK-A"}}),
    "author": (Role.AUTHOR, {}),
    "operator": (Role.OPERATOR, {}),
    "auditor": (Role.AUDITOR, {}),
}
NOT_THEIRS = {
    "wang": ("/audit", "/health", "/webhooks", "/rule-editor"),
    "bank-a": ("/overview", "/policies", "/rule-editor", "/proposals", "/backtests", "/audit",
               "/rules-in-force", "/health", "/cases/{severe}"),
    "author": ("/queue", "/overview", "/alerts", "/parties", "/institutions", "/quarantine",
               "/webhooks", "/audit", "/health", "/cases"),
    "operator": ("/rule-editor",),
    "auditor": ("/webhooks", "/health", "/rule-editor"),
}  # fmt: skip

ABSENT = "(there is no (institution|endpoint)|没有(机构|端点)) [-\\w]+"
"""What is not there is named as it was asked for."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageWorld]:
    """Cases and alerts of two institutions, some of them hostile; desks of every kind."""
    folder = tmp_path_factory.mktemp("pages")
    with PageWorld.made(
        folder,
        events=True,
        policies=Policies(),
        webhooks=Hooks(),
        bundles=Bundles(),
        backtests=SomeBacktests(MARKUP + TURNED),
    ) as made:
        for name, (role, reach) in ROLES.items():
            made.api.person(name, role, **reach)
        made.api.person("bank-b", Role.INSTITUTION, tenants={"BANK-B"})
        made.api.world.take(
            alert(1, kind="breach"),
            alert(2, subject="K2", severity="critical", kind="suspicion"),
            alert(3, subject=FOREIGN, tenant="BANK-B", kind="breach", payer__name=FOREIGN),
            told(4, {
                "explanation": {"en": MARKUP, "zh": MARKUP},
                "cite": {"title": {"en": MARKUP, "zh": TURNED}, "article": MARKUP,
                         "confidence": MARKUP},
                "measures": {MARKUP: {"amount": "12.50", "currency": "CNY"}, "n": LONG},
                "params": {"p": {"value": FORMULA, "basis": MARKUP}},
                "facts": {"reporter": "BANK-A", "payer.name": MARKUP, "note": LONG,
                          "goods": FORMULA, "turned": TURNED, "many": list(range(60))},
                "events": [MARKUP, TURNED], "event_count": 2, "obligation": [MARKUP],
            }, subject=MARKUP),
        )  # fmt: skip
        case = next(c for c in _cases(made) if "K1" in c.key)
        service = made.api.world.service
        service.comment(WANG, case.id, case.version, MARKUP + LONG[:500] + TURNED, shared=True)
        service.tag(WANG, case.id, case.version + 1, add=[MARKUP[:60]])
        assert made.api.proposals is not None
        hostile = proposal(note=MARKUP + TURNED + LONG[:500], author=MARKUP[:60], text=MARKUP)
        with made.api.proposals.unit(SERVICE) as unit:
            unit.add(SERVICE, hostile, texts(MARKUP, TURNED))
        made.indexer.catch_up()
        made.api.user("sender", Role.SERVICE)
        for event in (bank(), {**deposit(1), "amount": MARKUP}):
            made.api.ask("sender", "POST", "/events", json=event)
        made.api.ask("sender", "POST", "/events", json={**deposit(2), "reporter": "BANK-B",
                                                        "amount": FOREIGN})  # fmt: skip
        yield made


def _cases(world: PageWorld) -> list[Case]:
    from casework.ports import CaseQuery

    return list(world.api.world.record.cases(SERVICE, CaseQuery(open=None), limit=100).items)


def _paths(world: PageWorld) -> list[str]:
    cases = _cases(world)
    names = {
        "case": next(c.id for c in cases if "K1" in c.key),
        "severe": next(c.id for c in cases if "K2" in c.key),
        "alert": f"{1:032x}",
        "proposal": proposal().id,
    }
    return [path.format(**names) for path in PAGES]


def _allowed(name: str, template: str) -> bool:
    return not any(template.startswith(start) for start in NOT_THEIRS[name])


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", ROLES)
def test_every_page_for_every_role(world: PageWorld, name: str, lang: str) -> None:
    person = world.signed_in(name, lang)
    seen: set[str] = set()
    for template, path in zip(PAGES, _paths(world), strict=True):
        response = person.ask("GET", path)
        if template == "/nowhere":
            assert response.status_code == 404
        elif _allowed(name, template):
            assert response.status_code == 200, (name, path, response.text[-1500:])
        else:
            assert response.status_code in (403, 404), (name, path, response.status_code)
        if template.endswith("/text") and response.status_code == 200:
            assert response.headers["content-disposition"].startswith("attachment")
            continue
        page = person.page(response, response.status_code)
        _translated(page, lang)
        _harmless(page)
        if response.status_code == 200 and path != "/styleguide":  # its links are examples
            seen |= {urlsplit(link).path for link in page.links if link.startswith("/")}
    for link in sorted(seen):
        assert person.ask("GET", link).status_code in (200, 303), (name, link)


def _translated(page: Page, lang: str) -> None:
    """No English sentence of the catalogue on a Chinese page, and no Chinese one on an English."""
    if lang == "zh":
        for text in ("Sign out", "Skip to the content", "Nothing waits", "Why it is first"):
            assert text not in page.response.text
    else:
        for text in ("退出", "跳到正文", "没有待办"):
            assert text not in page.response.text


def _harmless(page: Page) -> None:
    assert "<script>alert" not in page.response.text
    assert "<img" not in page.response.text
    assert "\u202e" not in page.response.text and "\u2066" not in page.response.text


def test_hostile_names_are_shown_as_text(world: PageWorld) -> None:
    person = world.signed_in("wang")
    page = person.get(f"/alerts/{4:032x}")
    assert MARKUP in page.text
    assert FORMULA in page.text
    assert "12" in page.text and ".50" in page.text
    assert (
        MARKUP in person.get(f"/cases/{next(c.id for c in _cases(world) if MARKUP in c.key)}").text
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_institution_never_sees_anothers_data(world: PageWorld, lang: str) -> None:
    person = world.signed_in("bank-a", lang)
    other = next(c for c in _cases(world) if FOREIGN in c.key)
    paths = [
        *_paths(world), f"/cases/{other.id}", f"/alerts/{3:032x}", "/institutions/BANK-B",
        f"/parties?kind=party&key={FOREIGN}", "/webhooks/ep-BANK-B", f"/queue?q={FOREIGN[:6]}",
        "/quarantine/2", f"/cases/{other.id}/network.json", f"/cases/{other.id}/timeline.json",
    ]  # fmt: skip
    for path in paths:
        response = person.ask("GET", path)
        text = response.text.replace(path.replace("&", "&amp;"), "")
        text = re.sub(r'(value|href)="[^"]*"', "", text)
        if FOREIGN[:6] in path:
            # What was asked for is said back: as the title, and as the heading.
            text = text.replace(f"<bdi>{FOREIGN}</bdi></h1>", "")
            text = text.replace(f"<title>{FOREIGN}", "")
        assert FOREIGN not in text, path
        assert "BANK-B" not in re.sub(ABSENT, "", text), path
    assert person.ask("GET", f"/cases/{other.id}").status_code == 404
    assert person.ask("GET", f"/alerts/{3:032x}").status_code == 404
    assert person.ask("GET", f"/cases/{other.id}/network.json").status_code == 404


def test_what_may_not_be_told_looks_like_what_is_not_there(world: PageWorld) -> None:
    person = world.signed_in("bank-a")
    severe = next(c for c in _cases(world) if "K2" in c.key)
    known = person.ask("GET", f"/cases/{severe.id}")
    never = person.ask("GET", "/cases/C-00000000000000000000")
    strip = re.compile(r"[0-9a-f]{32}|C-[0-9a-f]{20}")
    assert known.status_code == never.status_code == 404
    assert strip.sub("", known.text) == strip.sub("", never.text)


def test_nobody_without_a_session_sees_a_page(world: PageWorld) -> None:
    stranger = Browser(world)
    for path in _paths(world):
        response = stranger.ask("GET", path)
        if path in ("/preferences", "/nowhere"):
            assert response.status_code in (200, 404)
            continue
        assert response.status_code == 303, path
        assert response.headers["location"].startswith("/signin?next=")


def test_every_form_needs_the_token_of_the_session(world: PageWorld) -> None:
    person = world.signed_in("operator")
    posts = [
        route.path
        for router in routers()
        for route in router.routes
        if isinstance(route, PageRoute) and "POST" in (route.methods or ())
    ]
    wanted = [path for path in posts if path not in ("/signin", "/preferences")]
    assert len(wanted) >= 12, posts
    for path in wanted:
        filled = re.sub(r"{\w+}", "1", path)
        response = person.ask("POST", filled, data={"_csrf": "x" * 43, "act": "comment"})
        assert response.status_code == 403, (path, response.status_code)
        crossed = person.ask(
            "POST", filled, data={"_csrf": person.csrf}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert crossed.status_code == 403, path


def test_the_network_is_data(world: PageWorld) -> None:
    person = world.signed_in("wang")
    case = next(c for c in _cases(world) if "K1" in c.key)
    made = json.loads(person.ask("GET", f"/cases/{case.id}/network.json").content)
    ids = {node["id"] for node in made["nodes"]}
    assert made["edges"] and all(e["source"] in ids and e["target"] in ids for e in made["edges"])


def test_the_timeline_is_data(world: PageWorld) -> None:
    case = next(c for c in _cases(world) if "K1" in c.key)
    made = json.loads(
        world.signed_in("wang", "zh").ask("GET", f"/cases/{case.id}/timeline.json").content
    )
    assert made["lanes"] == ["发现", "处理"]
    found, done = ([i for i in made["items"] if i["lane"] == lane] for lane in made["lanes"])
    assert [item["href"] for item in found] == [f"/alerts/{1:032x}"] and len(done) >= 3
    asked = world.signed_in("bank-a").ask("GET", f"/cases/{case.id}/timeline.json")
    assert asked.status_code == 403
