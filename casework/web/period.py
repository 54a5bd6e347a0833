"""Days that an address names: from which and until which something is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from casework.web.visit import Visit
from regtech.content.saying import say
from regtech.errors import UsageError
from regtech.reference.civil import DAY_US

_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Period:
    """From an instant to before another, None where there is no end. Days are those of UTC."""

    from_us: int | None = None
    before_us: int | None = None

    @classmethod
    def asked(cls, visit: Visit) -> Period:
        """Of ``from`` and ``until``, the last day that counts. Raises ``UsageError``."""
        first, last = _day(visit.asked("from", 20)), _day(visit.asked("until", 20))
        return cls(
            None if first is None else first * DAY_US,
            None if last is None else (last + 1) * DAY_US,
        )


def day_text(day: int) -> str:
    """A day since 1970 as it stands in an address."""
    return date.fromordinal(_EPOCH + day).isoformat()


def _day(text: str) -> int | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text).toordinal() - _EPOCH
    except ValueError:
        hint = say("such as 2026-03-02")
        raise UsageError(say("%(text)r is no day", text=text), hint=hint) from None
