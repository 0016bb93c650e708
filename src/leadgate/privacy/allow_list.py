"""Which of our fields may stand in which object of a CRM. Commands for it leave the house through `AllowList.release` alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from leadgate.model.leads import CreateLead, CrmCommand, EraseLead, LeadParts, Person, UpdateLead, Utm


class CrmObject(StrEnum):
    """What a CRM keeps of us."""

    LEAD = "lead"
    DEAL = "deal"
    """Instead of a lead, in a portal without leads."""
    CONTACT = "contact"
    ENTRY = "entry"
    """Of the timeline of a lead or deal."""


class CrmField(StrEnum):
    """What we know, in neutral words."""

    ORIGIN = "origin"
    """Our ids; nothing of a person."""
    CHANNEL = "channel"
    """Where the client wrote, for instance `Telegram`."""
    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    USERNAME = "username"
    CHANNEL_USER_ID = "channel_user_id"
    """The messenger's own number of the person."""
    MESSAGE = "message"
    """The client's words, masked by the policies."""
    SERVICE = "service"
    PREFERRED_TIME = "preferred_time"
    CONSENT = "consent"
    """When and to which text the client agreed, as a bot builder tells it."""
    UTM_SOURCE = "utm_source"
    UTM_MEDIUM = "utm_medium"
    UTM_CAMPAIGN = "utm_campaign"
    UTM_CONTENT = "utm_content"
    UTM_TERM = "utm_term"


_FRAME = frozenset({CrmField.ORIGIN, CrmField.CHANNEL})
_REQUEST = frozenset({CrmField.MESSAGE, CrmField.SERVICE, CrmField.PREFERRED_TIME})
_UTM = frozenset(
    {CrmField.UTM_SOURCE, CrmField.UTM_MEDIUM, CrmField.UTM_CAMPAIGN, CrmField.UTM_CONTENT, CrmField.UTM_TERM}
)
_PERSON = frozenset({CrmField.NAME, CrmField.PHONE, CrmField.EMAIL, CrmField.USERNAME})

Fields = Mapping[CrmObject, frozenset[CrmField]]

POSSIBLE: Fields = MappingProxyType(
    {
        CrmObject.LEAD: _FRAME | _PERSON | _REQUEST | _UTM,
        CrmObject.DEAL: _FRAME | (_PERSON - {CrmField.EMAIL}) | _REQUEST | _UTM,
        CrmObject.CONTACT: _FRAME | _PERSON,
        CrmObject.ENTRY: _FRAME | {CrmField.NAME, CrmField.CONSENT} | _REQUEST,
    }
)
"""The product's default, and the most there is: what stands in no set here never leaves (nobody needs a messenger's number)."""

FIXED: Fields = MappingProxyType(
    {
        CrmObject.LEAD: _FRAME | {CrmField.PHONE},
        CrmObject.DEAL: _FRAME,
        CrmObject.CONTACT: _FRAME | {CrmField.PHONE},
        CrmObject.ENTRY: _FRAME,
    }
)
"""What cannot be taken away: by our ids a lead is made exactly once, by the phone no second contact is made of one person."""


@dataclass(frozen=True, slots=True)
class AllowList:
    """What may stand where now."""

    fields: Fields = field(default_factory=lambda: POSSIBLE)

    def allows(self, thing: CrmObject, name: CrmField) -> bool:
        """True when this field may stand in this object."""
        return name in self.fields[thing]

    def person(self, thing: CrmObject, person: Person) -> Person:
        """What of a person may stand in it."""
        return Person(
            name=self._kept(thing, CrmField.NAME, person.name),
            phone=self._kept(thing, CrmField.PHONE, person.phone),
            email=self._kept(thing, CrmField.EMAIL, person.email),
            username=self._kept(thing, CrmField.USERNAME, person.username),
            channel_user_id=self._kept(thing, CrmField.CHANNEL_USER_ID, person.channel_user_id),
        )

    def release(self, command: CrmCommand) -> CrmCommand:
        """The command with what its objects may have and nothing else. A second call changes nothing."""
        if isinstance(command, CreateLead):
            return self._lead(command)
        if isinstance(command, UpdateLead):
            return replace(
                command,
                person=self.person(CrmObject.LEAD, command.person),
                contact=self.person(CrmObject.CONTACT, command.for_contact),
            )
        if isinstance(command, EraseLead):  # names of CRM entries alone
            return command
        has_words = command.is_ours or self.allows(CrmObject.ENTRY, CrmField.MESSAGE)
        has_name = self.allows(CrmObject.ENTRY, CrmField.NAME)
        return replace(command, author=command.author if has_name else "", text=command.text if has_words else "")

    def _lead(self, command: CreateLead) -> CreateLead:
        lead, deal = self._request(CrmObject.LEAD, command.for_lead), self._request(CrmObject.DEAL, command.for_deal)
        return replace(
            command,
            title=lead.title,
            person=lead.person,
            comment=lead.comment,
            service=lead.service,
            preferred_time=lead.preferred_time,
            utm=lead.utm,
            contact=self.person(CrmObject.CONTACT, command.for_contact),
            # The comment is long: it stands twice only where the two differ.
            deal=None if deal == replace(lead, person=replace(lead.person, email=None)) else deal,
        )

    def _request(self, thing: CrmObject, given: LeadParts) -> LeadParts:
        return LeadParts(
            title=given.title if self.allows(thing, CrmField.NAME) else given.title_nameless,
            title_nameless=given.title_nameless,
            person=self.person(thing, given.person),
            comment=given.comment if self.allows(thing, CrmField.MESSAGE) else "",
            service=self._kept(thing, CrmField.SERVICE, given.service),
            preferred_time=given.preferred_time if self.allows(thing, CrmField.PREFERRED_TIME) else None,
            utm=self._utm(thing, given.utm),
        )

    def _utm(self, thing: CrmObject, utm: Utm) -> Utm:
        return Utm(
            source=self._kept(thing, CrmField.UTM_SOURCE, utm.source),
            medium=self._kept(thing, CrmField.UTM_MEDIUM, utm.medium),
            campaign=self._kept(thing, CrmField.UTM_CAMPAIGN, utm.campaign),
            content=self._kept(thing, CrmField.UTM_CONTENT, utm.content),
            term=self._kept(thing, CrmField.UTM_TERM, utm.term),
        )

    def _kept(self, thing: CrmObject, name: CrmField, value: str | None) -> str | None:
        return value if self.allows(thing, name) else None
