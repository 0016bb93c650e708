"""What a database that was put back from a copy must not believe any more.

Whatever was on its way when the copy was made may have arrived since, whatever was due may have been sent. So all of it counts as
being sent by somebody who died: `delivery.steps` then looks it up before anything is repeated. Leases and sign-ins of the time of
the copy end.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, or_, select, update

from leadgate.model.deliveries import DeliveryKind, DeliveryState
from leadgate.storage.base import SqlStore, given, of_workspace
from leadgate.storage.schema import DELIVERY_IS_OPEN, api_answers, data_keys, deliveries, lanes, sessions, workspaces
from leadgate.storage.transaction import SqlTransaction

_MAY_HAVE_GONE = or_(
    deliveries.c.kind != DeliveryKind.MESSAGE.value,  # may be asked for, so asking costs nothing
    deliveries.c.due_at <= bindparam("now"),  # a reminder of next week has not gone to anybody
)
_DOUBT = (
    update(deliveries)
    .where(of_workspace(deliveries), deliveries.c.state == DeliveryState.WAITING.value, _MAY_HAVE_GONE)
    .values(state=DeliveryState.SENDING.value)
)
_DOUBT_OF_EVENT = _DOUBT.where(given(deliveries.c.event_id))
_BUSY_LANES = select(deliveries.c.lane).where(of_workspace(deliveries), DELIVERY_IS_OPEN)
_FREE_LANES = update(lanes).where(of_workspace(lanes)).values(holder=None, lease_until=None, problem=None, failures=0)
_WAKE_LANES = update(lanes).where(of_workspace(lanes), lanes.c.lane.in_(_BUSY_LANES))
_END_SIGN_INS = delete(sessions).where(of_workspace(sessions))
_FORGET_ANSWERS = delete(api_answers).where(of_workspace(api_answers))
_RECOVERY = select(workspaces.c.sealed_recovery).where(of_workspace(workspaces))
_SCOPES = select(data_keys.c.scope).where(of_workspace(data_keys)).order_by(data_keys.c.scope)


class Restored(SqlStore):
    """Acts on one workspace inside one transaction."""

    @classmethod
    def of(cls, tx: SqlTransaction) -> Restored:
        """In this transaction."""
        return cls(tx.connection, tx.workspace_id)

    def forget_the_moment(self, *, at: datetime) -> int:
        """Everything that was in hand when the copy was made is in doubt; how many deliveries are."""
        doubtful = self._run(_DOUBT, now=at, due_at=at).rowcount
        self._run(_FREE_LANES)
        self._run(_WAKE_LANES, due_at=at)
        self._run(_END_SIGN_INS)
        self._run(_FORGET_ANSWERS)
        return doubtful

    def doubt_event(self, event_id: str, *, at: datetime) -> int:
        """What an event has just brought about may have gone before: the event was worked on after the copy, or came again."""
        return self._run(_DOUBT_OF_EVENT, for_event_id=event_id, now=at, due_at=at).rowcount

    def find_sealed_recovery(self) -> bytes | None:
        """The key encryption key under the recovery key."""
        sealed: bytes | None = self._run(_RECOVERY).scalar()
        return sealed

    def scopes(self) -> list[str]:
        """Every scope that has a data key."""
        return [row.scope for row in self._run(_SCOPES)]
