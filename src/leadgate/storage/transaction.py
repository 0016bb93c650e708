"""The stores of one workspace inside one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from leadgate.storage.base import SqlStore
from leadgate.storage.connections import SqlConnectionStore
from leadgate.storage.deliveries import SqlDeliveryStore
from leadgate.storage.events import SqlEventStore
from leadgate.storage.lanes import SqlLaneStore
from leadgate.storage.leads import SqlLeadStore
from leadgate.storage.people import SqlConversationStore, SqlKeyStore, SqlSubjectStore
from leadgate.storage.schema import connections, reconciliations, refusals
from leadgate.storage.staff import SqlSalonStore, SqlStaffStore


class SqlTransaction(SqlStore):
    """See `ports.stores.Transaction`."""

    def __init__(self, connection: Connection, workspace_id: str) -> None:
        """Put every store on this connection."""
        super().__init__(connection, workspace_id)
        self.connection = connection
        self.workspace_id = workspace_id
        self.keys = SqlKeyStore(connection, workspace_id)
        self.events = SqlEventStore(connection, workspace_id)
        self.subjects = SqlSubjectStore(connection, workspace_id)
        self.conversations = SqlConversationStore(connection, workspace_id)
        self.leads = SqlLeadStore(connection, workspace_id)
        self.deliveries = SqlDeliveryStore(connection, workspace_id)
        self.lanes = SqlLaneStore(connection, workspace_id)
        self.connections = SqlConnectionStore(connection, workspace_id)
        self.staff = SqlStaffStore(connection, workspace_id)
        self.salon = SqlSalonStore(connection, workspace_id)

    def add_refusals(self, counts: Mapping[tuple[str, str], int], *, at: datetime) -> None:
        """Add to the counters of the current hour."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        for (connection_id, code), count in sorted(counts.items()):
            statement = self._insert(refusals).values(
                workspace_id=self._workspace_id,
                connection_id=connection_id,
                code=code,
                hour=hour,
                count=count,
                last_at=at,
            )
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["workspace_id", "hour", "connection_id", "code"],
                    set_={"count": refusals.c.count + statement.excluded.count, "last_at": statement.excluded.last_at},
                )
            )

    def note_event(self, connection_id: str, *, at: datetime) -> None:
        """The connection sent us something at this time."""
        table = connections
        statement = (
            table.update()
            .where(self._mine(table), table.c.connection_id == connection_id)
            .where((table.c.last_event_at.is_(None)) | (table.c.last_event_at < at))
        )
        self._connection.execute(statement.values(last_event_at=at))

    def add_reconciliation(self, *, started_at: datetime, result: str) -> None:
        """Keep the result."""
        self._connection.execute(
            insert(reconciliations).values(workspace_id=self._workspace_id, started_at=started_at, result=result)
        )
