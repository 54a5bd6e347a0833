"""Dates of birth as lists write them: ``10 Dec 1948``, ``circa 1961``, ``1970 to 1973``."""

from __future__ import annotations

import re
from typing import Final

from regtech.reference.watchlists import BirthDate

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        "jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1
    )
}
_ISO: Final = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?")
_YEAR: Final = re.compile(r"\b(1[89]\d\d|20\d\d)\b")
_DAY_MONTH: Final = re.compile(r"(?:(\d{1,2})\s+)?([A-Za-z]{3})[a-z]*\.?\s+(\d{4})")


def birth_date(text: str) -> BirthDate | None:
    """The date that a text gives; None where there is no year in it."""
    circa = bool(re.search(r"\b(circa|approximately|about|ca?\.)", text, re.I)) or "~" in text
    if found := _ISO.search(text):
        month, day = int(found[2]), int(found[3] or 0)
        if not (1 <= month <= 12 and 0 <= day <= 31):
            month = day = 0
        return BirthDate(int(found[1]), month, day, circa=circa)
    years = [int(year) for year in _YEAR.findall(text)]
    if not years:
        return None
    if len(years) > 1:
        return BirthDate(min(years), last_year=max(years), circa=circa)
    if (found := _DAY_MONTH.search(text)) and found[2].lower() in _MONTHS:
        day = int(found[1] or 0)
        return BirthDate(years[0], _MONTHS[found[2].lower()], day if day <= 31 else 0, circa=circa)
    return BirthDate(years[0], circa=circa)
