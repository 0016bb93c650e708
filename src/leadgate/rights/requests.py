"""The book of requests inside a transaction: open, repeat, assign, extend, close. Journal and reads are `request_desk.py`'s."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo

from leadgate.crm.identity import Identities
from leadgate.errors import ConfigurationError, ConflictError, NotFoundError, TamperedError, UnknownKeyError
from leadgate.model.requests import (
    RequestKind,
    RequestOutcome,
    RequestState,
    RequestStep,
    RequestWay,
    RequestWords,
)
from leadgate.ports.clock import IdSource
from leadgate.ports.stores import StoredRequest, StoredStep, Transaction
from leadgate.rights.terms import due_day, extended_day, local_day
from leadgate.rights.working_days import WorkingDays
from leadgate.vault.envelope import Vault, subject_scope

MAX_WORDS = 4000
MAX_NOTE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asked for, before it is a request.

    Attributes:
        received_at: since when the term runs; the next day is its first.
        by: who writes it down: staff, `command`, a token, or the client.
        is_journaled: the audit journal knows of it already.
    """

    kind: RequestKind
    way: RequestWay
    received_at: datetime
    by: str
    subject_id: str | None = None
    event_id: str | None = None
    words: str = ""
    is_journaled: bool = True


class RequestBook:
    """Requests of one salon; words and notes are sealed under the person's key as soon as it is known whose they are."""

    def __init__(self, vault: Vault, ids: IdSource, calendar: WorkingDays, zone: tzinfo) -> None:
        """Days are those of the zone."""
        self._vault = vault
        self._ids = ids
        self.calendar = calendar
        self.zone = zone

    def new_id(self) -> str:
        """For a request that is journaled before it is written."""
        return self._ids.new("req")

    def open(self, tx: Transaction, request_id: str, asked: Asked, *, at: datetime) -> StoredRequest:
        """Keep a request."""
        scope = request_scope(request_id) if asked.subject_id is None else subject_scope(asked.subject_id)
        if asked.subject_id is None:
            self._vault.create_scope(tx, scope)
        words = asked.words.strip()[:MAX_WORDS]
        request = StoredRequest(
            request_id=request_id,
            kind=asked.kind,
            way=asked.way,
            state=RequestState.OPEN,
            subject_id=asked.subject_id,
            event_id=asked.event_id,
            received_at=asked.received_at,
            due_on=due_day(self.calendar, asked.kind, local_day(asked.received_at, self.zone)),
            key_scope=scope,
            sealed_words=self._seal(tx, scope, _words_place(request_id), words) if words else None,
            is_journaled=asked.is_journaled,
        )
        tx.requests.add(request)
        self._step(tx, request, RequestStep.OPENED, by=asked.by, at=at)
        return request

    def hear(self, tx: Transaction, asked: Asked, *, at: datetime) -> StoredRequest:
        """What a person asks for in a chat: a new request, or the open one of the same kind, whose term goes on as it was.

        An event that is worked on again opens nothing twice: the first request is open still.
        """
        if asked.subject_id is None:
            return self.open(tx, self.new_id(), asked, at=at)
        tx.subjects.lock(Identities.root(tx, asked.subject_id))
        known = tx.requests.find_open(Identities.everyone(tx, asked.subject_id), asked.kind)
        if known is None:
            return self.open(tx, self.new_id(), asked, at=at)
        if known.event_id != asked.event_id:
            self._step(tx, known, RequestStep.REPEATED, by=asked.by, at=at)
        return known

    def get(self, tx: Transaction, request_id: str) -> StoredRequest:
        """One request. Raises NotFoundError."""
        found = tx.requests.find(request_id)
        if found is None:
            raise NotFoundError(f"There is no request {request_id}.", hint="See: leadgate requests list")
        return found

    def assign(self, tx: Transaction, request_id: str, subject_id: str, *, by: str, at: datetime) -> StoredRequest:
        """It became known whose it is: words and notes move under that person's key.

        Raises:
            NotFoundError: no such request. ConflictError: it is somebody's already (`request.assigned`).
        """
        request = self.get(tx, request_id)
        if request.subject_id is not None:
            raise ConflictError(
                f"It is known whose request {request_id} is.",
                code="request.assigned",
                hint="If it is another person's, close it as mistaken and open a new one.",
            )
        moved = self._moved(tx, request, subject_id)
        tx.requests.change(moved)
        self._step(tx, moved, RequestStep.ASSIGNED, by=by, at=at)
        return moved

    def extended_on(self, request: StoredRequest, *, today: date) -> date | None:
        """The last day if it were extended now; None when it is closed, extended already, late, or of a kind that cannot be."""
        if request.state is not RequestState.OPEN or today > request.due_on:
            return None
        return extended_day(self.calendar, request.kind, request.due_on)

    def extend(self, tx: Transaction, request_id: str, reason: str, *, by: str, at: datetime) -> StoredRequest:
        """Move the last day on, once; the person is told why before the first one is over.

        Raises:
            NotFoundError: no such request. ConfigurationError: no reason (`request.reason_missing`).
            ConflictError: it cannot be extended (`request.not_extendable`).
        """
        request = self.get(tx, request_id)
        due = self.check_extendable(request, reason, today=local_day(at, self.zone))
        changed = replace(request, state=RequestState.EXTENDED, due_on=due)
        tx.requests.change(changed)
        self._step(tx, changed, RequestStep.EXTENDED, by=by, at=at, note=reason)
        return changed

    def close(
        self, tx: Transaction, request_id: str, outcome: RequestOutcome, note: str, *, by: str, at: datetime
    ) -> StoredRequest:
        """End it; a refusal says why.

        Raises:
            NotFoundError: no such request. ConfigurationError: a refusal without reason (`request.reason_missing`).
            ConflictError: it is closed already (`request.closed`).
        """
        request = self.get(tx, request_id)
        self.check_closable(request, outcome, note)
        changed = replace(request, state=RequestState.CLOSED, outcome=outcome, closed_at=at)
        tx.requests.change(changed)
        self._step(tx, changed, RequestStep.CLOSED, by=by, at=at, note=note)
        return changed

    def check_extendable(self, request: StoredRequest, reason: str, *, today: date) -> date:
        """The last day after an extension. Raises what `extend` raises."""
        due = self.extended_on(request, today=today)
        if due is None:
            raise ConflictError(
                f"The term of request {request.request_id} cannot be extended.",
                code="request.not_extendable",
                hint="Only an open request for access or to stop, once, and before its day is over.",
            )
        _check_reason(reason)
        return due

    @staticmethod
    def check_closable(request: StoredRequest, outcome: RequestOutcome, note: str) -> None:
        """Raises what `close` raises."""
        if request.state is RequestState.CLOSED:
            raise ConflictError(f"Request {request.request_id} is closed already.", code="request.closed")
        if outcome is RequestOutcome.REFUSED:
            _check_reason(note)

    def read(self, tx: Transaction, request: StoredRequest) -> RequestWords:
        """Words and notes; what was sealed for a person who is erased is gone."""
        notes = [
            (step.number, text)
            for step in tx.requests.steps(request.request_id)
            if (text := self._open(tx, request, _note_place(request, step.number), step.sealed_note)) is not None
        ]
        words = self._open(tx, request, _words_place(request.request_id), request.sealed_words)
        return RequestWords(words=words, notes=notes)

    def _moved(self, tx: Transaction, request: StoredRequest, subject_id: str) -> StoredRequest:
        scope, read = subject_scope(subject_id), self.read(tx, request)
        for number, text in read.notes:
            sealed = self._seal(tx, scope, _note_place(request, number), text)
            tx.requests.reseal_note(request.request_id, number, sealed)
        words = read.words
        return replace(
            request,
            subject_id=subject_id,
            key_scope=scope,
            sealed_words=None if words is None else self._seal(tx, scope, _words_place(request.request_id), words),
        )

    def _step(
        self, tx: Transaction, request: StoredRequest, step: RequestStep, *, by: str, at: datetime, note: str = ""
    ) -> None:
        steps = tx.requests.steps(request.request_id)
        number, text = steps[-1].number + 1 if steps else 1, note.strip()[:MAX_NOTE]
        sealed = self._seal_note(tx, request, number, text) if text else None
        tx.requests.add_step(request.request_id, StoredStep(number=number, step=step, at=at, by=by, sealed_note=sealed))

    def _seal_note(self, tx: Transaction, request: StoredRequest, number: int, text: str) -> bytes:
        """After a person was erased their key is gone; what is still to be noted then, is about the request alone."""
        place = _note_place(request, number)
        try:
            return self._seal(tx, request.key_scope, place, text)
        except UnknownKeyError:
            scope = request_scope(request.request_id)
            if tx.keys.find(scope) is None:
                self._vault.create_scope(tx, scope)
            return self._seal(tx, scope, place, text)

    def _seal(self, tx: Transaction, scope: str, place: str, text: str) -> bytes:
        return self._vault.seal(tx, scope, place, text.encode())

    def _open(self, tx: Transaction, request: StoredRequest, place: str, sealed: bytes | None) -> str | None:
        if sealed is None:
            return None
        try:
            return self._vault.open(tx, request.key_scope, place, sealed).decode()
        except UnknownKeyError:
            return self._open_by_request(tx, request, place, sealed)

    def _open_by_request(self, tx: Transaction, request: StoredRequest, place: str, sealed: bytes) -> str | None:
        scope = request_scope(request.request_id)
        if scope == request.key_scope or tx.keys.find(scope) is None:
            return None
        try:
            return self._vault.open(tx, scope, place, sealed).decode()
        except TamperedError:  # sealed for the person, before they were erased
            return None


def request_scope(request_id: str) -> str:
    """The scope of what stands in a request while nobody knows whose it is."""
    return f"request:{request_id}"


def _check_reason(text: str) -> None:
    if not text.strip():
        raise ConfigurationError("Say why: the person is told the reason.", code="request.reason_missing")


def _words_place(request_id: str) -> str:
    return f"subject_requests.words:{request_id}"


def _note_place(request: StoredRequest, number: int) -> str:
    return f"request_steps.note:{request.request_id}:{number}"
