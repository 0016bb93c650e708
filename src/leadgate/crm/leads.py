"""One open lead per person and workspace: the first request makes it, what follows becomes entries of its timeline."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from leadgate.catalogue.texts import Texts
from leadgate.crm.identity import Identities, Known
from leadgate.crm.wording import Wording
from leadgate.delivery.payloads import HOMELESS_LANE, Outbox, crm_lane
from leadgate.errors import VaultError
from leadgate.model.leads import (
    AddTimelineEntry,
    CreateLead,
    CrmCommand,
    CrmEntity,
    LeadRef,
    LeadRequest,
    LeadState,
    Person,
    UpdateLead,
    Utm,
)
from leadgate.ports.clock import IdSource
from leadgate.ports.stores import StoredDelivery, StoredLead, Transaction
from leadgate.privacy.allow_list import AllowList, CrmField, CrmObject
from leadgate.privacy.detect.spans import Label
from leadgate.privacy.health import mentions_health
from leadgate.privacy.held_back import Place, note_held_back
from leadgate.privacy.policies import Purpose
from leadgate.privacy.redact import RedactedText, own_words

_TITLE_NAME_LENGTH = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Where and when a client turned to the salon.

    Attributes:
        connection_id: the channel's connection; part of the origin id.
        channel: kind or the bot builder's word; `channel_title` its readable tag.
        crm_connection_id: the CRM to write to, or None when none is connected yet.
    """

    event_id: str
    connection_id: str
    channel: str
    channel_title: str
    crm_connection_id: str | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """How the salon writes: its texts and its time zone."""

    texts: Texts
    time_zone: tzinfo


class Leads:
    """Turns requests of clients into commands for the CRM."""

    def __init__(self, identities: Identities, outbox: Outbox, ids: IdSource) -> None:
        """Recognise people and enqueue commands with these."""
        self._identities = identities
        self._outbox = outbox
        self._rules = outbox.rules
        self._ids = ids

    def record_request(
        self, tx: Transaction, request: LeadRequest, contact: Contact, house: House, *, at: datetime
    ) -> tuple[Known, str]:
        """A whole request of a bot builder: recognise the person, then a new lead or an entry; returns the lead's id too."""
        known = self._identities.recognise(tx, request.contact, channel=request.channel, at=at)
        words = _describe(request, house, self._rules.now.fields)
        lead_id = self.record_words(tx, known, words, contact, house, at=at, request=request)
        # Last: the register has one writer at a time.
        if request.consent is not None:
            self._identities.note_told(
                tx,
                known.subject_id,
                request.consent,
                event_id=contact.event_id,
                channel=request.channel,
                at=at,
            )
        return known, lead_id

    def record_words(
        self,
        tx: Transaction,
        known: Known,
        words: str,
        contact: Contact,
        house: House,
        *,
        at: datetime,
        request: LeadRequest | None = None,
    ) -> str:
        """Words of a client: the first make a lead, later ones an entry; news of the person update it. Returns the lead's id."""
        lead = self.find_current(tx, known.subject_id)
        if lead is None:
            lead = self._create(tx, known, words, contact, house, at=at, request=request)
        else:
            self._update(tx, known, lead, contact, at=at)
        entry = AddTimelineEntry(
            lead_id=lead.lead_id,
            entry_id=contact.event_id,
            author=self._author(known, house),
            channel_title=contact.channel_title,
            occurred_at=contact.occurred_at.astimezone(house.time_zone),
            text=self._entry_words(tx, words, house, at=at),
            ref=lead.ref,
            is_ours=not self._rules.now.fields.allows(CrmObject.ENTRY, CrmField.MESSAGE),
        )
        self._send(tx, entry, known.subject_id, contact, lead.lead_id, at=at)
        return lead.lead_id

    def forget_words(self, tx: Transaction, event_id: str, house: House) -> None:
        """The client took an event's words back: what has not gone to the CRM goes without them, what has is kept without them."""
        instead = own_words(house.texts.get("entry_deleted"))
        for delivery in tx.deliveries.of_event(event_id):
            try:
                command = self._outbox.open(tx, delivery)
            except VaultError:  # the person was erased: there are no words any more
                continue
            if isinstance(command, AddTimelineEntry):
                self._outbox.rewrite(tx, delivery, replace(command, text=instead))
            elif isinstance(command, CreateLead):
                deal = None if command.deal is None else replace(command.deal, comment=instead)
                self._outbox.rewrite(tx, delivery, replace(command, comment=instead, deal=deal))

    def find_current(self, tx: Transaction, subject_id: str) -> StoredLead | None:
        """The open lead of a person, whichever of their channels it began in; None when there is none."""
        lead = tx.leads.find_current(subject_id)
        if lead is not None:
            return lead
        everyone = self._identities.everyone(tx, subject_id)
        return next((lead for lead in map(tx.leads.find_current, everyone) if lead is not None), None)

    def open_again(
        self,
        tx: Transaction,
        delivery: StoredDelivery,
        entry: AddTimelineEntry,
        contact: Contact,
        house: House,
        *,
        at: datetime,
    ) -> str:
        """The lead of an entry was closed meanwhile: the entry goes to the person's current lead, made when there is none."""
        current = self.find_current(tx, delivery.subject_id)
        if current is None:
            subject_id = self._identities.root(tx, delivery.subject_id)
            profile = self._identities.profile(tx, subject_id)
            known = Known(subject_id=subject_id, profile=profile, news=Person())
            current = self._create(tx, known, entry.text, contact, house, at=at, request=None, is_again=True)
        moved = replace(entry, lead_id=current.lead_id, ref=current.ref)
        sealed = self._outbox.seal(tx, delivery.delivery_id, delivery.subject_id, moved)
        tx.deliveries.replace(
            delivery.delivery_id, kind=delivery.kind, lead_id=current.lead_id, sealed_payload=sealed, due_at=at
        )
        return current.lead_id

    def _create(
        self,
        tx: Transaction,
        known: Known,
        words: str,
        contact: Contact,
        house: House,
        *,
        at: datetime,
        request: LeadRequest | None,
        is_again: bool = False,
    ) -> StoredLead:
        lead_id = self._ids.new("lead")
        # The event may have made a lead before; an origin id is never used twice.
        middle = f":{lead_id}" if is_again else ""
        lead = StoredLead(
            lead_id=lead_id,
            subject_id=known.subject_id,
            crm_connection_id=contact.crm_connection_id,
            origin_id=f"{contact.connection_id}{middle}:{contact.event_id}",
            state=LeadState.PENDING,
            ref=None,
            created_at=at,
        )
        tx.leads.add(lead)
        person, wording = _shown(known.profile), Wording(self._rules, house.texts)
        message = (request.message or "") if request else words
        command = CreateLead(
            lead_id=lead.lead_id,
            origin_id=lead.origin_id,
            title=_title(person.name, contact.channel_title, house.texts),
            title_nameless=_title(None, contact.channel_title, house.texts),
            person=person,
            channel=contact.channel,
            channel_title=contact.channel_title,
            comment=wording.say(message, Purpose.CRM_LEAD),
            service=wording.service(request.service) if request else None,
            preferred_time=_local(request.preferred_time, house) if request else None,
            utm=wording.utm(request.utm) if request else Utm(),
            occurred_at=contact.occurred_at.astimezone(house.time_zone),
        )
        self._send(tx, command, known.subject_id, contact, lead.lead_id, at=at)
        return lead

    def _update(self, tx: Transaction, known: Known, lead: StoredLead, contact: Contact, *, at: datetime) -> None:
        if replace(known.news, channel_user_id=None, username=None) == Person():
            return
        # The whole profile goes along, so that a contact that is made now has its name; what the lead has is not added twice.
        person = replace(_shown(known.profile), channel_user_id=None, username=None)
        origin_id = f"{lead.origin_id}:{contact.event_id}"
        command = UpdateLead(lead_id=lead.lead_id, origin_id=origin_id, person=person, ref=lead.ref)
        self._send(tx, command, known.subject_id, contact, lead.lead_id, at=at)

    def _entry_words(self, tx: Transaction, words: str, house: House, *, at: datetime) -> RedactedText:
        """What the timeline may say of the words; what was held back is counted."""
        if not self._rules.now.fields.allows(CrmObject.ENTRY, CrmField.MESSAGE):
            return own_words(house.texts.get("entry_not_shared"))
        tally: Counter[Label] = Counter()
        text = Wording(self._rules, house.texts).say(words, Purpose.CRM_COMMENT, tally=tally)
        note_held_back(tx, Place.CRM, tally, at=at)
        return text

    def _author(self, known: Known, house: House) -> str:
        has_name = self._rules.now.fields.allows(CrmObject.ENTRY, CrmField.NAME)
        return (_shown(known.profile).name if has_name else None) or house.texts.get("client")

    def _send(
        self, tx: Transaction, command: CrmCommand, subject_id: str, contact: Contact, lead_id: str, *, at: datetime
    ) -> None:
        crm = contact.crm_connection_id
        self._outbox.enqueue(
            tx,
            command,
            lane=HOMELESS_LANE if crm is None else crm_lane(crm),
            connection_id=crm or "",
            subject_id=subject_id,
            event_id=contact.event_id,
            lead_id=lead_id,
            at=at,
        )


def parse_ref(external_id: str | None) -> LeadRef | None:
    """`lead:48211` or `deal:77` as a reference; None for anything else."""
    entity, _, number = (external_id or "").partition(":")
    if entity not in ("lead", "deal") or not number.isdecimal():
        return None
    return LeadRef(CrmEntity(entity), int(number))


def _shown(profile: Person) -> Person:
    """The person as anybody outside may see them: a name that tells of health is none."""
    if profile.name is None or not mentions_health(profile.name, otherwise=True):
        return profile
    return replace(profile, name=None)


def _describe(request: LeadRequest, house: House, fields: AllowList) -> str:
    """A request as the timeline shows it, of its fields those that may stand there."""
    lines = [request.message] if request.message else []
    if request.service and fields.allows(CrmObject.ENTRY, CrmField.SERVICE):
        lines.append(house.texts.get("entry_service", service=request.service))
    if request.preferred_time and fields.allows(CrmObject.ENTRY, CrmField.PREFERRED_TIME):
        time = _local(request.preferred_time, house)
        lines.append(house.texts.get("entry_time", time=f"{time:%d.%m.%Y %H:%M}"))
    if not lines:
        lines.append(house.texts.get("entry_request"))
    if request.consent and fields.allows(CrmObject.ENTRY, CrmField.CONSENT):
        time, version = _local(request.consent.given_at, house), request.consent.policy_version
        lines.append(house.texts.get("entry_consent", time=f"{time:%d.%m.%Y %H:%M}", version=version))
    return "\n".join(lines)


def _title(name: str | None, channel_title: str, texts: Texts) -> str:
    if not name:
        return texts.get("lead_title_nameless", channel=channel_title)
    return texts.get("lead_title", channel=channel_title, name=name[:_TITLE_NAME_LENGTH])


def _local(at: datetime | None, house: House) -> datetime | None:
    return None if at is None else at.astimezone(house.time_zone)
