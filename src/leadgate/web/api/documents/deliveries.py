"""Deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadgate.model.deliveries import AttemptKind, AttemptOutcome, DeliveryKind, DeliveryState
from leadgate.model.views import DeadCause, DeliveryDetail, DeliveryRow, LeadData
from leadgate.web.api.documents.plain import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDocument:
    """The duty to bring one thing to one target.

    Attributes:
        connection: id of the target; empty while no CRM is connected.
        next_try: when it is sent or looked up next; null when nothing is planned.
        error_code: of the last attempt that failed.
        external_id: the target's id of the result, for instance `lead:48211`.
    """

    id: str
    kind: DeliveryKind
    state: DeliveryState
    connection: str
    event: str | None
    lead: str | None
    attempts: int
    created_at: Moment
    next_try: Moment | None
    done_at: Moment | None
    error_code: str | None
    external_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptDocument:
    """One try; sends and look-ups are counted together, from 1. `finished_at` is null while its end is not known."""

    number: int
    kind: AttemptKind
    outcome: AttemptOutcome
    started_at: Moment
    finished_at: Moment | None
    error_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FateDocument:
    """What became of a message after the messenger took it.

    Attributes:
        status: `sent`, `delivered`, `read` or `failed`.
        error_code: the messenger's own code of a failed one.
        at: when it became so.
    """

    status: str
    error_code: str | None
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDetailDocument(DeliveryDocument):
    """A delivery with every attempt.

    Attributes:
        origin_id: the handle under which the CRM knows it; null for messages.
        received_at: when the event that it comes from was on disk.
        discarded_by: who gave it up: id of a person or a token, or `command`; null when nobody did.
        fate: of a message, what became of it after it was sent; null when nobody knows.
    """

    origin_id: str | None
    received_at: Moment | None
    discard_reason: str | None
    discarded_by: str | None
    history: Sequence[AttemptDocument]
    fate: FateDocument | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadCauseDocument:
    """Dead letters that gave up for the same cause. `cause` is their error code, empty for those without one."""

    cause: str
    count: int
    since: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class RetriedDocument:
    """How many are sent again."""

    retried: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStateDocument:
    """Where a delivery stands after what was asked for."""

    delivery: str
    state: DeliveryState


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadDataDocument:
    """What a dead command says of a lead (personal data).

    Attributes:
        phone: E.164.
        comment: null where the command has none, as in an update.
    """

    name: str | None
    phone: str | None
    email: str | None
    comment: str | None


def delivery_document(row: DeliveryRow) -> DeliveryDocument:
    """A delivery of a listing."""
    return DeliveryDocument(
        id=row.delivery_id,
        kind=row.kind,
        state=row.state,
        connection=row.connection_id,
        event=row.event_id,
        lead=row.lead_id,
        attempts=row.attempts,
        created_at=row.created_at,
        next_try=row.due_at,
        done_at=row.done_at,
        error_code=row.error_code,
        external_id=row.external_id,
    )


def delivery_detail_document(detail: DeliveryDetail) -> DeliveryDetailDocument:
    """A delivery with its history."""
    row, fate = detail.row, detail.fate
    return DeliveryDetailDocument(
        id=row.delivery_id,
        kind=row.kind,
        state=row.state,
        connection=row.connection_id,
        event=row.event_id,
        lead=row.lead_id,
        attempts=row.attempts,
        created_at=row.created_at,
        next_try=row.due_at,
        done_at=row.done_at,
        error_code=row.error_code,
        external_id=row.external_id,
        origin_id=detail.origin_id,
        received_at=detail.received_at,
        discard_reason=detail.discard_reason,
        discarded_by=detail.discarded_by,
        history=[
            AttemptDocument(
                number=attempt.number,
                kind=attempt.kind,
                outcome=attempt.outcome,
                started_at=attempt.started_at,
                finished_at=attempt.finished_at,
                error_code=attempt.error_code,
            )
            for attempt in detail.attempts
        ],
        fate=None if fate is None else FateDocument(status=fate.status, error_code=fate.error_code, at=fate.at),
    )


def dead_cause_document(found: DeadCause) -> DeadCauseDocument:
    """A cause and its count."""
    return DeadCauseDocument(cause=found.code, count=found.count, since=found.since)


def lead_data_document(data: LeadData) -> LeadDataDocument:
    """The data of the form that corrects a dead command."""
    return LeadDataDocument(name=data.name, phone=data.phone, email=data.email, comment=data.comment)
