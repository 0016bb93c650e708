"""Everything that is held of one person, as it is handed to them: plain records that become JSON and a readable page.

Names are English because programs read them; `explained` says in Russian what each part is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadgate.model.leads import CrmRecord

FORMAT = "leadgate.person/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledProfile:
    """What is known of the person in one of their channels; `opened` is false when its key was destroyed."""

    subject: str
    since: datetime
    opened: bool
    name: str | None
    phone: str | None
    email: str | None
    username: str | None
    channel_user_id: str | None
    blocked_at: datetime | None
    block_reason: str | None
    erased_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledIdentifier:
    """What the person is recognised by; `value` is null when only an irreversible mark of it is kept."""

    subject: str
    kind: str
    value: str | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledJoin:
    """Two channels that turned out to be one person."""

    subject: str
    joined_to: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledConsent:
    """One decision about a consent.

    Attributes:
        text: what was shown and decided on, word for word; None where nothing of ours was shown.
        words: the person's own answer.
        told_version: how a bot builder names the text that it showed.
    """

    number: int
    purpose: str
    decision: str
    decided_at: datetime
    recorded_at: datetime
    event: str
    channel: str | None
    how: str | None
    text: str | None
    words: str | None
    told_version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledInvitation:
    """A one-time link to another channel; the link itself is not kept."""

    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledMessage:
    """One message.

    Attributes:
        direction: `from_person` or `to_person`.
        status: of ours, what the messenger said became of it; of theirs `edited` or `deleted`.
    """

    id: str
    at: datetime
    direction: str
    text: str | None
    buttons: Sequence[str]
    taken_back: bool
    status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledConversation:
    """One chat: where it is, what the bot remembers of it, and every message."""

    id: str
    channel: str
    channel_name: str
    address: str | None
    remembered: Mapping[str, str]
    heard_at: datetime | None
    unreachable_since: datetime | None
    unreachable_code: str | None
    opted_out_at: datetime | None
    messages: Sequence[FiledMessage]


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledEvent:
    """What a channel sent us, as it came.

    Attributes:
        body: the decoded body; null when it is not kept any more, or when others' messages stand in it.
        said: of a body that is withheld for the sake of others, what this person said in it.
        withheld: why the body is not shown, or null.
    """

    id: str
    channel: str
    channel_name: str
    received_at: datetime
    state: str
    reason: str | None
    lead: str | None
    body: Any
    said: Sequence[Mapping[str, str]]
    withheld: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledLead:
    """A request as we know it; `crm` is its record there, for instance `lead:48211`."""

    id: str
    state: str
    origin: str
    crm: str | None
    created_at: datetime
    closed_at: datetime | None
    deletion_accepted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledAttempt:
    """One try to hand something over."""

    number: int
    kind: str
    outcome: str
    started_at: datetime
    finished_at: datetime | None
    error_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledDelivery:
    """What went out, or was to go, to the CRM or a messenger; `content` is what it says, field by field."""

    id: str
    kind: str
    recipient: str
    state: str
    created_at: datetime
    done_at: datetime | None
    error_code: str | None
    record: str | None
    content: Mapping[str, str]
    opened: bool
    status: str | None
    attempts: Sequence[FiledAttempt]


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledCrm:
    """What the CRM holds.

    Attributes:
        state: `asked`, `nothing_there`, `not_connected` or `not_reached`.
        withheld: how many contacts are not shown because they belong to somebody else as well.
    """

    state: str
    asked_at: datetime | None
    records: Sequence[CrmRecord]
    withheld: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledPart:
    """A part that another room adds, row by row; `title` in Russian."""

    name: str
    title: str
    rows: Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFile:
    """The whole file.

    Attributes:
        subjects: every id of ours that is this person, the one that stands for them first.
        explained: in Russian, what each part is and why it is held.
        retention: for how many days what is kept, by kind.
    """

    format: str
    made_at: datetime
    salon: str
    subject: str
    subjects: Sequence[str]
    explained: Mapping[str, str]
    profiles: Sequence[FiledProfile]
    identifiers: Sequence[FiledIdentifier]
    joins: Sequence[FiledJoin]
    consents: Sequence[FiledConsent]
    invitations: Sequence[FiledInvitation]
    conversations: Sequence[FiledConversation]
    events: Sequence[FiledEvent]
    leads: Sequence[FiledLead]
    deliveries: Sequence[FiledDelivery]
    crm: FiledCrm
    retention: Mapping[str, int]
    more: Sequence[FiledPart]
