"""Where a calendar period begins, for evidence and explanations."""

from __future__ import annotations

from regtech.reference.civil import month_start, quarter_start, week_start, year_start
from regtech.reference.profiles import Profile
from regtech.reference.zones import local_day_start_us


def first_day(period: str, day: int, profile: Profile) -> int:
    """First local day of the calendar period that a local day belongs to."""
    if period == "week":
        return week_start(day)
    if period == "month":
        return month_start(day)
    if period == "quarter":
        return quarter_start(day)
    if period == "year":
        return year_start(day)
    if period == "business_day":
        # the days since the last working day before this business day run into it
        calendar = profile.calendar
        first = calendar.next_working_day(day)
        while not calendar.is_working(first - 1):
            first -= 1
        return first
    return day


def calendar_start_us(period: str, day: int, profile: Profile) -> int:
    """Instant at which that period begins."""
    return local_day_start_us(profile.zone, first_day(period, day, profile))
