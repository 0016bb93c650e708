"""A mark beside the database that names its newest event: a database that does not know that event was put back from a copy.

Whoever restores a copy rarely tells the program. What was written to the CRM after the copy is then unknown to the database, so
the two have to be compared at once and not next night. The mark lies in the data directory of each node; a copy that brings the
mark along (the whole directory) cannot be noticed by it.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from leadgate.observability import get_logger
from leadgate.storage.sql_storage import SqlStorage

NAME = "newest-event"
_LONGEST = 64
_log = get_logger("database")


class HighWater:
    """The newest event's id in a file."""

    def __init__(self, storage: SqlStorage, folder: Path) -> None:
        """Keep the mark of this database in this folder."""
        self._storage = storage
        self._path = folder / NAME

    async def is_behind(self) -> bool:
        """True when the database does not know the event of its mark, whatever came since; so until `settle`.

        Raises:
            StorageUnavailableError: the database cannot be asked.
        """
        mark = self._read()
        return bool(mark) and await self._storage.read(lambda tx: tx.events.find(mark)) is None

    async def move_on(self) -> None:
        """Name the newest event, unless the database is behind. A disk that is full costs the mark its news, nothing else."""
        newest = await self._newest()
        if newest != self._read() and not await self.is_behind():
            self._write(newest)

    async def settle(self) -> None:
        """The comparison was made: the database as it stands is the truth from now on."""
        self._write(await self._newest())

    async def _newest(self) -> str:
        return await self._storage.query(lambda q: q.newest_event_id()) or ""

    def _read(self) -> str:
        try:
            return self._path.read_text(encoding="ascii")[:_LONGEST].strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def _write(self, mark: str) -> None:
        temporary = self._path.with_name(f".{NAME}.{os.getpid()}")
        try:
            temporary.write_text(mark, encoding="ascii")
            temporary.chmod(0o600)
            temporary.replace(self._path)
        except OSError:
            _log.warning("database.mark_not_written")
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
