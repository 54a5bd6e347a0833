"""Working days of a jurisdiction, with the years that are known and those that are estimated.

Two libraries are the sources, both kept by their maintainers each year: ``chinesecalendar`` (the
State Council's notices on holidays and on weekends worked in exchange) and ``holidays``. They are
imported only when a day is asked for: importing them costs start-up time. Days are days since
1970-01-01. Outside the covered years ``holidays`` is still asked where it has rules, China falls
back to Monday to Friday, and ``covered`` says that the answer is an estimate.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from regtech.errors import UsageError
from regtech.reference.civil import civil_from_days, days_from_civil, iso_weekday
from regtech.reference.faults import Reader

Bytes = npt.NDArray[np.uint8]
Source = Literal["chinesecalendar", "holidays", "weekdays"]

SOURCES: Final[tuple[Source, ...]] = ("chinesecalendar", "holidays", "weekdays")
_LIBRARY_YEARS: Final = range(1970, 2100)  # outside, the libraries are not asked
_SCAN_DAYS_MAX: Final = 400  # no calendar has so many days off in a row


@dataclass(frozen=True, slots=True)
class CalendarSpec:
    """Where a jurisdiction's working days come from, as its profile says.

    ``source``: ``chinesecalendar``, ``holidays`` (``region`` is a country or a financial market of
    that library, ``subdivision`` a part of the country, ``categories`` its kinds of holiday), or
    ``weekdays`` (Monday to Friday). ``weekend``: ISO weekdays off, Monday is 1. ``covers``: first
    and last year for which the source is complete; None with ``weekdays``, which needs no source.
    """

    source: Source
    region: str = ""
    subdivision: str = ""
    categories: tuple[str, ...] = ()
    weekend: tuple[int, ...] = (6, 7)
    covers: tuple[int, int] | None = None

    @classmethod
    def from_document(cls, reader: Reader, document: Any, path: str) -> CalendarSpec:
        """Read the ``calendar`` of a profile, noting faults in the reader."""
        keys = ("source", "region", "subdivision", "categories", "weekend", "covers", "note")
        entry = reader.mapping(document, path, keys)
        source = reader.one_of(entry.get("source"), f"{path}.source", SOURCES)
        covers = None
        if source != "weekdays":
            years = reader.mapping(entry.get("covers"), f"{path}.covers", ("from", "until"))
            first = reader.integer(years.get("from"), f"{path}.covers.from", 1970, 2099)
            covers = (
                first,
                reader.integer(years.get("until"), f"{path}.covers.until", first, 2099),
            )
        region = str(entry.get("region", ""))
        if source == "holidays" and not region:
            reader.fault(f"{path}.region", "missing", "a country or market of the library")
        weekend = reader.sequence(entry.get("weekend", (6, 7)), f"{path}.weekend")
        return cls(
            source=next(s for s in SOURCES if s == source),
            region=region,
            subdivision=str(entry.get("subdivision", "")),
            categories=tuple(str(c) for c in entry.get("categories", ())),
            weekend=tuple(reader.integer(d, f"{path}.weekend", 1, 7) for d in weekend),
            covers=covers,
        )


class WorkingCalendar:
    """Working days of one jurisdiction. Years are worked out once and kept."""

    def __init__(self, spec: CalendarSpec) -> None:
        self.spec = spec
        self._years: dict[int, bytes] = {}

    def covered(self, day: int) -> bool:
        """Whether the source is complete for the day's year; else the answer is an estimate."""
        covers = self.spec.covers
        return covers is None or covers[0] <= civil_from_days(day)[0] <= covers[1]

    def is_working(self, day: int) -> bool:
        """Whether the day is a working day."""
        year = civil_from_days(day)[0]
        return bool(self.days_of(year)[day - days_from_civil(year, 1, 1)])

    def next_working_day(self, day: int) -> int:
        """The day itself if it is a working day, else the first one after it."""
        for candidate in range(day, day + _SCAN_DAYS_MAX):
            if self.is_working(candidate):
                return candidate
        raise UsageError(f"no working day within {_SCAN_DAYS_MAX} days: {self.spec}")

    def add_working_days(self, day: int, count: int) -> int:
        """The ``count``-th working day after a day: counting starts the day after, 0 is the day."""
        if count < 0:
            raise UsageError(f"cannot count {count} working days")
        for _ in range(count):
            day = self.next_working_day(day + 1)
        return day

    def working_days_between(self, first: int, last: int) -> int:
        """Number of working days after ``first`` up to and including ``last``; 0 if none."""
        return int(self.table(first + 1, last).sum()) if last > first else 0

    def table(self, first_day: int, last_day: int) -> Bytes:
        """1 for a working day, 0 for another, from the first to the last day, both included.

        Outside the covered years about a millisecond a year the first time.
        """
        if last_day < first_day:
            raise UsageError("the last day lies before the first")
        first_year, last_year = civil_from_days(first_day)[0], civil_from_days(last_day)[0]
        days = b"".join(self.days_of(year) for year in range(first_year, last_year + 1))
        shift = days_from_civil(first_year, 1, 1)
        part = days[first_day - shift : last_day - shift + 1]
        return np.frombuffer(part, dtype=np.uint8)  # over bytes: read-only

    def lacks(self, first: int, last: int) -> bool:
        """Whether a library would have to be asked for a year from ``first`` to ``last``."""
        if self.spec.source == "weekdays":
            return False
        return any(year not in self._years for year in range(first, last + 1))

    def learn(self, year: int, days: bytes) -> None:
        """Take over what ``days_of`` said of a year before."""
        self._years[year] = days

    def days_of(self, year: int) -> bytes:
        """A byte for each day of a year: 1 for a working day."""
        known = self._years.get(year)
        if known is None:
            known = self._years[year] = bytes(self._work_out(year))
        return known

    def _work_out(self, year: int) -> bytearray:
        start, end = days_from_civil(year, 1, 1), days_from_civil(year + 1, 1, 1)
        weekend = self.spec.weekend
        days = bytearray(iso_weekday(day) not in weekend for day in range(start, end))
        if year not in _LIBRARY_YEARS:
            return days
        if self.spec.source == "chinesecalendar":
            if self.spec.covers and self.spec.covers[0] <= year <= self.spec.covers[1]:
                _apply_chinese(days, year)
        elif self.spec.source == "holidays":
            for holiday in _library_holidays(self.spec, year):
                days[days_from_civil(holiday.year, holiday.month, holiday.day) - start] = 0
        return days


def _apply_chinese(days: bytearray, year: int) -> None:
    from chinese_calendar import constants

    start = days_from_civil(year, 1, 1)
    # The library's two tables hold the notices day by day: days off, and weekend days worked.
    for table, working in ((constants.holidays, 0), (constants.workdays, 1)):
        listed = sorted(table)
        first = bisect.bisect_left(listed, date(year, 1, 1))
        for day in listed[first : bisect.bisect_right(listed, date(year, 12, 31))]:
            days[days_from_civil(day.year, day.month, day.day) - start] = working


def _library_holidays(spec: CalendarSpec, year: int) -> list[date]:
    import warnings

    import holidays

    categories = spec.categories or None
    # Beyond its own range the library warns and gives no days; `covered` says so to the caller.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return _days_of(holidays, spec, categories, year)


def _days_of(holidays: Any, spec: CalendarSpec, categories: Any, year: int) -> list[date]:
    if spec.region in holidays.list_supported_financial():
        found = holidays.financial_holidays(spec.region, years=year, expand=False)
    else:
        found = holidays.country_holidays(
            spec.region,
            subdiv=spec.subdivision or None,
            years=year,
            expand=False,
            categories=categories,
        )
    return [day for day in found if day.year == year]
