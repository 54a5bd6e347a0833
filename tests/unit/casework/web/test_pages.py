"""What forms do: the stories of each person, and what is kept when something comes between.

Long because each form of the pages has its story here, in one world.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from casework.cases.scope import Role
from casework.identity.rate import COOKIE
from casework.search.errors import IndexAbsentError
from casework.service.search import SearchService
from casework.web.render import environment
from tests.contract.world import DAY_US, SERVICE, WANG
from tests.unit.casework.api.api_world import PASSWORD, SECOND_US
from tests.unit.casework.web.desks import Bundles, Hooks
from tests.unit.casework.web.html import Page
from tests.unit.casework.web.page_world import Browser, PageWorld, told

LANGUAGES = ("en", "zh")
TYPED = "looked at <b>everything</b>,\nline two 第二行"


def act(person: Browser, case: str, name: str, **fields: str) -> Page:
    """Do something with a case as it stands."""
    version = person.get(f"/cases/{case}").values("version")[0]
    return person.done(f"/cases/{case}/act", {"act": name, "version": version, **fields})


def ticked(person: Browser, case: str) -> None:
    """Tick off what closing needs."""
    for item in ("facts", "law"):
        act(person, case, "check", item=item, done="1")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_supervisor_takes_the_first_case_and_closes_it(pages: PageWorld, lang: str) -> None:
    case = pages.case(1, kind="suspicion")
    person = pages.browser("wang", lang=lang)
    assert case.id in person.get("/queue").text
    assert case.id in person.done("/queue/claim", {}).text
    ticked(person, case.id)
    page = act(person, case.id, "close", outcome="unfounded", reason=TYPED)
    kept = pages.api.world.record.case(SERVICE, case.id)
    assert kept.ended and kept.closing_reason == TYPED and kept.assignee == "wang"
    assert ("Unfounded" if lang == "en" else "不实") in page.text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_severe_case_takes_two(pages: PageWorld, lang: str) -> None:
    case = pages.case(1, severity="critical")
    one, two = pages.browser("wang", lang=lang), pages.browser("li", lang=lang)
    act(one, case.id, "triage")
    ticked(one, case.id)
    page = act(one, case.id, "ask_report", outcome="confirmed", reason="report it")
    assert not [n for n in page.nodes if n.attrs.get("value") == "approve"]
    version = page.values("version")[0]
    own = one.send(f"/cases/{case.id}/act",
                   {"act": "approve", "number": version, "version": version})  # fmt: skip
    assert own.status_code == 403
    one.page(own, 403)
    assert case.id in two.get("/queue?state=awaiting_approval").text
    page = two.get(f"/cases/{case.id}")
    number = next(n.attrs["value"] for n in page.nodes if n.attrs.get("name") == "number")
    act(two, case.id, "approve", number=number)
    assert pages.api.world.record.case(SERVICE, case.id).state.value == "reported"


def test_two_people_edit_one_case_and_nothing_typed_is_lost(pages: PageWorld) -> None:
    case = pages.case(1)
    one, two = pages.browser("wang"), pages.browser("li")
    seen = one.get(f"/cases/{case.id}").values("version")[0]
    act(two, case.id, "comment", text="I was faster")
    response = one.send(f"/cases/{case.id}/act", {"act": "comment", "version": seen, "text": TYPED})
    page = one.page(response, 409)
    assert "Somebody was faster" in page.text
    assert any(n.tag == "textarea" and n.text.strip() == TYPED for n in page.nodes)
    assert page.values("version")[0] != seen
    again = act(one, case.id, "comment", text=TYPED)
    assert "I was faster" in again.text and "line two" in again.text


def test_a_refused_act_keeps_what_was_typed(pages: PageWorld) -> None:
    case = pages.case(1)
    person = pages.browser("wang")
    act(person, case.id, "triage")
    version = person.get(f"/cases/{case.id}").values("version")[0]
    response = person.send(
        f"/cases/{case.id}/act",
        {"act": "close", "version": version, "outcome": "confirmed", "reason": TYPED},
    )
    page = person.page(response, 409)
    assert "Points of the checklist are open" in page.text
    assert any(n.tag == "textarea" and n.text.strip() == TYPED for n in page.nodes)
    (chosen,) = [n for n in page.nodes if n.attrs.get("name") == "outcome" and "checked" in n.attrs
                 and n.attrs["value"] == "confirmed"]  # fmt: skip
    assert chosen
    opened = [n for n in page.all("details") if "open" in n.attrs]
    assert any(TYPED in n.text for n in opened)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_session_that_ends_loses_no_text(pages: PageWorld, lang: str) -> None:
    case = pages.case(1)
    person = pages.browser("wang", lang=lang)
    version = person.get(f"/cases/{case.id}").values("version")[0]
    csrf = person.csrf
    pages.api.clock.advance(13 * 3600 * SECOND_US)
    path = f"/cases/{case.id}/act"
    response = person.ask("POST", path, data={
        "_csrf": csrf, "act": "comment", "version": version, "text": TYPED})  # fmt: skip
    page = person.page(response, 401)
    (resume,) = page.values("resume")
    response = person.ask("POST", "/signin", data={
        "name": "wang", "password": "not this one at all", "resume": resume})  # fmt: skip
    page = person.page(response, 401)
    assert page.values("resume") == [resume]
    response = person.ask("POST", "/signin", data={
        "name": "wang", "password": PASSWORD, "resume": resume})  # fmt: skip
    page = person.page(response)
    fields = {n: page.values(n)[0] for n in ("act", "version", "_csrf")}
    (area,) = page.all("textarea")
    assert area.text.strip() == TYPED
    form = next(n for n in page.all("form") if n.attrs.get("action") == path)
    assert form
    response = person.ask("POST", path, data={**fields, "text": area.text.strip()})
    assert response.status_code == 303
    assert "line two" in person.get(f"/cases/{case.id}").text


def test_a_page_leads_back_after_signing_in(pages: PageWorld) -> None:
    case = pages.case(1)
    pages.api.person("wang")
    stranger = Browser(pages)
    response = stranger.ask("GET", f"/cases/{case.id}?alert=1")
    where = response.headers["location"]
    page = stranger.get(where)
    (after,) = page.values("next")[-1:]
    response = stranger.ask(
        "POST", "/signin", data={"name": "wang", "password": PASSWORD, "next": after}
    )
    assert response.headers["location"] == f"/cases/{case.id}?alert=1"


@pytest.mark.parametrize(
    "where", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)",
              "/a\r\nSet-Cookie: x=y", ""],
)  # fmt: skip
def test_nobody_is_led_to_another_site(pages: PageWorld, where: str) -> None:
    pages.api.person("wang")
    response = Browser(pages).ask(
        "POST", "/signin", data={"name": "wang", "password": PASSWORD, "next": where}
    )
    assert response.headers["location"] == "/"
    forged = '{"path": "//evil.example", "fields": [["a", "b"]]}'
    response = Browser(pages).ask(
        "POST", "/signin", data={"name": "wang", "password": PASSWORD, "resume": forged}
    )
    assert response.status_code == 303


def test_another_site_cannot_sign_a_browser_in(pages: PageWorld) -> None:
    pages.api.person("wang")
    response = Browser(pages).ask(
        "POST", "/signin", data={"name": "wang", "password": PASSWORD},
        headers={"Sec-Fetch-Site": "cross-site"},
    )  # fmt: skip
    assert response.status_code == 403
    assert COOKIE not in response.cookies


def test_failures_have_to_wait(pages: PageWorld) -> None:
    pages.api.person("wang")
    stranger = Browser(pages)
    found = [
        stranger.ask("POST", "/signin", data={"name": "wang", "password": "wrong" * 3})
        for _ in range(12)
    ]
    assert found[0].status_code == 401
    assert found[-1].status_code == 429 and int(found[-1].headers["retry-after"]) > 0
    page = stranger.page(found[-1], 429)
    assert page.values("name")[0] == "wang"
    assert "wrong" not in found[-1].text.replace("is wrong", "")


def test_the_second_factor_is_asked_for(pages: PageWorld) -> None:
    pages.api.person("wang")
    pages.api.identity.enrol_second_factor(SERVICE, "wang")
    response = Browser(pages).ask(
        "POST", "/signin", data={"name": "wang", "password": PASSWORD, "code": "000000"}
    )
    assert response.status_code == 401


def test_signing_out_ends_the_session(pages: PageWorld) -> None:
    person = pages.browser("wang")
    token = person.cookies[COOKIE]
    assert person.send("/signout", {}).status_code == 303
    person.cookies[COOKIE] = token
    assert person.ask("GET", "/queue").status_code == 303


def test_language_and_colours_can_be_switched_anywhere(pages: PageWorld) -> None:
    stranger = Browser(pages, {"regtech-lang": "en"})
    page = stranger.get("/signin")
    assert "Sign in" in page.text
    response = stranger.ask("POST", "/preferences", data={"lang": "zh", "next": "/signin"})
    assert response.status_code == 303 and response.headers["location"] == "/signin"
    assert "登录" in stranger.get("/signin").text
    stranger.ask("POST", "/preferences", data={"theme": "dark", "zone": "Asia/Shanghai"})
    page = stranger.get("/signin")
    assert page.all("html")[0].attrs["data-theme"] == "dark"
    for bad in ({"lang": "xx"}, {"theme": "pink"}, {"zone": "x" * 100}):
        assert not stranger.ask("POST", "/preferences", data=bad).cookies


def test_many_cases_at_once_each_on_its_own(pages: PageWorld) -> None:
    one, two = pages.case(1, subject="A"), pages.case(2, subject="B")
    person = pages.browser("wang")
    fields = {"act": "claim", "case": [f"{one.id}@{one.version}", f"{two.id}@99"]}
    page = person.page(person.send("/queue/bulk", fields))
    assert "1 case done" in page.text and "1 left as it was" in page.text
    assert pages.api.world.record.case(SERVICE, one.id).assignee == "wang"
    for bad in ({"act": "claim"}, {"act": "nothing", "case": f"{one.id}@1"},
                {"act": "claim", "case": "x"}):  # fmt: skip
        person.page(person.send("/queue/bulk", bad), 400)


def test_a_view_is_kept_and_found_again(pages: PageWorld) -> None:
    pages.case(1)
    person = pages.browser("wang")
    page = person.done("/queue/views", {"name": "mine & yours", "theme": "laundering", "q": ""})
    assert "mine & yours" in page.text
    response = person.ask("GET", "/queue/views/mine%20%26%20yours")
    assert response.headers["location"] == "/queue?theme=laundering"
    page = person.done("/queue/views/mine%20%26%20yours/forget", {})
    assert "mine & yours" not in page.text


def test_search_finds_and_facets_count(pages: PageWorld) -> None:
    pages.case(1, subject="K1")
    pages.case(2, subject="K2", severity="high")
    person = pages.browser("wang")
    page = person.get("/queue?q=K2")
    assert "BANK-A|K2" in page.text and "BANK-A|K1" not in page.text
    page = person.get("/queue")
    assert any("severity=high" in link for link in page.links)
    assert "Nothing was found" in person.get("/queue?q=zzzzzz").text


def test_an_institution_answers_and_sends_a_file(pages: PageWorld) -> None:
    case = pages.case(1, kind="breach")
    bank = pages.browser("bank", Role.INSTITUTION, tenants={"BANK-A"})
    page = bank.done(f"/cases/{case.id}/act", {"act": "comment", "text": TYPED})
    assert "line two" in page.text
    assert bank.send(f"/cases/{case.id}/act", {"act": "close"}).status_code == 403
    response = bank.send(f"/cases/{case.id}/files", {}, files={
        "file": ("proof.pdf", b"%PDF-1.7 hello", "application/pdf")})  # fmt: skip
    assert response.status_code == 303
    wang = pages.browser("wang")
    page = wang.get(f"/cases/{case.id}")
    (link,) = [link for link in page.links if "/files/" in link]
    found = wang.ask("GET", link)
    assert found.content == b"%PDF-1.7 hello"
    assert found.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in found.headers["content-security-policy"]
    assert bank.ask("GET", link).status_code in (403, 404)


def test_a_file_that_is_not_what_it_says_is_refused(pages: PageWorld) -> None:
    case = pages.case(1)
    person = pages.browser("wang")
    for name, content in (("x.pdf", b"MZ no pdf"), ("", b"%PDF-"), ("x.pdf", b"")):
        response = person.send(f"/cases/{case.id}/files", {"version": str(case.version)},
                               files={"file": (name, content, "application/pdf")})  # fmt: skip
        assert response.status_code == 400, name
    assert not pages.api.world.record.case(SERVICE, case.id).files


def test_personal_data_is_masked_until_a_reason_is_given(pages: PageWorld) -> None:
    case = pages.case(1, payer__name="Somebody Real")
    person = pages.browser("wang")
    assert "Somebody Real" not in person.get(f"/cases/{case.id}").response.text
    assert "Somebody Real" not in person.get(f"/alerts/{1:032x}").response.text
    person.page(person.send(f"/cases/{case.id}/unmask", {"reason": " "}), 400)
    page = person.page(person.send(f"/cases/{case.id}/unmask", {"reason": "a summons"}))
    assert "Somebody Real" in page.text
    auditor = pages.browser("aud", Role.AUDITOR)
    assert "a summons" in auditor.get("/audit?chain=BANK-A").text


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", ("What made the score", "silent for long", "0.1 to 2.5")),
     ("zh", ("得分构成", "长期不活跃", "0.1 至 2.5"))],
)  # fmt: skip
def test_a_score_is_drawn_with_its_parts_and_said_as_a_table(
    pages: PageWorld, lang: str, words: tuple[str, ...]
) -> None:
    reason = {
        "feature": "payer_silence", "value": "3.4", "usually": ["0.1", "2.5"], "added": "0.7",
        "text": {"en": "the payer was silent for long before", "zh": "付款方此前长期不活跃"},
        "unit": {"en": "log of usual gaps", "zh": "与平常间隔之比的对数"},
    }  # fmt: skip
    finding = {
        "model": "2026-06-29-abc-1", "role": "champion", "digest": "d" * 64,
        "trained_until": "2026-06-29T00:00:00Z", "score": "0.912000000",
        "threshold": "0.464000000", "reasons": [reason], "row": [0.5, 3.4],
    }  # fmt: skip
    body = {"findings": {"event.anomaly(budget=0.5%) @INTL": finding}}
    (case,) = pages.api.world.take(told(7, body))
    person = pages.browser("wang", lang=lang)
    for path in (f"/cases/{case.id}", f"/alerts/{7:032x}"):
        page = person.get(path)
        assert all(word in page.text for word in (*words, "0.912000000", "2026-06-29-abc-1"))
        assert 'class="usual"' in page.response.text and 'class="beyond"' in page.response.text
    pages.api.world.take(told(8, {}, subject="K9"))
    assert 'class="usual"' not in person.get(f"/alerts/{8:032x}").response.text


def test_evidence_is_handed_out_as_a_file(pages: PageWorld) -> None:
    case = pages.case(1)
    person = pages.browser("wang")
    assert person.send(f"/cases/{case.id}/evidence", {}).status_code == 400
    object.__setattr__(pages.parts, "bundles", Bundles())
    response = person.send(f"/cases/{case.id}/evidence", {})
    assert response.status_code == 200 and case.id in response.headers["content-disposition"]


def test_the_chain_is_checked_here(pages: PageWorld) -> None:
    case = pages.case(1)
    pages.api.world.service.comment(WANG, case.id, case.version, "a comment")
    person = pages.browser("aud", Role.AUDITOR)
    page = person.page(person.send("/audit/verify", {"chain": "BANK-A"}))
    assert "The chain is whole" in page.text
    page = person.page(person.send("/audit/verify", {
        "chain": "BANK-A", "from": "1", "previous": "00" * 32}))  # fmt: skip
    assert "The chain is broken at entry 2" in page.text
    assert person.send("/audit/verify", {"chain": "NO-BANK"}).status_code == 404
    wang = pages.browser("wang")
    assert wang.send("/audit/verify", {"chain": "BANK-A"}).status_code == 403


def test_keys_are_made_shown_once_and_revoked(pages: PageWorld) -> None:
    person = pages.browser("wang")
    wanted = {"label": "a machine", "permission": ["read"], "days": "30"}
    page = person.page(person.send("/accounts/keys", wanted))
    (text,) = re.findall(r"rtk_\w+[\w-]*", page.text)
    pages.api.keys["wang"] = text
    assert pages.api.ask("wang", "GET", "/cases").status_code == 200
    page = person.get("/accounts")
    assert text not in page.response.text
    (path,) = [
        n.attrs["action"] for n in page.all("form") if "/revoke" in n.attrs.get("action", "")
    ]
    person.done(path, {})
    pages.api.clock.advance(2 * SECOND_US)
    assert pages.api.ask("wang", "GET", "/cases").status_code == 401


def test_an_operator_keeps_somebody_out_and_lets_them_in(pages: PageWorld) -> None:
    wang, operator = pages.browser("wang"), pages.browser("op", Role.OPERATOR)
    assert wang.send("/accounts/users/op/disable", {}).status_code == 403
    operator.page(operator.send("/accounts/users/op/disable", {}), 400)
    page = operator.done("/accounts/users/wang/disable", {})
    assert "kept out" in page.text
    assert wang.ask("GET", "/queue").status_code == 303
    operator.done("/accounts/users/wang/enable", {})
    assert pages.signed_in("wang").get("/queue")


def test_an_operator_looks_after_webhooks(pages: PageWorld) -> None:
    hooks = Hooks()
    object.__setattr__(pages.parts, "webhooks", hooks)
    operator = pages.browser("op", Role.OPERATOR)
    page = operator.page(operator.send("/webhooks/ep-BANK-A/rotate", {}))
    assert "whsec_fresh" in page.text
    assert "whsec_fresh" not in operator.get("/webhooks").response.text
    operator.done("/webhooks/ep-BANK-A/replay", {"message": "msg-ep-BANK-A"})
    page = operator.page(operator.send("/webhooks", {"url": "https://x.example/in"}))
    assert "whsec_new" in page.text
    operator.done("/webhooks/ep-BANK-A/remove", {})
    assert [name for name, _ in hooks.done] == ["rotate", "replay", "register", "remove"]
    bank = pages.browser("bank", Role.INSTITUTION, tenants={"BANK-A"})
    assert bank.send("/webhooks/ep-BANK-B/rotate", {}).status_code == 404


def test_snooze_and_due_are_days_on_the_viewers_clock(pages: PageWorld) -> None:
    case = pages.case(1)
    person = pages.browser("wang")
    person.cookies["regtech-zone"] = "Asia/Shanghai"
    act(person, case.id, "snooze", until="2026-03-05", reason="they answer on Thursday")
    kept = pages.api.world.record.case(SERVICE, case.id)
    assert kept.snoozed_until_us == 1_772_726_399_000_000  # 2026-03-05T23:59:59+08:00
    assert case.id not in person.get("/queue").text
    assert case.id in person.get("/queue?every=1").text
    version = str(kept.version)
    response = person.send(f"/cases/{case.id}/act", {
        "act": "snooze", "version": version, "until": "2026-02-30", "reason": "x"})  # fmt: skip
    person.page(response, 400)


def test_the_overview_counts_what_the_queue_shows(pages: PageWorld) -> None:
    for number in range(1, 4):
        pages.case(number, subject=f"K{number}", jurisdiction="CN" if number < 3 else "SG")
    person = pages.browser("wang")
    page = person.get("/overview")
    row = next(n for n in page.all("tr") if "SG" in n.text)
    assert "1" in row.text
    assert "/queue?jurisdiction=SG" in page.links
    assert "Singapore" in row.text
    # Themes have weeks as well, those in which their cases were opened.
    (theme,) = [n for n in page.all("section") if n.attrs["aria-labelledby"] == "theme-heading"]
    assert "+3" in theme.text and "Cases opened, 12 weeks" in theme.text
    # What weeks count is what their links show.
    weeks = next(x for x in page.links if x.startswith("/queue?theme=") and "from=" in x)
    assert len(person.get(weeks).all("tr", **{"data-line": ""})) == 3
    opened = weeks.partition("from=")[2][:10]
    assert "No case" in person.get(f"/queue?every=1&until={opened}").text
    alerts = [link for link in page.links if link.startswith("/alerts?from=")]
    assert len(alerts) == 12
    shown = [len(person.get(link).all("tr", **{"data-line": ""})) for link in alerts]
    assert shown == [0] * 11 + [3]
    (china,) = [link for link in page.links if link.startswith("/alerts?jurisdiction=CN&from=")][:1]
    assert len(person.get(china).all("tr", **{"data-line": ""})) == 2
    assert person.get("/alerts?from=yesterday", status=400)
    assert "BANK-A" in person.get("/queue?jurisdiction=SG").text
    pages.api.clock.advance(40 * DAY_US)
    fresh = pages.signed_in("wang")
    assert "/queue?jurisdiction=CN&overdue=1" in fresh.get("/overview").links


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_that_is_not_there_keeps_the_menu(pages: PageWorld, lang: str) -> None:
    person = pages.browser("wang", lang=lang)
    assert "/queue" in person.get("/nowhere", status=404).links
    assert "/queue" not in Browser(pages, {"regtech-lang": lang}).get("/nowhere", status=404).links


def test_a_script_of_a_page_is_told_in_the_language_of_the_page(pages: PageWorld) -> None:
    person = pages.browser("wang", lang="zh")
    asks = {"Accept": "application/json"}
    answer = person.ask("GET", "/queue/count?state=nothing", headers=asks)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert (found["code"], found["status"]) == ("usage", 400)
    assert not found["title"].isascii() and not found["detail"].isascii()


def test_a_script_may_be_kept_for_ever_and_nothing_lies_beside_it(pages: PageWorld) -> None:
    page = Browser(pages).get("/signin")
    script = page.all("script")[-1]
    response = Browser(pages).ask("GET", script.attrs["src"])
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["content-type"].startswith("text/javascript")
    for bad in ("/static/x/../render.py", "/static/x/%2e%2e/render.py", "/static/x/nothing.css"):
        assert Browser(pages).ask("GET", bad).status_code in (400, 404)


def test_the_api_says_in_its_own_way_that_it_has_nothing(pages: PageWorld) -> None:
    response = Browser(pages).ask("GET", "/api/v1/nothing")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["content-security-policy"].startswith("default-src 'none'; frame")


@pytest.mark.parametrize(
    ("lang", "said"), [("en", ("1 case", "2 cases")), ("zh", ("1 件案件", "2 件案件"))]
)
def test_the_number_of_cases_is_told_only_when_it_changes(
    pages: PageWorld, lang: str, said: tuple[str, str]
) -> None:
    pages.case(1, subject="K1")
    person = pages.browser("wang", lang=lang)
    page = person.get("/queue?theme=laundering")
    (shown,) = [node for node in page.nodes if "data-live" in node.attrs]
    assert shown.attrs["data-live"] == "/queue/count?theme=laundering"
    assert shown.attrs["aria-live"] == "polite"
    first = person.ask("GET", "/queue/count")
    assert first.json() == {"count": 1, "text": said[0]} and said[0] in person.get("/queue").text
    known = {"If-None-Match": first.headers["etag"]}
    assert person.ask("GET", "/queue/count", headers=known).status_code == 304
    pages.case(2, subject="K2")
    assert person.ask("GET", "/queue/count", headers=known).json()["text"] == said[1]
    assert person.ask("GET", "/queue/count?theme=nothing").json()["count"] == 0


def test_a_subject_is_named_in_the_language_of_the_page() -> None:
    shown = environment("zh").from_string("{{ label('per', code) }}")
    assert shown.render(code="owner,owned.sector") == "所有者, 被持股公司 – 行业"
    assert shown.render(code="subject.id") == "对象"
    assert shown.render(code="odd<b>") == "odd&lt;b&gt;"


def test_a_search_before_its_index_is_made_says_so(pages: PageWorld, monkeypatch: Any) -> None:
    def absent(*_: object, **__: object) -> None:
        raise IndexAbsentError

    person = pages.browser("wang")
    monkeypatch.setattr(SearchService, "search", absent)
    page = person.page(person.ask("GET", "/queue?q=K1"), 503)
    assert "The search index is still being made" in page.text
    assert person.ask("GET", "/queue").status_code == 200


def test_a_figure_says_its_unit_in_the_language_of_the_page() -> None:
    shown = environment("zh").from_string("{{ value|figure }}")
    assert shown.render(value="24 hours") == "24 小时"
    assert shown.render(value="5 working days") == "5 个工作日"
    assert shown.render(value="CNY 50,000") == "CNY 50,000"
    assert shown.render(value="25% <b>") == "25% &lt;b&gt;"
