"""One message to one address: sending it, and what is remembered of how that ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from leadgate.alerts.wording import Voice, compose
from leadgate.model.alerts import Alert, AlertTarget, MessageKind
from leadgate.model.secret import Secret
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock
from leadgate.ports.notifier import Notifier

LONGEST_RETRY = timedelta(minutes=15)
UNREADABLE = "alert.address_unreadable"
"""Code of an address that was sealed under another key file."""

_log = get_logger("alerts")


class Messenger:
    """Sends alarms in the salon's words; never raises for what happens on the way."""

    def __init__(self, notifier: Notifier, *, voice: Voice, first_retry: timedelta, clock: Clock) -> None:
        """Try an address that failed again after `first_retry`, then twice as long each time."""
        self._notifier = notifier
        self._voice = voice
        self._first_retry = first_retry
        self._clock = clock

    async def send(self, alert: Alert, kind: MessageKind, target: AlertTarget, address: Secret) -> AlertTarget:
        """Send one message; the address as it is to be remembered, with `failures` 0 when it was taken."""
        message = compose(alert, kind, self._voice, now=self._clock.now())
        error_code = await self._notifier.send(address, message)
        now = self._clock.now()
        if error_code is None:
            _log.info("alert.sent", kind=kind.value, outcome=alert.cause.value)
            return well(target, at=now)
        _log.error("alert.not_sent", kind=kind.value, outcome=alert.cause.value, error_code=error_code)
        return failed(target, error_code, first_retry=self._first_retry, at=now)


def is_resting(target: AlertTarget, *, now: datetime) -> bool:
    """True while an address that failed waits for its next try."""
    return target.retry_at is not None and now < target.retry_at


def well(target: AlertTarget, *, at: datetime) -> AlertTarget:
    """The address took a message."""
    return replace(target, failures=0, failing_since=None, retry_at=None, last_error=None, last_sent_at=at)


def failed(target: AlertTarget, error_code: str, *, first_retry: timedelta, at: datetime) -> AlertTarget:
    """The address did not take a message: when it is tried again."""
    wait = min(LONGEST_RETRY, first_retry * (1 << min(target.failures, 10)))
    return replace(
        target,
        failures=target.failures + 1,
        failing_since=target.failing_since or at,
        retry_at=at + wait,
        last_error=error_code,
    )
