"""The two engines: SQLite with one writer and a few readers, PostgreSQL with a pool. Settings that keep a promise stand here."""

from __future__ import annotations

import sqlite3
import time
from typing import Any, TypeAlias

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool, StaticPool

from leadgate.errors import ConfigurationError

Database: TypeAlias = Engine
"""The engine, for rooms that hand it on and know no SQL library."""

BUSY_TIMEOUT_S = 5
_WAL_RETRY_S = 0.02
_PRIMARY_CODE = 0xFF
"""SQLite's codes carry what exactly happened in the higher bits."""
READERS = 4
POSTGRES_CONNECTIONS = 12


def make_engine(database_url: str) -> Engine:
    """The engine for `sqlite:///…` or `postgresql://…`.

    Raises:
        ConfigurationError: neither of the two, or not an address at all.
    """
    try:
        url = make_url(database_url)
    except ArgumentError:
        raise ConfigurationError(
            "LEADGATE_DATABASE_URL is not a database address.", hint="Use postgresql://user:password@host/name."
        ) from None
    if url.get_backend_name() == "sqlite":
        return _sqlite(database_url)
    if url.get_backend_name() == "postgresql":
        return _postgres(url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False))
    raise ConfigurationError(
        f"Leadgate keeps its data in SQLite or PostgreSQL, not in {url.get_backend_name()}.",
        hint="Leave LEADGATE_DATABASE_URL empty or use postgresql://…",
    )


def make_scratch_engine() -> Engine:
    """An empty SQLite database that has no name on the disk and is gone when the engine is disposed of, also after a kill."""
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect("", isolation_level=None, check_same_thread=False),
        poolclass=StaticPool,
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _sqlite(database_url: str) -> Engine:
    engine = create_engine(
        database_url,
        poolclass=QueuePool,
        pool_size=READERS + 1,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_S},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver's own transactions begin too late and commit at odd times; we say BEGIN ourselves (`_begin_sqlite`).
    connection.isolation_level = None
    cursor = connection.cursor()
    _switch_to_wal(cursor)
    for pragma in (
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "cache_size=-16000",
        "temp_store=MEMORY",
        "wal_autocheckpoint=2000",
        "journal_size_limit=8388608",  # what a crowd or a long reader let it grow to beyond that is given back
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _switch_to_wal(cursor: sqlite3.Cursor) -> None:
    """Two processes that make one database at the same moment stumble here: SQLite does not wait for this lock by itself."""
    until_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            # A full disk fails here too; waiting for it would keep the writer from refusing everybody else.
            is_locked = error.sqlite_errorcode & _PRIMARY_CODE == sqlite3.SQLITE_BUSY
            if not is_locked or time.monotonic() >= until_s:
                raise
            time.sleep(_WAL_RETRY_S)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    is_reader = connection.get_execution_options().get("leadgate_reader", False)
    connection.exec_driver_sql("BEGIN" if is_reader else "BEGIN IMMEDIATE")


def _postgres(database_url: str) -> Engine:
    return create_engine(
        database_url,
        pool_size=POSTGRES_CONNECTIONS,
        max_overflow=0,
        pool_timeout=BUSY_TIMEOUT_S,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 5,
            "application_name": "leadgate",
            # A host that vanishes without a word (power, network) is noticed in half a minute; the kernel's own patience is hours.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20000,
            # An answered webhook must survive a crash of the server, whatever its configuration says.
            "options": "-c synchronous_commit=on -c statement_timeout=30000 -c lock_timeout=10000",
        },
    )
