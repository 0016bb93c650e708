"""Calls of the MAX Bot API: the bare token in a header, and a trust that may be widened but never switched off."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import httpx

from leadgate.integrations.max.settings import CA_FILE
from leadgate.model.connections import OpenConnection
from leadgate.model.secret import Secret
from leadgate.wire.client import Answered, Call, VendorClient, WireCodes

_CODES = WireCodes(
    unreachable="max.unreachable",
    answer_lost="max.answer_lost",
    answer_unreadable="max.answer_unreadable",
    certificate_unknown="max.certificate_unknown",
)


class MaxApi:
    """One bot at the Bot API."""

    def __init__(
        self,
        base: str,
        token: Secret,
        *,
        trust: ssl.SSLContext | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        own_hosts: frozenset[str] = frozenset(),
    ) -> None:
        """Open nothing yet.

        Args:
            base: address of the API without a slash at the end.
            token: goes bare into the header; MAX refuses it in the address.
            trust: certificates to believe; None for the usual authorities.
            transport: replaces the wire in tests.
            own_hosts: as in `VendorClient`.
        """
        headers = {"Authorization": token.reveal()}
        self._client = VendorClient(
            _CODES, base, headers=headers, transport=transport, trust=trust, own_hosts=own_hosts
        )

    async def get(self, path: str) -> Call:
        """Ask for something."""
        return await self._client.call("GET", path)

    async def post(self, path: str, body: Mapping[str, object], query: Mapping[str, str] | None = None) -> Call:
        """Do something."""
        return await self._client.call("POST", path, json=body, query=query)

    async def delete(self, path: str, query: Mapping[str, str]) -> Call:
        """Take something away."""
        return await self._client.call("DELETE", path, query=query)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def is_done(answer: Call) -> bool:
    """The method was carried out; some say `success: false` with a status of 200."""
    return isinstance(answer, Answered) and answer.is_success and answer.body.get("success") is not False


def find_trust(connection: OpenConnection) -> ssl.SSLContext | None:
    """The usual authorities and those of the connection's file; None for the usual ones alone.

    A file that has gone is as good as none: then the certificate is unknown, which the check finds.
    """
    ca_file = connection.settings.get(CA_FILE)
    if not ca_file:
        return None
    context = httpx.create_ssl_context()
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ValueError):
        return None
    return context
