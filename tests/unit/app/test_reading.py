"""Rules read anew while events are judged: as after a restart, between two events, or not at all.

The restart is the oracle: whatever a server answers after the exchange, one that was ended at the
same event and started with the new rules answers too.

Long because rules, lists and models are exchanged by the same server, held against the same oracle.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from casework.cases.alert import StoredAlert
from casework.cases.scope import Role
from casework.service.outside import Reading, ReadingState
from casework.service.proposals import ProposalService, Standing
from casework.stores.memory import MemoryRecord
from casework.stores.memory_proposals import MemoryProposals
from casework.stores.memory_service import MemoryEventDesk
from regtech.app import reading as module
from regtech.app.choice import chosen_packs
from regtech.app.deciding import Deciding
from regtech.app.drafts import Drafts
from regtech.app.evidence import RuleTexts
from regtech.app.explain import explain_alert
from regtech.app.journal import Journal
from regtech.app.models import Models
from regtech.app.proposals import write_out
from regtech.app.reading import RuleReading, RuleSource
from regtech.app.rulebook import Rules
from regtech.clock import ManualClock
from regtech.content import content_root
from regtech.engine.snapshot import capture
from regtech.errors import ForbiddenError, StoreError, UsageError
from regtech.reference.load import Reference
from tests.contract.world import SERVICE, START_US, Salts, World, scope
from tests.unit.casework.api.api_world import bank, deposit

PACK = "cn-aml-large-value"
OPERATOR, AUDITOR = scope("op", Role.OPERATOR), scope("audit", Role.AUDITOR)


def folder_of_rules(folder: Path) -> Path:
    """Two packs, one of which will change."""
    (folder / "cn").mkdir(parents=True)
    for pack in (PACK, "cn-aml-conduct"):
        shutil.copy(content_root("rules") / "cn" / f"{pack}.yml", folder / "cn" / f"{pack}.yml")
    return folder


def change(rules: Path, old: str = "CNY 50000", new: str = "CNY 40000", to: str = "1.1.0") -> None:
    """Another figure of cash, in a higher version."""
    file = rules / "cn" / f"{PACK}.yml"
    text = file.read_text(encoding="utf-8")
    kept = rules / ".versions" / f"{PACK}@1.0.0"
    kept.mkdir(parents=True, exist_ok=True)
    (kept / f"{PACK}.yml").write_text(text, encoding="utf-8")
    changed = text.replace("version: 1.0.0", f"version: {to}").replace(
        f"cash_cny: {{value: {old}", f"cash_cny: {{value: {new}"
    )
    assert changed != text
    file.write_text(changed, encoding="utf-8")


class Server:
    """What judges events and reads rules, as in a server, without its threads."""

    def __init__(self, folder: Path, rules: Path, lists: Path | None = None) -> None:
        self.lists = lists
        self.clock = ManualClock(START_US)
        self.record = MemoryRecord(self.clock, Salts())
        self.world = World(self.record, self.clock)
        self.journal = Journal(folder, segment_bytes=3_000)
        packs = chosen_packs((), rules)
        self.deciding = Deciding(
            packs, Reference.shipped(), self.journal, MemoryEventDesk(), self.world.intake,
            self.clock, home=None, lists=self._lists(),
        )  # fmt: skip
        self.warmed = self.deciding.warm_up()
        self.book = Rules(packs, folder=rules)
        self.store = MemoryProposals(self.record)
        self.service = ProposalService(
            self.store, self.book, Drafts(self.book), self.clock, lambda: "P-1"
        )
        self.reading = RuleReading(
            RuleSource((), rules, None, folder, self._lists), self.book, self.service, self.store,
            self.deciding, self.clock,
        )  # fmt: skip
        self.reading.started(SERVICE)

    def _lists(self) -> str | None:
        return None if self.lists is None else str(self.lists)

    def send(self, event: dict[str, object]) -> tuple[str, list[bytes]]:
        """Verdict and alerts."""
        decision = self.deciding.judge(SERVICE, json.dumps(event).encode()).settle()
        return decision.verdict.value, list(decision.alerts)

    def read(self) -> Reading:
        """Have the rules be read, and wait."""
        self.reading.read(OPERATOR)
        self.reading.work(SERVICE)
        return self.reading.reading(AUDITOR)

    def alerts(self) -> list[dict[str, Any]]:
        """Those in the record."""
        self.deciding.hand_over(SERVICE)
        return [a.body() for a in self.record.alerts(SERVICE, limit=10_000).items]

    def told(self) -> list[Any]:
        """What the log says of the rules in force."""
        entries = self.record.log(SERVICE, "")
        assert all(entry.intact for entry in entries)
        return [e.detail for e in entries if e.detail.get("act") == "rules_in_force"]

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """All that the engine holds."""
        warm = self.deciding._warm
        return capture(warm.engine, warm.persons)

    def end(self) -> None:
        """As a server ends."""
        self.deciding.finish(SERVICE)
        self.journal.close()


def halves(first: int, count: int) -> list[dict[str, object]]:
    """Cash of many customers; two of a customer make 46,000, four make 92,000."""
    return [
        deposit(n, "23000", payee={"id": f"C{n % 40}", "country": "CN"})
        for n in range(first, first + count)
    ]


@pytest.mark.parametrize("near", [1 << 20, 1_000])
def test_rules_that_were_exchanged_judge_as_after_a_restart(
    tmp_path: Path, near: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``near``: whether a process of its own follows the journal."""
    monkeypatch.setattr(module, "NEAR_BYTES", near)
    before, after = [bank(), *halves(1, 60)], halves(100, 120)
    told: list[list[Any]] = []
    states = []
    for name in ("exchanged", "restarted"):
        rules = folder_of_rules(tmp_path / name / "rules")
        server = Server(tmp_path / name / "data", rules)
        answers = [server.send(event) for event in before]
        assert not any(alerts for _, alerts in answers)
        change(rules)
        if name == "exchanged":
            reading = server.read()
            assert (reading.state, reading.error) == (ReadingState.IN_USE, "")
            place = reading.place
        else:
            server.end()
            server = Server(tmp_path / name / "data", rules)
            assert server.told()[-1]["place"] == place
        assert server.journal.taken() == place
        told.append([server.send(event) for event in after] + [server.send(after[7])])
        states.append(server.state())
        assert server.deciding.subjects()["cn-lvtr-0501"] == 40
        found = server.alerts()
        assert {a["pack_digest"] for a in found} == {server.book.named()[PACK]["digest"]}
        told.append(found)
        server.end()
    assert told[0] == told[2] and told[1] == told[3]
    assert sum(len(alerts) for _, alerts in told[0][:-1]) > 10
    assert states[0].keys() == states[1].keys()
    if near == 1_000:
        return  # a process of its own gives words other numbers; what they say is above
    for name, array in states[0].items():
        np.testing.assert_array_equal(array, states[1][name], err_msg=name)


def test_the_log_says_from_which_place_on_which_packs_judge(tmp_path: Path) -> None:
    rules = folder_of_rules(tmp_path / "rules")
    server = Server(tmp_path / "data", rules)
    (first,) = server.told()
    assert (first["place"], first["changed"]) == (0, ["cn-aml-conduct", "cn-aml-large-value"])
    for event in (bank(), *halves(1, 5)):
        server.send(event)
    change(rules)
    reading = server.read()
    second = server.told()[1]
    assert second["place"] == reading.place == server.journal.end
    assert (second["changed"], second["asked_by"]) == ([PACK], "op")
    assert second["packs"] == server.book.named()
    assert second["packs"][PACK]["version"] == "1.1.0"
    # The same again changes nothing, and says nothing.
    assert server.read().state is ReadingState.IN_USE and len(server.told()) == 2
    server.end()
    # A start with the same packs has nothing to say either.
    again = Server(tmp_path / "data", rules)
    assert again.told() == [] and again.reading.told().place == second["place"]
    again.end()


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("cash_cny: {value", "cash_cny: {valu", "valu"),
        ('cny >= param("cash_cny")', 'cny >= param("cash_cn")', "cash_cn"),
        ("pack: cn-aml-large-value", "pack: ' ", "cn-aml-large-value.yml"),
    ],
)
def test_rules_with_faults_never_take_over_and_say_why(
    tmp_path: Path, old: str, new: str, why: str
) -> None:
    rules = folder_of_rules(tmp_path / "rules")
    server = Server(tmp_path / "data", rules)
    file = rules / "cn" / f"{PACK}.yml"
    good = file.read_text(encoding="utf-8")
    file.write_text(good.replace(old, new), encoding="utf-8")
    reading = server.read()
    assert reading.state is ReadingState.REFUSED and reading.refused_us == START_US
    assert why in reading.error and str(tmp_path) not in reading.error
    assert reading.faults and reading.faults[0]["file"] == f"cn/{PACK}.yml"
    assert server.reading.health()["refused"] == reading.error
    server.send(bank())
    (alert,) = server.send(deposit(1))[1]  # 50,000, by the rules so far
    assert json.loads(alert)["rule_version"] == "1.0.0" and len(server.told()) == 1
    file.write_text(good, encoding="utf-8")
    change(rules)
    assert server.read().state is ReadingState.IN_USE
    assert server.book.named()[PACK]["version"] == "1.1.0"
    server.end()


def test_while_events_come_each_is_judged_once_by_the_one_or_the_other(tmp_path: Path) -> None:
    rules = folder_of_rules(tmp_path / "rules")
    server = Server(tmp_path / "data", rules)
    server.send(bank())
    events = [
        deposit(n, "45000", payee={"id": f"C{n}", "country": "CN"}) for n in range(1, 401)
    ]  # reported by the new figure alone
    answers: list[tuple[str, list[bytes]]] = []
    half = threading.Event()

    def send(some: Sequence[dict[str, object]]) -> None:
        for number, event in enumerate(some):
            answers.append(server.send(event))
            if number == 100:
                half.set()

    sender = threading.Thread(target=send, args=(events,))
    sender.start()
    assert half.wait(60)
    change(rules)
    place = server.read().place
    sender.join()
    assert place is not None
    assert [verdict for verdict, _ in answers] == ["judged"] * 400
    judged_before = sum(len(lines) for _, lines in server.journal.read(0, place)) - 1  # the bank
    assert 100 < judged_before <= 400
    assert [len(alerts) for _, alerts in answers] == (
        [0] * judged_before + [1] * (400 - judged_before)
    )
    assert len(server.alerts()) == 400 - judged_before
    server.end()


def test_a_crash_after_the_exchange_tells_nothing_twice(tmp_path: Path) -> None:
    """What is judged again after a crash begins where the new rules did."""
    rules = folder_of_rules(tmp_path / "rules")
    server = Server(tmp_path / "data", rules)
    server.send(bank())
    for number in range(1, 20):
        server.send(deposit(number, "45000", payee={"id": f"C{number}", "country": "CN"}))
    change(rules)
    server.read()
    (alert,) = server.send(deposit(30, "45000", payee={"id": "C30", "country": "CN"}))[1]
    server.journal.close()  # the alert is not in the record
    again = Server(tmp_path / "data", rules)
    assert (again.warmed["to_record"], again.deciding.waiting) == (1, 1)
    assert [a["id"] for a in again.alerts()] == [json.loads(alert)["id"]]
    again.end()


def test_where_the_log_cannot_be_written_the_rules_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = folder_of_rules(tmp_path / "rules")
    server = Server(tmp_path / "data", rules)
    server.send(bank())
    change(rules)

    def broken(*_: Any) -> Any:
        raise StoreError("the store is away")

    monkeypatch.setattr(server.store, "unit", broken)
    server.reading.read(OPERATOR)
    for _ in range(module.TRIES - 1):
        with pytest.raises(StoreError):
            server.reading.work(SERVICE)  # is tried again
    server.reading.work(SERVICE)
    assert server.reading.told().state is ReadingState.REFUSED
    assert server.send(deposit(1, "45000"))[1] == []
    assert server.book.named()[PACK]["version"] == "1.0.0"
    monkeypatch.undo()
    assert server.read().state is ReadingState.IN_USE
    assert len(server.send(deposit(2, "45000", payee={"id": "C9", "country": "CN"}))[1]) == 1
    server.end()


def test_what_an_operator_applies_comes_into_force_and_the_text_before_is_kept(
    tmp_path: Path,
) -> None:
    rules = folder_of_rules(tmp_path / "rules")
    server = Server(tmp_path / "data", rules)
    text = server.book.source(PACK)
    server.send(bank())
    proposal = _approved(server, text.replace("version: 1.0.0", "version: 1.1.0").replace(
        "cash_cny: {value: CNY 50000", "cash_cny: {value: CNY 40000"
    ))  # fmt: skip
    woken: list[bool] = []
    server.reading.wake = lambda: woken.append(True)
    for stranger in (AUDITOR, scope("x", Role.OPERATOR, jurisdictions={"CN"})):
        with pytest.raises(ForbiddenError):
            server.reading.apply(stranger, [proposal])
    (written,) = server.reading.apply(OPERATOR, [proposal])
    assert written == {"id": proposal, "pack": PACK, "version": "1.1.0"} and woken
    assert server.reading.told().state is ReadingState.READING
    # Meanwhile the text in use is still to be had.
    assert server.book.source(PACK) == text
    assert server.service.standing(server.service.proposal(AUDITOR, proposal)) is Standing.APPLIED
    server.reading.work(SERVICE)
    found = server.service.proposal(AUDITOR, proposal)
    assert server.service.standing(found) is Standing.IN_FORCE
    assert server.told()[-1]["proposals"] == [proposal]
    assert len(server.send(deposit(1, "45000"))[1]) == 1
    server.end()


def test_what_another_process_wrote_out_is_noticed(tmp_path: Path) -> None:
    rules = folder_of_rules(tmp_path / "rules")
    server = Server(tmp_path / "data", rules)
    server.reading.work(SERVICE)
    assert server.told()[-1]["place"] == 0
    text = server.book.source(PACK)
    proposal = _approved(server, text.replace("version: 1.0.0", "version: 1.1.0"))
    write_out(server.service, rules, [proposal], OPERATOR)
    server.reading.work(SERVICE)
    found = server.service.proposal(AUDITOR, proposal)
    assert server.service.standing(found) is Standing.IN_FORCE
    assert server.book.named()[PACK]["version"] == "1.1.0"
    server.end()


def test_nothing_is_written_to_what_ships(tmp_path: Path) -> None:
    clock = ManualClock(START_US)
    record = MemoryRecord(clock, Salts())
    book, store = Rules([]), MemoryProposals(record)
    service = ProposalService(store, book, Drafts(book), clock, lambda: "P-1")
    source = RuleSource(("cn",), None, None, tmp_path / "none")
    reading = RuleReading(source, book, service, store, None, clock)
    with pytest.raises(UsageError, match="packs that ship"):
        reading.apply(OPERATOR, ())
    # A server that judges nothing reads rules all the same.
    reading.read(OPERATOR)
    reading.work(SERVICE)
    assert PACK in book.named() and reading.told().state is ReadingState.IN_USE
    with pytest.raises(ForbiddenError):
        reading.reading(scope("b", Role.INSTITUTION, tenants={"B"}))


def _approved(server: Server, text: str) -> str:
    """A proposal that somebody else has approved, its tests not run."""
    author, second = scope("anna", Role.AUTHOR), scope("bo", Role.AUTHOR)
    drafts = server.service._drafts
    with pytest.MonkeyPatch.context() as patch:
        from casework.service.outside import Trial

        patch.setattr(drafts, "run_tests", lambda _: Trial(1, (), {}))
        base = server.book.named()[PACK]["digest"]
        made = server.service.propose(author, text, "Order 3", base=base)
        server.service.approve(second, made.id)
    return made.id


def test_an_alert_of_the_rules_before_is_explained_and_handed_over_with_their_text(
    tmp_path: Path,
) -> None:
    rules = folder_of_rules(tmp_path / "rules")
    server = Server(tmp_path / "data", rules)
    text = server.book.source(PACK)
    server.send(bank())
    (raw,) = server.send(deposit(1))[1]
    told = explain_alert(json.loads(raw), rules=rules)
    change(rules)
    server.read()
    (fresh,) = server.send(deposit(2, "45000", payee={"id": "C2", "country": "CN"}))[1]
    assert explain_alert(json.loads(raw), rules=rules) == told
    assert "40,000" in explain_alert(json.loads(fresh), rules=rules) and "40,000" not in told
    texts = RuleTexts(rules)
    assert [rule.text for rule in texts([StoredAlert.of(raw)])] == [text] and not texts.missing
    assert [rule.text for rule in texts([StoredAlert.of(fresh)])] == [server.book.source(PACK)]
    # Where the text was not kept, no other one is given for it.
    shutil.rmtree(rules / ".versions")
    texts = RuleTexts(rules)
    assert texts([StoredAlert.of(raw)]) == [] and texts.missing == {"cn-lvtr-0501"}
    server.end()


def _lists(folder: Path, *names: str) -> Path:
    folder.mkdir()
    text = "".join(f"{name}\n" for name in ("name", *names))
    (folder / "cn_art40.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("near", [1 << 20, 100])
def test_rules_are_held_against_other_lists_as_after_a_restart(
    tmp_path: Path, near: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NEAR_BYTES", near)
    rules = folder_of_rules(tmp_path / "rules")
    before = _lists(tmp_path / "before", "Romashka Trading LLC")
    after = _lists(tmp_path / "after", "Romashka Trading LLC", "Wilhelmina Andersen")
    server = Server(tmp_path / "data", rules, before)
    server.send(bank())

    def paid(number: int) -> list[str]:
        payee = {"id": f"C{number}", "country": "CN", "name": "Wilhelmina Andersen"}
        _, alerts = server.send(deposit(number, "100", payee=payee))
        return [json.loads(alert)["rule"] for alert in alerts]

    assert paid(1) == []
    # What somebody is editing meanwhile is not read because lists have changed.
    draft = rules / "cn" / f"{PACK}.yml"
    whole = draft.read_text(encoding="utf-8")
    if near > 100:
        draft.write_text("id: [", encoding="utf-8")
    server.reading.work(SERVICE)
    assert len(server.told()) == 1 and not server.reading.lists_due()
    server.lists = after
    assert server.reading.lists_due()
    server.reading.work(SERVICE)
    assert server.reading.told().state is ReadingState.IN_USE and not server.reading.lists_due()
    assert paid(2) == ["cn-watchlist-screened"]
    told = server.told()[-1]
    assert (told["lists"], told["changed"], told["asked_by"]) == ("after", [], "")
    # Nobody is told of the payment that was judged by the lists from before.
    assert [alert["rule"] for alert in server.alerts()] == ["cn-watchlist-screened"]
    assert len(server.told()) == 2
    server.deciding.count_subjects(SERVICE)
    held = server.state()
    draft.write_text(whole, encoding="utf-8")
    server.end()
    again = Server(tmp_path / "data", rules, after)
    assert again.told() == []  # the same packs and the same lists
    again.deciding.count_subjects(SERVICE)  # a start tells again what was told before
    state = again.state()
    assert state.keys() == held.keys()
    for name in held if near > 100 else ():  # else a process of its own gave words other numbers
        np.testing.assert_array_equal(state[name], held[name], err_msg=name)
    again.end()
    # Held against others, a start says so.
    other = Server(tmp_path / "data", rules, before)
    assert [told["lists"] for told in other.told()] == ["before"]
    other.end()


SCORED = """
pack: intl-scored
version: 1.0.0
jurisdiction: INTL
title: {en: Scores, zh: 得分}
rules:
  - id: scored
    title: {en: Above a score, zh: 超过得分}
    on: transaction
    per: event
    detect: {detector: anomaly, model: champion, threshold: 0.000001}
    alert: {kind: indicator, severity: medium}
"""


def test_a_model_that_is_promoted_or_rolled_back_scores_from_the_next_event_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models"
    shutil.copytree(content_root("mappings") / "models" / "trial", folder)
    monkeypatch.setenv("REGTECH_MODELS", str(folder))
    models = Models(folder, ManualClock(START_US))
    first, second = models.champion(), models.challengers()[-1]
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "intl-scored.yml").write_text(SCORED, encoding="utf-8")
    server = Server(tmp_path / "data", rules)

    def scored_by(server: Server, number: int) -> str:
        _, alerts = server.send(deposit(number, "23000", payee={"id": f"C{number}"}))
        (alert,) = alerts
        (finding,) = json.loads(alert)["findings"].values()
        assert finding["role"] == "champion"
        return str(finding["model"])

    def look_twice(server: Server) -> None:
        server.reading.work(SERVICE)
        server.reading.work(SERVICE)

    assert scored_by(server, 1) == first
    models.promote(second, "li", "better on what was known")
    look_twice(server)  # it takes two people
    assert scored_by(server, 2) == first and len(server.told()) == 1
    models.promote(second, "wang", "checked")
    server.reading.work(SERVICE)
    assert scored_by(server, 3) == first  # what is the same at two looks counts
    server.reading.work(SERVICE)
    assert scored_by(server, 4) == second
    told = server.told()[-1]
    assert told["models"] == f"champion={second}=champion" and told["changed"] == []
    server.end()
    again = Server(tmp_path / "data", rules)
    assert again.told() == [] and scored_by(again, 5) == second
    # A model that is damaged does not take the place of one that is not.
    damaged = folder / first / "model.npz"
    whole = damaged.read_bytes()
    damaged.write_bytes(b"no model")
    models.rollback("li", "too many alerts")
    look_twice(again)
    reading = again.reading.told()
    assert reading.state is ReadingState.REFUSED and first in reading.error
    assert scored_by(again, 6) == second
    damaged.write_bytes(whole)
    again.read()
    assert again.reading.told().state is ReadingState.IN_USE and scored_by(again, 7) == first
    alerts = again.alerts()
    assert len(alerts) == len({alert["id"] for alert in alerts}) == 7 - 4
    again.end()
