"""From VK's words to ours: one body becomes one normalised event. Pure; odd bodies never raise."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import cast

from leadgate.intake.untrusted import (
    TEXT_LIMIT,
    clean_text,
    decode_json,
    find_object,
    identifier_at,
    integer_at,
    moment_at,
    object_at,
    text_at,
    value_at,
)
from leadgate.integrations.vk.settings import find_group_id
from leadgate.integrations.vk.verify import event_key, is_other_group
from leadgate.model.connections import OpenConnection
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.webhooks import VerifiedWebhook

Content = Mapping[str, object]
_Reader = Callable[[Content, NormalisedEvent], NormalisedEvent]

FIRST_GROUP_CHAT = 2_000_000_000
"""Dialogues from this number on are conversations of several people."""

_LANGUAGES = {0: "ru", 3: "en"}
"""`client_info.lang_id` of the languages that we speak."""

_MEDIA = frozenset(
    {
        "photo",
        "video",
        "audio",
        "audio_message",
        "video_message",
        "doc",
        "sticker",
        "ugc_sticker",
        "graffiti",
        "story",
        "wall",
        "wall_reply",
        "market",
        "market_album",
        "gift",
        "poll",
        "podcast",
    }
)
"""Attachments that are something to look at or to hear. `link` is not: VK hangs it on every text with an address in it."""

_CHATTER = {
    "confirmation": "confirmation",
    "message_typing_state": "typing",
    "group_join": "joined",
    "group_leave": "left",
}
"""What nobody needs, and the reason that is kept."""

_PAYLOAD_LIMIT = 1024


def parse_event(webhook: VerifiedWebhook, connection: OpenConnection) -> NormalisedEvent:
    """The normalised event of a body; what is unknown becomes `unsupported`, what is another community's `rejected`."""
    body = find_object(webhook.body) or {}
    blank = NormalisedEvent(
        kind=EventKind.UNSUPPORTED,
        event_key=event_key(body) or webhook.natural_key,
        account=identifier_at(body, "group_id") or find_group_id(connection),
    )
    if is_other_group(body, connection):
        return replace(blank, kind=EventKind.REJECTED, reason="other_account")
    kind = text_at(body, "type") or ""
    if kind in _CHATTER:
        return replace(blank, kind=EventKind.IGNORED, reason=_CHATTER[kind])
    content, read = object_at(body, "object"), _EVENT_KINDS.get(kind)
    return blank if content is None or read is None else read(content, blank)


def _new(content: Content, blank: NormalisedEvent) -> NormalisedEvent:
    """Since API 5.103 the message stands beside `client_info`; before it was the object itself."""
    message = object_at(content, "message") or content
    language = _LANGUAGES.get(integer_at(content, "client_info", "lang_id") or 0)
    event = _of_message(message, replace(blank, language=language if "client_info" in content else None))
    if event.kind is not EventKind.UNSUPPORTED or event.sender_id is None:
        return event
    return _with_content(message, event)


def _edited(message: Content, blank: NormalisedEvent) -> NormalisedEvent:
    event = _of_message(message, blank)
    if event.kind is not EventKind.UNSUPPORTED or event.sender_id is None:
        return event
    occurred_at = moment_at(message, "update_time") or event.occurred_at
    return replace(event, kind=EventKind.EDITED, text=_own_words(message), occurred_at=occurred_at)


def _reply(message: Content, blank: NormalisedEvent) -> NormalisedEvent:
    """What the community said itself, by us or by a manager by hand; the client is the other side."""
    peer_id = identifier_at(message, "peer_id")
    return replace(
        blank,
        kind=EventKind.ECHO,
        sender_id=peer_id,
        chat_id=peer_id,
        message_id=identifier_at(message, "id"),
        occurred_at=moment_at(message, "date"),
    )


def _pressed(press: Content, blank: NormalisedEvent) -> NormalisedEvent:
    """A callback button: its payload is an object, and the inner `event_id` is what the acknowledgement names."""
    event = replace(
        _of_person(press, "user_id", blank),
        chat_id=identifier_at(press, "peer_id"),
        message_id=identifier_at(press, "conversation_message_id"),
    )
    if _is_group_chat(press):
        return _ignored(event, "group_chat")
    if event.sender_id is None:
        return event
    payload = _payload_text(press.get("payload"))
    return replace(event, kind=EventKind.BUTTON, payload=payload, callback_id=text_at(press, "event_id"))


def _allowed(content: Content, blank: NormalisedEvent) -> NormalisedEvent:
    return _permission(content, blank, EventKind.STATUS, "unblocked")


def _denied(content: Content, blank: NormalisedEvent) -> NormalisedEvent:
    return _permission(content, blank, EventKind.BLOCKED, "blocked")


def _read(content: Content, blank: NormalisedEvent) -> NormalisedEvent:
    """The client has read everything up to this message of ours."""
    event = replace(_of_person(content, "from_id", blank), message_id=identifier_at(content, "read_message_id"))
    if _is_group_chat(content):
        return _ignored(event, "group_chat")
    return event if event.sender_id is None else replace(event, kind=EventKind.STATUS, status="read")


def _reaction(content: Content, blank: NormalisedEvent) -> NormalisedEvent:
    event = replace(_of_person(content, "reacted_id", blank), message_id=identifier_at(content, "cmid"))
    if _is_group_chat(content):
        return _ignored(event, "group_chat")
    return event if event.sender_id is None else replace(event, kind=EventKind.REACTION)


_EVENT_KINDS: dict[str, _Reader] = {
    "message_new": _new,
    "message_edit": _edited,
    "message_reply": _reply,
    "message_event": _pressed,
    "message_allow": _allowed,
    "message_deny": _denied,
    "message_read": _read,
    "message_reaction_event": _reaction,
}
"""Kinds of events that we read; all others but `_CHATTER` are `unsupported`."""


def _of_message(message: Content, blank: NormalisedEvent) -> NormalisedEvent:
    """Who, where and when; already `ignored` or `echo` when it is no client's private word."""
    event = replace(
        _of_person(message, "from_id", blank),
        chat_id=identifier_at(message, "peer_id") or identifier_at(message, "from_id"),
        message_id=identifier_at(message, "id"),
        occurred_at=moment_at(message, "date"),
    )
    if _is_group_chat(message):
        return _ignored(event, "group_chat")
    if value_at(message, "out") == 1 or event.sender_id == f"-{event.account}":
        return _reply(message, blank)
    return _ignored(event, "sender_is_bot") if (integer_at(message, "from_id") or 0) < 0 else event


def _with_content(message: Content, event: NormalisedEvent) -> NormalisedEvent:
    """What the message holds: a press before all, because its label stands in the text."""
    text = _own_words(message)
    payload = _button_payload(message.get("payload"))
    if payload is not None:
        mark = text_at(message, "ref") if payload == _START_BUTTON else None
        return replace(event, kind=EventKind.BUTTON, text=text, payload=mark or payload)
    attached = _attachment_types(message)
    if object_at(message, "geo") is not None:
        return replace(event, kind=EventKind.LOCATION, text=text)
    if attached & _MEDIA:
        return replace(event, kind=EventKind.MEDIA, text=text)
    if text is None and not message.get("fwd_messages"):
        return event
    # Who came by a link of the salon has its mark in `ref`.
    return replace(event, kind=EventKind.TEXT, text=text, payload=text_at(message, "ref"))


_START_BUTTON = '{"command":"start"}'
"""VK's own button of an empty dialogue; the mark of a link that led there stands beside it."""


def _own_words(message: Content) -> str | None:
    """The text; forwarded messages stand apart from it, so it is always the client's own."""
    return text_at(message, "text", limit=TEXT_LIMIT)


def _attachment_types(message: Content) -> frozenset[str]:
    found = message.get("attachments")
    items = cast("list[object]", found) if isinstance(found, list) else []
    return frozenset(kind for kind in (text_at(item, "type") for item in items) if kind is not None)


def _button_payload(value: object) -> str | None:
    """A text button carries JSON as a string; what is broken is no button's, so the words are taken as they stand."""
    if not isinstance(value, str):
        return _payload_text(value)
    try:
        decode_json(value.encode("utf-8", "surrogatepass"))
    except ValueError:
        return None
    return clean_text(value, limit=_PAYLOAD_LIMIT)


def _payload_text(value: object) -> str | None:
    """A payload as text: as VK would write it, without spaces."""
    if value is None or isinstance(value, str):
        return clean_text(value, limit=_PAYLOAD_LIMIT) if value else None
    try:
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return None
    return clean_text(written, limit=_PAYLOAD_LIMIT)


def _permission(content: Content, blank: NormalisedEvent, kind: EventKind, status: str) -> NormalisedEvent:
    event = _of_person(content, "user_id", blank)
    return event if event.sender_id is None else replace(event, kind=kind, status=status)


def _of_person(content: Content, name: str, blank: NormalisedEvent) -> NormalisedEvent:
    person = identifier_at(content, name)
    return replace(blank, sender_id=person, chat_id=identifier_at(content, "peer_id") or person)


def _is_group_chat(content: Content) -> bool:
    return (integer_at(content, "peer_id") or 0) >= FIRST_GROUP_CHAT


def _ignored(event: NormalisedEvent, reason: str) -> NormalisedEvent:
    """Nothing of it is kept but who, when and why."""
    return replace(event, kind=EventKind.IGNORED, reason=reason, chat_id=None, language=None)
