"""From Avito's words to ours: one message becomes one normalised event. Pure; odd bodies never raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from leadgate.intake.untrusted import TEXT_LIMIT, find_object, identifier_at, moment_at, text_at
from leadgate.integrations.avito.settings import find_account_id
from leadgate.integrations.avito.verify import find_message, message_key
from leadgate.model.connections import OpenConnection
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.webhooks import VerifiedWebhook

_KINDS = {
    "text": EventKind.TEXT,
    "link": EventKind.TEXT,  # the client typed an address, and Avito made it one
    "image": EventKind.MEDIA,
    "voice": EventKind.MEDIA,  # an id only; the sound needs a call of its own
    "video": EventKind.MEDIA,  # an empty object: Avito does not pass it on
    "file": EventKind.MEDIA,  # the same
    "location": EventKind.LOCATION,
    "deleted": EventKind.DELETED,
}
"""Avito's types and our kinds. An advert that is passed on (`item`) and calls (`call`, `appCall`) are `unsupported`."""

_WORDS = {"text": ("content", "text"), "link": ("content", "link", "text")}
"""Where the client's own words stand."""


def parse_message(webhook: VerifiedWebhook, connection: OpenConnection) -> NormalisedEvent:
    """The event of a webhook; what is unknown becomes `unsupported`."""
    value = find_message(webhook.body)
    if value is None:
        return NormalisedEvent(kind=EventKind.UNSUPPORTED, event_key=webhook.natural_key)
    event = _who_and_when(value, webhook)
    ours = find_account_id(connection)
    if ours is not None and event.account != ours:
        return _bare(event, EventKind.REJECTED, "other_account")
    type_ = text_at(value, "type") or ""
    if type_ == "system":
        return _bare(event, EventKind.IGNORED, "system_message")
    text = text_at(value, *_WORDS[type_], limit=TEXT_LIMIT) if type_ in _WORDS else None
    if event.sender_id is None:
        return event
    if event.sender_id == event.account:
        # The salon's own words come back, also those that an employee wrote at Avito: answering them would never end.
        return replace(event, kind=EventKind.ECHO, text=text)
    return replace(event, kind=_KINDS.get(type_, EventKind.UNSUPPORTED), text=text)


def _who_and_when(value: Mapping[str, object], webhook: VerifiedWebhook) -> NormalisedEvent:
    return NormalisedEvent(
        kind=EventKind.UNSUPPORTED,
        event_key=message_key(value) or webhook.natural_key,
        account=identifier_at(value, "user_id"),
        sender_id=identifier_at(value, "author_id"),
        chat_id=text_at(value, "chat_id"),
        message_id=text_at(value, "id"),
        occurred_at=moment_at(value, "created") or moment_at(find_object(webhook.body), "timestamp"),
    )


def _bare(event: NormalisedEvent, kind: EventKind, reason: str) -> NormalisedEvent:
    """Nobody's words: nothing of them is read, and nobody is answered."""
    return replace(event, kind=kind, reason=reason, chat_id=None)
