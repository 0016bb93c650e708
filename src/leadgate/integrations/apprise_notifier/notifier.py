"""Sends an alarm through Apprise. The library is imported on first use and in a thread: with its plug-ins it takes half a second.

Apprise is synchronous and bounds its own calls (`cto`, `rto`: four seconds each unless the address says otherwise); it runs in a
daemon thread, and we wait for it no longer than `SEND_TIMEOUT_S`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from leadgate.errors import ConfigurationError
from leadgate.model.secret import Secret
from leadgate.ports.notifier import Message

if TYPE_CHECKING:
    from apprise import AppriseAsset, NotifyBase

SEND_TIMEOUT_S = 20.0
_NO_SERVICE = "This is no address of a known service. See docs/howto/alarms.md for examples."
"""The address itself is never repeated."""


class AppriseNotifier:
    """See `ports.notifier.Notifier`."""

    def __init__(self, *, timeout_s: float = SEND_TIMEOUT_S) -> None:
        """Wait no longer than this for a service."""
        self._timeout_s = timeout_s
        # Its own log lines and those of its HTTP library quote addresses.
        for name in ("apprise", "requests", "urllib3", "oauthlib", "requests_oauthlib"):
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = [logging.NullHandler()], False

    def service_of(self, address: Secret) -> str:
        """Apprise's name of the service."""
        return str(_open(address).service_name)

    async def send(self, address: Secret, message: Message) -> str | None:
        """Hand the message over."""
        try:
            async with asyncio.timeout(self._timeout_s):
                was_taken = await _in_daemon_thread(lambda: _send(address, message))
        except TimeoutError:
            return "alert.timeout"
        return None if was_taken else "alert.refused"


def _asset() -> AppriseAsset:
    """Our name on the message, no pictures from elsewhere, nothing kept on disk."""
    from apprise import AppriseAsset  # noqa: PLC0415 -- see the module's docstring

    return AppriseAsset(
        app_id="Leadgate",
        app_desc="Leadgate",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask="",
        async_mode=False,
        secure_logging=True,
    )


def _open(address: Secret) -> NotifyBase:
    from apprise import Apprise, NotifyBase  # noqa: PLC0415 -- see the module's docstring

    opened = Apprise.instantiate(address.reveal(), asset=_asset(), suppress_exceptions=True)
    if not isinstance(opened, NotifyBase):
        raise ConfigurationError(_NO_SERVICE, code="alert.address_wrong")
    return opened


def _send(address: Secret, message: Message) -> bool:
    """Whatever a plug-in of the library raises, it catches itself and answers False."""
    from apprise import Apprise, NotifyType  # noqa: PLC0415 -- see the module's docstring

    sender = Apprise(asset=_asset())
    sender.add(_open(address))
    return bool(sender.notify(title=message.title, body=message.body, notify_type=NotifyType.INFO))


async def _in_daemon_thread(work: Callable[[], bool]) -> bool:
    """Unlike those of `asyncio.to_thread` it does not hold up the end of the process when a service hangs."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    ends: list[bool] = []

    def run() -> None:
        try:
            ends.append(work())
        finally:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, name="leadgate-alert", daemon=True).start()
    await done.wait()
    return bool(ends) and ends[0]
