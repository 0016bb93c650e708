"""What pages, the API and the commands read: rows and details, without personal data unless a field says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from leadgate.model.connections import CheckReport, Connection
from leadgate.model.deliveries import Attempt, DeliveryKind, DeliveryState
from leadgate.model.events import EventState, NormalisedEvent
from leadgate.model.leads import LeadRef, LeadState

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing, newest first; `next_cursor` is None on the last one."""

    items: Sequence[T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The owner's numbers of a period: `came` is always `in_crm` + `waiting` + `dead`.

    A request is a lead that somebody wrote to in the period, however many messages that took, or an event that is not worked on.

    Attributes:
        in_crm: everything of the period is in the CRM.
        waiting: something is still on its way, the unknown outcomes among it.
        dead: something gave up; a human has to look.
        answered: events beside them that the bot answered without a lead.
        ignored: events beside them with nothing to do.
    """

    came: int
    in_crm: int
    waiting: int
    dead: int
    answered: int
    ignored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Every received event of a period in exactly one named state, so that `received` is the sum of the others.

    Attributes:
        in_crm: became a lead or an entry, and all of it is in the CRM.
        waiting: not worked on yet, or something is on its way to the CRM.
        dead: a delivery gave up, or the event could not be worked on.
        answered: the bot answered; no lead came of it.
        ignored: nothing to do; the reason stands with the event.
    """

    received: int
    in_crm: int
    waiting: int
    dead: int
    answered: int
    ignored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """A received event in a listing."""

    event_id: str
    connection_id: str
    connection_kind: str
    connection_name: str
    state: EventState
    reason: str | None
    received_at: datetime
    lead_id: str | None
    crm_ref: LeadRef | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """A delivery in a listing.

    Attributes:
        attempts: how many were made.
        due_at: next try or look-up; None when none is planned.
        error_code: of the last attempt that failed.
        external_id: the target's id of the result, for instance `lead:48211`.
    """

    delivery_id: str
    kind: DeliveryKind
    state: DeliveryState
    connection_id: str
    connection_kind: str
    connection_name: str
    connection_paused: bool
    event_id: str | None
    lead_id: str | None
    attempts: int
    created_at: datetime
    due_at: datetime | None
    done_at: datetime | None
    error_code: str | None
    external_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDetail:
    """A delivery with its whole history.

    Attributes:
        origin_id: the handle under which the CRM knows it; None for messages.
        received_at: when the event it comes from was on disk.
    """

    row: DeliveryRow
    origin_id: str | None
    received_at: datetime | None
    attempts: Sequence[Attempt]
    discard_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDetail:
    """An event with what it said (personal data!) and what became of it."""

    row: EventRow
    facts: Sequence[NormalisedEvent]
    deliveries: Sequence[DeliveryRow]


class Light(StrEnum):
    """The light of a connection on the owner's page."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    PAUSED = "paused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionView:
    """A connection with its light.

    Attributes:
        problem: code of what is wrong (for instance `bitrix24.revoked`), or None.
        since: since when the problem lasts.
        waiting: open deliveries to it.
        last_event_at: when it last sent us something.
        report: the last live check, or None when there was none; `checked_at` its time.
    """

    connection: Connection
    title: str
    mark: str
    light: Light
    problem: str | None
    since: datetime | None
    waiting: int
    last_event_at: datetime | None
    report: CheckReport | None
    checked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRow:
    """Requests refused at the door, counted by connection, reason and hour."""

    connection_id: str | None
    connection_name: str | None
    code: str
    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRow:
    """A lead in a listing."""

    lead_id: str
    state: LeadState
    origin_id: str
    crm_ref: LeadRef | None
    created_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryCounts:
    """How many deliveries stand where, for the filter tabs.

    Attributes:
        waiting: those that are sent now among them.
        unknown: those that only a person can clear up (uncertain) among them.
        done: with those that were given up; None when they are not counted, for there may be millions.
    """

    waiting: int
    unknown: int
    dead: int
    done: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that does not add up in a reconciliation.

    Attributes:
        code: `missing_in_crm`, `doubled_in_crm`, `unsettled_event`.
    """

    code: str
    event_id: str | None
    lead_id: str | None
    origin_id: str | None
    crm_ids: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Result of comparing our ledger with the CRM."""

    started_at: datetime
    finished_at: datetime
    since: datetime | None
    received: int
    in_crm: int
    waiting: int
    answered: int
    ignored: int
    dead: int
    leads_checked: int
    differences: Sequence[Difference]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message of a conversation (personal data).

    Attributes:
        number: grows within the workspace; pass the last one seen to get what is new.
        outgoing: True for what the salon said.
        buttons: quick answers under it.
    """

    number: int
    outgoing: bool
    text: str
    buttons: Sequence[str]
    at: datetime
