"""The webhook route: raw ASGI, past the web framework, because every microsecond here is a client who is not kept waiting.

Reads the request, hands it to the intake, answers what the vendor wants to hear. Refusals as in the contract, section 2.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from leadgate.app import App
from leadgate.errors import BodyTooLargeError, InvalidLeadError, OverloadedError, WebhookRejectedError
from leadgate.intake.receive import MAX_BODY_BYTES
from leadgate.model.connections import OpenConnection
from leadgate.model.webhooks import RawWebhook, WebhookAnswer
from leadgate.observability import get_logger, metrics
from leadgate.ports.channel import WebhookReceiver
from leadgate.web.site_cors import cors_headers, preflight

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PREFIX = "/webhooks/"
READ_TIMEOUT_S = 30.0
_PROBLEM = "application/problem+json"
_log = get_logger("webhook")


class WebhookRoute:
    """`/webhooks/{kind}/{connection}` as an ASGI application."""

    def __init__(self, app: App) -> None:
        """Receive into this house."""
        self._app = app
        self._counters: dict[tuple[str, str], Any] = {}
        self._timers: dict[str, Any] = {}
        self._log = get_logger("webhook").bind()  # bound once: a line is written for every webhook

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; nothing the sender does leads to an exception."""
        started = time.perf_counter()
        kind, opened = self._find(scope["path"])
        cors: Mapping[str, str] = {}
        if opened is not None and kind == "site" and scope["method"] != "OPTIONS":
            cors = cors_headers(_header(scope, b"origin"), opened)
        answer = await self._answer(scope, receive, opened)
        outcome = "accepted" if answer.status < 300 else str(answer.status)  # noqa: PLR2004 - the successful statuses
        self._count(kind if opened is not None else "unknown", outcome, time.perf_counter() - started)
        await _respond(send, answer, cors)

    async def _answer(self, scope: Scope, receive: Receive, opened: OpenConnection | None) -> WebhookAnswer:  # noqa: PLR0911 -- one answer a line
        method = scope["method"]
        receiver = None if opened is None else self._app.book.integration(opened.connection.kind).receiver
        if opened is None or receiver is None:
            self._app.intake.count_refusal("", "webhook.unknown_address")
            return _problem(404, "webhook.unknown_address", "There is no connection at this address.")
        connection_id = opened.connection.connection_id
        try:
            if method == "OPTIONS" and opened.connection.kind == "site":
                status, headers = preflight(_header(scope, b"origin"), opened)
                return WebhookAnswer(status, headers=tuple(headers.items()))
            if method not in ("GET", "POST"):
                return _problem(405, "webhook.method_not_allowed", "Only GET and POST are answered here.")
            request = await _read(scope, receive)
            return await self._take(receiver, request, opened)
        except WebhookRejectedError as error:
            self._app.intake.count_refusal(connection_id, error.code)
            _log.warning(
                "webhook.refused",
                connection_id=connection_id,
                integration=opened.connection.kind,
                status=error.status,
                error_code=error.code,
            )
            return _refusal(error)
        except OverloadedError as error:
            _log.error("webhook.not_stored", connection_id=connection_id, status=503, error_code=error.code)
            return _problem(503, error.code, str(error), retry_after_s=error.retry_after_s)
        except (TimeoutError, _DisconnectedError):
            return _problem(408, "webhook.too_slow", "The body did not arrive in time.")
        except Exception:  # noqa: BLE001 -- see below
            # The HTTP edge is one of the two places that may catch everything; the vendor sends it again.
            _log.exception("webhook.crashed", connection_id=connection_id, integration=opened.connection.kind)
            metrics.crashes.labels("webhook").inc()
            return _problem(503, "webhook.crashed", "Something broke here; please send it again.", retry_after_s=10)

    async def _take(self, receiver: WebhookReceiver, request: RawWebhook, opened: OpenConnection) -> WebhookAnswer:
        handshake = receiver.handshake(request, opened)
        if handshake is not None:
            return handshake
        if request.method != "POST":
            return _problem(405, "webhook.method_not_allowed", "Webhooks are sent with POST.")
        receipt = await self._app.intake.receive(receiver, request, opened)
        self._log.info(
            "webhook.accepted",
            event_id=receipt.event_id,
            connection_id=opened.connection.connection_id,
            integration=opened.connection.kind,
            outcome="duplicate" if receipt.duplicate else "accepted",
        )
        return receiver.accepted(receipt)

    def _find(self, path: str) -> tuple[str, OpenConnection | None]:
        kind, _, connection_id = path[len(PREFIX) :].partition("/")
        opened = self._app.book.find(connection_id)
        if opened is None or opened.connection.kind != kind:
            return kind, None
        return kind, opened

    def _count(self, kind: str, outcome: str, seconds: float) -> None:
        counter = self._counters.get((kind, outcome))
        if counter is None:
            counter = self._counters[kind, outcome] = metrics.webhooks.labels(kind, outcome)
        timer = self._timers.get(kind)
        if timer is None:
            timer = self._timers[kind] = metrics.webhook_seconds.labels(kind)
        counter.inc()
        timer.observe(seconds)


class _DisconnectedError(Exception):
    """The sender hung up in the middle of the body."""


async def _read(scope: Scope, receive: Receive) -> RawWebhook:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > MAX_BODY_BYTES:
        raise BodyTooLargeError("The body is larger than 1 MiB.")
    body = await _read_body(receive)
    query = (
        dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        if scope["query_string"]
        else {}
    )
    return RawWebhook(method=scope["method"], headers=headers, body=body, query=query)


async def _read_body(receive: Receive) -> bytes:
    message = _find_message(receive)
    if message is not None and not message.get("more_body"):
        return _part(message, size=0)
    async with asyncio.timeout(READ_TIMEOUT_S):
        parts, size = [], 0
        while True:
            message = message or await receive()
            parts.append(_part(message, size=size))
            size += len(parts[-1])
            if not message.get("more_body"):
                return b"".join(parts)
            message = None


def _find_message(receive: Receive) -> MutableMapping[str, Any] | None:
    """What has come already, as nearly every body has: then nobody waits, and a clock for the waiting need not be set up."""
    waiting = receive()
    if not isinstance(waiting, Coroutine):
        return None
    try:
        waiting.send(None)
    except StopIteration as done:
        message: MutableMapping[str, Any] = done.value
        return message
    waiting.close()  # it would have to wait; the next call waits anew
    return None


def _part(message: MutableMapping[str, Any], *, size: int) -> bytes:
    if message["type"] != "http.request":
        raise _DisconnectedError
    part: bytes = message.get("body", b"")
    if size + len(part) > MAX_BODY_BYTES:
        raise BodyTooLargeError("The body is larger than 1 MiB.")
    return part


def _header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def _refusal(error: WebhookRejectedError) -> WebhookAnswer:
    if not isinstance(error, InvalidLeadError):
        return _problem(error.status, error.code, str(error))
    errors = [{"field": problem.field, "problem": problem.problem} for problem in error.problems]
    return _problem(error.status, error.code, str(error), errors=errors)


def _problem(status: int, code: str, title: str, *, retry_after_s: int | None = None, **extra: object) -> WebhookAnswer:
    """RFC 9457."""
    body = {"type": "about:blank", "status": status, "code": code, "title": title, **extra}
    headers = () if retry_after_s is None else (("retry-after", str(retry_after_s)),)
    return WebhookAnswer(status, json.dumps(body, ensure_ascii=False).encode(), _PROBLEM, headers)


async def _respond(send: Send, answer: WebhookAnswer, cors: Mapping[str, str]) -> None:
    headers = [
        (b"content-type", answer.content_type.encode("latin-1")),
        (b"content-length", str(len(answer.body)).encode("latin-1")),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    for name, value in (*answer.headers, *cors.items()):
        headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
