"""A body of Instagram taken apart: entries and everything in `messaging`, `standby` and `changes`. Pure.

`standby` holds the same events when another app leads the thread; `changes` is what the test button of the dashboard sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leadgate.intake.untrusted import find_object, identifier_at, object_at, text_at, value_at
from leadgate.model.connections import OpenConnection
from leadgate.model.webhooks import RawWebhook, VerifiedWebhook
from leadgate.wire.graph_keys import APP_SECRET
from leadgate.wire.graph_webhooks import Part, content_key, id_at, joined_key, objects_in, prove, take_apart

Content = Mapping[str, object]

MESSAGING, STANDBY, CHANGES = "messaging", "standby", "changes"
_LISTS = (MESSAGING, STANDBY, CHANGES)
_MESSAGING_FIELDS = frozenset(
    {"messages", "messaging_postbacks", "messaging_seen", "message_reactions", "messaging_referral"}
)

_DETAILS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("message", ()),
    ("message_edit", ("num_edit",)),
    ("postback", ("payload",)),
    ("reaction", ("action", "emoji")),
    ("read", ()),
    ("referral", ("ref",)),
)
"""Kinds of content, in the order of asking, and what of them belongs to the name of the event."""


@dataclass(frozen=True, slots=True)
class Item:
    """One event of a body.

    Attributes:
        kind: name of the list that it stands in.
        entry_id: the account that Meta says it came to; `0` from the test button.
        field: of a change.
        content: sender, recipient, timestamp and one of `_DETAILS`.
        raw: what stood in the list.
    """

    kind: str
    entry_id: str | None
    field: str
    content: Content
    raw: Content

    @property
    def name(self) -> str | None:
        """What the event is about: one of `_DETAILS`, or None."""
        return next((name for name, _fields in _DETAILS if object_at(self.content, name) is not None), None)

    @property
    def is_own(self) -> bool:
        """The salon wrote it: sender and recipient are swapped."""
        message = object_at(self.content, "message") or {}
        return message.get("is_echo") is True or message.get("is_self") is True

    @property
    def account(self) -> str | None:
        """The salon's account, as the event itself says; the entry's where it says none."""
        return id_at(self.content, "sender" if self.is_own else "recipient", "id") or self.entry_id

    @property
    def sender_id(self) -> str | None:
        """The client, named for this account alone."""
        return id_at(self.content, "recipient" if self.is_own else "sender", "id")

    @property
    def message_id(self) -> str | None:
        """Of the message that the event is or talks about."""
        name = self.name
        return None if name is None else id_at(self.content, name, "mid")

    @property
    def event_key(self) -> str:
        """Names the event. Deletions, edits, reactions and receipts have the id of the message that they talk about.

        A reaction may be given, taken back and given again, so its time belongs to its name; an old postback has no id at all.
        """
        name, message_id = self.name, self.message_id
        if name is None:
            return joined_key(self.entry_id, self.field, self.sender_id, content_key(self.content))
        if name == "message" and message_id is not None:
            return joined_key(message_id, "deleted") if self.is_deletion else joined_key(message_id)
        details = [_word(self.content, name, field) for field in dict(_DETAILS)[name]]
        if message_id is None or name == "reaction":
            details.append(_word(self.content, "timestamp"))
        return joined_key(message_id or self.sender_id, name, *details)

    @property
    def is_deletion(self) -> bool:
        """The message was unsent."""
        return value_at(self.content, "message", "is_deleted") is True


def verify_webhook(request: RawWebhook, connection: OpenConnection) -> VerifiedWebhook:
    """Prove a body and name its events. An app has a Facebook secret and an Instagram one: both may be live.

    Raises:
        WebhookRejectedError: 401, no signature fits.
    """
    prove(request, connection.secrets.get(APP_SECRET, ()))
    parts = [Part(item.event_key, _conversation_key(item), _minimal_body(item)) for item in items_of(request.body)]
    return take_apart(request.body, parts)


def items_of(body: bytes) -> list[Item]:
    """Every event of a body, in order; empty when there is none in it."""
    return [
        _item(kind, id_at(entry, "id"), raw)
        for entry in objects_in(value_at(find_object(body), "entry"))
        for kind in _LISTS
        for raw in objects_in(entry.get(kind))
    ]


def _item(kind: str, entry_id: str | None, raw: Content) -> Item:
    field = text_at(raw, "field") or ""
    is_messaging = kind != CHANGES or field in _MESSAGING_FIELDS
    content = raw if kind != CHANGES else object_at(raw, "value") or {}
    return Item(kind, entry_id, field, content if is_messaging else {"value": raw.get("value")}, raw)


def _word(content: Content, *path: str) -> str | None:
    return text_at(content, *path) or identifier_at(content, *path)


def _conversation_key(item: Item) -> str | None:
    return None if item.sender_id is None else joined_key(item.account, item.sender_id)


def _minimal_body(item: Item) -> dict[str, object]:
    return {"object": "instagram", "entry": [{"id": item.entry_id, item.kind: [item.raw]}]}
