"""The normalised event: one fact taken from a webhook (contract, section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadgate.model.leads import LeadRequest


class EventKind(StrEnum):
    """Kinds of normalised events; the values are the contract's words."""

    TEXT = "text"
    CONTACT = "contact"
    BUTTON = "button"
    MEDIA = "media"
    LOCATION = "location"
    FORM = "form"
    EDITED = "edited"
    DELETED = "deleted"
    REACTION = "reaction"
    STATUS = "status"
    BLOCKED = "blocked"
    ECHO = "echo"
    IGNORED = "ignored"
    UNSUPPORTED = "unsupported"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalisedEvent:
    """One fact in our words. Fields that do not apply are None.

    Attributes:
        kind: what it is.
        account: which of the salon's accounts at the vendor it came to (bot id, group id ...).
        sender_id: the vendor's id of the client.
        event_key: equal for a redelivery, different for different events.
        text: the client's own words, exactly; forwarded words of others are not the client's own.
        phone: E.164, of a shared contact or as the vendor gives it with every message; `phone_verified` says whether it may be
            taken as the sender's own.
        message_id: the vendor's id of the message.
        payload: of a button.
        status: of our own message (`sent delivered read failed`, then `message_id` is that message's) or of the person
            (`blocked unblocked opted_out opted_in number_changed`); `error_code` of a failed one.
        occurred_at: aware UTC time at the vendor.
        reason: of `ignored` and `rejected`.
    Attributes not printed by `parse`, for the dialogue:
        sender_name: display name as the vendor gives it. username: without "@". chat_id: where to answer.
        language: two letters as the vendor gives it. callback_id: what must be acknowledged after a button press.
        lead: the whole request when a bot builder sent one (kind `form`).
        is_unreachable: a failed status says that the person cannot be written to here.
        our_message_id: our own id of the message that a status speaks of, where the vendor brings it back.
    """

    kind: EventKind
    event_key: str
    account: str | None = None
    sender_id: str | None = None
    text: str | None = None
    phone: str | None = None
    phone_verified: bool | None = None
    message_id: str | None = None
    payload: str | None = None
    status: str | None = None
    error_code: str | None = None
    occurred_at: datetime | None = None
    reason: str | None = None
    sender_name: str | None = None
    username: str | None = None
    chat_id: str | None = None
    language: str | None = None
    callback_id: str | None = None
    lead: LeadRequest | None = None
    is_unreachable: bool = False
    our_message_id: str | None = None


PUBLIC_FIELDS = (
    "kind",
    "account",
    "sender_id",
    "event_key",
    "text",
    "phone",
    "phone_verified",
    "message_id",
    "payload",
    "status",
    "error_code",
    "occurred_at",
    "reason",
)
"""The fields that `parse` and `events show` print, in this order (contract, section 4)."""


class EventState(StrEnum):
    """What became of a received event. Every event ends in exactly one state but `received`."""

    RECEIVED = "received"
    """On disk, not worked on yet (or its connection is paused)."""
    LEAD = "lead"
    """Became a lead or an entry in one; its deliveries tell whether the CRM has it."""
    ANSWERED = "answered"
    """The bot answered; no lead came of it."""
    IGNORED = "ignored"
    """Nothing to do; `reason` says why."""
    FAILED = "failed"
    """We could not work on it; kept for a human, `reason` says why."""
