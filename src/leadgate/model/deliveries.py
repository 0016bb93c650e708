"""A delivery: the duty to bring one thing to one target. Its states, attempts and dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DeliveryKind(StrEnum):
    """What is brought."""

    CREATE_LEAD = "lead.create"
    UPDATE_LEAD = "lead.update"
    TIMELINE_ENTRY = "timeline.add"
    MESSAGE = "message.send"
    ERASE_LEAD = "lead.erase"
    """The order to destroy there what stands of an erased person."""


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    """Due at `due_at`, in its turn."""
    SENDING = "sending"
    """On disk before the call; found in this state by another holder it counts as unknown."""
    UNKNOWN = "unknown"
    """Sent without a clear answer; looked up at `due_at`, after the quiet time."""
    DONE = "done"
    DEAD = "dead"
    """Gave up; kept for a human."""
    UNCERTAIN = "uncertain"
    """A message whose answer was lost and that must not be repeated; perhaps it arrived."""
    DISCARDED = "discarded"
    """Given up on purpose: by a human with a reason, or because the client cannot be written to there."""


OPEN_STATES = (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.UNKNOWN)
"""States in which work is still to be done."""


class AttemptKind(StrEnum):
    """What was tried."""

    SEND = "send"
    LOOK_UP = "look_up"


class AttemptOutcome(StrEnum):
    """How a try ended, as stored."""

    STARTED = "started"
    """No end is recorded: the holder died or froze."""
    DELIVERED = "delivered"
    REFUSED = "refused"
    RETRY_LATER = "retry_later"
    UNKNOWN = "unknown"
    NOT_EXECUTED = "not_executed"
    LEAD_CLOSED = "lead_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a delivery.

    Attributes:
        number: from 1, sends and look-ups counted together.
        finished_at: None while it runs or when its end is not known.
    """

    number: int
    kind: AttemptKind
    outcome: AttemptOutcome
    started_at: datetime
    finished_at: datetime | None
    error_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFate:
    """What became of a message after the vendor took it.

    Attributes:
        status: `sent`, `delivered`, `read` or `failed`.
        error_code: the vendor's own code of a failed one, for instance `131026`.
        at: when it became so.
    """

    status: str
    error_code: str | None
    at: datetime
