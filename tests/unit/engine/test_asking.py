"""What rules ask of detectors, with a detector that is simple enough to be checked by eye."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regtech.engine.asking import waits_for
from regtech.engine.plan import compile_plan
from regtech.errors import ContentError
from regtech.model.alert import digested
from regtech.model.fields import DECIMAL_SCALE, EVENT_TYPES
from regtech.ports.detection import NO, UNKNOWN, YES, Events, Finding, Int64, Question
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack
from regtech.rulelang.packs import load_packs
from regtech.sandbox.harness import judge_events
from regtech.sandbox.replay import replay
from tests.support.restarts import restarted

PACK = """
pack: intl-asking
version: 1.0.0
jurisdiction: INTL
title: {en: Asking, zh: 询问}
params:
  most: {value: 50%, basis: default}
rules:
  - id: ask-name
    title: {en: Name, zh: 名}
    on: transaction
    per: party
    when: screened(counterparty, "cn_art40")
    cannot_tell: alert
    alert: {kind: indicator, severity: high}
  - id: ask-share
    title: {en: Share, zh: 股}
    on: exposure
    per: counterparty
    when: param("most") < owner_share(holder, counterparty)
    period: event
    cannot_tell: alert
    alert: {kind: indicator, severity: high}
  - id: ask-many
    title: {en: Many, zh: 多}
    on: transaction
    per: party
    detect: {detector: crowd, from: 2}
    alert: {kind: indicator, severity: low}
"""


class Toy:
    """Names with "Evil" in them are listed; direct shares alone count; a crowd doubles."""

    name = "toy"
    asks = frozenset({"screened", "owner_share", "crowd"})

    def check(self, question: Question) -> str | None:
        if question.asks == "crowd" and "from" not in question.params:
            return "crowd needs 'from'"
        return None

    def reads(self, questions: Sequence[Question]) -> Mapping[str, Sequence[str]]:
        return {
            "ownership": ("owner", "owned", "share"),
            "transaction": ("payer.name", "payee.name"),
        }

    def start(self, questions: Sequence[Question]) -> Toys:
        return Toys(questions)


class Toys:
    reach_us = 40 * 86_400_000_000

    def __init__(self, questions: Sequence[Question]) -> None:
        self.questions = {question.name: question for question in questions}
        self.shares: dict[tuple[int, int], int] = {}
        self.got: dict[int, list[int]] = {}
        self.found: dict[tuple[str, int], Finding] = {}

    def answer(self, events: Events) -> Mapping[str, Int64]:
        answers = {name: np.zeros(events.count, np.int64) for name in self.questions}
        self.found = {}
        for place in range(events.count):
            kind = EVENT_TYPES[int(events.types[place])]
            if kind == "ownership":
                owner, owned, share = (
                    int(events.column(path)[place]) for path in ("owner.id", "owned.id", "share")
                )
                self.shares[(owner, owned)] = share
            if events.payments[place]:
                payee = int(events.column("payee.id")[place])
                self.got.setdefault(payee, []).append(events.first + place)
            for name, question in self.questions.items():
                if kind in question.types:
                    answers[name][place] = self.one(events, place, question)
        return answers

    def one(self, events: Events, place: int, question: Question) -> int:
        def party(path: str, what: str) -> int:
            return int(events.column(f"{path}.{what}")[place])

        if question.asks == "screened":
            name = party(question.parties[0], "name")
            if name == UNKNOWN:
                return UNKNOWN
            if "Evil" not in events.text(name):
                return NO
            data = {"entry": events.text(name), "list": question.words[0]}
            self.found[(question.name, place)] = Finding(data)
            return YES
        if question.asks == "owner_share":
            owner, owned = (party(path, "id") for path in question.parties)
            share = self.shares.get((owner, owned))
            assert question.comparison is not None
            op, figure = question.comparison
            assert op == ">"
            return UNKNOWN if share is None else int(Fraction(share, DECIMAL_SCALE) > figure)
        if question.side != "payee" or not events.payments[place]:
            return NO
        payee = party("payee", "id")
        number = len(self.got[payee])
        if number < question.params["from"] or number & number - 1:
            return NO
        step = number.bit_length() - 2
        finding = Finding(
            {"payments": number}, tuple(self.got[payee][:-1]), events.text(payee), step
        )
        self.found[(question.name, place)] = finding
        return YES

    def finding(self, name: str, place: int) -> Finding | None:
        return self.found.get((name, place))

    def export(self) -> dict[str, Any]:
        pairs = [[*pair, share] for pair, share in sorted(self.shares.items())]
        got = [[payee, event] for payee, all_ in sorted(self.got.items()) for event in all_]
        return {
            "shares": np.array(pairs, np.int64).reshape(-1, 3),
            "got": np.array(got, np.int64).reshape(-1, 2),
        }

    def restore(self, arrays: Mapping[str, Any]) -> None:
        self.shares = {(a, b): c for a, b, c in arrays["shares"].tolist()}
        self.got = {}
        for payee, event in arrays["got"].tolist():
            self.got.setdefault(payee, []).append(event)


DETECTORS = (Toy(),)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.shipped()


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    path = tmp_path_factory.mktemp("rules") / "intl-asking.yml"
    path.write_text(PACK, encoding="utf-8")
    packs, _ = load_packs([path])
    return packs[0]


def event(kind: str, number: int, **fields: Any) -> dict[str, Any]:
    time = f"2026-03-{1 + number // 24:02}T{number % 24:02}:00:00Z"
    return {"id": f"e{number:03}", "type": kind, "time": time, "reporter": "R1", **fields}


def payment(number: int, source: str, target: str, **fields: Any) -> dict[str, Any]:
    def side(name: str) -> dict[str, Any]:
        return {"id": name, "name": f"{name} Evil" if name == "P6" else name}

    given = {"amount": "5", "currency": "EUR", "payer": side(source), "payee": side(target)}
    return event("transaction", number, **given | fields)


EVENTS = sorted([
    event("ownership", 0, owner={"id": "O1"}, owned={"id": "X1"}, interest="shares", share="0.5"),
    *(payment(number, f"P{number % 9}", f"P{number % 4}") for number in range(1, 40)),
    *(
        event("exposure", number, holder={"id": "O1"}, counterparty={"id": to}, amount="1",
              currency="EUR")
        for number, to in ((50, "X1"), (51, "X2"), (53, "X1"))
    ),
    event("ownership", 52, owner={"id": "O1"}, owned={"id": "X1"}, interest="shares",
          share="0.500000001"),
    payment(54, "P1", "P2", payer={"id": "P1"}),
    payment(55, "A", "B", reference="same"),
    payment(56, "A", "B", reference="same", reporter="R2"),
    payment(57, "A", "B", reference="other", reporter="R2"),
], key=lambda event: event["time"])  # fmt: skip


def found(alerts: Sequence[Any], rule: str) -> list[tuple[str, str, str]]:
    return [(a.subject["id"], a.period, a.outcome) for a in alerts if a.rule == rule]


def test_rules_are_decided_by_what_a_detector_answers(pack: Pack, reference: Reference) -> None:
    trial = judge_events([pack], EVENTS, reference, detectors=DETECTORS)
    assert not trial.rejects and not trial.engine.summary().waiting
    names = [a for a in trial.alerts if a.rule == "ask-name" and a.outcome == "met"]
    listed = {
        "party.screened(counterparty, cn_art40) @INTL": {"entry": "P6 Evil", "list": "cn_art40"}
    }
    assert names and all(alert.findings == listed for alert in names)
    untold = [a for a in trial.alerts if a.rule == "ask-name" and a.outcome == "cannot_tell"]
    assert [(a.subject["id"], a.time) for a in untold] == [("P2", "2026-03-03T06:00:00Z")]
    assert found(trial.alerts, "ask-share") == [
        ("X2", "R1/e051", "cannot_tell"),
        ("X1", "R1/e053", "met"),
    ]
    crowd = [a for a in trial.alerts if a.rule == "ask-many"]
    assert {(a.subject["id"], a.period) for a in crowd} == {
        (f"P{k}", f"P{k}{step}") for k in range(4) for step in ("", "#1", "#2")
    } | {("B", "B")}
    assert all(a.event_count == a.findings[_only(a.findings)]["payments"] for a in crowd)


def _only(findings: Mapping[str, Any]) -> str:
    (name,) = findings
    return name


def test_a_question_is_asked_of_what_its_law_governs(tmp_path: Path, reference: Reference) -> None:
    packs = []
    for law in ("CN", "HK"):
        path = tmp_path / f"{law.lower()}-asking.yml"
        path.write_text(
            PACK.replace("INTL", law)
            .replace("intl", law.lower())
            .replace("id: ", f"id: {law.lower()}-"),
            encoding="utf-8",
        )
        packs += load_packs([path])[0]
    asked: dict[str, list[str]] = {}

    class Noting(Toys):
        def answer(self, events: Events) -> Mapping[str, Int64]:
            for name, question in self.questions.items():
                if question.asks == "owner_share":
                    places = np.flatnonzero(events.asked(question)).tolist()
                    asked.setdefault(name, []).extend(events.event_id(k) for k in places)
            return super().answer(events)

    class Noted(Toy):
        def start(self, questions: Sequence[Question]) -> Toys:
            return Noting(questions)

    def exposure(number: int, country: str) -> dict[str, Any]:
        holder = {"id": "O1", "country": country}
        return event("exposure", number, holder=holder, counterparty={"id": "X2"}, amount="1",
                     currency="EUR")  # fmt: skip

    given = [exposure(1, "CN"), exposure(2, "HK"), exposure(3, "CN"), payment(4, "P1", "P2")]
    trial = judge_events(packs, given, reference, detectors=(Noted(),))
    assert asked == {
        "event.owner_share(holder, counterparty) > 1/2 @CN": ["e001", "e003"],
        "event.owner_share(holder, counterparty) > 1/2 @HK": ["e002"],
    }
    assert [(a.jurisdiction, a.events) for a in trial.alerts if "ask-share" in a.rule] == [
        ("CN", ["e001"]), ("HK", ["e002"]), ("CN", ["e003"]),
    ]  # fmt: skip


def test_one_payment_of_two_reporters_is_one_edge(pack: Pack, reference: Reference) -> None:
    trial = judge_events([pack], EVENTS[-3:], reference, detectors=DETECTORS)
    (alert,) = [a for a in trial.alerts if a.rule == "ask-many"]
    assert alert.events == ["e055", "e057"]


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_any_chop_gives_the_same_bytes(pack: Pack, reference: Reference, batch: int) -> None:
    whole = judge_events([pack], EVENTS, reference, detectors=DETECTORS)
    parts = judge_events([pack], EVENTS, reference, detectors=DETECTORS, batch=batch)
    assert [a.canonical() for a in parts.alerts] == [a.canonical() for a in whole.alerts]


def test_a_restart_after_every_event_changes_nothing(pack: Pack, reference: Reference) -> None:
    whole = judge_events([pack], EVENTS, reference, detectors=DETECTORS)
    alerts = restarted(pack, EVENTS, reference, DETECTORS, every=1)
    assert [digested(a.canonical()) for a in alerts] == [
        digested(a.canonical()) for a in whole.alerts
    ]


def test_an_alert_is_decided_again_from_itself(pack: Pack, reference: Reference) -> None:
    trial = judge_events([pack], EVENTS, reference, detectors=DETECTORS)
    plan = compile_plan([pack], reference, include_disabled=True, detectors=DETECTORS)
    for alert in trial.alerts:
        again = replay(json.loads(alert.canonical()), plan)
        assert again.same, again.text()


def test_a_rule_waits_for_who_is_not_there(pack: Pack, reference: Reference) -> None:
    assert {rule.id: waits_for(rule) for rule in pack.rules} == {
        "ask-name": "screened", "ask-share": "owner_share", "ask-many": "crowd",
    }  # fmt: skip
    assert all(waits_for(rule, DETECTORS) is None for rule in pack.rules)
    trial = judge_events([pack], EVENTS, reference)
    assert trial.alerts == [] and len(trial.engine.summary().waiting) == 3


def test_what_a_detector_cannot_answer_is_said_when_packs_are_compiled(
    pack: Pack, reference: Reference
) -> None:
    rules = [
        replace(rule, detect=replace(rule.detect, params={})) if rule.detect else rule
        for rule in pack.rules
    ]
    with pytest.raises(ContentError, match="crowd needs 'from'"):
        compile_plan([replace(pack, rules=tuple(rules))], reference, detectors=DETECTORS)


def test_a_number_stands_in_a_comparison(tmp_path: Path, reference: Reference) -> None:
    text = PACK.replace(
        'param("most") < owner_share(holder, counterparty)',
        "owner_share(holder, counterparty) > owner_share(counterparty, holder)",
    )
    path = tmp_path / "intl-asking.yml"
    path.write_text(text, encoding="utf-8")
    packs, _ = load_packs([path])
    with pytest.raises(ContentError, match="ask-share: owner_share gives a number"):
        compile_plan(packs, reference, detectors=DETECTORS)


def test_names_of_any_length_decide_alike(pack: Pack, reference: Reference) -> None:
    """Names are kept as symbols for a detector; one that is too long is set aside."""
    trial = judge_events(
        [pack], [payment(1, "P6", "P1", payer={"id": "P6", "name": "x" * 5000})], reference,
        detectors=DETECTORS,
    )  # fmt: skip
    assert [reject.field for reject in trial.rejects] == ["payer.name"]
