"""Transition tables against ``zoneinfo`` reading the same database."""

from __future__ import annotations

import importlib.resources
import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from regtech.errors import UsageError
from regtech.reference.civil import DAY_US, days_from_civil
from regtech.reference.zones import (
    local_day,
    local_day_start_us,
    offset_us,
    standard_offset_us,
    transition_table,
)

ZONES = (
    "Asia/Shanghai",
    "Asia/Hong_Kong",
    "Asia/Singapore",
    "Europe/Brussels",
    "Europe/London",
    "America/New_York",
    "Asia/Kuala_Lumpur",
    "Asia/Tokyo",
    "Asia/Bangkok",
    "Asia/Kolkata",
    "Asia/Seoul",
    "UTC",
    # Shapes that the jurisdictions' own zones lack: negative summer time, southern summer, a rule
    # that crosses midnight before Sunday, half hours, midnight transitions, a skipped day.
    "Europe/Dublin",
    "Australia/Lord_Howe",
    "America/Nuuk",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Pacific/Apia",
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def zone_info(zone: str) -> ZoneInfo:
    """The standard library's reading of the same file; the machine's own copy may be another."""
    path = importlib.resources.files("tzdata").joinpath("zoneinfo", *zone.split("/"))
    with path.open("rb") as file:
        return ZoneInfo.from_file(file, key=zone)


def at(instant_us: int, info: ZoneInfo) -> datetime:
    return (EPOCH + instant_us * MICROSECOND).astimezone(info)


def us(moment: datetime) -> int:
    return (moment.astimezone(UTC) - EPOCH) // MICROSECOND


@pytest.mark.parametrize("zone", ZONES)
def test_offsets_agree_around_every_change_and_at_random_instants(zone: str) -> None:
    info = zone_info(zone)
    starts, _ = transition_table(zone)
    changes = [int(s) for s in starts[1:]]
    near = [c + shift for c in changes[:400] + changes[-20:] for shift in (-1, 0, 1)]
    rng = random.Random(f"{zone} offsets")
    first, last = us(datetime(1, 1, 3, tzinfo=UTC)), us(datetime(9999, 12, 29, tzinfo=UTC))
    for instant in near + [rng.randrange(first, last) for _ in range(300)]:
        if first <= instant <= last:
            moment = at(instant, info)
            assert moment.utcoffset() == offset_us(zone, instant) * MICROSECOND, moment
            assert local_day(zone, instant) == moment.date().toordinal() - 719163, moment


@pytest.mark.parametrize("zone", ZONES)
def test_days_start_where_the_wall_clock_first_shows_them(zone: str) -> None:
    info = zone_info(zone)
    starts, _ = transition_table(zone)
    rng = random.Random(f"{zone} days")
    special = [
        d for y in (1900, 1972, 2000, 2024, 2100) for d in ((y, 2, 28), (y, 3, 1), (y, 12, 31))
    ]
    days = [days_from_civil(*d) for d in special]
    days += [days_from_civil(1902, 1, 1) + rng.randrange(80_000) for _ in range(200)]
    days += [local_day(zone, int(s)) + shift for s in starts[1:200] for shift in (-1, 0, 1)]
    for day in days:
        start = local_day_start_us(zone, day)
        assert at(start, info).date().toordinal() - 719163 >= day
        assert at(start - 1, info).date().toordinal() - 719163 < day


@pytest.mark.parametrize("zone", ZONES)
def test_tables_are_ordered_exact_to_the_year_9999_and_read_only(zone: str) -> None:
    starts, offsets = transition_table(zone)
    assert starts.dtype == offsets.dtype == np.int64
    assert len(starts) == len(offsets)
    assert bool(np.all(np.diff(starts[1:]) > 0))
    assert bool(np.all(np.diff(offsets) != 0)), "an entry that changes nothing"
    assert int(starts[0]) == -(1 << 63)
    with pytest.raises(ValueError, match="read-only"):
        starts[0] = 0


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Asia/Shanghai", "1986-05-04", 23),  # summer time began at 02:00
        ("Asia/Shanghai", "1986-09-14", 25),
        ("Asia/Shanghai", "1991-04-14", 23),
        ("Asia/Shanghai", "1991-09-15", 25),
        ("Asia/Shanghai", "1992-04-12", 24),  # and was given up
        ("Asia/Shanghai", "2026-03-29", 24),
        ("Europe/London", "2026-03-29", 23),
        ("Europe/London", "2026-10-25", 25),
        ("Europe/Brussels", "2026-03-29", 23),
        ("Europe/Brussels", "2100-10-31", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("America/New_York", "2024-02-29", 24),
        ("Asia/Singapore", "2026-12-31", 24),
        ("Pacific/Apia", "2011-12-30", 0),  # skipped: the date line moved
    ],
)
def test_length_of_a_day(zone: str, day: str, hours: int) -> None:
    start = date.fromisoformat(day)
    length = local_day_start_us(zone, start + timedelta(days=1)) - local_day_start_us(zone, start)
    assert length == hours * 3600 * 1_000_000


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/London", "America/New_York"])
def test_24_00_of_a_day_is_the_next_day(zone: str) -> None:
    midnight = local_day_start_us(zone, date(2026, 12, 31))
    day = days_from_civil(2026, 12, 31)
    assert local_day(zone, midnight) == day
    assert local_day(zone, midnight - 1) == day - 1
    assert local_day(zone, midnight + DAY_US - 1) == day
    assert local_day(zone, midnight + DAY_US) == day + 1  # New Year


def test_the_first_and_last_instants_of_the_contract_have_a_day() -> None:
    # 0001-01-01T00:00+14:00 and 9999-12-31T23:59:59.999999-12:00 lie outside the years of datetime.
    early = days_from_civil(1, 1, 1) * DAY_US - 14 * 3_600_000_000
    late = days_from_civil(10_000, 1, 1) * DAY_US + 12 * 3_600_000_000 - 1
    assert local_day("UTC", early) == days_from_civil(0, 12, 31)
    assert local_day("Asia/Shanghai", early) == days_from_civil(0, 12, 31)
    assert local_day("UTC", late) == days_from_civil(10_000, 1, 1)
    assert local_day("America/New_York", late) == days_from_civil(10_000, 1, 1)


def test_standard_offsets_leave_summer_time_out() -> None:
    hours = {zone: standard_offset_us(zone) / 3_600_000_000 for zone in ZONES}
    assert hours["America/New_York"] == -5
    assert hours["Europe/London"] == hours["Europe/Dublin"] == 0
    assert hours["Asia/Shanghai"] == 8
    assert hours["Australia/Lord_Howe"] == 10.5


@pytest.mark.parametrize("zone", ["Asia/Peking", "../tzdata", "", "Asia", "zones", "Asia/../UTC"])
def test_unknown_zones_are_refused(zone: str) -> None:
    with pytest.raises(UsageError, match="time zone"):
        transition_table(zone)
