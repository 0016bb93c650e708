"""Requests that were refused at the door: counted for the pages, and told to the audit journal. A flood of them costs no disk."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from leadgate.model.journal import JournalEntry, Result, Tag
from leadgate.ports.clock import Clock
from leadgate.ports.journal import Trail
from leadgate.ports.stores import Storage

JOURNAL_INTERVAL = timedelta(minutes=1)
"""The first refusal of a kind is in the journal at once; those that follow stand in one entry a minute, as a number."""

_KINDS = 1000
_BY_NOBODY = "system"
_Kind = tuple[str, str]
"""Connection (empty for an address that is none of ours) and code."""


class Refusals:
    """Counts in memory, and writes every few seconds."""

    def __init__(self, storage: Storage, journal: Trail, *, clock: Clock) -> None:
        """Nothing was refused yet."""
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._unwritten: Counter[_Kind] = Counter()
        self._untold: Counter[_Kind] = Counter()
        self._told_at: dict[_Kind, datetime] = {}

    def count(self, connection_id: str, code: str) -> None:
        """One more; the id is that of a connection of ours, never what a stranger wrote, or empty."""
        kind = (connection_id, code)
        if kind in self._unwritten or len(self._unwritten) < _KINDS:
            self._unwritten[kind] += 1
        if kind in self._untold or len(self._untold) < _KINDS:
            self._untold[kind] += 1

    async def write(self, *, is_last: bool = False) -> None:
        """Write what was counted since the last call; the journal gets what is due, or all with `is_last`.

        Raises:
            StorageUnavailableError, JournalUnavailableError: the counts are kept for the next call.
        """
        if self._unwritten:
            counts, self._unwritten = self._unwritten, Counter()
            try:
                await self._storage.write(lambda tx: tx.add_refusals(counts, at=self._clock.now()))
            except BaseException:
                self._unwritten.update(counts)
                raise
        await self._tell(is_last=is_last)

    async def _tell(self, *, is_last: bool) -> None:
        now = self._clock.now()
        self._told_at = {kind: at for kind, at in self._told_at.items() if now - at < JOURNAL_INTERVAL}
        for kind in sorted(self._untold):
            if is_last or kind not in self._told_at:
                count = self._untold.pop(kind)
                try:
                    await self._journal.record(_entry(kind, count))
                except BaseException:
                    self._untold[kind] += count
                    raise
                self._told_at[kind] = now


def _entry(kind: _Kind, count: int) -> JournalEntry:
    connection_id, code = kind
    return JournalEntry(
        tag=Tag.WEBHOOK_REFUSED,
        by=_BY_NOBODY,
        on=connection_id or None,
        result=Result.REFUSED,
        details={"code": code, "count": count},
    )
