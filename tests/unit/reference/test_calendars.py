"""Working days: China's adjusted weekends, public holidays elsewhere, covered years."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from regtech.errors import ContentError, UsageError
from regtech.reference.calendars import CalendarSpec, WorkingCalendar
from regtech.reference.civil import day_from_iso, iso_from_day, iso_weekday
from regtech.reference.faults import Reader
from regtech.reference.keptcalendars import learn_years
from regtech.reference.load import Reference

PROFILES = Reference.shipped().profiles


def days(*texts: str) -> list[int]:
    return [day_from_iso(text) for text in texts]


# Weekend days worked by the State Council's notices for 2024 to 2026. Written out so that a new
# version of the library that changes one of them is noticed.
MAKE_UP_DAYS = days(
    *("2024-02-04", "2024-02-18", "2024-04-07", "2024-04-28", "2024-05-11"),
    *("2024-09-14", "2024-09-29", "2024-10-12"),
    *("2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11"),
    *("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"),
)


def test_china_works_on_exactly_the_adjusted_weekends() -> None:
    calendar = PROFILES["CN"].calendar
    first, last = day_from_iso("2024-01-01"), day_from_iso("2026-12-31")
    worked = [
        day for day in range(first, last + 1) if iso_weekday(day) >= 6 and calendar.is_working(day)
    ]
    assert worked == MAKE_UP_DAYS


def test_china_agrees_with_its_source_on_every_covered_day() -> None:
    import datetime

    import chinese_calendar

    calendar = PROFILES["CN"].calendar
    covers = calendar.spec.covers
    assert covers is not None
    first = day_from_iso(f"{covers[0]}-01-01")
    last = day_from_iso(f"{covers[1]}-12-31")
    epoch = datetime.date(1970, 1, 1)
    for day, working in zip(range(first, last + 1), calendar.table(first, last), strict=True):
        date = epoch + datetime.timedelta(days=day)
        assert bool(working) == chinese_calendar.is_workday(date), date
    with pytest.raises(NotImplementedError):  # the next year is not in the source
        chinese_calendar.is_workday(epoch + datetime.timedelta(days=last + 1))


def test_five_working_days_over_the_spring_festival_of_2026() -> None:
    calendar = PROFILES["CN"].calendar
    # Friday 13 February; Saturday 14 is worked; 15 to 23 are off.
    due = calendar.add_working_days(day_from_iso("2026-02-13"), 5)
    assert iso_from_day(due) == "2026-02-27"
    assert iso_from_day(calendar.next_working_day(day_from_iso("2026-02-15"))) == "2026-02-24"
    assert calendar.working_days_between(day_from_iso("2026-02-13"), due) == 5


def test_counting_starts_the_day_after_and_zero_is_the_day_itself() -> None:
    calendar = PROFILES["INTL"].calendar
    friday, saturday = days("2026-03-06", "2026-03-07")
    assert calendar.add_working_days(friday, 0) == friday
    assert calendar.add_working_days(saturday, 0) == saturday
    assert iso_from_day(calendar.add_working_days(friday, 1)) == "2026-03-09"
    assert iso_from_day(calendar.add_working_days(saturday, 1)) == "2026-03-09"
    assert calendar.next_working_day(friday) == friday
    with pytest.raises(UsageError):
        calendar.add_working_days(friday, -1)


def test_china_outside_the_covered_years_is_monday_to_friday_and_an_estimate() -> None:
    calendar = PROFILES["CN"].calendar
    new_year, last = days("2027-01-01", "2026-12-31")
    assert calendar.is_working(new_year)
    assert not calendar.covered(new_year)
    assert calendar.covered(last)
    assert not calendar.covered(day_from_iso("2003-12-31"))


@pytest.mark.parametrize(
    ("jurisdiction", "day", "working"),
    [
        ("HK", "2026-02-17", False),  # Lunar New Year
        ("HK", "2026-04-07", False),  # Ching Ming, moved to the next weekday
        ("HK", "2026-02-20", True),
        ("SG", "2026-08-10", False),  # National Day, observed on the Monday
        ("SG", "2026-08-11", True),
        ("EU", "2026-04-03", False),  # Good Friday
        ("EU", "2026-05-01", False),
        ("EU", "2026-07-14", True),  # a holiday of one Member State only
        ("UK", "2026-12-28", False),  # Boxing Day on a Saturday, moved
        ("UK", "2026-11-30", True),  # Saint Andrew's Day is Scotland's
        ("US", "2026-07-03", False),  # Independence Day observed
        ("US", "2026-11-26", False),
        ("US", "2026-11-27", True),  # no federal holiday
        ("MY", "2026-08-31", False),
        ("JP", "2026-12-31", False),  # banks are closed
        ("JP", "2026-12-30", True),
        ("TH", "2026-12-10", False),
        ("IN", "2026-01-26", False),
        ("KR", "2026-10-09", False),
        ("INTL", "2026-12-25", True),
        ("CN", "2026-10-10", True),
        ("CN", "2026-10-07", False),
    ],
)
def test_holidays(jurisdiction: str, day: str, working: bool) -> None:
    calendar = PROFILES[jurisdiction].calendar
    assert calendar.is_working(day_from_iso(day)) is working
    assert calendar.covered(day_from_iso(day))


@pytest.mark.parametrize("jurisdiction", sorted(PROFILES))
def test_tables_agree_with_single_days_over_year_ends(jurisdiction: str) -> None:
    calendar = PROFILES[jurisdiction].calendar
    first, last = days("2023-12-25", "2025-01-05")
    table = calendar.table(first, last)
    assert table.dtype == np.uint8
    assert table.tolist() == [calendar.is_working(day) for day in range(first, last + 1)]
    assert not table.flags.writeable


@pytest.mark.parametrize(
    "jurisdiction", [p.id for p in PROFILES.values() if p.calendar_spec.source == "holidays"]
)
def test_no_covered_year_rests_on_an_estimated_holiday(jurisdiction: str) -> None:
    import holidays

    spec = PROFILES[jurisdiction].calendar_spec
    if spec.region in holidays.list_supported_financial():
        return
    assert spec.covers is not None
    found = holidays.country_holidays(
        spec.region,
        subdiv=spec.subdivision or None,
        categories=spec.categories or None,
        years=range(spec.covers[0], spec.covers[1] + 1),
        language="en_US",
    )
    assert [name for name in found.values() if "estimated" in name] == []


def test_a_weekend_other_than_saturday_and_sunday() -> None:
    calendar = WorkingCalendar(CalendarSpec("weekdays", weekend=(5, 6)))
    friday, saturday, sunday = days("2026-03-06", "2026-03-07", "2026-03-08")
    assert not calendar.is_working(friday)
    assert not calendar.is_working(saturday)
    assert calendar.is_working(sunday)


def test_a_calendar_without_working_days_is_an_error_not_a_hang() -> None:
    calendar = WorkingCalendar(CalendarSpec("weekdays", weekend=(1, 2, 3, 4, 5, 6, 7)))
    with pytest.raises(UsageError, match="no working day"):
        calendar.add_working_days(0, 1)


def test_the_years_1_and_9999_have_days() -> None:
    calendar = PROFILES["CN"].calendar
    monday = day_from_iso("0001-01-01")
    assert calendar.is_working(monday)
    assert calendar.is_working(day_from_iso("9999-12-31"))


def test_faults_of_a_calendar_come_all_at_once() -> None:
    reader = Reader("profile.yml")
    document = {"source": "holidays", "covers": {"from": 2030, "until": 2020}, "weekend": [0]}
    CalendarSpec.from_document(reader, document, "calendar")
    assert {fault.path for fault in reader.faults} == {
        "calendar.region",
        "calendar.covers.until",
        "calendar.weekend",
    }
    with pytest.raises(ContentError):
        reader.finish()


def test_the_holiday_libraries_are_imported_only_when_a_day_is_asked_for() -> None:
    code = (
        "import sys; from regtech.reference.load import Reference\n"
        "Reference.shipped().profiles\n"
        "loaded = {'holidays', 'chinese_calendar'} & set(sys.modules); sys.exit(bool(loaded))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_libraries_said_is_kept_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fresh() -> list[WorkingCalendar]:
        return [WorkingCalendar(PROFILES[name].calendar.spec) for name in ("CN", "SG", "EU")]

    asked = fresh()
    learn_years(asked, 2023, 2025, tmp_path)
    (entry,) = tmp_path.rglob("calendars-*")

    with monkeypatch.context() as patched:
        patched.setattr(WorkingCalendar, "_work_out", None)  # nobody may be asked any more
        told = fresh()
        learn_years(told, 2023, 2025, tmp_path)
        for one, other in zip(asked, told, strict=True):
            for year in (2023, 2024, 2025):
                assert one.days_of(year) == other.days_of(year)

    entry.write_bytes(entry.read_bytes()[:-1])  # a damaged one is as good as none
    again = fresh()
    learn_years(again, 2023, 2025, tmp_path)
    assert [one.days_of(2024) for one in again] == [one.days_of(2024) for one in asked]


def test_kept_days_are_of_the_calendars_and_years_asked_for(tmp_path: Path) -> None:
    china, europe = PROFILES["CN"].calendar.spec, PROFILES["EU"].calendar.spec
    learn_years([WorkingCalendar(china)], 2024, 2024, tmp_path)
    other = WorkingCalendar(europe)
    learn_years([other], 2024, 2024, tmp_path)
    assert other.days_of(2024) == PROFILES["EU"].calendar.days_of(2024)
    later = WorkingCalendar(china)
    learn_years([later], 2025, 2025, tmp_path)
    assert later.days_of(2025) == PROFILES["CN"].calendar.days_of(2025)
