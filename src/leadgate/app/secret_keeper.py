"""The calendar of secrets: finishes what was begun, drops what has run out, replaces what needs no person, notes what is late."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from leadgate.alerts.causes import SECRET_OVERDUE
from leadgate.app.one_node import as_only_node, look_again_and_again
from leadgate.app.secret_desk import SecretDesk
from leadgate.connections.book import ConnectionBook, is_active
from leadgate.connections.rotation import Rotation
from leadgate.connections.vendor_side import VendorSide
from leadgate.errors import LeadgateError
from leadgate.model.alerts import Note
from leadgate.model.renewals import Renewal, SecretLight, SecretView, needs_alarm
from leadgate.observability import get_logger, metrics
from leadgate.ports.clock import Clock
from leadgate.ports.stores import Storage, Transaction

LANE = "secrets"
INTERVAL_S = 30.0
GRACE = timedelta(minutes=2)
"""Somebody who began so lately may still be at it; no call to a vendor takes as long."""

GO_ON_AFTER = timedelta(minutes=5)
"""What could not be finished is tried again then."""

RETRY_AFTER = timedelta(hours=1)
"""A vendor that would not take a new secret is asked again then."""

BY_SYSTEM = "system"
_log = get_logger("secrets")


class SecretKeeper:
    """Looks after every secret; one node of a cluster at a time."""

    def __init__(
        self,
        storage: Storage,
        book: ConnectionBook,
        desk: SecretDesk,
        rotation: Rotation,
        vendor: VendorSide,
        *,
        clock: Clock,
        holder: str,
    ) -> None:
        """Lease under this holder name, unique for the process."""
        self._storage = storage
        self._book = book
        self._desk = desk
        self._rotation = rotation
        self._vendor = vendor
        self._clock = clock
        self._holder = holder
        self._not_before: dict[str, datetime] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Look twice a minute until `stop`; what is given up in the middle is finished at the next start."""
        await look_again_and_again(self._look_safely, stop, interval_s=INTERVAL_S)

    async def look(self) -> None:
        """Look at every secret once, unless another node does.

        Raises:
            StorageUnavailableError: it is tried again in half a minute.
        """
        async with as_only_node(self._storage, LANE, holder=self._holder, clock=self._clock) as is_ours:
            if not is_ours:
                return
            await self._storage.write(lambda tx: tx.secrets.drop_ended(now=self._clock.now()))
            await self._go_on()
            for view in await self._desk.all():
                if self._is_to_be_replaced(view):
                    await self._replace(view)
            views = await self._desk.all()
            await self._storage.write(lambda tx: _note_overdue(tx, views, now=self._clock.now()))

    async def _go_on(self) -> None:
        now = self._clock.now()
        stored = await self._storage.read(lambda tx: tx.secrets.all())
        begun = {one.connection_id for one in stored if one.is_candidate and one.created_at <= now - GRACE}
        for connection_id in sorted(begun):
            if now < self._not_before.get(connection_id, now):
                continue
            self._not_before[connection_id] = now + GO_ON_AFTER
            try:
                await self._rotation.go_on(connection_id)
            except LeadgateError as error:
                _log.warning("secret.unfinished", connection_id=connection_id, error_code=error.code)

    def _is_to_be_replaced(self, view: SecretView) -> bool:
        opened = self._book.find(view.name.connection_id)
        if opened is None or not is_active(opened.connection) or view.is_unfinished:
            return False
        if view.light is SecretLight.FRESH or not view.renewal.is_automatic:
            return False
        if view.renewal is Renewal.REGISTERED and not self._vendor.is_reachable:
            return False
        return self._clock.now() >= self._not_before.get(str(view.name), self._clock.now())

    async def _replace(self, view: SecretView) -> None:
        name = str(view.name)
        self._not_before[name] = self._clock.now() + RETRY_AFTER
        try:
            await self._desk.rotate(name, by=BY_SYSTEM, may_hand=False)
        except LeadgateError as error:
            _log.warning("secret.not_rotated", connection_id=view.name.connection_id, error_code=error.code)
        else:
            _log.info("secret.rotated", connection_id=view.name.connection_id, integration=view.kind)

    async def _look_safely(self) -> None:
        try:
            await self.look()
        except LeadgateError as error:
            _log.warning("secret.not_looked", error_code=error.code)
        except Exception:  # noqa: BLE001 -- a loop that serves for months: it is logged, counted and tried again
            _log.exception("secret.not_looked")
            metrics.crashes.labels("secrets").inc()


def _note_overdue(tx: Transaction, views: Sequence[SecretView], *, now: datetime) -> None:
    """The alarm reads these notes; it ends when the note is gone."""
    for view in views:
        subject = str(view.name)
        is_overdue, note = needs_alarm(view.next_due, now=now), tx.alerts.find_note(SECRET_OVERDUE, subject)
        if is_overdue and note is None:
            tx.alerts.note(Note(topic=SECRET_OVERDUE, subject=subject, at=view.next_due or now, detail=view.name.key))
        elif note is not None and not is_overdue:
            tx.alerts.drop_note(SECRET_OVERDUE, subject)
