"""Numbers, money, times and texts as a page shows them; nothing here decides anything."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from casework.cases.times import instant_us, time_text
from regtech.errors import RegtechError
from regtech.model.fields import Field, Kind, all_fields
from regtech.reference.civil import DAY_US, days_from_civil
from regtech.reference.currencies import CurrencyTable
from regtech.reference.load import Reference
from regtech.reference.zones import offset_us

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_NUMBER: Final = re.compile(r"(-?)(\d+)(?:\.(\d+))?")
_DIRECTION: Final = dict.fromkeys(
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C]
)
_WEEKDAYS_ZH: Final = "一二三四五六日"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in parts, so that a column of them stands by its decimal points."""

    currency: str
    whole: str
    part: str


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant: for machines, on the viewer's clock, and on the law's where that differs."""

    machine: str
    shown: str
    zone: str
    law: str
    law_zone: str


def grouped(digits: str) -> str:
    """Digits in groups of three: 1,234,567."""
    return f"{int(digits):,}"


def money(value: Any, currency: str = "") -> Money | None:
    """Money as an alert writes it, ``{"amount", "currency"}`` or a decimal text; None: none."""
    if isinstance(value, Mapping):
        currency, value = str(value.get("currency", "")), value.get("amount")
    found = _NUMBER.fullmatch(str(value))
    if found is None or not currency:
        return None
    sign = "−" if found[1] else ""
    return Money(currency, sign + grouped(found[2]), f".{found[3]}" if found[3] else "")


@cache
def _known() -> tuple[CurrencyTable, Mapping[str, Field]]:
    return Reference.shipped().currencies, all_fields()


def fact(body: Mapping[str, Any], path: str, value: Any) -> Any:
    """A fact of an alert for a page: money, which an alert holds in smallest units, as money."""
    currencies, fields = _known()
    field = fields.get(path)
    if field is None or field.kind is not Kind.MONEY or type(value) is not int:
        return value
    currency = str((body.get("facts") or {}).get(field.currency_field) or "")
    known = currencies.get(currency)
    if known is None:
        return value
    exponent = known.exponent
    whole, part = divmod(abs(value), 10**exponent)
    text = f"{whole}.{part:0{exponent}d}" if exponent else str(whole)
    return {"amount": f"-{text}" if value < 0 else text, "currency": currency}


def number(value: Any) -> str:
    """A number with its groups; anything else as it is."""
    found = _NUMBER.fullmatch(str(value))
    if found is None or isinstance(value, bool):
        return str(value)
    return ("−" if found[1] else "") + grouped(found[2]) + (f".{found[3]}" if found[3] else "")


def clean(text: Any) -> str:
    """A text from outside without marks that turn the direction of what follows.

    A name with a right-to-left override would change how the rest of its line reads.
    """
    return unicodedata.normalize("NFC", str(text)).translate(_DIRECTION)


def shortened(text: Any, most: int = 80) -> str:
    """At most so many signs, the end as an ellipsis."""
    whole = clean(text)
    return whole if len(whole) <= most else whole[: most - 1] + "…"


def micros(value: Any) -> int | None:
    """Microseconds of a time that is a number already or a text with its offset; None: neither."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return instant_us(str(value))
    except ValueError:
        return None


def clock_text(zone: str, us: int) -> str:
    """Date and minute on the clocks of a zone."""
    return time_text(us + offset_us(zone, us))[:16].replace("T", " ")


def offset_text(zone: str, us: int) -> str:
    """How far the zone is from UTC at an instant: UTC+8, UTC−3:30."""
    minutes = offset_us(zone, us) // 60_000_000
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02d}" if rest else "")


def moment(value: Any, zone: str, law: str | None) -> Moment | None:
    """An instant for a page; None where the value is none, or out of all time."""
    us = micros(value)
    if us is None:
        return None
    try:
        shown, name = clock_text(zone, us), offset_text(zone, us)
        other, other_name = ("", "")
        if law is not None and offset_us(law, us) != offset_us(zone, us):
            other, other_name = clock_text(law, us), offset_text(law, us)
    except (RegtechError, ValueError, OverflowError):
        return None
    return Moment(time_text(us), shown, name, other, other_name)


def is_day(text: Any) -> bool:
    """Whether a text is a day, such as 2026-03-02."""
    return isinstance(text, str) and _DAY.fullmatch(text) is not None


def typed_instant(text: str, zone: str) -> int | None:
    """The instant of ``2026-03-02`` (the end of that day) or ``2026-03-02T16:30`` on the clocks of
    the zone; None where it is neither."""
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d))?", text.strip())
    if found is None:
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    try:
        instant_us(f"{year:04d}-{month:02d}-{day:02d}T00:00:00Z")
    except ValueError:
        return None
    local = days_from_civil(year, month, day) * DAY_US
    if found[4] is None:
        local += DAY_US - 1_000_000
    elif int(found[4]) > 23 or int(found[5]) > 59:
        return None
    else:
        local += (int(found[4]) * 60 + int(found[5])) * 60_000_000
    first = local - offset_us(zone, local)
    return local - offset_us(zone, first)
