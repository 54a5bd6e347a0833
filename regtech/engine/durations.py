"""Ends of legal clocks: hours, days, months and working days from a start, in a jurisdiction's
zone."""

from __future__ import annotations

from regtech.reference.civil import add_months, iso_from_day, time_text
from regtech.reference.profiles import Profile
from regtech.reference.zones import local_day, local_day_start_us, offset_us
from regtech.rulelang.ir import Duration

DAY_US = 86_400_000_000


def end_of(start_us: int, length: Duration, profile: Profile) -> int:
    """The instant at which a clock that started at ``start_us`` runs out. Rule 20.

    Working days: the last microsecond of the n-th working day after the start's local day. Months:
    the same local
    time, clamped to the month's last day. Days are 24 hours.
    """
    if length.unit == "seconds":
        return start_us + length.count * 1_000_000
    if length.unit == "days":
        return start_us + length.count * DAY_US
    day = local_day(profile.zone, start_us)
    if length.unit == "working_days":
        last = profile.calendar.add_working_days(day, length.count)
        return local_day_start_us(profile.zone, last + 1) - 1
    clock = start_us + offset_us(profile.zone, start_us) - day * DAY_US
    target = add_months(day, length.count)
    return instant_of(profile.zone, target * DAY_US + clock)


def instant_of(zone: str, local_us: int) -> int:
    """Instant of a local time: the first of two, and in a gap the time with the offset before
    it."""
    early = offset_us(zone, local_us - DAY_US)
    if offset_us(zone, local_us - early) == early:
        return local_us - early
    late = offset_us(zone, local_us + DAY_US)
    if offset_us(zone, local_us - late) == late:
        return local_us - late
    return local_us - early


def due_text(start_us: int, length: Duration, profile: Profile) -> str:
    """The due date (or, for hours, the due time) of a report, as written in an alert."""
    if length.unit == "seconds":
        return time_text(end_of(start_us, length, profile))
    day = local_day(profile.zone, start_us)
    if length.unit == "working_days":
        return iso_from_day(profile.calendar.add_working_days(day, length.count))
    if length.unit == "days":
        return iso_from_day(day + length.count)
    return iso_from_day(add_months(day, length.count))
