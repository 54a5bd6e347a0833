"""Rules in force: an operator puts an approved proposal in force, and everybody sees how far it is.

What the exchange itself promises is held in ``tests/unit/app/test_reading.py``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casework.cases.proposals import ProposalState, ProposalTexts
from casework.cases.scope import Role
from regtech.content import content_root
from tests.contract.world import SERVICE
from tests.support.proposals import proposal
from tests.unit.casework.web.page_world import PageWorld

PACK = "cn-aml-large-value"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PageWorld]:
    """A server that reads a folder; a proposal that a second person approved."""
    rules = tmp_path / "rules" / "cn"
    rules.mkdir(parents=True)
    shutil.copy(content_root("rules") / "cn" / f"{PACK}.yml", rules)
    with PageWorld.made(tmp_path, events=True, rules_folder=rules.parent) as made:
        made.api.person("op", Role.OPERATOR)
        made.api.person("author", Role.AUTHOR)
        made.api.person("wang")
        made.api.person("bank", Role.INSTITUTION, tenants={"BANK-A"})
        yield made


def _approved(world: PageWorld) -> str:
    """The path of its page."""
    context = world.api.context
    assert context.rules is not None and context.drafts is not None
    base = context.rules.source(PACK)
    text = base.replace("version: 1.0.0", "version: 1.1.0", 1).replace(
        "cash_cny: {value: CNY 50000", "cash_cny: {value: CNY 47000", 1
    )
    draft, _ = context.drafts.check(text)
    assert draft is not None
    made = proposal(
        text=text, version=draft.version, digest=draft.digest, state=ProposalState.APPROVED,
        base_digest=context.rules.packs()[0]["digest"], decided_by="bo", decided_us=1,
    )  # fmt: skip
    assert world.api.proposals is not None
    with world.api.proposals.unit(SERVICE) as unit:
        unit.add(SERVICE, made, ProposalTexts(base, text))
    return f"/proposals/{made.id}"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_approved_proposal_is_put_in_force_from_its_page(world: PageWorld, lang: str) -> None:
    path = _approved(world)
    operator, author = world.signed_in("op", lang), world.signed_in("author", lang)
    assert 'value="apply"' not in author.get(path).response.text
    assert author.send(path, {"act": "apply"}).status_code == 403
    page = operator.get(path)
    assert 'value="apply"' in page.response.text and 'name="reason"' not in page.response.text
    shown = operator.done(path, {"act": "apply"})
    # Rules are read: the page is asked for again by itself, for everybody.
    assert shown.all("progress") and shown.response.headers["refresh"] == f"2; url={path}"
    assert author.get(path).all("progress")
    reading: Any = world.api.context.rules_in_force
    reading.work(SERVICE)
    done = author.get(path)
    assert not done.all("progress") and "refresh" not in done.response.headers
    assert "standing-in_force" in done.response.text
    listed = author.get("/rules-in-force")
    assert "1.1.0" in listed.text and "refresh" not in listed.response.headers


def test_what_was_approved_is_put_in_force_all_at_once(world: PageWorld) -> None:
    path = _approved(world)
    operator = world.signed_in("op")
    page = operator.get("/rules-in-force")
    assert path in page.links and "1.0.0" in page.text
    shown = operator.done("/rules-in-force", {"act": "apply"})
    assert shown.all("progress") and "Nothing that was approved waits" in shown.text
    reading: Any = world.api.context.rules_in_force
    health: Any = world.api.context.health
    health.parts = lambda: {"rules": reading.health()}
    assert operator.get("/health").text.count("being read") == 1
    reading.work(SERVICE)
    assert "1.1.0" in operator.get("/rules-in-force").text
    logged = operator.get("/audit?chain=")
    assert "rules in force from byte 0 of the journal on" in logged.text
    assert world.api.context.rules is not None
    (used,) = world.api.context.rules.packs()
    assert f"{PACK} 1.1.0 {used['digest'][:16]}" in logged.text and path in logged.links
    assert operator.send("/rules-in-force", {"act": "odd"}).status_code == 400
    for name in ("author", "wang"):
        person = world.signed_in(name)
        assert 'name="act"' not in person.get("/rules-in-force").response.text
        assert person.send("/rules-in-force", {"act": "read"}).status_code == 403
    assert world.signed_in("bank").ask("GET", "/rules-in-force").status_code == 403


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_why_rules_were_refused_is_told_where_it_is_looked_for(
    world: PageWorld, tmp_path: Path, lang: str
) -> None:
    path = _approved(world)
    operator = world.signed_in("op", lang)
    operator.done(path, {"act": "apply"})
    file = tmp_path / "rules" / "cn" / f"{PACK}.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("severity: medium", "severity: odd"))
    reading: Any = world.api.context.rules_in_force
    reading.work(SERVICE)
    for shown in (operator.get(path), operator.get("/rules-in-force")):
        assert f"cn/{PACK}.yml" in shown.text and str(tmp_path) not in shown.text
        assert "odd" in shown.text
    assert "standing-applied" in operator.get(path).response.text
    health: Any = world.api.context.health
    health.parts = lambda: {"rules": reading.health()}
    assert "odd" in operator.get("/health").text
