"""From WhatsApp's words to ours: every event of a body, normalised. Pure; odd bodies never raise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from leadgate.intake.phones import find_e164
from leadgate.intake.untrusted import TEXT_LIMIT, identifier_at, object_at, text_at
from leadgate.integrations.whatsapp.addresses import chat_of
from leadgate.integrations.whatsapp.errors import is_unreachable
from leadgate.integrations.whatsapp.messages import CALLBACK_DATA
from leadgate.integrations.whatsapp.settings import WABA_ID, numbers
from leadgate.integrations.whatsapp.verify import ECHO, MESSAGE, PREFERENCE, STATUS, Content, Item, items_of
from leadgate.model.connections import OpenConnection
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.webhooks import VerifiedWebhook
from leadgate.wire.graph_webhooks import find_moment, id_at, objects_in

_Reader = Callable[[Item, NormalisedEvent], NormalisedEvent]

_MEDIA = ("image", "video", "document", "audio", "voice", "sticker")

_STATUSES = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",  # a voice message was listened to
    "failed": "failed",
}
"""What became of our message. Meta's other words (`deleted`, `warning`) say nothing that we act on."""

_PREFERENCES = {"stop": "opted_out", "resume": "opted_in"}
_MARKETING = "marketing_messages"
_CONTACT_REQUEST = "contact_request"


def parse_webhook(webhook: VerifiedWebhook, connection: OpenConnection) -> list[NormalisedEvent]:
    """Every event of a body, in order; a body without any is one `unsupported`."""
    events = [_parse_item(item, connection) for item in items_of(webhook.body)]
    return events or [NormalisedEvent(kind=EventKind.UNSUPPORTED, event_key=webhook.natural_key)]


def _parse_item(item: Item, connection: OpenConnection) -> NormalisedEvent:
    if _is_of_others(item, connection):
        return NormalisedEvent(
            kind=EventKind.REJECTED,
            reason="other_account",
            event_key=item.event_key,
            account=item.account,
            occurred_at=find_moment(item.content.get("timestamp")),
        )
    blank = NormalisedEvent(
        kind=EventKind.UNSUPPORTED,
        event_key=item.event_key,
        account=item.account,
        sender_id=item.sender_id,
        sender_name=text_at(item.contact, "profile", "name"),
        username=text_at(item.contact, "profile", "username"),
        chat_id=chat_of(item.account, item.wa_id or item.business_scoped_id),
        message_id=id_at(item.content, "id"),
        occurred_at=find_moment(item.content.get("timestamp")),
    )
    return _READERS.get(item.kind, _other)(item, blank)


def _is_of_others(item: Item, connection: OpenConnection) -> bool:
    """One app serves many businesses: what is not of this connection's numbers is never worked on."""
    ours, waba_id = numbers(connection), connection.settings.get(WABA_ID)
    if item.account is not None and ours:
        return item.account not in ours
    return bool(waba_id) and item.waba_id is not None and item.waba_id != waba_id


def _message(item: Item, blank: NormalisedEvent) -> NormalisedEvent:
    if id_at(item.content, "group_id") is not None:
        return replace(_closed(blank), kind=EventKind.IGNORED, reason="group_chat")
    if blank.sender_id is None:
        return blank
    # Meta names the phone with every message and vouches for it: it is the account that wrote.
    phone = find_e164("+" + item.wa_id) if item.wa_id else None
    event = replace(blank, phone=phone, phone_verified=True if phone else None)
    read = _TYPES.get(text_at(item.content, "type") or "")
    return event if read is None else read(item, event)


def _text(item: Item, event: NormalisedEvent) -> NormalisedEvent:
    text = text_at(item.content, "text", "body", limit=TEXT_LIMIT)
    return event if text is None else replace(event, kind=EventKind.TEXT, text=text)


def _media(item: Item, event: NormalisedEvent) -> NormalisedEvent:
    kind = str(item.content.get("type"))
    return replace(event, kind=EventKind.MEDIA, text=text_at(item.content, kind, "caption", limit=TEXT_LIMIT))


def _location(item: Item, event: NormalisedEvent) -> NormalisedEvent:
    return event if object_at(item.content, "location") is None else replace(event, kind=EventKind.LOCATION)


def _pressed(item: Item, event: NormalisedEvent) -> NormalisedEvent:
    """A reply button or a row of a list; other answers (a flow's form) are kept raw."""
    for name in ("button_reply", "list_reply"):
        payload = id_at(item.content, "interactive", name, "id")
        if payload is not None:
            return replace(
                event,
                kind=EventKind.BUTTON,
                payload=payload,
                text=text_at(item.content, "interactive", name, "title", limit=TEXT_LIMIT),
            )
    return event


def _template_button(item: Item, event: NormalisedEvent) -> NormalisedEvent:
    text = text_at(item.content, "button", "text", limit=TEXT_LIMIT)
    payload = id_at(item.content, "button", "payload") or text
    return event if payload is None else replace(event, kind=EventKind.BUTTON, payload=payload, text=text)


def _contacts(item: Item, event: NormalisedEvent) -> NormalisedEvent:
    """A card of anybody. The sender's own only when we asked for it, or when the number is the one that writes."""
    cards = objects_in(item.content.get("contacts"))
    if not cards:
        return event
    numbers_given = [number for card in cards for number in objects_in(card.get("phones"))]
    found = [phone for number in numbers_given if (phone := _phone_of(number)) is not None]
    is_answer = _CONTACT_REQUEST in (text_at(cards[0], "origin"), text_at(item.content, "origin"))
    phone = found[0] if found else None
    is_own = is_answer or (phone is not None and phone == event.phone)
    return replace(event, kind=EventKind.CONTACT, phone=phone, phone_verified=None if phone is None else is_own)


def _phone_of(number: Content) -> str | None:
    wa_id = text_at(number, "wa_id")
    return find_e164("+" + wa_id if wa_id else text_at(number, "phone") or "")


def _reaction(item: Item, event: NormalisedEvent) -> NormalisedEvent:
    return replace(event, kind=EventKind.REACTION, message_id=id_at(item.content, "reaction", "message_id"))


def _edit(item: Item, event: NormalisedEvent) -> NormalisedEvent:
    """The new words, with the id of the message that they replace."""
    original, message = id_at(item.content, "edit", "original_message_id"), object_at(item.content, "edit", "message")
    if original is None or message is None:
        return event
    text = text_at(message, "text", "body", limit=TEXT_LIMIT)
    captions = (text_at(message, kind, "caption", limit=TEXT_LIMIT) for kind in _MEDIA)
    text = text or next((caption for caption in captions if caption), None)
    return replace(event, kind=EventKind.EDITED, message_id=original, text=text)


def _revoke(item: Item, event: NormalisedEvent) -> NormalisedEvent:
    original = id_at(item.content, "revoke", "original_message_id")
    return event if original is None else replace(event, kind=EventKind.DELETED, message_id=original)


def _system(item: Item, event: NormalisedEvent) -> NormalisedEvent:
    """A new number is told with the person's old id; the rest is chatter of the system."""
    kind = text_at(item.content, "system", "type")
    # Older versions of the API call the field `new_wa_id` and the event `customer_changed_number`.
    new = text_at(item.content, "system", "wa_id") or text_at(item.content, "system", "new_wa_id")
    phone = find_e164("+" + new) if new else None
    if kind not in {"user_changed_number", "customer_changed_number"} or phone is None:
        return replace(_closed(event), kind=EventKind.IGNORED, reason="system_message")
    return replace(event, kind=EventKind.STATUS, status="number_changed", phone=phone, phone_verified=True)


def _welcome(_item: Item, event: NormalisedEvent) -> NormalisedEvent:
    return replace(_closed(event), kind=EventKind.IGNORED, reason="chat_opened")


def _status(item: Item, blank: NormalisedEvent) -> NormalisedEvent:
    status = _STATUSES.get(text_at(item.content, "status") or "")
    if status is None or blank.message_id is None:
        return blank
    errors = objects_in(item.content.get("errors")) if status == "failed" else []
    code = identifier_at(errors[0], "code") if errors else None
    return replace(
        blank,
        kind=EventKind.STATUS,
        status=status,
        error_code=code,
        is_unreachable=code is not None and is_unreachable(code),
        our_message_id=id_at(item.content, CALLBACK_DATA),
    )


def _preference(item: Item, blank: NormalisedEvent) -> NormalisedEvent:
    status = _PREFERENCES.get(text_at(item.content, "value") or "")
    if status is None or text_at(item.content, "category") != _MARKETING:
        return blank
    return replace(blank, kind=EventKind.STATUS, status=status, message_id=None)


def _echo(_item: Item, blank: NormalisedEvent) -> NormalisedEvent:
    """What the salon wrote in the Business app on its own phone; answering it would be an endless loop."""
    return replace(blank, kind=EventKind.ECHO)


def _other(_item: Item, blank: NormalisedEvent) -> NormalisedEvent:
    return replace(blank, message_id=None, chat_id=None)


def _closed(event: NormalisedEvent) -> NormalisedEvent:
    """The event without what would let it be answered or learned from."""
    return replace(event, chat_id=None, phone=None, phone_verified=None)


_READERS: dict[str, _Reader] = {MESSAGE: _message, STATUS: _status, PREFERENCE: _preference, ECHO: _echo}

_TYPES: dict[str, _Reader] = {
    "text": _text,
    **dict.fromkeys(_MEDIA, _media),
    "location": _location,
    "interactive": _pressed,
    "button": _template_button,
    "contacts": _contacts,
    "reaction": _reaction,
    "edit": _edit,
    "revoke": _revoke,
    "system": _system,
    "request_welcome": _welcome,
}
"""Types of messages that we read; all others (`order`, `unsupported`, what is new) are `unsupported`."""
