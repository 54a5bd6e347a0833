"""Rules for everybody; drafts for authors: five faults found and mended, tests run, a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response

from casework.api.shell import Limits
from casework.cases.accounts import EVERYTHING
from casework.cases.scope import Role
from regtech.app.choice import chosen_packs
from regtech.app.drafts import DRAFT_MAX
from regtech.app.rulebook import Rules
from tests.contract.world import SERVICE
from tests.unit.casework.api.api_world import problem
from tests.unit.casework.web.desks import SomeBacktests
from tests.unit.casework.web.html import Page
from tests.unit.casework.web.page_world import Browser, PageWorld, told

RULE = "cn-lvtr-0501"
PACK = "cn-aml-large-value"
PLANTED = (
    ("version: 0.1.0", "version: 0.1"),
    ("jurisdiction: INTL", "jurisdiction: INTLL"),
    ("sum(amount_in", "summ(amount_in"),
    ("per: customer", "per: custmer"),
    ("severity: low", "severity: loww"),
)
PATIENT = Limits(timeout_s=300)
"""The first run of a pack's tests on a machine compiles for a while."""
MEANT = ("did you mean 'sum'?", "did you mean 'low'?", "did you mean 'INTL'?")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageWorld]:
    """All rules of China and one of its cases."""
    folder = tmp_path_factory.mktemp("rule-pages")
    rules, desk = Rules(chosen_packs(("cn",))), SomeBacktests("text")
    with PageWorld.made(folder, rules=rules, limits=PATIENT, backtests=desk) as made:
        made.api.person("wang")
        made.api.person("author", Role.AUTHOR)
        made.api.person("second", Role.AUTHOR)
        made.api.person("bank", Role.INSTITUTION, tenants={"BANK-A"})
        yield made


def _begun(person: Browser) -> str:
    (area,) = person.get("/rule-editor").all("textarea", id="yaml")
    # The first line end belongs to the element, not to the text.
    return area.text.removeprefix("\n")


def _sent(text: str) -> str:
    """As a browser sends it."""
    return text.replace("\n", "\r\n")


def test_rules_are_found_by_word_place_status_and_what_they_wait_for(world: PageWorld) -> None:
    person = world.signed_in("bank")
    found = person.get("/rules?q=50,000+cash")
    assert f"/rules/{RULE}" in found.links
    assert "/rules/cn-str" not in found.links
    assert f"/rules/{RULE}" in person.get("/rules?q=五万元&jurisdiction=CN").links
    assert f"/rules/{RULE}" in person.get("/rules?q=CN-LVTR-AGG&status=enabled").links
    assert "No rule has all of that" in person.get("/rules?jurisdiction=XX").text
    assert person.ask("GET", "/rules?status=odd").status_code == 400
    rules: Any = world.api.context.rules
    waiting = [row for row in rules.rules() if row["waits"]]
    page = person.get("/rules?waits=1")
    assert {f"/rules/{row['id']}" for row in waiting[:50]} <= set(page.links)
    assert f"/rules/{RULE}" not in page.links


def test_the_pages_of_the_list_have_every_rule_once(world: PageWorld) -> None:
    person = world.signed_in("wang")
    path, seen = "/rules", []
    while path:
        page = person.get(path)
        rows = page.response.text.partition("<tbody>")[2].partition("</tbody>")[0]
        seen += re.findall(r'href="/rules/([-\w]+)"', rows)
        following = [n.attrs["href"] for n in page.all("a", rel="next")]
        path = following[0] if following else ""
    assert world.api.context.rules is not None
    assert seen == [row["id"] for row in world.api.context.rules.rules()]


@pytest.mark.parametrize(
    ("lang", "law"), [("en", "Confidence of the citation"), ("zh", "引用可信度")]
)
def test_a_rule_is_a_page_for_lawyers(world: PageWorld, lang: str, law: str) -> None:
    page = world.signed_in("wang", lang).get(f"/rules/{RULE}")
    assert law in page.text and "2017-07-01" in page.text
    assert "CN-LVTR-AGG" in page.text and "/rules/cn-lvtr-0502" in page.links
    assert "several in one day reach the figure exactly" in page.text


def test_precision_is_not_for_those_whose_cases_it_counts(world: PageWorld) -> None:
    asked = "How often findings were right"
    assert asked in world.signed_in("wang").get(f"/rules/{RULE}").text
    assert asked in world.signed_in("author").get(f"/rules/{RULE}").text
    assert asked not in world.signed_in("bank").get(f"/rules/{RULE}").text


@pytest.mark.parametrize("name", ["bank", "wang"])
def test_only_an_author_edits(world: PageWorld, name: str) -> None:
    person = world.signed_in(name)
    assert "/rule-editor" not in person.get("/rules").links
    assert person.ask("GET", "/rule-editor").status_code == 403
    assert person.ask("GET", "/rule-editor/schema.json").status_code == 403
    for act in ("check", "tests", "download", "form", "backtest", "propose"):
        given = {"act": act, "yaml": "pack: x"}
        assert person.send("/rule-editor", given).status_code == 403
    assert person.send("/rule-form", {"yaml": "pack: x"}).status_code == 403
    assert _lint(person, "pack: x").status_code == 403


@pytest.mark.parametrize(
    ("lang", "what"), [("en", "the sum of the amount in CNY"), ("zh", "以CNY计的金额合计")]
)
def test_a_measure_says_what_it_is_while_its_rule_is_in_use(
    world: PageWorld, lang: str, what: str
) -> None:
    assert world.api.context.rules is not None
    digest = world.api.context.rules.law(RULE)["pack_digest"]
    made = {"rule": RULE, "measures": {"cny": {"amount": "60000.00", "currency": "CNY"}}}
    number = 70 if lang == "en" else 72
    world.api.world.take(
        told(number, {**made, "pack_digest": digest}, subject=f"K{number}"),
        told(number + 1, {**made, "pack_digest": "0" * 64}, subject=f"K{number + 1}"),
    )
    person = world.signed_in("wang", lang=lang)
    assert what in person.get(f"/alerts/{number:032x}").text
    assert what not in person.get(f"/alerts/{number + 1:032x}").text


def test_faults_are_told_in_the_language_of_the_page(world: PageWorld) -> None:
    person = world.signed_in("author", lang="zh")
    assert world.api.context.rules is not None
    wrong = world.api.context.rules.source("cn-aml-conduct")
    wrong = wrong.replace("severity: high", "severity: hihg", 1) + "extra: &a 1\n"
    page = person.page(person.send("/rule-editor", {"act": "check", "yaml": _sent(wrong)}))
    assert "severity：未知的值 'hihg'" in page.text and "是否应为 'high'？" in page.text
    assert "不允许使用锚点" in page.text
    assert not [item for item in page.all("span") if item.attrs.get("lang") == "en"]
    fault = next(f for f in _lint(person, wrong).json()["faults"] if f["code"] == "RL104")
    assert fault["message"] == "severity：未知的值 'hihg'"
    assert (fault["hint"], fault["replacement"]) == ("是否应为 'high'？", "high")
    # What goes wrong elsewhere is told the same way, states and roles by their words.
    lost = person.get("/rules/nothing", status=404)
    assert "没有规则 nothing" in lost.text


def _lint(person: Browser, text: str, token: str | None = None) -> Response:
    headers = {"X-CSRF-Token": person.csrf if token is None else token}
    return person.ask("POST", "/rule-editor/lint", json={"yaml": text}, headers=headers)


def test_an_author_finds_five_planted_faults_mends_them_and_takes_the_file(
    world: PageWorld,
) -> None:
    person = world.signed_in("author")
    whole = text = _begun(person)
    for good, bad in PLANTED:
        assert text.count(good) == 1, good
        text = text.replace(good, bad)
    # Nothing is run and nothing given out.
    for act in ("tests", "download"):
        refused = person.send("/rule-editor", {"act": act, "yaml": _sent(text)})
        assert "mend these first" in person.page(refused, 422).text
    for left in range(len(PLANTED), 0, -1):
        page = person.page(person.send("/rule-editor", {"act": "check", "yaml": _sent(text)}))
        lines = {int(n) for n in re.findall(r"Line (\d+), column \d+", page.text)}
        planted = {
            number
            for number, line in enumerate(text.split("\n"), 1)
            if any(bad in line for _, bad in PLANTED)
        }
        assert len(planted) == left and planted <= lines, (planted, lines)
        assert {f"#line-{number}" for number in planted} <= set(page.links)
        if left == len(PLANTED):
            assert all(hint in page.text for hint in MEANT), page.text[:3000]
        good, bad = PLANTED[left - 1]
        text = text.replace(bad, good)
    assert text == whole
    page = person.page(person.send("/rule-editor", {"act": "check", "yaml": _sent(text)}))
    assert "No errors." in page.text
    file = person.send("/rule-editor", {"act": "download", "yaml": _sent(text)})
    assert file.status_code == 200 and file.text == text
    assert file.headers["content-disposition"] == 'attachment; filename="new-pack.yml"'


def test_tests_are_run_and_those_that_fail_say_why(world: PageWorld) -> None:
    person = world.signed_in("author")
    wrong = _begun(person).replace("total: 10000", "total: 10001")
    page = person.page(person.send("/rule-editor", {"act": "tests", "yaml": _sent(wrong)}))
    assert "1 test failed" in page.text
    assert "expected 10001, got USD 10000.00" in page.text


def test_a_pack_in_use_is_opened_and_the_draft_held_against_it(world: PageWorld) -> None:
    person = world.signed_in("author")
    assert world.api.context.rules is not None
    text = world.api.context.rules.source("cn-aml-conduct")
    page = person.get("/rule-editor?pack=cn-aml-conduct")
    assert page.all("textarea")[0].text.removeprefix("\n") == text
    same = person.page(person.send("/rule-editor", {"act": "check", "yaml": _sent(text)}))
    assert "decides the same as the pack in use" in same.text
    other = text.replace("severity: high", "severity: critical", 1)
    page = person.page(person.send("/rule-editor", {"act": "check", "yaml": _sent(other)}))
    assert "give it a higher one" in page.text
    assert world.api.context.rules.source("cn-aml-conduct") == text


def test_the_script_of_the_editor_gets_faults_and_the_schema(world: PageWorld) -> None:
    person = world.signed_in("author")
    answer = _lint(person, "pack: x\nversoin: 1.0.0\n")
    assert answer.status_code == 200
    fault = next(f for f in answer.json()["faults"] if f["line"] == 2)
    assert set(fault) == {
        "line", "column", "code", "severity", "message", "hint", "replacement"
    }  # fmt: skip
    assert (fault["column"], fault["hint"]) == (1, "did you mean 'version'?")
    assert fault["replacement"] == "version"
    assert _lint(person, "pack: x", token="x" * 43).status_code == 403
    schema = person.ask("GET", "/rule-editor/schema.json").json()
    assert "x-functions" in str(schema)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "pack: !!python/object/apply:os.system ['id']\n",
        "[" * 5000,
        "pack: </textarea><script>alert(1)</script>\n",
        "pack: \u202ereversed\n",
        "pack: a\x00b\n",
        "x" * 100_000,
        "\n" * 5_000 + "x: [\n",
    ],
)
def test_hostile_yaml_is_text_with_faults(world: PageWorld, text: str) -> None:
    person = world.signed_in("author")
    page = person.page(person.send("/rule-editor", {"act": "check", "yaml": text}))
    assert "error" in page.text
    assert "<script>alert" not in page.response.text
    assert "/site-packages/" not in page.text and "rules/cn" not in page.text


def test_a_draft_that_is_too_long_is_refused(world: PageWorld) -> None:
    person = world.signed_in("author")
    given = {"act": "check", "yaml": "# " + "x" * DRAFT_MAX}
    refused = person.send("/rule-editor", given)
    assert refused.status_code == 400 and str(DRAFT_MAX) in refused.text
    assert person.send("/rule-editor", {"act": "publish", "yaml": ""}).status_code == 400


def _version(text: str, number: str) -> str:
    return text.replace("version: 1.0.0", f"version: {number}", 1)


def _base(page: Page) -> str:
    (field,) = page.all("input", name="base")
    return field.attrs["value"]


def test_an_author_proposes_and_a_second_person_approves(world: PageWorld) -> None:
    author, name = world.signed_in("author"), "cn-aml-conduct"
    page = author.get(f"/rule-editor?pack={name}")
    text, base = page.all("textarea")[0].text.removeprefix("\n"), _base(page)
    changed = text.replace("severity: high", "severity: critical", 1)
    fields = {"act": "propose", "yaml": _sent(changed), "note": "as Order 3 has it", "base": base}
    # What stands against it is said beside the draft, which is still there.
    refused = author.page(author.send("/rule-editor", fields), 400)
    assert "It was not proposed" in refused.text and "higher version" in refused.text
    assert refused.all("textarea")[0].text.removeprefix("\n") == changed
    assert _base(refused) == base and "as Order 3 has it" in refused.text
    fields["yaml"] = _sent(_version(changed, "1.1.0"))
    failing = fields["yaml"].replace("alert: {subject: C1}", "alert: {subject: C2}", 1)
    failed = author.page(author.send("/rule-editor", {**fields, "yaml": failing}), 422)
    assert "It was not proposed" in failed.text and "tests of the draft that fail: 1" in failed.text
    stale = author.page(author.send("/rule-editor", {**fields, "base": "x"}), 409)
    assert "the text was made from another" in stale.text
    shown = author.done("/rule-editor", fields)
    assert "waits for a second person" in shown.text and "Somebody else has to decide" in shown.text
    assert "severity: critical" in shown.text and "+" in shown.text
    proposals: Any = world.api.proposals
    path = f"/proposals/{proposals.proposals(SERVICE).items[0].id}"
    assert [b.attrs["value"] for b in shown.all("button", name="act")] == ["withdraw"]
    own = author.page(author.send(path, {"act": "approve"}), 403)
    assert "A second person has to decide" in own.text
    # Those who may not, cannot; those who cannot see it, learn nothing.
    bank = world.signed_in("bank")
    assert bank.ask("GET", path).status_code == 403
    assert bank.send(path, {"act": "approve"}).status_code == 403
    second = world.signed_in("second", "zh")
    assert path in second.get("/proposals").links
    buttons = second.get(path).all("button", name="act")
    assert [b.attrs["value"] for b in buttons] == ["approve", "refuse"]
    assert second.send(path, {"act": "refuse", "reason": ""}).status_code == 400
    done = second.done(path, {"act": "approve"})
    assert "已批准，尚未生效" in done.text
    # It is said on the page that nothing is in force yet; the pack in use is the one it was.
    again = author.get(path)
    assert "regtech rules apply" in again.text
    assert world.api.context.rules is not None
    assert world.api.context.rules.source(name) == text
    file = author.ask("GET", f"{path}/text")
    assert file.text == _version(changed, "1.1.0")
    assert author.send(path, {"act": "publish"}).status_code == 400


def test_the_same_through_the_api(world: PageWorld) -> None:
    api, name = world.api, "cn-aml-payment-accounts"
    for who in ("author", "second", "wang"):
        api.key(who, EVERYTHING)
    assert api.context.rules is not None
    used = api.ask("author", "GET", f"/packs/{name}").json()
    text = _version(api.context.rules.source(name), "1.0.1")
    body = {"yaml": text, "note": "figures of 2026", "base": used["digest"]}
    faulty = {**body, "yaml": text.replace("severity: medium", "severity: mediun", 1)}
    told = problem(api.ask("author", "POST", "/proposals", json=faulty), 422, "content")
    assert told["faults"] and "did you mean 'medium'?" in str(told["faults"])
    problem(api.ask("wang", "POST", "/proposals", json=body), 403, "forbidden")
    nameless = {name: value for name, value in body.items() if name != "base"}
    told = problem(api.ask("author", "POST", "/proposals", json=nameless), 409, "conflict")
    assert "digest" in told["hint"] and "base" in told["hint"]
    sent = {"json": body, "headers": {"Idempotency-Key": "one"}}
    made = api.ask("author", "POST", "/proposals", **sent)
    assert made.status_code == 201, made.text
    assert api.ask("author", "POST", "/proposals", **sent).json() == made.json()
    found = made.json()
    assert (found["state"], found["base_version"], found["yaml"]) == ("open", "1.0.0", text)
    assert found["findings"]["tests"] > 0
    decide = f"/proposals/{found['id']}/decision"
    problem(api.ask("author", "POST", decide, json={"act": "approve"}), 403, "four_eyes")
    refused = api.ask("wang", "POST", decide, json={"act": "refuse", "reason": "not yet"})
    assert (refused.json()["state"], refused.json()["reason"]) == ("refused", "not yet")
    problem(api.ask("second", "POST", decide, json={"act": "approve"}), 409, "transition")
    listed = api.ask("second", "GET", f"/proposals?state=refused&pack={name}").json()
    assert [one["id"] for one in listed["items"]] == [found["id"]]


def test_what_stands_against_a_backtest_is_said_beside_the_draft(world: PageWorld) -> None:
    person = world.signed_in("author")
    text = _begun(person)
    fields = {"act": "backtest", "yaml": _sent(text), "history": "journal"}
    page = person.page(person.send("/rule-editor", fields), 503)
    assert "It was not begun" in page.text and "another backtest is running" in page.text
    assert page.all("textarea", id="yaml")[0].text.removeprefix("\n") == text


def test_a_backtest_opens_down_to_one_alert(world: PageWorld) -> None:
    person = world.signed_in("second")
    page = person.get("/backtests/B-1")
    assert "/backtests/B-1/changes/0" in page.links
    assert "/backtests/B-1?institution=BANK-A#changes" in page.links
    assert len(page.all("rect")) == 20 and "98–100 %" in page.text
    assert "None of these" in person.get("/backtests/B-1?kind=gone").text
    assert person.ask("GET", "/backtests/B-1?kind=odd").status_code == 400
    assert person.ask("GET", "/backtests/B-1/changes/1").status_code == 404
    one = person.get("/backtests/B-1/changes/0")
    assert "49000" in re.sub(r"[, ]", "", one.text) and "no alert" in one.text
    # While it runs the page comes again by itself; only who began it may stop it.
    running = person.get("/backtests/B-2")
    assert running.response.headers["refresh"] == "2; url=/backtests/B-2" and "33 %" in running.text
    assert running.all("form", action="/backtests/B-2/cancel") == []
    assert person.send("/backtests/B-2/cancel", {}).status_code == 409


def _filled(page: Page) -> dict[str, str]:
    """The values of a form as a browser would send them."""
    found: dict[str, str] = {}
    for node in page.all("input") + page.all("textarea"):
        name = node.attrs.get("name", "")
        if name.startswith("value:"):
            text = node.text.removeprefix("\n") if node.tag == "textarea" else node.attrs["value"]
            found[name] = text.replace("\n", "\r\n")
    for name, word in re.findall(
        r'<select id="v-[^"]*" name="(value:[^"]+)">.*?<option selected>([^<]*)</option>',
        page.response.text,
    ):
        found[name] = word
    return found


def _draft_of(page: Page) -> str:
    return page.all("textarea", name="yaml")[0].text.removeprefix("\n")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_rule_is_a_form_that_writes_the_same_yaml(world: PageWorld, lang: str) -> None:
    person, name = world.signed_in("author", lang), "cn-aml-large-value"
    assert world.api.context.rules is not None
    text = world.api.context.rules.source(name)
    begun = {"act": "form", "yaml": _sent(text), "rule": RULE, "base": "b"}
    page = person.page(person.send("/rule-editor", begun))
    values = _filled(page)
    assert values["value:params/cash_cny/value"] == "CNY 50000"
    assert values["value:rules/0/alert/severity"] == "medium"
    assert values["value:rules/0/title/zh"].startswith("当日现金")
    same = {"yaml": _sent(text), "base": "b", "rule": RULE, "shown": RULE, **values}
    # Saved as it was, it is what it was, byte by byte.
    back = person.page(person.send("/rule-form", {**same, "act": "yaml"}))
    assert _draft_of(back) == text and _base(back) == "b"
    changed = {**same, "act": "yaml", "value:params/cash_cny/value": "CNY 49000"}
    back = person.page(person.send("/rule-form", changed))
    assert _draft_of(back) == text.replace("{value: CNY 50000,", "{value: CNY 49000,", 1)
    # A value that is none is told with its place, as in the YAML.
    wrong = {**same, "act": "check", "value:rules/0/alert/due": "5 workng days"}
    page = person.page(person.send("/rule-form", wrong))
    assert ("error" if lang == "en" else "错误") in page.text and "workng" in page.text
    # One test at a time, by its number.
    page = person.page(person.send("/rule-form", {**same, "act": "check", "test": "1"}))
    assert _filled(page)["value:rules/0/tests/1/events/0/amount"] == "49999.99"
    assert "value:rules/0/tests/0/name" not in _filled(page)
    other = person.page(person.send("/rule-form", {**same, "act": "check", "rule": "cn-lvtr-0502"}))
    assert "value:rules/1/id" in _filled(other) and _draft_of(other) == text


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_form_adds_and_takes_away(world: PageWorld, lang: str) -> None:
    """A new figure from a day on, a measure, a test: each is there, and gone without a trace."""
    person, name = world.signed_in("author", lang), "cn-aml-large-value"
    assert world.api.context.rules is not None
    text = world.api.context.rules.source(name)
    fields = {"base": "b", "rule": RULE, "shown": RULE}
    steps = (
        ("figure params/cash_cny", {"value": "CNY 40000", "from": "2027-01-01"},
         "{until: 2026-12-31, value: CNY 50000}, {from: 2027-01-01, value: CNY 40000}",
         "on params/cash_cny/values/1"),
        ("measure rules/0", {"name": "many", "value": "count(over=day)"},
         "      many: count(over=day)\n", "off rules/0/let/many"),
        ("test rules/0", {"name": "a further one", "like": "1"},
         "      - name: a further one\n", "off rules/0/tests/{last}"),
    )  # fmt: skip
    for part, typed, line, taken in steps:
        given = {f"new:{part} {key}": value for key, value in typed.items()}
        act = f"add:{SECTIONS[part.split()[0]]}:{part}"
        added = {**fields, "yaml": _sent(text), "act": act, **given}
        page = person.page(person.send("/rule-form", added))
        draft = _draft_of(page)
        assert line in draft and draft != text
        choices = {n.attrs["value"]: n for n in page.all("option") if "value" in n.attrs}
        if part.startswith("test"):
            # It is open, to be filled in.
            assert any(v.endswith("/name") for v in _filled(page) if "/tests/" in v)
            taken = max(
                (v for v in choices if re.fullmatch(r"off rules/0/tests/\d+", v)),
                key=lambda v: int(v.rpartition("/")[2]),
            )
        assert taken in choices
        (select,) = [n for n in page.all("select") if _holds(page, n, taken)]
        number = select.attrs["name"].removeprefix("take:")
        away = {**fields, "yaml": _sent(draft), "act": f"take:{number}", f"take:{number}": taken}
        assert _draft_of(person.page(person.send("/rule-form", away))) == text


SECTIONS = {"figure": "figures", "measure": "condition", "test": "tests"}


def _holds(page: Page, select: Any, value: str) -> bool:
    whole = page.response.text.partition(f'name="{select.attrs["name"]}"')[2]
    return f'value="{value}"' in whole.partition("</select>")[0]


def test_what_cannot_be_added_keeps_what_was_typed(world: PageWorld) -> None:
    person = world.signed_in("author")
    assert world.api.context.rules is not None
    text = world.api.context.rules.source("cn-aml-large-value")
    part = "figure params/cash_cny"
    given = {f"new:{part} value": "CNY 40000", f"new:{part} from": "soon"}
    fields = {"yaml": _sent(text), "base": "b", "rule": RULE, "shown": RULE, **given}
    page = person.page(person.send("/rule-form", {**fields, "act": f"add:figures:{part}"}), 400)
    assert "no day" in page.text and _draft_of(page) == text
    (typed,) = [n for n in page.all("input") if n.attrs.get("name") == f"new:{part} from"]
    assert typed.attrs["value"] == "soon"
    page = person.page(person.send("/rule-form", {**fields, "act": "take:law"}), 400)
    assert "nothing was chosen" in page.text


def test_a_form_that_cannot_be_written_keeps_what_was_typed(world: PageWorld) -> None:
    person = world.signed_in("author")
    text = _begun(person)
    fields = {"yaml": _sent(text), "base": "", "rule": "new-rule", "shown": "new-rule"}
    bad = {**fields, "act": "yaml", "value:rules/0/title/en": "a\x07b", "value:params/x": "1"}
    page = person.page(person.send("/rule-form", bad), 400)
    assert "could not be written into the draft" in page.text and _draft_of(page) == text
    hostile = text + '# </textarea><script>x</script> &lt; "q"\n'
    shown = person.page(person.send("/rule-form", {**fields, "yaml": hostile, "act": "check"}))
    assert "<script>x" not in shown.response.text and _draft_of(shown) == hostile
    broken = {"act": "form", "yaml": "rules: [", "rule": ""}
    assert "cannot be shown as a form" in person.page(person.send("/rule-editor", broken), 400).text
    empty = {"act": "form", "yaml": "pack: x", "rule": ""}
    assert "the draft has no rule" in person.page(person.send("/rule-editor", empty)).text
