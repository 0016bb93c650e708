"""Events: what came, what it said, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from leadgate.model.events import EventKind, EventState, NormalisedEvent
from leadgate.model.views import EndState, EventDetail, EventRow
from leadgate.web.api.documents.deliveries import DeliveryDocument, delivery_document
from leadgate.web.api.documents.plain import Moment

PERSONAL = ("sender_id", "event_key", "text", "phone", "message_id", "payload")
"""Fields of a fact that tell of a person; vendors put a client's number into their ids too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingDocument:
    """The one named state that an event stands in.

    Attributes:
        why: a code; null where there is nothing to explain.
        until: when the next try or look-up is due.
        note: the words of the person who gave it up.
    """

    state: EndState
    why: str | None
    until: Moment | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDocument:
    """A received event.

    Attributes:
        kind: of the connection, for instance `telegram`.
        reason: why it was ignored or failed.
        crm: the lead or deal that it is in, for instance `lead:48211`.
    """

    id: str
    connection: str
    kind: str
    state: EventState
    reason: str | None
    received_at: Moment
    lead: str | None
    crm: str | None
    ending: EndingDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class FactDocument:
    """One thing that an event said (personal data). Fields that do not apply are null.

    Attributes:
        account: which of the salon's accounts it came to.
        text: the client's own words, exactly.
        phone: E.164; `phone_verified` says whether it may be taken as the sender's own.
    """

    kind: EventKind
    account: str | None
    sender_id: str | None
    event_key: str | None
    text: str | None
    phone: str | None
    phone_verified: bool | None
    message_id: str | None
    payload: str | None
    status: str | None
    error_code: str | None
    occurred_at: Moment | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDetailDocument(EventDocument):
    """An event with what it said and the deliveries that came of it.

    Attributes:
        events: what it said; empty when the person was erased or the connection is paused.
        hidden: fields of `events` that are null because this role may not see them.
    """

    events: Sequence[FactDocument]
    deliveries: Sequence[DeliveryDocument]
    hidden: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStateDocument:
    """Where an event stands after what was asked for."""

    event: str
    state: EventState


def event_document(row: EventRow) -> EventDocument:
    """An event of a listing."""
    ref, ending = row.crm_ref, row.ending
    return EventDocument(
        id=row.event_id,
        connection=row.connection_id,
        kind=row.connection_kind,
        state=row.state,
        reason=row.reason,
        received_at=row.received_at,
        lead=row.lead_id,
        crm=None if ref is None else str(ref),
        ending=EndingDocument(state=ending.state, why=ending.why, until=ending.until, note=ending.note),
    )


def event_detail_document(detail: EventDetail, *, is_open: bool = True) -> EventDetailDocument:
    """An event with what it said; without what tells of a person unless `is_open`."""
    listed = event_document(detail.row)
    facts = [_fact(fact) for fact in detail.facts]
    return EventDetailDocument(
        id=listed.id,
        connection=listed.connection,
        kind=listed.kind,
        state=listed.state,
        reason=listed.reason,
        received_at=listed.received_at,
        lead=listed.lead,
        crm=listed.crm,
        ending=listed.ending,
        events=facts if is_open else [_hide(fact) for fact in facts],
        deliveries=[delivery_document(row) for row in detail.deliveries],
        hidden=[] if is_open else list(PERSONAL),
    )


def _fact(fact: NormalisedEvent) -> FactDocument:
    return FactDocument(
        kind=fact.kind,
        account=fact.account,
        sender_id=fact.sender_id,
        event_key=fact.event_key,
        text=fact.text,
        phone=fact.phone,
        phone_verified=fact.phone_verified,
        message_id=fact.message_id,
        payload=fact.payload,
        status=fact.status,
        error_code=fact.error_code,
        occurred_at=fact.occurred_at,
        reason=fact.reason,
    )


def _hide(fact: FactDocument) -> FactDocument:
    return replace(fact, sender_id=None, event_key=None, text=None, phone=None, message_id=None, payload=None)
