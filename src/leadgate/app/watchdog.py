"""Compares, every minute, where vendors think that they post with where we listen; repairs what it can and notes what it cannot.

A messenger whose webhook was taken over, whose token was revoked or whose deliveries pile up tells nobody: it simply falls silent.
"""

from __future__ import annotations

import asyncio
import ssl
from datetime import datetime, timedelta

from leadgate.app.one_node import as_only_node, look_again_and_again
from leadgate.connections.book import ConnectionBook, is_active
from leadgate.connections.connect import ConnectionDesk
from leadgate.errors import LeadgateError
from leadgate.model.alerts import CHANNEL_FAULT, Note
from leadgate.model.connections import CheckReport, Finding, FindingState, OpenConnection
from leadgate.observability import get_logger, metrics
from leadgate.ports.clock import Clock
from leadgate.ports.stores import Storage, Transaction
from leadgate.wire.certificate import certificate_finding

LANE = "watchdog"
INTERVAL_S = 60.0
CERTIFICATE_EVERY = timedelta(hours=1)
_AT_ONCE = 8
_log = get_logger("watchdog")


class Watchdog:
    """Looks after every active channel that a vendor posts to; one node of a cluster at a time."""

    def __init__(
        self,
        storage: Storage,
        book: ConnectionBook,
        desk: ConnectionDesk,
        *,
        public_url: str | None,
        clock: Clock,
        holder: str,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Ask through `desk`; `trust` replaces the authorities that vouch for our own address."""
        self._storage = storage
        self._book = book
        self._desk = desk
        self._public_url = public_url
        self._clock = clock
        self._holder = holder
        self._trust = trust
        self._certificate: Finding | None = None
        self._certificate_at: datetime | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Look once a minute until `stop`; a look in hand is given up then, nothing is lost by it."""
        await look_again_and_again(self._look_safely, stop, interval_s=INTERVAL_S)

    async def look(self) -> None:
        """Look at every channel once, unless another node does.

        Raises:
            StorageUnavailableError: it is tried again in a minute.
        """
        async with as_only_node(self._storage, LANE, holder=self._holder, clock=self._clock) as is_ours:
            if not is_ours:
                return
            await self._look_at_certificate()
            turns = asyncio.Semaphore(_AT_ONCE)
            await asyncio.gather(*(self._look_at(opened, turns) for opened in self._watched()))

    def _watched(self) -> list[OpenConnection]:
        return [
            opened
            for opened in self._book.all()
            if is_active(opened.connection)
            and self._book.integration(opened.connection.kind).manifest.public_url_needed
        ]

    async def _look_at_certificate(self) -> None:
        now = self._clock.now()
        is_fresh = self._certificate_at is not None and now - self._certificate_at < CERTIFICATE_EVERY
        if self._public_url is None or is_fresh:
            return
        self._certificate = await certificate_finding(self._public_url, now=now, trust=self._trust)
        self._certificate_at = now

    async def _look_at(self, opened: OpenConnection, turns: asyncio.Semaphore) -> None:
        connection_id = opened.connection.connection_id
        async with turns:
            further = () if self._certificate is None else (self._certificate,)
            report = await self._desk.look_after(connection_id, *further)
        if report is None:
            return
        metrics.watched.labels(opened.connection.kind, report.state.value).inc()
        fault = find_fault(report)
        await self._storage.write(lambda tx: _note(tx, connection_id, fault, at=self._clock.now()))

    async def _look_safely(self) -> None:
        try:
            await self.look()
        except LeadgateError as error:
            _log.warning("watchdog.not_looked", error_code=error.code)
        except Exception:  # noqa: BLE001 -- a loop that serves for months: it is logged, counted and tried again
            _log.exception("watchdog.not_looked")
            metrics.crashes.labels("watchdog").inc()


def find_fault(report: CheckReport) -> Finding | None:
    """The gravest finding that somebody should hear of: everything that failed, and warnings that things pile up."""
    for state in (FindingState.FAIL, FindingState.WARN):
        for finding in report.findings:
            if finding.state is state and (state is FindingState.FAIL or finding.is_jam):
                return finding
    return None


def _note(tx: Transaction, connection_id: str, fault: Finding | None, *, at: datetime) -> None:
    """What is wrong since when; the time stays while it is the same fault."""
    known = tx.alerts.find_note(CHANNEL_FAULT, connection_id)
    if fault is None:
        if known is not None:
            tx.alerts.drop_note(CHANNEL_FAULT, connection_id)
    elif known is None or known.detail != fault.code:
        tx.alerts.note(Note(topic=CHANNEL_FAULT, subject=connection_id, at=at, detail=fault.code))
