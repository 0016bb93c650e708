"""Received events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select, text, update

from leadgate.model.events import EventState
from leadgate.ports.stores import StoredEvent
from leadgate.storage.base import SqlStore
from leadgate.storage.schema import EVENT_IS_PENDING, connections, events

_LOOK_AHEAD = 4000
# Among the oldest that wait: whatever else waits gets its turn when they are through. As text, because it is asked after every arrival
# and building it anew took longer than answering it.
_PENDING_PARTS = text(
    "SELECT DISTINCT part FROM (SELECT part FROM events WHERE workspace_id = :workspace_id AND state = 'received' AND connection_id IN ("
    "SELECT connection_id FROM connections WHERE connections.workspace_id = :workspace_id AND connections.state = 'active')"
    " ORDER BY seq LIMIT :look_ahead) AS oldest ORDER BY part"
)


class SqlEventStore(SqlStore):
    """See `ports.stores.EventStore`."""

    def pending_parts(self) -> Sequence[int]:
        """Parts in which something waits that may be worked on; reads the index of pending events only."""
        wanted = {"workspace_id": self._workspace_id, "look_ahead": _LOOK_AHEAD}
        return [row.part for row in self._connection.execute(_PENDING_PARTS, wanted)]

    def pending(self, part: int, *, limit: int) -> Sequence[StoredEvent]:
        """Oldest first; events of paused connections wait."""
        query = self._pending(select(events)).where(events.c.part == part).order_by(events.c.seq).limit(limit)
        return [_event(row) for row in self._connection.execute(query)]

    def find(self, event_id: str) -> StoredEvent | None:
        """One event."""
        row = self._one(select(events).where(self._mine(events), events.c.event_id == event_id))
        return None if row is None else _event(row)

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
        statement = (
            update(events)
            .where(self._mine(events), events.c.event_id == event_id, events.c.state == "received")
            .values(values)
        )
        return self._connection.execute(statement).rowcount == 1

    def count_failure(self, event_id: str) -> int:
        """One more failure."""
        mine = (self._mine(events), events.c.event_id == event_id)
        self._connection.execute(update(events).where(*mine).values(failures=events.c.failures + 1))
        return int(self._connection.execute(select(events.c.failures).where(*mine)).scalar_one())

    def reopen(self, event_id: str) -> bool:
        """Failed and ignored events may be worked on again; their history stays."""
        statement = (
            update(events)
            .where(self._mine(events), events.c.event_id == event_id, events.c.state.in_(("failed", "ignored")))
            .values(state="received", reason=None, failures=0)
        )
        return self._connection.execute(statement).rowcount == 1

    def give_up_pending(self, connection_id: str, *, reason: str, at: datetime) -> int:
        """Events nobody will work on are kept as failed."""
        statement = update(events).where(self._mine(events), events.c.connection_id == connection_id, EVENT_IS_PENDING)
        return self._connection.execute(statement.values(state="failed", reason=reason, processed_at=at)).rowcount

    def _pending(self, query: Select[Any]) -> Select[Any]:
        active = select(connections.c.connection_id).where(self._mine(connections), connections.c.state == "active")
        return query.where(EVENT_IS_PENDING, self._mine(events), events.c.connection_id.in_(active))

    def move_to_lead(self, event_id: str, lead_id: str) -> None:
        """Tie the event to another lead."""
        statement = update(events).where(self._mine(events), events.c.event_id == event_id)
        self._connection.execute(statement.values(lead_id=lead_id))


def _event(row: Row[Any]) -> StoredEvent:
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
