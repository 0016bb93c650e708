"""Incidents and freezes. What a freeze does to lanes stands in `lanes`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, delete, func, insert, select, update

from leadgate.model.incidents import EVERYTHING, Affected, Freeze, Incident, Notice, Sent
from leadgate.ports.stores.incidents import Counted, Scope, StoredIncident
from leadgate.storage.base import LIMIT, SqlStore, given, insert_unless_there, of_workspace
from leadgate.storage.incident_counts import count_scope, newest_messages
from leadgate.storage.schema import freezes, incidents, lanes

_ADD = insert(incidents)
_FIND = select(incidents).where(of_workspace(incidents), given(incidents.c.incident_id))
_FIND_OPEN = select(incidents).where(of_workspace(incidents), incidents.c.closed_at.is_(None))
_LOCK_OPEN = _FIND_OPEN.with_for_update()
_ALL = select(incidents).where(of_workspace(incidents)).order_by(incidents.c.opened_at.desc()).limit(LIMIT)
_REPLACE = update(incidents).where(of_workspace(incidents), given(incidents.c.incident_id))
_FREEZE = insert_unless_there(freezes)
_FREEZES = select(freezes).where(of_workspace(freezes)).order_by(freezes.c.frozen_at, freezes.c.connection_id)
_FIND_FREEZE = select(freezes).where(of_workspace(freezes), given(freezes.c.connection_id))
_UNFREEZE = delete(freezes).where(of_workspace(freezes), given(freezes.c.connection_id))
_HELD = select(func.count()).where(
    of_workspace(lanes), lanes.c.connection_id.is_not(None), lanes.c.lease_until >= bindparam("now")
)
_HELD_OF = _HELD.where(lanes.c.connection_id.in_(bindparam("connection_ids", expanding=True)))


class _Facts(msgspec.Struct, frozen=True):
    """The parts of an incident that are no columns: counts and numbers, nothing about a person."""

    sent: dict[str, Sent] = {}
    affected: Affected | None = None


class SqlIncidentStore(SqlStore):
    """See `ports.stores.IncidentStore`."""

    def add(self, stored: StoredIncident) -> None:
        """Keep a new one."""
        self._keep(_ADD, **_columns(stored))

    def replace(self, stored: StoredIncident) -> None:
        """Put another state in its place."""
        self._run(_REPLACE, for_incident_id=stored.incident.incident_id, **_columns(stored))

    def find(self, incident_id: str) -> StoredIncident | None:
        """One incident."""
        row = self._one(_FIND, for_incident_id=incident_id)
        return None if row is None else _stored(row)

    def find_open(self) -> StoredIncident | None:
        """The one that is open."""
        row = self._one(_FIND_OPEN)
        return None if row is None else _stored(row)

    def lock_open(self) -> StoredIncident | None:
        """The same, and nobody else changes it meanwhile."""
        row = self._one(_LOCK_OPEN)
        return None if row is None else _stored(row)

    def all(self, *, limit: int) -> Sequence[Incident]:
        """Newest first."""
        return [_stored(row).incident for row in self._run(_ALL, limit=limit)]

    def freeze(self, freeze: Freeze) -> bool:
        """Send nothing through it from the commit on."""
        if self._one(_FIND_FREEZE, for_connection_id=freeze.connection_id) is not None:
            return False
        self._keep(
            _FREEZE,
            connection_id=freeze.connection_id,
            incident_id=freeze.incident_id,
            frozen_at=freeze.frozen_at,
            frozen_by=freeze.frozen_by,
        )
        return True

    def unfreeze(self, connection_id: str) -> bool:
        """Send again."""
        return self._run(_UNFREEZE, for_connection_id=connection_id).rowcount > 0

    def freezes(self) -> Sequence[Freeze]:
        """What is frozen now."""
        return [
            Freeze(
                connection_id=row.connection_id,
                incident_id=row.incident_id,
                frozen_at=row.frozen_at,
                frozen_by=row.frozen_by,
            )
            for row in self._run(_FREEZES)
        ]

    def on_their_way(self, connection_ids: Collection[str], *, now: datetime) -> int:
        """Lanes that somebody holds: a call may be under way."""
        if EVERYTHING in connection_ids:
            return int(self._run(_HELD, now=now).scalar_one())
        return int(self._run(_HELD_OF, now=now, connection_ids=sorted(connection_ids)).scalar_one())

    def count(self, scope: Scope) -> Counted:
        """Count people, identifiers and messages."""
        return count_scope(self._connection, self._workspace_id, scope)

    def messages(self, scope: Scope, *, limit: int) -> Iterator[tuple[str, str, bytes]]:
        """The newest messages of the people in a scope."""
        return newest_messages(self._connection, self._workspace_id, scope, limit=limit)


def _columns(stored: StoredIncident) -> dict[str, object]:
    incident = stored.incident
    facts = _Facts({notice.value: sent for notice, sent in incident.sent.items()}, incident.affected)
    return {
        "incident_id": incident.incident_id,
        "is_drill": int(incident.is_drill),
        "found_at": incident.found_at,
        "opened_at": incident.opened_at,
        "opened_by": incident.opened_by,
        "sealed_story": stored.sealed_story,
        "facts": msgspec.json.encode(facts).decode(),
        "closed_at": incident.closed_at,
        "closed_by": incident.closed_by,
    }


def _stored(row: Row[Any]) -> StoredIncident:
    facts = msgspec.json.decode(row.facts, type=_Facts)
    incident = Incident(
        incident_id=row.incident_id,
        is_drill=bool(row.is_drill),
        found_at=row.found_at,
        opened_at=row.opened_at,
        opened_by=row.opened_by,
        sent={Notice(name): sent for name, sent in facts.sent.items()},
        affected=facts.affected,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
    )
    return StoredIncident(incident=incident, sealed_story=row.sealed_story)
