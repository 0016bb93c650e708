"""Requests of people about their own data, for the API and the commands. Words are personal data and stand apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from leadgate.model.requests import (
    RequestDetail,
    RequestKind,
    RequestOutcome,
    RequestState,
    RequestStep,
    RequestView,
    RequestWay,
    RequestWords,
)
from leadgate.web.api.documents.plain import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDocument:
    """One request.

    Attributes:
        subject: whose it is; null while that is not known. event: the message of a chat that it came with.
        due_on: the last day for the answer, `2026-12-07`, in the salon's zone.
        days_left: working days after today until then; 0 on the last one, negative afterwards; null when it is closed.
        is_late: the last day is over and it is not closed.
        is_estimate: the Government's transfers of days off of that year are not known here yet.
    """

    id: str
    kind: RequestKind
    way: RequestWay
    state: RequestState
    subject: str | None
    event: str | None
    received_at: Moment
    due_on: str
    days_left: int | None
    is_late: bool
    is_estimate: bool
    outcome: RequestOutcome | None
    closed_at: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestStepDocument:
    """One step of the history; `by` is a member of the staff, `command`, a token, or the client."""

    number: int
    step: RequestStep
    at: Moment
    by: str
    has_note: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDetailDocument:
    """One request with its history.

    Attributes:
        has_words: the person's own words are kept.
        extended_on: the last day if it were extended today; null when it cannot be.
    """

    request: RequestDocument
    has_words: bool
    extended_on: str | None
    history: Sequence[RequestStepDocument]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestNoteDocument:
    """What was noted with a step."""

    number: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWordsDocument:
    """Personal data: the person's own words (null when there are none, or erased), and the notes."""

    request: str
    words: str | None
    notes: Sequence[RequestNoteDocument]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestIdDocument:
    """A request that was just written down."""

    request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestStateDocument:
    """Where a request stands now."""

    request: str
    state: RequestState


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTermDocument:
    """The new last day of a request."""

    request: str
    due_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPersonDocument:
    """It is known whose it is."""

    request: str
    assigned: bool = True


def request_document(view: RequestView) -> RequestDocument:
    """One request."""
    return RequestDocument(
        id=view.request_id,
        kind=view.kind,
        way=view.way,
        state=view.state,
        subject=view.subject_id,
        event=view.event_id,
        received_at=view.received_at,
        due_on=view.due_on.isoformat(),
        days_left=view.days_left if view.is_open else None,
        is_late=view.is_late,
        is_estimate=view.is_estimate,
        outcome=view.outcome,
        closed_at=view.closed_at,
    )


def request_detail_document(detail: RequestDetail) -> RequestDetailDocument:
    """One request with its history."""
    return RequestDetailDocument(
        request=request_document(detail.view),
        has_words=detail.has_words,
        extended_on=_day(detail.extended_on),
        history=[
            RequestStepDocument(number=step.number, step=step.step, at=step.at, by=step.by, has_note=step.has_note)
            for step in detail.steps
        ],
    )


def request_words_document(request_id: str, read: RequestWords) -> RequestWordsDocument:
    """What is written in a request."""
    notes = [RequestNoteDocument(number=number, note=note) for number, note in read.notes]
    return RequestWordsDocument(request=request_id, words=read.words, notes=notes)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
