"""The Russian calendar of working days, held to the published calendars and to a counting that anybody can follow by hand."""

from __future__ import annotations

import calendar as plain_calendar
from datetime import date, timedelta
from importlib import resources
from types import MappingProxyType

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.rights.working_days import WorkingDays, Year, load_calendar

CALENDAR = load_calendar()
PUBLISHED_OFF = {
    2025: "01.01-08 05.01-02 05.08-09 06.12-13 11.03-04 12.31",
    2026: "01.01-09 02.23 03.09 05.01 05.11 06.12 11.04 12.31",
    2027: "01.01-08 02.22-23 03.08 05.03 05.10 06.14 11.04-05 12.31",
}
"""Days off from Monday to Friday, as the published calendars show them (days of the week included in a span are left out below)."""

WORKED = {2025: {date(2025, 11, 1)}, 2026: set[date](), 2027: {date(2027, 2, 20)}}
"""Saturdays that people work on."""

DAYS = st.dates(date(2024, 1, 1), date(2029, 12, 31))


def published(year: int) -> set[date]:
    """Working days of a year by the list above and the week alone."""
    off: set[date] = set()
    for span in PUBLISHED_OFF[year].split():
        month, _, days = span.partition(".")
        first, _, last = days.partition("-")
        off |= {date(year, int(month), day) for day in range(int(first), int(last or first) + 1)}
    whole = {date(year, 1, 1) + timedelta(days=number) for number in range(366 if plain_calendar.isleap(year) else 365)}
    return {day for day in whole if (day.weekday() < 5 and day not in off) or day in WORKED[year]}


@pytest.mark.parametrize("year", [2025, 2026, 2027])
def test_a_year_is_the_published_one_day_by_day(year: int) -> None:
    """247 working days in each of these years; one day wrong would move every term that touches it."""
    day, ours = date(year, 1, 1), set()
    while day.year == year:
        ours |= {day} if CALENDAR.is_working(day) else set()
        day += timedelta(days=1)
    assert ours == published(year)
    assert len(ours) == 247


def naive_end(day: date, count: int) -> date:
    """A finger on a paper calendar."""
    while count > 0:
        day = date.fromordinal(day.toordinal() + 1)
        if CALENDAR.is_working(day):
            count -= 1
    return day


@given(day=DAYS, count=st.integers(1, 60))
def test_the_term_ends_where_a_finger_on_the_calendar_ends(day: date, count: int) -> None:
    """The last day is a working day, and between it and the first lie as many as were asked for."""
    end = CALENDAR.add_working_days(day, count)
    assert end == naive_end(day, count)
    assert CALENDAR.is_working(end)
    assert CALENDAR.working_days_between(day, end) == count


@given(one=DAYS, other=DAYS)
def test_days_between_are_those_a_finger_counts_and_turn_their_sign(one: date, other: date) -> None:
    """What is left and what is over are counted alike."""
    first, last = min(one, other), max(one, other)
    walked = [date.fromordinal(number) for number in range(first.toordinal() + 1, last.toordinal() + 1)]
    assert CALENDAR.working_days_between(first, last) == sum(map(CALENDAR.is_working, walked))
    assert CALENDAR.working_days_between(one, other) == -CALENDAR.working_days_between(other, one)


@given(day=DAYS, one=st.integers(1, 30), more=st.integers(1, 30))
def test_two_terms_one_after_the_other_are_their_sum(day: date, one: int, more: int) -> None:
    """An extension by five days is the term of fifteen."""
    first = CALENDAR.add_working_days(day, one)
    assert CALENDAR.add_working_days(first, more) == CALENDAR.add_working_days(day, one + more)


@given(day=DAYS)
def test_the_last_working_day_is_never_later(day: date) -> None:
    """What is cut back is cut to the nearest one."""
    last = CALENDAR.last_working_day(day)
    assert last <= day
    assert CALENDAR.is_working(last)
    assert CALENDAR.working_days_between(last, day) == 0


def test_no_term_is_no_term() -> None:
    """A term of nothing would end before it began."""
    with pytest.raises(ValueError, match="at least one day"):
        CALENDAR.add_working_days(date(2026, 11, 23), 0)


def test_ten_working_days_of_a_quiet_november() -> None:
    """Asked on Monday 23 November 2026, answered by Monday 7 December."""
    assert CALENDAR.add_working_days(date(2026, 11, 23), 10) == date(2026, 12, 7)


def test_the_winter_holidays_stand_still() -> None:
    """31 December 2026 and 1 to 10 January 2027 count nothing: 30 December is the first day, 11 January the second."""
    assert CALENDAR.add_working_days(date(2026, 12, 29), 2) == date(2027, 1, 11)


def test_a_holiday_of_tatarstan_is_a_working_day() -> None:
    """The term is a federal one: 30 August 2027 is a Monday on which it runs."""
    assert CALENDAR.is_working(date(2027, 8, 30))


def test_a_year_without_a_decree_follows_the_labour_code_alone() -> None:
    """4 November 2028 is a Saturday, so Monday is off; the lost days of January are nobody's but the Government's."""
    bare = WorkingDays(MappingProxyType({}))
    assert not bare.is_working(date(2028, 11, 6))
    assert bare.is_working(date(2028, 1, 10))
    assert not bare.is_working(date(2028, 1, 3))
    assert bare.is_working(date(2026, 12, 31))
    assert not bare.is_working(date(2026, 3, 9))


def test_a_term_says_whether_its_years_are_known() -> None:
    """A term that runs into an unknown year is an estimate."""
    assert CALENDAR.is_known(date(2026, 12, 20), date(2027, 1, 20))
    assert not CALENDAR.is_known(date(2027, 12, 20), date(2028, 1, 20))


@pytest.mark.parametrize(
    ("today", "missing"),
    [
        (date(2026, 11, 30), None),
        (date(2026, 12, 1), None),
        (date(2027, 11, 30), None),
        (date(2027, 12, 1), 2028),
        (date(2028, 2, 1), 2028),
    ],
)
def test_a_missing_year_is_noticed_from_the_first_of_december(today: date, missing: int | None) -> None:
    """A yearly duty that nobody is reminded of is forgotten."""
    assert CALENDAR.missing_year(today) == missing


def test_a_new_year_is_one_file() -> None:
    """Name, year and decree agree; every transfer gives a day off for a day off, on a day of that year."""
    for file in (resources.files("leadgate.rights") / "calendar").iterdir():
        year = msgspec.json.decode(file.read_bytes(), type=Year)
        assert file.name == f"{year.year}.json"
        assert year.decree.date.year == year.year - 1
        for taken, off in year.transfers:
            assert {taken.year, off.year} == {year.year}
            assert taken.weekday() >= 5
            assert off.weekday() < 5
