"""What every store stands on: the connection, the workspace, and how a statement is written once and run many times.

Building a statement takes SQLAlchemy several times as long as running it, so those of the working path are constants of their
modules. What a condition compares with is bound under the name `for_<column>` (an UPDATE sets the plain names), other values
under a word of their own, such as `now`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, CursorResult, Executable, Insert, Integer, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

TolerantInsert = sqlite.Insert | postgresql.Insert
LIMIT = bindparam("limit", type_=Integer)


class PerEngine(NamedTuple):
    """One statement in the words of either engine."""

    sqlite: Insert
    postgres: Insert


class SqlStore:
    """A store of one workspace inside one transaction."""

    def __init__(self, connection: Connection, workspace_id: str) -> None:
        """Work through this connection, on the rows of this workspace only."""
        self._connection = connection
        self._workspace_id = workspace_id

    def _run(self, statement: Executable, **values: object) -> CursorResult[Any]:
        """Run a statement on the rows of the workspace: see `of_workspace`."""
        return self._connection.execute(statement, {"for_workspace_id": self._workspace_id, **values})

    def _run_each(self, statement: Executable, rows: Sequence[Mapping[str, object]]) -> None:
        """Run a statement once with each of these values; nothing when there are none."""
        own = {"workspace_id" if isinstance(statement, Insert) else "for_workspace_id": self._workspace_id}
        if rows:
            self._connection.execute(statement, [own | dict(row) for row in rows])

    def _one(self, statement: Executable, **values: object) -> Any:
        return self._run(statement, **values).one_or_none()

    def _keep(self, statement: Insert | PerEngine, **columns: object) -> None:
        """Run an insert for a row of the workspace."""
        if isinstance(statement, PerEngine):
            statement = statement.postgres if self._is_postgres else statement.sqlite
        self._connection.execute(statement, {"workspace_id": self._workspace_id, **columns})

    def _mine(self, table: Table) -> ColumnElement[bool]:
        return table.c.workspace_id == self._workspace_id

    def _insert(self, table: Table) -> TolerantInsert:
        return postgresql.insert(table) if self._is_postgres else sqlite.insert(table)

    @property
    def _is_postgres(self) -> bool:
        return self._connection.dialect.name == "postgresql"


def given(column: Column[Any]) -> ColumnElement[bool]:
    """The column has the value that is given as `for_<column>` when the statement runs; None is equal to nothing."""
    return column == bindparam(f"for_{column.name}")


def of_workspace(table: Table) -> ColumnElement[bool]:
    """The row belongs to the workspace of the store that runs the statement."""
    return given(table.c.workspace_id)


def insert_unless_there(table: Table) -> PerEngine:
    """An insert without effect when a row with one of its keys is there."""
    return insert_or(table, lambda new: new.on_conflict_do_nothing())


def insert_or(table: Table, tolerate: Callable[[TolerantInsert], TolerantInsert]) -> PerEngine:
    """An insert that does what `tolerate` adds to it when the row is there."""
    return PerEngine(sqlite=tolerate(sqlite.insert(table)), postgres=tolerate(postgresql.insert(table)))
