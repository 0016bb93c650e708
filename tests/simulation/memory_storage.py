"""The storage of the delivery core in plain dictionaries: the same promises as `leadgate.storage`, a hundred times as fast.

A unit of work runs whole or leaves nothing. Held to the real storage by `test_memory_storage.py`, which runs both side by side.
Only what the delivery core and `crm` touch is here: deliveries, lanes, leads, the state of connections.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar, cast

from leadgate.model.connections import ConnectionState
from leadgate.model.deliveries import OPEN_STATES, AttemptKind, AttemptOutcome, DeliveryKind, DeliveryState
from leadgate.model.leads import LeadRef, LeadState
from leadgate.ports.stores import Lease, StoredDelivery, StoredLead, Transaction

T = TypeVar("T")
Change = Callable[[str, StoredDelivery, StoredDelivery], None]
_WAITING, _SENDING = DeliveryState.WAITING, DeliveryState.SENDING
_REOPENABLE = (DeliveryState.DEAD, DeliveryState.UNCERTAIN)
_DISCARDABLE = (DeliveryState.WAITING, DeliveryState.DEAD, DeliveryState.UNCERTAIN)
_CURRENT = (LeadState.PENDING, LeadState.OPEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A row of `lanes`."""

    connection_id: str | None
    due_at: datetime | None
    holder: str | None = None
    lease_until: datetime | None = None
    fence: int = 0
    failures: int = 0
    problem: str | None = None
    problem_since: datetime | None = None


@dataclass(slots=True)
class Tables:
    """What is on the disk. Dictionaries keep the order of arrival, as `seq` does.

    Attributes:
        attempts: outcome by delivery and number.
        codes: last error code of a delivery.
    """

    deliveries: dict[str, StoredDelivery] = field(default_factory=dict)
    attempts: dict[tuple[str, int], AttemptOutcome] = field(default_factory=dict)
    codes: dict[str, str | None] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=dict)
    leads: dict[str, StoredLead] = field(default_factory=dict)
    connections: dict[str, ConnectionState] = field(default_factory=dict)


_MISSING = object()


@dataclass(slots=True)
class Journal:
    """Undoes a unit that failed.

    Attributes:
        on_change: told of every change of a delivery, with the verb that made it.
    """

    tables: Tables
    on_change: Change
    _before: list[tuple[dict[Any, Any], object, object]] = field(default_factory=list)

    def put(self, table: dict[Any, Any], key: object, row: object) -> None:
        """Write a row."""
        self._before.append((table, key, table.get(key, _MISSING)))
        table[key] = row

    def change(self, verb: str, before: StoredDelivery, after: StoredDelivery) -> None:
        """Write a delivery."""
        self.on_change(verb, before, after)
        self.put(self.tables.deliveries, before.delivery_id, after)

    def undo(self) -> None:
        """Put everything back."""
        for table, key, row in reversed(self._before):
            if row is _MISSING:
                del table[key]
            else:
                table[key] = row


class MemoryDeliveries:
    """See `ports.stores.DeliveryStore`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._rows = journal.tables.deliveries

    def add(self, delivery: StoredDelivery) -> None:
        self._journal.put(self._rows, delivery.delivery_id, delivery)

    def open_in_lane(self, lane: str, *, limit: int) -> Sequence[StoredDelivery]:
        return [d for d in self._open(lane) if d.due_at is not None][:limit]

    def work_in_lane(
        self, lane: str, *, now: datetime, limit: int, fresh_since: datetime, fresh_limit: int
    ) -> Sequence[StoredDelivery]:
        in_lane = self._open(lane)
        due = self._due(in_lane, now)
        oldest = due[:limit]
        fresh: list[StoredDelivery] = []
        if len(oldest) == limit:
            fresh_ids = self._since_first_fresh(fresh_since)
            newest = [d for d in reversed(due) if d.delivery_id in fresh_ids][:fresh_limit]
            lead_ids = {d.lead_id for d in newest}
            fresh = [d for d in due if d.lead_id in lead_ids][:limit]
        seen = {d.delivery_id for d in fresh}
        chat = [d for d in in_lane if d.due_at is not None and d.lead_id is None][:limit]
        return [*fresh, *(d for d in oldest if d.delivery_id not in seen), *chat]

    def _due(self, in_lane: list[StoredDelivery], now: datetime) -> list[StoredDelivery]:
        """Those of leads that may go; an earlier one of the lead, or its creation, that is not due holds back, in whatever lane."""
        rows = [d for d in self._rows.values() if d.state in OPEN_STATES]
        creations = (d for d in rows if d.kind is DeliveryKind.CREATE_LEAD)
        held = {d.lead_id for d in creations if d.due_at is not None and d.due_at > now}
        due: list[StoredDelivery] = []
        places = {d.delivery_id for d in in_lane}
        for d in rows:
            if d.lead_id is None or d.due_at is None:
                continue
            if d.due_at > now:
                held.add(d.lead_id)
            elif d.lead_id not in held and d.delivery_id in places:
                due.append(d)
        return due

    def _since_first_fresh(self, fresh_since: datetime) -> set[str]:
        rows = list(self._rows.values())
        first = next((place for place, d in enumerate(rows) if d.created_at >= fresh_since), len(rows))
        return {d.delivery_id for d in rows[first:]}

    def next_due(self, lane: str, *, now: datetime) -> datetime | None:
        return min((d.due_at for d in self._open(lane) if d.due_at is not None and d.due_at > now), default=None)

    def find(self, delivery_id: str) -> StoredDelivery | None:
        return self._rows.get(delivery_id)

    def start_attempts(self, deliveries: Sequence[StoredDelivery], *, kind: AttemptKind, at: datetime) -> None:
        for delivery in deliveries:
            number = delivery.attempts + 1
            row = self._rows[delivery.delivery_id]
            state = _SENDING if kind is AttemptKind.SEND else row.state
            self._journal.change(f"start {kind.value}", row, replace(row, attempts=number, state=state))
            self._journal.put(self._journal.tables.attempts, (delivery.delivery_id, number), AttemptOutcome.STARTED)

    def end_attempt(
        self, delivery_id: str, number: int, *, outcome: AttemptOutcome, error_code: str | None, at: datetime
    ) -> None:
        attempts = self._journal.tables.attempts
        if (delivery_id, number) in attempts:
            self._journal.put(attempts, (delivery_id, number), outcome)

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
        row = self._rows[delivery_id]
        after = replace(row, state=state, due_at=due_at, failures=failures, external_id=external_id)
        self._journal.change("settle", row, after)
        self._journal.put(self._journal.tables.codes, delivery_id, error_code)

    def reopen(self, delivery_id: str, *, at: datetime) -> StoredDelivery | None:
        row = self._rows.get(delivery_id)
        if row is None or row.state not in _REOPENABLE:
            return None
        self._journal.change("reopen", row, replace(row, state=_WAITING, failures=0, due_at=at))
        return self._rows[delivery_id]

    def discard(self, delivery_id: str, *, reason: str, by: str, at: datetime) -> StoredDelivery | None:
        row = self._rows.get(delivery_id)
        if row is None or row.state not in _DISCARDABLE:
            return None
        self._journal.change("discard", row, replace(row, state=DeliveryState.DISCARDED, due_at=None))
        return self._rows[delivery_id]

    def park(self, delivery_id: str) -> None:
        row = self._rows[delivery_id]
        self._journal.change("park", row, replace(row, due_at=None))

    def put_off(self, delivery_id: str, *, until: datetime) -> None:
        row = self._rows.get(delivery_id)
        if row is not None:
            self._journal.change("put off", row, replace(row, due_at=until))

    def limit_doubt(self, lane: str, *, until: datetime) -> None:
        for row in self._open(lane):
            if row.state is DeliveryState.UNKNOWN and row.due_at is not None and row.due_at > until:
                self._journal.change("limit doubt", row, replace(row, due_at=until))

    def bring_forward(self, *, now: datetime) -> None:
        for row in list(self._rows.values()):
            is_sent = row.state in OPEN_STATES and row.state is not DeliveryState.UNKNOWN
            if is_sent and row.due_at is not None and row.due_at > now:
                self._journal.change("bring forward", row, replace(row, due_at=now))

    def unpark(self, *lead_ids: str, at: datetime) -> int:
        rows = [d for d in self._rows.values() if d.lead_id in lead_ids and d.state is _WAITING and d.due_at is None]
        for row in rows:
            self._journal.change("unpark", row, replace(row, due_at=at))
        return len(rows)

    def move_open(self, connection_id: str, *, to_connection_id: str, to_lane: str) -> int:
        rows = [d for d in self._rows.values() if d.connection_id == connection_id and d.state in OPEN_STATES]
        for row in rows:
            self._journal.change("move", row, replace(row, connection_id=to_connection_id, lane=to_lane))
        return len(rows)

    def give_up_lane(self, lane: str, *, error_code: str, at: datetime) -> int:
        rows = [d for d in self._open(lane) if d.state is _WAITING]
        for row in rows:
            self._journal.change("give_up", row, replace(row, state=DeliveryState.DISCARDED, due_at=None))
        return len(rows)

    def confirm(self, delivery_id: str, *, at: datetime) -> StoredDelivery | None:
        row = self._rows.get(delivery_id)
        if row is None or row.state is not DeliveryState.UNCERTAIN:
            return None
        self._journal.change("confirm", row, replace(row, state=DeliveryState.DONE, due_at=None))
        return self._rows[delivery_id]

    def of_event(self, event_id: str) -> Sequence[StoredDelivery]:
        return [d for d in self._rows.values() if d.event_id == event_id]

    def reseal(self, delivery_id: str, sealed_payload: bytes) -> None:
        row = self._rows[delivery_id]
        self._journal.change("reseal", row, replace(row, sealed_payload=sealed_payload))

    def uncertain_in_lane(self, lane: str) -> Sequence[StoredDelivery]:
        return [d for d in self._rows.values() if d.lane == lane and d.state is DeliveryState.UNCERTAIN]

    def dead(self, *, limit: int, cause: str | None = None) -> Sequence[StoredDelivery]:
        codes = self._journal.tables.codes
        dead = (d for d in self._rows.values() if d.state is DeliveryState.DEAD)
        return [d for d in dead if cause is None or (codes.get(d.delivery_id) or "") == cause][:limit]

    def of_lead(self, lead_id: str) -> Sequence[StoredDelivery]:
        return [d for d in self._rows.values() if d.lead_id == lead_id and d.state in OPEN_STATES]

    def replace(
        self, delivery_id: str, *, kind: DeliveryKind, lead_id: str, sealed_payload: bytes, due_at: datetime
    ) -> None:
        row = self._rows[delivery_id]
        after = replace(row, kind=kind, lead_id=lead_id, sealed_payload=sealed_payload, due_at=due_at, state=_WAITING)
        self._journal.change("replace", row, after)

    def _open(self, lane: str) -> list[StoredDelivery]:
        return [d for d in self._rows.values() if d.lane == lane and d.state in OPEN_STATES]


class MemoryLanes:
    """See `ports.stores.LaneStore`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._rows = journal.tables.lanes

    def wake(self, lane: str, *, connection_id: str | None, due_at: datetime) -> None:
        row = self._rows.get(lane)
        if row is None:
            self._put(lane, Lane(connection_id=connection_id, due_at=due_at))
        elif row.due_at is None or (row.due_at > due_at and row.problem is None):
            self._put(lane, replace(row, due_at=due_at))

    def claim(self, *, holder: str, now: datetime, until: datetime, limit: int) -> Sequence[Lease]:
        due = [(row.due_at, lane) for lane, row in self._rows.items() if row.due_at is not None and row.due_at <= now]
        free = [lane for _, lane in sorted(due) if self._is_free(lane, now) and self._is_active(lane)]
        return [self._take(lane, holder, until) for lane in free[:limit]]

    def is_frozen(self, connection_id: str | None) -> bool:
        return False

    def claim_one(self, lane: str, *, holder: str, now: datetime, until: datetime) -> Lease | None:
        if lane not in self._rows:
            self._put(lane, Lane(connection_id=None, due_at=None))
        return self._take(lane, holder, until) if self._is_free(lane, now) else None

    def renew(self, lease: Lease, *, until: datetime) -> bool:
        if not self.hold(lease):
            return False
        self._put(lease.lane, replace(self._rows[lease.lane], lease_until=until))
        return True

    def hold(self, lease: Lease) -> bool:
        row = self._rows[lease.lane]
        return row.holder == lease.holder and row.fence == lease.fence

    def release(
        self,
        lease: Lease,
        *,
        due_at: datetime | None,
        failures: int,
        problem: str | None,
        problem_since: datetime | None,
    ) -> None:
        if not self.hold(lease):
            return
        row = self._rows[lease.lane]
        given_back = replace(
            row,
            holder=None,
            lease_until=None,
            due_at=due_at,
            failures=failures,
            problem=problem,
            problem_since=problem_since,
        )
        self._put(lease.lane, given_back)

    def holders(self) -> Sequence[str]:
        return sorted({row.holder for row in self._rows.values() if row.holder is not None})

    def free(self, holder: str) -> int:
        lanes = [lane for lane, row in self._rows.items() if row.holder == holder]
        for lane in lanes:
            self._put(lane, replace(self._rows[lane], holder=None, lease_until=None))
        return len(lanes)

    def bring_forward(self, *, now: datetime, lease_limit: datetime, lease_until: datetime) -> None:
        for lane, row in list(self._rows.items()):
            due_at = now if row.due_at is not None and row.due_at > now else row.due_at
            until = lease_until if row.lease_until is not None and row.lease_until > lease_limit else row.lease_until
            self._put(lane, replace(row, due_at=due_at, lease_until=until))

    def resume(self, connection_id: str, *, now: datetime) -> None:
        for lane, row in list(self._rows.items()):
            if row.connection_id == connection_id and row.due_at is not None:
                self._put(lane, replace(row, due_at=now, failures=0, problem=None, problem_since=None))

    def _is_free(self, lane: str, now: datetime) -> bool:
        until = self._rows[lane].lease_until
        return until is None or until < now

    def _is_active(self, lane: str) -> bool:
        connection_id = self._rows[lane].connection_id
        return connection_id is None or self._journal.tables.connections.get(connection_id) is ConnectionState.ACTIVE

    def _take(self, lane: str, holder: str, until: datetime) -> Lease:
        row = self._rows[lane]
        self._put(lane, replace(row, holder=holder, lease_until=until, fence=row.fence + 1))
        return Lease(
            lane=lane,
            connection_id=row.connection_id,
            holder=holder,
            fence=row.fence + 1,
            until=until,
            failures=row.failures,
            problem=row.problem,
            problem_since=row.problem_since,
        )

    def _put(self, lane: str, row: Lane) -> None:
        self._journal.put(self._rows, lane, row)


class MemoryLeads:
    """See `ports.stores.LeadStore`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._rows = journal.tables.leads

    def find_current(self, subject_id: str) -> StoredLead | None:
        current = (d for d in self._rows.values() if d.subject_id == subject_id and d.state in _CURRENT)
        return next(current, None)

    def find(self, lead_id: str) -> StoredLead | None:
        return self._rows.get(lead_id)

    def find_all(self, lead_ids: Collection[str]) -> Sequence[StoredLead]:
        return [lead for lead_id, lead in self._rows.items() if lead_id in lead_ids]

    def add(self, lead: StoredLead) -> None:
        self._journal.put(self._rows, lead.lead_id, lead)

    def settle(
        self, lead_id: str, *, state: LeadState, ref: LeadRef | None, at: datetime, crm_connection_id: str | None = None
    ) -> None:
        row = self._rows[lead_id]
        crm = row.crm_connection_id if crm_connection_id is None else crm_connection_id
        self._journal.put(self._rows, lead_id, replace(row, state=state, ref=ref or row.ref, crm_connection_id=crm))


class MemorySubjects:
    """Nobody is erased in the simulated salon."""

    def erased_among(self, subject_ids: Collection[str]) -> frozenset[str]:
        """Nobody."""
        return frozenset()


class MemoryEvents:
    """Events end before their deliveries begin; only what a delivery says of them is heard."""

    def move_to_lead(self, event_id: str, lead_id: str) -> None:
        """The event now belongs to another lead."""


class MemoryPersons:
    """Nobody is blocked in the simulated salon."""

    def blocked(self, subject_ids: Collection[str]) -> frozenset[str]:
        return frozenset()


class MemoryTransaction:
    """The stores inside one unit of work."""

    workspace_id = "ws"

    def __init__(self, journal: Journal) -> None:
        self.deliveries = MemoryDeliveries(journal)
        self.lanes = MemoryLanes(journal)
        self.leads = MemoryLeads(journal)
        self.events = MemoryEvents()
        self.subjects = MemorySubjects()
        self.persons = MemoryPersons()


@dataclass(slots=True)
class MemoryStorage:
    """Runs units of work at once.

    Attributes:
        on_change: told of every change of a delivery before it is made.
    """

    tables: Tables = field(default_factory=Tables)
    on_change: Change = lambda _verb, _before, _after: None

    def run(self, unit: Callable[[Transaction], T], *, is_kept: bool = True) -> T:
        """The unit whole, or nothing of it; nothing of it as well unless `is_kept`."""
        journal = Journal(self.tables, self.on_change)
        try:
            result = unit(cast("Transaction", MemoryTransaction(journal)))  # the other stores are not the core's
        except BaseException:
            journal.undo()
            raise
        if not is_kept:
            journal.undo()
        return result
