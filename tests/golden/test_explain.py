"""Explanations of one alert of each kind, in both languages, against pages kept beside this file.

``REGTECH_UPDATE_GOLDEN=1`` writes the pages anew; the difference is then reviewed like code.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from regtech.engine.plan import Plan, compile_plan
from regtech.reference.load import Reference
from regtech.rulelang.packs import require_packs
from regtech.sandbox.explain import explain
from regtech.sandbox.harness import judge_events

FOLDER = Path(__file__).parent / "explain"
UNTIL_US = 1_778_000_000_000_000
PAGES = {
    "large-value": ("gold-large", "met", False),
    "deadline-warning": ("gold-notify", "met", True),
    "deadline-passed": ("gold-notify", "met", False),
    "band-cannot-tell": ("gold-band-upper", "cannot_tell", False),
    "band-gives-way": ("gold-band-lower", "cannot_tell", False),
    "ratio-to-capital": ("gold-lending", "met", False),
    "indicator": ("gold-structuring", "met", False),
    "travel-rule": ("gold-travel", "met", False),
}

Found = tuple[Plan, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def found() -> Found:
    packs = require_packs(FOLDER / "golden-rules.yml")
    events = [json.loads(line) for line in (FOLDER / "events.ndjson").read_text().splitlines()]
    reference = Reference.shipped()
    trial = judge_events(packs, events, reference, until_us=UNTIL_US)
    assert trial.rejects == []
    alerts = [json.loads(alert.canonical()) for alert in trial.alerts]
    return compile_plan(packs, reference, include_disabled=True), alerts


def alert_of(found: Found, name: str) -> dict[str, Any]:
    """The first alert of a page's kind."""
    return next(
        alert
        for alert in found[1]
        if (alert["rule"], alert["outcome"], alert["warning"]) == PAGES[name]
    )


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_as_it_was(found: Found, name: str, language: str) -> None:
    page = explain(alert_of(found, name), found[0], language) + "\n"
    kept = FOLDER / f"{name}.{language}.md"
    if os.environ.get("REGTECH_UPDATE_GOLDEN") == "1":
        kept.write_text(page, encoding="utf-8")
    assert page == kept.read_text(encoding="utf-8")


def test_another_version_of_the_pack_is_said_and_nothing_is_computed(found: Found) -> None:
    alert = alert_of(found, "large-value") | {"pack_digest": "0" * 64}
    page = explain(alert, found[0], "en")
    assert "another version of golden-rules" in page
    assert "USD 10919.98" in page or "amount 10919.98 currency USD" in page
    assert "Met when" not in page


def test_a_changed_alert_is_explained_with_a_caution(found: Found) -> None:
    alert = alert_of(found, "large-value")
    alert = alert | {"measures": alert["measures"] | {"fx": {"amount": "1.00", "currency": "USD"}}}
    page = explain(alert, found[0], "en")
    assert "Caution: measures: the alert says" in page
    assert "Decided again from the alert's own evidence for this page: the same." not in page


@pytest.mark.parametrize("broken", [{"facts": None}, {"inputs": "x"}, {"rule": "no-such-rule"}])
def test_unreadable_evidence_still_gives_a_page(found: Found, broken: dict[str, Any]) -> None:
    page = explain(alert_of(found, "large-value") | broken, found[0], "en")
    assert "Caution: the evidence cannot be read" in page
    assert "Order No. 1 on Examples" in page


def test_a_rehearsal_says_by_whose_law(found: Found) -> None:
    alert = alert_of(found, "large-value") | {"law_as_of": "2030-01-01"}
    assert "A rehearsal: judged by the law of 2030-01-01" in explain(alert, found[0], "en")
