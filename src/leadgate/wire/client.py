"""One vendor over HTTP: time-outs, bounded answers, named failures. What an answer means is the vendor's adapter's to say."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from leadgate.intake.untrusted import find_object
from leadgate.model.outcomes import OutcomeUnknown, RetryLater, Scope
from leadgate.wire.guard import ADDRESS_REFUSED, Guard, GuardedTransport, is_address_refused

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 20.0
CALL_TIMEOUT_S = 30.0
"""From the first byte to the last; the other two are per step, so that a slow drip would never end."""
ANSWER_LIMIT_BYTES = 256 * 1024
_LONGEST_WAIT_S = 3600


@dataclass(frozen=True, slots=True)
class Answered:
    """The vendor answered.

    Attributes:
        status: of HTTP.
        body: the JSON object, empty when the answer was none.
        retry_after: of the header in whole seconds, at most an hour; None when absent or a date.
    """

    status: int
    body: Mapping[str, object] = field(repr=False)
    retry_after: timedelta | None = None

    @property
    def is_success(self) -> bool:
        """The status is one of 200 to 299; some vendors put an error into such an answer all the same."""
        return httpx.codes.is_success(self.status)


Call = Answered | RetryLater | OutcomeUnknown
"""How a call ended: answered, not sent at all, or sent and nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireCodes:
    """What a vendor's adapter calls the ways in which a call ends without an answer; written out, so that they are found.

    Attributes:
        certificate_unknown: nobody we trust vouches for the vendor's certificate; "" where that is as good as unreachable.
    """

    unreachable: str
    answer_lost: str
    answer_unreadable: str
    certificate_unknown: str = ""


class VendorClient:
    """Calls one vendor's API for one connection. Never raises for what happens on the way, never logs an address."""

    def __init__(
        self,
        codes: WireCodes,
        base: str,
        *,
        headers: Mapping[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        trust: ssl.SSLContext | None = None,
        own_hosts: frozenset[str] = frozenset(),
    ) -> None:
        """Open nothing yet.

        Args:
            codes: of calls that end without an answer.
            base: address of the API without a slash at the end.
            headers: sent with every call; the place for a token, which must never stand in the address.
            transport: replaces the wire in tests, or hides a secret of the address from httpx.
            trust: certificates to believe, where the usual authorities do not do.
            own_hosts: hosts of the own network that the owner allowed; see `wire.guard`.
        """
        self._codes = codes
        self._is_closed = False
        self._base = base
        self._client = httpx.AsyncClient(
            headers=headers,
            transport=transport or make_transport(base, trust, own_hosts),
            timeout=httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        )

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, object] | None = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Call:
        """Call one method.

        Args:
            method: of HTTP.
            path: begins with a slash.
            json: the body as JSON; or `form`, the body as a form.
            query: without secrets: proxies and the vendor keep addresses.
            headers: for this call only.

        Returns:
            `RetryLater` when nothing was sent, `OutcomeUnknown` when the answer was lost or a success cannot be read.
        """
        if self._is_closed:
            return RetryLater(self._codes.unreachable, Scope.TARGET)
        try:
            async with (
                asyncio.timeout(CALL_TIMEOUT_S),
                self._client.stream(
                    method, self._base + path, json=json, data=form, params=query, headers=headers
                ) as response,
            ):
                return self._answered(response, await _read_bounded(response))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            if is_address_refused(error):
                return RetryLater(ADDRESS_REFUSED, Scope.TARGET, needs_person=True)
            if self._codes.certificate_unknown and _is_distrust(error):
                return RetryLater(self._codes.certificate_unknown, Scope.TARGET, needs_person=True)
            return RetryLater(self._codes.unreachable, Scope.TARGET)
        except (httpx.HTTPError, TimeoutError):
            return OutcomeUnknown(self._codes.answer_lost)

    async def close(self) -> None:
        """Close the connections; whoever still holds this client hears that the vendor is unreachable, and asks again."""
        self._is_closed = True
        await self._client.aclose()

    def _answered(self, response: httpx.Response, body: bytes | None) -> Answered | OutcomeUnknown:
        content = find_object(body) if body is not None else None
        if content is None and body != b"" and httpx.codes.is_success(response.status_code):
            return OutcomeUnknown(self._codes.answer_unreadable)
        return Answered(response.status_code, content or {}, _retry_after(response))


def make_transport(
    base: str, trust: ssl.SSLContext | None = None, own_hosts: frozenset[str] = frozenset()
) -> httpx.AsyncBaseTransport:
    """The guarded wire to an address, by the proxy of the environment (`HTTPS_PROXY`, `NO_PROXY`), as programs usually heed it.

    Only for https, where the proxy sees the host and nothing else.
    """
    parts = urlsplit(base)
    proxy = None
    if parts.scheme == "https" and not proxy_bypass(parts.hostname or ""):
        proxy = getproxies().get("https")
    return GuardedTransport(Guard(base, own_hosts), trust=trust, proxy=proxy)


def _is_distrust(error: BaseException) -> bool:
    """True when the certificate was looked at and not believed; the HTTP library hides that behind its own errors."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, ssl.SSLCertVerificationError):
        found = found.__cause__ or found.__context__
    return found is not None


def _retry_after(response: httpx.Response) -> timedelta | None:
    text = response.headers.get("retry-after", "")
    if not (text.isascii() and text.isdecimal()):
        return None
    return timedelta(seconds=min(max(int(text[:9]), 1), _LONGEST_WAIT_S))


async def _read_bounded(response: httpx.Response) -> bytes | None:
    """The body, or None when it is larger than any true answer."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > ANSWER_LIMIT_BYTES:
            return None
    return bytes(body)
