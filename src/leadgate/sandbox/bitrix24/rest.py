"""`/rest/…`: takes a request apart as the portal does, lets a fault strike it or asks the gateway."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus

from leadgate.sandbox.bitrix24.arguments import Params, find_integer, mapping
from leadgate.sandbox.bitrix24.batch import commands, method_of
from leadgate.sandbox.bitrix24.clock import SandboxClock
from leadgate.sandbox.bitrix24.envelope import RestError, bad_argument
from leadgate.sandbox.bitrix24.exchange import BodyTooLargeError, Exchange
from leadgate.sandbox.bitrix24.faults import Fault, Faults
from leadgate.sandbox.bitrix24.forms import MULTIPART, URL_ENCODED, read_form
from leadgate.sandbox.bitrix24.gateway import Gateway, Request
from leadgate.sandbox.bitrix24.mishaps import MISHAPS, Work
from leadgate.sandbox.bitrix24.php_query import MalformedQueryError, parse_php_query

Later = Callable[[float, Callable[[], object]], None]
"""Runs a piece of work after so many seconds, whatever becomes of the request."""

PREFIX = "/rest/"
_WEBHOOK_PARTS = 3


class RestEndpoint:
    """The REST address of the portal."""

    def __init__(self, gateway: Gateway, faults: Faults, *, clock: SandboxClock, later: Later) -> None:
        self._gateway = gateway
        self._faults = faults
        self._clock = clock
        self._later = later

    async def serve(self, exchange: Exchange) -> None:
        """Answers one request, or does not, as the faults will have it."""
        self._gateway.portal.counters.requests += 1
        try:
            request = await _read_request(exchange)
        except RestError as refusal:
            answer = self._gateway.refuse(refusal)
            await exchange.answer_json(answer.status, answer.body)
            return
        fault = self._faults.draw({request.method, *_inner_methods(request)})
        if fault is None:
            answer = self._gateway.answer(request)
            if answer.late_s:
                await self._clock.sleep(answer.late_s)
            await exchange.answer_json(answer.status, answer.body)
            return
        self._gateway.portal.counters.faults[fault.name.value] += 1
        await MISHAPS[fault.name](exchange, self._work(request, fault))

    def _work(self, request: Request, fault: Fault) -> Work:
        return Work(
            plan=fault.plan,
            clock=self._clock,
            commit=lambda: self._gateway.answer(request),
            later=lambda delay_s: self._later(delay_s, lambda: self._gateway.answer(request)),
            refuse=self._gateway.refuse,
        )


async def _read_request(exchange: Exchange) -> Request:
    parts = exchange.path.removeprefix(PREFIX).strip("/").split("/")
    if exchange.method not in {"GET", "POST"}:
        raise bad_argument("INVALID_REQUEST", "Only GET and POST are served")
    params = {**_read_query(exchange.query), **await _read_body(exchange)}
    method = parts[-1].lower().removesuffix(".json")
    if len(parts) == 1:
        return Request(exchange.source, method, params)
    user_id = find_integer(parts[0])
    if len(parts) != _WEBHOOK_PARTS or user_id is None:
        raise RestError(HTTPStatus.NOT_FOUND, "ERROR_METHOD_NOT_FOUND", "Method not found!")
    return Request(exchange.source, method, params, user_id=user_id, secret=parts[1])


def _read_query(query: str) -> dict[str, object]:
    try:
        return dict(parse_php_query(query))
    except MalformedQueryError as error:
        raise bad_argument("INVALID_REQUEST", str(error)) from error


async def _read_body(exchange: Exchange) -> dict[str, object]:
    """Parameters of a POST; the body of a GET is not read, as the portal does not read it."""
    if exchange.method != "POST":
        return {}
    try:
        body = await exchange.read_body()
    except BodyTooLargeError as error:
        raise RestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "INVALID_REQUEST", "Body is over 4 MiB") from error
    if not body.strip():
        return {}
    content_type = exchange.header("content-type")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return _read_json(body)
    if kind not in {"", URL_ENCODED, MULTIPART}:
        raise bad_argument("INVALID_REQUEST", "The body must be JSON or a form")
    try:
        return dict(read_form(body, content_type))
    except MalformedQueryError as error:
        raise bad_argument("INVALID_REQUEST", str(error)) from error


def _read_json(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise bad_argument("INVALID_REQUEST", "Body is not valid JSON") from error
    if not isinstance(value, (dict, list)):
        raise bad_argument("INVALID_REQUEST", "Body must be a JSON object")
    return mapping(value)


def _inner_methods(request: Request) -> set[str]:
    params: Params = request.params
    return {method_of(command) for _, command in commands(params)} if request.method == "batch" else set()
