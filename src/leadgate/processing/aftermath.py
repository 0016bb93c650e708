"""What comes after words were said: statuses of ours, words changed or taken back, clients who leave or come back.

Nothing of it is answered.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from leadgate.crm.fates import STATUSES, Fates
from leadgate.crm.identity import Identities
from leadgate.crm.leads import Contact, House, Leads
from leadgate.model.events import EventKind, EventState, NormalisedEvent
from leadgate.model.leads import Person
from leadgate.ports.stores import StoredEvent, Transaction
from leadgate.processing.chats import Chat, Chats
from leadgate.processing.ending import Ending
from leadgate.processing.source import Source

KINDS = frozenset({EventKind.STATUS, EventKind.BLOCKED, EventKind.EDITED, EventKind.DELETED})
BLOCKED_CODE = "message.client_left"


class Aftermath:
    """Works on events of these `KINDS`."""

    def __init__(self, chats: Chats, fates: Fates, identities: Identities, leads: Leads) -> None:
        """Join these."""
        self._chats = chats
        self._fates = fates
        self._identities = identities
        self._leads = leads

    def take(
        self,
        tx: Transaction,
        event: StoredEvent,
        fact: NormalisedEvent,
        source: Source,
        *,
        contact: Contact,
        house: House,
        at: datetime,
    ) -> Ending:
        """Give such an event its end."""
        chat_id = fact.chat_id or fact.sender_id
        chat = None if chat_id is None else self._chats.find(tx, source.connection_id, chat_id)
        match fact.kind:
            case EventKind.BLOCKED:
                self._close(tx, chat, at=at)
            case EventKind.STATUS:
                self._note_status(tx, fact, source, chat, at=at)
            case EventKind.EDITED if chat is not None and fact.text:
                return self._edited(tx, event, fact, source, chat, contact=contact, house=house, at=at)
            case EventKind.DELETED if chat is not None:
                return self._deleted(tx, event, fact, source, chat, contact=contact, house=house, at=at)
            case _:
                pass
        return _nothing_to_do(fact, chat)

    @staticmethod
    def _close(tx: Transaction, chat: Chat | None, *, at: datetime) -> None:
        """Nothing more is sent until they write again; what still waits is given up."""
        if chat is not None:
            tx.conversations.set_unreachable(chat.stored.conversation_id, BLOCKED_CODE, at=at)
            tx.deliveries.give_up_lane(chat.lane, error_code=BLOCKED_CODE, at=at)

    def _note_status(
        self, tx: Transaction, fact: NormalisedEvent, source: Source, chat: Chat | None, *, at: datetime
    ) -> None:
        if fact.status in STATUSES and fact.message_id is not None:
            name = source.name_of_message(fact.chat_id, fact.message_id)
            self._fates.advance(tx, source.connection_id, name, str(fact.status), fact.error_code, at=at)
        elif fact.status == "number_changed" and fact.phone and fact.sender_id:
            person = Person(phone=fact.phone, channel_user_id=fact.sender_id)
            self._identities.recognise(tx, person, channel=source.integration.manifest.kind, at=at)
        elif chat is not None and fact.status in ("opted_out", "opted_in"):
            tx.conversations.set_opted_out(chat.stored.conversation_id, at=at if fact.status == "opted_out" else None)
        elif chat is not None and fact.status == "unblocked":
            tx.conversations.set_unreachable(chat.stored.conversation_id, None, at=at)

    def _edited(
        self,
        tx: Transaction,
        event: StoredEvent,
        fact: NormalisedEvent,
        source: Source,
        chat: Chat,
        *,
        contact: Contact,
        house: House,
        at: datetime,
    ) -> Ending:
        """A new statement that names itself as such: an edit never changes quietly what was agreed on."""
        if fact.message_id is not None:
            name = source.name_of_message(fact.chat_id, fact.message_id)
            self._fates.mark(tx, source.connection_id, name, "edited", at=at)
        words = house.texts.get("entry_edited", text=str(fact.text))
        chat.add_message(tx, event.event_id, outgoing=False, text=words, at=at)
        return self._told(tx, chat, words, contact=contact, house=house, at=at)

    def _deleted(
        self,
        tx: Transaction,
        event: StoredEvent,
        fact: NormalisedEvent,
        source: Source,
        chat: Chat,
        *,
        contact: Contact,
        house: House,
        at: datetime,
    ) -> Ending:
        """The words are gone here too, from the chat and from the event that brought them; the CRM is told that it was so."""
        _ = event
        gone = None
        if fact.message_id is not None:
            name = source.name_of_message(fact.chat_id, fact.message_id)
            gone = self._fates.mark(tx, source.connection_id, name, "deleted", at=at)
        if gone is None:
            return _nothing_to_do(fact, chat)
        chat.take_back(tx, gone)
        tx.events.forget_body(gone)
        return self._told(tx, chat, house.texts.get("entry_deleted"), contact=contact, house=house, at=at)

    def _told(self, tx: Transaction, chat: Chat, words: str, *, contact: Contact, house: House, at: datetime) -> Ending:
        """An entry in the lead that is open; no lead is made of it."""
        subject_id = self._identities.root(tx, chat.subject_id)
        if tx.leads.find_current(subject_id) is None:
            return Ending(state=EventState.IGNORED, reason="event.no_open_lead", subject_id=chat.subject_id)
        known = self._identities.learn(tx, subject_id, Person(), channel=contact.channel, at=at)
        lead_id = self._leads.record_words(tx, replace(known, news=Person()), words, contact, house, at=at)
        return Ending(state=EventState.LEAD, subject_id=chat.subject_id, lead_id=lead_id)


def _nothing_to_do(fact: NormalisedEvent, chat: Chat | None) -> Ending:
    subject_id = None if chat is None else chat.subject_id
    return Ending(state=EventState.IGNORED, reason=f"event.{fact.kind.value}", subject_id=subject_id)
