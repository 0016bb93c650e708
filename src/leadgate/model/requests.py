"""Requests of people about their own data: what is asked, how it came, until when it is answered. Identifiers and dates alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class RequestKind(StrEnum):
    """What a person wants done with their data."""

    ACCESS = "access"
    """To know what is kept, and to have it."""
    CORRECT = "correct"
    BLOCK = "block"
    """To have it left untouched until a question about it is settled."""
    ERASE = "erase"
    WITHDRAW = "withdraw"
    """A consent is taken back; what stood on it alone is to be destroyed."""
    STOP = "stop"
    """To have the processing stopped."""
    OTHER = "other"


class RequestWay(StrEnum):
    """How a request came."""

    CHAT = "chat"
    PAPER = "paper"
    EMAIL = "email"
    PERSON = "in_person"


class RequestState(StrEnum):
    """Where a request stands."""

    OPEN = "open"
    EXTENDED = "extended"
    """Open still, with a later day: the person was told why."""
    CLOSED = "closed"


class RequestOutcome(StrEnum):
    """How a request ended."""

    DONE = "done"
    REFUSED = "refused"
    """With the reason, which the person is told."""
    MISTAKEN = "mistaken"
    """It was none."""


class RequestStep(StrEnum):
    """What happened to a request."""

    OPENED = "opened"
    REPEATED = "repeated"
    """The person asked for the same again."""
    ASSIGNED = "assigned"
    """It became known whose it is."""
    EXTENDED = "extended"
    CLOSED = "closed"


OPEN_REQUESTS = (RequestState.OPEN, RequestState.EXTENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Until when a kind of request is answered.

    Attributes:
        days: the person is answered on the day with this number at the latest, counted from the day after it came.
        is_working: those days are working days; otherwise calendar days, cut back to a working day.
        extension: working days that a reasoned notice adds, once; 0 when the law knows no such thing.
        is_settled: False where the paragraph was not seen by us and a lawyer should look at it.
    """

    days: int
    is_working: bool = True
    extension: int = 0
    is_settled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """A request as lists show it, as of a day.

    Attributes:
        subject_id: whose it is; None while that is not known.
        event_id: the message of the chat that it came with.
        due_on: the last day, in the salon's zone.
        days_left: working days after today until `due_on`; 0 on the last one, negative afterwards.
        is_late: the last day is over and it is not closed.
        is_estimate: the Government's transfers of a year that the term touches are not in our calendar.
    """

    request_id: str
    kind: RequestKind
    way: RequestWay
    state: RequestState
    subject_id: str | None
    event_id: str | None
    received_at: datetime
    due_on: date
    outcome: RequestOutcome | None
    closed_at: datetime | None
    days_left: int
    is_late: bool
    is_estimate: bool

    @property
    def is_open(self) -> bool:
        """True until it is closed."""
        return self.state in OPEN_REQUESTS


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step of a request's history.

    Attributes:
        by: who: a staff id, `command`, `token:tok_…` or `client:subj_…`; `by_name` of a member of the staff.
        has_note: something was written down with it.
    """

    number: int
    step: RequestStep
    at: datetime
    by: str
    by_name: str | None
    has_note: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDetail:
    """One request with its history, oldest first.

    Attributes:
        has_words: the person's own words are kept.
        term: of its kind. extended_on: the last day if it were extended today; None when it cannot be.
    """

    view: RequestView
    steps: Sequence[StepView]
    has_words: bool
    term: Term
    extended_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWords:
    """What is written in a request: personal data.

    Attributes:
        words: the person's own; None when there are none, or when they were erased with the person.
        notes: ours, by number of the step.
    """

    words: str | None
    notes: Sequence[tuple[int, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A request that is written down by hand.

    Attributes:
        received_on: the day it came, in the salon's zone; None for today.
        who: phone, e-mail, user name or id of the person; None while it is not known.
        words: what the person wrote, or what they said.
    """

    kind: RequestKind
    way: RequestWay
    received_on: date | None = None
    who: str | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarYear:
    """A year of the working-day calendar; without a decree its days are an estimate."""

    year: int
    decree_number: str | None
    decree_date: date | None
