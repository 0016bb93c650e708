"""Looks for damage in the database: at the start and every day. A page that rotted is found before the day it is needed."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

from leadgate.alerts.causes import DATABASE_CHECK
from leadgate.errors import OverloadedError
from leadgate.model.alerts import Note
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock
from leadgate.ports.stores import Storage

EVERY_S = 24 * 3600.0
_log = get_logger("database")


class CheckedStorage(Storage, Protocol):
    """A storage that can look at itself."""

    async def find_damage(self) -> str | None:
        """The first damage found, in the database's words without contents; None when there is none."""
        ...


class DatabaseCheck:
    """Runs until it is stopped."""

    def __init__(self, storage: CheckedStorage, clock: Clock) -> None:
        """Check this storage."""
        self._storage = storage
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Check now and every day until `stop`."""
        while not stop.is_set():
            await self.check()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), EVERY_S)

    async def check(self) -> str | None:
        """Look once; what was found becomes an alarm, and the alarm ends with a look that finds nothing."""
        try:
            damage = await self._storage.find_damage()
        except OverloadedError as error:
            _log.error("database.not_checked", error_code=error.code)
            return None
        if damage is not None:
            _log.error("database.damaged", error_code="database.damaged")
        with contextlib.suppress(OverloadedError):  # a damaged database may refuse this; the log has it
            await self._tell(damage)
        return damage

    async def _tell(self, damage: str | None) -> None:
        if damage is not None:
            note = Note(topic=DATABASE_CHECK, subject="", at=self._clock.now(), detail=damage)
            await self._storage.write(lambda tx: tx.alerts.note(note))
        elif await self._storage.read(lambda tx: tx.alerts.find_note(DATABASE_CHECK)) is not None:
            await self._storage.write(lambda tx: tx.alerts.drop_note(DATABASE_CHECK))
