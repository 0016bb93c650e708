"""The audit journal as the domains see it: entries are added, and read from the newest back. Nothing changes or removes one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from leadgate.model.journal import JournalEntry, JournalRow


class Journal(Protocol):
    """Keeps what was done. It lies apart from the database, so that whoever can change the one cannot change the other unseen."""

    async def record(self, entry: JournalEntry) -> int:
        """Add an entry; its number. Returns after it is on disk.

        What must leave a trace is recorded before it is done, so that it is refused when the journal cannot be written.

        Raises:
            JournalUnavailableError: it could not be written (`journal.unavailable`).
        """
        ...

    async def newest(self, *, limit: int, before: int | None = None, on: str | None = None) -> Sequence[JournalRow]:
        """Newest first, with a number less than `before`, about one thing when `on` is given."""
        ...
