"""Requests of people about their own data, and their steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Integer, bindparam, insert, select, update

from leadgate.model.requests import RequestKind, RequestOutcome, RequestState, RequestStep, RequestWay
from leadgate.ports.stores.requests import StoredRequest, StoredStep
from leadgate.storage.base import LIMIT, SqlStore, given, of_workspace
from leadgate.storage.schema import REQUEST_IS_OPEN, REQUEST_IS_UNJOURNALED, request_steps, subject_requests

_OF_SUBJECTS = subject_requests.c.subject_id.in_(bindparam("subject_ids", expanding=True))
_ONE = (of_workspace(subject_requests), given(subject_requests.c.request_id))

_ADD = insert(subject_requests)
_FIND = select(subject_requests).where(*_ONE)
_FIND_OPEN = (
    select(subject_requests)
    .where(of_workspace(subject_requests), _OF_SUBJECTS, given(subject_requests.c.kind), REQUEST_IS_OPEN)
    .order_by(subject_requests.c.received_at)
    .limit(1)
)
_OPEN = (
    select(subject_requests)
    .where(of_workspace(subject_requests), REQUEST_IS_OPEN)
    .order_by(subject_requests.c.due_on, subject_requests.c.received_at, subject_requests.c.request_id)
)
_CLOSED = (
    select(subject_requests)
    .where(of_workspace(subject_requests), given(subject_requests.c.state))
    .order_by(subject_requests.c.closed_at.desc(), subject_requests.c.request_id.desc())
    .limit(LIMIT)
    .offset(bindparam("skipped", type_=Integer))
)
_UNJOURNALED = (
    select(subject_requests)
    .where(of_workspace(subject_requests), REQUEST_IS_UNJOURNALED)
    .order_by(subject_requests.c.received_at)
    .limit(LIMIT)
)
_NOTE_JOURNALED = update(subject_requests).where(*_ONE).values(is_journaled=1)
_ALL_OF = (
    select(subject_requests)
    .where(of_workspace(subject_requests), _OF_SUBJECTS)
    .order_by(subject_requests.c.received_at, subject_requests.c.request_id)
)
_CHANGE = update(subject_requests).where(*_ONE)
_FORGET_WORDS = (
    update(subject_requests)
    .where(of_workspace(subject_requests), _OF_SUBJECTS, subject_requests.c.sealed_words.is_not(None))
    .values(sealed_words=None)
)

_ADD_STEP = insert(request_steps)
_STEPS = (
    select(request_steps)
    .where(of_workspace(request_steps), given(request_steps.c.request_id))
    .order_by(request_steps.c.number)
)
_CHANGE_STEP = update(request_steps).where(
    of_workspace(request_steps), given(request_steps.c.request_id), given(request_steps.c.number)
)
_FORGET_NOTES = (
    update(request_steps)
    .where(
        of_workspace(request_steps),
        request_steps.c.sealed_note.is_not(None),
        request_steps.c.request_id.in_(
            select(subject_requests.c.request_id).where(of_workspace(subject_requests), _OF_SUBJECTS)
        ),
    )
    .values(sealed_note=None)
)


class SqlRequestStore(SqlStore):
    """See `ports.stores.RequestStore`."""

    def add(self, request: StoredRequest) -> None:
        """Keep a new one."""
        self._keep(_ADD, request_id=request.request_id, **_columns(request))

    def find(self, request_id: str) -> StoredRequest | None:
        """One request."""
        row = self._one(_FIND, for_request_id=request_id)
        return None if row is None else _request(row)

    def find_open(self, subject_ids: Sequence[str], kind: RequestKind) -> StoredRequest | None:
        """The oldest open one of this kind."""
        row = self._one(_FIND_OPEN, subject_ids=list(subject_ids), for_kind=kind.value)
        return None if row is None else _request(row)

    def open(self) -> Sequence[StoredRequest]:
        """By due day."""
        return [_request(row) for row in self._run(_OPEN)]

    def closed(self, *, limit: int, skipped: int) -> Sequence[StoredRequest]:
        """Last closed first."""
        found = self._run(_CLOSED, for_state=RequestState.CLOSED.value, limit=limit, skipped=skipped)
        return [_request(row) for row in found]

    def unjournaled(self, *, limit: int) -> Sequence[StoredRequest]:
        """Oldest first."""
        return [_request(row) for row in self._run(_UNJOURNALED, limit=limit)]

    def note_journaled(self, request_id: str) -> None:
        """The audit journal knows of it."""
        self._run(_NOTE_JOURNALED, for_request_id=request_id)

    def of_subjects(self, subject_ids: Sequence[str]) -> Sequence[StoredRequest]:
        """Every request of these people."""
        return [_request(row) for row in self._run(_ALL_OF, subject_ids=list(subject_ids))]

    def change(self, request: StoredRequest) -> None:
        """Replace everything but what it is known by."""
        self._run(_CHANGE, for_request_id=request.request_id, **_columns(request))

    def add_step(self, request_id: str, step: StoredStep) -> None:
        """Append a step."""
        self._keep(
            _ADD_STEP,
            request_id=request_id,
            number=step.number,
            step=step.step.value,
            at=step.at,
            by=step.by,
            sealed_note=step.sealed_note,
        )

    def steps(self, request_id: str) -> Sequence[StoredStep]:
        """Oldest first."""
        return [
            StoredStep(number=row.number, step=RequestStep(row.step), at=row.at, by=row.by, sealed_note=row.sealed_note)
            for row in self._run(_STEPS, for_request_id=request_id)
        ]

    def reseal_note(self, request_id: str, number: int, sealed_note: bytes | None) -> None:
        """Put another note in its place."""
        self._run(_CHANGE_STEP, for_request_id=request_id, for_number=number, sealed_note=sealed_note)

    def forget_words(self, subject_ids: Sequence[str]) -> int:
        """Words and notes."""
        people = list(subject_ids)
        notes: int = self._run(_FORGET_NOTES, subject_ids=people).rowcount
        words: int = self._run(_FORGET_WORDS, subject_ids=people).rowcount
        return notes + words


def _columns(request: StoredRequest) -> dict[str, object]:
    return {
        "kind": request.kind.value,
        "way": request.way.value,
        "state": request.state.value,
        "subject_id": request.subject_id,
        "event_id": request.event_id,
        "received_at": request.received_at,
        "due_on": request.due_on.isoformat(),
        "key_scope": request.key_scope,
        "sealed_words": request.sealed_words,
        "outcome": request.outcome,
        "closed_at": request.closed_at,
        "is_journaled": int(request.is_journaled),
    }


def _request(row: Any) -> StoredRequest:
    return StoredRequest(
        request_id=row.request_id,
        kind=RequestKind(row.kind),
        way=RequestWay(row.way),
        state=RequestState(row.state),
        subject_id=row.subject_id,
        event_id=row.event_id,
        received_at=row.received_at,
        due_on=date.fromisoformat(row.due_on),
        key_scope=row.key_scope,
        sealed_words=row.sealed_words,
        outcome=None if row.outcome is None else RequestOutcome(row.outcome),
        closed_at=row.closed_at,
        is_journaled=bool(row.is_journaled),
    )
