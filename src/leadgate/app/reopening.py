"""Opening a restored house for work: the CRM is asked what happened since the copy, and until then nothing is sent.

The mark is a rule in the database, so that every node of a cluster sees it. Webhooks are kept meanwhile. Whoever has the mark and
can reach the CRM ends it: the command that restored, or else the first worker that starts. What events from before the
copy bring about later (a paused connection that is resumed) is in doubt as well and looked up before it is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime

import msgspec

from leadgate.app.high_water import HighWater
from leadgate.app.nightly import LANE
from leadgate.app.one_node import as_only_node
from leadgate.app.reconciler import Reconciler
from leadgate.errors import LeadgateError
from leadgate.model.views import Reconciliation
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock
from leadgate.ports.stores import StoredEvent, Transaction
from leadgate.storage.restored import Restored
from leadgate.storage.sql_storage import SqlStorage
from leadgate.storage.transaction import SqlTransaction

RULE = "restoration"
RETRY_INTERVAL_S = 10.0
_log = get_logger("restore")


class Restoration(msgspec.Struct, frozen=True, kw_only=True):
    """The newest restore of this database.

    Attributes:
        copied_at: the moment that the backup shows.
        swept_at: when the CRM had been asked; None while that is still to be done.
    """

    copied_at: datetime
    restored_at: datetime
    swept_at: datetime | None = None


class Reopening:
    """Keeps a restored house closed until the CRM was asked."""

    def __init__(
        self, storage: SqlStorage, reconciler: Reconciler, high_water: HighWater, *, clock: Clock, holder: str
    ) -> None:
        """Ask through this reconciler; `holder` is unique for the process."""
        self._storage = storage
        self._reconciler = reconciler
        self._high_water = high_water
        self._clock = clock
        self._holder = holder
        self._copied_at: datetime | None = None

    async def find(self) -> Restoration | None:
        """The newest restore, or None when there never was one."""
        rule = await self._storage.read(lambda tx: tx.rules.find(RULE))
        return None if rule is None else msgspec.json.decode(rule.body, type=Restoration)

    async def sweep(self) -> Reconciliation | None:
        """Ask the CRM and open the house; None when it is open, or when another node asks just now.

        Raises:
            ServiceUnavailableError: the CRM cannot be asked; the house stays closed.
            StorageUnavailableError: the database is away.
        """
        async with as_only_node(self._storage, LANE, holder=self._holder, clock=self._clock) as is_ours:
            restoration = await self.find()
            if not is_ours or restoration is None or restoration.swept_at is not None:
                return None
            result = await self._reconciler.after_restore()
            await self._high_water.settle()
            swept = msgspec.structs.replace(restoration, swept_at=self._clock.now())
            body, at = msgspec.json.encode(swept), self._clock.now()
            await self._storage.write(lambda tx: tx.rules.set(RULE, body, by="system", at=at))
            _log.info("restore.opened", differences=len(result.differences))
            return result

    async def wait_until_open(self, stop: asyncio.Event) -> bool:
        """Ask again and again until the house is open; False when `stop` came first."""
        while not stop.is_set():
            if await self._try_to_open():
                return True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY_INTERVAL_S)
        return False

    def doubt_what_it_brought(self, tx: Transaction, event: StoredEvent, *, at: datetime) -> None:
        """An event from before the copy may have been worked on since: look before anything of it is sent."""
        if self._copied_at is not None and event.received_at <= self._copied_at and isinstance(tx, SqlTransaction):
            Restored.of(tx).doubt_event(event.event_id, at=at)

    async def _try_to_open(self) -> bool:
        try:
            restoration = await self.find()
            if restoration is not None:
                self._copied_at = restoration.copied_at
            if restoration is None or restoration.swept_at is not None:
                return True
            return await self.sweep() is not None
        except LeadgateError as error:
            _log.error("restore.not_swept", error_code=error.code)
            return False
