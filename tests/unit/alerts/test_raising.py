from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.alerts.raising import LONGEST_HOLD, REMIND_AFTER, hold_after, messages_due, review
from leadgate.model.alerts import Alert, AlertState, AlertTarget, Cause, MessageKind, Trouble
from leadgate.testing.connections import NOW

CALM = timedelta(minutes=2)
LOOK = timedelta(seconds=15)
DOWN = Trouble(cause=Cause.CONNECTION, subject="conn_1", who="CRM", detail="x", count=3, since=NOW, needs_person=False)
OWNER = AlertTarget(target_id="addr_1", name="Владелец", service="JSON", created_at=NOW, sealed_address=b"")


def live(pattern: list[bool], *, step: timedelta = LOOK, trouble: Trouble = DOWN) -> list[tuple[datetime, Alert]]:
    """What is told while a trouble is there (True) or not at each look; one entry for every new message."""
    alerts: list[Alert] = []
    heard: list[tuple[datetime, Alert]] = []
    for number, is_there in enumerate(pattern):
        now, before = NOW + number * step, {alert.key: alert.round for alert in alerts}
        alerts = review(alerts, [trouble] if is_there else [], now=now, calm=CALM)
        heard += [(now, alert) for alert in alerts if alert.round > before.get(alert.key, 0)]
    return heard


def kinds(heard: list[tuple[datetime, Alert]]) -> list[str]:
    """What the messages were."""
    return [alert.kind.value for _, alert in heard]


def test_one_message_when_it_begins_and_one_when_it_ends() -> None:
    """However often we look between."""
    assert kinds(live([True] * 200 + [False] * 200)) == ["raised", "solved"]


def test_an_end_counts_only_when_it_lasts() -> None:
    """A CRM that answers one request in ten is not well."""
    assert kinds(live(([True] * 3 + [False] * 7) * 20)) == ["raised"]


def test_the_end_is_told_with_the_time_when_it_came() -> None:
    """Not with the time when we were sure of it."""
    heard = live([True, False, *[False] * 20])
    assert heard[1][1].solved_at == NOW + LOOK
    assert heard[1][0] - NOW - LOOK >= CALM


def test_a_trouble_that_comes_back_soon_is_told_only_when_it_lasts() -> None:
    """Ten minutes up, a minute down, all day: that is one alarm, not a hundred."""
    flapping = ([True] * 4 + [False] * 40) * 30
    assert kinds(live(flapping)) == ["raised", "solved"]
    assert kinds(live([True] * 4 + [False] * 40 + [True] * 40)) == ["raised", "solved", "raised"]


def test_a_person_is_reminded_once_a_day() -> None:
    """A message that was swept away must not mean a lead that waits for a week."""
    looks = 3 * int(REMIND_AFTER / timedelta(minutes=15)) + 1
    assert kinds(live([True] * looks, step=timedelta(minutes=15))) == ["raised", "reminder", "reminder", "reminder"]


def test_what_becomes_graver_is_told_at_once() -> None:
    """First the portal stutters, then it refuses our key: now somebody has to do something."""
    (first,) = review([], [DOWN], now=NOW, calm=CALM)
    graver = replace(DOWN, detail="revoked", needs_person=True)
    (second,) = review([first], [graver], now=NOW + LOOK, calm=CALM)
    assert (second.kind, second.round, second.detail) == (MessageKind.CHANGED, 2, "revoked")
    (third,) = review([second], [DOWN], now=NOW + 2 * LOOK, calm=CALM)
    assert third.round == 2


def test_a_solved_alarm_is_forgotten_after_a_day() -> None:
    """What happened long ago holds nothing back."""
    gone = [False] * (24 * 4 + 2)
    assert kinds(live([True, *gone, True], step=timedelta(minutes=15))) == ["raised", "solved", "raised"]
    assert review(review([], [DOWN], now=NOW, calm=CALM), [], now=NOW, calm=timedelta())[0].state is AlertState.SOLVED


@pytest.mark.parametrize(("flaps", "minutes"), [(0, 5), (1, 10), (2, 20), (3, 40), (4, 60), (99, 60)])
def test_each_return_must_last_longer(flaps: int, minutes: int) -> None:
    """Up to an hour."""
    assert hold_after(flaps) == timedelta(minutes=minutes)


@given(st.lists(st.booleans(), max_size=300), st.sampled_from([15, 60, 600, 3600]))
def test_messages_alternate_whatever_happens(pattern: list[bool], step_s: int) -> None:
    """Nobody hears of an end without a beginning, or of two beginnings without an end between."""
    state = "solved"
    for told in kinds(live(pattern, step=timedelta(seconds=step_s))):
        assert told in ({"raised"} if state == "solved" else {"reminder", "solved", "changed"})
        state = told


@given(st.lists(st.booleans(), min_size=1, max_size=400))
def test_flapping_is_never_a_flood(pattern: list[bool]) -> None:
    """At most two messages an hour from one cause at one subject after the first pair, whatever the pattern."""
    heard = live(pattern, step=timedelta(minutes=1))
    hours = len(pattern) / 60
    assert len(heard) <= 2 + 2 * (hours * 60 / 5)
    late = [at for at, _ in heard[8:]]
    assert all(second - first >= LONGEST_HOLD for first, second in zip(late, late[2:], strict=False))


def test_an_address_that_never_heard_of_the_beginning_hears_of_no_end() -> None:
    """«Снова на связи» out of the blue only worries."""
    raised = review([], [DOWN], now=NOW, calm=CALM)
    solved = review(raised, [], now=NOW, calm=timedelta())
    assert [kind for _, _, kind in messages_due(raised, [OWNER], {})] == [MessageKind.RAISED]
    assert [kind for _, _, kind in messages_due(solved, [OWNER], {})] == [None]
    heard = {(solved[0].key, OWNER.target_id): 1}
    assert messages_due(raised, [OWNER], heard) == []
    assert [kind for _, _, kind in messages_due(solved, [OWNER], heard)] == [MessageKind.SOLVED]


def test_an_address_that_missed_the_beginning_is_told_of_it_instead_of_reminded() -> None:
    """It was added on the second day."""
    (alert,) = review([], [DOWN], now=NOW, calm=CALM)
    (reminded,) = review([alert], [DOWN], now=NOW + REMIND_AFTER, calm=CALM)
    assert [kind for _, _, kind in messages_due([reminded], [OWNER], {})] == [MessageKind.RAISED]


def test_an_address_does_not_hear_of_its_own_failure() -> None:
    """It would not arrive, and would wait for ever."""
    trouble = Trouble(cause=Cause.ADDRESS, subject=OWNER.target_id, since=NOW)
    other = replace(OWNER, target_id="addr_2")
    due = messages_due(review([], [trouble], now=NOW, calm=CALM), [OWNER, other], {})
    assert [target.target_id for _, target, _ in due] == ["addr_2"]
