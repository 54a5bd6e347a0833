"""What detectors found is of several institutions: who is shown what of it."""

from __future__ import annotations

from typing import Any

import pytest

from casework.cases.disclosure import own_part
from casework.cases.grades import MASK, Grade, clear_grade, masked
from casework.cases.scope import Role, Scope
from casework.web.drawing import EDGES_MAX, network

RING: dict[str, Any] = {
    "id": "a1",
    "rule": "ty-round-trip",
    "time": "2026-03-04T00:00:00Z",
    "explanation": {"en": "Ring"},
    "subject": {"per": "party", "id": "C1", "institution": "B1"},
    "facts": {"type": "transaction", "reporter": "B1", "party.cycle(least=3) @INTL": True},
    "findings": {
        "party.cycle(least=3) @INTL": {
            "type": "cycle",
            "accounts": ["C1", "C2", "C3"],
            "edges": [
                {"event": f"e{n}", "from": f"C{n}", "to": f"C{n % 3 + 1}", "amount": "5.00",
                 "time": f"2026-03-0{n + 1}T00:00:00Z", "currency": "EUR"}
                for n in (1, 2, 3)
            ],
            "period": "cycle/B1/e1",
        }
    },
    "events": ["e1", "e2", "e3"],
    "event_count": 3,
}  # fmt: skip


def scope(role: Role, tenants: frozenset[str] | None = None) -> Scope:
    return Scope("somebody", frozenset({role}), None, tenants)


def test_an_institution_is_not_shown_a_ring_through_others() -> None:
    shown = own_part(scope(Role.INSTITUTION, frozenset({"B1"})), RING)
    assert "findings" not in shown and shown["events"] == []
    assert "C2" not in str(shown) and "C3" not in str(shown)
    assert shown["subject"] == RING["subject"]


def test_its_own_feed_is_told_no_more() -> None:
    assert "findings" not in own_part(scope(Role.SERVICE, frozenset({"B1"})), RING)


def test_the_authority_sees_it_whole() -> None:
    for role in (Role.SUPERVISOR, Role.AUDITOR, Role.SERVICE):
        seen = scope(role)
        assert masked(own_part(seen, RING), clear_grade(seen)) == RING


@pytest.mark.parametrize("role", [Role.AUTHOR, Role.OPERATOR])
def test_who_needs_no_ids_sees_none(role: Role) -> None:
    shown = masked(RING, clear_grade(scope(role)))["findings"]["party.cycle(least=3) @INTL"]
    assert shown["accounts"] == MASK and shown["period"] == MASK
    assert {edge[end] for edge in shown["edges"] for end in ("from", "to", "event")} == {MASK}
    assert [edge["amount"] for edge in shown["edges"]] == ["5.00"] * 3


def test_a_listed_name_is_public_and_what_was_asked_is_not() -> None:
    hit = {"hits": [{"name": "A B", "entry": "7", "parts": [{"part": "date", "asked": "1970"}]}]}
    shown = masked({"findings": {"event.screened(payer, un) @CN": hit}}, Grade.IDENTIFIER)
    (found,) = shown["findings"].values()
    assert found["hits"][0]["name"] == "A B"
    assert found["hits"][0]["parts"][0]["asked"] == MASK


def test_a_ring_is_drawn_payment_by_payment() -> None:
    drawn = network([RING])
    assert {node["label"] for node in drawn["nodes"]} == {"C1", "C2", "C3"}
    assert [(e["source"], e["target"]) for e in drawn["edges"]] == [
        ("party:C1", "party:C2"), ("party:C2", "party:C3"), ("party:C3", "party:C1"),
    ]  # fmt: skip
    assert len({edge["id"] for edge in drawn["edges"]}) == 3
    assert drawn["edges"][0]["amount"] == "5.00"


def test_a_chain_of_owners_is_drawn_from_the_top() -> None:
    path = [
        {"owner": "H", "owned": "X", "share": "1/2"},
        {"owner": "P", "owned": "H", "share": {"at_least": "1/2", "at_most": "1"}},
    ]
    alert = RING | {"findings": {"event.beneficial_owner() @UK": {"owners": [{"paths": [path]}]}}}
    drawn = network([alert])
    assert {(e["source"], e["target"], e["kind"]) for e in drawn["edges"]} == {
        ("party:H", "party:X", "ownership"), ("party:P", "party:H", "ownership"),
    }  # fmt: skip


def test_a_large_finding_is_cut() -> None:
    edge = RING["findings"]["party.cycle(least=3) @INTL"]["edges"][0]
    alert = RING | {"findings": {"party.fan_in() @INTL": {"edges": [edge] * (EDGES_MAX + 9)}}}
    assert len(network([alert])["edges"]) == EDGES_MAX
