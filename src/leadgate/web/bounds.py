"""What one connection may cost us: bytes, headers, time and memory, whatever the sender does. uvicorn's own protocol with bounds.

`web.door_protocol` adds the way to the door. Nothing here knows what a request is about.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import resource
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from leadgate.observability import metrics

READ_TIMEOUT_S = 30.0
"""Longest time from the opening of a connection, or from the first byte of a request, to the end of the request."""

WRITE_TIMEOUT_S = 30.0
"""Longest time that a reader may let our answers wait, once the buffer is full."""

TARGET_LIMIT_BYTES = 8 * 1024
HEAD_LIMIT_BYTES = 32 * 1024
HEADERS_LIMIT = 100
MESSAGE_LIMIT_BYTES = 16 * 1024 * 1024
"""Of one request as it travels; a mebibyte in chunks of one byte is six of them. What a body may be is decided above."""

CONNECTIONS_LIMIT = 1000
"""At once; beyond it the connection that has waited longest without a request in our hands goes."""

_KEPT_DESCRIPTORS = 100
"""File descriptors that the database and vendors need."""

_HOST = re.compile(rb"(?:(?:[A-Za-z0-9._~-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?)?")
_LAST_PORT = 65535

_QUIET = logging.getLogger("uvicorn.error.bounds")
_QUIET.setLevel(logging.ERROR)
"""uvicorn would warn of each malformed request, and so would let strangers fill the disk; we count them. Errors are told."""

_REFUSALS = {
    HTTPStatus.BAD_REQUEST: ("web.request_malformed", "This is no HTTP request that we take."),
    HTTPStatus.REQUEST_TIMEOUT: ("web.request_slow", "The request did not arrive in time."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("web.request_too_large", "The request is larger than 16 MiB on its way."),
    HTTPStatus.REQUEST_URI_TOO_LONG: ("web.target_too_long", "The address is longer than 8 KiB."),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        "web.head_too_large",
        "The headers are more than 100 or larger than 32 KiB.",
    ),
}


class _RefusedError(Exception):
    """Ends the parsing of a request; the parser hides it behind its own error."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection within bounds.

    Attributes:
        resting: connections of this server without a whole request in our hands, the one that rests longest first.
    """

    resting: dict[BoundedProtocol, None]

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - uvicorn's, passed on as they are
        """Take what uvicorn gives every protocol."""
        super().__init__(*given, **named)
        self.logger = _QUIET
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._is_partial = False
        self._is_in_head = False
        self._has_completed = False
        self._message_bytes = 0
        self._head_bytes = 0
        self._refusal = HTTPStatus.BAD_REQUEST

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """A new connection; when there are too many, the one that rests longest goes."""
        super().connection_made(transport)
        self.resting[self] = None
        self._deadline = self.loop.call_later(READ_TIMEOUT_S, self._lose_patience)
        if len(self.connections) > connections_limit():
            longest = next(iter(self.resting))
            self.resting.pop(longest)
            longest.transport.abort()
            metrics.refused_requests.labels("crowded").inc()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        super().connection_lost(exc)
        self.resting.pop(self, None)
        for timer in (self._deadline, self._stall):
            if timer is not None:
                timer.cancel()
        self._deadline = self._stall = None

    def data_received(self, data: bytes) -> None:
        """Feed the parser within the bounds; a request that is not complete now has limited time."""
        self._has_completed = False
        if self._is_partial:
            self._message_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._is_partial:
            limit = HEAD_LIMIT_BYTES if self._is_in_head else MESSAGE_LIMIT_BYTES
            if self._message_bytes > limit:
                self._refusal = (
                    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                    if self._is_in_head
                    else HTTPStatus.REQUEST_ENTITY_TOO_LARGE
                )
                self.send_400_response("")
                return
        if self._deadline is None and (self._is_partial or not self._has_completed):
            self._deadline = self.loop.call_later(READ_TIMEOUT_S, self._lose_patience)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self.url += url
        if len(self.url) > TARGET_LIMIT_BYTES:
            self._refuse_head(HTTPStatus.REQUEST_URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; what comes behind the body as a trailer is none, or it could forge one."""
        if not self._is_in_head:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEAD_LIMIT_BYTES or len(self.headers) > HEADERS_LIMIT:
            self._refuse_head(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """The head is complete; one that two programs may read in two ways is refused."""
        self.check_head()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is complete."""
        self.complete()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is written; the connection rests."""
        super().on_response_complete()
        self.rest()

    def pause_writing(self) -> None:
        """The reader is slow: nothing more is read from it, and it has limited time."""
        super().pause_writing()
        self.flow.pause_reading()
        if self._stall is None:
            self._stall = self.loop.call_later(WRITE_TIMEOUT_S, self.transport.abort)

    def resume_writing(self) -> None:
        """The reader goes on."""
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        self.flow.resume_reading()

    def timeout_keep_alive_handler(self) -> None:
        """Nobody uses the connection; what was not read by now is dropped."""
        self.hang_up()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - ours tells more
        """Refuse what cannot be read further, and end the connection.

        While an answer is under way nothing is written: the sender would take this for the answer to an earlier request.
        """
        status, self._refusal = self._refusal, HTTPStatus.BAD_REQUEST
        self._is_partial = False
        metrics.refused_requests.labels(str(status.value)).inc()
        if not self.is_answering() and not self.transport.is_closing():
            self.transport.write(_render(status))
        self.transport.close()

    def check_head(self) -> None:
        """Refuse a head that another program could read otherwise (RFC 9112, sections 3.2 and 6.1).

        Raises:
            Exception: it is refused; the parser stops and `send_400_response` answers.
        """
        self._is_in_head = False
        self._message_bytes = 0
        version = self.parser.get_http_version()
        hosts = lengths = codings = 0
        for name, value in self.headers:
            if name == b"host":
                hosts += 1 if _is_host(value) else 2
            elif name == b"content-length":
                lengths += 1
            elif name == b"transfer-encoding":
                codings += 1 if value.strip().lower() == b"chunked" else 2
        is_one_host = hosts == 1 or (hosts == 0 and version == "1.0")
        is_one_length = lengths + codings <= 1 and not (codings and version == "1.0")
        if version not in {"1.0", "1.1"} or not is_one_host or not is_one_length:
            self._refuse_head(HTTPStatus.BAD_REQUEST)

    def complete(self) -> None:
        """A whole request is in our hands."""
        self._is_partial = False
        self._has_completed = True
        self.resting.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def rest(self) -> None:
        """Nothing of this connection is in our hands any more."""
        if not self.transport.is_closing():
            self.resting[self] = None

    def hang_up(self) -> None:
        """End the connection; a reader that does not take what is left does not keep it."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        elif not self.transport.is_closing():
            self.transport.close()

    def is_answering(self) -> bool:
        """True while the answer to an earlier request is under way."""
        cycle: RequestResponseCycle | None = (
            self.cycle
        )  # None before the first page, whatever uvicorn's annotation says
        return cycle is not None and not cycle.response_complete

    def begin(self) -> None:
        """See `on_message_begin`, for who does not call it."""
        self._begin()

    def _begin(self) -> None:
        self._is_partial = self._is_in_head = True
        self._message_bytes = self._head_bytes = 0

    def _refuse_head(self, status: HTTPStatus) -> None:
        self._refusal = status
        raise _RefusedError

    def _lose_patience(self) -> None:
        """Neither a whole request nor the rest of one came in time."""
        self._deadline = None
        if self.transport.is_closing():
            return
        if self._is_partial:
            self._refusal = HTTPStatus.REQUEST_TIMEOUT
            self.send_400_response("")
        elif not self.is_answering():
            self.hang_up()


def connections_limit() -> int:
    """How many connections are held at once: the bound, or what the system's limit of open files leaves."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (
        CONNECTIONS_LIMIT
        if soft == resource.RLIM_INFINITY
        else max(1, min(CONNECTIONS_LIMIT, soft - _KEPT_DESCRIPTORS))
    )


def bounded_protocol() -> type[asyncio.Protocol]:
    """The class of connections of one server that has no door, for uvicorn's configuration."""
    return type("OwnBoundedProtocol", (BoundedProtocol,), {"resting": {}})


@lru_cache(maxsize=256)
def _is_host(value: bytes) -> bool:
    """True for a host with or without a port, and for nothing at all (RFC 9112, section 3.2); others may trust it then."""
    found = _HOST.fullmatch(value)
    return found is not None and int(found[1] or b"0") <= _LAST_PORT


def _render(status: HTTPStatus) -> bytes:
    code, title = _REFUSALS[status]
    body = json.dumps({"type": "about:blank", "status": status.value, "code": code, "title": title}).encode()
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        "content-type: application/problem+json",
        "cache-control: no-store",
        f"content-length: {len(body)}",
        "connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii") + body
