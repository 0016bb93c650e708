"""What every store stands on: the connection, the workspace, and an insert that tolerates what is there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection


class SqlStore:
    """A store of one workspace inside one transaction."""

    def __init__(self, connection: Connection, workspace_id: str) -> None:
        """Work through this connection, on the rows of this workspace only."""
        self._connection = connection
        self._workspace_id = workspace_id

    def _mine(self, table: Table) -> ColumnElement[bool]:
        return table.c.workspace_id == self._workspace_id

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        if self._connection.dialect.name == "sqlite":
            return sqlite.insert(table)
        return postgresql.insert(table)

    def _one(self, statement: Any) -> Any:
        return self._connection.execute(statement).one_or_none()

    @property
    def _is_postgres(self) -> bool:
        return self._connection.dialect.name == "postgresql"
