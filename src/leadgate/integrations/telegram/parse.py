"""From Telegram's words to ours: one update becomes one normalised event. Pure; odd bodies never raise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from leadgate.intake.phones import find_e164
from leadgate.intake.untrusted import (
    TEXT_LIMIT,
    find_object,
    identifier_at,
    moment_at,
    object_at,
    text_at,
    value_at,
)
from leadgate.integrations.telegram.settings import find_bot_id
from leadgate.integrations.telegram.verify import update_key
from leadgate.model.connections import OpenConnection
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.webhooks import VerifiedWebhook

Content = Mapping[str, object]
_Reader = Callable[[Content, NormalisedEvent], NormalisedEvent]

_CONTENT_KINDS: tuple[tuple[str, EventKind], ...] = (
    ("contact", EventKind.CONTACT),
    ("venue", EventKind.LOCATION),
    ("location", EventKind.LOCATION),
    ("photo", EventKind.MEDIA),
    ("voice", EventKind.MEDIA),
    ("video", EventKind.MEDIA),
    ("video_note", EventKind.MEDIA),
    ("audio", EventKind.MEDIA),
    ("animation", EventKind.MEDIA),
    ("document", EventKind.MEDIA),
    ("sticker", EventKind.MEDIA),
    ("text", EventKind.TEXT),
)
"""What a message holds, in the order of asking: a venue also has a location, an animation also a document."""

_IGNORED_CHATS = {"group": "group_chat", "supergroup": "group_chat", "channel": "channel_post"}
"""Chats that are not with one client, and the reason that is kept."""

_MEMBERSHIP = {
    "kicked": (EventKind.BLOCKED, "blocked"),
    "member": (EventKind.STATUS, "unblocked"),
}
"""What became of the bot in a private chat: the client blocked it, or let it in again."""


def parse_update(webhook: VerifiedWebhook, connection: OpenConnection) -> NormalisedEvent:
    """The normalised event of an update; what is unknown becomes `unsupported`."""
    update = find_object(webhook.body) or {}
    blank = NormalisedEvent(
        kind=EventKind.UNSUPPORTED,
        event_key=update_key(update) or webhook.natural_key,
        account=find_bot_id(connection),
    )
    for name, read in _UPDATE_KINDS.items():
        content = object_at(update, name)
        if content is not None:
            return read(content, blank)
    return blank


def _message(message: Content, blank: NormalisedEvent) -> NormalisedEvent:
    event = _from_person(message, blank)
    kind = _content_kind(message)
    if kind is None or event.sender_id is None:
        return event
    if kind is EventKind.CONTACT:
        return _contact(message, replace(event, kind=kind))
    text = _own_words(message)
    return replace(event, kind=kind, text=text, payload=_deep_link(text))


def _edited(message: Content, blank: NormalisedEvent) -> NormalisedEvent:
    event = replace(_from_person(message, blank), occurred_at=moment_at(message, "edit_date"))
    if event.sender_id is None:
        return event
    return replace(event, kind=EventKind.EDITED, text=_own_words(message))


def _callback(callback: Content, blank: NormalisedEvent) -> NormalisedEvent:
    event = _with_sender(callback, "from", blank)
    payload = text_at(callback, "data")
    # The message under the button may be gone ("inaccessible", date 0); its date is not that of the press.
    chat_id = identifier_at(callback, "message", "chat", "id")
    event = replace(event, chat_id=chat_id, message_id=identifier_at(callback, "message", "message_id"))
    if payload is None or event.sender_id is None:
        return event
    callback_id = text_at(callback, "id")
    return replace(event, kind=EventKind.BUTTON, payload=payload, callback_id=callback_id)


def _reaction(reaction: Content, blank: NormalisedEvent) -> NormalisedEvent:
    event = replace(_with_sender(reaction, "user", blank), occurred_at=moment_at(reaction, "date"))
    event = replace(
        event, chat_id=identifier_at(reaction, "chat", "id"), message_id=identifier_at(reaction, "message_id")
    )
    return event if event.sender_id is None else replace(event, kind=EventKind.REACTION)


def _membership(change: Content, blank: NormalisedEvent) -> NormalisedEvent:
    event = replace(_from_person(change, blank), message_id=None)
    known = _MEMBERSHIP.get(text_at(change, "new_chat_member", "status") or "")
    if known is None or event.sender_id is None:
        return event
    kind, status = known
    return replace(event, kind=kind, status=status)


def _channel_post(post: Content, blank: NormalisedEvent) -> NormalisedEvent:
    message_id = identifier_at(post, "message_id")
    return replace(
        blank,
        kind=EventKind.IGNORED,
        reason="channel_post",
        message_id=message_id,
        occurred_at=moment_at(post, "date"),
    )


def _in_private(read: _Reader, *chat_path: str) -> _Reader:
    """The reader for private chats alone: groups and channels are ignored before a word of them is read."""

    def read_private(content: Content, blank: NormalisedEvent) -> NormalisedEvent:
        chat_type = text_at(content, *chat_path, "type")
        reason = _IGNORED_CHATS.get(chat_type or "")
        event = read(content, blank)
        if value_at(content, "from", "is_bot") is True:
            reason = reason or "sender_is_bot"
        if reason is None:
            return event
        return replace(
            blank,
            kind=EventKind.IGNORED,
            reason=reason,
            sender_id=event.sender_id,
            message_id=event.message_id,
            occurred_at=event.occurred_at,
        )

    return read_private


_UPDATE_KINDS: dict[str, _Reader] = {
    "message": _in_private(_message, "chat"),
    "edited_message": _in_private(_edited, "chat"),
    "callback_query": _in_private(_callback, "message", "chat"),
    "message_reaction": _in_private(_reaction, "chat"),
    "my_chat_member": _in_private(_membership, "chat"),
    "channel_post": _channel_post,
    "edited_channel_post": _channel_post,
}
"""Kinds of updates that we read; all others are `unsupported`."""


def _content_kind(message: Content) -> EventKind | None:
    return next(
        (
            kind
            for name, kind in _CONTENT_KINDS
            if isinstance(value_at(message, name), str if name == "text" else dict | list)
        ),
        None,
    )


def _contact(message: Content, event: NormalisedEvent) -> NormalisedEvent:
    """Own only when Telegram says so: its server sets `contact.user_id`, whatever the app claims."""
    owner = identifier_at(message, "contact", "user_id")
    is_passed_on = any(name in message for name in ("forward_origin", "forward_date", "via_bot"))
    phone = find_e164(text_at(message, "contact", "phone_number") or "")
    is_own = owner is not None and owner == event.sender_id and not is_passed_on
    return replace(event, phone=phone, phone_verified=None if phone is None else is_own)


def _own_words(message: Content) -> str | None:
    """Text or caption; None when the words were written by somebody else and only passed on."""
    if "forward_origin" in message or "forward_date" in message:
        author = identifier_at(message, "forward_origin", "sender_user", "id")
        if author is None or author != identifier_at(message, "from", "id"):
            return None
    return text_at(message, "text", limit=TEXT_LIMIT) or text_at(message, "caption", limit=TEXT_LIMIT)


def _deep_link(text: str | None) -> str | None:
    """What stands behind `/start` when the client came by a link with a payload, else None."""
    command, _, payload = (text or "").partition(" ")
    return payload.strip() or None if command == "/start" else None


def _from_person(content: Content, blank: NormalisedEvent) -> NormalisedEvent:
    return replace(
        _with_sender(content, "from", blank),
        chat_id=identifier_at(content, "chat", "id"),
        message_id=identifier_at(content, "message_id"),
        occurred_at=moment_at(content, "date"),
    )


def _with_sender(content: Content, name: str, blank: NormalisedEvent) -> NormalisedEvent:
    names = (text_at(content, name, "first_name"), text_at(content, name, "last_name"))
    language = (text_at(content, name, "language_code") or "")[:2].lower()
    return replace(
        blank,
        sender_id=identifier_at(content, name, "id"),
        sender_name=" ".join(part for part in names if part) or None,
        username=text_at(content, name, "username"),
        language=language or None,
    )
