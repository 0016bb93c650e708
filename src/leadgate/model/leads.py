"""Leads, contacts and the commands that bring them to a CRM, in neutral words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Utm:
    """Where the client came from; every part may be None."""

    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    content: str | None = None
    term: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What we know of a client. Phone is E.164, username without "@"; every part may be None."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    username: str | None = None
    channel_user_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGiven:
    """What a bot builder says of the client's consent."""

    given_at: datetime
    policy_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRequest:
    """A lead as a bot builder posts it (contract, section 3), checked and normalised.

    Attributes:
        channel: word of the sender, for instance `telegram`.
        preferred_time: aware time.
    """

    channel: str
    contact: Person
    message: str | None = None
    service: str | None = None
    preferred_time: datetime | None = None
    consent: ConsentGiven | None = None
    utm: Utm = Utm()


class LeadState(StrEnum):
    """Our view of a lead; at most one lead per person and workspace is `pending` or `open`."""

    PENDING = "pending"
    """Not in the CRM yet."""
    OPEN = "open"
    CLOSED = "closed"
    REFUSED = "refused"
    """The CRM refused it; a dead letter waits for a human."""


class CrmEntity(StrEnum):
    """What the lead is in the CRM."""

    LEAD = "lead"
    DEAL = "deal"


@dataclass(frozen=True, slots=True)
class LeadRef:
    """Where a lead stands in the CRM."""

    entity: CrmEntity
    crm_id: int

    def __str__(self) -> str:
        """As a target names its result, for instance `lead:48211`."""
        return f"{self.entity.value}:{self.crm_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptLead:
    """A lead or deal in the CRM that bears our mark, as a sweep finds it.

    Attributes:
        origin_id: the handle under which we made it; "" when somebody emptied the field.
        is_closed: it stands in a final stage there.
        created_at: by the CRM's clock; None when the CRM does not tell.
    """

    ref: LeadRef
    origin_id: str
    is_closed: bool
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadParts:
    """What a lead says of the client, or a deal in a portal without leads.

    Attributes:
        title: short, for lists; `title_nameless` the same without the client's name.
        comment: the client's request, already redacted.
    """

    title: str
    title_nameless: str
    person: Person
    comment: str
    service: str | None
    preferred_time: datetime | None
    utm: Utm


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateLead:
    """Command: make one lead, linked to the contact that has this phone or e-mail (made if none has).

    Attributes:
        lead_id: ours, `lead_…`.
        origin_id: unique for this lead for ever; the handle of the look-up.
        title: short, for lists; `title_nameless` the same without the client's name.
        person: as a lead may show them.
        channel: kind or the bot builder's word, for instance `telegram`.
        channel_title: readable tag of the channel, for instance `Telegram`.
        comment: the client's request, already redacted.
        contact: the person as the contact may show them; None: as the lead does.
        deal: what is said in a portal without leads; None: the same.
    """

    lead_id: str
    origin_id: str
    title: str
    person: Person
    channel: str
    channel_title: str
    comment: str
    service: str | None = None
    preferred_time: datetime | None = None
    utm: Utm = Utm()
    occurred_at: datetime
    title_nameless: str = ""
    contact: Person | None = None
    deal: LeadParts | None = None

    @property
    def for_contact(self) -> Person:
        """The person as the contact may show them."""
        return self.person if self.contact is None else self.contact

    @property
    def for_lead(self) -> LeadParts:
        """What a lead says."""
        return LeadParts(
            title=self.title,
            title_nameless=self.title_nameless,
            person=self.person,
            comment=self.comment,
            service=self.service,
            preferred_time=self.preferred_time,
            utm=self.utm,
        )

    @property
    def for_deal(self) -> LeadParts:
        """What a deal says; it has no e-mail of its own."""
        lead = self.for_lead
        return self.deal or replace(lead, person=replace(lead.person, email=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateLead:
    """Command: add what we learned of the person (name, phone, e-mail) to a lead and link its contact.

    A part that the lead already has is not added twice, so a repeat is harmless.

    Attributes:
        person: as a lead may show them.
        ref: None while the lead's own creation stands before it in the same batch.
        contact: the person as the contact may show them; None: as the lead does.
        instead_of: of a correction, what was wrong: name, phone and e-mail that stand like this in the record are replaced by those
            of `person`, also in a closed one and in the contacts it is linked to. None: nothing is taken away.
        keeps_contacts: the contacts are somebody else's as well, so a correction leaves them as they are.
    """

    lead_id: str
    origin_id: str
    person: Person
    ref: LeadRef | None
    contact: Person | None = None
    instead_of: Person | None = None
    keeps_contacts: bool = False

    @property
    def for_contact(self) -> Person:
        """The person as the contact may show them."""
        return self.person if self.contact is None else self.contact


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmEntry:
    """One entry of a record's history; `at` None when the CRM does not tell."""

    at: datetime | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmRecord:
    """What stands in the CRM in one record (personal data).

    Attributes:
        name: as the CRM knows it, for instance `lead:48211` or `contact:77`.
        fields: value by the CRM's own name of the field, without who of the staff made or changed it.
        linked: for a contact the leads and deals through which it was found, by name.
    """

    name: str
    fields: Mapping[str, str]
    phones: Sequence[str] = ()
    emails: Sequence[str] = ()
    others: Sequence[str] = ()
    entries: Sequence[CrmEntry] = ()
    linked: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddTimelineEntry:
    """Command: add one readable entry to a lead's timeline, exactly once.

    Attributes:
        entry_id: unique for ever and without personal data; stands in the text, so that it can be looked up.
        author: who wrote (name, or a word for "client").
        channel_title: readable, for instance `Telegram`.
        text: already redacted.
        ref: None while the lead's own creation stands before it in the same batch (same `lead_id`).
        is_ours: the text is the house's own and holds no word of the client.
    """

    lead_id: str
    entry_id: str
    author: str
    channel_title: str
    occurred_at: datetime
    text: str
    ref: LeadRef | None
    is_ours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseLead:
    """Command: destroy in the CRM what stands there of an erased person because of one lead.

    That is the lead, our entries in its timeline, and the contact if we made it and nothing else hangs on it. Made blank, and
    deleted besides where the access may delete. A repeat is harmless. Holds nothing of the person: our handles alone.

    Attributes:
        origin_id: handle of the lead; `ref` None when nobody knows whether it came to be.
        entry_ids: of our entries in its timeline.
        siblings: origin ids of all leads of the person, this one too: what hangs on them alone goes as well.
    """

    lead_id: str
    origin_id: str
    ref: LeadRef | None
    entry_ids: tuple[str, ...]
    siblings: tuple[str, ...]


CrmCommand = CreateLead | UpdateLead | AddTimelineEntry | EraseLead
