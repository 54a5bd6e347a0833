"""The calendar arithmetic against the standard library, and beyond its years."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtech.reference import civil

EPOCH = date(1970, 1, 1)


@given(st.dates())
def test_day_numbers_agree_with_the_standard_library(day: date) -> None:
    number = (day - EPOCH).days
    assert civil.days_from_civil(day.year, day.month, day.day) == number
    assert civil.civil_from_days(number) == (day.year, day.month, day.day)
    assert civil.iso_weekday(number) == day.isoweekday()
    assert civil.iso_from_day(number) == day.isoformat()
    assert civil.day_from_iso(day.isoformat()) == number
    assert civil.month_start(number) == (day.replace(day=1) - EPOCH).days
    assert civil.year_start(number) == (day.replace(month=1, day=1) - EPOCH).days


@given(st.integers(-800_000, 3_700_000))
def test_day_numbers_come_back_beyond_the_years_of_the_standard_library(day: int) -> None:
    assert civil.days_from_civil(*civil.civil_from_days(day)) == day
    assert civil.week_start(day) <= day < civil.week_start(day) + 7
    assert civil.iso_weekday(civil.week_start(day)) == 1


@pytest.mark.parametrize(
    ("day", "quarter"),
    [
        ("2026-01-01", "2026-01-01"),
        ("2026-03-31", "2026-01-01"),
        ("2026-04-01", "2026-04-01"),
        ("2024-02-29", "2024-01-01"),
        ("2026-12-31", "2026-10-01"),
    ],
)
def test_quarters_start_on_their_first_day(day: str, quarter: str) -> None:
    assert civil.quarter_start(civil.day_from_iso(day)) == civil.day_from_iso(quarter)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2024-01-31", 1, "2024-02-29"),
        ("2023-01-31", 1, "2023-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-03-31", -1, "2024-02-29"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-01-15", -1, "2025-12-15"),
        ("2026-05-31", 0, "2026-05-31"),
    ],
)
def test_months_are_added_and_clamped_to_the_last_day(day: str, months: int, expected: str) -> None:
    assert civil.iso_from_day(civil.add_months(civil.day_from_iso(day), months)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29",
        "2026-13-01",
        "2026-1-01",
        "2026-01-1",
        "0000-01-01",
        "2026/01/01",
        "２026-01-01",
    ],
)
def test_texts_that_are_no_date_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="date"):
        civil.day_from_iso(text)


def test_leap_years_follow_the_century_rule() -> None:
    assert [year for year in (1900, 2000, 2023, 2024, 2100) if civil.is_leap(year)] == [2000, 2024]
    last = EPOCH + timedelta(days=civil.days_from_civil(1900, 2, 28))
    assert last + timedelta(days=1) == date(1900, 3, 1)
