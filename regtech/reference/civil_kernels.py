"""The Gregorian calendar of ``civil`` for kernels: the same functions, compiled."""

from __future__ import annotations

from typing import Any

from regtech.columns.jit import kernel
from regtech.reference import civil

days_from_civil = kernel(nrt=False, inner=True)(civil.days_from_civil)
civil_from_days = kernel(nrt=False, inner=True)(civil.civil_from_days)
_is_leap = kernel(nrt=False, inner=True)(civil.is_leap)


@kernel(nrt=False, inner=True)
def month_length(year: Any, month: Any) -> Any:
    """Number of days of a month. Not from ``civil``: what that calls is not compiled."""
    if month == 2:
        return 29 if _is_leap(year) else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31
