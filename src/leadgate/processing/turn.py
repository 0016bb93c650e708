"""One event, one transaction: read it, answer the client, record the request, enqueue what follows, give the event its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from leadgate.catalogue.texts import Texts, load_texts
from leadgate.crm.consent.register import Register
from leadgate.crm.consent.texts import TextBook
from leadgate.crm.fates import Fates
from leadgate.crm.identity import Identities
from leadgate.crm.invitations import Invitations
from leadgate.crm.leads import Contact, House, Leads
from leadgate.crm.links import Door, StartLinks
from leadgate.delivery.payloads import Outbox
from leadgate.errors import ConflictError
from leadgate.model.events import EventKind, EventState, NormalisedEvent
from leadgate.model.leads import AddTimelineEntry, Person
from leadgate.model.subjects import BLOCKED
from leadgate.model.webhooks import VerifiedWebhook
from leadgate.ports.clock import IdSource
from leadgate.ports.stores import StoredDelivery, StoredEvent, Transaction, Workspace
from leadgate.processing import aftermath, talk
from leadgate.processing.asking import Asking
from leadgate.processing.chats import Chats
from leadgate.processing.ending import Ending, gravest
from leadgate.processing.reach import Reach
from leadgate.processing.source import FindSource, Source
from leadgate.vault.envelope import Vault, subject_scope

_SAID = talk.KINDS | {EventKind.FORM, EventKind.EDITED}
"""Kinds that bring new words of a client; what a client takes back, and what vendors tell of ours, is worked on always."""


class Turns:
    """Works on one event inside a transaction."""

    def __init__(
        self,
        workspace: Workspace,
        vault: Vault,
        *,
        identities: Identities,
        leads: Leads,
        outbox: Outbox,
        ids: IdSource,
        find_source: FindSource,
        doors: Callable[[], Iterable[Door]],
        hear_request: talk.HearRequest | None = None,
    ) -> None:
        """Join these; `doors` are the connections that a client can be invited to."""
        self._workspace = workspace
        self._vault = vault
        self._leads = leads
        self._identities = identities
        self.chats = Chats(vault, ids)
        self.fates = Fates(vault)
        self.reach = Reach(self.chats, identities, outbox, ids, find_source)
        invitations = Invitations(vault, identities, ids)
        self.links = StartLinks(invitations, doors)
        self.register = Register(vault)
        self.texts = TextBook(workspace, ids)
        asking = Asking(self.register, self.texts, self.reach)
        self._aftermath = aftermath.Aftermath(self.chats, self.fates, identities, leads, self.reach, asking=asking)
        self._talk = talk.Talk(
            workspace,
            self.chats,
            identities=identities,
            leads=leads,
            outbox=outbox,
            fates=self.fates,
            invitations=invitations,
            links=self.links,
            hear_request=hear_request,
            asking=asking,
        )
        self._hear_request = hear_request
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
        is_first = tx.events.finish(
            event.event_id,
            state=ending.state,
            reason=ending.reason,
            subject_id=ending.subject_id,
            lead_id=ending.lead_id,
            resealed=resealed,
            at=at,
        )
        if not is_first:  # its person was erased meanwhile, or somebody gave it up: nothing may follow from it
            raise ConflictError("The event got its end elsewhere.", code="event.ended")
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
        blocked = self._find_blocked(tx, fact, source) if fact.kind in _SAID and tx.persons.has_blocked() else None
        if blocked is not None:
            # It is kept and not worked on, nor answered, until the person is unblocked; taken back, it is gone then, too.
            if not self._talk.note_heard(tx, fact, source, event.event_id, at=at):
                tx.events.forget_body(event.event_id)
            return Ending(state=EventState.IGNORED, reason=BLOCKED, subject_id=blocked)
        if fact.kind is EventKind.FORM and fact.lead is not None:
            contact = self.contact_of(source, event.event_id, fact.occurred_at or event.received_at, fact.lead.channel)
            known, lead_id = self._leads.record_request(tx, fact.lead, contact, self.house, at=at)
            if self._hear_request is not None:  # the bot that it came from answers by itself
                self._hear_request(
                    tx,
                    fact.lead.message or "",
                    subject_id=known.subject_id,
                    event_id=event.event_id,
                    heard_at=min(fact.occurred_at or at, at),
                    locale=self._workspace.locale,
                    at=at,
                )
            return Ending(state=EventState.LEAD, subject_id=known.subject_id, lead_id=lead_id)
        contact = self.contact_of(source, event.event_id, fact.occurred_at or event.received_at)
        if fact.kind in aftermath.KINDS:
            return self._aftermath.take(tx, fact, source, contact=contact, house=self.house, at=at)
        if fact.kind in talk.KINDS and fact.chat_id is not None:
            return self._talk.take(tx, fact, source, chat_id=fact.chat_id, contact=contact, house=self.house, at=at)
        return Ending(state=EventState.IGNORED, reason=fact.reason or f"event.{fact.kind.value}")

    def _find_blocked(self, tx: Transaction, fact: NormalisedEvent, source: Source) -> str | None:
        """The blocked person who says this, or None."""
        channel, person = source.integration.manifest.kind, Person(channel_user_id=fact.sender_id or fact.chat_id)
        if fact.lead is not None:
            channel, person = fact.lead.channel, fact.lead.contact
        found = None
        if fact.lead is None and fact.chat_id is not None:
            found = self.chats.find_owner(tx, source.connection_id, fact.chat_id)
        found = found or self._identities.find(tx, person, channel=channel)
        return found if found is not None and tx.persons.blocked([found]) else None


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
