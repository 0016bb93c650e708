"""What is kept, seen from the domains: units of work over stores. Ciphertext goes in and out; sealing is the vault's.

A unit of work is a plain function of a `Transaction`. It runs whole or not at all, may run again when it lost a race, and
so must not do anything but read and write stores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from leadgate.model.connections import CheckReport, Connection, ConnectionState
from leadgate.model.deliveries import AttemptKind, AttemptOutcome, DeliveryKind, DeliveryState
from leadgate.model.events import EventState
from leadgate.model.leads import LeadRef, LeadState
from leadgate.model.staff import Staff
from leadgate.model.webhooks import Receipt

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One salon."""

    workspace_id: str
    name: str
    locale: str
    time_zone: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedKey:
    """A data key as it lies on disk: sealed by the key encryption key."""

    scope: str
    wrapped_key: bytes
    wrapper_key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """A verified webhook on its way to disk.

    Attributes:
        natural_key: blind index of the vendor's key, 16 bytes.
        part: which of the lanes of the inbox works on it, 0 to `INBOX_PARTS` - 1; equal for a conversation.
        key_scope: which data key sealed the body.
    """

    event_id: str
    connection_id: str
    natural_key: bytes
    part: int
    received_at: datetime
    key_scope: str
    sealed_body: bytes


INBOX_PARTS = 16
"""Lanes of the inbox: events of one conversation share one, so they are worked on in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as it lies on disk."""

    seq: int
    event_id: str
    connection_id: str
    part: int
    state: EventState
    reason: str | None
    received_at: datetime
    key_scope: str
    sealed_body: bytes | None
    subject_id: str | None
    lead_id: str | None
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredConversation:
    """A conversation with one chat of one connection; its state is sealed under the subject's key."""

    conversation_id: str
    connection_id: str
    subject_id: str
    sealed_state: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """One message of a conversation, sealed under the subject's key."""

    number: int
    message_id: str
    subject_id: str
    outgoing: bool
    sealed_body: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLead:
    """A lead as we know it."""

    lead_id: str
    subject_id: str
    crm_connection_id: str | None
    origin_id: str
    state: LeadState
    ref: LeadRef | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDelivery:
    """A delivery as it lies on disk; the payload is sealed under the subject's key.

    Attributes:
        attempts: sends and look-ups so far, the number of the last one.
        failures: failed sends of this delivery's own fault since the last retry by a human.
    """

    delivery_id: str
    lane: str
    kind: DeliveryKind
    connection_id: str
    event_id: str | None
    lead_id: str | None
    subject_id: str
    state: DeliveryState
    due_at: datetime | None
    attempts: int
    failures: int
    sealed_payload: bytes
    created_at: datetime
    external_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on a lane until `until`; `fence` grows with every change of holder."""

    lane: str
    connection_id: str | None
    holder: str
    fence: int
    until: datetime
    failures: int
    problem: str | None
    problem_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSecret:
    """One version of a secret; `live_until` None means until further notice."""

    connection_id: str
    name: str
    version: int
    sealed_value: bytes
    created_at: datetime
    live_until: datetime | None


class KeyStore(Protocol):
    """Wrapped data keys by scope (`intake`, `secrets`, `index`, or a subject id)."""

    def find(self, scope: str) -> WrappedKey | None:
        """The wrapped key, or None when there is none (never made, or destroyed)."""
        ...

    def add(self, key: WrappedKey, *, at: datetime) -> None:
        """Keep a new wrapped key."""
        ...


class EventStore(Protocol):
    """Received events."""

    def pending_parts(self) -> Sequence[int]:
        """Parts of the inbox in which something waits."""
        ...

    def pending(self, part: int, *, limit: int) -> Sequence[StoredEvent]:
        """Oldest events of a part that nobody worked on, those of paused connections left out."""
        ...

    def find(self, event_id: str) -> StoredEvent | None:
        """One event."""
        ...

    def finish(
        self,
        event_id: str,
        *,
        state: EventState,
        reason: str | None,
        subject_id: str | None,
        lead_id: str | None,
        resealed: tuple[str, bytes] | None,
        at: datetime,
    ) -> bool:
        """Give a received event its end. False when it had one already. `resealed` is a new key scope and body."""
        ...

    def count_failure(self, event_id: str) -> int:
        """Count a failed try to work on it; returns how many there are now."""
        ...

    def reopen(self, event_id: str) -> bool:
        """Put a failed or ignored event back to be worked on; False when it is in another state."""
        ...

    def give_up_pending(self, connection_id: str, *, reason: str, at: datetime) -> int:
        """Events of a removed connection that nobody worked on become failed, kept for a human; returns how many."""
        ...

    def move_to_lead(self, event_id: str, lead_id: str) -> None:
        """The event now belongs to another lead (the first was closed meanwhile)."""
        ...


class SubjectStore(Protocol):
    """People and what they are known by (blind indexes only)."""

    def find_by(self, kind: str, value_index: bytes) -> str | None:
        """Whose identifier this is."""
        ...

    def add(self, subject_id: str, *, at: datetime) -> None:
        """Keep a new subject."""
        ...

    def add_identifier(self, subject_id: str, kind: str, value_index: bytes, *, at: datetime) -> None:
        """Tie an identifier to a subject; no effect when somebody has it already."""
        ...

    def find_profile(self, subject_id: str) -> bytes | None:
        """The sealed profile, or None."""
        ...

    def set_profile(self, subject_id: str, sealed_profile: bytes) -> None:
        """Replace the sealed profile."""
        ...


class ConversationStore(Protocol):
    """Conversations and their messages."""

    def find(self, connection_id: str, chat_index: bytes) -> StoredConversation | None:
        """The conversation with this chat."""
        ...

    def add(self, conversation: StoredConversation, chat_index: bytes, *, at: datetime) -> None:
        """Keep a new conversation."""
        ...

    def set_state(self, conversation_id: str, sealed_state: bytes, *, at: datetime) -> None:
        """Replace the sealed state."""
        ...

    def add_message(
        self,
        conversation_id: str,
        *,
        message_id: str,
        subject_id: str,
        outgoing: bool,
        sealed_body: bytes,
        at: datetime,
    ) -> None:
        """Append a message; one with the same id is not added twice."""
        ...

    def messages(self, conversation_id: str, *, after: int, limit: int) -> Sequence[StoredMessage]:
        """Messages with a greater number, oldest first."""
        ...


class LeadStore(Protocol):
    """Leads."""

    def find_current(self, subject_id: str) -> StoredLead | None:
        """The pending or open lead of a person."""
        ...

    def find(self, lead_id: str) -> StoredLead | None:
        """One lead."""
        ...

    def add(self, lead: StoredLead) -> None:
        """Keep a new lead. Loses the race (and the unit runs again) when the person has a current one."""
        ...

    def settle(
        self, lead_id: str, *, state: LeadState, ref: LeadRef | None, at: datetime, crm_connection_id: str | None = None
    ) -> None:
        """Set the state; a ref or a CRM of None keeps the one it has."""
        ...


class DeliveryStore(Protocol):
    """Deliveries and their attempts."""

    def add(self, delivery: StoredDelivery) -> None:
        """Keep a new delivery at the end of its lane."""
        ...

    def open_in_lane(self, lane: str, *, limit: int) -> Sequence[StoredDelivery]:
        """Open deliveries of a lane, oldest first, parked ones left out."""
        ...

    def find(self, delivery_id: str) -> StoredDelivery | None:
        """One delivery."""
        ...

    def start_attempt(self, delivery: StoredDelivery, *, kind: AttemptKind, at: datetime) -> None:
        """Count and write an attempt; for a send the state becomes `sending`."""
        ...

    def end_attempt(
        self, delivery_id: str, number: int, *, outcome: AttemptOutcome, error_code: str | None, at: datetime
    ) -> None:
        """Write how an attempt ended."""
        ...

    def settle(
        self,
        delivery_id: str,
        *,
        state: DeliveryState,
        due_at: datetime | None,
        failures: int,
        error_code: str | None,
        error_detail: str | None,
        external_id: str | None,
        at: datetime,
    ) -> None:
        """Give a delivery its new state."""
        ...

    def reopen(self, delivery_id: str, *, at: datetime) -> StoredDelivery | None:
        """Put a dead or uncertain delivery back to `waiting`, due now, blame cleared; None when it is in another state."""
        ...

    def discard(self, delivery_id: str, *, reason: str, at: datetime) -> StoredDelivery | None:
        """Give a waiting, dead or uncertain delivery up; None when it is in another state."""
        ...

    def park(self, delivery_id: str) -> None:
        """Nothing to do for it until `unpark` of its lead."""
        ...

    def unpark(self, lead_id: str, *, at: datetime) -> None:
        """The lead is in the CRM: its parked entries are due."""
        ...

    def move_open(self, connection_id: str, *, to_connection_id: str, to_lane: str) -> int:
        """Every open delivery of a connection goes to another one, in the same order; returns how many. Wake the lane yourself."""
        ...

    def dead(self, *, limit: int) -> Sequence[StoredDelivery]:
        """Dead letters, oldest first."""
        ...

    def of_lead(self, lead_id: str) -> Sequence[StoredDelivery]:
        """Open deliveries of a lead, oldest first."""
        ...

    def replace(
        self, delivery_id: str, *, kind: DeliveryKind, lead_id: str, sealed_payload: bytes, due_at: datetime
    ) -> None:
        """Give an open delivery a new payload and lead, back to `waiting`."""
        ...


class LaneStore(Protocol):
    """Lanes and their leases."""

    def wake(self, lane: str, *, connection_id: str | None, due_at: datetime) -> None:
        """Make sure that the lane is looked at by `due_at` at the latest."""
        ...

    def claim(self, *, holder: str, now: datetime, until: datetime, limit: int) -> Sequence[Lease]:
        """Take lanes with work due that nobody holds (paused connections left out); each claim raises the fence."""
        ...

    def claim_one(self, lane: str, *, holder: str, now: datetime, until: datetime) -> Lease | None:
        """Take this lane unless somebody else holds it; makes it when it is new."""
        ...

    def renew(self, lease: Lease, *, until: datetime) -> bool:
        """Keep a lane for longer; False when it was lost."""
        ...

    def hold(self, lease: Lease) -> bool:
        """Lock the lane's row for this transaction; False when the lease was lost, then nothing may be written."""
        ...

    def release(
        self,
        lease: Lease,
        *,
        due_at: datetime | None,
        failures: int,
        problem: str | None,
        problem_since: datetime | None,
    ) -> None:
        """Give the lane back; its next look is at `due_at`, None when it has no work. No effect when the lease was lost.

        Call it in the transaction that read the lane's deliveries under `hold`, so that none that is added meanwhile is overlooked.
        """
        ...

    def resume(self, connection_id: str, *, now: datetime) -> None:
        """Look at every lane of a connection now, its waiting time forgiven."""
        ...


class ConnectionStore(Protocol):
    """Connections and their secrets."""

    def all(self, *, removed: bool = False) -> Sequence[Connection]:
        """Connections, oldest first."""
        ...

    def find(self, connection_id: str) -> Connection | None:
        """One connection, removed ones too."""
        ...

    def refuse_taken(self, name: str) -> None:
        """Raises ConflictError when a live connection has the name."""
        ...

    def add(self, connection: Connection) -> None:
        """Keep a new connection. Raises ConflictError when a live one has the name."""
        ...

    def set_state(self, connection_id: str, state: ConnectionState, *, at: datetime) -> None:
        """Change the state."""
        ...

    def set_settings(self, connection_id: str, settings: Mapping[str, str], *, at: datetime) -> None:
        """Replace the public settings."""
        ...

    def retire_secret(self, connection_id: str, name: str, *, at: datetime) -> int:
        """Every version of a secret stops being live; returns the newest version's number, 0 when there is none."""
        ...

    def set_report(self, connection_id: str, report: CheckReport, *, at: datetime) -> None:
        """Keep the result of a live check."""
        ...

    def version(self) -> object:
        """Changes whenever any connection or secret changed; compare only for equality."""
        ...

    def add_secret(self, secret: StoredSecret) -> None:
        """Keep a new version of a secret."""
        ...

    def live_secrets(self, *, now: datetime) -> Sequence[StoredSecret]:
        """Live secrets of all connections, newest version first."""
        ...


class StaffStore(Protocol):
    """People who sign in, their set-up addresses and sessions."""

    def add(self, person: Staff) -> None:
        """Keep a new person without a password."""
        ...

    def all(self) -> Sequence[Staff]:
        """Everybody who is not disabled."""
        ...

    def find(self, staff_id: str) -> Staff | None:
        """One person who is not disabled."""
        ...

    def has_password(self, staff_id: str) -> bool:
        """True when the person has set one."""
        ...

    def find_password(self, name_key: str) -> tuple[Staff, str] | None:
        """The person of this sign-in name and the password hash."""
        ...

    def set_password(self, staff_id: str, *, name: str, name_key: str, password_hash: str) -> None:
        """Set name and password. Raises ConflictError when somebody else has the name."""
        ...

    def add_setup_token(self, token_hash: bytes, *, staff_id: str, expires_at: datetime) -> None:
        """Keep a one-time address; older ones of the person stop working."""
        ...

    def find_setup_token(self, token_hash: bytes, *, now: datetime) -> str | None:
        """Whose live one-time address this is."""
        ...

    def use_setup_token(self, token_hash: bytes, *, now: datetime) -> str | None:
        """Use a one-time address up; returns whose it was, None when it is not live."""
        ...

    def add_session(
        self, token_hash: bytes, *, staff_id: str, csrf_token: str, now: datetime, expires_at: datetime
    ) -> None:
        """Keep a session."""
        ...

    def find_session(self, token_hash: bytes, *, now: datetime) -> tuple[str, str, datetime, datetime] | None:
        """Staff id, CSRF token, last seen and absolute end of a live session."""
        ...

    def touch_session(self, token_hash: bytes, *, now: datetime) -> None:
        """The session was used now."""
        ...

    def end_session(self, token_hash: bytes) -> None:
        """End a session."""
        ...

    def end_sessions_of(self, staff_id: str) -> None:
        """End every session of a person."""
        ...

    def failures(self, name_key: str) -> tuple[int, datetime] | None:
        """Failed sign-ins in a row and the time of the last."""
        ...

    def count_failure(self, name_key: str, *, at: datetime) -> None:
        """Count a failed sign-in."""
        ...

    def clear_failures(self, name_key: str) -> None:
        """A sign-in succeeded."""
        ...


class SalonStore(Protocol):
    """The salon's own entries (services, masters, hours, texts) as JSON by kind."""

    def put(self, kind: str, entry_id: str, *, position: int, body: str) -> None:
        """Keep or replace an entry."""
        ...

    def all(self, kind: str) -> Sequence[tuple[str, str]]:
        """Entry ids and bodies of a kind, in order."""
        ...


class Transaction(Protocol):
    """The stores of one workspace inside one transaction."""

    @property
    def workspace_id(self) -> str:
        """Whose rows these are."""
        ...

    @property
    def keys(self) -> KeyStore:
        """Wrapped data keys."""
        ...

    @property
    def events(self) -> EventStore:
        """Received events."""
        ...

    @property
    def subjects(self) -> SubjectStore:
        """People."""
        ...

    @property
    def conversations(self) -> ConversationStore:
        """Conversations."""
        ...

    @property
    def leads(self) -> LeadStore:
        """Leads."""
        ...

    @property
    def deliveries(self) -> DeliveryStore:
        """Deliveries."""
        ...

    @property
    def lanes(self) -> LaneStore:
        """Lanes."""
        ...

    @property
    def connections(self) -> ConnectionStore:
        """Connections."""
        ...

    @property
    def staff(self) -> StaffStore:
        """Staff."""
        ...

    @property
    def salon(self) -> SalonStore:
        """The salon's book."""
        ...

    def add_refusals(self, counts: Mapping[tuple[str, str], int], *, at: datetime) -> None:
        """Count requests refused at the door, by connection id ("" when unknown) and code."""
        ...

    def note_event(self, connection_id: str, *, at: datetime) -> None:
        """The connection sent us something at this time."""
        ...

    def add_reconciliation(self, *, started_at: datetime, result: str) -> None:
        """Keep the result of a reconciliation as JSON."""
        ...


class Storage(Protocol):
    """Runs units of work."""

    async def write(self, unit: Callable[[Transaction], T]) -> T:
        """Run a unit and commit; returns after the commit is on disk.

        Raises:
            StorageUnavailableError: could not commit (disk full, locked, away); nothing was kept.
        """
        ...

    async def read(self, unit: Callable[[Transaction], T]) -> T:
        """Run a unit that only reads, on a snapshot.

        Raises:
            StorageUnavailableError: the database is away.
        """
        ...

    async def receive(self, event: NewEvent) -> Receipt:
        """The hot path: keep an event unless its natural key is known; returns after the commit is on disk.

        Raises:
            OverloadedError: too many are waiting for the disk.
            StorageUnavailableError: could not commit; nothing was kept.
        """
        ...


__all__ = [
    "INBOX_PARTS",
    "ConnectionStore",
    "ConversationStore",
    "DeliveryStore",
    "EventStore",
    "KeyStore",
    "LaneStore",
    "LeadStore",
    "Lease",
    "NewEvent",
    "SalonStore",
    "StaffStore",
    "Storage",
    "StoredConversation",
    "StoredDelivery",
    "StoredEvent",
    "StoredLead",
    "StoredMessage",
    "StoredSecret",
    "SubjectStore",
    "Transaction",
    "Workspace",
    "WrappedKey",
]
