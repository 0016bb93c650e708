"""A body of WhatsApp taken apart: entries, changes, and every message, status, preference and echo in them. Pure.

The four levels are all walked: a body may carry several of each, and of several of the salon's numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from leadgate.intake.untrusted import find_object, object_at, text_at, value_at
from leadgate.model.connections import OpenConnection
from leadgate.model.webhooks import RawWebhook, VerifiedWebhook
from leadgate.wire.graph_keys import APP_SECRET
from leadgate.wire.graph_webhooks import Part, content_key, id_at, joined_key, objects_in, prove, take_apart

Content = Mapping[str, object]

MESSAGE, STATUS, PREFERENCE, ECHO, OTHER = "messages", "statuses", "user_preferences", "message_echoes", ""
_LISTS = (MESSAGE, STATUS, PREFERENCE, ECHO)


@dataclass(frozen=True, slots=True)
class Item:
    """One event of a body with what belongs to it.

    Attributes:
        kind: name of the list that it stands in, or `OTHER` for a change without any.
        waba_id: of the entry. field: of the change. account: id of the salon's number.
        content: the message, status ..., or the whole value of a change that we do not know.
        contact: of this person, matched by id: Meta does not promise that the two lists run side by side.
    """

    kind: str
    waba_id: str | None
    field: str
    account: str | None
    content: Content
    contact: Content
    metadata: object

    @property
    def business_scoped_id(self) -> str | None:
        """The id of the person for this business, which stays when the phone is hidden."""
        return id_at(self.content, _USER_ID_NAMES.get(self.kind, "user_id")) or id_at(self.contact, "user_id")

    @property
    def wa_id(self) -> str | None:
        """The person's phone in digits; None for somebody who hides it behind a username."""
        return id_at(self.content, _WA_ID_NAMES.get(self.kind, "wa_id")) or id_at(self.contact, "wa_id")

    @property
    def sender_id(self) -> str | None:
        """The most stable id of the person."""
        return self.business_scoped_id or self.wa_id

    @property
    def event_key(self) -> str:
        """Names the event. A status has the id of our message, so it needs its word too."""
        message_id = id_at(self.content, "id")
        if self.kind in {MESSAGE, ECHO} and message_id is not None:
            return joined_key(message_id)
        if self.kind == STATUS and message_id is not None:
            return joined_key(message_id, text_at(self.content, "status"))
        return joined_key(self.field, self.waba_id, self.sender_id, content_key(self.content))


_USER_ID_NAMES = {MESSAGE: "from_user_id", STATUS: "recipient_user_id", ECHO: "to_user_id"}
_WA_ID_NAMES = {MESSAGE: "from", STATUS: "recipient_id", ECHO: "to"}


def verify_webhook(request: RawWebhook, connection: OpenConnection) -> VerifiedWebhook:
    """Prove a body and name its events.

    Raises:
        WebhookRejectedError: 401, no signature fits.
    """
    prove(request, connection.secrets.get(APP_SECRET, ()))
    parts = [Part(item.event_key, _conversation_key(item), _minimal_body(item)) for item in items_of(request.body)]
    return take_apart(request.body, parts)


def items_of(body: bytes) -> list[Item]:
    """Every event of a body, in order; empty when there is none in it."""
    return [
        item
        for entry in objects_in(value_at(find_object(body), "entry"))
        for change in objects_in(value_at(entry, "changes"))
        for item in _items_of_change(id_at(entry, "id"), change)
    ]


def _items_of_change(waba_id: str | None, change: Content) -> Iterator[Item]:
    field, value = text_at(change, "field") or "", object_at(change, "value") or {}
    metadata = object_at(value, "metadata")
    contacts = _Contacts(objects_in(value.get("contacts")))
    found = [(kind, content) for kind in _LISTS for content in objects_in(value.get(kind))] or [(OTHER, value)]
    for kind, content in found:
        yield Item(
            kind=kind,
            waba_id=waba_id,
            field=field,
            account=id_at(metadata, "phone_number_id"),
            content=content,
            contact={} if kind == OTHER else contacts.of(kind, content),
            metadata=metadata,
        )


class _Contacts:
    """Who is spoken of in a batch, by their ids: a mebibyte holds thousands of both, so nobody is looked for one by one."""

    def __init__(self, contacts: list[Content]) -> None:
        self._by_user_id = {id_at(contact, "user_id"): contact for contact in reversed(contacts)}
        self._by_wa_id = {id_at(contact, "wa_id"): contact for contact in reversed(contacts)}

    def of(self, kind: str, content: Content) -> Content:
        """The contact of an event, matched by id and never by position; empty when there is none."""
        user_id = id_at(content, _USER_ID_NAMES.get(kind, "user_id"))
        wa_id = id_at(content, _WA_ID_NAMES.get(kind, "wa_id"))
        found = None if user_id is None else self._by_user_id.get(user_id)
        return found or (None if wa_id is None else self._by_wa_id.get(wa_id)) or {}


def _conversation_key(item: Item) -> str | None:
    return None if item.sender_id is None else joined_key(item.account, item.sender_id)


def _minimal_body(item: Item) -> dict[str, object]:
    value: dict[str, object] = {"messaging_product": "whatsapp", "metadata": item.metadata or {}}
    if item.contact:
        value["contacts"] = [item.contact]
    value = dict(item.content) if item.kind == OTHER else value | {item.kind: [item.content]}
    changes = [{"field": item.field, "value": value}]
    return {"object": "whatsapp_business_account", "entry": [{"id": item.waba_id, "changes": changes}]}
