"""When a channel is silent although people usually write at this hour. Pure; times of day are the salon's.

The silent window, in whole hours, is compared with the same hours of the last four weeks: of days of the same kind (working days,
Saturdays, Sundays), so that there are enough of them, and of the same weekday, so that a salon that is closed on Mondays is left
alone. It is an alarm only when even a poor day of those brought several, so few numbers or a quiet hour never raise one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from statistics import median_low

HOUR = timedelta(hours=1)
HISTORY = timedelta(days=28)
LONGEST_WINDOW = timedelta(hours=24)
LEAST_USUAL = 5
"""A poor day brings at least so many in the silent hours. At random gaps none at all then comes by chance once in 150 windows."""
LEAST_SAME_WEEKDAYS = 2
_ENOUGH_FOR_QUARTILE = 8
_SATURDAY = 5
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing came since `since`; usually `usual` do in that time."""

    since: datetime
    usual: int


def find_silence(
    history: Mapping[datetime, int], last_event_at: datetime, *, now: datetime, zone: tzinfo
) -> Silence | None:
    """The silence of a channel, or None.

    Args:
        history: events by hour (aware UTC, full hours); hours without any may be missing.
        last_event_at: when something came last.
        now: aware UTC.
        zone: the salon's.
    """
    end = floor_hour(now)
    start = max(floor_hour(last_event_at) + HOUR, end - LONGEST_WINDOW)
    if start >= end or not history:
        return None
    days = list(_days_before(history, start, end, zone))
    same_weekday = [count for back, count in days if back % _WEEK == 0]
    same_kind = [count for back, count in days if _kind_of_day(start, back, zone) == _kind_of_day(start, 0, zone)]
    if len(same_weekday) < LEAST_SAME_WEEKDAYS or min(same_weekday) == 0 or _poor(same_kind) < LEAST_USUAL:
        return None
    return Silence(last_event_at, median_low(same_kind))


def floor_hour(at: datetime) -> datetime:
    """The full hour before."""
    return at.replace(minute=0, second=0, microsecond=0)


def _days_before(
    history: Mapping[datetime, int], start: datetime, end: datetime, zone: tzinfo
) -> Iterator[tuple[int, int]]:
    """How many days back, and how many events came in the same hours of the clock then; only days after the first event."""
    first, hours = min(history), int((end - start) / HOUR)
    for back in range(1, HISTORY.days + 1):
        began = _same_clock(start, back, zone)
        if began >= first:
            yield back, sum(history.get(began + number * HOUR, 0) for number in range(hours))


def _same_clock(at: datetime, days_back: int, zone: tzinfo) -> datetime:
    """The same time on the salon's clock, days earlier, whatever the clocks did in between."""
    return (at.astimezone(zone) - timedelta(days=days_back)).astimezone(UTC)


def _kind_of_day(at: datetime, days_back: int, zone: tzinfo) -> int:
    weekday = _same_clock(at, days_back, zone).astimezone(zone).weekday()
    return max(weekday, _SATURDAY - 1)


def _poor(counts: Sequence[int]) -> int:
    """What three days of four exceed; the least of a few."""
    ordered = sorted(counts)
    return ordered[len(ordered) // 4 if len(ordered) >= _ENOUGH_FOR_QUARTILE else 0]
