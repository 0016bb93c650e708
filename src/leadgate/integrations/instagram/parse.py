"""From Instagram's words to ours: every event of a body, normalised. Pure; odd bodies never raise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from leadgate.intake.phones import find_e164
from leadgate.intake.untrusted import TEXT_LIMIT, object_at, text_at, value_at
from leadgate.integrations.instagram.addresses import chat_of
from leadgate.integrations.instagram.settings import accounts
from leadgate.integrations.instagram.verify import Content, Item, items_of
from leadgate.model.connections import OpenConnection
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.webhooks import VerifiedWebhook
from leadgate.wire.graph_webhooks import find_moment, id_at, objects_in

_Reader = Callable[[Content, NormalisedEvent], NormalisedEvent]

_MEDIA = frozenset(
    {
        "image",
        "audio",
        "video",
        "file",
        "share",
        "ig_reel",
        "reel",
        "ig_post",
        "story_mention",
        "animated_image",
        "sticker",
    }
)
"""Kinds of attachments that a client sends to be seen or heard; their addresses expire, so they are not kept."""


def parse_webhook(webhook: VerifiedWebhook, connection: OpenConnection) -> list[NormalisedEvent]:
    """Every event of a body, in order; a body without any is one `unsupported`."""
    events = [_parse_item(item, connection) for item in items_of(webhook.body)]
    return events or [NormalisedEvent(kind=EventKind.UNSUPPORTED, event_key=webhook.natural_key)]


def _parse_item(item: Item, connection: OpenConnection) -> NormalisedEvent:
    ours, name, moment = accounts(connection), item.name, find_moment(item.content.get("timestamp"))
    if ours and item.account is not None and item.account not in ours:
        return NormalisedEvent(
            kind=EventKind.REJECTED,
            reason="other_account",
            event_key=item.event_key,
            account=item.account,
            occurred_at=moment,
        )
    blank = NormalisedEvent(
        kind=EventKind.UNSUPPORTED,
        event_key=item.event_key,
        account=item.account,
        sender_id=item.sender_id,
        chat_id=chat_of(item.account, item.sender_id),
        message_id=item.message_id,
        occurred_at=moment,
    )
    if item.is_own:
        return replace(blank, kind=EventKind.ECHO)
    content = None if name is None else object_at(item.content, name)
    if name is None or content is None or blank.sender_id is None:
        return blank
    return _READERS[name](content, blank)


def _message(message: Content, event: NormalisedEvent) -> NormalisedEvent:
    if message.get("is_deleted") is True:
        return replace(event, kind=EventKind.DELETED)
    if message.get("is_unsupported") is True:
        return event
    if object_at(message, "quick_reply") is not None:
        return _quick_reply(message, event)
    text = text_at(message, "text", limit=TEXT_LIMIT)
    kinds = {text_at(attachment, "type") for attachment in objects_in(message.get("attachments"))}
    if kinds & _MEDIA:
        return replace(event, kind=EventKind.MEDIA, text=text)
    if text is None:
        return event
    return replace(event, kind=EventKind.TEXT, text=text, payload=id_at(message, "referral", "ref"))


def _quick_reply(message: Content, event: NormalisedEvent) -> NormalisedEvent:
    """A pressed answer; the client's own number when the button was made of their profile.

    Our own answers never look like a number, so one that does is what Instagram itself put there.
    """
    title, payload = text_at(message, "text", limit=TEXT_LIMIT), id_at(message, "quick_reply", "payload")
    phone = find_e164(payload) if payload is not None and payload.startswith("+") else None
    if phone is not None:
        return replace(event, kind=EventKind.CONTACT, phone=phone, phone_verified=True)
    if payload is None and title is None:
        return event
    return replace(event, kind=EventKind.BUTTON, text=title, payload=payload or title)


def _postback(postback: Content, event: NormalisedEvent) -> NormalisedEvent:
    """An ice breaker or a button of a template."""
    title, payload = text_at(postback, "title", limit=TEXT_LIMIT), id_at(postback, "payload")
    if payload is None and title is None:
        return event
    return replace(event, kind=EventKind.BUTTON, text=title, payload=payload or title)


def _referral(referral: Content, event: NormalisedEvent) -> NormalisedEvent:
    """The client opened the chat by a link of ours and has not said anything yet."""
    return replace(event, kind=EventKind.BUTTON, payload=id_at(referral, "ref") or "/start", message_id=None)


def _edit(edit: Content, event: NormalisedEvent) -> NormalisedEvent:
    return replace(event, kind=EventKind.EDITED, text=text_at(edit, "text", limit=TEXT_LIMIT))


def _reaction(_reaction: Content, event: NormalisedEvent) -> NormalisedEvent:
    return replace(event, kind=EventKind.REACTION)


def _read(read: Content, event: NormalisedEvent) -> NormalisedEvent:
    return event if value_at(read, "mid") is None else replace(event, kind=EventKind.STATUS, status="read")


_READERS: dict[str, _Reader] = {
    "message": _message,
    "message_edit": _edit,
    "postback": _postback,
    "reaction": _reaction,
    "read": _read,
    "referral": _referral,
}
"""What an event may be about; all else is `unsupported`."""
