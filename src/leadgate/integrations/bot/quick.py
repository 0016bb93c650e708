"""The usual lead at a glance: is it sound, and whose is it? What is not plainly sound is left to `schema`, which names mistakes.

The door asks this of every lead; reading it into the model takes ten times as long and is done once, when the lead is worked on.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from leadgate.intake.phones import find_e164
from leadgate.integrations.bot.schema import (
    MESSAGE_LIMIT,
    SHORT_LIMIT,
    find_channel,
    find_email,
    find_moment,
    find_username,
)
from leadgate.model.leads import Person

_Short: TypeAlias = Annotated[str, Meta(max_length=SHORT_LIMIT)] | None
_Long: TypeAlias = Annotated[str, Meta(max_length=MESSAGE_LIMIT)] | None


class _Contact(Struct):
    name: _Short = None
    phone: _Short = None
    email: _Short = None
    username: _Short = None
    channel_user_id: _Short = None


class _Consent(Struct):
    given_at: _Short = None
    policy_version: _Short = None


class _Utm(Struct):
    source: _Short = None
    medium: _Short = None
    campaign: _Short = None
    content: _Short = None
    term: _Short = None


class _Lead(Struct):
    channel: _Short = None
    contact: _Contact | None = None
    message: _Long = None
    service: _Short = None
    preferred_time: _Short = None
    consent: _Consent | None = None
    utm: _Utm | None = None


_DECODER = msgspec.json.Decoder(_Lead)


def find_sender(body: bytes) -> tuple[str, Person] | None:
    """Channel and identifiers of a sound lead, as `schema.read_lead` would give them; None when that has to be asked."""
    try:
        lead = _DECODER.decode(body)
        body.decode()  # the decoder passes over fields that it does not know without a look at their letters
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    contact = lead.contact
    channel = find_channel(lead.channel or "")
    if not channel or contact is None or not _is_sound(lead.preferred_time, lead.consent):
        return None
    person = Person(
        name=None,
        phone=contact.phone and find_e164(contact.phone),
        email=contact.email and _plain(contact.email) and find_email(contact.email),
        username=contact.username and _plain(contact.username) and find_username(contact.username),
        channel_user_id=_plain(contact.channel_user_id),
    )
    return (channel, person) if _is_complete(person, contact) else None


def _is_sound(preferred_time: str | None, consent: _Consent | None) -> bool:
    if preferred_time and find_moment(preferred_time) is None:
        return False
    return consent is None or bool(
        _plain(consent.policy_version) and consent.given_at and find_moment(consent.given_at)
    )


def _plain(text: str | None) -> str | None:
    """The text, or None when `schema` would change it or take it for absent."""
    return text if text and text.isprintable() and not text.isspace() else None


def _is_complete(person: Person, contact: _Contact) -> bool:
    """True when everything given was understood, and there is something."""
    if not (person.phone or person.email or person.username or person.channel_user_id):
        return False
    return (
        (not contact.phone or bool(person.phone))
        and (not contact.email or bool(person.email))
        and (not contact.username or bool(person.username))
        and (not contact.channel_user_id or bool(person.channel_user_id))
    )
