"""Looks after the audit journal: a signed checkpoint on disk and outside every hour, a walk through it at the start and every day.

What is found becomes an alarm. The walk rests again and again, so that a large journal does not slow the gateway down.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from leadgate.alerts.causes import JOURNAL_CHECK, JOURNAL_OUTSIDE
from leadgate.errors import LeadgateError, OverloadedError
from leadgate.model.alerts import Note
from leadgate.model.journal import JournalState, JournalVerdict
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock
from leadgate.ports.journal import Journal
from leadgate.ports.stores import Storage
from leadgate.storage.journal_archive import JournalArchive

CHECKPOINT_INTERVAL_S = 50 * 60.0
"""The promise is one an hour."""

VERIFY_INTERVAL = timedelta(days=1)
SEND_INTERVAL = timedelta(hours=23)
SENT_OUT = "journal_sent"
"""Topic of the note that says which checkpoint was sent out last; its subject is the journal's name, its detail the size."""

NOT_OUTSIDE = "journal.not_outside"
"""The folder outside does not take the checkpoint: it is not mounted, or full."""

_PAUSE_S = 0.02
_log = get_logger("journal")


class ArchivedJournal(Journal, Protocol):
    """A journal that can be walked through."""

    archive: JournalArchive


SendOut = Callable[[str], Awaitable[int]]
"""Sends a checkpoint to those who keep it outside; says how many took it."""


class JournalWatch:
    """Runs until it is stopped."""

    def __init__(
        self,
        journal: ArchivedJournal,
        storage: Storage,
        clock: Clock,
        send_out: SendOut,
        *,
        outside: Path | None = None,
    ) -> None:
        """Look after this journal; alarms go through this storage, checkpoints to `send_out` and into the folder `outside`."""
        self._outside = outside
        self._send_out = send_out
        self._journal = journal
        self._storage = storage
        self._clock = clock
        self._verdict: JournalVerdict | None = None
        self._verified_at: datetime | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Look now and about every hour until `stop`."""
        while not stop.is_set():
            await self.look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), CHECKPOINT_INTERVAL_S)

    async def look(self) -> None:
        """Write a checkpoint, verify when it is time; what is wrong becomes an alarm, which ends when nothing is."""
        checkpoint, wrong = await self._checkpoint()
        now = self._clock.now()
        if wrong or self._verified_at is None or now - self._verified_at >= VERIFY_INTERVAL:
            wrong = await self._verify() or wrong
        with contextlib.suppress(OverloadedError):  # the log has it
            await self._tell(JOURNAL_CHECK, wrong)
            if checkpoint is not None and wrong is None:
                await self._put_outside(checkpoint)
                await self._keep_outside(checkpoint)

    async def state(self) -> JournalState:
        """What is known now."""
        kept_at = await asyncio.to_thread(self._journal.archive.checkpoint_at)
        return JournalState(verdict=self._verdict, verified_at=self._verified_at, checkpoint_at=kept_at)

    async def _checkpoint(self) -> tuple[str | None, str | None]:
        """The checkpoint, or what is wrong."""
        try:
            return await self._journal.checkpoint(), None
        except LeadgateError as error:
            _log.error("journal.checkpoint_failed", error_code=error.code)
            return None, error.code

    async def _put_outside(self, checkpoint: str) -> None:
        wrong = None if self._outside is None else await asyncio.to_thread(self._put, checkpoint, self._outside)
        await self._tell(JOURNAL_OUTSIDE, wrong)

    def _put(self, checkpoint: str, folder: Path) -> str | None:
        """The newest of the day, one file a day, each whole at any moment; what is wrong, or None."""
        origin = checkpoint.partition("\n")[0]
        name = f"{origin.rpartition('/')[2]}-{self._clock.now():%Y-%m-%d}"
        try:
            new = folder / f"{name}.new"
            new.write_text(checkpoint, encoding="utf-8")
            new.replace(folder / f"{name}.txt")
        except OSError as error:
            _log.error("journal.not_outside", error_code=NOT_OUTSIDE, status=error.errno)
            return NOT_OUTSIDE
        return None

    async def _keep_outside(self, checkpoint: str) -> None:
        """Send it to the owner's addresses once a day, unless nothing was recorded since; a new journal's first after a day."""
        origin, size, *_ = checkpoint.split("\n")
        now = self._clock.now()
        last = await self._storage.read(lambda tx: tx.alerts.find_note(SENT_OUT, origin))
        if size != "0" and last is None:
            begun = Note(topic=SENT_OUT, subject=origin, at=now, detail="0")
            await self._storage.write(lambda tx: tx.alerts.note(begun))
        if size == "0" or last is None or last.detail == size or now - last.at < SEND_INTERVAL:
            return
        if count := await self._send_out(checkpoint):
            note = Note(topic=SENT_OUT, subject=origin, at=now, detail=size)
            await self._storage.write(lambda tx: tx.alerts.note(note))
            _log.info("journal.checkpoint_sent", count=count)

    async def _verify(self) -> str | None:
        try:
            verdict = await asyncio.to_thread(self._journal.archive.verify, pause_s=_PAUSE_S)
        except LeadgateError as error:
            _log.error("journal.not_verified", error_code=error.code)
            return error.code
        self._verdict, self._verified_at = verdict, self._clock.now()
        if verdict.fault is None:
            return None
        code = f"journal.{verdict.fault.kind.value}"
        _log.error("journal.damaged", error_code=code, count=verdict.entries)
        return code

    async def _tell(self, topic: str, wrong: str | None) -> None:
        if wrong is not None:
            note = Note(topic=topic, subject="", at=self._clock.now(), detail=wrong)
            await self._storage.write(lambda tx: tx.alerts.note(note))
        elif await self._storage.read(lambda tx: tx.alerts.find_note(topic)) is not None:
            await self._storage.write(lambda tx: tx.alerts.drop_note(topic))
