"""What the stores keep, as records: ciphertext and blind indexes where it is about a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from leadgate.model.deliveries import DeliveryKind, DeliveryState
from leadgate.model.events import EventState
from leadgate.model.leads import LeadRef, LeadState


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One salon."""

    workspace_id: str
    name: str
    locale: str
    time_zone: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedKey:
    """A data key as it lies on disk: sealed by the key encryption key."""

    scope: str
    wrapped_key: bytes
    wrapper_key_id: str


INBOX_PARTS = 16
"""Lanes of the inbox: events of one conversation share one, so they are worked on in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """A verified webhook on its way to disk.

    Attributes:
        natural_key: blind index of the connection and the vendor's key, 16 bytes.
        part: which of the lanes of the inbox works on it, 0 to `INBOX_PARTS` - 1; equal for a conversation.
        key_scope: which data key sealed the body.
    """

    event_id: str
    connection_id: str
    natural_key: bytes
    part: int
    received_at: datetime
    key_scope: str
    sealed_body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as it lies on disk."""

    seq: int
    event_id: str
    connection_id: str
    part: int
    state: EventState
    reason: str | None
    received_at: datetime
    key_scope: str
    sealed_body: bytes | None
    subject_id: str | None
    lead_id: str | None
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredConversation:
    """A conversation with one chat of one connection; its state and address are sealed under the subject's key.

    Attributes:
        chat_index: blind index of the vendor's id of the chat.
        sealed_address: where to write; None for a chat that was begun before addresses were kept.
        heard_at: when the client last wrote.
        unreachable_since: since when they cannot be written to (`unreachable_code` says why); None while they can.
        opted_out_at: when they asked for no more advertising; None while they did not.
    """

    conversation_id: str
    connection_id: str
    subject_id: str
    chat_index: bytes
    sealed_state: bytes
    sealed_address: bytes | None = None
    heard_at: datetime | None = None
    unreachable_since: datetime | None = None
    unreachable_code: str | None = None
    opted_out_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFate:
    """What became of a message.

    Attributes:
        message_id: ours; None while the vendor speaks of a message that we do not know (yet).
        delivery_id: of the delivery that brought it, when it is one of ours.
        status: `sent delivered read failed` of one of ours, `edited deleted` of the client's; None when nothing became of it.
        error_code: of a failed one.
    """

    message_id: str | None
    delivery_id: str | None
    status: str | None
    error_code: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """One message of a conversation, sealed under the subject's key."""

    number: int
    message_id: str
    subject_id: str
    outgoing: bool
    sealed_body: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLead:
    """A lead as we know it."""

    lead_id: str
    subject_id: str
    crm_connection_id: str | None
    origin_id: str
    state: LeadState
    ref: LeadRef | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDelivery:
    """A delivery as it lies on disk; the payload is sealed under the subject's key.

    Attributes:
        attempts: sends and look-ups so far, the number of the last one.
        failures: failed sends of this delivery's own fault since the last retry by a human.
    """

    delivery_id: str
    lane: str
    kind: DeliveryKind
    connection_id: str
    event_id: str | None
    lead_id: str | None
    subject_id: str
    state: DeliveryState
    due_at: datetime | None
    attempts: int
    failures: int
    sealed_payload: bytes
    created_at: datetime
    external_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on a lane until `until`; `fence` grows with every change of holder."""

    lane: str
    connection_id: str | None
    holder: str
    fence: int
    until: datetime
    failures: int
    problem: str | None
    problem_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSecret:
    """One version of a secret.

    Attributes:
        live_until: None means until further notice.
        made_by: who set or made it; None in rows older than this column.
        is_candidate: accepted already, and not yet used by ourselves: the vendor is being told of it.
        overlap_s: of a candidate: how long the version before stays good once this one is proven.
    """

    connection_id: str
    name: str
    version: int
    sealed_value: bytes
    created_at: datetime
    live_until: datetime | None
    made_by: str | None = None
    is_candidate: bool = False
    overlap_s: int | None = None
