"""The guard of alarms: the sockets that Apprise opens lead nowhere but where an alarm may go.

The library has a hundred plug-ins on several network libraries, which resolve names, follow redirects and open sockets by
themselves. So the guard stands where all of them must pass: Python tells an audit hook of every address before a socket is
connected to it. What is checked is the address itself, so neither a redirect nor a DNS answer that changes gets past. `wire.guard`
does this for vendors.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator
from functools import cache
from urllib.parse import parse_qsl, urlsplit
from urllib.request import getproxies

from leadgate.model.addresses import AddressKind, is_service_port, kind_of, kind_of_host
from leadgate.privacy.recipients import host_of

_HOST_OPTIONS = frozenset({"smtp", "api_base"})
"""Options of an address that name the server which is really called."""

_EVENTS = frozenset({"socket.connect", "socket.sendto"})
_PROXY_KINDS = ("http", "https", "all")
_guarded = threading.local()


class AlarmAddressRefusedError(OSError):
    """The socket may not be connected there; the library takes it for a network failure."""


class AlarmGuard:
    """Where one alarm may go.

    Attributes:
        has_refused: something was refused, whatever the library made of it.
    """

    def __init__(self, address: str, own_hosts: frozenset[str]) -> None:
        """Read from an alarm's address which hosts it names itself; `own_hosts` are those of the own network that are allowed."""
        named = named_hosts(address)
        self.has_refused = False
        self._may_stay_here = any(kind_of_host(host) is AddressKind.LOOPBACK for host in named)
        self._may_go_home = any(host in own_hosts for host in named)
        self._proxies = _proxy_addresses()

    def check(self, host: str, port: int) -> None:
        """Let pass or refuse one connection.

        Raises:
            AlarmAddressRefusedError: none of ours may go there.
        """
        for address in [host] if kind_of_host(host) is not None else _resolved(host, port):
            if address not in self._proxies and not self._may(address, port):
                self.has_refused = True
                raise AlarmAddressRefusedError("This address may not be called.")

    def _may(self, address: str, port: int) -> bool:
        if is_service_port(port):
            return False
        match kind_of(address):
            case AddressKind.PUBLIC:
                return True
            case AddressKind.LOOPBACK:
                return self._may_stay_here
            case AddressKind.OWN_NETWORK:
                return self._may_go_home
            case AddressKind.FORBIDDEN:
                return False


@contextlib.contextmanager
def guarded(guard: AlarmGuard) -> Iterator[None]:
    """Every socket that this thread opens in the block is asked about."""
    _install()
    _guarded.guard = guard
    try:
        yield
    finally:
        _guarded.guard = None


def named_hosts(address: str) -> frozenset[str]:
    """The hosts that an alarm's address names: its own, and those of options that name a server."""
    try:
        parts = urlsplit(address)
        options = parse_qsl(parts.query)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return frozenset()
    return frozenset({host, *(host_of(value) for name, value in options if name in _HOST_OPTIONS)}) - {""}


@cache
def _install() -> None:
    """Once: a hook cannot be taken away. It costs other threads one comparison for each event that Python audits."""

    def heard(event: str, arguments: tuple[object, ...]) -> None:
        if event in _EVENTS and (guard := getattr(_guarded, "guard", None)) is not None:
            _ask(guard, arguments[1])

    sys.addaudithook(heard)


def _ask(guard: AlarmGuard, address: object) -> None:
    match address:
        case (str(host), int(port), *_):
            guard.check(host.partition("%")[0], port)
        case _:  # a socket in the file system
            guard.check("", 0)


def _resolved(host: str, port: int) -> list[str]:
    """For the few plug-ins that leave resolving to the socket itself."""
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)] if host else [""]
    except OSError:
        return []


def _proxy_addresses() -> frozenset[str]:
    """The proxies of the environment, which the library heeds: they may stand in the own network."""
    found = {host_of(url) for kind, url in getproxies().items() if kind in _PROXY_KINDS}
    return frozenset(address for host in found - {""} for address in _resolved(host, 0))
