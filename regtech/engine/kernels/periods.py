"""Local calendars: days and months of rows, working days, offsets of zones, months back.

Windows and rates go by the local day of the jurisdiction that judges a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from regtech.columns.jit import kernel
from regtech.reference.civil_kernels import civil_from_days, days_from_civil, month_length


@kernel(nrt=False)
def local_periods(
    times: Any,
    starts: Any,
    row_event: Any,
    zone_starts: Any,
    zone_offsets: Any,
    zone_lengths: Any,
    standard: Any,
    day: Any,
    month: Any,
    clock: Any,
    shifted: Any,
) -> None:
    """Local day number, month number (year * 12 + month - 1) and microsecond of day of each row.

    ``zone_starts[j, k]`` and ``zone_offsets[j, k]``: UTC offsets of jurisdiction j from that
    instant on.
    ``shifted``: time plus the zone's standard offset (for windows of months).
    """
    day_us = np.int64(86_400_000_000)
    for j in range(starts.shape[0] - 1):
        low = np.int64(1)
        high = np.int64(0)
        number = np.int64(0)
        months = np.int64(0)
        midnight = np.int64(0)
        for r in range(starts[j], starts[j + 1]):
            t = times[row_event[r]]
            if t < low or t >= high:
                a = _stretch_at(zone_starts, zone_lengths, j, t)
                offset = zone_offsets[j, a]
                number = (t + offset) // day_us
                midnight = number * day_us - offset
                low = max(midnight, zone_starts[j, a])
                high = midnight + day_us
                if a + 1 < zone_lengths[j] and zone_starts[j, a + 1] < high:
                    high = zone_starts[j, a + 1]
                months = month_number(number)
            day[r] = number
            month[r] = months
            clock[r] = t - midnight
            shifted[r] = t + standard[j]


@kernel(nrt=False)
def business_days(
    starts: Any, day: Any, next_working: Any, working_from: Any, business_day: Any
) -> Any:
    """The first working day from each row's local day on.

    ``next_working[j, k]`` is that of day ``working_from + k`` in jurisdiction j. Returns whether
    the table reaches over all days; where it does not, nothing in ``business_day`` holds.
    """
    for j in range(starts.shape[0] - 1):
        for r in range(starts[j], starts[j + 1]):
            k = day[r] - working_from
            if k < 0 or k >= next_working.shape[1]:
                return False
            business_day[r] = next_working[j, k]
    return True


@kernel(nrt=False, inner=True)
def _stretch_at(zone_starts: Any, zone_lengths: Any, j: Any, t: Any) -> Any:
    """Which stretch of one offset of jurisdiction j's zone an instant lies in."""
    a = 0
    b = zone_lengths[j]
    while b - a > 1:
        middle = (a + b) >> 1
        if zone_starts[j, middle] <= t:
            a = middle
        else:
            b = middle
    return a


@kernel(nrt=False, inner=True)
def offset_at(zone_starts: Any, zone_offsets: Any, zone_lengths: Any, j: Any, t: Any) -> Any:
    """UTC offset of jurisdiction j's zone at an instant."""
    return zone_offsets[j, _stretch_at(zone_starts, zone_lengths, j, t)]


@kernel(nrt=False, inner=True)
def to_utc(zone_starts: Any, zone_offsets: Any, zone_lengths: Any, j: Any, local: Any) -> Any:
    """Instant of a local time: the first of two, and in a gap the time with the offset before
    it."""
    early = offset_at(zone_starts, zone_offsets, zone_lengths, j, local - 86_400_000_000)
    late = offset_at(zone_starts, zone_offsets, zone_lengths, j, local + 86_400_000_000)
    t = local - early
    if offset_at(zone_starts, zone_offsets, zone_lengths, j, t) == early:
        return t
    u = local - late
    if offset_at(zone_starts, zone_offsets, zone_lengths, j, u) == late:
        return u
    return t


@kernel(nrt=False, inner=True)
def month_number(number: Any) -> Any:
    """Year * 12 + month - 1 of a day number."""
    year, month, _ = civil_from_days(number)
    return year * 12 + month - 1


@kernel(nrt=False, inner=True)
def day_of(months: Any, day_of_month: Any) -> Any:
    """Day number of a day of a month; beyond its end, the month's last day."""
    year = months // 12
    month = months - year * 12 + 1
    return days_from_civil(year, month, min(day_of_month, month_length(year, month)))


@kernel(nrt=False)
def months_before(shifted: Any, count: Any) -> Any:
    """The instant ``count`` calendar months before a shifted time, in shifted time.

    Where the day does not exist in that month: the end of the month's last day, so that later
    times never look further back than earlier ones (the cursor of a window only moves forward).
    """
    day_us = np.int64(86_400_000_000)
    number = shifted // day_us
    months = month_number(number)
    of_month = number - day_of(months, 1) + 1
    target = day_of(months - count, of_month)
    if target - day_of(months - count, 1) + 1 != of_month:
        return target * day_us + day_us - 1
    return target * day_us + (shifted - number * day_us)
