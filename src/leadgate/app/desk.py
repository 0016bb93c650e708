"""What happened and what to do about it, for pages, API and commands alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

import msgspec

from leadgate.app.targets import OpenTargets
from leadgate.connections.book import ConnectionBook
from leadgate.crm.ledger import check_sum, compare_leads
from leadgate.delivery.dead_letter import discard_delivery, retry_all_dead, retry_delivery
from leadgate.errors import ConflictError, NotFoundError, UnknownKeyError
from leadgate.model.connections import Connection, ConnectionState, FindingState, OpenConnection
from leadgate.model.deliveries import DeliveryState
from leadgate.model.events import EventState, NormalisedEvent
from leadgate.model.leads import LeadRef
from leadgate.model.views import (
    ConnectionView,
    DeliveryCounts,
    DeliveryDetail,
    DeliveryRow,
    Difference,
    EventDetail,
    EventRow,
    Figures,
    LeadRow,
    Light,
    Page,
    Reconciliation,
    RefusalRow,
)
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock
from leadgate.ports.crm import Crm
from leadgate.ports.stores import Transaction
from leadgate.processing.turn import FindSource, Turns
from leadgate.storage.connections import load_report
from leadgate.storage.queries import SqlQueries
from leadgate.storage.sql_storage import SqlStorage

T = TypeVar("T")
_LEADS_AT_ONCE = 200
_EPOCH_YEAR = 2000
_log = get_logger("desk")

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is."""


class Desk:
    """See `web.house.Desk`."""

    def __init__(
        self,
        storage: SqlStorage,
        book: ConnectionBook,
        targets: OpenTargets,
        turns: Turns,
        find_source: FindSource,
        *,
        clock: Clock,
        on_change: Callable[[], None],
    ) -> None:
        """Call `on_change` when there is new work."""
        self._storage = storage
        self._book = book
        self._targets = targets
        self._turns = turns
        self._find_source = find_source
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

    async def replay(self, event_id: str, *, by: str) -> None:
        """Work on a failed or ignored event again. Raises NotFoundError, ConflictError."""
        row = await self._storage.query(lambda q: q.event(event_id))
        if row is None:
            raise NotFoundError(f"There is no event {event_id}.", hint="See: leadgate events list")
        if not await self._storage.write(lambda tx: tx.events.reopen(event_id)):
            raise ConflictError(
                f"Event {event_id} is {row.state.value}: working on it again could double what came of it.",
                code="event.wrong_state",
                hint=f"See what became of it: leadgate events show {event_id}",
            )
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

    async def retry_all_dead(self, *, by: str) -> int:
        """Send all again."""
        at, total = self._clock.now(), 0
        while count := await self._storage.write(lambda tx: retry_all_dead(tx, at=at)):
            total += count
        _log.info("delivery.all_retried", count=total, action=by)
        self._on_change()
        return total

    async def discard(self, delivery_id: str, *, reason: str, by: str) -> None:
        """Give up."""
        at = self._clock.now()
        await self._storage.write(lambda tx: discard_delivery(tx, delivery_id, reason=reason, at=at))
        _log.info("delivery.discarded", delivery_id=delivery_id, action=by)
        self._on_change()

    async def last_reconciliation(self) -> Reconciliation | None:
        """The newest result."""
        result = await self._storage.query(lambda q: q.last_reconciliation())
        return None if result is None else msgspec.json.decode(result, type=Reconciliation)

    async def reconcile(self, *, since: datetime | None, progress: Progress | None = None) -> Reconciliation:
        """Compare our ledger with the CRM, page by page, and keep the result."""
        started_at = self._clock.now()
        from_start = since or datetime(_EPOCH_YEAR, 1, 1, tzinfo=started_at.tzinfo)
        ledger = await self._storage.query(lambda q: q.ledger(since=from_start, until=started_at))
        checked, differences = await self._compare_with_crm(since, progress)
        differences += check_sum(ledger)
        result = Reconciliation(
            started_at=started_at,
            finished_at=self._clock.now(),
            since=since,
            received=ledger.received,
            in_crm=ledger.in_crm,
            waiting=ledger.waiting,
            answered=ledger.answered,
            ignored=ledger.ignored,
            dead=ledger.dead,
            leads_checked=checked,
            differences=differences,
        )
        dumped = msgspec.json.encode(result).decode()
        await self._storage.write(lambda tx: tx.add_reconciliation(started_at=started_at, result=dumped))
        _log.info("ledger.reconciled", came=result.received, count=checked, differences=len(differences))
        return result

    async def _compare_with_crm(
        self, since: datetime | None, progress: Progress | None
    ) -> tuple[int, list[Difference]]:
        differences: list[Difference] = []
        checked, after_seq = 0, 0
        while page := await self._storage.query(
            partial(SqlQueries.leads_since, since=since, after_seq=after_seq, limit=_LEADS_AT_ONCE)
        ):
            after_seq = page[-1][0]
            leads = [lead for _, lead in page]
            differences += compare_leads(leads, await self._find_in_crm(leads))
            checked += len(leads)
            if progress is not None:
                progress(checked, checked)
        return checked, differences

    async def _find_in_crm(self, leads: Sequence[LeadRow]) -> Mapping[str, tuple[LeadRef, ...]]:
        crm = self._crm()
        return {} if crm is None else await crm.find_origins([lead.origin_id for lead in leads])

    def _crm(self) -> Crm | None:
        connection_id = self._book.crm_connection_id()
        opened = None if connection_id is None else self._book.find(connection_id)
        if opened is None:
            return None
        return self._targets.crm(self._book.integration(opened.connection.kind), opened)

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
    if has_failed:
        return Light.BAD
    return Light.WARN if problem else Light.OK
