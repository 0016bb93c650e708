"""The audit journal for people and programs: pages of entries with the names of those who acted, and how the journal does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from leadgate.app.journal_watch import ArchivedJournal, JournalWatch
from leadgate.errors import ConfigurationError
from leadgate.model.journal import JournalRow, JournalState, JournalView
from leadgate.model.views import Page
from leadgate.ports.stores import Storage, Transaction

_LONGEST_CURSOR = 15


class JournalDesk:
    """See `web.house.JournalDesk`."""

    def __init__(self, journal: ArchivedJournal, watch: JournalWatch, storage: Storage) -> None:
        """Names of people come from this storage."""
        self._journal = journal
        self._watch = watch
        self._storage = storage

    async def page(
        self, *, limit: int, cursor: str | None = None, area: str | None = None, on: str | None = None
    ) -> Page[JournalView]:
        """Entries newest first."""
        rows = await self._journal.newest(limit=limit + 1, before=read_cursor(cursor), area=area, on=on)
        page = page_of_rows(rows, limit=limit)
        names = await self._storage.read(lambda tx: _names(tx, page.items))
        return Page([JournalView(row=row, by_name=names.get(row.entry.by)) for row in page.items], page.next_cursor)

    async def state(self) -> JournalState:
        """How the journal does."""
        return await self._watch.state()

    async def head(self) -> str:
        """The newest signed checkpoint."""
        return await asyncio.to_thread(self._journal.archive.head)


def read_cursor(cursor: str | None) -> int | None:
    """The number before which a page begins. Raises ConfigurationError."""
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= _LONGEST_CURSOR):
        raise ConfigurationError(
            "This cursor is not one of ours.", code="page.cursor_wrong", hint="Take `next` of the page before."
        )
    return int(cursor)


def page_of_rows(rows: Sequence[JournalRow], *, limit: int) -> Page[JournalRow]:
    """A page out of rows of which one more than wanted was read."""
    shown = rows[:limit]
    return Page(shown, str(shown[-1].number) if len(rows) > limit and shown else None)


def _names(tx: Transaction, rows: Sequence[JournalRow]) -> dict[str, str]:
    found = {by: tx.staff.find(by) for by in {row.entry.by for row in rows if row.entry.by.startswith("staff_")}}
    return {by: person.name for by, person in found.items() if person is not None}
