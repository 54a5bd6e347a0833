"""What people write after an option: exact values, and a hint for everything else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from regtech.app.options import (
    parse_day,
    parse_length,
    parse_moment,
    parse_names,
    parse_share,
)
from regtech.app.settings import SETTINGS, check_settings, setting, unknown_settings
from regtech.errors import UsageError

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("0", 0),
        ("5us", 5),
        ("5ms", 5000),
        ("30s", 30 * SECOND),
        ("10m", 600 * SECOND),
        ("10min", 600 * SECOND),
        ("2h", 7200 * SECOND),
        (" 7 d ", 604800 * SECOND),
    ],
)
def test_lengths(text: str, us: int) -> None:
    assert parse_length(text) == us


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01", 0),
        ("1970-01-02", 86400 * SECOND),
        ("1970-01-01T08:00:00+08:00", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1970-01-01 00:01Z", 60 * SECOND),
        ("1969-12-31T23:59:59.5Z", -SECOND // 2),
        ("9999-12-31T23:59:59.999999Z", 253402300799999999),
    ],
)
def test_moments(text: str, us: int) -> None:
    assert parse_moment(text) == us


def test_the_rest() -> None:
    assert parse_day("2026-02-28") == date(2026, 2, 28)
    assert parse_share("5%") == Fraction(1, 20)
    assert parse_share("0.05") == Fraction(1, 20)
    assert parse_share("12.5 %") == Fraction(1, 8)
    assert parse_names("CN, eu,cn") == ("cn", "eu")
    assert parse_names(None) == ()


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_length, "10"),
        (parse_length, "-1s"),
        (parse_length, "1.5h"),
        (parse_length, "7 weeks"),
        (parse_length, "9999999999d"),
        (parse_moment, "2026-03-02T09:00:00"),
        (parse_moment, "2026-02-30"),
        (parse_moment, "2026-03-02T25:00:00Z"),
        (parse_moment, "yesterday"),
        (parse_day, "2026-3-2"),
        (parse_day, "20260302"),
        (parse_share, "100%"),
        (parse_share, "-5%"),
        (parse_share, "half"),
        (parse_names, "cn,,eu"),
    ],
)
def test_what_cannot_be_is_wrong_use_with_a_hint(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert caught.value.exit_status == 2
    assert caught.value.hint


def test_settings_come_from_the_environment_before_their_default() -> None:
    assert setting("REGTECH_LANG", {}) == "en"
    assert setting("REGTECH_LANG", {"REGTECH_LANG": "zh"}) == "zh"
    assert setting("REGTECH_LANG", {"REGTECH_LANG": ""}) == "en"
    with pytest.raises(UsageError, match="'en' or 'zh'"):
        setting("REGTECH_LANG", {"REGTECH_LANG": "fr"})


def test_setting_names_are_unique() -> None:
    assert len({entry.name for entry in SETTINGS}) == len(SETTINGS)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("REGTECH_BATCH", "abc"),
        ("REGTECH_LATENESS", "soon"),
        ("REGTECH_WATCHED", "many"),
        ("REGTECH_LISTS", __file__),
        ("REGTECH_LISTS_EVERY", "often"),
        ("REGTECH_LISTS_LEAST", "7"),
        ("REGTECH_LISTS_LEAST", "nan"),
        ("REGTECH_MODELS", __file__),
        ("REGTECH_MODELS", "/nowhere/at/all"),
        ("REGTECH_SNAPSHOT_EVERY", "0"),
        ("REGTECH_SNAPSHOT_EVERY", "never"),
        ("REGTECH_CACHE_DIR", __file__),
        ("REGTECH_BOUNDSCHECK", "maybe"),
        ("REGTECH_PORT", "99999"),
        ("REGTECH_HISTORY", "/nowhere/at/all"),
        ("REGTECH_OIDC_ISSUER", "provider"),
        ("REGTECH_REQUEST_TIMEOUT", "0s"),
        ("REGTECH_BULK_BYTES", "1GB"),
        ("REGTECH_RATE", "-1"),
        ("REGTECH_PROXIES", "here"),
    ],
)
def test_a_server_is_refused_a_setting_that_cannot_be_by_its_name(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=name) as caught:
        check_settings({name: text})
    assert caught.value.exit_status == 2
    assert caught.value.hint


def test_all_defaults_are_settings_that_can_be() -> None:
    check_settings({})


def test_a_slip_in_the_name_of_a_setting_is_told() -> None:
    environ = {"REGTECH_RAET": "3", "REGTECH_RATE": "3", "REGTECH_UPDATE": "1", "PATH": "/"}
    assert unknown_settings(environ) == ["REGTECH_RAET is no setting; did you mean REGTECH_RATE?"]
