"""The data under ``mappings/``, read by the oracle itself (docs/reference/reference-data.md)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import yaml


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def load_profiles(mappings: Path) -> dict[str, dict[str, Any]]:
    documents = [_load(path) for path in sorted((mappings / "jurisdictions").glob("*.yml"))]
    return {document["id"]: document for document in documents}


def load_decimals(mappings: Path) -> dict[str, int]:
    document = _load(mappings / "currencies.yml")
    entries = [*document["currencies"], *document["virtual_assets"]]
    return {entry["code"]: int(entry["exponent"]) for entry in entries}


def load_sets(mappings: Path) -> dict[str, list[dict[str, Any]]]:
    documents = [_load(path) for path in sorted((mappings / "sets").glob("*.yml"))]
    return {document["set"]: document.get("members") or [] for document in documents}


class RateTable:
    """A dated table: the pair itself, else its inverse, else both legs through the pivot."""

    def __init__(self, text: str) -> None:
        self.pivot = "USD"
        self.max_age_days = 10
        self.quotes: dict[tuple[str, str], list[tuple[date, Fraction]]] = {}
        lines = text.splitlines()
        for line in lines:
            key, _, value = line.lstrip("# ").partition(": ")
            if line.startswith("#") and key == "pivot":
                self.pivot = value.strip()
            elif line.startswith("#") and key == "max_age_days":
                self.max_age_days = int(value)
        for row in csv.DictReader(line for line in lines if not line.startswith("#")):
            pair = row["base"], row["quote"]
            day = date.fromisoformat(row["date"])
            self.quotes.setdefault(pair, []).append((day, Fraction(row["rate"])))

    def _latest(self, base: str, quote: str, day: date) -> Fraction | None:
        quotes = self.quotes.get((base, quote), [])
        earlier = [quoted for quoted in quotes if quoted[0] <= day]
        if not earlier:
            return None
        newest = max(earlier)
        return newest[1] if (day - newest[0]).days <= self.max_age_days else None

    def _either_way(self, base: str, quote: str, day: date) -> Fraction | None:
        direct = self._latest(base, quote, day)
        if direct is not None:
            return direct
        inverse = self._latest(quote, base, day)
        return None if inverse is None else 1 / inverse

    def __call__(self, base: str, quote: str, day: date) -> Fraction | None:
        found = self._either_way(base, quote, day)
        if found is not None or self.pivot in (base, quote):
            return found
        first = self._either_way(base, self.pivot, day)
        second = self._either_way(self.pivot, quote, day)
        return None if first is None or second is None else first * second


def working_days(profiles: Mapping[str, Mapping[str, Any]]) -> Callable[[str, date], bool]:
    """Whether a day is a working day in a jurisdiction, by the library its profile names."""

    @cache
    def calendar(jurisdiction: str) -> Callable[[date], bool]:
        spec = profiles[jurisdiction]["calendar"]
        if spec["source"] == "chinesecalendar":
            import chinese_calendar

            covered = range(spec["covers"]["from"], spec["covers"]["until"] + 1)
            return lambda day: (
                bool(chinese_calendar.is_workday(day))
                if day.year in covered
                else day.isoweekday() < 6
            )
        if spec["source"] == "weekdays":
            return lambda day: day.isoweekday() < 6
        import holidays

        region = spec["region"]
        if region in holidays.list_supported_countries():
            options: dict[str, Any] = {"subdiv": spec.get("subdivision")}
            if spec.get("categories"):
                options["categories"] = tuple(spec["categories"])
            days = holidays.country_holidays(region, **options)
        else:
            days = holidays.financial_holidays(region)
        weekend = spec.get("weekend", (6, 7))
        return lambda day: day.isoweekday() not in weekend and day not in days

    @cache
    def working(jurisdiction: str, day: date) -> bool:
        return calendar(jurisdiction)(day)

    return working
