"""From the words of MAX to ours: one update becomes one normalised event. Pure; odd bodies never raise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from leadgate.intake.untrusted import (
    TEXT_LIMIT,
    find_object,
    identifier_at,
    integer_at,
    moment_at,
    object_at,
    text_at,
    value_at,
)
from leadgate.integrations.max.contact import find_phone, is_own
from leadgate.integrations.max.settings import BOT_TOKEN
from leadgate.integrations.max.verify import update_key
from leadgate.model.connections import OpenConnection
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.secret import Secret
from leadgate.model.webhooks import VerifiedWebhook

Content = Mapping[str, object]
_Reader = Callable[["_Update"], NormalisedEvent]

USER_PREFIX = "user:"
"""Marks the address of a person where MAX names no chat: a press under a message that is gone."""

START = "/start"

_ATTACHMENT_KINDS: tuple[tuple[str, EventKind], ...] = (
    ("contact", EventKind.CONTACT),
    ("location", EventKind.LOCATION),
    ("image", EventKind.MEDIA),
    ("video", EventKind.MEDIA),
    ("audio", EventKind.MEDIA),
    ("file", EventKind.MEDIA),
    ("sticker", EventKind.MEDIA),
)
"""What hangs on a message, in the order of asking. `share` is not here: MAX hangs it on texts with an address in them."""

_IGNORED_CHATS = {"chat": "group_chat", "channel": "channel_post"}
"""Chats that are not with one client, and the reason that is kept."""

_PAYLOAD_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class _Update:
    """One update, and what is true of it whatever it says."""

    body: Content
    blank: NormalisedEvent
    tokens: Sequence[Secret]


def parse_update(webhook: VerifiedWebhook, connection: OpenConnection) -> NormalisedEvent:
    """The normalised event of an update; what is unknown becomes `unsupported`."""
    body = find_object(webhook.body) or {}
    blank = NormalisedEvent(
        kind=EventKind.UNSUPPORTED,
        event_key=update_key(body) or webhook.natural_key,
        occurred_at=_moment(body),
        language=(text_at(body, "user_locale") or "")[:2].lower() or None,
    )
    read = _UPDATE_KINDS.get(text_at(body, "update_type") or "")
    return blank if read is None else read(_Update(body, blank, connection.secrets.get(BOT_TOKEN, ())))


def _created(update: _Update) -> NormalisedEvent:
    """A message; without one it is what MAX sends for a voice message, and nobody can be answered."""
    message = object_at(update.body, "message")
    event = _of_message(message or {}, update)
    if message is None or event.kind is not EventKind.UNSUPPORTED or event.sender_id is None:
        return event
    text = text_at(message, "body", "text", limit=TEXT_LIMIT)
    kind, attachment = _attachment(message)
    if kind is EventKind.CONTACT:
        return _contact(object_at(attachment, "payload") or {}, replace(event, kind=kind), update.tokens)
    if kind is None and (text is not None or text_at(message, "link", "type") == "forward"):
        # Forwarded words stand in `link`, so the text is always the client's own.
        kind = EventKind.TEXT
    return event if kind is None else replace(event, kind=kind, text=text)


def _edited(update: _Update) -> NormalisedEvent:
    message = object_at(update.body, "message") or {}
    event = _of_message(message, update)
    if event.kind is not EventKind.UNSUPPORTED or event.sender_id is None:
        return event
    text = text_at(message, "body", "text", limit=TEXT_LIMIT)
    return replace(event, kind=EventKind.EDITED, text=text, occurred_at=update.blank.occurred_at)


def _removed(update: _Update) -> NormalisedEvent:
    event = replace(
        update.blank,
        sender_id=identifier_at(update.body, "user_id"),
        chat_id=identifier_at(update.body, "chat_id"),
        message_id=text_at(update.body, "message_id"),
    )
    if (integer_at(update.body, "chat_id") or 0) < 0:  # group chats have negative ids
        return _ignored(event, "group_chat")
    return event if event.message_id is None else replace(event, kind=EventKind.DELETED)


def _pressed(update: _Update) -> NormalisedEvent:
    """The person is in `callback`; the message under the button is the bot's own, and may be gone."""
    event = replace(
        _with_person(object_at(update.body, "callback", "user") or {}, update.blank),
        account=identifier_at(update.body, "message", "sender", "user_id"),
        message_id=text_at(update.body, "message", "body", "mid"),
        occurred_at=_moment(value_at(update.body, "callback")) or update.blank.occurred_at,
    )
    reason = _IGNORED_CHATS.get(text_at(update.body, "message", "recipient", "chat_type") or "")
    if reason is not None:
        return _ignored(event, reason)
    if event.sender_id is None:
        return event
    return replace(
        event,
        kind=EventKind.BUTTON,
        chat_id=identifier_at(update.body, "message", "recipient", "chat_id") or USER_PREFIX + event.sender_id,
        payload=text_at(update.body, "callback", "payload", limit=_PAYLOAD_LIMIT),
        callback_id=text_at(update.body, "callback", "callback_id"),
    )


def _started(update: _Update) -> NormalisedEvent:
    """The client opened the dialogue, perhaps by a link of the salon with a payload."""
    payload = text_at(update.body, "payload", limit=_PAYLOAD_LIMIT) or START
    event = _of_standing(update)
    return event if event.sender_id is None else replace(event, kind=EventKind.BUTTON, payload=payload)


def _stopped(update: _Update) -> NormalisedEvent:
    """Stopped, or the dialogue removed, which stops the bot too: nothing can be sent until the client comes back."""
    event = _of_standing(update)
    return event if event.sender_id is None else replace(event, kind=EventKind.BLOCKED, status="blocked")


def _chatter(reason: str) -> _Reader:
    """The reader of updates that nobody needs."""

    def read(update: _Update) -> NormalisedEvent:
        return _ignored(_of_standing(update), reason)

    return read


_UPDATE_KINDS: dict[str, _Reader] = {
    "message_created": _created,
    "message_edited": _edited,
    "message_removed": _removed,
    "message_callback": _pressed,
    "bot_started": _started,
    "bot_stopped": _stopped,
    "dialog_removed": _stopped,
    "dialog_cleared": _chatter("dialog_cleared"),
    "dialog_muted": _chatter("dialog_muted"),
    "dialog_unmuted": _chatter("dialog_unmuted"),
    "bot_added": _chatter("group_chat"),
    "bot_removed": _chatter("group_chat"),
    "user_added": _chatter("group_chat"),
    "user_removed": _chatter("group_chat"),
    "chat_title_changed": _chatter("group_chat"),
    "message_chat_created": _chatter("group_chat"),
}
"""Kinds of updates that we read; all others are `unsupported`."""


def _of_message(message: Content, update: _Update) -> NormalisedEvent:
    """Who, where and when; already `ignored` or `echo` when it is no client's private word."""
    sender = object_at(message, "sender") or {}
    event = replace(
        _with_person(sender, update.blank),
        account=identifier_at(message, "recipient", "user_id"),
        chat_id=identifier_at(message, "recipient", "chat_id"),
        message_id=text_at(message, "body", "mid"),
        occurred_at=_moment(message) or update.blank.occurred_at,
    )
    reason = _IGNORED_CHATS.get(text_at(message, "recipient", "chat_type") or "")
    if reason is not None:
        return _ignored(event, reason)
    if sender.get("is_bot") is True:
        # In a dialogue the only bot is ours; the client is the other side.
        turned = replace(event, sender_id=event.account, account=event.sender_id, sender_name=None, username=None)
        return replace(turned, kind=EventKind.ECHO)
    return event


def _attachment(message: Content) -> tuple[EventKind | None, Content | None]:
    found = {text_at(item, "type"): item for item in reversed(list(_attachments(message)))}
    return next(((kind, found[name]) for name, kind in _ATTACHMENT_KINDS if name in found), (None, None))


def _attachments(message: Content) -> Iterator[Content]:
    items = value_at(message, "body", "attachments")
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict):
            yield item


def _contact(contact: Content, event: NormalisedEvent, tokens: Sequence[Secret]) -> NormalisedEvent:
    phone = find_phone(contact)
    is_verified = None if phone is None else is_own(contact, event.sender_id, tokens)
    return replace(event, phone=phone, phone_verified=is_verified)


def _of_standing(update: _Update) -> NormalisedEvent:
    event = _with_person(object_at(update.body, "user") or {}, update.blank)
    return replace(event, chat_id=identifier_at(update.body, "chat_id"))


def _with_person(person: Content, event: NormalisedEvent) -> NormalisedEvent:
    names = (text_at(person, "first_name"), text_at(person, "last_name"))
    return replace(
        event,
        sender_id=identifier_at(person, "user_id"),
        sender_name=" ".join(part for part in names if part) or text_at(person, "name"),
        username=text_at(person, "username"),
    )


def _ignored(event: NormalisedEvent, reason: str) -> NormalisedEvent:
    """Nothing of it is kept but who, when and why."""
    return replace(
        event,
        kind=EventKind.IGNORED,
        reason=reason,
        chat_id=None,
        sender_name=None,
        username=None,
        language=None,
    )


def _moment(content: object) -> datetime | None:
    """The `timestamp`, which MAX counts in milliseconds."""
    milliseconds = integer_at(content, "timestamp")
    return None if milliseconds is None else moment_at({"at": milliseconds // 1000}, "at")
