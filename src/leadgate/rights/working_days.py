"""The Russian calendar of working days: which day is one, and terms counted in them. Pure but for reading its own data files.

A year is a file of `calendar/`: the Government's decree on transfers of days off. Everything else follows from the Labour Code:
a five-day week, the holidays of article 112, and its rule that a day off which falls on a holiday moves to the next working day
(but for 1 to 8 January, whose lost days off the Government alone moves). A year without a file is counted by that rule alone:
such a term is an estimate, and whoever shows it says so. Only the decree makes a Saturday a working day.

Holidays of a region are left out on purpose. The terms stand in a federal law (152-FZ), which is the same for a salon in Kazan and
in Perm, and counting 30 August or Kurban Bairam as a working day ends the term earlier: whoever keeps to it is never late.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from importlib import resources
from types import MappingProxyType
from typing import Annotated

import msgspec

DATA_DUE = (12, 1)
"""Month and day by which next year's file should be here: the decree is published in early autumn."""

_FOLDER = "calendar"
_DAY = timedelta(days=1)
_SATURDAY = 5
_HOLIDAYS = frozenset({*((1, day) for day in range(1, 9)), (2, 23), (3, 8), (5, 1), (5, 9), (6, 12), (11, 4)})
"""Month and day: Labour Code, article 112, part 1."""

_JANUARY = 1


class Decree(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The decree that a year's file follows."""

    number: Annotated[str, msgspec.Meta(min_length=1)]
    date: date
    title: str


class Year(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A data file. Each transfer names a day off that is given up (or lost to a holiday), and the day that is off for it."""

    year: int
    decree: Decree
    transfers: tuple[tuple[date, date], ...]


@dataclass(frozen=True)
class WorkingDays:
    """The calendar of these years; the days of others are estimated."""

    years: Mapping[int, Year]

    def is_working(self, day: date) -> bool:
        """True when the term runs on this day."""
        return day not in self._off(day.year) and (day.weekday() < _SATURDAY or day in self._worked)

    def is_known(self, *days: date) -> bool:
        """True when the Government's transfers of every year from the first to the last of these days are here."""
        return all(year in self.years for year in range(min(days).year, max(days).year + 1))

    def add_working_days(self, day: date, count: int) -> date:
        """The working day with this number after a day, which itself does not count (Civil Code, article 191).

        Args:
            day: when the request came, in the salon's zone; any day.
            count: from 1.
        """
        if count < 1:
            raise ValueError("a term has at least one day")
        while count:
            day += _DAY
            count -= self.is_working(day)
        return day

    def last_working_day(self, day: date) -> date:
        """The day itself when it is a working day, else the last one before it."""
        while not self.is_working(day):
            day -= _DAY
        return day

    def working_days_between(self, after: date, until: date) -> int:
        """Working days later than `after` and not later than `until`; negative when `until` is the earlier one."""
        if until < after:
            return -self.working_days_between(until, after)
        return sum(self.is_working(after + _DAY * number) for number in range(1, (until - after).days + 1))

    def missing_year(self, today: date) -> int | None:
        """The year whose file should be here and is not: this one, or from 1 December on the next one."""
        wanted = [today.year] + [today.year + 1] * ((today.month, today.day) >= DATA_DUE)
        return next((year for year in wanted if year not in self.years), None)

    @cached_property
    def _worked(self) -> frozenset[date]:
        """Saturdays and Sundays that a decree makes working days."""
        given_up = (taken for year in self.years.values() for taken, _ in year.transfers)
        return frozenset(day for day in given_up if (day.month, day.day) not in _HOLIDAYS)

    @cached_property
    def _given(self) -> Mapping[int, frozenset[date]]:
        """Days off by the decrees, by the year that they fall into."""
        days = [off for year in self.years.values() for _, off in year.transfers]
        return {number: frozenset(day for day in days if day.year == number) for number in {day.year for day in days}}

    @cached_property
    def _offs(self) -> dict[int, frozenset[date]]:
        return {}

    def _off(self, year: int) -> frozenset[date]:
        """Holidays and days off in place of others."""
        if year not in self._offs:
            self._offs[year] = self._days_off(year)
        return self._offs[year]

    def _days_off(self, year: int) -> frozenset[date]:
        holidays = sorted(date(year, month, day) for month, day in _HOLIDAYS)
        off = {*holidays, *self._given.get(year, ())}
        moved = {taken for taken, _ in self.years[year].transfers} if year in self.years else set()
        for day in holidays:
            if day.weekday() >= _SATURDAY and day.month != _JANUARY and day not in moved:
                off.add(self._next_free(day, off))
        return frozenset(off)

    def _next_free(self, day: date, off: Container[date]) -> date:
        while day in off or (day.weekday() >= _SATURDAY and day not in self._worked):
            day += _DAY
        return day


@cache
def load_calendar() -> WorkingDays:
    """The calendar of every year that has a file."""
    folder = resources.files("leadgate.rights") / _FOLDER
    files = (file.read_bytes() for file in folder.iterdir() if file.name.endswith(".json"))
    years = (msgspec.json.decode(content, type=Year) for content in files)
    return WorkingDays(MappingProxyType({year.year: year for year in years}))
