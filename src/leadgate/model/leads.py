"""Leads, contacts and the commands that bring them to a CRM, in neutral words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
class CreateLead:
    """Command: make one lead, linked to the contact that has this phone or e-mail (made if none has).

    Attributes:
        lead_id: ours, `lead_…`.
        origin_id: unique for this lead for ever; the handle of the look-up.
        title: short, for lists.
        channel: kind or the bot builder's word, for instance `telegram`.
        channel_title: readable tag of the channel, for instance `Telegram`.
        comment: the client's request, already redacted.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateLead:
    """Command: add what we learned of the person (name, phone, e-mail) to a lead and link its contact.

    A part that the lead already has is not added twice, so a repeat is harmless.

    Attributes:
        ref: None while the lead's own creation stands before it in the same batch.
        instead_of: of a correction, what was wrong: name, phone and e-mail that stand like this in the record are replaced by those
            of `person`, also in a closed one and in the contacts it is linked to. None: nothing is taken away.
        keeps_contacts: the contacts are somebody else's as well, so a correction leaves them as they are.
    """

    lead_id: str
    origin_id: str
    person: Person
    ref: LeadRef | None
    instead_of: Person | None = None
    keeps_contacts: bool = False


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
    """

    lead_id: str
    entry_id: str
    author: str
    channel_title: str
    occurred_at: datetime
    text: str
    ref: LeadRef | None


CrmCommand = CreateLead | UpdateLead | AddTimelineEntry
