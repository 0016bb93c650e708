"""A journal in memory, for tests of what must leave a trace."""

from __future__ import annotations

from collections.abc import Sequence

from leadgate.errors import JournalUnavailableError
from leadgate.model.journal import JournalEntry, JournalRow
from leadgate.ports.clock import Clock


class MemoryJournal:
    """See `ports.journal.Trail`; refuses everything while `is_broken`."""

    def __init__(self, clock: Clock) -> None:
        """Empty."""
        self._clock = clock
        self.rows: list[JournalRow] = []
        self.is_broken = False

    async def record(self, entry: JournalEntry) -> int:
        """Add an entry.

        Raises:
            JournalUnavailableError: it is broken.
        """
        if self.is_broken:
            raise JournalUnavailableError("The journal cannot be written.")
        self.rows.append(JournalRow(number=len(self.rows) + 1, at=self._clock.now(), entry=entry))
        return len(self.rows)

    async def newest(self, *, limit: int, before: int | None = None, on: str | None = None) -> Sequence[JournalRow]:
        """Newest first."""
        fitting = [
            row
            for row in reversed(self.rows)
            if (before is None or row.number < before) and (on is None or row.entry.on == on)
        ]
        return fitting[:limit]
