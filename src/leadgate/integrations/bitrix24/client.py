"""The wire: one portal over HTTP. Knows addresses, time-outs, sizes and envelopes; knows nothing of leads.

Every address contains a secret. So library exceptions never leave this module: they become a `Failure` and
are dropped, and the HTTP library's own log lines are switched off.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final

import httpx
import msgspec

from leadgate.integrations.bitrix24.access import Access
from leadgate.integrations.bitrix24.batch import BatchAnswer, Command, read_batch, write_batch
from leadgate.integrations.bitrix24.errors import Failure, Meaning, address_refused, classify, not_sent, unclear
from leadgate.integrations.bitrix24.governor import Governor
from leadgate.integrations.bitrix24.shapes import as_mapping
from leadgate.ports.clock import Clock
from leadgate.wire.guard import Guard, GuardedTransport, is_address_refused

ANSWER_LIMIT_BYTES: Final = 4 * 1024 * 1024
USER_AGENT: Final = "leadgate"

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
_LIBRARY_LOGS = (
    "httpx",
    "httpcore",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)


def _is_grave(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


def silence_library_logs() -> None:
    """Drop what httpx and httpcore log below a warning: it names addresses, and ours are passwords.

    A second call changes nothing.
    """
    for name in _LIBRARY_LOGS:
        logging.getLogger(name).addFilter(_is_grave)


@dataclass(frozen=True, slots=True)
class Answer:
    """A success envelope: `result` and the `time` part."""

    result: object
    time: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    location: str
    body: bytes


def _nothing() -> None:
    """Default of `before_call`: reads need no lease."""


class PortalClient:
    """One portal: waits for the governor, posts JSON, follows a renamed portal; no answer makes it raise.

    Attributes:
        busy_s: seconds that all requests so far were under way; waiting for the governor is not among them.
    """

    def __init__(
        self,
        access: Access,
        governor: Governor,
        *,
        clock: Clock,
        timeout_s: float,
        transport: httpx.AsyncBaseTransport | None = None,
        own_hosts: frozenset[str] = frozenset(),
    ) -> None:
        """Open nothing yet; the first call connects."""
        silence_library_logs()
        self._access = access
        self._governor = governor
        self._clock = clock
        self.busy_s = 0.0
        self._timeout_s = timeout_s
        # Connecting gets a third, so that it fails as "not sent" before the whole request runs out of time as
        # "unknown". Idle connections are dropped before servers do it (5 s is a common keep-alive): a write
        # on one of those is "unknown".
        limits = httpx.Limits(max_connections=4, max_keepalive_connections=2, keepalive_expiry=3.0)
        guard = Guard(access.url(""), own_hosts)
        self._http = httpx.AsyncClient(
            transport=transport or GuardedTransport(guard, limits=limits),
            timeout=httpx.Timeout(timeout_s, connect=timeout_s / 3, pool=timeout_s / 3),
            headers={
                "Accept": "application/json",
                "Content-Type": "application/json",
                "User-Agent": USER_AGENT,
            },
            follow_redirects=False,
            trust_env=False,
        )

    @property
    def moved_to(self) -> str | None:
        """New host of a renamed portal, followed since this process started."""
        return self._access.moved_to

    async def close(self) -> None:
        """Close the connections. A second call is harmless."""
        await self._http.aclose()

    async def call(self, method: str, params: Mapping[str, object]) -> Answer | Failure:
        """One call of one reading method."""
        answer = await self._governed(method, params, methods=(method,), before_call=_nothing)
        if isinstance(answer, Answer):
            self._governor.learn(method, answer.time)
        elif answer.code == "bitrix24.OPERATION_TIME_LIMIT":
            self._governor.close(method)
        return answer

    async def batch(
        self,
        commands: Sequence[Command],
        *,
        halt: bool,
        before_call: Callable[[], None] = _nothing,
    ) -> BatchAnswer | Failure:
        """Several calls in one request.

        Args:
            halt: end the chain at the first error.
            before_call: called when the request may go, right before it goes.
        """
        methods = tuple({command.method for command in commands})
        params = write_batch(commands, halt=halt)
        answer = await self._governed("batch", params, methods=methods, before_call=before_call)
        if isinstance(answer, Failure):
            return answer
        read = read_batch(commands, answer.result)
        if read is None:
            return unclear("answer_unreadable")
        self._learn(commands, read)
        return read

    def _learn(self, commands: Sequence[Command], answer: BatchAnswer) -> None:
        for command in commands:
            self._governor.learn(command.method, answer.times.get(command.key, {}))
            value = answer.values[command.key]
            if isinstance(value, Failure) and value.code == "bitrix24.OPERATION_TIME_LIMIT":
                self._governor.close(command.method)
            if isinstance(value, Failure) and value.code == "bitrix24.QUERY_LIMIT_EXCEEDED":
                self._governor.pause(5.0)

    async def _governed(
        self,
        method: str,
        params: Mapping[str, object],
        *,
        methods: Sequence[str],
        before_call: Callable[[], None],
    ) -> Answer | Failure:
        missing_s = await self._governor.acquire(methods)
        if missing_s > 0:
            return _waiting(missing_s)
        before_call()
        sent_at_s = self._clock.monotonic_s()
        answer = await self._post_and_follow(method, msgspec.json.encode(self._access.sign(params)))
        self.busy_s += self._clock.monotonic_s() - sent_at_s
        if isinstance(answer, Failure) and answer.code == "bitrix24.QUERY_LIMIT_EXCEEDED":
            self._governor.pause(answer.after.total_seconds() if answer.after else 5.0)
        return answer

    async def _post_and_follow(self, method: str, body: bytes) -> Answer | Failure:
        reply = await self._post(method, body)
        if isinstance(reply, Failure) or reply.status not in _REDIRECTS:
            return reply if isinstance(reply, Failure) else _read_reply(reply)
        # An HTTP library would repeat this as a GET without a body: an empty lead. A redirect was not
        # executed.
        if not self._access.follow(method, reply.location):
            return not_sent("redirect_refused", needs_person=True)
        reply = await self._post(method, body)
        if isinstance(reply, Failure):
            return reply
        if reply.status in _REDIRECTS:
            return not_sent("redirect_refused", needs_person=True)
        return _read_reply(reply)

    async def _post(self, method: str, body: bytes) -> _Reply | Failure:
        """Post once. Exceptions end here: their text or their request could show the address."""
        if self._http.is_closed:  # the connection's settings were changed while we waited for our turn
            return not_sent("closed")
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._exchange(method, body)
        except _NOT_SENT as error:
            return address_refused() if is_address_refused(error) else not_sent("unreachable")
        except (TimeoutError, httpx.TimeoutException):
            return unclear("timeout")
        except (httpx.HTTPError, httpx.StreamError):
            return unclear("connection_lost")

    async def _exchange(self, method: str, body: bytes) -> _Reply | Failure:
        async with self._http.stream("POST", self._access.url(method), content=body) as response:
            received = bytearray()
            async for chunk in response.aiter_bytes():
                received += chunk
                if len(received) > ANSWER_LIMIT_BYTES:
                    return unclear("answer_too_large", status=response.status_code)
            return _Reply(response.status_code, response.headers.get("location", ""), bytes(received))


def _waiting(missing_s: float) -> Failure:
    """The governor would have to wait too long: nothing was sent."""
    return Failure(meaning=Meaning.RETRY, code="bitrix24.limits_respected", after=timedelta(seconds=missing_s))


def _read_reply(reply: _Reply) -> Answer | Failure:
    """Success is 2xx, JSON and no `error`; everything else is classified by code, then by status."""
    try:
        body = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, RecursionError):
        return unclear(f"not_json_{reply.status}", status=reply.status)
    if not isinstance(body, dict):
        return unclear(f"not_json_{reply.status}", status=reply.status)
    if "error" in body:
        return classify(error=body["error"], description=body.get("error_description"), status=reply.status)
    if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES or "result" not in body:
        return classify(error=None, description=None, status=reply.status)
    return Answer(body["result"], as_mapping(body.get("time")))
