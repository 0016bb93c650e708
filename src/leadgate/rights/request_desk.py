"""The desk of requests, for pages, API and commands alike: what is open, what to do about it, and a trace of every act."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from functools import partial
from typing import Protocol, TypeVar

from leadgate.audit.trail import recorded
from leadgate.crm.identity import Identities
from leadgate.errors import ConfigurationError, ConflictError, NotFoundError, UnknownKeyError
from leadgate.model.journal import JournalEntry, Tag
from leadgate.model.leads import Person
from leadgate.model.requests import (
    OPEN_REQUESTS,
    CalendarYear,
    NewRequest,
    RequestDetail,
    RequestOutcome,
    RequestView,
    RequestWords,
    StepView,
)
from leadgate.model.views import Page
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock
from leadgate.ports.journal import Journal
from leadgate.ports.stores import Storage, StoredRequest, StoredStep, Transaction
from leadgate.rights.answer_letter import Letter, print_answer
from leadgate.rights.requests import Asked, RequestBook
from leadgate.rights.terms import TERMS, local_day
from leadgate.vault.envelope import subject_scope

MAX_PAGE = 500
_JOURNALED_AT_ONCE = 100
_FIRST_YEAR = 2000
_log = get_logger("requests")
T = TypeVar("T")


class FindSubject(Protocol):
    """Who is known by a phone, an e-mail address, a user name or an id of ours."""

    def __call__(self, tx: Transaction, who: str) -> str | None:
        """The subject's id, or None."""
        ...


class RequestDesk:
    """See `web.house.Requests`."""

    def __init__(
        self,
        storage: Storage,
        book: RequestBook,
        journal: Journal,
        find_subject: FindSubject,
        identities: Identities,
        *,
        salon: str,
        locale: str,
        clock: Clock,
    ) -> None:
        """Journal every act; `salon` stands on the letters, which are in the language of `locale`."""
        self._storage = storage
        self._book = book
        self._journal = journal
        self._find_subject = find_subject
        self._identities = identities
        self._salon = salon
        self._locale = locale
        self._clock = clock

    async def page(self, *, is_open: bool | None = None, limit: int, cursor: str | None = None) -> Page[RequestView]:
        """Open ones by urgency, then closed ones, the last first; `is_open` asks for one half alone."""
        skipped, limit = _read_cursor(cursor), max(1, min(limit, MAX_PAGE))

        def unit(tx: Transaction) -> list[StoredRequest]:
            found = [] if is_open is False else list(tx.requests.open())
            rows = found[skipped : skipped + limit + 1]
            if is_open is not True and len(rows) <= limit:
                rest = tx.requests.closed(limit=limit + 1 - len(rows), skipped=max(0, skipped - len(found)))
                rows += rest
            return rows

        rows = await self._storage.read(unit)
        more = str(skipped + limit) if len(rows) > limit else None
        return Page([self._view(row) for row in rows[:limit]], more)

    async def detail(self, request_id: str) -> RequestDetail:
        """One request. Raises NotFoundError."""

        def unit(tx: Transaction) -> RequestDetail:
            request = self._book.get(tx, request_id)
            steps = [_step(tx, step) for step in tx.requests.steps(request_id)]
            return RequestDetail(
                view=self._view(request),
                steps=steps,
                has_words=request.sealed_words is not None,
                term=TERMS[request.kind],
                extended_on=self._book.extended_on(request, today=self.today()),
            )

        return await self._storage.read(unit)

    async def open(self, new: NewRequest, *, by: str) -> str:
        """Write a request down by hand; its id.

        Raises:
            ConfigurationError: the day it came is not over or never was (`request.day_wrong`).
            NotFoundError: nobody is known by `who`. JournalUnavailableError.
        """
        request_id, at = self._book.new_id(), self._clock.now()
        received_at = self._received_at(new.received_on)
        subject_id = await self._storage.read(lambda tx: self._whose(tx, new.who))
        asked = Asked(
            kind=new.kind, way=new.way, received_at=received_at, by=by, subject_id=subject_id, words=new.words
        )
        details = {"kind": new.kind.value, "way": new.way.value, **({"subject": subject_id} if subject_id else {})}
        entry = JournalEntry(tag=Tag.REQUEST_OPENED, by=by, on=request_id, details=details)
        return await self._journaled(entry, lambda tx: self._book.open(tx, request_id, asked, at=at).request_id)

    async def assign(self, request_id: str, who: str, *, by: str) -> None:
        """Say whose request it is. Raises NotFoundError, ConflictError, JournalUnavailableError."""
        at = self._clock.now()

        def look(tx: Transaction) -> str:
            request, subject_id = self._book.get(tx, request_id), self._whose(tx, who)
            if subject_id is None:
                raise ConfigurationError("Say who it is.", code="request.who_missing")
            if request.subject_id is not None:
                raise ConflictError(f"It is known whose request {request_id} is.", code="request.assigned")
            return subject_id

        subject_id = await self._storage.read(look)
        entry = JournalEntry(tag=Tag.REQUEST_ASSIGNED, by=by, on=request_id, details={"subject": subject_id})
        await self._journaled(entry, lambda tx: self._book.assign(tx, request_id, subject_id, by=by, at=at))

    async def extend(self, request_id: str, *, reason: str, by: str) -> date:
        """Move the last day on, with the reason that the person is told; the new day.

        Raises:
            NotFoundError, ConflictError (`request.not_extendable`), ConfigurationError (`request.reason_missing`),
            JournalUnavailableError.
        """
        at = self._clock.now()
        await self._storage.read(lambda tx: self._check_extendable(tx, request_id, reason))
        entry = JournalEntry(tag=Tag.REQUEST_EXTENDED, by=by, on=request_id)
        return await self._journaled(entry, lambda tx: self._book.extend(tx, request_id, reason, by=by, at=at).due_on)

    async def close(self, request_id: str, outcome: RequestOutcome, *, note: str = "", by: str) -> None:
        """End it.

        Raises:
            NotFoundError, ConflictError (`request.closed`), ConfigurationError (`request.reason_missing`),
            JournalUnavailableError.
        """
        at = self._clock.now()
        await self._storage.read(lambda tx: self._check_open(tx, request_id, outcome, note))
        entry = JournalEntry(tag=Tag.REQUEST_CLOSED, by=by, on=request_id, details={"outcome": outcome.value})
        await self._journaled(entry, lambda tx: self._book.close(tx, request_id, outcome, note, by=by, at=at))

    async def read(self, request_id: str, *, by: str) -> RequestWords:
        """What the person wrote and what we noted: personal data. Who looked is journaled first.

        Raises:
            NotFoundError, JournalUnavailableError.
        """
        await self._storage.read(lambda tx: self._book.get(tx, request_id))
        entry = JournalEntry(tag=Tag.REQUEST_READ, by=by, on=request_id, details={"what": "words"})
        await self._journal.record(entry)
        return await self._storage.read(lambda tx: self._book.read(tx, self._book.get(tx, request_id)))

    async def answer(self, request_id: str, *, by: str) -> bytes:
        """The letter to the person as PDF, filled in by kind and state. Who printed it is journaled first.

        Raises:
            NotFoundError, JournalUnavailableError, ConfigurationError (`report.failed`).
        """
        request, person, reason = await self._storage.read(lambda tx: self._for_letter(tx, request_id))
        entry = JournalEntry(tag=Tag.REQUEST_READ, by=by, on=request_id, details={"what": "letter"})
        await self._journal.record(entry)
        letter = Letter(
            request_id=request_id,
            kind=request.kind,
            state=request.state,
            outcome=request.outcome,
            received_on=local_day(request.received_at, self._book.zone),
            due_on=request.due_on,
            person=person.name,
            reason=reason,
            salon=self._salon,
        )
        return print_answer(letter, locale=self._locale, today=self.today(), at=self._clock.now())

    async def journal_arrivals(self) -> None:
        """Journal what came by chat since the last time. Twice is possible, never is not.

        A chat is worked on inside one transaction, which cannot wait for the journal: the request is written down with
        a mark that the journal owes it an entry.
        """
        waiting = await self._storage.read(lambda tx: tx.requests.unjournaled(limit=_JOURNALED_AT_ONCE))
        for request in waiting:
            by = "system" if request.subject_id is None else f"client:{request.subject_id}"
            details = {"kind": request.kind.value, "way": request.way.value}
            await self._journal.record(
                JournalEntry(tag=Tag.REQUEST_OPENED, by=by, on=request.request_id, details=details)
            )
            await self._storage.write(partial(_note_journaled, request_id=request.request_id))

    def today(self) -> date:
        """The salon's day."""
        return local_day(self._clock.now(), self._book.zone)

    def calendar(self) -> Sequence[CalendarYear]:
        """This year and the next one."""
        years, this = self._book.calendar.years, self.today().year
        found = [(year, years[year].decree if year in years else None) for year in (this, this + 1)]
        return [
            CalendarYear(
                year=year,
                decree_number=None if decree is None else decree.number,
                decree_date=None if decree is None else decree.date,
            )
            for year, decree in found
        ]

    async def _journaled(self, entry: JournalEntry, unit: Callable[[Transaction], T]) -> T:
        async with recorded(self._journal, entry):
            done = await self._storage.write(unit)
        _log.info("request.changed", request_id=entry.on, action=entry.by, outcome=entry.tag.value)
        return done

    def _view(self, request: StoredRequest) -> RequestView:
        calendar, today = self._book.calendar, self.today()
        received = local_day(request.received_at, self._book.zone)
        is_open = request.state in OPEN_REQUESTS
        return RequestView(
            request_id=request.request_id,
            kind=request.kind,
            way=request.way,
            state=request.state,
            subject_id=request.subject_id,
            event_id=request.event_id,
            received_at=request.received_at,
            due_on=request.due_on,
            outcome=request.outcome,
            closed_at=request.closed_at,
            days_left=calendar.working_days_between(today, request.due_on) if is_open else 0,
            is_late=is_open and today > request.due_on,
            is_estimate=not calendar.is_known(received, request.due_on),
        )

    def _received_at(self, day: date | None) -> datetime:
        """A request on paper has a day alone: its noon, so that no zone moves it."""
        now, today = self._clock.now(), self.today()
        if day is None or day == today:
            return now
        if day > today or day.year < _FIRST_YEAR:
            raise ConfigurationError("The day it came lies ahead, or is no day of ours.", code="request.day_wrong")
        return datetime.combine(day, time(12), tzinfo=self._book.zone)

    def _whose(self, tx: Transaction, who: str | None) -> str | None:
        if who is None or not who.strip():
            return None
        subject_id = self._find_subject(tx, who.strip())
        subject_id = None if subject_id is None else Identities.root(tx, subject_id)
        # The identifier may be personal: an error does not repeat it.
        if subject_id is None or tx.keys.find(subject_scope(subject_id)) is None:
            raise NotFoundError("Nobody is known by that.", hint="Give a phone, an e-mail address, or an id of ours.")
        return subject_id

    def _check_extendable(self, tx: Transaction, request_id: str, reason: str) -> None:
        request = self._book.get(tx, request_id)
        self._book.check_extendable(request, reason, today=self.today())

    def _check_open(self, tx: Transaction, request_id: str, outcome: RequestOutcome, note: str) -> None:
        self._book.check_closable(self._book.get(tx, request_id), outcome, note)

    def _for_letter(self, tx: Transaction, request_id: str) -> tuple[StoredRequest, Person, str]:
        """The request, whose it is, and the newest reason that was written down for the person."""
        request = self._book.get(tx, request_id)
        notes = self._book.read(tx, request).notes
        return request, self._person(tx, request.subject_id), notes[-1][1] if notes else ""

    def _person(self, tx: Transaction, subject_id: str | None) -> Person:
        if subject_id is None:
            return Person()
        try:
            return self._identities.profile(tx, Identities.root(tx, subject_id))
        except UnknownKeyError:  # erased: the letter goes to nobody by name
            return Person()


def _note_journaled(tx: Transaction, *, request_id: str) -> None:
    tx.requests.note_journaled(request_id)


def _step(tx: Transaction, step: StoredStep) -> StepView:
    staff = tx.staff.find(step.by) if step.by.startswith("staff_") else None
    return StepView(
        number=step.number,
        step=step.step,
        at=step.at,
        by=step.by,
        by_name=None if staff is None else staff.name,
        has_note=step.sealed_note is not None,
    )


def _read_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 10):  # noqa: PLR2004 - more than any salon will have
        raise ConfigurationError(
            "This cursor is not one of ours.", code="page.cursor_wrong", hint="Take `next` of the page before."
        )
    return int(cursor)
