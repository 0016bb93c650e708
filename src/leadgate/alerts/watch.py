"""The loop of the alarms: look at the house, decide what is raised, tell every address. One process of all at a time.

What an address has heard is on disk, so a message that was not taken is tried again until its alarm is forgotten, also after a
restart, and an address that is added later hears of what is raised. Whoever looks keeps the lease and renews it at each look, so
that one process alone remembers the addresses and tells when the database itself is away (`outage.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from leadgate.alerts.addresses import LOOKED, open_address
from leadgate.alerts.causes import NameKind, find_disk_trouble, find_endings, find_troubles
from leadgate.alerts.outage import OutageMemory
from leadgate.alerts.raising import messages_due, review
from leadgate.alerts.telling import UNREADABLE, Messenger, failed, is_resting
from leadgate.alerts.wording import Voice
from leadgate.errors import LeadgateError, LeaseLostError, OverloadedError, VaultError
from leadgate.model.alerts import (
    Alert,
    AlertState,
    AlertTarget,
    Cause,
    DiskSpace,
    MessageKind,
    Note,
    Signs,
    Trouble,
)
from leadgate.model.secret import Secret
from leadgate.observability import get_logger, metrics
from leadgate.ports.clock import Clock
from leadgate.ports.notifier import Notifier
from leadgate.ports.stores import Lease, Storage, Transaction
from leadgate.settings import AlertThresholds
from leadgate.vault.envelope import Vault

LANE = "alerts"
LEASE_TIME = timedelta(seconds=90)
SEND_AT_MOST = timedelta(seconds=60)
"""No send begins later than this after the claim, so that its end still lies within the lease."""

_log = get_logger("alerts")


class Sense(Protocol):
    """A further source of troubles, for instance the silence of channels."""

    async def look(self, signs: Signs, *, now: datetime) -> Sequence[Trouble]:
        """What is wrong now; may write down what it learned."""
        ...


class AlertWatch:
    """Looks for trouble and tells it; `watch` is called every quarter of a minute."""

    def __init__(
        self,
        storage: Storage,
        vault: Vault,
        notifier: Notifier,
        *,
        voice: Voice,
        limits: AlertThresholds,
        name_kind: NameKind,
        read_disk: Callable[[], DiskSpace | None],
        senses: Sequence[Sense],
        clock: Clock,
        holder: str,
    ) -> None:
        """Work under this holder name, unique for the process."""
        self._storage = storage
        self._vault = vault
        self._messenger = Messenger(notifier, voice=voice, first_retry=limits.interval, clock=clock)
        self._limits = limits
        self._name_kind = name_kind
        self._read_disk = read_disk
        self._senses = senses
        self._sensed: dict[int, Sequence[Trouble]] = {}
        self._clock = clock
        self._holder = holder
        self._lease: Lease | None = None
        self._outage = OutageMemory(self._messenger, clock)

    async def watch(self) -> None:
        """One look, and the messages that are due. Another process at it: nothing.

        Raises:
            StorageUnavailableError: the database is away; told from memory when that lasts.
        """
        try:
            self._lease = await self._storage.write(self._claim)
            if self._lease is not None:
                await self._look(self._lease)
            await self._outage.note_back()
            if self._lease is None:
                self._outage.known = ()
                return
            await self._tell(self._lease)
        except OverloadedError:
            await self._outage.note_away()
            raise
        except LeaseLostError:
            self._lease, self._outage.known = None, ()
            _log.warning("alert.lease_lost", error_code=LeaseLostError.code)

    async def leave(self) -> None:
        """Let another process look at once; called when this one ends."""
        lease, self._lease = self._lease, None
        if lease is not None:
            await self._storage.write(
                lambda tx: tx.lanes.release(lease, due_at=None, failures=0, problem=None, problem_since=None)
            )

    def _claim(self, tx: Transaction) -> Lease | None:
        now, kept = self._clock.now(), self._lease
        if kept is not None and tx.lanes.renew(kept, until=now + LEASE_TIME):
            return replace(kept, until=now + LEASE_TIME)
        return tx.lanes.claim_one(LANE, holder=self._holder, now=now, until=now + LEASE_TIME)

    async def _look(self, lease: Lease) -> None:
        now, space = self._clock.now(), self._read_disk()
        signs = await self._storage.read(lambda tx: tx.alerts.signs(now=now))
        sensed = [trouble for sense in self._senses for trouble in await self._sense(sense, signs, now)]

        def judge(tx: Transaction) -> Sequence[Alert]:
            if not tx.lanes.hold(lease):
                raise LeaseLostError("another process looks for trouble now")
            return self._review(tx, signs, sensed, space, now=now)

        alerts = await self._storage.write(judge)
        metrics.alerts_raised.set(sum(alert.state is AlertState.RAISED for alert in alerts))

    async def _sense(self, sense: Sense, signs: Signs, now: datetime) -> Sequence[Trouble]:
        """One that fails neither blinds the others nor ends what it saw last."""
        try:
            self._sensed[id(sense)] = await sense.look(signs, now=now)
        except OverloadedError:
            raise
        except LeadgateError as error:
            _log.warning("alert.sense_failed", error_code=error.code)
        return self._sensed.get(id(sense), ())

    def _review(
        self, tx: Transaction, signs: Signs, sensed: list[Trouble], space: DiskSpace | None, *, now: datetime
    ) -> Sequence[Alert]:
        known, targets = tx.alerts.all(), list(tx.alerts.targets())
        troubles = sensed + find_troubles(
            signs, now=now, limits=self._limits, name_kind=self._name_kind, targets=targets
        )
        was_raised = any(alert.cause is Cause.DISK and alert.state is AlertState.RAISED for alert in known)
        disk = find_disk_trouble(space, now=now, limits=self._limits, was_raised=was_raised)
        troubles += [disk] if disk is not None else []
        endings = find_endings(known, signs, targets)
        alerts = review(known, troubles, now=now, calm=self._limits.calm, endings=endings)
        for alert in alerts:
            _log_change(alert, known)
        if set(alerts) != set(known):
            tx.alerts.replace_all(alerts)
        tx.alerts.note(Note(topic=LOOKED, subject="", at=now, detail=""))
        return alerts

    async def _tell(self, lease: Lease) -> None:
        """Send what is due, address by address; one that fails waits for its next try."""
        alerts, opened, told = await self._storage.read(self._read_due)
        self._outage.known = [(target, address) for target, address in opened if address is not None]
        due = messages_due(alerts, [target for target, _ in opened], told)
        metrics.alerts_unsent.set(sum(kind is not None for _, _, kind in due))
        addresses = {target.target_id: address for target, address in opened}
        latest: dict[str, AlertTarget] = {}
        for alert, planned, kind in due:
            now = self._clock.now()
            target = latest.get(planned.target_id, planned)
            if now > lease.until - LEASE_TIME + SEND_AT_MOST:
                break
            if kind is not None:
                if is_resting(target, now=now):
                    continue
                target = latest[target.target_id] = await self._send(alert, kind, target, addresses[target.target_id])
            if kind is None or target.failures == 0:
                await self._storage.write(partial(self._keep_told, lease=lease, alert=alert, target=target))
            else:
                await self._storage.write(partial(_keep_failure, target=target))

    async def _send(self, alert: Alert, kind: MessageKind, target: AlertTarget, address: Secret | None) -> AlertTarget:
        if address is not None:
            return await self._messenger.send(alert, kind, target, address)
        _log.error("alert.address_unreadable", outcome=alert.cause.value)
        return failed(target, UNREADABLE, first_retry=self._limits.interval, at=self._clock.now())

    @staticmethod
    def _keep_told(tx: Transaction, *, lease: Lease, alert: Alert, target: AlertTarget) -> None:
        if not tx.lanes.hold(lease):
            raise LeaseLostError("another process tells alarms now")
        tx.alerts.set_told(alert.key, target.target_id, alert.round)
        tx.alerts.set_target(target)

    def _read_due(
        self, tx: Transaction
    ) -> tuple[Sequence[Alert], list[tuple[AlertTarget, Secret | None]], Mapping[tuple[tuple[Cause, str], str], int]]:
        opened = [(target, self._open(tx, target)) for target in tx.alerts.targets()]
        return tx.alerts.all(), opened, tx.alerts.told()

    def _open(self, tx: Transaction, target: AlertTarget) -> Secret | None:
        """The address, or None when it was sealed under another key file."""
        try:
            return open_address(self._vault, tx, target)
        except VaultError:
            return None


def _keep_failure(tx: Transaction, *, target: AlertTarget) -> None:
    tx.alerts.set_target(target)


def _log_change(alert: Alert, known: Sequence[Alert]) -> None:
    """A line for every new message, whether or not anybody is to be told."""
    before = next((one for one in known if one.key == alert.key), None)
    if before is not None and before.round == alert.round:
        return
    connection_id = alert.subject if alert.subject.startswith("conn_") else None
    if alert.kind is MessageKind.SOLVED:
        _log.info("alert.solved", outcome=alert.cause.value, connection_id=connection_id)
    else:
        _log.warning("alert.raised", outcome=alert.cause.value, connection_id=connection_id, count=alert.count)
