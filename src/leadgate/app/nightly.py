"""The reconciliation that makes itself: once a night, when the last one is too long ago, and after a restore of the database.

Every worker looks once a minute; a lease on a lane of its own sees to it that one of them works. `is_due` is pure.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from leadgate.app.high_water import HighWater
from leadgate.app.one_node import as_only_node, look_again_and_again
from leadgate.app.reconciler import Reconciler, publish
from leadgate.errors import LeadgateError
from leadgate.model.views import Cause, Reconciliation
from leadgate.observability import get_logger, metrics
from leadgate.ports.clock import Clock
from leadgate.ports.stores import Workspace
from leadgate.storage.sql_storage import SqlStorage

LANE = "reconcile"
NIGHT_BEGINS = time(3, 0)
NIGHT_LASTS = timedelta(hours=3)
JITTER = timedelta(minutes=90)
"""Salons of one portal, and portals of one vendor, are not asked all in the same minute."""

TOO_LONG_AGO = timedelta(hours=26)
HORIZON = timedelta(days=92)
"""A night asks for the leads of a quarter; what was found before is asked for again, whatever its age."""

RETRY_AFTER = timedelta(minutes=30)
LOOK_INTERVAL_S = 60.0
_RUN_CAUSES = frozenset({Cause.NIGHT, Cause.LATE, Cause.RESTORE})
_RESULTS_LOOKED_AT = 20
_log = get_logger("nightly")


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """When a workspace's quiet hour is.

    Attributes:
        zone: of the salon.
        shift: how much after the beginning of the night, less than `JITTER`; the same on every node.
    """

    zone: ZoneInfo
    shift: timedelta

    @classmethod
    def of(cls, workspace: Workspace) -> Night:
        """The night of a workspace."""
        digest = hashlib.sha256(workspace.workspace_id.encode()).digest()
        return cls(zone=ZoneInfo(workspace.time_zone), shift=JITTER * int.from_bytes(digest[:4]) / 2**32)


def is_due(night: Night, *, last: datetime, now: datetime) -> Cause | None:
    """Why a reconciliation has to be made now, or None.

    Args:
        last: when the last one began that nobody had asked for; for a fresh house when it was made.
    """
    begins = datetime.combine(now.astimezone(night.zone).date(), NIGHT_BEGINS, night.zone) + night.shift
    if last < begins <= now < begins + NIGHT_LASTS:
        return Cause.NIGHT
    return Cause.LATE if now - last > TOO_LONG_AGO else None


class NightlyReconciliation:
    """Looks whether a reconciliation is due, and makes it when no other node does."""

    def __init__(
        self,
        storage: SqlStorage,
        reconciler: Reconciler,
        workspace: Workspace,
        *,
        high_water: HighWater,
        clock: Clock,
        holder: str,
    ) -> None:
        """Lease under this holder name, unique for the process."""
        self._storage = storage
        self._reconciler = reconciler
        self._workspace = workspace
        self._night = Night.of(workspace)
        self._clock = clock
        self._holder = holder
        self._not_before: datetime | None = None
        self._high_water = high_water

    async def run(self, stop: asyncio.Event) -> None:
        """Look once a minute until `stop`; a reconciliation in hand is given up then, nothing is lost by it."""
        await look_again_and_again(self._look_safely, stop, interval_s=LOOK_INTERVAL_S)

    async def look(self) -> Reconciliation | None:
        """Make a reconciliation if one is due and no other node makes it; its result, else None.

        Raises:
            LeadgateError: database or CRM could not be asked; it is tried again after half an hour.
        """
        if (cause := await self._find_cause()) is None:
            return None
        async with as_only_node(self._storage, LANE, holder=self._holder, clock=self._clock) as has_lease:
            # Another node may have been quicker between the look and the lease.
            if not has_lease or (cause := await self._find_cause()) is None:
                return None
            now = self._clock.now()
            self._not_before = now + RETRY_AFTER
            if cause is Cause.RESTORE:
                _log.warning("database.restored")
                result = await self._reconciler.after_restore()
                await self._high_water.settle()
            else:
                result = await self._reconciler.run(cause=cause, since=now - HORIZON)
            self._not_before = None
            return result

    async def _find_cause(self) -> Cause | None:
        now, kept = self._clock.now(), await self._reconciler.kept(limit=_RESULTS_LOOKED_AT)
        if kept:
            publish(kept[0])
        if self._not_before is not None and now < self._not_before:
            return None
        if await self._high_water.is_behind():
            return Cause.RESTORE
        own = (result.started_at for result in kept if result.cause in _RUN_CAUSES or result.since is None)
        return is_due(self._night, last=next(own, self._workspace.created_at), now=now)

    async def _look_safely(self) -> None:
        try:
            await self.look()
        except LeadgateError as error:
            _log.error("ledger.not_reconciled", error_code=error.code)
        except Exception:  # noqa: BLE001 -- a loop that serves for months: it is logged, counted and tried again
            _log.exception("ledger.not_reconciled")
            metrics.crashes.labels("nightly").inc()
