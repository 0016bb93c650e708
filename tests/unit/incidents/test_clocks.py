"""The two clocks, the classes of fines, and what the alarms tell of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from leadgate.incidents.clocks import clocks_of, troubles_of
from leadgate.incidents.fines import classes_touched
from leadgate.model.alerts import Cause
from leadgate.model.incidents import Affected, ClockState, Incident, Notice, Sent

FOUND = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
INCIDENT = Incident(
    incident_id="inc_1", is_drill=False, found_at=FOUND, opened_at=FOUND + timedelta(hours=3), opened_by="staff_1"
)
NAMES = {Notice.FIRST: "первое", Notice.RESULT: "второе"}


@pytest.mark.parametrize(
    ("hours", "first", "result"),
    [
        (0, ClockState.RUNS, ClockState.RUNS),
        (17, ClockState.RUNS, ClockState.RUNS),
        (18, ClockState.SOON, ClockState.RUNS),
        (24, ClockState.LATE, ClockState.RUNS),
        (48, ClockState.LATE, ClockState.SOON),
        (72, ClockState.LATE, ClockState.LATE),
    ],
)
def test_both_clocks_run_from_the_finding(hours: int, first: ClockState, result: ClockState) -> None:
    """Not from the moment when somebody had time to open the page."""
    clocks = clocks_of(INCIDENT, now=FOUND + timedelta(hours=hours))
    assert [clock.state for clock in clocks] == [first, result]
    assert [clock.left for clock in clocks] == [timedelta(hours=24 - hours), timedelta(hours=72 - hours)]


def test_a_notice_that_was_sent_rings_no_more() -> None:
    """The other one still does."""
    sent = replace(INCIDENT, sent={Notice.FIRST: Sent(at=FOUND, number="77-1")})
    now = FOUND + timedelta(hours=80)
    troubles = troubles_of(sent, NAMES, frozen=None, now=now)
    assert [(one.cause, one.who, one.detail, one.needs_person) for one in troubles] == [
        (Cause.NOTICE, "второе", "late", True)
    ]


def test_an_alarm_grows_graver_at_the_deadline() -> None:
    """Before it a reminder, at it something that needs a person now: the same alarm, told twice."""
    (soon,) = troubles_of(INCIDENT, NAMES, frozen=None, now=FOUND + timedelta(hours=23))
    (late,) = troubles_of(INCIDENT, NAMES, frozen=None, now=FOUND + timedelta(hours=24))
    assert (soon.subject, soon.needs_person, soon.detail) == (late.subject, False, "")
    assert (late.needs_person, late.detail, late.since) == (True, "late", FOUND + timedelta(hours=24))


def affected(persons: int = 0, identifiers: int = 0, health: int = 0) -> Affected:
    """Counts."""
    return Affected(
        counted_at=FOUND,
        since=None,
        until=None,
        connection_id=None,
        persons=persons,
        identifiers={"phone": identifiers},
        messages=0,
        looked_at=0,
        health=health,
    )


@pytest.mark.parametrize(
    ("counts", "parts"),
    [
        (affected(999, 9_999), []),
        (affected(1_000), [12]),
        (affected(10_000), [12]),
        (affected(10_001), [13]),
        (affected(100_001), [14]),
        (affected(5, 10_000), [12]),
        (affected(5, 100_001), [13]),
        (affected(2_000, 1_000_001), [14]),
        (affected(1, 1, health=1), [16]),
        (affected(20_000, health=3), [16, 13]),
    ],
)
def test_the_classes_touched_follow_the_thresholds(counts: Affected, parts: list[int]) -> None:
    """People or identifiers, whichever reaches higher; words about health are a class of their own without a lower limit."""
    assert [fine.part for fine in classes_touched(counts)] == parts


def test_nothing_is_touched_before_somebody_has_counted() -> None:
    """No guess."""
    assert classes_touched(None) == ()
