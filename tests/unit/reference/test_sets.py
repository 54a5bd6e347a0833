"""Dated sets: membership by day, changes, shipped sets against the register."""

from __future__ import annotations

import pytest

from regtech.errors import ContentError, UsageError
from regtech.reference.civil import day_from_iso
from regtech.reference.faults import Fault
from regtech.reference.load import Reference
from regtech.reference.sets import MemberSet, SetTable

SETS = Reference.shipped().sets


def on(name: str, day: str) -> frozenset[str]:
    return SETS.members(name, day_from_iso(day))


def make(**changes: object) -> MemberSet:
    document: dict[str, object] = {
        "set": "s",
        "title": {"en": "S", "zh": "集"},
        "basis": "default",
        "members": [],
    }
    return MemberSet.from_document({**document, **changes})


def test_days_are_included_at_both_ends() -> None:
    entry = make(members=[{"value": "A", "from": "2026-01-10", "until": "2026-01-20"}, "B"])
    days = [day_from_iso(f"2026-01-{d}") for d in ("09", "10", "20", "21")]
    assert [sorted(entry.on(day)) for day in days] == [["B"], ["A", "B"], ["A", "B"], ["B"]]
    assert entry.change_days() == (days[1], days[3])


def test_a_membership_that_is_continued_the_next_day_is_no_change() -> None:
    entry = make(
        members=[
            {"value": "A", "until": "2026-01-20"},
            {"value": "A", "from": "2026-01-21"},
        ]
    )
    assert entry.change_days() == ()


def test_brazil_is_adequate_from_the_day_of_its_decision() -> None:
    assert "BR" not in on("eu-adequacy", "2026-01-25")
    assert "BR" in on("eu-adequacy", "2026-01-26")
    assert SETS.change_days("eu-adequacy") == (day_from_iso("2026-01-26"),)


def test_the_adequacy_list_is_that_of_the_register() -> None:
    assert on("eu-adequacy", "2026-11-22") == frozenset(
        "AD AR CA FO GG IL IM JP JE NZ KR CH GB UY BR".split()
    )
    assert on("eu-adequacy-certified", "2026-11-22") == frozenset({"US"})


def test_countries_of_concern_are_those_of_the_register_with_hong_kong_and_macau() -> None:
    assert on("us-countries-of-concern", "2025-04-07") == frozenset()
    assert on("us-countries-of-concern", "2025-04-08") == frozenset(
        "CN HK MO CU IR KP RU VE".split()
    )


def test_the_union_and_the_area() -> None:
    members = on("eu-members", "2026-11-22")
    assert len(members) == 27
    assert on("eea", "2026-11-22") == members | {"IS", "LI", "NO"}
    assert "GB" in on("eu-members", "2020-01-31")
    assert "GB" not in on("eu-members", "2020-02-01")
    assert "GB" in on("eea", "2020-12-31")
    assert "GB" not in on("eea", "2021-01-01")
    assert Reference.shipped().profiles["EU"].countries == members


def test_nine_cities() -> None:
    assert len(on("gba-cities", "2026-11-22")) == 9


@pytest.mark.parametrize("name", SETS.names)
def test_law_carries_a_confidence_and_a_source_in_the_register(name: str) -> None:
    entry = SETS[name]
    if entry.basis == "law":
        assert entry.confidence
        assert entry.source
        assert entry.obligation
    else:
        assert entry.confidence is None


def test_lists_that_the_register_does_not_give_are_empty() -> None:
    for name in ("fatf-call-for-action", "uk-adequacy", "in-restricted-countries"):
        assert SETS.all_values(name) == frozenset()


def test_unknown_sets_are_refused() -> None:
    assert "nope" not in SETS
    with pytest.raises(UsageError, match="nope"):
        SETS.members("nope", 0)


def test_the_digest_follows_the_dates() -> None:
    one, two = make(members=["A"]), make(members=[{"value": "A", "from": "2026-01-01"}])
    assert one.digest() == make(members=["A"], title={"en": "T", "zh": "题"}).digest()
    assert one.digest() != two.digest()


def test_two_sets_of_one_name_are_refused() -> None:
    with pytest.raises(ContentError, match="twice"):
        SetTable([make(), make()])


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"basis": "law", "source": "x"}, "confidence", "unknown_word"),
        ({"basis": "law", "confidence": "verified"}, "source", "wrong_type"),
        ({"basis": "default", "confidence": "verified"}, "confidence", "default_as_law"),
        ({"basis": "custom"}, "basis", "unknown_word"),
        ({"title": {"en": "S"}}, "title.zh", "wrong_type"),
        ({"members": "DE"}, "members", "wrong_type"),
        ({"members": ["DE", "DE"]}, "members[1]", "duplicate"),
        ({"members": [{"value": False}]}, "members[0].value", "wrong_type"),
        ({"members": [{"value": "A", "from": "2026-02-30"}]}, "members[0].from", "bad_date"),
        (
            {"members": [{"value": "A", "from": "2026-02-02", "until": "2026-02-01"}]},
            "members[0]",
            "bad_span",
        ),
        (
            {
                "members": [
                    {"value": "A", "until": "2026-02-02"},
                    {"value": "A", "from": "2026-02-02"},
                ]
            },
            "members[1]",
            "duplicate",
        ),
        ({"extra": 1}, "extra", "unknown_key"),
    ],
)
def test_faults_name_their_place(changes: dict[str, object], path: str, code: str) -> None:
    with pytest.raises(ContentError) as caught:
        make(**changes)
    assert [(f.path, f.code) for f in caught.value.faults if isinstance(f, Fault)] == [(path, code)]
