"""Who can still be written to, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadgate.model.leads import LeadRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachFacts:
    """What the report is made of, one line per row: joined subjects are people only when put together (`crm.reach_report`).

    Attributes:
        people: subjects that stand for themselves, erased ones left out.
        chats: subject and connection of every chat that can be written to.
        joins: subjects that are known as another one.
        with_phone: subjects of whom a phone is known.
        erased: subjects that were erased on request.
    """

    people: int
    chats: Sequence[tuple[str, str]]
    joins: Mapping[str, str]
    with_phone: frozenset[str]
    erased: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReach:
    """Who can be written to in a channel.

    Attributes:
        kind: of the integration; several connections of a kind are one channel.
        reachable: people who can be written to there.
        only_there: those of them who can be written to nowhere else.
        only_there_with_phone: those of the latter whose phone is known.
    """

    kind: str
    reachable: int
    only_there: int
    only_there_with_phone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachReport:
    """Who can be written to now; blocked chats and connections that are paused or removed do not count.

    Attributes:
        people: everybody we know, those from bot builders and forms too.
        reachable: who can be written to in some channel.
        several: who can be written to in more than one.
        channels: the most important first.
    """

    people: int
    reachable: int
    several: int
    channels: Sequence[ChannelReach]


@dataclass(frozen=True, slots=True, kw_only=True)
class LostPerson:
    """Somebody who could not be written to any more.

    Attributes:
        crm_ref: of their last lead that is in the CRM; None when there is none.
        has_phone: we know a phone, and so does the CRM.
    """

    subject_id: str
    crm_ref: LeadRef | None
    has_phone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationLink:
    """A link by which one person comes to another channel.

    Attributes:
        url: whoever opens it is taken for the person; good once, until `expires_at`.
    """

    connection_id: str
    kind: str
    url: str
    expires_at: datetime
