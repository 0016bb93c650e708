"""The hot path: prepared statements that keep events unless their natural keys are known."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import cache

from sqlalchemy.engine import Connection

from leadgate.model.webhooks import Receipt
from leadgate.ports.stores import NewEvent
from leadgate.storage.schema import to_micros

MOST_AT_ONCE = 64
"""Most events of one statement on SQLite, thus of one commit."""

_INSERT = (
    "INSERT INTO events (workspace_id, event_id, connection_id, natural_key, part, state, received_at, key_scope, sealed_body)"
    " VALUES {rows} ON CONFLICT (natural_key, workspace_id) DO NOTHING"
)
_ROW = "({0}, {0}, {0}, {0}, {0}, 'received', {0}, {0}, {0})"
_FIND = "SELECT event_id FROM events WHERE natural_key = {0} AND workspace_id = {0}"
_FIND_SQLITE = _FIND.format("?")
_INSERT_POSTGRES, _FIND_POSTGRES = _INSERT.format(rows=_ROW.format("%s")), _FIND.format("%s")


def store_on_sqlite(workspace_id: str, driver: sqlite3.Connection, events: Sequence[NewEvent]) -> list[Receipt]:
    """Insert and commit at most `MOST_AT_ONCE` through the bare driver; receipts in the order of the events.

    One statement is a transaction of its own, from the lock to the flush of the disk. Each call of the driver gives the interpreter
    away and has to win it back from a busy event loop, so BEGIN, rows and COMMIT are one call and not several.
    """
    values = [value for event in events for value in _row(workspace_id, event)]
    if driver.execute(_insert_sqlite(len(events)), values).rowcount == len(events):
        return [Receipt(event_id=event.event_id, duplicate=False) for event in events]
    return [_look_up(driver, workspace_id, event) for event in events]


def store_on_postgres(connection: Connection, workspace_id: str, event: NewEvent) -> Receipt:
    """Insert in the transaction that the caller commits."""
    if connection.exec_driver_sql(_INSERT_POSTGRES, _row(workspace_id, event)).rowcount:
        return Receipt(event_id=event.event_id, duplicate=False)
    key = (event.natural_key, workspace_id)
    return Receipt(event_id=connection.exec_driver_sql(_FIND_POSTGRES, key).scalar_one(), duplicate=True)


def _look_up(driver: sqlite3.Connection, workspace_id: str, event: NewEvent) -> Receipt:
    """Whose row holds the natural key: this event's, or an earlier one's."""
    key = (event.natural_key, workspace_id)
    (event_id,) = driver.execute(_FIND_SQLITE, key).fetchone()
    return Receipt(event_id=event_id, duplicate=event_id != event.event_id)


@cache
def _insert_sqlite(rows: int) -> str:
    """A text for each number of rows; the driver keeps them prepared."""
    return _INSERT.format(rows=", ".join([_ROW.format("?")] * rows))


def _row(workspace_id: str, event: NewEvent) -> tuple[object, ...]:
    return (
        workspace_id,
        event.event_id,
        event.connection_id,
        event.natural_key,
        event.part,
        to_micros(event.received_at),
        event.key_scope,
        event.sealed_body,
    )
