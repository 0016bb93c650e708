"""Typed settings of a Bitrix24 connection and the checks of its form. Nothing here talks to a portal."""

from __future__ import annotations

import ipaddress
import math
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from leadgate.errors import ConfigurationError
from leadgate.model.addresses import AddressKind, is_api_port, kind_of_host
from leadgate.model.connections import OpenConnection
from leadgate.model.secret import Secret

DEFAULT_TIMEOUT_S = 30.0
DEFAULT_QUIET_TIME_S = 180.0

_PATH = re.compile(r"/rest/[1-9][0-9]{0,9}/[A-Za-z0-9_-]{1,128}/?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a connection needs.

    Attributes:
        webhook_url: `https://PORTAL/rest/<user_id>/<secret>/`; a password.
        timeout_s: for one request as a whole.
        quiet_time_s: wait between an unknown outcome and the look-up; a portal may commit for up to 60 s
            after our time-out.
    """

    webhook_url: Secret = field(repr=False)
    timeout_s: float = DEFAULT_TIMEOUT_S
    quiet_time_s: float = DEFAULT_QUIET_TIME_S


def read_settings(connection: OpenConnection) -> Settings:
    """Settings of this connection, checked.

    Raises:
        ConfigurationError: the address is missing or wrong, or a number is none; never repeats a value.
    """
    webhook_url = connection.secret("webhook_url")
    if webhook_url is None:
        raise ConfigurationError(
            "The webhook_url of Bitrix24 is missing.",
            hint="Give it with --secrets-file; Bitrix24 shows it under Developer resources, Inbound webhook.",
        )
    problem = webhook_url_problem(webhook_url.reveal())
    if problem:
        raise ConfigurationError(f"webhook_url: {problem}")
    return Settings(
        webhook_url=webhook_url,
        timeout_s=_seconds(connection, "timeout_s", DEFAULT_TIMEOUT_S),
        quiet_time_s=_seconds(connection, "quiet_time_s", DEFAULT_QUIET_TIME_S),
    )


def webhook_url_problem(value: str) -> str | None:
    """What is wrong with a webhook address, or None; never repeats the value."""
    try:
        parts = urlsplit(value.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return "This is no web address."
    if not host or port == 0 or parts.username or parts.password or parts.query or parts.fragment:
        return "Write it as https://PORTAL/rest/USER_ID/SECRET/ and nothing more."
    if not is_safe_transport(parts):
        return "It must begin with https:// (plain http is allowed on this machine only)."
    if (port is not None and not is_api_port(port, host)) or kind_of_host(host) is AddressKind.FORBIDDEN:
        return "No portal can be at this address or port."
    if not _PATH.fullmatch(parts.path):
        return "Write it as https://PORTAL/rest/USER_ID/SECRET/ (without a method at the end)."
    return None


def portal_of(webhook_url: str) -> str:
    """The host of the portal, which another webhook of the same portal keeps."""
    return (urlsplit(webhook_url.strip()).hostname or "").lower()


def seconds_problem(value: str) -> str | None:
    """What is wrong with a number of seconds, or None."""
    return None if _positive(value) is not None else "Give a positive number of seconds, for instance 30."


def is_safe_transport(parts: SplitResult) -> bool:
    """True for https, and for http to this machine."""
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def is_loopback(host: str) -> bool:
    """True for `localhost`, 127.0.0.0/8 and ::1; other names are not resolved."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _seconds(connection: OpenConnection, name: str, default: float) -> float:
    text = connection.settings.get(name, "")
    if not text:
        return default
    number = _positive(text)
    if number is None:
        raise ConfigurationError(f"{name}: give a positive number of seconds.")
    return number


def _positive(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None
