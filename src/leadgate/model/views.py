"""What pages, the API and the commands read: rows and details, without personal data unless a field says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from leadgate.model.connections import CheckReport, Connection
from leadgate.model.deliveries import Attempt, DeliveryKind, DeliveryState, MessageFate
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
        ignored: nothing to do, or nothing any more; the reason stands with the event.
        erased: how many of the ignored belonged to a person who was erased on request.
    """

    received: int
    in_crm: int
    waiting: int
    dead: int
    answered: int
    ignored: int
    erased: int = 0


class EndState(StrEnum):
    """The one named state that a received event stands in."""

    DELIVERED = "delivered"
    WAITING = "waiting"
    ANSWERED = "answered"
    """By the bot; no lead came of it."""
    IGNORED = "ignored"
    REFUSED = "refused"
    """By the CRM, or it could not be worked on: a human has to look."""
    ERASED = "erased"
    """On request of the person it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventEnd:
    """What became of an event, as it is told to people.

    Attributes:
        why: a code: of the catalogue's `why.…` (for instance `look_up`), a reason of the event, or of the error that holds it up.
        until: when the next try or look is due, for one that waits; None when nobody knows.
        note: the words of the human who gave it up.
    """

    state: EndState
    why: str | None = None
    until: datetime | None = None
    note: str | None = None


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
    ending: EventEnd


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
        discarded_by: of one that was given up: id of the person, or `command`; `discarded_by_name` their name.
        fate: of a message, what became of it after it was sent; None when nobody knows.
    """

    row: DeliveryRow
    origin_id: str | None
    received_at: datetime | None
    attempts: Sequence[Attempt]
    discard_reason: str | None
    discarded_by: str | None = None
    discarded_by_name: str | None = None
    fate: MessageFate | None = None


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


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Personal data masked on its way out within one hour; a number without a word of content.

    Attributes:
        place: `crm` or `messenger`.
        kind: a label of the detector, or `SERVICE`.
    """

    hour: datetime
    place: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRow:
    """A lead in a listing."""

    lead_id: str
    state: LeadState
    origin_id: str
    crm_ref: LeadRef | None
    created_at: datetime
    closed_at: datetime | None
    crm_connection_id: str | None = None


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
class DeadCause:
    """Dead letters that gave up for the same cause.

    Attributes:
        code: their error code; "" for those without one.
        since: when the oldest of them was decided on.
    """

    code: str
    count: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadData:
    """What a command for the CRM says of a lead and a person may correct (personal data).

    Attributes:
        phone: E.164.
        comment: the client's request; None where the command has none, as in an update.
    """

    name: str | None
    phone: str | None
    email: str | None
    comment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that a reconciliation found.

    Attributes:
        code: of a difference `missing_in_crm`, `doubled_in_crm`, `stranger_in_crm`, `unsettled_event`; of a note, which is no
            loss, `moved_in_crm`, `closed_in_crm`, `accepted_in_crm`.
        explained: what it means and what to do, in the salon's language.
    """

    code: str
    event_id: str | None
    lead_id: str | None
    origin_id: str | None
    crm_ids: Sequence[str]
    explained: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedLead:
    """A lead that somebody deleted in the CRM on purpose and said so: it is missing there, and that is no difference.

    Attributes:
        crm_id: where it stood, for instance `lead:48211`.
        by: id of the person, or `command`; `by_name` their name, None for a command.
        reason: their words.
    """

    lead_id: str
    event_id: str
    crm_id: str | None
    at: datetime
    by: str
    by_name: str | None
    reason: str


class Cause(StrEnum):
    """Why a reconciliation was made."""

    COMMAND = "command"
    PAGE = "page"
    NIGHT = "night"
    LATE = "late"
    """The last one was too long ago, for instance after the house had stood still."""
    RESTORE = "restore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Result of comparing our ledger with the CRM.

    Attributes:
        since: only leads made since then were asked for; None means all.
        erased: how many of `ignored` were erased on request.
        crm_asked: False when no CRM is connected, so that nothing was compared.
        swept_since: from when on the CRM was swept for our mark; None means from the beginning.
        leads_swept: how many leads with our mark the sweep read.
        strangers: how many of them nobody here knows; the first of them are named in `differences`.
        notes: what is worth knowing but no loss.
    """

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
    cause: Cause = Cause.COMMAND
    erased: int = 0
    crm_asked: bool = True
    swept_since: datetime | None = None
    leads_swept: int = 0
    strangers: int = 0
    notes: Sequence[Difference] = ()


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
