from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from leadgate.web.catalogue import load_catalogue
from leadgate.web.moments import Moments

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 24, 11, 52, tzinfo=UTC)
NBSP = "\N{NO-BREAK SPACE}"


def moments(now: datetime = NOW, locale: str = "ru") -> Moments:
    """The times of a page."""
    return Moments(load_catalogue(locale), MOSCOW, now)


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (NOW, "14:52"),
        (NOW - timedelta(days=1), "пн, 23 ноября, 14:52"),
        (NOW + timedelta(days=3), "пт, 27 ноября, 14:52"),
        (NOW - timedelta(days=8), "16 ноября, 14:52"),
        (NOW - timedelta(days=365), "24 ноября 2025, 14:52"),
        (datetime(2026, 11, 23, 21, 30, tzinfo=UTC), "00:30"),
    ],
)
def test_a_time_says_no_more_than_is_needed(at: datetime, shown: str) -> None:
    """Today the clock, this week the weekday, later the date; the day is the salon's, not UTC's."""
    assert moments().when(at) == shown


def test_ago_is_said_only_under_an_hour() -> None:
    """«3 часа назад» makes people count."""
    page = moments()
    assert page.ago(NOW - timedelta(seconds=20)) == "только что"
    assert page.ago(NOW - timedelta(minutes=4)) == f"4{NBSP}мин назад"
    assert page.ago(NOW - timedelta(hours=2)) == "12:52"


@pytest.mark.parametrize(("hour", "part"), [(2, "night"), (6, "morning"), (13, "day"), (19, "evening"), (23, "night")])
def test_the_greeting_follows_the_salons_clock(hour: int, part: str) -> None:
    """Ten in Moscow is not ten in London."""
    assert moments(datetime(2026, 11, 24, hour, tzinfo=MOSCOW).astimezone(UTC)).part_of_day() == part


def test_periods_touch_and_do_not_overlap() -> None:
    """Each event is counted in one day."""
    page = moments()
    assert page.period("yesterday")[1] == page.period("today")[0]
    assert page.period("week")[1] - page.period("week")[0] == timedelta(days=7)
