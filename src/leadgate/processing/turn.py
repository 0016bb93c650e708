"""One event, one transaction: read it, answer the client, record the request, enqueue what follows, give the event its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from leadgate.catalogue.texts import Texts, load_texts
from leadgate.crm.fates import Fates
from leadgate.crm.identity import Identities, Known
from leadgate.crm.invitations import Invitations
from leadgate.crm.leads import Contact, House, Leads
from leadgate.delivery.payloads import Outbox
from leadgate.dialogue.script import DialogueState, Reply, Step, take_turn
from leadgate.dialogue.script import Turn as ScriptTurn
from leadgate.model.events import EventKind, EventState, NormalisedEvent
from leadgate.model.leads import AddTimelineEntry, Person
from leadgate.model.messages import OutgoingMessage
from leadgate.model.webhooks import VerifiedWebhook
from leadgate.ports.clock import IdSource
from leadgate.ports.stores import StoredDelivery, StoredEvent, Transaction, Workspace
from leadgate.processing import aftermath
from leadgate.processing.chats import Chat, Chats
from leadgate.processing.ending import Ending, gravest
from leadgate.processing.source import FindSource, Source
from leadgate.vault.envelope import Vault, subject_scope

CONVERSING = frozenset(
    {EventKind.TEXT, EventKind.BUTTON, EventKind.CONTACT, EventKind.MEDIA, EventKind.LOCATION, EventKind.UNSUPPORTED}
)
"""Kinds that the bot answers when it knows where."""

NAMED = frozenset({EventKind.TEXT, EventKind.CONTACT, EventKind.MEDIA, EventKind.LOCATION})
"""Kinds whose `message_id` is the client's own message and not ours (a button hangs on ours)."""


class Turns:
    """Works on one event inside a transaction."""

    def __init__(
        self, workspace: Workspace, vault: Vault, *, identities: Identities, leads: Leads, outbox: Outbox, ids: IdSource
    ) -> None:
        """Join these."""
        self._workspace = workspace
        self._vault = vault
        self._identities = identities
        self._leads = leads
        self._outbox = outbox
        self._ids = ids
        self._chats = Chats(vault, ids)
        self._fates = Fates(vault)
        self._invitations = Invitations(vault, identities, ids)
        self._aftermath = aftermath.Aftermath(self._chats, self._fates, identities, leads)
        self.house = House(texts=load_texts("bot", workspace.locale), time_zone=ZoneInfo(workspace.time_zone))

    def work(self, tx: Transaction, event: StoredEvent, source: Source, *, at: datetime) -> Ending:
        """Give the event its end; everything that follows from it is written in the same transaction."""
        body = self.open_body(tx, event)
        facts = self.read_facts(body, source)
        endings = [self._take(tx, event, fact, source, at=at) for fact in facts]
        ending = gravest(endings)
        resealed = None
        if ending.subject_id is not None and body is not None:
            scope = subject_scope(ending.subject_id)
            resealed = (scope, self._vault.seal(tx, scope, _place(event.event_id), body))
        tx.events.finish(
            event.event_id,
            state=ending.state,
            reason=ending.reason,
            subject_id=ending.subject_id,
            lead_id=ending.lead_id,
            resealed=resealed,
            at=at,
        )
        tx.note_event(event.connection_id, at=event.received_at)
        return ending

    def open_body(self, tx: Transaction, event: StoredEvent) -> bytes | None:
        """The raw body; None when it was erased. Raises UnknownKeyError when the person was."""
        if event.sealed_body is None:
            return None
        return self._vault.open(tx, event.key_scope, _place(event.event_id), event.sealed_body)

    @staticmethod
    def read_facts(body: bytes | None, source: Source) -> list[NormalisedEvent]:
        """The facts of a raw body; none when there is no body or the connection's kind posts no webhooks."""
        receiver = source.integration.receiver
        if body is None or receiver is None:
            return []
        stored = VerifiedWebhook(natural_key="", conversation_key=None, body=body)
        return receiver.parse(stored, source.opened)

    def contact_of(self, source: Source, event_id: str, occurred_at: datetime, channel: str | None = None) -> Contact:
        """Where a request came from."""
        manifest = source.integration.manifest
        title = manifest.title if self._workspace.locale == "en" else manifest.title_ru
        return Contact(
            event_id=event_id,
            connection_id=source.opened.connection.connection_id,
            channel=channel or manifest.kind,
            channel_title=title if channel in (None, manifest.kind) else _channel_title(str(channel), self.house.texts),
            crm_connection_id=source.crm_connection_id,
            occurred_at=occurred_at,
        )

    def _take(
        self, tx: Transaction, event: StoredEvent, fact: NormalisedEvent, source: Source, *, at: datetime
    ) -> Ending:
        if fact.kind is EventKind.FORM and fact.lead is not None:
            contact = self.contact_of(source, event.event_id, fact.occurred_at or event.received_at, fact.lead.channel)
            known, lead_id = self._leads.record_request(tx, fact.lead, contact, self.house, at=at)
            return Ending(state=EventState.LEAD, subject_id=known.subject_id, lead_id=lead_id)
        if fact.kind in aftermath.KINDS:
            contact = self.contact_of(source, event.event_id, fact.occurred_at or event.received_at)
            return self._aftermath.take(tx, event, fact, source, contact=contact, house=self.house, at=at)
        if fact.kind in CONVERSING and fact.chat_id is not None:
            return self._converse(tx, event, fact, source, at=at)
        return Ending(state=EventState.IGNORED, reason=fact.reason or f"event.{fact.kind.value}")

    def _converse(
        self, tx: Transaction, event: StoredEvent, fact: NormalisedEvent, source: Source, *, at: datetime
    ) -> Ending:
        kind = source.integration.manifest.kind
        # Some vendors prove the phone with every message; a shared contact is learned by the script.
        is_proven = fact.phone_verified and fact.kind is not EventKind.CONTACT
        person = Person(
            name=fact.sender_name,
            phone=fact.phone if is_proven else None,
            username=fact.username,
            channel_user_id=fact.sender_id or fact.chat_id,
        )
        known = self._identities.recognise(tx, person, channel=kind, at=at, is_hearsay=True)
        joined = self._invitations.accept(tx, fact, known.subject_id, at=at)
        if joined is not None:
            known = self._identities.learn(tx, joined, Person(), channel=kind, at=at)
        # What comes late was said when it was said: a vendor's window for free answers is long closed then.
        heard_at = min(fact.occurred_at or at, at)
        chat = self._open_chat(tx, source, fact, known, heard_at=heard_at)
        texts = self._texts(fact)
        turn = self._answer_link(chat.state, known, texts) if joined is not None else None
        turn = turn or take_turn(chat.state, fact, texts, salon=self._workspace.name)
        chat.keep(tx, turn.state, at=at)
        chat.add_message(tx, event.event_id, outgoing=False, text=turn.entry or fact.text or "", at=at)
        if fact.message_id is not None and fact.kind in NAMED:
            name = source.name_of_message(fact.chat_id, fact.message_id)
            self._fates.note_said(tx, source.connection_id, name, event.event_id, is_ours=False, at=at)
        lead_id = None
        if turn.entry is not None:
            learned = self._identities.learn(tx, known.subject_id, turn.learned, channel=kind, at=at)
            contact = self.contact_of(source, event.event_id, fact.occurred_at or event.received_at)
            request = None if fact.lead is None else replace(fact.lead, message=turn.entry)
            lead_id = self._leads.record_words(tx, learned, turn.entry, contact, self.house, at=at, request=request)
        self._answer(tx, chat, turn.replies, event, fact=fact, source=source, at=at)
        state = EventState.ANSWERED if lead_id is None else EventState.LEAD
        return Ending(state=state, subject_id=known.subject_id, lead_id=lead_id)

    def _answer(
        self,
        tx: Transaction,
        chat: Chat,
        replies: tuple[Reply, ...],
        event: StoredEvent,
        *,
        fact: NormalisedEvent,
        source: Source,
        at: datetime,
    ) -> None:
        for number, reply in enumerate(replies):
            message_id = f"{event.event_id}-{number + 1}"
            chat.add_message(tx, message_id, outgoing=True, text=reply.text, buttons=reply.buttons, at=at)
            if source.integration.manifest.client_pulls or fact.chat_id is None:
                continue
            message = OutgoingMessage(
                message_id=message_id,
                chat_id=fact.chat_id,
                text=reply.text,
                buttons=reply.buttons,
                ask_contact=self._texts(fact).get("share_phone") if reply.asks_contact else None,
                callback_id=fact.callback_id if number == 0 else None,
                heard_at=min(fact.occurred_at or at, at),
            )
            self._outbox.enqueue(
                tx,
                message,
                lane=chat.lane,
                connection_id=event.connection_id,
                subject_id=chat.subject_id,
                event_id=event.event_id,
                at=at,
            )

    def _open_chat(
        self, tx: Transaction, source: Source, fact: NormalisedEvent, known: Known, *, heard_at: datetime
    ) -> Chat:
        chat_id = str(fact.chat_id)
        chat = self._chats.find(tx, source.connection_id, chat_id)
        if chat is None:
            # A widget shows the greeting before the first word is written.
            is_greeted = source.integration.manifest.client_pulls
            state = DialogueState(phone=known.profile.phone, is_greeted=is_greeted)
            return self._chats.begin(tx, source.connection_id, chat_id, known.subject_id, state, at=heard_at)
        chat.note_heard(tx, chat_id, at=heard_at)
        return chat

    @staticmethod
    def _answer_link(state: DialogueState, known: Known, texts: Texts) -> ScriptTurn:
        """They came by an invitation: we know each other already."""
        name = known.profile.name
        new = replace(state, step=Step.WISH, asked=1, name=name, phone=known.profile.phone, is_greeted=True)
        return ScriptTurn(state=new, replies=(Reply(text=texts.get("joined")),), entry=None)

    def _texts(self, fact: NormalisedEvent) -> Texts:
        # Russian first: English only for those whose messenger speaks it, or for a salon that does.
        is_english = fact.language is not None and fact.language.lower().startswith("en")
        return load_texts("bot", "en" if is_english else self._workspace.locale)


def describe_contact(turns: Turns, find_source: FindSource) -> Callable[..., Contact]:
    """How `crm.settlement` learns where the entry of a closed lead came from."""

    def describe(tx: Transaction, delivery: StoredDelivery, entry: AddTimelineEntry) -> Contact:
        event = tx.events.find(delivery.event_id or "")
        source = None if event is None else find_source(event.connection_id)
        if event is None or source is None:
            return Contact(
                event_id=entry.entry_id,
                connection_id=delivery.connection_id,
                channel="",
                channel_title=entry.channel_title,
                crm_connection_id=delivery.connection_id,
                occurred_at=entry.occurred_at,
            )
        contact = turns.contact_of(source, event.event_id, entry.occurred_at)
        return replace(contact, channel_title=entry.channel_title, crm_connection_id=delivery.connection_id)

    return describe


def _channel_title(word: str, texts: Texts) -> str:
    """The readable tag of a bot builder's word for a channel; a word we do not know stands as it came."""
    key = f"channel_{word.casefold()}"
    return texts.get(key) if texts.has(key) else word


def _place(event_id: str) -> str:
    return f"events.body:{event_id}"
