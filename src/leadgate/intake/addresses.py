"""Addresses of vendors that people type in: https, or plain http on this machine only."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from leadgate.model.addresses import AddressKind, is_api_port, kind_of_host


def base_address_problem(value: str) -> str | None:
    """What is wrong with the base address of a vendor's API, or None; never repeats the value.

    Plain http would carry the token in the clear, so it is taken on loopback only.
    """
    try:
        parts = urlsplit(value)
        port = parts.port  # raises ValueError when it is no number
    except ValueError:
        return "is not an address such as https://api.example.com"
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        return "is not an address such as https://api.example.com"
    if parts.username is not None or parts.query or parts.fragment:
        return "must not carry a user, a query or a fragment"
    if (port is not None and not is_api_port(port, parts.hostname)) or kind_of_host(
        parts.hostname
    ) is AddressKind.FORBIDDEN:
        return "has a host or a port at which no API can be"
    if parts.scheme == "http" and not _is_loopback(parts):
        return "must be https; plain http is taken only on this machine (127.0.0.1)"
    return None


def _is_loopback(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
