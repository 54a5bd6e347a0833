"""What alerts of a rule share is written once for all, as if each were written alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from regtech.model.alert import Alert
from regtech.reference.load import Reference
from regtech.rulelang.packs import require_packs
from regtech.sandbox.harness import judge_events

DATA = Path(__file__).parents[2] / "golden" / "explain"


@pytest.fixture(scope="module")
def alerts() -> list[Alert]:
    packs = require_packs(DATA / "golden-rules.yml")
    events = [json.loads(line) for line in (DATA / "events.ndjson").read_text().splitlines()]
    trial = judge_events(packs, events, Reference.shipped(), until_us=1_778_000_000_000_000)
    return trial.alerts


def test_an_alert_is_written_as_if_alone(alerts: list[Alert]) -> None:
    assert len({alert.rule for alert in alerts}) > 5
    made = [alert for alert in alerts if alert.shared is not None]
    assert len(made) > 5
    for alert in made:
        alone = replace(alert)
        assert alone.shared is None
        assert alert.canonical() == alone.canonical()
        written = json.loads(alert.canonical())
        assert list(written)[:-1] == list(alert.as_dict()) and list(written)[-1] == "seal"


def test_a_changed_alert_says_what_was_changed(alerts: list[Alert]) -> None:
    alert = next(alert for alert in alerts if alert.shared is not None)
    changed = replace(alert, rule="other", severity="low", explanation={"en": "Other"})
    written = json.loads(changed.canonical())
    assert (written["rule"], written["severity"]) == ("other", "low")
    assert written["explanation"] == {"en": "Other"}
