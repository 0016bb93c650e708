"""The two clocks of Roskomnadzor's order 187: 24 hours for the first notice, 72 for the result of the inquiry. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from leadgate.model.alerts import Cause, Trouble
from leadgate.model.incidents import ClockState, Incident, Notice, NoticeClock

SOON_BEFORE = {Notice.FIRST: timedelta(hours=6), Notice.RESULT: timedelta(hours=24)}
"""So long before its end a clock becomes an alarm."""

LATE = "late"
"""Detail of an alarm whose deadline has passed."""


def clocks_of(incident: Incident, *, now: datetime) -> Sequence[NoticeClock]:
    """Both clocks as of now."""
    return [_clock(incident, notice, now) for notice in Notice]


def troubles_of(
    incident: Incident, names: dict[Notice, str], *, frozen: Trouble | None, now: datetime
) -> list[Trouble]:
    """What the alarms tell of an open incident: a deadline that is near or past, and that nothing is sent."""
    found = [] if frozen is None else [frozen]
    for clock in clocks_of(incident, now=now):
        if clock.state in {ClockState.SOON, ClockState.LATE}:
            is_late = clock.state is ClockState.LATE
            found.append(
                Trouble(
                    cause=Cause.NOTICE,
                    subject=f"{incident.incident_id}:{clock.notice.value}",
                    who=names[clock.notice],
                    detail=LATE if is_late else "",
                    since=clock.deadline - (timedelta() if is_late else SOON_BEFORE[clock.notice]),
                    needs_person=is_late,
                )
            )
    return found


def _clock(incident: Incident, notice: Notice, now: datetime) -> NoticeClock:
    deadline, sent = incident.deadline(notice), incident.sent.get(notice)
    left = deadline - now
    if sent is not None:
        state = ClockState.SENT
    elif left <= timedelta():
        state = ClockState.LATE
    else:
        state = ClockState.SOON if left <= SOON_BEFORE[notice] else ClockState.RUNS
    return NoticeClock(notice=notice, deadline=deadline, left=left, state=state, sent=sent)
