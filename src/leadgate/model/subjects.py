"""A person as staff see one: where they stand, why they are blocked, and what a correction says. Words of the law's rights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadgate.model.deliveries import DeliveryState

BLOCKED = "subject.blocked"
"""Why a delivery of a blocked person waits, and why an event of theirs was not worked on."""


class BlockReason(StrEnum):
    """Why a person is blocked; a closed list, so that the journal can name it."""

    REQUEST = "request"
    """They asked us to stop."""
    ACCURACY = "accuracy"
    """What we hold of them is disputed until it is corrected."""
    UNLAWFUL = "unlawful"
    """It is held without a ground, or that is being looked into."""
    ERASURE = "erasure"
    """It is to be destroyed, and until that can be done it only lies here."""
    OTHER = "other"


class CorrectionState(StrEnum):
    """What became of a correction on its way to the CRM."""

    WAITING = "waiting"
    DONE = "done"
    """The CRM took it."""
    REFUSED = "refused"
    """The CRM refused it; a dead letter waits for a human."""
    GONE = "gone"
    """The record is not in the CRM any more, or somebody gave the correction up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One correction that was sent to the CRM.

    Attributes:
        delivery_id: what brings it there.
        crm_ref: the record that it changes, for instance `lead:48211`; None while it is not in the CRM.
        done_at: when it was over.
    """

    delivery_id: str
    crm_ref: str | None
    state: CorrectionState
    created_at: datetime
    done_at: datetime | None
    error_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelOfPerson:
    """One chat of a person: `since` it exists or they were first heard there, `heard_at` they last wrote."""

    kind: str
    connection_id: str
    name: str
    heard_at: datetime | None
    is_reachable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectCard:
    """A person: who they are, where they write, how much we hold of them, and whether anything of it may go out.

    Attributes:
        subject_id: stands for the person.
        subject_ids: every id of ours that is this person.
        name, phone, email, username, channel_user_id: masked unless they were asked for openly; None when not known.
        identifiers: kinds of identifiers by which they are found, for instance `phone`, `sender:telegram`.
        counts: how many of what (`messages`, `events`, `leads`, `deliveries`, `waiting`, `consents`, `invitations`).
        since: when we first knew them.
        erased_at: when everything of them was erased; then nothing above is known any more.
    """

    subject_id: str
    subject_ids: Sequence[str]
    name: str | None
    phone: str | None
    email: str | None
    username: str | None
    channel_user_id: str | None
    identifiers: Sequence[str]
    channels: Sequence[ChannelOfPerson]
    counts: dict[str, int]
    since: datetime
    last_heard_at: datetime | None
    blocked_at: datetime | None
    block_reason: BlockReason | None
    erased_at: datetime | None
    corrections: Sequence[Correction]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewValues:
    """What is right. None: this stays as it is. Phone is E.164."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What a correction did.

    Attributes:
        fields: names of the fields that changed.
        orders: deliveries that tell the CRM; none when nothing of the person stands there.
    """

    subject_id: str
    fields: Sequence[str]
    orders: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A person is blocked.

    Attributes:
        waiting: deliveries that wait.
        in_hand: calls that had begun before and have not ended yet; 0 means that nothing goes out any more.
    """

    subject_id: str
    since: datetime
    waiting: int
    in_hand: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unblocked:
    """A person is not blocked any more.

    Attributes:
        resumed: deliveries that go on.
        too_late: messages whose time is over; they wait for a human, who writes anew.
        reopened: events that came meanwhile and are worked on now.
    """

    subject_id: str
    resumed: int
    too_late: int
    reopened: int


CORRECTION_STATES = {
    DeliveryState.DONE: CorrectionState.DONE,
    DeliveryState.DEAD: CorrectionState.REFUSED,
    DeliveryState.UNCERTAIN: CorrectionState.REFUSED,
    DeliveryState.DISCARDED: CorrectionState.GONE,
}
"""States of the delivery; every other one means that it waits."""
