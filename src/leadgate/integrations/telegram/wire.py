"""Calls of the Bot API: a token that is nowhere but on the wire. What an answer means is in `errors.py`."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from leadgate.model.secret import Secret
from leadgate.wire.client import Answered, Call, VendorClient, WireCodes, make_transport

_MASKED = b"/bot********/"
"""Where the token stands in every address that httpx keeps, logs or puts into an exception."""

_CODES = WireCodes(
    unreachable="telegram.unreachable",
    answer_lost="telegram.answer_lost",
    answer_unreadable="telegram.answer_unreadable",
)


class TokenTransport(httpx.AsyncBaseTransport):
    """Puts the token into the address at the last moment, behind all logging and error texts of httpx."""

    def __init__(self, inner: httpx.AsyncBaseTransport, token: Secret) -> None:
        self._inner = inner
        self._token = token

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request with the real address."""
        real_path = request.url.raw_path.replace(_MASKED, f"/bot{self._token.reveal()}/".encode(), 1)
        real = httpx.Request(
            request.method,
            request.url.copy_with(raw_path=real_path),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return await self._inner.handle_async_request(real)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class BotApi:
    """One bot at the Bot API."""

    def __init__(
        self,
        base: str,
        token: Secret,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        own_hosts: frozenset[str] = frozenset(),
    ) -> None:
        """Open nothing yet; `transport` replaces the wire in tests, `own_hosts` as in `VendorClient`."""
        inner = transport or make_transport(base, own_hosts=own_hosts)
        self._client = VendorClient(_CODES, base, transport=TokenTransport(inner, token))

    async def call(self, method: str, payload: Mapping[str, object] | None = None) -> Call:
        """Call one method; see `VendorClient.call`."""
        return await self._client.call("POST", _MASKED.decode() + method, json=payload or {})

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def is_ok(answer: Call) -> bool:
    """The method was carried out: the Bot API says so in the body."""
    return isinstance(answer, Answered) and answer.is_success and answer.body.get("ok") is True
