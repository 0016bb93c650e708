"""Everything that is kept of one person, found by the person, and the flag that holds all of it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from leadgate.model.deliveries import Attempt
from leadgate.ports.stores.records import StoredDelivery, StoredEvent, StoredLead


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSubject:
    """A subject as it lies on disk, without the profile; `block_reason` is one of `model.subjects.BlockReason`."""

    subject_id: str
    created_at: datetime
    erased_at: datetime | None
    blocked_at: datetime | None
    block_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIdentifier:
    """That a subject is known by something of this kind; the value itself is a blind index."""

    subject_id: str
    kind: str
    value_index: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredJoin:
    """Two subjects that turned out to be one person."""

    subject_id: str
    into_subject_id: str
    reason: str
    joined_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInvitation:
    """A one-time link to another channel."""

    subject_id: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonsLead:
    """A lead with its end; `accepted_at` when its deletion in the CRM was called right."""

    lead: StoredLead
    closed_at: datetime | None
    accepted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonsDelivery:
    """A delivery with its end."""

    delivery: StoredDelivery
    error_code: str | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """What was let go."""

    deliveries: int
    too_late: int
    events: int


class PersonStore(Protocol):
    """What there is of a person. `subject_ids` are all that are the person."""

    def blocked(self, subject_ids: Collection[str]) -> frozenset[str]:
        """Those of these whose data only lie here; asked before every step of a lane."""
        ...

    def has_blocked(self) -> bool:
        """Whether anybody is blocked at all; asked for every event."""
        ...

    def hold_back(self, delivery_ids: Sequence[str], *, code: str) -> None:
        """These deliveries wait until `resume`, for this reason."""
        ...

    def find(self, subject_id: str) -> StoredSubject | None:
        """One subject."""
        ...

    def all_of(self, subject_ids: Sequence[str]) -> Sequence[StoredSubject]:
        """The subjects, oldest first."""
        ...

    def set_blocked(self, subject_ids: Sequence[str], *, reason: str, at: datetime) -> None:
        """From the commit on nothing new of them is called; the first time and reason of one that is blocked stand."""
        ...

    def set_unblocked(self, subject_ids: Sequence[str]) -> None:
        """Their data are worked with again."""
        ...

    def in_hand(self, subject_ids: Sequence[str]) -> int:
        """How many of their deliveries are being sent; waits for transactions that are about to start sending one."""
        ...

    def resume(self, subject_ids: Sequence[str], *, code: str, messages_since: datetime, at: datetime) -> Resumed:
        """Everything that waits for this reason is due now and its lanes are woken; events with the reason are worked on again.

        Args:
            messages_since: messages from before are dead instead: nobody expects them any more.
        """
        ...

    def count_waiting(self, subject_ids: Sequence[str]) -> int:
        """Their deliveries that are not over."""
        ...

    def identifier_kinds(self) -> Sequence[str]:
        """Every kind of identifier that there is, for instance `phone` and `username:telegram`."""
        ...

    def identifiers(self, subject_ids: Sequence[str]) -> Sequence[StoredIdentifier]:
        """What they are known by, oldest first."""
        ...

    def drop_identifier(self, subject_ids: Sequence[str], kind: str, value_index: bytes) -> bool:
        """They are not known by this any more; False when it is not theirs."""
        ...

    def joins(self, subject_ids: Sequence[str]) -> Sequence[StoredJoin]:
        """How they became one person, oldest first."""
        ...

    def invitations(self, subject_ids: Sequence[str]) -> Sequence[StoredInvitation]:
        """Links that were made for them, oldest first."""
        ...

    def events(self, subject_ids: Sequence[str], *, after: int, limit: int) -> Sequence[StoredEvent]:
        """Received events of theirs with a greater number, oldest first."""
        ...

    def leads(self, subject_ids: Sequence[str]) -> Sequence[PersonsLead]:
        """Their leads, oldest first."""
        ...

    def deliveries(
        self, subject_ids: Sequence[str], *, after: int, limit: int
    ) -> Sequence[tuple[int, PersonsDelivery]]:
        """Their deliveries with a greater number, oldest first, each with its number."""
        ...

    def attempts(self, delivery_ids: Sequence[str]) -> Mapping[str, Sequence[Attempt]]:
        """Every try of these deliveries, in order."""
        ...

    def counts(self, subject_ids: Sequence[str]) -> Mapping[str, int]:
        """How many rows of what there are: messages, events, leads, deliveries, waiting, consents, invitations."""
        ...
