"""The clock of a case: due at the end of a working day of its jurisdiction, warned of before."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from casework.cases.case import Case
from regtech.reference.calendars import WorkingCalendar
from regtech.reference.zones import local_day, local_day_start_us

FOREVER_US: Final = (1 << 63) - 1
"""Stands for what is never due, so that it comes after what is."""
WARNING_DAYS: Final = 1
"""So many working days before the due day the warning begins."""


class Jurisdiction(Protocol):
    """What of a jurisdiction profile a clock needs."""

    @property
    def zone(self) -> str:
        """Its IANA time zone."""

    @property
    def calendar(self) -> WorkingCalendar:
        """Its working days."""


class Jurisdictions(Protocol):
    """Jurisdictions by id."""

    def profile(self, identity: str, /) -> Jurisdiction:
        """Raises ``UsageError`` where there is none."""


class ClockState(StrEnum):
    """How the clock of a case stands."""

    NONE = "none"
    RUNNING = "running"
    WARNING = "warning"
    OVERDUE = "overdue"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ClockReading:
    """State, and the working days left (negative: over) where there is a due day."""

    state: ClockState
    working_days: int | None


def warn_before(where: Jurisdiction, due_us: int, working_days: int = WARNING_DAYS) -> int:
    """The first microsecond of the working day that lies so many before the due day."""
    day = local_day(where.zone, due_us)
    while working_days:
        day -= 1
        working_days -= where.calendar.is_working(day)
    return local_day_start_us(where.zone, day)


def clock_state(case: Case, now_us: int) -> ClockState:
    """How the clock stands, without a calendar. An ended case's clock has stopped."""
    if case.ended:
        return ClockState.STOPPED
    if case.due_us is None:
        return ClockState.NONE
    if now_us > case.due_us:
        return ClockState.OVERDUE
    if case.warn_us is not None and now_us >= case.warn_us:
        return ClockState.WARNING
    return ClockState.RUNNING


def tell_at(case: Case) -> int:
    """When the clock has something to tell next; ``FOREVER_US`` where it has not."""
    if case.ended or case.due_us is None or case.clock_told == ClockState.OVERDUE:
        return FOREVER_US
    warned = case.clock_told == ClockState.WARNING or case.warn_us is None
    return case.due_us + 1 if warned else min(case.warn_us or 0, case.due_us + 1)


def read_clock(case: Case, where: Jurisdiction, now_us: int) -> ClockReading:
    """The clock with the working days left of the jurisdiction."""
    state = clock_state(case, now_us)
    if case.due_us is None or state is ClockState.STOPPED:
        return ClockReading(state, None)
    today, due = local_day(where.zone, now_us), local_day(where.zone, case.due_us)
    if due >= today:
        return ClockReading(state, where.calendar.working_days_between(today, due))
    return ClockReading(state, -where.calendar.working_days_between(due, today))
