from __future__ import annotations

import random
from bisect import bisect
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.alerts.silence import HOUR, Silence, find_silence, floor_hour

ZONE = ZoneInfo("Europe/Moscow")
WEDNESDAY = datetime(2026, 11, 25, 15, 10, tzinfo=ZONE)
OPEN = range(10, 20)
CLOSED_DAY = 0  # Mondays


def regular(
    days: int, per_hour: int, *, until: datetime = WEDNESDAY, closed: int | None = CLOSED_DAY
) -> dict[datetime, int]:
    """So many in each open hour of the salon's clock in the days before."""
    flow = {}
    for back in range(1, days + 1):
        for hour in OPEN:
            at = (until - timedelta(days=back)).replace(hour=hour, minute=0)
            if at.weekday() != closed:
                flow[at.astimezone(UTC)] = per_hour
    return flow


def silence(flow: dict[datetime, int], *, hours: float, now: datetime = WEDNESDAY) -> Silence | None:
    """What is heard after so many hours without anything."""
    return find_silence(flow, now.astimezone(UTC) - timedelta(hours=hours), now=now.astimezone(UTC), zone=ZONE)


def test_two_silent_hours_that_usually_bring_seven_are_told() -> None:
    """The words of the alarm: «обычно за это время приходит 7»."""
    flow = regular(28, 3)
    for at in list(flow):
        flow[at] += at.hour % 2
    heard = silence(flow, hours=3)
    assert heard is not None
    assert heard.usual == 7


@pytest.mark.parametrize(("hours", "per_hour"), [(0.5, 50), (1.1, 50), (3, 1), (2.2, 2), (4, 0)], ids=str)
def test_short_silences_and_few_events_are_left_alone(hours: float, per_hour: int) -> None:
    """Little data proves nothing."""
    assert silence(regular(28, per_hour), hours=hours) is None


def test_there_is_no_alarm_in_the_first_two_weeks() -> None:
    """We do not know yet what is usual."""
    assert silence(regular(13, 50), hours=4) is None
    assert silence(regular(14, 50), hours=4) is not None


def test_the_night_and_the_closed_day_are_silent_by_right() -> None:
    """People sleep; the salon is closed on Mondays, though other working days are full."""
    flow = regular(28, 50)
    night = WEDNESDAY.replace(hour=3)
    assert silence(flow, hours=2, now=night) is None
    monday = WEDNESDAY + timedelta(days=5)
    assert monday.weekday() == CLOSED_DAY
    assert silence(regular(28, 50, until=monday), hours=20, now=monday.replace(hour=17)) is None
    assert silence(regular(28, 50, until=monday, closed=None), hours=5, now=monday.replace(hour=17)) is not None


def test_a_silence_of_days_is_still_heard() -> None:
    """The window ends at a day; the alarm does not."""
    assert silence(regular(28, 5), hours=60) is not None


@pytest.mark.parametrize("zone", [ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kamchatka"), UTC])
def test_hours_are_those_of_the_salons_clock(zone: ZoneInfo) -> None:
    """In Berlin the clocks went back within the four weeks; ten o'clock stays ten o'clock."""
    now = datetime(2026, 11, 11, 12, 10, tzinfo=zone)
    flow = {}
    for back in range(1, 29):
        for hour in (10, 11):
            flow[(now - timedelta(days=back)).replace(hour=hour, minute=0).astimezone(UTC)] = 5
    heard = find_silence(flow, now.replace(hour=9).astimezone(UTC), now=now.astimezone(UTC), zone=zone)
    assert heard is not None
    assert heard.usual == 10


@given(
    st.dictionaries(st.integers(1, 24 * 28), st.integers(0, 1000), max_size=60),
    st.integers(0, 24 * 40 * 60),
)
def test_whatever_the_history_an_alarm_names_a_number_worth_it(counts: dict[int, int], minutes: int) -> None:
    """Never an alarm without at least five that usually come."""
    now = WEDNESDAY.astimezone(UTC)
    flow = {floor_hour(now) - back * HOUR: count for back, count in counts.items()}
    heard = find_silence(flow, now - timedelta(minutes=minutes), now=now, zone=ZONE)
    assert heard is None or heard.usual >= 5


@pytest.mark.parametrize(("seed", "per_hour"), [(1, 0.5), (2, 1.5), (3, 3.0), (4, 6.0)])
def test_a_healthy_channel_hardly_ever_rings(seed: int, per_hour: float) -> None:
    """Four weeks of chance after four weeks of learning: at most two false alarms, looked at every hour."""
    dice = random.Random(seed)  # noqa: S311 - customers by chance, the same in every run
    begin = datetime(2026, 9, 28, tzinfo=ZONE).astimezone(UTC)
    moments = [begin]
    for day in range(56):
        at = begin + timedelta(days=day, hours=OPEN.start)
        while (at := at + timedelta(hours=dice.expovariate(per_hour))) < begin + timedelta(days=day, hours=OPEN.stop):
            moments.append(at)
    flow = Counter(floor_hour(at) for at in moments[1:])
    rings, was_silent = 0, False
    for hour in range(28 * 24):
        now = begin + timedelta(days=28, hours=hour)
        last = moments[bisect(moments, now) - 1]
        is_silent = find_silence(flow, last, now=now, zone=ZONE) is not None
        rings += is_silent and not was_silent
        was_silent = is_silent
    assert rings <= 2
