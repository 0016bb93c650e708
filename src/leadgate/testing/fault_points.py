"""Fault points: places where a process can be made to die or to fail, at the n-th time that it comes there.

`install` changes what lies around the product (sqlite3, httpx, the stream of the log, the answers to senders) in the process
that calls it. The product knows nothing of it and pays nothing for it. The places:

- `arrival`: the statement that keeps events, which commits by itself;
- `commit`: the end of a transaction that writes;
- `statement`: one statement of a transaction that writes; `read`: any other that is not an arrival;
- `call`: one request to a vendor; after it means that the vendor did the work;
- `answer`: one answer to a sender; `log`: one line of the log; `print`: one line on standard output;
- `file`: one file or folder of the data directory that is opened, made, linked, flushed or taken away, databases included.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, TextIO, cast

import httpx

POINTS = ("arrival", "commit", "statement", "read", "call", "answer", "log", "print", "file")
DEEDS = ("kill-before", "kill-after", "fail-before", "fail-after")
SPOILS = ("doubling", "losing")
LEASE_S = 1.5
"""How long a struck process holds lanes; a fault that it survives would else cost ten seconds of waiting each time."""

_DISK_FAILURES = (("disk I/O error", sqlite3.SQLITE_IOERR), ("database or disk is full", sqlite3.SQLITE_FULL))
_WRITTEN_LATE_S = 0.05
_LOST_CALLS = (httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError)


class _Strike:
    """Counts passes of one point and strikes at the n-th."""

    def __init__(self, point: str, deed: str, passing: int, witness: Path) -> None:
        self.point = point
        self.moment = deed.partition("-")[2]
        self.is_kill = deed.startswith("kill")
        self.passing = passing
        self.witness = witness
        self.passed = 0

    def strikes(self, point: str, moment: str) -> bool:
        """Whether the caller is to fail now; does not return when the process is to die."""
        if point != self.point or moment != self.moment:
            return False
        self.passed += 1
        if self.passed != self.passing:
            return False
        descriptor = os.open(self.witness, os.O_WRONLY | os.O_CREAT, 0o600)
        os.close(descriptor)
        if self.is_kill:
            os.kill(os.getpid(), signal.SIGKILL)
            signal.pause()  # the signal is on its way to another thread
        return True


def install(*, point: str, deed: str, passing: int, witness: str) -> None:
    """Make this process die or fail.

    Args:
        point: one of `POINTS`.
        deed: one of `DEEDS`; before or after what happens at the point.
        passing: at which pass, from 1.
        witness: file that is made at the moment of the strike.

    Raises:
        ValueError: no such point or deed.
    """
    if point not in POINTS or deed not in DEEDS or passing < 1:
        raise ValueError(f"no such fault: {point} {deed} {passing}")
    strike = _Strike(point, deed, passing, Path(witness))
    if not strike.is_kill:
        _shorten_leases()
    match point:
        case "arrival" | "commit" | "statement" | "read":
            _watch_database(strike)
        case "call":
            _watch_calls(strike)
        case "answer":
            _watch_answers(strike)
        case "log":
            sys.stderr = cast("TextIO", _Stream(sys.stderr, strike))
        case "print":
            sys.stdout = cast("TextIO", _Stream(sys.stdout, strike))
        case _:
            _watch_files(strike)


def spoil(how: str) -> None:
    """Spoil this process, to see a proof turn red: one that does not notice proves nothing.

    Args:
        how: `doubling` sends again at once what has an unknown outcome; `losing` acknowledges before it keeps.

    Raises:
        ValueError: no such way.
    """
    if how not in SPOILS:
        raise ValueError(f"no such spoil: {how}")
    (_forget_look_up if how == "doubling" else _acknowledge_at_once)()


def _forget_look_up() -> None:
    from leadgate.delivery import retry  # noqa: PLC0415 - only a process that is to be spoilt changes it
    from leadgate.model.deliveries import DeliveryState  # noqa: PLC0415 - as above

    def send_again(s: retry.Situation, code: str) -> retry.Decision:
        return retry.Decision(state=DeliveryState.WAITING, due_at=s.now, failures=s.failures, error_code=code)

    retry._on_unknown = send_again  # noqa: SLF001 - the heart of the matter


def _acknowledge_at_once() -> None:
    from leadgate.model.webhooks import Receipt  # noqa: PLC0415 - only a process that is to be spoilt changes it
    from leadgate.storage.group_commit import GroupCommitter  # noqa: PLC0415 - as above

    keep = GroupCommitter.keep

    def keep_later(self: GroupCommitter, event: Any) -> Any:  # noqa: ANN401 - passed on
        loop = asyncio.get_running_loop()
        loop.call_later(_WRITTEN_LATE_S, keep, self, event)
        receipt: asyncio.Future[Receipt] = loop.create_future()
        receipt.set_result(Receipt(event_id=event.event_id, duplicate=False))
        return receipt

    GroupCommitter.keep = cast("Any", keep_later)  # type: ignore[method-assign] # the heart of the matter


def _shorten_leases() -> None:
    from leadgate.delivery import worker  # noqa: PLC0415 - only a process that is to fail changes it
    from leadgate.processing import inbox  # noqa: PLC0415 - as above

    worker.LEASE_TIME = inbox.LEASE_TIME = timedelta(seconds=LEASE_S)


def _disk_failure(passing: int) -> sqlite3.OperationalError:
    """As SQLite raises it, with its code; the kinds take turns."""
    words, code = _DISK_FAILURES[passing % len(_DISK_FAILURES)]
    error = sqlite3.OperationalError(words)
    error.sqlite_errorcode = code
    return error


def _watch_database(strike: _Strike) -> None:
    """Every connection opened from now on is a watched one."""
    connect = sqlite3.dbapi2.connect
    _Connection.strike = strike

    def connect_watched(*given: Any, **named: Any) -> sqlite3.Connection:  # noqa: ANN401 - as the driver takes it
        return connect(*given, **named, factory=_Connection)

    sqlite3.dbapi2.connect = connect_watched  # type: ignore[assignment] # one of its many ways to be called


class _Cursor(sqlite3.Cursor):
    """What SQLAlchemy runs statements with."""

    def execute(self, sql: str, *values: Any) -> Self:  # noqa: ANN401 - as the driver's
        """Run a statement."""
        with self._at_its_point(sql):
            super().execute(sql, *values)
        return self

    def executemany(self, sql: str, *values: Any) -> Self:  # noqa: ANN401 - as the driver's
        """Run a statement for many rows."""
        with self._at_its_point(sql):
            super().executemany(sql, *values)
        return self

    @contextlib.contextmanager
    def _at_its_point(self, sql: str) -> Iterator[None]:
        connection = self.connection
        if not isinstance(connection, _Connection):
            raise TypeError("a watched cursor belongs to a watched connection")
        if sql.startswith("BEGIN"):
            connection.is_writing = sql.startswith("BEGIN IMMEDIATE")
        point = "statement" if connection.is_writing else "read"
        connection.hit(point, "before")
        yield
        connection.hit(point, "after")


class _Connection(sqlite3.Connection):
    """A connection of the driver."""

    strike: _Strike
    is_writing = False

    def hit(self, point: str, moment: str) -> None:
        """Come to a point; fails as a disk does when it is struck."""
        if self.strike.strikes(point, moment):
            raise _disk_failure(self.strike.passing)

    def cursor(self, factory: Any = None) -> Any:  # noqa: ANN401 - as the driver's
        """A watched one."""
        return super().cursor(factory or _Cursor)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:  # noqa: ANN401 - as the driver's
        """Run a statement past SQLAlchemy: only arrivals do so."""
        point = "arrival" if sql.startswith("INSERT") and not self.in_transaction else ""
        self.hit(point, "before")
        cursor = super().execute(sql, *values)
        self.hit(point, "after")
        return cursor

    def commit(self) -> None:
        """Commit; a failure before it rolls back, as SQLite does by itself when its disk fails."""
        is_writing, self.is_writing = self.is_writing and self.in_transaction, False
        if is_writing:
            try:
                self.hit("commit", "before")
            except sqlite3.OperationalError:
                super().rollback()
                raise
        super().commit()
        if is_writing:
            self.hit("commit", "after")


def _watch_calls(strike: _Strike) -> None:
    handle = httpx.AsyncHTTPTransport.handle_async_request

    async def handle_watched(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        if strike.strikes("call", "before"):
            raise httpx.ConnectError("a fault point")
        response = await handle(self, request)
        if strike.strikes("call", "after"):
            await response.aclose()
            raise _LOST_CALLS[strike.passing % len(_LOST_CALLS)]("a fault point")
        return response

    httpx.AsyncHTTPTransport.handle_async_request = handle_watched  # type: ignore[method-assign] # the point of the exercise


def _watch_answers(strike: _Strike) -> None:
    from leadgate.web.door_protocol import DoorProtocol  # noqa: PLC0415 - other points need no web server

    write: Callable[..., None] = DoorProtocol._write  # noqa: SLF001 - the one place where answers leave

    def write_watched(self: DoorProtocol, *given: Any) -> None:  # noqa: ANN401 - passed on
        if strike.strikes("answer", "before"):
            self.transport.close()
            return
        write(self, *given)
        if strike.strikes("answer", "after"):
            self.transport.close()

    DoorProtocol._write = cast("Any", write_watched)  # type: ignore[method-assign] # noqa: SLF001 - as above


class _Stream:
    """A log or a standard output whose disk fails once."""

    def __init__(self, stream: TextIO, strike: _Strike) -> None:
        self._stream = stream
        self._strike = strike

    def write(self, text: str) -> int:
        """Write, or fail as a full disk does."""
        self._pass("before")
        written = self._stream.write(text)
        self._pass("after")
        return written

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a stream has
        return getattr(self._stream, name)

    def _pass(self, moment: str) -> None:
        if self._strike.strikes(self._strike.point, moment):
            raise OSError(28, "No space left on device")


_FILE_EVENTS = frozenset({"open", "os.link", "os.remove", "os.rename", "os.mkdir", "os.chmod", "sqlite3.connect"})


def _watch_files(strike: _Strike) -> None:
    """Python tells of every file it touches, but for flushing. What SQLite does with its own has points of its own."""
    folder = os.environ["LEADGATE_DATA"]
    is_striking = False
    flush = os.fsync

    def pass_by(error: Exception) -> None:
        nonlocal is_striking
        is_striking = True  # the witness is a file as well
        try:
            if strike.strikes("file", "before"):
                raise error
        finally:
            is_striking = False

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _FILE_EVENTS or is_striking or not str(arguments[0]).startswith(folder):
            return
        is_database = event == "sqlite3.connect"
        pass_by(_disk_failure(0) if is_database else OSError(5, "Input/output error"))

    def flush_watched(descriptor: Any) -> None:  # noqa: ANN401 - a number or something with one
        pass_by(OSError(5, "Input/output error"))
        flush(descriptor)

    os.fsync = cast("Any", flush_watched)
    sys.addaudithook(watch)
