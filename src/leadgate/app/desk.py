"""What happened and what to do about it, for pages, API and commands alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from leadgate.alerts.causes import NEEDS_PERSON
from leadgate.app.acceptance import Acceptance
from leadgate.app.reconciler import Progress, Reconciler
from leadgate.app.reveals import Reveals
from leadgate.audit.trail import recorded
from leadgate.catalogue.meanings import meaning_of
from leadgate.connections.book import ConnectionBook
from leadgate.delivery.dead_letter import (
    confirm_delivery,
    discard_delivery,
    fix_delivery,
    open_lead_data,
    read_reason,
    retry_all_dead,
    retry_delivery,
)
from leadgate.delivery.payloads import Outbox
from leadgate.errors import ConflictError, NotFoundError, UnknownKeyError
from leadgate.model.connections import Connection, ConnectionState, FindingState, OpenConnection
from leadgate.model.deliveries import DeliveryState
from leadgate.model.events import EventState, NormalisedEvent
from leadgate.model.journal import JournalEntry, Tag
from leadgate.model.reveals import RevealReason
from leadgate.model.views import (
    AcceptedLead,
    Cause,
    ConnectionView,
    DeadCause,
    DeliveryCounts,
    DeliveryDetail,
    DeliveryRow,
    EventDetail,
    EventRow,
    Figures,
    LeadData,
    LeadRow,
    Ledger,
    Light,
    Page,
    Reconciliation,
    RefusalRow,
)
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock
from leadgate.ports.journal import Journal
from leadgate.ports.stores import Transaction
from leadgate.processing.source import FindSource
from leadgate.processing.turn import Turns
from leadgate.storage.connections import load_report
from leadgate.storage.sql_storage import SqlStorage
from leadgate.vault.envelope import subject_scope

_log = get_logger("desk")


class Desk:
    """See `web.house.Desk`."""

    def __init__(
        self,
        storage: SqlStorage,
        book: ConnectionBook,
        reconciler: Reconciler,
        turns: Turns,
        find_source: FindSource,
        *,
        outbox: Outbox,
        journal: Journal,
        reveals: Reveals,
        clock: Clock,
        on_change: Callable[[], None],
    ) -> None:
        """Call `on_change` when there is new work."""
        self._storage = storage
        self._book = book
        self._reconciler = reconciler
        self._acceptance = Acceptance(storage, reconciler, journal, clock)
        self._turns = turns
        self._find_source = find_source
        self._outbox = outbox
        self._journal = journal
        self._reveals = reveals
        self._clock = clock
        self._on_change = on_change

    async def figures(self, *, since: datetime, until: datetime) -> Figures:
        """The numbers that add up."""
        return await self._storage.query(lambda q: q.figures(since=since, until=until))

    async def connections(self) -> Sequence[ConnectionView]:
        """CRM first, then by age."""
        standings = await self._storage.query(lambda q: q.connection_standings())
        views = [self._view(opened, standings.get(opened.connection.connection_id)) for opened in self._book.all()]
        return sorted(views, key=lambda view: not self._is_crm(view.connection))

    async def events(
        self,
        *,
        limit: int,
        cursor: str | None = None,
        state: EventState | None = None,
        connection_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        query: str | None = None,
    ) -> Page[EventRow]:
        """Newest first."""
        return await self._storage.query(
            lambda q: q.events(
                limit=limit,
                cursor=cursor,
                state=state,
                connection_id=connection_id,
                since=since,
                until=until,
                query=query,
            )
        )

    async def event(self, event_id: str) -> EventDetail:
        """One event with what it said."""
        row = await self._storage.query(lambda q: q.event(event_id))
        if row is None:
            raise NotFoundError(f"There is no event {event_id}.", hint="See: leadgate events list")
        deliveries = await self._storage.query(lambda q: q.event_deliveries(event_id))
        facts = await self._storage.read(lambda tx: self._facts(tx, event_id))
        return EventDetail(row=row, facts=facts, deliveries=deliveries)

    async def reveal_event(self, event_id: str, *, by: str, reason: RevealReason, words: str = "") -> EventDetail:
        """The event for somebody who looks at what it said; who and why is in the journal, else nothing is shown."""
        stored = await self._storage.read(lambda tx: tx.events.find(event_id))
        detail = await self.event(event_id)
        scope = None if stored is None else stored.key_scope
        await self._reveals.note(event_id, scope=scope, by=by, reason=reason, words=words)
        _log.info("event.revealed", event_id=event_id, outcome=reason.value, action=by)
        return detail

    async def replay(self, event_id: str, *, by: str) -> None:
        """Work on a failed or ignored event again. Raises NotFoundError, ConflictError."""
        row = await self._storage.query(lambda q: q.event(event_id))
        if row is None:
            raise NotFoundError(f"There is no event {event_id}.", hint="See: leadgate events list")

        def unit(tx: Transaction) -> None:
            if not tx.events.reopen(event_id):
                raise ConflictError(
                    f"Event {event_id} is {row.state.value}: working on it again could double what came of it.",
                    code="event.wrong_state",
                    hint=f"See what became of it: leadgate events show {event_id}",
                )

        await self._storage.write(unit)
        _log.info("event.replayed", event_id=event_id, action=by)
        self._on_change()

    async def refusals(self, *, since: datetime) -> Sequence[RefusalRow]:
        """Most first."""
        return await self._storage.query(lambda q: q.refusals(since=since))

    async def deliveries(
        self,
        *,
        limit: int,
        cursor: str | None = None,
        states: Sequence[DeliveryState] = (),
        connection_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        query: str | None = None,
    ) -> Page[DeliveryRow]:
        """Newest first."""
        return await self._storage.query(
            lambda q: q.deliveries(
                limit=limit,
                cursor=cursor,
                states=states,
                connection_id=connection_id,
                since=since,
                until=until,
                query=query,
            )
        )

    async def delivery_counts(
        self, *, since: datetime | None = None, until: datetime | None = None, connection_id: str | None = None
    ) -> DeliveryCounts:
        """For the filter tabs."""
        return await self._storage.query(
            lambda q: q.delivery_counts(since=since, until=until, connection_id=connection_id)
        )

    async def delivery(self, delivery_id: str) -> DeliveryDetail:
        """One delivery."""
        detail = await self._storage.query(lambda q: q.delivery(delivery_id))
        if detail is None:
            raise NotFoundError(f"There is no delivery {delivery_id}.", hint="See: leadgate deliveries list")
        return detail

    async def leads(self, *, limit: int, cursor: str | None = None) -> Page[LeadRow]:
        """Newest first."""
        return await self._storage.query(lambda q: q.leads(limit=limit, cursor=cursor))

    async def retry(self, delivery_id: str, *, by: str) -> None:
        """Send again."""
        at = self._clock.now()
        await self._storage.write(lambda tx: retry_delivery(tx, delivery_id, at=at))
        _log.info("delivery.retried", delivery_id=delivery_id, action=by)
        self._on_change()

    async def retry_all_dead(self, *, by: str, cause: str | None = None) -> int:
        """Send all again, or all of a cause."""
        at, total = self._clock.now(), 0
        while count := await self._storage.write(lambda tx: retry_all_dead(tx, at=at, cause=cause)):
            total += count
        _log.info("delivery.all_retried", count=total, action=by, error_code=cause)
        self._on_change()
        return total

    async def dead_causes(self) -> Sequence[DeadCause]:
        """Most first."""
        return await self._storage.query(lambda q: q.dead_causes())

    async def lead_data(
        self, delivery_id: str, *, by: str, reason: RevealReason = RevealReason.PROGRAM, words: str = ""
    ) -> LeadData:
        """What a dead command says of a lead; who looked and why is in the journal, else nothing is shown."""

        def unit(tx: Transaction) -> tuple[LeadData, str | None]:
            data = open_lead_data(tx, self._outbox, delivery_id)
            delivery = tx.deliveries.find(delivery_id)
            return data, None if delivery is None else delivery.subject_id

        data, subject_id = await self._storage.read(unit)
        scope = None if subject_id is None else subject_scope(subject_id)
        await self._reveals.note(delivery_id, scope=scope, by=by, reason=reason, words=words)
        _log.info("delivery.revealed", delivery_id=delivery_id, action=by)
        return data

    async def fix(self, delivery_id: str, data: LeadData, *, by: str) -> None:
        """Correct a dead command and send it again."""
        at, entry = self._clock.now(), await self._entry(Tag.DELIVERY_FIXED, delivery_id, by)
        async with recorded(self._journal, entry):
            await self._storage.write(lambda tx: fix_delivery(tx, self._outbox, delivery_id, data, at=at))
        _log.info("delivery.fixed", delivery_id=delivery_id, action=by)
        self._on_change()

    async def confirm(self, delivery_id: str, *, by: str) -> None:
        """An uncertain message did arrive."""
        at, entry = self._clock.now(), await self._entry(Tag.DELIVERY_CONFIRMED, delivery_id, by)
        async with recorded(self._journal, entry):
            await self._storage.write(lambda tx: confirm_delivery(tx, delivery_id, at=at))
        _log.info("delivery.confirmed", delivery_id=delivery_id, action=by)

    async def discard(self, delivery_id: str, *, reason: str, by: str) -> None:
        """Give up."""
        reason = read_reason(reason)
        at, entry = self._clock.now(), await self._entry(Tag.DELIVERY_DISCARDED, delivery_id, by)
        async with recorded(self._journal, entry):
            await self._storage.write(lambda tx: discard_delivery(tx, delivery_id, reason=reason, by=by, at=at))
        _log.info("delivery.discarded", delivery_id=delivery_id, action=by)
        self._on_change()

    async def balance(self, *, since: datetime, until: datetime) -> Ledger:
        """Every event of [since, until) in exactly one named state."""
        return await self._storage.query(lambda q: q.ledger(since=since, until=until))

    async def last_reconciliation(self) -> Reconciliation | None:
        """The newest result."""
        return await self._reconciler.last()

    async def reconciliations(self, *, limit: int) -> Sequence[Reconciliation]:
        """Newest first."""
        return await self._reconciler.kept(limit=limit)

    async def accept_missing(self, lead_ids: Sequence[str], *, reason: str, by: str) -> None:
        """Leads were deleted in the CRM on purpose. Raises ConfigurationError, NotFoundError, ConflictError."""
        await self._acceptance.accept(lead_ids, reason=reason, by=by)

    async def withdraw_acceptance(self, lead_id: str, *, by: str) -> None:
        """It was not meant. Raises ConflictError."""
        await self._acceptance.withdraw(lead_id, by=by)

    async def accepted_leads(self, *, limit: int) -> Sequence[AcceptedLead]:
        """Newest first."""
        return await self._acceptance.newest(limit=limit)

    async def reconcile(
        self, *, since: datetime | None, cause: Cause = Cause.PAGE, progress: Progress | None = None
    ) -> Reconciliation:
        """Compare our ledger with the CRM and keep the result."""
        return await self._reconciler.run(cause=cause, since=since, progress=progress)

    async def _entry(self, tag: Tag, delivery_id: str, by: str) -> JournalEntry:
        """What is done to a delivery that exists: ids alone, the reason stays with the delivery."""
        row = (await self.delivery(delivery_id)).row
        details: dict[str, str | int] = {"kind": row.kind.value, "state": row.state.value}
        if row.lead_id is not None:
            details["lead"] = row.lead_id
        return JournalEntry(tag=tag, by=by, on=delivery_id, details=details)

    def _facts(self, tx: Transaction, event_id: str) -> Sequence[NormalisedEvent]:
        event = tx.events.find(event_id)
        source = None if event is None else self._find_source(event.connection_id)
        if event is None or source is None:
            return []
        try:
            return self._turns.read_facts(self._turns.open_body(tx, event), source)
        except UnknownKeyError:
            return []

    def _is_crm(self, connection: Connection) -> bool:
        return self._book.integration(connection.kind).open_crm is not None

    def _view(self, opened: OpenConnection, standing: object) -> ConnectionView:
        connection = opened.connection
        manifest = self._book.integration(connection.kind).manifest
        report = load_report(getattr(standing, "report", None))
        problem = getattr(standing, "problem", None)
        failed = next((f for f in report.findings if f.state is FindingState.FAIL), None) if report else None
        problem = problem or (failed.code if failed else None)
        return ConnectionView(
            connection=connection,
            title=manifest.title,
            mark=manifest.mark,
            light=_light(connection, problem, failed is not None),
            problem=problem,
            since=getattr(standing, "problem_since", None),
            waiting=getattr(standing, "waiting", 0),
            last_event_at=getattr(standing, "last_event_at", None),
            report=report,
            checked_at=getattr(standing, "checked_at", None),
        )


def _light(connection: Connection, problem: str | None, has_failed: bool) -> Light:  # noqa: FBT001 - private, called once
    if connection.state is ConnectionState.PAUSED:
        return Light.PAUSED
    if has_failed or meaning_of(problem or "") in NEEDS_PERSON:  # a refused key does not pass by itself
        return Light.BAD
    return Light.WARN if problem else Light.OK
