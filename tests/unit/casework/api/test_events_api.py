"""Events over HTTP: decisions, files, the quarantine, and what a restart finds again."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from casework.cases.accounts import Permission
from casework.cases.scope import Role
from casework.ports import JobState
from regtech.app.deciding import Deciding
from regtech.app.journal import Journal
from regtech.errors import ConflictError, StoreError
from tests.contract.world import SERVICE
from tests.unit.casework.api.api_world import ApiWorld, bank, deposit, problem

LINES = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def feed(judging: ApiWorld) -> ApiWorld:
    """With a feed, and a bank that is known to be one."""
    judging.user("feed", Role.SERVICE)
    judging.user("wang", Role.SUPERVISOR)
    judging.user("bank-a", Role.INSTITUTION, tenants={"BANK-A"})
    assert judging.ask("feed", "POST", "/events", json=bank()).json()["verdict"] == "judged"
    return judging


def _verdict(response: Any) -> str:
    assert response.status_code in (200, 202), response.text
    found: str = response.json()["verdict"]
    assert (response.json()["refusal"] is None) == (response.status_code == 200)
    return found


def _hand_over(api: ApiWorld) -> None:
    assert api.deciding is not None
    api.deciding.hand_over(SERVICE)


def test_one_event_is_decided_on_and_becomes_a_case(feed: ApiWorld) -> None:
    below = feed.ask("feed", "POST", "/events", json=deposit(1, "49999.99"))
    assert (_verdict(below), below.json()["alerts"]) == ("judged", [])
    reached = feed.ask("feed", "POST", "/events", json=deposit(2))
    (found,) = reached.json()["alerts"]
    assert found["rule"] == "cn-lvtr-0501"
    assert found["measures"]["cny"] == {"amount": "50000.00", "currency": "CNY"}
    _hand_over(feed)
    (case,) = feed.ask("wang", "GET", "/cases").json()["items"]
    assert case["tenants"] == ["BANK-A"]
    shown = feed.ask("wang", "GET", f"/alerts/{found['id']}").json()
    assert shown["seal"] == found["seal"]


def test_the_sum_of_a_day_is_met_by_the_event_that_reaches_it(feed: ApiWorld) -> None:
    first = deposit(1, "30000")
    second = {**deposit(2, "20000"), "payee": first["payee"]}
    assert feed.ask("feed", "POST", "/events", json=first).json()["alerts"] == []
    (found,) = feed.ask("feed", "POST", "/events", json=second).json()["alerts"]
    assert found["events"] == ["1", "2"]


def test_the_same_event_again_gives_the_same_answer_and_changes_nothing(feed: ApiWorld) -> None:
    first = feed.ask("feed", "POST", "/events", json=deposit(1))
    again = feed.ask("feed", "POST", "/events", json=deposit(1))
    assert _verdict(again) == "repeated"
    assert again.json()["alerts"] == first.json()["alerts"]
    _hand_over(feed)
    (case,) = feed.ask("wang", "GET", "/cases").json()["items"]
    assert case["alerts"] == 1


def test_what_cannot_be_judged_is_kept_and_said(feed: ApiWorld) -> None:
    assert _verdict(feed.ask("feed", "POST", "/events", json=deposit(30))) == "judged"
    late = feed.ask("feed", "POST", "/events", json=deposit(2))
    assert _verdict(late) == "late"
    conflict = feed.ask("feed", "POST", "/events", json=deposit(30, "70000"))
    assert _verdict(conflict) == "conflict"
    fraction = feed.ask("feed", "POST", "/events", json=deposit(31, "1.234"))
    assert _verdict(fraction) == "refused"
    assert fraction.json()["refusal"]["code"] == "amount_precision"
    number = feed.ask(
        "feed", "POST", "/events", content=b'{"amount": 1.5}',
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    assert _verdict(number) == "refused"
    kept = feed.ask("feed", "GET", "/quarantine").json()["items"]
    assert [event["code"] for event in kept][:3] == ["late", "conflict", "amount_precision"]
    assert json.loads(kept[2]["raw"])["amount"] == "1.234"


def test_many_at_once_are_judged_in_the_order_they_came(feed: ApiWorld) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda k: feed.ask("feed", "POST", "/events", json=deposit(7, id=str(k),
                     payee={"id": f"C{k}"})), range(40))
        )  # fmt: skip
    assert {_verdict(answer) for answer in answers} == {"judged"}
    assert sum(len(answer.json()["alerts"]) for answer in answers) == 40
    _hand_over(feed)
    assert len(feed.world.all()) == 40


def test_nobody_sends_for_another(feed: ApiWorld) -> None:
    strange = feed.ask("bank-a", "POST", "/events", json=deposit(1, reporter="BANK-B"))
    problem(strange, 403, "forbidden")
    problem(feed.ask("wang", "POST", "/events", json=deposit(1)), 403, "forbidden")
    feed.key("bank-a", frozenset({Permission.READ}))
    problem(feed.ask("bank-a", "POST", "/events", json=deposit(1)), 403, "forbidden")
    twice = b'{"reporter": "BANK-B", "reporter": "BANK-A", "id": "1"}'
    feed.key("bank-a", frozenset(Permission))
    kind = {"Content-Type": "application/json"}
    refused = feed.ask("bank-a", "POST", "/events", content=twice, headers=kind)
    assert _verdict(refused) == "refused"


MANY_DIGITS = b',"note":' + b"1" * 5000 + b"}"
"""The end of an event: a field that no event has, with a number that Python makes none of."""


def _of_b(number: int) -> bytes:
    return json.dumps(deposit(number, reporter="BANK-B")).encode()[:-1] + MANY_DIGITS


def test_nobody_sends_for_another_behind_a_number_that_is_too_long(feed: ApiWorld) -> None:
    kind = {"Content-Type": "application/json"}
    assert _verdict(feed.ask("feed", "POST", "/events", content=_of_b(1), headers=kind)) == "judged"
    strange = feed.ask("bank-a", "POST", "/events", content=_of_b(2), headers=kind)
    problem(strange, 403, "forbidden")
    job = feed.ask("bank-a", "POST", "/events/bulk", content=_of_b(3), headers=LINES).json()
    assert feed.bulk is not None
    feed.bulk.work(SERVICE)
    shown = feed.ask("bank-a", "GET", f"/events/jobs/{job['id']}").json()
    assert shown["counts"] == {"refused": 1}


def test_an_event_that_nobody_can_tell_the_reporter_of_is_refused(
    feed: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the two readers of an event differ in: it is never in favour of the sender."""
    from regtech.app import bulk, deciding

    monkeypatch.setattr(deciding, "named", lambda line: ("", ""))
    monkeypatch.setattr(bulk, "named", lambda line: ("", ""))
    problem(feed.ask("bank-a", "POST", "/events", json=deposit(1)), 403, "forbidden")
    text = json.dumps(deposit(2)).encode() + b"\nno event\n"
    job = feed.ask("bank-a", "POST", "/events/bulk", content=text, headers=LINES).json()
    assert feed.bulk is not None
    feed.bulk.work(SERVICE)
    assert feed.desk.job(SERVICE, job["id"]).counts == {"refused": 2}
    kept = feed.ask("bank-a", "GET", "/quarantine").json()["items"]
    assert [event["code"] for event in kept] == ["not_json", "forbidden"]


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"", "application/json", 400, "usage"),
        (b" \n ", "application/json", 400, "usage"),
        (b"{}", "text/plain", 415, "media_type"),
        (b"{}", "", 415, "media_type"),
    ],
)
def test_events_that_are_none(
    feed: ApiWorld, content: bytes, kind: str, status: int, code: str
) -> None:
    response = feed.ask("feed", "POST", "/events", content=content, headers={"Content-Type": kind})
    problem(response, status, code)


@pytest.mark.parametrize(
    "content", [b"[]", b"null", b"{", b"\xff\xfe", b'{"id":"1"}{"id":"2"}', b"[" * 5000, b"\x00"]
)
def test_whatever_is_sent_is_answered(feed: ApiWorld, content: bytes) -> None:
    kind = {"Content-Type": "application/json"}
    assert _verdict(feed.ask("feed", "POST", "/events", content=content, headers=kind)) == "refused"


def test_an_event_may_be_written_over_several_lines(feed: ApiWorld) -> None:
    text = json.dumps(deposit(1), indent=2)
    kind = {"Content-Type": "application/json"}
    assert _verdict(feed.ask("feed", "POST", "/events", content=text, headers=kind)) == "judged"


def test_a_bank_is_not_told_of_suspicion(feed: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tipping off: the answer leaves out what an institution may not know."""
    from regtech.app import deciding

    monkeypatch.setattr(deciding, "sees_alert", lambda scope, alert: not scope.restricted)
    assert feed.ask("bank-a", "POST", "/events", json=deposit(1)).json()["alerts"] == []
    assert len(feed.ask("feed", "POST", "/events", json=deposit(2)).json()["alerts"]) == 1
    _hand_over(feed)
    assert len(feed.world.all()) == 2


def test_files_of_one_institution_leave_room_in_line_for_others(feed: ApiWorld) -> None:
    text = json.dumps(deposit(1)).encode() + b"\n"

    def sent(who: str) -> int:
        answer = feed.ask(who, "POST", "/events/bulk", content=text, headers=LINES)
        if answer.status_code == 409:
            assert "20 files of the institution are in line" in answer.json()["detail"]
        return answer.status_code

    assert [sent("bank-a") for _ in range(21)] == [202] * 20 + [409]
    assert sent("feed") == 202 and sent("bank-a") == 409
    assert feed.bulk is not None
    feed.bulk.work(SERVICE)
    assert sent("bank-a") == 202


def test_a_file_of_events_is_judged_whatever_its_order(feed: ApiWorld) -> None:
    events = [deposit(k, payee={"id": f"C{k % 7}"}, amount="9000") for k in range(1, 50)]
    broken = b'{"id": "x"\n\n'
    text = b"".join(json.dumps(event).encode() + b"\n" for event in reversed(events)) + broken
    sent = feed.ask("feed", "POST", "/events/bulk", content=text, headers=LINES)
    assert sent.status_code == 202
    path = sent.headers["location"].removeprefix("/api/v1")
    assert feed.ask("feed", "GET", path).json()["state"] == "waiting"
    assert feed.bulk is not None
    feed.bulk.work(SERVICE)
    done = feed.ask("feed", "GET", path).json()
    assert (done["state"], done["at"], done["lines"]) == ("done", len(text), 49)
    assert done["counts"] == {"judged": 49, "alerts": 7, "refused": 1}
    (bad,) = feed.ask("feed", "GET", "/quarantine").json()["items"]
    assert (bad["line"], bad["source"], bad["code"]) == (50, done["id"], "not_json")
    feed.bulk.work(SERVICE)
    assert list(feed.bulk._folder.iterdir()) == []
    again = feed.ask("feed", "POST", "/events/bulk", content=text, headers=LINES)
    feed.bulk.work(SERVICE)
    shown = feed.ask("feed", "GET", again.headers["location"].removeprefix("/api/v1")).json()
    assert shown["counts"] == {"repeated": 49, "refused": 1}


def test_a_file_holds_only_what_its_sender_may_send(feed: ApiWorld) -> None:
    text = b"".join(
        json.dumps(deposit(k, reporter=name)).encode() + b"\n"
        for k, name in enumerate(("BANK-A", "BANK-B", "BANK-A"), 1)
    )
    job = feed.ask("bank-a", "POST", "/events/bulk", content=text, headers=LINES).json()
    assert feed.bulk is not None
    feed.bulk.work(SERVICE)
    shown = feed.ask("bank-a", "GET", f"/events/jobs/{job['id']}").json()
    assert shown["counts"] == {"judged": 2, "refused": 1}
    (bad,) = feed.ask("bank-a", "GET", "/quarantine").json()["items"]
    assert (bad["code"], bad["line"], bad["found"]) == ("forbidden", 2, "BANK-B")


def test_a_bank_is_not_told_how_many_alerts_its_file_gave(feed: ApiWorld) -> None:
    """Beside the alerts that it may see, the number of all tells of a suspicion."""
    text = json.dumps(deposit(1)).encode()
    job = feed.ask("bank-a", "POST", "/events/bulk", content=text, headers=LINES).json()
    assert feed.bulk is not None
    feed.bulk.work(SERVICE)
    path = f"/events/jobs/{job['id']}"
    assert feed.ask("bank-a", "GET", path).json()["counts"] == {"judged": 1}
    (listed,) = feed.ask("bank-a", "GET", "/events/jobs").json()["items"]
    assert listed["counts"] == {"judged": 1}
    assert feed.ask("feed", "GET", path).json()["counts"] == {"judged": 1, "alerts": 1}


def test_a_file_can_be_stopped(feed: ApiWorld) -> None:
    text = json.dumps(deposit(1)).encode()
    job = feed.ask("feed", "POST", "/events/bulk", content=text, headers=LINES).json()
    path = f"/events/jobs/{job['id']}"
    assert feed.ask("feed", "DELETE", path).json()["state"] == "cancelled"
    assert feed.bulk is not None
    feed.bulk.work(SERVICE)
    assert feed.ask("feed", "GET", path).json()["counts"] == {}
    problem(feed.ask("feed", "DELETE", path), 409, "conflict")
    problem(feed.ask("feed", "POST", "/events/bulk", content=b"", headers=LINES), 400, "usage")


def test_a_file_that_was_broken_off_is_taken_up_again(feed: ApiWorld) -> None:
    """A crash after some pieces: what was judged counts as repeated, what was refused is once."""
    text = b"".join(json.dumps(deposit(k)).encode() + b"\n" for k in range(1, 9)) + b"no\n"
    job = feed.ask("feed", "POST", "/events/bulk", content=text, headers=LINES).json()
    assert feed.bulk is not None
    feed.bulk.work(SERVICE)
    from dataclasses import replace

    done = feed.desk.job(SERVICE, job["id"])
    feed.desk.put_job(SERVICE, replace(done, state=JobState.RUNNING))
    (feed.bulk._folder / f"{done.id}.ndjson").write_bytes(text)
    feed.bulk.work(SERVICE)
    assert feed.desk.job(SERVICE, job["id"]).counts == {"repeated": 8, "refused": 1}
    assert len(feed.ask("feed", "GET", "/quarantine").json()["items"]) == 1


def test_the_quarantine_is_tried_again(feed: ApiWorld) -> None:
    feed.ask("bank-a", "POST", "/events", json=deposit(1, "50000.001"))
    (kept,) = feed.ask("bank-a", "GET", "/quarantine").json()["items"]
    path = f"/quarantine/{kept['number']}"
    masked = feed.ask("wang", "GET", path).json()
    assert masked["raw"] is None
    again = feed.ask("bank-a", "POST", f"{path}/retry")
    assert (_verdict(again), again.json()["refusal"]["number"]) == ("refused", kept["number"])
    right = feed.ask("bank-a", "POST", f"{path}/retry", json=deposit(1, "50000.00"))
    assert (_verdict(right), len(right.json()["alerts"])) == ("judged", 1)
    problem(feed.ask("bank-a", "POST", f"{path}/retry"), 409, "conflict")
    assert feed.ask("bank-a", "GET", "/quarantine").json()["items"] == []
    assert len(feed.ask("bank-a", "GET", "/quarantine?state=retried").json()["items"]) == 1


def _second(api: ApiWorld, folder: Path) -> tuple[Deciding, Journal]:
    from regtech.app.choice import chosen_packs
    from regtech.reference.load import Reference

    journal = Journal(folder)
    made = Deciding(
        chosen_packs(("cn-aml-large-value",)), Reference.shipped(), journal, api.desk,
        api.world.intake, api.clock, home=None,
    )  # fmt: skip
    return made, journal


def test_a_restart_finds_its_windows_and_alerts_again(feed: ApiWorld, tmp_path: Path) -> None:
    first = deposit(1, "30000")
    feed.ask("feed", "POST", "/events", json=first)
    feed.ask("feed", "POST", "/events", json=deposit(2))
    feed.ask("feed", "POST", "/events", json=deposit(2, id="2b", payee={"id": "C9"}))
    # As after a kill: nothing was handed over, and the last line was cut off.
    assert feed.journal is not None
    copy = tmp_path / "copy"
    copy.mkdir()
    (file,) = (tmp_path / "data").glob("events-*.ndjson")
    written = file.read_bytes()
    (copy / file.name).write_bytes(written + b'{"id": "cut')
    deciding, journal = _second(feed, copy)
    found = deciding.warm_up()
    assert found == {"events": 4, "alerts": 2, "to_record": 2}
    assert (copy / file.name).read_bytes() == written
    deciding.hand_over(SERVICE)
    assert len(feed.world.all()) == 2
    second = json.dumps({**deposit(3, "20000"), "payee": first["payee"]}).encode()
    decision = deciding.judge(SERVICE, second).settle()
    assert json.loads(decision.alerts[0])["events"] == ["1", "3"]
    deciding.hand_over(SERVICE)
    journal.close()
    third, journal = _second(feed, copy)
    assert third.warm_up() == {"events": 5, "alerts": 3, "to_record": 0}
    journal.close()


def test_a_journal_has_one_master(judging: ApiWorld, tmp_path: Path) -> None:
    with pytest.raises(ConflictError, match="another server"):
        Journal(tmp_path / "data")


def test_a_full_disk_stops_the_intake_and_says_so(
    feed: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", full)
    problem(feed.ask("feed", "POST", "/events", json=deposit(1)), 503, "store")
    monkeypatch.undo()
    problem(feed.ask("feed", "POST", "/events", json=deposit(2)), 503, "store")
    # Whoever tries the same again is not told that it is known: it would be lost.
    problem(feed.ask("feed", "POST", "/events", json=deposit(1)), 503, "store")
    with pytest.raises(StoreError, match="No space left"):
        _hand_over(feed)


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_what_the_disk_did_not_take_is_never_repeated(
    feed: ApiWorld, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    import os

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    problem(feed.ask("feed", "POST", "/events", json=deposit(1)), 503, "store")
    monkeypatch.undo()
    problem(feed.ask("feed", "POST", "/events", json=deposit(1)), 503, "store")


def test_a_repeat_waits_for_the_first_to_be_durable(
    feed: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sent it twice was told that it is known before the disk had it, and might not send it
    once more after a crash."""
    assert feed.deciding is not None and feed.journal is not None
    line = json.dumps(deposit(1)).encode()
    first = feed.deciding.judge(SERVICE, line)
    again = feed.deciding.judge(SERVICE, line)
    assert (again.decision.verdict.value, again.waits) == ("repeated", True)
    waited: list[int] = []
    monkeypatch.setattr(feed.journal, "wait", waited.append)
    again.settle()
    assert waited == [first.end]


def test_rules_can_be_read_and_drafts_looked_at(feed: ApiWorld) -> None:
    (pack,) = feed.ask("wang", "GET", "/packs").json()["items"]
    shown = feed.ask("wang", "GET", f"/packs/{pack['id']}").json()
    assert len(shown["rules_of"]) == pack["rules"]
    page = feed.ask("wang", "GET", "/rules/cn-lvtr-0501?lang=zh")
    assert page.headers["content-type"].startswith("text/markdown")
    assert "规则" in page.text
    problem(feed.ask("wang", "GET", "/rules/none"), 404, "not_found")
    draft = "pack: x\nversion: 1\nrules: []\n"
    found = feed.ask("wang", "POST", "/rules/lint", json={"yaml": draft}).json()
    assert found["errors"] == len(found["faults"]) > 0
    assert {"code", "line", "column", "message"} <= set(found["faults"][0])
    bomb = "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n"
    codes = {
        fault["code"]
        for fault in feed.ask("wang", "POST", "/rules/lint", json={"yaml": bomb}).json()["faults"]
    }
    assert "RL003" in codes


RULES = """\
pack: cn-aml-large-value
version: 1.0.0
jurisdiction: CN
title: {en: Two, zh: 二}
rules:
"""


def test_a_bank_is_not_told_which_suspicions_lacked_a_fact(tmp_path: Path) -> None:
    """Such a rule leaves the list when it is met: that would tell as much as its alert."""
    rule = (
        "  - id: {id}\n    title: {{en: T, zh: 题}}\n    on: transaction\n    per: customer\n"
        '    when: purpose == "{kind}"\n    alert: {{kind: {kind}, severity: low}}\n    tests:\n'
        "      - name: met\n        events: [{{time: '2026-03-02T09:00:00Z', purpose: {kind}}}]\n"
        "        expect: {{alert: {{outcome: met}}}}\n"
        "      - name: not met\n        events: [{{time: '2026-03-02T09:00:00Z', purpose: y}}]\n"
        "        expect: none\n"
    )
    kinds = ("quality", "suspicion", "indicator")
    text = RULES + "".join(rule.format(id=f"a-{kind}", kind=kind) for kind in kinds)
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "cn-aml-large-value.yml").write_text(text, encoding="utf-8")
    with ApiWorld.made(tmp_path, events=True, rules_folder=folder) as world:
        world.user("feed", Role.SERVICE)
        world.user("bank-a", Role.INSTITUTION, tenants={"BANK-A"})
        assert _verdict(world.ask("feed", "POST", "/events", json=bank())) == "judged"
        every = world.ask("feed", "POST", "/events", json=deposit(1)).json()["cannot_tell"]
        assert every == ["a-indicator", "a-quality", "a-suspicion"]
        told = world.ask("bank-a", "POST", "/events", json=deposit(2)).json()["cannot_tell"]
        assert told == ["a-quality"]
