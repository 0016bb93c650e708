"""Runs units of work on either engine and translates the database's errors once."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from typing import TypeVar

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from leadgate.errors import OverloadedError, StorageUnavailableError
from leadgate.model.webhooks import Receipt
from leadgate.ports.stores import NewEvent, Transaction
from leadgate.storage.arrivals import store_on_postgres, store_on_sqlite
from leadgate.storage.engines import POSTGRES_CONNECTIONS, READERS
from leadgate.storage.group_commit import GroupCommitter
from leadgate.storage.queries import SqlQueries
from leadgate.storage.transaction import SqlTransaction

T = TypeVar("T")
_RACES_TO_LOSE = 5
_ARRIVAL_LIMIT_S = 8.0
"""Senders wait ten seconds as a rule; what is kept after all is known when it comes again."""
_LIMIT_S = 45.0
"""For everything else on a server: more than a statement and its locks may take (see `engines`)."""
_MAX_WAITING = 2000
_DAMAGE_LIMIT = 200
_PLACES = re.compile(r"'[^']*'")  # a finding may quote a value
_LOST_TO_ANOTHER = ("40001", "40P01")  # PostgreSQL: serialization failure, deadlock
_Companion = Callable[[Transaction, object], None]
_companion: ContextVar[_Companion | None] = ContextVar("leadgate_companion", default=None)


class SqlStorage:
    """The database of one workspace."""

    def __init__(self, engine: Engine, workspace_id: str) -> None:
        """Use this engine; its schema must be up to date."""
        self._engine = engine
        self._workspace_id = workspace_id
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._writer = GroupCommitter(engine, partial(store_on_sqlite, workspace_id)) if self._is_sqlite else None
        self._threads = ThreadPoolExecutor(
            READERS if self._is_sqlite else POSTGRES_CONNECTIONS, thread_name_prefix="leadgate-db"
        )
        self._waiting = 0
        self._is_closed = False

    @property
    def is_local(self) -> bool:
        """True when only processes of this machine can share the database."""
        return self._is_sqlite

    @property
    def workspace_id(self) -> str:
        """The workspace whose rows are seen."""
        return self._workspace_id

    async def write(self, unit: Callable[[Transaction], T]) -> T:
        """See `ports.stores.Storage.write`. A unit that loses a race against another is run again, at most five times."""
        companion = _companion.get()
        if companion is not None:
            unit = _together(unit, companion)
        for _ in range(_RACES_TO_LOSE - 1):
            try:
                return await self._write_once(unit)
            except DBAPIError as error:
                if not _is_lost_race(error):
                    raise
        try:
            return await self._write_once(unit)
        except OperationalError as error:
            raise StorageUnavailableError("Other transactions were in the way too often.") from error

    @contextlib.contextmanager
    def joined(self, companion: _Companion) -> Iterator[None]:
        """Within the block, units that the calling task writes take `companion` along: both are kept, or neither.

        Args:
            companion: is called after the unit in the same transaction, with what the unit returned; it may run again, as units
                may, and what it raises undoes both.
        """
        token = _companion.set(companion)
        try:
            yield
        finally:
            _companion.reset(token)

    async def read(self, unit: Callable[[Transaction], T]) -> T:
        """See `ports.stores.Storage.read`."""
        return await self._in_thread(lambda: self._read(unit))

    async def query(self, unit: Callable[[SqlQueries], T]) -> T:
        """Run a read for pages, API and commands on a snapshot.

        Raises:
            StorageUnavailableError: the database is away.
        """
        return await self._in_thread(lambda: self._read(lambda tx: unit(SqlQueries(tx.connection, self._workspace_id))))

    def receive(self, event: NewEvent) -> asyncio.Future[Receipt]:
        """See `ports.stores.Storage.receive`."""
        if self._writer is not None:
            return self._writer.keep(event)
        self._check_room()
        return asyncio.ensure_future(
            self._in_thread(lambda: self._receive_on_postgres(event), limit_s=_ARRIVAL_LIMIT_S)
        )

    async def find_damage(self) -> str | None:
        """The first damage that SQLite finds in its file, without contents; None when there is none.

        Reads the whole file, so it takes seconds for each gigabyte. PostgreSQL looks after itself (checksums): always None.

        Raises:
            StorageUnavailableError: the database is away or closed.
        """
        return await self._in_thread(self._find_damage) if self._is_sqlite else None

    def _find_damage(self) -> str | None:
        try:
            with self._engine.connect() as bare:
                # As a reader: otherwise it would hold the lock of the writer, and every sender would be refused for seconds.
                connection = bare.execution_options(leadgate_reader=True)
                found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
        except DBAPIError as error:
            if isinstance(error.orig, sqlite3.OperationalError):
                raise
            return "the file cannot be read as a database"
        return None if found == "ok" else _PLACES.sub("…", found)[:_DAMAGE_LIMIT]

    async def clean_log(self) -> bool:
        """Bring SQLite's log into the database and cut it, so that pages from before an erasure are not kept in it.

        False when a reader was in the way: the log is overwritten as it is used again. PostgreSQL's log is its own business: True.

        Raises:
            StorageUnavailableError: the database is away or closed.
        """
        return await self._in_thread(self._clean_log) if self._is_sqlite else True

    def _clean_log(self) -> bool:
        driver = self._engine.raw_connection()
        try:
            busy = driver.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            driver.close()
        return not busy

    def close(self) -> None:
        """Finish what is queued and close every connection."""
        self._is_closed = True
        if self._writer is not None:
            self._writer.close()
        self._threads.shutdown(wait=True)
        self._engine.dispose()

    async def _write_once(self, unit: Callable[[Transaction], T]) -> T:
        def run(connection: Connection) -> T:
            return unit(SqlTransaction(connection, self._workspace_id))

        if self._writer is not None:
            return await self._writer.run(run)

        def run_in_pool() -> T:
            with self._engine.begin() as connection:
                return run(connection)

        return await self._in_thread(run_in_pool)

    def _read(self, unit: Callable[[SqlTransaction], T]) -> T:
        with self._engine.connect() as bare:
            connection = bare.execution_options(leadgate_reader=True) if self._is_sqlite else bare
            with connection.begin():
                return unit(SqlTransaction(connection, self._workspace_id))

    def _receive_on_postgres(self, event: NewEvent) -> Receipt:
        with self._engine.begin() as connection:
            return store_on_postgres(connection, self._workspace_id, event)

    def _check_room(self) -> None:
        if self._is_closed:
            raise StorageUnavailableError("The database is closed.")
        if self._waiting >= _MAX_WAITING:
            raise OverloadedError("Too much is waiting for the database.", retry_after_s=2)

    async def _in_thread(self, work: Callable[[], T], *, limit_s: float = _LIMIT_S) -> T:
        """A server that stands still answers never; whoever waits is told, though the work may yet be done."""
        self._check_room()
        self._waiting += 1
        try:
            async with asyncio.timeout(None if self._is_sqlite else limit_s):
                return await asyncio.get_running_loop().run_in_executor(self._threads, _translated, work)
        except TimeoutError as error:
            raise StorageUnavailableError("The database does not answer.") from error
        finally:
            self._waiting -= 1


def _together(unit: Callable[[Transaction], T], companion: _Companion) -> Callable[[Transaction], T]:
    def both(tx: Transaction) -> T:
        result = unit(tx)
        companion(tx, result)
        return result

    return both


def _translated(work: Callable[[], T]) -> T:
    try:
        return work()
    except (DBAPIError, PoolTimeoutError, sqlite3.Error) as error:
        if isinstance(error, IntegrityError | DataError | ProgrammingError) or _is_lost_race(error):
            raise  # the unit's own statement is to blame, or it lost a race; the database is well
        raise StorageUnavailableError("The database does not answer or cannot commit.") from error


def _is_lost_race(error: Exception) -> bool:
    """True when another transaction was in the way, so that the same unit may succeed now."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return isinstance(error, IntegrityError) or state in _LOST_TO_ANOTHER
