"""Sends an alarm through Apprise, with MAX added to it.

The library is imported on first use and in a thread: with its plug-ins it takes half a second.

Apprise is synchronous and bounds its own calls (`cto`, `rto`: four seconds each unless the address says otherwise); it runs in a
daemon thread, and we wait for it no longer than `SEND_TIMEOUT_S`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from leadgate.errors import ConfigurationError
from leadgate.intake.addresses import base_address_problem
from leadgate.integrations.apprise_notifier.guard import AlarmGuard, guarded, named_hosts
from leadgate.model.addresses import AddressKind, kind_of_host
from leadgate.model.secret import Secret
from leadgate.ports.notifier import Message

if TYPE_CHECKING:
    from apprise import AppriseAsset, NotifyBase

SEND_TIMEOUT_S = 20.0
TELEGRAM = "tgram://"
API_BASE = "api_base"
"""Option of `tgram://` and `max://`: another address of the Bot API, for instance where the usual one cannot be reached."""

_LOCAL_FILE = "template"
"""Option of some services that sends a file of this machine: nothing for an address that comes through a page."""

_NO_SERVICE = "This is no address of a known service. See docs/howto/alarms.md for examples."
"""The address itself is never repeated."""


class AppriseNotifier:
    """See `ports.notifier.Notifier`."""

    def __init__(
        self, *, timeout_s: float = SEND_TIMEOUT_S, own_hosts: Callable[[], frozenset[str]] = frozenset
    ) -> None:
        """Wait no longer than this for a service; `own_hosts` tells which hosts of the own network may be called now."""
        self._timeout_s = timeout_s
        self._own_hosts = own_hosts
        # Its own log lines and those of its HTTP library quote addresses.
        for name in ("apprise", "requests", "urllib3", "oauthlib", "requests_oauthlib"):
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = [logging.NullHandler()], False

    def service_of(self, address: Secret) -> str:
        """Apprise's name of the service."""
        service = str(_open(address).service_name)
        _check_named(address, self._own_hosts())
        return service

    async def send(self, address: Secret, message: Message) -> str | None:
        """Hand the message over."""
        own_hosts = self._own_hosts()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await _in_daemon_thread(lambda: _send(address, message, own_hosts))
        except TimeoutError:
            return "alert.timeout"


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
    from apprise import Apprise, NotificationManager, NotifyBase  # noqa: PLC0415 -- see the module's docstring

    from leadgate.integrations.apprise_notifier.max_messenger import NotifyMax  # noqa: PLC0415 -- likewise

    known: Any = NotificationManager()  # type: ignore[no-untyped-call]  # the library does not say what it takes
    if NotifyMax.secure_protocol not in known:
        known.add(NotifyMax)
    text, api_base = _split_api_base(address.reveal())
    opened = Apprise.instantiate(text, asset=_asset(), suppress_exceptions=True)
    if not isinstance(opened, NotifyBase) or _LOCAL_FILE in parse_qs(urlsplit(text).query):
        raise ConfigurationError(_NO_SERVICE, code="alert.address_wrong")
    if text.startswith(TELEGRAM):
        _prepare_telegram(opened, api_base)
    return opened


def _check_named(address: Secret, own_hosts: frozenset[str]) -> None:
    """Refuse at once what `guarded` would refuse at every alarm.

    Raises:
        ConfigurationError: the address itself names a place where no alarm may go.
    """
    for host in named_hosts(address.reveal()):
        kind = kind_of_host(host)
        if kind is AddressKind.FORBIDDEN:
            raise ConfigurationError(_NO_SERVICE, code="alert.address_wrong")
        if kind is AddressKind.OWN_NETWORK and host not in own_hosts:
            raise ConfigurationError(
                "This address leads into your own network.",
                code="alert.own_network",
                hint="Allow its host first: leadgate own-network allow --help",
            )


def _split_api_base(text: str) -> tuple[str, str | None]:
    """The library's plug-in for Telegram has no such option, so it is taken out of the address."""
    if not text.startswith(TELEGRAM) or "?" not in text:
        return text, None
    path, _, query = text.partition("?")
    options = parse_qsl(query, keep_blank_values=True)
    base = next((value for name, value in options if name == API_BASE), None)
    rest = urlencode([(name, value) for name, value in options if name != API_BASE])
    return (f"{path}?{rest}" if rest else path), base


def _prepare_telegram(opened: Any, api_base: str | None) -> None:  # noqa: ANN401 -- the library's class of this service
    """Without a chat the library would write to whoever wrote to the bot first, and that may be a client."""
    if not opened.targets:
        raise ConfigurationError(
            "A Telegram address needs the chat: tgram://BOT_TOKEN/CHAT_ID.", code="alert.chat_missing"
        )
    opened.detect_owner = False
    if api_base is None:
        return
    if base_address_problem(api_base):
        raise ConfigurationError(_NO_SERVICE, code="alert.address_wrong")
    opened.notify_url = f"{api_base.rstrip('/')}/bot"


def _send(address: Secret, message: Message, own_hosts: frozenset[str]) -> str | None:
    """The error code, None when it was taken. Whatever a plug-in of the library raises, it catches itself and answers False."""
    from apprise import Apprise, NotifyFormat, NotifyType  # noqa: PLC0415 -- see the module's docstring

    try:
        opened = _open(address)
    except ConfigurationError as error:
        return error.code
    sender = Apprise(asset=_asset())
    sender.add(opened)
    # Said to be plain text, so that a salon named «Лак & <Кисть>» is escaped where a service reads markup.
    guard = AlarmGuard(address.reveal(), own_hosts)
    _hold(opened, guard)
    was_taken = sender.notify(
        title=message.title, body=message.body, notify_type=NotifyType.INFO, body_format=NotifyFormat.TEXT
    )
    if guard.has_refused and not was_taken:
        return "alert.address_refused"
    return None if was_taken else str(getattr(opened, "error_code", None) or "alert.refused")


def _hold(opened: Any, guard: AlarmGuard) -> None:  # noqa: ANN401 -- the library's class of any service
    """Guard the plug-in's own sending: the library runs it in a thread of its pool."""
    send = opened.send

    def guarded_send(*given: Any, **named: Any) -> Any:  # noqa: ANN401 -- as the plug-in takes and gives it
        with guarded(guard):
            return send(*given, **named)

    opened.send = guarded_send


async def _in_daemon_thread(work: Callable[[], str | None]) -> str | None:
    """Unlike those of `asyncio.to_thread` it does not hold up the end of the process when a service hangs."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    ends: list[str | None] = []

    def run() -> None:
        try:
            ends.append(work())
        finally:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, name="leadgate-alert", daemon=True).start()
    await done.wait()
    return ends[0] if ends else "alert.refused"
