"""Gathering everything that is held of one person, as one record. Nothing of anybody else, and no name of staff, may get in.

`TABLES` says which table stands where in the file and `NOT_IN_FILE` why others do not; a test compares both with the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import msgspec

from leadgate.crm.consent.register import Register
from leadgate.crm.identity import Identities
from leadgate.dialogue.script import DialogueState
from leadgate.errors import UnknownKeyError, VaultError
from leadgate.model.connections import Connection
from leadgate.model.events import PUBLIC_FIELDS, EventKind, NormalisedEvent
from leadgate.model.leads import Person
from leadgate.model.person_file import (
    FiledAttempt,
    FiledConsent,
    FiledConversation,
    FiledDelivery,
    FiledEvent,
    FiledIdentifier,
    FiledInvitation,
    FiledJoin,
    FiledLead,
    FiledMessage,
    FiledPart,
    FiledProfile,
)
from leadgate.ports.stores import StoredConsent, StoredConversation, StoredEvent, StoredFate, StoredMessage, Transaction
from leadgate.ports.stores.persons import PersonsDelivery, StoredSubject
from leadgate.rights.card import PAGE, all_deliveries, name_connection
from leadgate.rights.payload_words import payload_words
from leadgate.rights.reader import Reader
from leadgate.vault.envelope import Vault

TABLES = {
    "subjects": "profiles",
    "identifiers": "identifiers",
    "subject_joins": "joins",
    "consent_register": "consents",
    "invitations": "invitations",
    "conversations": "conversations",
    "messages": "conversations",
    "message_fates": "conversations",
    "events": "events",
    "leads": "leads",
    "accepted_leads": "leads",
    "deliveries": "deliveries",
    "attempts": "deliveries",
}
"""Table and part of the file where its rows of the person stand."""

NOT_IN_FILE = {
    "consents": "what was told before there was a register; it is taken over at the first start, and empty then",
    "data_keys": "the key that seals a person's data says nothing of them and must never leave the house",
    "lanes": "the queue of a chat holds times alone; what waits in it stands among the deliveries",
    "reconciliations": "numbers of the salon, and ids of leads that stand in the file already",
    "reveals": "who of the staff looked at an event or delivery, and why: the journal tells it, and the words are the staff's own",
    "api_answers": "answers to programs, kept for a day without personal data",
}
"""Tables that name a person's rows, or could, and why they are left out."""

SEALED = {
    "subjects.sealed_profile": "profiles",
    "consent_register.sealed_details": "consents.words",
    "conversations.sealed_state": "conversations.remembered",
    "conversations.sealed_address": "conversations.address",
    "messages.sealed_body": "conversations.messages",
    "events.sealed_body": "events.body",
    "deliveries.sealed_payload": "deliveries.content",
}
"""Every sealed column of these tables, and where in the file it stands opened."""

OTHERS_IN_BODY = "others_in_body"
NOT_KEPT = "not_kept"
UNREADABLE = "unreadable"
"""Why a body is not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part that another room adds to the file.

    Attributes:
        title: in Russian.
        tables: whose rows these are.
        read: rows of a person as text by name.
    """

    name: str
    title: str
    tables: Sequence[str]
    read: Callable[[Transaction, Sequence[str]], Sequence[Mapping[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What our own database holds of a person."""

    subjects: Sequence[str]
    profiles: Sequence[FiledProfile]
    identifiers: Sequence[FiledIdentifier]
    joins: Sequence[FiledJoin]
    consents: Sequence[FiledConsent]
    invitations: Sequence[FiledInvitation]
    conversations: Sequence[FiledConversation]
    events: Sequence[FiledEvent]
    leads: Sequence[FiledLead]
    deliveries: Sequence[FiledDelivery]
    more: Sequence[FiledPart]


class Gathering:
    """Reads one person inside one transaction."""

    def __init__(self, vault: Vault, identities: Identities, reader: Reader, parts: Sequence[Part] = ()) -> None:
        """Open with these; `parts` are those of other rooms."""
        self._vault = vault
        self._identities = identities
        self._reader = reader
        self._parts = parts

    def gather(self, tx: Transaction, subject_id: str) -> Gathered:
        """Everything of the person that this subject is, whichever channel it came through."""
        return _OnePerson(tx, self._vault, self._identities, self._reader, subject_id).gather(self._parts)


class _OnePerson:
    def __init__(self, tx: Transaction, vault: Vault, identities: Identities, reader: Reader, subject_id: str) -> None:
        self._tx = tx
        self._vault = vault
        self._identities = identities
        self._reader = reader
        self._register = Register(vault)
        self._subjects = identities.everyone(tx, subject_id)
        self._connection = name_connection(tx)
        self._values: dict[str, set[str]] = {}
        """What was seen of the person in clear, by kind of identifier: so that a mark gets its value back."""

    def gather(self, parts: Sequence[Part]) -> Gathered:
        tx, subjects = self._tx, self._subjects
        profiles = [self._profile(subject) for subject in tx.persons.all_of(subjects)]
        conversations = [self._conversation(chat) for chat in tx.conversations.of_subjects(subjects)]
        events = list(self._events())
        return Gathered(
            subjects=subjects,
            profiles=profiles,
            identifiers=list(self._identifiers()),
            joins=[
                FiledJoin(subject=one.subject_id, joined_to=one.into_subject_id, reason=one.reason, at=one.joined_at)
                for one in tx.persons.joins(subjects)
            ],
            consents=[self._consent(line) for line in tx.consents.of_subjects(subjects)],
            invitations=[
                FiledInvitation(created_at=one.created_at, expires_at=one.expires_at, used_at=one.used_at)
                for one in tx.persons.invitations(subjects)
            ],
            conversations=conversations,
            events=events,
            leads=[
                FiledLead(
                    id=one.lead.lead_id,
                    state=one.lead.state.value,
                    origin=one.lead.origin_id,
                    crm=None if one.lead.ref is None else str(one.lead.ref),
                    created_at=one.lead.created_at,
                    closed_at=one.closed_at,
                    deletion_accepted_at=one.accepted_at,
                )
                for one in tx.persons.leads(subjects)
            ],
            deliveries=list(self._deliveries()),
            more=[FiledPart(name=part.name, title=part.title, rows=list(part.read(tx, subjects))) for part in parts],
        )

    def _consent(self, line: StoredConsent) -> FiledConsent:
        record = self._register.open(self._tx, line)
        text = None if line.text_id is None else self._tx.consents.find_text(line.text_id)
        return FiledConsent(
            number=line.number,
            purpose=line.purpose.value,
            decision=line.decision.value,
            decided_at=line.decided_at,
            recorded_at=line.recorded_at,
            event=line.event_id,
            channel=record.channel,
            how=None if record.how is None else record.how.value,
            text=None if text is None else text.text,
            words=record.words,
            told_version=record.told_version,
        )

    def _profile(self, subject: StoredSubject) -> FiledProfile:
        try:
            profile, is_opened = self._identities.profile(self._tx, subject.subject_id), True
        except UnknownKeyError:
            profile, is_opened = Person(), False
        self._note("phone", profile.phone)
        self._note("email", profile.email.casefold() if profile.email else None)
        self._note("username", profile.username.casefold() if profile.username else None)
        self._note("sender", profile.channel_user_id)
        return FiledProfile(
            subject=subject.subject_id,
            since=subject.created_at,
            opened=is_opened,
            name=profile.name,
            phone=profile.phone,
            email=profile.email,
            username=profile.username,
            channel_user_id=profile.channel_user_id,
            blocked_at=subject.blocked_at,
            block_reason=subject.block_reason,
            erased_at=subject.erased_at,
        )

    def _identifiers(self) -> Iterator[FiledIdentifier]:
        for one in self._tx.persons.identifiers(self._subjects):
            seen = self._values.get(one.kind.partition(":")[0], set())
            values = (v for v in seen if self._vault.index(self._tx.workspace_id, one.kind, v) == one.value_index)
            yield FiledIdentifier(subject=one.subject_id, kind=one.kind, value=next(values, None), since=one.created_at)

    def _conversation(self, chat: StoredConversation) -> FiledConversation:
        connection = self._connection(chat.connection_id)
        try:
            notes = self._reader.chat(self._tx, chat)
            address, remembered = notes.address, _remembered(notes.state)
        except UnknownKeyError:
            address, remembered = None, {}
        self._note("sender", address)
        return FiledConversation(
            id=chat.conversation_id,
            channel=_kind_of(connection),
            channel_name=_name_of(connection),
            address=address,
            remembered=remembered,
            heard_at=chat.heard_at,
            unreachable_since=chat.unreachable_since,
            unreachable_code=chat.unreachable_code,
            opted_out_at=chat.opted_out_at,
            messages=list(self._messages(chat.conversation_id)),
        )

    def _messages(self, conversation_id: str) -> Iterator[FiledMessage]:
        after = 0
        while page := self._tx.conversations.messages(conversation_id, after=after, limit=PAGE):
            after = page[-1].number
            # A chat is one person's; a message that lay in it under somebody else's key would not be theirs.
            ours = [message for message in page if message.subject_id in self._subjects]
            fates = self._tx.fates.of_messages([message.message_id for message in ours])
            for message in ours:
                yield self._message(message, fates.get(message.message_id))

    def _message(self, message: StoredMessage, fate: StoredFate | None) -> FiledMessage:
        try:
            words = self._reader.words(self._tx, message)
            text, buttons, is_gone = (None if words.is_gone else words.text), list(words.buttons), words.is_gone
        except UnknownKeyError:
            text, buttons, is_gone = None, [], False
        return FiledMessage(
            id=message.message_id,
            at=message.created_at,
            direction="to_person" if message.outgoing else "from_person",
            text=text,
            buttons=buttons,
            taken_back=is_gone,
            status=None if fate is None else fate.status,
        )

    def _events(self) -> Iterator[FiledEvent]:
        after = 0
        while page := self._tx.persons.events(self._subjects, after=after, limit=PAGE):
            after = page[-1].seq
            yield from map(self._event, page)

    def _event(self, event: StoredEvent) -> FiledEvent:
        connection = self._connection(event.connection_id)
        body, said, withheld = self._body(event)
        return FiledEvent(
            id=event.event_id,
            channel=_kind_of(connection),
            channel_name=_name_of(connection),
            received_at=event.received_at,
            state=event.state.value,
            reason=event.reason,
            lead=event.lead_id,
            body=body,
            said=said,
            withheld=withheld,
        )

    def _body(self, event: StoredEvent) -> tuple[object, list[Mapping[str, str]], str | None]:
        """The decoded body; of one in which others speak too, only what this person said."""
        try:
            raw = self._reader.body(self._tx, event)
        except VaultError:
            return None, [], NOT_KEPT
        if raw is None:
            return None, [], NOT_KEPT
        facts = self._reader.facts(self._tx, event, raw)
        if facts is None:
            return None, [], UNREADABLE
        mine = [fact for fact in facts if self._is_mine(fact, event)]
        for fact in mine:
            self._note_fact(fact)
        if len(mine) < len(facts):
            return None, [_fact_words(fact) for fact in mine], OTHERS_IN_BODY
        return _decoded(raw), [], None

    def _is_mine(self, fact: NormalisedEvent, event: StoredEvent) -> bool:
        if fact.kind is EventKind.FORM or (fact.chat_id is None and fact.sender_id is None):
            return True  # a form is one person's, and the event was given to them
        tx, connection = self._tx, self._connection(event.connection_id)
        if fact.chat_id is not None:
            index = self._vault.index(tx.workspace_id, f"chat:{event.connection_id}", fact.chat_id)
            chat = tx.conversations.find(event.connection_id, index)
            if chat is not None:
                return chat.subject_id in self._subjects
        person = Person(channel_user_id=fact.sender_id or fact.chat_id)
        owner = self._identities.find(tx, person, channel=_kind_of(connection))
        return owner in self._subjects if owner is not None else True

    def _deliveries(self) -> Iterator[FiledDelivery]:
        found = all_deliveries(self._tx, self._subjects)
        for start in range(0, len(found), PAGE):
            part = found[start : start + PAGE]
            attempts = self._tx.persons.attempts([one.delivery.delivery_id for one in part])
            for one in part:
                yield self._delivery(
                    one,
                    [
                        FiledAttempt(
                            number=attempt.number,
                            kind=attempt.kind.value,
                            outcome=attempt.outcome.value,
                            started_at=attempt.started_at,
                            finished_at=attempt.finished_at,
                            error_code=attempt.error_code,
                        )
                        for attempt in attempts.get(one.delivery.delivery_id, ())
                    ],
                )

    def _delivery(self, found: PersonsDelivery, attempts: Sequence[FiledAttempt]) -> FiledDelivery:
        delivery = found.delivery
        try:
            content, is_opened = payload_words(self._reader.payload(self._tx, delivery)), True
        except VaultError:
            content, is_opened = {}, False
        fate = self._tx.fates.of_delivery(delivery.delivery_id)
        return FiledDelivery(
            id=delivery.delivery_id,
            kind=delivery.kind.value,
            recipient=_name_of(self._connection(delivery.connection_id)),
            state=delivery.state.value,
            created_at=delivery.created_at,
            done_at=found.done_at,
            error_code=found.error_code,
            record=delivery.external_id,
            content=content,
            opened=is_opened,
            status=None if fate is None else fate.status,
            attempts=attempts,
        )

    def _note(self, kind: str, value: str | None) -> None:
        if value:
            self._values.setdefault(kind, set()).add(value)

    def _note_fact(self, fact: NormalisedEvent) -> None:
        """What they were known by before is in what they sent, although the profile has something newer."""
        self._note("sender", fact.sender_id or fact.chat_id)
        self._note("username", fact.username.casefold() if fact.username else None)
        self._note("phone", fact.phone)
        if fact.lead is not None:
            contact = fact.lead.contact
            self._note("phone", contact.phone)
            self._note("email", contact.email.casefold() if contact.email else None)
            self._note("username", contact.username.casefold() if contact.username else None)
            self._note("sender", contact.channel_user_id)


def _remembered(state: DialogueState) -> dict[str, str]:
    values = {field.name: getattr(state, field.name) for field in fields(state)}
    return {name: str(value) for name, value in values.items() if value not in (None, "")}


def _fact_words(fact: NormalisedEvent) -> Mapping[str, str]:
    values = {name: getattr(fact, name) for name in (*PUBLIC_FIELDS, "sender_name", "username")}
    return {
        name: value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in values.items()
        if value not in (None, "")
    }


def _decoded(raw: bytes) -> object:
    """JSON as it came; a form, or anything else, as text."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return raw.decode(errors="replace")


def _kind_of(connection: Connection | None) -> str:
    return "" if connection is None else connection.kind


def _name_of(connection: Connection | None) -> str:
    return "" if connection is None else connection.name
