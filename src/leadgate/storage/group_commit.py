"""SQLite's single writer: one thread runs every queued job in one transaction and commits once (group commit).

A job is acknowledged only after the commit that holds it is on disk (WAL, `synchronous=FULL`: our own power-cut trial lost
nothing with FULL and acknowledged rows with NORMAL). General units run in a savepoint each, so one that fails takes nothing of
the others with it; hot jobs are single statements, which SQLite keeps whole by itself.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from leadgate.errors import OverloadedError, StorageUnavailableError

T = TypeVar("T")
_MAX_GROUP = 256
_MAX_QUEUED = 4096


@dataclass(slots=True)
class _Job(Generic[T]):
    run: Callable[[Connection], T]
    needs_savepoint: bool
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]
    result: T | None = None
    error: BaseException | None = None


class GroupCommitter:
    """Owns the writing connection and its thread."""

    def __init__(self, engine: Engine) -> None:
        """Start the thread; it opens its connection on the first job."""
        self._engine = engine
        self._queue: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="leadgate-writer", daemon=True)
        self._closed = False
        self._thread.start()

    async def run(self, unit: Callable[[Connection], T]) -> T:
        """Run a unit in a savepoint and return its result after the commit.

        Raises:
            OverloadedError: too many jobs wait for the disk.
            StorageUnavailableError: the transaction could not be committed; nothing was kept.
        """
        return await self._submit(unit, needs_savepoint=True)

    async def run_hot(self, statement: Callable[[Connection], T]) -> T:
        """Like `run`, for a job of a single writing statement: no savepoint."""
        return await self._submit(statement, needs_savepoint=False)

    def close(self) -> None:
        """Finish what is queued and end the thread."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()

    def _submit(self, run: Callable[[Connection], T], *, needs_savepoint: bool) -> asyncio.Future[T]:
        if self._closed:
            raise StorageUnavailableError("The database is closed.")
        if self._queue.qsize() >= _MAX_QUEUED:
            raise OverloadedError("Too much is waiting for the disk.", retry_after_s=2)
        loop = asyncio.get_running_loop()
        job = _Job(run=run, needs_savepoint=needs_savepoint, loop=loop, future=loop.create_future())
        self._queue.put(job)
        return job.future

    def _work(self) -> None:
        connection: Connection | None = None
        while (group := self._next_group()) is not None:
            try:
                connection = connection or self._engine.connect()
                self._commit_group(connection, group)
            except (DBAPIError, sqlite3.Error, OSError) as error:
                _fail(group, error)
                _discard(connection)
                connection = None
            _answer(group)
        _discard(connection)

    def _next_group(self) -> list[_Job[Any]] | None:
        first = self._queue.get()
        if first is None:
            return None
        group = [first]
        while len(group) < _MAX_GROUP:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._queue.put(None)
                break
            group.append(job)
        return group

    @staticmethod
    def _commit_group(connection: Connection, group: list[_Job[Any]]) -> None:
        with connection.begin():
            for job in group:
                if job.future.cancelled():
                    continue
                if job.needs_savepoint:
                    _run_in_savepoint(connection, job)
                else:
                    job.result = job.run(connection)


def _run_in_savepoint(connection: Connection, job: _Job[Any]) -> None:
    connection.exec_driver_sql("SAVEPOINT unit")
    try:
        job.result = job.run(connection)
    except DBAPIError as error:
        if not _is_own_fault(error):
            raise
        _roll_back(connection, job, error)
    except Exception as error:  # noqa: BLE001 -- a unit may fail in any way; its caller gets the error, the group goes on
        _roll_back(connection, job, error)
    else:
        connection.exec_driver_sql("RELEASE unit")


def _roll_back(connection: Connection, job: _Job[Any], error: BaseException) -> None:
    job.error = error
    connection.exec_driver_sql("ROLLBACK TO unit")
    connection.exec_driver_sql("RELEASE unit")


def _is_own_fault(error: DBAPIError) -> bool:
    """True when the unit's statement is to blame (a constraint), False when the database itself failed."""
    return isinstance(error.orig, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError)


def _fail(group: list[_Job[Any]], error: Exception) -> None:
    for job in group:
        job.error = StorageUnavailableError("The database could not commit.")
        job.error.__cause__ = error


def _discard(connection: Connection | None) -> None:
    if connection is not None:
        connection.invalidate()
        connection.close()


def _answer(group: list[_Job[Any]]) -> None:
    """Hand every result to its event loop, with one wake-up per loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job[Any]]] = {}
    for job in group:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, jobs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, jobs)


def _resolve(jobs: list[_Job[Any]]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
