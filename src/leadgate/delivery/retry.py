"""What an outcome means for a delivery: its next state and when to look at it again. Pure.

The question answered here: done, again (when?), wait and look, or give up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

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

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(days=3)
LEAST_FAILURES = 8
"""Own failures that a delivery has had at least before it is given up."""
DOUBTS_BEFORE_WAITING = 3
"""Look-ups that find nothing before the next send waits."""
DOUBT_LONGEST_WAIT = timedelta(seconds=30)
"""Doubt may be our own fault (a process that is killed again and again), so it never delays a client's words for long."""
MESSAGE_TOO_LATE_AFTER = timedelta(hours=24)
LANE_FIRST_WAIT = timedelta(seconds=1)
LANE_LONGEST_WAIT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a decision needs to know of a delivery.

    Attributes:
        failures: failed sends of its own fault before this one.
        can_repeat: the target drops a repeat by itself, so an unknown outcome may be sent again.
        quiet_time: wait between an unknown outcome and the look-up.
        jitter: random number in [0, 1).
    """

    kind: DeliveryKind
    created_at: datetime
    now: datetime
    failures: int
    can_repeat: bool
    quiet_time: timedelta
    jitter: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of a delivery.

    Attributes:
        due_at: next look; None when the delivery is over.
        failures: to remember.
    """

    state: DeliveryState
    due_at: datetime | None
    failures: int
    error_code: str | None = None
    error_detail: str | None = None
    external_id: str | None = None


def decide(outcome: Outcome, situation: Situation) -> Decision:  # noqa: PLR0911 -- one line per outcome reads best
    """The decision for one outcome.

    A fault of the target as a whole never counts against the delivery: its lane waits instead.
    """
    s = situation
    match outcome:
        case Delivered(external_id):
            return Decision(state=DeliveryState.DONE, due_at=None, failures=s.failures, external_id=external_id)
        case Refused(code, detail):
            return _over(DeliveryState.DEAD, s, code, detail)
        case LeadClosed(code):
            return _over(DeliveryState.DEAD, s, code, "")
        case NotExecuted():
            return _send_again(s)
        case OutcomeUnknown(code):
            return _on_unknown(s, code)
        case RetryLater() as again if again.scope is Scope.TARGET:
            if _is_too_late(s):
                return _over(DeliveryState.DEAD, s, "message.too_late", again.code)
            return Decision(
                state=DeliveryState.WAITING,
                due_at=s.now,
                failures=s.failures,
                error_code=again.code,
                error_detail=again.detail,
            )
        case RetryLater() as again:
            return _on_own_failure(s, again)


def wait_after(failures: int, jitter: float) -> timedelta:
    """Wait before the next try: doubles from 5 s to 4 h, the upper half of it random.

    failures 1, 2, 3, 4, 5 wait at most 5, 10, 20, 40, 80 s and at least half of that.
    """
    longest = min(LONGEST_WAIT, FIRST_WAIT * (1 << min(max(failures, 1) - 1, 20)))
    return longest * (0.5 + jitter / 2)


def lane_wait_after(failures: int, jitter: float, *, at_least: timedelta | None) -> timedelta:
    """Wait before a lane probes its target again: doubles from 1 s to 30 s, half of it random, or as the target asks."""
    longest = min(LANE_LONGEST_WAIT, LANE_FIRST_WAIT * (1 << min(max(failures, 1) - 1, 10)))
    return max(longest * (0.5 + jitter / 2), at_least or timedelta())


def attempt_outcome(outcome: Outcome) -> AttemptOutcome:
    """How an attempt is written down."""
    return {
        Delivered: AttemptOutcome.DELIVERED,
        Refused: AttemptOutcome.REFUSED,
        RetryLater: AttemptOutcome.RETRY_LATER,
        OutcomeUnknown: AttemptOutcome.UNKNOWN,
        NotExecuted: AttemptOutcome.NOT_EXECUTED,
        LeadClosed: AttemptOutcome.LEAD_CLOSED,
    }[type(outcome)]


def code_of(outcome: Outcome) -> str | None:
    """The error code of an outcome; None when there is none."""
    return None if isinstance(outcome, Delivered | NotExecuted) else outcome.code


def _on_unknown(s: Situation, code: str) -> Decision:
    if s.kind is not DeliveryKind.MESSAGE:
        due_at = s.now + s.quiet_time
        return Decision(state=DeliveryState.UNKNOWN, due_at=due_at, failures=s.failures, error_code=code)
    if s.can_repeat:
        return _on_own_failure(s, RetryLater(code=code, scope=Scope.ITEM))
    return _over(DeliveryState.UNCERTAIN, s, code, "")


def _send_again(s: Situation) -> Decision:
    """The look-up found nothing. At once, but for a request that keeps ending in doubt: that one waits a little."""
    failures = s.failures + 1
    wait = min(DOUBT_LONGEST_WAIT, wait_after(failures, s.jitter)) if failures > DOUBTS_BEFORE_WAITING else timedelta()
    return Decision(state=DeliveryState.WAITING, due_at=s.now + wait, failures=failures)


def _on_own_failure(s: Situation, again: RetryLater) -> Decision:
    failures = s.failures + 1
    if _is_too_late(s):
        return _over(DeliveryState.DEAD, s, "message.too_late", again.code)
    # Age alone is no fault: a delivery that waited out a long outage gets its tries too.
    if s.now - s.created_at >= GIVE_UP_AFTER and failures >= LEAST_FAILURES:
        return _over(DeliveryState.DEAD, s, again.code, again.detail)
    wait = max(wait_after(failures, s.jitter), again.after or timedelta())
    return Decision(
        state=DeliveryState.WAITING,
        due_at=s.now + wait,
        failures=failures,
        error_code=again.code,
        error_detail=again.detail,
    )


def _is_too_late(s: Situation) -> bool:
    return s.kind is DeliveryKind.MESSAGE and s.now - s.created_at >= MESSAGE_TOO_LATE_AFTER


def _over(state: DeliveryState, s: Situation, code: str, detail: str) -> Decision:
    return Decision(state=state, due_at=None, failures=s.failures, error_code=code, error_detail=detail)
