from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.delivery.retry import (
    DOUBTS_BEFORE_WAITING,
    GIVE_UP_AFTER,
    LEAST_FAILURES,
    LONGEST_WAIT,
    MESSAGE_TOO_LATE_AFTER,
    Situation,
    attempt_outcome,
    code_of,
    decide,
    lane_wait_after,
    wait_after,
)
from leadgate.model.deliveries import AttemptOutcome, DeliveryKind, DeliveryState
from leadgate.model.outcomes import (
    Delivered,
    LeadClosed,
    NotExecuted,
    Outcome,
    OutcomeUnknown,
    Refused,
    RetryLater,
    Scope,
)
from leadgate.testing.connections import NOW

ITEM = RetryLater("x.busy", Scope.ITEM)
TARGET = RetryLater("x.down", Scope.TARGET)
QUIET = timedelta(minutes=3)


def situation(
    kind: DeliveryKind = DeliveryKind.CREATE_LEAD,
    *,
    age: timedelta = timedelta(),
    failures: int = 0,
    can_repeat: bool = False,
    jitter: float = 0.5,
) -> Situation:
    """A delivery of this age."""
    return Situation(
        kind=kind,
        created_at=NOW - age,
        now=NOW,
        failures=failures,
        can_repeat=can_repeat,
        quiet_time=QUIET,
        jitter=jitter,
    )


@pytest.mark.parametrize(
    ("outcome", "state", "due_at", "code"),
    [
        (Delivered("lead:1"), DeliveryState.DONE, None, None),
        (Refused("x.no", "why"), DeliveryState.DEAD, None, "x.no"),
        (LeadClosed(), DeliveryState.DEAD, None, "crm.lead_closed"),
        (NotExecuted(), DeliveryState.WAITING, NOW, None),
        (OutcomeUnknown("x.lost"), DeliveryState.UNKNOWN, NOW + QUIET, "x.lost"),
        (TARGET, DeliveryState.WAITING, NOW, "x.down"),
        (ITEM, DeliveryState.WAITING, NOW + timedelta(seconds=3.75), "x.busy"),
    ],
)
def test_every_outcome_has_one_meaning(
    outcome: Outcome, state: DeliveryState, due_at: object, code: str | None
) -> None:
    """The table of the product."""
    decision = decide(outcome, situation())
    assert (decision.state, decision.due_at, decision.error_code) == (state, due_at, code)
    assert decision.failures == (1 if outcome is ITEM or outcome == NotExecuted() else 0)


def test_a_request_that_keeps_ending_in_doubt_waits_longer() -> None:
    """One that always breaks the connection must not be sent at once for ever; but our own deaths must not hold it up for hours."""
    assert decide(NotExecuted(), situation(failures=DOUBTS_BEFORE_WAITING - 1)).due_at == NOW
    later = decide(NotExecuted(), situation(failures=DOUBTS_BEFORE_WAITING + 3)).due_at
    assert later is not None
    assert NOW + timedelta(seconds=10) < later <= NOW + timedelta(seconds=30)
    assert decide(NotExecuted(), situation(failures=99)).due_at == NOW + timedelta(seconds=30)


def test_a_targets_wish_for_time_is_kept() -> None:
    """Retry-After is the least."""
    decision = decide(RetryLater("x", Scope.ITEM, after=timedelta(hours=1)), situation())
    assert decision.due_at == NOW + timedelta(hours=1)
    assert lane_wait_after(1, 0.0, at_least=timedelta(hours=1)) == timedelta(hours=1)


@pytest.mark.parametrize("kind", [DeliveryKind.CREATE_LEAD, DeliveryKind.TIMELINE_ENTRY, DeliveryKind.UPDATE_LEAD])
def test_three_days_are_the_end_of_own_failures_only(kind: DeliveryKind) -> None:
    """A target that was down for a week takes nobody with it."""
    just_before = GIVE_UP_AFTER - timedelta(seconds=1)
    enough = LEAST_FAILURES - 1
    assert decide(ITEM, situation(kind, age=just_before, failures=enough)).state is DeliveryState.WAITING
    assert decide(ITEM, situation(kind, age=GIVE_UP_AFTER, failures=enough)).state is DeliveryState.DEAD
    assert decide(ITEM, situation(kind, age=GIVE_UP_AFTER * 2, failures=enough - 1)).state is DeliveryState.WAITING
    assert decide(TARGET, situation(kind, age=GIVE_UP_AFTER * 9)).state is DeliveryState.WAITING
    assert decide(OutcomeUnknown("x"), situation(kind, age=GIVE_UP_AFTER * 9)).state is DeliveryState.UNKNOWN


@pytest.mark.parametrize("outcome", [ITEM, TARGET])
def test_a_message_is_too_late_after_a_day(outcome: Outcome) -> None:
    """Whoever's fault it was."""
    message = DeliveryKind.MESSAGE
    just_before = MESSAGE_TOO_LATE_AFTER - timedelta(seconds=1)
    assert decide(outcome, situation(message, age=just_before)).state is DeliveryState.WAITING
    late = decide(outcome, situation(message, age=MESSAGE_TOO_LATE_AFTER))
    assert (late.state, late.error_code) == (DeliveryState.DEAD, "message.too_late")


def test_a_message_of_unknown_fate_is_repeated_only_where_it_cannot_double() -> None:
    """Otherwise it is left as it is, for a human to see."""
    unknown = OutcomeUnknown("x.lost")
    message = DeliveryKind.MESSAGE
    assert decide(unknown, situation(message)).state is DeliveryState.UNCERTAIN
    again = decide(unknown, situation(message, can_repeat=True))
    assert (again.state, again.failures) == (DeliveryState.WAITING, 1)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_waits_grow_and_stay_within_their_bounds(failures: int, jitter: float) -> None:
    """Between half of the step and the whole of it, so that clients of one outage do not come back as a crowd."""
    step = min(LONGEST_WAIT, timedelta(seconds=5) * 2 ** min(failures - 1, 20))
    assert step / 2 <= wait_after(failures, jitter) <= step
    assert wait_after(failures, 0.0) <= wait_after(failures + 1, 0.0)
    assert timedelta(seconds=0.5) <= lane_wait_after(failures, jitter, at_least=None) <= timedelta(seconds=30)


def test_jitter_spreads() -> None:
    """Two deliveries that failed in the same moment do not come back in the same moment."""
    assert wait_after(1, 0.1) != wait_after(1, 0.9)


def test_every_outcome_can_be_written_down() -> None:
    """An outcome without a word would stop the worker after the call, when it is too late."""
    outcomes: list[Outcome] = [Delivered(), Refused("c"), ITEM, OutcomeUnknown("c"), NotExecuted(), LeadClosed("c")]
    written = [attempt_outcome(outcome) for outcome in outcomes]
    assert set(written) == set(AttemptOutcome) - {AttemptOutcome.STARTED}
    assert [code_of(outcome) for outcome in outcomes] == [None, "c", "x.busy", "c", None, "c"]
