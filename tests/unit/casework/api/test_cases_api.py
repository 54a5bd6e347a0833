"""Cases over HTTP: the queue, acting on what was seen, files, what institutions are shown."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from casework.cases.scope import Role
from casework.cases.timeline import EntryKind
from casework.stores.memory_service import MemoryAnswers
from tests.contract.world import SERVICE
from tests.unit.casework.api.api_world import ApiWorld, problem
from tests.unit.casework.api.outward import SomeWebhooks


@pytest.fixture
def wang(api: ApiWorld) -> ApiWorld:
    """With a supervisor."""
    api.user("wang", Role.SUPERVISOR)
    return api


def test_a_case_is_worked_from_the_queue_to_its_end(wang: ApiWorld) -> None:
    case = wang.case()
    wang.user("li", Role.SUPERVISOR)
    claimed = wang.ask("wang", "POST", "/cases/claim", json={})
    assert claimed.json()["case"]["id"] == case.id
    assert "nothing else waits" in claimed.json()["why"]["en"]
    assert claimed.headers["etag"] == '"3"'
    version = 3
    for action in (
        {"action": "investigate"},
        {"action": "comment", "text": "asked for the contract"},
        {"action": "tag", "add": ["salary"]},
        {"action": "check", "item": "facts"},
        {"action": "check", "item": "law"},
        {"action": "close", "outcome": "unfounded", "reason": "a salary"},
    ):
        done = wang.ask(
            "wang", "POST", f"/cases/{case.id}/actions", json=action,
            headers={"If-Match": f'"{version}"'},
        )  # fmt: skip
        assert done.status_code == 200, done.text
        version = done.json()["version"]
        assert done.headers["etag"] == f'"{version}"'
    shown = wang.ask("wang", "GET", f"/cases/{case.id}").json()
    assert (shown["state"], shown["outcome"], shown["tags"]) == ("closed", "unfounded", ["salary"])
    assert [e["sequence"] for e in shown["timeline"]] == list(range(1, version + 1))
    assert wang.ask("wang", "GET", "/cases").json()["items"] == []
    assert len(wang.ask("wang", "GET", "/cases?every=true").json()["items"]) == 1
    (row,) = wang.ask("wang", "GET", "/cases/precision").json()["items"]
    assert (row["rule"], row["unfounded"], row["precision"]) == ("cn-rule", 1, "0.000")


def test_every_action_has_its_call(wang: ApiWorld) -> None:
    wang.user("li", Role.SUPERVISOR)
    case, other = wang.case(severity="high"), wang.case(2, subject="K2")
    wang.case(3, severity="high", day=1)

    def done(action: str, who: str = "wang", **more: object) -> dict[str, object]:
        version = wang.world.record.case(SERVICE, case.id).version
        response = wang.act(who, case, version, action, **more)
        assert response.status_code == 200, (action, response.text)
        shown: dict[str, object] = response.json()
        return shown

    assert done("assign", to="li")["assignee"] == "li"
    assert done("triage")["state"] == "triage"
    assert done("escalate", reason="large")["state"] == "escalated"
    done("comment", text="said", shared=True)
    done("share", shared=True, reason="agreed")
    done("snooze", until="2026-03-05T00:00:00Z", reason="waits for an answer")
    done("wake")
    assert done("prioritise", priority=99, reason="pressing", queue="fast")["queue"] == "fast"
    assert done("set_due", due="2026-04-01T00:00:00+08:00", reason="longer")["due"] == (
        "2026-03-31T16:00:00Z"
    )
    done("link", case=other.id)
    done("ask_override", about="cn-rule", reason="noise")
    number = wang.world.record.case(SERVICE, case.id).requests[0].number
    problem(wang.act("wang", case, number, "approve", number=number), 403, "four_eyes")
    done("approve", who="li", number=number)
    done("ask_export", about="to the court", reason="asked for")
    number = wang.world.record.case(SERVICE, case.id).requests[0].number
    done("refuse", who="li", number=number, reason="not yet")
    done("ask_close", outcome="duplicate", reason="twice")
    number = wang.world.record.case(SERVICE, case.id).requests[0].number
    assert done("approve", who="li", number=number)["state"] == "closed"
    assert done("reopen", reason="more came")["state"] == "reopened"
    done("ask_report", outcome="duplicate", reason="as it is")
    number = wang.world.record.case(SERVICE, case.id).requests[0].number
    done("refuse", number=number, reason="my own, taken back")
    split = done("split", alerts=[f"{3:032x}"], reason="another matter")
    assert split["id"] != case.id
    there = wang.world.record.case(SERVICE, other.id).version
    merged = done("merge", into=other.id, into_version=there, reason="the same")
    assert merged["id"] == other.id


def test_without_the_version_that_was_seen_nothing_is_done(wang: ApiWorld) -> None:
    case = wang.case()
    path = f"/cases/{case.id}/actions"
    missing = wang.ask("wang", "POST", path, json={"action": "triage"})
    problem(missing, 428, "precondition_missing")
    for text in ("7", 'W/"1"', '"x"', "*", '"1", "2"'):
        response = wang.ask(
            "wang", "POST", path, json={"action": "triage"}, headers={"If-Match": text}
        )
        problem(response, 400, "usage")
    found = problem(wang.act("wang", case, 9, "triage"), 412, "precondition")
    assert found["changes"] == ["the version that was seen does not exist"]
    assert wang.world.all()[0].version == 1


def test_the_second_of_two_gets_a_conflict_and_nothing_is_lost(wang: ApiWorld) -> None:
    case = wang.case()
    wang.user("li", Role.SUPERVISOR)
    assert wang.act("wang", case, 1, "comment", text="first").status_code == 200
    found = problem(wang.act("li", case, 1, "triage"), 412, "precondition")
    assert found["changes"] == ["commented by wang"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda k: wang.act("li", case, 2, "comment", text=f"at once {k}"), range(16))
        )
    assert sorted(a.status_code for a in answers) == [200] + [412] * 15
    assert wang.world.all()[0].version == 3


def test_two_people_never_claim_the_same(wang: ApiWorld) -> None:
    for number in range(1, 9):
        wang.case(number, subject=f"K{number}")
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: wang.ask("wang", "POST", "/cases/claim", json={}), range(12))
        )
    claimed = [a.json()["case"]["id"] for a in answers if a.json()["case"] is not None]
    assert len(claimed) == len(set(claimed)) == 8


def test_the_same_request_again_is_done_once(wang: ApiWorld) -> None:
    case = wang.case()
    path, key = f"/cases/{case.id}/actions", {"Idempotency-Key": "k1", "If-Match": '"1"'}
    body = {"action": "comment", "text": "once"}
    first = wang.ask("wang", "POST", path, json=body, headers=key)
    second = wang.ask("wang", "POST", path, json=body, headers=key)
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"] == '"2"'
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    other = wang.ask("wang", "POST", path, json={**body, "text": "twice"}, headers=key)
    problem(other, 409, "idempotency")
    assert wang.world.all()[0].version == 2


def test_a_key_is_its_owners_and_is_not_spent_by_an_error(wang: ApiWorld) -> None:
    case = wang.case()
    wang.user("li", Role.SUPERVISOR)
    path, body = f"/cases/{case.id}/actions", {"action": "comment", "text": "mine"}
    stale = {"Idempotency-Key": "k1", "If-Match": '"5"'}
    problem(wang.ask("wang", "POST", path, json=body, headers=stale), 412, "precondition")
    good = {"Idempotency-Key": "k1", "If-Match": '"1"'}
    assert wang.ask("wang", "POST", path, json=body, headers=good).status_code == 200
    again = {"Idempotency-Key": "k1", "If-Match": '"2"'}
    assert wang.ask("li", "POST", path, json=body, headers=again).status_code == 200
    assert wang.world.all()[0].version == 3
    for bad in ("", "x" * 201):
        response = wang.ask("wang", "POST", path, json=body, headers={"Idempotency-Key": bad})
        problem(response, 400, "usage")


def test_an_answer_is_replayed_only_to_who_may_ask(wang: ApiWorld) -> None:
    case = wang.case()
    headers = {"Idempotency-Key": "k1", "If-Match": '"1"'}
    body = {"action": "comment", "text": "once"}
    path = f"/cases/{case.id}/actions"
    assert wang.ask("wang", "POST", path, json=body, headers=headers).status_code == 200
    from casework.cases.accounts import Permission

    wang.key("wang", frozenset({Permission.READ}))
    problem(wang.ask("wang", "POST", path, json=body, headers=headers), 403, "forbidden")


def test_the_same_at_once_is_done_once(wang: ApiWorld) -> None:
    wang.case()

    def claim(_: int) -> int:
        headers = {"Idempotency-Key": "claim-1"}
        return wang.ask("wang", "POST", "/cases/claim", json={}, headers=headers).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = set(pool.map(claim, range(12)))
    assert statuses <= {200, 409}
    assert wang.world.all()[0].version == 3


def test_pages_cover_everything_once_in_order(wang: ApiWorld) -> None:
    for number in range(1, 8):
        wang.case(number, subject=f"K{number}", severity=("low", "high")[number % 2])
    whole = [c["id"] for c in wang.ask("wang", "GET", "/cases").json()["items"]]
    assert len(whole) == 7
    pieces, after = [], None
    while True:
        query = "?limit=3" + (f"&after={after}" if after else "")
        page = wang.ask("wang", "GET", f"/cases{query}").json()
        pieces += [c["id"] for c in page["items"]]
        after = page["after"]
        if after is None:
            break
    assert pieces == whole
    for bad in ("x", "e30", "'"):
        problem(wang.ask("wang", "GET", f"/cases?after={bad}"), 400, "usage")
        problem(wang.ask("wang", "GET", f"/alerts?after={bad}"), 400, "usage")


def test_timeline_alerts_and_related_come_in_pages(wang: ApiWorld) -> None:
    case = wang.case(1, payer__account="A1")
    wang.case(2, subject="K2", payer__account="A1")
    for number in range(4):
        wang.act("wang", case, number + 1, "comment", text=f"{number}")
    first = wang.ask("wang", "GET", f"/cases/{case.id}/timeline?limit=3").json()
    assert [e["sequence"] for e in first["items"]] == [1, 2, 3]
    rest = wang.ask("wang", "GET", f"/cases/{case.id}/timeline?after={first['after']}").json()
    assert [e["sequence"] for e in rest["items"]] == [4, 5]
    assert rest["after"] is None
    (found,) = wang.ask("wang", "GET", f"/cases/{case.id}/alerts").json()["items"]
    assert found["id"] == f"{1:032x}"
    (related,) = wang.ask("wang", "GET", f"/cases/{case.id}/related").json()["items"]
    assert related["shared"] == [{"kind": "account", "key": "A1"}]
    party = wang.ask("wang", "GET", "/parties?kind=account&key=A1").json()
    assert len(party["alerts"]) == len(party["cases"]) == 2
    early = wang.ask(
        "wang", "GET", "/parties?kind=account&key=A1&until=2026-01-01T00:00:00Z"
    ).json()
    assert early["alerts"] == []


def test_personal_data_is_masked_until_a_reason_is_given(wang: ApiWorld) -> None:
    case = wang.case(1, payer__name="Zhang San")
    assert "Zhang San" not in wang.ask("wang", "GET", f"/cases/{case.id}").text
    assert "Zhang San" not in wang.ask("wang", "GET", f"/alerts/{1:032x}").text
    path = f"/cases/{case.id}/unmask"
    problem(wang.ask("wang", "POST", path, json={"reason": " "}), 400, "usage")
    clear = wang.ask("wang", "POST", path, json={"reason": "to compare with the list"})
    assert "Zhang San" in clear.text
    (entry,) = [e for e in wang.world.record.log(SERVICE, "BANK-A") if e.kind is EntryKind.UNMASKED]
    assert (entry.actor, entry.reason) == ("wang", "to compare with the list")


def test_a_second_look_at_personal_data_is_not_an_answer_that_was_kept(wang: ApiWorld) -> None:
    """Nor does it lie about in the store for a day: each look is asked for and on record."""
    case = wang.case(1, payer__name="Zhang San")
    path, why = f"/cases/{case.id}/unmask", {"reason": "to compare with the list"}
    key = {"Idempotency-Key": "look-1"}
    assert "Zhang San" in wang.ask("wang", "POST", path, json=why, headers=key).text
    again = wang.ask("wang", "POST", path, json=why, headers=key)
    problem(again, 409, "idempotency")
    assert "Zhang San" not in again.text
    assert (
        "Zhang San"
        in wang.ask("wang", "POST", path, json=why, headers={"Idempotency-Key": "2"}).text
    )
    looks = [e for e in wang.world.record.log(SERVICE, "BANK-A") if e.kind is EntryKind.UNMASKED]
    assert len(looks) == 2


def test_the_secret_of_a_webhook_is_shown_once_with_a_key_as_well(tmp_path: Path) -> None:
    with ApiWorld.made(tmp_path, webhooks=SomeWebhooks()) as api:
        api.user("bank-a", Role.INSTITUTION, tenants={"BANK-A"})
        body, key = {"url": "https://bank-a.example"}, {"Idempotency-Key": "hook-1"}
        made = api.ask("bank-a", "POST", "/webhooks", json=body, headers=key)
        assert (made.status_code, made.json()["secret"]) == (201, "whsec_secret")
        again = api.ask("bank-a", "POST", "/webhooks", json=body, headers=key)
        problem(again, 409, "idempotency")
        kept = api.context.answers
        assert isinstance(kept, MemoryAnswers) and "whsec_secret" not in repr(vars(kept))


def test_files_are_what_they_say(wang: ApiWorld) -> None:
    case = wang.case()
    content = b"%PDF-1.7 contract"
    sha256 = hashlib.sha256(content).hexdigest()

    def put(path_digest: str, kind: str, body: bytes, version: int = 1) -> Any:
        return wang.ask(
            "wang", "PUT", f"/cases/{case.id}/files/{path_digest}?name=contract.pdf",
            content=body, headers={"Content-Type": kind, "If-Match": f'"{version}"'},
        )  # fmt: skip

    problem(put("0" * 64, "application/pdf", content), 400, "usage")
    problem(put(sha256, "text/html", content), 400, "usage")
    problem(put(sha256.upper(), "application/pdf", content), 422, "invalid")
    assert put(sha256, "application/pdf", content).status_code == 200
    got = wang.ask("wang", "GET", f"/cases/{case.id}/files/{sha256}")
    assert got.content == content
    assert got.headers["content-disposition"].startswith("attachment")
    assert got.headers["content-type"] == "application/octet-stream"
    problem(wang.ask("wang", "GET", f"/cases/{case.id}/files/{'0' * 64}"), 404, "not_found")


def test_bulk_does_what_can_be_done(wang: ApiWorld) -> None:
    first, second = wang.case(1), wang.case(2, subject="K2")
    body = {
        "cases": [
            {"case": first.id, "version": 1},
            {"case": second.id, "version": 9},
            {"case": "C-none", "version": 1},
        ],
        "act": {"action": "triage"},
    }
    items = wang.ask("wang", "POST", "/cases/bulk", json=body).json()["items"]
    assert [item["id"] for item in items] == [first.id, second.id, "C-none"]
    assert items[0]["case"]["state"] == "triage"
    assert [item["error"] and item["error"]["code"] for item in items] == [
        None, "conflict", "not_found",
    ]  # fmt: skip


def test_an_institution_sees_its_part_and_answers(wang: ApiWorld) -> None:
    case = wang.case()
    wang.case(2, subject="K2", kind="suspicion", rule="cn-secret")
    wang.user("bank-a", Role.INSTITUTION, tenants={"BANK-A"})
    (line,) = wang.ask("bank-a", "GET", "/cases").json()["items"]
    assert line == {"case": case.id, "theme": line["theme"], "jurisdiction": "CN", "open": True}
    wang.act("wang", case, 1, "comment", text="to colleagues")
    wang.act("wang", case, 2, "comment", text="please explain", shared=True)
    shown = wang.ask("bank-a", "GET", f"/cases/{case.id}")
    assert "etag" not in shown.headers
    assert [m["text"] for m in shown.json()["messages"]] == ["please explain"]
    assert "to colleagues" not in shown.text and "wang" not in shown.text
    answer = wang.ask(
        "bank-a", "POST", f"/cases/{case.id}/actions",
        json={"action": "comment", "text": "it was a salary"},
    )  # fmt: skip
    assert answer.json() == {"case": case.id, "taken": True}
    problem(
        wang.ask("bank-a", "POST", f"/cases/{case.id}/actions", json={"action": "triage"}),
        403, "forbidden",
    )  # fmt: skip
    assert [a["id"] for a in wang.ask("bank-a", "GET", "/alerts").json()["items"]] == [f"{1:032x}"]
    problem(wang.ask("bank-a", "GET", f"/alerts/{2:032x}"), 404, "not_found")
    kinds = [e.kind for e in wang.world.record.log(SERVICE, "BANK-A")]
    assert kinds.count(EntryKind.DISCLOSED) == 3


def test_the_log_is_for_those_who_audit(wang: ApiWorld) -> None:
    case = wang.case(1, payer__name="Zhang San")
    wang.act("wang", case, 1, "comment", text="said")
    wang.user("audit", Role.AUDITOR)
    problem(wang.ask("wang", "GET", "/audit/entries?chain=BANK-A"), 403, "forbidden")
    chains = wang.ask("audit", "GET", "/audit/chains").json()["items"]
    assert [c["chain"] for c in chains] == ["", "BANK-A"]
    entries = wang.ask("audit", "GET", "/audit/entries?chain=BANK-A").json()["items"]
    assert entries[-1]["hash"] == chains[1]["hash"]
    assert [e["position"] for e in entries] == list(range(1, len(entries) + 1))
    first = wang.ask("audit", "GET", "/audit/entries?chain=BANK-A&limit=1").json()
    assert first["after"] == "1"
