"""Lanes and their leases.

A lease is a row's holder, its end and a fence that grows with every change of holder. Whoever writes on behalf of a lane locks
its row first and compares holder and fence (`hold`), so a process that slept through its lease can change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, case, or_, select, update

from leadgate.model.incidents import EVERYTHING
from leadgate.ports.stores import Lease
from leadgate.storage.base import (
    LIMIT,
    SqlStore,
    TolerantInsert,
    given,
    insert_or,
    insert_unless_there,
    of_workspace,
)
from leadgate.storage.schema import connections, freezes, lanes


def _bring_forward(new: TolerantInsert) -> TolerantInsert:
    is_earlier = or_(lanes.c.due_at.is_(None), and_(lanes.c.due_at > new.excluded.due_at, lanes.c.problem.is_(None)))
    return new.on_conflict_do_update(
        index_elements=["workspace_id", "lane"],
        set_={"due_at": case((is_earlier, new.excluded.due_at), else_=lanes.c.due_at)},
    )


_WAKE = insert_or(lanes, _bring_forward)
_MAKE = insert_unless_there(lanes)

# SQLite has one writer and leaves FOR UPDATE away.
_FREE = (
    select(lanes)
    .where(of_workspace(lanes), or_(lanes.c.lease_until.is_(None), lanes.c.lease_until < bindparam("now")))
    .with_for_update(skip_locked=True, of=lanes)
)
_FREE_ONE = _FREE.where(given(lanes.c.lane))
_ACTIVE = select(connections.c.connection_id).where(of_workspace(connections), connections.c.state == "active")
# A freeze of an incident holds from its commit on for whoever claims, on every node; the empty id freezes all.
_IS_FROZEN = (
    select(freezes.c.connection_id)
    .where(
        freezes.c.workspace_id == lanes.c.workspace_id,
        or_(freezes.c.connection_id == EVERYTHING, freezes.c.connection_id == lanes.c.connection_id),
    )
    .exists()
)
_FROZEN = select(freezes.c.connection_id).where(
    of_workspace(freezes),
    or_(freezes.c.connection_id == EVERYTHING, freezes.c.connection_id == bindparam("for_connection_id")),
)
_DUE = (
    _FREE.where(lanes.c.due_at <= bindparam("now"), ~_IS_FROZEN)
    .where(or_(lanes.c.connection_id.is_(None), lanes.c.connection_id.in_(_ACTIVE)))
    .order_by(lanes.c.due_at)
    .limit(LIMIT)
)
_TAKE = (
    update(lanes)
    .where(of_workspace(lanes), lanes.c.lane.in_(bindparam("free_lanes", expanding=True)))
    .values(fence=lanes.c.fence + 1)
)

_IS_HELD = (of_workspace(lanes), given(lanes.c.lane), given(lanes.c.holder), given(lanes.c.fence))
_HOLD = select(lanes.c.fence).where(*_IS_HELD).with_for_update()
_RENEW = update(lanes).where(*_IS_HELD)
_RELEASE = _RENEW.values(holder=None, lease_until=None)

_HOLDERS = select(lanes.c.holder).where(of_workspace(lanes), lanes.c.holder.is_not(None)).distinct()
_FREE_ALL = update(lanes).where(of_workspace(lanes), given(lanes.c.holder)).values(holder=None, lease_until=None)
_BRING_FORWARD = update(lanes).where(of_workspace(lanes), lanes.c.due_at > bindparam("now"))
_CUT_LEASES = update(lanes).where(of_workspace(lanes), lanes.c.lease_until > bindparam("lease_limit"))
_RESUME = (
    update(lanes)
    .where(of_workspace(lanes), given(lanes.c.connection_id), lanes.c.due_at.is_not(None))
    .values(failures=0, problem=None, problem_since=None)
)


class SqlLaneStore(SqlStore):
    """See `ports.stores.LaneStore`."""

    def wake(self, lane: str, *, connection_id: str | None, due_at: datetime) -> None:
        """Bring the lane's next look forward, never back; a lane that waits out a problem of its target keeps waiting."""
        self._keep(_WAKE, lane=lane, connection_id=connection_id, due_at=due_at)

    def claim(self, *, holder: str, now: datetime, until: datetime, limit: int) -> Sequence[Lease]:
        """Lanes due, longest due first."""
        return self._take(self._run(_DUE, now=now, limit=limit).all(), holder=holder, until=until)

    def is_frozen(self, connection_id: str | None) -> bool:
        """True when an incident stops what goes there."""
        return self._run(_FROZEN, for_connection_id=connection_id or EVERYTHING).first() is not None

    def claim_one(self, lane: str, *, holder: str, now: datetime, until: datetime) -> Lease | None:
        """Take one lane by name, made when it is new."""
        self._keep(_MAKE, lane=lane)
        leases = self._take(self._run(_FREE_ONE, for_lane=lane, now=now).all(), holder=holder, until=until)
        return leases[0] if leases else None

    def renew(self, lease: Lease, *, until: datetime) -> bool:
        """Move the end of the lease on."""
        return self._run(_RENEW, **_held(lease), lease_until=until).rowcount == 1

    def hold(self, lease: Lease) -> bool:
        """Lock the row until the end of the transaction, if the lease still stands."""
        return self._one(_HOLD, **_held(lease)) is not None

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
        self._run(_RELEASE, **_held(lease), **values)

    def holders(self) -> Sequence[str]:
        """Everybody who holds a lane."""
        return [str(row.holder) for row in self._run(_HOLDERS)]

    def free(self, holder: str) -> int:
        """No holder, no lease; the due time stays, and the next claim raises the fence."""
        return self._run(_FREE_ALL, for_holder=holder).rowcount

    def bring_forward(self, *, now: datetime, lease_limit: datetime, lease_until: datetime) -> None:
        """No wait, and no lease longer than there are."""
        self._run(_BRING_FORWARD, now=now, due_at=now)
        self._run(_CUT_LEASES, lease_limit=lease_limit, lease_until=lease_until)

    def resume(self, connection_id: str, *, now: datetime) -> None:
        """Look at every lane of the connection that has work now."""
        self._run(_RESUME, for_connection_id=connection_id, due_at=now)

    def _take(self, free: Sequence[Row[Any]], *, holder: str, until: datetime) -> list[Lease]:
        if free:
            self._run(_TAKE, free_lanes=[row.lane for row in free], holder=holder, lease_until=until)
        return [
            Lease(
                lane=row.lane,
                connection_id=row.connection_id,
                holder=holder,
                fence=row.fence + 1,
                until=until,
                failures=row.failures,
                problem=row.problem,
                problem_since=row.problem_since,
            )
            for row in free
        ]


def _held(lease: Lease) -> dict[str, object]:
    return {"for_lane": lease.lane, "for_holder": lease.holder, "for_fence": lease.fence}
