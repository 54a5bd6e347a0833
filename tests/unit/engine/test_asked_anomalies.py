"""Rules that ask anomaly models: any chop, any restart, decided again, and never a crash."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from regtech.app.detection import detectors_of, shipped_detectors
from regtech.app.models import Models
from regtech.clock import ManualClock
from regtech.content import content_root
from regtech.engine.plan import compile_plan
from regtech.errors import ContentError
from regtech.model.alert import seal_of
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack
from regtech.rulelang.packs import load_packs
from regtech.sandbox.explain import explain
from regtech.sandbox.harness import judge_events
from regtech.sandbox.replay import replay
from tests.support.restarts import restarted

PACK = """
pack: intl-scores
version: 1.0.0
jurisdiction: INTL
title: {en: Scores, zh: 得分}
rules:
  - id: score-budget
    title: {en: Within a budget, zh: 预算内}
    on: transaction
    per: party
    detect: {detector: anomaly, budget: 1%, quiet: 2 days}
    alert: {kind: indicator, severity: medium}
  - id: score-fixed
    title: {en: Above a score, zh: 超过得分}
    on: transaction
    per: event
    detect: {detector: anomaly, model: champion, threshold: 0.5}
    alert: {kind: indicator, severity: medium}
  - id: score-challenger
    title: {en: By a challenger, zh: 挑战者}
    on: transaction
    per: event
    detect: {detector: anomaly, model: challenger, threshold: 0.5}
    alert: {kind: indicator, severity: info}
    status: shadow
  - id: score-drift
    title: {en: Drift, zh: 漂移}
    on: transaction
    per: event
    detect: {detector: model_drift, over: 21 days}
    alert: {kind: quality, severity: medium}
    cannot_tell: alert
"""
TRIAL = content_root("mappings") / "models" / "trial"
RULES = {"score-budget", "score-fixed", "score-challenger", "score-drift"}


def events(count: int = 3600) -> list[dict[str, Any]]:
    """Sixty days of people who buy, firms that pay firms, and money that is handed on."""
    rng = Random(11)
    found: list[dict[str, Any]] = []
    for number in range(count):
        minute = number * 60 * 24 * 60 // count
        day, rest = divmod(minute, 1440)
        head = {
            "id": f"e{number:05}", "reporter": rng.choice(["R1", "R2"]), "type": "transaction",
            "time": f"2026-{3 + day // 30:02}-{1 + day % 30:02}T{rest // 60:02}:{rest % 60:02}:00Z",
            "currency": rng.choice(["USD", "USD", "EUR"]),
        }  # fmt: skip
        person, firm = f"P{rng.randrange(40)}", f"F{rng.randrange(15)}"
        if number % 12 == 5:
            found.append(
                head | {"channel": "cash", "amount": str(rng.randrange(10, 500)),
                        "payee": {"account": f"K{rng.randrange(5)}", "kind": "person"}}
            )  # fmt: skip
        elif number % 60 < 4:  # handed on along people who never met
            payer, payee = number // 60 + number % 60, number // 60 + number % 60 + 1
            found.append(
                head | {"channel": "transfer", "amount": "2400",
                        "payer": {"id": f"P{payer % 40}", "kind": "person", "country": "US"},
                        "payee": {"id": f"P{payee % 40}", "kind": "person", "country": "US"}}
            )  # fmt: skip
        else:
            found.append(
                head | {"channel": "card", "amount": str(rng.randrange(5, 90)),
                        "payer": {"id": person, "kind": "person", "country": "US"},
                        "payee": {"id": firm, "kind": "entity", "country": "US"}}
            )  # fmt: skip
    return found


EVENTS = events()
DETECTORS = shipped_detectors(trial=True)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.shipped()


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return pack_of(PACK, tmp_path_factory.mktemp("rules"))


def pack_of(text: str, where: Path) -> Pack:
    path = where / "intl-scores.yml"
    path.write_text(text, encoding="utf-8")
    return load_packs([path])[0][0]


@pytest.fixture(scope="module")
def whole(pack: Pack, reference: Reference) -> list[bytes]:
    trial = judge_events([pack], EVENTS, reference, detectors=DETECTORS)
    assert not trial.rejects and not trial.engine.summary().waiting
    assert {alert.rule for alert in trial.alerts} == RULES
    return [alert.canonical() for alert in trial.alerts]


def test_alerts_carry_score_threshold_model_and_reasons(whole: list[bytes]) -> None:
    alerts = [json.loads(line) for line in whole]
    for alert in alerts:
        (name, found), *more = alert["findings"].items()
        assert not more and name in alert["facts"] and found["model"].startswith("2026-06-29-")
        assert len(found["digest"]) == 64
        if alert["rule"] == "score-drift":
            assert found["moved"] and all(
                float(m["stability_index"]) > 0.25 for m in found["moved"]
            )
            continue
        assert float(found["score"]) > float(found["threshold"])
        assert 1 <= len(found["reasons"]) <= 3
        for reason in found["reasons"]:
            assert set(reason["text"]) == {"en", "zh"} and len(reason["usually"]) == 2
    roles = {a["rule"]: (a["status"], next(iter(a["findings"].values()))["role"]) for a in alerts}
    assert roles["score-challenger"] == ("shadow", "challenger")
    assert roles["score-fixed"] == ("enabled", "champion")
    budget = [a for a in alerts if a["rule"] == "score-budget"]
    assert len({next(iter(a["findings"].values()))["threshold"] for a in budget}) > 5  # by day
    assert {a["subject"]["id"][0] for a in budget} <= {"P", "K"}


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_any_chop_gives_the_same_bytes(
    pack: Pack, reference: Reference, whole: list[bytes], batch: int
) -> None:
    parts = judge_events([pack], EVENTS, reference, detectors=DETECTORS, batch=batch)
    assert [alert.canonical() for alert in parts.alerts] == whole


def test_restarts_change_nothing(pack: Pack, reference: Reference, whole: list[bytes]) -> None:
    alerts = restarted(pack, EVENTS, reference, DETECTORS, every=450)
    assert [alert.canonical() for alert in alerts] == whole


def test_each_alert_is_decided_again_by_its_model_and_said_in_words(
    pack: Pack, reference: Reference, whole: list[bytes]
) -> None:
    plan = compile_plan([pack], reference, include_disabled=True, detectors=DETECTORS)
    for line in whole[::7]:
        alert = json.loads(line)
        again = replay(alert, plan)
        assert again.same and not again.notes, again.text()
        for language, word in (("en", "usually"), ("zh", "通常为")):
            told = explain(alert, plan, language)
            assert alert["rule"] == "score-drift" or word in told
            assert "row" not in told


def test_evidence_that_was_changed_does_not_decide_the_same(
    pack: Pack, reference: Reference, whole: list[bytes]
) -> None:
    plan = compile_plan([pack], reference, include_disabled=True, detectors=DETECTORS)
    alert = next(a for line in whole if (a := json.loads(line))["rule"] == "score-fixed")
    name = next(iter(alert["findings"]))

    def changed(key: str, value: Any) -> str:
        other = copy.deepcopy(alert)
        other["findings"][name][key] = value
        other["seal"] = seal_of(other)
        found = replay(other, plan)
        assert not found.same or found.notes
        return found.text()

    assert "facts.event.anomaly" in changed("threshold", "0.999999999")
    assert "the model scores" in changed("score", "0.777777777")
    assert "not whole" in changed("row", [1.0])
    assert "is not here" in changed("digest", "0" * 64)
    assert "the model scores" in changed("row", [0.0] * len(alert["findings"][name]["row"]))


def _kept(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    shutil.copytree(TRIAL, folder)
    return folder


def _outcomes(pack: Pack, reference: Reference, folder: Path) -> dict[str, list[dict[str, Any]]]:
    trial = judge_events([pack], EVENTS[:200], reference, detectors=detectors_of("", str(folder)))
    found: dict[str, list[dict[str, Any]]] = {}
    for alert in trial.alerts:
        found.setdefault(f"{alert.rule} {alert.outcome}", []).append(
            next(iter(alert.findings.values()))
        )
    counted = trial.engine.summary().cannot_tell
    found["counted"] = [{rule: counted[rule] for rule in sorted(counted) if counted[rule]}]
    return found


def test_no_model_a_damaged_one_and_one_that_waits_cannot_tell(
    pack: Pack, reference: Reference, tmp_path: Path
) -> None:
    none = _outcomes(pack, reference, tmp_path / "nothing")
    assert "no model has been promoted" in none["score-drift cannot_tell"][0]["reason"]["en"]
    assert set(none["counted"][0]) == RULES and "score-fixed met" not in none
    folder = _kept(tmp_path)
    champion = next(iter(Models(folder).registry().champions))
    (folder / champion / "model.npz").write_bytes(b"no model")
    damaged = _outcomes(pack, reference, folder)
    assert "not what its card says" in damaged["score-drift cannot_tell"][0]["reason"]["en"]
    assert "score-challenger cannot_tell" not in damaged and len(damaged["counted"][0]) == 3
    shutil.copytree(TRIAL, folder, dirs_exist_ok=True)
    card = folder / champion / "card.json"
    card.write_text(card.read_text().replace('"settle_days": 0', '"settle_days": 14'))
    waits = _outcomes(pack, reference, folder)
    assert "waits 14 days" in waits["score-drift cannot_tell"][0]["reason"]["en"]


def test_a_challenger_decides_once_two_people_have_promoted_it(
    reference: Reference, tmp_path: Path
) -> None:
    folder = _kept(tmp_path)
    models = Models(folder, ManualClock(1_800_000_000_000_000))
    version = models.challengers()[-1]
    named = pack_of(
        PACK.replace("model: champion", f'model: "{version}"').replace(
            "alert: {kind: indicator, severity: medium}", "alert: {kind: indicator, severity: low}"
        ).replace("    cannot_tell: alert\n", ""),
        tmp_path,
    )  # fmt: skip
    cannot = named.rules[1]
    assert cannot.id == "score-fixed"

    def reasons() -> set[str]:
        detectors = detectors_of.__wrapped__("", str(folder))
        trial = judge_events([named], EVENTS[:1300], reference, detectors=detectors)
        return {alert.rule for alert in trial.alerts}

    assert "score-fixed" not in reasons() and "score-challenger" in reasons()
    models.promote(version, "li", "better on what was known")
    assert "score-fixed" not in reasons()
    models.promote(version, "wang", "checked")
    assert "score-fixed" in reasons() and "score-challenger" not in reasons()


@pytest.mark.parametrize(
    ("detect", "fault"),
    [
        ("{detector: anomaly}", "either budget or threshold"),
        ("{detector: anomaly, budget: 1%, threshold: 0.5}", "either budget or threshold"),
        ("{detector: anomaly, budget: 70%}", "no share of payments"),
        ("{detector: anomaly, budget: 1%, without: [luck]}", "no feature leans on"),
        ("{detector: anomaly, threshold: 0.5, quiet: 3 days}", "quiet goes with a budget"),
        ("{detector: anomaly, budget: 1%, quiet: soon}", "no length of time"),
        ("{detector: anomaly, budget: 1%, depth: 3}", "no parameter 'depth'"),
        ("{detector: model_drift, over: 5 hours}", "whole days"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(
    detect: str, fault: str, reference: Reference, tmp_path: Path
) -> None:
    text = PACK.replace("{detector: anomaly, budget: 1%, quiet: 2 days}", detect)
    with pytest.raises(ContentError, match=fault):
        compile_plan([pack_of(text, tmp_path)], reference, detectors=DETECTORS)


def test_without_a_folder_of_models_such_rules_wait(pack: Pack, reference: Reference) -> None:
    plan = compile_plan([pack], reference, detectors=detectors_of("", ""))
    assert plan.waiting == dict.fromkeys(RULES - {"score-drift"}, "anomaly") | {
        "score-drift": "model_drift"
    }
