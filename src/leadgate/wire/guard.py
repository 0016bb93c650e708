"""The guard of every call to the outside: which address may be spoken to, and that it is the one which was looked at.

A name is resolved once, every answer of the resolver is judged, and the connection goes to that very address: a name that changes
its answer between the look and the call (DNS rebinding) gains nothing. TLS and `Host` keep the name. Redirects are followed by
nobody but the adapter of Bitrix24, through this guard again.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from urllib.parse import urlsplit

import httpcore
import httpx

from leadgate.model.addresses import AddressKind, is_api_port, kind_of, kind_of_host
from leadgate.model.connections import Finding, FindingState

ADDRESS_REFUSED = "connection.address_refused"
"""Code of a call that was not made, because its address is none that may be called."""

ADDRESS_REFUSED_FINDING = Finding(
    ADDRESS_REFUSED,
    FindingState.FAIL,
    "This address leads into a private network or to a service that is no API, so nothing was sent there.",
    "Correct the address, or allow the host of your own network: leadgate own-network allow --help",
)

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The IP addresses of a host, in the order of the resolver; raises OSError when there are none."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


class AddressRefusedError(httpcore.ConnectError):
    """The address may not be called; nothing was sent. Its text names no address."""


class Guard:
    """Judges the addresses that one connection may call."""

    def __init__(self, base: str, own_hosts: frozenset[str] = frozenset()) -> None:
        """Judge for this base address.

        Args:
            base: the address that a person gave. Only when it is this machine itself may calls go to this machine: no name and no
                redirect leads there.
            own_hosts: hosts of the own network that the owner allowed.
        """
        self._own_hosts = own_hosts
        self._is_local = kind_of_host(_host_of(base)) is AddressKind.LOOPBACK

    def check_url(self, *, scheme: str, host: str, port: int | None) -> None:
        """Check all that can be seen without a resolver.

        Raises:
            AddressRefusedError: plain http elsewhere than to this machine, another scheme, a port of no API, or an address as a
                host that may not be called.
        """
        kind = kind_of_host(host)
        is_safe = scheme == "https" or (scheme == "http" and kind is AddressKind.LOOPBACK)
        if not is_safe or not is_api_port(_DEFAULT_PORTS.get(scheme, 0) if port is None else port, host):
            raise AddressRefusedError("The scheme or the port of this address is not allowed.")
        if kind is not None and not self._may(host, kind):
            raise AddressRefusedError("This address may not be called.")

    def check_resolved(self, host: str, addresses: Iterable[str]) -> None:
        """Check what a resolver answered; one bad answer among good ones refuses them all.

        Raises:
            AddressRefusedError: one of them may not be called under this name.
        """
        for address in addresses:
            if not self._may(host, kind_of(address)):
                raise AddressRefusedError("The name leads to an address that may not be called.")

    def _may(self, host: str, kind: AddressKind) -> bool:
        is_this_machine = kind_of_host(host) is AddressKind.LOOPBACK
        match kind:
            case AddressKind.PUBLIC:
                return not is_this_machine  # or plain http would go out under the name `localhost`
            case AddressKind.LOOPBACK:
                return is_this_machine and self._is_local
            case AddressKind.OWN_NETWORK:
                return host.rstrip(".").lower() in self._own_hosts
            case AddressKind.FORBIDDEN:
                return False


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's own wire with the guard in front of it and inside of it.

    Behind a proxy of the environment the proxy resolves names, so only what the address itself says is checked here.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        trust: ssl.SSLContext | None = None,
        proxy: str | None = None,
        limits: httpx.Limits | None = None,
        backend: httpcore.AsyncNetworkBackend | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            guard: asked about every request.
            trust: certificates to believe; None the usual authorities.
            proxy: of the environment, or None.
            limits: of connections; None httpx's own.
            backend: opens sockets; another one replaces the wire in tests.
            resolve: another one replaces the resolver in tests.
        """
        context, limits = trust or httpx.create_ssl_context(), limits or httpx.Limits()
        super().__init__(verify=context, proxy=proxy, limits=limits)
        self._guard = guard
        if proxy is None:
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=context,
                max_connections=limits.max_connections,
                max_keepalive_connections=limits.max_keepalive_connections,
                keepalive_expiry=limits.keepalive_expiry,
                network_backend=_GuardedBackend(guard, backend or httpcore.AnyIOBackend(), resolve or resolve_once),
            )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Check the address, then send.

        Raises:
            httpx.ConnectError: among others when the address is refused; `is_address_refused` tells.
        """
        try:
            self._guard.check_url(scheme=request.url.scheme, host=request.url.host, port=request.url.port)
        except AddressRefusedError as error:
            raise httpx.ConnectError("The address is refused.") from error
        return await super().handle_async_request(request)


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves once, checks every answer, connects to what was checked."""

    def __init__(self, guard: Guard, inner: httpcore.AsyncNetworkBackend, resolve: Resolve) -> None:
        self._guard = guard
        self._inner = inner
        self._resolve = resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._resolve(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout("The name was not resolved in time.") from None
        except OSError:
            raise httpcore.ConnectError("The name has no address.") from None
        self._guard.check_resolved(host, addresses)
        failure: Exception = httpcore.ConnectError("The name has no address.")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


async def resolve_once(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver.

    Raises:
        OSError: it knows no address.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_address_refused(error: BaseException) -> bool:
    """True when a call failed because the guard refused its address; the HTTP library hides that behind its own errors."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, AddressRefusedError):
        found = found.__cause__ or found.__context__
    return found is not None


def _host_of(base: str) -> str:
    try:
        return urlsplit(base).hostname or ""
    except ValueError:
        return ""
