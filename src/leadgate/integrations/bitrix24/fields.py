"""From neutral commands to fields of `crm.item.*`, the mapping tables first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from leadgate.integrations.bitrix24.batch import Ref
from leadgate.integrations.bitrix24.texts import (
    MULTI_FIELD_LIMIT,
    NAME_LIMIT,
    TITLE_LIMIT,
    UTM_LIMIT,
    lead_comment,
    one_line,
)
from leadgate.model.leads import CreateLead, CrmEntity, Person, Utm

ORIGINATOR: Final = "leadgate"
ENTITY_TYPE: Final = {CrmEntity.LEAD: 1, CrmEntity.DEAL: 2}
CONTACT_TYPE: Final = 3

# Our word for a channel -> default codes of SOURCE_ID, best first. A portal's own source with the name of the
# channel is better than all of them; OTHER and WEB close every list.
SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "site": ("WEB", "WEBFORM"),
    "form": ("WEBFORM", "WEB"),
    "callback": ("CALLBACK", "CALL"),
    "phone": ("CALL",),
    "email": ("EMAIL",),
    "advertising": ("ADVERTISING",),
    "recommendation": ("RECOMMENDATION",),
    "partner": ("PARTNER",),
}
_LAST_SOURCES: Final = ("OTHER", "WEB")

# Our word for a channel -> type of a messenger in a multi-field; the documented list has no WhatsApp and no
# Instagram.
MESSENGERS: Final[Mapping[str, str]] = {
    "telegram": "TELEGRAM",
    "vk": "VK",
    "viber": "VIBER",
    "skype": "SKYPE",
}

Id = int | Ref


def source_id(channel: str, channel_title: str, sources: Mapping[str, str]) -> str | None:
    """SOURCE_ID of a channel in a portal with these sources (code to name), or None when nothing fits."""
    named = {name.strip().casefold(): code for code, name in sources.items()}
    by_name = named.get(channel_title.strip().casefold()) or named.get(channel.strip().casefold())
    wished = (by_name, channel.upper(), *SOURCES.get(channel.lower(), ()), *_LAST_SOURCES)
    return next((code for code in wished if code and code in sources), None)


def source_tag(command: CreateLead) -> str:
    """The readable tag of the channel, with the sender's own word where it says more."""
    title, word = one_line(command.channel_title, TITLE_LIMIT), one_line(command.channel, TITLE_LIMIT)
    if not title or title.casefold() == word.casefold():
        return title or word
    return f"{title} ({word})" if word and word.casefold() not in title.casefold() else title


def item_fields(
    command: CreateLead, *, entity: CrmEntity, contact: Id | None, sources: Mapping[str, str]
) -> dict[str, object]:
    """Fields of the new lead or deal; a deal has no name and no phone of its own, its contact has."""
    is_deal = entity is CrmEntity.DEAL
    said = command.for_deal if is_deal else command.for_lead
    fields: dict[str, object] = {
        "title": one_line(said.title, TITLE_LIMIT) or source_tag(command),
        "originatorId": ORIGINATOR,
        "originId": command.origin_id,
        "sourceId": source_id(command.channel, command.channel_title, sources),
        "sourceDescription": source_tag(command),
        "comments": lead_comment(said, channel_title=command.channel_title, with_person=is_deal),
        **utm_fields(said.utm),
    }
    if contact is not None:
        fields["contactIds"] = [contact]
    if not is_deal:
        fields |= {"name": short_name(said.person), "fm": multi_fields(said.person, command.channel)}
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def contact_fields(person: Person, *, origin_id: str, channel: str | None) -> dict[str, object]:
    """Fields of a new contact."""
    fields: dict[str, object] = {
        "name": short_name(person),
        "originatorId": ORIGINATOR,
        "originId": origin_id,
        "fm": multi_fields(person, channel),
    }
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def utm_fields(utm: Utm) -> dict[str, object]:
    """UTM marks, each cut at 600 characters."""
    marks = {
        "utmSource": utm.source,
        "utmMedium": utm.medium,
        "utmCampaign": utm.campaign,
        "utmContent": utm.content,
        "utmTerm": utm.term,
    }
    return {name: one_line(value, UTM_LIMIT) for name, value in marks.items() if value}


def short_name(person: Person) -> str:
    """The name as given, at most 50 characters (the portal's limit); the comment has a longer one in full."""
    return one_line(person.name or "", NAME_LIMIT)


def multi_fields(person: Person, channel: str | None = None) -> list[dict[str, object]]:
    """Phone, e-mail and messenger name as entries of `fm`."""
    entries = []
    if person.phone:
        entries.append(phone_entry(person.phone))
    if person.email:
        entries.append(email_entry(person.email))
    if person.username and channel is not None:
        entries.append(_entry("IM", MESSENGERS.get(channel.lower(), "OTHER"), person.username))
    return entries


def phone_entry(phone: str) -> dict[str, object]:
    """A phone as entry of `fm`."""
    return _entry("PHONE", "MOBILE", phone)


def email_entry(email: str) -> dict[str, object]:
    """An e-mail address as entry of `fm`."""
    return _entry("EMAIL", "WORK", email)


def phone_spellings(phone: str) -> list[str]:
    """Ways in which managers write this number; the search compares signs and takes at most 20 of them.

    E.164 and bare digits; of a Russian number also the 8, the bare ten digits and the usual spaces, hyphens and brackets.
    """
    digits = digits_of(phone)
    spellings = [phone, digits]
    if len(digits) == len("79000000000") and digits.startswith("7"):
        code, rest = digits[1:4], digits[4:]
        grouped = f"{rest[:3]}-{rest[3:5]}-{rest[5:]}"
        spellings += [f"8{digits[1:]}", digits[1:]]
        for country in ("+7", "8"):
            spellings += [f"{country} {code} {grouped}", f"{country} ({code}) {grouped}", f"{country}({code}){grouped}"]
            spellings += [f"{country} {code} {rest[:3]} {rest[3:5]} {rest[5:]}", f"{country}-{code}-{grouped}"]
    return list(dict.fromkeys(spellings))


def digits_of(phone: str) -> str:
    """Digits of a phone, a leading Russian 8 as 7, so that spellings compare equal."""
    digits = "".join(sign for sign in phone if sign.isascii() and sign.isdigit())
    return f"7{digits[1:]}" if len(digits) == len("89000000000") and digits.startswith("8") else digits


def person_keys(person: Person) -> Sequence[str]:
    """Keys under which a contact of this person is remembered, the strongest first."""
    keys = []
    if person.phone:
        keys.append(f"phone:{digits_of(person.phone)}")
    if person.email:
        keys.append(f"email:{person.email.strip().casefold()}")
    return keys


def _entry(type_id: str, value_type: str, value: str) -> dict[str, object]:
    return {"typeId": type_id, "valueType": value_type, "value": one_line(value, MULTI_FIELD_LIMIT)}
