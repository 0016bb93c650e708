"""Who receives personal data of clients: the host, its country, what goes there, and what the owner decided about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

RUSSIA = "RU"
"""ISO 3166 code of the country in which the salon's data may lie without a decision."""


class DataKind(StrEnum):
    """A kind of personal data, as the map lists it."""

    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    USERNAME = "username"
    CHANNEL_ID = "channel_id"
    WORDS = "words"
    """What the client writes."""
    ANSWERS = "answers"
    """What the salon answers."""
    REQUEST = "request"
    """Service and time that the client asks for."""
    ADVERTISING_TAGS = "advertising_tags"
    CONSENT = "consent"


class Role(StrEnum):
    """What a recipient is to the salon."""

    CRM = "crm"
    CHANNEL = "channel"
    """A messenger that the client chose and writes in."""
    RELAY = "relay"
    """A server between us and a messenger that is not the messenger's own."""
    SOURCE = "source"
    """Brings data to us; nothing goes there."""
    SITE = "site"
    """The chat on the salon's own page: the client reads it from us."""
    ALERTS = "alerts"
    DATABASE = "database"
    ENTRANCE = "entrance"
    """The address that the world reaches us by."""
    KEYS = "keys"
    """Keeps the key that opens the data keys."""


class Place(StrEnum):
    """Where a host is."""

    HOUSE = "house"
    """This machine or the salon's own network."""
    RUSSIA = "russia"
    ABROAD = "abroad"
    UNKNOWN = "unknown"


class Standing(StrEnum):
    """Whether data may go there."""

    FINE = "fine"
    CHANNEL_ABROAD = "channel_abroad"
    """The client's own choice of messenger: allowed by default, said plainly."""
    NOTHING_PERSONAL = "nothing_personal"
    """Abroad or unknown, but no personal data of clients goes there."""
    ALLOWED = "allowed"
    """Abroad, by a decision of the owner."""
    UNDECIDED = "undecided"
    """Abroad or unknown, and nobody has decided: off for anything new."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """What the product knows of a host by itself.

    Attributes:
        country: ISO 3166 code, or "" when it is abroad in several or unnamed countries, or not known.
        source: where we have it from, `source_ru` the same in Russian; `checked_on` when, as a date. "" for what is in no list.
    """

    host: str
    place: Place
    country: str = ""
    source: str = ""
    source_ru: str = ""
    checked_on: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the owner decided about a host.

    Attributes:
        country: where the owner says that the host is; "" when it stays unnamed.
        reason: the owner's own words; kept with the rule and never in the journal.
        rkn_notice: reference of the notice of cross-border transfer to Roskomnadzor, or "".
    """

    is_allowed: bool
    country: str
    reason: str
    rkn_notice: str
    decided_by: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One row of the map.

    Attributes:
        key: tells rows apart: a connection's or address's id, or the name of a role.
        title: what people call it.
        host: "" when it has none that we know.
        goes: kinds of data that go there; `comes` those that come from there. In the order of the labels.
        labels: what of free text may pass to it besides, as labels of the detector.
        since: since when it receives; None when it always was so.
        is_paused: nothing goes there now because a person paused it.
    """

    key: str
    role: Role
    kind: str
    title: str
    host: str
    place: Place
    country: str
    standing: Standing
    goes: Sequence[DataKind]
    comes: Sequence[DataKind]
    labels: Sequence[str]
    since: datetime | None
    is_paused: bool
    facts: HostFacts
    decision: Decision | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataMap:
    """Every recipient as the configuration stands now; those that want a decision first."""

    made_at: datetime
    recipients: Sequence[Recipient]

    @property
    def undecided(self) -> Sequence[Recipient]:
        """Those about which nobody has decided."""
        return [one for one in self.recipients if one.standing is Standing.UNDECIDED]
