"""A person as programs and commands see one: masked unless it was asked for openly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadgate.model.subjects import (
    Blocked,
    BlockReason,
    ChannelOfPerson,
    Corrected,
    Correction,
    CorrectionState,
    SubjectCard,
    Unblocked,
)
from leadgate.web.api.documents.plain import Moment


class SubjectState(StrEnum):
    """Where a person stands."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDocument:
    """The id that stands for the person."""

    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDocument:
    """A chat of the person, and whether they can be written to there."""

    kind: str
    connection: str
    name: str
    heard_at: Moment | None
    reachable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionDocument:
    """A correction on its way to the CRM, by its delivery; `crm` is the record, for instance `lead:48211`."""

    delivery: str
    crm: str | None
    state: CorrectionState
    created_at: Moment
    done_at: Moment | None
    error_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectDocument:
    """A person; `subjects` are all ids of ours that are this person, `counts` how many of what is held."""

    subject: str
    subjects: Sequence[str]
    state: SubjectState
    name: str | None
    phone: str | None
    email: str | None
    username: str | None
    channel_user_id: str | None
    identifiers: Sequence[str]
    channels: Sequence[ChannelDocument]
    counts: Mapping[str, int]
    since: Moment
    last_heard_at: Moment | None
    blocked_at: Moment | None
    block_reason: BlockReason | None
    erased_at: Moment | None
    corrections: Sequence[CorrectionDocument]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedDocument:
    """Names of the fields that changed, and the deliveries that tell the CRM."""

    subject: str
    fields: Sequence[str]
    orders: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedDocument:
    """Nothing new goes out; `in_hand` calls had begun before and have not ended yet."""

    subject: str
    blocked_at: Moment
    waiting: int
    in_hand: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnblockedDocument:
    """What goes on: deliveries, events that came meanwhile; messages that are too late wait for a human."""

    subject: str
    resumed: int
    reopened: int
    too_late: int


def subject_document(card: SubjectCard) -> SubjectDocument:
    """The document of a card."""
    return SubjectDocument(
        subject=card.subject_id,
        subjects=card.subject_ids,
        state=_state(blocked_at=card.blocked_at, erased_at=card.erased_at),
        name=card.name,
        phone=card.phone,
        email=card.email,
        username=card.username,
        channel_user_id=card.channel_user_id,
        identifiers=card.identifiers,
        channels=[_channel(one) for one in card.channels],
        counts=card.counts,
        since=card.since,
        last_heard_at=card.last_heard_at,
        blocked_at=card.blocked_at,
        block_reason=card.block_reason,
        erased_at=card.erased_at,
        corrections=[correction_document(one) for one in card.corrections],
    )


def correction_document(correction: Correction) -> CorrectionDocument:
    """The document of a correction."""
    return CorrectionDocument(
        delivery=correction.delivery_id,
        crm=correction.crm_ref,
        state=correction.state,
        created_at=correction.created_at,
        done_at=correction.done_at,
        error_code=correction.error_code,
    )


def corrected_document(done: Corrected) -> CorrectedDocument:
    """What a correction did."""
    return CorrectedDocument(subject=done.subject_id, fields=done.fields, orders=done.orders)


def blocked_document(done: Blocked) -> BlockedDocument:
    """What a block found."""
    return BlockedDocument(subject=done.subject_id, blocked_at=done.since, waiting=done.waiting, in_hand=done.in_hand)


def unblocked_document(done: Unblocked) -> UnblockedDocument:
    """What goes on."""
    return UnblockedDocument(
        subject=done.subject_id, resumed=done.resumed, reopened=done.reopened, too_late=done.too_late
    )


def _state(*, blocked_at: datetime | None, erased_at: datetime | None) -> SubjectState:
    if erased_at is not None:
        return SubjectState.ERASED
    return SubjectState.ACTIVE if blocked_at is None else SubjectState.BLOCKED


def _channel(channel: ChannelOfPerson) -> ChannelDocument:
    return ChannelDocument(
        kind=channel.kind,
        connection=channel.connection_id,
        name=channel.name,
        heard_at=channel.heard_at,
        reachable=channel.is_reachable,
    )
