"""The HTTP connection: uvicorn's own, but requests to `/webhooks/…` go to the door without a task and an ASGI dialogue (ADR 11)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import cache, partial
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qsl, unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from leadgate.errors import WebhookRejectedError
from leadgate.intake.receive import MAX_BODY_BYTES
from leadgate.model.webhooks import RawWebhook, WebhookAnswer
from leadgate.web.bounds import BoundedProtocol
from leadgate.web.webhooks import PREFIX, WebhookDoor, body_too_large, body_too_slow

_LINGER_S = 5.0
"""How long the rest of a refused body is read, so that the sender sees the refusal and not a broken connection."""

_MAX_UNANSWERED = 16
_PREFIX = PREFIX.encode("ascii")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Exchange:
    """A request to the door and its answer."""

    __slots__ = ("answer", "body", "is_last", "is_refused", "method", "path", "peer", "query", "request_headers")

    def __init__(
        self, method: str, target: bytes, request_headers: dict[str, str], *, is_last: bool, peer: str | None
    ) -> None:
        path, _, query = target.decode("latin-1").partition("?")
        self.method = method
        self.path = unquote(path) if "%" in path else path
        self.query = query
        self.request_headers = request_headers
        self.peer = peer
        self.is_last = is_last
        self.is_refused = False
        # Put together in place: with a copy for each piece, a mebibyte in chunks of one byte held the loop for ten seconds.
        self.body = bytearray()
        self.answer: WebhookAnswer | None = None

    def request(self) -> RawWebhook:
        query = dict(parse_qsl(self.query, keep_blank_values=True)) if self.query else {}
        return RawWebhook(self.method, self.request_headers, bytes(self.body), query, self.peer)


class DoorProtocol(BoundedProtocol):
    """One connection. Answers leave in the order of the requests, also when a sender does not wait for them (pipelining)."""

    door: WebhookDoor

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - uvicorn's, passed on as they are
        """Take what uvicorn gives every protocol."""
        super().__init__(*given, **named)
        self._reading: _Exchange | None = None
        self._unanswered: deque[_Exchange] = deque()
        self._idle_check: asyncio.TimerHandle | None = None
        self._last_answer_s = 0.0
        self._is_with_asgi = False
        self._is_ending = False

    def connection_lost(self, exc: Exception | None) -> None:
        """The sender hung up. What is on its way to the disk is kept; nobody hears the answer."""
        super().connection_lost(exc)
        self._reading = None
        self._unanswered.clear()
        if self._idle_check is not None:
            self._idle_check.cancel()
            self._idle_check = None

    def on_message_begin(self) -> None:
        """A request begins; whose it is, its address will tell."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._is_with_asgi = False
        self.begin()

    def on_headers_complete(self) -> None:
        """The way forks here."""
        self.check_head()
        target = self.url if self.url.startswith(b"/") else _target_of(self.url)
        if not target.startswith(_PREFIX):
            self._go_on_with_asgi()
            return
        if super().is_answering():
            self.transport.close()  # sent behind a page that is still being made: no sender of webhooks does so
            return
        method = self.parser.get_method().decode("ascii")
        keep_alive = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        peer = self.client[0] if self.client else None
        headers = _read_headers(self.headers)
        self._reading = exchange = _Exchange(method, target, headers, is_last=not keep_alive, peer=peer)
        self._unanswered.append(exchange)
        declared = exchange.request_headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > MAX_BODY_BYTES:
            self._refuse(exchange, body_too_large())
        elif self.expect_100_continue and len(self._unanswered) == 1:
            self.transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        exchange = self._reading
        if self._is_with_asgi:
            super().on_body(body)
        elif exchange is None or exchange.is_refused:
            pass
        elif len(exchange.body) + len(body) > MAX_BODY_BYTES:
            self._refuse(exchange, body_too_large())
        else:
            exchange.body += body

    def on_message_complete(self) -> None:
        """A request is complete."""
        if self._is_with_asgi:
            super().on_message_complete()
            return
        self.complete()
        exchange, self._reading = self._reading, None
        if exchange is None:
            return
        if not exchange.is_refused:
            self.door.take(exchange.path, exchange.request(), partial(self._answer, exchange))
        elif exchange.answer is not None and exchange not in self._unanswered:
            self.transport.close()
        if len(self._unanswered) > _MAX_UNANSWERED:
            self.flow.pause_reading()

    def on_response_complete(self) -> None:
        """The connection was used for something else than a webhook."""
        super().on_response_complete()
        self._last_answer_s = self.loop.time()

    def shutdown(self) -> None:
        """The server stops: what is in hand is answered first."""
        self._is_ending = True
        if not self._unanswered:
            super().shutdown()

    def _go_on_with_asgi(self) -> None:
        """Everything that is not a webhook."""
        if self._unanswered:
            self.transport.close()  # a page asked for behind a webhook that is not answered: no browser does so
            return
        self._is_with_asgi = True
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        HttpToolsProtocol.on_message_begin(self)  # makes the scope
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self.scope["headers"] = headers
        HttpToolsProtocol.on_headers_complete(self)

    def _refuse(self, exchange: _Exchange, error: WebhookRejectedError) -> None:
        """Answer before the body is read; the connection ends after it."""
        if exchange.is_refused:
            return
        exchange.is_refused = exchange.is_last = True
        exchange.body.clear()
        self.door.refuse(exchange.path, exchange.request(), partial(self._answer, exchange), error)

    def is_answering(self) -> bool:
        """True while a page or a webhook is under way."""
        return bool(self._unanswered) or super().is_answering()

    def _lose_patience(self) -> None:
        if self._reading is None or self._reading.is_refused:
            super()._lose_patience()
            return
        self._deadline = None
        self._refuse(self._reading, body_too_slow())

    def _answer(self, exchange: _Exchange, answer: WebhookAnswer) -> None:
        exchange.answer = answer
        while self._unanswered and self._unanswered[0].answer is not None:
            self._write(self._unanswered.popleft())

    def _write(self, exchange: _Exchange) -> None:
        if self.transport.is_closing() or exchange.answer is None:
            return
        self.server_state.total_requests += 1
        is_last = exchange.is_last or (self._is_ending and not self._unanswered)
        self.transport.write(_render(exchange.answer, is_last=is_last, has_body=exchange.method != "HEAD"))
        if exchange is self._reading:
            self.loop.call_later(_LINGER_S, self.transport.close)
        elif is_last:
            self.transport.close()
        else:
            if not self.flow.write_paused:
                self.flow.resume_reading()
            if not self._unanswered:
                self.rest()
            self._last_answer_s = self.loop.time()
            if self._idle_check is None:
                self._idle_check = self.loop.call_later(self.timeout_keep_alive, self._check_idle)

    def _check_idle(self) -> None:
        """Close a connection that nobody uses; one timer now and then, not one for each request."""
        self._idle_check = None
        idle_s = self.loop.time() - self._last_answer_s
        is_busy = self.is_answering()
        if is_busy or idle_s < self.timeout_keep_alive:
            wait_s = self.timeout_keep_alive - (0 if is_busy else idle_s)
            self._idle_check = self.loop.call_later(wait_s, self._check_idle)
        else:
            self.hang_up()


def door_protocol(door: WebhookDoor) -> type[asyncio.Protocol]:
    """The class of connections that lead to this door, for uvicorn's configuration."""
    return cast("type[asyncio.Protocol]", type("BoundDoorProtocol", (DoorProtocol,), {"door": door, "resting": {}}))


def _target_of(url: bytes) -> bytes:
    """Path and query of an absolute address, as a proxy may send it."""
    parse: Callable[[bytes], Any] = httptools.parse_url
    parsed = parse(url)
    path: bytes = parsed.path or b""
    return path + b"?" + parsed.query if parsed.query else path


def _read_headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
    if len(headers) == len(raw):
        return headers
    headers = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _render(answer: WebhookAnswer, *, is_last: bool, has_body: bool) -> bytes:
    body = answer.body if has_body else b""
    head = _head(answer.status, answer.content_type) + str(len(answer.body)).encode("ascii")
    if not answer.headers and not is_last:
        return head + b"\r\n\r\n" + body
    lines = [f"\r\n{name.lower()}: {value}" for name, value in answer.headers]
    if is_last:
        lines.append("\r\nconnection: close")
    return head + "".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@cache
def _head(status: int, content_type: str) -> bytes:
    """What all answers of a kind begin with, up to the length."""
    lines = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"content-type: {content_type}",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "content-length: ",
    )
    return "\r\n".join(lines).encode("latin-1")
