"""Requests of people about their own data, and what happened to them. Words and notes are ciphertext here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from leadgate.model.requests import RequestKind, RequestOutcome, RequestState, RequestStep, RequestWay


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequest:
    """A request.

    Attributes:
        subject_id: whose it is; None while that is not known.
        key_scope: under which key words and notes are sealed.
        is_journaled: the audit journal holds that it was opened.
    """

    request_id: str
    kind: RequestKind
    way: RequestWay
    state: RequestState
    subject_id: str | None
    event_id: str | None
    received_at: datetime
    due_on: date
    key_scope: str
    sealed_words: bytes | None = field(repr=False)
    outcome: RequestOutcome | None = None
    closed_at: datetime | None = None
    is_journaled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStep:
    """A step of a request, numbered from 1."""

    number: int
    step: RequestStep
    at: datetime
    by: str
    sealed_note: bytes | None = field(repr=False)


class RequestStore(Protocol):
    """Requests and their steps."""

    def add(self, request: StoredRequest) -> None:
        """Keep a new one."""
        ...

    def find(self, request_id: str) -> StoredRequest | None:
        """One request."""
        ...

    def find_open(self, subject_ids: Sequence[str], kind: RequestKind) -> StoredRequest | None:
        """The oldest open request of this kind of these people, who may be one."""
        ...

    def open(self) -> Sequence[StoredRequest]:
        """Every open request, the most urgent first."""
        ...

    def closed(self, *, limit: int, skipped: int) -> Sequence[StoredRequest]:
        """Closed requests, the one that was closed last first; so many of them are left out at the beginning."""
        ...

    def unjournaled(self, *, limit: int) -> Sequence[StoredRequest]:
        """Requests that the audit journal does not know yet, oldest first."""
        ...

    def note_journaled(self, request_id: str) -> None:
        """The audit journal knows of it."""
        ...

    def of_subjects(self, subject_ids: Sequence[str]) -> Sequence[StoredRequest]:
        """Every request of these people, oldest first."""
        ...

    def change(self, request: StoredRequest) -> None:
        """Replace everything but what it is known by."""
        ...

    def add_step(self, request_id: str, step: StoredStep) -> None:
        """Append a step."""
        ...

    def steps(self, request_id: str) -> Sequence[StoredStep]:
        """What happened, oldest first."""
        ...

    def reseal_note(self, request_id: str, number: int, sealed_note: bytes | None) -> None:
        """Put another note in a step's place; None: nothing."""
        ...

    def forget_words(self, subject_ids: Sequence[str]) -> int:
        """Drop what people wrote and what was noted about them; the requests themselves stay. How many there were."""
        ...
