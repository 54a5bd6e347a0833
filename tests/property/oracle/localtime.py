"""Local time: days, calendar periods and their labels, months back and forth."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000
MICRO = timedelta(microseconds=1)


def micros(text: str) -> int:
    """RFC 3339 with an offset, as microseconds since 1970."""
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo is not None, text
    return (moment - EPOCH) // MICRO


def day_number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def utc_text(time: int) -> str:
    moment = EPOCH + time * MICRO
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment.microsecond:06d}Z" if moment.microsecond else f"{text}Z"


def _month_shift(moment: datetime, months: int) -> tuple[datetime, bool]:
    """The same day and time ``months`` later, and whether that day exists (else its last day)."""
    index = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    exists = moment.day <= last
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last)), exists


class LocalTime:
    """The zone and the working days of one jurisdiction."""

    def __init__(self, zone: str, working: Callable[[date], bool]) -> None:
        self.zone = ZoneInfo(zone)
        self.working = working
        offsets = [
            datetime(2024, month, 1, tzinfo=self.zone).utcoffset() or timedelta()
            for month in (1, 7)
        ]
        self.standard = min(offsets) // MICRO  # summer time is always ahead

    def local(self, time: int) -> datetime:
        return (EPOCH + time * MICRO).astimezone(self.zone)

    def day(self, time: int) -> date:
        return self.local(time).date()

    def instant(self, wall: datetime) -> int:
        """UTC time of a wall clock (fold 0: before a gap's change, the first of two)."""
        return (wall.replace(tzinfo=self.zone, fold=0).astimezone(UTC) - EPOCH) // MICRO

    def business_day(self, day: date) -> date:
        while not self.working(day):
            day += timedelta(days=1)
        return day

    def period(self, kind: str, day: date) -> str:
        """Label of the calendar period that a local day lies in."""
        if kind == "business_day":
            return self.business_day(day).isoformat()
        if kind == "day":
            return day.isoformat()
        if kind == "week":
            year, week, _ = day.isocalendar()
            return f"{year}-W{week:02d}"
        if kind == "month":
            return f"{day.year}-{day.month:02d}"
        if kind == "quarter":
            return f"{day.year}-Q{(day.month + 2) // 3}"
        if kind == "year":
            return f"{day.year}"
        assert kind == "ever", kind
        return "ever"

    def end_of_day(self, day: date) -> int:
        """Last microsecond of a local day."""
        following = day + timedelta(days=1)
        return self.instant(datetime(following.year, following.month, following.day)) - 1

    def end_of_period(self, kind: str, day: date) -> int:
        label = self.period(kind, day)
        while self.period(kind, day + timedelta(days=1)) == label:
            day += timedelta(days=1)
        return self.end_of_day(day)

    def months_before(self, time: int, months: int) -> int:
        """Rule 13: on the calendar shifted by the standard offset, clamped to the month's end."""
        shifted = (EPOCH + (time + self.standard) * MICRO).replace(tzinfo=None)
        wall, exists = _month_shift(shifted, -months)
        if not exists:
            wall = wall.replace(hour=23, minute=59, second=59, microsecond=999_999)
        return (wall.replace(tzinfo=UTC) - EPOCH) // MICRO - self.standard

    def months_after(self, time: int, months: int) -> int:
        """Rule 20: the same local time, clamped to the month's last day."""
        return self.instant(_month_shift(self.local(time).replace(tzinfo=None), months)[0])

    def working_days_after(self, time: int, count: int) -> int:
        """Rule 20: last microsecond of the n-th working day after the local day of ``time``."""
        day = self.day(time)
        while count > 0:
            day += timedelta(days=1)
            if self.working(day):
                count -= 1
        return self.end_of_day(day)
