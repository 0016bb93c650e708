"""The loop of the alarms: look at the house, decide what is raised, tell every address. One process of all at a time.

What an address has heard is on disk, so a message that was not taken is tried again until its alarm is forgotten, also after a
restart, and an address that is added later hears of what is raised. When the database itself is away, the process that looked last
tells so from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from leadgate.alerts.addresses import LOOKED, open_address
from leadgate.alerts.causes import NameKind, find_disk_trouble, find_troubles
from leadgate.alerts.raising import messages_due, review
from leadgate.alerts.wording import Voice, compose
from leadgate.errors import LeaseLostError, OverloadedError, VaultError
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

LONGEST_RETRY = timedelta(minutes=15)
DATABASE_AWAY_AFTER_S = 120.0
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
        self._notifier = notifier
        self._voice = voice
        self._limits = limits
        self._name_kind = name_kind
        self._read_disk = read_disk
        self._senses = senses
        self._clock = clock
        self._holder = holder
        self._known: list[tuple[AlertTarget, Secret]] = []
        self._away_since: float | None = None
        self._away: Alert | None = None

    async def watch(self) -> None:
        """One look, and the messages that are due. Another process at it: nothing.

        Raises:
            StorageUnavailableError: the database is away; told from memory when that lasts.
        """
        lease: Lease | None = None
        try:
            now = self._clock.now()
            lease = await self._storage.write(
                lambda tx: tx.lanes.claim_one(LANE, holder=self._holder, now=now, until=now + LEASE_TIME)
            )
            if lease is None:
                self._known = []
                return
            await self._look(lease)
        except OverloadedError:
            await self._note_away()
            raise
        except LeaseLostError:
            _log.warning("alert.lease_lost", error_code=LeaseLostError.code)
            return
        await self._note_back()
        await self._tell(lease)

    async def _look(self, lease: Lease) -> None:
        now, space = self._clock.now(), self._read_disk()
        signs = await self._storage.read(lambda tx: tx.alerts.signs(now=now))
        sensed = [trouble for sense in self._senses for trouble in await sense.look(signs, now=now)]

        def judge(tx: Transaction) -> Sequence[Alert]:
            if not tx.lanes.hold(lease):
                raise LeaseLostError("another process looks for trouble now")
            return self._review(tx, signs, sensed, space, now=now)

        alerts = await self._storage.write(judge)
        metrics.alerts_raised.set(sum(alert.state is AlertState.RAISED for alert in alerts))

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
        alerts = review(known, troubles, now=now, calm=self._limits.calm)
        for alert in alerts:
            _log_change(alert, known)
        if set(alerts) != set(known):
            tx.alerts.replace_all(alerts)
        tx.alerts.note(Note(topic=LOOKED, subject="", at=now, detail=""))
        return alerts

    async def _tell(self, lease: Lease) -> None:
        """Send what is due, address by address; one that fails waits for its next try."""
        alerts, self._known, told = await self._storage.read(self._read_due)
        due = messages_due(alerts, [target for target, _ in self._known], told)
        metrics.alerts_unsent.set(sum(kind is not None for _, _, kind in due))
        addresses = {target.target_id: address for target, address in self._known}
        latest: dict[str, AlertTarget] = {}
        for alert, planned, kind in due:
            now = self._clock.now()
            target = latest.get(planned.target_id, planned)
            if now > lease.until - LEASE_TIME + SEND_AT_MOST:
                break
            if kind is not None:
                if target.retry_at is not None and now < target.retry_at:
                    continue
                target = latest[target.target_id] = await self._send(alert, kind, target, addresses[target.target_id])
            if kind is None or target.failures == 0:
                await self._storage.write(partial(self._keep_told, lease=lease, alert=alert, target=target))
            else:
                await self._storage.write(partial(_keep_failure, target=target))
        await self._give_back(lease)

    async def _send(self, alert: Alert, kind: MessageKind, target: AlertTarget, address: Secret) -> AlertTarget:
        """One message; the address as it is to be remembered."""
        message = compose(alert, kind, self._voice, now=self._clock.now())
        error_code = await self._notifier.send(address, message)
        now = self._clock.now()
        if error_code is None:
            _log.info("alert.sent", kind=kind.value, outcome=alert.cause.value)
            return replace(target, failures=0, failing_since=None, retry_at=None, last_error=None, last_sent_at=now)
        _log.error("alert.not_sent", kind=kind.value, outcome=alert.cause.value, error_code=error_code)
        wait = min(LONGEST_RETRY, self._limits.interval * (1 << min(target.failures, 10)))
        return replace(
            target,
            failures=target.failures + 1,
            failing_since=target.failing_since or now,
            retry_at=now + wait,
            last_error=error_code,
        )

    @staticmethod
    def _keep_told(tx: Transaction, *, lease: Lease, alert: Alert, target: AlertTarget) -> None:
        if not tx.lanes.hold(lease):
            raise LeaseLostError("another process tells alarms now")
        tx.alerts.set_told(alert.key, target.target_id, alert.round)
        tx.alerts.set_target(target)

    async def _give_back(self, lease: Lease) -> None:
        await self._storage.write(
            lambda tx: tx.lanes.release(lease, due_at=None, failures=0, problem=None, problem_since=None)
        )

    def _read_due(
        self, tx: Transaction
    ) -> tuple[Sequence[Alert], list[tuple[AlertTarget, Secret]], Mapping[tuple[tuple[Cause, str], str], int]]:
        opened = [
            (target, address) for target in tx.alerts.targets() if (address := self._open(tx, target)) is not None
        ]
        return tx.alerts.all(), opened, tx.alerts.told()

    def _open(self, tx: Transaction, target: AlertTarget) -> Secret | None:
        try:
            return open_address(self._vault, tx, target)
        except VaultError as error:
            _log.error("alert.address_unreadable", error_code=error.code)
            return None

    async def _note_away(self) -> None:
        """The database does not answer. After two minutes that is an alarm; nothing can be written, so it is told from memory."""
        now_s, now = self._clock.monotonic_s(), self._clock.now()
        self._away_since = now_s if self._away_since is None else self._away_since
        if self._away is not None or now_s - self._away_since < DATABASE_AWAY_AFTER_S:
            return
        began = now - timedelta(seconds=now_s - self._away_since)
        (self._away,) = review([], [Trouble(cause=Cause.DATABASE, since=began)], now=now, calm=timedelta())
        await self._tell_from_memory(MessageKind.RAISED)

    async def _note_back(self) -> None:
        self._away_since = None
        if self._away is not None:
            self._away = replace(self._away, solved_at=self._clock.now())
            await self._tell_from_memory(MessageKind.SOLVED)
            self._away = None

    async def _tell_from_memory(self, kind: MessageKind) -> None:
        if self._away is None:
            return
        for target, address in self._known:
            await self._send(self._away, kind, target, address)


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
