"""Calls of the Bot API over HTTP: time-outs, bounded answers, and a token that is nowhere but on the wire.

What an answer means is in `errors.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from leadgate.intake.untrusted import find_object
from leadgate.model.outcomes import OutcomeUnknown, RetryLater, Scope
from leadgate.model.secret import Secret

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 20.0
CALL_TIMEOUT_S = 30.0
"""From the first byte to the last; the other two are per step, so that a slow drip would never end."""
ANSWER_LIMIT_BYTES = 256 * 1024

_MASKED = b"/bot********/"
"""Where the token stands in every address that httpx keeps, logs or puts into an exception."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The Bot API answered.

    Attributes:
        status: of HTTP; `body` has the same in `error_code`.
        body: the JSON object, empty when the answer was none.
    """

    status: int
    body: Mapping[str, object]

    @property
    def ok(self) -> bool:
        """True when the call was carried out."""
        return httpx.codes.is_success(self.status) and self.body.get("ok") is True

    @property
    def result(self) -> object:
        """What the call gave; None when it failed."""
        return self.body.get("result")


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

    def __init__(self, base: str, token: Secret, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Open nothing yet; `transport` replaces the wire in tests."""
        self._base = base
        self._client = httpx.AsyncClient(
            transport=TokenTransport(transport or httpx.AsyncHTTPTransport(proxy=_find_proxy(base)), token),
            timeout=httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        )

    async def call(
        self, method: str, payload: Mapping[str, object] | None = None
    ) -> Answered | RetryLater | OutcomeUnknown:
        """Call one method; never raises for what happens on the way.

        Returns:
            `RetryLater` when nothing was sent, `OutcomeUnknown` when the answer was lost or cannot be read.
        """
        address = self._base + _MASKED.decode() + method
        try:
            async with (
                asyncio.timeout(CALL_TIMEOUT_S),
                self._client.stream("POST", address, json=payload or {}) as response,
            ):
                body = await _read_bounded(response)
                return _answered(response.status_code, body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError):
            return RetryLater("telegram.unreachable", Scope.TARGET)
        except (httpx.HTTPError, TimeoutError):
            return OutcomeUnknown("telegram.answer_lost")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _find_proxy(base: str) -> str | None:
    """The proxy of the environment (`HTTPS_PROXY`, `NO_PROXY`), as programs usually heed it.

    Only for https, where the proxy sees the host and not the token.
    """
    parts = urlsplit(base)
    if parts.scheme != "https" or proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get("https")


def _answered(status: int, body: bytes | None) -> Answered | OutcomeUnknown:
    content = find_object(body) if body is not None else None
    if content is None and httpx.codes.is_success(status):
        return OutcomeUnknown("telegram.answer_unreadable")
    return Answered(status, content or {})


async def _read_bounded(response: httpx.Response) -> bytes | None:
    """The body, or None when it is larger than any true answer."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > ANSWER_LIMIT_BYTES:
            return None
    return bytes(body)
