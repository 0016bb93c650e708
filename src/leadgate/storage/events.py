"""Received events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text, update

from leadgate.model.events import EventState
from leadgate.ports.stores import StoredEvent
from leadgate.storage.base import LIMIT, SqlStore, given, of_workspace
from leadgate.storage.schema import EVENT_IS_PENDING, connections, events

_LOOK_AHEAD = 4000
# Among the oldest that wait: whatever else waits gets its turn when they are through.
_PENDING_PARTS = text(
    "SELECT DISTINCT part FROM (SELECT part FROM events"
    " WHERE workspace_id = :for_workspace_id AND state = 'received' AND connection_id IN ("
    "SELECT connection_id FROM connections"
    " WHERE connections.workspace_id = :for_workspace_id AND connections.state = 'active')"
    " ORDER BY seq LIMIT :look_ahead) AS oldest ORDER BY part"
)
_ACTIVE = select(connections.c.connection_id).where(of_workspace(connections), connections.c.state == "active")
_PENDING = (
    select(events)
    .where(EVENT_IS_PENDING, of_workspace(events), events.c.connection_id.in_(_ACTIVE), given(events.c.part))
    .order_by(events.c.seq)
    .limit(LIMIT)
)
_IS_IT = (of_workspace(events), given(events.c.event_id))
_FIND = select(events).where(*_IS_IT)
_CHANGE = update(events).where(*_IS_IT)
_FINISH = _CHANGE.where(events.c.state == "received")
_COUNT_FAILURE = _CHANGE.values(failures=events.c.failures + 1)
_FAILURES = select(events.c.failures).where(*_IS_IT)
_REOPEN = _CHANGE.where(events.c.state.in_(("failed", "ignored"))).values(state="received", reason=None, failures=0)
_GIVE_UP = (
    update(events)
    .where(of_workspace(events), given(events.c.connection_id), EVENT_IS_PENDING)
    .values(state=EventState.FAILED.value)
)

_FORGET_BODY = _CHANGE.values(sealed_body=None)


class SqlEventStore(SqlStore):
    """See `ports.stores.EventStore`."""

    def pending_parts(self) -> Sequence[int]:
        """Parts in which something waits that may be worked on; reads the index of pending events only."""
        return [row.part for row in self._run(_PENDING_PARTS, look_ahead=_LOOK_AHEAD)]

    def pending(self, part: int, *, limit: int) -> Sequence[StoredEvent]:
        """Oldest first; events of paused connections wait."""
        return [read_event(row) for row in self._run(_PENDING, for_part=part, limit=limit)]

    def find(self, event_id: str) -> StoredEvent | None:
        """One event."""
        row = self._one(_FIND, for_event_id=event_id)
        return None if row is None else read_event(row)

    def finish(
        self,
        event_id: str,
        *,
        state: EventState,
        reason: str | None,
        subject_id: str | None,
        lead_id: str | None,
        resealed: tuple[str, bytes] | None,
        at: datetime,
    ) -> bool:
        """Only an event that is still `received` gets an end, so a second worker changes nothing."""
        values: dict[str, object] = {
            "state": state.value,
            "reason": reason,
            "subject_id": subject_id,
            "lead_id": lead_id,
            "processed_at": at,
        }
        if resealed is not None:
            values["key_scope"], values["sealed_body"] = resealed
        return self._run(_FINISH, for_event_id=event_id, **values).rowcount == 1

    def count_failure(self, event_id: str) -> int:
        """One more failure."""
        self._run(_COUNT_FAILURE, for_event_id=event_id)
        return int(self._run(_FAILURES, for_event_id=event_id).scalar_one())

    def reopen(self, event_id: str) -> bool:
        """Failed and ignored events may be worked on again; their history stays."""
        return self._run(_REOPEN, for_event_id=event_id).rowcount == 1

    def give_up_pending(self, connection_id: str, *, reason: str, at: datetime) -> int:
        """Events nobody will work on are kept as failed."""
        return self._run(_GIVE_UP, for_connection_id=connection_id, reason=reason, processed_at=at).rowcount

    def forget_body(self, event_id: str) -> None:
        """Destroy the raw body."""
        self._run(_FORGET_BODY, for_event_id=event_id)

    def move_to_lead(self, event_id: str, lead_id: str) -> None:
        """Tie the event to another lead."""
        self._run(_CHANGE, for_event_id=event_id, lead_id=lead_id)


def read_event(row: Row[Any]) -> StoredEvent:
    """An event from its row."""
    return StoredEvent(
        seq=row.seq,
        event_id=row.event_id,
        connection_id=row.connection_id,
        part=row.part,
        state=EventState(row.state),
        reason=row.reason,
        received_at=row.received_at,
        key_scope=row.key_scope,
        sealed_body=row.sealed_body,
        subject_id=row.subject_id,
        lead_id=row.lead_id,
        failures=row.failures,
    )
