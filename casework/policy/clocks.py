"""Until when a case is to be done: the SLA in the jurisdiction's calendar, or the duty's day."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from casework.cases.facts import due_day, instant
from casework.cases.times import time_text
from casework.policy.lengths import HOUR_US, Length
from regtech.errors import RegtechError
from regtech.reference.civil import DAY_US, iso_from_day
from regtech.reference.load import Reference
from regtech.reference.profiles import EVERYWHERE, Profile
from regtech.reference.zones import local_day, local_day_start_us

_KEPT: Final = 1 << 16


class Clocks:
    """Reads zones and working days of jurisdictions; an unknown one has those of ``INTL``."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._end_of = lru_cache(_KEPT)(self._end_of_day)
        self._by_days = lru_cache(_KEPT)(self._day_after)

    def due_of_alert(self, due: str, jurisdiction: str) -> int:
        """The instant at which a duty's due day, or due time, is over."""
        day = due_day(due)
        if day is None:
            return instant(due, "due")
        return self._end_of(day, self._profile(jurisdiction).zone)

    def due_of_sla(self, start: int, length: Length, jurisdiction: str) -> tuple[str, int]:
        """Due day (or time, for hours) as text, and the instant at which it is over."""
        if length.unit == "hours":
            at = start + length.count * HOUR_US
            return time_text(at), at
        profile = self._profile(jurisdiction)
        day = self._by_days(local_day(profile.zone, start), length, profile.id)
        return iso_from_day(day), self._end_of(day, profile.zone)

    def _profile(self, jurisdiction: str) -> Profile:
        profiles = self._reference.profiles
        return profiles.get(jurisdiction) or profiles[EVERYWHERE]

    def _day_after(self, day: int, length: Length, jurisdiction: str) -> int:
        if length.unit == "days":
            return day + length.count
        try:
            return self._profile(jurisdiction).calendar.add_working_days(day, length.count)
        except (RegtechError, ValueError, OverflowError):
            return day + length.count * 7 // 5 + 2  # a calendar that does not reach so far

    @staticmethod
    def _end_of_day(day: int, zone: str) -> int:
        try:
            return local_day_start_us(zone, day + 1)
        except (RegtechError, ValueError, OverflowError):
            return (day + 1) * DAY_US
