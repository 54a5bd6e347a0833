"""Jurisdiction profiles: what ships, what governs, what is refused."""

from __future__ import annotations

import pytest

from regtech.errors import ContentError, UsageError
from regtech.model.fields import EVENT_TYPES
from regtech.reference.faults import Fault
from regtech.reference.load import Reference
from regtech.reference.profiles import EVERYWHERE, ROLE_PATHS, Profile, check_profiles

REFERENCE = Reference.shipped()
PROFILES = REFERENCE.profiles

DOCUMENT: dict[str, object] = {
    "id": "XX",
    "title": {"en": "X", "zh": "某地"},
    "countries": ["XX"],
    "zone": "UTC",
    "currency": "EUR",
    "calendar": {"source": "weekdays"},
    "governs": {"transaction": ["reporter"]},
}


def make(**changes: object) -> Profile:
    return Profile.from_document({**DOCUMENT, **changes}, REFERENCE.currencies)


def test_the_jurisdictions_that_ship() -> None:
    zones = {p.id: (p.zone, p.currency) for p in PROFILES.values()}
    assert zones == {
        "CN": ("Asia/Shanghai", "CNY"),
        "HK": ("Asia/Hong_Kong", "HKD"),
        "SG": ("Asia/Singapore", "SGD"),
        "EU": ("Europe/Brussels", "EUR"),
        "UK": ("Europe/London", "GBP"),
        "US": ("America/New_York", "USD"),
        "MY": ("Asia/Kuala_Lumpur", "MYR"),
        "JP": ("Asia/Tokyo", "JPY"),
        "TH": ("Asia/Bangkok", "THB"),
        "IN": ("Asia/Kolkata", "INR"),
        "KR": ("Asia/Seoul", "KRW"),
        "INTL": ("UTC", "USD"),
    }


def test_the_mainland_is_not_hong_kong_and_the_kingdom_is_not_the_union() -> None:
    assert PROFILES["CN"].countries == frozenset({"CN"})
    assert PROFILES["UK"].countries == frozenset({"GB"})
    assert "GB" not in PROFILES["EU"].countries
    owners: dict[str, str] = {}
    for profile in PROFILES.values():
        for country in profile.countries:
            assert owners.setdefault(country, profile.id) == profile.id


@pytest.mark.parametrize("jurisdiction", sorted(set(PROFILES) - {EVERYWHERE}))
def test_every_event_type_has_roles_and_the_reporter_is_one(jurisdiction: str) -> None:
    profile = PROFILES[jurisdiction]
    assert set(profile.governs) == set(EVENT_TYPES)
    for event_type in EVENT_TYPES:
        assert "reporter.country" in profile.governing_paths(event_type)
    assert profile.governing_paths("transaction") == (
        "reporter.country",
        "payer.institution_country",
        "payee.institution_country",
    )
    assert not profile.everywhere


def test_united_states_law_follows_the_persons_concerned() -> None:
    assert "person_nationality" in PROFILES["US"].governing_paths("data_transfer")
    assert "person_nationality" not in PROFILES["CN"].governing_paths("data_transfer")


def test_the_international_profile_governs_everything() -> None:
    profile = PROFILES[EVERYWHERE]
    assert profile.everywhere
    assert profile.countries == frozenset()
    assert profile.governing_paths("transaction") == ()


@pytest.mark.parametrize("jurisdiction", sorted(PROFILES))
def test_texts_are_in_both_languages(jurisdiction: str) -> None:
    profile = PROFILES[jurisdiction]
    for title in (profile.title, *(e.title for e in profile.authorities + profile.identifiers)):
        assert title["en"].isascii()
        assert any(ord(char) > 0x7F for char in title["zh"]) or title["zh"] == title["en"]


def test_an_unknown_jurisdiction_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="CN, EU"):
        REFERENCE.profile("ZZ")
    assert REFERENCE.profile("CN") is PROFILES["CN"]


def test_two_profiles_cannot_share_a_country() -> None:
    with pytest.raises(ContentError, match="belongs to XX"):
        check_profiles({"XX": make(), "YY": make(id="YY")})


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"id": "xx"}, "id", "bad_code"),
        ({"countries": []}, "countries", "missing"),
        ({"countries": "all"}, "countries", "wrong_type"),
        ({"countries": ["XXX"]}, "countries[0]", "bad_code"),
        ({"countries": [False]}, "countries[0]", "wrong_type"),
        ({"id": EVERYWHERE}, "countries", "unknown_word"),
        ({"zone": "Asia/Peking"}, "zone", "unknown_zone"),
        ({"currency": "XXQ"}, "currency", "unknown_currency"),
        ({"calendar": {"source": "almanac"}}, "calendar.source", "unknown_word"),
        ({"governs": {"payment": ["reporter"]}}, "governs.payment", "unknown_key"),
        ({"governs": {"transaction": ["bank"]}}, "governs.transaction[0]", "unknown_word"),
        ({"governs": {"transaction": ["exporter"]}}, "governs.transaction[0]", "unknown_word"),
        ({"authorities": [{"id": "a"}]}, "authorities[0].title", "wrong_type"),
        ({"colour": "red"}, "colour", "unknown_key"),
    ],
)
def test_faults_name_their_place(changes: dict[str, object], path: str, code: str) -> None:
    with pytest.raises(ContentError) as caught:
        make(**changes)
    found = [(f.path, f.code) for f in caught.value.faults if isinstance(f, Fault)]
    assert (path, code) in found


def test_every_role_has_a_field() -> None:
    assert all(path.rpartition(".")[2] for path in ROLE_PATHS.values())
