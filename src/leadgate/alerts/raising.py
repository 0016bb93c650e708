"""When an alarm is raised, told again and solved. Pure.

One message when it begins, one when it ends, at most one a day between. An end counts only when it lasts for a while; an alarm
that comes back soon after its end is told again only when it lasts, each time longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from leadgate.model.alerts import Alert, AlertState, AlertTarget, Cause, Ending, MessageKind, Trouble
from leadgate.ports.stores.alerts import AlertKey

REMIND_AFTER = timedelta(days=1)
FORGET_AFTER = timedelta(days=1)
FIRST_HOLD = timedelta(minutes=5)
LONGEST_HOLD = timedelta(hours=1)

STAGED = frozenset({Cause.REQUEST, Cause.CALENDAR})
"""Causes that are told once for each detail; daily only when they need a person at once."""


def review(
    alerts: Iterable[Alert],
    troubles: Iterable[Trouble],
    *,
    now: datetime,
    calm: timedelta,
    endings: Mapping[AlertKey, Ending] = MappingProxyType({}),
) -> list[Alert]:
    """What is remembered after a look at the house.

    Args:
        alerts: what was remembered.
        troubles: what is wrong now, at most one per cause and subject.
        now: aware UTC.
        calm: so long a trouble must be gone before its alarm is solved.
        endings: alarms whose trouble is gone because somebody paused or removed what it was about.
    """
    known = {alert.key: alert for alert in alerts}
    seen = {(trouble.cause, trouble.subject): trouble for trouble in troubles}
    reviewed = [_first(trouble, now) for key, trouble in seen.items() if key not in known]
    for key, alert in known.items():
        trouble = seen.get(key)
        kept = _gone(alert, endings.get(key), now, calm) if trouble is None else _still(alert, trouble, now)
        if kept is not None:
            reviewed.append(kept)
    return sorted(reviewed, key=lambda alert: (alert.told_at, alert.cause, alert.subject))


def messages_due(
    alerts: Sequence[Alert], targets: Sequence[AlertTarget], told: Mapping[tuple[AlertKey, str], int]
) -> list[tuple[Alert, AlertTarget, MessageKind | None]]:
    """Which address has not heard the newest message of which alarm, and what it is told; None: nothing any more.

    An end is told only to those who heard of the beginning; an address that fails does not hear about itself.
    """
    due: list[tuple[Alert, AlertTarget, MessageKind | None]] = []
    for alert in alerts:
        for target in targets:
            heard = told.get((alert.key, target.target_id), 0)
            if heard >= alert.round or (alert.cause is Cause.ADDRESS and alert.subject == target.target_id):
                continue
            is_new = heard < alert.bout_round
            if alert.kind is MessageKind.SOLVED:
                due.append((alert, target, None if is_new else MessageKind.SOLVED))
            else:
                due.append((alert, target, MessageKind.RAISED if is_new else alert.kind))
    return due


def hold_after(flaps: int) -> timedelta:
    """How long a trouble must last that came back soon: 5 minutes, doubling to an hour."""
    return min(LONGEST_HOLD, FIRST_HOLD * (1 << min(flaps, 8)))


def _first(trouble: Trouble, now: datetime) -> Alert:
    return Alert(
        cause=trouble.cause,
        subject=trouble.subject,
        who=trouble.who,
        detail=trouble.detail,
        count=trouble.count,
        since=trouble.since,
        needs_person=trouble.needs_person,
        state=AlertState.RAISED,
        seen_at=now,
        clear_since=None,
        solved_at=None,
        round=1,
        bout_round=1,
        kind=MessageKind.RAISED,
        told_at=now,
        flaps=0,
    )


def _still(alert: Alert, trouble: Trouble, now: datetime) -> Alert:
    if alert.state is AlertState.RAISED:
        return _lasting(alert, trouble, now)
    if alert.state is AlertState.SOLVED:
        alert = replace(alert, state=AlertState.HELD, seen_at=now)
    if now - alert.seen_at < hold_after(alert.flaps):
        return alert
    again = replace(alert, state=AlertState.RAISED, since=trouble.since, flaps=alert.flaps + 1)
    again = replace(_refreshed(again, trouble), bout_round=alert.round + 1)
    return _told(again, MessageKind.RAISED, now)


def _lasting(alert: Alert, trouble: Trouble, now: datetime) -> Alert:
    """It goes on. What it tells follows the trouble, but for its beginning: a pause shorter than `calm` was no end."""
    refreshed = _refreshed(alert, trouble)
    is_next_stage = alert.cause in STAGED and trouble.detail != alert.detail
    if is_next_stage or (trouble.needs_person and not alert.needs_person):
        return _told(refreshed, MessageKind.CHANGED, now)
    if alert.cause in STAGED and not trouble.needs_person:
        return refreshed
    return _told(refreshed, MessageKind.REMINDER, now) if now - alert.told_at >= REMIND_AFTER else refreshed


def _gone(alert: Alert, ending: Ending | None, now: datetime, calm: timedelta) -> Alert | None:
    if alert.state is AlertState.HELD:
        return replace(alert, state=AlertState.SOLVED)
    if alert.state is AlertState.SOLVED:
        return None if now - (alert.solved_at or now) >= FORGET_AFTER else alert
    if alert.clear_since is None:
        alert = replace(alert, clear_since=now)
    gone_since = alert.clear_since or now
    if now - gone_since < calm:
        return alert
    solved = replace(alert, state=AlertState.SOLVED, solved_at=gone_since, detail=ending.value if ending else "")
    return _told(solved, MessageKind.SOLVED, now)


def _refreshed(alert: Alert, trouble: Trouble) -> Alert:
    return replace(
        alert,
        who=trouble.who,
        detail=trouble.detail,
        count=trouble.count,
        needs_person=trouble.needs_person,
        clear_since=None,
    )


def _told(alert: Alert, kind: MessageKind, now: datetime) -> Alert:
    return replace(alert, kind=kind, round=alert.round + 1, told_at=now)
