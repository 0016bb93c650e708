"""Times as people read them, in the salon's zone: today "14:52", this week "пт, 27 ноября, 17:00". Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo

from leadgate.web.catalogue import Catalogue

_WEEK_DAYS = 7
_MORNING, _DAY, _EVENING, _NIGHT = 5, 12, 18, 23
PERIODS = ("today", "yesterday", "week")


class Moments:
    """Formats times for one page: in one language and zone, as of one `now`."""

    def __init__(self, words: Catalogue, zone: tzinfo, now: datetime) -> None:
        """Take the language, the zone and the time of the page."""
        self._words, self._zone, self.now = words, zone, now.astimezone(zone)

    def when(self, at: datetime) -> str:
        """Today the time alone, within a week with weekday and date, otherwise the date, with the year when it differs."""
        at = at.astimezone(self._zone)
        clock = f"{at:%H:%M}"
        return clock if at.date() == self.now.date() else f"{self._date(at)}, {clock}"

    def day_of(self, at: datetime) -> str:
        """The day of a time alone, within a week with weekday."""
        return self._date(at.astimezone(self._zone))

    def exact(self, at: datetime) -> str:
        """As `when`, to the second."""
        return f"{self.when(at)}:{at.astimezone(self._zone):%S}"

    def ago(self, at: datetime) -> str:
        """`4 мин назад` under an hour, otherwise as `when`."""
        minutes = int((self.now - at) / timedelta(minutes=1))
        if not 0 <= minutes < 60:  # noqa: PLR2004 - minutes of an hour
            return self.when(at)
        return self._words("date.just_now") if minutes == 0 else self._words("date.minutes_ago", count=minutes)

    def iso(self, at: datetime) -> str:
        """For `<time datetime>`."""
        return at.astimezone(self._zone).isoformat(timespec="seconds")

    def today(self) -> str:
        """`Вторник, 24 ноября`."""
        return self._words(
            "date.today", weekday=self._words(f"date.weekday.{self.now.isoweekday()}"), date=self._day(self.now)
        )

    def day(self, day: date) -> str:
        """`7 декабря`, with the year when it is not this one."""
        shown = self._day(day)
        return shown if day.year == self.now.year else self._words("date.with_year", date=shown, year=day.year)

    def part_of_day(self) -> str:
        """`morning`, `day`, `evening` or `night`."""
        hour = self.now.hour
        if hour < _MORNING or hour >= _NIGHT:
            return "night"
        return "morning" if hour < _DAY else "day" if hour < _EVENING else "evening"

    def midnight(self, days_ago: int = 0) -> datetime:
        """The beginning of today, or of a day before."""
        day = self.now.date() - timedelta(days=days_ago)
        return datetime.combine(day, time.min, tzinfo=self._zone)

    def period(self, name: str) -> tuple[datetime, datetime]:
        """Begin and end of `today`, `yesterday` or `week` (today and the six days before)."""
        if name == "yesterday":
            return self.midnight(1), self.midnight()
        begin = self.midnight(_WEEK_DAYS - 1) if name == "week" else self.midnight()
        return begin, self.midnight(-1)

    def _date(self, at: datetime) -> str:
        if abs((at.date() - self.now.date()).days) < _WEEK_DAYS:
            weekday = self._words(f"date.weekday_short.{at.isoweekday()}")
            return self._words("date.this_week", weekday=weekday, date=self._day(at))
        return (
            self._day(at)
            if at.year == self.now.year
            else self._words("date.with_year", date=self._day(at), year=at.year)
        )

    def _day(self, at: date) -> str:
        return self._words("date.day_month", day=at.day, month=self._words(f"date.month.{at.month}"))
