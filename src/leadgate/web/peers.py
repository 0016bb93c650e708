"""Whose machine sends a request, as far as that can be known, and whether its vendor sends from there at all.

A second barrier behind the proof: a secret that leaked is worth nothing to somebody who cannot send from the vendor's own
addresses. Where the peer is not known it bars nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from leadgate.errors import WebhookRejectedError
from leadgate.model.connections import OpenConnection
from leadgate.model.webhooks import RawWebhook
from leadgate.ports.integration import Manifest
from leadgate.settings import Network

_FORWARDED = "x-forwarded-for"
_API_BASE = "api_base"
_LONGEST_CHAIN = 16


class Peers:
    """What is known of the machines that send to us."""

    def __init__(self, trusted: Sequence[Network] | None) -> None:
        """Believe these proxies; None when nobody told who stands in front of us, so that no peer is known."""
        self._trusted = None if trusted is None else tuple(trusted)

    def refuse_strangers(self, request: RawWebhook, manifest: Manifest, opened: OpenConnection) -> None:
        """Let pass what comes from the vendor's ranges, what has no known peer, and what a server of the salon's own sends.

        Raises:
            WebhookRejectedError: 401, the peer is known and outside of the ranges.
        """
        if self._trusted is None or not manifest.source_ranges or not _is_vendors_own(manifest, opened):
            return
        peer = self.find(request)
        if peer is not None and not _is_within(peer, manifest.source_ranges):
            raise WebhookRejectedError(
                "This vendor does not send from the address that the request comes from.", code="webhook.source_outside"
            )

    def find(self, request: RawWebhook) -> str | None:
        """The sender's address: the last hop that is no proxy of ours; None when that cannot be known.

        Each proxy appends whom it heard, so the chain is read from its end; what a stranger wrote before that is not read.
        """
        return self.find_of(request.peer, request.headers.get(_FORWARDED, ""))

    def find_of(self, peer: str | None, forwarded: str) -> str | None:
        """The same for the machine at the other end and the header `X-Forwarded-For`."""
        if self._trusted is None:
            return None
        heard = [part.strip() for part in forwarded.split(",")[-_LONGEST_CHAIN:]]
        for text in (peer, *reversed(heard)):
            address = _find_address(text or "")
            if address is None:
                return None
            if not any(address in network for network in self._trusted):
                return str(address)
        return None


def _is_vendors_own(manifest: Manifest, opened: OpenConnection) -> bool:
    """False when the salon runs the vendor's server itself (a Bot API server of its own): that one sends from anywhere."""
    usual = next((field.default for field in manifest.fields if field.name == _API_BASE), "")
    return opened.settings.get(_API_BASE, usual).rstrip("/") == usual


@lru_cache(maxsize=4096)
def _is_within(peer: str, ranges: tuple[str, ...]) -> bool:
    address = ip_address(peer)
    return any(address in ip_network(text) for text in ranges)


def _find_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
