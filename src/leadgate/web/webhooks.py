"""The door: what comes to `/webhooks/…` is proven, kept and answered, past the web framework and without a task of its own.

Every microsecond here is a client who is not kept waiting, and an ASGI dialogue costs more of them than the proof (ADR 11).
`web.door_protocol` reads the requests and writes the answers. Refusals as in the contract, section 2.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from leadgate.app import App
from leadgate.errors import BodyTooLargeError, InvalidLeadError, OverloadedError, WebhookRejectedError
from leadgate.model.connections import OpenConnection
from leadgate.model.webhooks import RawWebhook, Receipt, WebhookAnswer
from leadgate.observability import get_logger, metrics
from leadgate.observability.frequent import FrequentLine
from leadgate.ports.channel import WebhookReceiver
from leadgate.web.peers import Peers
from leadgate.web.second_look import UNPROVEN, SecondLook
from leadgate.web.site_cors import cors_headers, preflight

PREFIX = "/webhooks/"
Reply = Callable[[WebhookAnswer], None]
"""Called once, in the event loop, with the answer to a request."""

LOOK_AGAIN_AFTER_S = 1.0
"""Least seconds between two looks for a connection that is not known: strangers must not make us read the database."""

_PROBLEM = "application/problem+json"
_log = get_logger("webhook")
_accepted = FrequentLine("webhook.accepted", source="webhook")


class WebhookDoor:
    """Answers every request to `/webhooks/{kind}/{connection}`; nothing that a sender does leads to an exception."""

    def __init__(self, app: App) -> None:
        """Receive into this house."""
        self._app = app
        self._peers = Peers(app.settings.trusted_proxies)
        self._counters: dict[tuple[str, str], Any] = {}
        self._timers: dict[str, Any] = {}
        self._looked_s = -LOOK_AGAIN_AFTER_S
        self._looking: asyncio.Task[bool] | None = None
        self._second_look = SecondLook(self._follow)

    def take(self, path: str, request: RawWebhook, reply: Reply) -> None:
        """Answer a request whose body has come; the reply follows when the event is on disk.

        Args:
            path: decoded, begins with `PREFIX`.
            request: its body is at most `MAX_BODY_BYTES` long.
            reply: gets the answer, now or later.
        """
        self._try(self._visit(path, request, reply), request)

    def refuse(self, path: str, request: RawWebhook, reply: Reply, error: WebhookRejectedError) -> None:
        """Answer a request whose body is not wanted or did not come."""
        visit = self._visit(path, request, reply)
        visit.finish(self.failed(error, visit) if visit.opened is not None else self._unknown_address())

    def count(self, kind: str, status: int, seconds: float) -> None:
        """Count an answer."""
        outcome = "accepted" if status < 300 else str(status)  # noqa: PLR2004 - the successful statuses
        counter = self._counters.get((kind, outcome))
        if counter is None:
            counter = self._counters[kind, outcome] = metrics.webhooks.labels(kind, outcome)
        timer = self._timers.get(kind)
        if timer is None:
            timer = self._timers[kind] = metrics.webhook_seconds.labels(kind)
        counter.inc()
        timer.observe(seconds)

    def _visit(self, path: str, request: RawWebhook, reply: Reply) -> _Visit:
        kind, _, connection_id = path[len(PREFIX) :].partition("/")
        return _Visit(self, kind, connection_id, self._find(kind, connection_id), request=request, reply=reply)

    def _find(self, kind: str, connection_id: str) -> OpenConnection | None:
        opened = self._app.book.find(connection_id)
        return opened if opened is not None and opened.connection.kind == kind else None

    def _try(self, visit: _Visit, request: RawWebhook) -> None:
        try:
            self._answer(visit, request)
        except WebhookRejectedError as error:
            refuse = partial(self.failed, error, visit)
            if error.code in UNPROVEN:
                self._prove_again(visit, request, refuse)
            else:
                visit.finish(refuse())
        except Exception as error:  # noqa: BLE001 - `failed` sorts them
            visit.finish(self.failed(error, visit))

    async def _follow(self) -> None:
        await self._app.book.refresh()

    def _prove_again(self, visit: _Visit, request: RawWebhook, refuse: Callable[[], WebhookAnswer]) -> None:
        """Refuse, unless the connection turns out to have another secret than we knew of."""
        known = visit.opened

        def go_on() -> None:
            visit.has_looked_again, visit.opened = True, self._find(visit.kind, visit.connection_id)
            if known is None or visit.opened is None or visit.opened.secrets == known.secrets:
                visit.opened = known
                visit.finish(refuse())
            else:
                self._try(visit, request)

        if visit.has_looked_again or not self._second_look.ask(go_on):
            visit.finish(refuse())

    def _answer(self, visit: _Visit, request: RawWebhook) -> None:
        opened = visit.opened
        integration = None if opened is None else self._app.book.integration(opened.connection.kind)
        receiver = None if integration is None else integration.receiver
        if opened is None or integration is None or receiver is None:
            self._look_again(visit, request)
            return
        self._peers.refuse_strangers(request, integration.manifest, opened)
        if request.method != "POST":
            visit.finish(_answer_other_method(receiver, request, opened))
            return
        handshake = receiver.handshake(request, opened)
        if handshake is not None:
            visit.finish(handshake)
            return
        kept = self._app.intake.receive(receiver, request, opened)
        kept.add_done_callback(partial(visit.stored, receiver, opened.connection.connection_id))

    def _look_again(self, visit: _Visit, request: RawWebhook) -> None:
        """A connection that a command made a moment ago is known here within two seconds; some vendors ask back sooner."""
        now_s = time.monotonic()
        if visit.opened is not None or now_s - self._looked_s < LOOK_AGAIN_AFTER_S:
            visit.finish(self._unknown_address())
            return
        self._looked_s = now_s
        looking = asyncio.get_running_loop().create_task(self._app.book.refresh())
        self._looking = looking  # or nobody would hold it

        def go_on(looked: asyncio.Task[bool]) -> None:
            is_new = not looked.cancelled() and looked.exception() is None and looked.result()
            if is_new and (opened := self._find(visit.kind, visit.connection_id)) is not None:
                visit.opened = opened
                self._try(visit, request)
            else:
                visit.finish(self._unknown_address())

        looking.add_done_callback(go_on)

    def _unknown_address(self) -> WebhookAnswer:
        self._app.refusals.count("", "webhook.unknown_address")
        return _problem(404, "webhook.unknown_address", "There is no connection at this address.")

    def failed(self, error: BaseException, visit: _Visit) -> WebhookAnswer:
        """The answer to what went wrong, logged and counted; the vendor sends again what was not kept."""
        connection = visit.opened.connection if visit.opened is not None else None
        connection_id = connection.connection_id if connection is not None else None
        if isinstance(error, WebhookRejectedError):
            self._app.refusals.count(connection_id or "", error.code)
            _log.warning(
                "webhook.refused",
                connection_id=connection_id,
                integration=visit.kind,
                status=error.status,
                error_code=error.code,
            )
            return _refusal(error)
        if isinstance(error, OverloadedError):
            _log.error("webhook.not_stored", connection_id=connection_id, status=503, error_code=error.code)
            return _problem(503, error.code, str(error), retry_after_s=error.retry_after_s)
        # The HTTP edge is one of the two places that may catch everything.
        _log.error("webhook.crashed", connection_id=connection_id, integration=visit.kind, exc_info=error)
        metrics.crashes.labels("webhook").inc()
        return _problem(503, "webhook.crashed", "Something broke here; please send it again.", retry_after_s=10)


class _Visit:
    """One request on its way to its answer."""

    __slots__ = ("_cors", "_door", "_reply", "_started_s", "connection_id", "has_looked_again", "kind", "opened")

    def __init__(
        self,
        door: WebhookDoor,
        kind: str,
        connection_id: str,
        opened: OpenConnection | None,
        *,
        request: RawWebhook,
        reply: Reply,
    ) -> None:
        self._door = door
        self.connection_id = connection_id
        self.has_looked_again = False
        self._reply = reply
        self._started_s = time.perf_counter()
        self._cors: Mapping[str, str] | None = None
        self.kind = kind
        self.opened = opened
        if kind == "site" and opened is not None and request.method != "OPTIONS":
            self._cors = cors_headers(request.headers.get("origin"), opened)

    def stored(self, receiver: WebhookReceiver, connection_id: str, kept: asyncio.Future[Receipt]) -> None:
        """The event is on disk, or could not be kept."""
        try:
            receipt = kept.result()
            outcome = "duplicate" if receipt.duplicate else "accepted"
            _accepted.write(
                event_id=receipt.event_id, connection_id=connection_id, integration=self.kind, outcome=outcome
            )
            self.finish(receiver.accepted(receipt))
        except asyncio.CancelledError:
            self.finish(self._door.failed(OverloadedError("The gateway is stopping.", retry_after_s=2), self))
        except Exception as error:  # noqa: BLE001 - `failed` sorts them
            self.finish(self._door.failed(error, self))

    def finish(self, answer: WebhookAnswer) -> None:
        """Count and reply."""
        kind = self.kind if self.opened is not None else "unknown"
        self._door.count(kind, answer.status, time.perf_counter() - self._started_s)
        if self._cors:
            answer = WebhookAnswer(
                answer.status, answer.body, answer.content_type, (*answer.headers, *self._cors.items())
            )
        self._reply(answer)


def _answer_other_method(receiver: WebhookReceiver, request: RawWebhook, opened: OpenConnection) -> WebhookAnswer:
    if request.method == "OPTIONS" and opened.connection.kind == "site":
        status, headers = preflight(request.headers.get("origin"), opened)
        return WebhookAnswer(status, headers=tuple(headers.items()))
    handshake = receiver.handshake(request, opened) if request.method == "GET" else None
    return handshake or _problem(405, "webhook.method_not_allowed", "Webhooks are sent with POST.")


def body_too_large() -> WebhookRejectedError:
    """413."""
    return BodyTooLargeError("The body is larger than 1 MiB.")


def body_too_slow() -> WebhookRejectedError:
    """408."""
    return WebhookRejectedError("The body did not arrive in time.", code="webhook.too_slow", status=408)


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
