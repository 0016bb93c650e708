"""What comes after words were said: statuses of ours, words changed or taken back, clients who leave or come back.

Nothing of it is answered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from leadgate.crm.fates import FAILED, STATUSES, Fates
from leadgate.crm.identity import Identities
from leadgate.crm.leads import Contact, House, Leads
from leadgate.model.events import EventKind, EventState, NormalisedEvent
from leadgate.model.leads import Person
from leadgate.ports.stores import StoredFate, Transaction
from leadgate.processing.asking import Answered, Asking
from leadgate.processing.chats import Chat, Chats
from leadgate.processing.ending import Ending
from leadgate.processing.reach import Reach
from leadgate.processing.source import Source

KINDS = frozenset({EventKind.STATUS, EventKind.BLOCKED, EventKind.EDITED, EventKind.DELETED})
CLIENT_LEFT = "message.client_left"
NUMBER_CHANGED = "message.number_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Where such an event comes from, and how the salon writes of it.

    Attributes:
        contact: its `event_id` is the event.
        chat: the conversation it is about; None when there is none.
    """

    source: Source
    contact: Contact
    house: House
    chat: Chat | None
    at: datetime


class Aftermath:
    """Works on events of these `KINDS`."""

    def __init__(
        self, chats: Chats, fates: Fates, identities: Identities, leads: Leads, reach: Reach, *, asking: Asking
    ) -> None:
        """Join these."""
        self._chats = chats
        self._fates = fates
        self._identities = identities
        self._leads = leads
        self._reach = reach
        self._asking = asking

    def take(
        self, tx: Transaction, fact: NormalisedEvent, source: Source, *, contact: Contact, house: House, at: datetime
    ) -> Ending:
        """Give such an event its end."""
        chat_id = fact.chat_id or fact.sender_id
        chat = None if chat_id is None else self._chats.find(tx, source.connection_id, chat_id)
        case = Circumstances(source=source, contact=contact, house=house, chat=chat, at=at)
        match fact.kind:
            case EventKind.STATUS:
                return self._note_status(tx, fact, case)
            case EventKind.BLOCKED if chat is not None:
                self._reach.close(tx, chat, CLIENT_LEFT, at=at)
            case EventKind.EDITED if chat is not None and fact.text:
                return self._edited(tx, fact, case, chat, words=fact.text)
            case EventKind.DELETED if fact.message_id is not None:
                return self._deleted(tx, fact, case, message_id=fact.message_id)
            case _:
                pass
        return _nothing_to_do(fact, chat)

    def _note_status(self, tx: Transaction, fact: NormalisedEvent, case: Circumstances) -> Ending:
        chat = case.chat
        if fact.status in STATUSES and fact.message_id is not None:
            self._advance(tx, fact, case, message_id=fact.message_id, status=fact.status)
        elif fact.status == "number_changed" and fact.phone and fact.sender_id:
            return self._number_changed(tx, fact, case, phone=fact.phone, sender_id=fact.sender_id)
        elif chat is not None and fact.status == "opted_out":
            self._opted_out(tx, fact, case, chat)
        elif chat is not None and fact.status == "opted_in":
            # The vendor would let us; whether we may is a matter of the person's own consent.
            tx.conversations.set_opted_out(chat.stored.conversation_id, at=None)
        elif chat is not None and fact.status == "unblocked":
            tx.conversations.set_unreachable(chat.stored.conversation_id, None, at=case.at)
        return _nothing_to_do(fact, chat)

    def _opted_out(self, tx: Transaction, fact: NormalisedEvent, case: Circumstances, chat: Chat) -> None:
        answered = Answered(
            subject_id=self._identities.root(tx, chat.subject_id),
            event_id=case.contact.event_id,
            channel=case.contact.channel,
            words=None,
            said_at=min(fact.occurred_at or case.at, case.at),
            at=case.at,
        )
        self._asking.note_opted_out(tx, answered)

    def _advance(
        self, tx: Transaction, fact: NormalisedEvent, case: Circumstances, *, message_id: str, status: str
    ) -> None:
        source = case.source
        name = source.name_of_message(fact.chat_id, message_id)
        ours = _our_id(tx, fact, case)
        news = self._fates.advance(tx, source.connection_id, name, status, fact.error_code, message_id=ours, at=case.at)
        if news is not None and news.delivery_id is None and ours is not None and case.chat is not None:
            news = self._settle_doubt(tx, news, case.chat.lane, ours, at=case.at)
        if news is None or news.status != FAILED or news.delivery_id is None:
            return
        self._reach.carry_on(tx, news.delivery_id, at=case.at)
        delivery = tx.deliveries.find(news.delivery_id)
        # Who has written since is there, whatever a late word of an older message says.
        if fact.is_unreachable and case.chat is not None and delivery is not None:
            heard_at = case.chat.stored.heard_at
            if heard_at is None or heard_at <= delivery.created_at:
                self._reach.close(tx, case.chat, CLIENT_LEFT, at=case.at)

    def _settle_doubt(
        self, tx: Transaction, fate: StoredFate, lane: str, message_id: str, *, at: datetime
    ) -> StoredFate:
        """Nobody knew whether the vendor had taken the message; it had, for it speaks of it."""
        delivery = self._reach.find_uncertain(tx, lane, message_id)
        if delivery is None:  # the call is still under way
            return fate
        tx.deliveries.confirm(delivery.delivery_id, at=at)
        self._fates.claim(tx, message_id, delivery.delivery_id)
        return replace(fate, delivery_id=delivery.delivery_id)

    def _number_changed(
        self, tx: Transaction, fact: NormalisedEvent, case: Circumstances, *, phone: str, sender_id: str
    ) -> Ending:
        """The chat of the old number is nobody's any more; the next words come from the new one, and from the same person."""
        person = Person(phone=phone, channel_user_id=sender_id)
        known = self._identities.recognise(tx, person, channel=case.source.integration.manifest.kind, at=case.at)
        if case.chat is not None:
            self._reach.close(tx, case.chat, NUMBER_CHANGED, at=case.at)
        if self._leads.find_current(tx, known.subject_id) is None:
            return _nothing_to_do(fact, case.chat)
        words = case.house.texts.get("entry_contact", phone=phone)
        lead_id = self._leads.record_words(tx, known, words, case.contact, case.house, at=case.at)
        return Ending(state=EventState.LEAD, subject_id=known.subject_id, lead_id=lead_id)

    def _edited(self, tx: Transaction, fact: NormalisedEvent, case: Circumstances, chat: Chat, *, words: str) -> Ending:
        """A new statement that names itself as such: an edit never changes quietly what was agreed on."""
        event_id, source = case.contact.event_id, case.source
        if fact.message_id is not None:
            name = source.name_of_message(fact.chat_id, fact.message_id)
            if not self._fates.note_edit(tx, source.connection_id, name, event_id, at=case.at):
                # It was deleted already: these words are gone as well.
                tx.events.forget_body(event_id)
                return _nothing_to_do(fact, None)
        entry = case.house.texts.get("entry_edited", text=words)
        chat.add_message(tx, event_id, outgoing=False, text=entry, at=case.at)
        return self._told(tx, fact, case, chat.subject_id, entry)

    def _deleted(self, tx: Transaction, fact: NormalisedEvent, case: Circumstances, *, message_id: str) -> Ending:
        """The words are gone here too, from the chat and from the events that brought them; the CRM is told that it was so."""
        source = case.source
        name = source.name_of_message(fact.chat_id, message_id)
        owner = None
        for ours in self._fates.take_back(tx, source.connection_id, name, at=case.at):
            owner = self._chats.take_back(tx, ours) or owner
            tx.events.forget_body(ours)
            self._leads.forget_words(tx, ours, case.house)
        if owner is None:
            return _nothing_to_do(fact, case.chat)
        return self._told(tx, fact, case, owner, case.house.texts.get("entry_deleted"))

    def _told(self, tx: Transaction, fact: NormalisedEvent, case: Circumstances, owner: str, entry: str) -> Ending:
        """An entry in the lead of the chat's owner that is open; no lead is made of it."""
        subject_id = self._identities.root(tx, owner)
        if self._leads.find_current(tx, subject_id) is None:
            return Ending(state=EventState.IGNORED, reason=f"event.{fact.kind.value}", subject_id=owner)
        known = self._identities.learn(tx, subject_id, Person(), channel=case.contact.channel, at=case.at)
        lead_id = self._leads.record_words(tx, known, entry, case.contact, case.house, at=case.at)
        return Ending(state=EventState.LEAD, subject_id=owner, lead_id=lead_id)


def _our_id(tx: Transaction, fact: NormalisedEvent, case: Circumstances) -> str | None:
    """Our id of the message as the vendor brought it back; other programs at the same account write there what they like."""
    if fact.our_message_id is None or case.chat is None:
        return None
    message = tx.conversations.find_message(fact.our_message_id)
    is_of_chat = message is not None and message.outgoing and message.subject_id == case.chat.subject_id
    return fact.our_message_id if is_of_chat else None


def _nothing_to_do(fact: NormalisedEvent, chat: Chat | None) -> Ending:
    subject_id = None if chat is None else chat.subject_id
    return Ending(state=EventState.IGNORED, reason=f"event.{fact.kind.value}", subject_id=subject_id)
