"""Keeps SQLite's log from taking the room that it needs itself to be brought into the database.

What is committed lies in the write-ahead log until a checkpoint writes it into the database file, which grows by it. SQLite makes
checkpoints by the size of the log alone. On a disk with little room the log could thus fill the disk to the last byte; then no
checkpoint fits any more, so the log stays as it is, and the room that somebody makes would be eaten by it too.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from leadgate.errors import StorageUnavailableError

_LOOK_INTERVAL_S = 0.02
"""Between two looks at the disk while there is plenty of room: each gives the interpreter away to a busy event loop."""
_PLENTY_BYTES = 64 << 20
"""More than can be written between two looks; with less every transaction is preceded by one."""
_RESERVE_BYTES = 1 << 20
"""With less beside the log's own size the log is brought in after every transaction."""
_LEAST_BYTES = 1 << 18
"""With less beside what the log holds nothing more is begun: a transaction takes its room twice, in the log and in the file."""
_FRAME_BYTES = 4096 + 24
"""A page in the log with its header (SQLite file format, section 4.1)."""


class LogRoom:
    """Of one database file, which its connections name."""

    def __init__(self) -> None:
        """Nothing was looked at yet."""
        self._database: Path | None = None
        self._look_at_s = 0.0

    def keep(self, driver: sqlite3.Connection) -> None:
        """Call between two transactions of the writer: brings the log into the database while there still is room for that.

        A reader can be in the way; then what it lets pass is brought in, and room must be left for the rest.

        Raises:
            StorageUnavailableError: another transaction would take the room that the log needs.
            sqlite3.Error: the disk is full or fails.
        """
        now_s = time.monotonic()
        if now_s < self._look_at_s:
            return
        database = self._database = self._database or _file_of(driver)
        left_bytes = _free_bytes(database) - _log_bytes(database)
        if left_bytes >= _PLENTY_BYTES:
            self._look_at_s = now_s + _LOOK_INTERVAL_S
        if left_bytes >= _RESERVE_BYTES:
            return
        if _free_bytes(database) < _bring_in(driver) + _LEAST_BYTES:
            raise StorageUnavailableError("The disk has no room left for what the database's log holds.")


def _bring_in(driver: sqlite3.Connection) -> int:
    """Bring into the database what no reader holds back, and cut the log when that is all; bytes that stay in it."""
    (patience_ms,) = driver.execute("PRAGMA busy_timeout").fetchone()
    driver.execute("PRAGMA busy_timeout = 0")  # senders wait: whom a reader holds up comes again
    try:
        _, in_log, brought_in = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        driver.execute(f"PRAGMA busy_timeout = {patience_ms}")
    return int(max(0, in_log - brought_in) * _FRAME_BYTES)


def _free_bytes(database: Path) -> int:
    free = os.statvfs(database.parent)
    return free.f_bavail * free.f_frsize


def _file_of(driver: sqlite3.Connection) -> Path:
    """As SQLite knows it: an address may be written in several ways."""
    _, _, file = driver.execute("PRAGMA database_list").fetchone()
    return Path(file)


def _log_bytes(database: Path) -> int:
    try:
        return database.with_name(f"{database.name}-wal").stat().st_size
    except FileNotFoundError:
        return 0
