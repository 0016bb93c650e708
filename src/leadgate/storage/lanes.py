"""Lanes and their leases.

A lease is a row's holder, its end and a fence that grows with every change of holder. Whoever writes on behalf of a lane locks
its row first and compares holder and fence (`hold`), so a process that slept through its lease can change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, case, or_, select, update

from leadgate.ports.stores import Lease
from leadgate.storage.base import SqlStore
from leadgate.storage.schema import connections, lanes


class SqlLaneStore(SqlStore):
    """See `ports.stores.LaneStore`."""

    def wake(self, lane: str, *, connection_id: str | None, due_at: datetime) -> None:
        """Bring the lane's next look forward, never back; a lane that waits out a problem of its target keeps waiting."""
        statement = self._insert(lanes).values(
            workspace_id=self._workspace_id, lane=lane, connection_id=connection_id, due_at=due_at
        )
        is_earlier = or_(
            lanes.c.due_at.is_(None), and_(lanes.c.due_at > statement.excluded.due_at, lanes.c.problem.is_(None))
        )
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["workspace_id", "lane"],
                set_={"due_at": case((is_earlier, statement.excluded.due_at), else_=lanes.c.due_at)},
            )
        )

    def claim(self, *, holder: str, now: datetime, until: datetime, limit: int) -> Sequence[Lease]:
        """Lanes due, longest due first."""
        active = select(connections.c.connection_id).where(self._mine(connections), connections.c.state == "active")
        query = (
            select(lanes)
            .where(self._mine(lanes), lanes.c.due_at <= now)
            .where(or_(lanes.c.connection_id.is_(None), lanes.c.connection_id.in_(active)))
        )
        rows = self._connection.execute(self._free(query, now).order_by(lanes.c.due_at).limit(limit)).all()
        return [self._take(row, holder=holder, until=until) for row in rows]

    def claim_one(self, lane: str, *, holder: str, now: datetime, until: datetime) -> Lease | None:
        """Take one lane by name, made when it is new."""
        new = self._insert(lanes).values(workspace_id=self._workspace_id, lane=lane)
        self._connection.execute(new.on_conflict_do_nothing())
        query = select(lanes).where(self._mine(lanes), lanes.c.lane == lane)
        row = self._one(self._free(query, now))
        return None if row is None else self._take(row, holder=holder, until=until)

    def renew(self, lease: Lease, *, until: datetime) -> bool:
        """Move the end of the lease on."""
        statement = update(lanes).where(*self._held(lease)).values(lease_until=until)
        return self._connection.execute(statement).rowcount == 1

    def hold(self, lease: Lease) -> bool:
        """Lock the row until the end of the transaction, if the lease still stands."""
        query = select(lanes.c.fence).where(*self._held(lease))
        return self._one(query.with_for_update() if self._is_postgres else query) is not None

    def release(
        self,
        lease: Lease,
        *,
        due_at: datetime | None,
        failures: int,
        problem: str | None,
        problem_since: datetime | None,
    ) -> None:
        """Give the lane back."""
        values = {"failures": failures, "problem": problem, "problem_since": problem_since, "due_at": due_at}
        self._connection.execute(
            update(lanes).where(*self._held(lease)).values(holder=None, lease_until=None, **values)
        )

    def holders(self) -> Sequence[str]:
        """Everybody who holds a lane."""
        query = select(lanes.c.holder).where(self._mine(lanes), lanes.c.holder.is_not(None)).distinct()
        return [str(row.holder) for row in self._connection.execute(query)]

    def free(self, holder: str) -> int:
        """No holder, no lease; the due time stays, and the next claim raises the fence."""
        statement = update(lanes).where(self._mine(lanes), lanes.c.holder == holder)
        return self._connection.execute(statement.values(holder=None, lease_until=None)).rowcount

    def resume(self, connection_id: str, *, now: datetime) -> None:
        """Look at every lane of the connection that has work now."""
        self._connection.execute(
            update(lanes)
            .where(self._mine(lanes), lanes.c.connection_id == connection_id, lanes.c.due_at.is_not(None))
            .values(due_at=now, failures=0, problem=None, problem_since=None)
        )

    def _free(self, query: Select[Any], now: datetime) -> Select[Any]:
        free = query.where(or_(lanes.c.lease_until.is_(None), lanes.c.lease_until < now))
        return free.with_for_update(skip_locked=True, of=lanes) if self._is_postgres else free

    def _held(self, lease: Lease) -> tuple[Any, ...]:
        is_holder = and_(lanes.c.holder == lease.holder, lanes.c.fence == lease.fence)
        return self._mine(lanes), lanes.c.lane == lease.lane, is_holder

    def _take(self, row: Row[Any], *, holder: str, until: datetime) -> Lease:
        fence = row.fence + 1
        self._connection.execute(
            update(lanes)
            .where(self._mine(lanes), lanes.c.lane == row.lane)
            .values(holder=holder, lease_until=until, fence=fence)
        )
        return Lease(
            lane=row.lane,
            connection_id=row.connection_id,
            holder=holder,
            fence=fence,
            until=until,
            failures=row.failures,
            problem=row.problem,
            problem_since=row.problem_since,
        )
