"""Deliveries and their attempts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, Row, bindparam, func, insert, or_, select, update

from leadgate.model.deliveries import OPEN_STATES, Attempt, AttemptKind, AttemptOutcome, DeliveryKind, DeliveryState
from leadgate.ports.stores import StoredDelivery
from leadgate.storage.base import LIMIT, SqlStore, given, of_workspace
from leadgate.storage.schema import DELIVERY_IS_OPEN, DELIVERY_IS_STUCK, attempts, deliveries

_ADD = insert(deliveries)

_IS_IT = (of_workspace(deliveries), given(deliveries.c.delivery_id))
_FIND = select(deliveries).where(*_IS_IT)
_CHANGE = update(deliveries).where(*_IS_IT)
_REOPEN = _CHANGE.where(deliveries.c.state.in_(("dead", "uncertain"))).values(state="waiting", failures=0, done_at=None)
_DISCARD = _CHANGE.where(deliveries.c.state.in_(("waiting", "dead", "uncertain"))).values(
    state="discarded", due_at=None
)
_REPLACE = _CHANGE.values(state="waiting", done_at=None)
_PARK = _CHANGE.values(due_at=None)

_IS_OPEN_IN_LANE = (of_workspace(deliveries), given(deliveries.c.lane), DELIVERY_IS_OPEN)
_OF_LANE = select(deliveries).where(*_IS_OPEN_IN_LANE).order_by(deliveries.c.seq)
_OPEN = _OF_LANE.where(deliveries.c.due_at.is_not(None)).limit(LIMIT)

# An earlier delivery of the same lead that waits for its hour holds the later ones up: reading those would hide others that could
# go. So does the creation of the lead, which is younger than entries that moved to it from a closed one: parked for its sake, they
# would be overtaken by the next entry. The lane is left out of the condition, so that the index of leads answers it.
_earlier = deliveries.alias("earlier")
_IS_HELD = (
    select(_earlier.c.seq)
    .where(_earlier.c.workspace_id == deliveries.c.workspace_id, _earlier.c.lead_id == deliveries.c.lead_id)
    .where(_earlier.c.state.in_([state.value for state in OPEN_STATES]))
    .where(or_(_earlier.c.seq < deliveries.c.seq, _earlier.c.kind == DeliveryKind.CREATE_LEAD.value))
    .where(_earlier.c.due_at > bindparam("now"))
    .exists()
)
_DUE = _OF_LANE.where(deliveries.c.due_at <= bindparam("now"), deliveries.c.lead_id.is_not(None), ~_IS_HELD)
_DUE_OLDEST = _DUE.limit(LIMIT)
_recent = deliveries.alias("recent")
_FIRST_FRESH = (
    select(func.min(_recent.c.seq))
    .where(_recent.c.workspace_id == bindparam("for_workspace_id"), _recent.c.created_at >= bindparam("fresh_since"))
    .scalar_subquery()
)
_DUE_NEWEST = (
    _DUE.with_only_columns(deliveries.c.lead_id)
    .where(deliveries.c.seq >= _FIRST_FRESH)
    .order_by(None)
    .order_by(deliveries.c.seq.desc())
    .limit(LIMIT)
)
_DUE_OF_LEADS = _DUE.where(deliveries.c.lead_id.in_(bindparam("lead_ids", expanding=True))).limit(LIMIT)
_OF_CHAT = _OPEN.where(deliveries.c.lead_id.is_(None))
_NEXT_DUE = select(func.min(deliveries.c.due_at)).where(*_IS_OPEN_IN_LANE, deliveries.c.due_at > bindparam("now"))

_DEAD = (
    select(deliveries)
    .where(of_workspace(deliveries), DELIVERY_IS_STUCK, deliveries.c.state == "dead")
    .order_by(deliveries.c.seq)
    .limit(LIMIT)
)
_UNCERTAIN = (
    select(deliveries)
    .where(of_workspace(deliveries), given(deliveries.c.lane), DELIVERY_IS_STUCK, deliveries.c.state == "uncertain")
    .order_by(deliveries.c.seq)
)
_DEAD_OF_CAUSE = _DEAD.where(func.coalesce(deliveries.c.error_code, "") == bindparam("cause"))
_CONFIRM = _CHANGE.where(deliveries.c.state == "uncertain").values(state="done", due_at=None)
_OF_EVENT = select(deliveries).where(of_workspace(deliveries), given(deliveries.c.event_id)).order_by(deliveries.c.seq)
_OF_LEAD = (
    select(deliveries)
    .where(of_workspace(deliveries), given(deliveries.c.lead_id), DELIVERY_IS_OPEN)
    .order_by(deliveries.c.seq)
)
_UNPARK = update(deliveries).where(
    of_workspace(deliveries),
    deliveries.c.lead_id.in_(bindparam("lead_ids", expanding=True)),
    deliveries.c.state == "waiting",
    deliveries.c.due_at.is_(None),
)
_LIMIT_DOUBT = update(deliveries).where(
    *_IS_OPEN_IN_LANE, deliveries.c.state == "unknown", deliveries.c.due_at > bindparam("latest")
)
_BRING_FORWARD = update(deliveries).where(
    of_workspace(deliveries),
    DELIVERY_IS_OPEN,
    deliveries.c.state != "unknown",
    deliveries.c.due_at > bindparam("now"),
)
_MOVE_OPEN = update(deliveries).where(of_workspace(deliveries), given(deliveries.c.connection_id), DELIVERY_IS_OPEN)
_GIVE_UP_LANE = (
    update(deliveries).where(*_IS_OPEN_IN_LANE, deliveries.c.state == "waiting").values(state="discarded", due_at=None)
)

_START_ATTEMPT = insert(attempts)
_END_ATTEMPT = update(attempts).where(of_workspace(attempts), given(attempts.c.delivery_id), given(attempts.c.number))


class SqlDeliveryStore(SqlStore):
    """See `ports.stores.DeliveryStore`."""

    def add(self, delivery: StoredDelivery) -> None:
        """Append to the lane."""
        self._keep(
            _ADD,
            delivery_id=delivery.delivery_id,
            lane=delivery.lane,
            kind=delivery.kind.value,
            connection_id=delivery.connection_id,
            event_id=delivery.event_id,
            lead_id=delivery.lead_id,
            subject_id=delivery.subject_id,
            state=delivery.state.value,
            due_at=delivery.due_at,
            sealed_payload=delivery.sealed_payload,
            created_at=delivery.created_at,
        )

    def open_in_lane(self, lane: str, *, limit: int) -> Sequence[StoredDelivery]:
        """Oldest first, from the index of open deliveries only; parked ones (without a due time) are left out."""
        return [read_delivery(row) for row in self._run(_OPEN, for_lane=lane, limit=limit)]

    def work_in_lane(
        self, lane: str, *, now: datetime, limit: int, fresh_since: datetime, fresh_limit: int
    ) -> Sequence[StoredDelivery]:
        """Short reads of the index of open deliveries; whether some are fresh is asked only when more wait than are read."""
        oldest = list(self._run(_DUE_OLDEST, for_lane=lane, now=now, limit=limit))
        fresh: list[Row[Any]] = []
        if len(oldest) == limit:
            newest = self._run(_DUE_NEWEST, for_lane=lane, now=now, fresh_since=fresh_since, limit=fresh_limit)
            lead_ids = sorted({row.lead_id for row in newest})
            fresh = list(self._run(_DUE_OF_LEADS, for_lane=lane, now=now, lead_ids=lead_ids, limit=limit))
        seen = {row.seq for row in fresh}
        chat = self._run(_OF_CHAT, for_lane=lane, limit=limit)
        return [read_delivery(row) for row in (*fresh, *(row for row in oldest if row.seq not in seen), *chat)]

    def next_due(self, lane: str, *, now: datetime) -> datetime | None:
        """The earliest time after now."""
        due_at: datetime | None = self._run(_NEXT_DUE, for_lane=lane, now=now).scalar()
        return due_at

    def find(self, delivery_id: str) -> StoredDelivery | None:
        """One delivery."""
        row = self._one(_FIND, for_delivery_id=delivery_id)
        return None if row is None else read_delivery(row)

    def start_attempts(self, deliveries: Sequence[StoredDelivery], *, kind: AttemptKind, at: datetime) -> None:
        """Count them on the deliveries and write them down, before the call."""
        state = {"state": DeliveryState.SENDING.value} if kind is AttemptKind.SEND else {}
        self._run_each(
            _CHANGE, [{"for_delivery_id": d.delivery_id, "attempts": d.attempts + 1, **state} for d in deliveries]
        )
        started = {"kind": kind.value, "outcome": AttemptOutcome.STARTED.value, "started_at": at}
        self._run_each(
            _START_ATTEMPT, [{"delivery_id": d.delivery_id, "number": d.attempts + 1, **started} for d in deliveries]
        )

    def end_attempt(
        self, delivery_id: str, number: int, *, outcome: AttemptOutcome, error_code: str | None, at: datetime
    ) -> None:
        """Write the end of an attempt."""
        values = {"outcome": outcome.value, "error_code": error_code, "finished_at": at}
        self._run(_END_ATTEMPT, for_delivery_id=delivery_id, for_number=number, **values)

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
        """Write the new state; `at` is the end of a delivery that is no longer open."""
        self._run(
            _CHANGE,
            for_delivery_id=delivery_id,
            state=state.value,
            due_at=due_at,
            failures=failures,
            error_code=error_code,
            error_detail=error_detail,
            external_id=external_id,
            done_at=None if state in OPEN_STATES else at,
        )

    def reopen(self, delivery_id: str, *, at: datetime) -> StoredDelivery | None:
        """Back to waiting, due now."""
        return self._move(_REOPEN, delivery_id, due_at=at)

    def discard(self, delivery_id: str, *, reason: str, by: str, at: datetime) -> StoredDelivery | None:
        """Given up by a human."""
        return self._move(_DISCARD, delivery_id, discard_reason=reason, discarded_by=by, done_at=at)

    def confirm(self, delivery_id: str, *, at: datetime) -> StoredDelivery | None:
        """A human knows that it arrived."""
        return self._move(_CONFIRM, delivery_id, done_at=at)

    def uncertain_in_lane(self, lane: str) -> Sequence[StoredDelivery]:
        """Oldest first, from the index of those that gave up."""
        return [read_delivery(row) for row in self._run(_UNCERTAIN, for_lane=lane)]

    def dead(self, *, limit: int, cause: str | None = None) -> Sequence[StoredDelivery]:
        """Oldest first."""
        if cause is None:
            return [read_delivery(row) for row in self._run(_DEAD, limit=limit)]
        return [read_delivery(row) for row in self._run(_DEAD_OF_CAUSE, limit=limit, cause=cause)]

    def of_lead(self, lead_id: str) -> Sequence[StoredDelivery]:
        """Open ones, oldest first."""
        return [read_delivery(row) for row in self._run(_OF_LEAD, for_lead_id=lead_id)]

    def of_event(self, event_id: str) -> Sequence[StoredDelivery]:
        """Oldest first."""
        return [read_delivery(row) for row in self._run(_OF_EVENT, for_event_id=event_id)]

    def reseal(self, delivery_id: str, sealed_payload: bytes) -> None:
        """Put another payload in its place."""
        self._run(_CHANGE, for_delivery_id=delivery_id, sealed_payload=sealed_payload)

    def replace(
        self, delivery_id: str, *, kind: DeliveryKind, lead_id: str, sealed_payload: bytes, due_at: datetime
    ) -> None:
        """Another payload for the same duty."""
        values = {"kind": kind.value, "lead_id": lead_id, "sealed_payload": sealed_payload, "due_at": due_at}
        self._run(_REPLACE, for_delivery_id=delivery_id, **values)

    def park(self, delivery_id: str) -> None:
        """Take the due time away."""
        self._run(_PARK, for_delivery_id=delivery_id)

    def put_off(self, delivery_id: str, *, until: datetime) -> None:
        """Another due time."""
        self._run(_CHANGE, for_delivery_id=delivery_id, due_at=until)

    def limit_doubt(self, lane: str, *, until: datetime) -> None:
        """From the index of open deliveries."""
        self._run(_LIMIT_DOUBT, for_lane=lane, latest=until, due_at=until)

    def bring_forward(self, *, now: datetime) -> None:
        """Walks all open deliveries: only at the start and after a jump of the clock."""
        self._run(_BRING_FORWARD, now=now, due_at=now)

    def unpark(self, *lead_ids: str, at: datetime) -> int:
        """Entries of the leads that were parked are due."""
        return self._run(_UNPARK, lead_ids=lead_ids, due_at=at).rowcount if lead_ids else 0

    def move_open(self, connection_id: str, *, to_connection_id: str, to_lane: str) -> int:
        """Every open delivery of a connection goes to another one, in the same order."""
        moved = self._run(_MOVE_OPEN, for_connection_id=connection_id, connection_id=to_connection_id, lane=to_lane)
        return moved.rowcount

    def give_up_lane(self, lane: str, *, error_code: str, at: datetime) -> int:
        """What waits in a lane is discarded."""
        return self._run(_GIVE_UP_LANE, for_lane=lane, error_code=error_code, done_at=at).rowcount

    def _move(self, statement: Executable, delivery_id: str, **values: object) -> StoredDelivery | None:
        if self._run(statement, for_delivery_id=delivery_id, **values).rowcount == 0:
            return None
        return self.find(delivery_id)


def read_delivery(row: Row[Any]) -> StoredDelivery:
    """A delivery from its row."""
    return StoredDelivery(
        delivery_id=row.delivery_id,
        lane=row.lane,
        kind=DeliveryKind(row.kind),
        connection_id=row.connection_id,
        event_id=row.event_id,
        lead_id=row.lead_id,
        subject_id=row.subject_id,
        state=DeliveryState(row.state),
        due_at=row.due_at,
        attempts=row.attempts,
        failures=row.failures,
        sealed_payload=row.sealed_payload,
        created_at=row.created_at,
        external_id=row.external_id,
    )


def read_attempt(row: Row[Any]) -> Attempt:
    """One try of a delivery, from its row in `attempts`."""
    return Attempt(
        number=row.number,
        kind=AttemptKind(row.kind),
        outcome=AttemptOutcome(row.outcome),
        started_at=row.started_at,
        finished_at=row.finished_at,
        error_code=row.error_code,
    )
