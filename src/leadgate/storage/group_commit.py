"""SQLite's single writer: one thread runs what waits in one transaction and commits once (group commit).

A job is acknowledged only after the commit that holds it is on disk (WAL, `synchronous=FULL`: our own power-cut trial lost
nothing with FULL and acknowledged rows with NORMAL). There are two kinds of jobs. Arrivals are plain rows of the hot path: all that
wait are kept first, in a transaction of their own, so that a sender never waits for our work. Units are functions of a connection
and run in a savepoint each, so one that fails takes nothing of the others with it; a group of them ends after a few milliseconds,
and while arrivals crowd in, units rest between groups.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from leadgate.errors import OverloadedError, StorageUnavailableError
from leadgate.model.webhooks import Receipt
from leadgate.ports.stores import NewEvent
from leadgate.storage.arrivals import MOST_AT_ONCE
from leadgate.storage.engines import BUSY_TIMEOUT_S
from leadgate.storage.log_room import LogRoom

T = TypeVar("T")
KeepArrivals = Callable[[sqlite3.Connection, Sequence[NewEvent]], list[Receipt]]
"""Keeps and commits events through a driver's connection; receipts in the same order."""

_MAX_WAITING = 4096
_CROWD = 8
"""So many arrivals in one commit mean that senders wait for one another."""
_UNITS_TIME_S = 0.005
_UNITS_REST_S = 0.02
"""How long units of a crowded time run and rest: a fifth of the time is theirs, so a flood delays them but cannot stop them."""


@dataclass(slots=True)
class _Job(Generic[T]):
    work: NewEvent | Callable[[Connection], T]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]
    since_s: float = field(default_factory=time.monotonic)
    result: T | None = None
    error: BaseException | None = None


class GroupCommitter:
    """Owns the writing connection and its thread."""

    def __init__(self, engine: Engine, keep_arrivals: KeepArrivals) -> None:
        """Start the thread; it opens its connection on the first job."""
        self._room = LogRoom()
        self._engine = engine
        self._keep_arrivals = keep_arrivals
        self._submitted: list[_Job[Any]] = []
        self._queue: queue.SimpleQueue[list[_Job[Any]] | None] = queue.SimpleQueue()
        self._waiting = 0
        self._arrivals: deque[_Job[Any]] = deque()
        self._units: deque[_Job[Any]] = deque()
        self._units_rest_until_s = 0.0
        self._is_ending = False
        self._thread = threading.Thread(target=self._work, name="leadgate-writer", daemon=True)
        self._closed = False
        self._gate = threading.Lock()  # nothing is queued behind the end mark, where nobody would answer it
        self._thread.start()

    def run(self, unit: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Run a unit in a savepoint; the future has its result after the commit.

        Raises:
            OverloadedError: too many jobs wait for the disk.
            StorageUnavailableError: the transaction could not be committed; nothing was kept.
        """
        return self._submit(unit)

    def keep(self, event: NewEvent) -> asyncio.Future[Receipt]:
        """Keep an arrival; the future has its receipt after the commit. Raises as `run`."""
        return self._submit(event)

    def close(self) -> None:
        """Finish what is queued and end the thread."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(self._submitted)
                self._queue.put(None)
        self._thread.join()

    def _submit(self, work: NewEvent | Callable[[Connection], T]) -> asyncio.Future[T]:
        if self._waiting >= _MAX_WAITING:
            raise OverloadedError("Too much is waiting for the disk.", retry_after_s=2)
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, loop.create_future())
        with self._gate:
            if self._closed:
                raise StorageUnavailableError("The database is closed.")
            if not self._submitted:
                # What one turn of the loop submits goes over together: one wake-up of the thread, one commit.
                loop.call_soon(self._hand_over)
            self._submitted.append(job)
        self._waiting += 1
        return job.future

    def _hand_over(self) -> None:
        with self._gate:
            if not self._closed:
                jobs, self._submitted = self._submitted, []
                self._queue.put(jobs)

    def _work(self) -> None:
        connection: Connection | None = None
        while not (self._is_ending and not self._units and not self._arrivals):
            self._collect()
            arrivals = [self._arrivals.popleft() for _ in range(min(MOST_AT_ONCE, len(self._arrivals)))]
            if arrivals:
                connection = self._in_one_commit(connection, arrivals, self._keep)
            if self._units and not self._rest_s():
                connection = self._in_one_commit(connection, [self._units.popleft()], self._run_units)
                if len(arrivals) >= _CROWD:
                    self._units_rest_until_s = time.monotonic() + _UNITS_REST_S
        _discard(connection)

    def _out_of_patience(self) -> list[_Job[Any]]:
        """Who has waited behind a lock of another program long enough: senders at once, units as long as they would by themselves.

        Else each of them would wait for the lock anew, one after another, and the last sender a minute.
        """
        self._collect(is_patient=False)
        arrivals, self._arrivals = list(self._arrivals), deque()
        too_long_s = time.monotonic() - BUSY_TIMEOUT_S
        units = [job for job in self._units if job.since_s <= too_long_s]
        self._units = deque(job for job in self._units if job.since_s > too_long_s)
        return [*arrivals, *units]

    def _collect(self, *, is_patient: bool = True) -> None:
        """Line up what was handed over. Blocks while there is nothing to do, if it is patient."""
        while not self._is_ending:
            wait_s = 0.0 if self._arrivals or not is_patient else self._rest_s() if self._units else None
            try:
                jobs = self._queue.get(wait_s != 0, wait_s)
            except queue.Empty:
                return
            if jobs is None:
                self._is_ending = True
                return
            for job in jobs:
                (self._arrivals if isinstance(job.work, NewEvent) else self._units).append(job)

    def _rest_s(self) -> float:
        return 0.0 if self._is_ending else max(0.0, self._units_rest_until_s - time.monotonic())

    def _in_one_commit(
        self, connection: Connection | None, group: list[_Job[Any]], work: Callable[[Connection, list[_Job[Any]]], None]
    ) -> Connection | None:
        try:
            connection = connection or self._engine.connect()
            self._room.keep(_driver_of(connection))
            work(connection, group)
        except Exception as error:  # noqa: BLE001 -- a worker loop: were this thread to end, every caller would wait for ever
            if _is_locked(error):
                group += self._out_of_patience()
            _fail(group, error)
            _discard(connection)
            connection = None
        self._answer(group)
        return connection

    def _answer(self, group: list[_Job[Any]]) -> None:
        """Hand every result to its event loop, with one wake-up per loop."""
        by_loop: dict[asyncio.AbstractEventLoop, list[_Job[Any]]] = {}
        for job in group:
            by_loop.setdefault(job.loop, []).append(job)
        for loop, jobs in by_loop.items():
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(self._resolve, jobs)

    def _resolve(self, jobs: list[_Job[Any]]) -> None:
        self._waiting -= len(jobs)
        for job in jobs:
            if job.future.done():
                continue
            if job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.result)

    def _keep(self, connection: Connection, group: list[_Job[Receipt]]) -> None:
        waiting = [job for job in group if not job.future.cancelled()]
        events = [job.work for job in waiting if isinstance(job.work, NewEvent)]
        receipts = self._keep_arrivals(_driver_of(connection), events) if events else []
        for job, receipt in zip(waiting, receipts, strict=True):
            job.result = receipt

    def _run_units(self, connection: Connection, group: list[_Job[Any]]) -> None:
        """Run the group's one unit, and after it those that line up, which join the group until its time is over."""
        until_s = time.monotonic() + _UNITS_TIME_S
        with connection.begin():
            _run_in_savepoint(connection, group[0])
            while self._units and time.monotonic() < until_s:
                group.append(self._units.popleft())
                _run_in_savepoint(connection, group[-1])


def _driver_of(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError("only SQLite has a single writer")
    return driver


def _run_in_savepoint(connection: Connection, job: _Job[Any]) -> None:
    if job.future.cancelled() or isinstance(job.work, NewEvent):
        return
    connection.exec_driver_sql("SAVEPOINT unit")
    try:
        job.result = job.work(connection)
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
    return isinstance(
        error.orig, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError | sqlite3.DataError
    )


def _is_locked(error: Exception) -> bool:
    """True when another program held the file for as long as we wait for it."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _fail(group: list[_Job[Any]], error: Exception) -> None:
    for job in group:
        job.error = StorageUnavailableError("The database could not commit.")
        job.error.__cause__ = error


def _discard(connection: Connection | None) -> None:
    if connection is not None:
        with contextlib.suppress(
            SQLAlchemyError, sqlite3.Error
        ):  # it is thrown away because something is wrong with it
            connection.invalidate()
            connection.close()
