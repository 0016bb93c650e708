"""The audit journal in a file of its own beside the database: one table `journal`, a row an entry, only ever added to."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from leadgate.errors import JournalUnavailableError
from leadgate.model.journal import JournalEntry, JournalRow, Result, Tag
from leadgate.ports.clock import Clock
from leadgate.storage.schema import from_micros, to_micros

T = TypeVar("T")
FILE = "journal.sqlite3"
_TABLE = """
CREATE TABLE IF NOT EXISTS journal (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    tag TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_on TEXT,
    result TEXT NOT NULL,
    details TEXT NOT NULL
)
"""
_ADD = "INSERT INTO journal (at, tag, made_by, made_on, result, details) VALUES (?, ?, ?, ?, ?, ?)"
_NEWEST = """
SELECT number, at, tag, made_by, made_on, result, details FROM journal
WHERE (:before IS NULL OR number < :before) AND (:made_on IS NULL OR made_on = :made_on)
ORDER BY number DESC LIMIT :limit
"""


class JournalFile:
    """See `ports.journal.Journal`."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        """Keep it in this data directory; the file is made with the first entry."""
        self._path = directory / FILE
        self._clock = clock

    async def record(self, entry: JournalEntry) -> int:
        """Add an entry."""
        row = (
            to_micros(self._clock.now()),
            entry.tag.value,
            entry.by,
            entry.on,
            entry.result.value,
            msgspec.json.encode(entry.details, order="deterministic").decode(),
        )
        return await asyncio.to_thread(self._with_file, lambda file: file.execute(_ADD, row).lastrowid or 0)

    async def newest(self, *, limit: int, before: int | None = None, on: str | None = None) -> Sequence[JournalRow]:
        """Newest first."""
        wish = {"limit": limit, "before": before, "made_on": on}
        rows = await asyncio.to_thread(self._with_file, lambda file: file.execute(_NEWEST, wish).fetchall())
        return [_row(row) for row in rows]

    def _with_file(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with self._open() as file, file:
                return work(file)
        except (sqlite3.Error, OSError) as error:
            raise JournalUnavailableError(
                "The audit journal cannot be written or read, so nothing was done.",
                hint=f"See to the disk and to the file {FILE} in the data directory, then do it again.",
            ) from error

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        if not self._path.exists():
            self._path.touch(mode=0o600)
        file = sqlite3.connect(self._path, timeout=5.0)
        try:
            file.execute("PRAGMA journal_mode = WAL")
            file.execute("PRAGMA synchronous = FULL")
            file.execute(_TABLE)
            yield file
        finally:
            file.close()


def _row(row: tuple[Any, ...]) -> JournalRow:
    number, at, tag, made_by, made_on, result, details = row
    entry = JournalEntry(
        tag=Tag(tag),
        by=made_by,
        on=made_on,
        result=Result(result),
        details=msgspec.json.decode(details, type=dict[str, str | int]),
    )
    return JournalRow(number=number, at=from_micros(at), entry=entry)
