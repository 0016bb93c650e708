"""Alarms about requests: when few working days are left, when none is, and when the calendar of next year is missing.

Five, two and one working day before the end and when it is over: for a term of ten working days these are its fifth, eighth and
ninth. An alarm begins in the morning of its day, not at midnight.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo

from leadgate.model.alerts import Cause, Signs, Trouble
from leadgate.ports.stores import Storage, StoredRequest
from leadgate.rights.request_words import name_alarm
from leadgate.rights.terms import local_day
from leadgate.rights.working_days import WorkingDays

STAGES = (5, 2, 1)
"""Working days left at which the salon is told."""

OVERDUE = "overdue"
MORNING = time(9)


class RequestAlarms:
    """A sense of `AlertWatch`."""

    def __init__(self, storage: Storage, calendar: WorkingDays, *, zone: tzinfo, locale: str) -> None:
        """Days are those of the zone."""
        self._storage = storage
        self._calendar = calendar
        self._zone = zone
        self._locale = locale

    async def look(self, signs: Signs, *, now: datetime) -> Sequence[Trouble]:  # noqa: ARG002 - the signature of a sense
        """Every open request that is near its end, and a missing calendar."""
        requests = await self._storage.read(lambda tx: tx.requests.open())
        today = alarm_day(now, self._zone)
        found = (find_trouble(one, today, self._calendar, zone=self._zone, locale=self._locale) for one in requests)
        troubles = [trouble for trouble in found if trouble is not None]
        missing = self._calendar.missing_year(today)
        if missing is not None:
            begin = datetime.combine(today, time(0), tzinfo=self._zone)
            troubles.append(Trouble(cause=Cause.CALENDAR, who=str(missing), since=begin))
        return troubles


def alarm_day(now: datetime, zone: tzinfo) -> date:
    """The day whose alarms are due: until the morning it is the day before."""
    local = now.astimezone(zone)
    return local.date() if local.time() >= MORNING else local.date() - timedelta(days=1)


def find_trouble(
    request: StoredRequest, today: date, calendar: WorkingDays, *, zone: tzinfo, locale: str
) -> Trouble | None:
    """What is to be told of an open request on a day, or None while there is time.

    `count` is the number of working days left, or over.
    """
    is_late = today > request.due_on
    left = calendar.working_days_between(today, request.due_on)
    # A request that is extended is told anew when its new end comes near.
    stage = next((one for one in reversed(STAGES) if left <= one), None)
    received = local_day(request.received_at, zone)
    if stage is None or (not is_late and today <= received):
        return None
    return Trouble(
        cause=Cause.REQUEST,
        subject=request.request_id,
        who=name_alarm(request.kind, request.due_on, locale, today=today),
        detail=OVERDUE if is_late else str(stage),
        count=abs(left),
        since=request.received_at,
        needs_person=is_late or stage == STAGES[-1],
    )
