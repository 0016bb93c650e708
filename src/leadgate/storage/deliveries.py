"""Deliveries and their attempts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from leadgate.model.deliveries import OPEN_STATES, AttemptKind, AttemptOutcome, DeliveryKind, DeliveryState
from leadgate.ports.stores import StoredDelivery
from leadgate.storage.base import SqlStore
from leadgate.storage.schema import DELIVERY_IS_OPEN, DELIVERY_IS_STUCK, attempts, deliveries


class SqlDeliveryStore(SqlStore):
    """See `ports.stores.DeliveryStore`."""

    def add(self, delivery: StoredDelivery) -> None:
        """Append to the lane."""
        self._connection.execute(
            insert(deliveries).values(
                workspace_id=self._workspace_id,
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
        )

    def open_in_lane(self, lane: str, *, limit: int) -> Sequence[StoredDelivery]:
        """Oldest first, from the index of open deliveries only; parked ones (without a due time) are left out."""
        query = (
            select(deliveries)
            .where(self._mine(deliveries), deliveries.c.lane == lane, DELIVERY_IS_OPEN)
            .where(deliveries.c.due_at.is_not(None))
            .order_by(deliveries.c.seq)
            .limit(limit)
        )
        return [_delivery(row) for row in self._connection.execute(query)]

    def work_in_lane(self, lane: str, *, now: datetime, limit: int) -> Sequence[StoredDelivery]:
        """Two short reads of the index of open deliveries instead of one long one."""
        is_of_lane = (self._mine(deliveries), deliveries.c.lane == lane, DELIVERY_IS_OPEN)
        due = select(deliveries).where(*is_of_lane, deliveries.c.due_at <= now).order_by(deliveries.c.seq).limit(limit)
        rows = list(self._connection.execute(due).all())
        lead_ids = sorted({row.lead_id for row in rows if row.lead_id is not None})
        later = select(deliveries).where(*is_of_lane, deliveries.c.due_at > now).order_by(deliveries.c.seq)
        if lead_ids:
            rows += self._connection.execute(later.where(deliveries.c.lead_id.in_(lead_ids)).limit(limit)).all()
        if any(row.lead_id is None for row in rows):
            rows += self._connection.execute(later.where(deliveries.c.lead_id.is_(None)).limit(1)).all()
        return [_delivery(row) for row in sorted(rows, key=lambda row: row.seq)]

    def next_due(self, lane: str, *, now: datetime) -> datetime | None:
        """The earliest time after now."""
        query = select(func.min(deliveries.c.due_at)).where(
            self._mine(deliveries), deliveries.c.lane == lane, DELIVERY_IS_OPEN, deliveries.c.due_at > now
        )
        due_at: datetime | None = self._connection.execute(query).scalar()
        return due_at

    def find(self, delivery_id: str) -> StoredDelivery | None:
        """One delivery."""
        row = self._one(select(deliveries).where(self._mine(deliveries), deliveries.c.delivery_id == delivery_id))
        return None if row is None else _delivery(row)

    def start_attempt(self, delivery: StoredDelivery, *, kind: AttemptKind, at: datetime) -> None:
        """Count it on the delivery and write it down, before the call."""
        number = delivery.attempts + 1
        values: dict[str, object] = {"attempts": number}
        if kind is AttemptKind.SEND:
            values["state"] = DeliveryState.SENDING.value
        self._connection.execute(update(deliveries).where(*self._is(delivery.delivery_id)).values(values))
        self._connection.execute(
            insert(attempts).values(
                workspace_id=self._workspace_id,
                delivery_id=delivery.delivery_id,
                number=number,
                kind=kind.value,
                outcome=AttemptOutcome.STARTED.value,
                started_at=at,
            )
        )

    def end_attempt(
        self, delivery_id: str, number: int, *, outcome: AttemptOutcome, error_code: str | None, at: datetime
    ) -> None:
        """Write the end of an attempt."""
        self._connection.execute(
            update(attempts)
            .where(self._mine(attempts), attempts.c.delivery_id == delivery_id, attempts.c.number == number)
            .values(outcome=outcome.value, error_code=error_code, finished_at=at)
        )

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
        done_at = None if state in OPEN_STATES else at
        self._connection.execute(
            update(deliveries)
            .where(*self._is(delivery_id))
            .values(
                state=state.value,
                due_at=due_at,
                failures=failures,
                error_code=error_code,
                error_detail=error_detail,
                external_id=external_id,
                done_at=done_at,
            )
        )

    def reopen(self, delivery_id: str, *, at: datetime) -> StoredDelivery | None:
        """Back to waiting, due now."""
        return self._move(
            delivery_id,
            from_states=("dead", "uncertain"),
            values={"state": "waiting", "due_at": at, "failures": 0, "done_at": None},
        )

    def discard(self, delivery_id: str, *, reason: str, at: datetime) -> StoredDelivery | None:
        """Given up by a human."""
        return self._move(
            delivery_id,
            from_states=("waiting", "dead", "uncertain"),
            values={"state": "discarded", "due_at": None, "discard_reason": reason, "done_at": at},
        )

    def dead(self, *, limit: int) -> Sequence[StoredDelivery]:
        """Oldest first."""
        query = select(deliveries).where(self._mine(deliveries), DELIVERY_IS_STUCK, deliveries.c.state == "dead")
        return [_delivery(row) for row in self._connection.execute(query.order_by(deliveries.c.seq).limit(limit))]

    def of_lead(self, lead_id: str) -> Sequence[StoredDelivery]:
        """Open ones, oldest first."""
        query = select(deliveries).where(self._mine(deliveries), deliveries.c.lead_id == lead_id, DELIVERY_IS_OPEN)
        return [_delivery(row) for row in self._connection.execute(query.order_by(deliveries.c.seq))]

    def replace(
        self, delivery_id: str, *, kind: DeliveryKind, lead_id: str, sealed_payload: bytes, due_at: datetime
    ) -> None:
        """Another payload for the same duty."""
        values = {"kind": kind.value, "lead_id": lead_id, "sealed_payload": sealed_payload, "due_at": due_at}
        statement = update(deliveries).where(*self._is(delivery_id)).values(state="waiting", done_at=None, **values)
        self._connection.execute(statement)

    def park(self, delivery_id: str) -> None:
        """Take the due time away."""
        self._connection.execute(update(deliveries).where(*self._is(delivery_id)).values(due_at=None))

    def unpark(self, lead_id: str, *, at: datetime) -> None:
        """Entries of the lead that were parked are due."""
        statement = update(deliveries).where(
            self._mine(deliveries), deliveries.c.lead_id == lead_id, deliveries.c.state == "waiting"
        )
        self._connection.execute(statement.where(deliveries.c.due_at.is_(None)).values(due_at=at))

    def move_open(self, connection_id: str, *, to_connection_id: str, to_lane: str) -> int:
        """Every open delivery of a connection goes to another one, in the same order."""
        statement = update(deliveries).where(
            self._mine(deliveries), deliveries.c.connection_id == connection_id, DELIVERY_IS_OPEN
        )
        moved = self._connection.execute(statement.values(connection_id=to_connection_id, lane=to_lane))
        return moved.rowcount

    def _is(self, delivery_id: str) -> tuple[Any, Any]:
        return self._mine(deliveries), deliveries.c.delivery_id == delivery_id

    def _move(
        self, delivery_id: str, *, from_states: tuple[str, ...], values: dict[str, object]
    ) -> StoredDelivery | None:
        statement = update(deliveries).where(*self._is(delivery_id), deliveries.c.state.in_(from_states))
        if self._connection.execute(statement.values(values)).rowcount == 0:
            return None
        return self.find(delivery_id)


def _delivery(row: Row[Any]) -> StoredDelivery:
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
