"""What kind of place an IP address or a host is, and which ports an API may have. Pure; resolves nothing, connects to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_CARRIER_NETWORK = ip_network("100.64.0.0/10")
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_OWN_NETWORKS = tuple(
    ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", str(_CARRIER_NETWORK))
)
_CLOUD_METADATA = ip_address("fd00:ec2::254")
"""Inside of the unique local range; the others are link-local."""

_LOW_PORTS = frozenset({80, 443})
_FIRST_HIGH_PORT = 1024
_LAST_PORT = 65535
_SERVICE_PORTS = frozenset({2049, 2375, 2376, 2379, 3306, 5432, 5672, 6000, 6379, 6667, 10250, 11211})
"""Databases, queues and daemons above 1023 that a request can harm: file shares, Docker, etcd, MySQL, PostgreSQL, AMQP, X11, Redis,
IRC, the kubelet, memcached. None of them is an API of a vendor."""


class AddressKind(StrEnum):
    """Where an IP address leads."""

    PUBLIC = "public"
    LOOPBACK = "loopback"
    """This machine."""
    OWN_NETWORK = "own_network"
    """A private network: RFC 1918, unique local IPv6, carrier-grade NAT."""
    FORBIDDEN = "forbidden"
    """No API of a vendor: link-local with the clouds' metadata, multicast, unspecified, documentation, IPv4 in disguise."""


def kind_of(text: str) -> AddressKind:
    """The kind of an IP address as a resolver writes it; what is none is FORBIDDEN."""
    try:
        address = ip_address(text)
    except ValueError:
        return AddressKind.FORBIDDEN
    hidden = _hidden_in(address)
    if hidden is not None:
        # An honest DNS64 translates public addresses alone; every other disguise exists to pass a check.
        is_translated = any(address in network for network in _NAT64)
        return (
            AddressKind.PUBLIC
            if is_translated and kind_of(str(hidden)) is AddressKind.PUBLIC
            else AddressKind.FORBIDDEN
        )
    if address.is_loopback:
        return AddressKind.LOOPBACK
    if address == _CLOUD_METADATA:
        return AddressKind.FORBIDDEN
    if any(address in network for network in _OWN_NETWORKS):
        return AddressKind.OWN_NETWORK
    is_public = address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
    return AddressKind.PUBLIC if is_public else AddressKind.FORBIDDEN


def kind_of_host(host: str) -> AddressKind | None:
    """What a host says of itself; None for a name, which a resolver must tell.

    Of an IP address its kind; `localhost` and what ends in `.localhost` is this machine (RFC 6761).
    """
    bare = host.strip("[]").rstrip(".").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return AddressKind.LOOPBACK
    try:
        ip_address(bare)
    except ValueError:
        return None
    return kind_of(bare)


def is_api_port(port: int, host: str) -> bool:
    """True for a port at which an HTTP API may listen: 80, 443, and 1024 and up without those of databases and daemons.

    On this machine the low ones pass too: whoever names it says where its server listens.
    """
    is_low_taken = port in _LOW_PORTS or kind_of_host(host) is AddressKind.LOOPBACK
    return 0 < port <= _LAST_PORT and (is_low_taken or port >= _FIRST_HIGH_PORT) and not is_service_port(port)


def is_service_port(port: int) -> bool:
    """True for the port of a database, a queue or a daemon that a request can harm."""
    return port in _SERVICE_PORTS


def _hidden_in(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address inside of an IPv6 one (mapped, compatible, 6to4, Teredo, NAT64); None when there is none."""
    if isinstance(address, IPv4Address):
        return None
    return next((hidden for hidden in _disguises(address) if hidden is not None), None)


def _disguises(address: IPv6Address) -> Iterator[IPv4Address | None]:
    yield address.ipv4_mapped
    yield address.sixtofour
    yield address.teredo[1] if address.teredo is not None else None
    last = IPv4Address(int(address) & 0xFFFF_FFFF)
    yield last if any(address in network for network in _NAT64) else None
    is_compatible = int(address) >> 32 == 0 and int(address) > 1  # `::` and `::1` are what they are
    yield last if is_compatible else None
